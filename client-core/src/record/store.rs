//! Records in SQLite: interned ids, one row a register, and what a put replaced.

use baken_schemas::cbor;
use baken_schemas::id::RecordId;
use baken_schemas::record::{Change, FieldNumber, KindNumber, Value};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::BakenError;
use crate::record::register::{Put, PutCheck, Register, kept};
use crate::record::time;

/// The short number of a record in this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordRow(pub(crate) i64);

/// Reads an id out of a row.
pub(crate) fn record_id(bytes: &[u8]) -> Result<RecordId, BakenError> {
    RecordId::from_slice(bytes).ok_or(BakenError::VaultDamaged { part: "a record" })
}

/// The row of a record, if it was ever written to.
pub(crate) fn row_of(
    connection: &Connection,
    record: RecordId,
    kind: KindNumber,
) -> Result<Option<RecordRow>, BakenError> {
    let row = connection
        .prepare_cached("SELECT id FROM record WHERE record = ?1 AND kind = ?2")?
        .query_row((record.0, kind), |row| row.get(0).map(RecordRow))
        .optional()?;
    Ok(row)
}

fn intern(tx: &Transaction<'_>, record: RecordId, kind: KindNumber) -> Result<RecordRow, BakenError> {
    if let Some(row) = row_of(tx, record, kind)? {
        return Ok(row);
    }
    tx.prepare_cached("INSERT INTO record (record, kind) VALUES (?1, ?2)")?.execute((record.0, kind))?;
    Ok(RecordRow(tx.last_insert_rowid()))
}

/// The register of a field; empty where nothing was put.
pub(crate) fn register(connection: &Connection, row: RecordRow, field: FieldNumber) -> Result<Register, BakenError> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT puts FROM register WHERE record = ?1 AND field = ?2")?
        .query_row((row.0, field), |row| row.get(0))
        .optional()?;
    bytes.map_or_else(|| Ok(Register::default()), |bytes| Register::from_bytes(&bytes))
}

fn apply(
    tx: &Transaction<'_>,
    row: RecordRow,
    field: FieldNumber,
    mut register: Register,
    put: Put,
) -> Result<(), BakenError> {
    for replaced in register.apply(put) {
        tx.prepare_cached("INSERT INTO replaced (record, field, put) VALUES (?1, ?2, ?3)")?.execute((
            row.0,
            field,
            cbor::to_vec(&replaced),
        ))?;
    }
    tx.prepare_cached(
        "INSERT INTO register (record, field, puts, conflict) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET puts = ?3, conflict = ?4",
    )?
    .execute((row.0, field, register.to_bytes(), register.is_in_conflict()))?;
    Ok(())
}

/// An edit on this device: state and outbox in the caller's transaction. It covers every value that stands.
pub(crate) fn edit(
    tx: &Transaction<'_>,
    slot: u16,
    now: Timestamp,
    record: RecordId,
    kind: KindNumber,
    field: FieldNumber,
    value: Value,
) -> Result<(), BakenError> {
    let row = intern(tx, record, kind)?;
    let register = register(tx, row, field)?;
    let put = Put { clock: register.next_clock(slot), value, slot, hlc: time::of_edit(tx, now)? };
    tx.prepare_cached("INSERT INTO pending (record, field, put) VALUES (?1, ?2, ?3)")?.execute((
        row.0,
        field,
        cbor::to_vec(&put),
    ))?;
    apply(tx, row, field, register, put)
}

/// A put by a peer. Anything but [`PutCheck::Ready`] has changed nothing.
pub(crate) fn merge(tx: &Transaction<'_>, slot: u16, hlc: u64, change: Change) -> Result<PutCheck, BakenError> {
    let row = intern(tx, change.record, change.kind)?;
    let register = register(tx, row, change.field)?;
    let check = register.check(slot, &change.clock);
    if check == PutCheck::Ready {
        let put = Put { clock: change.clock, value: change.value, slot, hlc };
        apply(tx, row, change.field, register, put)?;
    }
    Ok(check)
}

/// An edit that no entry holds yet.
#[derive(Debug)]
pub(crate) struct PendingEdit {
    /// Its number among the pending ones.
    pub(crate) row: i64,
    pub(crate) change: Change,
    /// When it was made.
    pub(crate) hlc: u64,
}

/// Edits that no entry holds yet, oldest first, at most `limit`.
pub(crate) fn pending(connection: &Connection, limit: usize) -> Result<Vec<PendingEdit>, BakenError> {
    let mut statement = connection.prepare_cached(
        "SELECT pending.id, record.record, record.kind, pending.field, pending.put
         FROM pending JOIN record ON record.id = pending.record ORDER BY pending.id LIMIT ?1",
    )?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut pending = Vec::new();
    while let Some(row) = rows.next()? {
        let record = record_id(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let put: Put = put_of(row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let change = Change { record, kind: row.get(2)?, field: row.get(3)?, clock: put.clock, value: put.value };
        pending.push(PendingEdit { row: row.get(0)?, change, hlc: put.hlc });
    }
    Ok(pending)
}

/// Forgets pending edits up to a row number: an entry holds them now.
pub(crate) fn sealed_up_to(tx: &Transaction<'_>, last: i64) -> Result<(), BakenError> {
    tx.prepare_cached("DELETE FROM pending WHERE id <= ?1")?.execute([last])?;
    time::end_batch(tx)
}

/// Reads a put out of a row.
pub(crate) fn put_of(bytes: &[u8]) -> Result<Put, BakenError> {
    kept(bytes)
}
