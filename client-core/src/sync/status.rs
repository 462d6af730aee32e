//! The honest state: what is not at the relay yet, when all was last well, what is stuck and why, and what cannot be
//! trusted. Worked out from what lies on disk, so it survives a restart.

use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use rusqlite::Connection;
use serde::Serialize;

use crate::sync::engine::STORED;
use crate::sync::rows::{self, FindingKind, FindingView, QuarantineView, WaitReason};
use crate::vault::setting;
use crate::{Baken, BakenError};

/// When the last complete sync was.
pub(super) const LAST_SUCCESS: &str = "last_success";
/// Why the last sync was not complete; absent after a complete one.
pub(super) const LAST_FAILURE: &str = "last_failure";

/// Why the last sync was not complete.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Failure {
    #[n(0)]
    pub(super) code: String,
    #[n(1)]
    pub(super) since: Timestamp,
}

/// Where this device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// This device.
    pub device: DeviceId,
    /// Its account.
    pub account: AccountId,
    /// Its dossier circle.
    pub circle: CircleId,
    /// How many devices the circle has.
    pub devices: usize,
    /// Edits not sealed yet, and sealed entries that the relay has not acknowledged.
    pub pending: u64,
    /// Fields with more than one value.
    pub conflicts: u64,
    /// The last time everything was sent and everything there was had been taken in.
    pub last_success: Option<Timestamp>,
    /// What holds up what; `None` when nothing does.
    pub stuck_because: Option<StuckReason>,
    /// Entries that wait for another one, for the membership log, or for an update of this program.
    pub waiting: u64,
    /// What could not be verified or opened.
    pub quarantine: Vec<QuarantineView>,
    /// Neither the relay nor a device was caught at a contradiction.
    pub trustworthy: bool,
    /// What they were caught at.
    pub findings: Vec<FindingView>,
}

/// Why not everything is through. The first that applies, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum StuckReason {
    /// This device's folder was copied or restored: what it writes would contradict itself. Pair it anew.
    CopiedFolder,
    /// A newer version of Baken wrote entries that this one cannot read.
    NewerVersion,
    /// An entry that others build on has not come.
    MissingEntry,
    /// Entries that cannot be used lie in quarantine, and later ones of the same device wait for them.
    Quarantine,
    /// The last sync failed.
    Failed {
        /// The error's stable code, `not_reached` without a connection.
        code: String,
        /// Since when, by this device's clock.
        since: Timestamp,
    },
}

pub(super) fn stuck_because(
    connection: &Connection,
    findings: &[FindingView],
) -> Result<Option<StuckReason>, BakenError> {
    if findings.iter().any(|finding| finding.kind == FindingKind::OwnFork) {
        return Ok(Some(StuckReason::CopiedFolder));
    }
    if rows::count_waiting(connection, Some(WaitReason::NewerVersion))? > 0 {
        return Ok(Some(StuckReason::NewerVersion));
    }
    if !rows::missing(connection)?.is_empty() {
        return Ok(Some(StuckReason::MissingEntry));
    }
    if rows::count_waiting(connection, None)? > 0 {
        return Ok(Some(StuckReason::Quarantine));
    }
    let failure: Option<Failure> = setting::read(connection, LAST_FAILURE)?;
    Ok(failure.map(|failure| StuckReason::Failed { code: failure.code, since: failure.since }))
}

impl Baken {
    /// Where this device stands. Asks nobody.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn status(&self) -> Result<StatusView, BakenError> {
        self.with_vault(|open| {
            let connection = &open.vault.connection;
            let findings = rows::findings(connection)?;
            let unsent = match open.circle.own_slot() {
                Some(slot) => {
                    let stored: u64 = setting::read(connection, STORED)?.unwrap_or(0);
                    rows::head(connection, slot)?.map_or(0, |head| head.counter.saturating_sub(stored))
                }
                None => 0,
            };
            let conflicts: i64 = connection
                .prepare_cached("SELECT count(*) FROM register WHERE conflict = 1")?
                .query_row([], |row| row.get(0))?;
            Ok(StatusView {
                device: open.keys.device,
                account: open.account,
                circle: open.circle.membership().circle(),
                devices: open.circle.membership().members().len(),
                pending: rows::count_pending(connection)?.saturating_add(unsent),
                conflicts: u64::try_from(conflicts).unwrap_or(0),
                last_success: setting::read(connection, LAST_SUCCESS)?,
                stuck_because: stuck_because(connection, &findings)?,
                waiting: rows::count_waiting(connection, None)?,
                quarantine: rows::quarantined(connection)?,
                trustworthy: findings.is_empty(),
                findings,
            })
        })
    }
}
