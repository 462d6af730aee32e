//! What an adviser sees first: what has a hole, what is late, and what waits to be sent.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use baken_schemas::adviser::{Counts, Function, Line, due_in};
use baken_schemas::edition::Date;

use crate::portal::guard::Visit;
use crate::portal::ladders::holes;
use crate::portal::{Frame, refused, render};

#[derive(Template)]
#[template(path = "portal/overview.html")]
struct OverviewPage {
    frame: Frame,
    holes: Vec<String>,
    late: Vec<String>,
    agreed: String,
    unsent: usize,
}

/// `GET /`.
pub(super) async fn show(visit: Visit) -> Response {
    let look = match visit.look().await {
        Ok(look) => look,
        Err(failure) => return refused(&visit, &failure),
    };
    let (words, language) = (visit.words(), visit.language);
    let today = Date::of(visit.portal.clock.now());
    let mut found = holes(&look.directory, words);
    let role = |function: Function| {
        look.plan.lines.iter().find_map(|line| match &line.line {
            Line::Role(role) if role.function == function => Some(role),
            _ => None,
        })
    };
    for function in [Function::SafetyAdviser, Function::IncidentDesk] {
        if role(function).is_none() {
            found.push(format!("{} {}", words.hole_function, function.name(language)));
        }
    }
    for function in Function::ALL.iter().copied() {
        if role(function).is_some_and(|role| role.deputy.is_none()) {
            found.push(format!("{} {}", words.hole_deputy, function.name(language)));
        }
    }
    let due = due_in(&look.plan, today.year(), today);
    let late = due.iter().filter(|due| due.overdue);
    let readiness: Vec<_> = look.readiness.iter().map(|person| person.readiness).collect();
    let page = OverviewPage {
        holes: found,
        late: late.map(|due| format!("{} {}", due.on, visit.what(&due.what, &look))).collect(),
        agreed: Counts::of(&readiness).people.map_or_else(|| "–".to_owned(), |count| count.to_string()),
        unsent: visit.unsent(),
        frame: visit.frame(&look.directory.name, "/?"),
    };
    render(StatusCode::OK, &page)
}
