//! Keeping an alarm longer than its days, and the figures that stay of all. The same as JSON:
//!
//! ```text
//! POST /api/alarms/{id}/hold       {"why":"…"}: its content is kept until it is released
//! POST /api/alarms/{id}/release    {}
//! GET  /api/figures[?months=12]    shares, times and counts; a count of 1 to 4 is "<5"
//! ```

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use serde::Deserialize;

use crate::desk::{ActError, DEFAULT_MONTHS, lines};
use crate::web::Console;
use crate::web::api;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{self, Frame, failed, frame, remember, render};

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    frame: Frame,
    lines: Vec<(String, String)>,
}

/// Why an alarm is kept.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Kept {
    why: String,
}

/// Which months.
#[derive(Debug, Deserialize)]
pub struct Months {
    months: Option<u32>,
}

async fn keep(console: &Console, alarm: &str, LoggedIn(officer): LoggedIn, why: Option<&str>) -> Result<(), ActError> {
    let alarm = alarm.parse().map_err(|_| ActError::Unknown)?;
    match why {
        Some(why) => console.desk.hold(alarm, &officer, why).await,
        None => console.desk.release(alarm, &officer).await,
    }
}

fn back(alarm: &str, kept: Result<(), ActError>, AskedLanguage(language): AskedLanguage) -> Response {
    match kept {
        Ok(()) => Redirect::to(&format!("/alarms/{alarm}")).into_response(),
        Err(refused) => pages::refused(&refused, None, language),
    }
}

/// `POST /alarms/{id}/hold`.
pub async fn hold(
    State(console): State<Console>,
    officer: LoggedIn,
    language: AskedLanguage,
    Path(alarm): Path<String>,
    Form(kept): Form<Kept>,
) -> Response {
    let done = keep(&console, &alarm, officer, Some(&kept.why)).await;
    back(&alarm, done, language)
}

/// `POST /alarms/{id}/release`.
pub async fn release(
    State(console): State<Console>,
    officer: LoggedIn,
    language: AskedLanguage,
    Path(alarm): Path<String>,
) -> Response {
    let done = keep(&console, &alarm, officer, None).await;
    back(&alarm, done, language)
}

/// `POST /api/alarms/{id}/hold`.
pub async fn hold_json(
    State(console): State<Console>,
    officer: LoggedIn,
    Path(alarm): Path<String>,
    kept: Json<Kept>,
) -> Response {
    let done = keep(&console, &alarm, officer, Some(&kept.why)).await;
    api::answer(&console, &alarm, done)
}

/// `POST /api/alarms/{id}/release`.
pub async fn release_json(State(console): State<Console>, officer: LoggedIn, Path(alarm): Path<String>) -> Response {
    let done = keep(&console, &alarm, officer, None).await;
    api::answer(&console, &alarm, done)
}

/// `GET /figures`.
pub async fn figures(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Query(asked): Query<Months>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let months = asked.months.unwrap_or(DEFAULT_MONTHS);
    let figures = match console.desk.figures(months) {
        Ok(found) => found,
        Err(error) => return failed(&error, language),
    };
    let page = FiguresPage {
        frame: frame(&console, officer.name, language, format!("/figures?months={months}&")),
        lines: lines(&figures, language),
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `GET /api/figures`.
pub async fn figures_json(State(console): State<Console>, _: LoggedIn, Query(asked): Query<Months>) -> Response {
    match console.desk.figures(asked.months.unwrap_or(DEFAULT_MONTHS)) {
        Ok(figures) => Json(figures).into_response(),
        Err(error) => api::failed(&error),
    }
}
