//! Who has which function in time of threat, and whom the insurance covers. Phones know it once it is in the signed edition.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use baken_schemas::adviser::{Function, Line};
use baken_schemas::rules::Cover;
use serde::Deserialize;

use crate::portal::commands::FLAG;
use crate::portal::guard::Visit;
use crate::portal::{Choice, Frame, done, functions, refused, refused_with, render};

struct ShownRole {
    tag: &'static str,
    name: &'static str,
    holder: String,
    number: String,
    always: bool,
    deputy: String,
    version: u64,
}

#[derive(Template)]
#[template(path = "portal/roles.html")]
struct RolesPage {
    frame: Frame,
    roles: Vec<ShownRole>,
    functions: Vec<Choice>,
    covers: Vec<&'static str>,
    insured: Option<[String; 5]>,
}

/// `GET /roles`.
pub(super) async fn show(visit: Visit) -> Response {
    let look = match visit.look().await {
        Ok(look) => look,
        Err(failure) => return refused(&visit, &failure),
    };
    let language = visit.language;
    let of = |function: Function| {
        look.plan.lines.iter().find_map(|line| match &line.line {
            Line::Role(role) if role.function == function => Some(ShownRole {
                tag: function.tag(),
                name: function.name(language),
                holder: role.holder.to_string(),
                number: role.number.to_string(),
                always: role.always,
                deputy: role
                    .deputy
                    .as_ref()
                    .map(|deputy| format!("{}, {}", deputy.holder, deputy.number))
                    .unwrap_or_default(),
                version: line.version,
            }),
            _ => None,
        })
    };
    let insured = look.plan.lines.iter().find_map(|line| match &line.line {
        Line::Insured(known) => Some([
            known.elected.to_string(),
            known.executive.to_string(),
            known.insurer.to_string(),
            known.terms.to_string(),
            known.read_on.to_string(),
        ]),
        _ => None,
    });
    let page = RolesPage {
        roles: Function::ALL.iter().copied().filter_map(of).collect(),
        functions: functions(language),
        covers: Cover::TAGS.to_vec(),
        insured,
        frame: visit.frame(&look.directory.name, "/roles?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of every form of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    function: String,
    holder: String,
    number: String,
    always: String,
    deputy: String,
    deputy_number: String,
    version: String,
    elected: String,
    executive: String,
    insurer: String,
    terms: String,
}

/// `POST /roles/{act}`.
pub(super) async fn act(visit: Visit, Path(act): Path<String>, Form(form): Form<Filled>) -> Response {
    let outcome = match act.as_str() {
        "set" => {
            let options = [
                ("holder", form.holder.trim()),
                ("number", form.number.trim()),
                ("always", if form.always == "1" { FLAG } else { "" }),
                ("deputy", form.deputy.trim()),
                ("deputy-number", form.deputy_number.trim()),
            ];
            visit.command_with(&["org", "role", "set"], &options, &[&form.function]).await
        }
        "remove" => {
            let version = [("if-version", form.version.as_str())];
            visit.command_with(&["org", "role", "remove"], &version, &[&form.function]).await
        }
        "insurance" => {
            let options = [
                ("elected", form.elected.as_str()),
                ("executive", &form.executive),
                ("insurer", form.insurer.trim()),
                ("terms", &form.terms),
            ];
            visit.command(&["org", "insurance", "set"], &options).await
        }
        _ => return refused_with(&visit, StatusCode::NOT_FOUND, visit.words().not_found),
    };
    done(&visit, "/roles", outcome)
}
