//! How far each member has the entries of its circles: what it asks for lies behind all that it keeps. Noted in memory
//! and written by the sweep, so that no read waits for a write; what a crash takes with it only keeps entries longer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::relay::standing::Standing;
use crate::store::StoreError;

/// How old the last sign of life on disk must be for another to be written.
const SEEN_EVERY_MS: i64 = 24 * 60 * 60 * 1000;
/// The most members noted between two sweeps; further ones are noted the next time they ask.
const MAX_NOTED: usize = 100_000;

/// How far one member has the entries, and when it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) circle: CircleId,
    pub(super) device: DeviceId,
    cursor: u64,
    at: Timestamp,
}

/// What members have acknowledged and the disk does not know yet.
#[derive(Debug, Default)]
pub(super) struct Acknowledged(Mutex<BTreeMap<(CircleId, DeviceId), (u64, Timestamp)>>);

impl Acknowledged {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(CircleId, DeviceId), (u64, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A member asks for what lies behind `cursor`; nothing is noted that the disk knows already.
    pub(super) fn note(
        &self,
        (circle, device): (CircleId, DeviceId),
        standing: &Standing,
        cursor: u64,
        now: Timestamp,
    ) {
        if cursor <= standing.acknowledged && now.since_ms(standing.seen_at) < SEEN_EVERY_MS {
            return;
        }
        self.put_back([Noted { circle, device, cursor, at: now }]);
    }

    /// How far a member has come by what is noted here; 0 when nothing is.
    pub(super) fn of(&self, circle: CircleId, device: DeviceId) -> u64 {
        self.lock().get(&(circle, device)).map_or(0, |(cursor, _)| *cursor)
    }

    /// Takes out what there is to write.
    pub(super) fn take(&self) -> Vec<Noted> {
        let noted = std::mem::take(&mut *self.lock());
        noted.into_iter().map(|((circle, device), (cursor, at))| Noted { circle, device, cursor, at }).collect()
    }

    /// Notes again what could not be written.
    pub(super) fn put_back(&self, unwritten: impl IntoIterator<Item = Noted>) {
        let mut all = self.lock();
        for noted in unwritten {
            let key = (noted.circle, noted.device);
            if all.len() >= MAX_NOTED && !all.contains_key(&key) {
                continue;
            }
            let (cursor, at) = all.entry(key).or_insert((0, noted.at));
            (*cursor, *at) = ((*cursor).max(noted.cursor), (*at).max(noted.at));
        }
    }
}

/// Writes down what was noted. Neither cursor nor moment ever goes back.
pub(super) fn keep(db: &Connection, noted: &[Noted]) -> Result<(), StoreError> {
    for Noted { circle, device, cursor, at } in noted {
        db.prepare_cached(
            "UPDATE member SET acknowledged = max(acknowledged, ?3), seen_at = max(seen_at, ?4)
             WHERE circle = ?1 AND device = ?2",
        )?
        .execute(params![circle.0, device.0, cursor, at.0])?;
    }
    Ok(())
}
