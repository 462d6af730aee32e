//! A sign of life of each worker, written each time it goes round: at least every half minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::time::Timestamp;

/// After how long without a sign a worker stands still, in milliseconds.
pub const STALLED_MS: i64 = 2 * 60_000;

/// When each worker last went round.
#[derive(Debug, Default)]
pub(in crate::desk) struct Beats(Mutex<BTreeMap<&'static str, Timestamp>>);

impl Beats {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker goes round.
    pub(in crate::desk) fn beat(&self, worker: &'static str, now: Timestamp) {
        self.lock().insert(worker, now);
    }

    /// The workers that stand still, and since when.
    pub(in crate::desk) fn stalled(&self, now: Timestamp) -> Vec<(&'static str, Timestamp)> {
        let beats = self.lock();
        // A clock that was set back says nothing about how long it has been.
        let stalled = beats.iter().filter(|(_, at)| now.since_ms(**at) >= STALLED_MS);
        stalled.map(|(worker, at)| (*worker, *at)).collect()
    }
}
