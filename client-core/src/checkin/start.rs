//! What a person does: start, extend, say where they are, settle. All on disk when it returns, nothing sent yet.

use baken_schemas::alarm::{
    ContentKey, Fix, MAX_GRACE_S, MAX_TIMER_S, MIN_TIMER_S, Note, NoteBody, NoteKind, Settlement,
};
use baken_schemas::cbor;
use baken_schemas::id::{AlarmId, DeviceId, NoteId};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rusqlite::{Transaction, params};

use super::elsewhere::settle_replaced;
use super::store::{self, Settled};
use crate::alarm::{AlarmOutbox, Phone, desk_for_check_ins, phone};
use crate::{BakenError, Context};

/// The most text of a check-in, in bytes: it has to fit the alarm.
pub const MAX_CHECK_IN_TEXT_BYTES: usize = 1_600;

/// A check-in as a person starts it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCheckIn {
    /// When it is due, by the phone's clock: one minute to seven days from now.
    pub due_at: Timestamp,
    /// Seconds between that and the raising, at most an hour.
    pub grace_s: u32,
    /// Seconds for which the phone may be silent, one minute to seven days; `None`: it is not raised before it is due.
    pub silent_after_s: Option<u32>,
    /// What the desk reads when it is raised: a note, a place, a plan. At most [`MAX_CHECK_IN_TEXT_BYTES`].
    pub text: String,
    /// Where the phone is.
    pub fix: Fix,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
}

impl std::fmt::Debug for NewCheckIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewCheckIn(…)")
    }
}

/// How much of "in a minute" may have gone by when a program comes to it, in milliseconds. Its timer is a whole minute.
const SLACK_MS: i64 = 5_000;

/// Whether a check-in can be due then.
pub(super) fn check_due(due_at: Timestamp, now: Timestamp) -> Result<(), BakenError> {
    let (least, most) = (i64::from(MIN_TIMER_S) * 1000 - SLACK_MS, i64::from(MAX_TIMER_S) * 1000);
    if (least..=most).contains(&due_at.since_ms(now)) { Ok(()) } else { Err(BakenError::CheckInTime) }
}

/// Whether these can be a check-in's silence, grace and words.
pub(super) fn check_terms(silent_after_s: Option<u32>, grace_s: u32, text: &str) -> Result<(), BakenError> {
    if silent_after_s.is_some_and(|silent| !(MIN_TIMER_S..=MAX_TIMER_S).contains(&silent)) || grace_s > MAX_GRACE_S {
        return Err(BakenError::CheckInTime);
    }
    if text.len() > MAX_CHECK_IN_TEXT_BYTES {
        return Err(BakenError::CheckInText);
    }
    Ok(())
}

/// Writes a new check-in; its id.
pub(super) fn insert(
    tx: &Transaction<'_>,
    new: &NewCheckIn,
    rule: i64,
    context: &Context,
) -> Result<AlarmId, BakenError> {
    if store::open(tx)?.len() >= store::MAX_OPEN as usize {
        return Err(BakenError::TooManyCheckIns);
    }
    let (deposit, content) = context.with_rng(|rng| (AlarmId::make(rng), ContentKey::make(rng)));
    tx.execute(
        "INSERT INTO check_in (deposit, content_key, started_at, due_at, grace_s, silent_after_s, text, fix,
                               battery_percent, rule)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            deposit.0,
            content.as_bytes(),
            context.now().0,
            new.due_at.0,
            new.grace_s,
            new.silent_after_s.unwrap_or(0),
            new.text,
            cbor::to_vec(&new.fix),
            new.battery_percent,
            rule,
        ],
    )?;
    Ok(deposit)
}

/// The signed word that a check-in is settled, for the desk that watches it; for the first one where that is not known or
/// has left. `duress` stands in its sealed note, and nowhere else.
pub(super) fn signed_settlement(
    phone: &Phone,
    (deposit, watched_by): (AlarmId, Option<DeviceId>),
    duress: bool,
    context: &Context,
) -> Result<Vec<u8>, BakenError> {
    let watching = watched_by.and_then(|desk| phone.directory.desk(desk));
    let desk = watching.or_else(|| desk_for_check_ins(phone)).ok_or(BakenError::NoLadder)?;
    let freeze = phone.freeze_note();
    let body = NoteBody { kind: NoteKind::Settled, duress, alarm: Some(deposit), made_at: context.now(), freeze };
    let note =
        context.with_rng(|rng| Note::seal(NoteId::make(rng), phone.device, desk, &body, &phone.alarm_key, rng))?;
    let settlement = Settlement { deposit, device: phone.device, note: note.bytes().to_vec().into() };
    Ok(Signed::make(settlement, &phone.alarm_key).bytes().to_vec())
}

impl AlarmOutbox {
    /// Starts a check-in.
    ///
    /// # Errors
    /// [`BakenError::CheckInTime`], [`BakenError::CheckInText`], [`BakenError::TooManyCheckIns`],
    /// [`BakenError::NoLadder`] when nobody could be told, and those of the disk.
    pub fn start_check_in(&self, new: &NewCheckIn, context: &Context) -> Result<AlarmId, BakenError> {
        check_due(new.due_at, context.now())?;
        check_terms(new.silent_after_s, new.grace_s, &new.text)?;
        desk_for_check_ins(&self.read(phone)?).ok_or(BakenError::NoLadder)?;
        let deposit = self.write(|tx| insert(tx, new, 0, context))?;
        self.hurry();
        Ok(deposit)
    }

    /// Moves the moment at which a check-in is due.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCheckIn`], [`BakenError::CheckInTime`], [`BakenError::CheckInOver`] when it was settled or
    /// raised, and those of the disk.
    pub fn extend_check_in(&self, deposit: AlarmId, due_at: Timestamp, context: &Context) -> Result<(), BakenError> {
        check_due(due_at, context.now())?;
        self.write(|tx| {
            if !store::find(tx, deposit)?.is_open() {
                return Err(BakenError::CheckInOver);
            }
            tx.execute(
                "UPDATE check_in SET due_at = ?2, fresh = 1, due_known = 0, told = 0, form = x'' WHERE deposit = ?1",
                params![deposit.0, due_at.0],
            )?;
            Ok(())
        })?;
        self.hurry();
        Ok(())
    }

    /// Says where the phone is now: it goes along with every open check-in, at once.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn move_check_ins(&self, fix: Fix, battery_percent: Option<u8>) -> Result<(), BakenError> {
        self.write(|tx| {
            tx.execute(
                "UPDATE check_in SET fix = ?1, battery_percent = ?2, fresh = 1, form = x''
                 WHERE settled = 0 AND raised = 0 AND called = x''",
                params![cbor::to_vec(&fix), battery_percent],
            )?;
            Ok(())
        })?;
        self.hurry();
        Ok(())
    }

    /// Settles a check-in. `duress` stands in the sealed note, and nowhere else.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCheckIn`], [`BakenError::CheckInOver`] when it was settled already, [`BakenError::NoLadder`]
    /// when there is no desk, and those of the disk.
    pub(super) fn settle_check_in(&self, deposit: AlarmId, duress: bool, context: &Context) -> Result<(), BakenError> {
        let settlement = signed_settlement(&self.read(phone)?, (deposit, None), duress, context)?;
        self.write(|tx| {
            let stored = store::find(tx, deposit)?;
            if stored.settled != Settled::No || stored.owner.is_some() {
                return Err(BakenError::CheckInOver);
            }
            tx.execute(
                "UPDATE check_in SET settled = 1, settlement = ?2, refused_status = 0, refused_code = ''
                 WHERE deposit = ?1",
                params![deposit.0, settlement],
            )?;
            settle_replaced(tx, deposit)
        })?;
        self.hurry();
        Ok(())
    }
}
