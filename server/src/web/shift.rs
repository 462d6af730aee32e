//! The roster, and what one shift hands to the next: what is open, what is wrong, who comes on, and what officers write.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;
use baken_schemas::local_time::local;
use serde::Deserialize;

use crate::desk::shift::{RosterView, ShiftError};
use crate::desk::{DeskError, Standing};
use crate::web::Console;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{Frame, error, failed, frame, remember, render, warning_line};
use crate::web::present::ShownAlarm;

/// How far back a shift looks at what was closed, in milliseconds.
const SHIFT_MS: i64 = 12 * 3_600_000;

#[derive(Template)]
#[template(path = "roster.html")]
struct RosterPage {
    frame: Frame,
    /// Why the roster cannot be read; empty where it can, or there is none.
    broken: String,
    roster: Option<RosterView>,
}

#[derive(Template)]
#[template(path = "shift.html")]
struct ShiftPage {
    frame: Frame,
    open: Vec<ShownAlarm>,
    closed: Vec<ShownAlarm>,
    warnings: Vec<String>,
    /// Channels that never carried a message, or not lately.
    unproven: Vec<String>,
    on_duty: Option<String>,
    notes: Vec<ShownNote>,
}

struct ShownNote {
    at: String,
    officer: String,
    lines: Vec<String>,
}

/// `GET /roster`.
pub async fn roster(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let (roster, broken) = match console.desk.roster_view() {
        Ok(roster) => (roster, String::new()),
        Err(error) => (None, error.to_string()),
    };
    let page = RosterPage { frame: frame(&console, officer.name, language, "/roster?".to_owned()), broken, roster };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct HandOver {
    to: String,
    /// As a browser writes a date and a time: `2026-12-24T17:00`.
    until: String,
}

/// `POST /roster/hand-over`.
pub async fn hand_over(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Form(asked): Form<HandOver>,
) -> Response {
    let Ok(until) = asked.until.replace('T', " ").parse() else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, language, |words| words.duty_when.to_owned());
    };
    done(console.desk.hand_duty_over(&officer, &asked.to, until).await, "/roster", language)
}

/// `GET /shift`.
pub async fn show(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    match page(&console, officer.name, language) {
        Ok(page) => remember(render(StatusCode::OK, &page), raw.as_deref(), language),
        Err(error) => failed(&error, language),
    }
}

fn page(console: &Console, officer: String, language: Language) -> Result<ShiftPage, DeskError> {
    let desk = &console.desk;
    let frame = frame(console, officer, language, "/shift?".to_owned());
    let since = desk.now().plus_ms(-SHIFT_MS);
    let shown = |open: bool| {
        let alarms = desk.alarms(open)?.alarms.into_iter().filter(|alarm| open || alarm.received_at > since);
        Ok::<_, DeskError>(alarms.map(|alarm| ShownAlarm::of(&alarm, frame.words)).collect::<Vec<_>>())
    };
    let (warnings, _) = desk.warnings()?;
    let channels = desk.channel_views()?.into_iter().filter(|channel| channel.standing != Standing::Proven);
    let notes = desk.shift_notes()?.into_iter().map(|note| ShownNote {
        at: local(note.at),
        officer: note.officer,
        lines: note.text.lines().map(str::to_owned).collect(),
    });
    Ok(ShiftPage {
        open: shown(true)?,
        closed: shown(false)?,
        warnings: warnings.iter().map(|warning| warning_line(warning, language)).collect(),
        unproven: channels
            .map(|channel| format!("{}: {}", channel.name, frame.words.standing(channel.standing)))
            .collect(),
        on_duty: desk.roster_view().ok().flatten().map(|roster| roster.duty.on_duty.join(", ")),
        notes: notes.collect(),
        frame,
    })
}

/// The field of the form.
#[derive(Deserialize)]
pub struct Note {
    text: String,
}

/// `POST /shift`.
pub async fn write(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Form(note): Form<Note>,
) -> Response {
    done(console.desk.leave_note(&officer, &note.text).await, "/shift", language)
}

fn done(outcome: Result<(), ShiftError>, back_to: &str, language: Language) -> Response {
    match outcome {
        Ok(()) => Redirect::to(back_to).into_response(),
        Err(ShiftError::Desk(error)) => failed(&error, language),
        Err(ShiftError::Words) => {
            error(StatusCode::UNPROCESSABLE_ENTITY, language, |words| words.shift_note_words.to_owned())
        }
        Err(ShiftError::Roster(why)) => {
            error(StatusCode::UNPROCESSABLE_ENTITY, language, |words| format!("{} {why}", words.duty_refused))
        }
    }
}
