//! What the desk warns of now, and what was over lately. The same as JSON:
//!
//! ```text
//! GET /api/warnings    {"open":[…],"over":[…]}
//! ```

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use baken_schemas::local_time::local;
use serde_json::json;

use crate::web::Console;
use crate::web::api;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{Frame, failed, frame, remember, render, warning_line};

#[derive(Template)]
#[template(path = "warnings.html")]
struct WarningsPage {
    frame: Frame,
    open: Vec<String>,
    over: Vec<String>,
}

/// `GET /warnings`.
pub async fn list(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let (open, over) = match console.desk.warnings() {
        Ok(found) => found,
        Err(error) => return failed(&error, language),
    };
    let frame = frame(&console, officer.name, language, "/warnings?".to_owned());
    let over_at = frame.words.over_at;
    let page = WarningsPage {
        open: open.iter().map(|warning| warning_line(warning, language)).collect(),
        over: over
            .iter()
            .map(|warning| {
                let ended = warning.over_at.map(local).unwrap_or_default();
                format!("{}; {over_at} {ended}", warning_line(warning, language))
            })
            .collect(),
        frame,
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `GET /api/warnings`.
pub async fn list_json(State(console): State<Console>, _: LoggedIn) -> Response {
    match console.desk.warnings() {
        Ok((open, over)) => Json(json!({ "open": open, "over": over })).into_response(),
        Err(error) => api::failed(&error),
    }
}
