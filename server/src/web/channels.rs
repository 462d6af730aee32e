//! The console's page of channels: which work, since when that is known, and a button that tests one. The same as JSON:
//!
//! ```text
//! GET  /api/channels                 {"channels":[…],"duty":{…}}: who is on duty, or null
//! POST /api/channels/{name}/test     {"test":"…"}: its id; what becomes of it shows in the list
//! ```

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;
use serde_json::json;

use crate::desk::duty::DutyView;
use crate::desk::{ChannelView, ReceiverView, RecipientView, Standing, TestError};
use crate::web::Console;
use crate::web::api::problem;
use crate::web::guard::{AskedLanguage, LoggedIn};
use crate::web::pages::{Frame, error, failed, frame, remember, render};
use crate::web::present::{Moment, machine};
use crate::web::push::ShownBrowser;
use crate::web::words::Words;
use baken_schemas::local_time::local;

/// How many holes of the roster the page names.
const MAX_HOLES: usize = 5;

#[derive(Template)]
#[template(path = "channels.html")]
struct ChannelsPage {
    frame: Frame,
    channels: Vec<ShownChannel>,
    duty: Option<ShownDuty>,
    /// What a browser subscribes with, where browsers are woken.
    push_key: Option<String>,
    browsers: Vec<ShownBrowser>,
}

/// Who is on duty, where a channel asks for it.
struct ShownDuty {
    on_duty: String,
    warnings: Vec<String>,
}

impl ShownDuty {
    fn of(view: &DutyView, language: Language) -> Self {
        let words = Words::of(language);
        let nobody = view.on_duty.is_empty().then(|| words.nobody_on_duty.to_owned());
        let holes = view.holes.iter().map(|hole| format!("{} {} - {}", words.duty_hole, hole.from, hole.to));
        let unreachable = view.unreachable.iter().map(|name| format!("{} {name}", words.duty_unreachable));
        Self {
            on_duty: nobody.unwrap_or_else(|| view.on_duty.join(", ")),
            warnings: holes.take(MAX_HOLES).chain(unreachable).collect(),
        }
    }
}

/// A channel on the page.
struct ShownChannel {
    name: String,
    /// Its name as part of a path.
    path: String,
    kind: &'static str,
    standing: &'static str,
    works: bool,
    /// What is known of an alarm centre's receivers.
    lines: Vec<String>,
    recipients: Vec<ShownRecipient>,
    testing: bool,
}

/// A recipient of it.
struct ShownRecipient {
    to: String,
    proof: String,
    queued: u32,
    /// The newest message, or nothing.
    last: Vec<Moment>,
}

impl ShownChannel {
    fn of(view: &ChannelView, language: Language) -> Self {
        let words = Words::of(language);
        let watched = view.receivers.iter().map(|receiver| line(receiver, language)).collect();
        let unwatched = vec![words.not_watched.to_owned()];
        Self {
            name: view.name.clone(),
            path: in_path(&view.name),
            kind: words.channel_kind(view.kind),
            standing: words.standing(view.standing),
            works: view.standing == Standing::Proven && !view.receivers.iter().any(|receiver| receiver.silent),
            lines: if view.kind == "dc09" && view.supervision_s.is_none() { unwatched } else { watched },
            testing: view.recipients.iter().any(|recipient| recipient.testing),
            recipients: view.recipients.iter().map(|recipient| ShownRecipient::of(recipient, language)).collect(),
        }
    }
}

impl ShownRecipient {
    fn of(view: &RecipientView, language: Language) -> Self {
        let words = Words::of(language);
        let proof = match (view.proven_at, view.proof) {
            (Some(at), Some(proof)) => {
                let by = if view.proven_by == Some("test") { words.by_test } else { words.by_alarm };
                format!("{} {} {by}: {}", words.last_proof, local(at), words.delivery(proof))
            }
            _ => words.standing(view.standing).to_owned(),
        };
        Self {
            to: view.to.clone().unwrap_or_default(),
            proof,
            queued: view.queued,
            last: view.last.iter().map(|last| machine(last, language)).collect(),
        }
    }
}

fn line(receiver: &ReceiverView, language: Language) -> String {
    let words = Words::of(language);
    let name = words.receiver(receiver.path);
    let heard = match receiver.heard_at {
        Some(at) => format!("{name} {} {}", words.last_heard, local(at)),
        None => format!("{name} {}", words.not_heard),
    };
    match receiver.why {
        Some(why) => format!("{heard}; {}", why.text(language)),
        None => heard,
    }
}

/// A name as one part of a path, whatever is in it.
fn in_path(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// `GET /channels`.
pub async fn list(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let found = console.desk.channel_views().and_then(|views| Ok((views, console.desk.subscriptions(officer.id)?)));
    let (views, browsers) = match found {
        Ok(found) => found,
        Err(error) => return failed(&error, language),
    };
    let page = ChannelsPage {
        frame: frame(&console, officer.name, language, "/channels?".to_owned()),
        channels: views.iter().map(|view| ShownChannel::of(view, language)).collect(),
        duty: console.desk.duty_view().map(|view| ShownDuty::of(&view, language)),
        push_key: console.desk.push_key().map(str::to_owned),
        browsers: browsers.into_iter().map(|view| ShownBrowser::of(view, language)).collect(),
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// `POST /channels/{name}/test`: the button.
pub async fn test(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(name): Path<String>,
) -> Response {
    match console.desk.test_channel(&name, &officer.id.to_string()).await {
        Ok(_) => Redirect::to("/channels").into_response(),
        Err(refused) => error(status_of(&refused), language, |words| match &refused {
            TestError::Unknown => words.not_found.to_owned(),
            TestError::UnderWay => words.test_under_way.to_owned(),
            TestError::Nobody => words.nobody_subscribed.to_owned(),
            TestError::Desk(_) => words.act_failed.to_owned(),
        }),
    }
}

/// `GET /api/channels`.
pub async fn list_json(State(console): State<Console>, _: LoggedIn) -> Response {
    match console.desk.channel_views() {
        Ok(views) => Json(json!({ "channels": views, "duty": console.desk.duty_view() })).into_response(),
        Err(error) => refused(&error.into()),
    }
}

/// `POST /api/channels/{name}/test`.
pub async fn test_json(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    Path(name): Path<String>,
) -> Response {
    match console.desk.test_channel(&name, &officer.id.to_string()).await {
        Ok(test) => Json(json!({ "test": test })).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &TestError) -> Response {
    if let TestError::Desk(error) = error {
        tracing::error!(event = "console_failed", why = %error);
    }
    problem(status_of(error), error.code(), &error.to_string())
}

fn status_of(error: &TestError) -> StatusCode {
    match error {
        TestError::Unknown => StatusCode::NOT_FOUND,
        TestError::UnderWay | TestError::Nobody => StatusCode::CONFLICT,
        TestError::Desk(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
