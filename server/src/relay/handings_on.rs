//! Handing on: a desk that was handed an alarm hands it on to another of the directory. In one transaction that desk gets
//! the key, the alarm and what belongs to it so far, and counts from then on as handed like any other: updates, receipts
//! and the card reach it.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{HandingOn, check_handing_on};
use baken_schemas::api::MailKind;
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::BySig;
use crate::relay::mail::{Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::receipts::{self, Known};
use crate::relay::{follow_up, ladder, mail};
use crate::store::Priority;

/// The most times that one alarm is handed on: more than any directory has desks.
const MAX_HANDINGS_ON: u32 = 256;

/// `POST /v0/handings-on`.
pub(super) async fn post(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let desk = request.caller.desk()?.clone();
    let claims = Unverified::<HandingOn>::parse(&request.body)?.claims().clone();
    let alarm = relay.store().read(|db| receipts::known(db, claims.alarm))?.ok_or(Refusal::NotHanded)?;
    if !desk.orgs.contains(&alarm.org) || !alarm.is(claims.alarm_hash) {
        return Err(Refusal::NotHanded);
    }
    if claims.by != desk.desk {
        return Err(FormatError::Signature { what: HandingOn::LABEL }.into());
    }
    let handing_on = check_handing_on(&request.body, relay.trust().directory(alarm.org)?.value())?;
    let (now, wait_ms) = (relay.now(), relay.options().follow_up_ms);
    let op = move |db: &Connection| store(db, &alarm, &handing_on, (now, wait_ms));
    let taken = relay.once(request.write, Priority::Alarm, op).await?;
    relay.deadlines().changed();
    Ok(taken)
}

fn store(
    db: &Connection,
    alarm: &Known,
    handing_on: &Signed<HandingOn>,
    (now, wait_ms): (Timestamp, i64),
) -> Result<Done, Refusal> {
    let HandingOn { alarm: id, by, to, .. } = *handing_on.value();
    let before = ladder::handed(db, id)?;
    if !before.contains(&by) {
        return Err(Refusal::NotHanded);
    }
    if db.prepare_cached("SELECT 1 FROM handing_on WHERE hash = ?1")?.exists([handing_on.hash().0])? {
        return Ok(Done::nothing());
    }
    let count: u32 =
        db.prepare_cached("SELECT count(*) FROM handing_on WHERE alarm = ?1")?.query_row([id.0], |row| row.get(0))?;
    if count >= MAX_HANDINGS_ON {
        return Err(Refusal::TooMany);
    }
    let document = put_document(db, handing_on.bytes(), Keep::WithAlarm, now)?;
    // The key goes before the alarm, so that the alarm opens when it rings.
    let mut wakes = vec![mail::put(db, (alarm.org, to), MailKind::HandingOn, document, now)?];
    wakes.extend(ladder::hand_on(db, id, to, now)?);
    db.prepare_cached("INSERT INTO handing_on (alarm, hash, document, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, handing_on.hash().0, document, now.0])?;
    // Who it was handed on to gets as long as who had it.
    follow_up::prolong(db, id, wait_ms, now)?;
    let phone = if ladder::is_quiet(db, id)? { None } else { Some(alarm.device) };
    for recipient in before.into_iter().filter(|responder| *responder != by && *responder != to).chain(phone) {
        wakes.push(mail::put(db, (alarm.org, recipient), MailKind::HandingOn, document, now)?);
    }
    audit::append_for(db, now, by, "alarm_handed_on", &id, "ok")?;
    Ok(Done::waking(wakes))
}
