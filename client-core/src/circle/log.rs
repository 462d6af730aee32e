//! The membership logs and the epoch keys on disk.

use std::collections::BTreeMap;

use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use zeroize::Zeroizing;

use super::CircleRow;
use crate::BakenError;

/// Gives a circle its short number.
pub(super) fn insert_circle(connection: &Connection, id: CircleId) -> Result<CircleRow, BakenError> {
    connection.prepare_cached("INSERT INTO circle (circle) VALUES (?1)")?.execute([id.0])?;
    Ok(CircleRow(connection.last_insert_rowid()))
}

/// Every circle, in the order they came to this device.
pub(super) fn circles(connection: &Connection) -> Result<Vec<(CircleRow, CircleId)>, BakenError> {
    let circles = connection
        .prepare_cached("SELECT id, circle FROM circle ORDER BY id")?
        .query_map([], |row| Ok((CircleRow(row.get(0)?), CircleId(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(circles)
}

/// Appends a record.
pub(super) fn insert(connection: &Connection, circle: CircleRow, seq: u64, bytes: &[u8]) -> Result<(), BakenError> {
    connection.prepare_cached("INSERT INTO log_record (circle, seq, bytes) VALUES (?1, ?2, ?3)")?.execute((
        circle.0,
        i64::try_from(seq).unwrap_or(i64::MAX),
        bytes,
    ))?;
    Ok(())
}

/// The records from a number on, in order.
pub(super) fn from(connection: &Connection, circle: CircleRow, seq: u64) -> Result<Vec<Vec<u8>>, BakenError> {
    let records = connection
        .prepare_cached("SELECT bytes FROM log_record WHERE circle = ?1 AND seq >= ?2 ORDER BY seq")?
        .query_map((circle.0, i64::try_from(seq).unwrap_or(i64::MAX)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(records)
}

/// One record; `None` when the log has not got that far here.
pub(super) fn at(connection: &Connection, circle: CircleRow, seq: u64) -> Result<Option<Vec<u8>>, BakenError> {
    Ok(connection
        .prepare_cached("SELECT bytes FROM log_record WHERE circle = ?1 AND seq = ?2")?
        .query_row((circle.0, i64::try_from(seq).unwrap_or(i64::MAX)), |row| row.get(0))
        .optional()?)
}

/// Keeps an epoch key; a second time is fine.
pub(super) fn insert_epoch_key(
    connection: &Connection,
    circle: CircleRow,
    epoch: u32,
    key: &SymmetricKey,
) -> Result<(), BakenError> {
    connection
        .prepare_cached("INSERT INTO epoch_key (circle, epoch, key) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute((circle.0, epoch, &key.as_bytes()[..]))?;
    Ok(())
}

/// Every epoch key.
pub(super) fn epoch_keys(
    connection: &Connection,
    circle: CircleRow,
) -> Result<BTreeMap<u32, SymmetricKey>, BakenError> {
    let mut statement = connection.prepare_cached("SELECT epoch, key FROM epoch_key WHERE circle = ?1")?;
    let mut rows = statement.query([circle.0])?;
    let mut keys = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let bytes = Zeroizing::new(row.get::<_, Vec<u8>>(1)?);
        let key = SymmetricKey::from_slice(&bytes).ok_or(BakenError::VaultDamaged { part: "an epoch key" })?;
        keys.insert(row.get(0)?, key);
    }
    Ok(keys)
}

/// Remembers when this device first saw that something waits about a device.
pub(super) fn observe(
    connection: &Connection,
    circle: CircleRow,
    device: DeviceId,
    now: Timestamp,
) -> Result<(), BakenError> {
    connection
        .prepare_cached("INSERT INTO observed (circle, device, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute((circle.0, device.0, now.0))?;
    Ok(())
}

/// Nothing waits about the device any more.
pub(super) fn forget_observed(connection: &Connection, circle: CircleRow, device: DeviceId) -> Result<(), BakenError> {
    connection
        .prepare_cached("DELETE FROM observed WHERE circle = ?1 AND device = ?2")?
        .execute((circle.0, device.0))?;
    Ok(())
}

/// When this device first saw it.
pub(super) fn observed(
    connection: &Connection,
    circle: CircleRow,
    device: DeviceId,
) -> Result<Option<Timestamp>, BakenError> {
    Ok(connection
        .prepare_cached("SELECT at FROM observed WHERE circle = ?1 AND device = ?2")?
        .query_row((circle.0, device.0), |row| row.get(0).map(Timestamp))
        .optional()?)
}
