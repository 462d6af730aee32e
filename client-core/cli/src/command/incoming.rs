//! `baken alarm incoming`: alarms of others, on a family member's phone. Needs no PIN and never touches the vault. Whatever
//! it shows, it says 112.

use std::ops::ControlFlow;
use std::time::Duration;

use baken_core::alarm::{IncomingView, Round, Signer};
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError};
use baken_schemas::alarm::{Fix, FixAbsent};
use baken_schemas::id::AlarmId;
use serde_json::{Value as Json, json};

use super::alarm::{kind_name, tell_aside};
use super::{find, short};
use crate::args::{Arguments, IncomingCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub async fn run(arguments: &Arguments, command: Option<&IncomingCommand>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    match command {
        None => list(&phone.baken, out),
        Some(IncomingCommand::Follow { timeout }) => follow(&phone, *timeout, out).await,
        Some(IncomingCommand::Show { alarm }) => {
            let view = phone.baken.incoming_alarm(find_incoming(&phone.baken, alarm)?)?;
            show(&view, out);
            Ok(End::Done)
        }
        Some(IncomingCommand::Acknowledge { alarm }) => {
            let alarm = find_incoming(&phone.baken, alarm)?;
            phone.baken.acknowledge_alarm(alarm)?;
            send(&phone, alarm, |view| view.acknowledgement_handed_in, out).await
        }
        Some(IncomingCommand::Escalate { alarm, text }) => {
            let alarm = find_incoming(&phone.baken, alarm)?;
            phone.baken.escalate_alarm(alarm, text)?;
            let is_there = |view: &IncomingView| view.escalated.as_ref().is_some_and(|escalated| escalated.handed_in);
            send(&phone, alarm, is_there, out).await
        }
    }
}

fn find_incoming(baken: &Baken, typed: &str) -> Result<AlarmId, Failure> {
    let ids: Vec<AlarmId> = baken.incoming_alarms()?.iter().map(|view| view.alarm).collect();
    if typed == "last" {
        return ids.first().copied().ok_or(BakenError::NoSuchAlarm.into());
    }
    find(&ids, typed, BakenError::NoSuchAlarm.into())
}

/// Sends what was just kept, and says whether the relay has it.
async fn send(
    phone: &Phone,
    alarm: AlarmId,
    is_there: impl Fn(&IncomingView) -> bool,
    out: &Output,
) -> Result<End, Failure> {
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    let view = phone.baken.incoming_alarm(alarm)?;
    show(&view, out);
    Ok(if is_there(&view) { End::Done } else { End::of_waiting(round.error.as_ref()) })
}

fn list(baken: &Baken, out: &Output) -> Result<End, Failure> {
    let alarms = baken.incoming_alarms()?;
    let responds_as = baken.responds_as()?;
    let views: Vec<Json> = alarms.iter().map(|view| view_json(view, out)).collect();
    out.json(&json!({"alarms": views, "responds_as": responds_as}));
    if responds_as.is_none() {
        out.line(out.paint(Colour::Yellow, text::NOT_A_RESPONDER.of(out.language)));
    }
    let row = |view: &IncomingView| {
        let call = if view.call_112 { text::CALL_112.of(out.language) } else { "" };
        let kind = view.kind.map(kind_name).unwrap_or_default();
        vec![
            short(view.alarm),
            view.arrived_at.to_rfc3339(),
            caller(view, out),
            kind,
            state(view, out),
            call.to_owned(),
        ]
    };
    let head = ["alarm", text::AT.of(out.language), text::CALLER.of(out.language), text::KIND.of(out.language)];
    let head = [&head[..], &[text::STATE.of(out.language), ""]].concat();
    out.table(&head, &alarms.iter().map(row).collect::<Vec<_>>());
    Ok(End::Done)
}

/// Waits for alarms and shows each whenever something of it is new, with what was there and is not closed first.
async fn follow(phone: &Phone, timeout: Option<u64>, out: &Output) -> Result<End, Failure> {
    if phone.baken.responds_as()?.is_none() {
        return Err(Failure::Core(BakenError::NotAgreed));
    }
    let relay = phone.relay(Dates::Ignored)?;
    for view in phone.baken.incoming_alarms()?.iter().filter(|view| !view.closed) {
        show(view, out);
    }
    let mut failed = None;
    let mut tell = |round: &Round| {
        tell_aside(round, out);
        for alarm in &round.incoming {
            match phone.baken.incoming_alarm(*alarm) {
                Ok(view) => show(&view, out),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    };
    let time_is_over = async {
        match timeout {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = phone.baken.follow_alarms(&relay, &mut tell) => ended?,
        () = time_is_over => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    failed.map_or(Ok(End::Done), |error| Err(error.into()))
}

fn caller(view: &IncomingView, out: &Output) -> String {
    match &view.caller {
        Some(name) if !name.is_empty() => name.clone(),
        _ => text::UNKNOWN_CALLER.with(out.language, &[&short(view.device)]),
    }
}

fn state(view: &IncomingView, out: &Output) -> String {
    let lang = out.language;
    match (view.closed, view.acknowledged_at, view.acknowledgement_handed_in) {
        (true, ..) => text::INCOMING_CLOSED.of(lang),
        (_, Some(_), true) => text::INCOMING_ACKNOWLEDGED.of(lang),
        (_, Some(_), false) => text::INCOMING_WAITS.of(lang),
        (_, None, _) => text::INCOMING_OPEN.of(lang),
    }
    .to_owned()
}

/// Where the caller is, as far as it is known, with accuracy and age.
fn place(view: &IncomingView, out: &Output) -> String {
    let lang = out.language;
    let absent = match view.fix {
        Some(Fix::At(position)) => {
            let degrees = |e7: i32| format!("{:.5}", f64::from(e7) / 1e7);
            let age = view.fix_age_s.unwrap_or_default().to_string();
            let (latitude, longitude) = (degrees(position.latitude_e7), degrees(position.longitude_e7));
            return text::AT_PLACE.with(lang, &[&latitude, &longitude, &position.accuracy_m.to_string(), &age]);
        }
        Some(Fix::Absent(FixAbsent::NotYet)) => text::NO_PLACE_YET,
        Some(Fix::Absent(FixAbsent::SwitchedOff)) => text::NO_PLACE_OFF,
        Some(Fix::Absent(FixAbsent::NoReceiver)) => text::NO_PLACE_RECEIVER,
        None => text::INCOMING_SEALED,
    };
    absent.of(lang).to_owned()
}

fn show(view: &IncomingView, out: &Output) {
    let lang = out.language;
    out.json(&view_json(view, out));
    let kind = view.kind.map(kind_name).unwrap_or_default();
    let head = text::INCOMING_HEAD.with(lang, &[&caller(view, out), &kind, &short(view.alarm)]);
    out.line(out.paint(if view.closed { Colour::Green } else { Colour::Red }, &head));
    if !view.proven {
        out.line(out.paint(Colour::Yellow, text::NOT_PROVEN.of(lang)));
    }
    out.line(format!("  {}", place(view, out)));
    for text in &view.texts {
        out.line(format!("  “{text}”"));
    }
    for said in &view.said {
        out.line(format!("  {}  {}", said.at.to_rfc3339(), said.words(lang)));
    }
    for by in &view.sent_on_by {
        let (Signer::Desk(name) | Signer::Family(name)) = by else { continue };
        out.line(format!("  {}", text::SENT_ON_BY.with(lang, &[name])));
    }
    out.line(format!("  {}", state(view, out)));
    if let Some(escalated) = &view.escalated {
        let words = match (&escalated.refused, escalated.handed_in) {
            (Some(code), _) if code == "top_of_ladder" => text::TOP_OF_LADDER,
            (_, true) => text::ESCALATED,
            (_, false) => text::ESCALATION_WAITS,
        };
        out.line(format!("  {}", words.of(lang)));
    }
    if view.call_112 {
        out.line(out.paint(Colour::Red, text::INCOMING_112.of(lang)));
    }
}

/// An alarm of another for programs: the core's view, and its words.
fn view_json(view: &IncomingView, out: &Output) -> Json {
    let mut value = json!(view);
    value["words"] = json!(state(view, out));
    value["place"] = json!(place(view, out));
    let said: Vec<String> = view.said.iter().map(|said| said.words(out.language)).collect();
    value["said_words"] = json!(said);
    value
}
