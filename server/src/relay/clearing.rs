//! Clearing away what is over: probes once they are answered, alarms some days after they were closed, with all that
//! belongs to them. Never one that is open, and nothing that somebody has still to take from a mailbox.
//!
//! The relay cannot tell a probe by looking at it. It is told afterwards: a desk's machine closed it, without a word of an
//! officer, and no human ever had it.
//!
//! In steps of a bounded number of rows, so that nothing waits for it.

use std::sync::{Mutex, PoisonError};

use baken_schemas::alarm::{Receipt, ReceiptState};
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::signed::Unverified;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::relay::{Relay, cleared};
use crate::store::{Priority, StoreError};

/// How long a probe stays after it was answered, in milliseconds: for desks that are called second, and phones that ask late.
const PROBE_KEPT_MS: i64 = 60 * 60 * 1000;
/// The most alarms looked at in one step.
const STEP_ALARMS: u32 = 64;
/// The most rows cleared in one step.
const STEP_ROWS: u32 = 1_000;
/// The most chunks of files cleared in one step: 4 MiB, which `secure_delete` overwrites.
const STEP_CHUNKS: usize = 16;
/// The most steps in one sweep, a minute: more than ten thousand phones' probes.
const STEPS: usize = 64;

/// How an alarm stands, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its receipts were not looked at yet.
    Unread = 0,
    /// Nobody has it.
    Open = 1,
    /// A human has it.
    Held = 2,
    /// It is over.
    Closed = 3,
    /// A machine closed it, and no human had it.
    Probe = 4,
}

impl Standing {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Unread,
            1 => Self::Open,
            2 => Self::Held,
            4 => Self::Probe,
            _ => Self::Closed,
        }
    }

    /// How it stands once a desk has said this of it.
    fn after(self, receipt: &Receipt) -> Self {
        let by_machine = receipt.detail.is_empty();
        match (self, receipt.state) {
            (Self::Closed, _) | (Self::Held, ReceiptState::Closed) => Self::Closed,
            (Self::Probe, state) if state.is_by_human() && (state != ReceiptState::Closed || !by_machine) => {
                Self::Closed
            }
            (Self::Unread | Self::Open, ReceiptState::Closed) => {
                if by_machine {
                    Self::Probe
                } else {
                    Self::Closed
                }
            }
            (Self::Unread | Self::Open, state) if state.is_by_human() => Self::Held,
            (Self::Unread, _) => Self::Open,
            (standing, _) => standing,
        }
    }
}

/// Notes what a receipt, kept already, says of its alarm; how the alarm stands now.
pub(super) fn note(db: &Connection, receipt: &Receipt, now: Timestamp) -> Result<Standing, StoreError> {
    let alarm = receipt.alarm;
    let number: u8 =
        db.prepare_cached("SELECT standing FROM alarm WHERE alarm = ?1")?.query_row([alarm.0], |row| row.get(0))?;
    match Standing::of(number) {
        Standing::Unread => read(db, alarm),
        standing => {
            let after = standing.after(receipt);
            put(db, alarm, after, now)?;
            Ok(after)
        }
    }
}

fn put(db: &Connection, alarm: AlarmId, standing: Standing, now: Timestamp) -> Result<(), StoreError> {
    let closed_at = if matches!(standing, Standing::Closed | Standing::Probe) { now.0 } else { 0 };
    db.prepare_cached(
        "UPDATE alarm SET standing = ?2, closed_at = CASE closed_at WHEN 0 THEN ?3 ELSE closed_at END WHERE alarm = ?1",
    )?
    .execute(params![alarm.0, standing as u8, closed_at])?;
    Ok(())
}

/// Learns from its receipts how an alarm stands that came before that was kept.
fn read(db: &Connection, alarm: AlarmId) -> Result<Standing, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT d.bytes, r.at FROM receipt r JOIN document d ON d.document = r.document
         WHERE r.alarm = ?1 ORDER BY r.place",
    )?;
    let mut rows = statement.query([alarm.0])?;
    let (mut standing, mut since) = (Standing::Open, Timestamp(0));
    while let Some(row) = rows.next()? {
        let (bytes, at): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        // Each was verified when it was stored.
        let receipt = Unverified::<Receipt>::parse(&bytes).map_err(|_| StoreError::Damaged)?;
        let after = standing.after(receipt.claims());
        if after != standing {
            (standing, since) = (after, Timestamp(at));
        }
    }
    put(db, alarm, standing, since)?;
    Ok(standing)
}

fn read_some(db: &Connection) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT alarm FROM alarm WHERE standing = 0 LIMIT ?1")?;
    let alarms: Vec<AlarmId> =
        statement.query_map([STEP_ALARMS], |row| row.get(0).map(AlarmId))?.collect::<Result<_, _>>()?;
    alarms.into_iter().try_for_each(|alarm| read(db, alarm).map(drop))
}

/// Where a sweep has come to among the alarms that are over, so that those which somebody has still to take keep none
/// behind them from being cleared: by when they were closed, and by their row.
type Place = (i64, i64);

/// The places among probes and among alarms.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<[Place; 2]>);

impl Places {
    fn of(&self, standing: Standing) -> Place {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if standing == Standing::Probe { places[0] } else { places[1] }
    }

    fn put(&self, standing: Standing, place: Place) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places[usize::from(standing != Standing::Probe)] = place;
    }
}

impl Relay {
    /// Clears away what is over by `now`.
    pub(super) async fn clear_alarms(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store().write(Priority::Normal, read_some).await?;
        let relay = self.keys().device;
        let kept = [(Standing::Probe, PROBE_KEPT_MS), (Standing::Closed, self.options().closed_kept_ms)];
        for (standing, kept_ms) in kept {
            let until = now.plus_ms(-kept_ms);
            for _ in 0..STEPS {
                let after = self.places().of(standing);
                let step = move |db: &Connection| clear_step(db, relay, (standing, until, after), now);
                let next = self.store().write(Priority::Normal, step).await?;
                self.places().put(standing, next.unwrap_or_default());
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// One step; where the next begins, `None` when it came to the end.
fn clear_step(
    db: &Connection,
    relay: DeviceId,
    (standing, until, after): (Standing, Timestamp, Place),
    now: Timestamp,
) -> Result<Option<Place>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT alarm, closed_at, rowid FROM alarm
         WHERE standing = ?1 AND closed_at <= ?2 AND (closed_at, rowid) > (?3, ?4) ORDER BY closed_at, rowid LIMIT ?5",
    )?;
    let over: Vec<(AlarmId, Place)> = statement
        .query_map(params![standing as u8, until.0, after.0, after.1, STEP_ALARMS], |row| {
            Ok((AlarmId(row.get(0)?), (row.get(1)?, row.get(2)?)))
        })?
        .collect::<Result<_, _>>()?;
    let (mut place, mut rows_left) = (after, STEP_ROWS);
    for (alarm, its_place) in over {
        if is_taken(db, alarm)? {
            cleared::remember(db, (relay, alarm), standing == Standing::Probe, now)?;
            if !clear(db, alarm, &mut rows_left)? {
                return Ok(Some(place));
            }
        }
        place = its_place;
    }
    Ok((place != after).then_some(place))
}

/// Whether everybody has taken from their mailbox what there is of an alarm.
fn is_taken(db: &Connection, alarm: AlarmId) -> Result<bool, StoreError> {
    let waits: bool = db
        .prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM (
                     SELECT document FROM alarm WHERE alarm = ?1
                     UNION ALL SELECT document FROM alarm_sms WHERE alarm = ?1
                     UNION ALL SELECT document FROM alarm_update WHERE alarm = ?1
                     UNION ALL SELECT document FROM escalation WHERE alarm = ?1
                     UNION ALL SELECT document FROM handing_on WHERE alarm = ?1
                     UNION ALL SELECT document FROM receipt WHERE alarm = ?1) AS of_it
                 CROSS JOIN mail m ON m.document = of_it.document
                 LEFT JOIN mail_taken t ON t.device = m.recipient
                 WHERE m.cursor > coalesce(t.cursor, 0))",
        )?
        .query_row([alarm.0], |row| row.get(0))?;
    Ok(!waits)
}

/// Clears an alarm with all that belongs to it; `false` when there are more rows than may go at once, and it stays.
fn clear(db: &Connection, alarm: AlarmId, rows_left: &mut u32) -> Result<bool, StoreError> {
    let chunks = db
        .prepare_cached(
            "DELETE FROM alarm_chunk WHERE rowid IN (SELECT rowid FROM alarm_chunk WHERE alarm = ?1 LIMIT ?2)",
        )?
        .execute(params![alarm.0, STEP_CHUNKS])?;
    if chunks == STEP_CHUNKS {
        return Ok(false);
    }
    for (table, place) in
        [("alarm_update", "seq"), ("receipt", "place"), ("escalation", "place"), ("handing_on", "place")]
    {
        let mut statement =
            db.prepare_cached(&format!("SELECT {place}, document FROM {table} WHERE alarm = ?1 LIMIT ?2"))?;
        let rows: Vec<(i64, i64)> = statement
            .query_map(params![alarm.0, *rows_left], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (row, document) in rows {
            db.prepare_cached(&format!("DELETE FROM {table} WHERE alarm = ?1 AND {place} = ?2"))?
                .execute(params![alarm.0, row])?;
            forget_document(db, document)?;
            *rows_left = rows_left.saturating_sub(1);
        }
        if *rows_left == 0 {
            return Ok(false);
        }
    }
    let mut statement = db.prepare_cached(
        "SELECT document FROM alarm WHERE alarm = ?1 UNION SELECT document FROM alarm_sms WHERE alarm = ?1",
    )?;
    let documents: Vec<i64> = statement.query_map([alarm.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in ["alarm_conflict", "alarm_sms", "follow_up", "handed", "ladder_rung", "ladder_run", "alarm"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE alarm = ?1"))?.execute([alarm.0])?;
    }
    db.prepare_cached("DELETE FROM deposit WHERE deposit = ?1")?.execute([alarm.0])?;
    *rows_left = rows_left.saturating_sub(1);
    documents.into_iter().try_for_each(|document| forget_document(db, document))?;
    Ok(true)
}

fn forget_document(db: &Connection, document: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM mail WHERE document = ?1")?.execute([document])?;
    db.prepare_cached("DELETE FROM document WHERE document = ?1")?.execute([document])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use baken_schemas::crypto::Hash;
    use proptest::prelude::*;

    fn receipt(state: ReceiptState, detail: Vec<u8>) -> Receipt {
        let (alarm, by) = (AlarmId([1; 16]), DeviceId([2; 16]));
        Receipt { alarm, alarm_hash: Hash::ZERO, state, at: Timestamp(0), by, prev: Hash::ZERO, detail }
    }

    const STATES: [ReceiptState; 6] = [
        ReceiptState::Received,
        ReceiptState::Exhausted,
        ReceiptState::Seen,
        ReceiptState::Verified,
        ReceiptState::Underway,
        ReceiptState::Closed,
    ];

    proptest! {
        #[test]
        fn only_what_no_human_ever_had_is_a_probe_and_nothing_opens_again(
            said in prop::collection::vec((0..STATES.len(), any::<bool>()), 0..12)
        ) {
            let (mut standing, mut by_human, mut closed) = (Standing::Open, false, false);
            for (state, with_detail) in said {
                let state = STATES[state];
                by_human |= state.is_by_human() && (state != ReceiptState::Closed || with_detail);
                closed |= state == ReceiptState::Closed;
                standing = standing.after(&receipt(state, vec![1; usize::from(with_detail)]));
                prop_assert_eq!(matches!(standing, Standing::Closed | Standing::Probe), closed);
                prop_assert_eq!(standing == Standing::Probe, closed && !by_human);
            }
        }
    }
}
