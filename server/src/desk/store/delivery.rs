//! Messages to outside channels: rows with a lease and a fence, so that a crash at any point neither loses nor doubles
//! one under another id. What a gateway reports later is matched to its row here.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::alarm::{is_of, state_column};
use super::sealed::{self, Text};

/// How long a worker has for one try, in milliseconds: longer than any channel's own time limits together.
const LEASE_MS: i64 = 60_000;
/// The most deliveries claimed at once.
const MAX_CLAIMED: usize = 32;
/// The highest number a DC-09 message can have.
const MAX_DC09_NUMBER: i64 = 9_999;
/// The most deliveries of one alarm that are read.
const MAX_READ: i64 = 500;

/// How far a delivery is: one set of words for every channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum DeliveryState {
    /// Not yet anywhere: it is tried again.
    Queued = 0,
    /// A machine on the way has it and says it will pass it on.
    HandedOver = 1,
    /// The machine it is meant for says it has it.
    Delivered = 2,
    /// It will not be tried again.
    Failed = 3,
}

impl DeliveryState {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::HandedOver => "handed-over",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl FromSql for DeliveryState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Queued),
            1 => Ok(Self::HandedOver),
            2 => Ok(Self::Delivered),
            3 => Ok(Self::Failed),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

/// Tells a channel's recipients apart without naming them. Empty where the channel itself is the recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(in crate::desk) struct RecipientMark(pub Vec<u8>);

/// A delivery to make.
#[derive(Debug, Clone)]
pub(in crate::desk) struct NewDelivery {
    pub hash: Hash,
    pub alarm: AlarmId,
    pub is_test: bool,
    pub channel: String,
    pub recipient: RecipientMark,
    pub event: ReceiptState,
    /// How often that had happened before.
    pub occasion: u32,
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
    pub is_test: bool,
    pub channel: String,
    pub recipient: RecipientMark,
    pub event: ReceiptState,
    pub occasion: u32,
    pub content: Vec<u8>,
    pub dc09_number: u16,
    pub attempts: u32,
}

/// A delivery to show.
#[derive(Debug, Clone)]
pub(in crate::desk) struct DeliveryRow {
    pub channel: String,
    pub is_test: bool,
    pub event: ReceiptState,
    pub content: Vec<u8>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub outcome: String,
    pub tried_at: Timestamp,
}

/// What a try came to.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Settled {
    pub state: DeliveryState,
    /// As JSON.
    pub outcome: String,
    /// The gateway's name for it; empty where there is none.
    pub reference: String,
    pub now: Timestamp,
    /// When it is to be tried again.
    pub due_at: Timestamp,
}

/// The last time something reached, or was passed on towards, a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) struct Proof {
    pub at: Timestamp,
    pub is_test: bool,
    pub state: DeliveryState,
}

/// Adds a delivery, once for each channel, recipient, alarm, event and occasion. A DC-09 message gets its number here, for good.
pub(in crate::desk) fn add(db: &Connection, new: &NewDelivery) -> rusqlite::Result<()> {
    let exists: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM delivery
                        WHERE channel = ?1 AND recipient = ?2 AND hash = ?3 AND event = ?4 AND occasion = ?5)",
        params![new.channel, new.recipient.0, new.hash.0, new.event as i64, new.occasion],
        |row| row.get(0),
    )?;
    if exists {
        return Ok(());
    }
    let text = Text::Content(&new.channel, &new.recipient.0, new.hash, new.event as i64, i64::from(new.occasion));
    let content = sealed::put(db, new.alarm, &text, &new.content)?;
    let dc09_number = if new.is_dc09 { next_dc09_number(db, &new.channel)? } else { 0 };
    db.execute(
        "INSERT INTO delivery (hash, alarm, is_test, channel, recipient, event, content, dc09_number, state, due_at, occasion)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10)",
        params![
            new.hash.0,
            new.alarm.0,
            new.is_test,
            new.channel,
            new.recipient.0,
            new.event as i64,
            content,
            dc09_number,
            new.due_at.0,
            new.occasion
        ],
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

/// The content of a row, open.
fn read_content(db: &Connection, row: &Row<'_>) -> rusqlite::Result<Vec<u8>> {
    let (channel, recipient): (String, Vec<u8>) = (row.get("channel")?, row.get("recipient")?);
    let text = Text::Content(&channel, &recipient, Hash(row.get("hash")?), row.get("event")?, row.get("occasion")?);
    sealed::get(db, AlarmId(row.get("alarm")?), &text, row.get("content")?)
}

fn read_claim(db: &Connection, row: &Row<'_>) -> rusqlite::Result<Claim> {
    Ok(Claim {
        number: row.get("number")?,
        fence: row.get("fence")?,
        alarm: AlarmId(row.get("alarm")?),
        is_test: row.get("is_test")?,
        channel: row.get("channel")?,
        recipient: RecipientMark(row.get("recipient")?),
        event: state_column(row, "event")?,
        occasion: row.get("occasion")?,
        content: read_content(db, row)?,
        dc09_number: u16::try_from(row.get::<_, i64>("dc09_number")?).unwrap_or_default(),
        attempts: row.get("attempts")?,
    })
}

/// Takes what is due and not held by another, at most [`MAX_CLAIMED`], oldest first.
pub(in crate::desk) fn claim(db: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Claim>> {
    let mut sql = db.prepare_cached(
        "UPDATE delivery SET leased_until = ?2, fence = fence + 1, reference = '' WHERE number IN
           (SELECT number FROM delivery WHERE state = 0 AND due_at <= ?1 AND leased_until <= ?1 ORDER BY number LIMIT ?3)
         RETURNING number, fence, hash, alarm, is_test, channel, recipient, event, occasion, content, dc09_number, attempts",
    )?;
    let limit = i64::try_from(MAX_CLAIMED).unwrap_or(i64::MAX);
    let mut claims = sql
        .query_map(params![now.0, now.plus_ms(LEASE_MS).0, limit], |row| read_claim(db, row))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    claims.sort_by_key(|claim| claim.number);
    Ok(claims)
}

/// Gives back every lease: a process that starts knows that no worker of before still runs.
pub(in crate::desk) fn release_all(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE delivery SET leased_until = 0 WHERE state = 0 AND leased_until > 0", []).map(drop)
}

/// Writes down what a try came to. Without effect when another worker has taken over since, or a gateway has already
/// reported that it arrived; a gateway's report that this very message failed stands.
pub(in crate::desk) fn finish(db: &Connection, claim: &Claim, settled: &Settled) -> rusqlite::Result<()> {
    let proven = matches!(settled.state, DeliveryState::HandedOver | DeliveryState::Delivered);
    db.execute(
        "UPDATE delivery SET state = CASE WHEN reference <> '' AND reference = ?7 THEN 3 ELSE ?3 END,
           outcome = CASE WHEN reference <> '' AND reference = ?7 THEN outcome ELSE ?4 END,
           tried_at = ?5, due_at = ?6, reference = ?7, attempts = attempts + 1, leased_until = 0,
           proven_at = CASE WHEN ?8 THEN ?5 ELSE proven_at END
         WHERE number = ?1 AND fence = ?2 AND state = 0",
        params![
            claim.number,
            claim.fence,
            settled.state as i64,
            settled.outcome,
            settled.now.0,
            settled.due_at.0,
            settled.reference,
            proven
        ],
    )
    .map(drop)
}

/// Takes a gateway's report that a message arrived. True whatever try it was of. `false` when there is no such row.
pub(in crate::desk) fn report_delivered(
    db: &Connection,
    (channel, number, reference): (&str, i64, &str),
    outcome: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE delivery SET state = 2, outcome = ?3, reference = ?4, proven_at = ?5, leased_until = 0
               WHERE channel = ?1 AND number = ?2 AND state IN (0, 1, 3)";
    Ok(db.execute(sql, params![channel, number, outcome, reference, now.0])? == 1)
}

/// Takes a gateway's report that a message did not arrive: only of the try that counts, and never against one that did.
/// One that is quicker than the answer to the try itself is kept for [`finish`].
pub(in crate::desk) fn report_failed(
    db: &Connection,
    (channel, number, reference): (&str, i64, &str),
    outcome: &str,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE delivery SET state = CASE state WHEN 1 THEN 3 ELSE 0 END, outcome = ?4, reference = ?3
               WHERE channel = ?1 AND number = ?2
                 AND ((state = 1 AND reference = ?3) OR (state = 0 AND leased_until > 0))";
    Ok(db.execute(sql, params![channel, number, reference, outcome])? == 1)
}

/// When the next delivery is due, leases included.
pub(in crate::desk) fn next_due(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT min(max(due_at, leased_until)) FROM delivery WHERE state = 0";
    db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).map(|due| due.map(Timestamp))
}

/// Gives up what is still queued for a closed alarm, except the news that it is closed.
pub(in crate::desk) fn give_up_queued(db: &Connection, hash: Hash, outcome: &str) -> rusqlite::Result<()> {
    let of_it = is_of("hash");
    let sql = format!("UPDATE delivery SET state = 3, outcome = ?3 WHERE {of_it} AND state = 0 AND event <> ?2");
    db.execute(&sql, params![hash.0, ReceiptState::Closed as i64, outcome]).map(drop)
}

const COLUMNS: &str =
    "hash, alarm, channel, recipient, is_test, event, occasion, content, state, attempts, outcome, tried_at";

fn read_row(db: &Connection, row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        channel: row.get("channel")?,
        is_test: row.get("is_test")?,
        event: state_column(row, "event")?,
        content: read_content(db, row)?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        outcome: row.get("outcome")?,
        tried_at: Timestamp(row.get("tried_at")?),
    })
}

/// The deliveries of the alarm of these very bytes.
pub(in crate::desk) fn of_alarm(db: &Connection, hash: Hash) -> rusqlite::Result<Vec<DeliveryRow>> {
    let of_it = is_of("hash");
    let mut sql = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE {of_it}
         ORDER BY number LIMIT ?2",
    ))?;
    sql.query_map(params![hash.0, MAX_READ], |row| read_row(db, row))?.collect()
}

/// The newest delivery to a recipient.
pub(in crate::desk) fn newest(
    db: &Connection,
    channel: &str,
    recipient: &RecipientMark,
) -> rusqlite::Result<Option<DeliveryRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM delivery WHERE channel = ?1 AND recipient = ?2 ORDER BY number DESC LIMIT 1");
    db.query_row(&sql, params![channel, recipient.0], |row| read_row(db, row)).optional()
}

/// How many deliveries to a channel's recipient are queued: of all, of tests.
pub(in crate::desk) fn count_queued(
    db: &Connection,
    channel: &str,
    recipient: &RecipientMark,
) -> rusqlite::Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(is_test), 0) FROM delivery
               WHERE channel = ?1 AND recipient = ?2 AND state = 0";
    db.query_row(sql, params![channel, recipient.0], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The last time that something was handed over to, or delivered at, a recipient, and was not found to have failed since.
pub(in crate::desk) fn proof(
    db: &Connection,
    channel: &str,
    recipient: &RecipientMark,
) -> rusqlite::Result<Option<Proof>> {
    let sql = "SELECT proven_at, is_test, state FROM delivery
               WHERE channel = ?1 AND recipient = ?2 AND state IN (1, 2) ORDER BY proven_at DESC LIMIT 1";
    db.query_row(sql, params![channel, recipient.0], |row| {
        Ok(Proof { at: Timestamp(row.get(0)?), is_test: row.get(1)?, state: row.get(2)? })
    })
    .optional()
}

#[cfg(test)]
mod tests;
