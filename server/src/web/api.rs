//! The console as JSON, behind the same session: for tests, and for who builds a screen of their own.
//!
//! ```text
//! GET  /api/alarms[?closed=1]            {"alarms":[…],"open":n,"relay":{…}}
//! GET  /api/alarms/{id}                  an alarm with its card, updates, receipts, notes and deliveries
//! POST /api/alarms/{id}/acknowledge      {"also":true} to take it although another desk has it
//! POST /api/alarms/{id}/take-over        {"holding":"…"}, the receipt by which a colleague has it
//! POST /api/alarms/{id}/hand-to          {"holding":"…","to":"…"}, the officer's own receipt and a colleague's name
//! POST /api/alarms/{id}/verify           {"how":"…"}
//! POST /api/alarms/{id}/underway         {"what":"…"}
//! POST /api/alarms/{id}/close            {"outcome":"…"}, and for the figures "ending": "real", "false-alarm", "exercise"
//! POST /api/alarms/{id}/hand-on          {"desk":"…","why":"…"}, another desk of the directory by its id
//! POST /api/alarms/{id}/join             {"alarm":"…"}: from now on the two are one incident
//! POST /api/alarms/{id}/leave            {}: it is part of none
//! GET  /api/incidents/{id}               its alarms
//! POST /api/incidents/{id}/{act}         the same with each alarm: {"done":n,"refused":[{"alarm","code"}]}
//! POST /api/alarms/{id}/next-rung        {"why":"…"}: the ladder's next rung is called now
//! ```
//! An act answers with the alarm as it is now; a refusal is a problem document (RFC 9457), with who has the alarm where
//! that is the reason.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use baken_schemas::api::Problem;
use baken_schemas::id::AlarmId;
use serde::Deserialize;
use serde_json::json;

use crate::desk::officers::Officer;
use crate::desk::{Act, ActError, Desk, DeskError, Ending, Onward};
use crate::web::Console;
use crate::web::guard::LoggedIn;

/// A problem document.
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let problem = Problem {
        kind: format!("urn:baken:problem:{code}"),
        title: code.replace('_', " "),
        status: status.as_u16(),
        detail: detail.to_owned(),
        code: code.to_owned(),
    };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
}

pub(super) fn failed(error: &DeskError) -> Response {
    tracing::error!(event = "console_failed", why = %error);
    problem(StatusCode::SERVICE_UNAVAILABLE, "desk_failed", "try again")
}

/// The status that goes with a refusal.
pub fn status_of(error: &ActError) -> StatusCode {
    match error {
        ActError::Unknown | ActError::UnknownIncident => StatusCode::NOT_FOUND,
        ActError::Shredded => StatusCode::GONE,
        ActError::Held | ActError::NotTaken | ActError::Closed | ActError::TooMany => StatusCode::CONFLICT,
        ActError::Words | ActError::UnknownOfficer | ActError::UnknownDesk | ActError::StaysHere => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ActError::Desk(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What of a list is wanted.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    closed: Option<String>,
}

impl ListQuery {
    /// The open ones.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// `GET /api/alarms`.
pub async fn list(State(console): State<Console>, _: LoggedIn, Query(query): Query<ListQuery>) -> Response {
    match console.desk.alarms(query.is_open()) {
        Ok(list) => {
            let relay = console.link.borrow().clone();
            Json(json!({ "alarms": list.alarms, "open": list.open, "relay": relay })).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// `GET /api/alarms/{id}`.
pub async fn one(State(console): State<Console>, _: LoggedIn, Path(alarm): Path<String>) -> Response {
    let Ok(alarm) = alarm.parse() else { return unknown() };
    show(&console, alarm)
}

fn unknown() -> Response {
    problem(StatusCode::NOT_FOUND, "unknown_alarm", "there is no such alarm at this desk")
}

fn show(console: &Console, alarm: AlarmId) -> Response {
    match console.desk.alarm(alarm) {
        Ok(Some(detail)) => Json(detail).into_response(),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

/// What an officer says, as a form's fields or as JSON.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Said {
    also: Also,
    holding: String,
    to: String,
    desk: String,
    why: String,
    alarm: String,
    how: String,
    what: String,
    outcome: String,
    /// How it ended, where it is closed.
    ending: Ending,
}

/// `true` in JSON, `1` in a form.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Also {
    Flag(bool),
    Field(String),
    #[default]
    No,
}

/// What an officer does with an alarm.
#[derive(Debug)]
pub enum Deed {
    /// Something that is receipted.
    Act(Act),
    /// It is passed on, for this reason.
    PassOn(Onward, String),
    /// It is one incident with that alarm.
    Join(AlarmId),
    /// It is part of no incident.
    Leave,
}

impl Deed {
    /// Does it.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn of(&self, desk: &Desk, alarm: AlarmId, officer: &Officer) -> Result<(), ActError> {
        match self {
            Self::Act(act) => desk.act(alarm, officer, act).await,
            Self::PassOn(onward, why) => desk.pass_on(alarm, officer, *onward, why).await,
            Self::Join(with) => desk.join(alarm, *with, officer).await.map(drop),
            Self::Leave => desk.leave(alarm, officer).await,
        }
    }
}

impl Said {
    /// What a path names.
    pub fn deed(self, name: &str) -> Option<Deed> {
        match name {
            "hand-on" => Some(Deed::PassOn(Onward::Desk(self.desk.parse().ok()?), self.why)),
            "next-rung" => Some(Deed::PassOn(Onward::NextRung, self.why)),
            "join" => Some(Deed::Join(self.alarm.parse().ok()?)),
            "leave" => Some(Deed::Leave),
            _ => self.act(name).map(Deed::Act),
        }
    }

    /// The act that a path names.
    pub fn act(self, name: &str) -> Option<Act> {
        let also = match &self.also {
            Also::Flag(also) => *also,
            Also::Field(text) => text == "1",
            Also::No => false,
        };
        match name {
            "acknowledge" => Some(Act::Acknowledge { also }),
            "take-over" => Some(Act::TakeOver { holding: self.holding.parse().ok()? }),
            "hand-to" => Some(Act::HandTo { holding: self.holding.parse().ok()?, to: self.to }),
            "verify" => Some(Act::Verify { how: self.how }),
            "underway" => Some(Act::Underway { what: self.what }),
            "close" => Some(Act::Close { outcome: self.outcome, ending: self.ending }),
            _ => None,
        }
    }
}

/// `POST /api/alarms/{id}/{act}`.
pub async fn act(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Path((alarm, name)): Path<(String, String)>,
    said: Json<Said>,
) -> Response {
    let Ok(alarm) = alarm.parse() else { return unknown() };
    let Some(deed) = said.0.deed(&name) else {
        return problem(
            StatusCode::NOT_FOUND,
            "unknown_act",
            "acknowledge, take-over, hand-to, verify, underway, close, hand-on, next-rung, join or leave",
        );
    };
    answer_of(&console, alarm, deed.of(&console.desk, alarm, &officer).await)
}

/// The answer to what was done with an alarm that a path names.
pub(super) fn answer(console: &Console, alarm: &str, done: Result<(), ActError>) -> Response {
    alarm.parse().map_or_else(|_| unknown(), |alarm| answer_of(console, alarm, done))
}

fn answer_of(console: &Console, alarm: AlarmId, done: Result<(), ActError>) -> Response {
    match done {
        Ok(()) => show(console, alarm),
        Err(error) => {
            let detail = match (&error, console.desk.alarm(alarm)) {
                (ActError::Held, Ok(Some(detail))) => detail
                    .summary
                    .held_by
                    .map(|holder| format!("{} ({}) has it", holder.officer.unwrap_or_default(), holder.desk)),
                _ => None,
            };
            problem(status_of(&error), error.code(), &detail.unwrap_or_else(|| error.to_string()))
        }
    }
}
