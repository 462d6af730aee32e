//! Which alarms officers treat as one, and which are folded behind another.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::alarm::state_column;
use crate::desk::incidents::IncidentId;

/// The most alarms of one incident.
pub(in crate::desk) const MAX_ALARMS: usize = 100;
/// The most folded alarms that are read at once.
const MAX_READ: i64 = 200;

/// The incident of an alarm.
pub(in crate::desk) fn of_alarm(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Option<IncidentId>> {
    let sql = "SELECT incident FROM incident_alarm WHERE alarm = ?1";
    db.prepare_cached(sql)?.query_row(params![alarm.0], |row| row.get(0).map(IncidentId)).optional()
}

/// The alarms of an incident, in the order in which they joined.
pub(in crate::desk) fn alarms(db: &Connection, incident: IncidentId) -> rusqlite::Result<Vec<AlarmId>> {
    let sql = "SELECT alarm FROM incident_alarm WHERE incident = ?1 ORDER BY at, rowid LIMIT ?2";
    let mut sql = db.prepare_cached(sql)?;
    sql.query_map(params![incident.0, i64::try_from(MAX_ALARMS).unwrap_or(i64::MAX)], |row| row.get(0).map(AlarmId))?
        .collect()
}

/// Puts an alarm into an incident, out of whichever it was in.
pub(in crate::desk) fn join(
    db: &Connection,
    alarm: AlarmId,
    incident: IncidentId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO incident_alarm (alarm, incident, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (alarm) DO UPDATE SET incident = excluded.incident, at = excluded.at",
        params![alarm.0, incident.0, now.0],
    )
    .map(drop)
}

/// Takes an alarm out of its incident; one that is left alone is in none.
pub(in crate::desk) fn leave(db: &Connection, alarm: AlarmId) -> rusqlite::Result<bool> {
    let Some(incident) = of_alarm(db, alarm)? else { return Ok(false) };
    db.execute("DELETE FROM incident_alarm WHERE alarm = ?1", params![alarm.0])?;
    dissolve(db, incident)?;
    Ok(true)
}

/// Takes the last alarm out of an incident that has only one.
pub(in crate::desk) fn dissolve(db: &Connection, incident: IncidentId) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM incident_alarm WHERE incident = ?1
           AND (SELECT count(*) FROM incident_alarm WHERE incident = ?1) = 1",
        params![incident.0],
    )
    .map(drop)
}

/// Hides an alarm behind another of its device.
pub(in crate::desk) fn fold(db: &Connection, alarm: AlarmId, behind: AlarmId) -> rusqlite::Result<()> {
    db.execute("UPDATE alarm SET folded = ?2 WHERE alarm = ?1", params![alarm.0, behind.0]).map(drop)
}

/// Whether an alarm is open, and shown.
pub(in crate::desk) fn is_open_entry(db: &Connection, alarm: AlarmId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM alarm WHERE alarm = ?1 AND superseded = 0 AND state <> ?2";
    db.prepare_cached(sql)?.exists(params![alarm.0, ReceiptState::Closed as i64])
}

/// How many alarms of a device came in since then.
pub(in crate::desk) fn count_since(db: &Connection, device: DeviceId, since: Timestamp) -> rusqlite::Result<usize> {
    let sql = "SELECT count(*) FROM alarm WHERE device = ?1 AND received_at > ?2 AND superseded = 0";
    let count: i64 = db.prepare_cached(sql)?.query_row(params![device.0, since.0], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The open alarms of a device that are shown by themselves, the newest first.
pub(in crate::desk) fn open_of_device(db: &Connection, device: DeviceId) -> rusqlite::Result<Vec<AlarmId>> {
    let sql = "SELECT alarm FROM alarm WHERE device = ?1 AND superseded = 0 AND folded = x'' AND state <> ?2
               ORDER BY received_at DESC, number DESC LIMIT 64";
    let mut sql = db.prepare_cached(sql)?;
    sql.query_map(params![device.0, ReceiptState::Closed as i64], |row| row.get(0).map(AlarmId))?.collect()
}

/// An alarm that is shown behind another.
#[derive(Debug, Clone, Copy)]
pub(in crate::desk) struct FoldedRow {
    pub number: i64,
    pub alarm: AlarmId,
    pub received_at: Timestamp,
    pub state: ReceiptState,
}

/// The alarms behind this one from a number on, in order of arrival.
pub(in crate::desk) fn folded(db: &Connection, behind: AlarmId, after: i64) -> rusqlite::Result<Vec<FoldedRow>> {
    let sql = "SELECT number, alarm, received_at, state FROM alarm
               WHERE folded = ?1 AND superseded = 0 AND number > ?2 ORDER BY number LIMIT ?3";
    let mut sql = db.prepare_cached(sql)?;
    sql.query_map(params![behind.0, after, MAX_READ], read_folded)?.collect()
}

fn read_folded(row: &Row<'_>) -> rusqlite::Result<FoldedRow> {
    Ok(FoldedRow {
        number: row.get("number")?,
        alarm: AlarmId(row.get("alarm")?),
        received_at: Timestamp(row.get("received_at")?),
        state: state_column(row, "state")?,
    })
}

/// The newest alarms behind this one.
pub(in crate::desk) fn newest_folded(
    db: &Connection,
    behind: AlarmId,
    limit: usize,
) -> rusqlite::Result<Vec<FoldedRow>> {
    let sql = "SELECT number, alarm, received_at, state FROM alarm
               WHERE folded = ?1 AND superseded = 0 ORDER BY number DESC LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare_cached(sql)?.query_map(params![behind.0, limit], read_folded)?.collect()
}

/// How many alarms are behind this one, and how many of them nobody has.
pub(in crate::desk) fn count_folded(db: &Connection, behind: AlarmId) -> rusqlite::Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(state NOT BETWEEN ?2 AND ?3), 0) FROM alarm
               WHERE folded = ?1 AND superseded = 0";
    let (seen, closed) = (ReceiptState::Seen as i64, ReceiptState::Closed as i64);
    db.prepare_cached(sql)?.query_row(params![behind.0, seen, closed], |row| Ok((row.get(0)?, row.get(1)?)))
}
