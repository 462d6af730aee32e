//! The officers' console: pages, a JSON API and a live stream, served by the desk itself and nobody else.
//!
//! Everything a page needs comes from here, under a policy that lets a browser load and send nothing elsewhere. What an
//! officer sees is what [`crate::desk`] can prove; this module adds words and layout, and decides nothing.

mod api;
mod callbacks;
mod channels;
pub(crate) mod guard;
mod incidents;
mod keeping;
mod keys;
mod live;
mod login;
mod pages;
mod people;
mod plan;
mod present;
mod push;
mod serve;
mod shift;
mod tested;
mod warnings;
pub(crate) mod words;

pub(crate) use words::words;

pub use serve::{RelayPlace, serve_desk};

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, response::Redirect};
use tokio::sync::{Semaphore, watch};

use crate::desk::Desk;
use crate::desk::run::RelayLink;

/// The largest body of a request in bytes: a form with one text.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// The most open live streams.
const MAX_STREAMS: usize = 500;

/// What the console's handlers share.
#[derive(Debug, Clone)]
pub struct Console {
    desk: Arc<Desk>,
    link: watch::Receiver<RelayLink>,
    stop: watch::Receiver<bool>,
    streams: Arc<Semaphore>,
}

impl Console {
    /// A console over a desk. Live streams end when `stop` becomes true.
    pub fn new(desk: Arc<Desk>, link: watch::Receiver<RelayLink>, stop: watch::Receiver<bool>) -> Self {
        Self { desk, link, stop, streams: Arc::new(Semaphore::new(MAX_STREAMS)) }
    }

    /// The console's routes.
    pub fn router(self) -> Router {
        let from_gateways = Router::new()
            .route("/callbacks/{channel}/{part}", post(callbacks::take))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), guard::headers))
            .with_state(self.clone());
        Router::new()
            .route("/", get(pages::list))
            .route("/alarms/{alarm}", get(pages::alarm))
            .route("/alarms/{alarm}/timeline", get(pages::timeline))
            .route("/alarms/{alarm}/attachments/{blob}", get(pages::attachment))
            .route("/alarms/{alarm}/handover", get(people::handover))
            .route("/api/alarms/{alarm}/handover", get(people::handover_json))
            .route("/people", get(people::list))
            .route("/people/{account}", get(people::show).post(people::write))
            .route("/incidents/{incident}", get(incidents::show))
            .route("/incidents/{incident}/{act}", post(incidents::act))
            .route("/api/incidents/{incident}", get(incidents::show_json))
            .route("/api/incidents/{incident}/{act}", post(incidents::act_json))
            .route("/alarms/{alarm}/hold", post(keeping::hold))
            .route("/alarms/{alarm}/release", post(keeping::release))
            .route("/alarms/{alarm}/{act}", post(pages::act))
            .route("/roster", get(shift::roster))
            .route("/roster/hand-over", post(shift::hand_over))
            .route("/shift", get(shift::show).post(shift::write))
            .route("/warnings", get(warnings::list))
            .route("/api/warnings", get(warnings::list_json))
            .route("/tests", get(tested::list))
            .route("/api/tests", get(tested::list_json))
            .route("/figures", get(keeping::figures))
            .route("/api/figures", get(keeping::figures_json))
            .route("/api/alarms/{alarm}/hold", post(keeping::hold_json))
            .route("/api/alarms/{alarm}/release", post(keeping::release_json))
            .route("/channels", get(channels::list))
            .route("/channels/{channel}/test", post(channels::test))
            .route("/api/channels", get(channels::list_json))
            .route("/api/channels/{channel}/test", post(channels::test_json))
            .route("/push/{browser}/remove", post(push::remove))
            .route("/api/push", get(push::show_json).post(push::subscribe_json))
            .route("/api/push/{browser}/remove", post(push::remove_json))
            // At the top, since a worker has no say above where it lies.
            .route("/push-worker.js", get(|| asset("text/javascript", include_str!("../../templates/push-worker.js"))))
            .route("/assets/push.js", get(|| asset("text/javascript", include_str!("../../templates/push.js"))))
            .route("/login", get(|| async { Redirect::to("/") }).post(login::log_in))
            .route("/login/{token}", get(login::offer_log_in))
            .route("/logout", post(login::log_out))
            .route("/api/login/begin", post(login::begin))
            .route("/api/login/finish", post(login::finish))
            .route("/keys", get(keys::list))
            .route("/keys/{key}/remove", post(keys::remove))
            .route("/api/keys/begin", post(keys::begin))
            .route("/api/keys/finish", post(keys::finish))
            .route("/assets/passkeys.js", get(|| asset("text/javascript", include_str!("../../templates/passkeys.js"))))
            .route("/live", get(live::live))
            .route("/api/alarms", get(api::list))
            .route("/api/alarms/{alarm}", get(api::one))
            .route("/api/alarms/{alarm}/{act}", post(api::act))
            .route("/assets/console.css", get(|| asset("text/css", include_str!("../../templates/console.css"))))
            .route("/assets/console.js", get(|| asset("text/javascript", include_str!("../../templates/console.js"))))
            .route("/assets/icon.svg", get(|| asset("image/svg+xml", include_str!("../../templates/icon.svg"))))
            // Browsers ask for one whatever a page says.
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .route("/health", get(|| async { StatusCode::OK }))
            .route("/ready", get(ready))
            .fallback(pages::not_found)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), guard::same_origin))
            .layer(middleware::from_fn_with_state(self.clone(), guard::headers))
            .with_state(self)
            .merge(from_gateways)
    }
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Ready while it can take writes and hears its relay.
async fn ready(State(console): State<Console>) -> StatusCode {
    let hears = matches!(*console.link.borrow(), RelayLink::Live { .. });
    if console.desk.is_open() && hears { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
