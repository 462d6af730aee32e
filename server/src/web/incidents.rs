//! Incidents in the console: their alarms on one page, and acts that are done with each of them.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Form, Json};
use baken_schemas::Language;

use crate::desk::{ActError, DoneToIncident, IncidentId};
use crate::web::Console;
use crate::web::api::{Said, problem, status_of};
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{Frame, error, failed, frame, not_found, remember, render, said_of};
use crate::web::present::ShownAlarm;
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    frame: Frame,
    incident: String,
    alarms: Vec<ShownAlarm>,
    /// With how many alarms the act that led here was done.
    done: Option<usize>,
    /// With whose it was not, and why.
    refused: Vec<String>,
}

/// `GET /incidents/{id}`.
pub async fn show(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(incident): Path<String>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    remember(page(&console, officer.name, language, &incident, None), raw.as_deref(), language)
}

fn page(
    console: &Console,
    officer: String,
    language: Language,
    incident: &str,
    done: Option<&DoneToIncident>,
) -> Response {
    let words = Words::of(language);
    let view = match incident.parse().ok().map(|id: IncidentId| console.desk.incident(id)) {
        Some(Ok(Some(view))) => view,
        Some(Err(error)) => return failed(&error, language),
        None | Some(Ok(None)) => {
            return error(StatusCode::NOT_FOUND, language, |words| words.act_unknown_incident.to_owned());
        }
    };
    let id = view.incident;
    let alarms: Vec<ShownAlarm> = view.alarms.iter().map(|alarm| ShownAlarm::of(alarm, words)).collect();
    let refused = done.iter().flat_map(|done| &done.refused).map(|refused| {
        let alarm = alarms.iter().find(|alarm| alarm.id == refused.alarm.to_string());
        let who = alarm.map(|alarm| alarm.who.clone()).unwrap_or_default();
        format!("{who} ({})", words.refusal(refused.code))
    });
    let refused = refused.collect();
    let page = IncidentPage {
        frame: frame(console, officer, language, format!("/incidents/{id}?")),
        incident: id.to_string(),
        done: done.map(|done| done.done),
        refused,
        alarms,
    };
    render(StatusCode::OK, &page)
}

/// `POST /incidents/{id}/{act}`.
pub async fn act(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path((incident, name)): Path<(String, String)>,
    Form(said): Form<Said>,
) -> Response {
    let (Ok(id), Some(act)) = (incident.parse::<IncidentId>(), said.act(&name)) else {
        return not_found(AskedLanguage(language)).await;
    };
    match console.desk.act_on_incident(id, &officer, &act).await {
        Ok(done) if done.refused.is_empty() => Redirect::to(&format!("/incidents/{id}")).into_response(),
        // What was not done with every alarm is said at once, beside how they stand now.
        Ok(done) => page(&console, officer.name, language, &incident, Some(&done)),
        Err(refused) => error(status_of(&refused), language, |words| said_of(&refused, None, words)),
    }
}

/// `GET /api/incidents/{id}`.
pub async fn show_json(State(console): State<Console>, _: LoggedIn, Path(incident): Path<String>) -> Response {
    let found = incident.parse().ok().map(|id: IncidentId| console.desk.incident(id));
    match found {
        Some(Ok(Some(view))) => Json(view).into_response(),
        Some(Err(error)) => refused(&error.into()),
        None | Some(Ok(None)) => refused(&ActError::UnknownIncident),
    }
}

/// `POST /api/incidents/{id}/{act}`.
pub async fn act_json(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Path((incident, name)): Path<(String, String)>,
    said: Json<Said>,
) -> Response {
    let Ok(id) = incident.parse::<IncidentId>() else { return refused(&ActError::UnknownIncident) };
    let Some(act) = said.0.act(&name) else {
        return problem(StatusCode::NOT_FOUND, "unknown_act", "acknowledge, verify, underway or close");
    };
    match console.desk.act_on_incident(id, &officer, &act).await {
        Ok(done) => Json(done).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &ActError) -> Response {
    problem(status_of(error), error.code(), &error.to_string())
}
