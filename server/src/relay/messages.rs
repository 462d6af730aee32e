//! What a device sends to desks beside alarms: updates of an alarm, notes, enrolments. Each is checked to be by the
//! caller and put into the desks' mailboxes; a repeat is no second one.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{Note, Update};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::org::{Enrolment, OrgId};
use baken_schemas::signed::{Document, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, BySig, Phone};
use crate::relay::cleared;
use crate::relay::ladder;
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::store::Priority;

/// The most updates of one alarm: a position every ten seconds for more than a day.
const MAX_UPDATES: u32 = 10_000;

/// A document by another than the caller.
fn not_the_callers<T: Document>() -> Refusal {
    FormatError::Signature { what: T::LABEL }.into()
}

/// `POST /v0/updates`.
pub(super) async fn update(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take_update(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take_update(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let unverified = Unverified::<Update>::parse(&request.body)?;
    if unverified.claims().device != phone.device {
        return Err(not_the_callers::<Update>());
    }
    let update = unverified.verify(&phone.alarm)?;
    let now = relay.now();
    relay.once(request.write, Priority::Alarm, move |db| store_update(db, &phone, &update, now)).await
}

fn store_update(db: &Connection, phone: &Phone, update: &Signed<Update>, now: Timestamp) -> Result<Done, Refusal> {
    let (alarm, seq, hash) = (update.value().alarm, update.value().seq, update.hash());
    if cleared::find(db, alarm)?.is_some_and(|cleared| cleared.device == phone.device) {
        // It is over: nobody is left to tell.
        return Ok(Done::nothing());
    }
    let owner = db
        .prepare_cached("SELECT org, device FROM alarm WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok((OrgId(Hash(row.get(0)?)), row.get::<_, [u8; 16]>(1)?)))
        .optional()?;
    let Some((org, _)) = owner.filter(|(_, device)| *device == phone.device.0) else { return Err(Refusal::NotFound) };
    // SQLite's numbers have a sign; no phone counts that far.
    let seq = i64::try_from(seq).map_err(|_| Refusal::Conflict)?;
    let there = db
        .prepare_cached("SELECT hash FROM alarm_update WHERE alarm = ?1 AND seq = ?2")?
        .query_row(params![alarm.0, seq], |row| row.get(0).map(Hash))
        .optional()?;
    match there {
        Some(there) if there == hash => return Ok(Done::nothing()),
        Some(_) => return Err(Refusal::Conflict),
        None => {}
    }
    let count: u32 = db
        .prepare_cached("SELECT count(*) FROM alarm_update WHERE alarm = ?1")?
        .query_row([alarm.0], |row| row.get(0))?;
    if count >= MAX_UPDATES {
        return Err(Refusal::TooMany);
    }
    let document = put_document(db, update.bytes(), Keep::WithAlarm, now)?;
    db.prepare_cached("INSERT INTO alarm_update (alarm, seq, hash, document) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![alarm.0, seq, hash.0, document])?;
    let wakes = ladder::handed(db, alarm)?
        .into_iter()
        .map(|responder| mail::put(db, (org, responder), MailKind::Update, document, now))
        .collect::<Result<_, _>>()?;
    Ok(Done::waking(wakes))
}

/// `POST /v0/notes`.
pub(super) async fn note(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take_note(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take_note(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let unverified = Unverified::<Note>::parse(&request.body)?;
    if unverified.claims().device != phone.device {
        return Err(not_the_callers::<Note>());
    }
    let note = unverified.verify(&phone.alarm)?;
    let desk = note.value().desk;
    relay.trust().directory(phone.org)?.value().desk(desk).ok_or(Refusal::NotFound)?;
    let now = relay.now();
    let to = (phone.org, desk);
    let kind = kind_of_note(&phone);
    relay
        .once(request.write, Priority::Alarm, move |db| {
            let woken = mail::put_once(db, to, kind, note.bytes(), now)?;
            Ok(Done::waking(woken.into_iter().collect()))
        })
        .await
}

/// A note may say duress, so it is refused of nobody: the desk is told whose word it is.
pub(super) fn kind_of_note(phone: &Phone) -> MailKind {
    if phone.removed { MailKind::NoteOfRemoved } else { MailKind::Note }
}

/// `POST /v0/enrolments`.
pub(super) async fn enrolment(State(relay): State<Relay>, request: BySig) -> Response {
    take_enrolment(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take_enrolment(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let unverified = Unverified::<Enrolment>::parse(&request.body)?;
    let claims = unverified.claims();
    if claims.device != phone.device || claims.account != phone.account {
        return Err(not_the_callers::<Enrolment>());
    }
    let enrolment = unverified.verify(&phone.sig)?;
    let desk = enrolment.value().desk;
    relay.trust().directory(phone.org)?.value().desk(desk).ok_or(Refusal::NotFound)?;
    let now = relay.now();
    let to = (phone.org, desk);
    relay
        .once(request.write, Priority::Normal, move |db| {
            let woken = mail::put_once(db, to, MailKind::Enrolment, enrolment.bytes(), now)?;
            Ok(Done::waking(woken.into_iter().collect()))
        })
        .await
}
