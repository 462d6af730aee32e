//! The console's pages. They work without script, as links and forms; the script only keeps them up to date.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use baken_schemas::Language;
use baken_schemas::alarm::ReceiptState;
use baken_schemas::id::{AlarmId, BlobId};
use baken_schemas::local_time::local;

use crate::desk::run::RelayLink;
use crate::desk::{ActError, AlarmList, AlarmSummary, DeskError, HolderView, WarningView, Wrong, warning_words};
use crate::web::Console;
use crate::web::api::{ListQuery, Said, status_of};
use crate::web::guard::{AskedLanguage, LoggedIn, language_cookie};
use crate::web::plan::Plan;
use crate::web::present::{self, ShownAlarm, ShownDetail, ShownEntry};
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
    /// Officers come in with passkeys here.
    pub has_keys: bool,
}

impl Frame {
    /// The pages of the console: path and name.
    pub(super) fn menu(&self) -> [(&'static str, &'static str); 8] {
        let words = self.words;
        [
            ("/", words.alarms),
            ("/people", words.people),
            ("/roster", words.roster),
            ("/shift", words.shift),
            ("/channels", words.channels),
            ("/warnings", words.warnings),
            ("/tests", words.tests),
            ("/figures", words.figures),
        ]
    }

    /// Whether the page shown is this one, or below it.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let own = self.path.split('?').next().unwrap_or_default();
        if path == "/" {
            own == "/" || own.starts_with("/alarms") || own.starts_with("/incidents")
        } else {
            own.starts_with(path)
        }
    }

    /// Whether this alarm is the one that F2 takes.
    pub(super) fn is_first(&self, alarm: &str) -> bool {
        self.ringing.first().is_some_and(|first| first == alarm)
    }
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
    /// Where, drawn.
    plan: Option<Plan>,
    /// Earlier alarms of the person: id, and what an officer knows it by.
    earlier: Vec<(String, String)>,
    /// Other open alarms that it can be one incident with: id, and what an officer knows it by.
    others: Vec<(String, String)>,
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

pub(super) fn frame(console: &Console, officer: String, language: Language, path: String) -> Frame {
    frame_with(console, officer, language, path, ringing_of(console))
}

/// A frame for a page that knows already what rings: looking through hundreds of alarms twice is time that one waits for.
fn frame_with(console: &Console, officer: String, language: Language, path: String, ringing: Vec<String>) -> Frame {
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
    let silent_receivers = silent.collect();
    let has_keys = console.desk.has_passkeys();
    Frame { words, desk, officer, path, ringing, relay_down, silent_desks, silent_receivers, warnings, has_keys }
}

/// The alarms that ring.
pub(super) fn ringing_of(console: &Console) -> Vec<String> {
    ringing_in(&console.desk.alarms(true).map(|list| list.alarms).unwrap_or_default())
}

fn ringing_in(open: &[AlarmSummary]) -> Vec<String> {
    open.iter().filter(|alarm| alarm.ringing).map(|alarm| alarm.alarm.to_string()).collect()
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
    let ringing = if open { ringing_in(&list.alarms) } else { ringing_of(&console) };
    let page = ListPage {
        frame: frame_with(&console, officer.name, language, path.to_owned(), ringing),
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
    let words = Words::of(language);
    let earlier = match console.desk.earlier(&detail) {
        Ok(earlier) => earlier.iter().map(|alarm| shown_earlier(alarm, words)).collect(),
        Err(error) => return failed(&error, language),
    };
    // Who serves the tiles sees where somebody is: not once it is over.
    let map = console.desk.map().filter(|_| detail.summary.state != ReceiptState::Closed);
    let plan = present::plan(&detail, map, words);
    let detail = ShownDetail::of(&detail, language);
    let page = AlarmPage {
        plan,
        earlier,
        is_holder,
        others,
        colleagues,
        desks: console.desk.other_desks().into_iter().map(|(desk, name)| (desk.to_string(), name)).collect(),
        frame: frame(&console, officer.name, language, format!("/alarms/{}?", detail.alarm.id)),
        detail,
    };
    remember(render(StatusCode::OK, &page), raw.as_deref(), language)
}

fn shown_earlier(alarm: &AlarmSummary, words: &'static Words) -> (String, String) {
    let shown = ShownAlarm::of(alarm, words);
    let what =
        if shown.shredded.is_empty() { format!("{} · {}", shown.kind, shown.state) } else { shown.state.to_owned() };
    (shown.id, format!("{} · {what}", shown.received))
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

/// Everything else.
pub async fn not_found(AskedLanguage(language): AskedLanguage) -> Response {
    error(StatusCode::NOT_FOUND, language, |words| words.not_found.to_owned())
}
