//! Who may look: the browser that used the link which the portal printed when it was started, on this machine, and no page
//! of anybody else.

use std::net::{Ipv4Addr, Ipv6Addr};

use askama::Template;
use axum::Form;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::{ChaCha20Rng, SysRng};
use serde::Deserialize;

use crate::desk::SESSION_LIFETIME_MS;
use crate::desk::officers::Token;
use crate::desk::passkeys::LOCK_AFTER_MS;
use crate::portal::words::Words;
use crate::portal::{Frame, Portal, refused_with, render};
use crate::web::guard::{AskedLanguage, cookie};

/// The session's cookie. Cookies know no ports, so another server on this machine's `localhost` would be sent it too; it
/// opens nothing but this portal.
const COOKIE: &str = "baken-adviser";

/// The port that a browser does not name.
const HTTP_PORT: u16 = 80;

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Stands before every handler: another name for this machine's address is a page of somebody else (DNS rebinding), and a
/// change comes from a page of this portal.
pub(super) async fn stand(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = match is_own(&portal, request.method(), request.headers()) {
        true => next.run(request).await,
        false => StatusCode::FORBIDDEN.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_own(portal: &Portal, method: &Method, headers: &HeaderMap) -> bool {
    let named = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = named(header::HOST).filter(|host| is_this_machine(host, portal.port)) else { return false };
    let is_page = |origin: &str| origin.strip_prefix("http://").is_some_and(|of| of.eq_ignore_ascii_case(host));
    matches!(*method, Method::GET | Method::HEAD) || named(header::ORIGIN).is_some_and(is_page)
}

/// `localhost`, or an address that never leaves the machine (127.0.0.0/8, ::1), with this very port, which a browser leaves
/// out where it is HTTP's own. Any other name may be somebody else's, wherever it leads.
fn is_this_machine(host: &str, port: u16) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, named)) if !named.ends_with(']') => match named == port.to_string() {
            true => name,
            false => return false,
        },
        _ if port == HTTP_PORT => host,
        _ => return false,
    };
    let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || bracketed.is_some_and(|name| name.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback()))
}

/// The adviser, in the browser that used the link.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) portal: Portal,
    pub(super) language: Language,
}

impl Visit {
    pub(super) fn words(&self) -> &'static Words {
        Words::of(self.language)
    }

    /// What a page shows, with what the last change said.
    pub(super) fn frame(&self, organisation: &str, path: &'static str) -> Frame {
        Frame {
            words: self.words(),
            organisation: organisation.to_owned(),
            path,
            said: self.portal.inside().said.take().unwrap_or_default(),
            has_root: self.portal.root().is_some(),
        }
    }
}

/// A browser that was let in. It ends like an officer's session: after a shift, or when nothing was asked for half an hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    token: Hash,
    begun_at: Timestamp,
    touched_at: Timestamp,
}

impl Session {
    /// A clock that was set back ends it too.
    fn lasts(&self, now: Timestamp) -> bool {
        let within = |since: Timestamp, most_ms| now >= since && now < since.plus_ms(most_ms);
        within(self.begun_at, SESSION_LIFETIME_MS) && within(self.touched_at, LOCK_AFTER_MS)
    }
}

/// Whether this is the browser that was let in; its asking keeps the session going.
fn is_in(portal: &Portal, headers: &HeaderMap) -> bool {
    let token = cookie(headers, COOKIE).and_then(|text| Token::read(&text));
    let now = portal.clock.now();
    let mut inside = portal.inside();
    inside.session = inside.session.filter(|session| session.lasts(now));
    match (token, &mut inside.session) {
        (Some(token), Some(session)) if session.token == token.hash() => {
            session.touched_at = now;
            true
        }
        _ => false,
    }
}

impl FromRequestParts<Portal> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Response> {
        let AskedLanguage(language) =
            AskedLanguage::from_request_parts(parts, portal).await.unwrap_or(AskedLanguage(Language::default()));
        let visit = Self { portal: portal.clone(), language };
        if is_in(portal, &parts.headers) {
            return Ok(visit);
        }
        Err(refused_with(&visit, StatusCode::UNAUTHORIZED, visit.words().no_link))
    }
}

#[derive(Template)]
#[template(path = "portal/enter.html")]
struct EnterPage {
    words: &'static Words,
    token: String,
}

/// `GET /enter/{token}`: a button, so that nothing which merely looks at the link uses it up.
pub(super) async fn offer(AskedLanguage(language): AskedLanguage, Path(token): Path<String>) -> Response {
    render(StatusCode::OK, &EnterPage { words: Words::of(language), token })
}

/// The field of the form.
#[derive(Deserialize)]
pub(super) struct Enter {
    token: String,
}

/// `POST /enter`.
pub(super) async fn enter(
    State(portal): State<Portal>,
    AskedLanguage(language): AskedLanguage,
    Form(form): Form<Enter>,
) -> Response {
    let visit = Visit { portal, language };
    let Ok(mut rng) = ChaCha20Rng::try_from_rng(&mut SysRng) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let session = Token::make(&mut rng);
    let hash = Token::read(&form.token).map(|token| token.hash());
    {
        let mut inside = visit.portal.inside();
        if hash.is_none() || inside.link != hash {
            drop(inside);
            return refused_with(&visit, StatusCode::FORBIDDEN, visit.words().no_link);
        }
        let now = visit.portal.clock.now();
        (inside.link, inside.session) = (None, Some(Session { token: session.hash(), begun_at: now, touched_at: now }));
    }
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", session.reveal());
    let Ok(cookie) = HeaderValue::from_str(&cookie) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

/// `POST /leave`.
pub(super) async fn leave(visit: Visit) -> Response {
    visit.portal.inside().session = None;
    refused_with(&visit, StatusCode::OK, visit.words().left)
}
