//! `baken check-in`: an alarm that goes off unless its owner says in time that all is well.

use std::ops::ControlFlow;
use std::time::Duration;

use baken_core::alarm::Round;
use baken_core::checkin::{
    CheckInNews, CheckInState, CheckInView, ElsewhereView, NewCheckIn, Rule, RuleView, Weekdays,
};
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::id::AlarmId;
use baken_schemas::local_time::local;
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::alarm::{fix, tell_aside};
use super::{find, short};
use crate::args::{Arguments, CheckInCommand, CheckInEnd, CheckInTerms};
use crate::failure::{End, Failure};
use crate::moment;
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub async fn run(arguments: &Arguments, command: &CheckInCommand, out: &Output) -> Result<End, Failure> {
    match command {
        CheckInCommand::Start { end, terms, position } => start(arguments, end, terms, position.as_deref(), out).await,
        CheckInCommand::Extend { check_in, end } => extend(arguments, check_in, end, out).await,
        CheckInCommand::Settle { check_in } => settle(arguments, check_in, out).await,
        CheckInCommand::Renew { position } => renew(arguments, position.as_deref(), out).await,
        CheckInCommand::List => list(arguments, out),
        CheckInCommand::Others => others(arguments, out).await,
        CheckInCommand::Watch { timeout } => watch(arguments, *timeout, out).await,
        CheckInCommand::Every { time, days, terms, end } => {
            every(arguments, time.as_deref(), days, terms, *end, out).await
        }
    }
}

/// When a check-in is due by what was typed.
fn due_at(end: &CheckInEnd) -> Result<Timestamp, Failure> {
    let now = clock().now();
    let read = match (&end.for_span, &end.until) {
        (Some(span), _) => moment::span_s(span).map(|seconds| now.plus_ms(seconds * 1000)),
        (None, Some(until)) => moment::moment(until, now),
        (None, None) => None,
    };
    read.ok_or(Failure::Input("check_in_end"))
}

/// Seconds of a span that is a term of a check-in.
fn term_s(typed: &str) -> Result<u32, Failure> {
    moment::span_s(typed).and_then(|seconds| u32::try_from(seconds).ok()).ok_or(Failure::Input("span"))
}

/// What the desk is to read: the note, and place and plan by name.
fn text_of(terms: &CheckInTerms, language: Language) -> String {
    let named = [
        (String::new(), &terms.note),
        (format!("{}: ", text::PLACE.of(language)), &terms.place),
        (format!("{}: ", text::PLAN.of(language)), &terms.plan),
    ];
    let lines = named.iter().filter(|(_, words)| !words.is_empty()).map(|(name, words)| format!("{name}{words}"));
    lines.collect::<Vec<_>>().join("\n")
}

async fn start(
    arguments: &Arguments,
    end: &CheckInEnd,
    terms: &CheckInTerms,
    position: Option<&str>,
    out: &Output,
) -> Result<End, Failure> {
    let new = NewCheckIn {
        due_at: due_at(end)?,
        grace_s: term_s(&terms.grace)?,
        silent_after_s: terms.silent_after.as_deref().map(term_s).transpose()?,
        text: text_of(terms, out.language),
        fix: fix(position)?,
        battery_percent: None,
    };
    let phone = Phone::open(arguments)?;
    let pin = phone.activated_pin(out)?;
    let check_in = phone.baken.start_check_in(&pin, &new)?;
    send_and_show(&phone, check_in, out).await
}

async fn extend(arguments: &Arguments, typed: &str, end: &CheckInEnd, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let due_at = due_at(end)?;
    let pin = phone.activated_pin(out)?;
    let check_in = match find_open(&phone, typed, &pin).await? {
        Found::Here(check_in) => {
            phone.baken.extend_check_in(&pin, check_in, due_at)?;
            check_in
        }
        Found::Elsewhere(other) => {
            out.line(of_other(&other, text::OTHER_DEVICE.of(out.language), out));
            let new = NewCheckIn {
                due_at,
                grace_s: other.grace_s,
                silent_after_s: None,
                text: text::TAKEN_OVER.of(out.language).to_owned(),
                fix: fix(None)?,
                battery_percent: None,
            };
            phone.baken.take_over_check_in(&pin, &other, &new)?
        }
    };
    let end = send_and_show(&phone, check_in, out).await?;
    // What was taken over is settled in the round after the one that brought this there.
    if phone.baken.check_ins()?.iter().any(|view| view.elsewhere && view.state == CheckInState::Settling) {
        send(&phone, out).await?;
    }
    Ok(end)
}

async fn settle(arguments: &Arguments, typed: &str, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let pin = phone.activated_pin(out)?;
    let check_in = match find_open(&phone, typed, &pin).await? {
        Found::Here(check_in) => {
            phone.baken.settle_check_in(&pin, check_in)?;
            check_in
        }
        Found::Elsewhere(other) => {
            out.line(of_other(&other, text::OTHER_DEVICE.of(out.language), out));
            phone.baken.settle_check_in_elsewhere(&pin, &other)?;
            other.check_in
        }
    };
    send_and_show(&phone, check_in, out).await
}

/// Those of this person's other devices, as those signed them. It takes a PIN, and names none with a duress PIN.
async fn others(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let pin = phone.activated_pin(out)?;
    let others = phone.baken.check_ins_elsewhere(&pin, &phone.relay(Dates::Ignored)?).await?;
    // That a PIN was typed, and which, a desk hears as of any other unlocking.
    send(&phone, out).await?;
    out.json(&json!({ "elsewhere": others }));
    if others.is_empty() {
        out.line(text::NO_CHECK_INS_ELSEWHERE.of(out.language));
    }
    for other in &others {
        out.line(of_other(other, other.name.as_deref().unwrap_or(text::OTHER_DEVICE.of(out.language)), out));
    }
    Ok(End::Done)
}

fn of_other(other: &ElsewhereView, name: &str, out: &Output) -> String {
    let (due, raise) = (shown(other.due_at), shown(other.raise_at));
    text::CHECK_IN_ELSEWHERE.with(out.language, &[&short(other.check_in), name, &due, &raise])
}

async fn renew(arguments: &Arguments, position: Option<&str>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    if position.is_some() {
        phone.baken.move_check_ins(fix(position)?, None)?;
    }
    let round = send(&phone, out).await?;
    list_of(&phone.baken, out)?;
    Ok(end_of(&phone.baken.check_ins()?, &round))
}

fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    list_of(&Phone::open(arguments)?.baken, out)?;
    Ok(End::Done)
}

fn list_of(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let check_ins = baken.check_ins()?;
    out.json(&json!({"check_ins": check_ins.iter().map(|view| view_json(view, out)).collect::<Vec<_>>()}));
    let row = |view: &CheckInView| {
        vec![
            short(view.check_in),
            view.state.words(out.language).to_owned(),
            shown(view.due_at),
            shown(view.raise_at),
            view.renewed_at.map_or_else(|| text::NOT_AT_RELAY.of(out.language).to_owned(), shown),
        ]
    };
    let head = [
        "check-in",
        text::STATE.of(out.language),
        text::DUE_AT.of(out.language),
        text::RAISED_AT.of(out.language),
        text::RENEWED_AT.of(out.language),
    ];
    out.table(&head, &check_ins.iter().map(row).collect::<Vec<_>>());
    for view in check_ins.iter().filter(|view| is_open(view)) {
        for line in view.words(out.language) {
            out.line(format!("{}  {line}", short(view.check_in)));
        }
    }
    Ok(())
}

/// Sends and listens: renews what runs, and says when something is due.
async fn watch(arguments: &Arguments, timeout: Option<u64>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let relay = phone.relay(Dates::Ignored)?;
    list_of(&phone.baken, out)?;
    let mut shown = Vec::new();
    let mut failed = None;
    let mut tell = |round: &Round| {
        tell_aside(round, out);
        match phone.baken.check_ins() {
            Ok(check_ins) => {
                for view in &check_ins {
                    let told = (view.check_in, view.state, view.due_at, view.extension_waits);
                    if !shown.contains(&told) {
                        shown.retain(|(check_in, ..)| *check_in != view.check_in);
                        shown.push(told);
                        show(view, out);
                    }
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
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
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(End::Done),
    }
}

async fn every(
    arguments: &Arguments,
    time: Option<&str>,
    days: &str,
    terms: &CheckInTerms,
    end: Option<i64>,
    out: &Output,
) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    if let Some(rule) = end {
        let pin = phone.activated_pin(out)?;
        phone.baken.end_check_in_rule(&pin, rule)?;
    }
    let mut done = End::Done;
    if let Some(time) = time {
        let rule = Rule {
            weekdays: moment::days(days).and_then(|days| Weekdays::of(&days)).ok_or(Failure::Input("days"))?,
            minute: moment::minute(time).ok_or(Failure::Input("time_of_day"))?,
            grace_s: term_s(&terms.grace)?,
            silent_after_s: terms.silent_after.as_deref().map(term_s).transpose()?,
            text: text_of(terms, out.language),
        };
        let pin = phone.activated_pin(out)?;
        phone.baken.add_check_in_rule(&pin, &rule)?;
        let round = send(&phone, out).await?;
        done = end_of(&phone.baken.check_ins()?, &round);
    }
    let rules = phone.baken.check_in_rules()?;
    out.json(&json!({ "rules": rules }));
    let row = |rule: &RuleView| {
        let names = text::WEEKDAYS.of(out.language).split(' ').collect::<Vec<_>>();
        let days = rule.weekdays.iter().filter_map(|day| names.get(usize::from(*day)).copied());
        vec![
            rule.rule.to_string(),
            days.collect::<Vec<_>>().join(" "),
            format!("{:02}:{:02}", rule.minute / 60, rule.minute % 60),
            rule.running.map(short).unwrap_or_default(),
        ]
    };
    let head = ["nr", text::DAYS.of(out.language), text::TIME.of(out.language), "check-in"];
    out.table(&head, &rules.iter().map(row).collect::<Vec<_>>());
    Ok(done)
}

/// One round of sending.
async fn send(phone: &Phone, out: &Output) -> Result<Round, Failure> {
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    Ok(round)
}

async fn send_and_show(phone: &Phone, check_in: AlarmId, out: &Output) -> Result<End, Failure> {
    let round = send(phone, out).await?;
    let view = phone.baken.check_in(check_in)?;
    show(&view, out);
    let end = end_of(std::slice::from_ref(&view), &round);
    if matches!(view.state, CheckInState::NotAtRelay | CheckInState::Settling) || view.extension_waits {
        out.line(text::CHECK_IN_KEEP_TRYING.of(out.language));
    }
    Ok(end)
}

/// Whether all that was to be sent is at the relay.
fn end_of(check_ins: &[CheckInView], round: &Round) -> End {
    let waits = |view: &CheckInView| {
        matches!(view.state, CheckInState::NotAtRelay | CheckInState::Settling) || view.extension_waits
    };
    if check_ins.iter().any(waits) { End::of_waiting(round.error.as_ref()) } else { End::Done }
}

/// Says what a person is to know of check-ins, once.
pub fn tell_news(round: &Round, out: &Output) {
    for news in &round.check_ins {
        out.json(&json!(news));
        let (sentence, check_in) = match news {
            CheckInNews::Soon(check_in) => (text::CHECK_IN_SOON, check_in),
            CheckInNews::Due(check_in) => (text::CHECK_IN_DUE, check_in),
            CheckInNews::Called(check_in) => (text::CHECK_IN_CALLED, check_in),
            CheckInNews::SettledElsewhere(check_in) => (text::CHECK_IN_SETTLED_ELSEWHERE, check_in),
        };
        out.line(out.paint(Colour::Red, &sentence.with(out.language, &[&short(check_in)])));
    }
}

fn is_open(view: &CheckInView) -> bool {
    !matches!(view.state, CheckInState::Settled | CheckInState::Raised)
}

fn show(view: &CheckInView, out: &Output) {
    out.json(&view_json(view, out));
    let colour = match view.state {
        CheckInState::Running | CheckInState::Settled => Colour::Green,
        CheckInState::NotAtRelay | CheckInState::Settling => Colour::Yellow,
        CheckInState::Due | CheckInState::Raised => Colour::Red,
    };
    let head = format!("{}  {}", short(view.check_in), view.state.words(out.language));
    out.line(out.paint(colour, &head));
    for line in view.words(out.language) {
        out.line(format!("  {line}"));
    }
    if let Some(refused) = &view.refused {
        out.line(text::REFUSED_BY_RELAY.with(out.language, &[&refused.code, &refused.status.to_string()]));
    }
}

/// A check-in for programs: the core's view, and its words.
fn view_json(view: &CheckInView, out: &Output) -> Json {
    let mut value = json!(view);
    value["words"] = json!(view.words(out.language));
    value
}

fn shown(at: Timestamp) -> String {
    local(at)
}

/// A check-in that was typed.
enum Found {
    Here(AlarmId),
    Elsewhere(ElsewhereView),
}

/// The check-in that was typed; `last` is the newest that is open. What this device does not know is asked of the server:
/// it may be another device's.
async fn find_open(phone: &Phone, typed: &str, pin: &str) -> Result<Found, Failure> {
    let mut check_ins = phone.baken.check_ins()?;
    check_ins.retain(|view| !view.elsewhere);
    if typed == "last" {
        if let Some(open) = check_ins.iter().find(|view| is_open(view)) {
            return Ok(Found::Here(open.check_in));
        }
        let others = phone.baken.check_ins_elsewhere(pin, &phone.relay(Dates::Ignored)?).await;
        return match (others.map(|others| others.into_iter().next()), check_ins.first()) {
            (Ok(Some(other)), _) => Ok(Found::Elsewhere(other)),
            (_, Some(over)) => Ok(Found::Here(over.check_in)),
            (Ok(None), None) => Err(BakenError::NoSuchCheckIn.into()),
            (Err(error), None) => Err(error.into()),
        };
    }
    let ids: Vec<AlarmId> = check_ins.iter().map(|view| view.check_in).collect();
    match find(&ids, typed, BakenError::NoSuchCheckIn.into()) {
        Ok(check_in) => Ok(Found::Here(check_in)),
        Err(unknown) => {
            let mut others = phone.baken.check_ins_elsewhere(pin, &phone.relay(Dates::Ignored)?).await?;
            let ids: Vec<AlarmId> = others.iter().map(|other| other.check_in).collect();
            let found = find(&ids, typed, unknown)?;
            others.retain(|other| other.check_in == found);
            others.pop().map(Found::Elsewhere).ok_or(BakenError::NoSuchCheckIn.into())
        }
    }
}
