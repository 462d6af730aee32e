//! `baken record`: what a circle shares, record by record. All of it works offline.

use baken_core::circle::CircleView;
use baken_core::record::{DeletionView, FieldView, HistoryView, RecordHit, RecordView};
use baken_core::{Baken, BakenError};
use baken_schemas::id::RecordId;
use baken_schemas::record::{self, DELETED, FieldType, KindSpec, Value};
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::circle::{circle_name, find_circle};
use super::{author, deletions, find, short};
use crate::args::{Arguments, RecordCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;
use crate::value::{field_name, fields, record_json, to_json, to_text};

/// The most characters of a field in a list.
const MAX_CELL_CHARS: usize = 60;

pub fn run(arguments: &Arguments, command: &RecordCommand, out: &Output) -> Result<End, Failure> {
    if matches!(command, RecordCommand::Kinds) {
        kinds(out);
        return Ok(End::Done);
    }
    let baken = Phone::unlocked(arguments, out)?.baken;
    match command {
        RecordCommand::Kinds => {}
        RecordCommand::List { kind, circle, deleted } => {
            let circles = baken.circles()?;
            let only = circle.as_deref().map(|typed| find_circle(&circles, typed)).transpose()?;
            let mut records = baken.records(kind.as_deref())?;
            records.retain(|record| *deleted || !record.deleted);
            records.retain(|record| only.is_none_or(|only| only.circle == record.circle));
            if kind.is_none() {
                // Others are listed only when they are asked for by name.
                records.retain(|record| record::kind_numbered(record.kind).is_none_or(KindSpec::is_shown));
            }
            out.json(&json!({"records": records.iter().map(record_json).collect::<Vec<_>>()}));
            let circles = if only.is_none() && circles.len() > 1 { &circles[..] } else { &[] };
            list(&records, circles, &baken.deletions()?, out);
            baken.shown(&records.iter().map(|record| record.record).collect::<Vec<_>>())?;
        }
        RecordCommand::Search { words } => search(&baken, &words.join(" "), out)?,
        RecordCommand::Show { record } => show(&baken, find_record(&baken, record)?, out)?,
        RecordCommand::Add { circle, kind, fields: typed } => {
            let spec = record::kind_named(kind).ok_or(BakenError::UnknownKind)?;
            let fields = fields(spec, typed)?;
            let record = match circle {
                Some(circle) => baken.create_in(find_circle(&baken.circles()?, circle)?.circle, kind, fields)?,
                None => baken.create(kind, fields)?,
            };
            made(record, out);
        }
        RecordCommand::Set { record, fields: typed } => {
            let record = find_record(&baken, record)?;
            let spec = record::kind_numbered(baken.record(record)?.kind).ok_or(BakenError::UnknownKind)?;
            baken.put(record, fields(spec, typed)?)?;
            made(record, out);
        }
        RecordCommand::Delete { record } => {
            let record = find_record(&baken, record)?;
            baken.delete(record)?;
            made(record, out);
        }
        RecordCommand::Restore { record } => {
            let record = find_record(&baken, record)?;
            baken.restore(record)?;
            made(record, out);
        }
        RecordCommand::Deletions { confirm, undo } => {
            return deletions::run(&baken, confirm.as_deref(), undo.as_deref(), out);
        }
        RecordCommand::History { record } => history(&baken, find_record(&baken, record)?, out)?,
        RecordCommand::Revert { record, field, number } => {
            let record = find_record(&baken, record)?;
            revert(&baken, record, field, *number)?;
            made(record, out);
        }
    }
    Ok(End::Done)
}

fn search(baken: &Baken, words: &str, out: &Output) -> Result<(), Failure> {
    let hits = baken.search_records(words)?;
    let json = |hit: &RecordHit| json!({"record": record_json(&hit.record), "field": hit.field, "line": hit.excerpt});
    out.json(&json!({"hits": hits.iter().map(json).collect::<Vec<_>>()}));
    if hits.is_empty() {
        out.line(text::NOTHING_FOUND.of(out.language));
        return Ok(());
    }
    let row = |hit: &RecordHit| {
        let found = hit.excerpt.chars().take(MAX_CELL_CHARS).collect();
        let kind = field_name(hit.record.kind_name, hit.record.kind);
        vec![short(hit.record.record), kind, hit.field.to_owned(), found, states(&hit.record, &[], out)]
    };
    let head = [text::RECORD, text::KIND, text::FIELD, text::VALUE, text::STATE];
    out.table(&head.map(|text| text.of(out.language)), &hits.iter().map(row).collect::<Vec<_>>());
    baken.shown(&hits.iter().map(|hit| hit.record.record).collect::<Vec<_>>())?;
    Ok(())
}

/// The record whose id begins so.
///
/// # Errors
/// [`BakenError::NoSuchRecord`], or that there are several.
pub fn find_record(baken: &Baken, typed: &str) -> Result<RecordId, Failure> {
    if let Ok(record) = typed.parse() {
        return Ok(record);
    }
    let ids: Vec<RecordId> = baken.records(None)?.iter().map(|record| record.record).collect();
    find(&ids, typed, BakenError::NoSuchRecord.into())
}

fn made(record: RecordId, out: &Output) {
    out.json(&json!({"record": record}));
    out.line(text::MADE.with(out.language, &[&short(record)]));
}

fn kinds(out: &Output) {
    out.json(&json!({"kinds": record::KINDS}));
    let row = |kind: &KindSpec, field: &record::FieldSpec| {
        let holds = format!("{:?}", field.holds).to_lowercase();
        let holds = if field.words.is_empty() { holds } else { field.words.join(", ") };
        vec![kind.name.to_owned(), field.name.to_owned(), holds]
    };
    let rows: Vec<Vec<String>> =
        record::KINDS.iter().flat_map(|kind| kind.fields.iter().map(move |field| row(kind, field))).collect();
    out.table(&[text::KIND, text::FIELD, text::HOLDS].map(|text| text.of(out.language)), &rows);
}

/// A table of records; which circle each is in, where there are several.
fn list(records: &[RecordView], circles: &[CircleView], deletions: &[DeletionView], out: &Output) {
    let mut head = [text::RECORD, text::KIND, text::VALUE, text::STATE].map(|text| text.of(out.language)).to_vec();
    let mut rows: Vec<Vec<String>> = records.iter().map(|record| list_row(record, deletions, out)).collect();
    if !circles.is_empty() {
        head.insert(1, text::CIRCLE.of(out.language));
        for (row, record) in rows.iter_mut().zip(records) {
            let circle = circles.iter().find(|circle| circle.circle == record.circle);
            row.insert(1, circle.map(|circle| circle_name(circle, out.language)).unwrap_or_default());
        }
    }
    out.table(&head, &rows);
}

fn list_row(record: &RecordView, deletions: &[DeletionView], out: &Output) -> Vec<String> {
    let first = record.fields.first().map(|field| field_text(record, field)).unwrap_or_default();
    let first: String = first.chars().take(MAX_CELL_CHARS).collect();
    vec![short(record.record), field_name(record.kind_name, record.kind), first, states(record, deletions, out)]
}

/// What is to be known of a record beside its fields.
fn states(record: &RecordView, deletions: &[DeletionView], out: &Output) -> String {
    let mut states = deletion_states(record, deletions, out);
    if record.is_confidential() {
        states.push(text::CONFIDENTIAL.of(out.language).to_owned());
    }
    if record.in_conflict {
        states.push(text::IN_CONFLICT.of(out.language).to_owned());
    }
    if record.newer {
        states.push(text::NEWER.of(out.language).to_owned());
    }
    states.join(", ")
}

/// That a record is deleted, or would be, and until when it comes back.
fn deletion_states(record: &RecordView, deletions: &[DeletionView], out: &Output) -> Vec<String> {
    let deletion = deletions.iter().find(|view| (view.record, view.circle) == (record.record, record.circle));
    let mut states = Vec::new();
    if record.deleted {
        states.push(text::DELETED.of(out.language).to_owned());
    }
    if let Some(deletion) = deletion.filter(|_| record.deleted || record.deletion_held.is_some()) {
        states.push(deletions::state(deletion, out));
    }
    states
}

fn show(baken: &Baken, record: RecordId, out: &Output) -> Result<(), Failure> {
    let view = baken.record(record)?;
    out.json(&record_json(&view));
    let circles = baken.circles()?;
    let circle = circles.iter().find(|circle| circles.len() > 1 && circle.circle == view.circle);
    let within = circle.map(|circle| format!("  ({})", circle_name(circle, out.language))).unwrap_or_default();
    out.line(format!("{}  {}{within}", view.record, field_name(view.kind_name, view.kind)));
    for field in &view.fields {
        let value = field_text(&view, field);
        let value = if field.values.len() > 1 { out.paint(Colour::Yellow, &value) } else { value };
        out.line(format!("  {:<16} {value}", field_name(field.name, field.field)));
    }
    for state in deletion_states(&view, &baken.deletions()?, out) {
        out.line(state);
    }
    if view.is_confidential() {
        out.line(out.paint(Colour::Red, text::CONFIDENTIAL.of(out.language)));
    }
    baken.shown(&[record])?;
    Ok(())
}

fn history(baken: &Baken, record: RecordId, out: &Output) -> Result<(), Failure> {
    let RecordView { kind, circle, .. } = baken.record(record)?;
    let (puts, circles) = (baken.history(record)?, baken.circles()?);
    let numbers = numbers(&puts);
    let entries: Json = puts
        .iter()
        .zip(&numbers)
        .map(|(put, number)| {
            json!({
                "field": field_name(put.name, put.field),
                "number": number,
                "value": to_json(&put.value),
                "by": put.by,
                "at": put.at,
                "current": put.current,
            })
        })
        .collect();
    out.json(&json!({"record": record, "history": entries}));
    let rows: Vec<Vec<String>> = puts
        .iter()
        .zip(&numbers)
        .map(|(put, number)| {
            vec![
                Timestamp::to_rfc3339(put.at),
                author(&circles, circle, put.by),
                field_name(put.name, put.field),
                number.to_string(),
                to_text(&put.value, holds(kind, put.field)),
                if put.current { text::YES.of(out.language).to_owned() } else { String::new() },
            ]
        })
        .collect();
    let [at, by, field, value, since] =
        [text::AT, text::BY, text::FIELD, text::VALUE, text::SINCE].map(|text| text.of(out.language));
    out.table(&[at, by, field, "#", value, since], &rows);
    baken.shown(&[record])?;
    Ok(())
}

/// Each put's number among those of its field, the oldest being 1.
fn numbers(puts: &[HistoryView]) -> Vec<usize> {
    let before = |index: usize, put: &HistoryView| puts.iter().take(index).filter(|old| old.field == put.field).count();
    puts.iter().enumerate().map(|(index, put)| before(index, put) + 1).collect()
}

/// Puts a value of the history back, as a new change: what replaced it stays in the history.
fn revert(baken: &Baken, record: RecordId, field: &str, number: usize) -> Result<(), Failure> {
    let puts = baken.history(record)?;
    let mut of_field = puts.iter().filter(|put| field_name(put.name, put.field) == field).peekable();
    if of_field.peek().is_none() {
        return Err(BakenError::UnknownField.into());
    }
    let index = number.checked_sub(1).ok_or(Failure::Input("no_such_version"))?;
    let put = of_field.nth(index).ok_or(Failure::Input("no_such_version"))?;
    match &put.value {
        Value::Bool(true) if put.field == DELETED => baken.delete(record)?,
        _ if put.field == DELETED => baken.restore(record)?,
        value => baken.put(record, vec![(field.to_owned(), value.clone())])?,
    }
    Ok(())
}

fn field_text(record: &RecordView, field: &FieldView) -> String {
    let holds = holds(record.kind, field.field);
    field.values.iter().map(|view| to_text(&view.value, holds)).collect::<Vec<_>>().join(" | ")
}

/// What a field holds, where this version knows it.
pub fn holds(kind: record::KindNumber, field: record::FieldNumber) -> Option<FieldType> {
    record::kind_numbered(kind)?.field_numbered(field).map(|field| field.holds)
}
