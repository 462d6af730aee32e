//! The honest state: what is not at the relay yet, when all was last well, what is stuck and why, and what cannot be
//! trusted. Worked out from what lies on disk, so it survives a restart.

use baken_schemas::checkpoint::FieldState;
use baken_schemas::circle::MemberState;
use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use rusqlite::Connection;
use serde::Serialize;

use crate::attachment::duties::{self, Known};
use crate::circle::{Circle, CircleRow, Circles, NoticeView};
use crate::record::HeldDeletionsView;
use crate::record::register::{is_in_conflict, kept};
use crate::record::store;
use crate::recovery::RECOVERED_STATE;
use crate::sync::checkpoint;
use crate::sync::engine::STORED;
use crate::sync::rows::{self, FindingKind, FindingView, QuarantineView, WaitReason};
use crate::travel;
use crate::travel::TravelView;
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
    /// Its account; `None` on a guest's device.
    pub account: Option<AccountId>,
    /// Its own circle: the dossier, or the one it joined as a guest.
    pub circle: CircleId,
    /// How many devices are in that circle.
    pub devices: usize,
    /// Edits not sealed yet, and sealed entries that the relay has not acknowledged, of all circles.
    pub pending: u64,
    /// Attachments on this device that the relay does not have whole, of all circles.
    pub attachments_pending: u64,
    /// Fields with more than one value, in all circles.
    pub conflicts: u64,
    /// The last time every edit was sent and everything there was had been taken in.
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
    /// Restored by the recovery code, and no other device has confirmed that what the relay gave is the newest: an
    /// older state is possible since then.
    pub older_state_possible_since: Option<Timestamp>,
    /// What waits for this person's word: devices proposed or removed.
    pub notices: Vec<NoticeView>,
    /// What one device deleted at once: kept until another confirms it, or for a day.
    pub held_deletions: Vec<HeldDeletionsView>,
    /// The dossier is not on this phone; nothing is sent meanwhile but alarms.
    pub travelling: Option<TravelView>,
}

/// Why not everything is through. The first that applies, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum StuckReason {
    /// This device's folder was copied or restored: what it writes would contradict itself. Pair it anew.
    CopiedFolder,
    /// This device is not in its circle any more. What was shared until then stays here.
    NotInCircle,
    /// This device was added and waits until another device of its owner lets it in.
    WaitsForConfirmation,
    /// A newer version of Baken wrote entries that this one cannot read.
    NewerVersion,
    /// An entry that others build on has not come.
    MissingEntry,
    /// A membership record that others have seen has not come.
    MissingLogRecord,
    /// A checkpoint that this device must start from is not complete.
    MissingCheckpoint,
    /// Entries that cannot be used lie in quarantine, and later ones of the same device wait for them.
    Quarantine,
    /// The last sync failed.
    Failed {
        /// The error's stable code, `not_reached` without a connection.
        code: String,
        /// Since when, by this device's clock.
        since: Timestamp,
    },
    /// A circle has no room at the relay for further attachments. Records go on.
    QuotaFull {
        /// The circle.
        circle: CircleId,
        /// Since when, by this device's clock.
        since: Timestamp,
    },
}

fn stuck_because(
    connection: &Connection,
    circle: &Circle,
    device: DeviceId,
    findings: &[FindingView],
) -> Result<Option<StuckReason>, BakenError> {
    let row = circle.row();
    if findings.iter().any(|finding| finding.kind == FindingKind::OwnFork) {
        return Ok(Some(StuckReason::CopiedFolder));
    }
    match circle.membership().state(device) {
        Some(MemberState::Active) => {}
        Some(MemberState::Proposed { .. }) => return Ok(Some(StuckReason::WaitsForConfirmation)),
        _ => return Ok(Some(StuckReason::NotInCircle)),
    }
    let waits = |reason| Ok::<_, BakenError>(rows::count_waiting(connection, row, Some(reason))? > 0);
    if waits(WaitReason::NewerVersion)? {
        return Ok(Some(StuckReason::NewerVersion));
    }
    if checkpoint::is_incomplete(connection, row)? {
        return Ok(Some(StuckReason::MissingCheckpoint));
    }
    if !rows::missing(connection, row)?.is_empty() {
        return Ok(Some(StuckReason::MissingEntry));
    }
    if waits(WaitReason::Membership)? {
        return Ok(Some(StuckReason::MissingLogRecord));
    }
    if waits(WaitReason::Entry)? {
        return Ok(Some(StuckReason::Quarantine));
    }
    Ok(None)
}

impl Baken {
    /// Where this device stands. Asks nobody.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn status(&self) -> Result<StatusView, BakenError> {
        let (notices, blobs) = (self.notices()?, self.blobs());
        let (held_deletions, travelling) = (self.held_deletions()?, self.travelling()?);
        let now = self.context.now();
        self.with_settled(|open| {
            let connection = &open.vault.connection;
            let home = open.circles.home();
            let mut view = StatusView {
                device: open.keys.device,
                account: open.account(),
                circle: home.id(),
                devices: home.membership().readers().len(),
                pending: travel::waiting(connection)?,
                attachments_pending: 0,
                conflicts: 0,
                last_success: setting::read(connection, LAST_SUCCESS)?,
                stuck_because: None,
                waiting: 0,
                quarantine: Vec::new(),
                trustworthy: true,
                findings: Vec::new(),
                older_state_possible_since: setting::read(connection, RECOVERED_STATE)?,
                notices,
                held_deletions,
                travelling,
            };
            for circle in open.circles.all() {
                let row = circle.row();
                let findings = rows::findings(connection, circle)?;
                if view.stuck_because.is_none() {
                    let reason = stuck_because(connection, circle, open.keys.device, &findings)?;
                    // To have left a further circle holds up nothing.
                    let is_left = circle.id() != home.id() && reason == Some(StuckReason::NotInCircle);
                    view.stuck_because = reason.filter(|_| !is_left);
                }
                view.pending = view.pending.saturating_add(pending(connection, circle)?);
                let unsent = duties::waiting(connection, circle, &blobs, now)?;
                view.attachments_pending = view.attachments_pending.saturating_add(unsent);
                view.conflicts = view.conflicts.saturating_add(conflicts(connection, row)?);
                view.waiting = view.waiting.saturating_add(rows::count_waiting(connection, row, None)?);
                view.quarantine.extend(rows::quarantined(connection, circle)?);
                view.findings.extend(findings);
            }
            view.trustworthy = view.findings.is_empty();
            if view.travelling.is_some() {
                view.pending = 0;
                return Ok(view);
            }
            if view.stuck_because.is_none() {
                let failure: Option<Failure> = setting::read(connection, LAST_FAILURE)?;
                view.stuck_because =
                    failure.map(|failure| StuckReason::Failed { code: failure.code, since: failure.since });
            }
            if view.stuck_because.is_none() {
                view.stuck_because = quota_full(connection, &open.circles)?;
            }
            Ok(view)
        })
    }
}

/// The first circle that takes no further attachments.
fn quota_full(connection: &Connection, circles: &Circles) -> Result<Option<StuckReason>, BakenError> {
    for circle in circles.all() {
        if let Some(since) = Known::read(connection, circle.row())?.full_since() {
            return Ok(Some(StuckReason::QuotaFull { circle: circle.id(), since }));
        }
    }
    Ok(None)
}

/// Edits not sealed yet, and sealed entries that the relay has not acknowledged.
fn pending(connection: &Connection, circle: &Circle) -> Result<u64, BakenError> {
    let (edits, _) = store::pending_size(connection, circle.row())?;
    let Some(slot) = circle.own_slot() else { return Ok(0) };
    let stored: u64 = setting::read_of(connection, circle.row(), STORED)?.unwrap_or(0);
    let head = rows::head(connection, circle.row(), slot)?;
    Ok(head.map_or(0, |head| head.counter.saturating_sub(stored)).saturating_add(edits as u64))
}

/// Fields with more than one value.
fn conflicts(connection: &Connection, circle: CircleRow) -> Result<u64, BakenError> {
    let mut statement = connection.prepare_cached("SELECT body FROM record WHERE circle = ?1 AND conflict = 1")?;
    let mut rows = statement.query([circle.0])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        let fields: Vec<FieldState> = kept(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        count = count.saturating_add(fields.iter().filter(|state| is_in_conflict(state)).count() as u64);
    }
    Ok(count)
}
