//! Records as people see them: decrypted, named, with every value that stands.

use baken_schemas::checkpoint::{FieldState, StandingPut};
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{self, DELETED, FieldNumber, FieldType, KindNumber, Value};
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::BakenError;
use crate::circle::Circle;
use crate::record::deletion::{self, HELD_MS, Held};
use crate::record::register::{self, kept};
use crate::record::store::{RecordRow, record_id};
use crate::record::time::moment;

/// A record with all its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// The record.
    pub record: RecordId,
    /// The circle that shares it.
    pub circle: CircleId,
    /// Its kind's number.
    pub kind: KindNumber,
    /// Its kind's name; `None` when a newer version made it.
    pub kind_name: Option<&'static str>,
    /// It is deleted, and can be restored.
    pub deleted: bool,
    /// One device deleted it and many others at once: it is kept until another device confirms that.
    pub deletion_held: Option<DeletionHeldView>,
    /// It was deleted long ago and emptied: only its history may still have something.
    pub erased: bool,
    /// It is deleted, and another device put something to it later, so perhaps without knowing: look before it goes.
    pub edited_since_deleted: bool,
    /// A field has more than one value.
    pub in_conflict: bool,
    /// It holds something made by a newer version, kept and passed on but not understood here.
    pub newer: bool,
    /// Fields that were ever put, in order of number.
    pub fields: Vec<FieldView>,
}

/// Why a record that a device deleted is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeletionHeldView {
    /// The device that deleted it.
    pub by: Option<DeviceId>,
    /// When the deletion takes effect by itself, by this device's clock.
    pub until: Timestamp,
}

impl RecordView {
    /// A field of this version, by its name, if it was ever put.
    pub fn field(&self, name: &str) -> Option<&FieldView> {
        self.fields.iter().find(|field| field.name == Some(name))
    }

    fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &Value> {
        self.field(name).into_iter().flat_map(|field| &field.values).map(|view| &view.value)
    }

    /// A text, all of its values when they conflict; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        let texts = self.values(name).filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join(" / ")
    }

    /// Whether one of the values that stand is this.
    pub fn says(&self, name: &str, value: &Value) -> bool {
        self.values(name).any(|standing| standing == value)
    }

    /// Whether one of the values that stand is true.
    pub fn is(&self, name: &str) -> bool {
        self.says(name, &Value::Bool(true))
    }

    /// A number; the newest when they conflict.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.values(name).rev().find_map(|value| match value {
            Value::Int(number) => Some(*number),
            _ => None,
        })
    }

    /// A moment; the newest when they conflict.
    pub fn moment(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(Timestamp)
    }

    /// Every moment that stands: one, or those of a conflict.
    pub fn moments(&self, name: &str) -> impl Iterator<Item = Timestamp> {
        self.values(name).filter_map(|value| match value {
            Value::Int(ms) => Some(Timestamp(*ms)),
            _ => None,
        })
    }

    /// Bytes; the newest when they conflict.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.values(name).rev().find_map(|value| match value {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// Another record that this one names.
    pub fn names(&self, name: &str) -> Option<RecordId> {
        self.bytes(name).and_then(RecordId::from_slice)
    }
}

/// A field with every value that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldView {
    /// The field's number.
    pub field: FieldNumber,
    /// Its name; `None` when a newer version made it.
    pub name: Option<&'static str>,
    /// One value; several when devices put different ones without having seen each other's.
    pub values: Vec<ValueView>,
}

/// A value, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueView {
    /// The value.
    pub value: Value,
    /// Which device put it.
    pub by: Option<DeviceId>,
    /// When, by that device's clock.
    pub at: Timestamp,
    /// A newer version made it; shown, not understood.
    pub newer: bool,
}

/// A field with more than one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictView {
    /// The record.
    pub record: RecordId,
    /// The circle that shares it.
    pub circle: CircleId,
    /// Its kind's number.
    pub kind: KindNumber,
    /// Its kind's name.
    pub kind_name: Option<&'static str>,
    /// The field; 0 when one device deleted the record and another restored it.
    pub field: FieldNumber,
    /// The field's name; `deleted` for field 0.
    pub name: Option<&'static str>,
    /// Every value that stands.
    pub values: Vec<ValueView>,
}

/// One put in a record's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryView {
    /// The field; 0 for deleting and restoring.
    pub field: FieldNumber,
    /// The field's name; `deleted` for field 0.
    pub name: Option<&'static str>,
    /// What it was put to.
    pub value: Value,
    /// Which device put it.
    pub by: Option<DeviceId>,
    /// When, by that device's clock.
    pub at: Timestamp,
    /// It stands; otherwise a later put replaced it.
    pub current: bool,
}

fn field_name(kind: KindNumber, field: FieldNumber) -> Option<&'static str> {
    if field == DELETED {
        return Some("deleted");
    }
    record::kind_numbered(kind).and_then(|kind| kind.field_numbered(field)).map(|field| field.name)
}

/// Whether this version can show the value of this field.
fn is_understood(kind: KindNumber, field: FieldNumber, value: &Value) -> bool {
    if field == DELETED {
        return super::fits(FieldType::Bool, value);
    }
    let spec = record::kind_numbered(kind).and_then(|kind| kind.field_numbered(field));
    spec.is_some_and(|spec| spec.takes(value))
}

fn value_view(circle: &Circle, kind: KindNumber, field: FieldNumber, put: &StandingPut) -> ValueView {
    ValueView {
        newer: !is_understood(kind, field, &put.value),
        value: put.value.clone(),
        by: circle.device(put.slot),
        at: moment(put.hlc),
    }
}

/// Different values once each, in an order that is the same on every device.
fn value_views(circle: &Circle, kind: KindNumber, state: &FieldState) -> Vec<ValueView> {
    let field = state.field;
    let mut puts: Vec<&StandingPut> = state.puts.iter().collect();
    puts.sort_by_key(|put| (put.hlc, put.slot));
    let mut values: Vec<ValueView> = Vec::with_capacity(puts.len());
    for put in puts {
        if !values.iter().any(|view| view.value == put.value) {
            values.push(value_view(circle, kind, field, put));
        }
    }
    values
}

/// One record.
pub(super) fn record_view(
    circle: &Circle,
    record: RecordId,
    kind: KindNumber,
    fields: &[FieldState],
    held: Option<Held>,
) -> RecordView {
    let mut view = RecordView {
        record,
        circle: circle.id(),
        kind,
        kind_name: record::kind_numbered(kind).map(|kind| kind.name),
        deleted: deletion::is_deleted(fields) && held.is_none(),
        deletion_held: held
            .map(|held| DeletionHeldView { by: circle.device(held.slot), until: held.seen_at.plus_ms(HELD_MS) }),
        erased: deletion::is_erased(kind, fields) && held.is_none(),
        edited_since_deleted: false,
        in_conflict: fields.iter().any(register::is_in_conflict),
        newer: record::kind_numbered(kind).is_none(),
        fields: Vec::new(),
    };
    let mut deletion: Option<&StandingPut> = None;
    for state in fields {
        if state.field == DELETED {
            // Fields come in order of number, and this is number 0.
            deletion = state.puts.iter().max_by_key(|put| (put.hlc, put.slot)).filter(|_| view.deleted);
            continue;
        }
        if let Some(deletion) = deletion {
            let is_later = |put: &StandingPut| put.slot != deletion.slot && put.hlc > deletion.hlc;
            view.edited_since_deleted |= state.puts.iter().any(is_later);
        }
        let values = value_views(circle, kind, state);
        view.newer |= values.iter().any(|value| value.newer);
        view.fields.push(FieldView { field: state.field, name: field_name(kind, state.field), values });
    }
    view
}

/// Every field of a circle in conflict.
pub(super) fn conflicts(connection: &Connection, circle: &Circle) -> Result<Vec<ConflictView>, BakenError> {
    let mut statement = connection
        .prepare_cached("SELECT record, kind, body FROM record WHERE circle = ?1 AND conflict = 1 ORDER BY id")?;
    let mut rows = statement.query([circle.row().0])?;
    let mut conflicts = Vec::new();
    while let Some(row) = rows.next()? {
        let record = record_id(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let kind: KindNumber = row.get(1)?;
        let fields: Vec<FieldState> = kept(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
        for state in fields.iter().filter(|state| register::is_in_conflict(state)) {
            conflicts.push(ConflictView {
                record,
                circle: circle.id(),
                kind,
                kind_name: record::kind_numbered(kind).map(|kind| kind.name),
                field: state.field,
                name: field_name(kind, state.field),
                values: value_views(circle, kind, state),
            });
        }
    }
    Ok(conflicts)
}

/// Everything that was ever put to a record, oldest first.
pub(super) fn history(
    connection: &Connection,
    circle: &Circle,
    row: RecordRow,
    kind: KindNumber,
    fields: &[FieldState],
) -> Result<Vec<HistoryView>, BakenError> {
    let mut puts: Vec<(FieldNumber, StandingPut, bool)> = Vec::new();
    let mut statement = connection.prepare_cached("SELECT field, put FROM replaced WHERE record = ?1")?;
    let mut rows = statement.query([row.0])?;
    while let Some(row) = rows.next()? {
        puts.push((row.get(0)?, kept(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?, false));
    }
    puts.extend(fields.iter().flat_map(|state| state.puts.iter().map(|put| (state.field, put.clone(), true))));
    puts.sort_by_key(|(field, put, _)| (put.hlc, put.slot, put.counter, *field));
    Ok(puts
        .into_iter()
        .map(|(field, put, current)| HistoryView {
            field,
            name: field_name(kind, field),
            value: put.value,
            by: circle.device(put.slot),
            at: moment(put.hlc),
            current,
        })
        .collect())
}
