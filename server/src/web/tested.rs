//! When each person last tested. The same as JSON:
//!
//! ```text
//! GET /api/tests    {"tests":[…]}: those whose test is longest ago first
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
use crate::web::pages::{Frame, failed, frame, remember, render};

#[derive(Template)]
#[template(path = "tests.html")]
struct TestsPage {
    frame: Frame,
    people: Vec<Shown>,
}

/// A person on the page.
struct Shown {
    who: String,
    tested: String,
    is_due: bool,
}

/// `GET /tests`.
pub async fn list(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let tested = match console.desk.tested() {
        Ok(found) => found,
        Err(error) => return failed(&error, language),
    };
    let frame = frame(&console, officer.name, language, "/tests?".to_owned());
    let never = frame.words.never_tested;
    let people = tested.into_iter().map(|person| Shown {
        who: format!("{}, {}", person.name, person.office),
        tested: person.tested_at.map_or_else(|| never.to_owned(), local),
        is_due: person.is_due,
    });
    let page = TestsPage { people: people.collect(), frame };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `GET /api/tests`.
pub async fn list_json(State(console): State<Console>, _: LoggedIn) -> Response {
    match console.desk.tested() {
        Ok(tests) => Json(json!({ "tests": tests })).into_response(),
        Err(error) => api::failed(&error),
    }
}
