//! Dropping entries that a checkpoint covers. Up to where, is the least of what the checkpoint's author had acknowledged
//! when its first part came, so that nothing the author may not have read goes; and of what every member in the circle
//! has acknowledged, so that nothing goes that one of them still lacks. A member that has not been seen for long is not
//! waited for: when it comes back, the floor tells it to begin with the checkpoint.
//!
//! All parts of the checkpoint lie behind what it covers, so it stays itself, as does the end of each writer's chain.

use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::Relay;
use crate::store::{Priority, StoreError};

/// How long a member that does not ask for entries is waited for.
const WAITED_FOR_MS: i64 = 180 * 24 * 60 * 60 * 1000;
/// The most circles gone through in one sweep.
const SWEPT_CIRCLES: u32 = 64;
/// The most entries of a circle dropped in one write, and the most bytes of them: alarms wait no longer than for one.
const DROPPED_ROWS: u32 = 256;
const DROPPED_BYTES: u64 = 4 * 1024 * 1024;

/// Where entries may go up to; no row when there is no checkpoint, or nobody that was seen of late.
const TARGET: &str = "SELECT min(k.covers, m.acknowledged) FROM
     (SELECT max(covers) AS covers FROM checkpoint WHERE circle = ?1) k,
     (SELECT min(acknowledged) AS acknowledged FROM member WHERE circle = ?1 AND state = 1 AND seen_at >= ?2) m
     WHERE k.covers IS NOT NULL AND m.acknowledged IS NOT NULL";

impl Relay {
    /// Drops what may go, a bounded number of entries at a time.
    pub(super) async fn compact(&self, now: Timestamp) -> Result<(), StoreError> {
        let since = now.plus_ms(-WAITED_FOR_MS);
        let by = self.keys().device;
        for circle in self.store().read_page(move |db| due(db, since)).await? {
            let op = move |db: &Connection| drop_covered(db, circle, since, (by, now));
            self.store().write(Priority::Normal, op).await?;
        }
        Ok(())
    }
}

fn due(db: &Connection, since: Timestamp) -> Result<Vec<CircleId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT c.circle FROM (SELECT circle, max(covers) AS covers FROM checkpoint GROUP BY circle) k
         JOIN circle c ON c.circle = k.circle
         WHERE k.covers > c.floor AND c.floor < (
             SELECT min(acknowledged) FROM member m WHERE m.circle = c.circle AND m.state = 1 AND m.seen_at >= ?1
         ) LIMIT ?2",
    )?;
    let rows = statement.query_map(params![since.0, SWEPT_CIRCLES], |row| row.get(0).map(CircleId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn drop_covered(
    db: &Connection,
    circle: CircleId,
    since: Timestamp,
    (by, now): (DeviceId, Timestamp),
) -> Result<(), StoreError> {
    // Looked up again: who was let back in meanwhile is waited for.
    let mut statement = db.prepare_cached(TARGET)?;
    let mut rows = statement.query(params![circle.0, since.0])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let target: u64 = row.get(0)?;
    let floor = first_of(db, circle, target)?;
    let raised = db
        .prepare_cached("UPDATE circle SET floor = ?2 WHERE circle = ?1 AND floor < ?2")?
        .execute(params![circle.0, floor])?;
    if raised > 0 {
        db.prepare_cached("DELETE FROM entry WHERE circle = ?1 AND cursor <= ?2")?.execute(params![circle.0, floor])?;
        audit::append_for(db, now, by, "entries_dropped", &circle, &format!("floor_{floor}"))?;
    }
    Ok(())
}

/// How far the first of a circle's entries go, up to `target`: as many as one write drops.
fn first_of(db: &Connection, circle: CircleId, target: u64) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT cursor, length(bytes) FROM entry WHERE circle = ?1 AND cursor <= ?2 ORDER BY cursor LIMIT ?3",
    )?;
    let mut rows = statement.query(params![circle.0, target, DROPPED_ROWS])?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        let (cursor, size): (u64, u64) = (row.get(0)?, row.get(1)?);
        (count, bytes) = (count + 1, bytes + size);
        if count == DROPPED_ROWS || bytes >= DROPPED_BYTES {
            return Ok(cursor);
        }
    }
    Ok(target)
}
