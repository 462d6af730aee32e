//! Values as they are typed and printed: text, `true`, a number, a moment ([`moment::written`]).

use baken_core::record::{FieldView, RecordView, ValueView};
use baken_schemas::local_time::local;
use baken_schemas::record::{FieldSpec, FieldType, KindSpec, Value};
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::moment;

/// Reads `FIELD=VALUE`s of a kind.
///
/// # Errors
/// [`Failure::Input`], and [`baken_core::BakenError::UnknownField`].
pub fn fields(kind: &KindSpec, typed: &[String]) -> Result<Vec<(String, Value)>, Failure> {
    typed
        .iter()
        .map(|typed| {
            let (name, value) = typed.split_once('=').ok_or(Failure::Input("no_equals_sign"))?;
            let field = kind.field_named(name).ok_or(baken_core::BakenError::UnknownField)?;
            Ok((name.to_owned(), read(field, value)?))
        })
        .collect()
}

/// Reads the value of a field; nothing typed empties it.
///
/// # Errors
/// [`Failure::Input`] naming the type that was expected.
pub fn read(field: &FieldSpec, typed: &str) -> Result<Value, Failure> {
    if typed.is_empty() {
        return Ok(Value::Empty);
    }
    match field.holds {
        FieldType::Text => Ok(Value::Text(typed.to_owned())),
        FieldType::Bool => match typed.to_lowercase().as_str() {
            "true" | "ja" | "yes" => Ok(Value::Bool(true)),
            "false" | "nee" | "no" => Ok(Value::Bool(false)),
            _ => Err(Failure::Input("value_not_bool")),
        },
        FieldType::Int => typed.parse().map(Value::Int).map_err(|_| Failure::Input("value_not_int")),
        FieldType::Bytes => Err(Failure::Input("value_bytes")),
        FieldType::Time => moment::written(typed).map(|at| Value::Int(at.0)).ok_or(Failure::Input("value_not_time")),
    }
}

/// A value for programs.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Bool(bool) => json!(bool),
        Value::Int(int) => json!(int),
        Value::Bytes(bytes) => json!({"bytes": HEXLOWER.encode(bytes)}),
        Value::Empty => Json::Null,
        Value::Newer(item) => json!({"newer": HEXLOWER.encode(item)}),
    }
}

/// A value for people. `holds` is the field's type, where it is known.
pub fn to_text(value: &Value, holds: Option<FieldType>) -> String {
    match (value, holds) {
        (Value::Text(text), _) => text.clone(),
        (Value::Bool(bool), _) => bool.to_string(),
        (Value::Int(ms), Some(FieldType::Time)) => local(Timestamp(*ms)),
        (Value::Int(int), _) => int.to_string(),
        (Value::Bytes(bytes), _) => format!("{} bytes", bytes.len()),
        (Value::Empty, _) => "-".to_owned(),
        (Value::Newer(_), _) => "(…)".to_owned(),
    }
}

/// The name of a field, or its number when a newer version made it.
pub fn field_name(name: Option<&str>, number: u16) -> String {
    name.map_or_else(|| format!("#{number}"), str::to_owned)
}

/// A record for programs: a field's value, and under `conflicts` those with several.
pub fn record_json(record: &RecordView) -> Json {
    let single = record.fields.iter().filter_map(|field| match field.values.as_slice() {
        [only] => Some((field_name(field.name, field.field), to_json(&only.value))),
        _ => None,
    });
    let several = record.fields.iter().filter(|field| field.values.len() > 1);
    json!({
        "record": record.record,
        "circle": record.circle,
        "kind": field_name(record.kind_name, record.kind),
        "deleted": record.deleted,
        "deletion_held": record.deletion_held,
        "erased": record.erased,
        "newer": record.newer,
        "fields": single.collect::<Map<String, Json>>(),
        "conflicts": several.map(conflict_entry).collect::<Map<String, Json>>(),
    })
}

fn conflict_entry(field: &FieldView) -> (String, Json) {
    (field_name(field.name, field.field), values_json(&field.values))
}

/// Several values, each with who put it and when.
pub fn values_json(values: &[ValueView]) -> Json {
    values.iter().map(|view| json!({"value": to_json(&view.value), "by": view.by, "at": view.at})).collect()
}
