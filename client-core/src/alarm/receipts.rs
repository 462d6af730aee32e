//! What the relay hands over about an alarm, held against what the phone knows: receipts and directories.
//!
//! Everything is judged in the transaction that keeps it. What does not count is kept as evidence, not dropped.

use baken_schemas::FormatError;
use baken_schemas::alarm::{AlarmKind, HandingOn, Receipt, ReceiptState, check_handing_on, check_receipt_of};
use baken_schemas::api::{Mail, MailKind};
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::order::OrderKind;
use baken_schemas::org::Directory;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Transaction, params};

use crate::BakenError;
use crate::alarm::escalated::take_escalation;
use crate::alarm::family;
use crate::alarm::incoming;
use crate::alarm::orders::take_order;
use crate::alarm::outbox::{document_hash, phone, pressed, sealed};
use crate::alarm::probe::is_past;
use crate::alarm::sms::sealed_text;
use crate::checkin::{self, Claim};

/// The most receipts by one signer that are kept of one alarm: a relay could sign without end.
const MAX_RECEIPTS_BY_ONE: usize = 256;
/// The most pieces of evidence that are kept; the first tell the story.
const MAX_EVIDENCE: i64 = 1_000;
/// The most bytes of one piece of evidence that are kept.
const MAX_EVIDENCE_BYTES: usize = 16 * 1024;

/// What became of a document that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A receipt that counts and is new.
    Counts {
        /// Of this alarm.
        alarm: AlarmId,
        /// How far it says the alarm has got.
        state: ReceiptState,
    },
    /// A desk handed the alarm on to another: new, and signed by it.
    HandedOn {
        /// This alarm.
        alarm: AlarmId,
    },
    /// A receipt for a probe that counts and is new: the way is open as far as it says.
    Probed,
    /// A newer directory, signed by the organisation's root.
    Directory {
        /// Its version.
        version: u64,
    },
    /// An order of another device of this person, new and signed by it.
    Ordered {
        /// What it orders.
        kind: OrderKind,
    },
    /// An alarm of another that this device is called in, or what follows one, new.
    Incoming {
        /// Which.
        alarm: AlarmId,
    },
    /// A responder has sent an alarm of this phone on; new.
    SentOn,
    /// Another device of this person has settled a check-in of this one.
    SettledElsewhere {
        /// Which.
        check_in: AlarmId,
    },
    /// Known before.
    Known,
    /// Does not count. Kept as evidence, with this stable word.
    Refused {
        /// `forged`, `not_entitled`, `other_alarm`, `unknown_alarm`, `malformed`, `too_many`, `directory_forged`, `own_alarm`, `unknown_caller`,
        /// `directory_older`, `not_for_phones`, `unknown_author`, `order_forged`.
        reason: &'static str,
    },
}

/// Judges and keeps one piece of mail.
pub(super) fn take_mail(tx: &Transaction<'_>, mail: &Mail, now: Timestamp) -> Result<Verdict, BakenError> {
    if let Some(verdict) = incoming::take_part(tx, mail.kind, &mail.document, now)? {
        return Ok(verdict);
    }
    match mail.kind {
        MailKind::Alarm => incoming::take_alarm(tx, &mail.document, now),
        MailKind::Receipt => take_receipt(tx, &mail.document, None, now),
        MailKind::Directory => take_directory(tx, &mail.document, now),
        MailKind::Escalation => take_escalation(tx, &mail.document, now),
        MailKind::HandingOn => take_handing_on(tx, &mail.document, now),
        MailKind::Order => take_order(tx, &mail.document, now),
        MailKind::Settlement => checkin::take_settlement(tx, &mail.document, now),
        MailKind::Sms
        | MailKind::Update
        | MailKind::Note
        | MailKind::NoteOfRemoved
        | MailKind::Enrolment
        | MailKind::Roster
        | MailKind::Silence
        | MailKind::Timers => keep_evidence(tx, None, "not_for_phones", &mail.document, now),
    }
}

/// Judges and keeps one receipt. `about` is the alarm it was handed over for, where it was.
pub(super) fn take_receipt(
    tx: &Transaction<'_>,
    bytes: &[u8],
    about: Option<AlarmId>,
    now: Timestamp,
) -> Result<Verdict, BakenError> {
    let hash = document_hash(bytes);
    let known: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM receipt WHERE hash = ?1)", [hash.0], |row| row.get(0))?;
    if known {
        return Ok(Verdict::Known);
    }
    let claimed = || Unverified::<Receipt>::parse(bytes).ok().map(|unverified| unverified.claims().alarm);
    let claimed = about.or_else(claimed);
    let directory = phone(tx)?.directory;
    let family = match Unverified::<Receipt>::parse(bytes) {
        Ok(unverified) => family::of_alarm(tx, unverified.claims().alarm, unverified.claims().alarm_hash)?,
        Err(_) => Vec::new(),
    };
    let receipt = match check_receipt_of(bytes, &directory, &family) {
        Ok(receipt) => receipt,
        Err(error) => return keep_evidence(tx, claimed, refusal(&error), bytes, now),
    };
    let receipt = receipt.value();
    let sealed_hash = match sealed(tx, receipt.alarm) {
        Ok((hash, _)) => hash,
        Err(BakenError::NoSuchAlarm) if is_past(tx, receipt.alarm)? => return Ok(Verdict::Known),
        Err(BakenError::NoSuchAlarm) => match checkin::claim(tx, receipt.alarm, receipt.alarm_hash, now)? {
            Claim::Raised => receipt.alarm_hash,
            Claim::Settled => return Ok(Verdict::Known),
            Claim::Unknown => return keep_evidence(tx, claimed, "unknown_alarm", bytes, now),
        },
        Err(error) => return Err(error),
    };
    let by_sms = receipt.alarm_hash != sealed_hash;
    if by_sms && sealed_text(tx, receipt.alarm)?.is_none_or(|(hash, _)| hash != receipt.alarm_hash) {
        return keep_evidence(tx, claimed, "other_alarm", bytes, now);
    }
    let by_same = receipts(tx, receipt.alarm)?.iter().filter(|kept| kept.receipt.by == receipt.by).count();
    if by_same >= MAX_RECEIPTS_BY_ONE {
        return keep_evidence(tx, claimed, "too_many", bytes, now);
    }
    let desk = directory.desk(receipt.by).map(|desk| desk.name.clone());
    let by_family = desk.is_none() && receipt.by != directory.relay.relay;
    let name = match desk {
        Some(desk) => desk,
        None => family::name_of(tx, receipt.by)?,
    };
    tx.execute(
        "INSERT INTO receipt (hash, alarm, document, desk, arrived_at, by_sms, by_family)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![hash.0, receipt.alarm.0, bytes, name, now.0, by_sms, by_family],
    )?;
    if pressed(tx, receipt.alarm)?.1 == AlarmKind::Probe {
        return Ok(Verdict::Probed);
    }
    Ok(Verdict::Counts { alarm: receipt.alarm, state: receipt.state })
}

/// Judges and keeps that a desk handed an alarm on.
fn take_handing_on(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let hash = document_hash(bytes);
    let known: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM handing_on WHERE hash = ?1)", [hash.0], |row| row.get(0))?;
    if known {
        return Ok(Verdict::Known);
    }
    let claimed = Unverified::<HandingOn>::parse(bytes).ok().map(|unverified| unverified.claims().alarm);
    let directory = phone(tx)?.directory;
    let handing = match check_handing_on(bytes, &directory) {
        Ok(handing) => handing.into_value(),
        Err(error) => return keep_evidence(tx, claimed, refusal(&error), bytes, now),
    };
    let sealed_hash = match sealed(tx, handing.alarm) {
        Ok((hash, _)) => hash,
        Err(BakenError::NoSuchAlarm) => match checkin::claim(tx, handing.alarm, handing.alarm_hash, now)? {
            Claim::Raised => handing.alarm_hash,
            Claim::Settled => return Ok(Verdict::Known),
            Claim::Unknown => return keep_evidence(tx, claimed, "unknown_alarm", bytes, now),
        },
        Err(error) => return Err(error),
    };
    if handing.alarm_hash != sealed_hash {
        return keep_evidence(tx, claimed, "other_alarm", bytes, now);
    }
    let count: usize =
        tx.query_row("SELECT count(*) FROM handing_on WHERE alarm = ?1", [handing.alarm.0], |row| row.get(0))?;
    if count >= MAX_RECEIPTS_BY_ONE {
        return keep_evidence(tx, claimed, "too_many", bytes, now);
    }
    let name = |desk| directory.desk(desk).map_or("", |entry| entry.name.as_str());
    tx.execute(
        "INSERT INTO handing_on (hash, alarm, document, desk, to_desk, arrived_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![hash.0, handing.alarm.0, bytes, name(handing.by), name(handing.to), now.0],
    )?;
    Ok(Verdict::HandedOn { alarm: handing.alarm })
}

/// A handing on that counts, as kept.
pub(super) struct KeptHandingOn {
    pub(super) handing: HandingOn,
    pub(super) desk: String,
    pub(super) to: String,
}

/// How an alarm was handed on, in order of arrival.
pub(super) fn handings_on(db: &rusqlite::Connection, alarm: AlarmId) -> Result<Vec<KeptHandingOn>, BakenError> {
    let mut statement =
        db.prepare_cached("SELECT document, desk, to_desk FROM handing_on WHERE alarm = ?1 ORDER BY seq")?;
    let rows = statement.query_map([alarm.0], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut kept = Vec::new();
    for row in rows {
        let (document, desk, to) = row?;
        // Its signature was checked when it came in.
        let handing = Unverified::<HandingOn>::parse(&document)?.claims().clone();
        kept.push(KeptHandingOn { handing, desk, to });
    }
    Ok(kept)
}

/// Judges and keeps a directory.
pub(super) fn take_directory(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let phone = phone(tx)?;
    let Ok(directory) = Directory::verify(bytes, phone.org) else {
        return keep_evidence(tx, None, "directory_forged", bytes, now);
    };
    let version = directory.value().version;
    if *directory.value() == phone.directory {
        return Ok(Verdict::Known);
    }
    if version <= phone.directory.version {
        return keep_evidence(tx, None, "directory_older", bytes, now);
    }
    tx.execute("UPDATE phone SET directory = ?1", [directory.bytes()])?;
    Ok(Verdict::Directory { version })
}

/// Keeps what does not count; the same bytes once.
pub(crate) fn keep_evidence(
    tx: &Transaction<'_>,
    alarm: Option<AlarmId>,
    reason: &'static str,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Verdict, BakenError> {
    let kept: i64 = tx.query_row("SELECT count(*) FROM evidence", [], |row| row.get(0))?;
    if kept < MAX_EVIDENCE {
        let bytes = bytes.get(..MAX_EVIDENCE_BYTES).unwrap_or(bytes);
        let alarm = alarm.map_or(Vec::new(), |alarm| alarm.0.to_vec());
        tx.execute(
            "INSERT OR IGNORE INTO evidence (hash, alarm, reason, document, arrived_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![Hash::of("baken/evidence/v0", &[bytes]).0, alarm, reason, bytes, now.0],
        )?;
    }
    Ok(Verdict::Refused { reason })
}

/// The word for why a receipt does not count.
pub(super) fn refusal(error: &FormatError) -> &'static str {
    match error {
        FormatError::Signature { .. } => "forged",
        FormatError::Rule { .. } => "not_entitled",
        _ => "malformed",
    }
}

/// A receipt that counts, as kept.
pub(super) struct KeptReceipt {
    pub(super) hash: Hash,
    pub(super) receipt: Receipt,
    /// The desk's name, or the family member's; empty for the relay.
    pub(super) desk: String,
    /// A family member's device says it.
    pub(super) by_family: bool,
    /// It is for the alarm's text.
    pub(super) by_sms: bool,
}

/// Every receipt of an alarm that counts, in order of arrival.
pub(super) fn receipts(db: &rusqlite::Connection, alarm: AlarmId) -> Result<Vec<KeptReceipt>, BakenError> {
    let mut statement =
        db.prepare_cached("SELECT hash, document, desk, by_sms, by_family FROM receipt WHERE alarm = ?1 ORDER BY seq")?;
    let rows = statement.query_map([alarm.0], |row| {
        Ok((Hash(row.get(0)?), row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?, (row.get(3)?, row.get(4)?)))
    })?;
    let mut kept = Vec::new();
    for row in rows {
        let (hash, document, desk, (by_sms, by_family)) = row?;
        // Its signature was checked when it came in, against the directory of that day.
        let receipt = Unverified::<Receipt>::parse(&document)?.claims().clone();
        kept.push(KeptReceipt { hash, receipt, desk, by_family, by_sms });
    }
    Ok(kept)
}
