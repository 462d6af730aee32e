//! The relay's addresses, what each takes at most, and the few that say something of the relay itself.

use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Json, Router};
use baken_schemas::api::{self, About};
use baken_schemas::blob::MAX_SEALED_CHUNK_BYTES;
use baken_schemas::pairing::MAX_MESSAGE_BYTES;
use http::StatusCode;

use crate::relay::problem::Refusal;
use crate::relay::{
    Relay, activate, alarm_chunks, alarms, app_origin, audit_heads, blobs, cards, deposits, devices, editions, entries,
    escalations, handings_on, live, log, mail, messages, orders, org_documents, pairing, plan, quota, raising,
    readiness, receipts, recover, sealed_root, sms,
};

/// The largest body of an address that takes one small document.
const DOCUMENT_BYTES: usize = 16 * 1024;
/// The largest directory or log record, which are the larger documents.
const LARGE_DOCUMENT_BYTES: usize = 256 * 1024;
/// The largest chunk, and the head of the byte string that it is.
const CHUNK_BODY_BYTES: usize = MAX_SEALED_CHUNK_BYTES + 5;

fn up_to(bytes: usize, route: MethodRouter<Relay>) -> MethodRouter<Relay> {
    route.layer(DefaultBodyLimit::max(bytes))
}

impl Relay {
    /// The relay's HTTP API.
    pub fn router(&self) -> Router {
        let message = |message: &str| api::PAIRING.replace("{message}", message);
        let small = |route| up_to(DOCUMENT_BYTES, route);
        Router::new()
            .route(api::HEALTH, get(async || "ok\n"))
            .route(api::READY, get(ready))
            .route(api::ABOUT, get(about))
            .route(api::DIRECTORY, get(org_documents::directory))
            .route(api::ORG_DOCUMENTS, up_to(LARGE_DOCUMENT_BYTES, post(org_documents::post)))
            .route(api::EDITION, get(editions::head))
            .route(api::EDITION_FILE, get(editions::file))
            .route(api::EDITION_CHANGE, get(editions::change))
            .route(api::EDITIONS, up_to(api::MAX_BODY_BYTES, post(editions::post)))
            .route(api::ACTIVATE, small(post(activate::post)))
            .route(api::DEVICES, small(post(devices::post)))
            .route(api::GUESTS, small(post(devices::post_guest)))
            .route(api::SEALED_ROOT, small(put(sealed_root::put)))
            .route(api::SEALED_ROOT_NAMED, get(sealed_root::fetch))
            .route(api::RECOVER, small(post(recover::post)))
            .route(
                &message("offer"),
                up_to(pairing::MAX_OFFER_BYTES, put(pairing::put_offer)).get(pairing::fetch_offer),
            )
            .route(&message("hello"), up_to(MAX_MESSAGE_BYTES, put(pairing::put_hello)).get(pairing::fetch_hello))
            .route(&message("grant"), up_to(MAX_MESSAGE_BYTES, put(pairing::put_grant)).get(pairing::fetch_grant))
            .route(api::LOG, up_to(LARGE_DOCUMENT_BYTES, post(log::post)).get(log::page))
            .route(api::ENTRIES, up_to(api::MAX_BODY_BYTES, post(entries::post)).get(entries::page))
            .route(api::BLOB_CHUNK, up_to(CHUNK_BODY_BYTES, put(blobs::put)).get(blobs::fetch))
            .route(api::BLOB, get(blobs::list).delete(blobs::delete))
            .route(api::USAGE, get(quota::usage))
            .route(api::CARD, small(put(cards::put)).get(cards::fetch))
            .route(api::ENROLMENTS, small(post(messages::enrolment)))
            .route(api::ALARMS, small(post(alarms::post)))
            .route(api::SMS_CONTEXTS, small(post(sms::post_context)))
            .route(api::SMS, small(post(sms::post)))
            .route(api::DEPOSITS, small(post(deposits::post)).get(deposits::list))
            .route(api::SETTLEMENTS, small(post(deposits::settle)))
            .route(api::RAISES, small(post(raising::post)))
            .route(api::UPDATES, small(post(messages::update)))
            .route(api::NOTES, small(post(messages::note)))
            .route(api::ORDERS, small(post(orders::post)))
            .route(api::RECEIPTS, small(post(receipts::post)))
            .route(api::ESCALATIONS, small(post(escalations::post)))
            .route(api::HANDINGS_ON, small(post(handings_on::post)))
            .route(api::ALARM_RECEIPTS, get(receipts::of_alarm))
            .route(api::ALARM_CHUNK, up_to(CHUNK_BODY_BYTES, put(alarm_chunks::put)).get(alarm_chunks::fetch))
            .route(api::MAIL, get(mail::page))
            .route(api::AUDIT, get(audit_heads::head))
            .route(api::LIVE, get(live::stream))
            .route(api::PLAN, get(plan::fetch))
            .route(api::PLAN_LINE, small(put(plan::put)))
            .route(api::READINESS, small(put(readiness::put)).get(readiness::fetch).delete(readiness::delete))
            .fallback(async || Refusal::NotFound)
            .method_not_allowed_fallback(async || Refusal::NotFound)
            .layer(middleware::from_fn_with_state(self.clone(), app_origin::admit))
            .layer(middleware::from_fn(log_request))
            .with_state(self.clone())
    }
}

/// Tells the log of a request: method, address (which holds ids and nothing else) and status.
async fn log_request(request: axum::extract::Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::debug!(event = "request", %method, path, status = response.status().as_u16());
    response
}

async fn ready(State(relay): State<Relay>) -> Response {
    if relay.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping, or standing still\n").into_response()
    }
}

async fn about(State(relay): State<Relay>) -> Json<About> {
    Json(About {
        service: "baken-relay".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: 0,
        operator_reads_alarms: relay.options().operator_reads_alarms,
    })
}
