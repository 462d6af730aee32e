//! Raising deposits: a timer has run out, or a desk asks for it. What was raised is an alarm like any other, with the
//! receipt `stored` and a ladder that climbs.
//!
//! A deadline is a row, and the row that says "raised" is written in the transaction that makes the alarm: whatever
//! crashes when, a deposit is raised once.
//!
//! The relay's own clock is not believed either. The last moment at which deposits were looked after is kept
//! (`deposit_clock`): when the clock was set back since, every deadline goes back with it, so that nobody waits for it to
//! catch up; and when much time has passed, nobody could renew anything meanwhile, and what is due waits for as long as
//! that took, at most ten minutes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use baken_schemas::FormatError;
use baken_schemas::alarm::{DepositState, Raise, Receipt};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AccountId, AlarmId, DeviceId, LadderId};
use baken_schemas::org::{OrgId, Rung};
use baken_schemas::signed::{Document as _, Signed, Unverified};
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::audit;
use crate::relay::auth::BySig;
use crate::relay::ladder::{self, Called};
use crate::relay::once::{Answer, Done};
use crate::relay::problem::Refusal;
use crate::relay::receipts::put_receipt;
use crate::relay::wakes::Topic;
use crate::relay::{Relay, alarms, family, mail};
use crate::store::{Priority, StoreError};

/// The most deposits raised in one transaction. Their ids are random, so a page of the log serves more of them the more go
/// together: ten thousand due in a second came a second late with 512, and 0.2 s with this. An alarm that is pressed meanwhile
/// waits for a tenth of a second (27 November 2026).
const RAISED_AT_ONCE: usize = 2048;
/// The most transactions before the ladders have their turn.
const MOST_TURNS: u32 = 64;
/// How often it is written down that deposits are looked after.
const KEEP_TIME_EVERY_MS: i64 = 10_000;
/// After how long without it nobody could renew. The ticker looks every two seconds.
const OUTAGE_MS: i64 = 30_000;
/// The longest that what is due waits after an outage.
const LONGEST_HOLD_MS: i64 = 10 * 60_000;

/// How a deposit stands, by its row.
pub(super) fn state_of(number: u8) -> DepositState {
    match number {
        0 => DepositState::Ready,
        1 => DepositState::Settled,
        _ => DepositState::Raised,
    }
}

/// When deposits were last looked after, and until when none is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watch {
    at: Timestamp,
    held_until: Timestamp,
}

fn watch(db: &Connection) -> Result<Option<Watch>, StoreError> {
    Ok(db
        .prepare_cached("SELECT at, held_until FROM deposit_clock")?
        .query_row([], |row| Ok(Watch { at: Timestamp(row.get(0)?), held_until: Timestamp(row.get(1)?) }))
        .optional()?)
}

fn is_time_to_keep(watch: Option<Watch>, now: Timestamp) -> bool {
    watch.is_none_or(|watch| !(0..KEEP_TIME_EVERY_MS).contains(&now.since_ms(watch.at)))
}

/// Writes down that deposits are looked after at `now`, and makes good what happened to the clock since the last time.
/// Comes before every other write about deadlines.
pub(super) fn keep_time(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let last = watch(db)?;
    if !is_time_to_keep(last, now) {
        return Ok(());
    }
    let mut held_until = last.map_or(now, |last| last.held_until);
    let any_ready = next(db)?.is_some();
    if let Some(last) = last.filter(|_| any_ready) {
        let passed = now.since_ms(last.at);
        if passed < 0 {
            db.prepare_cached("UPDATE deposit SET due_at = due_at + ?1, unheard_at = unheard_at + ?1 WHERE state = 0")?
                .execute([passed])?;
            held_until = held_until.plus_ms(passed);
        } else if passed > OUTAGE_MS && last.held_until <= last.at {
            // One that follows while this still waits for the last prolongs nothing: a relay that goes on falling over
            // would never raise anything.
            held_until = now.plus_ms(passed.min(LONGEST_HOLD_MS));
        }
    }
    db.prepare_cached("INSERT OR REPLACE INTO deposit_clock (one, at, held_until) VALUES (1, ?1, ?2)")?
        .execute(params![now.0, held_until.0])?;
    Ok(())
}

/// When the next deposit is to be raised.
fn next(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> =
        db.prepare_cached("SELECT min(raise_at) FROM deposit WHERE state = 0")?.query_row([], |row| row.get(0))?;
    Ok(next.map(Timestamp))
}

/// What raising needs of a deposit.
struct Stored {
    deposit: AlarmId,
    org: OrgId,
    account: AccountId,
    device: DeviceId,
    sealed: Hash,
    document: i64,
    ladder: (LadderId, u32),
    slots: Vec<u8>,
}

impl Stored {
    /// The ids in its slots.
    fn sealed_to(&self) -> Vec<DeviceId> {
        self.slots.chunks_exact(DeviceId::LEN).filter_map(DeviceId::from_slice).collect()
    }
}

const COLUMNS: &str = "deposit, org, account, device, sealed, document, ladder, ladder_version, slots";

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        deposit: AlarmId(row.get(0)?),
        org: OrgId(Hash(row.get(1)?)),
        account: AccountId(row.get(2)?),
        device: DeviceId(row.get(3)?),
        sealed: Hash(row.get(4)?),
        document: row.get(5)?,
        ladder: (LadderId(row.get(6)?), row.get(7)?),
        slots: row.get(8)?,
    })
}

/// Deposits that are due, in the order in which they were.
fn due(db: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deposit WHERE state = 0 AND raise_at <= ?1 ORDER BY raise_at LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now.0, limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is ready to be written: a deposit that is due, the ladder it climbs, and the receipt that says it is stored.
struct Prepared {
    stored: Stored,
    rungs: Arc<[Rung]>,
    receipt: Signed<Receipt>,
}

/// Why a deposit is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// A timer ran out.
    ItsTime,
    /// A desk asks for it: somebody is under duress.
    TheDeskAsks,
}

/// Whether a deposit under this id waits or was settled: its id is no other alarm's.
pub(super) fn is_deposit(db: &Connection, id: AlarmId) -> Result<bool, StoreError> {
    let waits = "SELECT 1 FROM deposit WHERE deposit = ?1 AND state <> 2";
    Ok(db.prepare_cached(waits)?.exists([id.0])?)
}

/// Makes an alarm of a deposit, if it still is to be one. Who is to be woken.
fn raise(
    db: &Connection,
    relay: DeviceId,
    (stored, rungs, receipt): (&Stored, &[Rung], &Signed<Receipt>),
    because: Because,
    now: Timestamp,
) -> Result<Vec<Topic>, StoreError> {
    // Renewed, settled or raised by another meanwhile, it is left alone.
    let claim = match because {
        Because::ItsTime => {
            "UPDATE deposit SET state = 2, at = ?2 WHERE deposit = ?1 AND state = 0 AND raise_at <= ?2 AND sealed = ?3"
        }
        Because::TheDeskAsks => {
            "UPDATE deposit SET state = 2, at = ?2 WHERE deposit = ?1 AND state <> 2 AND sealed = ?3"
        }
    };
    let claimed = db.prepare_cached(claim)?.execute(params![stored.deposit.0, now.0, stored.sealed.0])?;
    if claimed == 0 {
        return Ok(Vec::new());
    }
    let quiet = because == Because::TheDeskAsks;
    let is_new = db
        .prepare_cached(
            "INSERT INTO alarm (alarm, org, account, device, hash, document, at, quiet, standing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1) ON CONFLICT (alarm) DO NOTHING",
        )?
        .execute(params![
            stored.deposit.0,
            stored.org.0.0,
            stored.account.0,
            stored.device.0,
            stored.sealed.0,
            stored.document,
            now.0,
            quiet
        ])?;
    if is_new == 0 {
        // An alarm was handed in under this id before the deposit was: it rings already, and must not stop the others.
        audit::append_for(db, now, relay, "deposit_raised", &stored.deposit, "alarm_conflict")?;
        return Ok(Vec::new());
    }
    let document = put_receipt(db, receipt, now)?;
    let called = Called { alarm: stored.deposit, org: stored.org, form: (MailKind::Alarm, stored.document) };
    let mut wakes = ladder::start(db, &called, rungs, now)?;
    if !quiet {
        wakes.push(mail::put(db, (stored.org, stored.device), MailKind::Receipt, document, now)?);
    }
    let result = if quiet { "desk_asked" } else { "ok" };
    audit::append_for(db, now, relay, "deposit_raised", &stored.deposit, result)?;
    Ok(wakes)
}

impl Relay {
    /// Raises every deposit that is due by `clock`. Gives the moment at which the next one is.
    pub(super) async fn tick_deposits(
        &self,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut turns = 0;
        loop {
            let now = clock();
            let (next, watch) = self.store().read(|db| Ok::<_, StoreError>((next(db)?, watch(db)?)))?;
            let Some(next) = next else { return Ok(None) };
            if is_time_to_keep(watch, now) {
                self.store().write(Priority::Alarm, move |db| keep_time(db, now)).await?;
                continue;
            }
            let held_until = watch.map_or(now, |watch| watch.held_until);
            if next > now || held_until > now || turns >= MOST_TURNS {
                return Ok(Some(next.max(held_until)));
            }
            let mut batch = self.prepare(now, HashSet::new()).await?;
            while !batch.is_empty() {
                // The next ones are read and signed while these are on their way to the disk.
                let under_way = batch.iter().map(|prepared| prepared.stored.deposit).collect();
                let (raised, following) =
                    tokio::join!(self.raise_all(batch, clock()), self.prepare(clock(), under_way));
                raised?;
                batch = following?;
                turns += 1;
                if turns >= MOST_TURNS {
                    // Prepared and not written, they are simply prepared again.
                    break;
                }
            }
        }
    }

    async fn raise_all(&self, batch: Vec<Prepared>, now: Timestamp) -> Result<(), StoreError> {
        let relay = self.keys().device;
        let wakes: Vec<Topic> = self
            .store()
            .write(Priority::Alarm, move |db| {
                let mut wakes = Vec::with_capacity(2 * batch.len());
                for Prepared { stored, rungs, receipt } in &batch {
                    wakes.extend(raise(db, relay, (stored, rungs, receipt), Because::ItsTime, now)?);
                }
                Ok::<_, StoreError>(wakes)
            })
            .await?;
        self.wakes().wake(&wakes);
        Ok(())
    }

    /// Deposits that are due and not under way already, each with its ladder and its receipt, in the order in which they were.
    async fn prepare(&self, now: Timestamp, under_way: HashSet<AlarmId>) -> Result<Vec<Prepared>, StoreError> {
        let relay = self.clone();
        let keys = self.keys();
        self.store()
            .read_page(move |db| {
                let mut due = due(db, now, RAISED_AT_ONCE + under_way.len())?;
                due.retain(|stored| !under_way.contains(&stored.deposit));
                let mut named: HashMap<_, Arc<[Rung]>> = HashMap::new();
                let mut prepared = Vec::with_capacity(due.len());
                for stored in due {
                    let family = family::among(db, stored.account, &stored.sealed_to())?;
                    let key = (stored.org, stored.ladder.0, stored.ladder.1, family);
                    let rungs = match named.get(&key) {
                        Some(rungs) => Arc::clone(rungs),
                        None => {
                            let climb = relay.climb_of(&stored, &key.3).map_err(into_store_error)?;
                            let rungs: Arc<[Rung]> = climb.rungs.into();
                            if climb.known {
                                named.insert(key, Arc::clone(&rungs));
                            }
                            rungs
                        }
                    };
                    let receipt = alarms::stored_receipt(&keys, stored.deposit, stored.sealed, now);
                    prepared.push(Prepared { stored, rungs, receipt });
                }
                Ok::<_, StoreError>(prepared)
            })
            .await
    }

    fn climb_of(&self, stored: &Stored, family: &[DeviceId]) -> Result<alarms::Climb, Refusal> {
        alarms::climb(self, stored.org, stored.ladder, (&stored.sealed_to(), family))
    }
}

/// An organisation that a deposit was taken for always has a directory.
fn into_store_error(refusal: Refusal) -> StoreError {
    match refusal {
        Refusal::Store(error) => error,
        _ => StoreError::Damaged,
    }
}

/// `POST /v0/raises`.
pub(super) async fn post(State(relay): State<Relay>, request: BySig) -> Response {
    take(&relay, request).await.map_or_else(|refusal| refusal.into_response(), Answer::into_response)
}

async fn take(relay: &Relay, request: BySig) -> Result<Answer, Refusal> {
    let desk = request.caller.desk()?.clone();
    let unverified = Unverified::<Raise>::parse(&request.body)?;
    if unverified.claims().desk != desk.desk {
        return Err(FormatError::Signature { what: Raise::LABEL }.into());
    }
    let asked = unverified.verify(&desk.sig)?.into_value();
    let find = move |db: &Connection| -> Result<Option<Stored>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM deposit WHERE deposit = ?1");
        Ok(db.prepare_cached(&sql)?.query_row([asked.deposit.0], read).optional()?)
    };
    // Any desk that its organisation vouches for: the one that watches it may not be first any more, or gone, by the
    // directory of the device that settled it. What was settled a day ago is gone.
    let there = |stored: &Stored| desk.orgs.contains(&stored.org) && stored.document > 0;
    let stored = relay.store().read(find)?.filter(there).ok_or(Refusal::NotFound)?;
    // Somebody is under duress: who is at home may be the threat, and is not told.
    let rungs = relay.climb_of(&stored, &[])?.rungs;
    let (now, keys) = (relay.now(), relay.keys());
    let raised = relay
        .once(request.write, Priority::Alarm, move |db| {
            // A renewal that came in between: this is the newest form.
            let stored = find(db)?.ok_or(Refusal::NotFound)?;
            let receipt = alarms::stored_receipt(&keys, stored.deposit, stored.sealed, now);
            Ok(Done::waking(raise(db, keys.device, (&stored, &rungs, &receipt), Because::TheDeskAsks, now)?))
        })
        .await?;
    relay.deadlines().changed();
    Ok(raised)
}
