//! Receipts: this desk's own, a chain for each alarm, and those of others.

use baken_schemas::alarm::{Receipt, ReceiptState, standing};
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::alarm::{is_of, state_column};
use super::sealed::{self, Text};

/// The most receipts of one alarm that are read.
const MAX_READ: i64 = 500;
/// The most receipts handed to the sender at once.
const MAX_OUTGOING: i64 = 64;

/// Whether a receipt goes to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum Sending {
    /// It does not: it is another's, or for something the relay has no alarm for.
    Never = 0,
    /// It is still to be sent.
    Due = 1,
    /// The relay has it.
    Sent = 2,
    /// The relay will not have it.
    Refused = 3,
}

/// A receipt to keep.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NewReceipt {
    pub hash: Hash,
    pub alarm: AlarmId,
    pub alarm_hash: Hash,
    pub state: ReceiptState,
    pub at: Timestamp,
    pub own: bool,
    /// Of a family member's device: it is shown, and says nothing of how the alarm stands here.
    pub by_family: bool,
    pub document: Vec<u8>,
    pub detail: Vec<u8>,
    pub sending: Sending,
    pub due_at: Timestamp,
}

/// A receipt as it is kept.
#[derive(Debug, Clone)]
pub(in crate::desk) struct ReceiptRow {
    pub hash: Hash,
    pub state: ReceiptState,
    pub at: Timestamp,
    pub own: bool,
    pub by_family: bool,
    pub document: Vec<u8>,
    pub detail: Vec<u8>,
    pub sending: Sending,
}

/// A receipt that waits to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingReceipt {
    /// Its hash: also the idempotency key's source.
    pub hash: Hash,
    /// Its bytes.
    pub document: Vec<u8>,
    /// How often it was tried.
    pub attempts: u32,
}

/// Keeps a receipt; `false` when it is there already.
pub(in crate::desk) fn add(db: &Connection, new: &NewReceipt) -> rusqlite::Result<bool> {
    let detail = sealed::put(db, new.alarm, &Text::Detail(new.hash), &new.detail)?;
    let added = db.execute(
        "INSERT INTO receipt (hash, alarm, alarm_hash, state, at, own, document, detail, sending, due_at, by_family)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (hash) DO NOTHING",
        params![
            new.hash.0,
            new.alarm.0,
            new.alarm_hash.0,
            new.state as i64,
            new.at.0,
            new.own,
            new.document,
            detail,
            new.sending as i64,
            new.due_at.0,
            new.by_family
        ],
    )?;
    Ok(added == 1)
}

/// The hash of this desk's last receipt for these alarm bytes; [`Hash::ZERO`] before the first.
pub(in crate::desk) fn last_own(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Hash> {
    let sql = "SELECT hash FROM receipt WHERE alarm_hash = ?1 AND own = 1 ORDER BY number DESC LIMIT 1";
    let last = db.query_row(sql, params![alarm_hash.0], |row| row.get(0).map(Hash)).optional()?;
    Ok(last.unwrap_or(Hash::ZERO))
}

/// The receipt by which an officer of this desk has the alarm; `None` when none has, or nothing followed in time.
pub(in crate::desk) fn holding_here(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Option<Hash>> {
    let of_it = is_of("alarm_hash");
    let sql = format!(
        "SELECT hash, state = ?2 FROM receipt WHERE {of_it} AND own = 1 AND state IN (?2, ?3)
         ORDER BY number DESC LIMIT 1"
    );
    let (seen, reopened) = (ReceiptState::Seen as i64, ReceiptState::Reopened as i64);
    let last = db
        .query_row(&sql, params![alarm_hash.0, seen, reopened], |row| Ok((Hash(row.get(0)?), row.get::<_, bool>(1)?)));
    Ok(last.optional()?.filter(|(_, seen)| *seen).map(|(hash, _)| hash))
}

/// How often something was said of these alarm bytes, by whoever.
pub(in crate::desk) fn count_of(db: &Connection, alarm_hash: Hash, state: ReceiptState) -> rusqlite::Result<u32> {
    let of_it = is_of("alarm_hash");
    let sql = format!("SELECT count(*) FROM receipt WHERE {of_it} AND state = ?2");
    db.query_row(&sql, params![alarm_hash.0, state as i64], |row| row.get(0))
}

/// Every receipt for these alarm bytes, in order of arrival here.
pub(in crate::desk) fn of_alarm(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Vec<ReceiptRow>> {
    let of_it = is_of("alarm_hash");
    let mut sql = db.prepare_cached(&format!(
        "SELECT hash, alarm, state, at, own, by_family, document, detail, sending FROM receipt WHERE {of_it} ORDER BY number LIMIT ?2",
    ))?;
    sql.query_map(params![alarm_hash.0, MAX_READ], |row| {
        let (alarm, hash) = (AlarmId(row.get("alarm")?), Hash(row.get("hash")?));
        Ok(ReceiptRow {
            hash: Hash(row.get("hash")?),
            state: state_column(row, "state")?,
            at: Timestamp(row.get("at")?),
            own: row.get("own")?,
            by_family: row.get("by_family")?,
            document: row.get("document")?,
            detail: sealed::get(db, alarm, &Text::Detail(hash), row.get("detail")?)?,
            sending: match row.get::<_, i64>("sending")? {
                0 => Sending::Never,
                1 => Sending::Due,
                2 => Sending::Sent,
                _ => Sending::Refused,
            },
        })
    })?
    .collect()
}

/// How far these alarm bytes stand by all their receipts ([`standing`]); `None` without one.
pub(in crate::desk) fn standing_of(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<Option<ReceiptState>> {
    let of_it = is_of("alarm_hash");
    let furthest = format!(
        "SELECT state FROM receipt WHERE {of_it} AND by_family = 0 AND state <> ?2 ORDER BY state DESC LIMIT 1"
    );
    let reopened = ReceiptState::Reopened;
    let furthest = db.query_row(&furthest, params![alarm_hash.0, reopened as i64], |row| state_column(row, "state"));
    let furthest = furthest.optional()?;
    // Only what was reopened has to be looked through.
    if furthest > Some(ReceiptState::Seen) || count_of(db, alarm_hash, reopened)? == 0 {
        return Ok(furthest);
    }
    let rows = of_alarm(db, alarm_hash)?;
    let read: Vec<(Hash, Receipt)> = rows
        .iter()
        .filter(|row| !row.by_family)
        .filter_map(|row| Some((row.hash, Unverified::<Receipt>::parse(&row.document).ok()?.claims().clone())))
        .collect();
    let borrowed: Vec<(Hash, &Receipt)> = read.iter().map(|(hash, receipt)| (*hash, receipt)).collect();
    Ok(standing(&borrowed))
}

/// Forgets what was answered to probes before `then`, and the relay has: receipts of what is no alarm here.
pub(in crate::desk) fn forget_probes(db: &Connection, then: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM receipt WHERE (own = 0 OR sending = ?1) AND due_at < ?2
               AND NOT EXISTS (SELECT 1 FROM alarm WHERE alarm.hash = receipt.alarm_hash)";
    db.prepare_cached(sql)?.execute(params![Sending::Sent as i64, then.0]).map(drop)
}

/// Receipts that are due, in the order they were made: a chain arrives in its order.
pub(in crate::desk) fn outgoing(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<OutgoingReceipt>> {
    let mut sql = db.prepare_cached(
        "SELECT hash, document, attempts FROM receipt WHERE sending = 1 AND due_at <= ?1 ORDER BY number LIMIT ?2",
    )?;
    sql.query_map(params![now.0, MAX_OUTGOING], |row| {
        Ok(OutgoingReceipt {
            hash: Hash(row.get("hash")?),
            document: row.get("document")?,
            attempts: row.get("attempts")?,
        })
    })?
    .collect()
}

/// When the next receipt is due.
pub(in crate::desk) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(due_at) FROM receipt WHERE sending = 1";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// The relay has it, or will not have it.
pub(in crate::desk) fn settle(db: &Connection, hash: Hash, sending: Sending) -> rusqlite::Result<()> {
    db.execute("UPDATE receipt SET sending = ?2 WHERE hash = ?1", params![hash.0, sending as i64]).map(drop)
}

/// It is tried again then.
pub(in crate::desk) fn put_off(db: &Connection, hash: Hash, due_at: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE receipt SET attempts = attempts + 1, due_at = ?2 WHERE hash = ?1";
    db.execute(sql, params![hash.0, due_at.0]).map(drop)
}

/// Sends this desk's receipts for an alarm once more, the very same ones.
pub(in crate::desk) fn send_again(db: &Connection, alarm_hash: Hash, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE receipt SET sending = 1, due_at = ?2 WHERE alarm_hash = ?1 AND own = 1 AND sending = 2";
    db.execute(sql, params![alarm_hash.0, now.0]).map(drop)
}

/// How many receipts this desk has made for an alarm.
pub(in crate::desk) fn count_own(db: &Connection, alarm_hash: Hash) -> rusqlite::Result<i64> {
    let sql = "SELECT count(*) FROM receipt WHERE alarm_hash = ?1 AND own = 1";
    db.query_row(sql, params![alarm_hash.0], |row| row.get(0))
}
