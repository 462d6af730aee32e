//! Guests: the device of somebody who joins a circle of the caller's and has no account here, a partner or an adviser.
//! A guest syncs the circles it is in, pairs, and is heard when it calls for help. Nothing of the account is its.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::device::Identity;

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::devices::{As, enrol};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// `POST /v0/guests`.
pub(super) async fn post(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let identity = Identity::verify(&request.body)?;
    if relay.is_taken(identity.value().device) {
        return Err(Refusal::DeviceTaken);
    }
    let now = relay.now();
    relay
        .once(request.write, Priority::Normal, move |db| {
            if enrol(db, (phone.org, phone.account), &identity, As::Guest, now)? {
                audit::append_for(db, now, phone.device, "guest_added", &identity.value().device, "ok")?;
            }
            Ok(Done::nothing())
        })
        .await
}
