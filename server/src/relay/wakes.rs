//! Waking the live streams that wait for something new. A wake says "look", never what: a stream reads the store by
//! its own cursor, and looks every few seconds anyway, so a lost wake costs only time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use baken_schemas::id::{CircleId, DeviceId};
use tokio::sync::watch;

/// What a stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// Mail of a device.
    Mail(DeviceId),
    /// Entries and log records of a circle.
    Circle(CircleId),
}

/// Who waits for what. Holds as many topics as there are streams, at most 17 each.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    topics: Mutex<HashMap<Topic, watch::Sender<()>>>,
}

impl Wakes {
    /// From now on the receiver hears of the topic. Topics that nobody listens to any more are dropped.
    pub(super) fn subscribe(&self, topic: Topic) -> watch::Receiver<()> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.len() == topics.capacity() {
            topics.retain(|_, sender| sender.receiver_count() > 0);
        }
        topics.entry(topic).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    /// Wakes who listens.
    pub(super) fn wake(&self, woken: &[Topic]) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in woken {
            if let Some(sender) = topics.get(topic) {
                sender.send_replace(());
            }
        }
    }
}
