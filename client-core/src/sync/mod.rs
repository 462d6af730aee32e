//! Sync: the engine that needs no network, the driver that carries its bytes over a transport, and the state that a
//! user is told.

pub(crate) mod checkpoint;
mod driver;
mod engine;
mod follow;
pub(crate) mod rows;
pub(crate) mod seal;
mod status;

pub use driver::SyncCounts;
pub use engine::SyncEvent;
pub use follow::Followed;
pub use rows::{FindingKind, FindingView, QuarantineReason, QuarantineView, WaitReason};
pub use status::{StatusView, StuckReason};

#[cfg(test)]
mod tests;
