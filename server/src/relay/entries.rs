//! A circle's entries: taken in their writer's order, given out in the relay's. What they hold the relay cannot see;
//! it checks that the caller is the writer, and that counter and hash go on from the writer's last entry.
//!
//! Old entries go once a checkpoint covers them ([`crate::relay::compact`]). The end of every writer's chain stays, so
//! it goes on as if all were there. A repeat of an entry that is gone is answered as stored, whatever its bytes: what
//! they were is not known any more. The answer names the writer's last entry, so a writer that runs from an old copy
//! sees that it does.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::{EntriesStored, EntryBatch, PAGE_ITEMS, Page};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::entry::{Entry, EntryHeader, EntryKind};
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use http::Uri;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::auth::BySig;
use crate::relay::once::{Answer, Done};
use crate::relay::page::{self, After, PAGE_ROWS};
use crate::relay::problem::Refusal;
use crate::relay::quota::Quota;
use crate::relay::wakes::Topic;
use crate::relay::{Relay, standing};
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
    let by = By { circle, device: phone.device, acknowledged: relay.acknowledged().of(circle, phone.device) };
    let quota = relay.quota();
    let op = move |db: &Connection| store(db, by, &entries, quota, now);
    relay.once(request.write, Priority::Normal, op).await
}

/// Who writes, and where.
#[derive(Debug, Clone, Copy)]
struct By {
    circle: CircleId,
    device: DeviceId,
    /// What it has acknowledged, as far as that is not on disk.
    acknowledged: u64,
}

fn store(db: &Connection, by: By, entries: &[Entry], quota: Quota, now: Timestamp) -> Result<Done, Refusal> {
    let circle = by.circle;
    let standing = standing::writer(db, circle, by.device)?;
    let slot = standing.slot;
    let acknowledged = standing.acknowledged.max(by.acknowledged);
    let before = Chain::read(db, circle, slot)?;
    let mut chain = before;
    for entry in entries {
        let header = entry.header();
        if header.slot != slot {
            return Err(Refusal::NotMember);
        }
        if header.counter <= chain.counter {
            let there = if header.counter == chain.counter {
                Some(chain.hash)
            } else {
                hash_at(db, circle, slot, header.counter)?
            };
            if there.is_some_and(|there| there != entry.hash()) {
                return Err(Refusal::EntryConflict);
            }
            continue;
        }
        if header.counter != chain.counter + 1 || header.prev != chain.hash {
            return Err(Refusal::EntryOutOfOrder);
        }
        match header.kind {
            EntryKind::Changes => quota.takes_entry(db, circle, entry.bytes().len())?,
            EntryKind::Checkpoint { .. } if standing.owner => {
                quota.takes_checkpoint(db, circle, entry.bytes().len())?;
            }
            EntryKind::Checkpoint { .. } => {
                return Err(FormatError::Rule { what: "an entry", rule: "only an owner writes checkpoints" }.into());
            }
        }
        db.prepare_cached(
            "INSERT INTO entry (circle, slot, counter, hash, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![circle.0, slot, header.counter, entry.hash().0, entry.bytes(), now.0])?;
        if chain.go_on(header, entry.hash(), acknowledged) {
            keep_checkpoint(db, circle, slot, &chain, now)?;
        }
    }
    let answer = cbor::to_vec(&EntriesStored { counter: chain.counter, hash: chain.hash });
    if chain == before {
        return Ok(Done { answer, ..Done::default() });
    }
    chain.keep(db, circle, slot)?;
    Ok(Done { answer, wakes: vec![Topic::Circle(circle)], refusal: None })
}

/// The end of a writer's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chain {
    /// Of the last entry; 0 before the first.
    counter: u64,
    /// Of the last entry; [`Hash::ZERO`] before the first.
    hash: Hash,
    /// How many parts the checkpoint has that is under way; 0 when none is.
    parts: u16,
    /// How many of them are here.
    here: u16,
    /// What its author had acknowledged when its first part came.
    covers: u64,
}

impl Chain {
    fn read(db: &Connection, circle: CircleId, slot: u16) -> Result<Self, StoreError> {
        let there = db
            .prepare_cached("SELECT counter, hash, parts, here, covers FROM writer WHERE circle = ?1 AND slot = ?2")?
            .query_row(params![circle.0, slot], |row| {
                Ok(Self {
                    counter: row.get(0)?,
                    hash: Hash(row.get(1)?),
                    parts: row.get(2)?,
                    here: row.get(3)?,
                    covers: row.get(4)?,
                })
            })
            .optional()?;
        Ok(there.unwrap_or(Self { counter: 0, hash: Hash::ZERO, parts: 0, here: 0, covers: 0 }))
    }

    fn keep(&self, db: &Connection, circle: CircleId, slot: u16) -> Result<(), StoreError> {
        db.prepare_cached(
            "INSERT OR REPLACE INTO writer (circle, slot, counter, hash, parts, here, covers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![circle.0, slot, self.counter, self.hash.0, self.parts, self.here, self.covers])?;
        Ok(())
    }

    /// Takes the next entry; whether a checkpoint is whole with it. A checkpoint is parts behind each other with
    /// nothing between them; any other order of parts is none.
    fn go_on(&mut self, header: &EntryHeader, hash: Hash, acknowledged: u64) -> bool {
        (self.counter, self.hash) = (header.counter, hash);
        match header.kind {
            EntryKind::Checkpoint { part: 0, of } => {
                (self.parts, self.here, self.covers) = (of, 1, acknowledged);
            }
            EntryKind::Checkpoint { part, of } if (part, of) == (self.here, self.parts) => self.here += 1,
            EntryKind::Checkpoint { .. } | EntryKind::Changes => {
                (self.parts, self.here, self.covers) = (0, 0, 0);
            }
        }
        self.parts > 0 && self.here == self.parts
    }
}

fn keep_checkpoint(
    db: &Connection,
    circle: CircleId,
    slot: u16,
    chain: &Chain,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO checkpoint (circle, slot, counter, covers, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![circle.0, slot, chain.counter, chain.covers, now.0])?;
    Ok(())
}

fn hash_at(db: &Connection, circle: CircleId, slot: u16, counter: u64) -> Result<Option<Hash>, StoreError> {
    Ok(db
        .prepare_cached("SELECT hash FROM entry WHERE circle = ?1 AND slot = ?2 AND counter = ?3")?
        .query_row(params![circle.0, slot, counter], |row| row.get(0).map(Hash))
        .optional()?)
}

/// `GET /v0/circles/{circle}/entries?after=`. What a device asks to go on from it keeps: that is its acknowledgement.
pub(super) async fn page(State(relay): State<Relay>, Path(circle): Path<String>, uri: Uri, request: BySig) -> Response {
    read_page(&relay, &circle, &uri, request)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read_page(relay: &Relay, circle: &str, uri: &Uri, request: BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let After { after } = page::query(uri)?;
    let (phone, after, generation) = (request.caller.phone()?, after.unwrap_or(0), relay.generation());
    let device = phone.device;
    let (standing, last, found) = relay
        .store()
        .read_page(move |db| {
            let standing = standing::entry_reader(db, circle, &phone)?;
            Ok::<_, Refusal>((standing, last_cursor(db, circle)?, read(db, circle, after, generation)?))
        })
        .await?;
    // Who asks from behind the end has seen another life of this relay, and acknowledges nothing of this one.
    let acknowledges = if after <= last { after } else { 0 };
    if let Some(standing) = standing {
        relay.acknowledged().note((circle, device), &standing, acknowledges, relay.now());
    }
    Ok(Answer(cbor::to_vec(&found)))
}

fn last_cursor(db: &Connection, circle: CircleId) -> Result<u64, StoreError> {
    Ok(db
        .prepare_cached("SELECT coalesce(max(cursor), 0) FROM entry WHERE circle = ?1")?
        .query_row([circle.0], |row| row.get(0))?)
}

/// A circle's entries behind a cursor, and the floor below which none are left.
pub(super) fn read(db: &Connection, circle: CircleId, after: u64, generation: u64) -> Result<Page, StoreError> {
    let statement = db
        .prepare_cached("SELECT cursor, bytes FROM entry WHERE circle = ?1 AND cursor > ?2 ORDER BY cursor LIMIT ?3")?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let page = page::collect(statement, params![circle.0, after, PAGE_ROWS], generation)?;
    let floor = db
        .prepare_cached("SELECT floor FROM circle WHERE circle = ?1")?
        .query_row([circle.0], |row| row.get(0))
        .optional()?;
    Ok(Page { floor: floor.unwrap_or(0), ..page })
}
