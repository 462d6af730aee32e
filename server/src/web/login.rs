//! Logging in and out, with a link or a passkey, and the page of a console that has locked itself.
//!
//! ```text
//! POST /api/login/begin     {"ceremony":"…","publicKey":{…}}: what the browser asks its authenticators
//! POST /api/login/finish    {"ceremony":"…","credential":{…}}: a session
//! ```

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use baken_schemas::Language;
use serde::Deserialize;
use serde_json::json;
use webauthn_rs::prelude::PublicKeyCredential;

use crate::desk::Session;
use crate::desk::officers::{Officer, Token};
use crate::desk::passkeys::PasskeyError;
use crate::web::Console;
use crate::web::api::problem;
use crate::web::guard::{AskedLanguage, no_session_cookie, session_cookie, session_token};
use crate::web::pages::{failed, render, ringing_of};
use crate::web::words::Words;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    words: &'static Words,
    /// The link's token, to be sent by the button; empty when there is none.
    token: String,
    message: &'static str,
    /// Where to go on to, when the browser did not send its cookie because it came from another site.
    path: String,
    /// A passkey opens this console.
    passkeys: bool,
}

#[derive(Template)]
#[template(path = "locked.html")]
struct LockedPage {
    words: &'static Words,
    desk: String,
    officer: String,
    ringing: Vec<String>,
}

/// What a visitor without a session sees. `SameSite=Strict` keeps the cookie back when a link on another site led here:
/// the page offers a link of its own, with which the browser sends it.
pub fn ask_to_log_in(console: &Console, path: &str, language: Language) -> Response {
    let words = Words::of(language);
    let passkeys = console.desk.has_passkeys();
    let message = if passkeys { words.log_in_key } else { words.log_in_ask };
    let page = LoginPage { words, token: String::new(), message, path: path.to_owned(), passkeys };
    render(StatusCode::UNAUTHORIZED, &page)
}

/// What a locked console shows: that an alarm rings, and nothing of it.
pub fn locked(console: &Console, officer: Officer, language: Language) -> Response {
    let page = LockedPage {
        words: Words::of(language),
        desk: console.desk.name(),
        officer: officer.name,
        ringing: ringing_of(console),
    };
    render(StatusCode::UNAUTHORIZED, &page)
}

/// `GET /login/{token}`: a button. Looking at the link, as mail scanners do, does not use it up.
pub async fn offer_log_in(
    State(console): State<Console>,
    AskedLanguage(language): AskedLanguage,
    Path(token): Path<String>,
) -> Response {
    let words = Words::of(language);
    let known = Token::read(&token).is_some();
    let message = match known {
        true if console.desk.has_passkeys() => words.enrol_explain,
        true => words.log_in_explain,
        false => words.log_in_refused,
    };
    let token = if known { token } else { String::new() };
    render(StatusCode::OK, &LoginPage { words, token, message, path: String::new(), passkeys: false })
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
        Ok(Some(session)) => with_session(Redirect::to("/").into_response(), &session),
        Ok(None) => {
            let words = Words::of(language);
            let (message, passkeys) = (words.log_in_refused, console.desk.has_passkeys());
            let page = LoginPage { words, token: String::new(), message, path: String::new(), passkeys };
            render(StatusCode::FORBIDDEN, &page)
        }
        Err(error) => failed(&error, language),
    }
}

fn with_session(mut response: Response, session: &Session) -> Response {
    if let Some(cookie) = session_cookie(&session.token) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
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

/// Why a passkey was not taken, as a problem document in the reader's language.
pub(super) fn refused(error: &PasskeyError, language: Language) -> Response {
    let status = match error {
        PasskeyError::Desk(error) => {
            tracing::error!(event = "console_failed", why = %error);
            StatusCode::SERVICE_UNAVAILABLE
        }
        PasskeyError::TooOften => StatusCode::TOO_MANY_REQUESTS,
        PasskeyError::Name | PasskeyError::TooMany | PasskeyError::TooFew => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::FORBIDDEN,
    };
    problem(status, error.code(), Words::of(language).passkey_refusal(error))
}

/// `POST /api/login/begin`.
pub async fn begin(
    State(console): State<Console>,
    AskedLanguage(language): AskedLanguage,
    request: Request,
) -> Response {
    match console.desk.begin_log_in(request.extensions()) {
        Ok((ceremony, ask)) => {
            Json(json!({ "ceremony": ceremony.reveal(), "publicKey": ask.public_key })).into_response()
        }
        Err(error) => refused(&error, language),
    }
}

/// What the browser sends after a touch.
#[derive(Deserialize)]
pub struct Signed {
    ceremony: String,
    credential: PublicKeyCredential,
}

/// `POST /api/login/finish`.
pub async fn finish(
    State(console): State<Console>,
    AskedLanguage(language): AskedLanguage,
    headers: HeaderMap,
    Json(signed): Json<Signed>,
) -> Response {
    let Some(ceremony) = Token::read(&signed.ceremony) else { return refused(&PasskeyError::TooLate, language) };
    let before = session_token(&headers);
    match console.desk.finish_log_in(&ceremony, &signed.credential, before.as_ref()).await {
        Ok(session) => with_session(Json(json!({ "officer": session.officer.name })).into_response(), &session),
        Err(error) => refused(&error, language),
    }
}
