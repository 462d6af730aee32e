//! Browsers that are woken, a row each.

use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::desk::officers::OfficerId;

/// The most browsers of one officer, those that ended included.
pub(in crate::desk) const MAX_OF_OFFICER: u32 = 8;
/// The most browsers of a desk.
const MAX_SUBSCRIPTIONS: u32 = 500;

/// A browser's row.
#[derive(Debug, Clone)]
pub(in crate::desk) struct SubscriptionRow {
    pub id: [u8; 16],
    pub officer: OfficerId,
    pub sealed: Vec<u8>,
    pub added_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, officer, sealed, added_at, ended_at";

fn read(row: &Row<'_>) -> rusqlite::Result<SubscriptionRow> {
    let ended_at: i64 = row.get("ended_at")?;
    Ok(SubscriptionRow {
        id: row.get("id")?,
        officer: OfficerId(row.get("officer")?),
        sealed: row.get("sealed")?,
        added_at: Timestamp(row.get("added_at")?),
        ended_at: (ended_at > 0).then_some(Timestamp(ended_at)),
    })
}

/// Adds a browser; one that is known stays what it is, and is the officer's who sits at it now. `false` when there are too
/// many.
pub(in crate::desk) fn add(db: &Connection, new: &SubscriptionRow, mark: &[u8]) -> rusqlite::Result<bool> {
    // What has ended makes room for what takes its place.
    let ended = "DELETE FROM push_subscription WHERE officer = ?1 AND ended_at > 0 AND mark <> ?2";
    db.execute(ended, params![new.officer.0, mark])?;
    let sql = "SELECT coalesce(sum(officer = ?1), 0), count(*) FROM push_subscription WHERE mark <> ?2";
    let (own, all): (u32, u32) =
        db.query_row(sql, params![new.officer.0, mark], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if own >= MAX_OF_OFFICER || all >= MAX_SUBSCRIPTIONS {
        return Ok(false);
    }
    db.execute(
        "INSERT INTO push_subscription (id, officer, mark, sealed, added_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (mark) DO UPDATE SET officer = excluded.officer, sealed = excluded.sealed,
                                          added_at = excluded.added_at, ended_at = 0",
        params![new.id, new.officer.0, mark, new.sealed, new.added_at.0],
    )?;
    Ok(true)
}

/// The id of the browser at an address.
pub(in crate::desk) fn id_of(db: &Connection, mark: &[u8]) -> rusqlite::Result<[u8; 16]> {
    db.query_row("SELECT id FROM push_subscription WHERE mark = ?1", [mark], |row| row.get(0))
}

/// Every browser, the first that was added first.
pub(in crate::desk) fn all(db: &Connection) -> rusqlite::Result<Vec<SubscriptionRow>> {
    let mut sql = db.prepare_cached(&format!("SELECT {COLUMNS} FROM push_subscription ORDER BY added_at, id"))?;
    sql.query_map([], read)?.collect()
}

/// One browser.
pub(in crate::desk) fn find(db: &Connection, id: [u8; 16]) -> rusqlite::Result<Option<SubscriptionRow>> {
    let sql = format!("SELECT {COLUMNS} FROM push_subscription WHERE id = ?1");
    db.query_row(&sql, [id], read).optional()
}

/// The push service says that it takes none any more. `false` when that was known, or there is no such row.
pub(in crate::desk) fn end(db: &Connection, id: [u8; 16], now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "UPDATE push_subscription SET ended_at = ?2 WHERE id = ?1 AND ended_at = 0";
    Ok(db.execute(sql, params![id, now.0])? == 1)
}

/// Takes a browser out; `false` when it is not one of this officer's.
pub(in crate::desk) fn remove(db: &Connection, id: [u8; 16], officer: OfficerId) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM push_subscription WHERE id = ?1 AND officer = ?2";
    Ok(db.execute(sql, params![id, officer.0])? == 1)
}
