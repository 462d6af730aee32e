//! The one web origin whose pages may read the relay's answers: where the phone app is served (`app_origin` in
//! `config.toml`). Without it no page may.
//!
//! This protects nobody from the relay, and the relay from nobody: requests carry their own signature and no cookie. It
//! keeps other pages in the same browser from reading what the relay tells.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::request::{
    DEVICE_HEADER, DIGEST_HEADER, IDEMPOTENCY_HEADER, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER,
};

use super::Relay;

/// How long a browser may remember what it may ask, in seconds: the most that Chromium takes.
const REMEMBERED_S: u32 = 7200;

/// Answers a browser's question whether the app's page may ask, and marks the answers that it may read.
pub(super) async fn admit(State(relay): State<Relay>, request: Request, next: Next) -> Response {
    let Some(origin) = allowed(&relay, request.headers()) else { return next.run(request).await };
    let is_question =
        *request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_question { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    if is_question {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
        let own = [DEVICE_HEADER, IDEMPOTENCY_HEADER, DIGEST_HEADER, SIGNATURE_INPUT_HEADER, SIGNATURE_HEADER];
        // Constants of ours, so always a value.
        if let Ok(names) = HeaderValue::from_str(&format!("content-type, {}", own.join(", "))) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(REMEMBERED_S));
    }
    response
}

/// The request's origin, where it is the app's.
fn allowed(relay: &Relay, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let app = relay.options().app_origin.as_deref()?;
    (origin.as_bytes() == app.as_bytes()).then(|| origin.clone())
}
