//! Alarms of this phone that a responder has sent on: judged as receipts are, and shown beside them. That somebody was
//! called says nothing of who has it.

use baken_schemas::alarm::{ContentKey, Escalation, check_escalation};
use baken_schemas::id::AlarmId;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use crate::BakenError;
use crate::alarm::outbox::{document_hash, phone, sealed};
use crate::alarm::receipts::{Verdict, keep_evidence, refusal};
use crate::alarm::sms::sealed_text;
use crate::alarm::{Signer, family};

/// The most that are kept of one alarm; a ladder has no more rungs.
const MAX_ESCALATIONS: i64 = 64;

/// A responder has sent an alarm on to the next rung.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SentOnView {
    /// Who says so.
    pub by: Signer,
    /// When, by the signer's clock.
    pub at: Timestamp,
    /// The officer's or family member's name; `None` when there is none or it cannot be opened.
    pub officer: Option<String>,
    /// Why.
    pub text: Option<String>,
}

impl std::fmt::Debug for SentOnView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentOnView").field("by", &self.by).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Judges and keeps one escalation of an alarm of this phone.
pub(super) fn take_escalation(tx: &Transaction<'_>, bytes: &[u8], now: Timestamp) -> Result<Verdict, BakenError> {
    let Ok(unverified) = Unverified::<Escalation>::parse(bytes) else {
        return keep_evidence(tx, None, "malformed", bytes, now);
    };
    let Escalation { alarm, alarm_hash, by, .. } = *unverified.claims();
    let hash = document_hash(bytes);
    let known: bool =
        tx.query_row("SELECT EXISTS (SELECT 1 FROM escalation WHERE hash = ?1)", [hash.0], |row| row.get(0))?;
    if known {
        return Ok(Verdict::Known);
    }
    let is_of_it = match sealed(tx, alarm) {
        Ok((hash, _)) => {
            hash == alarm_hash || sealed_text(tx, alarm)?.is_some_and(|(of_text, _)| of_text == alarm_hash)
        }
        Err(BakenError::NoSuchAlarm) => return keep_evidence(tx, Some(alarm), "unknown_alarm", bytes, now),
        Err(error) => return Err(error),
    };
    if !is_of_it {
        return keep_evidence(tx, Some(alarm), "other_alarm", bytes, now);
    }
    let directory = phone(tx)?.directory;
    if let Err(error) = check_escalation(bytes, &directory, &family::of_alarm(tx, alarm, alarm_hash)?) {
        return keep_evidence(tx, Some(alarm), refusal(&error), bytes, now);
    }
    let kept: i64 = tx.query_row("SELECT count(*) FROM escalation WHERE alarm = ?1", [alarm.0], |row| row.get(0))?;
    if kept >= MAX_ESCALATIONS {
        return keep_evidence(tx, Some(alarm), "too_many", bytes, now);
    }
    let desk = directory.desk(by).map(|desk| desk.name.clone());
    let by_family = desk.is_none();
    let who = match desk {
        Some(desk) => desk,
        None => family::name_of(tx, by)?,
    };
    tx.execute(
        "INSERT INTO escalation (hash, alarm, document, who, by_family, arrived_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![hash.0, alarm.0, bytes, who, by_family, now.0],
    )?;
    Ok(Verdict::SentOn)
}

/// Who has sent an alarm on, in order of arrival.
pub(super) fn sent_on(db: &Connection, alarm: AlarmId, keys: &[&ContentKey]) -> Result<Vec<SentOnView>, BakenError> {
    let mut statement =
        db.prepare_cached("SELECT document, who, by_family FROM escalation WHERE alarm = ?1 ORDER BY seq")?;
    let rows = statement.query_map([alarm.0], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
    })?;
    let mut sent_on = Vec::new();
    for row in rows {
        let (document, who, by_family) = row?;
        let escalation = Unverified::<Escalation>::parse(&document)?.claims().clone();
        let detail = keys.iter().find_map(|key| escalation.open_detail(key).ok().flatten());
        let (officer, text) = detail.map(|detail| (detail.officer, detail.text)).unzip();
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let by = if by_family { Signer::Family(who) } else { Signer::Desk(who) };
        sent_on.push(SentOnView { by, at: escalation.at, officer: filled(officer), text: filled(text) });
    }
    Ok(sent_on)
}
