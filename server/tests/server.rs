//! The server crate by its public interface: its base and its relay, and its channels against programs that others
//! wrote, over real sockets. One binary, so that it links once.
//!
//! The programs are Python's, run by the interpreter that `cargo xtask test` sets up (`tests/peers/requirements.txt`).
//! Where it is missing these tests fail and say so: a skipped test proves nothing.

mod base;
mod bridge;
mod dc09;
mod desk;
mod mail;
mod peer;
mod portal;
mod relay;
mod sms;
mod webhook;
