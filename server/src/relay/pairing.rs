//! The rendezvous of two devices that pair: three messages that lie here for a few minutes. The offer comes from a
//! device that nobody knows yet, so it is small, must be an identity, and is bounded in number, by address too.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::device::Identity;
use baken_schemas::id::RendezvousId;
use baken_schemas::pairing::PAIRING_LIFETIME_MS;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::{BySig, read_body};
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// The largest offer in bytes.
pub(super) const MAX_OFFER_BYTES: usize = 2048;
/// The most offers lying here at once.
const MAX_OFFERS: u32 = 1000;
/// Messages lie here longer than a code is good for, so that a pairing begun in time can be finished.
const LIFETIME_MS: i64 = 2 * PAIRING_LIFETIME_MS;

/// Which message of a pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Offer = 0,
    Hello = 1,
    Grant = 2,
}

/// `PUT /v0/pairing/{rendezvous}/offer`.
pub(super) async fn put_offer(
    State(relay): State<Relay>,
    Path(rendezvous): Path<String>,
    request: Request,
) -> Response {
    offer(&relay, &rendezvous, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn offer(relay: &Relay, rendezvous: &str, request: Request) -> Result<Answer, Refusal> {
    let rendezvous: RendezvousId = page::id(rendezvous)?;
    let now = relay.now();
    if !relay.offers().allow(request.extensions(), now) {
        return Err(Refusal::TooOften);
    }
    let body = read_body(request).await?;
    Identity::verify(&body)?;
    let op = move |db: &Connection| {
        let lying: u32 = db
            .prepare_cached("SELECT count(*) FROM pairing_message WHERE message = 0 AND expires_at > ?1")?
            .query_row([now.0], |row| row.get(0))?;
        if lying >= MAX_OFFERS {
            return Err(Refusal::TooOften);
        }
        lay(db, rendezvous, Message::Offer, &body, now)
    };
    relay.store().write(Priority::Normal, op).await?;
    Ok(Answer(Vec::new()))
}

/// `PUT /v0/pairing/{rendezvous}/hello`.
pub(super) async fn put_hello(State(relay): State<Relay>, Path(rendezvous): Path<String>, request: BySig) -> Response {
    follow(&relay, &rendezvous, (Message::Offer, Message::Hello), request)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// `PUT /v0/pairing/{rendezvous}/grant`.
pub(super) async fn put_grant(State(relay): State<Relay>, Path(rendezvous): Path<String>, request: BySig) -> Response {
    follow(&relay, &rendezvous, (Message::Hello, Message::Grant), request)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn follow(
    relay: &Relay,
    rendezvous: &str,
    (before, message): (Message, Message),
    request: BySig,
) -> Result<Answer, Refusal> {
    let rendezvous: RendezvousId = page::id(rendezvous)?;
    request.caller.present()?;
    let now = relay.now();
    let body = request.body;
    relay
        .once(request.write, Priority::Normal, move |db| {
            lying(db, rendezvous, before, now)?.ok_or(Refusal::NotFound)?;
            lay(db, rendezvous, message, &body, now)?;
            Ok(Done::nothing())
        })
        .await
}

fn lay(
    db: &Connection,
    rendezvous: RendezvousId,
    message: Message,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), Refusal> {
    match lying(db, rendezvous, message, now)? {
        Some(there) if there == bytes => return Ok(()),
        Some(_) => return Err(Refusal::Conflict),
        None => {}
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO pairing_message (rendezvous, message, bytes, expires_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![rendezvous.0, message as u8, bytes, now.plus_ms(LIFETIME_MS).0])?;
    Ok(())
}

fn lying(
    db: &Connection,
    rendezvous: RendezvousId,
    message: Message,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(db
        .prepare_cached("SELECT bytes FROM pairing_message WHERE rendezvous = ?1 AND message = ?2 AND expires_at > ?3")?
        .query_row(params![rendezvous.0, message as u8, now.0], |row| row.get(0))
        .optional()?)
}

/// `GET /v0/pairing/{rendezvous}/offer`.
pub(super) async fn fetch_offer(State(relay): State<Relay>, Path(rendezvous): Path<String>) -> Response {
    fetch(&relay, &rendezvous, Message::Offer).map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// `GET /v0/pairing/{rendezvous}/hello`.
pub(super) async fn fetch_hello(State(relay): State<Relay>, Path(rendezvous): Path<String>) -> Response {
    fetch(&relay, &rendezvous, Message::Hello).map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// `GET /v0/pairing/{rendezvous}/grant`.
pub(super) async fn fetch_grant(State(relay): State<Relay>, Path(rendezvous): Path<String>) -> Response {
    fetch(&relay, &rendezvous, Message::Grant).map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

fn fetch(relay: &Relay, rendezvous: &str, message: Message) -> Result<Answer, Refusal> {
    let rendezvous: RendezvousId = page::id(rendezvous)?;
    let now = relay.now();
    let found = relay.store().read(|db| lying(db, rendezvous, message, now))?;
    found.map(Answer).ok_or(Refusal::NotFound)
}
