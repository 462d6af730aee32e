//! A circle's membership log: the first record at a number wins. The relay replays the log by the same rules as every
//! device, so that it knows the writers; it cannot add itself, since it holds no member's key.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::Page;
use baken_schemas::circle::{LogHead, LogRecord, Membership};
use baken_schemas::crypto::Hash;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::signed::{Document as _, Unverified};
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use http::Uri;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::{BySig, Phone};
use crate::relay::once::{Answer, Done};
use crate::relay::page::{self, PAGE_ROWS};
use crate::relay::problem::Refusal;
use crate::relay::wakes::Topic;
use crate::store::{Priority, StoreError};

/// The most circles of one account.
const MAX_CIRCLES: u32 = 16;
/// The most records of one log.
const MAX_RECORDS: u64 = 10_000;

/// `POST /v0/circles/{circle}/log`.
pub(super) async fn post(State(relay): State<Relay>, Path(circle): Path<String>, request: BySig) -> Response {
    take(&relay, &circle, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, circle: &str, request: BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let phone = request.caller.phone()?;
    let unverified = Unverified::<LogRecord>::parse(&request.body)?;
    let (author, seq) = (unverified.claims().author, unverified.claims().seq);
    if author != phone.device {
        return Err(FormatError::Signature { what: LogRecord::LABEL }.into());
    }
    if seq >= MAX_RECORDS {
        return Err(Refusal::TooMany);
    }
    // Signatures are checked here, off the writer's thread; the writer checks that the log is still where it was.
    let body = request.body.clone();
    let next = relay.store().read_page(move |db| Next::check(db, circle, seq, &body)).await?;
    let now = relay.now();
    let body = request.body;
    let op = move |db: &Connection| store(db, circle, &phone, &next, &body, now);
    relay.once(request.write, Priority::Normal, op).await
}

/// A record that follows the log as it was read.
enum Next {
    /// It is there already, byte for byte.
    There,
    /// It may be added: where the log stood, and what it amounts to with the record.
    Fits { before: Option<LogHead>, with: Membership },
}

impl Next {
    fn check(db: &Connection, circle: CircleId, seq: u64, body: &[u8]) -> Result<Self, Refusal> {
        if let Some(there) = record_at(db, circle, seq)? {
            return if there == body { Ok(Self::There) } else { Err(Refusal::LogConflict) };
        }
        let Some(mut membership) = replay(db, circle)? else {
            if seq != 0 {
                return Err(Refusal::LogConflict);
            }
            return Ok(Self::Fits { before: None, with: Membership::start(circle, body)? });
        };
        let before = membership.head();
        if seq != before.seq + 1 {
            return Err(Refusal::LogConflict);
        }
        membership.apply(body)?;
        Ok(Self::Fits { before: Some(before), with: membership })
    }
}

fn store(
    db: &Connection,
    circle: CircleId,
    phone: &Phone,
    next: &Next,
    body: &Bytes,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let Next::Fits { before, with } = next else { return Ok(Done::nothing()) };
    let head = with.head();
    if head_of(db, circle)? != *before {
        return match record_at(db, circle, head.seq)? {
            Some(there) if there[..] == body[..] => Ok(Done::nothing()),
            _ => Err(Refusal::LogConflict),
        };
    }
    if before.is_none() {
        let circles: u32 = db
            .prepare_cached("SELECT count(*) FROM circle WHERE account = ?1")?
            .query_row([phone.account.0], |row| row.get(0))?;
        if circles >= MAX_CIRCLES {
            return Err(Refusal::TooMany);
        }
    }
    db.prepare_cached(
        "INSERT INTO circle (circle, account, seq, head) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (circle) DO UPDATE SET seq = excluded.seq, head = excluded.head",
    )?
    .execute(params![circle.0, phone.account.0, head.seq, head.hash.0])?;
    db.prepare_cached("INSERT INTO log_record (circle, seq, bytes, at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        circle.0,
        head.seq,
        &body[..],
        now.0
    ])?;
    for (slot, member) in (0_u16..).zip(with.members()) {
        db.prepare_cached("INSERT OR IGNORE INTO member (circle, slot, device) VALUES (?1, ?2, ?3)")?
            .execute(params![circle.0, slot, member.device.0])?;
    }
    Ok(Done::waking(vec![Topic::Circle(circle)]))
}

/// A device's writer slot, `None` when it is no member.
pub(super) fn slot_of(db: &Connection, circle: CircleId, device: DeviceId) -> Result<Option<u16>, StoreError> {
    Ok(db
        .prepare_cached("SELECT slot FROM member WHERE circle = ?1 AND device = ?2")?
        .query_row(params![circle.0, device.0], |row| row.get(0))
        .optional()?)
}

/// Where a circle's log stands.
pub(super) fn head_of(db: &Connection, circle: CircleId) -> Result<Option<LogHead>, StoreError> {
    Ok(db
        .prepare_cached("SELECT seq, head FROM circle WHERE circle = ?1")?
        .query_row([circle.0], |row| Ok(LogHead { seq: row.get(0)?, hash: Hash(row.get(1)?) }))
        .optional()?)
}

fn record_at(db: &Connection, circle: CircleId, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(db
        .prepare_cached("SELECT bytes FROM log_record WHERE circle = ?1 AND seq = ?2")?
        .query_row(params![circle.0, seq], |row| row.get(0))
        .optional()?)
}

/// What a circle's log amounts to.
fn replay(db: &Connection, circle: CircleId) -> Result<Option<Membership>, StoreError> {
    let mut statement = db.prepare_cached("SELECT bytes FROM log_record WHERE circle = ?1 ORDER BY seq")?;
    let mut rows = statement.query([circle.0])?;
    let mut membership: Option<Membership> = None;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        // It was checked when it was stored: what no longer holds was damaged since.
        match &mut membership {
            Some(membership) => drop(membership.apply(&bytes).map_err(|_| StoreError::Damaged)?),
            None => membership = Some(Membership::start(circle, &bytes).map_err(|_| StoreError::Damaged)?),
        }
    }
    Ok(membership)
}

/// `GET /v0/circles/{circle}/log?after=`.
pub(super) async fn page(State(relay): State<Relay>, Path(circle): Path<String>, uri: Uri, request: BySig) -> Response {
    page::of_circle(&relay, &circle, &uri, request, read)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

fn read(db: &Connection, circle: CircleId, after: Option<u64>, generation: u64) -> Result<Page, StoreError> {
    let statement =
        db.prepare_cached("SELECT seq, bytes FROM log_record WHERE circle = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    // The first record has number 0, so nothing lies before it.
    let after = after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
    page::collect(statement, params![circle.0, after, PAGE_ROWS], generation)
}
