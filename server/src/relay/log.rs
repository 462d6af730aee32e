//! A circle's membership log: the first record at a number wins. The relay replays the log by the same rules as every
//! device and keeps what it amounts to ([`standing`]), so that it knows who reads and writes; it cannot add itself, since
//! it holds no member's key. The log is never cut short.
//!
//! The rules know no clock, and devices keep the day in which owners may object. The relay keeps it too ([`check_day`]),
//! so that an owner's device with altered software alone cannot cut it short.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::api::{MAX_CIRCLES, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, LogHead, LogRecord, MemberState, Membership, Operation};
use baken_schemas::crypto::{Hash, VerifyKey};
use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::signed::{Document as _, Unverified};
use baken_schemas::time::Timestamp;
use bytes::Bytes;
use http::Uri;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::auth::{BySig, Phone};
use crate::relay::once::{Answer, Done};
use crate::relay::page::{self, After, PAGE_ROWS};
use crate::relay::problem::Refusal;
use crate::relay::wakes::Topic;
use crate::relay::{Relay, standing};
use crate::store::{Priority, StoreError};

/// The most records of one log.
const MAX_RECORDS: u64 = 10_000;
/// Room behind those for the root alone: a hostile owner who fills the log does not keep it from coming back.
const MAX_RECORDS_OF_ROOT: u64 = 1_000;

/// How long owners may object, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `POST /v0/circles/{circle}/log`.
pub(super) async fn post(State(relay): State<Relay>, Path(circle): Path<String>, request: BySig) -> Response {
    take(&relay, &circle, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, circle: &str, request: BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let phone = request.caller.phone()?;
    let unverified = Unverified::<LogRecord>::parse(&request.body)?;
    let claims = unverified.claims();
    if claims.author != phone.device {
        return Err(FormatError::Signature { what: LogRecord::LABEL }.into());
    }
    let (seq, act, by_root) = (claims.seq, act_of(&claims.operation), is_by_root(&claims.operation));
    if seq >= MAX_RECORDS + if by_root { MAX_RECORDS_OF_ROOT } else { 0 } {
        return Err(Refusal::TooMany);
    }
    if seq == 0 {
        request.caller.holder()?;
    }
    // Signatures are checked here, off the writer's thread; the writer checks that the log is still where it was.
    let (body, now, ends) = (request.body.clone(), relay.now(), Ends::of(&claims.operation));
    let check = move |db: &Connection| {
        if by_root && !standing::is_own(db, circle, &phone)? {
            return Err(Refusal::NotAllowed);
        }
        let next = Next::check(db, circle, seq, &phone, &body)?;
        if let (Next::Fits { .. }, Some(ends)) = (&next, ends) {
            check_day(db, circle, phone.device, ends, now)?;
        }
        Ok(next)
    };
    let next = relay.store().read_page(check).await?;
    let body = request.body;
    let op = move |db: &Connection| store(db, &phone, &next, (act, &body), now);
    relay.once(request.write, Priority::Normal, op).await
}

/// Whether the account's root must have signed it.
fn is_by_root(operation: &Operation) -> bool {
    matches!(operation, Operation::Recover { .. } | Operation::RecoveryKey { .. })
}

/// What the audit calls it.
fn act_of(operation: &Operation) -> &'static str {
    match operation {
        Operation::Genesis { .. } => "circle_founded",
        Operation::Add { .. } => "member_added",
        Operation::Epoch { .. } => "epoch_started",
        Operation::Confirm { .. } => "member_confirmed",
        Operation::Remove { .. } => "member_removed",
        Operation::Finish { .. } => "removal_finished",
        Operation::Veto { .. } => "member_vetoed",
        Operation::Freeze { .. } => "member_frozen",
        Operation::Leave { .. } => "member_left",
        Operation::Role { .. } => "role_changed",
        Operation::Recover { .. } => "circle_recovered",
        Operation::RecoveryKey { .. } => "recovery_key_set",
    }
}

/// What a record ends that owners may object to.
#[derive(Debug, Clone, Copy)]
enum Ends {
    /// The waiting of a device that was proposed.
    Proposal(DeviceId),
    /// The removal of an owner.
    Removal(DeviceId),
}

impl Ends {
    fn of(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::Confirm { device } => Some(Self::Proposal(*device)),
            Operation::Finish { device } => Some(Self::Removal(*device)),
            _ => None,
        }
    }
}

/// Whether the day has passed since the record that began what is ended now, by this relay's clock. A further owner may
/// end the waiting of a device at once, and on the circle's first day nobody is there yet who could object.
fn check_day(db: &Connection, circle: CircleId, by: DeviceId, ends: Ends, now: Timestamp) -> Result<(), Refusal> {
    let mut statement = db.prepare_cached("SELECT bytes, at FROM log_record WHERE circle = ?1 ORDER BY seq")?;
    let mut rows = statement.query([circle.0])?;
    let (mut founded, mut begun) = (None, None);
    while let Some(row) = rows.next()? {
        let (bytes, at): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        let record = Unverified::<LogRecord>::parse(&bytes).map_err(|_| StoreError::Damaged)?;
        let claims = record.claims();
        let began = match (&claims.operation, ends) {
            (Operation::Add { member }, Ends::Proposal(device)) => member.device == device && claims.author == by,
            (Operation::Remove { cut, .. }, Ends::Removal(device)) => cut.device == device,
            _ => false,
        };
        founded = founded.or(Some(at));
        begun = if began { Some(at) } else { begun };
    }
    let is_within_day = |at: i64| now.since_ms(Timestamp(at)) < DAY_MS;
    let is_first_day = matches!(ends, Ends::Proposal(_)) && founded.is_some_and(is_within_day);
    if begun.is_some_and(is_within_day) && !is_first_day { Err(Refusal::DayNotOver) } else { Ok(()) }
}

/// A record that follows the log as it was read.
enum Next {
    /// It is there already, byte for byte.
    There,
    /// It may be added: where the log stood, and what it amounts to with the record.
    Fits { before: Option<LogHead>, with: Box<Membership> },
}

impl Next {
    fn check(db: &Connection, circle: CircleId, seq: u64, phone: &Phone, body: &[u8]) -> Result<Self, Refusal> {
        if let Some(there) = record_at(db, circle, seq)? {
            return if there == body { Ok(Self::There) } else { Err(Refusal::LogConflict) };
        }
        let Some(mut membership) = replay(db, circle)? else {
            if seq != 0 {
                return Err(Refusal::LogConflict);
            }
            return Ok(Self::Fits { before: None, with: Box::new(Membership::start(circle, body)?) });
        };
        let before = membership.head();
        if seq != before.seq + 1 {
            return Err(Refusal::LogConflict);
        }
        if let Err(error) = membership.apply(body) {
            // Of who is out the rules take an objection at most, and what the root signs.
            return Err(if is_out(&membership, phone) { Refusal::Removed } else { error.into() });
        }
        Ok(Self::Fits { before: Some(before), with: Box::new(membership) })
    }
}

fn is_out(membership: &Membership, phone: &Phone) -> bool {
    match membership.state(phone.device) {
        None | Some(MemberState::Active | MemberState::Proposed { .. }) => false,
        Some(MemberState::Frozen { .. } | MemberState::Leaving { .. } | MemberState::Gone { .. }) => true,
    }
}

fn store(
    db: &Connection,
    phone: &Phone,
    next: &Next,
    (act, body): (&str, &Bytes),
    now: Timestamp,
) -> Result<Done, Refusal> {
    let Next::Fits { before, with } = next else { return Ok(Done::nothing()) };
    let (circle, head) = (with.circle(), with.head());
    if head_of(db, circle)? != *before {
        return match record_at(db, circle, head.seq)? {
            Some(there) if there[..] == body[..] => Ok(Done::nothing()),
            _ => Err(Refusal::LogConflict),
        };
    }
    if before.is_none() {
        check_room(db, phone.account, with.kind())?;
    }
    db.prepare_cached(
        "INSERT INTO circle (circle, account, kind, seq, head) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (circle) DO UPDATE SET seq = excluded.seq, head = excluded.head",
    )?
    .execute(params![circle.0, phone.account.0, standing::number_of(with.kind()), head.seq, head.hash.0])?;
    db.prepare_cached("INSERT INTO log_record (circle, seq, bytes, at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        circle.0,
        head.seq,
        &body[..],
        now.0
    ])?;
    standing::keep(db, with, now)?;
    audit::append_for(db, now, phone.device, act, &circle, "ok")?;
    Ok(Done::waking(vec![Topic::Circle(circle)]))
}

/// Whether an account may found one more circle of this kind.
fn check_room(db: &Connection, account: AccountId, kind: CircleKind) -> Result<(), Refusal> {
    // The dossier's root is the account's: a second one would be a second root.
    if kind == CircleKind::Dossier && dossier(db, account)?.is_some() {
        return Err(Refusal::Conflict);
    }
    let circles: usize = db
        .prepare_cached("SELECT count(*) FROM circle WHERE account = ?1")?
        .query_row([account.0], |row| row.get(0))?;
    if circles < MAX_CIRCLES { Ok(()) } else { Err(Refusal::TooMany) }
}

/// The account's dossier, `None` before it has one: the first that was founded.
pub(super) fn dossier(db: &Connection, account: AccountId) -> Result<Option<CircleId>, StoreError> {
    let kind = standing::number_of(CircleKind::Dossier);
    Ok(db
        .prepare_cached(
            "SELECT c.circle FROM circle c JOIN log_record l ON l.circle = c.circle AND l.seq = 0
             WHERE c.account = ?1 AND c.kind = ?2 ORDER BY l.at, c.circle LIMIT 1",
        )?
        .query_row(params![account.0, kind], |row| row.get(0).map(CircleId))
        .optional()?)
}

/// The root that the first record of a circle names.
pub(super) fn root_of(db: &Connection, circle: CircleId) -> Result<VerifyKey, StoreError> {
    let first = record_at(db, circle, 0)?.ok_or(StoreError::Damaged)?;
    Ok(Membership::start(circle, &first).map_err(|_| StoreError::Damaged)?.root())
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
    read_page(&relay, &circle, &uri, request)
        .await
        .map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn read_page(relay: &Relay, circle: &str, uri: &Uri, request: BySig) -> Result<Answer, Refusal> {
    let circle: CircleId = page::id(circle)?;
    let After { after } = page::query(uri)?;
    let (phone, generation) = (request.caller.phone()?, relay.generation());
    let found = relay
        .store()
        .read_page(move |db| {
            standing::log_reader(db, circle, &phone)?;
            Ok::<_, Refusal>(read(db, circle, after, generation)?)
        })
        .await?;
    Ok(Answer(cbor::to_vec(&found)))
}

fn read(db: &Connection, circle: CircleId, after: Option<u64>, generation: u64) -> Result<Page, StoreError> {
    let statement =
        db.prepare_cached("SELECT seq, bytes FROM log_record WHERE circle = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    // The first record has number 0, so nothing lies before it.
    let after = after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
    page::collect(statement, params![circle.0, after, PAGE_ROWS], generation)
}
