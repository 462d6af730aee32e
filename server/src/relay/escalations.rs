//! Escalations: whoever was handed an alarm sends it on, and the next rung is called in the same transaction.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::Escalation;
use baken_schemas::api::MailKind;
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, Caller};
use crate::relay::mail::{Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::receipts::{self, Known};
use crate::relay::{ladder, mail};
use crate::store::Priority;

/// `POST /v0/escalations`.
pub(super) async fn post(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let caller = request.caller;
    let unverified = Unverified::<Escalation>::parse(&request.body)?;
    if unverified.claims().by != caller.device() {
        return Err(FormatError::Signature { what: Escalation::LABEL }.into());
    }
    let key = match &caller {
        Caller::Desk(desk) => desk.sig,
        Caller::Phone(phone) => phone.alarm,
    };
    let escalation = unverified.verify(&key)?;
    let alarm = relay.store().read(|db| receipts::known(db, escalation.value().alarm))?.ok_or(Refusal::NotHanded)?;
    if !caller.orgs().contains(&alarm.org) || !alarm.is(escalation.value().alarm_hash) {
        return Err(Refusal::NotHanded);
    }
    let now = relay.now();
    let taken = relay.once(request.write, Priority::Alarm, move |db| store(db, &alarm, &escalation, now)).await?;
    relay.deadlines().changed();
    Ok(taken)
}

fn store(db: &Connection, alarm: &Known, escalation: &Signed<Escalation>, now: Timestamp) -> Result<Done, Refusal> {
    let (id, by) = (escalation.value().alarm, escalation.value().by);
    let before = ladder::handed(db, id)?;
    if !before.contains(&by) {
        return Err(Refusal::NotHanded);
    }
    if db.prepare_cached("SELECT 1 FROM escalation WHERE hash = ?1")?.exists([escalation.hash().0])? {
        return Ok(Done::nothing());
    }
    let document = put_document(db, escalation.bytes(), Keep::WithAlarm, now)?;
    db.prepare_cached("INSERT INTO escalation (alarm, hash, document, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, escalation.hash().0, document, now.0])?;
    // Who is called by it finds it among what came before.
    let mut wakes = ladder::escalate(db, id, now)?.ok_or(Refusal::TopOfLadder)?;
    let phone = if ladder::is_quiet(db, id)? { None } else { Some(alarm.device) };
    for recipient in before.into_iter().filter(|responder| *responder != by).chain(phone) {
        wakes.push(mail::put(db, (alarm.org, recipient), MailKind::Escalation, document, now)?);
    }
    audit::append_for(db, now, by, "ladder_escalated", &id, "ok")?;
    Ok(Done::waking(wakes))
}
