//! The console's pages. They work without script, as links and forms; the script only keeps them up to date.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use baken_schemas::Language;
use baken_schemas::id::{AlarmId, BlobId};
use baken_schemas::local_time::local;
use serde::Deserialize;

use crate::desk::officers::Token;
use crate::desk::run::RelayLink;
use crate::desk::{ActError, AlarmList, AlarmSummary, DeskError, HolderView, WarningView, Wrong, warning_words};
use crate::web::Console;
use crate::web::api::{ListQuery, Said, status_of};
use crate::web::guard::{AskedLanguage, LoggedIn, language_cookie, no_session_cookie, session_cookie, session_token};
use crate::web::present::{ShownAlarm, ShownDetail, ShownEntry};
use crate::web::words::Words;

/// The most alarms that one can be joined with from its page.
const MAX_OTHERS: usize = 50;

/// What every page of an officer shows.
pub(super) struct Frame {
    pub words: &'static Words,
    pub desk: String,
    pub officer: String,
    pub path: String,
    /// The alarms that ring, on whichever page one is: it beeps when another comes.
    pub ringing: Vec<String>,
    /// Since when the relay is not heard; empty while it is.
    pub relay_down: String,
    /// Other desks that the relay does not hear: name, and since when.
    pub silent_desks: Vec<(String, String)>,
    /// Receivers of alarm centres that do not answer, each with since when.
    pub silent_receivers: Vec<String>,
    /// What else is wrong.
    pub warnings: Vec<String>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    frame: Frame,
    open: bool,
    entries: Vec<ShownEntry>,
    /// How many are open in all, when not all are listed.
    more: Option<usize>,
}

#[derive(Template)]
#[template(path = "alarm.html")]
struct AlarmPage {
    frame: Frame,
    detail: ShownDetail,
    /// The officer who looks has it.
    is_holder: bool,
    /// The other officers of this desk.
    colleagues: Vec<String>,
    /// The other desks: id and name.
    desks: Vec<(String, String)>,
    /// Other open alarms that it can be one incident with: id, and what an officer knows it by.
    others: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    words: &'static Words,
    /// The link's token, to be sent by the button; empty when there is none.
    token: String,
    message: &'static str,
    /// Where to go on to, when the browser did not send its cookie because it came from another site.
    path: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    words: &'static Words,
    message: String,
}

pub(super) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(event = "page_not_rendered", why = %error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says what went wrong.
pub fn error(status: StatusCode, language: Language, message: impl Fn(&Words) -> String) -> Response {
    let words = Words::of(language);
    render(status, &ErrorPage { words, message: message(words) })
}

pub(super) fn failed(error: &DeskError, language: Language) -> Response {
    tracing::error!(event = "console_failed", why = %error);
    self::error(StatusCode::SERVICE_UNAVAILABLE, language, |words| words.act_failed.to_owned())
}

/// What a visitor without a session sees. `SameSite=Strict` keeps the cookie back when a link on another site led here:
/// the page offers a link of its own, with which the browser sends it.
pub fn ask_to_log_in(path: &str, language: Language) -> Response {
    let words = Words::of(language);
    let page = LoginPage { words, token: String::new(), message: words.log_in_ask, path: path.to_owned() };
    render(StatusCode::UNAUTHORIZED, &page)
}

pub(super) fn frame(console: &Console, officer: String, language: Language, path: String) -> Frame {
    let words = Words::of(language);
    let silent = console.desk.silent_receivers().into_iter().map(|silent| {
        let (receiver, since) = (words.receiver(silent.path), local(silent.since));
        format!("{}, {receiver} ({} {since})", silent.channel, words.since.to_lowercase())
    });
    let relay_down = match &*console.link.borrow() {
        RelayLink::Live { .. } => String::new(),
        RelayLink::Down { since, .. } => local(*since),
    };
    // What cannot be read now is shown with the next look.
    let desks = console.desk.silent_desks().unwrap_or_default();
    let silent_desks = desks.into_iter().map(|silent| (silent.desk, local(silent.since))).collect();
    let desk = console.desk.name();
    let (warnings, _) = console.desk.warnings().unwrap_or_default();
    // Those with a banner of their own have it from what is known this very moment.
    let own = [Wrong::RelayDown, Wrong::DeskSilent, Wrong::ReceiverSilent];
    let others = warnings.iter().filter(|warning| !own.contains(&warning.what));
    let warnings = others.map(|warning| warning_line(warning, language)).collect();
    let alarms = console.desk.alarms(true).map(|list| list.alarms).unwrap_or_default();
    let ringing = alarms.iter().filter(|alarm| alarm.ringing).map(|alarm| alarm.alarm.to_string()).collect();
    let silent_receivers = silent.collect();
    Frame { words, desk, officer, path, ringing, relay_down, silent_desks, silent_receivers, warnings }
}

/// A warning in a line: what, which one, since when.
pub(super) fn warning_line(warning: &WarningView, language: Language) -> String {
    let about = if warning.about.is_empty() { String::new() } else { format!(" ({})", warning.about) };
    let since = Words::of(language).since.to_lowercase();
    format!("{}{about}, {since} {}", warning_words(warning.what, language), local(warning.since))
}

/// `GET /`: the open alarms, or with `?closed=1` the closed ones.
pub async fn list(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Query(query): Query<ListQuery>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let open = query.is_open();
    let list = match console.desk.alarms(open) {
        Ok(list) => list,
        Err(error) => return failed(&error, language),
    };
    let alarms: Vec<ShownAlarm> = list.alarms.iter().map(|alarm| ShownAlarm::of(alarm, Words::of(language))).collect();
    let path = if open { "/?" } else { "/?closed=1&" };
    let page = ListPage {
        frame: frame(&console, officer.name, language, path.to_owned()),
        open,
        more: (open && list.open > alarms.len()).then_some(list.open),
        entries: ShownEntry::of(alarms),
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// A language that was asked for by name stays.
pub(super) fn remember(mut response: Response, query: Option<&str>, language: Language) -> Response {
    if query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("lang="))) {
        response.headers_mut().insert(header::SET_COOKIE, language_cookie(language));
    }
    response
}

/// `GET /alarms/{id}`.
pub async fn alarm(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(alarm): Path<String>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
) -> Response {
    let detail = match alarm.parse().ok().map(|alarm| console.desk.alarm(alarm)) {
        Some(Ok(Some(detail))) => detail,
        Some(Err(error)) => return failed(&error, language),
        None | Some(Ok(None)) => return not_found(AskedLanguage(language)).await,
    };
    let colleagues = match console.desk.officers().list() {
        Ok(officers) => officers.into_iter().map(|officer| officer.name).filter(|name| *name != officer.name).collect(),
        Err(error) => return failed(&error.into(), language),
    };
    let others = match console.desk.alarms(true) {
        Ok(list) => others(&list, &detail.summary, Words::of(language)),
        Err(error) => return failed(&error, language),
    };
    let held_by = detail.summary.held_by.as_ref().filter(|holder| holder.own);
    let is_holder = held_by.is_some_and(|holder| holder.officer.as_deref() == Some(&officer.name));
    let detail = ShownDetail::of(&detail, language);
    let page = AlarmPage {
        is_holder,
        others,
        colleagues,
        desks: console.desk.other_desks().into_iter().map(|(desk, name)| (desk.to_string(), name)).collect(),
        frame: frame(&console, officer.name, language, format!("/alarms/{}?", detail.alarm.id)),
        detail,
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

/// The open alarms that are no part of the same incident.
fn others(list: &AlarmList, than: &AlarmSummary, words: &'static Words) -> Vec<(String, String)> {
    let same = |other: &&AlarmSummary| {
        other.alarm == than.alarm || (other.incident.is_some() && other.incident == than.incident)
    };
    let others = list.alarms.iter().filter(|other| !same(other)).take(MAX_OTHERS);
    let named = others.map(|other| {
        let shown = ShownAlarm::of(other, words);
        (shown.id, format!("{}: {}, {} {}", shown.kind, shown.who, shown.age, words.ago))
    });
    named.collect()
}

/// `GET /alarms/{id}/timeline`: everything signed about an alarm, as a file.
pub async fn timeline(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path(alarm): Path<String>,
) -> Response {
    let Ok(id) = alarm.parse::<AlarmId>() else { return not_found(AskedLanguage(language)).await };
    match console.desk.timeline(id, &officer).await {
        Ok(Some(timeline)) => {
            let name = format!("attachment; filename=\"alarm-{id}.baken\"");
            let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, &*name)];
            (headers, timeline.to_bytes()).into_response()
        }
        Ok(None) => match console.desk.alarm(id) {
            // What was destroyed and when is said; what is left of the alarm stands on its page.
            Ok(Some(detail)) if detail.summary.shredded_at.is_some() => {
                let shown = ShownDetail::of(&detail, language);
                error(StatusCode::GONE, language, |_| shown.alarm.shredded.clone())
            }
            Err(error) => failed(&error, language),
            _ => not_found(AskedLanguage(language)).await,
        },
        Err(error) => failed(&error, language),
    }
}

/// `GET /alarms/{id}/attachments/{blob}`: a photo or sound that goes along with an alarm.
pub async fn attachment(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path((alarm, blob)): Path<(String, String)>,
) -> Response {
    let (Ok(alarm), Ok(blob)) = (alarm.parse::<AlarmId>(), blob.parse::<BlobId>()) else {
        return not_found(AskedLanguage(language)).await;
    };
    match console.desk.attachment(alarm, blob, &officer).await {
        Ok(Some((media, file))) => ([(header::CONTENT_TYPE, media.mime())], file.to_vec()).into_response(),
        Ok(None) => not_found(AskedLanguage(language)).await,
        Err(error) => failed(&error, language),
    }
}

/// `POST /alarms/{id}/{act}`: a form's act.
pub async fn act(
    State(console): State<Console>,
    LoggedIn(officer): LoggedIn,
    AskedLanguage(language): AskedLanguage,
    Path((alarm, name)): Path<(String, String)>,
    Form(said): Form<Said>,
) -> Response {
    let (Ok(alarm), Some(deed)) = (alarm.parse(), said.deed(&name)) else {
        return not_found(AskedLanguage(language)).await;
    };
    match deed.of(&console.desk, alarm, &officer).await {
        Ok(()) => Redirect::to(&format!("/alarms/{alarm}")).into_response(),
        Err(refused) => {
            let holder = console.desk.alarm(alarm).ok().flatten().and_then(|detail| detail.summary.held_by);
            self::refused(&refused, holder.as_ref(), language)
        }
    }
}

/// A page that says why something was not done, and who has the alarm where that is the reason.
pub(super) fn refused(refused: &ActError, holder: Option<&HolderView>, language: Language) -> Response {
    error(status_of(refused), language, |words| said_of(refused, holder, words))
}

/// Why an act was not done, in words.
pub(super) fn said_of(refused: &ActError, holder: Option<&HolderView>, words: &Words) -> String {
    match refused {
        ActError::Unknown => words.not_found.to_owned(),
        ActError::Held => {
            let who = holder.and_then(|holder| holder.officer.clone());
            let desk = holder.map(|holder| holder.desk.clone()).unwrap_or_default();
            format!("{} {} ({desk})", words.act_held, who.unwrap_or_else(|| words.an_officer.to_owned()))
        }
        ActError::UnknownIncident => words.act_unknown_incident.to_owned(),
        ActError::UnknownDesk => words.act_unknown_desk.to_owned(),
        ActError::StaysHere => words.act_stays_here.to_owned(),
        ActError::UnknownOfficer => words.act_unknown_officer.to_owned(),
        ActError::NotTaken => words.act_not_taken.to_owned(),
        ActError::Closed => words.act_closed.to_owned(),
        ActError::Shredded => words.act_shredded.to_owned(),
        ActError::Words => words.act_words.to_owned(),
        ActError::TooMany => words.act_too_many.to_owned(),
        ActError::Desk(_) => words.act_failed.to_owned(),
    }
}

/// `GET /login/{token}`: a button. Looking at the link, as mail scanners do, does not use it up.
pub async fn offer_log_in(AskedLanguage(language): AskedLanguage, Path(token): Path<String>) -> Response {
    let words = Words::of(language);
    let known = Token::read(&token).is_some();
    let message = if known { words.log_in_explain } else { words.log_in_refused };
    let token = if known { token } else { String::new() };
    render(StatusCode::OK, &LoginPage { words, token, message, path: String::new() })
}

/// The field of the login form.
#[derive(Deserialize)]
pub struct LogIn {
    token: String,
}

/// `POST /login`.
pub async fn log_in(
    State(console): State<Console>,
    AskedLanguage(language): AskedLanguage,
    Form(form): Form<LogIn>,
) -> Response {
    let session = match Token::read(&form.token) {
        Some(token) => console.desk.log_in(&token).await,
        None => Ok(None),
    };
    match session {
        Ok(Some(session)) => {
            let mut response = Redirect::to("/").into_response();
            if let Some(cookie) = session_cookie(&session.token) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(None) => {
            let words = Words::of(language);
            let page = LoginPage { words, token: String::new(), message: words.log_in_refused, path: String::new() };
            render(StatusCode::FORBIDDEN, &page)
        }
        Err(error) => failed(&error, language),
    }
}

/// `POST /logout`.
pub async fn log_out(
    State(console): State<Console>,
    AskedLanguage(language): AskedLanguage,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = session_token(&headers)
        && let Err(error) = console.desk.log_out(&token).await
    {
        return failed(&error, language);
    }
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().insert(header::SET_COOKIE, no_session_cookie());
    response
}

/// Everything else.
pub async fn not_found(AskedLanguage(language): AskedLanguage) -> Response {
    error(StatusCode::NOT_FOUND, language, |words| words.not_found.to_owned())
}
