//! What stands before every handler: who is logged in, in which language, whether a request comes from the console
//! itself, and what a browser may do with an answer.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;

use crate::desk::officers::{Officer, Token};
use crate::desk::passkeys::Standing;
use crate::desk::{DeskError, MapTiles};
use crate::web::Console;
use crate::web::{login, pages};

/// The session's cookie. `__Host-` makes browsers insist on Secure, Path=/ and no Domain.
const COOKIE: &str = "__Host-baken-desk";

/// Nothing is loaded or sent anywhere but here, nothing runs inline, and nobody frames it; only pieces of map come from
/// where the desk says. Text becomes a page only through the policies of our own scripts.
fn policy(map: Option<&MapTiles>) -> String {
    let map = map.map(|map| format!(" {}", map.origin())).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{map}; media-src 'self'; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         require-trusted-types-for 'script'; trusted-types baken baken-push"
    )
}

/// The referrer is not `no-referrer`: with that, browsers send `Origin: null` with a form, and no form could be told from a
/// forged one.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "geolocation=(), camera=(), microphone=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
];

/// Puts the security headers on every answer.
pub async fn headers(State(console): State<Console>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(console.desk.map())) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Refuses a change that another site's page asks for. Browsers name the page's origin with every POST; what names none
/// is no browser, and proves itself by saying so.
pub async fn same_origin(State(console): State<Console>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if origin.is_some_and(|origin| origin.eq_ignore_ascii_case(console.desk.console_url())) {
        return next.run(request).await;
    }
    let language = language(request.uri().query(), request.headers());
    if request.uri().path().starts_with("/api/") {
        return super::api::problem(StatusCode::FORBIDDEN, "foreign_origin", "send the console's own origin");
    }
    pages::error(StatusCode::FORBIDDEN, language, |words| words.forbidden.to_owned())
}

/// The language of an answer: `?lang=`, else the cookie, else what the browser prefers, else Dutch.
#[derive(Debug, Clone, Copy)]
pub struct AskedLanguage(pub Language);

fn language(query: Option<&str>, headers: &HeaderMap) -> Language {
    let read = |tag: &str| tag.parse::<Language>().ok();
    let asked = query.unwrap_or_default().split('&').find_map(|pair| read(pair.strip_prefix("lang=")?));
    let accepted = || {
        let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        header.split(',').find_map(|entry| read(entry.trim().get(..2)?))
    };
    asked.or_else(|| read(&cookie(headers, LANGUAGE_COOKIE)?)).or_else(accepted).unwrap_or_default()
}

/// Remembers a language that was asked for.
const LANGUAGE_COOKIE: &str = "__Host-baken-lang";

/// The header that remembers a language.
pub fn language_cookie(language: Language) -> HeaderValue {
    let value = match language {
        Language::Nl => "__Host-baken-lang=nl; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000",
        Language::En => "__Host-baken-lang=en; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000",
    };
    HeaderValue::from_static(value)
}

impl<S: Send + Sync> FromRequestParts<S> for AskedLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(language(parts.uri.query(), &parts.headers)))
    }
}

/// A cookie's value.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// The session's token, as the browser sent it.
pub fn session_token(headers: &HeaderMap) -> Option<Token> {
    Token::read(&cookie(headers, COOKIE)?)
}

/// The header that starts a session.
pub fn session_cookie(token: &Token) -> Option<HeaderValue> {
    let seconds = crate::desk::SESSION_LIFETIME_MS / 1000;
    let text = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}", token.reveal());
    HeaderValue::from_str(&text).ok()
}

/// The header that ends a session in the browser.
pub fn no_session_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-baken-desk=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// What the page's own script says when it asks by itself and nobody has touched the page since it last did.
const UNTOUCHED: HeaderName = HeaderName::from_static("baken-untouched");

/// An officer whose session lasts, whatever it may do.
#[derive(Debug, Clone)]
pub struct InSession {
    /// Who.
    pub officer: Officer,
    /// What the browser holds.
    pub token: Token,
    /// What the session may do.
    pub standing: Standing,
}

impl FromRequestParts<Console> for InSession {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let touched = is_touched(parts);
        let found = session_token(&parts.headers).map(|token| {
            let Some(officer) = console.desk.session(&token)? else { return Ok(None) };
            let standing = console.desk.standing(&token, officer.id, touched)?;
            Ok::<_, DeskError>(Some(Self { officer, token, standing }))
        });
        match found.transpose() {
            Ok(Some(Some(found))) => Ok(found),
            Ok(_) if is_api(parts) => {
                Err(super::api::problem(StatusCode::UNAUTHORIZED, "not_logged_in", "log in at the console first"))
            }
            Ok(_) => Err(login::ask_to_log_in(console, parts.uri.path(), asked_language(parts))),
            Err(error) => {
                tracing::error!(event = "session_not_read", why = %error);
                Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
        }
    }
}

/// Whether somebody did this: the live stream opens itself anew, and a page without script loads itself anew, which a browser
/// tells from what a person does.
fn is_touched(parts: &Parts) -> bool {
    let says = |name: &str, value: &str| parts.headers.get(name).is_some_and(|said| said == value);
    let by_itself = says("sec-fetch-mode", "navigate") && !says("sec-fetch-user", "?1");
    !parts.headers.contains_key(&UNTOUCHED) && parts.uri.path() != "/live" && !by_itself
}

fn is_api(parts: &Parts) -> bool {
    parts.uri.path().starts_with("/api/")
}

fn asked_language(parts: &Parts) -> Language {
    language(parts.uri.query(), &parts.headers)
}

/// An officer who may do all. Everybody else is shown how to log in, or refused with 401 in the JSON API.
#[derive(Debug, Clone)]
pub struct LoggedIn(pub Officer);

impl FromRequestParts<Console> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let found = InSession::from_request_parts(parts, console).await?;
        let code = match found.standing {
            Standing::Open => return Ok(Self(found.officer)),
            Standing::Enrolling => "passkeys_missing",
            Standing::Locked => "locked",
        };
        Err(match found.standing {
            _ if is_api(parts) => {
                super::api::problem(StatusCode::UNAUTHORIZED, code, "open the console in a browser and use a passkey")
            }
            Standing::Enrolling => Redirect::to("/keys").into_response(),
            _ => login::locked(console, found.officer, asked_language(parts)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn dutch_unless_asked_otherwise() {
        let none = headers(&[]);
        assert_eq!(language(None, &none), Language::Nl);
        assert_eq!(language(Some("lang=en"), &none), Language::En);
        let english = headers(&[(header::ACCEPT_LANGUAGE, "fr, en-GB;q=0.8, nl;q=0.5")]);
        assert_eq!(language(None, &english), Language::En);
        assert_eq!(language(Some("closed=1&lang=nl"), &english), Language::Nl);
        let remembered = headers(&[(header::COOKIE, "a=b; __Host-baken-lang=en")]);
        assert_eq!(language(None, &remembered), Language::En);
    }

    #[test]
    fn only_the_very_cookie_is_read() {
        let other = headers(&[(header::COOKIE, "x__Host-baken-desk=AAAA; __Host-baken-desk2=BBBB")]);
        assert!(cookie(&other, COOKIE).is_none());
        let ours = headers(&[(header::COOKIE, "a=b;__Host-baken-desk=CCCC")]);
        assert_eq!(cookie(&ours, COOKIE).as_deref(), Some("CCCC"));
    }
}
