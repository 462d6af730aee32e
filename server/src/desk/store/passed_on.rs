//! Alarms that were passed on, by this desk or others.

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use super::Sending;
use super::alarm::is_of;

/// The most of one alarm that are read.
const MAX_READ: i64 = 500;

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum PassedOnKind {
    /// To another desk.
    HandedOn = 0,
    /// To the next rung of the ladder.
    NextRung = 1,
}

/// One to keep.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NewPassedOn {
    pub hash: Hash,
    pub alarm_hash: Hash,
    pub kind: PassedOnKind,
    pub own: bool,
    pub for_us: bool,
    pub document: Vec<u8>,
    pub detail: Vec<u8>,
    pub at: Timestamp,
}

/// One as it is kept.
#[derive(Debug, Clone)]
pub(in crate::desk) struct PassedOnRow {
    pub kind: PassedOnKind,
    pub own: bool,
    pub document: Vec<u8>,
    pub detail: Vec<u8>,
    pub at: Timestamp,
    /// `None` for others'.
    pub sending: Option<Sending>,
}

/// Keeps one; a repeat has no effect.
pub(in crate::desk) fn add(db: &Connection, new: &NewPassedOn) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO passed_on (hash, alarm_hash, kind, own, for_us, document, detail, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (hash) DO NOTHING",
        params![new.hash.0, new.alarm_hash.0, new.kind as i64, new.own, new.for_us, new.document, new.detail, new.at.0],
    )
    .map(drop)
}

/// How often this desk passed an alarm on.
pub(in crate::desk) fn count_own(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM passed_on WHERE alarm_hash = ?1 AND own = 1";
    db.query_row(sql, params![alarm_hash.0], |row| row.get(0))
}

/// How an alarm was passed on, in order.
pub(in crate::desk) fn of_alarm(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Vec<PassedOnRow>> {
    let of_it = is_of("p.alarm_hash");
    let mut sql = db.prepare_cached(&format!(
        "SELECT p.kind, p.own, p.document, p.detail, p.at, o.sending FROM passed_on p
         LEFT JOIN outgoing_order o ON o.hash = p.hash WHERE {of_it} ORDER BY p.number LIMIT ?2"
    ))?;
    sql.query_map(params![alarm_hash.0, MAX_READ], |row| {
        Ok(PassedOnRow {
            kind: if row.get::<_, i64>("kind")? == 0 { PassedOnKind::HandedOn } else { PassedOnKind::NextRung },
            own: row.get("own")?,
            document: row.get("document")?,
            detail: row.get("detail")?,
            at: Timestamp(row.get("at")?),
            sending: row.get::<_, Option<i64>>("sending")?.map(|sending| match sending {
                1 => Sending::Due,
                2 => Sending::Sent,
                _ => Sending::Refused,
            }),
        })
    })?
    .collect()
}

/// The document that holds this desk's key to an alarm, if it was handed on to it.
pub(in crate::desk) fn key_of(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Vec<Vec<u8>>> {
    let sql = "SELECT document FROM passed_on WHERE alarm_hash = ?1 AND for_us = 1 ORDER BY number LIMIT 8";
    db.prepare_cached(sql)?.query_map(params![alarm_hash.0], |row| row.get(0))?.collect()
}
