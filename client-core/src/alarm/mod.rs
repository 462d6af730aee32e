//! The alarm outbox: how a call for help leaves the phone, and how the phone knows what became of it.
//!
//! It lies in a file of its own under a key that needs no PIN, so it works while the vault is locked and while another
//! process holds the vault. This is its specification; the tests go by the same words.
//!
//! # Sending
//!
//! - **Pressing** seals the alarm, signs it and commits it to disk (`synchronous=FULL`) before it returns. Nothing is
//!   sent before that, and nothing that goes wrong with sending can make pressing fail. Only a full or broken disk can.
//! - An alarm is **waiting** until a receipt for its very bytes has been verified. An answer 2xx is not that receipt,
//!   the receipt in its body is.
//! - A waiting alarm is sent **without end**: after 1, 1, 2, 3, 5, 8, 13 and 20 seconds, then every 20 seconds, each
//!   give or take a fifth. Waits live in memory: a program that starts tries at once.
//! - Every try sends the **same bytes** under the same idempotency key, so a relay that stored the alarm while its answer
//!   got lost stores nothing twice.
//! - A **refusal** (4xx) is kept, shown, and tried again within 30 seconds, without end: whoever refused may be wrong or
//!   may be put right, as a relay from a backup that does not know the phone yet. Each alarm waits for itself; a refused
//!   one holds up no other.
//! - **Updates** wait for their alarm to be stored and then go in order, in the same way, but a refused one waits for
//!   five minutes.
//! - **Photos and sound** go along with an update of their own, which waits until all of the file is at the relay. They are
//!   sent last, chunk by chunk; newer updates overtake them, and whatever is more urgent breaks a chunk off.
//! - **Positions** that nobody asked for are added every ten seconds while an alarm is open, where the program has something
//!   that knows the place. One that was not sent gives way to the next.
//! - Words that don't fit into the alarm follow in updates. Nothing is cut and nothing is refused for its length, up to
//!   [`MAX_TEXT_BYTES`].
//! - An alarm pressed with a **countdown** is on disk at once and sent when the countdown is over, by whichever program
//!   runs then. Withdrawn before, it is never sent. The clock set back ends the countdown.
//! - **Withdrawing** asks for the PIN and leaves one note, whichever PIN it was; an alarm that was sent stays open until an
//!   officer closes it.
//! - **Notes** (each unlock leaves one, sealed for the first desk) are sent like alarms, after them. A refused one lets
//!   the others pass. A 2xx is enough: nobody waits for it.
//! - **Without data** an alarm can go as a text message that its owner sends. Where the directory gives a number, the phone
//!   leaves a context at the relay beforehand; from then on each press also seals a text, and takes the alarm's id from it.
//!   The alarm itself still waits: a receipt for the text shows how far the alarm is, and stops no sending.
//!
//! # Receipts
//!
//! - They come in the answer, by mail, on the live stream, and by asking for all of an alarm's. Each way gives the same
//!   documents; one that is known is known by its hash.
//! - A receipt **counts** when its signer is in the directory that the organisation's root signed, or a family member's
//!   device that the alarm was sealed to and whose key came from the circle; when it may say what it says, signed it, and names the hash of the alarm, or of its text, as this phone sealed it. Anything else is refused, kept as evidence and
//!   counted in what is shown. A newer directory counts when the root signed it and its version is higher.
//! - Each signer chains its receipts. A missing link and two receipts in one place are shown as **warnings**; the
//!   receipts themselves still count, since their signers did say so. A relay cannot make them, only hold them back.
//! - The mail cursor moves in the transaction that keeps the mail. A relay with another generation was restored from a
//!   backup: its mail is read again from the start.
//!
//! # Probes
//!
//! - While a program follows, an alarm of the kind `probe` goes the same way every five minutes; never from a guest's
//!   device, which no desk knows. It is shown in no list; a desk's `received` for it is the proof that the way was open, and
//!   when.
//!
//! - A person's own **tests** are alarms of a kind of their own; when each hop had one is kept, and after a month it is time
//!   for another: see `tested`.
//!
//! # The relay's audit
//!
//! - Its newest head comes with a proof that it goes on from the one held here, or it is said that it does not: see `audit`.
//!
//! # Orders
//!
//! - An **order** of another device comes by mail. It counts when its author was an owner of this device's dossier at the
//!   last sync, signed it, and its number is higher than that of every earlier one of that author that was taken.
//! - What it orders is due from then on, in the transaction that took it, and carried out after the round: see `orders`.
//!
//! # Showing
//!
//! - The state is the farthest that any counting receipt proves; without one it is **not sent**.
//! - It is **green** only when a responder says that a human has it: a desk, or a family member's device that the alarm was
//!   sealed to.
//! - **Call 112** is shown when 20 seconds have gone by without a human, when the ladder ran out, and when the clock
//!   has jumped back so that nobody can tell.
//!
//! # Time
//!
//! The phone's clock may be wrong by decades, or be set while an alarm waits. It is compared only with itself, and a
//! clock that went backwards makes everything due. No alarm and no receipt is refused for a time.
//!
//! # Not here
//!
//! Alarms of others, which a family member's device is called in: see `incoming`. Check-ins, which lie in the same file and
//! go out in the same rounds: see `checkin`. And the card's content; its key is here because it travels in the alarm.

mod answer;
mod attachment;
mod audit;
mod deliver;
mod device;
mod escalated;
mod family;
mod file;
mod identity;
mod incoming;
mod incoming_view;
mod live;
mod orders;
mod outbox;
mod position;
mod probe;
mod receipts;
mod schedule;
mod sms;
mod tested;
mod timeline;
mod view;
mod withdrawal;
mod words;

pub use answer::MAX_ANSWER_TEXT_BYTES;
pub use audit::{AuditView, RewrittenView};
pub use deliver::Round;
pub(crate) use deliver::client;
pub use escalated::SentOnView;
pub(crate) use family::{Called, of_form, word_in};
pub(crate) use incoming::Caller;
pub use incoming_view::{EscalatedView, IncomingView};
pub(crate) use orders::{OrderAuthor, OrderKeys, OrdersDue, active_key};
pub use outbox::{AlarmOutbox, Call, MAX_COUNTDOWN_S, MAX_TEXT_BYTES};
pub(crate) use outbox::{Phone, desk_for_check_ins, ladder_for_check_ins, phone};
pub use position::Locator;
pub use probe::{HomePath, PROBE_EVERY_MS, PathProof, PathView};
pub use receipts::Verdict;
pub(crate) use receipts::keep_evidence;
pub use sms::AlarmText;
pub use tested::{TEST_COUNTS_MS, TestView, TestsView};
pub(crate) use view::is_closed;
pub use view::{AlarmState, AlarmView, HandedOnView, ReceiptView, RefusalView, Signer, Warning};
pub use withdrawal::WithdrawalView;

#[cfg(test)]
pub(crate) mod tests;
