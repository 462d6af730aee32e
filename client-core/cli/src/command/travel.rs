//! `baken travel`: the dossier off this phone for a journey, and back.

use baken_core::BakenError;
use baken_core::pairing::RelayAddress;
use baken_core::transport::http::{Dates, HttpTransport, Trust};
use baken_core::travel::{DEFAULT_KINDS, TravelView};
use baken_schemas::record::KINDS;
use serde_json::json;

use super::{ask, pair};
use crate::args::{Arguments, TravelCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub async fn run(arguments: &Arguments, command: &TravelCommand, out: &Output) -> Result<End, Failure> {
    match command {
        TravelCommand::Start { keep, yes } => start(arguments, keep, *yes, out).await,
        TravelCommand::End { relay } => end(arguments, relay.as_deref(), out).await,
        TravelCommand::Status => status(arguments, out),
    }
}

async fn start(arguments: &Arguments, keep: &[String], yes: bool, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let mut kinds: Vec<&str> = keep.iter().map(String::as_str).collect();
    if kinds.is_empty() {
        kinds.extend(DEFAULT_KINDS);
    }
    let (mut stays, mut goes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for kind in KINDS.iter().filter(|kind| kind.is_persons()) {
        let count = phone.baken.records(Some(kind.name))?.iter().filter(|record| !record.deleted).count();
        if count > 0 {
            let told = format!("{count} {}", kind.name);
            if kinds.contains(&kind.name) { stays.push(told) } else { goes.push(told) }
        }
    }
    let nothing = || text::NOTHING.of(out.language).to_owned();
    let told = |all: &[String]| if all.is_empty() { nothing() } else { all.join(", ") };
    out.line(text::TRAVEL_GOES.with(out.language, &[&told(&goes)]));
    out.line(text::TRAVEL_STAYS.with(out.language, &[&told(&stays)]));
    if !yes && !ask::word(text::TRAVEL_WORD, text::TYPE_TO_GO_ON, &[], out)? {
        return Err(Failure::Input("not_started"));
    }
    let relay = phone.relay(Dates::Checked)?;
    phone.baken.travel(&relay, &pin, &kinds).await?;
    out.json(&json!({"travelling": phone.baken.travelling()?}));
    out.line(out.paint(Colour::Green, text::TRAVEL_STARTED.of(out.language)));
    Ok(End::Done)
}

async fn end(arguments: &Arguments, relay: Option<&str>, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let travel = phone.baken.travelling()?.ok_or(Failure::Input("not_travelling"))?;
    let relay = match relay {
        None => phone.relay(Dates::Checked)?,
        Some(text) => {
            let address = RelayAddress::from_text(text).map_err(|_| Failure::Input("relay_text"))?;
            HttpTransport::new(&address.url, Trust::Pinned(address.tls_root_sha256), Dates::Checked, clock())?
        }
    };
    if !travel.waits {
        let name = phone.baken.own_name()?;
        pair::join(&phone, &relay, &pin, &name, out).await?;
    }
    match phone.baken.sync(&relay).await {
        Err(BakenError::Travelling) => {
            out.json(&json!({"step": "waits"}));
            out.line(out.paint(Colour::Yellow, text::TRAVEL_WAITS.of(out.language)));
            Ok(End::NotReached)
        }
        report => {
            let end = super::sync::tell(report?, &phone.baken, out)?;
            out.line(out.paint(Colour::Green, text::TRAVEL_ENDED.of(out.language)));
            Ok(end)
        }
    }
}

fn status(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let travel = Phone::unlocked(arguments, out)?.baken.travelling()?;
    out.json(&json!({"travelling": travel}));
    match &travel {
        Some(travel) => tell_travel(travel, out),
        None => out.line(text::TRAVEL_NONE.of(out.language)),
    }
    Ok(End::Done)
}

/// Says that the dossier is not here, since when, and what came along.
pub fn tell_travel(travel: &TravelView, out: &Output) {
    let (since, kept, changed) = (travel.since.to_rfc3339(), travel.kept.to_string(), travel.changed.to_string());
    out.line(out.paint(Colour::Yellow, &text::TRAVELLING.with(out.language, &[&since, &kept, &changed])));
    if travel.waits {
        out.line(text::TRAVEL_WAITS.of(out.language));
    }
}
