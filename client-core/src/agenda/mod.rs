//! What is due: ends of measures and subscriptions, appointments, information moments, follow-ups.
//!
//! An agenda ends up on lock screens and in calendars that others see. So an item says that something is due and no more:
//! the titles are ours and the same for everybody, and nothing a person wrote is in them.

mod ics;

pub use ics::ics;

use baken_schemas::Language;
use baken_schemas::edition::Date;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::record::RecordView;
use crate::{Baken, BakenError};

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Due {
    /// A measure was to be there.
    Measure,
    /// A measure ends.
    MeasureEnds,
    /// A subscription ends.
    SubscriptionEnds,
    /// An appointment.
    Appointment,
    /// Somebody would say how it stands.
    Briefing,
    /// A moment of aftercare.
    FollowUp,
    /// An incident is to be looked at again.
    Incident,
    /// A training is to be done again.
    Training,
    /// A mental check-up.
    CheckUp,
    /// A moment of the family's plan.
    Plan,
}

impl Due {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Measure,
        Self::MeasureEnds,
        Self::SubscriptionEnds,
        Self::Appointment,
        Self::Briefing,
        Self::FollowUp,
        Self::Incident,
        Self::Training,
        Self::CheckUp,
        Self::Plan,
    ];

    /// What a lock screen may show.
    pub fn title(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Measure => ("Afspraak nakijken", "Check an arrangement"),
            Self::MeasureEnds => ("Einddatum nakijken", "Check an end date"),
            Self::SubscriptionEnds => ("Abonnement nakijken", "Check a subscription"),
            Self::Appointment => ("Afspraak", "Appointment"),
            Self::Briefing => ("Belafspraak", "Phone appointment"),
            Self::FollowUp => ("Gesprek", "Talk"),
            Self::Incident => ("Terugkomen op een punt", "Return to an item"),
            Self::Training => ("Cursus herhalen", "Repeat a course"),
            Self::CheckUp => ("Moment voor uzelf", "Time for yourself"),
            Self::Plan => ("Iets samen bespreken", "Something to discuss together"),
        };
        language.pick(nl, en)
    }
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgendaItem {
    /// When. The moment at which a day begins stands for that whole day.
    pub at: Timestamp,
    /// What.
    pub due: Due,
    /// Whose: look it up there.
    pub record: RecordId,
    /// The circle of the record.
    pub circle: CircleId,
    /// It is over.
    pub overdue: bool,
}

/// Where moments stand: kind, field, what is due then, and the states after which it is not.
const SOURCES: &[(&str, &str, Due, &[&str])] = &[
    ("measure", "due", Due::Measure, &["done", "ended", "not-wanted"]),
    ("measure", "ends", Due::MeasureEnds, &["ended", "not-wanted"]),
    ("subscription", "ends", Due::SubscriptionEnds, &[]),
    ("appointment", "when", Due::Appointment, &[]),
    ("briefing", "next", Due::Briefing, &[]),
    ("follow-up", "when", Due::FollowUp, &[]),
    ("incident", "follow_up", Due::Incident, &[]),
    ("training", "repeat_at", Due::Training, &[]),
    ("check-up", "next", Due::CheckUp, &[]),
    ("plan", "when", Due::Plan, &[]),
];

impl Baken {
    /// What is due until a moment, in all circles, the first first; what is over too, until it is done or moved. Where a
    /// moment is in conflict, each of its values.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn agenda(&self, until: Timestamp) -> Result<Vec<AgendaItem>, BakenError> {
        let (now, copies) = (self.context.now(), self.shared_copies()?);
        let mut items = Vec::new();
        for (kind, field, due, over) in SOURCES {
            let mut records = self.records(Some(kind))?;
            // What is shared in a case is a copy of what is here.
            records.retain(|record| !record.deleted && !record.is("done") && !is_over(record, over));
            records.retain(|record| !copies.contains(&record.record));
            match due {
                // The newest says when the next is: what earlier ones said is overtaken.
                Due::Briefing => keep_newest(&mut records, "at"),
                Due::CheckUp => keep_newest(&mut records, "next"),
                _ => {}
            }
            for record in &records {
                let moments = record.moments(field).filter(|at| *at <= until);
                items.extend(moments.map(|at| AgendaItem {
                    at,
                    due: *due,
                    record: record.record,
                    circle: record.circle,
                    overdue: has_passed(at, 0, now),
                }));
            }
        }
        items.sort_by_key(|item| (item.at, item.due, item.record));
        Ok(items)
    }
}

/// Whether a moment that was named is over: so long after it, or for a day once that day is.
pub(crate) fn has_passed(at: Timestamp, grace_ms: i64, now: Timestamp) -> bool {
    match Date::whole(at) {
        Some(day) => now >= day.plus_days(1).start(),
        None => now >= at.plus_ms(grace_ms),
    }
}

fn is_over(record: &RecordView, over: &[&str]) -> bool {
    over.iter().any(|word| record.says("status", &Value::Text((*word).to_owned())))
}

/// Leaves the newest of each circle.
fn keep_newest(records: &mut Vec<RecordView>, field: &str) {
    records.sort_by_key(|record| (record.circle, record.moment(field), record.record));
    records.reverse();
    records.dedup_by_key(|record| record.circle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_passed_once_it_is_over_and_a_moment_after_its_grace() {
        let day = Date::of(Timestamp(1_795_465_407_000));
        for grace_ms in [0, 3_600_000] {
            let passed = |now| has_passed(day.start(), grace_ms, now);
            assert_eq!([day.start(), day.plus_days(1).start().plus_ms(-1)].map(passed), [false, false]);
            assert!(passed(day.plus_days(1).start()));
            let at = day.start().plus_ms(60_000);
            let passed = |ms| has_passed(at, grace_ms, at.plus_ms(ms));
            assert_eq!([-1, grace_ms - 1, grace_ms].map(passed), [false, false, true]);
        }
    }
}
