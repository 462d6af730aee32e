//! Stories across crates, and what they are told with: real processes, a simulation, phones of many accounts, a tap on
//! the wire, power loss; and the benches.
//!
//! Only tests depend on this crate. Unsafe code is denied but in `power_loss::vfs`, which speaks SQLite's C
//! interface; the workspace's `forbid` could not be lifted there, hence a lint table of its own in `Cargo.toml`.

#![deny(unsafe_code)]

pub mod bench;
pub mod circle;
pub mod fleet;
pub mod marks;
pub mod plant;
pub mod sim;
pub mod story;
pub mod tap;

#[cfg(unix)]
pub mod power_loss;
