//! What is shown of a check-in: no more than the relay has confirmed.

use baken_schemas::id::AlarmId;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::every;
use super::store::{self, Settled, Stored};
use crate::alarm::{AlarmOutbox, Call, RefusalView};
use crate::{BakenError, Context};

/// The most check-ins of a list.
const MAX_LISTED: u32 = 1_000;
/// The longest before it is due that a person is reminded, in milliseconds.
const REMIND_MS: i64 = 10 * 60_000;
/// Of a short check-in the last quarter.
const REMIND_PART: i64 = 4;

/// How a check-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckInState {
    /// Only on this phone: nobody raises it should the phone be lost.
    NotAtRelay,
    /// At the relay, and its time has not come.
    Running,
    /// Its time is over: it is raised at the end of the grace.
    Due,
    /// Settled here, and the relay has not confirmed that it knows.
    Settling,
    /// Settled, and the relay has confirmed it.
    Settled,
    /// It is an alarm.
    Raised,
}

/// A check-in as the phone shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CheckInView {
    /// The check-in; the alarm it becomes has the same id.
    pub check_in: AlarmId,
    /// How it stands.
    pub state: CheckInState,
    /// When it was started, by this phone's clock.
    pub started_at: Timestamp,
    /// When it is to be settled by.
    pub due_at: Timestamp,
    /// When it is raised if it is not.
    pub raise_at: Timestamp,
    /// When it is raised should the phone be silent from now on; `None` when that is not before `raise_at`, or the relay
    /// does not have it.
    pub silent_raise_at: Option<Timestamp>,
    /// When it was last renewed at the relay, for sure.
    pub renewed_at: Option<Timestamp>,
    /// It was extended, and the relay still has the moment before.
    pub extension_waits: bool,
    /// The alarm that it became.
    pub alarm: Option<AlarmId>,
    /// What the desk reads when it is raised.
    pub text: String,
    /// The relay's last refusal. It is tried again all the same.
    pub refused: Option<RefusalView>,
    /// The rule that started it.
    pub rule: Option<i64>,
    /// It is another device's, settled from here.
    pub elsewhere: bool,
    /// Another device has settled it, by that device's own signature.
    pub settled_elsewhere: bool,
}

impl std::fmt::Debug for CheckInView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckInView")
            .field("check_in", &self.check_in)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Something that a person is to be told once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "news", content = "check_in")]
pub enum CheckInNews {
    /// It is due soon.
    Soon(AlarmId),
    /// It is due, and its grace runs.
    Due(AlarmId),
    /// The relay never had it, and its time is over: this phone has pressed an alarm.
    Called(AlarmId),
    /// Another device of this person has settled it.
    SettledElsewhere(AlarmId),
}

/// When a person is reminded.
fn soon_at(stored: &Stored) -> Timestamp {
    let lasts_ms = stored.due_at.since_ms(stored.started_at);
    stored.due_at.plus_ms(-(lasts_ms / REMIND_PART).clamp(0, REMIND_MS))
}

/// Milliseconds until time next does something to an open check-in.
pub(crate) fn next_news_ms(db: &Connection, now: Timestamp) -> Result<Option<i64>, BakenError> {
    let moments = store::open(db)?.into_iter().flat_map(|stored| {
        [
            (stored.told < 1).then(|| soon_at(&stored)),
            (stored.told < 2).then_some(stored.due_at),
            stored.renewed.is_none().then(|| stored.raise_at()),
        ]
    });
    Ok(moments.flatten().map(|moment| moment.since_ms(now)).filter(|wait_ms| *wait_ms > 0).min())
}

fn view(stored: Stored, now: Timestamp) -> CheckInView {
    let raise_at = stored.raise_at();
    let is_open = stored.is_open();
    let state = match (stored.settled, is_open) {
        (_, false) if stored.raised || stored.called.is_some() => CheckInState::Raised,
        (Settled::No, _) if stored.owner.is_some() => CheckInState::Settling,
        (Settled::AtRelay, _) => CheckInState::Settled,
        (Settled::Here, _) => CheckInState::Settling,
        (Settled::No, _) if stored.renewed.is_none() => CheckInState::NotAtRelay,
        (Settled::No, _) if now >= stored.due_at => CheckInState::Due,
        (Settled::No, _) => CheckInState::Running,
    };
    let silent_raise_at = stored
        .renewed
        .filter(|_| is_open)
        .map(|(at, silent_s)| at.plus_ms((i64::from(silent_s) + i64::from(stored.grace_s)) * 1000))
        .filter(|at| stored.silent_after_s.is_some() && *at < raise_at);
    let (status, code) = stored.refused;
    CheckInView {
        check_in: stored.deposit,
        state,
        started_at: stored.started_at,
        due_at: stored.due_at,
        raise_at,
        silent_raise_at,
        renewed_at: stored.renewed.map(|(at, _)| at),
        extension_waits: is_open && stored.renewed.is_some() && !stored.due_known,
        // What another device started is an alarm of that one.
        alarm: stored.called.or((stored.raised && stored.owner.is_none()).then_some(stored.deposit)),
        elsewhere: stored.owner.is_some(),
        settled_elsewhere: stored.settled_by.is_some(),
        text: stored.text,
        refused: (status != 0).then_some(RefusalView { status, code }),
        rule: (stored.rule != 0).then_some(stored.rule),
    }
}

impl AlarmOutbox {
    /// Every check-in, the newest first, at most 1,000.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], and those of the disk.
    pub fn check_ins(&self, now: Timestamp) -> Result<Vec<CheckInView>, BakenError> {
        let stored = self.read(|db| store::all(db, MAX_LISTED))?;
        Ok(stored.into_iter().map(|stored| view(stored, now)).collect())
    }

    /// One check-in.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCheckIn`], [`BakenError::VaultDamaged`], and those of the disk.
    pub fn check_in(&self, check_in: AlarmId, now: Timestamp) -> Result<CheckInView, BakenError> {
        Ok(view(self.read(|db| store::find(db, check_in))?, now))
    }

    /// What time does to check-ins, whether or not there is a network: starts those of rules, presses an alarm for one
    /// that the relay never had, and says what a person is to be told. Part of every round.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn keep_check_ins(&self, context: &Context) -> Result<Vec<CheckInNews>, BakenError> {
        let now = context.now();
        if self.read(|db| Ok(db.prepare_cached("SELECT 1 FROM check_in_rule")?.exists([])?))? {
            self.write(|tx| every::start_due(tx, context))?;
        }
        let mut news = Vec::new();
        for stored in self.read(store::open)? {
            if stored.renewed.is_none() && now >= stored.raise_at() {
                let call = Call {
                    kind: baken_schemas::alarm::AlarmKind::Missed,
                    fix: stored.fix,
                    battery_percent: stored.battery_percent,
                    text: stored.text,
                    countdown_s: 0,
                };
                let set = "UPDATE check_in SET called = ?2 WHERE deposit = ?1 AND settled = 0 AND raised = 0";
                let deposit = stored.deposit;
                let pressed =
                    self.press_with(&call, context, |tx, alarm| Ok(tx.execute(set, params![deposit.0, alarm.0])? > 0));
                match pressed {
                    Ok((_, true)) => news.push(CheckInNews::Called(deposit)),
                    // Another process has, or nobody could be called: a directory may come that says whom.
                    Ok((_, false)) | Err(BakenError::NoLadder | BakenError::Format(_)) => {}
                    Err(error) => return Err(error),
                }
                continue;
            }
            let due = if now >= stored.due_at {
                2
            } else if now >= soon_at(&stored) {
                1
            } else {
                0
            };
            if due > stored.told {
                self.write(|tx| {
                    tx.execute("UPDATE check_in SET told = ?2 WHERE deposit = ?1", params![stored.deposit.0, due])?;
                    Ok(())
                })?;
                news.push(if due == 2 { CheckInNews::Due(stored.deposit) } else { CheckInNews::Soon(stored.deposit) });
            }
        }
        Ok(news)
    }
}
