//! Incidents and signals: which belong together, in order of time, and handing one over.
//!
//! An incident is a record; writing one is [`Baken::create`] and [`Baken::put`]. Here is what takes several records.
//! [`pack`] writes folders for the police, a register or a council, each with what belongs in it and nothing else.

pub mod pack;
mod timeline;
mod together;
mod words;

pub use timeline::TimelineItem;
pub use together::{Group, SignalView, SignalsView, TOLD, Together, WINDOW_DAYS};
pub use words::label;

use baken_schemas::id::RecordId;
use baken_schemas::record::Value;

use crate::record::RecordView;
use crate::{Baken, BakenError};

/// What can be on a timeline and be linked.
const KINDS: [&str; 2] = ["incident", "signal"];

impl Baken {
    /// An incident or a signal that is not deleted.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`], [`BakenError::NoSuchIncident`] for one of another kind.
    pub fn incident(&self, record: RecordId) -> Result<RecordView, BakenError> {
        let view = self.record(record)?;
        let is_one = view.kind_name.is_some_and(|kind| KINDS.contains(&kind)) && !view.deleted;
        if is_one { Ok(view) } else { Err(BakenError::NoSuchIncident) }
    }

    /// Joins two incidents or signals of one circle, and says the link's record. `why` is a word of
    /// [`baken_schemas::record::words::LINK`]. Joined so already, nothing is written.
    ///
    /// # Errors
    /// As [`Self::incident`] and [`Self::create_in`]; [`BakenError::SameRecord`], [`BakenError::NotShared`] for two of
    /// different circles: a link would tell one of the other.
    pub fn link(&self, from: RecordId, to: RecordId, why: &str) -> Result<RecordId, BakenError> {
        if from == to {
            return Err(BakenError::SameRecord);
        }
        let (a, b) = (self.incident(from)?, self.incident(to)?);
        if a.circle != b.circle {
            return Err(BakenError::NotShared);
        }
        let why = Value::Text(why.to_owned());
        let joins = |link: &RecordView| {
            let ends = (link.names("from"), link.names("to"));
            !link.deleted
                && (ends == (Some(from), Some(to)) || ends == (Some(to), Some(from)))
                && link.says("why", &why)
        };
        if let Some(link) = self.records(Some("link"))?.iter().find(|link| joins(link)) {
            return Ok(link.record);
        }
        let end = |name: &str, record: RecordId| (name.to_owned(), Value::Bytes(record.0.to_vec()));
        self.create_in(a.circle, "link", vec![end("from", from), end("to", to), ("why".to_owned(), why)])
    }
}
