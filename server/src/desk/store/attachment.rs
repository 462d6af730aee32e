//! The sealed chunks of photos and sound that go along with alarms.

use baken_schemas::id::{AlarmId, BlobId};
use rusqlite::{Connection, params};

/// Keeps a chunk; one that is there already stays as it is.
pub(in crate::desk) fn put_chunk(
    db: &Connection,
    (alarm, blob, chunk): (AlarmId, BlobId, u32),
    bytes: &[u8],
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO attachment_chunk (alarm, blob, chunk, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (alarm, blob, chunk) DO NOTHING",
    )?
    .execute(params![alarm.0, blob.0, chunk, bytes])
    .map(drop)
}

/// How many chunks of a file are here.
pub(in crate::desk) fn count(db: &Connection, alarm: AlarmId, blob: BlobId) -> rusqlite::Result<u32> {
    db.prepare_cached("SELECT count(*) FROM attachment_chunk WHERE alarm = ?1 AND blob = ?2")?
        .query_row(params![alarm.0, blob.0], |row| row.get(0))
}

/// The chunks of a file, in order.
pub(in crate::desk) fn chunks(db: &Connection, alarm: AlarmId, blob: BlobId) -> rusqlite::Result<Vec<Vec<u8>>> {
    db.prepare_cached("SELECT bytes FROM attachment_chunk WHERE alarm = ?1 AND blob = ?2 ORDER BY chunk")?
        .query_map(params![alarm.0, blob.0], |row| row.get(0))?
        .collect()
}

/// Forgets the chunks of a file that turned out to be another's.
pub(in crate::desk) fn forget(db: &Connection, alarm: AlarmId, blob: BlobId) -> rusqlite::Result<()> {
    db.execute("DELETE FROM attachment_chunk WHERE alarm = ?1 AND blob = ?2", params![alarm.0, blob.0]).map(drop)
}
