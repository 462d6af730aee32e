//! What crosses a boundary in Baken, and nothing that does I/O: sealed formats, signed documents, record kinds, and
//! the rules that every device must apply alike.
//!
//! Values in, values out. Clock and randomness are arguments. Phones, relay, desk and bridge all build and read
//! their bytes here, so a format has one writer and one reader in Rust; an independent Python program checks both
//! (`schemas/vectors/cross_check.py`).

pub mod adviser;
pub mod alarm;
pub mod api;
pub mod audit;
pub mod blob;
pub mod calendar;
pub mod cbor;
pub mod check_up;
pub mod checkpoint;
pub mod circle;
pub mod code;
pub mod crypto;
pub mod device;
pub mod edition;
pub mod entry;
mod error;
pub mod export;
pub mod id;
mod language;
pub mod local_time;
pub mod openapi;
pub mod order;
pub mod org;
pub mod pack;
pub mod pairing;
pub mod record;
pub mod recovery;
pub mod request;
pub mod rules;
pub mod signed;
pub mod text;
pub mod time;

pub use error::FormatError;
pub use language::Language;
