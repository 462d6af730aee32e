//! The alarm part of [`Baken`]. Never takes the vault's lock.

use std::ops::ControlFlow;
use std::sync::{Arc, MutexGuard, PoisonError};

use baken_schemas::alarm::Fix;
use baken_schemas::id::AlarmId;
use baken_schemas::org::Directory;

use crate::alarm::{AlarmOutbox, AlarmText, AlarmView, Call, IncomingView, Round};
use crate::disk;
use crate::key_store::existing_secret;
use crate::transport::Transport;
use crate::{AlarmSetup, Baken, BakenError};

/// The purpose of the key of the outbox's file.
const KEY_LABEL: &str = "baken/outbox-key/v0";

impl Baken {
    /// Calls for help: sealed and on disk when it returns, with the vault locked or not. Send it with
    /// [`Self::send_alarms`] or [`Self::follow_alarms`].
    ///
    /// # Errors
    /// See [`AlarmOutbox::press`].
    pub fn press(&self, call: &Call) -> Result<AlarmId, BakenError> {
        self.alarm_outbox()?.press(call, &self.context)
    }

    /// Adds to an alarm what is new: where the sender is now, words.
    ///
    /// # Errors
    /// See [`AlarmOutbox::update`].
    pub fn update_alarm(
        &self,
        alarm: AlarmId,
        fix: Fix,
        battery_percent: Option<u8>,
        text: &str,
    ) -> Result<(), BakenError> {
        self.alarm_outbox()?.update(alarm, fix, battery_percent, text, &self.context)
    }

    /// The text message by which an alarm can be sent where there is no data, and the number to send it to.
    ///
    /// # Errors
    /// See [`AlarmOutbox::text`].
    pub fn alarm_text(&self, alarm: AlarmId) -> Result<AlarmText, BakenError> {
        self.alarm_outbox()?.text(alarm)
    }

    /// The newest alarm that the relay does not have by data, as far as this phone knows.
    ///
    /// # Errors
    /// See [`AlarmOutbox::newest_unsent`].
    pub fn newest_unsent_alarm(&self) -> Result<AlarmId, BakenError> {
        self.alarm_outbox()?.newest_unsent()
    }

    /// Every alarm, the newest first.
    ///
    /// # Errors
    /// See [`AlarmOutbox::alarms`].
    pub fn alarms(&self) -> Result<Vec<AlarmView>, BakenError> {
        self.alarm_outbox()?.alarms(self.context.now())
    }

    /// One alarm.
    ///
    /// # Errors
    /// See [`AlarmOutbox::alarm`].
    pub fn alarm(&self, alarm: AlarmId) -> Result<AlarmView, BakenError> {
        self.alarm_outbox()?.alarm(alarm, self.context.now())
    }

    /// Every alarm of others that this device was called in, the newest first; with the vault open or locked.
    ///
    /// # Errors
    /// See [`AlarmOutbox::incoming_alarms`].
    pub fn incoming_alarms(&self) -> Result<Vec<IncomingView>, BakenError> {
        self.alarm_outbox()?.incoming_alarms(self.context.now())
    }

    /// One of them.
    ///
    /// # Errors
    /// See [`AlarmOutbox::incoming_alarm`].
    pub fn incoming_alarm(&self, alarm: AlarmId) -> Result<IncomingView, BakenError> {
        self.alarm_outbox()?.incoming_alarm(alarm, self.context.now())
    }

    /// Says that this device's holder has seen an alarm. Send it with [`Self::send_alarms`] or [`Self::follow_alarms`].
    ///
    /// # Errors
    /// See [`AlarmOutbox::acknowledge`].
    pub fn acknowledge_alarm(&self, alarm: AlarmId) -> Result<(), BakenError> {
        self.alarm_outbox()?.acknowledge(alarm, &self.context)
    }

    /// Sends an alarm of another on to the next rung. Send it as [`Self::acknowledge_alarm`].
    ///
    /// # Errors
    /// See [`AlarmOutbox::escalate`].
    pub fn escalate_alarm(&self, alarm: AlarmId, text: &str) -> Result<(), BakenError> {
        self.alarm_outbox()?.escalate(alarm, text, &self.context)
    }

    /// One round of sending and receiving; see [`AlarmOutbox::deliver`]. Carries out what other devices have ordered.
    ///
    /// # Errors
    /// [`BakenError::WipedFromAfar`], and those of the disk; the network's are in the round.
    pub async fn send_alarms(&self, transport: &dyn Transport) -> Result<Round, BakenError> {
        let round = self.alarm_outbox()?.deliver(transport, &self.context).await?;
        self.obey(&round)?;
        Ok(round)
    }

    /// Sends and listens until `tell` breaks; see [`AlarmOutbox::follow`]. Carries out what other devices have ordered.
    ///
    /// # Errors
    /// [`BakenError::WipedFromAfar`], and those of the disk.
    pub async fn follow_alarms(
        &self,
        transport: &dyn Transport,
        tell: &mut (dyn FnMut(&Round) -> ControlFlow<()> + Send),
    ) -> Result<(), BakenError> {
        let mut obeyed = Ok(());
        let mut obey_and_tell = |round: &Round| {
            obeyed = self.obey(round);
            if obeyed.is_err() { ControlFlow::Break(()) } else { tell(round) }
        };
        self.alarm_outbox()?.follow(transport, &self.context, &mut obey_and_tell).await?;
        obeyed
    }

    /// The organisation's newest directory, verified. Works with the vault locked.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], [`BakenError::VaultDamaged`].
    pub fn directory(&self) -> Result<Directory, BakenError> {
        self.alarm_outbox()?.directory()
    }

    /// Writes the alarm outbox of a newly activated or paired phone.
    ///
    /// # Errors
    /// See [`AlarmOutbox::enrol`].
    pub(crate) fn enrol_alarms(&self, setup: &AlarmSetup) -> Result<(), BakenError> {
        let key = existing_secret(self.context.key_store.as_ref())?.derive(KEY_LABEL, &[]);
        let outbox = AlarmOutbox::enrol(&self.home.outbox_database(), &key, setup)?;
        // An outbox that was opened meanwhile reads the same file.
        self.open_outbox().get_or_insert_with(|| Arc::new(outbox));
        Ok(())
    }

    /// The outbox, opened at its first use.
    ///
    /// # Errors
    /// See [`AlarmOutbox::open`].
    pub fn alarm_outbox(&self) -> Result<Arc<AlarmOutbox>, BakenError> {
        let mut open = self.open_outbox();
        if let Some(outbox) = &*open {
            return Ok(Arc::clone(outbox));
        }
        let path = self.home.outbox_database();
        if !disk::exists(&path) {
            return Err(BakenError::NotActivated);
        }
        let key = existing_secret(self.context.key_store.as_ref())?.derive(KEY_LABEL, &[]);
        let outbox = Arc::new(AlarmOutbox::open(&path, &key)?);
        *open = Some(Arc::clone(&outbox));
        Ok(outbox)
    }

    /// Closes the outbox: its file is gone.
    pub(crate) fn close_outbox(&self) {
        *self.open_outbox() = None;
    }

    fn open_outbox(&self) -> MutexGuard<'_, Option<Arc<AlarmOutbox>>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
