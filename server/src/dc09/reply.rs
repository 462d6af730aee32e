//! Replies: how a receiver answers a message, and how a sender tells what an answer is worth.
//!
//! Only `ACK` and `RSP` with the very sequence number and account that are outstanding count, enciphered where the
//! message was. `NAK` and `DUH` are never enciphered and a `NAK` names neither number nor account, so they are matched
//! by there being one message outstanding. Anything else is "not delivered".

use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;

use super::crypt::Key;
use super::field::{Account, MessageId, Prefix, Sequence};
use super::frame::{Frame, FrameError, Header};
use super::message::{Content, Message};
use super::time::Window;

/// `ACK`: the message is taken. Enciphered when the message was; then it carries `now`.
///
/// # Errors
/// [`FrameError`], which cannot come from the header of a message that was read.
pub fn ack(to: &Header, key: Option<&Key>, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FrameError> {
    let made_at = key.map(|_| now);
    let header = Header { id: MessageId::Ack, ..to.clone() };
    Message { header, content: Content { made_at, ..Content::default() } }.write(key, rng)
}

/// `DUH`: a good frame, but nothing that can be processed here. Never enciphered.
///
/// # Errors
/// [`FrameError`], which cannot come from the header of a message that was read.
pub fn duh(to: &Header) -> Result<Vec<u8>, FrameError> {
    Frame { header: Header { id: MessageId::Duh, encrypted: false, ..to.clone() }, body: b"]".to_vec() }.write()
}

/// `NAK`: not taken, with this receiver's time so that the sender can set itself right and send again. Never enciphered.
///
/// # Errors
/// [`FrameError`], which cannot come from this fixed header.
pub fn nak(now: Timestamp) -> Result<Vec<u8>, FrameError> {
    let header = Header {
        id: MessageId::Nak,
        encrypted: false,
        sequence: Sequence::NULL,
        receiver: Some(Prefix::unused()),
        line: Prefix::unused(),
        account: None,
    };
    let body = format!("]_{}", super::time::write_time(now)).into_bytes();
    Frame { header, body }.write()
}

/// The one message that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Outstanding<'a> {
    /// Its number.
    pub sequence: Sequence,
    /// Its account.
    pub account: &'a Account,
    /// The key it was enciphered with, if it was.
    pub key: Option<&'a Key>,
    /// Now, by the clock that the message's own time was taken from: a receiver's offset included.
    pub now: Timestamp,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Taken by the receiver's machine.
    Taken,
    /// Not taken; the receiver's own time, where it gave one.
    Nak {
        /// The receiver's clock.
        now: Option<Timestamp>,
    },
    /// The receiver cannot process such a message: sending it again will not help.
    Duh,
    /// The receiver got it damaged, or its answer came damaged, or is to something else.
    Unusable,
    /// An enciphered `ACK` whose time is too far off to be told from an old one that someone plays back.
    Stale {
        /// Milliseconds by which its time is ahead (negative: behind).
        ahead_ms: i64,
    },
}

/// Judges one answer, from LF to CR.
pub fn judge(bytes: &[u8], outstanding: Outstanding<'_>) -> Verdict {
    // One receiver says this, without any frame, to an account it does not know.
    if bytes == b"\"NAK\"" {
        return Verdict::Nak { now: None };
    }
    let Ok(frame) = Frame::read(bytes) else { return Verdict::Unusable };
    let names_it = frame.header.sequence == outstanding.sequence
        && frame.header.account.as_ref() == Some(outstanding.account)
        && frame.header.encrypted == outstanding.key.is_some();
    match frame.header.id {
        MessageId::Ack | MessageId::Rsp if names_it => match Message::open(frame, outstanding.key) {
            Ok(message) => freshness(&message, outstanding),
            Err(_) => Verdict::Unusable,
        },
        MessageId::Nak => {
            let now = Message::open(frame, None).ok().and_then(|message| message.content.made_at);
            Verdict::Nak { now }
        }
        MessageId::Duh => Verdict::Duh,
        _ => Verdict::Unusable,
    }
}

/// The header of an enciphered `ACK` is not bound to its body: only the time inside tells it from one played back.
fn freshness(reply: &Message, outstanding: Outstanding<'_>) -> Verdict {
    let violation = match (outstanding.key, reply.content.made_at) {
        (Some(_), Some(made_at)) => Window::STANDARD.violation_ms(made_at, outstanding.now),
        _ => None,
    };
    violation.map_or(Verdict::Taken, |ahead_ms| Verdict::Stale { ahead_ms })
}
