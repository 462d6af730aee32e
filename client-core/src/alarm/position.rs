//! Where the sender is, by itself, while an alarm is open. What knows the place is passed in: a phone's receiver, a
//! command in a terminal.

use std::time::Duration;

use async_trait::async_trait;
use baken_schemas::alarm::{Fix, Position, Update, UpdateBody};
use baken_schemas::id::AlarmId;
use rusqlite::{Connection, params};

use crate::alarm::outbox::{insert_update, last_update, phone, sealed};
use crate::alarm::{AlarmOutbox, probe, view};
use crate::timer;
use crate::{Baken, BakenError, Context};

/// How often the place is asked for.
const EVERY: Duration = Duration::from_secs(10);
/// How long it may take to be known. What comes later is older than the next.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long after it was pressed an alarm is followed by positions, in milliseconds: the relay takes 10,000 updates.
const REPORTED_MS: i64 = 24 * 60 * 60 * 1000;
/// The most alarms that are followed by positions at a time, the newest.
const REPORTED_ALARMS: u32 = 8;

/// What knows where this phone is.
#[async_trait]
pub trait Locator: Send + Sync {
    /// Where it is now, and the battery in per cent; `None` when that is not known. Asked again in ten seconds.
    async fn locate(&self) -> Option<(Position, Option<u8>)>;
}

impl Baken {
    /// Adds to every open alarm where the sender is, each ten seconds, without end; one who stands still too, since that
    /// says that the phone still speaks. Run it beside [`Baken::follow_alarms`], which sends. May be cancelled anywhere.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn report_positions(&self, locator: &dyn Locator) -> Result<(), BakenError> {
        let outbox = self.alarm_outbox()?;
        loop {
            if !outbox.open_alarms(&self.context)?.is_empty() {
                let located = timer::timeout(PATIENCE, locator.locate()).await;
                if let Ok(Some((position, battery_percent))) = located {
                    outbox.report(position, battery_percent, &self.context)?;
                }
            }
            timer::sleep(EVERY).await;
        }
    }
}

impl AlarmOutbox {
    /// Seals where the sender is for those who have an open alarm. A position that was not sent yet gives way to it, so
    /// that hours without network leave one to send and not a thousand.
    pub(super) fn report(
        &self,
        position: Position,
        battery_percent: Option<u8>,
        context: &Context,
    ) -> Result<(), BakenError> {
        let phone = self.read(phone)?;
        let made_at = context.now();
        for alarm in self.open_alarms(context)? {
            self.write(|tx| {
                let (_, content) = sealed(tx, alarm)?;
                let seq = last_update(tx, alarm)?.saturating_add(1);
                let (fix, text) = (Fix::At(position), String::new());
                let body = UpdateBody { fix, battery_percent, text, made_at, attachment: None };
                let place = (alarm, phone.device, seq);
                let update = context.with_rng(|rng| Update::seal(place, &body, &content, &phone.alarm_key, rng))?;
                insert_update(tx, &update)?;
                // The new one first: its number comes after theirs, and no number is ever used twice.
                tx.execute(
                    "DELETE FROM alarm_update WHERE alarm = ?1 AND stored = 0 AND by_itself = 1 AND seq < ?2",
                    params![alarm.0, seq.cast_signed()],
                )?;
                tx.execute(
                    "UPDATE alarm_update SET by_itself = 1 WHERE alarm = ?1 AND seq = ?2",
                    params![alarm.0, seq.cast_signed()],
                )?;
                Ok(())
            })?;
        }
        self.bell.notify_one();
        Ok(())
    }

    /// Alarms that a person is to be found by: pressed within the last day, and not closed.
    fn open_alarms(&self, context: &Context) -> Result<Vec<AlarmId>, BakenError> {
        let now = context.now();
        self.read(|db| {
            let mut open = recent(db, now.plus_ms(-REPORTED_MS).0)?;
            open.retain(|alarm| view::is_closed(db, *alarm).is_ok_and(|closed| !closed));
            Ok(open)
        })
    }
}

fn recent(db: &Connection, since: i64) -> Result<Vec<AlarmId>, BakenError> {
    let mut statement = db.prepare_cached(
        "SELECT alarm FROM alarm WHERE pressed_at > ?1 AND kind <> ?2 AND unsent = 0 ORDER BY seq DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![since, probe::kind(), REPORTED_ALARMS], |row| row.get(0).map(AlarmId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
