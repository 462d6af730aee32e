//! Deposits: alarms handed in beforehand, renewed, and settled. What raises them is in `raising`.
//!
//! Both timers count from arrival, by this relay's clock. The newest form replaces the older one, so that what is raised
//! has the newest position. The desk that watches a deposit is sent its timers, and so notices when it is not raised.
//!
//! Another device of the account may settle one, since a phone may be destroyed whose owner is safe: a device that is in the
//! account's dossier now, and no guest's. Who handed it in is sent that settlement.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{Alarm, DepositReceipt, DepositState, DepositTimers, Note, Settlement};
use baken_schemas::api::{Deposit, DepositElsewhere, DepositsElsewhere, MailKind, SettledElsewhere};
use baken_schemas::cbor;
use baken_schemas::circle::CircleKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, DeviceId};
use baken_schemas::signed::{Document as _, Signed};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, Phone};
use crate::relay::cleared;
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::messages::kind_of_note;
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::raising;
use crate::relay::standing::number_of;
use crate::store::{Priority, StoreError};

/// The most deposits that one device has ready at a time.
const MAX_READY: u32 = 32;
/// The most deposits of other devices that one is told of.
const MAX_LISTED: u32 = 256;

/// `POST /v0/deposits`.
pub(super) async fn post(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

/// `GET /v0/deposits`.
pub(super) async fn list(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    elsewhere(&relay, &request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn elsewhere(relay: &Relay, request: &ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.holder()?;
    let deposits = relay
        .store()
        .read_page(
            move |db| {
                if is_active(db, &phone)? { ready_elsewhere(db, &phone) } else { Err(Refusal::NotAllowed) }
            },
        )
        .await?;
    Ok(Answer(cbor::to_vec(&DepositsElsewhere { deposits })))
}

/// Whether a device is in its account's dossier now: one that waits to be let in is not yet.
fn is_active(db: &Connection, phone: &Phone) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT 1 FROM member m JOIN circle c ON c.circle = m.circle
         WHERE m.device = ?1 AND m.state = 1 AND c.account = ?2 AND c.kind = ?3",
    )?;
    Ok(statement.exists(params![phone.device.0, phone.account.0, number_of(CircleKind::Dossier)])?)
}

fn ready_elsewhere(db: &Connection, phone: &Phone) -> Result<Vec<DepositElsewhere>, Refusal> {
    let mut statement = db.prepare_cached(
        "SELECT d.deposit, d.device, d.due_at, d.raise_at, d.signed_timers, o.identity
         FROM deposit d JOIN device o ON o.device = d.device
         WHERE d.account = ?1 AND d.device <> ?2 AND d.state = 0 AND d.signed_timers <> x''
         ORDER BY d.due_at LIMIT ?3",
    )?;
    let rows = statement.query_map(params![phone.account.0, phone.device.0, MAX_LISTED], |row| {
        Ok(DepositElsewhere {
            deposit: AlarmId(row.get(0)?),
            device: DeviceId(row.get(1)?),
            due_at: Timestamp(row.get(2)?),
            raise_at: Timestamp(row.get(3)?),
            timers: row.get::<_, Vec<u8>>(4)?.into(),
            identity: row.get::<_, Vec<u8>>(5)?.into(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// `POST /v0/settlements`.
pub(super) async fn settle(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take_settlement(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let deposit: Deposit = cbor::from_slice(&request.body, "a deposit")?;
    let (timers, alarm) = DepositTimers::verify_pair(&deposit.timers, &deposit.alarm, &phone.alarm)?;
    if timers.value().device != phone.device {
        return Err(FormatError::Signature { what: DepositTimers::LABEL }.into());
    }
    let watched = relay.trust().directory(phone.org)?.value().desk(timers.value().desk).is_some();
    let (now, keys) = (relay.now(), relay.keys());
    let due = due_at_the_earliest(timers.value(), now);
    let stored = relay
        .once(request.write, Priority::Alarm, move |db| store(db, &keys, &phone, (&timers, &alarm), watched, now))
        .await?;
    relay.deadlines().set(due);
    Ok(stored)
}

async fn take_settlement(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let phone = request.caller.phone()?;
    let (settlement, note) = Settlement::verify(&request.body, &phone.alarm)?;
    if settlement.value().device != phone.device {
        return Err(FormatError::Signature { what: Settlement::LABEL }.into());
    }
    // A desk that has left gets no note; the settlement holds all the same.
    let reaches = relay.trust().directory(phone.org)?.value().desk(note.value().desk).is_some();
    let (now, keys) = (relay.now(), relay.keys());
    relay
        .once(request.write, Priority::Alarm, move |db| {
            store_settlement(db, &keys, &phone, &settlement, reaches.then_some(&note), now)
        })
        .await
}

/// A moment before which timers that arrive at `now` raise nothing. Where they leave the moment of the last ones as it was,
/// it may be any.
fn due_at_the_earliest(timers: &DepositTimers, now: Timestamp) -> Timestamp {
    let due_in_s = timers.due_in_s.map(|due_in_s| due_in_s.min(timers.silent_after_s));
    due_in_s
        .map_or(Timestamp(i64::MIN), |due_in_s| now.plus_ms((i64::from(due_in_s) + i64::from(timers.grace_s)) * 1000))
}

/// How a deposit stands here.
struct Known {
    device: DeviceId,
    account: AccountId,
    seq: u64,
    timers: Hash,
    state: DepositState,
    document: i64,
    /// The desk that watches it.
    desk: Option<DeviceId>,
}

impl Known {
    /// Whether a device may hand it in or renew it: whose it is, or who is told that it is settled.
    fn is_of(&self, phone: &Phone) -> bool {
        self.device == phone.device || (self.state == DepositState::Settled && self.account == phone.account)
    }
}

fn known(db: &Connection, deposit: AlarmId) -> Result<Option<Known>, StoreError> {
    let row = db
        .prepare_cached(
            "SELECT d.device, d.seq, d.timers, d.state, d.document, coalesce(a.quiet, 0), d.account, d.desk
             FROM deposit d LEFT JOIN alarm a ON a.alarm = d.deposit WHERE d.deposit = ?1",
        )?
        .query_row([deposit.0], |row| {
            Ok(Known {
                device: DeviceId(row.get(0)?),
                account: AccountId(row.get(6)?),
                seq: row.get(1)?,
                timers: Hash(row.get(2)?),
                state: told_as(raising::state_of(row.get(3)?), row.get(5)?),
                document: row.get(4)?,
                desk: Some(DeviceId(row.get(7)?)),
            })
        })
        .optional()?;
    if row.is_some() {
        return Ok(row);
    }
    // Its row is gone a while after it was raised; the alarm stays, or what is left of it.
    if let Some(cleared) = cleared::find(db, deposit)? {
        let state = told_as(DepositState::Raised, cleared.quiet);
        let (device, account) = (cleared.device, account_of(db, cleared.device)?);
        return Ok(Some(Known { device, account, seq: 0, timers: Hash::ZERO, state, document: 0, desk: None }));
    }
    Ok(db
        .prepare_cached("SELECT device, document, quiet, account FROM alarm WHERE alarm = ?1")?
        .query_row([deposit.0], |row| {
            let state = told_as(DepositState::Raised, row.get(2)?);
            let (device, account) = (DeviceId(row.get(0)?), AccountId(row.get(3)?));
            Ok(Known { device, account, seq: 0, timers: Hash::ZERO, state, document: row.get(1)?, desk: None })
        })
        .optional()?)
}

fn account_of(db: &Connection, device: DeviceId) -> Result<AccountId, StoreError> {
    let account = db
        .prepare_cached("SELECT account FROM device WHERE device = ?1")?
        .query_row([device.0], |row| row.get(0).map(AccountId))
        .optional()?;
    Ok(account.unwrap_or(AccountId([0; 16])))
}

/// What the phone is told of a deposit: of one that a desk had raised for a person under duress, that it is settled.
fn told_as(state: DepositState, quiet: bool) -> DepositState {
    if quiet { DepositState::Settled } else { state }
}

fn store(
    db: &Connection,
    keys: &DeviceKeys,
    phone: &Phone,
    (timers, alarm): (&Signed<DepositTimers>, &Signed<Alarm>),
    watched: bool,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let about = timers.value();
    let answer = |state| answer(keys, about.deposit, timers.hash(), state, now);
    raising::keep_time(db, now)?;
    let mut watches_no_more = None;
    match known(db, about.deposit)? {
        // Another device of the account settled it before it came: that one is then all that is known of it.
        Some(known) if !known.is_of(phone) => return Err(Refusal::Conflict),
        Some(known) if known.state != DepositState::Ready => {
            return Ok(Done { answer: answer(known.state), ..Done::default() });
        }
        Some(known) if known.timers == timers.hash() => {
            return Ok(Done { answer: answer(DepositState::Ready), ..Done::default() });
        }
        Some(known) if known.seq >= about.seq => return Err(Refusal::Conflict),
        Some(known) => {
            watches_no_more = known.desk.filter(|desk| *desk != about.desk);
            renew(db, known.document, (timers, alarm), now)?;
        }
        None => add(db, phone, (timers, alarm), now)?,
    }
    let mut wakes = Vec::new();
    if watched {
        let document = put_document(db, timers.bytes(), Keep::WithMail, now)?;
        // The phone names another desk than before: that one would ring for what is not its to watch.
        for desk in [Some(about.desk), watches_no_more].into_iter().flatten() {
            wakes.push(mail::put(db, (phone.org, desk), MailKind::Timers, document, now)?);
        }
    }
    Ok(Done { answer: answer(DepositState::Ready), wakes, refusal: None })
}

/// The ids in an alarm's slots, behind each other.
fn slots(alarm: &Alarm) -> Vec<u8> {
    alarm.slots.iter().flat_map(|slot| slot.responder.0).collect()
}

fn add(
    db: &Connection,
    phone: &Phone,
    (timers, alarm): (&Signed<DepositTimers>, &Signed<Alarm>),
    now: Timestamp,
) -> Result<(), Refusal> {
    let (about, header) = (timers.value(), alarm.value().header);
    // Renewed without a moment at which it is due: this relay was restored from a backup, and the phone sends it whole.
    let due_in_s = about.due_in_s.ok_or(Refusal::NotFound)?;
    let ready: u32 = db
        .prepare_cached("SELECT count(*) FROM deposit WHERE device = ?1 AND state = 0")?
        .query_row([phone.device.0], |row| row.get(0))?;
    if ready >= MAX_READY {
        return Err(Refusal::TooMany);
    }
    let document = put_document(db, alarm.bytes(), Keep::WithAlarm, now)?;
    db.prepare_cached(
        "INSERT INTO deposit (deposit, org, account, device, desk, seq, timers, sealed, document, ladder,
                              ladder_version, slots, due_at, unheard_at, grace_ms, state, at, signed_timers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0, ?16, ?17)",
    )?
    .execute(params![
        about.deposit.0,
        phone.org.0.0,
        phone.account.0,
        phone.device.0,
        about.desk.0,
        about.seq.cast_signed(),
        timers.hash().0,
        about.sealed.0,
        document,
        header.ladder.0,
        header.ladder_version,
        slots(alarm.value()),
        now.plus_ms(i64::from(due_in_s) * 1000).0,
        now.plus_ms(i64::from(about.silent_after_s) * 1000).0,
        i64::from(about.grace_s) * 1000,
        now.0,
        timers.bytes(),
    ])?;
    audit::append_for(db, now, phone.device, "deposit_stored", &about.deposit, "ok")?;
    Ok(())
}

fn renew(
    db: &Connection,
    document: i64,
    (timers, alarm): (&Signed<DepositTimers>, &Signed<Alarm>),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (about, header) = (timers.value(), alarm.value().header);
    db.prepare_cached("UPDATE document SET bytes = ?2 WHERE document = ?1")?
        .execute(params![document, alarm.bytes()])?;
    db.prepare_cached(
        "UPDATE deposit SET desk = ?2, seq = ?3, timers = ?4, sealed = ?5, ladder = ?6, ladder_version = ?7, slots = ?8,
                            due_at = coalesce(?9, due_at), unheard_at = ?10, grace_ms = ?11, signed_timers = ?12
         WHERE deposit = ?1",
    )?
    .execute(params![
        about.deposit.0,
        about.desk.0,
        about.seq.cast_signed(),
        timers.hash().0,
        about.sealed.0,
        header.ladder.0,
        header.ladder_version,
        slots(alarm.value()),
        about.due_in_s.map(|due_in_s| now.plus_ms(i64::from(due_in_s) * 1000).0),
        now.plus_ms(i64::from(about.silent_after_s) * 1000).0,
        i64::from(about.grace_s) * 1000,
        timers.bytes(),
    ])?;
    Ok(())
}

fn store_settlement(
    db: &Connection,
    keys: &DeviceKeys,
    phone: &Phone,
    settlement: &Signed<Settlement>,
    note: Option<&Signed<Note>>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let deposit = settlement.value().deposit;
    let known = known(db, deposit)?;
    let owner = known.as_ref().map_or(phone.device, |known| known.device);
    if owner != phone.device {
        if known.as_ref().is_some_and(|known| known.account != phone.account) || phone.guest {
            return Err(Refusal::Conflict);
        }
        if phone.removed || !is_active(db, phone)? {
            return Err(Refusal::Removed);
        }
    }
    let state = match known.map(|known| known.state) {
        Some(DepositState::Ready) => {
            db.prepare_cached("UPDATE deposit SET state = 1, at = ?2 WHERE deposit = ?1")?
                .execute(params![deposit.0, now.0])?;
            audit::append_for(db, now, phone.device, "deposit_settled", &deposit, "ok")?;
            DepositState::Settled
        }
        Some(settled_or_raised) => settled_or_raised,
        None => {
            settle_unknown(db, phone, settlement, now)?;
            DepositState::Settled
        }
    };
    let mut wakes = Vec::new();
    if let Some(note) = note {
        let to = (phone.org, note.value().desk);
        wakes.extend(mail::put_once(db, to, kind_of_note(phone), note.bytes(), now)?);
    }
    if owner != phone.device && state == DepositState::Settled {
        let told = SettledElsewhere {
            identity: identity_of(db, phone.device)?.into(),
            settlement: settlement.bytes().to_vec().into(),
        };
        wakes.extend(mail::put_once(db, (phone.org, owner), MailKind::Settlement, &cbor::to_vec(&told), now)?);
    }
    Ok(Done { answer: answer(keys, deposit, settlement.hash(), state, now), wakes, refusal: None })
}

/// The signed identity under which a device was enrolled.
fn identity_of(db: &Connection, device: DeviceId) -> Result<Vec<u8>, StoreError> {
    Ok(db.prepare_cached("SELECT identity FROM device WHERE device = ?1")?.query_row([device.0], |row| row.get(0))?)
}

/// Keeps that a deposit is settled which has not come: should it still be on its way, nothing raises it.
fn settle_unknown(
    db: &Connection,
    phone: &Phone,
    settlement: &Signed<Settlement>,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO deposit (deposit, org, account, device, desk, seq, timers, sealed, document, ladder,
                              ladder_version, slots, due_at, unheard_at, grace_ms, state, at)
         VALUES (?1, ?2, ?3, ?4, zeroblob(16), 0, zeroblob(32), zeroblob(32), 0, zeroblob(16), 0, x'', ?5, ?5, 0, 1, ?5)",
    )?
    .execute(params![settlement.value().deposit.0, phone.org.0.0, phone.account.0, phone.device.0, now.0])?;
    Ok(())
}

/// The relay's signed word on how a deposit stands.
fn answer(keys: &DeviceKeys, deposit: AlarmId, answers: Hash, state: DepositState, at: Timestamp) -> Vec<u8> {
    let receipt = DepositReceipt { deposit, answers, state, at, by: keys.device };
    Signed::make(receipt, &keys.sig).bytes().to_vec()
}
