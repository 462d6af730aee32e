//! The reader's side: a guest's device in a case says what it showed, in the case itself, in its own name.
//!
//! It is the device's own statement. Who alters the program can leave it out; nobody can make it for another device, since
//! the entry that brings it is signed. It says that something was on the screen, not that somebody read it.

use baken_schemas::circle::CircleKind;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;

use super::{Consent, is_shareable, kind, opened_by, put};
use crate::baken::UnlockedVault;
use crate::record::{Edits, RecordView, all_views, view_in};
use crate::{Baken, BakenError};

/// Shown again within this time in the same version, nothing new is said.
const QUIET_MS: i64 = 60 * 60 * 1000;
/// How many statements are written in one step.
const MAX_A_STEP: usize = 256;

/// Which version of an item this is: when what stands in it was put last.
pub(super) fn version_of(view: &RecordView) -> Timestamp {
    let values = view.fields.iter().flat_map(|field| &field.values);
    values.map(|value| value.at).max().unwrap_or(Timestamp(0))
}

impl Baken {
    /// Says that these records were just shown, where this device is a guest in a case that may write: otherwise nothing
    /// is said. Gives how many statements were written; they go with the next sync.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::Database`], [`BakenError::DiskFull`].
    pub fn shown(&self, records: &[RecordId]) -> Result<usize, BakenError> {
        let now = self.context.now();
        let mut said = 0_usize;
        for records in records.chunks(MAX_A_STEP) {
            let all = self.with_settled(|open| statements(open, records, now))?;
            if all.is_empty() {
                continue;
            }
            said = said.saturating_add(all.len());
            self.edit_together(all, Consent::NotAsked)?;
        }
        Ok(said)
    }
}

fn statements(open: &UnlockedVault, records: &[RecordId], now: Timestamp) -> Result<Vec<Edits>, BakenError> {
    let (opened, device) = (kind("opened")?, open.keys.device);
    let mut all = Vec::new();
    for circle in open.circles.all() {
        let membership = circle.membership();
        let says = membership.kind() == CircleKind::Case
            && !membership.is_owner(device)
            && membership.may_write(device)
            && circle.current_epoch().is_some();
        if !says {
            continue;
        }
        for view in all_views(&open.vault.connection, circle, None)? {
            // What this device's holder wrote themself they need not be said to have seen.
            let is_own = view.fields.iter().flat_map(|field| &field.values).all(|value| value.by == Some(device));
            if view.deleted || is_own || !records.contains(&view.record) || !(is_shareable(view.kind) || is_file(&view))
            {
                continue;
            }
            let (record, version) = (opened_by(device, view.record), version_of(&view));
            let before = view_in(&open.vault.connection, circle, record, opened.number)?;
            let is_said = before.is_some_and(|before| {
                let said_at = before.moment("at").unwrap_or(Timestamp(0));
                before.moment("version") == Some(version) && (0..QUIET_MS).contains(&now.since_ms(said_at))
            });
            if !is_said {
                let puts = vec![
                    put(opened, "item", Value::Bytes(view.record.0.to_vec()))?,
                    put(opened, "at", Value::Int(now.0))?,
                    put(opened, "version", Value::Int(version.0))?,
                ];
                all.push(Edits { circle: circle.id(), record, kind: opened.number, puts });
            }
        }
    }
    Ok(all)
}

fn is_file(view: &RecordView) -> bool {
    view.kind_name == Some("attachment")
}
