//! How far each device has taken its mail: what it asks for lies behind all that it keeps. Noted in memory and written by
//! the sweep, as in `acknowledged`; what a crash takes with it only keeps mail longer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::id::DeviceId;
use rusqlite::{Connection, params};

use crate::store::StoreError;

/// The most devices noted between two sweeps; further ones are noted the next time they ask.
const MAX_NOTED: usize = 100_000;

/// What devices have taken and the disk does not know yet.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<BTreeMap<DeviceId, u64>>);

impl Taken {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device has all mail up to `cursor`, of which `newest` is the last there is. A cursor beyond that is one of before
    /// a restore, and says nothing.
    pub(super) fn note(&self, device: DeviceId, cursor: u64, newest: u64) {
        let mut all = self.lock();
        if cursor == 0 || cursor > newest || (all.len() >= MAX_NOTED && !all.contains_key(&device)) {
            return;
        }
        let noted = all.entry(device).or_insert(0);
        *noted = (*noted).max(cursor);
    }

    /// Takes out what there is to write.
    pub(super) fn take(&self) -> Vec<(DeviceId, u64)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }
}

/// The last mail there is, in whichever box.
pub(super) fn newest(db: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'mail'), 0)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Writes down what was noted. No cursor ever goes back.
pub(super) fn keep(db: &Connection, noted: &[(DeviceId, u64)]) -> Result<(), StoreError> {
    for (device, cursor) in noted {
        db.prepare_cached(
            "INSERT INTO mail_taken (device, cursor) VALUES (?1, ?2)
             ON CONFLICT (device) DO UPDATE SET cursor = max(cursor, excluded.cursor)",
        )?
        .execute(params![device.0, cursor.cast_signed()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_up_and_one_of_before_a_restore_says_nothing() {
        let (taken, device) = (Taken::default(), DeviceId([7; 16]));
        for cursor in [0, 5, 3, 11] {
            taken.note(device, cursor, 10);
        }
        assert_eq!(taken.take(), [(device, 5)]);
        assert!(taken.take().is_empty());
    }
}
