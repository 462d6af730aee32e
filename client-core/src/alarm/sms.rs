//! Calling by text message when there is no data: what lies at the relay for it, and the text of each alarm.
//!
//! The text is sealed with the alarm, in the transaction of the press, and stays the same: sent twice, or by both ways, it
//! is one alarm. Where the organisation has no number, nothing of this is made. Nothing that goes wrong here can make
//! pressing fail: the alarm then has no text.

use baken_schemas::alarm::{ContentKey, SmsBody, SmsContext, SmsContextHeader, SmsKeys, SmsNumber, SmsText};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::id::{AlarmId, SmsContextId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use zeroize::Zeroizing;

use crate::alarm::outbox::{Phone, phone, usable_ladder};
use crate::alarm::withdrawal::end_countdown;
use crate::alarm::{AlarmOutbox, Call, probe};
use crate::{BakenError, Context};

/// The text by which an alarm can be sent, and where to.
#[derive(Clone, PartialEq, Eq)]
pub struct AlarmText {
    /// The alarm.
    pub alarm: AlarmId,
    /// The number that the organisation's directory gives, as `+31…`.
    pub number: String,
    /// The text: one message of at most 160 characters.
    pub text: String,
}

impl std::fmt::Debug for AlarmText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlarmText").field("alarm", &self.alarm).finish_non_exhaustive()
    }
}

/// What a press takes of a context.
pub(super) struct Numbered {
    pub(super) alarm: AlarmId,
    keys: SmsKeys,
    number: SmsNumber,
}

impl Numbered {
    /// The text of the alarm, and the key of receipts' details.
    pub(super) fn seal(&self, call: &Call, card_key: &SymmetricKey, made_at: Timestamp) -> (String, ContentKey) {
        let body = SmsBody {
            kind: call.kind,
            fix: call.fix,
            battery_percent: call.battery_percent,
            made_at,
            card_key: card_key.clone(),
        };
        let text = SmsText::seal(&self.keys, self.number, &body);
        (text.to_text(), self.keys.content(self.number))
    }
}

impl AlarmOutbox {
    /// The text by which this alarm can be sent, and where to.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`]; [`BakenError::NoAlarmText`] when the organisation takes none, when the alarm was
    /// pressed before the relay had what it takes, or was withdrawn before it was sent. A countdown ends: whoever asks for
    /// the text sends it.
    pub fn text(&self, alarm: AlarmId) -> Result<AlarmText, BakenError> {
        self.write(|tx| {
            let sql = "SELECT CASE unsent WHEN 0 THEN sms ELSE '' END FROM alarm WHERE alarm = ?1";
            let found: Option<String> = tx.query_row(sql, [alarm.0], |row| row.get(0)).optional()?;
            let text = found.ok_or(BakenError::NoSuchAlarm)?;
            let number = phone(tx)?.directory.sms_number;
            let number = number.filter(|_| !text.is_empty()).ok_or(BakenError::NoAlarmText)?;
            end_countdown(tx, alarm)?;
            Ok(AlarmText { alarm, number, text })
        })
    }

    /// The newest alarm that the relay does not have by data, as far as this phone knows.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`] when there is none.
    pub fn newest_unsent(&self) -> Result<AlarmId, BakenError> {
        self.read(|db| {
            let newest: Option<[u8; 16]> = db
                .query_row(
                    "SELECT alarm FROM alarm AS a
                     WHERE NOT EXISTS (SELECT 1 FROM receipt AS r WHERE r.alarm = a.alarm AND r.by_sms = 0)
                       AND kind <> ?1 AND unsent = 0
                     ORDER BY sms <> '' DESC, seq DESC LIMIT 1",
                    [probe::kind()],
                    |row| row.get(0),
                )
                .optional()?;
            newest.map(AlarmId).ok_or(BakenError::NoSuchAlarm)
        })
    }

    /// Makes a context where the organisation takes texts and there is none for the responders of today.
    pub(super) fn prepare_texts(&self, context: &Context) -> Result<(), BakenError> {
        let phone = self.read(phone)?;
        let Some(fit) = fit_of(&phone) else { return Ok(()) };
        if self.read(|db| newest(db, fit))?.is_some() {
            return Ok(());
        }
        let Some(ladder) = usable_ladder(&phone) else { return Ok(()) };
        let (ladder, ladder_version) = (ladder.ladder, ladder.version);
        let (signed, keys) = context.with_rng(|rng| {
            let context = SmsContextId::make(rng);
            let header = SmsContextHeader { context, device: phone.device, ladder, ladder_version };
            SmsContext::make(header, &phone.directory, &phone.alarm_key, rng)
        })?;
        self.write(|tx| {
            // Another process may have made one meanwhile.
            if newest(tx, fit)?.is_none() {
                tx.execute(
                    "INSERT INTO sms_context (context, document, text_key, tag_key, fit) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![keys.context.0, signed.bytes(), keys.key.as_bytes(), keys.tag_key.as_bytes(), fit.0],
                )?;
            }
            Ok(())
        })
    }

    /// A relay that was restored from a backup may have forgotten what was left there.
    pub(super) fn leave_contexts_again(tx: &Transaction<'_>) -> Result<(), BakenError> {
        tx.execute("UPDATE sms_context SET stored = 0", [])?;
        Ok(())
    }

    /// The relay has this context.
    pub(super) fn note_context_stored(&self, context: SmsContextId) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute("UPDATE sms_context SET stored = 1 WHERE context = ?1", [context.0])?;
            Ok(())
        })
    }
}

/// The context that waits for the relay: the one for today's responders.
pub(super) fn waiting(db: &Connection) -> Result<Option<SmsContextId>, BakenError> {
    let Some(fit) = fit_of(&phone(db)?) else { return Ok(None) };
    Ok(newest(db, fit)?.filter(|found| !found.stored).map(|found| found.context))
}

/// The bytes of a context.
pub(super) fn document(db: &Connection, context: SmsContextId) -> Result<Option<Vec<u8>>, BakenError> {
    let sql = "SELECT document FROM sms_context WHERE context = ?1";
    Ok(db.query_row(sql, [context.0], |row| row.get(0)).optional()?)
}

/// Takes the next number of the context for today's responders, where the relay has it.
pub(super) fn take_number(
    tx: &Transaction<'_>,
    phone: &Phone,
    context: &Context,
) -> Result<Option<Numbered>, BakenError> {
    let Some(found) = fit_of(phone).map(|fit| newest(tx, fit)).transpose()?.flatten() else { return Ok(None) };
    let Some(counter) = found.counter.checked_add(1).filter(|_| found.stored) else { return Ok(None) };
    tx.execute("UPDATE sms_context SET counter = ?2 WHERE context = ?1", params![found.context.0, counter])?;
    let number = context.with_rng(|rng| SmsNumber::make(counter, rng));
    Ok(Some(Numbered { alarm: found.keys.alarm(number), keys: found.keys, number }))
}

/// The hash of an alarm's text, and its key; `None` where it has no text.
pub(super) fn sealed_text(db: &Connection, alarm: AlarmId) -> Result<Option<(Hash, ContentKey)>, BakenError> {
    let row = db
        .query_row("SELECT sms, sms_key FROM alarm WHERE alarm = ?1", [alarm.0], |row| {
            Ok((row.get::<_, String>(0)?, Zeroizing::new(row.get::<_, Vec<u8>>(1)?)))
        })
        .optional()?;
    let Some((text, key)) = row.filter(|(text, _)| !text.is_empty()) else { return Ok(None) };
    let damaged = BakenError::VaultDamaged { part: "the alarm outbox" };
    Ok(Some((SmsText::from_text(&text)?.hash(), ContentKey::from_slice(&key).ok_or(damaged)?)))
}

/// What a context is made for: this device, its ladder, and who is on it with which keys. `None` where the organisation
/// takes no texts or has no ladder.
fn fit_of(phone: &Phone) -> Option<Hash> {
    phone.directory.sms_number.as_ref()?;
    let ladder = usable_ladder(phone)?;
    let mut fields = vec![phone.device.0.to_vec(), ladder.ladder.0.to_vec(), ladder.version.to_be_bytes().to_vec()];
    for responder in ladder.responders() {
        fields.push(responder.0.to_vec());
        fields.push(phone.directory.desk(responder)?.kem.0.to_vec());
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    Some(Hash::of("baken/sms-fit/v0", &fields))
}

struct Found {
    context: SmsContextId,
    keys: SmsKeys,
    stored: bool,
    counter: u32,
}

fn newest(db: &Connection, fit: Hash) -> Result<Option<Found>, BakenError> {
    let row = db
        .query_row(
            "SELECT context, text_key, tag_key, stored, counter FROM sms_context WHERE fit = ?1 ORDER BY seq DESC LIMIT 1",
            [fit.0],
            |row| {
                Ok((
                    SmsContextId(row.get(0)?),
                    Zeroizing::new(row.get::<_, [u8; 32]>(1)?),
                    Zeroizing::new(row.get::<_, [u8; 32]>(2)?),
                    row.get(3)?,
                    row.get(4)?,
                ))
            },
        )
        .optional()?;
    let Some((context, key, tag_key, stored, counter)) = row else { return Ok(None) };
    let keys = SymmetricKey::from_slice(&key[..]).zip(SymmetricKey::from_slice(&tag_key[..]));
    let (key, tag_key) = keys.ok_or(BakenError::VaultDamaged { part: "the alarm outbox" })?;
    Ok(Some(Found { context, keys: SmsKeys { context, key, tag_key }, stored, counter }))
}
