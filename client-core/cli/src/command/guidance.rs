//! `baken guidance` and `baken contacts`: public content, with the vault locked and before any activation.

use baken_core::BakenError;
use baken_core::guidance::{Guidance, HitKind, LayerState, LayerUpdate, Outcome, ReadAs};
use baken_core::transport::http::Dates;
use baken_schemas::edition::{
    BlockView, CardView, ChapterView, ContactView, FactView, Reachable, Shown, Span, Status, plain,
};
use serde_json::json;

use crate::args::{Arguments, ContactsArgs, GuidanceArgs, GuidanceCommand, ReaderArgs};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub async fn run(arguments: &Arguments, guidance: &GuidanceArgs, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let who = read_as(&guidance.reader, &phone, out);
    let open = phone.baken.guidance()?;
    match &guidance.command {
        None => questions(&open, who, out),
        Some(GuidanceCommand::Read { id }) => read(&open, who, id, out)?,
        Some(GuidanceCommand::Search { words }) => search(&open, who, &words.join(" "), out),
        Some(GuidanceCommand::Card { id: Some(id) }) => card(&open.card(who, &found_card(&open, who, id))?, out),
        Some(GuidanceCommand::Card { id: None }) => cards(&open.cards(who), out),
        Some(GuidanceCommand::Check { offline }) => return check(&phone, open.states(), *offline, out).await,
    }
    Ok(End::Done)
}

pub fn contacts(arguments: &Arguments, args: &ContactsArgs, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let contacts = phone.baken.guidance()?.contacts(read_as(&args.reader, &phone, out), args.kind);
    out.json(&json!({ "kind": args.kind, "contacts": contacts }));
    contacts.iter().for_each(|contact| tell_contact(contact, out));
    Ok(End::Done)
}

fn read_as(reader: &ReaderArgs, phone: &Phone, out: &Output) -> ReadAs {
    let audience = reader.audience.unwrap_or_else(|| phone.baken.reads_as());
    ReadAs { language: out.language, audience, office: reader.office }
}

fn questions(guidance: &Guidance, who: ReadAs, out: &Output) {
    let questions = guidance.questions(who);
    out.json(&json!({ "questions": questions, "layers": guidance.states() }));
    for question in &questions {
        out.line(format!("{} ({})", question.question, question.id));
        question.cards.iter().for_each(|card| out.line(format!("  ! {:<24} {}", card.id, card.title)));
        question.chapters.iter().for_each(|chapter| out.line(format!("  - {:<24} {}", chapter.id, chapter.title)));
        for contact in &question.contacts {
            out.line(format!("  > {:<24} {}", contact.number, contact.name));
        }
    }
    tell_stale(guidance.states(), out);
}

/// The chapter whose id begins with what was typed, when there is one alone.
fn read(guidance: &Guidance, who: ReadAs, typed: &str, out: &Output) -> Result<(), Failure> {
    let named = |id: &str| guidance.chapter(who, id);
    let chapter = match named(typed) {
        Err(BakenError::NoSuchGuidance) => {
            let fitting: Vec<String> =
                guidance.chapter_ids().filter(|id| id.starts_with(typed)).map(str::to_owned).collect();
            let [only] = fitting.as_slice() else { return Err(BakenError::NoSuchGuidance.into()) };
            named(only)?
        }
        other => other?,
    };
    out.json(&json!({ "chapter": chapter }));
    tell_chapter(&chapter, out);
    Ok(())
}

/// The id of the card that what was typed begins.
fn found_card(guidance: &Guidance, who: ReadAs, typed: &str) -> String {
    let fitting: Vec<CardView> = guidance.cards(who).into_iter().filter(|card| card.id.starts_with(typed)).collect();
    match fitting.as_slice() {
        [only] => only.id.clone(),
        _ => typed.to_owned(),
    }
}

fn line(spans: &[Span]) -> String {
    plain(spans, true)
}

fn tell_chapter(chapter: &ChapterView, out: &Output) {
    let lang = out.language;
    out.line(out.paint(Colour::Green, &chapter.title));
    out.line(&chapter.summary);
    tell_shown(&chapter.shown, out);
    for BlockView { kind, lines } in &chapter.body {
        out.line("");
        for spans in lines {
            let text = line(spans);
            match *kind {
                "heading" => out.line(out.paint(Colour::Green, &text)),
                "list" => out.line(format!("- {text}")),
                _ => out.line(text),
            }
        }
    }
    out.line("");
    out.line(out.paint(Colour::Green, text::CHECKLIST.of(lang)));
    chapter.checklist.iter().for_each(|item| out.line(format!("[ ] {}", line(item))));
    out.line("");
    chapter.facts.iter().for_each(|fact| tell_fact(fact, out));
    let mut sources: Vec<String> = chapter
        .sources
        .iter()
        .map(|source| source.year.map_or(source.title.clone(), |year| format!("{} ({year})", source.title)))
        .collect();
    // Sections of one source are one to a reader.
    sources.dedup();
    let dates = [chapter.written, chapter.review_by].map(|day| day.to_string());
    out.line(text::SOURCES.with(lang, &[&sources.join("; "), &dates[0], &dates[1]]));
}

/// A fact that is not to be taken as it stands.
pub(super) fn tell_fact(fact: &FactView, out: &Output) {
    let lang = out.language;
    if fact.provenance.status == Status::Unconfirmed {
        let check_at = fact.provenance.check_at.clone().unwrap_or_default();
        let said = fact.text.trim_end_matches('.');
        out.line(out.paint(Colour::Yellow, &text::UNCONFIRMED.with(lang, &[said, &check_at])));
    }
}

pub(super) fn tell_shown(shown: &Shown, out: &Output) {
    if let Some(since) = shown.stale_since {
        out.line(out.paint(Colour::Yellow, &text::MAYBE_STALE.with(out.language, &[&since.to_string()])));
    }
}

pub(super) fn tell_contact(contact: &ContactView, out: &Output) {
    let lang = out.language;
    let colour = if contact.reachable == Reachable::Now { Colour::Green } else { Colour::Yellow };
    let reachable = match contact.reachable {
        Reachable::Now => text::REACHABLE_NOW,
        Reachable::SeeHours => text::REACHABLE_SEE,
        Reachable::Closed => text::REACHABLE_NOT,
    };
    out.line(format!("{}  {} ({})", out.paint(colour, &contact.number), contact.name, reachable.of(lang)));
    out.line(format!("    {} {}", contact.purpose, contact.hours));
    contact.also.iter().for_each(|also| out.line(format!("    {} {also}", text::ALSO.of(lang))));
    if contact.provenance.status == Status::Unconfirmed {
        let check_at = contact.provenance.check_at.clone().unwrap_or_default();
        out.line(format!("    {}", text::UNCONFIRMED_CONTACT.with(lang, &[&check_at])));
    }
    tell_shown(&contact.shown, out);
}

fn card(card: &CardView, out: &Output) {
    out.json(&json!({ "card": card }));
    tell_card(card, out);
}

fn cards(cards: &[CardView], out: &Output) {
    out.json(&json!({ "cards": cards }));
    cards.iter().for_each(|card| tell_card(card, out));
}

pub(super) fn tell_card(card: &CardView, out: &Output) {
    out.line(format!("{} ({})", out.paint(Colour::Red, &card.title), card.id));
    for contact in &card.call {
        out.line(format!("  {} {} ({})", text::CALL.of(out.language), contact.number, contact.name));
    }
    card.lines.iter().for_each(|spans| out.line(format!("  - {}", line(spans))));
    tell_shown(&card.shown, out);
}

fn search(guidance: &Guidance, who: ReadAs, words: &str, out: &Output) {
    let hits = guidance.search(who, words);
    out.json(&json!({ "hits": hits }));
    if hits.is_empty() {
        out.line(text::NOTHING_FOUND.of(out.language));
    }
    for hit in &hits {
        let sign = match hit.kind {
            HitKind::Card => '!',
            HitKind::Chapter => '-',
            HitKind::Contact => '>',
        };
        let id = hit.number.as_ref().unwrap_or(&hit.id);
        out.line(format!("{sign} {id:<24} {}", hit.title));
        out.line(format!("    {}", hit.excerpt));
    }
}

async fn check(phone: &Phone, before: &[LayerState], offline: bool, out: &Output) -> Result<End, Failure> {
    let mut updates = Vec::new();
    let mut layers = before.to_vec();
    if !offline && phone.baken.is_activated() {
        updates = phone.baken.update_guidance(&phone.relay(Dates::Checked)?).await;
        layers = phone.baken.guidance()?.states().to_vec();
    }
    let update = |update: &LayerUpdate| {
        let (outcome, error) = match &update.outcome {
            Ok(outcome) => (Some(*outcome), None),
            Err(error) => (None, Some(error.code().to_owned())),
        };
        json!({ "layer": update.layer, "outcome": outcome, "error": error, "files_fetched": update.files_fetched })
    };
    out.json(&json!({ "layers": layers, "updates": updates.iter().map(update).collect::<Vec<_>>() }));
    let lang = out.language;
    for state in &layers {
        let expires = state.expires.map(|day| day.to_string()).unwrap_or_default();
        out.line(text::LAYER.with(lang, &[state.layer.tag(), &state.name, &state.version.to_string(), &expires]));
        if let Some(fault) = &state.fault {
            out.line(out.paint(Colour::Red, &text::LAYER_FAULT.with(lang, &[fault])));
        }
        if !state.can_update {
            out.line(text::LAYER_WITH_PROGRAM.of(lang));
        }
    }
    tell_stale(&layers, out);
    let mut end = End::Done;
    for LayerUpdate { layer, outcome, files_fetched } in &updates {
        match outcome {
            Ok(Outcome::Updated) => {
                out.line(
                    out.paint(
                        Colour::Green,
                        &text::LAYER_UPDATED.with(lang, &[layer.tag(), &files_fetched.to_string()]),
                    ),
                );
            }
            Ok(Outcome::Unchanged) => out.line(text::UP_TO_DATE.with(lang, &[layer.tag()])),
            Ok(Outcome::None) => {}
            Err(error) => {
                let told = text::NOT_UPDATED.with(lang, &[layer.tag(), &text::core_message(error, lang)]);
                out.line(out.paint(Colour::Yellow, &told));
                end = End::of_waiting(Some(error));
            }
        }
    }
    Ok(end)
}

/// Says of each layer that is past its day.
fn tell_stale(states: &[LayerState], out: &Output) {
    for state in states {
        if let Some(since) = state.stale_since {
            let told = text::MAYBE_STALE.with(out.language, &[&since.to_string()]);
            out.line(out.paint(Colour::Yellow, &format!("{}: {told}", state.layer)));
        }
    }
}
