//! How far a transfer is.

use std::sync::atomic::{AtomicU64, Ordering};

use baken_schemas::blob::BlobRef;

/// How far a transfer is, in bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is there.
    pub done: u64,
    /// The file's size.
    pub total: u64,
}

/// Counts chunks as they arrive, in whatever order.
pub(super) struct Meter<'a> {
    blob: &'a BlobRef,
    done: AtomicU64,
    tell: &'a (dyn Fn(Progress) + Sync),
}

impl<'a> Meter<'a> {
    /// Tells at once what was there before.
    pub(super) fn start(
        blob: &'a BlobRef,
        there: impl Iterator<Item = u32>,
        tell: &'a (dyn Fn(Progress) + Sync),
    ) -> Self {
        let len = |index| blob.chunk_len(index).unwrap_or(0) as u64;
        let done = there.fold(0_u64, |done, index| done.saturating_add(len(index)));
        tell(Progress { done, total: blob.size });
        Self { blob, done: AtomicU64::new(done), tell }
    }

    /// One more chunk is there.
    pub(super) fn arrived(&self, index: u32) {
        let len = self.blob.chunk_len(index).unwrap_or(0) as u64;
        let before = self.done.fetch_add(len, Ordering::Relaxed);
        (self.tell)(Progress { done: before.saturating_add(len), total: self.blob.size });
    }
}
