//! Taking an alarm back. It asks for the PIN, and the true one and a duress PIN do the same on screen, in files and on
//! the wire: one sealed note of the same size, in which only the desk reads which it was.
//!
//! An alarm that is still held by its countdown is not sent at all then. One that is on its way stays open until an
//! officer closes it: whoever forces somebody to withdraw must not be able to end it.

use baken_schemas::alarm::NoteKind;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Serialize;

use crate::alarm::AlarmOutbox;
use crate::{Baken, BakenError, Context, vault};

/// What the phone knows of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WithdrawalView {
    /// When, by this phone's clock.
    pub at: Timestamp,
    /// The relay has the note that tells the desk.
    pub handed_in: bool,
    /// The alarm was never sent.
    pub before_sending: bool,
}

impl Baken {
    /// Withdraws an alarm with the PIN, the vault being open or locked. See [`crate::alarm`].
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], those of the PIN as [`Baken::unlock`], and those of the disk.
    pub fn withdraw_alarm(&self, alarm: AlarmId, pin: &str) -> Result<(), BakenError> {
        let outbox = self.alarm_outbox()?;
        outbox.alarm(alarm, self.context.now())?;
        let tried = self.after_try(vault::try_pin(&self.home, &self.context, pin))?;
        let withdrawn = outbox.withdraw(alarm, tried.is_duress(), &self.context);
        tried.accept(&self.home, &self.context)?;
        withdrawn
    }
}

impl AlarmOutbox {
    /// Withdraws an alarm, and has the note on disk when it returns. Withdrawn again, another note says so again: the
    /// first may have been forced, or the second.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`], [`BakenError::NoLadder`] when there is no desk, and those of the disk.
    pub(crate) fn withdraw(&self, alarm: AlarmId, duress: bool, context: &Context) -> Result<(), BakenError> {
        let now = context.now();
        let note = self.seal_note(NoteKind::Withdrawn, duress, Some(alarm), context)?;
        self.write(|tx| {
            let held = hold(tx, alarm, now)?.is_some();
            tx.execute(
                "UPDATE alarm SET withdrawn_at = ?2, withdrawal = ?3, unsent = max(unsent, ?4) WHERE alarm = ?1",
                params![alarm.0, now.0, note.value().note.0, held],
            )?;
            Self::keep_note(tx, &note)
        })?;
        self.bell.notify_one();
        Ok(())
    }

    /// An alarm is about to be sent for the first time: whatever the clock says later, it cannot be taken back unsent.
    pub(super) fn note_tried(&self, alarm: AlarmId) -> Result<(), BakenError> {
        let counts: bool = self.read(|db| {
            Ok(db.query_row("SELECT held_until <> 0 FROM alarm WHERE alarm = ?1", [alarm.0], |row| row.get(0))?)
        })?;
        if counts { self.write(|tx| end_countdown(tx, alarm)) } else { Ok(()) }
    }

    /// Milliseconds until the first alarm that its countdown holds is to be sent.
    pub(super) fn next_held_ms(&self, now: Timestamp) -> Result<Option<i64>, BakenError> {
        self.read(|db| {
            let until: Option<i64> = db.query_row(
                "SELECT min(held_until) FROM alarm WHERE unsent = 0 AND held_until > ?1 AND pressed_at <= ?1",
                [now.0],
                |row| row.get(0),
            )?;
            Ok(until.map(|until| Timestamp(until).since_ms(now)))
        })
    }
}

/// Nothing holds an alarm any more: it is being sent, or its text was asked for.
pub(super) fn end_countdown(tx: &Transaction<'_>, alarm: AlarmId) -> Result<(), BakenError> {
    tx.execute("UPDATE alarm SET held_until = 0 WHERE alarm = ?1", [alarm.0])?;
    Ok(())
}

/// Until when its countdown holds an alarm; `None` when it is over, or there was none. A clock that went back to before
/// the press holds nothing.
pub(super) fn hold(db: &Connection, alarm: AlarmId, now: Timestamp) -> Result<Option<Timestamp>, BakenError> {
    let row: Option<(i64, i64)> = db
        .query_row("SELECT pressed_at, held_until FROM alarm WHERE alarm = ?1", [alarm.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (pressed_at, held_until) = row.ok_or(BakenError::NoSuchAlarm)?;
    Ok((pressed_at <= now.0 && now.0 < held_until).then_some(Timestamp(held_until)))
}

/// What is known of the withdrawal of an alarm.
pub(super) fn withdrawal(db: &Connection, alarm: AlarmId) -> Result<Option<WithdrawalView>, BakenError> {
    let sql = "SELECT withdrawn_at, unsent, EXISTS (SELECT 1 FROM note AS n WHERE n.note = a.withdrawal)
               FROM alarm AS a WHERE alarm = ?1 AND withdrawn_at IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([alarm.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let waits: bool = row.get(2)?;
    Ok(Some(WithdrawalView { at: Timestamp(row.get(0)?), handed_in: !waits, before_sending: row.get(1)? }))
}
