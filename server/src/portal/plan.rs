//! The integral plan in its four themes.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use baken_schemas::adviser::{Line, Theme};
use baken_schemas::edition::Date;
use serde::Deserialize;

use crate::portal::guard::Visit;
use crate::portal::{Choice, Frame, done, functions, refused, refused_with, render, states};

struct ShownItem {
    id: String,
    version: u64,
    title: String,
    state: &'static str,
    owner: &'static str,
    due: String,
    is_late: bool,
    states: Vec<Choice>,
}

struct ShownTheme {
    name: &'static str,
    items: Vec<ShownItem>,
}

#[derive(Template)]
#[template(path = "portal/plan.html")]
struct PlanPage {
    frame: Frame,
    themes: Vec<ShownTheme>,
    theme_choices: Vec<Choice>,
    functions: Vec<Choice>,
}

/// `GET /plan`.
pub(super) async fn show(visit: Visit) -> Response {
    let look = match visit.look().await {
        Ok(look) => look,
        Err(failure) => return refused(&visit, &failure),
    };
    let (language, today) = (visit.language, Date::of(visit.portal.clock.now()));
    let of_theme = |theme: Theme| {
        let items = look.plan.lines.iter().filter_map(|line| match &line.line {
            Line::Item(item) if item.theme == theme => Some((line, item)),
            _ => None,
        });
        let mut shown: Vec<ShownItem> = items
            .map(|(line, item)| ShownItem {
                id: line.id.to_string(),
                version: line.version,
                title: item.title.to_string(),
                state: item.state.name(language),
                owner: item.owner.map_or("", |owner| owner.name(language)),
                due: item.due.map(|due| due.to_string()).unwrap_or_default(),
                is_late: item.due.is_some_and(|due| due < today && !item.state.is_over()),
                states: states(language, item.state),
            })
            .collect();
        // What is due first; what is due on no day last.
        shown.sort_by(|one, other| {
            (one.due.is_empty(), &one.due, &one.title).cmp(&(other.due.is_empty(), &other.due, &other.title))
        });
        ShownTheme { name: theme.name(language), items: shown }
    };
    let page = PlanPage {
        themes: Theme::ALL.iter().copied().map(of_theme).collect(),
        theme_choices: Theme::ALL.iter().map(|theme| Choice::new(theme.tag(), theme.name(language))).collect(),
        functions: functions(language),
        frame: visit.frame(&look.directory.name, "/plan?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of every form of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    id: String,
    version: String,
    theme: String,
    title: String,
    owner: String,
    due: String,
    state: String,
    on: String,
}

/// `POST /plan/{act}`.
pub(super) async fn act(visit: Visit, Path(act): Path<String>, Form(form): Form<Filled>) -> Response {
    let (owner, due) = (("owner", form.owner.as_str()), ("due", form.due.as_str()));
    let outcome = match act.as_str() {
        "add" => {
            let options = [("theme", form.theme.as_str()), owner, due];
            visit.command_with(&["org", "plan", "add"], &options, &[form.title.trim()]).await
        }
        "set" => {
            let options = [("state", form.state.as_str()), ("if-version", &form.version)];
            visit.command_with(&["org", "plan", "set"], &options, &[&form.id]).await
        }
        "remove" => visit.command_with(&["org", "plan", "remove"], &[("if-version", &form.version)], &[&form.id]).await,
        "after" => visit.command(&["org", "plan", "after"], &[("on", form.on.as_str()), owner]).await,
        _ => return refused_with(&visit, StatusCode::NOT_FOUND, visit.words().not_found),
    };
    done(&visit, "/plan", outcome)
}
