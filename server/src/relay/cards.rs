//! Cards: each device's own, sealed, given only to a desk that was handed one of its alarms. Each time that is
//! written into the audit. A probe counts for nothing here, since it calls nobody; that it is one the relay knows once the
//! desk has answered it, so that a desk that answers none is given cards, which it cannot open.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::Card;
use baken_schemas::id::DeviceId;
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{BySig, Desk};
use crate::relay::clearing::Standing;
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// `PUT /v0/cards/{device}`.
pub(super) async fn put(State(relay): State<Relay>, Path(device): Path<String>, request: BySig) -> Response {
    take(&relay, &device, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, device: &str, request: BySig) -> Result<Answer, Refusal> {
    let device: DeviceId = page::id(device)?;
    let phone = request.caller.holder()?;
    let unverified = Unverified::<Card>::parse(&request.body)?;
    if device != phone.device || unverified.claims().device != phone.device {
        return Err(FormatError::Signature { what: Card::LABEL }.into());
    }
    let card = unverified.verify(&phone.sig)?;
    relay.once(request.write, Priority::Normal, move |db| store(db, &card)).await
}

fn store(db: &Connection, card: &Signed<Card>) -> Result<Done, Refusal> {
    let value = card.value();
    let version = i64::try_from(value.version).map_err(|_| Refusal::OlderVersion)?;
    let there: Option<(i64, Vec<u8>)> = db
        .prepare_cached("SELECT version, bytes FROM card WHERE device = ?1")?
        .query_row([value.device.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match there {
        Some((_, bytes)) if bytes == card.bytes() => return Ok(Done::nothing()),
        Some((newest, _)) if newest >= version => return Err(Refusal::OlderVersion),
        _ => {}
    }
    db.prepare_cached("INSERT OR REPLACE INTO card (device, version, bytes) VALUES (?1, ?2, ?3)")?.execute(params![
        value.device.0,
        version,
        card.bytes()
    ])?;
    Ok(Done::nothing())
}

/// `GET /v0/cards/{device}`.
pub(super) async fn fetch(State(relay): State<Relay>, Path(device): Path<String>, request: BySig) -> Response {
    read(&relay, &device, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read(relay: &Relay, device: &str, request: BySig) -> Result<Answer, Refusal> {
    let device: DeviceId = page::id(device)?;
    let desk = request.caller.desk()?.clone();
    let now = relay.now();
    let op = move |db: &Connection| release(db, &desk, device, now);
    Ok(Answer(relay.store().write(Priority::Alarm, op).await?))
}

fn release(db: &Connection, desk: &Desk, device: DeviceId, now: Timestamp) -> Result<Vec<u8>, Refusal> {
    if !was_handed(db, desk, device)? {
        return Err(Refusal::NotHanded);
    }
    let card = db
        .prepare_cached("SELECT bytes FROM card WHERE device = ?1")?
        .query_row([device.0], |row| row.get(0))
        .optional()?
        .ok_or(Refusal::NotFound)?;
    audit::append_for(db, now, desk.desk, "card_read", &device, "ok")?;
    Ok(card)
}

fn was_handed(db: &Connection, desk: &Desk, device: DeviceId) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT a.org FROM alarm a JOIN handed h ON h.alarm = a.alarm
         WHERE a.device = ?1 AND h.responder = ?2 AND a.standing <> ?3",
    )?;
    let probe = Standing::Probe as u8;
    let orgs = statement.query_map(params![device.0, desk.desk.0, probe], |row| row.get::<_, [u8; 32]>(0))?;
    for org in orgs {
        let org = org?;
        if desk.orgs.iter().any(|served| served.0.0 == org) {
            return Ok(true);
        }
    }
    Ok(false)
}
