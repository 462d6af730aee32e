//! The bridge's rows.

use baken_schemas::alarm::ContentKey;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::Schema;

/// The bridge's database.
pub(super) const DATABASE: Schema = Schema {
    file: DATABASE_FILE,
    migrations: &[crate::audit::TABLE, include_str!("schema.sql"), include_str!("schema_2_buttons.sql")],
};
/// Its file.
pub const DATABASE_FILE: &str = "bridge.db";

/// The most alarms handed to the sender at once.
const MAX_DUE: i64 = 16;
/// How long a stored alarm is kept to tell repeats by, in milliseconds.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// What is sent to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// An alarm that this bridge made.
    Alarm = 0,
    /// An update of one.
    Update = 1,
    /// A phone's text message.
    Sms = 2,
}

/// Something on its way.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub number: i64,
    pub errand: Errand,
    pub alarm: AlarmId,
    pub document: Vec<u8>,
    pub attempts: u32,
    pub made_at: Timestamp,
}

/// Something new to send.
#[derive(Clone)]
pub(super) struct NewOutgoing {
    pub errand: Errand,
    /// Tells a repeat of what it was made of.
    pub fingerprint: [u8; 32],
    /// The alarm; of a text message, which does not show its own, an id of the text.
    pub alarm: AlarmId,
    pub document: Vec<u8>,
    /// The key of an alarm's content, for its updates.
    pub content_key: Option<ContentKey>,
}

/// What a message has made already: something that the relay does not have yet, however old, or that it was given after
/// `since`. Older ones are no repeats, since a dialler's numbers come round.
pub(super) fn repeated(db: &Connection, fingerprint: &[u8; 32], since: Timestamp) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT number FROM outgoing WHERE fingerprint = ?1 AND (stored_at = 0 OR stored_at > ?2)
               ORDER BY number DESC LIMIT 1";
    db.query_row(sql, params![fingerprint, since.0], |row| row.get(0)).optional()
}

/// Keeps something new; its number.
pub(super) fn add(db: &Connection, new: &NewOutgoing, now: Timestamp) -> rusqlite::Result<i64> {
    db.execute("DELETE FROM outgoing WHERE stored_at > 0 AND stored_at < ?1", params![now.plus_ms(-KEPT_MS).0])?;
    let content_key = new.content_key.as_ref().map(|key| key.as_bytes().to_vec()).unwrap_or_default();
    db.execute(
        "INSERT INTO outgoing (errand, fingerprint, alarm, document, content_key, made_at, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![new.errand as i64, new.fingerprint, new.alarm.0, new.document, content_key, now.0],
    )?;
    Ok(db.last_insert_rowid())
}

/// The key of an alarm's content, and the number of the next update; `None` once the alarm is forgotten.
pub(super) fn next_update(db: &Connection, alarm: AlarmId) -> rusqlite::Result<Option<(ContentKey, u64)>> {
    let sql = "SELECT content_key FROM outgoing WHERE alarm = ?1 AND errand = 0 ORDER BY number LIMIT 1";
    let key: Option<Vec<u8>> = db.query_row(sql, params![alarm.0], |row| row.get(0)).optional()?;
    let Some(key) = key.and_then(|key| ContentKey::from_slice(&key)) else { return Ok(None) };
    let sql = "SELECT count(*) FROM outgoing WHERE alarm = ?1 AND errand = 1";
    let before: i64 = db.query_row(sql, params![alarm.0], |row| row.get(0))?;
    Ok(Some((key, before.unsigned_abs() + 1)))
}

/// How many of an errand wait.
pub(super) fn waiting(db: &Connection, errand: Errand) -> rusqlite::Result<i64> {
    let sql = "SELECT count(*) FROM outgoing WHERE stored_at = 0 AND errand = ?1";
    db.query_row(sql, params![errand as i64], |row| row.get(0))
}

/// Makes room for one more text message by giving up the oldest that the relay refused; whether there was one.
pub(super) fn make_room(db: &Connection) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM outgoing WHERE number =
               (SELECT number FROM outgoing WHERE errand = 2 AND stored_at = 0 AND refused = 1 ORDER BY number LIMIT 1)";
    Ok(db.execute(sql, [])? > 0)
}

/// It is not sent any more.
pub(super) fn give_up(db: &Connection, number: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM outgoing WHERE number = ?1", params![number]).map(drop)
}

/// Whether the relay has it.
pub(super) fn is_stored(db: &Connection, number: i64) -> rusqlite::Result<bool> {
    db.query_row("SELECT stored_at > 0 FROM outgoing WHERE number = ?1", params![number], |row| row.get(0))
}

/// Alarms that are due, the longest due first: those that fail again and again go behind a new one.
pub(super) fn due(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Outgoing>> {
    let mut sql = db.prepare_cached(
        "SELECT number, errand, alarm, document, attempts, made_at FROM outgoing
         WHERE stored_at = 0 AND due_at <= ?1 ORDER BY due_at, number LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_DUE], |row| {
        Ok(Outgoing {
            number: row.get("number")?,
            errand: match row.get::<_, i64>("errand")? {
                1 => Errand::Update,
                2 => Errand::Sms,
                _ => Errand::Alarm,
            },
            alarm: AlarmId(row.get("alarm")?),
            document: row.get("document")?,
            attempts: row.get("attempts")?,
            made_at: Timestamp(row.get("made_at")?),
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
pub(super) fn put_off(db: &Connection, number: i64, due_at: Timestamp, refused: bool) -> rusqlite::Result<()> {
    let sql = "UPDATE outgoing SET attempts = attempts + 1, due_at = ?2, refused = ?3 WHERE number = ?1";
    db.execute(sql, params![number, due_at.0, refused]).map(drop)
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
        DATABASE.migrations.iter().for_each(|script| db.execute_batch(script).unwrap());
        let press = |number: u8, now| {
            let new = NewOutgoing {
                errand: Errand::Alarm,
                fingerprint: [number; 32],
                alarm: AlarmId([number; 16]),
                document: b"sealed".to_vec(),
                content_key: None,
            };
            add(&db, &new, now).unwrap()
        };
        let mut now = Timestamp(1_000);
        for number in 0..40 {
            press(number, now);
        }
        let new = press(40, now.plus_ms(1));
        // Each round takes longer than the wait of what it failed to send, as when nothing answers.
        let rounds = (0..3).map(|_| {
            now = now.plus_ms(10_000);
            let due = due(&db, now).unwrap();
            due.iter().for_each(|failed| put_off(&db, failed.number, now.plus_ms(2_000), false).unwrap());
            due
        });
        assert!(rounds.flatten().any(|outgoing| outgoing.number == new));
    }

    #[test]
    fn texts_that_the_relay_refused_make_room_and_others_do_not() {
        let db = Connection::open_in_memory().unwrap();
        DATABASE.migrations.iter().for_each(|script| db.execute_batch(script).unwrap());
        let text = |number: u8| {
            let new = NewOutgoing {
                errand: Errand::Sms,
                fingerprint: [number; 32],
                alarm: AlarmId([number; 16]),
                document: b"sealed".to_vec(),
                content_key: None,
            };
            add(&db, &new, Timestamp(1_000)).unwrap()
        };
        let (waits, refused) = (text(1), text(2));
        put_off(&db, waits, Timestamp(2_000), false).unwrap();
        assert!(!make_room(&db).unwrap(), "it waits for a relay that is away");
        put_off(&db, refused, Timestamp(2_000), true).unwrap();
        assert!(make_room(&db).unwrap());
        let due = due(&db, Timestamp(3_000)).unwrap();
        assert_eq!(due.iter().map(|outgoing| outgoing.number).collect::<Vec<_>>(), [waits]);
    }
}
