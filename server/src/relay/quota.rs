//! How full a circle may be. Entries and chunks are counted together, by the database (`schema_2_blob.sql`); alarms and
//! what belongs to them, mail and the membership log are neither counted nor refused.
//!
//! Chunks are refused a little before entries are: a circle filled with films still takes a note. A checkpoint is taken
//! past the quota: entries go by it, and a device that cannot send one reads nothing more.

use std::num::NonZeroU32;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::api::CircleUsage;
use baken_schemas::cbor;
use baken_schemas::id::CircleId;
use rusqlite::{Connection, OptionalExtension as _};

use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::once::Answer;
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::relay::standing;
use crate::store::StoreError;

/// What a circle may hold unless the operator says otherwise, in MiB.
pub const DEFAULT_QUOTA_MIB: NonZeroU32 = NonZeroU32::new(2048).expect("it is not zero");
/// One part in this many of the quota is kept for entries.
const KEPT_FOR_ENTRIES: u64 = 16;

/// What a circle may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    bytes: u64,
}

impl Quota {
    pub(super) fn of_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// Up to where chunks are taken.
    fn for_blobs(self) -> u64 {
        self.bytes - self.bytes / KEPT_FOR_ENTRIES
    }

    /// Whether the circle has room for an entry of `more` bytes.
    pub(super) fn takes_entry(self, db: &Connection, circle: CircleId, more: usize) -> Result<(), Refusal> {
        takes(db, circle, more, self.bytes)
    }

    /// Whether the circle has room for a part of a checkpoint of `more` bytes: as much again as its quota.
    pub(super) fn takes_checkpoint(self, db: &Connection, circle: CircleId, more: usize) -> Result<(), Refusal> {
        takes(db, circle, more, self.bytes.saturating_mul(2))
    }

    /// Whether the circle has room for a chunk of `more` bytes.
    pub(super) fn takes_chunk(self, db: &Connection, circle: CircleId, more: usize) -> Result<(), Refusal> {
        takes(db, circle, more, self.for_blobs())
    }
}

fn takes(db: &Connection, circle: CircleId, more: usize, most: u64) -> Result<(), Refusal> {
    let after = used(db, circle)?.saturating_add(more as u64);
    if after > most { Err(Refusal::QuotaFull) } else { Ok(()) }
}

fn used(db: &Connection, circle: CircleId) -> Result<u64, StoreError> {
    Ok(db
        .prepare_cached("SELECT bytes FROM circle_usage WHERE circle = ?1")?
        .query_row([circle.0], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// `GET /v0/circles/{circle}/usage`.
pub(super) async fn usage(State(relay): State<Relay>, Path(circle): Path<String>, request: BySig) -> Response {
    read(&relay, &circle, &request).map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

fn read(relay: &Relay, circle: &str, request: &BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let device = request.caller.phone()?.device;
    let quota = relay.quota();
    let used = relay.store().read(|db| {
        standing::reader(db, circle, device)?;
        Ok::<_, Refusal>(used(db, circle)?)
    })?;
    Ok(Answer(cbor::to_vec(&CircleUsage { used, quota: quota.bytes, quota_for_blobs: quota.for_blobs() })))
}
