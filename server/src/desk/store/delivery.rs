//! Messages to outside channels: rows with a lease and a fence, so that a crash at any point neither loses nor doubles
//! one under another id.

use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::alarm::{is_of, state_column};
use baken_schemas::alarm::ReceiptState;

/// How long a worker has for one try, in milliseconds: longer than any channel's own time limits together.
const LEASE_MS: i64 = 60_000;
/// The most deliveries claimed at once.
const MAX_CLAIMED: usize = 32;
/// The highest number a DC-09 message can have.
const MAX_DC09_NUMBER: i64 = 9_999;
/// The most deliveries of one alarm that are read.
const MAX_READ: i64 = 200;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum DeliveryState {
    /// Not yet there: it is tried again.
    Waiting = 0,
    /// The other machine says it has it.
    Delivered = 1,
    /// The other machine will not have it.
    Refused = 2,
    /// The alarm was closed before it could be delivered.
    Dropped = 3,
}

/// A delivery to make.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NewDelivery {
    pub hash: Hash,
    pub alarm: AlarmId,
    pub channel: String,
    pub event: ReceiptState,
    pub content: Vec<u8>,
    pub is_dc09: bool,
    pub due_at: Timestamp,
}

/// A delivery that a worker holds.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Claim {
    pub number: i64,
    pub fence: i64,
    pub alarm: AlarmId,
    pub channel: String,
    pub event: ReceiptState,
    pub content: Vec<u8>,
    pub dc09_number: u16,
    pub attempts: u32,
}

/// A delivery to show.
#[derive(Debug, Clone)]
pub(in crate::desk) struct DeliveryRow {
    pub channel: String,
    pub event: ReceiptState,
    pub state: DeliveryState,
    pub attempts: u32,
    pub outcome: String,
    pub tried_at: Timestamp,
}

/// Adds a delivery, once for each channel, alarm and event. A DC-09 message gets its number here, for good.
pub(in crate::desk) fn add(db: &Connection, new: &NewDelivery) -> rusqlite::Result<()> {
    let exists: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM delivery WHERE channel = ?1 AND hash = ?2 AND event = ?3)",
        params![new.channel, new.hash.0, new.event as i64],
        |row| row.get(0),
    )?;
    if exists {
        return Ok(());
    }
    let dc09_number = if new.is_dc09 { next_dc09_number(db, &new.channel)? } else { 0 };
    db.execute(
        "INSERT INTO delivery (hash, alarm, channel, event, content, dc09_number, state, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
        params![new.hash.0, new.alarm.0, new.channel, new.event as i64, new.content, dc09_number, new.due_at.0],
    )
    .map(drop)
}

fn next_dc09_number(db: &Connection, channel: &str) -> rusqlite::Result<i64> {
    let last = db
        .query_row("SELECT last FROM dc09_counter WHERE channel = ?1", params![channel], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let next = if last >= MAX_DC09_NUMBER { 1 } else { last + 1 };
    db.execute(
        "INSERT INTO dc09_counter (channel, last) VALUES (?1, ?2) ON CONFLICT (channel) DO UPDATE SET last = excluded.last",
        params![channel, next],
    )?;
    Ok(next)
}

fn read_claim(row: &Row<'_>) -> rusqlite::Result<Claim> {
    Ok(Claim {
        number: row.get("number")?,
        fence: row.get("fence")?,
        alarm: AlarmId(row.get("alarm")?),
        channel: row.get("channel")?,
        event: state_column(row, "event")?,
        content: row.get("content")?,
        dc09_number: u16::try_from(row.get::<_, i64>("dc09_number")?).unwrap_or_default(),
        attempts: row.get("attempts")?,
    })
}

/// Takes what is due and not held by another, at most [`MAX_CLAIMED`], oldest first.
pub(in crate::desk) fn claim(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Claim>> {
    let mut sql = db.prepare_cached(
        "UPDATE delivery SET leased_until = ?2, fence = fence + 1 WHERE number IN
           (SELECT number FROM delivery WHERE state = 0 AND due_at <= ?1 AND leased_until <= ?1 ORDER BY number LIMIT ?3)
         RETURNING number, fence, alarm, channel, event, content, dc09_number, attempts",
    )?;
    let limit = i64::try_from(MAX_CLAIMED).unwrap_or(i64::MAX);
    let mut claims = sql
        .query_map(params![now.0, now.plus_ms(LEASE_MS).0, limit], read_claim)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    claims.sort_by_key(|claim| claim.number);
    Ok(claims)
}

/// Gives back every lease: a process that starts knows that no worker of before still runs.
pub(in crate::desk) fn release_all(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE delivery SET leased_until = 0 WHERE state = 0 AND leased_until > 0", []).map(drop)
}

/// Writes down what a try came to. Without effect when another worker has taken over since.
pub(in crate::desk) fn finish(
    db: &Connection,
    claim: &Claim,
    state: DeliveryState,
    outcome: &str,
    (now, due_at): (Timestamp, Timestamp),
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE delivery SET state = ?3, outcome = ?4, tried_at = ?5, due_at = ?6, attempts = attempts + 1, leased_until = 0
         WHERE number = ?1 AND fence = ?2 AND state = 0",
        params![claim.number, claim.fence, state as i64, outcome, now.0, due_at.0],
    )
    .map(drop)
}

/// When the next delivery is due, leases included.
pub(in crate::desk) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(max(due_at, leased_until)) FROM delivery WHERE state = 0";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// Drops what is still waiting for a closed alarm, except the news that it is closed.
pub(in crate::desk) fn drop_waiting(db: &Connection, hash: Hash) -> rusqlite::Result<()> {
    let sql = format!("UPDATE delivery SET state = 3 WHERE {} AND state = 0 AND event <> ?2", is_of("hash"));
    db.execute(&sql, params![hash.0, ReceiptState::Closed as i64]).map(drop)
}

/// The deliveries of the alarm of these very bytes.
pub(in crate::desk) fn of_alarm(db: &Connection, hash: Hash) -> rusqlite::Result<Vec<DeliveryRow>> {
    let of_it = is_of("hash");
    let mut sql = db.prepare_cached(&format!(
        "SELECT channel, event, state, attempts, outcome, tried_at FROM delivery WHERE {of_it}
         ORDER BY number LIMIT ?2",
    ))?;
    sql.query_map(params![hash.0, MAX_READ], |row| {
        Ok(DeliveryRow {
            channel: row.get("channel")?,
            event: state_column(row, "event")?,
            state: match row.get::<_, i64>("state")? {
                0 => DeliveryState::Waiting,
                1 => DeliveryState::Delivered,
                2 => DeliveryState::Refused,
                _ => DeliveryState::Dropped,
            },
            attempts: row.get("attempts")?,
            outcome: row.get("outcome")?,
            tried_at: Timestamp(row.get("tried_at")?),
        })
    })?
    .collect()
}
