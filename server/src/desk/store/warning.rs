//! What the desk warns of.

use baken_schemas::time::Timestamp;
use rusqlite::{Connection, Row, params};

/// The most warnings that were over which are kept.
const MAX_OVER: i64 = 500;

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::desk) struct WarningRow {
    pub number: i64,
    pub what: String,
    pub about: String,
    pub since: Timestamp,
    pub told: bool,
    pub over_at: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<WarningRow> {
    let over_at: i64 = row.get(5)?;
    Ok(WarningRow {
        number: row.get(0)?,
        what: row.get(1)?,
        about: row.get(2)?,
        since: Timestamp(row.get(3)?),
        told: row.get::<_, i64>(4)? != 0,
        over_at: (over_at != 0).then_some(Timestamp(over_at)),
    })
}

/// Those that are not over, the oldest first.
pub(in crate::desk) fn open(db: &Connection) -> rusqlite::Result<Vec<WarningRow>> {
    let sql = "SELECT number, what, about, since, told_at, over_at FROM warning WHERE over_at = 0 ORDER BY number";
    db.prepare_cached(sql)?.query_map([], read)?.collect()
}

/// The last that were over, the newest first.
pub(in crate::desk) fn over(db: &Connection, limit: u32) -> rusqlite::Result<Vec<WarningRow>> {
    let sql = "SELECT number, what, about, since, told_at, over_at FROM warning WHERE over_at <> 0
               ORDER BY over_at DESC, number DESC LIMIT ?1";
    db.prepare_cached(sql)?.query_map([limit], read)?.collect()
}

/// Keeps a warning, once.
pub(in crate::desk) fn begin(db: &Connection, what: &str, about: &str, since: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO warning (what, about, since) VALUES (?1, ?2, ?3)
               ON CONFLICT (what, about) WHERE over_at = 0 DO NOTHING";
    db.prepare_cached(sql)?.execute(params![what, about, since.0]).map(drop)
}

/// It is told from now on; `false` when it was, or is over.
pub(in crate::desk) fn tell(db: &Connection, number: i64, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "UPDATE warning SET told_at = ?2 WHERE number = ?1 AND told_at = 0 AND over_at = 0";
    Ok(db.prepare_cached(sql)?.execute(params![number, now.0])? > 0)
}

/// It is over; `false` when it was already.
pub(in crate::desk) fn end(db: &Connection, number: i64, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "UPDATE warning SET over_at = ?2 WHERE number = ?1 AND over_at = 0";
    let ended = db.prepare_cached(sql)?.execute(params![number, now.0])? > 0;
    db.prepare_cached(
        "DELETE FROM warning WHERE number IN
           (SELECT number FROM warning WHERE over_at <> 0 ORDER BY over_at DESC LIMIT -1 OFFSET ?1)",
    )?
    .execute([MAX_OVER])?;
    Ok(ended)
}
