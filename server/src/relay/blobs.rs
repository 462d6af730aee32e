//! Sealed chunks of blobs: taken from members of the circle in any order, given out again, and cleared away when a
//! member says so. The relay sees how many there are and their classes, and opens none.
//!
//! A chunk is 256 KiB, far more than any other write. So only a few are with the writer at a time, and a blob is cleared
//! away a few chunks a transaction: an alarm never waits behind more than some megabytes.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::{BlobChunks, ChunkThere};
use baken_schemas::blob::{MAX_CHUNKS, is_sealed_len, leaf};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{BlobId, CircleId, DeviceId};
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::relay::quota::Quota;
use crate::relay::standing;
use crate::store::{Priority, StoreError};

/// The most chunks that are with the writer at a time: 2 MiB in one commit, so that it takes no longer than a few
/// single ones. Others wait for their turn, each with its body in memory.
pub(super) const CHUNKS_AT_ONCE: usize = 8;
/// The most chunks cleared away in one transaction: 4 MiB, which `secure_delete` overwrites.
const CLEARED_AT_ONCE: u32 = 16;

/// Where a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    circle: CircleId,
    blob: BlobId,
    index: u32,
}

impl Place {
    /// Out of a path.
    fn read((circle, blob, index): &(String, String, String)) -> Result<Self, Refusal> {
        let index = chunk_index(index, MAX_CHUNKS)?;
        Ok(Self { circle: page::id(circle)?, blob: page::id(blob)?, index })
    }
}

/// A chunk's place in its file, out of a path: below `chunks`, and written in one way only.
pub(super) fn chunk_index(text: &str, chunks: u32) -> Result<u32, Refusal> {
    let index: u32 = page::id(text)?;
    if index >= chunks || index.to_string() != text {
        return Err(Refusal::BadAddress);
    }
    Ok(index)
}

/// The sealed chunk in a body.
pub(super) fn sealed_chunk(body: &[u8]) -> Result<ByteVec, Refusal> {
    let sealed: ByteVec = cbor::from_slice(body, "a sealed chunk")?;
    if !is_sealed_len(sealed.len()) {
        return Err(FormatError::Rule { what: "a sealed chunk", rule: "its size is not that of a class" }.into());
    }
    Ok(sealed)
}

/// `PUT /v0/circles/{circle}/blobs/{blob}/{chunk}`.
pub(super) async fn put(
    State(relay): State<Relay>,
    Path(path): Path<(String, String, String)>,
    request: BySig,
) -> Response {
    take(&relay, &path, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, path: &(String, String, String), request: BySig) -> Result<Answer, Refusal> {
    let place = Place::read(path)?;
    let device = request.caller.phone()?.device;
    let sealed = sealed_chunk(&request.body)?;
    // Hashed here, off the writer's thread.
    let leaf = leaf(&sealed);
    let quota = relay.quota();
    let _turn = relay.chunk_turn().await?;
    let op = move |db: &Connection| store(db, place, device, &sealed, leaf, quota);
    relay.once(request.write, Priority::Normal, op).await
}

fn store(
    db: &Connection,
    place: Place,
    device: DeviceId,
    sealed: &[u8],
    leaf: Hash,
    quota: Quota,
) -> Result<Done, Refusal> {
    standing::writer(db, place.circle, device)?;
    let there = db
        .prepare_cached("SELECT leaf FROM blob_chunk WHERE circle = ?1 AND blob = ?2 AND chunk = ?3")?
        .query_row(params![place.circle.0, place.blob.0, place.index], |row| row.get(0).map(Hash))
        .optional()?;
    match there {
        Some(there) if there == leaf => return Ok(Done::nothing()),
        Some(_) => return Err(Refusal::Conflict),
        None => {}
    }
    quota.takes_chunk(db, place.circle, sealed.len())?;
    db.prepare_cached("INSERT INTO blob_chunk (circle, blob, chunk, leaf, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![place.circle.0, place.blob.0, place.index, leaf.0, sealed])?;
    Ok(Done::nothing())
}

/// `GET /v0/circles/{circle}/blobs/{blob}/{chunk}`.
pub(super) async fn fetch(
    State(relay): State<Relay>,
    Path(path): Path<(String, String, String)>,
    request: BySig,
) -> Response {
    give(&relay, &path, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn give(relay: &Relay, path: &(String, String, String), request: &BySig) -> Result<Answer, Refusal> {
    let place = Place::read(path)?;
    let device = request.caller.phone()?.device;
    let found: Option<Vec<u8>> = relay
        .store()
        .read_page(move |db| {
            standing::reader(db, place.circle, device)?;
            let found = db
                .prepare_cached("SELECT bytes FROM blob_chunk WHERE circle = ?1 AND blob = ?2 AND chunk = ?3")?
                .query_row(params![place.circle.0, place.blob.0, place.index], |row| row.get(0))
                .optional()?;
            Ok::<_, Refusal>(found)
        })
        .await?;
    Ok(Answer(cbor::to_vec(&ByteVec::from(found.ok_or(Refusal::NotFound)?))))
}

/// `GET /v0/circles/{circle}/blobs/{blob}`.
pub(super) async fn list(State(relay): State<Relay>, Path(path): Path<(String, String)>, request: BySig) -> Response {
    there(&relay, &path, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn there(relay: &Relay, path: &(String, String), request: &BySig) -> Result<Answer, Refusal> {
    let (circle, blob): (CircleId, BlobId) = (page::id(&path.0)?, page::id(&path.1)?);
    let device = request.caller.phone()?.device;
    let chunks = relay
        .store()
        .read_page(move |db| {
            standing::reader(db, circle, device)?;
            Ok::<_, Refusal>(chunks_of(db, circle, blob)?)
        })
        .await?;
    Ok(Answer(cbor::to_vec(&BlobChunks { chunks })))
}

fn chunks_of(db: &Connection, circle: CircleId, blob: BlobId) -> Result<Vec<ChunkThere>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT chunk, leaf FROM blob_chunk WHERE circle = ?1 AND blob = ?2 ORDER BY chunk")?;
    let rows = statement
        .query_map(params![circle.0, blob.0], |row| Ok(ChunkThere { index: row.get(0)?, leaf: Hash(row.get(1)?) }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// `DELETE /v0/circles/{circle}/blobs/{blob}`.
pub(super) async fn delete(State(relay): State<Relay>, Path(path): Path<(String, String)>, request: BySig) -> Response {
    clear(&relay, &path, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// Clears a blob away, part by part. Stopped half-way, a repeat clears away what is left.
async fn clear(relay: &Relay, path: &(String, String), request: BySig) -> Result<Answer, Refusal> {
    let (circle, blob): (CircleId, BlobId) = (page::id(&path.0)?, page::id(&path.1)?);
    let device = request.caller.phone()?.device;
    let part = move |db: &Connection| {
        standing::writer(db, circle, device)?;
        Ok::<_, Refusal>(clear_some(db, circle, blob)?)
    };
    let answer = relay.once(request.write, Priority::Normal, move |db| part(db).map(|_| Done::nothing())).await?;
    // Whoever goes on adding chunks meanwhile has them left.
    for _ in 0..MAX_CHUNKS / CLEARED_AT_ONCE {
        if relay.store().write(Priority::Normal, part).await? == 0 {
            break;
        }
    }
    Ok(answer)
}

/// Clears some of a blob's chunks away, and says how many.
fn clear_some(db: &Connection, circle: CircleId, blob: BlobId) -> Result<usize, StoreError> {
    Ok(db
        .prepare_cached(
            "DELETE FROM blob_chunk WHERE rowid IN
             (SELECT rowid FROM blob_chunk WHERE circle = ?1 AND blob = ?2 LIMIT ?3)",
        )?
        .execute(params![circle.0, blob.0, CLEARED_AT_ONCE])?)
}
