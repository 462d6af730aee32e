//! What the phone does of a change once the person agrees, and the tasks that it leaves. Doing it twice is doing it once:
//! a task that is open is kept, with its new day.

use baken_schemas::Language;
use baken_schemas::edition::Date;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::record::words::HomeMark;
use serde::Serialize;

use super::{Change, Outcome};
use crate::task::TaskView;
use crate::{Baken, BakenError};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarriedOut {
    /// Records that were made or changed for it.
    pub records: Vec<RecordId>,
    /// Tasks that were left, in the order of the preview.
    pub tasks: Vec<TaskView>,
}

impl Baken {
    /// Does what a phone can do about a change, and leaves a task for the rest.
    ///
    /// # Errors
    /// As [`Self::preview_change`] and [`Self::put`]: a field in conflict is settled first.
    pub fn carry_out(&self, change: &Change, language: Language) -> Result<CarriedOut, BakenError> {
        let preview = self.preview_change(change, language)?;
        let records = match change {
            Change::LeaveOffice { office, on } => vec![self.end_office(*office, *on)?],
            Change::SecondOffice { office, organisation, from } => {
                vec![self.add_office(*office, organisation, *from)?]
            }
            Change::Move { address, access, on } if *on <= Date::of(self.context.now()) => {
                self.move_home(address, access.as_deref())?
            }
            Change::Move { .. } | Change::NewOrganisation { .. } => Vec::new(),
        };
        let mut tasks = Vec::new();
        for point in preview.points.iter().filter(|point| point.outcome == Outcome::ToDo) {
            let line = change.lines().iter().find(|line| line.id == point.id);
            let (Some(line), Some(due)) = (line, point.due) else { continue };
            let record = self.leave_task((line.text, point.about, due), language)?;
            tasks.push(TaskView { record, title: point.text.clone(), due: Some(due), done: false });
        }
        Ok(CarriedOut { records, tasks })
    }

    /// A new home takes the place of the old ones, which can be restored for thirty days; the profile says the new address.
    fn move_home(&self, address: &str, access: Option<&str>) -> Result<Vec<RecordId>, BakenError> {
        let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
        let homes = self.records(Some("home"))?;
        let mut changed = Vec::new();
        if let Some(profile) = self.records(Some("profile"))?.iter().find(|profile| !profile.deleted) {
            self.put(profile.record, vec![text("home_address", address)])?;
            changed.push(profile.record);
        }
        let is_new = |home: &&crate::record::RecordView| !home.deleted && home.text("address") == address;
        if let Some(home) = homes.iter().find(is_new) {
            changed.push(home.record);
        } else {
            let mut fields = vec![text("address", address), text("pkvw", HomeMark::Unknown.tag())];
            fields.extend(access.map(|access| text("access", access)));
            changed.push(self.create("home", fields)?);
        }
        for old in homes.iter().filter(|home| !home.deleted && home.text("address") != address) {
            self.delete(old.record)?;
        }
        Ok(changed)
    }
}
