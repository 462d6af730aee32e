//! The check-in part of [`Baken`]. What moves a check-in's end takes a PIN; the vault stays as it is.

use baken_schemas::alarm::Fix;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;

use super::{CheckInView, NewCheckIn, Rule, RuleView};
use crate::{Baken, BakenError};

impl Baken {
    /// Starts a check-in: on disk when it returns. Send it with [`Self::send_alarms`] or [`Self::follow_alarms`].
    ///
    /// # Errors
    /// Those of the PIN, and see [`crate::alarm::AlarmOutbox::start_check_in`].
    pub fn start_check_in(&self, pin: &str, new: &NewCheckIn) -> Result<AlarmId, BakenError> {
        self.note_pin(pin)?;
        self.alarm_outbox()?.start_check_in(new, &self.context)
    }

    /// Moves the moment at which a check-in is due.
    ///
    /// # Errors
    /// Those of the PIN, and see [`crate::alarm::AlarmOutbox::extend_check_in`].
    pub fn extend_check_in(&self, pin: &str, check_in: AlarmId, due_at: Timestamp) -> Result<(), BakenError> {
        self.note_pin(pin)?;
        self.alarm_outbox()?.extend_check_in(check_in, due_at, &self.context)
    }

    /// Settles a check-in. With a duress PIN all is the same, but for what the desk reads.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NoSuchCheckIn`], [`BakenError::CheckInOver`], and those of the disk.
    pub fn settle_check_in(&self, pin: &str, check_in: AlarmId) -> Result<(), BakenError> {
        let duress = self.which_pin(pin)?;
        self.alarm_outbox()?.settle_check_in(check_in, duress, &self.context)
    }

    /// Says where the phone is now: every open check-in carries it from then on. Takes no PIN.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn move_check_ins(&self, fix: Fix, battery_percent: Option<u8>) -> Result<(), BakenError> {
        self.alarm_outbox()?.move_check_ins(fix, battery_percent)
    }

    /// Keeps a check-in that comes back.
    ///
    /// # Errors
    /// Those of the PIN, and see [`crate::alarm::AlarmOutbox::add_check_in_rule`].
    pub fn add_check_in_rule(&self, pin: &str, rule: &Rule) -> Result<i64, BakenError> {
        self.note_pin(pin)?;
        self.alarm_outbox()?.add_check_in_rule(rule, &self.context)
    }

    /// Ends a check-in that comes back; the one that runs goes on until it is settled.
    ///
    /// # Errors
    /// Those of the PIN; [`BakenError::NoSuchCheckIn`].
    pub fn end_check_in_rule(&self, pin: &str, rule: i64) -> Result<(), BakenError> {
        self.note_pin(pin)?;
        self.alarm_outbox()?.end_check_in_rule(rule)
    }

    /// The check-ins that come back.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn check_in_rules(&self) -> Result<Vec<RuleView>, BakenError> {
        self.alarm_outbox()?.check_in_rules()
    }

    /// Every check-in, the newest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn check_ins(&self) -> Result<Vec<CheckInView>, BakenError> {
        self.alarm_outbox()?.check_ins(self.context.now())
    }

    /// One check-in.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCheckIn`], and those of the disk.
    pub fn check_in(&self, check_in: AlarmId) -> Result<CheckInView, BakenError> {
        self.alarm_outbox()?.check_in(check_in, self.context.now())
    }

    /// Asks for a PIN outside a session, and leaves the note that every unlock leaves.
    fn note_pin(&self, pin: &str) -> Result<(), BakenError> {
        let duress = self.which_pin(pin)?;
        self.alarm_outbox()?.note_unlocked(duress, &self.context)
    }
}
