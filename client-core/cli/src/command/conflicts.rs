//! `baken conflicts`: fields that two devices put without knowing of each other.

use baken_core::BakenError;
use baken_core::circle::CircleView;
use baken_core::record::ConflictView;
use baken_schemas::record::{self, DELETED, FieldSpec, FieldType, Value};
use serde_json::{Value as Json, json};

use super::{author, short};
use crate::args::{Arguments, ConflictsCommand};
use crate::command::record::{find_record, holds};
use crate::failure::{End, Failure};
use crate::output::Output;
use crate::phone::Phone;
use crate::text;
use crate::value::{field_name, read, to_text, values_json};

pub fn run(arguments: &Arguments, command: &ConflictsCommand, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    match command {
        ConflictsCommand::List => {
            let (conflicts, circles) = (baken.conflicts()?, baken.circles()?);
            out.json(&json!({"conflicts": conflicts.iter().map(to_json).collect::<Vec<_>>()}));
            let rows: Vec<Vec<String>> = conflicts.iter().flat_map(|conflict| rows(conflict, &circles)).collect();
            let head = [text::RECORD, text::KIND, text::FIELD].map(|text| text.of(out.language));
            let [record, kind, field] = head;
            out.table(
                &[
                    record,
                    kind,
                    field,
                    "#",
                    text::VALUE.of(out.language),
                    text::BY.of(out.language),
                    text::AT.of(out.language),
                ],
                &rows,
            );
        }
        ConflictsCommand::Resolve { record, field, take, value } => {
            let record = find_record(&baken, record)?;
            let conflicts = baken.conflicts()?;
            let conflict = conflicts
                .iter()
                .find(|conflict| conflict.record == record && field_name(conflict.name, conflict.field) == *field)
                .ok_or(BakenError::NoConflict)?;
            let chosen = match (take, value) {
                (Some(number), _) => {
                    let index = number.checked_sub(1).ok_or(Failure::Input("no_such_value"))?;
                    conflict.values.get(index).ok_or(Failure::Input("no_such_value"))?.value.clone()
                }
                (None, Some(typed)) => read_value(conflict, typed)?,
                (None, None) => return Err(Failure::Input("no_such_value")),
            };
            baken.resolve(record, conflict.field, chosen)?;
            out.json(&json!({"record": record, "field": field}));
            out.line(text::MADE.with(out.language, &[&short(record)]));
        }
    }
    Ok(End::Done)
}

fn read_value(conflict: &ConflictView, typed: &str) -> Result<Value, Failure> {
    if conflict.field == DELETED {
        return read(&FieldSpec { number: DELETED, name: "deleted", holds: FieldType::Bool, words: &[] }, typed);
    }
    let kind = record::kind_numbered(conflict.kind).ok_or(BakenError::UnknownKind)?;
    read(kind.field_numbered(conflict.field).ok_or(BakenError::UnknownField)?, typed)
}

fn to_json(conflict: &ConflictView) -> Json {
    json!({
        "record": conflict.record,
        "circle": conflict.circle,
        "kind": field_name(conflict.kind_name, conflict.kind),
        "field": field_name(conflict.name, conflict.field),
        "values": values_json(&conflict.values),
    })
}

fn rows(conflict: &ConflictView, circles: &[CircleView]) -> Vec<Vec<String>> {
    let holds = holds(conflict.kind, conflict.field);
    let row = |(index, view): (usize, &baken_core::record::ValueView)| {
        vec![
            short(conflict.record),
            field_name(conflict.kind_name, conflict.kind),
            field_name(conflict.name, conflict.field),
            (index + 1).to_string(),
            to_text(&view.value, holds),
            author(circles, conflict.circle, view.by),
            view.at.to_rfc3339(),
        ]
    };
    conflict.values.iter().enumerate().map(row).collect()
}
