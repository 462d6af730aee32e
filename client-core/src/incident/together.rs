//! Signals beside each other (L40): one says little, several can be a reason to do more.
//!
//! Said is which belong together and why, never how bad it is: there is no score here, and nothing is left out as too
//! small. What it means is judged by people.

use std::collections::BTreeMap;

use baken_schemas::id::RecordId;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::incident::TimelineItem;
use crate::{Baken, BakenError};

/// How far back signals are looked at beside each other: our own choice, long enough for a season.
pub const WINDOW_DAYS: i64 = 90;
const DAY_MS: i64 = 86_400_000;

/// To whom a signal can be told: the fields of its record.
pub const TOLD: [(&str, &str); 3] =
    [("driehoek", "driehoek_told_at"), ("region", "region_told_at"), ("police", "police_told_at")];

/// A signal or incident of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignalView {
    /// As the timeline has it.
    #[serde(flatten)]
    pub item: TimelineItem,
    /// Who was told of a signal, and when.
    pub told: BTreeMap<&'static str, Timestamp>,
}

/// Why some belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Together {
    /// The person said that one and the same is behind them.
    SamePerpetrator,
    /// They come from the same source of threat.
    SameSource,
    /// They were in the same place.
    SamePlace,
    /// They all are of the last ninety days.
    SameTime,
}

/// Some that belong together: two at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Why.
    pub why: Together,
    /// Which.
    pub records: Vec<RecordId>,
}

/// Signals and incidents of the last ninety days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignalsView {
    /// All of them, oldest first.
    pub signals: Vec<SignalView>,
    /// Which belong together; where there is any, they may together be a reason for more measures.
    pub together: Vec<Group>,
    /// Signals of which nobody was told yet.
    pub untold: Vec<RecordId>,
}

impl Baken {
    /// What was noted in the last ninety days, or without a day, beside each other.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn signals(&self) -> Result<SignalsView, BakenError> {
        let from = self.context.now().plus_ms(-WINDOW_DAYS * DAY_MS);
        let mut items = self.timeline()?;
        items.retain(|item| item.at.is_none_or(|at| at >= from));
        let together = groups(&items);
        let mut signals = Vec::with_capacity(items.len());
        for item in items {
            let record = self.record(item.record)?;
            let told = TOLD.iter().filter_map(|(whom, field)| Some((*whom, record.moment(field)?))).collect();
            signals.push(SignalView { item, told });
        }
        let silent = signals.iter().filter(|signal| signal.item.kind == "signal" && signal.told.is_empty());
        let untold = silent.map(|signal| signal.item.record).collect();
        Ok(SignalsView { signals, together, untold })
    }
}

/// Which belong together, each reason for itself.
fn groups(items: &[TimelineItem]) -> Vec<Group> {
    let mut by: BTreeMap<(Together, String), Vec<RecordId>> = BTreeMap::new();
    for item in items {
        let mut put = |why, key: String| by.entry((why, key)).or_default().push(item.record);
        if let Some(first) = item.same_perpetrator.iter().chain([&item.record]).min() {
            put(Together::SamePerpetrator, first.to_string());
        }
        let place = item.place.trim().to_lowercase();
        if !place.is_empty() {
            put(Together::SamePlace, place);
        }
        if !item.threat_source.is_empty() && item.threat_source != "unknown" {
            put(Together::SameSource, item.threat_source.clone());
        }
        put(Together::SameTime, String::new());
    }
    let several = by.into_iter().filter(|(_, records)| records.len() > 1);
    several.map(|((why, _), records)| Group { why, records }).collect()
}

#[cfg(test)]
mod tests {
    use baken_schemas::id::CircleId;
    use proptest::prelude::*;

    use super::*;

    fn item(at: u8, place: &str, threat: &str, same_perpetrator: &[u8]) -> TimelineItem {
        TimelineItem {
            record: RecordId([at; 16]),
            circle: CircleId([0; 16]),
            kind: "signal",
            at: Some(Timestamp(i64::from(at))),
            what: "iets".to_owned(),
            place: place.to_owned(),
            threat_source: threat.to_owned(),
            police: String::new(),
            same_perpetrator: same_perpetrator.iter().map(|other| RecordId([*other; 16])).collect(),
            linked: Vec::new(),
        }
    }

    #[test]
    fn one_signal_says_nothing_and_several_say_why_they_belong_together() {
        assert_eq!(groups(&[item(1, "thuis", "angry-resident", &[])]), []);
        let items =
            [item(1, " Thuis", "angry-resident", &[3]), item(2, "thuis", "unknown", &[]), item(3, "", "unknown", &[1])];
        let group =
            |why, records: &[u8]| Group { why, records: records.iter().map(|id| RecordId([*id; 16])).collect() };
        assert_eq!(
            groups(&items),
            [
                group(Together::SamePerpetrator, &[1, 3]),
                group(Together::SamePlace, &[1, 2]),
                group(Together::SameTime, &[1, 2, 3]),
            ],
            "an unknown source joins nothing"
        );
    }

    proptest! {
        #[test]
        fn every_group_has_two_of_those_that_are_there(count in 0_u8..12, places in proptest::collection::vec(".{0,3}", 12)) {
            let items: Vec<TimelineItem> = (0..count).map(|at| {
                item(at, places.get(usize::from(at)).map_or("", String::as_str), "", &[])
            }).collect();
            for group in groups(&items) {
                prop_assert!(group.records.len() > 1);
                prop_assert!(group.records.iter().all(|record| record.0[0] < count));
            }
            prop_assert_eq!(groups(&items).is_empty(), count < 2);
        }
    }
}
