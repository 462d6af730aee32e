//! What the bridge knows of each button: when it was last heard, tested and pressed, and what is wrong with it. Rows only;
//! what is told to the desk of it is in [`super::trouble`].

use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Buttons;
use crate::dc09::Account;

/// The most buttons whose silence is told in one go; the rest follow in the next.
const MAX_DUE: i64 = 64;

/// What can be wrong with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// It was not heard for longer than agreed.
    Silent = 0,
    /// It says that its battery is low.
    BatteryLow = 1,
    /// Its panel says that it cannot be reached.
    Unreachable = 2,
}

impl TroubleKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Silent, Self::BatteryLow, Self::Unreachable];

    /// A stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::BatteryLow => "battery_low",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Something wrong with a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Since when.
    pub since: Timestamp,
    /// The alarm by which the desk was told.
    pub alarm: AlarmId,
}

/// A button's row. Times are `None` for never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ButtonState {
    /// When it was last heard, of whatever.
    pub heard_at: Option<Timestamp>,
    /// When it last sent a test.
    pub tested_at: Option<Timestamp>,
    /// When it was last pressed.
    pub pressed_at: Option<Timestamp>,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// Makes the rows fit `bridge.toml`: new buttons come, others go, and each is given its whole interval from now, since
/// nobody listened while the bridge was down.
pub(super) fn fit(db: &Connection, buttons: &Buttons, now: Timestamp) -> rusqlite::Result<()> {
    let known: Vec<String> =
        db.prepare_cached("SELECT account FROM button")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for account in known.iter().filter(|known| !buttons.keys().any(|account| account.as_str() == known.as_str())) {
        db.execute("DELETE FROM trouble WHERE account = ?1", params![account])?;
        db.execute("DELETE FROM button WHERE account = ?1", params![account])?;
    }
    for (account, button) in buttons {
        db.prepare_cached(
            "INSERT INTO button (account, supervise_ms, due_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (account) DO UPDATE SET supervise_ms = excluded.supervise_ms, due_at = excluded.due_at",
        )?
        .execute(params![account.as_str(), button.supervise_ms, now.plus_ms(button.supervise_ms).0])?;
    }
    Ok(())
}

/// It was heard.
pub(super) fn heard(db: &Connection, account: &Account, at: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE button SET heard_at = ?2, due_at = ?2 + supervise_ms WHERE account = ?1")?
        .execute(params![account.as_str(), at.0])
        .map(drop)
}

/// It sent a test.
pub(super) fn tested(db: &Connection, account: &Account, at: Timestamp) -> rusqlite::Result<()> {
    db.execute("UPDATE button SET tested_at = ?2 WHERE account = ?1", params![account.as_str(), at.0]).map(drop)
}

/// It raised this alarm.
pub(super) fn pressed(db: &Connection, account: &Account, alarm: AlarmId, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE button SET pressed_at = ?2, alarm = ?3 WHERE account = ?1";
    db.execute(sql, params![account.as_str(), at.0, alarm.0]).map(drop)
}

/// The last alarm that it raised.
pub(super) fn last_alarm(db: &Connection, account: &Account) -> rusqlite::Result<Option<AlarmId>> {
    let alarm: Option<Vec<u8>> = db
        .query_row("SELECT alarm FROM button WHERE account = ?1", params![account.as_str()], |row| row.get(0))
        .optional()?;
    Ok(alarm.and_then(|alarm| AlarmId::from_slice(&alarm)))
}

/// Buttons that have been silent for too long and of which nobody was told, each with when it was last heard. One whose
/// deadline is further away than its whole interval is due too: the clock was set back.
pub(super) fn silent(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<(String, Option<Timestamp>)>> {
    let mut sql = db.prepare_cached(
        "SELECT account, heard_at FROM button
         WHERE supervise_ms > 0 AND (due_at <= ?1 OR due_at - supervise_ms > ?1)
           AND NOT EXISTS (SELECT 1 FROM trouble WHERE trouble.account = button.account AND kind = 0)
         ORDER BY due_at LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_DUE], |row| Ok((row.get(0)?, time_of(row.get(1)?))))?.collect()
}

/// What is wrong with a button of one kind.
pub(super) fn trouble(db: &Connection, account: &Account, kind: TroubleKind) -> rusqlite::Result<Option<Trouble>> {
    db.prepare_cached("SELECT since, alarm FROM trouble WHERE account = ?1 AND kind = ?2")?
        .query_row(params![account.as_str(), kind as i64], |row| {
            Ok(Trouble { kind, since: Timestamp(row.get(0)?), alarm: AlarmId(row.get(1)?) })
        })
        .optional()
}

/// Keeps that something is wrong.
pub(super) fn begin(db: &Connection, account: &Account, trouble: &Trouble) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO trouble (account, kind, since, alarm) VALUES (?1, ?2, ?3, ?4)",
        params![account.as_str(), trouble.kind as i64, trouble.since.0, trouble.alarm.0],
    )
    .map(drop)
}

/// It is over.
pub(super) fn end(db: &Connection, account: &Account, kind: TroubleKind) -> rusqlite::Result<()> {
    db.execute("DELETE FROM trouble WHERE account = ?1 AND kind = ?2", params![account.as_str(), kind as i64]).map(drop)
}

/// Counts what was not taken.
pub(super) fn count_refused(db: &Connection, code: &str, count: u64, at: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO refused (code, count, last_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (code) DO UPDATE SET count = count + excluded.count, last_at = excluded.last_at",
    )?
    .execute(params![code, count.cast_signed(), at.0])
    .map(drop)
}

/// How often each thing was not taken, and when last.
///
/// # Errors
/// Those of the database.
pub fn refused(db: &Connection) -> rusqlite::Result<Vec<(String, u64, Timestamp)>> {
    let mut sql = db.prepare("SELECT code, count, last_at FROM refused ORDER BY code LIMIT 64")?;
    sql.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), Timestamp(row.get(2)?))))?.collect()
}

/// What is known of a button; nothing where it has no row yet.
///
/// # Errors
/// Those of the database.
pub fn state(db: &Connection, account: &Account) -> rusqlite::Result<ButtonState> {
    let found = db
        .query_row(
            "SELECT heard_at, tested_at, pressed_at FROM button WHERE account = ?1",
            params![account.as_str()],
            |row| {
                Ok(ButtonState {
                    heard_at: time_of(row.get(0)?),
                    tested_at: time_of(row.get(1)?),
                    pressed_at: time_of(row.get(2)?),
                    troubles: Vec::new(),
                })
            },
        )
        .optional()?;
    let mut found = found.unwrap_or_default();
    for kind in TroubleKind::ALL {
        found.troubles.extend(trouble(db, account, kind)?);
    }
    Ok(found)
}

fn time_of(at: i64) -> Option<Timestamp> {
    (at > 0).then_some(Timestamp(at))
}
