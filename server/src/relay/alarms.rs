//! Taking an alarm: check the device's signature, keep it with its receipt and the first hand-over in one
//! transaction, answer with the receipt.
//!
//! Whatever else is wrong, an alarm of a device that ever enrolled here is kept and handed to somebody: how often it
//! calls, which ladder it names and what is inside is not asked.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{Alarm, AlarmClass, Receipt, ReceiptState};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId, LadderId};
use baken_schemas::org::{CallsFamily, Directory, OrgId, Rung};
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, Phone};
use crate::relay::cleared;
use crate::relay::family;
use crate::relay::ladder::{self, Called};
use crate::relay::mail::{Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::raising;
use crate::relay::receipts::{self, put_receipt};
use crate::relay::sms;
use crate::relay::trust;
use crate::store::{Priority, StoreError};

/// How long a hand-over to everybody waits for a human, where the ladder that an alarm names is not known.
const UNKNOWN_LADDER_WAIT_S: u32 = 120;
/// The most other bodies kept of one alarm id.
const KEPT_CONFLICTS: u32 = 16;

/// `POST /v0/alarms`.
pub(super) async fn post(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let unverified = Unverified::<Alarm>::parse(&request.body)?;
    if unverified.claims().header.device != phone.device {
        return Err(FormatError::Signature { what: Alarm::LABEL }.into());
    }
    let alarm = unverified.verify(&phone.alarm)?;
    let header = &alarm.value().header;
    if header.class == AlarmClass::Deposit {
        return Err(Refusal::NoTimers);
    }
    let sealed_to: Vec<DeviceId> = alarm.value().slots.iter().map(|slot| slot.responder).collect();
    let family = relay.store().read(|db| family::among(db, phone.account, &sealed_to))?;
    let climb = climb(relay, phone.org, (header.ladder, header.ladder_version), (&sealed_to, &family))?;
    let now = relay.now();
    let keys = relay.keys();
    let due = climb.due(now);
    // Signed here, since everybody waits for the writer.
    let receipt = stored_receipt(&keys, header.alarm, alarm.hash(), now);
    let stored = relay
        .once(request.write, Priority::Alarm, move |db| store(db, &keys, &phone, (&alarm, &receipt), &climb, now))
        .await?;
    relay.deadlines().set(due);
    Ok(stored)
}

/// Who is called, and whether that is by a ladder that the directory knows.
pub(super) struct Climb {
    pub(super) rungs: Vec<Rung>,
    pub(super) known: bool,
}

impl Climb {
    /// When the second rung is called.
    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        self.rungs.first().map_or(now, |first| now.plus_ms(i64::from(first.wait_s) * 1000))
    }

    /// How the audit says it.
    pub(super) fn result(&self) -> &'static str {
        if self.known { "ok" } else { "unknown_ladder" }
    }
}

/// The ladder that the alarm names, from any version of the directory, without the desks that have left since: they
/// would be waited for in vain. Where that leaves nobody, one rung with every desk it is sealed to; else one with every
/// desk there is, which will ring though nobody can open it.
pub(super) fn climb(
    relay: &Relay,
    org: OrgId,
    (ladder, version): (LadderId, u32),
    (sealed_to, family): (&[DeviceId], &[DeviceId]),
) -> Result<Climb, Refusal> {
    let newest = relay.trust().directory(org)?;
    let named = match newest.value().ladder(ladder, version) {
        Some(ladder) => Some(ladder.clone()),
        None => relay.store().read(|db| trust::ladder(db, org, ladder, version))?,
    };
    let mut rungs = named.map_or_else(Vec::new, |ladder| ladder.rungs);
    rungs.iter_mut().for_each(|rung| rung.responders.retain(|desk| newest.value().desk(*desk).is_some()));
    if rungs.iter().any(|rung| !rung.responders.is_empty()) {
        for rung in rungs.iter_mut().filter(|rung| rung.family == CallsFamily::Yes) {
            rung.responders.extend(family);
        }
        // One with nobody to call is passed at once.
        rungs.retain(|rung| !rung.responders.is_empty());
        return Ok(Climb { rungs, known: true });
    }
    let sealed_to: Vec<DeviceId> = desks(newest.value()).filter(|desk| sealed_to.contains(desk)).collect();
    let responders = if sealed_to.is_empty() { desks(newest.value()).collect() } else { sealed_to };
    Ok(Climb { rungs: vec![Rung { responders, wait_s: UNKNOWN_LADDER_WAIT_S, family: CallsFamily::No }], known: false })
}

fn desks(directory: &Directory) -> impl Iterator<Item = DeviceId> {
    directory.desks.iter().map(|desk| desk.desk)
}

fn store(
    db: &Connection,
    keys: &DeviceKeys,
    phone: &Phone,
    (alarm, receipt): (&Signed<Alarm>, &Signed<Receipt>),
    climb: &Climb,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let (id, hash) = (alarm.value().header.alarm, alarm.hash());
    if raising::is_deposit(db, id)? {
        return Ok(Done { refusal: Some(Refusal::AlarmConflict), ..Done::default() });
    }
    if let Some(cleared) = cleared::find(db, id)? {
        return Ok(cleared.answer(phone.device, hash, keys));
    }
    let before = known(db, id)?;
    if let Some(known) = &before {
        if known.hash == hash {
            let answer = receipts::stored(db, id, hash, keys.device)?;
            return Ok(Done { answer, ..Done::default() });
        }
        let only_by_text = known.device == phone.device && sms::hash_of(db, id)? == Some(known.hash);
        if !only_by_text {
            keep_conflict(db, phone, alarm, now)?;
            return Ok(Done { refusal: Some(Refusal::AlarmConflict), ..Done::default() });
        }
    }
    let document = put_document(db, alarm.bytes(), Keep::WithAlarm, now)?;
    let (wakes, result) = if before.is_some() {
        // It came by text message before: what came by data says more, and stands for it from now on.
        db.prepare_cached("UPDATE alarm SET hash = ?2, document = ?3 WHERE alarm = ?1")?
            .execute(params![id.0, hash.0, document])?;
        put_receipt(db, receipt, now)?;
        (sms::hand_to_all(db, id, MailKind::Alarm, document, now)?, "joined")
    } else {
        insert(db, id, phone, hash, document, now)?;
        put_receipt(db, receipt, now)?;
        let called = Called { alarm: id, org: phone.org, form: (MailKind::Alarm, document) };
        (ladder::start(db, &called, &climb.rungs, now)?, climb.result())
    };
    audit::append_for(db, now, phone.device, "alarm_stored", &id, result)?;
    Ok(Done { answer: receipt.bytes().to_vec(), wakes, refusal: None })
}

/// A new alarm, in whichever form it came first.
pub(super) fn insert(
    db: &Connection,
    alarm: AlarmId,
    phone: &Phone,
    hash: Hash,
    document: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO alarm (alarm, org, account, device, hash, document, at, standing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
    )?
    .execute(params![alarm.0, phone.org.0.0, phone.account.0, phone.device.0, hash.0, document, now.0])?;
    Ok(())
}

/// The relay's word that it has these bytes of an alarm: the first of their chain.
pub(super) fn stored_receipt(keys: &DeviceKeys, alarm: AlarmId, hash: Hash, now: Timestamp) -> Signed<Receipt> {
    let receipt = Receipt {
        alarm,
        alarm_hash: hash,
        state: ReceiptState::Stored,
        at: now,
        by: keys.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    Signed::make(receipt, &keys.sig)
}

/// What is here under an alarm's id.
pub(super) struct Known {
    pub(super) hash: Hash,
    pub(super) device: DeviceId,
}

pub(super) fn known(db: &Connection, alarm: AlarmId) -> Result<Option<Known>, StoreError> {
    Ok(db
        .prepare_cached("SELECT hash, device FROM alarm WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok(Known { hash: Hash(row.get(0)?), device: DeviceId(row.get(1)?) }))
        .optional()?)
}

fn keep_conflict(db: &Connection, phone: &Phone, alarm: &Signed<Alarm>, now: Timestamp) -> Result<(), StoreError> {
    let id = alarm.value().header.alarm;
    let kept: u32 = db
        .prepare_cached("SELECT count(*) FROM alarm_conflict WHERE alarm = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    if kept >= KEPT_CONFLICTS {
        return Ok(());
    }
    let added = db
        .prepare_cached("INSERT OR IGNORE INTO alarm_conflict (alarm, hash, bytes, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.0, alarm.hash().0, alarm.bytes(), now.0])?;
    if added > 0 {
        audit::append_for(db, now, phone.device, "alarm_stored", &id, "alarm_conflict")?;
    }
    Ok(())
}
