//! `baken signal`: what struck somebody, who was told, and signals beside each other. It writes down; it tells nobody.

use baken_core::Baken;
use baken_core::guidance::ReadAs;
use baken_core::incident::{Group, SignalView, TOLD, Together, WINDOW_DAYS, label};
use baken_schemas::Language;
use baken_schemas::edition::Audience;
use baken_schemas::id::RecordId;
use baken_schemas::local_time::local;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::incident::find_incident;
use super::rights::tell_source;
use super::short;
use crate::args::{Arguments, SignalCommand};
use crate::failure::{End, Failure};
use crate::moment::past;
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub fn run(arguments: &Arguments, command: &SignalCommand, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let now = clock().now();
    let moment = |typed: &Option<String>| {
        typed.as_deref().map_or(Ok(now), |typed| past(typed, now).ok_or(Failure::Input("value_not_time")))
    };
    match command {
        SignalCommand::Add { what, at, place, threat_source, told } => {
            let at = moment(at)?;
            let named = [("place", place), ("threat_source", threat_source)];
            let mut fields: Vec<(String, Value)> = Vec::new();
            fields.extend(
                named.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::Text(text.clone()?)))),
            );
            fields.extend(ticks(told, now));
            let record = add(&baken, what, at, &fields, out)?;
            out.json(&json!({"record": record}));
        }
        SignalCommand::Told { signal, whom, at } => {
            let record = find_incident(&baken, signal)?;
            // An incident has its own way: `baken incident report`.
            if baken.record(record)?.kind_name != Some("signal") {
                return Err(Failure::Input("not_a_signal"));
            }
            baken.put(record, ticks(whom, moment(at)?))?;
            out.json(&json!({"record": record}));
            out.line(text::SIGNAL_TOLD.with(out.language, &[&short(record)]));
        }
        SignalCommand::List => list(&baken, out)?,
    }
    Ok(End::Done)
}

/// Writes a signal down.
pub(super) fn add(
    baken: &Baken,
    what: &str,
    at: Timestamp,
    more: &[(String, Value)],
    out: &Output,
) -> Result<RecordId, Failure> {
    if what.trim().is_empty() {
        return Err(Failure::Input("what_missing"));
    }
    let mut fields = vec![("what".to_owned(), Value::Text(what.to_owned())), ("seen_at".to_owned(), Value::Int(at.0))];
    fields.extend_from_slice(more);
    let record = baken.create("signal", fields)?;
    out.line(text::SIGNAL_ADDED.with(out.language, &[&short(record)]));
    Ok(record)
}

fn ticks(whom: &[String], at: Timestamp) -> Vec<(String, Value)> {
    let ticked = TOLD.iter().filter(|(name, _)| whom.iter().any(|whom| whom == name));
    ticked.map(|(_, field)| ((*field).to_owned(), Value::Int(at.0))).collect()
}

fn list(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let lang = out.language;
    let signals = baken.signals()?;
    let who = ReadAs { language: lang, audience: Audience::OfficeHolder, office: None };
    let guidance = baken.guidance()?;
    let combined = guidance.fact(who, "signals-combined").ok();
    out.json(&json!({"days": WINDOW_DAYS, "signals": signals.signals, "together": signals.together,
        "untold": signals.untold, "fact": combined}));
    let row = |signal: &SignalView| {
        let told: Vec<&str> =
            TOLD.iter().filter(|(name, _)| signal.told.contains_key(name)).map(|(name, _)| whom(name, lang)).collect();
        vec![
            signal.item.at.map(local).unwrap_or_default(),
            short(signal.item.record),
            signal.item.what.chars().take(60).collect(),
            signal.item.place.chars().take(30).collect(),
            label(&signal.item.threat_source, lang).to_owned(),
            told.join(", "),
        ]
    };
    let head = [text::WHEN, text::RECORD, text::WHAT, text::SEEN_WHERE, text::SOURCE, text::TOLD];
    out.table(&head.map(|text| text.of(lang)), &signals.signals.iter().map(row).collect::<Vec<_>>());
    for group in &signals.together {
        tell_group(group, out);
    }
    if !signals.together.is_empty() {
        combined.iter().for_each(|fact| tell_source(fact, out));
        out.line(out.paint(Colour::Yellow, text::SIGNALS_TOGETHER.of(lang)));
    }
    if !signals.untold.is_empty() {
        let ids: Vec<String> = signals.untold.iter().map(short).collect();
        out.line(out.paint(Colour::Yellow, &text::SIGNALS_UNTOLD.with(lang, &[&ids.join(", ")])));
    }
    baken.shown(&signals.signals.iter().map(|signal| signal.item.record).collect::<Vec<_>>())?;
    Ok(())
}

fn tell_group(group: &Group, out: &Output) {
    let (nl, en) = match group.why {
        Together::SamePerpetrator => ("zelfde dader", "same perpetrator"),
        Together::SameSource => ("zelfde bron", "same source"),
        Together::SamePlace => ("zelfde plaats", "same place"),
        Together::SameTime => ("kort na elkaar", "close in time"),
    };
    let ids: Vec<String> = group.records.iter().map(short).collect();
    out.line(format!("{}: {}", out.language.pick(nl, en), ids.join(", ")));
}

fn whom(name: &str, language: Language) -> &'static str {
    let (nl, en) = match name {
        "driehoek" => ("driehoek", "driehoek"),
        "region" => ("regioburgemeester", "regional mayor"),
        _ => ("politie", "police"),
    };
    language.pick(nl, en)
}
