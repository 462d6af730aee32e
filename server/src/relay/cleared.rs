//! Alarms that were cleared away: who brings one again is answered as the first time, and nobody is called.

use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::alarms::stored_receipt;
use crate::relay::once::Done;
use crate::relay::problem::Refusal;
use crate::relay::receipts;
use crate::store::StoreError;

/// What is left of an alarm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cleared {
    pub(super) org: OrgId,
    pub(super) device: DeviceId,
    /// Nothing of it was told to the phone.
    pub(super) quiet: bool,
    alarm: AlarmId,
    hash: Hash,
    stored_at: Timestamp,
    /// The text by which it came too, and when.
    text: Option<(Hash, Timestamp)>,
}

/// What is left of an alarm that was cleared away.
pub(super) fn find(db: &Connection, alarm: AlarmId) -> Result<Option<Cleared>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT org, device, hash, stored_at, text, text_at, quiet FROM cleared_alarm WHERE alarm = ?1",
        )?
        .query_row([alarm.0], |row| {
            let text: Vec<u8> = row.get(4)?;
            Ok(Cleared {
                org: OrgId(Hash(row.get(0)?)),
                device: DeviceId(row.get(1)?),
                quiet: row.get(6)?,
                alarm,
                hash: Hash(row.get(2)?),
                stored_at: Timestamp(row.get(3)?),
                text: Hash::from_slice(&text).zip(Some(Timestamp(row.get(5)?))),
            })
        })
        .optional()?)
}

impl Cleared {
    /// The answer to a device that brings it by data. Where it had come by text alone, any bytes of that device are it.
    pub(super) fn answer(&self, device: DeviceId, hash: Hash, keys: &DeviceKeys) -> Done {
        let only_by_text = self.text.is_some_and(|(text, _)| text == self.hash);
        self.answer_if(device == self.device && (hash == self.hash || only_by_text), hash, self.stored_at, keys)
    }

    /// The answer to who brings its text.
    pub(super) fn answer_text(&self, device: DeviceId, hash: Hash, keys: &DeviceKeys) -> Done {
        let (text, at) = self.text.unwrap_or((hash, self.stored_at));
        self.answer_if(device == self.device && hash == text, hash, at, keys)
    }

    fn answer_if(&self, is_it: bool, hash: Hash, at: Timestamp, keys: &DeviceKeys) -> Done {
        if !is_it {
            return Done { refusal: Some(Refusal::AlarmConflict), ..Done::default() };
        }
        Done { answer: stored_receipt(keys, self.alarm, hash, at).bytes().to_vec(), ..Done::default() }
    }
}

/// Keeps what is left of an alarm, once.
pub(super) fn remember(
    db: &Connection,
    (relay, alarm): (DeviceId, AlarmId),
    is_probe: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if find(db, alarm)?.is_some() {
        return Ok(());
    }
    let (hash, at, text) = db
        .prepare_cached(
            "SELECT a.hash, a.at, s.hash FROM alarm a LEFT JOIN alarm_sms s ON s.alarm = a.alarm WHERE a.alarm = ?1",
        )?
        .query_row([alarm.0], |row| {
            Ok((Hash(row.get(0)?), Timestamp(row.get(1)?), row.get::<_, Option<[u8; 32]>>(2)?.map(Hash)))
        })?;
    // By the relay's own receipt, so that it can be made again to the byte.
    let stored_at = |hash| -> Result<Timestamp, StoreError> {
        let first = receipts::own(db, alarm, hash, relay)?.into_iter().next();
        Ok(first.map_or(at, |receipt| receipt.claims().at))
    };
    let text_at = text.map(stored_at).transpose()?;
    db.prepare_cached(
        "INSERT INTO cleared_alarm (alarm, org, device, hash, stored_at, text, text_at, quiet, is_probe, at)
         SELECT alarm, org, device, hash, ?2, ?3, ?4, quiet, ?5, ?6 FROM alarm WHERE alarm = ?1",
    )?
    .execute(params![
        alarm.0,
        stored_at(hash)?.0,
        text.map(|text| text.0.to_vec()).unwrap_or_default(),
        text_at.map_or(0, |at| at.0),
        is_probe,
        now.0
    ])?;
    Ok(())
}
