//! When the ticker looks next. A deadline that was written down wakes it only when it comes before that: woken by every
//! alarm, it looked through the store thousands of times a second for what is due in a minute (27 November 2026).

use std::sync::atomic::{AtomicI64, Ordering};

use baken_schemas::time::Timestamp;
use tokio::sync::watch;

/// The ticker's next look, and the way to bring it forward.
#[derive(Debug)]
pub(super) struct Deadlines {
    /// [`i64::MAX`] while it looks: what is written then it may have missed.
    looks_at: AtomicI64,
    sooner: watch::Sender<()>,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { looks_at: AtomicI64::new(i64::MAX), sooner: watch::channel(()).0 }
    }
}

impl Deadlines {
    /// A deadline at `due` is committed.
    pub(super) fn set(&self, due: Timestamp) {
        if due.0 < self.looks_at.load(Ordering::SeqCst) {
            self.sooner.send_replace(());
        }
    }

    /// Deadlines may have come sooner, or gone.
    pub(super) fn changed(&self) {
        self.set(Timestamp(i64::MIN));
    }

    /// Hears of deadlines that the next look would come too late for.
    pub(super) fn hear(&self) -> watch::Receiver<()> {
        self.sooner.subscribe()
    }

    /// The ticker reads the store from now on.
    pub(super) fn look(&self) {
        self.looks_at.store(i64::MAX, Ordering::SeqCst);
    }

    /// It has read all there was, and looks again at `at`.
    pub(super) fn sleep_until(&self, at: Timestamp) {
        self.looks_at.store(at.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticker_hears_of_what_is_due_before_it_looks_and_of_all_that_comes_while_it_does() {
        let deadlines = Deadlines::default();
        let mut heard = deadlines.hear();
        let mut hears = |deadlines: &Deadlines, due| {
            deadlines.set(Timestamp(due));
            let has = heard.has_changed().unwrap();
            heard.mark_unchanged();
            has
        };
        assert!(hears(&deadlines, 500), "it has not looked yet");
        deadlines.sleep_until(Timestamp(100));
        assert!(!hears(&deadlines, 100));
        assert!(hears(&deadlines, 99));
        deadlines.look();
        assert!(hears(&deadlines, 500));
    }
}
