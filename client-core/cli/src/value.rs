//! Values as they are typed and printed: text, `true`, a number, a moment in RFC 3339.

use baken_core::record::{FieldView, RecordView, ValueView};
use baken_schemas::local_time::{WallTime, local};
use baken_schemas::record::{FieldSpec, FieldType, KindSpec, Value};
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;

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
        FieldType::Time => {
            // As it is shown, too: by the clock on the wall, whose seconds nobody types.
            let minutes =
                if typed.matches(':').count() == 2 { typed.rsplit_once(':').map(|(rest, _)| rest) } else { None };
            let minutes = minutes.unwrap_or(typed);
            let shown = || minutes.contains('-').then(|| crate::moment::moment(minutes, Timestamp(0))).flatten();
            moment(typed).or_else(shown).map(|at| Value::Int(at.0)).ok_or(Failure::Input("value_not_time"))
        }
    }
}

/// `2026-11-23T20:15:07Z`, or `2026-11-23` for the beginning of that day in the Netherlands: lists show it by that clock.
pub fn moment(typed: &str) -> Option<Timestamp> {
    let (date, time) = typed.split_once('T').unwrap_or((typed, "00:00:00Z"));
    let numbers = |text: &str, by: char| text.split(by).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>();
    let [year, month, day] = numbers(date, '-')?.try_into().ok()?;
    let [hour, minute, second] = numbers(time.strip_suffix('Z')?, ':')?.try_into().ok()?;
    let fits = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !fits {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let at = Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000);
    // 31 February and the like come out as another day.
    let is_day = at.to_rfc3339().starts_with(&format!("{year:04}-{month:02}-{day:02}"));
    let at = if typed.contains('T') { at } else { WallTime { day: days, minute: 0 }.moment() };
    is_day.then_some(at)
}

/// Days since 1970-01-01 of a Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59Z", "2026-11-23T20:23:27Z"] {
            assert_eq!(moment(text).map(Timestamp::to_rfc3339).as_deref(), Some(text));
        }
        assert_eq!(moment("2026-11-23"), moment("2026-11-22T23:00:00Z"), "midnight on the wall, in winter");
        assert_eq!(moment("2026-07-01"), moment("2026-06-30T22:00:00Z"), "and in summer");
        for text in ["2026-02-29", "2026-13-01", "2026-11-23T24:00:00Z", "2026-11-23T10:00:00", "morgen", "-1-1-1"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
