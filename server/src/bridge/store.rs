//! The bridge's rows.

use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::Schema;

/// The bridge's database.
pub(super) const DATABASE: Schema =
    Schema { file: "bridge.db", migrations: &[crate::audit::TABLE, include_str!("schema.sql")] };

/// The most alarms handed to the sender at once.
const MAX_DUE: i64 = 16;
/// How long a stored alarm is kept to tell repeats by, in milliseconds.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// An alarm on its way.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub number: i64,
    pub alarm: AlarmId,
    pub document: Vec<u8>,
    pub attempts: u32,
}

/// The alarm that a message has made already: one that the relay does not have yet, however old, or one it was given
/// after `since`. Older ones are no repeats, since a dialler's numbers come round.
pub(super) fn repeated(db: &Connection, fingerprint: &[u8; 32], since: Timestamp) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT number FROM outgoing WHERE fingerprint = ?1 AND (stored_at = 0 OR stored_at > ?2)
               ORDER BY number DESC LIMIT 1";
    db.query_row(sql, params![fingerprint, since.0], |row| row.get(0)).optional()
}

/// Keeps a new alarm; its number.
pub(super) fn add(
    db: &Connection,
    fingerprint: &[u8; 32],
    alarm: AlarmId,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<i64> {
    db.execute("DELETE FROM outgoing WHERE stored_at > 0 AND stored_at < ?1", params![now.plus_ms(-KEPT_MS).0])?;
    db.execute(
        "INSERT INTO outgoing (fingerprint, alarm, document, made_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![fingerprint, alarm.0, document, now.0],
    )?;
    Ok(db.last_insert_rowid())
}

/// Whether the relay has it.
pub(super) fn is_stored(db: &Connection, number: i64) -> rusqlite::Result<bool> {
    db.query_row("SELECT stored_at > 0 FROM outgoing WHERE number = ?1", params![number], |row| row.get(0))
}

/// Alarms that are due, the longest due first: those that fail again and again go behind a new one.
pub(super) fn due(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Outgoing>> {
    let mut sql = db.prepare_cached(
        "SELECT number, alarm, document, attempts FROM outgoing
         WHERE stored_at = 0 AND due_at <= ?1 ORDER BY due_at, number LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_DUE], |row| {
        Ok(Outgoing {
            number: row.get("number")?,
            alarm: AlarmId(row.get("alarm")?),
            document: row.get("document")?,
            attempts: row.get("attempts")?,
        })
    })?
    .collect()
}

/// When the next is due.
pub(super) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM outgoing WHERE stored_at = 0";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// The relay has it.
pub(super) fn stored(db: &Connection, number: i64, receipt: &[u8], now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE outgoing SET receipt = ?2, stored_at = ?3 WHERE number = ?1";
    db.execute(sql, params![number, receipt, now.0]).map(drop)
}

/// It is tried again then.
pub(super) fn put_off(db: &Connection, number: i64, due_at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE outgoing SET attempts = attempts + 1, due_at = ?2 WHERE number = ?1";
    db.execute(sql, params![number, due_at.0]).map(drop)
}

/// Whether a desk with this key was told whose the bridge is.
pub(super) fn is_enrolled(db: &Connection, desk: DeviceId, kem: Hash) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM enrolled WHERE desk = ?1 AND kem_hash = ?2)";
    db.query_row(sql, params![desk.0, kem.0], |row| row.get(0))
}

/// It was.
pub(super) fn enrolled(db: &Connection, desk: DeviceId, kem: Hash, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO enrolled (desk, kem_hash, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    db.execute(sql, params![desk.0, kem.0, now.0]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presses_that_fail_for_ever_hold_up_no_new_one() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("schema.sql")).unwrap();
        let press = |number: u8, now| add(&db, &[number; 32], AlarmId([number; 16]), b"sealed", now).unwrap();
        let mut now = Timestamp(1_000);
        for number in 0..40 {
            press(number, now);
        }
        let new = press(40, now.plus_ms(1));
        // Each round takes longer than the wait of what it failed to send, as when nothing answers.
        let rounds = (0..3).map(|_| {
            now = now.plus_ms(10_000);
            let due = due(&db, now).unwrap();
            due.iter().for_each(|failed| put_off(&db, failed.number, now.plus_ms(2_000)).unwrap());
            due
        });
        assert!(rounds.flatten().any(|outgoing| outgoing.number == new));
    }
}
