//! Check-ins that are watched: when each is to be handed over by.

use baken_schemas::alarm::{DepositTimers, ReceiptState};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::alarm::Form;
use crate::desk::hash_of;

/// The most check-ins of one device that are watched at a time.
const MAX_OF_DEVICE: u32 = 64;
/// How long what is over is kept, so that old timers that are brought again start nothing. Longer than a mailbox.
const KEPT_MS: i64 = 40 * 24 * 60 * 60 * 1000;
/// The most rows looked at in one go.
const MAX_DUE: i64 = 256;

/// A check-in that was not handed over by then.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Overdue {
    pub deposit: AlarmId,
    pub device: DeviceId,
    pub document: Vec<u8>,
    pub raise_at: Timestamp,
}

/// Takes timers that are newer than those held. Whether they count. A check-in that rang here for want of a hand-over is
/// watched again.
pub(in crate::desk) fn take(
    db: &Connection,
    timers: &DepositTimers,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let silent_at = now.plus_ms(i64::from(timers.silent_after_s) * 1000).0;
    let due_at = timers.due_in_s.map(|due_in_s| now.plus_ms(i64::from(due_in_s) * 1000).0);
    let grace_ms = i64::from(timers.grace_s) * 1000;
    let renewed = db.execute(
        "UPDATE watch SET seq = ?2, document = ?3, due_at = coalesce(?4, due_at), silent_at = ?5, grace_ms = ?6,
                          taken_at = ?7, state = 0
         WHERE deposit = ?1 AND device = ?8 AND seq < ?2
           AND (state = 0 OR state = 2 AND (?4 IS NOT NULL OR due_at + ?6 > ?7))",
        params![
            timers.deposit.0,
            timers.seq.cast_signed(),
            document,
            due_at,
            silent_at,
            grace_ms,
            now.0,
            timers.device.0
        ],
    )?;
    if renewed > 0 {
        return Ok(true);
    }
    let sql = "SELECT count(*) FROM watch WHERE device = ?1 AND state = 0";
    let watched: u32 = db.query_row(sql, [timers.device.0], |row| row.get(0))?;
    if watched >= MAX_OF_DEVICE {
        return Ok(false);
    }
    db.execute("DELETE FROM watch WHERE state <> 0 AND taken_at < ?1", [now.plus_ms(-KEPT_MS).0])?;
    // Timers whose first form never came: the silence is what can be watched.
    let added = db.execute(
        "INSERT INTO watch (deposit, device, seq, document, due_at, silent_at, grace_ms, taken_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0) ON CONFLICT (deposit) DO NOTHING",
        params![
            timers.deposit.0,
            timers.device.0,
            timers.seq.cast_signed(),
            document,
            due_at.unwrap_or(silent_at),
            silent_at,
            grace_ms,
            now.0
        ],
    )?;
    Ok(added > 0)
}

/// Newer timers name another desk: it is not watched here until newer ones than these name this one again.
pub(in crate::desk) fn leave(db: &Connection, timers: &DepositTimers) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE watch SET seq = ?3, state = 2 WHERE deposit = ?1 AND device = ?2 AND seq < ?3 AND state = 0",
        params![timers.deposit.0, timers.device.0, timers.seq.cast_signed()],
    )
    .map(drop)
}

/// A check-in needs no watching any more: it was settled, or is handed over. What rang for it before anybody took it is
/// hidden behind what came.
pub(in crate::desk) fn end(db: &Connection, deposit: AlarmId, device: DeviceId) -> rusqlite::Result<()> {
    let rung: Option<Vec<u8>> = db
        .query_row(
            "SELECT document FROM watch WHERE deposit = ?1 AND device = ?2 AND state = 2",
            params![deposit.0, device.0],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(document) = rung {
        db.execute(
            "UPDATE alarm SET superseded = 1 WHERE form = ?1 AND hash = ?2 AND state NOT BETWEEN ?3 AND ?4",
            params![
                Form::NotHandedOver as i64,
                hash_of(&document).0,
                ReceiptState::Seen as i64,
                ReceiptState::Closed as i64
            ],
        )?;
    }
    db.execute("UPDATE watch SET state = 1 WHERE deposit = ?1 AND device = ?2", params![deposit.0, device.0]).map(drop)
}

/// Whose check-in it is, where it was ever watched.
pub(in crate::desk) fn owner(db: &Connection, deposit: AlarmId) -> rusqlite::Result<Option<DeviceId>> {
    let sql = "SELECT device FROM watch WHERE deposit = ?1";
    db.query_row(sql, [deposit.0], |row| row.get(0).map(DeviceId)).optional()
}

/// A settlement that comes before any timers: those that follow start nothing.
pub(in crate::desk) fn settle(
    db: &Connection,
    deposit: AlarmId,
    device: DeviceId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO watch (deposit, device, seq, document, due_at, silent_at, grace_ms, taken_at, state)
         VALUES (?1, ?2, 0, x'', ?3, ?3, 0, ?3, 1) ON CONFLICT (deposit) DO NOTHING",
        params![deposit.0, device.0, now.0],
    )?;
    end(db, deposit, device)
}

/// Marks one as rung here; `false` when it was settled, renewed or handed over meanwhile.
pub(in crate::desk) fn ring(db: &Connection, overdue: &Overdue) -> rusqlite::Result<bool> {
    let sql = "UPDATE watch SET state = 2 WHERE deposit = ?1 AND state = 0 AND document = ?2";
    Ok(db.execute(sql, params![overdue.deposit.0, overdue.document])? > 0)
}

/// A clock that was set back since timers came keeps nobody waiting: their deadlines go back with it.
pub(in crate::desk) fn keep_time(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE watch SET due_at = due_at - (taken_at - ?1), silent_at = silent_at - (taken_at - ?1), taken_at = ?1
         WHERE state = 0 AND taken_at > ?1",
        [now.0],
    )
    .map(drop)
}

/// Whether [`keep_time`] has anything to do.
pub(in crate::desk) fn is_ahead(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM watch WHERE state = 0 AND taken_at > ?1)";
    db.query_row(sql, [now.0], |row| row.get(0))
}

/// Check-ins that the relay was to raise by `now`, the longest overdue first.
pub(in crate::desk) fn due(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Overdue>> {
    let mut sql = db.prepare_cached(
        "SELECT deposit, device, document, raise_at FROM watch WHERE state = 0 AND raise_at <= ?1
         ORDER BY raise_at LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_DUE], |row| {
        Ok(Overdue {
            deposit: AlarmId(row.get(0)?),
            device: DeviceId(row.get(1)?),
            document: row.get(2)?,
            raise_at: Timestamp(row.get(3)?),
        })
    })?
    .collect()
}

/// When the next one is to be handed over.
pub(in crate::desk) fn next(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(raise_at) FROM watch WHERE state = 0";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}
