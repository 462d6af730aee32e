//! Who may look: the browser that used the link which the portal printed when it was started, on this machine, and no page
//! of anybody else.

use askama::Template;
use axum::Form;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use baken_schemas::Language;
use rand::SeedableRng as _;
use rand::rngs::{ChaCha20Rng, SysRng};
use serde::Deserialize;

use crate::desk::officers::Token;
use crate::portal::words::Words;
use crate::portal::{Frame, Portal, refused_with, render};
use crate::web::guard::{AskedLanguage, cookie};

/// The session's cookie. Cookies know no ports, so another server on this machine's `localhost` would be sent it too; it
/// opens nothing but this portal.
const COOKIE: &str = "baken-adviser";

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
    let host = portal.origin.trim_start_matches("http://");
    let is_host = named(header::HOST).is_some_and(|named| named.eq_ignore_ascii_case(host));
    let reads = matches!(*method, Method::GET | Method::HEAD);
    is_host && (reads || named(header::ORIGIN).is_some_and(|origin| origin.eq_ignore_ascii_case(&portal.origin)))
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

fn is_in(portal: &Portal, headers: &HeaderMap) -> bool {
    let token = cookie(headers, COOKIE).and_then(|text| Token::read(&text));
    token.is_some_and(|token| portal.inside().session == Some(token.hash()))
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
        (inside.link, inside.session) = (None, Some(session.hash()));
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
