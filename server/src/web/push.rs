//! Waking an officer's browser: turned on by a button in the console, off by another. Turning it on takes a script and a
//! service worker; all else is forms. The same as JSON:
//!
//! ```text
//! GET  /api/push                 {"key":"…","browsers":[…]}: what a browser subscribes with, null where desk.toml has no [[push]]
//! POST /api/push                 {"endpoint":"https://…"} gives {"browser":"…"}
//! POST /api/push/{id}/remove     {}
//! ```

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;
use baken_schemas::local_time::local;
use serde::Deserialize;
use serde_json::json;

use crate::desk::{SubscribeError, SubscriptionView};
use crate::web::Console;
use crate::web::api::problem;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::error;
use crate::web::words::Words;

/// A browser on the page of channels.
pub struct ShownBrowser {
    /// Its id.
    pub id: String,
    /// Whose, which kind, since when.
    pub line: String,
    /// It is woken no more, since then; empty while it is.
    pub ended: String,
    /// It is of the officer who looks.
    pub own: bool,
}

impl ShownBrowser {
    pub(super) fn of(view: SubscriptionView, language: Language) -> Self {
        let words = Words::of(language);
        let since = words.since.to_lowercase();
        Self {
            line: format!("{} ({}), {since} {}", view.officer, view.host, local(view.added_at)),
            ended: view.ended_at.map(|at| format!("{} {}", words.browser_ended, local(at))).unwrap_or_default(),
            own: view.own,
            id: view.id,
        }
    }
}

#[derive(Deserialize)]
pub struct Subscribing {
    endpoint: String,
}

/// `GET /api/push`.
pub async fn show_json(State(console): State<Console>, LoggedIn(officer): LoggedIn) -> Response {
    match console.desk.subscriptions(officer.id) {
        Ok(browsers) => Json(json!({ "key": console.desk.push_key(), "browsers": browsers })).into_response(),
        Err(error) => refused(&error.into()),
    }
}

/// `POST /api/push`.
pub async fn subscribe_json(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Json(asked): Json<Subscribing>,
) -> Response {
    match console.desk.subscribe(&officer, &asked.endpoint).await {
        Ok(browser) => Json(json!({ "browser": browser })).into_response(),
        Err(error) => refused(&error),
    }
}

/// `POST /push/{id}/remove`: the button.
pub async fn remove(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(id): Path<String>,
) -> Response {
    match console.desk.unsubscribe(officer.id, &id).await {
        Ok(()) => Redirect::to("/channels").into_response(),
        Err(refused) => error(status_of(&refused), language, |words| match refused {
            SubscribeError::Desk(_) => words.act_failed.to_owned(),
            _ => words.not_found.to_owned(),
        }),
    }
}

/// `POST /api/push/{id}/remove`.
pub async fn remove_json(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Path(id): Path<String>,
) -> Response {
    match console.desk.unsubscribe(officer.id, &id).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &SubscribeError) -> Response {
    if let SubscribeError::Desk(error) = error {
        tracing::error!(event = "console_failed", why = %error);
    }
    problem(status_of(error), error.code(), &error.to_string())
}

fn status_of(error: &SubscribeError) -> StatusCode {
    match error {
        SubscribeError::Off | SubscribeError::Unknown => StatusCode::NOT_FOUND,
        SubscribeError::Endpoint(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SubscribeError::TooMany => StatusCode::CONFLICT,
        SubscribeError::Desk(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
