//! The outbox of a phone that has become another device: after a journey it is paired anew, and calls as the new one.

use baken_schemas::alarm::AlarmKind;
use baken_schemas::time::Timestamp;
use rusqlite::params;

use crate::alarm::AlarmOutbox;
use crate::alarm::outbox::{phone, pressed};
use crate::alarm::probe::{self, forget_probes};
use crate::alarm::schedule::Job;
use crate::{AlarmSetup, BakenError};

/// How long an alarm that nobody closes keeps the outbox with the device that called, in milliseconds: a week.
const MAX_OPEN_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl AlarmOutbox {
    /// Lets the outbox speak for another device. Not while something waits that the device before has signed, or one of
    /// its alarms is open: only that device is told more of it. Whether it does now.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn move_to(&self, setup: &AlarmSetup, now: Timestamp) -> Result<bool, BakenError> {
        if self.read(phone)?.device == setup.device {
            return Ok(true);
        }
        for job in self.open_jobs(now)? {
            let Job::Receipts(alarm) = job else { continue };
            let pressed_at = match self.read(|db| pressed(db, alarm)) {
                Ok((_, AlarmKind::Probe)) => continue,
                Ok((pressed_at, _)) => pressed_at,
                // A check-in that has just become an alarm.
                Err(BakenError::NoSuchAlarm) => now,
                Err(error) => return Err(error),
            };
            if now.since_ms(pressed_at) < MAX_OPEN_MS {
                return Ok(false);
            }
        }
        let moved = self.write(|tx| {
            let moved = tx.execute(
                "UPDATE phone
                 SET device = ?1, alarm_key = ?2, card_key = ?3, account = ?4, mail_cursor = 0, mail_generation = -1
                 WHERE NOT EXISTS (SELECT 1 FROM note)
                   AND NOT EXISTS (SELECT 1 FROM alarm_update WHERE stored = 0)
                   AND NOT EXISTS (SELECT 1 FROM check_in
                                   WHERE settled = 1 OR (settled = 0 AND raised = 0 AND called = x''))
                   AND NOT EXISTS (SELECT 1 FROM alarm AS a
                                   WHERE unsent = 0 AND kind <> ?5
                                     AND NOT EXISTS (SELECT 1 FROM receipt AS r
                                                     WHERE r.alarm = a.alarm AND r.by_sms = 0))",
                params![
                    setup.device.0,
                    &setup.alarm_key.to_bytes()[..],
                    setup.card_key.as_bytes(),
                    setup.account.0,
                    probe::kind()
                ],
            )?;
            if moved == 1 {
                // The device that was asked is another now.
                forget_probes(tx, None)?;
            }
            Ok(moved)
        })?;
        Ok(moved == 1)
    }
}
