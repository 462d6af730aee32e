//! Receipts of responders: a desk's checked against the directory, a family member's against the alarm key that its device
//! enrolled with; kept, passed on to the phone and to everybody who was handed the alarm. From `seen` on they stop the
//! ladder, and `reopened` starts it again, in the same transaction.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{FamilyKey, Receipt, ReceiptState, check_receipt_of};
use baken_schemas::api::{Documents, MailKind};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::OrgId;
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit;
use crate::relay::Relay;
use crate::relay::auth::{ByAnyKey, Caller};
use crate::relay::cleared;
use crate::relay::clearing::{self, Standing};
use crate::relay::follow_up;
use crate::relay::ladder;
use crate::relay::mail::{self, Keep, put_document};
use crate::relay::once::{Answer, Done};
use crate::relay::page;
use crate::relay::problem::Refusal;
use crate::store::{Priority, StoreError};

/// The most receipts of one desk for one alarm.
const MAX_RECEIPTS: u32 = 10_000;
/// The most of one family member's device, which has two things to say.
const MAX_FAMILY_RECEIPTS: u32 = 16;

/// `POST /v0/receipts`.
pub(super) async fn post(State(relay): State<Relay>, request: ByAnyKey) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: ByAnyKey) -> Result<Answer, Refusal> {
    let caller = request.caller;
    let claims = Unverified::<Receipt>::parse(&request.body)?.claims().clone();
    let (known, cleared) =
        relay.store().read(|db| Ok::<_, StoreError>((known(db, claims.alarm)?, cleared::find(db, claims.alarm)?)))?;
    // Whatever is said of an alarm that is over and cleared away comes too late, and is not to be sent for ever.
    if cleared.is_some_and(|cleared| caller.orgs().contains(&cleared.org)) {
        return Ok(Answer(Vec::new()));
    }
    let alarm = known.ok_or(Refusal::NotHanded)?;
    if !caller.orgs().contains(&alarm.org) {
        return Err(Refusal::NotHanded);
    }
    let family = match &caller {
        Caller::Phone(phone) => vec![FamilyKey { device: phone.device, alarm: phone.alarm }],
        Caller::Desk(_) => Vec::new(),
    };
    let receipt = check_receipt_of(&request.body, relay.trust().directory(alarm.org)?.value(), &family)?;
    if receipt.value().by != caller.device() {
        return Err(FormatError::Signature { what: Receipt::LABEL }.into());
    }
    if !alarm.is(receipt.value().alarm_hash) {
        return Err(Refusal::NotHanded);
    }
    let (by_family, wait_ms) = (matches!(caller, Caller::Phone(_)), relay.options().follow_up_ms);
    let now = relay.now();
    let op = move |db: &Connection| store(db, &alarm, &receipt, now, (by_family, wait_ms));
    let taken = relay.once(request.write, Priority::Alarm, op).await?;
    // A deadline may have come sooner than the ticker sleeps.
    relay.deadlines().changed();
    Ok(taken)
}

/// What is known of an alarm.
pub(super) struct Known {
    pub(super) org: OrgId,
    pub(super) device: DeviceId,
    account: [u8; 16],
    hash: Hash,
    /// Of the text by which it came too.
    sms_hash: Option<Hash>,
}

impl Known {
    /// Whether this is the hash of a form in which it came.
    pub(super) fn is(&self, hash: Hash) -> bool {
        hash == self.hash || Some(hash) == self.sms_hash
    }
}

pub(super) fn known(db: &Connection, alarm: AlarmId) -> Result<Option<Known>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT a.org, a.device, a.account, a.hash, s.hash FROM alarm a LEFT JOIN alarm_sms s ON s.alarm = a.alarm
             WHERE a.alarm = ?1",
        )?
        .query_row([alarm.0], |row| {
            Ok(Known {
                org: OrgId(Hash(row.get(0)?)),
                device: DeviceId(row.get(1)?),
                account: row.get(2)?,
                hash: Hash(row.get(3)?),
                sms_hash: row.get::<_, Option<[u8; 32]>>(4)?.map(Hash),
            })
        })
        .optional()?)
}

fn store(
    db: &Connection,
    alarm: &Known,
    receipt: &Signed<Receipt>,
    now: Timestamp,
    (by_family, wait_ms): (bool, i64),
) -> Result<Done, Refusal> {
    let (id, by) = (receipt.value().alarm, receipt.value().by);
    let handed = ladder::handed(db, id)?;
    if !handed.contains(&by) {
        return Err(Refusal::NotHanded);
    }
    let there: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM receipt WHERE alarm = ?1 AND hash = ?2)")?
        .query_row(params![id.0, receipt.hash().0], |row| row.get(0))?;
    if there {
        return Ok(Done::nothing());
    }
    // Each signer by itself: what one says too often must keep no other from being heard.
    let count: u32 = db
        .prepare_cached("SELECT count(*) FROM receipt WHERE alarm = ?1 AND signer = ?2")?
        .query_row(params![id.0, by.0], |row| row.get(0))?;
    if count >= if by_family { MAX_FAMILY_RECEIPTS } else { MAX_RECEIPTS } {
        return Err(Refusal::TooMany);
    }
    let document = put_receipt(db, receipt, now)?;
    let standing = clearing::note(db, receipt.value(), now)?;
    let state = receipt.value().state;
    let says_more = state.is_by_human() || state == ReceiptState::Reopened;
    // That a probe climbs no further is nothing to account for, and would fill the audit.
    if says_more && follow_up::note(db, receipt.value(), (by_family, wait_ms), now)? && standing != Standing::Probe {
        audit::append_for(db, now, by, "ladder_stopped", &id, "ok")?;
    }
    let phone = if ladder::is_quiet(db, id)? { None } else { Some(alarm.device) };
    let others = handed.into_iter().filter(|responder| *responder != by).chain(phone);
    let wakes = others
        .map(|recipient| mail::put(db, (alarm.org, recipient), MailKind::Receipt, document, now))
        .collect::<Result<_, _>>()?;
    Ok(Done::waking(wakes))
}

/// Keeps a receipt; its document's number.
pub(super) fn put_receipt(db: &Connection, receipt: &Signed<Receipt>, now: Timestamp) -> Result<i64, StoreError> {
    let document = put_document(db, receipt.bytes(), Keep::WithAlarm, now)?;
    let value = receipt.value();
    db.prepare_cached(
        "INSERT INTO receipt (alarm, place, hash, signer, document, at)
         VALUES (?1, (SELECT coalesce(max(place), 0) + 1 FROM receipt WHERE alarm = ?1), ?2, ?3, ?4, ?5)",
    )?
    .execute(params![value.alarm.0, receipt.hash().0, value.by.0, document, now.0])?;
    Ok(document)
}

/// The relay's own receipts for these bytes of an alarm, as signed, in order: those of one form of it are one chain.
pub(super) fn own(
    db: &Connection,
    alarm: AlarmId,
    alarm_hash: Hash,
    relay: DeviceId,
) -> Result<Vec<Unverified<Receipt>>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT d.bytes FROM receipt r JOIN document d ON d.document = r.document
         WHERE r.alarm = ?1 AND r.signer = ?2 ORDER BY r.place",
    )?;
    let rows = statement.query_map(params![alarm.0, relay.0], |row| row.get::<_, Vec<u8>>(0))?;
    let mut found = Vec::new();
    for bytes in rows {
        let receipt = Unverified::<Receipt>::parse(&bytes?).map_err(|_| StoreError::Damaged)?;
        if receipt.claims().alarm_hash == alarm_hash {
            found.push(receipt);
        }
    }
    Ok(found)
}

/// The relay's word that it has these bytes.
pub(super) fn stored(db: &Connection, alarm: AlarmId, hash: Hash, relay: DeviceId) -> Result<Vec<u8>, StoreError> {
    own(db, alarm, hash, relay)?.into_iter().next().map(|receipt| receipt.bytes().to_vec()).ok_or(StoreError::Damaged)
}

/// `GET /v0/alarms/{alarm}/receipts`: for the account's devices and who was handed the alarm.
pub(super) async fn of_alarm(State(relay): State<Relay>, Path(alarm): Path<String>, request: ByAnyKey) -> Response {
    list(&relay, &alarm, request.caller).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn list(relay: &Relay, alarm: &str, caller: Caller) -> Result<Answer, Refusal> {
    let alarm: AlarmId = page::id(alarm)?;
    let documents = relay
        .store()
        .read_page(move |db| {
            let known = known(db, alarm)?.ok_or(Refusal::NotFound)?;
            let is_own = match &caller {
                Caller::Phone(phone) => {
                    phone.device == known.device || (!phone.guest && phone.account.0 == known.account)
                }
                Caller::Desk(_) => false,
            };
            let may = match is_own {
                true => !ladder::is_quiet(db, alarm)?,
                false => caller.orgs().contains(&known.org) && ladder::handed(db, alarm)?.contains(&caller.device()),
            };
            if !may {
                return Err(Refusal::NotFound);
            }
            let mut statement = db.prepare_cached(
                "SELECT d.bytes FROM receipt r JOIN document d ON d.document = r.document
                 WHERE r.alarm = ?1 ORDER BY r.place LIMIT ?2",
            )?;
            let rows = statement.query_map(params![alarm.0, MAX_RECEIPTS], |row| row.get::<_, Vec<u8>>(0))?;
            let documents = rows.map(|row| row.map(Into::into)).collect::<Result<_, _>>()?;
            Ok(Documents { documents })
        })
        .await?;
    Ok(Answer(cbor::to_vec(&documents)))
}
