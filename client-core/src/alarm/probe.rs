//! Probes: alarms of the kind `probe`, which go the whole way that an alarm goes and which no officer sees. A desk's own
//! signed receipt for one proves that phone, relay and desk reached each other; a relay cannot make it.
//!
//! Whom of the family alarms are sealed to no probe reaches: it would name them at the relay, and tell a probe from what is
//! hidden from home. Of them is shown when their device last answered an alarm or a test, by its own signature.
//!
//! A running program sends one every few minutes. Only the newest is kept, and the newest that was answered; of the
//! others stays their id, so that an answer that comes late is known for what it is.

use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Receipt, ReceiptState};
use baken_schemas::cbor;
use baken_schemas::id::AlarmId;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;

use crate::alarm::AlarmOutbox;
use crate::alarm::Call;
use crate::alarm::Called;
use crate::alarm::family::called;
use crate::alarm::receipts::receipts;
use crate::device::GUEST;
use crate::{Baken, BakenError, Context};

/// How often a running program sends one, in milliseconds.
pub const PROBE_EVERY_MS: i64 = 5 * 60 * 1000;
/// How many ids of earlier ones are kept: about a month of them.
const MAX_PAST: i64 = 10_000;
/// The most receipts of family that are looked through for when each answered last.
const MAX_OF_FAMILY: u32 = 1_000;

/// When the way to a desk was last proven, and since when it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathView {
    /// The newest proof.
    pub proven: Option<PathProof>,
    /// A later probe was sent then and is not answered yet, by this phone's clock.
    pub unanswered_since: Option<Timestamp>,
    /// The family's devices that alarms are sealed to, the first chosen first.
    pub family: Vec<HomePath>,
}

/// When a family member's device last answered an alarm or a test by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HomePath {
    /// What its holder is called.
    pub name: String,
    /// When its answer was here, by this phone's clock; `None` when it never answered one that is still kept here.
    pub answered_at: Option<Timestamp>,
}

/// A probe that a desk has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathProof {
    /// The desk.
    pub desk: String,
    /// When it was sent, by this phone's clock.
    pub sent_at: Timestamp,
    /// When the relay had it on disk, by the relay's clock.
    pub stored_at: Option<Timestamp>,
    /// When the desk had it on disk, by the desk's clock.
    pub received_at: Timestamp,
    /// When the answer was here, by this phone's clock.
    pub answered_at: Timestamp,
}

impl Baken {
    /// Sends a probe with the next round; see [`PathView`].
    ///
    /// # Errors
    /// See [`AlarmOutbox::probe`].
    pub fn probe(&self) -> Result<AlarmId, BakenError> {
        self.alarm_outbox()?.probe(&self.context)
    }

    /// When the way to a desk was last proven.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], and those of the disk.
    pub fn path(&self) -> Result<PathView, BakenError> {
        self.alarm_outbox()?.path()
    }
}

impl AlarmOutbox {
    /// Seals a probe and has it on disk when it returns.
    ///
    /// # Errors
    /// [`BakenError::NotOwner`] on a guest's device, and as [`AlarmOutbox::press`].
    pub fn probe(&self, context: &Context) -> Result<AlarmId, BakenError> {
        // No desk knows a guest's device: what it sends would ring there as an alarm of nobody's.
        if self.account()? == GUEST {
            return Err(BakenError::NotOwner);
        }
        let call = Call {
            kind: AlarmKind::Probe,
            fix: Fix::Absent(FixAbsent::NoReceiver),
            battery_percent: None,
            text: String::new(),
            countdown_s: 0,
        };
        let probe = self.press(&call, context)?;
        self.write(|tx| forget_probes(tx, Some(probe)))?;
        Ok(probe)
    }

    /// Sends a probe when the last was a while ago.
    pub(super) fn probe_when_due(&self, context: &Context) -> Result<(), BakenError> {
        if self.account()? == GUEST {
            return Ok(());
        }
        let last: Option<i64> = self.read(|db| {
            let sql = "SELECT max(pressed_at) FROM alarm WHERE kind = ?1";
            Ok(db.query_row(sql, [kind()], |row| row.get(0))?)
        })?;
        let since_ms = last.map(|last| context.now().since_ms(Timestamp(last)));
        // A clock that went back tells nothing about how long it has been.
        if since_ms.is_none_or(|since_ms| !(0..PROBE_EVERY_MS).contains(&since_ms)) {
            self.probe(context)?;
        }
        Ok(())
    }

    /// When the way to a desk was last proven.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn path(&self) -> Result<PathView, BakenError> {
        self.read(|db| {
            let mut view = PathView { proven: None, unanswered_since: None, family: home_paths(db)? };
            let mut statement = db.prepare("SELECT alarm, pressed_at FROM alarm WHERE kind = ?1 ORDER BY seq DESC")?;
            let rows = statement.query_map([kind()], |row| Ok((AlarmId(row.get(0)?), Timestamp(row.get(1)?))))?;
            for row in rows {
                let (probe, sent_at) = row?;
                view.proven = proof(db, probe, sent_at)?;
                if view.proven.is_some() {
                    break;
                }
                // The oldest that is not answered: since then nothing is proven.
                view.unanswered_since = Some(sent_at);
            }
            Ok(view)
        })
    }
}

/// By receipts that counted when they came: each is signed by that very device.
fn home_paths(db: &Connection) -> Result<Vec<HomePath>, BakenError> {
    let mut statement =
        db.prepare("SELECT document, arrived_at FROM receipt WHERE by_family = 1 ORDER BY seq DESC LIMIT ?1")?;
    let rows = statement.query_map([MAX_OF_FAMILY], |row| Ok((row.get::<_, Vec<u8>>(0)?, Timestamp(row.get(1)?))))?;
    let mut answered = Vec::new();
    for row in rows {
        let (document, arrived_at) = row?;
        answered.push((Unverified::<Receipt>::parse(&document)?.claims().by, arrived_at));
    }
    let path = |called: Called| {
        let own = answered.iter().filter(|(by, _)| *by == called.keys.device);
        HomePath { answered_at: own.map(|(_, at)| *at).max(), name: called.name }
    };
    Ok(called(db)?.into_iter().map(path).collect())
}

fn proof(db: &Connection, probe: AlarmId, sent_at: Timestamp) -> Result<Option<PathProof>, BakenError> {
    let kept = receipts(db, probe)?;
    let at = |state| kept.iter().find(move |kept| kept.receipt.state == state);
    let Some(received) = at(ReceiptState::Received) else { return Ok(None) };
    let answered_at = db
        .query_row("SELECT arrived_at FROM receipt WHERE hash = ?1", [received.hash.0], |row| row.get(0))
        .map(Timestamp)?;
    Ok(Some(PathProof {
        desk: received.desk.clone(),
        sent_at,
        stored_at: at(ReceiptState::Stored).map(|stored| stored.receipt.at),
        received_at: received.receipt.at,
        answered_at,
    }))
}

/// The kind as it lies in the row.
pub(super) fn kind() -> Vec<u8> {
    cbor::to_vec(&AlarmKind::Probe)
}

/// Whether an alarm was a probe of this phone that is forgotten.
pub(super) fn is_past(db: &Connection, alarm: AlarmId) -> Result<bool, BakenError> {
    let found = db.query_row("SELECT 1 FROM past_probe WHERE alarm = ?1", [alarm.0], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Forgets all probes but `newest` and the last that was answered, and, of those not answered since, the oldest.
pub(super) fn forget_probes(tx: &Transaction<'_>, newest: Option<AlarmId>) -> Result<(), BakenError> {
    let mut kept: Vec<AlarmId> = newest.into_iter().collect();
    if newest.is_some() {
        let mut waits = None;
        let mut statement = tx.prepare("SELECT alarm FROM alarm WHERE kind = ?1 ORDER BY seq DESC")?;
        for probe in statement.query_map([kind()], |row| row.get(0).map(AlarmId))? {
            let probe = probe?;
            if proof(tx, probe, Timestamp(0))?.is_some() {
                kept.push(probe);
                break;
            }
            waits = Some(probe);
        }
        kept.extend(waits);
    }
    let mut statement = tx.prepare("SELECT alarm FROM alarm WHERE kind = ?1")?;
    let all = statement.query_map([kind()], |row| row.get(0).map(AlarmId))?.collect::<Result<Vec<_>, _>>()?;
    for probe in all.into_iter().filter(|probe| !kept.contains(probe)) {
        tx.execute("INSERT OR IGNORE INTO past_probe (alarm) VALUES (?1)", [probe.0])?;
        tx.execute("DELETE FROM receipt WHERE alarm = ?1", [probe.0])?;
        tx.execute("DELETE FROM alarm WHERE alarm = ?1", [probe.0])?;
    }
    tx.execute("DELETE FROM past_probe WHERE seq <= (SELECT max(seq) FROM past_probe) - ?1", params![MAX_PAST])?;
    Ok(())
}
