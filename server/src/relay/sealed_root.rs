//! The account's root, sealed under its recovery code, for the day on which all devices are lost. It lies under a name
//! that only the code gives; whoever has that name has the code, and the relay can open nothing.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::crypto::Hash;
use baken_schemas::recovery::SealedRoot;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit::{self, Event};
use crate::relay::auth::{BySig, Phone};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::{Relay, log};
use crate::store::{Priority, StoreError};

/// The most sealed roots of one account, one after the other.
const MAX_REPLACED: u32 = 1000;

/// `PUT /v0/recovery`.
pub(super) async fn put(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let unverified = Unverified::<SealedRoot>::parse(&request.body)?;
    if unverified.claims().account != phone.account {
        return Err(Refusal::NotTheRoot);
    }
    let root = relay.store().read(|db| {
        let dossier = log::dossier(db, phone.account)?.ok_or(Refusal::NotTheRoot)?;
        Ok::<_, Refusal>(log::root_of(db, dossier)?)
    })?;
    let sealed = unverified.verify(&root).map_err(|_| Refusal::NotTheRoot)?;
    let now = relay.now();
    relay.once(request.write, Priority::Normal, move |db| store(db, &phone, &sealed, now)).await
}

fn store(db: &Connection, phone: &Phone, sealed: &Signed<SealedRoot>, now: Timestamp) -> Result<Done, Refusal> {
    let (account, name, hash) = (phone.account, sealed.value().name, sealed.hash());
    let there = db
        .prepare_cached("SELECT hash FROM sealed_root WHERE account = ?1")?
        .query_row([account.0], |row| row.get(0).map(Hash))
        .optional()?;
    if there == Some(hash) {
        return Ok(Done::nothing());
    }
    // One that was replaced was replaced for a reason: its code may have been seen.
    let is_old: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM replaced_root WHERE account = ?1 AND hash = ?2)")?
        .query_row(params![account.0, hash.0], |row| row.get(0))?;
    if is_old {
        return Err(Refusal::OlderVersion);
    }
    let is_anothers: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sealed_root WHERE name = ?1 AND account <> ?2)")?
        .query_row(params![name.0, account.0], |row| row.get(0))?;
    if is_anothers {
        return Err(Refusal::Conflict);
    }
    if let Some(there) = there {
        let replaced: u32 = db
            .prepare_cached("SELECT count(*) FROM replaced_root WHERE account = ?1")?
            .query_row([account.0], |row| row.get(0))?;
        if replaced >= MAX_REPLACED {
            return Err(Refusal::TooMany);
        }
        db.prepare_cached("INSERT INTO replaced_root (account, hash) VALUES (?1, ?2)")?
            .execute(params![account.0, there.0])?;
    }
    db.prepare_cached(
        "INSERT INTO sealed_root (account, name, hash, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account) DO UPDATE SET
             name = excluded.name, hash = excluded.hash, bytes = excluded.bytes, at = excluded.at",
    )?
    .execute(params![account.0, name.0, hash.0, sealed.bytes(), now.0])?;
    audit::append_for(db, now, phone.device, "sealed_root_kept", &account, "ok")?;
    Ok(Done::nothing())
}

/// `GET /v0/recovery/{name}`.
pub(super) async fn fetch(State(relay): State<Relay>, Path(name): Path<String>, request: Request) -> Response {
    let now = relay.now();
    if !relay.sealed_roots().allow(request.extensions(), now) {
        return Refusal::TooOften.into_response();
    }
    read(&relay, &name, now).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read(relay: &Relay, name: &str, now: Timestamp) -> Result<Answer, Refusal> {
    // What is no name is answered as one that nobody has.
    let name: Hash = name.parse().map_err(|_| Refusal::NotFound)?;
    let found = relay.store().read(|db| {
        let sql = "SELECT account, bytes FROM sealed_root WHERE name = ?1";
        let row = db.prepare_cached(sql)?.query_row([name.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok::<_, StoreError>(row)
    })?;
    let (account, bytes): ([u8; 16], Vec<u8>) = found.ok_or(Refusal::NotFound)?;
    let subject = baken_schemas::id::AccountId(account).to_string();
    let op = move |db: &Connection| {
        let event = Event { at: now, actor: "recovery_code", act: "sealed_root_read", subject: &subject, result: "ok" };
        audit::append(db, &event)
    };
    relay.store().write::<_, StoreError>(Priority::Normal, op).await?;
    Ok(Answer(bytes))
}
