//! What a change will bring, before anything is done.

use baken_schemas::Language;
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::edition::{Audience, Date, FactView, Office};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::record::words::Origin;
use baken_schemas::time::Timestamp;

use super::words::{For, Line};
use super::{Change, ChangePreview, OfficeView, Outcome, Point};
use crate::guidance::{Guidance, ReadAs};
use crate::record::RecordView;
use crate::{Baken, BakenError};

/// Something of the dossier that a line is about, and what it is called; nothing for a line that stands for itself.
type Occurrence = (Option<RecordId>, String);

impl Baken {
    /// What a change will bring. Nothing is done by it.
    ///
    /// # Errors
    /// [`BakenError::OfficeNotHeld`] for leaving an office that is not written down, [`BakenError::OfficeHeld`] for a
    /// second office that is the first, [`BakenError::ValueRefused`] for an empty address; [`BakenError::Locked`].
    pub fn preview_change(&self, change: &Change, language: Language) -> Result<ChangePreview, BakenError> {
        self.check_change(change)?;
        let office = match change {
            Change::LeaveOffice { office, .. } | Change::SecondOffice { office, .. } => Some(*office),
            _ => self.own_office()?,
        };
        let guidance = self.guidance()?;
        let who = ReadAs { language, audience: Audience::OfficeHolder, office };
        let mut points = Vec::new();
        for line in change.lines() {
            for (about, named) in self.occurrences(line.applies, change, office)? {
                points.push(Point {
                    id: line.id,
                    outcome: line.outcome,
                    text: line.text.of(language).to_owned(),
                    about,
                    named,
                    facts: facts(&guidance, who, line),
                    due: (line.outcome == Outcome::ToDo).then(|| self.due(change.day(), line.days)),
                });
            }
        }
        Ok(ChangePreview { on: change.day(), points })
    }

    fn check_change(&self, change: &Change) -> Result<(), BakenError> {
        match change {
            Change::LeaveOffice { office, .. } => {
                let held = self.offices()?.iter().any(|view| view.office == Some(*office));
                if held { Ok(()) } else { Err(BakenError::OfficeNotHeld) }
            }
            Change::SecondOffice { office, organisation, .. } => {
                let is_it = |view: &OfficeView| view.record.is_none() && view.is(office.tag(), organisation);
                if self.offices()?.iter().any(is_it) { Err(BakenError::OfficeHeld) } else { Ok(()) }
            }
            Change::Move { address, .. } if address.trim().is_empty() => Err(BakenError::ValueRefused),
            Change::Move { .. } | Change::NewOrganisation { .. } => Ok(()),
        }
    }

    /// The day of a task: never one that is over when it is left.
    fn due(&self, day: Date, days: i64) -> Timestamp {
        let tomorrow = Date::of(self.context.now()).plus_days(1);
        day.plus_days(days).max(tomorrow).start()
    }

    /// What a line is told of: once, not at all, or of each thing that it is about.
    fn occurrences(
        &self,
        applies: For,
        change: &Change,
        office: Option<Office>,
    ) -> Result<Vec<Occurrence>, BakenError> {
        let once = |applies: bool| if applies { vec![(None, String::new())] } else { Vec::new() };
        let is_over = change.day() <= Date::of(self.context.now());
        Ok(match applies {
            For::Once => once(true),
            For::Executive => once(office.is_some_and(Office::is_executive)),
            For::Family => once(self.circles()?.iter().any(|circle| circle.kind == CircleKind::Family)),
            For::Now => once(is_over),
            For::Later => once(!is_over),
            For::EachMeasure => self.running("measure", |measure| !is_of_system(measure))?,
            For::EachSystemMeasure => self.running("measure", is_of_system)?,
            For::EachSubscription => self.running("subscription", |_| true)?,
            For::EachCase => {
                let mut circles = self.circles()?;
                circles.retain(|circle| circle.kind == CircleKind::Case && circle.role == Some(MemberRole::Owner));
                circles.into_iter().map(|circle| (None, circle.name.unwrap_or_default())).collect()
            }
        })
    }

    /// Measures or subscriptions that have not ended and were not refused.
    fn running(&self, kind: &str, wanted: impl Fn(&RecordView) -> bool) -> Result<Vec<Occurrence>, BakenError> {
        let now = self.context.now();
        let over = |record: &RecordView| {
            let ended = |word: &str| record.says("status", &Value::Text(word.to_owned()));
            ended("ended") || ended("not-wanted") || record.moment("ends").is_some_and(|ends| ends < now)
        };
        let mut records = self.records(Some(kind))?;
        records.retain(|record| !record.deleted && !over(record) && wanted(record));
        Ok(records.iter().map(|record| (Some(record.record), record.text("title"))).collect())
    }
}

fn is_of_system(measure: &RecordView) -> bool {
    measure.says("origin", &Value::Text(Origin::System.tag().to_owned()))
}

/// What a line rests on, as far as it holds today for this office. A fact that is missing leaves the line standing.
fn facts(guidance: &Guidance, who: ReadAs, line: &Line) -> Vec<FactView> {
    let is_theirs = |fact: &FactView| {
        fact.holds && (fact.offices.is_empty() || who.office.is_none_or(|office| fact.offices.contains(&office)))
    };
    line.facts.iter().filter_map(|id| guidance.fact(who, id).ok()).filter(is_theirs).collect()
}
