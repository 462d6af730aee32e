//! What a person on a family member's device does about an alarm: says that they have seen it, or sends it on. Both are on
//! disk when they return, need no PIN, and are sent like an alarm.

use baken_schemas::alarm::{Escalation, Receipt, ReceiptDetail, ReceiptState};
use baken_schemas::id::AlarmId;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::alarm::AlarmOutbox;
use crate::alarm::incoming::{find, next_receipt, responder, say};
use crate::alarm::incoming_view::EscalatedView;
use crate::alarm::outbox::phone;
use crate::{BakenError, Context};

/// The most words that go along with an escalation, in bytes.
pub const MAX_ANSWER_TEXT_BYTES: usize = 300;
/// The relay's code for an escalation when nobody stands higher.
const TOP_OF_LADDER: &str = "top_of_ladder";
/// The most that is sent at once of what this device says.
const MAX_WAITING: u32 = 64;

impl AlarmOutbox {
    /// Says that this device's holder has seen an alarm; said once, however often.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], [`BakenError::NotAgreed`] when this device answers none any more, and those of the disk.
    pub fn acknowledge(&self, alarm: AlarmId, context: &Context) -> Result<(), BakenError> {
        self.write(|tx| {
            let incoming = find(tx, alarm)?.ok_or(BakenError::NoSuchAlarm)?;
            let (phone, name) = (phone(tx)?, responder(tx)?.ok_or(BakenError::NotAgreed)?.name);
            if seen(tx, alarm)? {
                return Ok(());
            }
            let now = context.now();
            let receipt = next_receipt(tx, &phone, (alarm, incoming.hash), ReceiptState::Seen, now)?;
            let detail = ReceiptDetail { officer: name, text: String::new() };
            let sealed = incoming.opened.as_ref().map(|(_, content)| (&detail, content));
            let receipt = context.with_rng(|rng| Receipt::make(receipt, sealed, &phone.alarm_key, rng))?;
            say(tx, alarm, false, receipt.bytes(), now)
        })?;
        self.hurry();
        Ok(())
    }

    /// Sends an alarm on to whoever stands higher on its ladder, with words of at most [`MAX_ANSWER_TEXT_BYTES`]; more is
    /// cut. While one waits for the relay, no second is made.
    ///
    /// # Errors
    /// As [`Self::acknowledge`].
    pub fn escalate(&self, alarm: AlarmId, text: &str, context: &Context) -> Result<(), BakenError> {
        self.write(|tx| {
            let incoming = find(tx, alarm)?.ok_or(BakenError::NoSuchAlarm)?;
            let (phone, name) = (phone(tx)?, responder(tx)?.ok_or(BakenError::NotAgreed)?.name);
            let waits: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM said WHERE alarm = ?1 AND escalates = 1 AND state = 0)",
                [alarm.0],
                |row| row.get(0),
            )?;
            if waits {
                return Ok(());
            }
            let now = context.now();
            let text = text.get(..text.floor_char_boundary(MAX_ANSWER_TEXT_BYTES)).unwrap_or_default().to_owned();
            let detail = ReceiptDetail { officer: name, text };
            let sealed = incoming.opened.as_ref().map(|(_, content)| (&detail, content));
            let escalation =
                Escalation { alarm, alarm_hash: incoming.hash, at: now, by: phone.device, detail: Vec::new() };
            let escalation = context.with_rng(|rng| Escalation::make(escalation, sealed, &phone.alarm_key, rng))?;
            say(tx, alarm, true, escalation.bytes(), now)
        })?;
        self.hurry();
        Ok(())
    }

    /// Whether what waits is an escalation.
    pub(super) fn is_escalation(&self, said: i64) -> Result<bool, BakenError> {
        self.read(|db| Ok(document(db, said)?.is_some_and(|(escalates, _)| escalates)))
    }

    /// The relay has what this device said.
    pub(super) fn note_said(&self, said: i64) -> Result<Option<AlarmId>, BakenError> {
        self.write(|tx| {
            tx.execute("UPDATE said SET state = 1, refused_code = '' WHERE seq = ?1", [said])?;
            let sql = "SELECT alarm FROM said WHERE seq = ?1";
            Ok(tx.query_row(sql, [said], |row| row.get(0).map(AlarmId)).optional()?)
        })
    }

    /// The relay refused what this device said. That nobody stands higher is final; anything else is tried again.
    pub(super) fn note_said_refused(&self, said: i64, code: &str) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute(
                "UPDATE said SET refused_code = ?2, state = CASE WHEN ?2 = ?3 THEN 2 ELSE 0 END WHERE seq = ?1",
                params![said, code, TOP_OF_LADDER],
            )?;
            Ok(())
        })
    }
}

/// Whether this device's holder has said that they have seen it.
fn seen(db: &Connection, alarm: AlarmId) -> Result<bool, BakenError> {
    Ok(own_receipts(db, alarm)?.iter().any(|(receipt, _)| receipt.state.is_by_human()))
}

/// What this device has said of how far an alarm is, and whether the relay has it.
pub(super) fn own_receipts(db: &Connection, alarm: AlarmId) -> Result<Vec<(Receipt, bool)>, BakenError> {
    let mut statement =
        db.prepare_cached("SELECT document, state = 1 FROM said WHERE alarm = ?1 AND escalates = 0 ORDER BY seq")?;
    let rows = statement.query_map([alarm.0], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
    let mut receipts = Vec::new();
    for row in rows {
        let (document, there) = row?;
        let receipt = Unverified::<Receipt>::parse(&document)?.claims().clone();
        receipts.push((receipt, there));
    }
    Ok(receipts)
}

/// What waits for the relay, the oldest first.
pub(super) fn waiting(db: &Connection) -> Result<Vec<i64>, BakenError> {
    let mut statement = db.prepare_cached("SELECT seq FROM said WHERE state = 0 ORDER BY seq LIMIT ?1")?;
    let rows = statement.query_map([MAX_WAITING], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What to send, and whether it is an escalation.
pub(super) fn document(db: &Connection, said: i64) -> Result<Option<(bool, Vec<u8>)>, BakenError> {
    let sql = "SELECT escalates, document FROM said WHERE seq = ?1 AND state = 0";
    Ok(db.query_row(sql, [said], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// How the last escalation of this device stands: when it was made, and the relay's word.
pub(super) fn last_escalation(db: &Connection, alarm: AlarmId) -> Result<Option<EscalatedView>, BakenError> {
    let sql =
        "SELECT said_at, state, refused_code FROM said WHERE alarm = ?1 AND escalates = 1 ORDER BY seq DESC LIMIT 1";
    Ok(db
        .query_row(sql, [alarm.0], |row| {
            Ok(EscalatedView {
                at: Timestamp(row.get(0)?),
                handed_in: row.get::<_, u8>(1)? == 1,
                refused: Some(row.get::<_, String>(2)?).filter(|code| !code.is_empty()),
            })
        })
        .optional()?)
}
