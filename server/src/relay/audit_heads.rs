//! The audit's head for phones, with the proof that it goes on from the one that a phone holds: see
//! [`baken_schemas::audit`]. A phone that keeps heads can show that the audit was rewritten, whoever runs the relay.
//!
//! Nodes over 64 rows and more are kept as the sweep comes by them, so that a proof reads a few rows and not all, and the
//! tree outlives rows whose time is over. What is below is made of the rows themselves.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::audit::{AuditAnswer, AuditHead, leaf, node, prove, root};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::signed::Signed;
use http::Uri;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::ByAnyKey;
use crate::relay::once::Answer;
use crate::relay::page::{self, After};
use crate::relay::problem::Refusal;
use crate::store::StoreError;

/// The lowest level that is kept: over 64 rows.
const KEPT_LEVEL: u32 = 6;
/// The most nodes of that level made in one sweep.
const STEP_NODES: u64 = 64;

/// `GET /v0/audit?after=SIZE`.
pub(super) async fn head(State(relay): State<Relay>, uri: Uri, request: ByAnyKey) -> Response {
    read(&relay, &uri, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read(relay: &Relay, uri: &Uri, request: &ByAnyKey) -> Result<Answer, Refusal> {
    request.caller.phone()?;
    let After { after } = page::query(uri)?;
    let (keys, now, from) = (relay.keys(), relay.now(), after.unwrap_or(0));
    let (size, tree_root, path) = relay.store().read_page(move |db| proven(db, from)).await?;
    let head = AuditHead { relay: keys.device, size, root: tree_root, at: now };
    let head = Signed::make(head, &keys.sig).bytes().to_vec().into();
    Ok(Answer(cbor::to_vec(&AuditAnswer { head, path })))
}

/// Size and root of the tree, and the proof that it goes on from its first `from` leaves; none from a size that it never
/// had, which the caller then sees. [`Refusal::NotFound`] where the rows that it takes are gone.
fn proven(db: &Connection, from: u64) -> Result<(u64, Hash, Vec<Hash>), Refusal> {
    let size = audit::head(db)?.seq;
    if from < audit::start(db)?.seq && !from.is_multiple_of(1 << KEPT_LEVEL) {
        return Err(Refusal::NotFound);
    }
    let mut over = |level, index| perfect(db, u64::MAX, (level, index));
    let tree_root = root((0, size), &mut over)?;
    Ok((size, tree_root, prove((from, size), &mut over)?))
}

/// The root of the tree by the rows themselves, for `verify`, and whether what was kept of it fits them.
///
/// # Errors
/// [`StoreError`].
pub fn tree_root(db: &Connection) -> Result<(Hash, bool), StoreError> {
    let (size, start) = (audit::head(db)?.seq, audit::start(db)?.seq);
    let by_rows = root((0, size), &mut |level, index| perfect(db, start, (level, index)))?;
    let as_told = root((0, size), &mut |level, index| perfect(db, u64::MAX, (level, index)))?;
    Ok((by_rows, by_rows == as_told))
}

/// The root over 2^level rows. What was kept counts for rows up to `trusted`.
fn perfect(db: &Connection, trusted: u64, (level, index): (u32, u64)) -> Result<Hash, StoreError> {
    if level >= KEPT_LEVEL && (index + 1) << level <= trusted {
        let kept = db
            .prepare_cached("SELECT hash FROM audit_node WHERE level = ?1 AND number = ?2")?
            .query_row(params![level, index.cast_signed()], |row| row.get(0).map(Hash))
            .optional()?;
        if let Some(kept) = kept {
            return Ok(kept);
        }
    }
    if level == 0 {
        let row = db
            .prepare_cached("SELECT hash FROM audit WHERE seq = ?1")?
            .query_row([index.cast_signed() + 1], |row| row.get(0).map(Hash))
            .optional()?;
        return row.map(leaf).ok_or(StoreError::Damaged);
    }
    let below = |index| perfect(db, trusted, (level - 1, index));
    Ok(node(below(index * 2)?, below(index * 2 + 1)?))
}

/// Keeps nodes over rows that have come since the last time. How many rows are covered by now.
pub(super) fn keep_nodes(db: &Connection) -> Result<u64, StoreError> {
    let size = audit::head(db)?.seq;
    let mut next: u64 = db
        .prepare_cached("SELECT coalesce(max(number) + 1, 0) FROM audit_node WHERE level = ?1")?
        .query_row([KEPT_LEVEL], |row| row.get(0))?;
    for _ in 0..STEP_NODES {
        if (next + 1) << KEPT_LEVEL > size {
            break;
        }
        let mut number = next;
        let mut level = KEPT_LEVEL;
        loop {
            let hash = perfect(db, u64::MAX, (level, number))?;
            db.prepare_cached("INSERT OR IGNORE INTO audit_node (level, number, hash) VALUES (?1, ?2, ?3)")?
                .execute(params![level, number.cast_signed(), hash.0])?;
            // A right one completes the node above.
            if number.is_multiple_of(2) {
                break;
            }
            (level, number) = (level + 1, number / 2);
        }
        next += 1;
    }
    Ok(next << KEPT_LEVEL)
}
