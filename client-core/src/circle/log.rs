//! The membership log and the epoch keys on disk.

use std::collections::BTreeMap;

use baken_schemas::circle::{Epoch, LogRecord, Operation};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::signed::Unverified;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::BakenError;

/// Appends a record.
pub(super) fn insert(connection: &Connection, seq: u64, bytes: &[u8]) -> Result<(), BakenError> {
    connection
        .prepare_cached("INSERT INTO log_record (seq, bytes) VALUES (?1, ?2)")?
        .execute((i64::try_from(seq).unwrap_or(i64::MAX), bytes))?;
    Ok(())
}

/// Every record in order.
pub(super) fn all(connection: &Connection) -> Result<Vec<Vec<u8>>, BakenError> {
    from(connection, 0)
}

/// The records from a number on, in order.
pub(super) fn from(connection: &Connection, seq: u64) -> Result<Vec<Vec<u8>>, BakenError> {
    let records = connection
        .prepare_cached("SELECT bytes FROM log_record WHERE seq >= ?1 ORDER BY seq")?
        .query_map([i64::try_from(seq).unwrap_or(i64::MAX)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(records)
}

/// The record of an epoch. The log is short: it is looked through.
pub(super) fn epoch(connection: &Connection, number: u32) -> Result<Epoch, BakenError> {
    let damaged = BakenError::VaultDamaged { part: "its membership log" };
    for bytes in all(connection)? {
        // The chain was verified before it was written.
        let record = Unverified::<LogRecord>::parse(&bytes)?;
        if let Operation::Epoch { epoch } = &record.claims().operation
            && epoch.number == number
        {
            return Ok(epoch.clone());
        }
    }
    Err(damaged)
}

/// Keeps an epoch key; a second time is fine.
pub(super) fn insert_epoch_key(connection: &Connection, epoch: u32, key: &SymmetricKey) -> Result<(), BakenError> {
    connection
        .prepare_cached("INSERT INTO epoch_key (epoch, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((epoch, &key.as_bytes()[..]))?;
    Ok(())
}

/// Every epoch key.
pub(super) fn epoch_keys(connection: &Connection) -> Result<BTreeMap<u32, SymmetricKey>, BakenError> {
    let mut statement = connection.prepare_cached("SELECT epoch, key FROM epoch_key")?;
    let mut rows = statement.query([])?;
    let mut keys = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let bytes = Zeroizing::new(row.get::<_, Vec<u8>>(1)?);
        let key = SymmetricKey::from_slice(&bytes).ok_or(BakenError::VaultDamaged { part: "an epoch key" })?;
        keys.insert(row.get(0)?, key);
    }
    Ok(keys)
}
