//! What really happened, noted as it happens and independently of what phones, relay and desks believe.

use std::collections::{BTreeMap, BTreeSet};

use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::{AlarmId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;

/// A pressed alarm.
#[derive(Debug, Clone)]
pub(super) struct Pressed {
    /// Which phone.
    pub(super) phone: usize,
    /// When, by the right clock.
    pub(super) at: Timestamp,
    /// The words.
    pub(super) text: String,
    /// Words that followed in updates.
    pub(super) updates: Vec<String>,
}

/// What an officer did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    pub(super) alarm: AlarmId,
    pub(super) state: ReceiptState,
    pub(super) desk: &'static str,
    pub(super) officer: String,
    /// `None` for no words.
    pub(super) words: Option<String>,
}

/// A value that a person put.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) account: usize,
    pub(super) record: RecordId,
    pub(super) value: Value,
}

/// Everything that happened.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) pressed: BTreeMap<AlarmId, Pressed>,
    pub(super) acts: BTreeSet<Act>,
    pub(super) edits: Vec<Edit>,
    /// Alarms that were seen on the relay's disk.
    pub(super) stored: BTreeSet<AlarmId>,
    /// Alarms that were seen at a desk, by the desk's place.
    pub(super) at_desk: BTreeSet<(usize, AlarmId)>,
}

impl Truth {
    /// Whether this was done.
    pub(super) fn did(&self, act: &Act) -> bool {
        self.acts.contains(act)
    }

    /// The farthest that officers got with an alarm.
    pub(super) fn farthest(&self, alarm: AlarmId) -> Option<ReceiptState> {
        self.acts.iter().filter(|act| act.alarm == alarm).map(|act| act.state).max()
    }
}
