//! What must follow once somebody has seen an alarm: a desk that acknowledged and then went silent holds nobody up for
//! good. Each time a human takes the alarm a deadline is written down; a receipt that says more takes it away. When it
//! passes, the relay says `reopened` in its own name, to the phone and to everybody who was handed the alarm, and calls
//! the next rung.
//!
//! Family can say no more than that they have seen it. So where nobody else does, a desk is called after that wait, and hears
//! that they have; from then on only who was called by that, or later, ends the climb.
//!
//! A desk reopens sooner by itself, and says so with a receipt of its own: then the ladder goes on from the rung that was
//! called last.

use baken_schemas::alarm::{Receipt, ReceiptState, standing};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::OrgId;
use baken_schemas::signed::{Signed, Unverified, hash_of};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};

use crate::audit;
use crate::relay::receipts::{self, put_receipt};
use crate::relay::wakes::Topic;
use crate::relay::{Relay, ladder, mail};
use crate::store::{Priority, StoreError};

/// The most alarms reopened in one transaction.
const REOPENED_AT_ONCE: u32 = 256;
/// The most receipts of one alarm that are looked through.
const MAX_RECEIPTS: u32 = 10_000;

/// Takes note of a receipt that was just kept: what it means for the ladder and for what must follow within `wait_ms`.
/// Whether it stopped a ladder.
pub(super) fn note(
    db: &Connection,
    receipt: &Receipt,
    (by_family, wait_ms): (bool, i64),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let alarm = receipt.alarm;
    match stands(db, alarm)? {
        standing if by_family => {
            if standing == Some(ReceiptState::Seen) {
                expect_of_family(db, alarm, wait_ms, now)?;
            }
            ladder::stop_for(db, receipt)
        }
        Some(ReceiptState::Seen) => {
            expect(db, alarm, wait_ms, now)?;
            ladder::stop_for(db, receipt)
        }
        Some(ReceiptState::Reopened) => {
            forget(db, alarm)?;
            ladder::resume(db, alarm, now)?;
            Ok(false)
        }
        Some(state) if state.is_by_human() => {
            forget(db, alarm)?;
            ladder::stop_for(db, receipt)
        }
        _ => Ok(false),
    }
}

/// What was only seen so far has the whole wait from now on: it was handed on to who did not have it before.
pub(super) fn prolong(db: &Connection, alarm: AlarmId, wait_ms: i64, now: Timestamp) -> Result<(), StoreError> {
    match stands(db, alarm)? {
        Some(ReceiptState::Seen) => expect(db, alarm, wait_ms, now),
        _ => Ok(()),
    }
}

/// From now on something must follow within `wait_ms`.
fn expect(db: &Connection, alarm: AlarmId, wait_ms: i64, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO follow_up (alarm, due_at, wait_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![alarm.0, now.plus_ms(wait_ms).0, wait_ms])?;
    Ok(())
}

/// The same where family has seen it. Nothing that they say again puts off what was due.
fn expect_of_family(db: &Connection, alarm: AlarmId, wait_ms: i64, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO follow_up (alarm, due_at, wait_ms, by_family) VALUES (?1, ?2, ?3, 1)";
    db.prepare_cached(sql)?.execute(params![alarm.0, now.plus_ms(wait_ms).0, wait_ms])?;
    Ok(())
}

fn forget(db: &Connection, alarm: AlarmId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM follow_up WHERE alarm = ?1")?.execute([alarm.0])?;
    Ok(())
}

/// How far an alarm stands by everybody's receipts.
fn stands(db: &Connection, alarm: AlarmId) -> Result<Option<ReceiptState>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT d.bytes FROM receipt r JOIN document d ON d.document = r.document
         WHERE r.alarm = ?1 ORDER BY r.place LIMIT ?2",
    )?;
    let rows = statement.query_map(params![alarm.0, MAX_RECEIPTS], |row| row.get::<_, Vec<u8>>(0))?;
    let mut found = Vec::new();
    for bytes in rows {
        let bytes = bytes?;
        let receipt = Unverified::<Receipt>::parse(&bytes).map_err(|_| StoreError::Damaged)?;
        found.push((hash_of(&bytes), receipt.claims().clone()));
    }
    let borrowed: Vec<(Hash, &Receipt)> = found.iter().map(|(hash, receipt)| (*hash, receipt)).collect();
    Ok(standing(&borrowed))
}

struct Overdue {
    alarm: AlarmId,
    due_at: Timestamp,
    wait_ms: i64,
    by_family: bool,
}

/// Each half by an index of its own.
pub(super) const DUE: &str = "SELECT alarm, due_at, wait_ms, by_family FROM follow_up INDEXED BY follow_up_due WHERE due_at <= ?1
     UNION ALL SELECT alarm, due_at, wait_ms, by_family FROM follow_up INDEXED BY follow_up_since WHERE due_at - wait_ms > ?1
     ORDER BY due_at LIMIT ?2";

/// What is due, and what is due later than its whole wait from now, since the clock was set back.
fn due(db: &Connection, now: Timestamp) -> Result<Vec<Overdue>, StoreError> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows = statement.query_map(params![now.0, REOPENED_AT_ONCE], |row| {
        let (alarm, due_at) = (AlarmId(row.get(0)?), Timestamp(row.get(1)?));
        Ok(Overdue { alarm, due_at, wait_ms: row.get(2)?, by_family: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn next_due(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = db.prepare_cached("SELECT min(due_at) FROM follow_up")?.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp))
}

fn reopen(db: &Connection, keys: &DeviceKeys, overdue: &Overdue, now: Timestamp) -> Result<Vec<Topic>, StoreError> {
    let alarm = overdue.alarm;
    if overdue.due_at > now {
        let set_back = "UPDATE follow_up SET due_at = ?2 WHERE alarm = ?1";
        db.prepare_cached(set_back)?.execute(params![alarm.0, now.plus_ms(overdue.wait_ms).0])?;
        return Ok(Vec::new());
    }
    forget(db, alarm)?;
    let (org, device, alarm_hash) = db
        .prepare_cached("SELECT org, device, hash FROM alarm WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok((OrgId(Hash(row.get(0)?)), DeviceId(row.get(1)?), Hash(row.get(2)?))))?;
    let before = receipts::own(db, alarm, alarm_hash, keys.device)?.pop().ok_or(StoreError::Damaged)?;
    let receipt = Receipt {
        alarm,
        alarm_hash,
        state: ReceiptState::Reopened,
        at: now,
        by: keys.device,
        prev: hash_of(before.bytes()),
        detail: Vec::new(),
    };
    let document = put_receipt(db, &Signed::make(receipt, &keys.sig), now)?;
    audit::append_for(db, now, keys.device, "alarm_reopened", &alarm, "ok")?;
    let phone = if ladder::is_quiet(db, alarm)? { None } else { Some(device) };
    let told = ladder::handed(db, alarm)?.into_iter().chain(phone);
    let mut wakes = told
        .map(|recipient| mail::put(db, (org, recipient), MailKind::Receipt, document, now))
        .collect::<Result<Vec<_>, _>>()?;
    let escalated = if overdue.by_family { ladder::escalate(db, alarm, now)? } else { None };
    wakes.extend(match escalated {
        Some(called) => called,
        None => ladder::climb_on(db, keys, alarm, now)?,
    });
    Ok(wakes)
}

impl Relay {
    /// Calls out again what nothing followed on. Gives the moment at which the next is due.
    pub(super) async fn tick_follow_ups(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let (any, next) =
                self.store().read(|db| Ok::<_, StoreError>((!due(db, now)?.is_empty(), next_due(db)?)))?;
            if !any {
                return Ok(next);
            }
            let keys = self.keys();
            let wakes: Vec<Topic> = self
                .store()
                .write(Priority::Alarm, move |db| {
                    let mut wakes = Vec::new();
                    for overdue in due(db, now)? {
                        wakes.extend(reopen(db, &keys, &overdue, now)?);
                    }
                    Ok::<_, StoreError>(wakes)
                })
                .await?;
            self.wakes().wake(&wakes);
        }
    }
}
