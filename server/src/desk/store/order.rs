//! Orders that go to the relay.

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use super::Sending;
use crate::desk::orders::{OutgoingKind, OutgoingOrder};

/// The most orders handed to the sender at once.
const MAX_OUTGOING: i64 = 64;

/// Keeps an order; `false` when it is there already.
pub(in crate::desk) fn add(db: &Connection, new: &OutgoingOrder, now: Timestamp) -> rusqlite::Result<bool> {
    let added = db.execute(
        "INSERT INTO outgoing_order (hash, document, sending, due_at, kind) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hash) DO NOTHING",
        params![new.hash.0, new.document, Sending::Due as i64, now.0, new.kind as i64],
    )?;
    Ok(added == 1)
}

/// Orders that are due, in the order they came.
pub(in crate::desk) fn outgoing(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<OutgoingOrder>> {
    let mut sql = db.prepare_cached(
        "SELECT hash, document, attempts, kind FROM outgoing_order WHERE sending = 1 AND due_at <= ?1 ORDER BY number LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_OUTGOING], |row| {
        let kind = OutgoingKind::of(row.get(3)?).ok_or(rusqlite::types::FromSqlError::InvalidType)?;
        Ok(OutgoingOrder { hash: Hash(row.get(0)?), kind, document: row.get(1)?, attempts: row.get(2)? })
    })?
    .collect()
}

/// When the next order is due.
pub(in crate::desk) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM outgoing_order WHERE sending = 1";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// The relay has it, or will not have it.
pub(in crate::desk) fn settle(db: &Connection, hash: Hash, sending: Sending) -> rusqlite::Result<()> {
    db.execute("UPDATE outgoing_order SET sending = ?2 WHERE hash = ?1", params![hash.0, sending as i64]).map(drop)
}

/// It is tried again then.
pub(in crate::desk) fn put_off(db: &Connection, hash: Hash, due_at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE outgoing_order SET attempts = attempts + 1, due_at = ?2 WHERE hash = ?1";
    db.execute(sql, params![hash.0, due_at.0]).map(drop)
}
