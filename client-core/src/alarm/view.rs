//! What is shown of an alarm: no more than what verified receipts prove.

use baken_schemas::alarm::{AlarmKind, ContentKey, Receipt, ReceiptState, holding, standing};
use baken_schemas::crypto::Hash;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::BakenError;
use crate::alarm::escalated::{SentOnView, sent_on};
use crate::alarm::outbox::{pressed, sealed};
use crate::alarm::receipts::{KeptHandingOn, KeptReceipt, handings_on, receipts};
use crate::alarm::sms::sealed_text;
use crate::alarm::withdrawal::{WithdrawalView, hold, withdrawal};
use crate::alarm::{AlarmOutbox, probe};

/// How long a person waits for another person before 112 is shown, in milliseconds.
const CALL_112_AFTER_MS: i64 = 20 * 1000;
/// The most alarms of a list.
const MAX_LISTED: u32 = 1_000;

/// How far an alarm has got, for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// On this phone only: nog niet verzonden.
    NotSent,
    /// The relay has it on disk.
    Stored,
    /// A responder's machine has it. No human is meant.
    Received,
    /// The ladder ran out.
    Exhausted,
    /// Who had seen it did nothing further in time: others are called again.
    Reopened,
    /// A named human has it.
    Seen,
    /// A named human has verified it.
    Verified,
    /// Help is on its way.
    Underway,
    /// It is over.
    Closed,
}

impl From<ReceiptState> for AlarmState {
    fn from(state: ReceiptState) -> Self {
        match state {
            ReceiptState::Stored => Self::Stored,
            ReceiptState::Received => Self::Received,
            ReceiptState::Exhausted => Self::Exhausted,
            ReceiptState::Reopened => Self::Reopened,
            ReceiptState::Seen => Self::Seen,
            ReceiptState::Verified => Self::Verified,
            ReceiptState::Underway => Self::Underway,
            ReceiptState::Closed => Self::Closed,
        }
    }
}

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "role", content = "name")]
pub enum Signer {
    /// The relay.
    Relay,
    /// The desk of this name.
    Desk(String),
    /// The family member whom this person calls so; empty when they are called no more.
    Family(String),
}

/// A receipt that counts.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptView {
    /// How far the alarm has got.
    pub state: ReceiptState,
    /// Who says so.
    pub by: Signer,
    /// When, by the signer's clock.
    pub at: Timestamp,
    /// The officer's name; `None` when there is none or it cannot be opened.
    pub officer: Option<String>,
    /// How it was verified, what the outcome was, what is coming.
    pub text: Option<String>,
    /// Identifies it.
    pub hash: Hash,
}

impl std::fmt::Debug for ReceiptView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiptView").field("state", &self.state).field("at", &self.at).finish_non_exhaustive()
    }
}

/// A desk handed the alarm on to another.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HandedOnView {
    /// The desk that did.
    pub by: String,
    /// To this one.
    pub to: String,
    /// When, by the signer's clock.
    pub at: Timestamp,
    /// The officer's name; `None` when there is none or it cannot be opened.
    pub officer: Option<String>,
    /// Why.
    pub text: Option<String>,
}

impl std::fmt::Debug for HandedOnView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandedOnView").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The relay refused the alarm. It is tried again all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusalView {
    /// The HTTP status.
    pub status: u16,
    /// The relay's code.
    pub code: String,
}

/// Something is wrong with what the relay hands over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Warning {
    /// Receipts that were altered, invented, or for another alarm.
    Refused {
        /// How many.
        count: u32,
    },
    /// A receipt that its signer refers to has not arrived: it is late or held back.
    Missing {
        /// Whose.
        by: Signer,
    },
    /// A signer has said two things in one place.
    Contradicting {
        /// Who.
        by: Signer,
    },
}

/// An alarm as the phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmView {
    /// The alarm.
    pub alarm: AlarmId,
    /// Its kind.
    pub kind: AlarmKind,
    /// When it was pressed, by this phone's clock.
    pub pressed_at: Timestamp,
    /// How far it has got.
    pub state: AlarmState,
    /// The receipt that proves it.
    pub proof: Option<ReceiptView>,
    /// The receipt by which its holder has it: the newest that somebody took it. `None` while nobody has.
    pub held_by: Option<ReceiptView>,
    /// A human has it.
    pub green: bool,
    /// Show "Bel 112".
    pub call_112: bool,
    /// Every receipt that counts, from the least far to the farthest; of equals in order of arrival.
    pub receipts: Vec<ReceiptView>,
    /// Who has sent it on to the next rung, in order of arrival.
    pub sent_on: Vec<SentOnView>,
    /// To whom it was handed on, in order of arrival.
    pub handed_on: Vec<HandedOnView>,
    /// What is wrong.
    pub warnings: Vec<Warning>,
    /// The relay's last refusal, while it is not stored.
    pub refused: Option<RefusalView>,
    /// Updates that the relay does not have yet.
    pub updates_waiting: u32,
    /// Its countdown runs until then: nothing was sent.
    pub held_until: Option<Timestamp>,
    /// It was withdrawn. Unless that was before sending, it is open until a desk closes it.
    pub withdrawn: Option<WithdrawalView>,
}

impl AlarmOutbox {
    /// Every alarm, the newest first, at most 1,000. Probes are none.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], and those of the disk.
    pub fn alarms(&self, now: Timestamp) -> Result<Vec<AlarmView>, BakenError> {
        self.read(|db| {
            let sql = "SELECT alarm FROM alarm WHERE kind <> ?1 ORDER BY seq DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let ids = statement.query_map((probe::kind(), MAX_LISTED), |row| row.get(0))?;
            ids.map(|id| view(db, AlarmId(id?), now)).collect()
        })
    }

    /// One alarm.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], [`BakenError::VaultDamaged`], and those of the disk.
    pub fn alarm(&self, alarm: AlarmId, now: Timestamp) -> Result<AlarmView, BakenError> {
        self.read(|db| view(db, alarm, now))
    }

    /// How many documents were refused so far, about whatever alarm: forged receipts, foreign directories.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn refused_documents(&self) -> Result<u32, BakenError> {
        self.read(|db| Ok(db.query_row("SELECT count(*) FROM evidence", [], |row| row.get(0))?))
    }
}

/// Whether a desk has closed it.
pub(crate) fn is_closed(db: &Connection, alarm: AlarmId) -> Result<bool, BakenError> {
    Ok(receipts(db, alarm)?.iter().any(|kept| kept.receipt.state == ReceiptState::Closed))
}

/// Whether a human has it.
pub(super) fn is_seen(db: &Connection, alarm: AlarmId) -> Result<bool, BakenError> {
    Ok(standing_of(&receipts(db, alarm)?).is_some_and(ReceiptState::is_by_human))
}

fn standing_of(kept: &[KeptReceipt]) -> Option<ReceiptState> {
    standing(&borrowed(kept))
}

fn borrowed(kept: &[KeptReceipt]) -> Vec<(Hash, &Receipt)> {
    kept.iter().map(|kept| (kept.hash, &kept.receipt)).collect()
}

fn view(db: &Connection, alarm: AlarmId, now: Timestamp) -> Result<AlarmView, BakenError> {
    let (pressed_at, kind) = pressed(db, alarm)?;
    let (_, content) = sealed(db, alarm)?;
    let kept = receipts(db, alarm)?;
    let text_key = sealed_text(db, alarm)?.map(|(_, key)| key);
    let key_of = |kept: &KeptReceipt| text_key.as_ref().filter(|_| kept.by_sms).unwrap_or(&content);
    let mut views: Vec<ReceiptView> = kept.iter().map(|kept| receipt_view(kept, key_of(kept))).collect();
    let stands = standing_of(&kept);
    let green = stands.is_some_and(ReceiptState::is_by_human);
    // Of equals the last to arrive.
    let proof = stands.and_then(|state| views.iter().rfind(|receipt| receipt.state == state).cloned());
    let held = holding(&borrowed(&kept)).filter(|_| green);
    let held_by = held.and_then(|held| views.iter().find(|receipt| receipt.hash == held).cloned());
    // Of those who took it, who has it now.
    let proof = held_by.clone().filter(|_| stands == Some(ReceiptState::Seen)).or(proof);
    let state = stands.map_or(AlarmState::NotSent, Into::into);
    views.sort_by_key(|receipt| receipt.state);
    let waited_ms = now.since_ms(pressed_at);
    let long = !(0..CALL_112_AFTER_MS).contains(&waited_ms);
    let mut warnings = chain_warnings(&kept);
    let refused_receipts = evidence_count(db, alarm)?;
    if refused_receipts > 0 {
        warnings.insert(0, Warning::Refused { count: refused_receipts });
    }
    let (refused, updates_waiting) = waiting(db, alarm)?;
    let withdrawn = withdrawal(db, alarm)?;
    let before_sending = withdrawn.is_some_and(|withdrawn| withdrawn.before_sending);
    Ok(AlarmView {
        alarm,
        kind,
        pressed_at,
        state,
        green,
        call_112: !green && !before_sending && (long || matches!(state, AlarmState::Exhausted | AlarmState::Reopened)),
        proof,
        held_by,
        receipts: views,
        sent_on: sent_on(db, alarm, &text_key.iter().chain([&content]).collect::<Vec<_>>())?,
        handed_on: handings_on(db, alarm)?.iter().map(|kept| handed_on_view(kept, &content)).collect(),
        warnings,
        refused: refused.filter(|_| state == AlarmState::NotSent),
        updates_waiting,
        held_until: if before_sending { None } else { hold(db, alarm, now)? },
        withdrawn,
    })
}

fn receipt_view(kept: &KeptReceipt, content: &ContentKey) -> ReceiptView {
    let detail = kept.receipt.open_detail(content).ok().flatten();
    let (officer, text) = detail.map_or((None, None), |detail| (Some(detail.officer), Some(detail.text)));
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    ReceiptView {
        state: kept.receipt.state,
        by: signer(kept),
        at: kept.receipt.at,
        officer: filled(officer),
        text: filled(text),
        hash: kept.hash,
    }
}

fn handed_on_view(kept: &KeptHandingOn, content: &ContentKey) -> HandedOnView {
    let detail = kept.handing.open_detail(content).ok().flatten();
    let (officer, text) = detail.map_or((None, None), |detail| (Some(detail.officer), Some(detail.text)));
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    HandedOnView {
        by: kept.desk.clone(),
        to: kept.to.clone(),
        at: kept.handing.at,
        officer: filled(officer),
        text: filled(text),
    }
}

fn signer(kept: &KeptReceipt) -> Signer {
    let by_relay = match kept.receipt.state {
        // Only here the state alone does not tell; a desk has a name.
        ReceiptState::Reopened => kept.desk.is_empty(),
        state => state.may_be_by_relay(),
    };
    match kept.by_family {
        _ if by_relay => Signer::Relay,
        true => Signer::Family(kept.desk.clone()),
        false => Signer::Desk(kept.desk.clone()),
    }
}

/// A link that nobody sent, and two links in one place.
fn chain_warnings(kept: &[KeptReceipt]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (at, this) in kept.iter().enumerate() {
        let prev = this.receipt.prev;
        // A signer chains what it says of the alarm and what it says of the text, each for itself.
        let same_chain = |other: &&KeptReceipt| other.receipt.by == this.receipt.by && other.by_sms == this.by_sms;
        let has_prev = prev == Hash::ZERO || kept.iter().filter(same_chain).any(|other| other.hash == prev);
        let rival = kept.iter().take(at).filter(same_chain).any(|other| other.receipt.prev == prev);
        let found = [
            (!has_prev).then(|| Warning::Missing { by: signer(this) }),
            rival.then(|| Warning::Contradicting { by: signer(this) }),
        ];
        for warning in found.into_iter().flatten() {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    warnings
}

fn evidence_count(db: &Connection, alarm: AlarmId) -> Result<u32, BakenError> {
    Ok(db.query_row("SELECT count(*) FROM evidence WHERE alarm = ?1", [alarm.0.to_vec()], |row| row.get(0))?)
}

fn waiting(db: &Connection, alarm: AlarmId) -> Result<(Option<RefusalView>, u32), BakenError> {
    let (status, code) =
        db.query_row("SELECT refused_status, refused_code FROM alarm WHERE alarm = ?1", [alarm.0], |row| {
            Ok((row.get::<_, u16>(0)?, row.get::<_, String>(1)?))
        })?;
    let updates =
        db.query_row("SELECT count(*) FROM alarm_update WHERE alarm = ?1 AND stored = 0", [alarm.0], |row| row.get(0))?;
    Ok(((status != 0).then_some(RefusalView { status, code }), updates))
}
