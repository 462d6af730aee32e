//! Directories, roster lines, enrolments and cards, as they came.

use baken_schemas::crypto::Hash;
use baken_schemas::id::DeviceId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

/// The most rows of one table that a start reads.
const MAX_READ: i64 = 400_000;

fn documents(db: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<u8>>> {
    db.prepare(sql)?.query_map(params![MAX_READ], |row| row.get(0))?.collect()
}

/// Keeps a directory.
pub(in crate::desk) fn put_directory(
    db: &Connection,
    version: u64,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO directory (version, document, taken_at) VALUES (?1, ?2, ?3) ON CONFLICT (version) DO NOTHING";
    db.execute(sql, params![i64::try_from(version).unwrap_or(i64::MAX), document, now.0]).map(drop)
}

/// Every directory, the newest first.
pub(in crate::desk) fn directories(db: &Connection) -> rusqlite::Result<Vec<Vec<u8>>> {
    documents(db, "SELECT document FROM directory ORDER BY version DESC LIMIT ?1")
}

/// Keeps a roster line; `false` when it is there already.
pub(in crate::desk) fn add_roster(
    db: &Connection,
    hash: Hash,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO roster (hash, document, received_at) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING";
    Ok(db.execute(sql, params![hash.0, document, now.0])? == 1)
}

/// Every roster line, in order of arrival.
pub(in crate::desk) fn rosters(db: &Connection) -> rusqlite::Result<Vec<Vec<u8>>> {
    documents(db, "SELECT document FROM roster ORDER BY number LIMIT ?1")
}

/// Keeps an enrolment; `false` when it is there already.
pub(in crate::desk) fn add_enrolment(
    db: &Connection,
    hash: Hash,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO enrolment (hash, document, received_at) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING";
    Ok(db.execute(sql, params![hash.0, document, now.0])? == 1)
}

/// Every enrolment, in order of arrival.
pub(in crate::desk) fn enrolments(db: &Connection) -> rusqlite::Result<Vec<Vec<u8>>> {
    documents(db, "SELECT document FROM enrolment ORDER BY number LIMIT ?1")
}

/// Keeps a device's card; an older version does not replace a newer one.
pub(in crate::desk) fn put_card(
    db: &Connection,
    device: DeviceId,
    version: u64,
    document: &[u8],
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO card (device, version, document, fetched_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device) DO UPDATE SET version = excluded.version, document = excluded.document,
           fetched_at = excluded.fetched_at WHERE excluded.version >= card.version",
        params![device.0, i64::try_from(version).unwrap_or(i64::MAX), document, now.0],
    )
    .map(drop)
}

/// A device's card.
pub(in crate::desk) fn card(db: &Connection, device: DeviceId) -> rusqlite::Result<Option<(Vec<u8>, Timestamp)>> {
    let sql = "SELECT document, fetched_at FROM card WHERE device = ?1";
    db.query_row(sql, params![device.0], |row| Ok((row.get(0)?, Timestamp(row.get(1)?)))).optional()
}

/// Notes what the relay says of another desk; what it said earlier never comes after.
pub(in crate::desk) fn put_silence(
    db: &Connection,
    desk: DeviceId,
    since: Option<Timestamp>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO other_desk (desk, since, at) VALUES (?1, ?2, ?3)
               ON CONFLICT (desk) DO UPDATE SET since = excluded.since, at = excluded.at WHERE excluded.at >= at";
    db.execute(sql, params![desk.0, since.map(|since| since.0), at.0]).map(drop)
}

/// The desks that are silent, and since when.
pub(in crate::desk) fn silent(db: &Connection) -> rusqlite::Result<Vec<(DeviceId, Timestamp)>> {
    let mut statement =
        db.prepare_cached("SELECT desk, since FROM other_desk WHERE since IS NOT NULL ORDER BY since")?;
    statement.query_map([], |row| Ok((DeviceId(row.get(0)?), Timestamp(row.get(1)?))))?.collect()
}
