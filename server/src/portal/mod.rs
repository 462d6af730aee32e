//! The adviser's portal: what `baken-server org …` and `edition …` do, on pages, for who does not type commands.
//!
//! It runs on the adviser's own machine, listens on that machine alone, and every change is such a command, run here: with
//! the same checks, the same files and the same refusals. So nothing that signs comes to the relay, and the relay learns no
//! more than from a terminal (docs/adr/0021). Where the organisation's root lies on this machine too it signs here; where
//! it does not, a page says which command its keeper runs.

mod commands;
mod edition;
mod guard;
mod ladders;
mod look;
mod overview;
mod people;
mod plan;
mod roles;
mod serve;
mod words;
mod year;

pub(crate) use look::Look;
pub use serve::{PortalAt, PortalFolders, portal};

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use baken_schemas::crypto::Hash;

use baken_schemas::Language;
use baken_schemas::adviser::{Function, State};

use crate::cli::Failure;
use crate::portal::guard::Visit;
use crate::portal::words::Words;

/// The largest body of a request in bytes: a form with a file of an edition in it.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// The most invites that can be looked at again until the portal ends.
const MAX_INVITES: usize = 200;

/// The portal of one adviser.
#[derive(Clone)]
pub(crate) struct Portal {
    folders: PortalFolders,
    /// Where it listens.
    port: u16,
    inside: Arc<Mutex<Inside>>,
    /// Commands lock their folders: one at a time.
    alone: Arc<tokio::sync::Mutex<()>>,
    clock: Arc<dyn baken_schemas::time::Clock>,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal").field("port", &self.port).finish_non_exhaustive()
    }
}

/// What is known until the process ends.
#[derive(Debug, Default)]
struct Inside {
    /// Of the link, until it is used.
    link: Option<Hash>,
    /// The browser that used it.
    session: Option<guard::Session>,
    /// What the last change said, for the next page.
    said: Option<String>,
    /// Invites made here, by account: they are shown and never written down.
    invites: HashMap<String, people::Invite>,
}

impl Portal {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The organisation's root lies on this machine.
    fn root(&self) -> Option<&PathBuf> {
        self.folders.root.as_ref()
    }

    fn router(self) -> Router {
        Router::new()
            .route("/", get(overview::show))
            .route("/people", get(people::list))
            .route("/people/invite", post(people::invite))
            .route("/people/dismiss", post(people::dismiss))
            .route("/people/{account}/invite", get(people::show_invite))
            .route("/ladders", get(ladders::show))
            .route("/ladders/preview", post(ladders::preview))
            .route("/ladders/sign", post(ladders::sign))
            .route("/plan", get(plan::show))
            .route("/plan/{act}", post(plan::act))
            .route("/year", get(year::show))
            .route("/year/{act}", post(year::act))
            .route("/roles", get(roles::show))
            .route("/roles/{act}", post(roles::act))
            .route("/edition", get(edition::show))
            .route("/edition/{act}", post(edition::act))
            .route("/send", post(send))
            .route("/enter", post(guard::enter))
            .route("/enter/{token}", get(guard::offer))
            .route("/leave", post(guard::leave))
            .route("/assets/console.css", get(|| asset("text/css", include_str!("../../templates/console.css"))))
            .route(
                "/assets/portal.js",
                get(|| asset("text/javascript", include_str!("../../templates/portal/portal.js"))),
            )
            .route("/assets/icon.svg", get(|| asset("image/svg+xml", include_str!("../../templates/icon.svg"))))
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .fallback(
                |visit: Visit| async move { refused_with(&visit, StatusCode::NOT_FOUND, visit.words().not_found) },
            )
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), guard::stand))
            .with_state(self)
    }
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// What every page shows.
struct Frame {
    words: &'static Words,
    organisation: String,
    /// The path of the page, with `?` or `&` at its end.
    path: &'static str,
    /// What the last change said.
    said: String,
    has_root: bool,
}

impl Frame {
    fn menu(&self) -> [(&'static str, &'static str); 7] {
        let words = self.words;
        [
            ("/", words.overview),
            ("/people", words.people),
            ("/ladders", words.ladders),
            ("/roles", words.roles),
            ("/plan", words.plan),
            ("/year", words.year),
            ("/edition", words.edition),
        ]
    }

    fn is_at(&self, path: &str) -> bool {
        self.path.split('?').next() == Some(path)
    }
}

#[derive(Template)]
#[template(path = "portal/refused.html")]
struct RefusedPage {
    words: &'static Words,
    message: String,
}

fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, axum::response::Html(html)).into_response(),
        Err(error) => {
            tracing::error!(event = "page_not_rendered", why = %error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refused_with(visit: &Visit, status: StatusCode, message: &str) -> Response {
    render(status, &RefusedPage { words: visit.words(), message: message.to_owned() })
}

/// A page that says why a command was not done, in the command's own words.
fn refused(visit: &Visit, failure: &Failure) -> Response {
    let status = match failure.exit {
        crate::exit::NOT_REACHED => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    refused_with(visit, status, visit.language.pick(&failure.nl, &failure.en))
}

/// After a change: back to the page, which says what came of it.
fn done(visit: &Visit, back_to: &str, outcome: Result<commands::Heard, Failure>) -> Response {
    match outcome {
        Ok(heard) => {
            visit.portal.inside().said = Some(heard.text);
            Redirect::to(back_to).into_response()
        }
        Err(failure) => refused(visit, &failure),
    }
}

/// `POST /send`: what was signed and not sent yet goes to the relay.
async fn send(visit: Visit) -> Response {
    let outcome = visit.root_command(&["org", "publish"], &[]).await;
    done(&visit, "/", outcome)
}

/// One of a closed list, as a form offers it.
struct Choice {
    tag: &'static str,
    name: &'static str,
    chosen: bool,
}

impl Choice {
    fn new(tag: &'static str, name: &'static str) -> Self {
        Self { tag, name, chosen: false }
    }
}

/// The functions, none first.
fn functions(language: Language) -> Vec<Choice> {
    Function::ALL.iter().map(|function| Choice::new(function.tag(), function.name(language))).collect()
}

/// The states, with the one that holds now.
fn states(language: Language, now: State) -> Vec<Choice> {
    let choice = |state: &State| Choice { chosen: *state == now, ..Choice::new(state.tag(), state.name(language)) };
    State::ALL.iter().map(choice).collect()
}
