//! Records: what an office-holder writes down. Kinds and fields are declared in `baken_schemas::record`; here they are
//! put, read, merged and shown.
//!
//! An edit is one transaction of state and outbox, durable when the method returns. Conflicts are kept until somebody
//! resolves them: [`Baken::put`] refuses a field in conflict, so none is settled by accident.

pub(crate) mod register;
pub(crate) mod store;
pub(crate) mod time;
mod view;

use baken_schemas::cbor;
use baken_schemas::id::RecordId;
use baken_schemas::record::{
    self as schema, DELETED, FieldNumber, FieldType, KindNumber, KindSpec, MAX_VALUE_BYTES, Value,
};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

pub use view::{ConflictView, FieldView, HistoryView, RecordView, ValueView};

use crate::circle::Circle;
use crate::{Baken, BakenError};
use store::RecordRow;

/// Whether a value is of a field's type. Emptying fits every field.
fn fits(holds: FieldType, value: &Value) -> bool {
    matches!(
        (holds, value),
        (_, Value::Empty)
            | (FieldType::Text, Value::Text(_))
            | (FieldType::Bool, Value::Bool(_))
            | (FieldType::Int | FieldType::Time, Value::Int(_))
    )
}

fn checked_field(kind: &KindSpec, name: &str, value: &Value) -> Result<FieldNumber, BakenError> {
    let field = kind.field_named(name).ok_or(BakenError::UnknownField)?;
    if !fits(field.holds, value) || cbor::to_vec(value).len() > MAX_VALUE_BYTES {
        return Err(BakenError::ValueRefused);
    }
    Ok(field.number)
}

/// What this device knows of one record: its row and kind.
fn find(connection: &Connection, record: RecordId) -> Result<(RecordRow, KindNumber), BakenError> {
    connection
        .prepare_cached("SELECT id, kind FROM record WHERE record = ?1 ORDER BY kind LIMIT 1")?
        .query_row([record.0], |row| Ok((RecordRow(row.get(0)?), row.get(1)?)))
        .optional()?
        .ok_or(BakenError::NoSuchRecord)
}

/// Edits one record in one transaction.
pub(crate) fn edit_all(
    connection: &mut Connection,
    circle: &Circle,
    now: Timestamp,
    record: RecordId,
    kind: KindNumber,
    edits: Vec<(FieldNumber, Value)>,
) -> Result<(), BakenError> {
    let slot = circle.own_slot().ok_or(BakenError::NotActivated)?;
    let tx = connection.transaction()?;
    for (field, value) in edits {
        store::edit(&tx, slot, now, record, kind, field, value)?;
    }
    tx.commit()?;
    Ok(())
}

impl Baken {
    /// Makes a record of a kind (by name) with these fields (by name), and says its id.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::UnknownKind`], [`BakenError::UnknownField`], [`BakenError::ValueRefused`].
    pub fn create(&self, kind: &str, fields: Vec<(String, Value)>) -> Result<RecordId, BakenError> {
        let kind = schema::kind_named(kind).ok_or(BakenError::UnknownKind)?;
        if fields.is_empty() {
            return Err(BakenError::ValueRefused);
        }
        let edits = fields
            .into_iter()
            .map(|(name, value)| Ok((checked_field(kind, &name, &value)?, value)))
            .collect::<Result<_, BakenError>>()?;
        let record = self.context.with_rng(|rng| RecordId::make(rng));
        let now = self.context.now();
        self.with_vault(|open| edit_all(&mut open.vault.connection, &open.circle, now, record, kind.number, edits))?;
        self.edited.notify_one();
        Ok(record)
    }

    /// Puts fields (by name) of a record, all or none.
    ///
    /// # Errors
    /// As [`Self::create`], [`BakenError::NoSuchRecord`], and [`BakenError::InConflict`] for a field in conflict.
    pub fn put(&self, record: RecordId, fields: Vec<(String, Value)>) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let (row, number) = find(&open.vault.connection, record)?;
            let kind = schema::kind_numbered(number).ok_or(BakenError::UnknownKind)?;
            let mut edits = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                let field = checked_field(kind, &name, &value)?;
                if store::register(&open.vault.connection, row, field)?.is_in_conflict() {
                    return Err(BakenError::InConflict);
                }
                edits.push((field, value));
            }
            edit_all(&mut open.vault.connection, &open.circle, now, record, number, edits)
        })?;
        self.edited.notify_one();
        Ok(())
    }

    /// Deletes a record; it can be restored.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn delete(&self, record: RecordId) -> Result<(), BakenError> {
        self.put_deleted(record, true)
    }

    /// Restores a deleted record.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn restore(&self, record: RecordId) -> Result<(), BakenError> {
        self.put_deleted(record, false)
    }

    fn put_deleted(&self, record: RecordId, deleted: bool) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let (_, kind) = find(&open.vault.connection, record)?;
            let edits = vec![(DELETED, Value::Bool(deleted))];
            edit_all(&mut open.vault.connection, &open.circle, now, record, kind, edits)
        })?;
        self.edited.notify_one();
        Ok(())
    }

    /// Settles a conflict: the field gets this value, and both old ones stay in the history.
    ///
    /// # Errors
    /// [`BakenError::NoConflict`] when the field has none, and as [`Self::put`].
    pub fn resolve(&self, record: RecordId, field: FieldNumber, value: Value) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let (row, kind) = find(&open.vault.connection, record)?;
            let register = store::register(&open.vault.connection, row, field)?;
            if !register.is_in_conflict() {
                return Err(BakenError::NoConflict);
            }
            // One of the values that stand is always right, also of a field that only a newer version knows.
            if !register.puts().iter().any(|put| put.value == value) {
                let spec = schema::kind_numbered(kind).ok_or(BakenError::UnknownKind)?;
                let spec = spec.field_numbered(field).ok_or(BakenError::UnknownField)?;
                if !fits(spec.holds, &value) || cbor::to_vec(&value).len() > MAX_VALUE_BYTES {
                    return Err(BakenError::ValueRefused);
                }
            }
            edit_all(&mut open.vault.connection, &open.circle, now, record, kind, vec![(field, value)])
        })?;
        self.edited.notify_one();
        Ok(())
    }

    /// One record, deleted or not.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn record(&self, record: RecordId) -> Result<RecordView, BakenError> {
        self.with_vault(|open| {
            let (row, kind) = find(&open.vault.connection, record)?;
            view::record_view(&open.vault.connection, &open.circle, row, record, kind)
        })
    }

    /// Every record of a kind (by name), or of all kinds, oldest first; deleted ones too, marked.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::UnknownKind`].
    pub fn records(&self, kind: Option<&str>) -> Result<Vec<RecordView>, BakenError> {
        let kind = kind.map(|name| schema::kind_named(name).ok_or(BakenError::UnknownKind)).transpose()?;
        self.with_vault(|open| all_views(&open.vault.connection, &open.circle, kind.map(|kind| kind.number)))
    }

    /// Everything that was ever put to a record: who, when, what, and whether it still stands.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`].
    pub fn history(&self, record: RecordId) -> Result<Vec<HistoryView>, BakenError> {
        self.with_vault(|open| {
            let (row, kind) = find(&open.vault.connection, record)?;
            view::history(&open.vault.connection, &open.circle, row, kind)
        })
    }

    /// Every field with more than one value.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn conflicts(&self) -> Result<Vec<ConflictView>, BakenError> {
        self.with_vault(|open| view::conflicts(&open.vault.connection, &open.circle))
    }
}

/// Every record as a view, in the order it came to this device.
pub(crate) fn all_views(
    connection: &Connection,
    circle: &Circle,
    kind: Option<KindNumber>,
) -> Result<Vec<RecordView>, BakenError> {
    let mut statement = match kind {
        Some(_) => connection.prepare_cached("SELECT id, record, kind FROM record WHERE kind = ?1 ORDER BY id")?,
        None => connection.prepare_cached("SELECT id, record, kind FROM record WHERE ?1 IS NULL ORDER BY id")?,
    };
    let mut rows = statement.query([kind])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push(view_of_row(connection, circle, row)?);
    }
    Ok(views)
}

/// The first records of a kind that `keep` wants, at most `limit`, in an order that is the same on every device. No
/// more are read than it takes.
pub(crate) fn first_views(
    connection: &Connection,
    circle: &Circle,
    kind: KindNumber,
    limit: usize,
    keep: impl Fn(&RecordView) -> bool,
) -> Result<Vec<RecordView>, BakenError> {
    let mut statement =
        connection.prepare_cached("SELECT id, record, kind FROM record WHERE kind = ?1 ORDER BY record")?;
    let mut rows = statement.query([kind])?;
    let mut views = Vec::with_capacity(limit);
    while views.len() < limit
        && let Some(row) = rows.next()?
    {
        views.extend(Some(view_of_row(connection, circle, row)?).filter(&keep));
    }
    Ok(views)
}

fn view_of_row(connection: &Connection, circle: &Circle, row: &rusqlite::Row<'_>) -> Result<RecordView, BakenError> {
    let record = store::record_id(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
    view::record_view(connection, circle, RecordRow(row.get(0)?), record, row.get(2)?)
}
