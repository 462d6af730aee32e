//! The ladder: who is called when. What an alarm climbs is written down with it, so a crash, a new directory or a
//! restart changes nothing; a deadline is a row, and whoever ticks after it is due raises it.
//!
//! A ladder stops when a human has the alarm (`seen` or later, by a responder's own signature) and nowhere else; it goes
//! on when nothing follows on that ([`crate::relay::follow_up`]). Whoever was handed it can send it on: the next rung is
//! called at once, and the climb goes on until somebody there has it. One that runs out tells everybody on it, with the
//! relay's signature.

use std::future::Future;
use std::time::Duration;

use baken_schemas::alarm::{Receipt, ReceiptState};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::{OrgId, Rung};
use baken_schemas::signed::{Signed, hash_of};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::task::JoinHandle;

use crate::audit;
use crate::relay::Relay;
use crate::relay::mail;
use crate::relay::problem::Refusal;
use crate::relay::receipts::{self, put_receipt};
use crate::relay::wakes::Topic;
use crate::store::{Priority, StoreError};

/// The most ladders raised in one transaction.
const RAISED_AT_ONCE: u32 = 256;
/// The ticker looks at least this often, since the clock may jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);
/// How often what has expired is cleared away, and desks are looked for.
const SWEEP_EVERY_MS: i64 = 60_000;

/// A new alarm, in the form in which it came.
pub(super) struct Called {
    pub(super) alarm: AlarmId,
    pub(super) org: OrgId,
    pub(super) form: (MailKind, i64),
}

/// Writes a new alarm's ladder down and calls the first rung. Who is to be woken.
pub(super) fn start(
    db: &Connection,
    called: &Called,
    rungs: &[Rung],
    now: Timestamp,
) -> Result<Vec<Topic>, StoreError> {
    let alarm = called.alarm;
    for (number, rung) in (0_u32..).zip(rungs) {
        let responders: Vec<u8> = rung.responders.iter().flat_map(|responder| responder.0).collect();
        db.prepare_cached("INSERT INTO ladder_rung (alarm, rung, responders, wait_ms) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![alarm.0, number, responders, i64::from(rung.wait_s) * 1000])?;
    }
    let Some(first) = rungs.first() else { return Ok(Vec::new()) };
    let wait_ms = i64::from(first.wait_s) * 1000;
    db.prepare_cached("INSERT INTO ladder_run (alarm, rung, due_at, wait_ms, fence) VALUES (?1, 0, ?2, ?3, 0)")?
        .execute(params![alarm.0, now.plus_ms(wait_ms).0, wait_ms])?;
    // Nobody has it yet, and there is nothing else of it: what `hand_over` looks up is known here.
    let mut wakes = Vec::with_capacity(first.responders.len());
    for responder in &first.responders {
        let first_time = db
            .prepare_cached(
                "INSERT INTO handed (alarm, responder, rung, at) VALUES (?1, ?2, 0, ?3)
                 ON CONFLICT (alarm, responder) DO NOTHING",
            )?
            .execute(params![alarm.0, responder.0, now.0])?;
        if first_time > 0 {
            let (kind, document) = called.form;
            wakes.push(mail::put(db, (called.org, *responder), kind, document, now)?);
        }
    }
    Ok(wakes)
}

/// Ends the climb; whether it still went on.
fn stop(db: &Connection, alarm: AlarmId) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("DELETE FROM ladder_run WHERE alarm = ?1")?.execute([alarm.0])? > 0)
}

/// Goes on waiting at the rung that was called last, where no climb goes on.
pub(super) fn resume(db: &Connection, alarm: AlarmId, now: Timestamp) -> Result<(), StoreError> {
    let last = last_called(db, alarm)?;
    let Some(rung) = rung_of(db, alarm, last)? else { return Ok(()) };
    db.prepare_cached(
        "INSERT OR IGNORE INTO ladder_run (alarm, rung, due_at, wait_ms, fence) VALUES (?1, ?2, ?3, ?4, 0)",
    )?
    .execute(params![alarm.0, last, now.plus_ms(rung.wait_ms).0, rung.wait_ms])?;
    Ok(())
}

/// Climbs on at once, from the rung that was called last. Who is to be woken.
pub(super) fn climb_on(
    db: &Connection,
    keys: &DeviceKeys,
    alarm: AlarmId,
    now: Timestamp,
) -> Result<Vec<Topic>, StoreError> {
    resume(db, alarm, now)?;
    let run = db
        .prepare_cached("SELECT rung, wait_ms FROM ladder_run WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok(Run { alarm, rung: row.get(0)?, due_at: now, wait_ms: row.get(1)? }))
        .optional()?;
    run.map_or_else(|| Ok(Vec::new()), |run| raise(db, keys, &run, now))
}

fn last_called(db: &Connection, alarm: AlarmId) -> Result<u32, StoreError> {
    let last: Option<u32> =
        db.prepare_cached("SELECT max(rung) FROM handed WHERE alarm = ?1")?.query_row([alarm.0], |row| row.get(0))?;
    Ok(last.unwrap_or_default())
}

/// A human has the alarm: ends the climb, and says whether it still went on. Where it was sent on, it ends only when
/// somebody who was called by that, or later, has it; or when it is over.
pub(super) fn stop_for(db: &Connection, receipt: &Receipt) -> Result<bool, StoreError> {
    let stops = receipt.state == ReceiptState::Closed || {
        let called_by_that = "SELECT 1 FROM handed h JOIN alarm a ON a.alarm = h.alarm
                              WHERE h.alarm = ?1 AND h.responder = ?2 AND h.rung >= a.escalated_to";
        db.prepare_cached(called_by_that)?.exists(params![receipt.alarm.0, receipt.by.0])?
    };
    Ok(stops && stop(db, receipt.alarm)?)
}

/// Calls the rung above the highest that was called, whether the ladder still climbs or a human has stopped it. Who is
/// to be woken; `None` when there is none higher.
pub(super) fn escalate(db: &Connection, alarm: AlarmId, now: Timestamp) -> Result<Option<Vec<Topic>>, StoreError> {
    let highest: u32 = db
        .prepare_cached(
            "SELECT max(coalesce((SELECT rung FROM ladder_run WHERE alarm = ?1), 0),
                        coalesce((SELECT max(rung) FROM handed WHERE alarm = ?1), 0))",
        )?
        .query_row([alarm.0], |row| row.get(0))?;
    let next = highest + 1;
    let Some(rung) = rung_of(db, alarm, next)? else { return Ok(None) };
    db.prepare_cached(
        "INSERT INTO ladder_run (alarm, rung, due_at, wait_ms, fence) VALUES (?1, ?2, ?3, ?4, 0)
         ON CONFLICT (alarm) DO UPDATE SET
             rung = excluded.rung, due_at = excluded.due_at, wait_ms = excluded.wait_ms, fence = fence + 1",
    )?
    .execute(params![alarm.0, next, now.plus_ms(rung.wait_ms).0, rung.wait_ms])?;
    db.prepare_cached("UPDATE alarm SET escalated_to = ?2 WHERE alarm = ?1")?.execute(params![alarm.0, next])?;
    hand_over(db, alarm, next, &rung.responders, now).map(Some)
}

/// Hands an alarm over to a desk that is not on its ladder. Who is to be woken.
pub(super) fn hand_on(db: &Connection, alarm: AlarmId, to: DeviceId, now: Timestamp) -> Result<Vec<Topic>, StoreError> {
    hand_over(db, alarm, last_called(db, alarm)?, &[to], now)
}

struct StoredRung {
    responders: Vec<DeviceId>,
    wait_ms: i64,
}

fn rung_of(db: &Connection, alarm: AlarmId, rung: u32) -> Result<Option<StoredRung>, StoreError> {
    let row = db
        .prepare_cached("SELECT responders, wait_ms FROM ladder_rung WHERE alarm = ?1 AND rung = ?2")?
        .query_row(params![alarm.0, rung], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.map(|(responders, wait_ms)| StoredRung {
        responders: responders.chunks_exact(DeviceId::LEN).filter_map(DeviceId::from_slice).collect(),
        wait_ms,
    }))
}

/// Whether nothing of an alarm is told to the phone.
pub(super) fn is_quiet(db: &Connection, alarm: AlarmId) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT quiet FROM alarm WHERE alarm = ?1")?.query_row([alarm.0], |row| row.get(0))?)
}

/// Everybody who was handed an alarm.
pub(super) fn handed(db: &Connection, alarm: AlarmId) -> Result<Vec<DeviceId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT responder FROM handed WHERE alarm = ?1")?;
    let rows = statement.query_map([alarm.0], |row| row.get(0).map(DeviceId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The organisation of an alarm.
pub(super) fn org_of(db: &Connection, alarm: AlarmId) -> Result<OrgId, StoreError> {
    Ok(db
        .prepare_cached("SELECT org FROM alarm WHERE alarm = ?1")?
        .query_row([alarm.0], |row| row.get(0).map(|org| OrgId(Hash(org))))?)
}

/// Puts an alarm, and what belongs to it so far, into the mailboxes of those who do not have it yet.
fn hand_over(
    db: &Connection,
    alarm: AlarmId,
    rung: u32,
    responders: &[DeviceId],
    now: Timestamp,
) -> Result<Vec<Topic>, StoreError> {
    let (org, document, by_text) = db
        .prepare_cached(
            "SELECT a.org, a.document, s.document FROM alarm a LEFT JOIN alarm_sms s ON s.alarm = a.alarm
             WHERE a.alarm = ?1",
        )?
        .query_row([alarm.0], |row| {
            Ok((OrgId(Hash(row.get(0)?)), row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
    // Each form in which it came, once.
    let forms =
        [(MailKind::Alarm, Some(document).filter(|document| by_text != Some(*document))), (MailKind::Sms, by_text)];
    let mut wakes = Vec::new();
    for responder in responders {
        let has_it = db
            .prepare_cached("SELECT 1 FROM handed WHERE alarm = ?1 AND responder = ?2")?
            .exists(params![alarm.0, responder.0])?;
        // Called again it is not handed it twice, but counts among those who were called this far up.
        db.prepare_cached(
            "INSERT INTO handed (alarm, responder, rung, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (alarm, responder) DO UPDATE SET rung = max(rung, excluded.rung)",
        )?
        .execute(params![alarm.0, responder.0, rung, now.0])?;
        if has_it {
            continue;
        }
        let to = (org, *responder);
        for (kind, document) in forms {
            if let Some(document) = document {
                wakes.push(mail::put(db, to, kind, document, now)?);
            }
        }
        if rung > 0 || handed(db, alarm)?.len() > responders.len() {
            for (kind, document) in since_pressed(db, alarm)? {
                mail::put(db, to, kind, document, now)?;
            }
        }
    }
    Ok(wakes)
}

/// Updates, responders' receipts, and how an alarm was passed on so far, for who is called later.
fn since_pressed(db: &Connection, alarm: AlarmId) -> Result<Vec<(MailKind, i64)>, StoreError> {
    let mut found = Vec::new();
    for (kind, sql) in [
        (MailKind::Update, "SELECT document FROM alarm_update WHERE alarm = ?1 ORDER BY seq"),
        (MailKind::Receipt, "SELECT document FROM receipt WHERE alarm = ?1 ORDER BY place"),
        (MailKind::Escalation, "SELECT document FROM escalation WHERE alarm = ?1 ORDER BY place"),
        (MailKind::HandingOn, "SELECT document FROM handing_on WHERE alarm = ?1 ORDER BY place"),
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([alarm.0])?;
        while let Some(row) = rows.next()? {
            found.push((kind, row.get(0)?));
        }
    }
    Ok(found)
}

/// A ladder that goes on.
struct Run {
    alarm: AlarmId,
    rung: u32,
    due_at: Timestamp,
    wait_ms: i64,
}

/// Each half by an index of its own: the ticker asks this all the time, and as one condition it read every ladder that
/// climbs. No row is in both.
const DUE: &str = "SELECT alarm, rung, due_at, wait_ms FROM ladder_run INDEXED BY ladder_run_due
     WHERE due_at <= ?1
     UNION ALL SELECT alarm, rung, due_at, wait_ms FROM ladder_run INDEXED BY ladder_run_since
     WHERE due_at - wait_ms > ?1
     ORDER BY due_at LIMIT ?2";

/// Ladders whose wait is over, and those due later than their whole wait from now: the clock was set back, and a
/// person must not wait for it to catch up.
fn due(db: &Connection, now: Timestamp) -> Result<Vec<Run>, StoreError> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows = statement.query_map(params![now.0, RAISED_AT_ONCE], |row| {
        Ok(Run { alarm: AlarmId(row.get(0)?), rung: row.get(1)?, due_at: Timestamp(row.get(2)?), wait_ms: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn next_due(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = db.prepare_cached("SELECT min(due_at) FROM ladder_run")?.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp))
}

fn raise(db: &Connection, keys: &DeviceKeys, run: &Run, now: Timestamp) -> Result<Vec<Topic>, StoreError> {
    let climb = "UPDATE ladder_run SET rung = ?2, due_at = ?3, wait_ms = ?4, fence = fence + 1 WHERE alarm = ?1";
    if run.due_at > now {
        db.prepare_cached(climb)?.execute(params![run.alarm.0, run.rung, now.plus_ms(run.wait_ms).0, run.wait_ms])?;
        return Ok(Vec::new());
    }
    let next = run.rung + 1;
    let Some(rung) = rung_of(db, run.alarm, next)? else {
        return run_out(db, keys, run.alarm, now);
    };
    db.prepare_cached(climb)?.execute(params![run.alarm.0, next, now.plus_ms(rung.wait_ms).0, rung.wait_ms])?;
    audit::append_for(db, now, keys.device, "ladder_climbed", &run.alarm, &format!("rung_{next}"))?;
    hand_over(db, run.alarm, next, &rung.responders, now)
}

/// Nobody has acknowledged: the phone and everybody on the ladder are told.
fn run_out(db: &Connection, keys: &DeviceKeys, alarm: AlarmId, now: Timestamp) -> Result<Vec<Topic>, StoreError> {
    stop(db, alarm)?;
    let (org, device, alarm_hash) = db
        .prepare_cached("SELECT org, device, hash FROM alarm WHERE alarm = ?1")?
        .query_row([alarm.0], |row| Ok((OrgId(Hash(row.get(0)?)), DeviceId(row.get(1)?), Hash(row.get(2)?))))?;
    let before = receipts::own(db, alarm, alarm_hash, keys.device)?.pop().ok_or(StoreError::Damaged)?;
    let prev = hash_of(before.bytes());
    let state = ReceiptState::Exhausted;
    let receipt = Receipt { alarm, alarm_hash, state, at: now, by: keys.device, prev, detail: Vec::new() };
    let document = put_receipt(db, &Signed::make(receipt, &keys.sig), now)?;
    audit::append_for(db, now, keys.device, "ladder_exhausted", &alarm, "ok")?;
    let phone = if is_quiet(db, alarm)? { None } else { Some(device) };
    let told = handed(db, alarm)?.into_iter().chain(phone);
    told.map(|recipient| mail::put(db, (org, recipient), MailKind::Receipt, document, now)).collect()
}

impl Relay {
    /// Raises every deposit and every ladder that is due at `now`, and calls out again what nothing followed on. Gives the moment at which the next one is.
    ///
    /// # Errors
    /// When the store does not take it; nothing is lost, the next tick tries again.
    pub async fn tick(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.tick_by(&|| now).await
    }

    /// [`Relay::tick`] by a clock that goes on meanwhile.
    async fn tick_by(&self, clock: &(dyn Fn() -> Timestamp + Sync)) -> Result<Option<Timestamp>, StoreError> {
        let deposits = self.tick_deposits(clock).await;
        let now = clock();
        // Whatever keeps deposits from being raised keeps no ladder from climbing.
        let follow_ups = self.tick_follow_ups(now).await?;
        let ladders = self.tick_ladders(now).await?;
        Ok([deposits?, follow_ups, ladders].into_iter().flatten().min())
    }

    async fn tick_ladders(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
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
                    for run in due(db, now)? {
                        wakes.extend(raise(db, &keys, &run, now)?);
                    }
                    Ok::<_, StoreError>(wakes)
                })
                .await?;
            self.wakes().wake(&wakes);
        }
    }

    /// Raises ladders as they fall due, and clears away what has expired, until `stop` is done.
    pub async fn run_ticker(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut sooner = self.deadlines().hear();
        let mut tended = Timestamp(i64::MIN);
        // Beside the ticker: clearing away a day's probes takes a while, in which nothing would be raised.
        let mut sweeping: Option<JoinHandle<()>> = None;
        loop {
            let now = self.now();
            self.pulse().beat(now);
            self.deadlines().look();
            let sleep = match self.tick_by(&|| self.now()).await {
                Ok(Some(next)) => {
                    // Looking took time.
                    let wait = u64::try_from(next.since_ms(self.now())).unwrap_or(0);
                    Duration::from_millis(wait).min(LONGEST_SLEEP)
                }
                Ok(None) => LONGEST_SLEEP,
                Err(error) => {
                    tracing::error!(event = "tick_failed", cause = ?error);
                    LONGEST_SLEEP
                }
            };
            if now.since_ms(tended).abs() >= SWEEP_EVERY_MS {
                tended = now;
                if let Err(error) = self.watch_desks(now).await {
                    tracing::error!(event = "desks_not_watched", cause = ?error);
                }
                if sweeping.as_ref().is_none_or(JoinHandle::is_finished) {
                    let relay = self.clone();
                    sweeping = Some(tokio::spawn(async move {
                        if let Err(error) = relay.sweep(now).await {
                            tracing::warn!(event = "sweep_failed", cause = ?Refusal::from(error));
                        }
                    }));
                }
            }
            self.deadlines().sleep_until(self.now().plus_ms(i64::try_from(sleep.as_millis()).unwrap_or(i64::MAX)));
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(sleep) => {}
                _ = sooner.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::SCHEMA;

    #[test]
    fn what_is_due_is_found_without_reading_every_ladder() {
        let db = Connection::open_in_memory().unwrap();
        SCHEMA.migrations.iter().for_each(|script| db.execute_batch(script).unwrap());
        for sql in [DUE, crate::relay::follow_up::DUE] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.query_map(params![0, 1], |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
            assert_eq!(steps.iter().filter(|step| step.starts_with("SEARCH")).count(), 2, "{steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
        }
    }
}
