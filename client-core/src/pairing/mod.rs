//! Pairing: a second device joins the account, in one room. The formats and the reasons are in
//! `baken_schemas::pairing`.
//!
//! [`PairingStart`] is the new device's half, [`PairingAccept`] the old one's. Neither survives the program or five
//! minutes: a pairing that was interrupted is started again.

mod accept;
mod address;
mod start;

use std::time::Duration;

use baken_schemas::api;
use baken_schemas::id::{IdempotencyKey, RendezvousId};
use baken_schemas::pairing::{MAX_MESSAGE_BYTES, PAIRING_LIFETIME_MS};
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use http::Method;

pub use accept::{PairInto, Paired, PairingAccept};
pub use address::RelayAddress;
pub use start::PairingStart;
pub(crate) use start::join_circle;

use crate::client::{path_with, send_unsigned};
use crate::timer;
use crate::transport::Transport;
use crate::{BakenError, Context};

/// How long to wait between two looks at the rendezvous.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// The most looks: the five minutes, and as many again.
const MAX_LOOKS: usize = 1500;

/// The path of a message at a rendezvous.
fn path(rendezvous: RendezvousId, message: &str) -> Result<String, BakenError> {
    path_with(&path_with(api::PAIRING, rendezvous)?, message)
}

/// Whether the five minutes are over. A clock that went back ends them too.
fn check_time(context: &Context, started: Timestamp) -> Result<(), BakenError> {
    if (0..PAIRING_LIFETIME_MS).contains(&context.now().since_ms(started)) {
        Ok(())
    } else {
        Err(BakenError::PairingExpired)
    }
}

/// Waits until a message lies at the rendezvous.
async fn wait_for(
    context: &Context,
    transport: &dyn Transport,
    started: Timestamp,
    path: &str,
) -> Result<Bytes, BakenError> {
    for _ in 0..MAX_LOOKS {
        check_time(context, started)?;
        match send_unsigned(transport, Method::GET, path, Vec::new()).await {
            Ok(message) if message.len() <= MAX_MESSAGE_BYTES => return Ok(message),
            Ok(_) => return Err(BakenError::from(crate::transport::TransportError::TooLarge)),
            Err(BakenError::Refused { status: 404, .. } | BakenError::NotReached) => {}
            Err(error) => return Err(error),
        }
        timer::sleep(LOOK_EVERY).await;
    }
    Err(BakenError::PairingExpired)
}

/// A key for a write that is made once.
fn fresh_key(context: &Context) -> IdempotencyKey {
    context.with_rng(|rng| IdempotencyKey::make(rng))
}
