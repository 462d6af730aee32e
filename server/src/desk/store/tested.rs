//! When people last tested.

use baken_schemas::id::AccountId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

/// A person's test came in; what came in later stays.
pub(in crate::desk) fn put(db: &Connection, account: AccountId, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO tested (account, at) VALUES (?1, ?2)
               ON CONFLICT (account) DO UPDATE SET at = max(at, excluded.at)";
    db.prepare_cached(sql)?.execute(params![account.0, at.0]).map(drop)
}

/// Every account that has tested, and when last.
pub(in crate::desk) fn all(db: &Connection) -> rusqlite::Result<Vec<(AccountId, Timestamp)>> {
    let mut sql = db.prepare_cached("SELECT account, at FROM tested")?;
    sql.query_map([], |row| Ok((AccountId(row.get(0)?), Timestamp(row.get(1)?))))?.collect()
}
