//! The offices that a person holds. The profile names the first; a record of kind `office` is a further one, or says until
//! when the first is held. An office that has ended stays written down: aftercare and old incidents ask for it.

use baken_schemas::edition::{Date, Office};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::{Baken, BakenError};

/// An office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfficeView {
    /// Its record; `None` while the profile alone names it.
    pub record: Option<RecordId>,
    /// Which, where Baken knows it.
    pub office: Option<Office>,
    /// As it was written.
    pub written: String,
    /// Where.
    pub organisation: String,
    /// The first day.
    pub from: Option<Timestamp>,
    /// The last day.
    pub until: Option<Timestamp>,
    /// It is held today.
    pub held: bool,
}

impl OfficeView {
    /// Whether it is the office that this names; one without organisation is that of any.
    pub(super) fn is(&self, written: &str, organisation: &str) -> bool {
        let same_office = match (self.office, Office::written(written)) {
            (Some(one), Some(other)) => one == other,
            _ => self.written.trim().eq_ignore_ascii_case(written.trim()),
        };
        let (one, other) = (self.organisation.trim(), organisation.trim());
        same_office && (one.is_empty() || other.is_empty() || one.eq_ignore_ascii_case(other))
    }
}

impl Baken {
    /// Every office that is written down, that of the profile first.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn offices(&self) -> Result<Vec<OfficeView>, BakenError> {
        let mut offices = Vec::new();
        if let Some(written) = self.of_profile("office")?.filter(|office| !office.trim().is_empty()) {
            let organisation = self.of_profile("organisation")?.unwrap_or_default();
            let office = Office::written(&written);
            offices.push(OfficeView {
                record: None,
                office,
                written,
                organisation,
                from: None,
                until: None,
                held: true,
            });
        }
        for record in self.records(Some("office"))?.iter().filter(|record| !record.deleted) {
            let (written, organisation) = (record.text("office"), record.text("organisation"));
            let (from, until) = (record.moment("from"), record.moment("until"));
            let known = offices.iter_mut().find(|known| known.record.is_none() && known.is(&written, &organisation));
            if let Some(known) = known {
                (known.record, known.from, known.until) = (Some(record.record), from, until);
                continue;
            }
            let office = Office::written(&written);
            offices.push(OfficeView {
                record: Some(record.record),
                office,
                written,
                organisation,
                from,
                until,
                held: true,
            });
        }
        let today = Date::of(self.context.now());
        for office in &mut offices {
            let has_begun = office.from.is_none_or(|from| Date::of(from) <= today);
            office.held = has_begun && office.until.is_none_or(|until| Date::of(until) >= today);
        }
        Ok(offices)
    }

    /// Writes down until when an office is held.
    pub(super) fn end_office(&self, office: Office, on: Date) -> Result<RecordId, BakenError> {
        let until = ("until".to_owned(), Value::Int(on.start().0));
        let offices = self.offices()?;
        let held = offices.iter().filter(|view| view.office == Some(office));
        let view = held.max_by_key(|view| view.held).ok_or(BakenError::OfficeNotHeld)?;
        if let Some(record) = view.record {
            self.put(record, vec![until])?;
            return Ok(record);
        }
        self.create("office", vec![text("office", office.tag()), text("organisation", &view.organisation), until])
    }

    /// Writes down a further office; one that is there already is gone on with.
    pub(super) fn add_office(&self, office: Office, organisation: &str, from: Date) -> Result<RecordId, BakenError> {
        let offices = self.offices()?;
        let from = ("from".to_owned(), Value::Int(from.start().0));
        match offices.iter().find(|view| view.is(office.tag(), organisation)) {
            Some(OfficeView { record: Some(record), .. }) => {
                self.put(*record, vec![from, ("until".to_owned(), Value::Empty)])?;
                Ok(*record)
            }
            Some(_) => Err(BakenError::OfficeHeld),
            None => self.create("office", vec![text("office", office.tag()), text("organisation", organisation), from]),
        }
    }
}

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(text.to_owned()))
}
