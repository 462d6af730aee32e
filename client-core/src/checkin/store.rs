//! The rows of check-ins, and what a receipt for a raised one does to them.

use baken_schemas::alarm::{AlarmKind, ContentKey, Fix};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::BakenError;
use crate::alarm::of_form;

/// The most check-ins that are open at a time: as many as a relay takes of one device.
pub(super) const MAX_OPEN: u32 = 32;

/// A check-in as it lies in the outbox.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) deposit: AlarmId,
    pub(super) content: ContentKey,
    pub(super) started_at: Timestamp,
    pub(super) due_at: Timestamp,
    pub(super) grace_s: u32,
    /// `None`: not before it is due.
    pub(super) silent_after_s: Option<u32>,
    pub(super) text: String,
    pub(super) fix: Fix,
    pub(super) battery_percent: Option<u8>,
    pub(super) number: u64,
    pub(super) form: Vec<u8>,
    pub(super) form_at: Timestamp,
    pub(super) fresh: bool,
    pub(super) due_known: bool,
    /// `None` while the relay has never confirmed it.
    pub(super) renewed: Option<(Timestamp, u32)>,
    pub(super) settled: Settled,
    pub(super) raised: bool,
    pub(super) called: Option<AlarmId>,
    pub(super) refused: (u16, String),
    pub(super) told: u8,
    pub(super) rule: i64,
    /// The other device whose it is.
    pub(super) owner: Option<DeviceId>,
    pub(super) settled_by: Option<DeviceId>,
}

/// Whether a person has settled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    No,
    /// On this phone; the relay has not said that it knows.
    Here,
    AtRelay,
}

impl Stored {
    /// It waits for its time.
    pub(super) fn is_open(&self) -> bool {
        self.settled == Settled::No && !self.raised && self.called.is_none() && self.owner.is_none()
    }

    /// When it is raised for not being settled.
    pub(super) fn raise_at(&self) -> Timestamp {
        self.due_at.plus_ms(i64::from(self.grace_s) * 1000)
    }
}

const COLUMNS: &str = "deposit, content_key, started_at, due_at, grace_s, silent_after_s, text, fix, battery_percent,
    number, form, form_at, fresh, due_known, renewed_at, renewed_silent_s, settled, raised, called, refused_status,
    refused_code, told, rule, owner, settled_by";

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Stored>> {
    let content = zeroize::Zeroizing::new(row.get::<_, Vec<u8>>(1)?);
    let fix = cbor::from_slice(&row.get::<_, Vec<u8>>(7)?, "a position").ok();
    let (Some(content), Some(fix)) = (ContentKey::from_slice(&content), fix) else { return Ok(None) };
    let silent_after_s: u32 = row.get(5)?;
    let number: u64 = row.get::<_, i64>(9)?.cast_unsigned();
    let (renewed_at, renewed_silent_s) = (Timestamp(row.get(14)?), row.get(15)?);
    Ok(Some(Stored {
        deposit: AlarmId(row.get(0)?),
        content,
        started_at: Timestamp(row.get(2)?),
        due_at: Timestamp(row.get(3)?),
        grace_s: row.get(4)?,
        silent_after_s: (silent_after_s > 0).then_some(silent_after_s),
        text: row.get(6)?,
        fix,
        battery_percent: row.get(8)?,
        number,
        form: row.get(10)?,
        form_at: Timestamp(row.get(11)?),
        fresh: row.get(12)?,
        due_known: row.get(13)?,
        renewed: (renewed_silent_s > 0).then_some((renewed_at, renewed_silent_s)),
        settled: match row.get::<_, u8>(16)? {
            0 => Settled::No,
            1 => Settled::Here,
            _ => Settled::AtRelay,
        },
        raised: row.get(17)?,
        called: AlarmId::from_slice(&row.get::<_, Vec<u8>>(18)?),
        refused: (row.get(19)?, row.get(20)?),
        told: row.get(21)?,
        rule: row.get(22)?,
        owner: DeviceId::from_slice(&row.get::<_, Vec<u8>>(23)?),
        settled_by: DeviceId::from_slice(&row.get::<_, Vec<u8>>(24)?),
    }))
}

const DAMAGED: BakenError = BakenError::VaultDamaged { part: "the alarm outbox" };

/// One check-in.
pub(super) fn find(db: &Connection, deposit: AlarmId) -> Result<Stored, BakenError> {
    let row = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM check_in WHERE deposit = ?1"))?
        .query_row([deposit.0], read)
        .optional()?;
    row.ok_or(BakenError::NoSuchCheckIn)?.ok_or(DAMAGED)
}

/// Check-ins, the newest first.
pub(super) fn all(db: &Connection, most: u32) -> Result<Vec<Stored>, BakenError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM check_in ORDER BY seq DESC LIMIT ?1"))?;
    let rows = statement.query_map([most], read)?;
    rows.map(|row| row?.ok_or(DAMAGED)).collect()
}

/// Check-ins that wait for their time.
pub(super) fn open(db: &Connection) -> Result<Vec<Stored>, BakenError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM check_in WHERE settled = 0 AND raised = 0 AND called = x'' AND owner = x''
         ORDER BY due_at LIMIT ?1"
    ))?;
    let rows = statement.query_map([MAX_OPEN], read)?;
    rows.map(|row| row?.ok_or(DAMAGED)).collect()
}

/// What of the open check-ins is to be handed in or renewed now.
pub(crate) fn open_ids(db: &Connection, now: Timestamp) -> Result<Vec<AlarmId>, BakenError> {
    Ok(open(db)?.into_iter().filter(|stored| super::is_due(stored, now)).map(|stored| stored.deposit).collect())
}

/// Settlements that the relay has not confirmed.
pub(crate) fn settlements(db: &Connection) -> Result<Vec<AlarmId>, BakenError> {
    let mut statement =
        db.prepare_cached("SELECT deposit FROM check_in WHERE settled = 1 ORDER BY seq DESC LIMIT ?1")?;
    let rows = statement.query_map([MAX_OPEN], |row| row.get(0).map(AlarmId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Check-ins of which the relay has said that it raised them, and no receipt has come yet.
pub(crate) fn raised_without_alarm(db: &Connection) -> Result<Vec<AlarmId>, BakenError> {
    let mut statement = db.prepare_cached(
        "SELECT deposit FROM check_in AS c WHERE raised = 1 AND owner = x''
           AND NOT EXISTS (SELECT 1 FROM alarm AS a WHERE a.alarm = c.deposit) ORDER BY seq DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([MAX_OPEN], |row| row.get(0).map(AlarmId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a receipt that names no alarm here is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A check-in that was raised: from now on it is an alarm.
    Raised,
    /// A check-in of which the relay has confirmed that it is settled: nothing of it is shown.
    Settled,
    /// Something that this phone never sealed.
    Unknown,
}

/// Makes an alarm of a check-in for which a receipt has come, if this phone sealed the form that it names.
pub(crate) fn claim(tx: &Transaction<'_>, deposit: AlarmId, form: Hash, now: Timestamp) -> Result<Claim, BakenError> {
    let stored = match find(tx, deposit) {
        Ok(stored) => stored,
        Err(BakenError::NoSuchCheckIn) => return Ok(Claim::Unknown),
        Err(error) => return Err(error),
    };
    let sealed: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM check_in_form WHERE deposit = ?1 AND hash = ?2)",
        params![deposit.0, form.0],
        |row| row.get(0),
    )?;
    if !sealed {
        return Ok(Claim::Unknown);
    }
    if stored.settled == Settled::AtRelay && !stored.raised {
        return Ok(Claim::Settled);
    }
    tx.execute("UPDATE check_in SET raised = 1 WHERE deposit = ?1", [deposit.0])?;
    tx.execute(
        "INSERT INTO alarm (alarm, document, content_key, kind, pressed_at, hash, family)
         VALUES (?1, x'', ?2, ?3, ?4, ?5, ?6)",
        params![
            deposit.0,
            stored.content.as_bytes(),
            cbor::to_vec(&AlarmKind::Missed),
            now.0,
            form.0,
            of_form(tx, deposit, form)?
        ],
    )?;
    Ok(Claim::Raised)
}
