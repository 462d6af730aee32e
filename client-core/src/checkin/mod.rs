//! Check-ins: alarms handed in beforehand, which the relay raises unless the person settles them in time.
//!
//! They lie in the alarm outbox, so they work while the vault is locked. This is their specification.
//!
//! - **Starting** seals an alarm of kind `missed` with what the person says (a note, a place, a plan), and has it on disk
//!   when it returns. It is sent like an alarm. Starting, extending and settling take a PIN; nothing else does.
//! - It is **at the relay** once the relay's signed answer to the very timers that were sent has been verified. Until then
//!   it is shown as not there; and if the relay never had it when its time is over, this phone presses an alarm itself.
//! - **Heartbeats** renew it while the program runs, with the newest position, several times in the silence that it
//!   allows. They never move the moment at which it is due: a phone that goes on by itself beside a bound person does not
//!   put that off. They carry it only while the relay has not confirmed what the person set.
//! - Every form is sealed **when it is sent**, since its timers count from arrival: one that waited for a network is due
//!   when the person said, not later by as long as it waited. A try within 30 seconds sends the same bytes again.
//! - **Another device** of the same person can settle it, or start one in its place: see `elsewhere`.
//! - **Settling** sends the same signed document with a note of the same size whichever PIN it was. With a duress PIN
//!   nothing here is different; the desk reads it in the note, and has the deposit raised without a word to this phone.
//!   What the relay hands over about a deposit after it confirmed the settlement is therefore not shown.
//! - What the relay has **raised** is an alarm like any other, among the alarms, with the same rules: no more is shown than
//!   receipts prove, and 112 after 20 seconds without a human. Settling it then tells the desk; the desk closes it.
//! - Times are by the phone's clock and compared only with itself; a clock that went back makes everything due.
//! - A **rule** (every evening at 23:00) keeps one check-in running: the next is started as soon as the last is settled,
//!   so that it lies at the relay long before its time. Local time, and right in the nights in which the clock is moved.

mod device;
mod elsewhere;
mod every;
mod forms;
mod start;
mod store;
mod view;
mod words;

pub use elsewhere::ElsewhereView;
pub(crate) use elsewhere::take_settlement;
pub use every::{Rule, RuleView, Weekdays};
pub use start::{MAX_CHECK_IN_TEXT_BYTES, NewCheckIn};
pub(crate) use view::next_news_ms;
pub use view::{CheckInNews, CheckInState, CheckInView};

use forms::is_due;
pub(crate) use forms::{Proven, keep_answer, keep_settlement_answer, next_form, note_refusal, settlement};
pub(crate) use store::{Claim, claim, open_ids, raised_without_alarm, settlements};

#[cfg(test)]
mod tests;
