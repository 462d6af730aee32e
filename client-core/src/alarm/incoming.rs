//! Alarms of others, on a family member's device: taking them in with the vault locked, and what follows them.
//!
//! - This device takes them once its holder has **agreed**: it then has a key that alarms are sealed to, beside its alarm
//!   key, in this file that needs no PIN.
//! - An alarm counts when it is sealed to this device, or signed by a caller whose key the family circle gave. One that
//!   opens and whose caller is not known here yet **rings all the same**, and says so; one that a known caller did not sign
//!   is refused. Only members of the circle have the key to seal to.
//! - Its machine's **receipt** is signed and queued in the transaction that keeps the alarm, and sent like an alarm.
//! - Receipts of desks count by the directory, those of other family members by the caller's word in the alarm.
//! - Nobody answers **an alarm of their own**: one that this very device sent is refused.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmFamily, ContentKey, Escalation, FamilyKey, HandingOn, Receipt, ReceiptState, Update,
    check_escalation, check_receipt_of,
};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::{Hash, KemPublic, KemSecret, VerifyKey};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::alarm::AlarmOutbox;
use crate::alarm::outbox::{Phone, document_hash, phone};
use crate::alarm::receipts::{Verdict, keep_evidence};
use crate::{BakenError, Context};

/// The most alarms of others that are kept; the oldest go first.
const MAX_INCOMING: i64 = 64;
/// The most updates of one of them: as many as the relay takes.
const MAX_UPDATES: i64 = 10_000;
/// The most that is kept of what others said of one of them, of each kind.
const MAX_SAID: i64 = 2_048;
const DAMAGED: BakenError = BakenError::VaultDamaged { part: "the alarm outbox" };

/// Whose alarms this device is called in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Caller {
    pub(crate) device: DeviceId,
    pub(crate) name: String,
    pub(crate) alarm_key: VerifyKey,
}

/// This device as a responder.
pub(super) struct Responder {
    kem: KemSecret,
    pub(super) name: String,
}

/// This device as a responder; `None` before its holder agreed.
pub(super) fn responder(db: &Connection) -> Result<Option<Responder>, BakenError> {
    let (kem, name) = db.query_row("SELECT responder_kem, responder_name FROM phone", [], |row| {
        Ok((zeroize::Zeroizing::new(row.get::<_, Vec<u8>>(0)?), row.get(1)?))
    })?;
    if kem.is_empty() {
        return Ok(None);
    }
    Ok(Some(Responder { kem: KemSecret::from_slice(&kem).ok_or(DAMAGED)?, name }))
}

impl AlarmOutbox {
    /// Makes this device a responder, or gives its holder another name; the key that alarms are to be sealed to.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn become_responder(&self, name: &str, context: &Context) -> Result<KemPublic, BakenError> {
        self.write(|tx| {
            let kem = match responder(tx)? {
                Some(responder) => responder.kem,
                None => context.with_rng(|rng| KemSecret::make(rng)),
            };
            tx.execute("UPDATE phone SET responder_kem = ?1, responder_name = ?2", params![&kem.as_bytes()[..], name])?;
            Ok(kem.public())
        })
    }

    /// This device answers no alarms any more, and can open none that come later.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn stop_responding(&self) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("UPDATE phone SET responder_kem = x'', responder_name = ''", [])?;
            Ok(())
        })
    }

    /// How this device's holder is called in alarms; `None` before they agreed.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn responds_as(&self) -> Result<Option<String>, BakenError> {
        self.read(|db| Ok(responder(db)?.map(|responder| responder.name)))
    }

    /// Whose alarms this device is called in from now on.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_callers(&self, callers: &[Caller]) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("DELETE FROM caller", [])?;
            for Caller { device, name, alarm_key } in callers {
                tx.execute(
                    "INSERT OR REPLACE INTO caller (device, name, alarm_key) VALUES (?1, ?2, ?3)",
                    params![device.0, name, alarm_key.0],
                )?;
            }
            Ok(())
        })
    }
}

/// Who is known to call from a device: what they are called, and their key.
pub(super) fn caller(db: &Connection, device: DeviceId) -> Result<Option<Caller>, BakenError> {
    Ok(db
        .query_row("SELECT name, alarm_key FROM caller WHERE device = ?1", [device.0], |row| {
            Ok(Caller { device, name: row.get(0)?, alarm_key: VerifyKey(row.get(1)?) })
        })
        .optional()?)
}

/// An alarm of another, as kept.
pub(super) struct Incoming {
    pub(super) alarm: AlarmId,
    pub(super) hash: Hash,
    pub(super) caller: DeviceId,
    pub(super) proven: bool,
    /// `None` when it could not be opened.
    pub(super) opened: Option<(AlarmBody, ContentKey)>,
    pub(super) arrived_at: Timestamp,
}

/// One that was taken in; `None` when there is none of this id.
pub(super) fn find(db: &Connection, alarm: AlarmId) -> Result<Option<Incoming>, BakenError> {
    let row = db
        .query_row(
            "SELECT hash, document, caller, proven, content_key, arrived_at FROM incoming WHERE alarm = ?1",
            [alarm.0],
            |row| {
                let content = zeroize::Zeroizing::new(row.get::<_, Vec<u8>>(4)?);
                Ok((
                    Hash(row.get(0)?),
                    row.get::<_, Vec<u8>>(1)?,
                    DeviceId(row.get(2)?),
                    row.get(3)?,
                    content,
                    row.get(5)?,
                ))
            },
        )
        .optional()?;
    let Some((hash, document, caller, proven, content, arrived_at)) = row else { return Ok(None) };
    let content = ContentKey::from_slice(&content);
    let opened = match content {
        Some(content) => {
            let body = Unverified::<Alarm>::parse(&document)?.claims().open_with(&content)?;
            Some((body, content))
        }
        None => None,
    };
    Ok(Some(Incoming { alarm, hash, caller, proven, opened, arrived_at: Timestamp(arrived_at) }))
}

impl Incoming {
    /// Whose receipts count beside desks', by the caller's word.
    pub(super) fn family(&self, db: &Connection) -> Result<Vec<FamilyKey>, BakenError> {
        let document = self.opened.as_ref().and_then(|(body, _)| body.family.as_ref());
        let caller = caller(db, self.caller)?.filter(|_| self.proven);
        let family = caller
            .zip(document)
            .map(|(caller, document)| AlarmFamily::verify(document, self.alarm, &caller.alarm_key).unwrap_or_default());
        Ok(family.unwrap_or_default())
    }
}

/// Judges and keeps an alarm that was handed to this device.
pub(super) fn take_alarm(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let Some(responder) = responder(tx)? else { return keep_evidence(tx, None, "not_for_phones", bytes, now) };
    let Ok(unverified) = Unverified::<Alarm>::parse(bytes) else {
        return keep_evidence(tx, None, "malformed", bytes, now);
    };
    let (header, hash) = (unverified.claims().header, document_hash(bytes));
    let phone = phone(tx)?;
    if header.device == phone.device {
        return keep_evidence(tx, None, "own_alarm", bytes, now);
    }
    if let Some(known) = find(tx, header.alarm)? {
        return match known.hash == hash {
            true => Ok(Verdict::Known),
            false => keep_evidence(tx, None, "other_alarm", bytes, now),
        };
    }
    let opened = unverified.claims().open(phone.device, &responder.kem).ok().flatten();
    let proven = match caller(tx, header.device)? {
        Some(caller) if unverified.verify(&caller.alarm_key).is_err() => {
            return keep_evidence(tx, None, "forged", bytes, now);
        }
        Some(_) => true,
        None => false,
    };
    if !proven && opened.is_none() {
        return keep_evidence(tx, None, "unknown_caller", bytes, now);
    }
    let content = opened.map(|(_, content)| content.as_bytes().to_vec()).unwrap_or_default();
    tx.execute(
        "INSERT INTO incoming (alarm, hash, document, caller, proven, content_key, arrived_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![header.alarm.0, hash.0, bytes, header.device.0, proven, content, now.0],
    )?;
    tx.execute("DELETE FROM incoming WHERE seq <= (SELECT max(seq) FROM incoming) - ?1", [MAX_INCOMING])?;
    let received = next_receipt(tx, &phone, (header.alarm, hash), ReceiptState::Received, now)?;
    say(tx, header.alarm, false, Signed::make(received, &phone.alarm_key).bytes(), now)?;
    Ok(Verdict::Incoming { alarm: header.alarm })
}

/// This device's next receipt for an alarm, its detail still empty.
pub(super) fn next_receipt(
    db: &Connection,
    phone: &Phone,
    (alarm, alarm_hash): (AlarmId, Hash),
    state: ReceiptState,
    at: Timestamp,
) -> Result<Receipt, BakenError> {
    let last: Option<Vec<u8>> = db
        .query_row(
            "SELECT document FROM said WHERE alarm = ?1 AND escalates = 0 ORDER BY seq DESC LIMIT 1",
            [alarm.0],
            |row| row.get(0),
        )
        .optional()?;
    let prev = last.map_or(Hash::ZERO, |last| document_hash(&last));
    Ok(Receipt { alarm, alarm_hash, state, at, by: phone.device, prev, detail: Vec::new() })
}

/// Keeps what this device says of an alarm until the relay has it.
pub(super) fn say(
    tx: &Transaction<'_>,
    alarm: AlarmId,
    escalates: bool,
    document: &[u8],
    now: Timestamp,
) -> Result<(), BakenError> {
    tx.execute(
        "INSERT INTO said (alarm, escalates, document, said_at) VALUES (?1, ?2, ?3, ?4)",
        params![alarm.0, escalates, document, now.0],
    )?;
    Ok(())
}

/// What follows an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Update = 1,
    Receipt = 2,
    Escalation = 3,
}

/// Judges and keeps what follows an alarm of another; `None` when it is about none that was taken in.
pub(super) fn take_part(
    tx: &Transaction<'_>,
    kind: MailKind,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Option<Verdict>, BakenError> {
    let (part, alarm) = match kind {
        MailKind::Update => (Part::Update, Unverified::<Update>::parse(bytes).map(|update| update.claims().alarm)),
        MailKind::Receipt => (Part::Receipt, Unverified::<Receipt>::parse(bytes).map(|receipt| receipt.claims().alarm)),
        MailKind::Escalation => {
            (Part::Escalation, Unverified::<Escalation>::parse(bytes).map(|escalation| escalation.claims().alarm))
        }
        MailKind::HandingOn => {
            // That it was handed on among desks changes nothing for who is called at home.
            let Ok(handing) = Unverified::<HandingOn>::parse(bytes) else { return Ok(None) };
            return Ok(find(tx, handing.claims().alarm)?.map(|_| Verdict::Known));
        }
        _ => return Ok(None),
    };
    let Some(incoming) = alarm.ok().map(|alarm| find(tx, alarm)).transpose()?.flatten() else { return Ok(None) };
    let hash = document_hash(bytes);
    let known: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM incoming_part WHERE hash = ?1)", [hash.0], |row| row.get(0))?;
    if known {
        return Ok(Some(Verdict::Known));
    }
    let kept: i64 = tx.query_row(
        "SELECT count(*) FROM incoming_part WHERE alarm = ?1 AND kind = ?2",
        params![incoming.alarm.0, part as i64],
        |row| row.get(0),
    )?;
    let most = if part == Part::Update { MAX_UPDATES } else { MAX_SAID };
    let counts = match part {
        _ if kept >= most => Err("too_many"),
        Part::Update => check_update(tx, &incoming, bytes)?,
        Part::Receipt => check_said(
            &incoming,
            check_receipt_of(bytes, &phone(tx)?.directory, &incoming.family(tx)?)
                .map(|receipt| receipt.value().alarm_hash),
        ),
        Part::Escalation => check_said(
            &incoming,
            check_escalation(bytes, &phone(tx)?.directory, &incoming.family(tx)?)
                .map(|escalation| escalation.value().alarm_hash),
        ),
    };
    if let Err(reason) = counts {
        return keep_evidence(tx, None, reason, bytes, now).map(Some);
    }
    tx.execute(
        "INSERT INTO incoming_part (alarm, hash, kind, document, arrived_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![incoming.alarm.0, hash.0, part as i64, bytes, now.0],
    )?;
    Ok(Some(Verdict::Incoming { alarm: incoming.alarm }))
}

fn check_update(db: &Connection, incoming: &Incoming, bytes: &[u8]) -> Result<Result<(), &'static str>, BakenError> {
    let Ok(update) = Unverified::<Update>::parse(bytes) else { return Ok(Err("malformed")) };
    if update.claims().device != incoming.caller {
        return Ok(Err("forged"));
    }
    let opens = incoming.opened.as_ref().is_none_or(|(_, content)| update.claims().open(content).is_ok());
    let signed = caller(db, incoming.caller)?.is_none_or(|caller| update.verify(&caller.alarm_key).is_ok());
    Ok(if opens && signed { Ok(()) } else { Err("forged") })
}

/// What was said counts for the very bytes that are here.
fn check_said(incoming: &Incoming, about: Result<Hash, baken_schemas::FormatError>) -> Result<(), &'static str> {
    match about {
        Ok(about) if about == incoming.hash => Ok(()),
        Ok(_) => Err("other_alarm"),
        Err(error) => Err(super::receipts::refusal(&error)),
    }
}

/// Documents of one kind that followed an alarm, with when they came, in order of arrival.
pub(super) fn parts(db: &Connection, alarm: AlarmId, part: Part) -> Result<Vec<(Vec<u8>, Timestamp)>, BakenError> {
    let mut statement = db
        .prepare_cached("SELECT document, arrived_at FROM incoming_part WHERE alarm = ?1 AND kind = ?2 ORDER BY seq")?;
    let rows = statement.query_map(params![alarm.0, part as i64], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
