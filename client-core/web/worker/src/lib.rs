//! The phone's core in a browser: what a page asks of it over messages, and what it is told.
//!
//! Calls are coarse, JSON in and JSON out, since each crosses from one thread to another: a screen takes one or two.
//! It runs in a dedicated worker, so that sealing and key derivation never hold up a screen. Here the browser's clock,
//! randomness, network and files come in. Not here: any rule of the domain, and any word a person reads but the core's.

#![cfg(target_family = "wasm")]

mod arguments;
mod call;
mod glue;
mod phone;
mod values;
