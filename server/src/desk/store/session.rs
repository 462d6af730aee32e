//! Officers' sessions and the login links that were used. Only hashes of tokens are kept.

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::desk::officers::OfficerId;

/// The most sessions at a time; the oldest go.
const MAX_SESSIONS: i64 = 1_000;
/// How long a used link is remembered, in milliseconds: far beyond any link's life.
const USED_LINK_MS: i64 = 90 * 24 * 3_600_000;

/// Marks a link as used; `false` when it was used before.
pub(in crate::desk) fn use_link(db: &Connection, token_hash: Hash, now: Timestamp) -> rusqlite::Result<bool> {
    db.execute("DELETE FROM used_link WHERE used_at < ?1", params![now.plus_ms(-USED_LINK_MS).0])?;
    let sql = "INSERT INTO used_link (token_hash, used_at) VALUES (?1, ?2) ON CONFLICT (token_hash) DO NOTHING";
    Ok(db.execute(sql, params![token_hash.0, now.0])? == 1)
}

/// Starts a session.
pub(in crate::desk) fn add(
    db: &Connection,
    token_hash: Hash,
    officer: OfficerId,
    (now, expires_at): (Timestamp, Timestamp),
) -> rusqlite::Result<()> {
    db.execute("DELETE FROM session WHERE expires_at <= ?1", params![now.0])?;
    db.execute(
        "DELETE FROM session WHERE token_hash IN (SELECT token_hash FROM session ORDER BY expires_at DESC LIMIT -1 OFFSET ?1)",
        params![MAX_SESSIONS - 1],
    )?;
    db.execute(
        "INSERT INTO session (token_hash, officer, expires_at) VALUES (?1, ?2, ?3)",
        params![token_hash.0, officer.0, expires_at.0],
    )
    .map(drop)
}

/// Whose session it is, while it lasts.
pub(in crate::desk) fn find(db: &Connection, token_hash: Hash, now: Timestamp) -> rusqlite::Result<Option<OfficerId>> {
    let sql = "SELECT officer FROM session WHERE token_hash = ?1 AND expires_at > ?2";
    db.query_row(sql, params![token_hash.0, now.0], |row| row.get(0).map(OfficerId)).optional()
}

/// Ends a session.
pub(in crate::desk) fn end(db: &Connection, token_hash: Hash) -> rusqlite::Result<()> {
    db.execute("DELETE FROM session WHERE token_hash = ?1", params![token_hash.0]).map(drop)
}
