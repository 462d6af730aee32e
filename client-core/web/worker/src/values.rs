//! Records and their values as a screen has them: by name, a moment as milliseconds.

use baken_core::BakenError;
use baken_core::record::{RecordView, ValueView};
use baken_schemas::record::{FieldType, Value, kind_named};
use serde_json::{Map, Value as Json, json};

/// Reads what a screen puts into a record of this kind; `null` and an empty text empty a field.
pub(crate) fn fields(kind: &str, given: Option<&Json>) -> Result<Vec<(String, Value)>, BakenError> {
    let kind = kind_named(kind).ok_or(BakenError::UnknownKind)?;
    let given = given.and_then(Json::as_object).ok_or(BakenError::UnknownField)?;
    let read = |(name, value): (&String, &Json)| {
        let field = kind.field_named(name).ok_or(BakenError::UnknownField)?;
        Ok((name.clone(), value_of(field.holds, value)?))
    };
    given.iter().map(read).collect()
}

/// A value of this type.
pub(crate) fn value_of(holds: FieldType, value: &Json) -> Result<Value, BakenError> {
    match (holds, value) {
        (_, Json::Null) => Ok(Value::Empty),
        (FieldType::Text, Json::String(text)) if text.is_empty() => Ok(Value::Empty),
        (FieldType::Text, Json::String(text)) => Ok(Value::Text(text.clone())),
        (FieldType::Bool, Json::Bool(is)) => Ok(Value::Bool(*is)),
        (FieldType::Int | FieldType::Time, value) => value.as_i64().map(Value::Int).ok_or(BakenError::ValueRefused),
        _ => Err(BakenError::ValueRefused),
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Bool(is) => json!(is),
        Value::Int(int) => json!(int),
        Value::Bytes(bytes) => json!({ "bytes": bytes.len() }),
        Value::Empty => Json::Null,
        Value::Newer(_) => json!({ "newer": true }),
    }
}

/// Several values, each with who put it and when.
pub(crate) fn standing(values: &[ValueView]) -> Json {
    values.iter().map(|view| json!({ "value": value(&view.value), "by": view.by, "at": view.at })).collect()
}

/// A record; of a field with several values the newest is among the fields, and all are in `conflicts`.
pub(crate) fn record(record: &RecordView) -> Json {
    let name = |name: Option<&str>, number: u16| name.map_or_else(|| format!("#{number}"), str::to_owned);
    let mut fields = Map::new();
    let mut conflicts = Map::new();
    for field in &record.fields {
        let name = name(field.name, field.field);
        if field.values.len() > 1 {
            conflicts.insert(name.clone(), standing(&field.values));
        }
        if let Some(newest) = field.values.iter().max_by_key(|view| view.at) {
            fields.insert(name, value(&newest.value));
        }
    }
    json!({
        "record": record.record,
        "circle": record.circle,
        "kind": record.kind_name,
        "deleted": record.deleted,
        "fields": fields,
        "conflicts": conflicts,
    })
}
