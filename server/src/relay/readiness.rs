//! Readiness, by consent: what a phone says of its person lies here while they agree, for their organisation's advisers,
//! and is destroyed when they no longer do. What the row says was one of seven words each; the relay takes nothing else.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::adviser::{OrgReadiness, PersonReadiness, Readiness, ReadinessReport};
use baken_schemas::cbor;
use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{Advises, BySig, Phone};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// The most people told at once: more than any organisation has office-holders.
const MAX_PEOPLE: usize = 10_000;

/// `GET /v0/readiness`.
pub(super) async fn fetch(State(relay): State<Relay>, request: BySig) -> Response {
    read(&relay, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read(relay: &Relay, request: &BySig) -> Result<Answer, Refusal> {
    let adviser = request.caller.adviser()?;
    let people = relay.store().read_page(move |db| people_of(db, adviser.org)).await?;
    Ok(Answer(cbor::to_vec(&OrgReadiness { people })))
}

fn people_of(db: &Connection, org: OrgId) -> Result<Vec<PersonReadiness>, Refusal> {
    let mut statement =
        db.prepare_cached("SELECT account, at, steps FROM readiness WHERE org = ?1 ORDER BY account LIMIT ?2")?;
    let mut rows = statement.query(params![org.0.0, MAX_PEOPLE])?;
    let mut people = Vec::new();
    while let Some(row) = rows.next()? {
        let steps: Vec<u8> = row.get(2)?;
        people.push(PersonReadiness {
            account: AccountId(row.get(0)?),
            at: Timestamp(row.get(1)?),
            readiness: Readiness::from_slice(&steps)?,
        });
    }
    Ok(people)
}

/// `PUT /v0/readiness`.
pub(super) async fn put(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    if phone.advises != Advises::Never {
        return Err(Refusal::NotAllowed);
    }
    let report: ReadinessReport = cbor::from_slice(&request.body, "a report of readiness")?;
    let now = relay.now();
    relay.once(request.write, Priority::Normal, move |db| store(db, &phone, &report, now)).await
}

fn store(db: &Connection, phone: &Phone, report: &ReadinessReport, now: Timestamp) -> Result<Done, Refusal> {
    let by: Option<[u8; 16]> = db
        .prepare_cached("SELECT device FROM readiness WHERE account = ?1")?
        .query_row([phone.account.0], |row| row.get(0))
        .optional()?;
    let is_own = by == Some(phone.device.0);
    if !is_own && !report.consents {
        return Err(Refusal::NotShared);
    }
    db.prepare_cached(
        "INSERT INTO readiness (account, org, device, steps, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET device = ?3, steps = ?4, at = ?5",
    )?
    .execute(params![phone.account.0, phone.org.0.0, phone.device.0, cbor::to_vec(&report.readiness), now.0])?;
    if !is_own {
        audit::append_for(db, now, phone.device, "readiness_shared", &phone.account, "ok")?;
    }
    Ok(Done::nothing())
}

/// `DELETE /v0/readiness`.
pub(super) async fn delete(State(relay): State<Relay>, request: BySig) -> Response {
    destroy(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn destroy(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let now = relay.now();
    let op = move |db: &Connection| {
        let gone = db.prepare_cached("DELETE FROM readiness WHERE account = ?1")?.execute([phone.account.0])?;
        if gone > 0 {
            audit::append_for(db, now, phone.device, "readiness_withheld", &phone.account, "ok")?;
        }
        Ok(Done::nothing())
    };
    relay.once(request.write, Priority::Normal, op).await
}
