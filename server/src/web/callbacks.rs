//! Where SMS gateways report what became of messages: `POST /callbacks/{channel}/{part}`. The only route that takes a
//! change from elsewhere, so it stands apart from the console's own: no session, no origin, and nothing is believed or
//! looked up before the gateway's signature or secret was found right.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::channel::sms::Callback;
use crate::web::Console;

/// How a Twilio callback is signed.
const SIGNATURE: &str = "x-twilio-signature";

/// Takes a report. What is not proven is answered like what is not there.
pub async fn take(
    State(console): State<Console>,
    Path((channel, part)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let callback = Callback { part: &part, signature, body: &body };
    match console.desk.take_callback(&channel, &callback).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(error) => {
            tracing::error!(event = "callback_not_taken", why = %error);
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
