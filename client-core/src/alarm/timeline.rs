//! The timeline of an alarm, to keep or hand on: see [`Timeline`].

use baken_schemas::alarm::Timeline;
use baken_schemas::id::AlarmId;
use rusqlite::Connection;

use crate::alarm::AlarmOutbox;
use crate::alarm::outbox::{phone, sealed};
use crate::alarm::sms::sealed_text;
use crate::{Baken, BakenError};

impl Baken {
    /// What this device can prove of one of its alarms, with the vault locked or not. With `readable` the file holds the
    /// key that opens it: position, words and officers' names are then for everybody's eyes who gets it.
    ///
    /// # Errors
    /// [`BakenError::NoSuchAlarm`]; [`BakenError::NoTimeline`] of a check-in that became an alarm, of which only its desk
    /// has what was raised; and those of the disk.
    pub fn alarm_timeline(&self, alarm: AlarmId, readable: bool) -> Result<Timeline, BakenError> {
        self.alarm_outbox()?.timeline(alarm, readable)
    }
}

impl AlarmOutbox {
    fn timeline(&self, alarm: AlarmId, readable: bool) -> Result<Timeline, BakenError> {
        self.read(|db| {
            let sender = phone(db)?.alarm_key.verify_key();
            let (_, content) = sealed(db, alarm)?;
            let directory: Vec<u8> = db.query_row("SELECT directory FROM phone", [], |row| row.get(0))?;
            let document: Vec<u8> =
                db.query_row("SELECT document FROM alarm WHERE alarm = ?1", [alarm.0], |row| row.get(0))?;
            if document.is_empty() {
                return Err(BakenError::NoTimeline);
            }
            let mut timeline = Timeline::new(&directory, sender, &document, readable.then_some(&content));
            timeline.updates = documents(db, "SELECT document FROM alarm_update WHERE alarm = ?1 ORDER BY seq", alarm)?;
            let family: Vec<u8> =
                db.query_row("SELECT family FROM alarm WHERE alarm = ?1", [alarm.0], |row| row.get(0))?;
            timeline.family = (!family.is_empty()).then(|| family.into());
            timeline.text = sealed_text(db, alarm)?.map(|(hash, _)| hash);
            timeline.receipts = documents(db, "SELECT document FROM receipt WHERE alarm = ?1 ORDER BY seq", alarm)?;
            let handed_on = documents(db, "SELECT document FROM handing_on WHERE alarm = ?1 ORDER BY seq", alarm)?;
            timeline.handings_on = Some(handed_on).filter(|handed_on: &Vec<_>| !handed_on.is_empty());
            Ok(timeline)
        })
    }
}

fn documents<T: From<Vec<u8>>>(db: &Connection, sql: &str, alarm: AlarmId) -> Result<Vec<T>, BakenError> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([alarm.0], |row| row.get::<_, Vec<u8>>(0))?;
    Ok(rows.map(|row| row.map(T::from)).collect::<Result<_, _>>()?)
}
