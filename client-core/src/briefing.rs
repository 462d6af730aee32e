//! Being informed, again and again: what the police contact or adviser says of threat and measures, and when they say the
//! next thing. That nothing is new is said too. A moment that was promised and passed without a word is shown.
//!
//! A briefing is a record of the case, written by the device of whoever informs; or of the dossier, where the person notes
//! down what they were told.

use baken_schemas::circle::CircleKind;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::agenda::has_passed;
use crate::devices::DeviceNames;
use crate::record::all_views;
use crate::{Baken, BakenError};

/// A promised hour has passed without a word after one more; a promised day when it is over.
const LATE_MS: i64 = 60 * 60 * 1000;

/// A briefing to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBriefing {
    /// What is told; `None` says that nothing is new.
    pub told: Option<String>,
    /// Who says it.
    pub by: String,
    /// When something is said again, news or none.
    pub next: Option<Timestamp>,
}

/// A briefing.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct BriefingView {
    /// Its record.
    pub record: RecordId,
    /// The case; the dossier for one that the person noted down.
    pub circle: CircleId,
    /// The device that wrote it, and what it is called.
    pub device: Option<DeviceId>,
    /// What that device is called.
    pub device_name: Option<String>,
    /// Who says it, as they wrote.
    pub by: String,
    /// When, by that device's clock.
    pub at: Option<Timestamp>,
    /// Nothing is new.
    pub no_news: bool,
    /// What was told.
    pub told: String,
    /// When something is said again.
    pub next: Option<Timestamp>,
    /// It is the newest of its circle.
    pub newest: bool,
    /// Its next moment has passed, and nothing was heard.
    pub missed: bool,
}

impl std::fmt::Debug for BriefingView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BriefingView").field("record", &self.record).finish_non_exhaustive()
    }
}

impl Baken {
    /// Writes a briefing into a circle: a case, or the dossier.
    ///
    /// # Errors
    /// [`BakenError::BriefingEmpty`] when it says nothing, or its next moment has passed; as [`Self::create_in`].
    pub fn brief(&self, circle: CircleId, new: NewBriefing) -> Result<RecordId, BakenError> {
        let now = self.context.now();
        let says_nothing = new.told.as_ref().is_some_and(|told| told.trim().is_empty());
        if says_nothing || new.next.is_some_and(|next| has_passed(next, LATE_MS, now)) {
            return Err(BakenError::BriefingEmpty);
        }
        let mut fields =
            vec![("at".to_owned(), Value::Int(now.0)), ("no_news".to_owned(), Value::Bool(new.told.is_none()))];
        let texts = [("by", Some(new.by).filter(|by| !by.is_empty())), ("told", new.told)];
        fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::Text(text?)))));
        fields.extend(new.next.map(|next| ("next".to_owned(), Value::Int(next.0))));
        self.create_in(circle, "briefing", fields)
    }

    /// Every briefing, the newest first.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn briefings(&self) -> Result<Vec<BriefingView>, BakenError> {
        let (now, copies) = (self.context.now(), self.shared_copies()?);
        let kind = baken_schemas::record::kind_named("briefing").map(|kind| kind.number);
        self.with_settled(|open| {
            let mut all = Vec::new();
            for circle in open.circles.all().filter(|circle| circle.membership().kind() != CircleKind::Family) {
                let names = DeviceNames::read(&open.vault.connection, circle)?;
                let mut views = all_views(&open.vault.connection, circle, kind)?;
                views.retain(|view| !view.deleted && !copies.contains(&view.record));
                views.sort_by_key(|view| (view.moment("at"), view.record));
                for (left, view) in views.iter().rev().enumerate() {
                    let device = view.fields.first().and_then(|field| field.values.last()).and_then(|value| value.by);
                    let (newest, next) = (left == 0, view.moment("next"));
                    all.push(BriefingView {
                        record: view.record,
                        circle: circle.id(),
                        device,
                        device_name: device.and_then(|device| names.of(device)),
                        by: view.text("by"),
                        at: view.moment("at"),
                        no_news: view.is("no_news"),
                        told: view.text("told"),
                        next,
                        newest,
                        missed: newest && next.is_some_and(|next| has_passed(next, LATE_MS, now)),
                    });
                }
            }
            all.sort_by_key(|view| std::cmp::Reverse((view.at, view.record)));
            Ok(all)
        })
    }
}
