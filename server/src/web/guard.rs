//! What stands before every handler: who is logged in, in which language, whether a request comes from the console
//! itself, and what a browser may do with an answer.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use baken_schemas::Language;

use crate::desk::officers::{Officer, Token};
use crate::web::Console;
use crate::web::pages;

/// The session's cookie. `__Host-` makes browsers insist on Secure, Path=/ and no Domain.
const COOKIE: &str = "__Host-baken-desk";

/// Nothing is loaded or sent anywhere but here, nothing runs inline, and nobody frames it. The referrer is not
/// `no-referrer`: with that, browsers send `Origin: null` with a form, and no form could be told from a forged one.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "geolocation=(), camera=(), microphone=()"),
];

/// Puts the security headers on every answer.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
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

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
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

/// An officer who is logged in. Everybody else is shown how to log in, or refused with 401 in the JSON API.
#[derive(Debug, Clone)]
pub struct LoggedIn(pub Officer);

impl FromRequestParts<Console> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let officer = match session_token(&parts.headers) {
            Some(token) => console.desk.session(&token),
            None => Ok(None),
        };
        let is_api = parts.uri.path().starts_with("/api/");
        let language = language(parts.uri.query(), &parts.headers);
        match officer {
            Ok(Some(officer)) => Ok(Self(officer)),
            Ok(None) if is_api => {
                Err(super::api::problem(StatusCode::UNAUTHORIZED, "not_logged_in", "log in with a link first"))
            }
            Ok(None) => Err(pages::ask_to_log_in(parts.uri.path(), language)),
            Err(error) => {
                tracing::error!(event = "session_not_read", why = %error);
                Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
        }
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
