//! People: who was invited, an invite with its code to scan, and how ready those say they are who agreed to say so.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use baken_schemas::adviser::Step;
use baken_schemas::edition::{Date, Office};
use baken_schemas::local_time::local;
use baken_schemas::org::InviteRole;
use baken_schemas::time::Timestamp;
use qrcode::QrCode;
use serde::Deserialize;

use crate::cli::Failure;
use crate::portal::commands::FLAG;
use crate::portal::guard::Visit;
use crate::portal::{Frame, MAX_INVITES, done, refused, refused_with, render};

/// An invite that was made here.
#[derive(Clone)]
pub(super) struct Invite {
    name: String,
    text: String,
    until: String,
}

impl std::fmt::Debug for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invite(…)")
    }
}

/// Somebody on the page.
struct ShownPerson {
    account: String,
    name: String,
    office: String,
    phone: String,
    role: &'static str,
    until: String,
    dismissed: String,
    dismissable: bool,
    /// The invite can be shown again.
    has_invite: bool,
}

struct ShownReadiness {
    name: String,
    at: String,
    steps: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "portal/people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<ShownPerson>,
    offices: Vec<&'static str>,
    steps: Vec<&'static str>,
    readiness: Vec<ShownReadiness>,
}

#[derive(Template)]
#[template(path = "portal/invite.html")]
struct InvitePage {
    frame: Frame,
    invite: Invite,
    /// The code as a path of squares, and how many squares wide it is.
    code: (String, usize),
}

/// `GET /people`.
pub(super) async fn list(visit: Visit) -> Response {
    let (look, book) = match (visit.look().await, visit.book().await) {
        (Ok(look), Ok(book)) => (look, book),
        (Err(failure), _) | (_, Err(failure)) => return refused(&visit, &failure),
    };
    let (words, language) = (visit.words(), visit.language);
    let shown = |person: &crate::org::Person| ShownPerson {
        has_invite: visit.portal.inside().invites.contains_key(&person.account.to_string()),
        account: person.account.to_string(),
        name: person.name.clone(),
        office: person.office.clone(),
        phone: person.phone.clone(),
        role: match person.role {
            InviteRole::OfficeHolder => words.role_office_holder,
            InviteRole::Bridge => words.role_bridge,
            InviteRole::Adviser => words.role_adviser,
        },
        until: local(person.expires_at),
        dismissed: person.dismissed_at.map(|at| Date::of(at).to_string()).unwrap_or_default(),
        dismissable: person.role == InviteRole::Adviser && person.dismissed_at.is_none(),
    };
    let readiness = look.readiness.iter().map(|person| ShownReadiness {
        name: look.name(person.account),
        at: Date::of(person.at).to_string(),
        steps: person.readiness.steps().map(|(_, ready)| ready.name(language)).collect(),
    });
    let page = PeoplePage {
        people: book.iter().map(shown).collect(),
        offices: Office::TAGS.to_vec(),
        steps: Step::ALL.iter().map(|step| step.name(language)).collect(),
        readiness: readiness.collect(),
        frame: visit.frame(&look.directory.name, "/people?"),
    };
    render(StatusCode::OK, &page)
}

/// The fields of the form.
#[derive(Deserialize)]
pub(super) struct Invited {
    name: String,
    office: String,
    phone: String,
    role: String,
    hours: String,
}

/// `POST /people/invite`.
pub(super) async fn invite(visit: Visit, Form(form): Form<Invited>) -> Response {
    let options = [
        ("name", form.name.trim()),
        ("office", form.office.trim()),
        ("phone", form.phone.trim()),
        ("role", &form.role),
        ("valid-hours", &form.hours),
        ("publish", FLAG),
    ];
    let heard = match visit.root_command(&["org", "invite"], &options).await {
        Ok(heard) => heard,
        Err(failure) => return refused(&visit, &failure),
    };
    let field = |name: &str| heard.value.get(name).cloned().unwrap_or_default();
    let (Some(account), Some(text)) =
        (field("account").as_str().map(str::to_owned), field("invite").as_str().map(str::to_owned))
    else {
        return refused(&visit, &Failure::unexpected("invite", &"the command said no invite"));
    };
    let until = field("expires_at").as_i64().map(|at| local(Timestamp(at))).unwrap_or_default();
    let invite = Invite { name: form.name.trim().to_owned(), text, until };
    {
        let mut inside = visit.portal.inside();
        if inside.invites.len() >= MAX_INVITES {
            inside.invites.clear();
        }
        inside.invites.insert(account.clone(), invite);
    }
    Redirect::to(&format!("/people/{account}/invite")).into_response()
}

/// `GET /people/{account}/invite`: as long as the portal runs.
pub(super) async fn show_invite(visit: Visit, Path(account): Path<String>) -> Response {
    let Some(invite) = visit.portal.inside().invites.get(&account).cloned() else {
        return refused_with(&visit, StatusCode::NOT_FOUND, visit.words().invite_gone);
    };
    let code = match drawn(&invite.text) {
        Ok(code) => code,
        Err(failure) => return refused(&visit, &failure),
    };
    render(StatusCode::OK, &InvitePage { code, invite, frame: visit.frame("", "/people/invite?") })
}

/// The dark squares of a code as one path, with room round it, and its width.
fn drawn(text: &str) -> Result<(String, usize), Failure> {
    let code = QrCode::new(text.as_bytes()).map_err(|error| Failure::unexpected("qr_code", &error))?;
    let (width, quiet) = (code.width(), 4);
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, colour)| *colour == qrcode::Color::Dark);
    let path = dark.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width + quiet, at / width + quiet)).collect();
    Ok((path, width + 2 * quiet))
}

/// The field of the form.
#[derive(Deserialize)]
pub(super) struct Dismissed {
    account: String,
}

/// `POST /people/dismiss`.
pub(super) async fn dismiss(visit: Visit, Form(form): Form<Dismissed>) -> Response {
    let outcome = visit.root_command_with(&["org", "dismiss"], &[("publish", FLAG)], &[&form.account]).await;
    // The invite of who was dismissed is void.
    visit.portal.inside().invites.remove(&form.account);
    done(&visit, "/people", outcome)
}
