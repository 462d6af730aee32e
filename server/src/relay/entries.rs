//! A circle's entries: taken in their writer's order, given out in the relay's. What they hold the relay cannot see;
//! it checks that the caller is the writer, and that counter and hash go on from the writer's last entry.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::{EntriesStored, EntryBatch, PAGE_ITEMS, Page};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::entry::Entry;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use http::Uri;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::log::slot_of;
use crate::relay::once::{Answer, Done};
use crate::relay::page::{self, PAGE_ROWS};
use crate::relay::problem::Refusal;
use crate::relay::quota::Quota;
use crate::relay::wakes::Topic;
use crate::store::{Priority, StoreError};

/// `POST /v0/circles/{circle}/entries`.
pub(super) async fn post(State(relay): State<Relay>, Path(circle): Path<String>, request: BySig) -> Response {
    take(&relay, &circle, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, circle: &str, request: BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let phone = request.caller.phone()?;
    let batch: EntryBatch = cbor::from_slice(&request.body, "a batch of entries")?;
    if batch.entries.is_empty() || batch.entries.len() > PAGE_ITEMS {
        let rule = "it holds 1 to 256 entries";
        return Err(FormatError::Rule { what: "a batch of entries", rule }.into());
    }
    let entries = batch.entries.iter().map(|bytes| Entry::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    if entries.iter().any(|entry| entry.header().circle != circle) {
        return Err(FormatError::Rule { what: "an entry", rule: "it is of another circle" }.into());
    }
    let now = relay.now();
    let quota = relay.quota();
    let op = move |db: &Connection| store(db, circle, phone.device, &entries, quota, now);
    relay.once(request.write, Priority::Normal, op).await
}

fn store(
    db: &Connection,
    circle: CircleId,
    device: DeviceId,
    entries: &[Entry],
    quota: Quota,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let slot = slot_of(db, circle, device)?.ok_or(Refusal::NotMember)?;
    let (mut counter, mut last) = last_of_writer(db, circle, slot)?;
    let mut added = false;
    for entry in entries {
        let header = entry.header();
        if header.slot != slot {
            return Err(Refusal::NotMember);
        }
        if header.counter <= counter {
            if hash_at(db, circle, slot, header.counter)? != Some(entry.hash()) {
                return Err(Refusal::EntryConflict);
            }
            continue;
        }
        if header.counter != counter + 1 || header.prev != last {
            return Err(Refusal::EntryOutOfOrder);
        }
        quota.takes_entries(db, circle, entry.bytes().len())?;
        (counter, last) = (header.counter, entry.hash());
        db.prepare_cached(
            "INSERT INTO entry (circle, slot, counter, hash, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![circle.0, slot, counter, last.0, entry.bytes(), now.0])?;
        added = true;
    }
    let answer = cbor::to_vec(&EntriesStored { counter, hash: last });
    let wakes = if added { vec![Topic::Circle(circle)] } else { Vec::new() };
    Ok(Done { answer, wakes, refusal: None })
}

/// Counter and hash of a writer's last entry: 0 and [`Hash::ZERO`] before the first.
fn last_of_writer(db: &Connection, circle: CircleId, slot: u16) -> Result<(u64, Hash), StoreError> {
    let last = db
        .prepare_cached(
            "SELECT counter, hash FROM entry WHERE circle = ?1 AND slot = ?2 ORDER BY counter DESC LIMIT 1",
        )?
        .query_row(params![circle.0, slot], |row| Ok((row.get(0)?, Hash(row.get(1)?))))
        .optional()?;
    Ok(last.unwrap_or((0, Hash::ZERO)))
}

fn hash_at(db: &Connection, circle: CircleId, slot: u16, counter: u64) -> Result<Option<Hash>, StoreError> {
    Ok(db
        .prepare_cached("SELECT hash FROM entry WHERE circle = ?1 AND slot = ?2 AND counter = ?3")?
        .query_row(params![circle.0, slot, counter], |row| row.get(0).map(Hash))
        .optional()?)
}

/// `GET /v0/circles/{circle}/entries?after=`.
pub(super) async fn page(State(relay): State<Relay>, Path(circle): Path<String>, uri: Uri, request: BySig) -> Response {
    let read =
        |db: &Connection, circle, after: Option<u64>, generation| read(db, circle, after.unwrap_or(0), generation);
    page::of_circle(&relay, &circle, &uri, request, read)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// A circle's entries behind a cursor.
pub(super) fn read(db: &Connection, circle: CircleId, after: u64, generation: u64) -> Result<Page, StoreError> {
    let statement = db
        .prepare_cached("SELECT cursor, bytes FROM entry WHERE circle = ?1 AND cursor > ?2 ORDER BY cursor LIMIT ?3")?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    page::collect(statement, params![circle.0, after, PAGE_ROWS], generation)
}
