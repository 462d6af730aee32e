//! SIA DC-09: the alarm industry's own wire, spoken to alarm centres (the desk's channel out) and understood from
//! certified hardware buttons (the bridge).
//!
//! Frames, codes and replies are values in, values out; only [`sender`] and [`receiver`] touch a
//! network, which is handed to them, as are clock and randomness. What cannot be told from public sources of the
//! standard was measured against real equipment and libraries, and is kept as frames in `tests/vectors/dc09.json`.
//!
//! The cipher of DC-09 is AES-CBC with a zero vector and no authentication, so **a frame proves nothing**: run it
//! inside TLS or a VPN, and never show its answer as a person's eye. A `K` element, which carries a key, is dropped
//! on reading and cannot be written.
//!
//! Not here: key exchange (`RSP` with `K`), multi-packet data with listen-in control, and who keeps what.

pub mod command;
mod crypt;
pub mod data;
mod datagrams;
pub mod events;
mod field;
mod frame;
mod framer;
mod message;
pub mod position;
pub mod receiver;
pub mod reply;
mod report;
pub mod sender;
mod text;
mod time;

pub use crypt::{Key, KeyError};
pub use field::{Account, FieldError, MessageId, Prefix, Sequence};
pub use frame::{Frame, FrameError, Header, MAX_BODY_BYTES, MAX_FRAME_BYTES};
pub use framer::Framer;
pub use message::{Content, Element, Message};
pub use report::{Coding, Form, Report};
pub use text::to_ascii;
pub use time::{Window, read_time, write_time};

#[cfg(test)]
mod tests;
