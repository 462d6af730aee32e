//! The audit: a chain of rows, each holding the hash of the one before, so that a row that was changed or taken out
//! shows. Relay and desk keep one each, in the same transaction as what it tells of.
//!
//! Rows hold ids, times and results, never names or content. A chain cannot show that its end was cut off; its head,
//! kept elsewhere, can. Nor is every row kept for ever: the beginning is cut off after a while, and the chain then starts
//! from the last row that went, which is itself written into it.

use std::sync::{Mutex, PoisonError};

use baken_schemas::crypto::Hash;
use baken_schemas::id::DeviceId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::StoreError;

/// The audit's table; each role's first migration includes it.
pub const TABLE: &str = include_str!("audit.sql");

/// The table of where a chain starts whose beginning is cut off.
pub const START_TABLE: &str = include_str!("audit_start.sql");

/// The head of an empty chain.
pub const EMPTY: Hash = Hash::ZERO;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// Who did it: a device, an officer's pseudonym, or the server itself.
    pub actor: &'a str,
    /// What: `alarm_stored`, `ladder_climbed`, `officer_login`.
    pub act: &'a str,
    /// On what: an id in hex.
    pub subject: &'a str,
    /// How it went: `ok` or a code.
    pub result: &'a str,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of its last row; 0 when it is empty.
    pub seq: u64,
    /// That row's hash; [`Hash::ZERO`] when it is empty.
    pub hash: Hash,
}

/// What is wrong with a chain.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A row is missing, changed or out of place.
    #[error("the audit's chain breaks at row {seq}: a row was changed or taken out")]
    Broken {
        /// The first row that does not fit.
        seq: u64,
    },
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for AuditError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

fn row_hash(seq: u64, prev: Hash, event: &Event<'_>) -> Hash {
    Hash::of(
        "baken/audit/v0",
        &[
            &seq.to_be_bytes(),
            &prev.0,
            &event.at.0.to_be_bytes(),
            event.actor.as_bytes(),
            event.act.as_bytes(),
            event.subject.as_bytes(),
            event.result.as_bytes(),
        ],
    )
}

/// Appends a row, within the transaction of what it tells of.
///
/// # Errors
/// [`StoreError`].
pub fn append(db: &Connection, event: &Event<'_>) -> Result<Head, StoreError> {
    let last = head(db)?;
    let seq = last.seq + 1;
    let hash = row_hash(seq, last.hash, event);
    db.prepare_cached(
        "INSERT INTO audit (seq, prev, at, actor, act, subject, result, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        seq,
        last.hash.0,
        event.at.0,
        event.actor,
        event.act,
        event.subject,
        event.result,
        hash.0
    ])?;
    Ok(Head { seq, hash })
}

/// [`append`] for what a device did.
///
/// # Errors
/// [`StoreError`].
pub fn append_for(
    db: &Connection,
    at: Timestamp,
    actor: DeviceId,
    act: &str,
    subject: &dyn std::fmt::Display,
    result: &str,
) -> Result<Head, StoreError> {
    append(db, &Event { at, actor: &actor.to_string(), act, subject: &subject.to_string(), result })
}

/// How many rows a minute may tell of what strangers try: whoever can knock must not be able to fill the disk, nor keep
/// the writer from an alarm. The log tells of every try.
const STRANGERS_ROWS_A_MINUTE: u32 = 20;

/// Keeps the rows that strangers cause within bounds.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<(i64, u32)>);

impl Strangers {
    /// Whether one more may be written in this minute.
    pub fn may_be_noted(&self, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(60_000);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.0 != minute {
            *noted = (minute, 0);
        }
        noted.1 = noted.1.saturating_add(1);
        noted.1 <= STRANGERS_ROWS_A_MINUTE
    }
}

/// Where the chain stands.
///
/// # Errors
/// [`StoreError`].
pub fn head(db: &Connection) -> Result<Head, StoreError> {
    let last = db
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(Head { seq: row.get(0)?, hash: Hash(row.get(1)?) }))
        .optional()?;
    Ok(last.unwrap_or(Head { seq: 0, hash: EMPTY }))
}

/// The row behind which the chain starts; of number 0 while it is whole.
///
/// # Errors
/// [`StoreError`].
pub fn start(db: &Connection) -> Result<Head, StoreError> {
    let is_kept = db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'audit_start'")?.exists([])?;
    let cut = if is_kept {
        db.prepare_cached("SELECT seq, hash FROM audit_start")?
            .query_row([], |row| Ok(Head { seq: row.get(0)?, hash: Hash(row.get(1)?) }))
            .optional()?
    } else {
        None
    };
    Ok(cut.unwrap_or(Head { seq: 0, hash: EMPTY }))
}

/// Cuts off the beginning: `rows` rows, once there are that many of before `then`. That it was cut is a row itself.
///
/// # Errors
/// [`StoreError`].
pub fn cut(db: &Connection, then: Timestamp, rows: u32, now: Timestamp) -> Result<(), StoreError> {
    let start = start(db)?;
    let mut statement = db.prepare_cached("SELECT seq, hash, at FROM audit ORDER BY seq LIMIT ?1")?;
    let old: Vec<Head> = statement
        .query_map([rows], |row| Ok((Head { seq: row.get(0)?, hash: Hash(row.get(1)?) }, row.get::<_, i64>(2)?)))?
        .take_while(|row| row.as_ref().map_or(true, |(_, at)| *at < then.0))
        .map(|row| row.map(|(head, _)| head))
        .collect::<Result<_, _>>()?;
    let Some(last) = old.last().filter(|_| u32::try_from(old.len()).is_ok_and(|count| count == rows)) else {
        return Ok(());
    };
    db.prepare_cached("INSERT OR REPLACE INTO audit_start (one, seq, hash) VALUES (1, ?1, ?2)")?
        .execute(params![last.seq, last.hash.0])?;
    db.prepare_cached("DELETE FROM audit WHERE seq <= ?1")?.execute([last.seq])?;
    let subject = format!("{}-{}", start.seq + 1, last.seq);
    append(db, &Event { at: now, actor: "relay", act: "audit_cut", subject: &subject, result: "ok" })?;
    Ok(())
}

/// Checks the chain from its first row that is kept to its last.
///
/// # Errors
/// [`AuditError::Broken`] names the first row that does not fit.
pub fn verify(db: &Connection) -> Result<Head, AuditError> {
    let mut last = start(db)?;
    let mut statement =
        db.prepare("SELECT seq, prev, at, actor, act, subject, result, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, prev, hash): (u64, Hash, Hash) = (row.get(0)?, Hash(row.get(1)?), Hash(row.get(7)?));
        let (actor, act, subject, result): (String, String, String, String) =
            (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
        let event = Event { at: Timestamp(row.get(2)?), actor: &actor, act: &act, subject: &subject, result: &result };
        if seq != last.seq + 1 || prev != last.hash || hash != row_hash(seq, prev, &event) {
            return Err(AuditError::Broken { seq: last.seq + 1 });
        }
        last = Head { seq, hash };
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLE).unwrap();
        for act in ["alarm_stored", "ladder_climbed", "ladder_stopped"] {
            let event = Event { at: Timestamp(1), actor: "relay", act, subject: "00ff", result: "ok" };
            append(&db, &event).unwrap();
        }
        db
    }

    #[test]
    fn an_honest_chain_verifies_to_its_head() {
        let db = chain();
        assert_eq!(verify(&db).unwrap(), head(&db).unwrap());
        assert_eq!(head(&db).unwrap().seq, 3);
    }

    #[test]
    fn a_chain_whose_beginning_was_cut_off_holds_and_says_so() {
        let db = chain();
        db.execute_batch(START_TABLE).unwrap();
        cut(&db, Timestamp(1), 2, Timestamp(9)).unwrap();
        assert_eq!(start(&db).unwrap().seq, 0, "nothing is that old");
        cut(&db, Timestamp(2), 2, Timestamp(9)).unwrap();
        assert_eq!((start(&db).unwrap().seq, verify(&db).unwrap().seq), (2, 4));
        let noted: String =
            db.query_row("SELECT subject FROM audit WHERE act = 'audit_cut'", [], |row| row.get(0)).unwrap();
        assert_eq!(noted, "1-2");
        // More than was cut is missing.
        db.execute("DELETE FROM audit WHERE seq = 3", []).unwrap();
        assert!(matches!(verify(&db), Err(AuditError::Broken { seq: 3 })));
    }

    #[test]
    fn i6_a_changed_or_missing_row_is_found() {
        for (change, at) in [
            ("UPDATE audit SET result = 'no' WHERE seq = 2", 2),
            ("UPDATE audit SET at = 2 WHERE seq = 3", 3),
            ("DELETE FROM audit WHERE seq = 2", 2),
            ("DELETE FROM audit WHERE seq = 1", 1),
        ] {
            let db = chain();
            db.execute(change, []).unwrap();
            let found = verify(&db);
            assert!(matches!(found, Err(AuditError::Broken { seq }) if seq == at), "{change}: {found:?}");
        }
    }
}
