//! What a person writes down, on every device of theirs.

use baken_core::BakenError;
use baken_core::guidance::ReadAs;
use baken_core::scan::Scan;
use baken_schemas::edition::Audience;
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::circles;
use crate::arguments::Arguments;
use crate::phone::{Phone, now};
use crate::values;

/// How far ahead the agenda looks where nothing else is asked, in milliseconds: a year.
const AGENDA_MS: i64 = 366 * 24 * 60 * 60 * 1000;

pub(super) fn all(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let copies = phone.baken.shared_copies()?;
    let kind = Some(with.text("kind")).filter(|kind| !kind.is_empty());
    let mut records = phone.baken.records(kind)?;
    // What is shared in a case is a copy of what is here.
    records.retain(|record| !copies.contains(&record.record));
    Ok(records.iter().map(values::record).collect())
}

pub(super) fn create(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let kind = with.text("kind");
    let fields = values::fields(kind, with.0.get("fields"))?;
    let record = match with.text("circle") {
        "" => phone.baken.create(kind, fields)?,
        _ => phone.baken.create_in(circles::circle(with)?, kind, fields)?,
    };
    Ok(json!({ "record": record }))
}

pub(super) fn put(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let record = with.record()?;
    let kind = phone.baken.record(record)?.kind_name.ok_or(BakenError::UnknownKind)?;
    phone.baken.put(record, values::fields(kind, with.0.get("fields"))?)?;
    Ok(json!({}))
}

pub(super) fn delete(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.delete(with.record()?)?;
    Ok(json!({}))
}

pub(super) fn restore(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    phone.baken.restore(with.record()?)?;
    Ok(json!({}))
}

/// Writes an incident down: a record where the vault is open, a sealed note where it is locked.
pub(super) fn note_incident(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let fields = values::fields("incident", with.0.get("fields"))?;
    if phone.baken.is_unlocked() {
        return Ok(json!({ "record": phone.baken.create("incident", fields)? }));
    }
    Ok(json!({ "waiting": phone.baken.note_incident(fields)? }))
}

pub(super) fn conflicts(phone: &Phone) -> Result<Json, BakenError> {
    let devices = phone.baken.known_devices()?;
    let conflicts = phone.baken.conflicts()?;
    let told = conflicts.iter().map(|conflict| {
        json!({
            "record": conflict.record,
            "kind": conflict.kind_name,
            "field": conflict.field,
            "name": conflict.name,
            "values": values::standing(&conflict.values),
        })
    });
    Ok(json!({ "conflicts": told.collect::<Vec<_>>(), "devices": devices }))
}

/// Chooses one of the values that stand, by its place.
pub(super) fn resolve(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let (record, name) = (with.record()?, with.text("name"));
    let conflicts = phone.baken.conflicts()?;
    let conflict = conflicts.iter().find(|conflict| conflict.record == record && conflict.name == Some(name));
    let conflict = conflict.ok_or(BakenError::UnknownField)?;
    let chosen = with.number("choice").and_then(|place| usize::try_from(place).ok());
    let value = chosen.and_then(|place| conflict.values.get(place)).ok_or(BakenError::ValueRefused)?;
    phone.baken.resolve(record, conflict.field, value.value.clone())?;
    Ok(json!({}))
}

pub(super) async fn sync(phone: &Phone) -> Result<Json, BakenError> {
    phone.baken.sync(&phone.relay()?).await?;
    phone.tell_records();
    Ok(json!({}))
}

pub(super) fn agenda(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let language = with.language();
    let until = with.number("until").map_or_else(|| now().plus_ms(AGENDA_MS), Timestamp);
    let items = phone.baken.agenda(until)?;
    let told = items.iter().map(|item| {
        let mut told = json!(item);
        told["title"] = json!(item.due.title(language));
        told
    });
    Ok(told.collect())
}

fn reader(phone: &Phone, with: &Arguments) -> ReadAs {
    let office = phone.baken.own_office().ok().flatten();
    ReadAs { language: with.language(), audience: Audience::OfficeHolder, office }
}

pub(super) fn scan(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let view = phone.baken.guidance()?.scan(reader(phone, with))?;
    let scan: Scan = phone.baken.scan()?;
    Ok(json!({
        "gate": view.gate,
        "gate_cards": view.gate_cards,
        "past_gate": scan.is_past_gate(now()),
        "questions": view.questions,
        "answers": scan.answers(),
        "next": view.next(&scan).map(|question| question.id),
        "result": view.result(&scan),
        "closing": view.closing,
        "closing_contact": view.closing_contact,
    }))
}

pub(super) fn scan_gate(phone: &Phone) -> Result<Json, BakenError> {
    phone.baken.scan_pass_gate()?;
    Ok(json!({}))
}

pub(super) fn scan_answer(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let view = phone.baken.guidance()?.scan(reader(phone, with))?;
    let question = with.number("question").and_then(|id| u8::try_from(id).ok()).ok_or(BakenError::NoSuchQuestion)?;
    let reply = with.read("reply").ok_or(BakenError::NotAnAnswer)?;
    let tip = phone.baken.scan_answer(&view, question, reply)?;
    Ok(json!({ "tip": tip }))
}
