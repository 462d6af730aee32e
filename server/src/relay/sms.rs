//! Alarms by text message: what a phone leaves beforehand, and the text that a bridge took in.
//!
//! A text names its context and a number; the alarm's id follows from both, by a key that phone and relay have. So the text
//! and the alarm by data are one alarm, whichever comes first: the other is kept beside it, with a receipt of its own, and
//! handed to whoever has the first; the ladder goes on as it was. A text that is played back is the alarm that it was.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{SmsAlarm, SmsContext, SmsHandover, SmsShort, SmsText};
use baken_schemas::api::MailKind;
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::alarms::{self, Climb, stored_receipt};
use crate::relay::auth::{self, ByAnyKey, Phone};
use crate::relay::cleared;
use crate::relay::ladder::{self, Called};
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::receipts;
use crate::relay::wakes::Topic;
use crate::store::{Priority, StoreError};

/// The most contexts of one device; of more the oldest go. A phone makes one with every change of its ladder's desks.
const MAX_CONTEXTS: u32 = 32;

/// `POST /v0/sms-contexts`.
pub(super) async fn post_context(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take_context(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take_context(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let unverified = Unverified::<SmsContext>::parse(&request.body)?;
    if unverified.claims().header.device != phone.device {
        return Err(FormatError::Signature { what: SmsContext::LABEL }.into());
    }
    let context = unverified.verify(&phone.alarm)?;
    let now = relay.now();
    relay.once(request.write, Priority::Normal, move |db| store_context(db, &context, now)).await
}

fn store_context(db: &Connection, context: &Signed<SmsContext>, now: Timestamp) -> Result<Done, Refusal> {
    let header = context.value().header;
    let short = SmsShort::of(header.context);
    let there: Option<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM sms_context WHERE short = ?1")?
        .query_row([short.0], |row| row.get(0))
        .optional()?;
    match there {
        Some(there) if there == context.bytes() => return Ok(Done::nothing()),
        Some(_) => return Err(Refusal::Conflict),
        None => {}
    }
    db.prepare_cached("INSERT INTO sms_context (short, device, bytes, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![short.0, header.device.0, context.bytes(), now.0])?;
    db.prepare_cached(
        "DELETE FROM sms_context WHERE short IN
         (SELECT short FROM sms_context WHERE device = ?1 ORDER BY at DESC, short LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![header.device.0, MAX_CONTEXTS])?;
    Ok(Done::nothing())
}

/// `POST /v0/sms`.
pub(super) async fn post(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let bridge = request.caller.phone()?;
    let unverified = Unverified::<SmsAlarm>::parse(&request.body)?;
    if unverified.claims().bridge != bridge.device {
        return Err(FormatError::Signature { what: SmsAlarm::LABEL }.into());
    }
    let by_bridge = unverified.verify(&bridge.alarm)?;
    let text = SmsText::from_bytes(&by_bridge.value().text)?;
    let (context, bytes) = relay.store().read(|db| context_of(db, text.short))?.ok_or(Refusal::NotFound)?;
    let alarm = text.alarm(&context)?;
    let phone = relay.store().read(|db| auth::phone(db, context.header.device))?.ok_or(Refusal::NotFound)?;
    // A bridge speaks for its own organisation's phones.
    if phone.org != bridge.org {
        return Err(Refusal::NotFound);
    }
    let header = context.header;
    let sealed_to: Vec<DeviceId> = context.slots.iter().map(|slot| slot.responder).collect();
    // A text is for desks only: which kind it is stands in it, and its keys were left before.
    let climb = alarms::climb(relay, phone.org, (header.ladder, header.ladder_version), (&sealed_to, &[]))?;
    let handover = SmsHandover { context: bytes.into(), alarm: by_bridge.bytes().to_vec().into() };
    let by_text = ByText { alarm, hash: text.hash(), handover: cbor::to_vec(&handover), bridge: bridge.device };
    let (now, keys) = (relay.now(), relay.keys());
    let due = climb.due(now);
    let stored =
        relay.once(request.write, Priority::Alarm, move |db| store(db, &keys, &phone, &by_text, &climb, now)).await?;
    relay.deadlines().set(due);
    Ok(stored)
}

fn context_of(db: &Connection, short: SmsShort) -> Result<Option<(SmsContext, Vec<u8>)>, StoreError> {
    let bytes: Option<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM sms_context WHERE short = ?1")?
        .query_row([short.0], |row| row.get(0))
        .optional()?;
    let Some(bytes) = bytes else { return Ok(None) };
    // It was verified when it was stored.
    let context = Unverified::<SmsContext>::parse(&bytes).map_err(|_| StoreError::Damaged)?.claims().clone();
    Ok(Some((context, bytes)))
}

/// A text that is an alarm.
struct ByText {
    alarm: AlarmId,
    hash: Hash,
    handover: Vec<u8>,
    bridge: DeviceId,
}

fn store(
    db: &Connection,
    keys: &DeviceKeys,
    phone: &Phone,
    text: &ByText,
    climb: &Climb,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let id = text.alarm;
    if let Some(cleared) = cleared::find(db, id)? {
        return Ok(cleared.answer_text(phone.device, text.hash, keys));
    }
    if let Some(known) = hash_of(db, id)? {
        if known == text.hash {
            let answer = receipts::stored(db, id, text.hash, keys.device)?;
            return Ok(Done { answer, ..Done::default() });
        }
        // Only who has the phone's keys can make a second text under a number.
        audit::append_for(db, now, text.bridge, "sms_stored", &id, "alarm_conflict")?;
        return Ok(Done { refusal: Some(Refusal::AlarmConflict), ..Done::default() });
    }
    let by_data = alarms::known(db, id)?;
    if by_data.as_ref().is_some_and(|known| known.device != phone.device) {
        return Ok(Done { refusal: Some(Refusal::AlarmConflict), ..Done::default() });
    }
    let document = put_document(db, &text.handover, Keep::WithAlarm, now)?;
    if by_data.is_none() {
        alarms::insert(db, id, phone, text.hash, document, now)?;
    }
    db.prepare_cached("INSERT INTO alarm_sms (alarm, hash, document, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, text.hash.0, document, now.0])?;
    let receipt = stored_receipt(keys, id, text.hash, now);
    receipts::put_receipt(db, &receipt, now)?;
    let (wakes, result) = if by_data.is_some() {
        (hand_to_all(db, id, MailKind::Sms, document, now)?, "joined")
    } else {
        let called = Called { alarm: id, org: phone.org, form: (MailKind::Sms, document) };
        (ladder::start(db, &called, &climb.rungs, now)?, climb.result())
    };
    audit::append_for(db, now, text.bridge, "sms_stored", &id, result)?;
    Ok(Done { answer: receipt.bytes().to_vec(), wakes, refusal: None })
}

/// The hash of the text by which an alarm came, if it came by one.
pub(super) fn hash_of(db: &Connection, alarm: AlarmId) -> Result<Option<Hash>, StoreError> {
    Ok(db
        .prepare_cached("SELECT hash FROM alarm_sms WHERE alarm = ?1")?
        .query_row([alarm.0], |row| row.get(0).map(Hash))
        .optional()?)
}

/// The other form of an alarm, for everybody who was handed the first.
pub(super) fn hand_to_all(
    db: &Connection,
    alarm: AlarmId,
    kind: MailKind,
    document: i64,
    now: Timestamp,
) -> Result<Vec<Topic>, StoreError> {
    let org = ladder::org_of(db, alarm)?;
    let handed = ladder::handed(db, alarm)?.into_iter();
    handed.map(|responder| mail::put(db, (org, responder), kind, document, now)).collect()
}
