//! The hybrid logical clock (Kulkarni and others, 2014): milliseconds × 65,536 + a counter. For people and for order of
//! display; what covers what is decided by the clocks of the fields alone.

use baken_schemas::time::Timestamp;
use rusqlite::Connection;

use crate::BakenError;
use crate::circle::CircleRow;
use crate::vault::setting;

const SETTING: &str = "hlc";
/// The clock value of the edits that are not sealed yet.
const BATCH: &str = "hlc_of_batch";
/// How long edits share one time at most, in milliseconds.
const MAX_BATCH_SPAN_MS: i64 = 60 * 1000;
/// How far ahead a peer's clock may pull ours, in milliseconds: a phone set to 2036 must not date all others' edits.
const MAX_PULL_MS: i64 = 5 * 60 * 1000;

fn of_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).saturating_mul(1 << 16)
}

/// The moment a clock value stands for.
pub(crate) fn moment(hlc: u64) -> Timestamp {
    Timestamp(i64::try_from(hlc >> 16).unwrap_or(i64::MAX))
}

/// The clock value of the edits that the next entry will hold; `None` when there are none yet, or when what is written
/// now would have to be dated apart: an entry has one time, which its edits share within a minute.
pub(crate) fn of_batch(connection: &Connection, circle: CircleRow, now: Timestamp) -> Result<Option<u64>, BakenError> {
    let batch: Option<u64> = setting::read_of(connection, circle, BATCH)?;
    let last: u64 = setting::read(connection, SETTING)?.unwrap_or(0);
    Ok(batch.filter(|batch| *batch == last && (0..MAX_BATCH_SPAN_MS).contains(&now.since_ms(moment(*batch)))))
}

/// The clock value of what is written now.
pub(crate) fn next(connection: &Connection, now: Timestamp) -> Result<u64, BakenError> {
    let last: u64 = setting::read(connection, SETTING)?.unwrap_or(0);
    let next = of_ms(now.0).max(last.saturating_add(1));
    setting::write(connection, SETTING, &next)?;
    Ok(next)
}

/// Starts a batch of edits, and says its clock value.
pub(crate) fn start_batch(connection: &Connection, circle: CircleRow, now: Timestamp) -> Result<u64, BakenError> {
    let next = next(connection, now)?;
    setting::write_of(connection, circle, BATCH, &next)?;
    Ok(next)
}

/// Ends the batch, and says its clock value; `None` when there was none.
pub(crate) fn end_batch(connection: &Connection, circle: CircleRow) -> Result<Option<u64>, BakenError> {
    let batch = setting::read_of(connection, circle, BATCH)?;
    setting::remove_of(connection, circle, BATCH)?;
    Ok(batch)
}

/// Takes in a peer's clock value, so that what is written after reading it is dated after it.
pub(crate) fn observe(connection: &Connection, now: Timestamp, peer: u64) -> Result<(), BakenError> {
    let last: u64 = setting::read(connection, SETTING)?.unwrap_or(0);
    if peer > last && moment(peer).since_ms(now) <= MAX_PULL_MS {
        setting::write(connection, SETTING, &peer)?;
    }
    Ok(())
}
