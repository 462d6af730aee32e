//! The bridge's ear for text messages: callbacks of the SMS gateway where the organisation has its number.
//!
//! Two shapes are spoken: Twilio's, a form signed with HMAC-SHA1 over the address and the sorted fields; and CM.com's, JSON
//! with a secret in a header or in the path. What is not signed right is refused before it is read any further. The text
//! is answered for once it is on disk here; from there it goes to the relay like a button's alarm. Who sent it is neither
//! kept nor passed on: the text itself says whose it is, to those who can open it.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Form, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::{Bridge, Gateways, TextTaken};

/// The largest callback in bytes; a text of 160 characters and what gateways add come to less than two thousand.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// Where CM.com is to put the secret, unless it is in the path.
const SECRET_HEADER: &str = "x-baken-secret";
const SIGNATURE_HEADER: &str = "x-twilio-signature";

struct Ear {
    bridge: Arc<Bridge>,
    gateways: Gateways,
}

/// The addresses that gateways call: `/sms/twilio`, `/sms/cm` and `/sms/cm/{secret}`.
pub fn router(bridge: Arc<Bridge>, gateways: Gateways) -> Router {
    Router::new()
        .route("/sms/twilio", post(twilio))
        .route("/sms/cm", post(cm_by_header))
        .route("/sms/cm/{secret}", post(cm_by_path))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Ear { bridge, gateways }))
}

async fn twilio(
    State(ear): State<Arc<Ear>>,
    headers: HeaderMap,
    Form(mut fields): Form<Vec<(String, String)>>,
) -> Response {
    let Some(twilio) = &ear.gateways.twilio else { return StatusCode::NOT_FOUND.into_response() };
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| STANDARD.decode(value.as_bytes()).ok());
    let signed = signature.is_some_and(|signature| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, twilio.auth_token.as_bytes());
        hmac::verify(&key, signed_text(&twilio.url, &mut fields).as_bytes(), &signature).is_ok()
    });
    if !signed {
        return ear.refuse("text_not_signed");
    }
    let text = fields.iter().find(|(name, _)| name == "Body").map(|(_, text)| text.as_str());
    match ear.take(text.unwrap_or_default()).await {
        // Anything but an empty answer would be sent back as a text.
        Ok(()) => ([(header::CONTENT_TYPE, "text/xml")], "<Response></Response>").into_response(),
        Err(response) => response,
    }
}

async fn cm_by_header(State(ear): State<Arc<Ear>>, headers: HeaderMap, body: Bytes) -> Response {
    let secret = headers.get(SECRET_HEADER).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
    cm(&ear, &secret, &body).await
}

async fn cm_by_path(State(ear): State<Arc<Ear>>, Path(secret): Path<String>, body: Bytes) -> Response {
    cm(&ear, secret.as_bytes(), &body).await
}

async fn cm(ear: &Ear, secret: &[u8], body: &[u8]) -> Response {
    let Some(cm) = &ear.gateways.cm else { return StatusCode::NOT_FOUND.into_response() };
    if !bool::from(cm.secret.as_bytes().ct_eq(secret)) {
        return ear.refuse("text_not_signed");
    }
    let Ok(callback) = serde_json::from_slice::<CmCallback>(body) else {
        return (StatusCode::BAD_REQUEST, "no callback of an incoming message").into_response();
    };
    match ear.take(callback.message.text()).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(response) => response,
    }
}

/// What CM.com posts of an incoming message, as far as it matters here.
#[derive(Deserialize)]
struct CmCallback {
    message: CmMessage,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CmMessage {
    Text(String),
    Parts { text: String },
}

impl CmMessage {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Parts { text } => text,
        }
    }
}

impl Ear {
    async fn take(&self, text: &str) -> Result<(), Response> {
        match self.bridge.take_text(text).await {
            Ok(TextTaken::Kept) => Ok(()),
            Ok(TextTaken::NoAlarm) => {
                // Somebody texts the number something else: nothing to do, and nothing for the gateway to try again.
                self.bridge.count_refused("other_text");
                Ok(())
            }
            Ok(TextTaken::TooMany) => {
                self.bridge.count_refused("too_many_texts");
                Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
            Err(error) => {
                tracing::error!(event = "text_not_taken", why = %error);
                Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
        }
    }

    fn refuse(&self, code: &'static str) -> Response {
        tracing::warn!(event = "text_refused", code);
        self.bridge.count_refused(code);
        StatusCode::FORBIDDEN.into_response()
    }
}

/// What Twilio signs: its own idea of the address, and each field's name and value behind it, in the order of the names.
fn signed_text(url: &str, fields: &mut [(String, String)]) -> String {
    fields.sort();
    let mut signed = url.to_owned();
    for (name, value) in fields {
        signed.push_str(name);
        signed.push_str(value);
    }
    signed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Twilio's own documentation of its signature.
    #[test]
    fn the_published_example_of_a_signature_holds() {
        let mut fields = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+14158675310"),
            ("Digits", "1234"),
            ("Caller", "+14158675310"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signed = signed_text("https://example.com/myapp.php?foo=1&bar=2", &mut fields);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
        assert_eq!(STANDARD.encode(hmac::sign(&key, signed.as_bytes())), "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    }

    #[test]
    fn both_forms_of_a_message_are_read() {
        for body in [r#"{"message":{"text":"BAKEN x","media":{}},"from":{}}"#, r#"{"message":"BAKEN x"}"#] {
            assert_eq!(serde_json::from_str::<CmCallback>(body).unwrap().message.text(), "BAKEN x");
        }
        assert!(serde_json::from_str::<CmCallback>(r#"{"text":"BAKEN x"}"#).is_err());
    }
}
