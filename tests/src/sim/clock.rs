//! A clock that stands still until it is told otherwise, and one that is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use baken_schemas::time::{Clock, Timestamp};

/// Cheap to clone; all clones show the same time.
#[derive(Debug, Clone)]
pub struct SimClock(Arc<AtomicI64>);

impl SimClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Lets time pass.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that is off, as a phone's may be, until somebody sets it anew. All clones are one.
#[derive(Debug, Clone)]
pub struct WrongClock {
    right: SimClock,
    off_ms: Arc<AtomicI64>,
}

impl WrongClock {
    /// A clock that is so many milliseconds ahead of the right one; behind when negative.
    pub fn new(right: SimClock, off_ms: i64) -> Self {
        Self { right, off_ms: Arc::new(AtomicI64::new(off_ms)) }
    }

    /// Sets the clock.
    pub fn set_off_ms(&self, off_ms: i64) {
        self.off_ms.store(off_ms, Ordering::SeqCst);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        self.right.now().plus_ms(self.off_ms.load(Ordering::SeqCst))
    }
}
