//! A clock that stands still until it is told otherwise.

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

/// A clock that is off by a fixed time, as a phone's may be.
#[derive(Debug, Clone)]
pub struct WrongClock {
    /// The right one.
    pub right: SimClock,
    /// Milliseconds ahead; behind when negative.
    pub off_ms: i64,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        self.right.now().plus_ms(self.off_ms)
    }
}
