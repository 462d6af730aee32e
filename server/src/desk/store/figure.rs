//! What is counted: a row for each alarm without a word about whose it was, and how many probes were answered.

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// The most rows that are counted: more alarms than a desk has in many years.
const MAX_READ: i64 = 1_000_000;

/// How an alarm ended, as the officer says who closes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Nothing was said about it.
    #[default]
    Unsaid = 1,
    /// Somebody needed help.
    Real = 2,
    /// Nobody did: pressed by mistake, a fault.
    FalseAlarm = 3,
    /// An exercise.
    Exercise = 4,
}

/// What is counted of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::desk) struct FigureRow {
    pub kind: String,
    pub seen_ms: Option<i64>,
    /// `None` while it is open.
    pub ended: Option<Ending>,
}

/// Counts an alarm that came in at `at`, once.
pub(in crate::desk) fn add(
    db: &Connection,
    hash: Hash,
    (kind, month): (&str, i64),
    at: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO figure (hash, received_at, month, kind) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING";
    db.prepare_cached(sql)?.execute(params![hash.0, at.0, month, kind]).map(drop)
}

/// An alarm is shown under another form from now on: it is counted once, and from when it first came in.
pub(in crate::desk) fn move_to(db: &Connection, older: Hash, newer: Hash, kind: &str) -> rusqlite::Result<()> {
    let sql = "UPDATE OR IGNORE figure SET hash = ?2, kind = ?3 WHERE hash = ?1";
    db.prepare_cached(sql)?.execute(params![older.0, newer.0, kind]).map(drop)
}

/// The alarm shown under a hash, or of which this is another form.
const IS_OF: &str = "(hash = ?1 OR hash = (SELECT joined FROM alarm WHERE hash = ?1 AND joined <> x''))";

/// A human has it since `now`, the first time counts.
pub(in crate::desk) fn seen(db: &Connection, hash: Hash, now: Timestamp) -> rusqlite::Result<()> {
    let sql = format!("UPDATE figure SET seen_ms = max(?2 - received_at, 0) WHERE {IS_OF} AND seen_ms IS NULL");
    db.prepare_cached(&sql)?.execute(params![hash.0, now.0]).map(drop)
}

/// It is closed. A word on how counts more than none, whoever says it.
pub(in crate::desk) fn ended(db: &Connection, hash: Hash, ending: Ending) -> rusqlite::Result<()> {
    let sql = format!("UPDATE figure SET outcome = max(outcome, ?2) WHERE {IS_OF}");
    db.prepare_cached(&sql)?.execute(params![hash.0, ending as i64]).map(drop)
}

/// Leads to its alarm no longer.
pub(super) fn let_go(db: &Connection, hash: Hash) -> rusqlite::Result<()> {
    let sql = "UPDATE figure SET hash = NULL, received_at = NULL WHERE hash = ?1";
    db.prepare_cached(sql)?.execute([hash.0]).map(drop)
}

/// Counts a probe.
pub(in crate::desk) fn count_probe(db: &Connection, month: i64) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO probe_count (month, count) VALUES (?1, 1) ON CONFLICT (month) DO UPDATE SET count = count + 1";
    db.prepare_cached(sql)?.execute([month]).map(drop)
}

/// Every alarm that came in from month `from` to `to`, both included.
pub(in crate::desk) fn read(db: &Connection, (from, to): (i64, i64)) -> rusqlite::Result<Vec<FigureRow>> {
    let sql = "SELECT kind, seen_ms, outcome FROM figure WHERE month BETWEEN ?1 AND ?2 LIMIT ?3";
    db.prepare(sql)?
        .query_map(params![from, to, MAX_READ], |row| {
            Ok(FigureRow {
                kind: row.get(0)?,
                seen_ms: row.get(1)?,
                ended: match row.get::<_, i64>(2)? {
                    0 => None,
                    2 => Some(Ending::Real),
                    3 => Some(Ending::FalseAlarm),
                    4 => Some(Ending::Exercise),
                    _ => Some(Ending::Unsaid),
                },
            })
        })?
        .collect()
}

/// The probes answered in those months.
pub(in crate::desk) fn probes(db: &Connection, (from, to): (i64, i64)) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(sum(count), 0) FROM probe_count WHERE month BETWEEN ?1 AND ?2";
    db.query_row(sql, params![from, to], |row| row.get(0))
}
