//! Sealed chunks of the photos and sound that go along with an alarm: taken from the phone that pressed it, given to the
//! desks that were handed it. The update that names them comes after them, so who reads of a file can fetch it.
//!
//! They are no alarm: they wait behind whatever is, and an alarm has room for some of them and no more.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::alarm::MAX_ATTACHMENT_BYTES;
use baken_schemas::blob::{CHUNK_BYTES, leaf};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, BlobId, DeviceId};
use baken_schemas::org::OrgId;
use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, BySig};
use crate::relay::blobs::{chunk_index, sealed_chunk};
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// The most chunks of one file.
const MAX_CHUNKS: u32 = MAX_ATTACHMENT_BYTES.div_ceil(CHUNK_BYTES) as u32;
/// The most chunks of one alarm: 32 MiB.
const MAX_CHUNKS_OF_ALARM: u32 = 128;

/// Where a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    alarm: AlarmId,
    blob: BlobId,
    index: u32,
}

impl Place {
    /// Out of a path.
    fn read((alarm, blob, index): &(String, String, String)) -> Result<Self, Refusal> {
        let index = chunk_index(index, MAX_CHUNKS)?;
        Ok(Self { alarm: page::id(alarm)?, blob: page::id(blob)?, index })
    }
}

/// `PUT /v0/alarms/{alarm}/blobs/{blob}/{chunk}`.
pub(super) async fn put(
    State(relay): State<Relay>,
    Path(path): Path<(String, String, String)>,
    request: ByAnyKey,
) -> Response {
    take(&relay, &path, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, path: &(String, String, String), request: ByAnyKey) -> Result<Answer, Refusal> {
    let place = Place::read(path)?;
    let device = request.caller.phone()?.device;
    let sealed = sealed_chunk(&request.body)?;
    let leaf = leaf(&sealed);
    let _turn = relay.chunk_turn().await?;
    relay.once(request.write, Priority::Normal, move |db| store(db, place, device, &sealed, leaf)).await
}

fn store(db: &Connection, place: Place, device: DeviceId, sealed: &[u8], leaf: Hash) -> Result<Done, Refusal> {
    let own = db
        .prepare_cached("SELECT 1 FROM alarm WHERE alarm = ?1 AND device = ?2")?
        .exists(params![place.alarm.0, device.0])?;
    if !own {
        return Err(Refusal::NotFound);
    }
    let there = db
        .prepare_cached("SELECT leaf FROM alarm_chunk WHERE alarm = ?1 AND blob = ?2 AND chunk = ?3")?
        .query_row(params![place.alarm.0, place.blob.0, place.index], |row| row.get(0).map(Hash))
        .optional()?;
    match there {
        Some(there) if there == leaf => return Ok(Done::nothing()),
        Some(_) => return Err(Refusal::Conflict),
        None => {}
    }
    let count: u32 = db
        .prepare_cached("SELECT count(*) FROM alarm_chunk WHERE alarm = ?1")?
        .query_row([place.alarm.0], |row| row.get(0))?;
    if count >= MAX_CHUNKS_OF_ALARM {
        return Err(Refusal::QuotaFull);
    }
    db.prepare_cached("INSERT INTO alarm_chunk (alarm, blob, chunk, leaf, bytes) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![place.alarm.0, place.blob.0, place.index, leaf.0, sealed])?;
    Ok(Done::nothing())
}

/// `GET /v0/alarms/{alarm}/blobs/{blob}/{chunk}`.
pub(super) async fn fetch(
    State(relay): State<Relay>,
    Path(path): Path<(String, String, String)>,
    request: BySig,
) -> Response {
    give(&relay, &path, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn give(relay: &Relay, path: &(String, String, String), request: &BySig) -> Result<Answer, Refusal> {
    let place = Place::read(path)?;
    let desk = request.caller.desk()?.clone();
    let found: Option<Vec<u8>> = relay
        .store()
        .read_page(move |db| {
            let handed: Option<[u8; 32]> = db
                .prepare_cached(
                    "SELECT a.org FROM alarm a JOIN handed h USING (alarm) WHERE alarm = ?1 AND responder = ?2",
                )?
                .query_row(params![place.alarm.0, desk.desk.0], |row| row.get(0))
                .optional()?;
            if !handed.is_some_and(|org| desk.orgs.contains(&OrgId(Hash(org)))) {
                return Err(Refusal::NotFound);
            }
            let found = db
                .prepare_cached("SELECT bytes FROM alarm_chunk WHERE alarm = ?1 AND blob = ?2 AND chunk = ?3")?
                .query_row(params![place.alarm.0, place.blob.0, place.index], |row| row.get(0))
                .optional()?;
            Ok::<_, Refusal>(found)
        })
        .await?;
    Ok(Answer(cbor::to_vec(&ByteVec::from(found.ok_or(Refusal::NotFound)?))))
}
