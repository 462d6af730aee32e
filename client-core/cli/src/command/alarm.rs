//! `baken alarm`: call for help and see who has it. Needs no PIN and never touches the vault.

use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use baken_core::alarm::{
    AlarmState, AlarmView, AuditView, Call, PathView, ReceiptView, Round, Signer, TestView, TestsView, Warning,
};
use baken_core::home::replace_file;
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError};
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, MAX_ATTACHMENT_BYTES, Position};
use baken_schemas::id::AlarmId;
use baken_schemas::order::OrderKind;
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::attach::outside;
use super::check_in::tell_news;
use super::locate::LocateCommand;
use super::{find, short};
use crate::args::{Arguments, Following, Goal, Kind};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

/// How often a followed alarm is looked at, so that "call 112" comes on time and not with the next receipt.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What `alarm press` was given.
#[derive(Debug, Clone, Copy)]
pub struct Press<'a> {
    /// The kind.
    pub kind: Kind,
    /// `LAT,LON,ACC[,AGE]`.
    pub position: Option<&'a str>,
    /// Words.
    pub text: &'a str,
    /// Seconds until it is sent.
    pub countdown_s: u32,
}

pub async fn press(
    arguments: &Arguments,
    press: Press<'_>,
    wait: Option<Goal>,
    following: &Following,
    out: &Output,
) -> Result<End, Failure> {
    // A position that cannot be read is told; the alarm goes out all the same.
    let (fix, fix_refused) = match fix(press.position) {
        Ok(fix) => (fix, None),
        Err(failure) => (Fix::Absent(FixAbsent::NoReceiver), Some(failure)),
    };
    let phone = Phone::open(arguments)?;
    let kind = match press.kind {
        Kind::Panic => AlarmKind::Panic,
        Kind::Silent => AlarmKind::Silent,
        Kind::Medical => AlarmKind::Medical,
        Kind::Test => AlarmKind::Test,
    };
    let call = Call { kind, fix, battery_percent: None, text: press.text.to_owned(), countdown_s: press.countdown_s };
    let alarm = phone.baken.press(&call).inspect_err(|_| {
        // Whatever the reason, the person is not to wait for this device.
        out.json(&json!({"call_112": true}));
        out.line(out.paint(Colour::Red, text::CALL_112.of(out.language)));
    })?;
    out.line(text::PRESSED.with(out.language, &[&short(alarm)]));
    if let Some(failure) = fix_refused {
        out.line(out.paint(Colour::Yellow, &failure.message(out.language)));
    }
    if wait_for_countdown(&phone, alarm, out).await?.is_break() {
        return Ok(End::Done);
    }
    let is_followed = wait.is_some() || following.locate.is_some() || following.timeout.is_some();
    let end = if is_followed {
        follow(&phone, alarm, wait, following, out).await?
    } else {
        try_once(&phone, alarm, out).await?
    };
    if is_followed {
        out.json(&view_json(&phone.baken.alarm(alarm)?, out));
    }
    Ok(end)
}

/// Sends once, and says all there is to say: this program ends then.
async fn try_once(phone: &Phone, alarm: AlarmId, out: &Output) -> Result<End, Failure> {
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    let view = phone.baken.alarm(alarm)?;
    show_view(&view, out);
    if view.state != AlarmState::NotSent {
        return Ok(End::Done);
    }
    // The twenty seconds are not over yet: what is not said now, is never said.
    if !view.call_112 {
        out.line(out.paint(Colour::Red, text::CALL_112_LONG.of(out.language)));
    }
    out.line(text::KEEP_TRYING.with(out.language, &[&short(alarm)]));
    if phone.baken.alarm_text(alarm).is_ok() {
        out.line(text::SMS_POSSIBLE.with(out.language, &[&short(alarm)]));
    }
    Ok(End::of_waiting(round.error.as_ref()))
}

/// Waits until the countdown is over; breaks when the alarm was withdrawn meanwhile, by another program.
async fn wait_for_countdown(phone: &Phone, alarm: AlarmId, out: &Output) -> Result<ControlFlow<()>, Failure> {
    let mut told = false;
    loop {
        let view = phone.baken.alarm(alarm)?;
        if view.withdrawn.is_some_and(|withdrawn| withdrawn.before_sending) {
            show_view(&view, out);
            return Ok(ControlFlow::Break(()));
        }
        let Some(until) = view.held_until else { return Ok(ControlFlow::Continue(())) };
        if !told {
            told = true;
            out.json(&view_json(&view, out));
            out.line(
                out.paint(Colour::Yellow, &text::COUNTDOWN.with(out.language, &[&until.to_rfc3339(), &short(alarm)])),
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

pub async fn withdraw(arguments: &Arguments, typed: &str, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let alarm = find_alarm(&phone.baken, typed)?;
    phone.baken.withdraw_alarm(alarm, &phone.pin(out)?)?;
    // On disk already: that the relay is away is no failure of the withdrawal.
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    let view = phone.baken.alarm(alarm)?;
    show_view(&view, out);
    let is_told = view.withdrawn.is_some_and(|withdrawn| withdrawn.handed_in);
    Ok(if is_told { End::Done } else { End::of_waiting(round.error.as_ref()) })
}

/// Shows when the way to a desk was last proven; with a number of seconds proves it first.
pub async fn path(arguments: &Arguments, now: Option<u64>, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let mut end = End::Done;
    if let Some(seconds) = now {
        phone.baken.probe()?;
        let relay = phone.relay(Dates::Ignored)?;
        let is_proven = || phone.baken.path().is_ok_and(|path| path.unanswered_since.is_none());
        let mut error = None;
        let mut tell = |round: &Round| {
            tell_aside(round, out);
            error = round.error.as_ref().map(|error| End::of_waiting(Some(error))).or(error);
            if is_proven() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        tokio::select! {
            ended = phone.baken.follow_alarms(&relay, &mut tell) => ended?,
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        if !is_proven() {
            end = error.unwrap_or(End::NotReached);
        }
    }
    let path = phone.baken.path()?;
    out.json(&json!(path));
    tell_path(&path, out);
    Ok(end)
}

/// Tells when the way to a desk was last proven, each hop by its own clock.
pub fn tell_path(path: &PathView, out: &Output) {
    let lang = out.language;
    match &path.proven {
        Some(proof) => {
            let took = proof.answered_at.since_ms(proof.sent_at).to_string();
            out.line(text::PATH_PROVEN.with(lang, &[&proof.answered_at.to_rfc3339(), &proof.desk, &took]));
        }
        None => out.line(out.paint(Colour::Yellow, text::PATH_NEVER.of(lang))),
    }
    if let Some(since) = path.unanswered_since {
        out.line(out.paint(Colour::Yellow, &text::PATH_UNANSWERED.with(lang, &[&since.to_rfc3339()])));
    }
    for home in &path.family {
        match home.answered_at {
            Some(at) => out.line(text::HOME_ANSWERED.with(lang, &[&home.name, &at.to_rfc3339()])),
            None => out.line(out.paint(Colour::Yellow, &text::HOME_NEVER.with(lang, &[&home.name]))),
        }
    }
}

pub fn export(
    arguments: &Arguments,
    typed: &str,
    (file, readable, force): (&Path, bool, bool),
    out: &Output,
) -> Result<End, Failure> {
    let baken = Phone::open(arguments)?.baken;
    let alarm = find_alarm(&baken, typed)?;
    let timeline = baken.alarm_timeline(alarm, readable)?;
    if file.exists() && !force {
        return Err(Failure::Core(BakenError::FileExists));
    }
    replace_file(file, &timeline.to_bytes()).map_err(outside)?;
    out.json(&json!({"alarm": alarm, "file": file, "receipts": timeline.receipts.len(), "readable": readable}));
    out.line(text::TIMELINE_WRITTEN.with(out.language, &[&file.display().to_string()]));
    if readable {
        out.line(out.paint(Colour::Yellow, text::TIMELINE_READABLE.of(out.language)));
    }
    Ok(End::Done)
}

pub fn list(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let alarms = Phone::open(arguments)?.baken.alarms()?;
    out.json(&json!({"alarms": alarms.iter().map(|view| view_json(view, out)).collect::<Vec<_>>()}));
    let row = |view: &AlarmView| {
        let call = if view.call_112 { text::CALL_112.of(out.language) } else { "" };
        vec![
            short(view.alarm),
            view.pressed_at.to_rfc3339(),
            kind_name(view.kind),
            view.words(out.language),
            call.to_owned(),
        ]
    };
    let head = ["alarm", text::AT.of(out.language), text::KIND.of(out.language), text::STATE.of(out.language), ""];
    out.table(&head, &alarms.iter().map(row).collect::<Vec<_>>());
    Ok(End::Done)
}

pub fn tests(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let tests = Phone::open(arguments)?.baken.tests()?;
    out.json(&json!(tests));
    let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339);
    let row = |test: &TestView| {
        vec![
            short(test.alarm),
            test.pressed_at.to_rfc3339(),
            at(test.stored_at),
            at(test.received_at),
            at(test.seen_at),
            at(test.closed_at),
            test.desk.clone().unwrap_or_default(),
        ]
    };
    let lang = out.language;
    let head = [
        text::TESTS.of(lang),
        text::AT.of(lang),
        text::TEST_STORED.of(lang),
        text::TEST_RECEIVED.of(lang),
        text::TEST_SEEN.of(lang),
        text::TEST_CLOSED.of(lang),
        "",
    ];
    out.table(&head, &tests.tests.iter().map(row).collect::<Vec<_>>());
    tell_tests(&tests, out);
    Ok(End::Done)
}

/// Says that it is time for a test, in words that tell nobody who looks on what is tested.
pub fn tell_tests(tests: &TestsView, out: &Output) {
    let lang = out.language;
    match (tests.is_due, tests.last_success) {
        (false, _) => {}
        (true, Some(last)) => {
            out.line(out.paint(Colour::Yellow, &text::TEST_DUE.with(lang, &[&last.to_rfc3339()])));
        }
        (true, None) => out.line(out.paint(Colour::Yellow, text::TEST_NEVER.of(lang))),
    }
}

/// Says how far the relay's audit is known here, and that it was written anew.
pub fn tell_audit(audit: Option<&AuditView>, out: &Output) {
    let Some(audit) = audit else { return };
    let (lang, size) = (out.language, audit.size.to_string());
    if let Some(found) = &audit.rewritten {
        let (held, told) = (found.held_size.to_string(), found.told_size.to_string());
        out.line(
            out.paint(Colour::Red, &text::AUDIT_REWRITTEN.with(lang, &[&found.found_at.to_rfc3339(), &held, &told])),
        );
    }
    out.line(text::AUDIT_HEAD.with(lang, &[&size, &audit.root.to_string(), &audit.arrived_at.to_rfc3339()]));
}

pub fn show(arguments: &Arguments, typed: &str, out: &Output) -> Result<End, Failure> {
    let baken = Phone::open(arguments)?.baken;
    let view = baken.alarm(find_alarm(&baken, typed)?)?;
    show_view(&view, out);
    Ok(End::Done)
}

pub fn sms(arguments: &Arguments, typed: Option<&str>, out: &Output) -> Result<End, Failure> {
    let baken = Phone::open(arguments)?.baken;
    let alarm = match typed {
        Some(typed) => find_alarm(&baken, typed)?,
        None => baken.newest_unsent_alarm()?,
    };
    let text = baken.alarm_text(alarm)?;
    out.json(&json!({"alarm": text.alarm, "number": text.number, "text": text.text}));
    out.line(text::SMS_SEND.with(out.language, &[&text.number]));
    out.line(&text.text);
    Ok(End::Done)
}

pub async fn watch(
    arguments: &Arguments,
    typed: &str,
    until: Option<Goal>,
    following: &Following,
    out: &Output,
) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let alarm = find_alarm(&phone.baken, typed)?;
    follow(&phone, alarm, until, following, out).await
}

pub async fn attach(arguments: &Arguments, file: &Path, typed: &str, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let alarm = find_alarm(&phone.baken, typed)?;
    // One byte more than may be sent is enough to refuse it.
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(Failure::Io)?;
    opened.take(MAX_ATTACHMENT_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Failure::Io)?;
    phone.baken.attach_to_alarm(alarm, &bytes)?;
    out.line(text::UPDATED.of(out.language));
    let all_sent = || phone.baken.alarm(alarm).is_ok_and(|view| view.updates_waiting == 0);
    let mut error = None;
    let mut tell = |round: &Round| {
        tell_aside(round, out);
        error = round.error.as_ref().map(|error| End::of_waiting(Some(error)));
        if error.is_some() || all_sent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    phone.baken.follow_alarms(&phone.relay(Dates::Ignored)?, &mut tell).await?;
    show_view(&phone.baken.alarm(alarm)?, out);
    Ok(if all_sent() { End::Done } else { error.unwrap_or(End::NotReached) })
}

pub async fn update(
    arguments: &Arguments,
    typed: &str,
    position: Option<&str>,
    words: &str,
    out: &Output,
) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    let alarm = find_alarm(&phone.baken, typed)?;
    phone.baken.update_alarm(alarm, fix(position)?, None, words)?;
    out.line(text::UPDATED.of(out.language));
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    let view = phone.baken.alarm(alarm)?;
    show_view(&view, out);
    Ok(if view.updates_waiting == 0 { End::Done } else { End::of_waiting(round.error.as_ref()) })
}

/// Sends and listens until the goal is reached, the time is over, or Ctrl-C.
async fn follow(
    phone: &Phone,
    alarm: AlarmId,
    goal: Option<Goal>,
    following: &Following,
    out: &Output,
) -> Result<End, Failure> {
    let relay = phone.relay(Dates::Ignored)?;
    let teller = Mutex::new(Teller { last_error: None, told: Told::default() });
    let look = |error: Option<End>| -> Result<ControlFlow<()>, Failure> {
        let view = phone.baken.alarm(alarm)?;
        let mut teller = teller.lock().unwrap_or_else(PoisonError::into_inner);
        teller.last_error = error.or(teller.last_error);
        teller.told.tell(&view, out);
        let reached = goal.is_some_and(|goal| is_reached(goal, view.state));
        Ok(if reached { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let mut failed = None;
    let mut tell = |round: &Round| {
        tell_aside(round, out);
        let error = round.error.as_ref().map(|error| End::of_waiting(Some(error)));
        look(error).unwrap_or_else(|failure| {
            failed = Some(failure);
            ControlFlow::Break(())
        })
    };
    let looking = async {
        loop {
            if look(None)?.is_break() {
                return Ok::<(), Failure>(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let time_is_over = async {
        match following.timeout {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let reporting = async {
        match &following.locate {
            Some(command) => phone.baken.report_positions(&LocateCommand(command.clone())).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = phone.baken.follow_alarms(&relay, &mut tell) => ended?,
        ended = looking => ended?,
        ended = reporting => ended?,
        () = time_is_over => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    let state = phone.baken.alarm(alarm)?.state;
    let error = teller.into_inner().unwrap_or_else(PoisonError::into_inner).last_error;
    Ok(match goal {
        Some(goal) if !is_reached(goal, state) => match (state, error) {
            (AlarmState::NotSent, Some(error)) => error,
            _ => End::NotReached,
        },
        _ => End::Done,
    })
}

/// Says what a round brought beside alarms: that another device had this one locked, and what there is to know of
/// check-ins.
pub fn tell_aside(round: &Round, out: &Output) {
    tell_news(round, out);
    if round.orders.contains(&OrderKind::Lock) {
        out.json(&json!({"locked_from_afar": true}));
        out.line(out.paint(Colour::Yellow, text::LOCKED_FROM_AFAR.of(out.language)));
    }
}

struct Teller {
    last_error: Option<End>,
    told: Told,
}

/// What of an alarm has been told already.
#[derive(Default)]
struct Told {
    started: bool,
    receipts: Vec<baken_schemas::crypto::Hash>,
    warnings: Vec<Warning>,
    sent_on: usize,
    handed_on: usize,
    call_112: bool,
}

impl Told {
    /// Tells what is new: a line for every receipt, and for what else changes.
    fn tell(&mut self, view: &AlarmView, out: &Output) {
        if !self.started && view.receipts.is_empty() {
            out.json(&line_json(view, None, out));
            out.line(view.words(out.language));
        }
        self.started = true;
        for receipt in &view.receipts {
            if !self.receipts.contains(&receipt.hash) {
                self.receipts.push(receipt.hash);
                out.json(&line_json(view, Some(receipt), out));
                let colour = if receipt.state.is_by_human() { Colour::Green } else { Colour::Yellow };
                out.line(format!("{}  {}", receipt.at.to_rfc3339(), out.paint(colour, &receipt.words(out.language))));
            }
        }
        for sent_on in view.sent_on.iter().skip(self.sent_on) {
            out.json(&json!({"alarm": view.alarm, "sent_on": sent_on, "words": sent_on.words(out.language)}));
            out.line(format!("{}  {}", sent_on.at.to_rfc3339(), sent_on.words(out.language)));
        }
        self.sent_on = view.sent_on.len();
        for on in view.handed_on.iter().skip(self.handed_on) {
            out.json(&json!({"alarm": view.alarm, "handed_on": on, "words": on.words(out.language)}));
            out.line(format!("{}  {}", on.at.to_rfc3339(), on.words(out.language)));
        }
        self.handed_on = self.handed_on.max(view.handed_on.len());
        for warning in &view.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
                out.json(&json!({"alarm": view.alarm, "warning": warning}));
                out.line(out.paint(Colour::Red, &warning_text(warning, out)));
            }
        }
        if view.call_112 != self.call_112 {
            self.call_112 = view.call_112;
            if view.call_112 {
                out.json(&line_json(view, view.proof.as_ref(), out));
                out.line(out.paint(Colour::Red, text::CALL_112_LONG.of(out.language)));
            }
        }
    }
}

fn is_reached(goal: Goal, state: AlarmState) -> bool {
    state
        >= match goal {
            Goal::Stored => AlarmState::Stored,
            Goal::Seen => AlarmState::Seen,
            Goal::Closed => AlarmState::Closed,
        }
}

fn find_alarm(baken: &Baken, typed: &str) -> Result<AlarmId, Failure> {
    let ids: Vec<AlarmId> = baken.alarms()?.iter().map(|view| view.alarm).collect();
    if typed == "last" {
        return ids.first().copied().ok_or(BakenError::NoSuchAlarm.into());
    }
    find(&ids, typed, BakenError::NoSuchAlarm.into())
}

/// `LATITUDE,LONGITUDE,ACCURACY_M[,AGE_S]`; a terminal has no receiver of its own.
pub fn fix(position: Option<&str>) -> Result<Fix, Failure> {
    let Some(position) = position else { return Ok(Fix::Absent(FixAbsent::NoReceiver)) };
    let refused = || Failure::Input("position");
    let parts: Vec<&str> = position.split(',').map(str::trim).collect();
    let (latitude, longitude, accuracy, age) = match parts.as_slice() {
        [latitude, longitude, accuracy] => (latitude, longitude, accuracy, &"0"),
        [latitude, longitude, accuracy, age] => (latitude, longitude, accuracy, age),
        _ => return Err(refused()),
    };
    let degrees = |text: &str, most: f64| {
        let degrees: f64 = text.parse().ok()?;
        #[allow(clippy::cast_possible_truncation, reason = "within ±180·10⁷ it fits an i32")]
        (degrees.abs() <= most).then_some((degrees * 1e7).round() as i32)
    };
    Ok(Fix::At(Position {
        latitude_e7: degrees(latitude, 90.0).ok_or_else(refused)?,
        longitude_e7: degrees(longitude, 180.0).ok_or_else(refused)?,
        accuracy_m: accuracy.parse().map_err(|_| refused())?,
        age_s: age.parse().map_err(|_| refused())?,
    }))
}

/// The kind's word, as programs know it.
pub fn kind_name(kind: AlarmKind) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn show_view(view: &AlarmView, out: &Output) {
    out.json(&view_json(view, out));
    let colour = if view.green { Colour::Green } else { Colour::Yellow };
    out.line(out.paint(colour, &view.words(out.language)));
    for receipt in &view.receipts {
        out.line(format!("  {}  {}", receipt.at.to_rfc3339(), receipt.words(out.language)));
    }
    for sent_on in &view.sent_on {
        out.line(format!("  {}  {}", sent_on.at.to_rfc3339(), sent_on.words(out.language)));
    }
    for on in &view.handed_on {
        out.line(format!("  {}  {}", on.at.to_rfc3339(), on.words(out.language)));
    }
    if let Some(refused) = &view.refused {
        out.line(text::REFUSED_BY_RELAY.with(out.language, &[&refused.code, &refused.status.to_string()]));
    }
    if let Some(withdrawn) = view.withdrawn {
        let words = match (withdrawn.before_sending, withdrawn.handed_in) {
            (true, _) => text::WITHDRAWN_UNSENT,
            (false, true) => text::WITHDRAWN,
            (false, false) => text::WITHDRAWN_WAITS,
        };
        out.line(words.of(out.language));
    }
    if view.updates_waiting > 0 {
        out.line(text::UPDATES_WAITING.with(out.language, &[&view.updates_waiting.to_string()]));
    }
    for warning in &view.warnings {
        out.line(out.paint(Colour::Red, &warning_text(warning, out)));
    }
    if view.call_112 {
        out.line(out.paint(Colour::Red, text::CALL_112_LONG.of(out.language)));
    }
}

fn signer_name<'a>(signer: &'a Signer, out: &Output) -> &'a str {
    match signer {
        Signer::Relay => text::THE_RELAY.of(out.language),
        Signer::Desk(name) | Signer::Family(name) => name,
    }
}

fn warning_text(warning: &Warning, out: &Output) -> String {
    match warning {
        Warning::Refused { count } => text::WARN_REFUSED.with(out.language, &[&count.to_string()]),
        Warning::Missing { by } => text::WARN_MISSING.with(out.language, &[signer_name(by, out)]),
        Warning::Contradicting { by } => text::WARN_CONTRADICTING.with(out.language, &[signer_name(by, out)]),
    }
}

/// An alarm for programs: the core's view, and its words.
fn view_json(view: &AlarmView, out: &Output) -> Json {
    let mut value = json!(view);
    value["words"] = json!(view.words(out.language));
    value["officer"] = json!(view.proof.as_ref().and_then(|proof| proof.officer.as_ref()));
    value
}

/// A line of `watch`: how far a receipt says the alarm has got; without one, that it is not sent.
fn line_json(view: &AlarmView, receipt: Option<&ReceiptView>, out: &Output) -> Json {
    json!({
        "alarm": view.alarm,
        "state": receipt.map_or(AlarmState::NotSent, |receipt| receipt.state.into()),
        "by": receipt.map(|receipt| &receipt.by),
        "officer": receipt.and_then(|receipt| receipt.officer.as_ref()),
        "text": receipt.and_then(|receipt| receipt.text.as_ref()),
        "at": receipt.map(|receipt| receipt.at),
        "words": receipt.map_or_else(|| AlarmState::NotSent.words(out.language).to_owned(), |receipt| receipt.words(out.language)),
        "green": view.green,
        "call_112": view.call_112,
    })
}
