//! Incidents and signals in order of time, with those of one perpetrator brought together.

use std::collections::{BTreeMap, BTreeSet};

use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::record::words::SAME_PERPETRATOR;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::incident::KINDS;
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// An incident or a signal on the timeline.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TimelineItem {
    /// Its record.
    pub record: RecordId,
    /// The circle that shares it.
    pub circle: CircleId,
    /// `incident` or `signal`.
    pub kind: &'static str,
    /// When it happened or was seen; `None` when nobody said.
    pub at: Option<Timestamp>,
    /// What happened.
    pub what: String,
    /// Where.
    pub place: String,
    /// A word of [`baken_schemas::record::words::THREAT_SOURCE`], or empty.
    pub threat_source: String,
    /// A word of [`baken_schemas::record::words::POLICE`], or empty.
    pub police: String,
    /// Others by the same perpetrator, also by way of a third.
    pub same_perpetrator: Vec<RecordId>,
    /// Others it is joined with for another reason.
    pub linked: Vec<RecordId>,
}

impl std::fmt::Debug for TimelineItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimelineItem").field("record", &self.record).finish_non_exhaustive()
    }
}

impl Baken {
    /// Every incident and signal of all circles, oldest first, those without a moment last.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn timeline(&self) -> Result<Vec<TimelineItem>, BakenError> {
        let (mut items, copies) = (Vec::new(), self.shared_copies()?);
        for kind in KINDS {
            let mut records = self.records(Some(kind))?;
            // What is shared in a case is a copy of what is here.
            records.retain(|record| !record.deleted && !copies.contains(&record.record));
            items.extend(records.iter().map(|record| item(record, kind)));
        }
        let known: BTreeSet<RecordId> = items.iter().map(|item| item.record).collect();
        let same = Value::Text(SAME_PERPETRATOR.to_owned());
        let (mut groups, mut linked) = (Groups::default(), BTreeMap::<RecordId, BTreeSet<RecordId>>::new());
        for link in self.records(Some("link"))?.iter().filter(|link| !link.deleted) {
            let (Some(from), Some(to)) = (link.names("from"), link.names("to")) else { continue };
            // Others write links too: to what is gone or never came.
            if from == to || !known.contains(&from) || !known.contains(&to) {
                continue;
            }
            if link.says("why", &same) {
                groups.join(from, to);
            } else {
                linked.entry(from).or_default().insert(to);
                linked.entry(to).or_default().insert(from);
            }
        }
        for item in &mut items {
            item.same_perpetrator = groups.others(item.record);
            item.linked = linked.remove(&item.record).into_iter().flatten().collect();
        }
        items.sort_by_key(|item| (item.at.is_none(), item.at, item.record));
        Ok(items)
    }
}

fn item(record: &RecordView, kind: &'static str) -> TimelineItem {
    TimelineItem {
        record: record.record,
        circle: record.circle,
        kind,
        at: record.moment("happened_at").or_else(|| record.moment("seen_at")),
        what: record.text("what"),
        place: record.text("place"),
        threat_source: record.text("threat_source"),
        police: record.text("police"),
        same_perpetrator: Vec::new(),
        linked: Vec::new(),
    }
}

/// Which belong together: who is in a group with whom.
#[derive(Default)]
struct Groups {
    of: BTreeMap<RecordId, usize>,
    members: Vec<BTreeSet<RecordId>>,
}

impl Groups {
    fn join(&mut self, a: RecordId, b: RecordId) {
        let (a, b) = (self.group(a), self.group(b));
        if a == b {
            return;
        }
        let moved = self.members.get_mut(b).map(std::mem::take).unwrap_or_default();
        for record in &moved {
            self.of.insert(*record, a);
        }
        if let Some(group) = self.members.get_mut(a) {
            group.extend(moved);
        }
    }

    fn group(&mut self, record: RecordId) -> usize {
        if let Some(group) = self.of.get(&record) {
            return *group;
        }
        self.members.push(BTreeSet::from([record]));
        let group = self.members.len() - 1;
        self.of.insert(record, group);
        group
    }

    fn others(&self, record: RecordId) -> Vec<RecordId> {
        let group = self.of.get(&record).and_then(|group| self.members.get(*group));
        group.into_iter().flatten().filter(|other| **other != record).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_group_is_all_that_can_be_reached(joins in proptest::collection::vec((0_u8..8, 0_u8..8), 0..12)) {
            let id = |at: u8| RecordId([at; 16]);
            let mut groups = Groups::default();
            let mut reach = [[false; 8]; 8];
            for (a, b) in &joins {
                groups.join(id(*a), id(*b));
                (reach[usize::from(*a)][usize::from(*b)], reach[usize::from(*b)][usize::from(*a)]) = (true, true);
            }
            for by in 0..8 {
                for a in 0..8 {
                    for b in 0..8 {
                        reach[a][b] |= reach[a][by] && reach[by][b];
                    }
                }
            }
            for a in 0..8_u8 {
                let expected: Vec<RecordId> =
                    (0..8_u8).filter(|b| *b != a && reach[usize::from(a)][usize::from(*b)]).map(id).collect();
                prop_assert_eq!(groups.others(id(a)), expected);
            }
        }
    }
}
