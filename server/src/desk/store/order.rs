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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::store::DATABASE;

    #[test]
    fn orders_of_before_keep_their_kind_and_how_far_they_are() {
        let scripts = DATABASE.migrations.iter().position(|script| script.contains("outgoing_again")).unwrap();
        let db = Connection::open_in_memory().unwrap();
        for script in &DATABASE.migrations[..scripts] {
            db.execute_batch(script).unwrap();
        }
        for (hash, kind, sending) in [(1_u8, 0, 1), (2, 1, 1), (3, 0, 2)] {
            db.execute(
                "INSERT INTO outgoing_order (hash, document, sending, attempts, due_at, kind)
                 VALUES (?1, x'07', ?2, 4, 5, ?3)",
                params![[hash; 32], sending, kind],
            )
            .unwrap();
        }
        for script in &DATABASE.migrations[scripts..] {
            db.execute_batch(script).unwrap();
        }
        let waiting = outgoing(&db, Timestamp(5)).unwrap();
        let found: Vec<_> = waiting.iter().map(|order| (order.hash.0[0], order.kind, order.attempts)).collect();
        assert_eq!(found, [(1, OutgoingKind::Freeze, 4), (2, OutgoingKind::Raise, 4)]);
        let on = OutgoingOrder { hash: Hash([9; 32]), kind: OutgoingKind::HandingOn, document: vec![8], attempts: 0 };
        assert!(add(&db, &on, Timestamp(6)).unwrap() && !add(&db, &on, Timestamp(6)).unwrap());
        assert_eq!(outgoing(&db, Timestamp(6)).unwrap()[2].kind, OutgoingKind::HandingOn);
    }
}
