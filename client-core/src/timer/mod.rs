//! Waiting: the runtime's timers, or in a browser its own.

#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use tokio::time::{sleep, timeout};
#[cfg(target_family = "wasm")]
pub(crate) use web::{sleep, timeout};
