//! What was agreed with people, and what is read aloud to 112 of an alarm.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Form, Json};
use baken_schemas::Language;
use baken_schemas::id::AlarmId;
use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::instructions::{AgreeError, Instruction, InstructionError, PersonAgreed};
use crate::web::Console;
use crate::web::api::problem;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{Frame, error, failed, frame, not_found, remember, render};

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<PersonAgreed>,
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    frame: Frame,
    person: PersonAgreed,
    instruction: Instruction,
}

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    frame: Frame,
    alarm: String,
    lines: Vec<String>,
}

/// `GET /people`.
pub async fn list(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let people = match console.desk.people_agreed() {
        Ok(people) => people,
        Err(error) => return failed(&error, language),
    };
    let page = PeoplePage { frame: frame(&console, officer.name, language, "/people?".to_owned()), people };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `GET /people/{account}`.
pub async fn show(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(account): Path<String>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let person = match account.parse().ok().map(|account| console.desk.person_agreed(account)) {
        Some(Ok(Some(person))) => person,
        Some(Err(error)) => return failed(&error, language),
        None | Some(Ok(None)) => return not_found(AskedLanguage(language)).await,
    };
    let page = PersonPage {
        frame: frame(&console, officer.name, language, format!("/people/{}?", person.account)),
        instruction: person.instruction.clone().unwrap_or_default(),
        person,
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Agreed {
    text: String,
    call_back: String,
    listen_in: String,
}

/// `POST /people/{account}`.
pub async fn write(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(account): Path<String>,
    Form(agreed): Form<Agreed>,
) -> Response {
    let Ok(account) = account.parse() else { return not_found(AskedLanguage(language)).await };
    let trimmed = |text: &str| text.trim().replace("\r\n", "\n");
    let instruction = Instruction {
        text: trimmed(&agreed.text),
        call_back: trimmed(&agreed.call_back),
        listen_in: trimmed(&agreed.listen_in),
    };
    match console.desk.agree(account, &officer, &instruction).await {
        Ok(()) => Redirect::to(&format!("/people/{account}")).into_response(),
        Err(AgreeError::Unknown) => not_found(AskedLanguage(language)).await,
        Err(AgreeError::Instruction(InstructionError::TooLong)) => {
            error(StatusCode::UNPROCESSABLE_ENTITY, language, |words| words.instruction_too_long.to_owned())
        }
        Err(AgreeError::Instruction(InstructionError::Folder(error))) => failed(&DeskError::from(error), language),
        Err(AgreeError::Desk(error)) => failed(&error, language),
    }
}

/// `GET /alarms/{id}/handover`.
pub async fn handover(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(alarm): Path<String>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let Ok(id) = alarm.parse::<AlarmId>() else { return not_found(AskedLanguage(language)).await };
    let handover = match console.desk.handover(id, &officer).await {
        Ok(Some(handover)) => handover,
        Ok(None) => return not_found(AskedLanguage(language)).await,
        Err(error) => return failed(&error, language),
    };
    let page = HandoverPage {
        frame: frame(&console, officer.name, language, format!("/alarms/{id}/handover?")),
        alarm: id.to_string(),
        lines: match language {
            Language::Nl => handover.nl,
            Language::En => handover.en,
        },
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `GET /api/alarms/{id}/handover`.
pub async fn handover_json(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Path(alarm): Path<String>,
) -> Response {
    let found = match alarm.parse::<AlarmId>() {
        Ok(id) => console.desk.handover(id, &officer).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(handover)) => Json(handover).into_response(),
        Ok(None) => problem(StatusCode::NOT_FOUND, "unknown_alarm", "there is no such alarm at this desk"),
        Err(error) => {
            tracing::error!(event = "console_failed", why = %error);
            problem(StatusCode::SERVICE_UNAVAILABLE, "desk_failed", "try again")
        }
    }
}
