//! Rust's target for WebAssembly: asked of the compiler itself, and added by rustup where that can be reached.

use std::path::Path;

use anyhow::{Result, bail};

use crate::step;
use crate::workspace::{find_program, program};

/// The target's name.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Adds the target if the compiler in use does not have it; returns what it installed, for people.
pub fn ensure() -> Result<Option<String>> {
    if is_there() {
        return Ok(None);
    }
    let by_hand = format!("add it by hand, then run this again: rustup target add {TARGET}");
    if find_program("rustup").is_none() {
        bail!("the Rust compiler has no target {TARGET} and there is no rustup to add it; {by_hand}");
    }
    eprintln!("   adding Rust's target {TARGET}");
    if let Err(error) = step::quietly(program("rustup").args(["target", "add", TARGET])) {
        bail!("{error:#}\nrustup could not add the target {TARGET}; {by_hand}");
    }
    if !is_there() {
        bail!("rustup added {TARGET}, but the compiler in use is another and does not have it");
    }
    Ok(Some(format!("Rust's target {TARGET}")))
}

fn is_there() -> bool {
    let mut rustc = program("rustc");
    let found = rustc.args(["--print", "target-libdir", "--target", TARGET]).output();
    found.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}
