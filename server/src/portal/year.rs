//! The year: what is due month by month, the start of a term, and who is to be informed.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use baken_schemas::adviser::{DueKind, Line, due_in};
use baken_schemas::edition::Date;
use serde::Deserialize;

use crate::portal::guard::Visit;
use crate::portal::{Choice, Frame, done, functions, refused, refused_with, render, states};

struct ShownDue {
    on: String,
    what: String,
    owner: &'static str,
    is_late: bool,
    state: &'static str,
    version: u64,
    /// The task's tag and year; empty for what is changed elsewhere.
    task: &'static str,
    of_year: u16,
    /// The moment's id; empty for what is no moment of informing somebody.
    moment: String,
    is_over: bool,
    states: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "portal/year.html")]
struct YearPage {
    frame: Frame,
    year: u16,
    due: Vec<ShownDue>,
    people: Vec<(String, String)>,
    functions: Vec<Choice>,
    terms: Vec<(String, String)>,
}

/// Which year.
#[derive(Deserialize)]
pub(super) struct Which {
    year: Option<u16>,
}

/// `GET /year`.
pub(super) async fn show(visit: Visit, Query(which): Query<Which>) -> Response {
    let look = match visit.look().await {
        Ok(look) => look,
        Err(failure) => return refused(&visit, &failure),
    };
    let (language, today) = (visit.language, Date::of(visit.portal.clock.now()));
    let year = which.year.filter(|year| (2000..2200).contains(year)).unwrap_or_else(|| today.year());
    let task_of = |what: &DueKind| match what {
        DueKind::Task { task, year } => (task.tag(), *year),
        _ => ("", 0),
    };
    let due = due_in(&look.plan, year, today).into_iter().map(|due| ShownDue {
        task: task_of(&due.what).0,
        of_year: task_of(&due.what).1,
        on: due.on.to_string(),
        what: visit.what(&due.what, &look),
        owner: due.owner.map_or("", |owner| owner.name(language)),
        is_late: due.overdue,
        state: due.state.name(language),
        version: due.version,
        moment: match due.what {
            DueKind::Inform { .. } => due.id.map(|id| id.to_string()).unwrap_or_default(),
            _ => String::new(),
        },
        is_over: due.state.is_over(),
        states: states(language, due.state),
    });
    let terms = look.plan.lines.iter().filter_map(|line| match &line.line {
        Line::Term(term) => Some((term.starts.to_string(), term.ends.to_string())),
        _ => None,
    });
    let page = YearPage {
        year,
        due: due.collect(),
        people: look.names.iter().map(|(account, name)| (account.to_string(), name.clone())).collect(),
        functions: functions(language),
        terms: terms.collect(),
        frame: visit.frame(&look.directory.name, "/year?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of every form of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    task: String,
    year: String,
    version: String,
    state: String,
    owner: String,
    starts: String,
    ends: String,
    person: String,
    on: String,
    id: String,
}

/// `POST /year/{act}`.
pub(super) async fn act(visit: Visit, Path(act): Path<String>, Form(form): Form<Filled>) -> Response {
    let version = ("if-version", form.version.as_str());
    let outcome = match act.as_str() {
        "set" => {
            let options = [("state", form.state.as_str()), version];
            visit.command_with(&["org", "year", "set"], &options, &[&form.task, &form.year]).await
        }
        "term" => visit.command_with(&["org", "year", "term"], &[("ends", &form.ends)], &[&form.starts]).await,
        "inform" => {
            let options = [("person", form.person.as_str()), ("on", &form.on), ("owner", &form.owner)];
            visit.command(&["org", "agenda", "add"], &options).await
        }
        "informed" => visit.command_with(&["org", "agenda", "done"], &[version], &[&form.id]).await,
        _ => return refused_with(&visit, StatusCode::NOT_FOUND, visit.words().not_found),
    };
    done(&visit, "/year", outcome)
}
