//! Guidance and public contacts: no PIN, no account, no network.

use baken_core::BakenError;
use baken_core::guidance::ReadAs;
use serde_json::{Value as Json, json};

use crate::arguments::Arguments;
use crate::phone::Phone;

fn read_as(phone: &Phone, with: &Arguments) -> ReadAs {
    ReadAs {
        language: with.language(),
        audience: with.read("audience").unwrap_or_else(|| phone.baken.reads_as()),
        office: phone.baken.own_office().ok().flatten(),
    }
}

pub(super) fn overview(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let (guidance, who) = (phone.baken.guidance()?, read_as(phone, with));
    let chapters: Vec<Json> = guidance
        .chapter_ids()
        .filter_map(|id| guidance.chapter(who, id).ok())
        .map(|chapter| json!({ "id": chapter.id, "title": chapter.title, "summary": chapter.summary }))
        .collect();
    let cards: Vec<Json> = guidance
        .cards(who)
        .iter()
        .map(|card| json!({ "id": card.id, "title": card.title, "kinds": card.kinds }))
        .collect();
    Ok(json!({
        "questions": guidance.questions(who),
        "cards": cards,
        "chapters": chapters,
        "layers": guidance.states(),
        "audience": who.audience,
    }))
}

pub(super) fn chapter(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let (guidance, who) = (phone.baken.guidance()?, read_as(phone, with));
    let chapter = guidance.chapter(who, with.text("id"))?;
    Ok(json!({ "chapter": chapter, "numbers": numbers(&guidance, who) }))
}

pub(super) fn card(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let (guidance, who) = (phone.baken.guidance()?, read_as(phone, with));
    let card = guidance.card(who, with.text("id"))?;
    Ok(json!({ "card": card, "numbers": numbers(&guidance, who) }))
}

/// Each contact's number by id, for what a text names.
fn numbers(guidance: &baken_core::guidance::Guidance, who: ReadAs) -> Json {
    let contacts = guidance.contacts(who, None);
    contacts.into_iter().map(|contact| (contact.id, json!(contact.number))).collect::<serde_json::Map<_, _>>().into()
}

pub(super) fn search(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let guidance = phone.baken.guidance()?;
    Ok(json!(guidance.search(read_as(phone, with), with.text("words"))))
}

pub(super) fn contacts(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    Ok(json!(phone.baken.guidance()?.contacts(read_as(phone, with), None)))
}

pub(super) async fn update(phone: &Phone) -> Result<Json, BakenError> {
    let updates = phone.baken.update_guidance(&phone.relay()?).await;
    Ok(json!({ "failed": updates.iter().filter(|update| update.outcome.is_err()).count() }))
}
