//! Check-ins that come back: "every evening at 23:00". The phone starts the next one when it runs, as soon as the last is
//! over, so that it lies at the relay long before its time.

use baken_schemas::alarm::{Fix, FixAbsent, MAX_TIMER_S, MIN_TIMER_S};
use baken_schemas::id::AlarmId;
use baken_schemas::local_time::WallTime;
use baken_schemas::time::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use super::start::{NewCheckIn, check_terms, insert};
use super::store;
use crate::alarm::AlarmOutbox;
use crate::alarm::is_closed;
use crate::{BakenError, Context};

/// The most rules.
const MAX_RULES: u32 = 16;

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// These days, 0 for Monday to 6 for Sunday; `None` when there is none or there is no such day.
    pub fn of(days: &[u8]) -> Option<Self> {
        let bits = days.iter().try_fold(0, |bits, day| (*day < 7).then_some(bits | 1 << day))?;
        Self::from_bits(bits)
    }

    fn from_bits(bits: u8) -> Option<Self> {
        (1..=Self::ALL.0).contains(&bits).then_some(Self(bits))
    }

    /// The days, 0 for Monday to 6 for Sunday.
    pub fn days(self) -> Vec<u8> {
        (0..7).filter(|day| self.has(*day)).collect()
    }

    fn has(self, day: u8) -> bool {
        self.0 >> day & 1 == 1
    }
}

/// A check-in that comes back, as a person sets it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rule {
    /// On which days it is due.
    pub weekdays: Weekdays,
    /// At what time of day, in minutes since midnight on a clock in the Netherlands.
    pub minute: u16,
    /// As of a check-in.
    pub grace_s: u32,
    /// As of a check-in.
    pub silent_after_s: Option<u32>,
    /// As of a check-in.
    pub text: String,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rule(…)")
    }
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// Its number.
    pub rule: i64,
    /// Days, 0 for Monday to 6 for Sunday.
    pub weekdays: Vec<u8>,
    /// Minutes since midnight.
    pub minute: u16,
    /// Grace in seconds.
    pub grace_s: u32,
    /// Allowed silence in seconds.
    pub silent_after_s: Option<u32>,
    /// The check-in that it keeps running now.
    pub running: Option<AlarmId>,
}

/// The first moment after `after` at which a rule is due, at least a minute from `now`. Within seven days there is one.
fn next_due(weekdays: Weekdays, minute: u16, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let earliest = now.plus_ms(i64::from(MIN_TIMER_S) * 1000).max(after.plus_ms(1));
    let today = WallTime::of(earliest).day;
    (today..=today + 8)
        .map(|day| WallTime { day, minute })
        .filter(|wall| weekdays.has(wall.weekday()))
        .map(WallTime::moment)
        .find(|moment| *moment >= earliest)
}

struct Stored {
    rule: i64,
    weekdays: Weekdays,
    minute: u16,
    grace_s: u32,
    silent_after_s: Option<u32>,
    text: String,
    last_due_at: Timestamp,
}

fn rules(db: &Connection) -> Result<Vec<Stored>, BakenError> {
    let mut statement = db.prepare_cached(
        "SELECT rule, weekdays, minute, grace_s, silent_after_s, text, last_due_at FROM check_in_rule ORDER BY rule",
    )?;
    let rows = statement.query_map([], |row| {
        let silent: u32 = row.get(4)?;
        Ok(Stored {
            rule: row.get(0)?,
            weekdays: Weekdays::from_bits(row.get(1)?).unwrap_or(Weekdays::ALL),
            minute: row.get(2)?,
            grace_s: row.get(3)?,
            silent_after_s: (silent > 0).then_some(silent),
            text: row.get(5)?,
            last_due_at: Timestamp(row.get(6)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The check-in of a rule that is not over: not settled, and its alarm, if it became one, not closed by a desk.
fn running(db: &Connection, rule: i64) -> Result<Option<AlarmId>, BakenError> {
    let of_rule = store::all(db, u32::MAX)?.into_iter().filter(|stored| stored.rule == rule);
    for stored in of_rule.filter(|stored| stored.settled == store::Settled::No) {
        let alarm = stored.called.or(stored.raised.then_some(stored.deposit));
        let over = match alarm {
            Some(alarm) => is_closed(db, alarm)?,
            None => false,
        };
        if !over {
            return Ok(Some(stored.deposit));
        }
    }
    Ok(None)
}

/// Starts the next check-in of every rule that has none running. Whether there was any.
pub(super) fn start_due(tx: &Transaction<'_>, context: &Context) -> Result<bool, BakenError> {
    let now = context.now();
    let mut any = false;
    for rule in rules(tx)? {
        if running(tx, rule.rule)?.is_some() {
            continue;
        }
        let Some(due_at) = next_due(rule.weekdays, rule.minute, rule.last_due_at, now) else { continue };
        // A clock that was set back by years finds the last one far ahead: then it counts from now.
        let week_ms = i64::from(MAX_TIMER_S) * 1000;
        let due_at = if due_at.since_ms(now) <= week_ms {
            due_at
        } else {
            match next_due(rule.weekdays, rule.minute, now, now) {
                Some(due_at) if due_at.since_ms(now) <= week_ms => due_at,
                _ => continue,
            }
        };
        let new = NewCheckIn {
            due_at,
            grace_s: rule.grace_s,
            silent_after_s: rule.silent_after_s,
            text: rule.text,
            fix: Fix::Absent(FixAbsent::NotYet),
            battery_percent: None,
        };
        match insert(tx, &new, rule.rule, context) {
            Ok(_) => {}
            // It waits for another one to be over.
            Err(BakenError::TooManyCheckIns) => continue,
            Err(error) => return Err(error),
        }
        tx.execute("UPDATE check_in_rule SET last_due_at = ?2 WHERE rule = ?1", params![rule.rule, due_at.0])?;
        any = true;
    }
    Ok(any)
}

impl AlarmOutbox {
    /// Keeps a rule, and starts its first check-in.
    ///
    /// # Errors
    /// [`BakenError::CheckInTime`] for a time of day that there is not, and as for a check-in;
    /// [`BakenError::TooManyCheckIns`], and those of the disk.
    pub fn add_check_in_rule(&self, rule: &Rule, context: &Context) -> Result<i64, BakenError> {
        check_terms(rule.silent_after_s, rule.grace_s, &rule.text)?;
        if rule.minute >= 24 * 60 {
            return Err(BakenError::CheckInTime);
        }
        let number = self.write(|tx| {
            if rules(tx)?.len() >= MAX_RULES as usize {
                return Err(BakenError::TooManyCheckIns);
            }
            tx.execute(
                "INSERT INTO check_in_rule (weekdays, minute, grace_s, silent_after_s, text, last_due_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    rule.weekdays.0,
                    rule.minute,
                    rule.grace_s,
                    rule.silent_after_s.unwrap_or(0),
                    rule.text,
                    context.now().0
                ],
            )?;
            let number = tx.last_insert_rowid();
            start_due(tx, context)?;
            Ok(number)
        })?;
        self.hurry();
        Ok(number)
    }

    /// Ends a rule. A check-in that it has started goes on until it is settled.
    ///
    /// # Errors
    /// [`BakenError::NoSuchCheckIn`], and those of the disk.
    pub fn end_check_in_rule(&self, rule: i64) -> Result<(), BakenError> {
        self.write(|tx| match tx.execute("DELETE FROM check_in_rule WHERE rule = ?1", [rule])? {
            0 => Err(BakenError::NoSuchCheckIn),
            _ => Ok(()),
        })
    }

    /// The rules.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn check_in_rules(&self) -> Result<Vec<RuleView>, BakenError> {
        self.read(|db| {
            let view = |rule: Stored| {
                Ok(RuleView {
                    rule: rule.rule,
                    weekdays: rule.weekdays.days(),
                    minute: rule.minute,
                    grace_s: rule.grace_s,
                    silent_after_s: rule.silent_after_s,
                    running: running(db, rule.rule)?,
                })
            };
            rules(db)?.into_iter().map(view).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn the_next_one_is_the_next_day_on_the_list_in_local_time() {
        // Monday 23 November 2026, 21:23 local.
        let now = Timestamp(1_795_465_407_000);
        let next = |weekdays, minute| next_due(weekdays, minute, now, now).map(Timestamp::to_rfc3339);
        assert_eq!(next(Weekdays::ALL, 23 * 60).as_deref(), Some("2026-11-23T22:00:00Z"));
        assert_eq!(next(Weekdays::ALL, 21 * 60).as_deref(), Some("2026-11-24T20:00:00Z"));
        assert_eq!(next(Weekdays::of(&[6]).unwrap_or(Weekdays::ALL), 0).as_deref(), Some("2026-11-28T23:00:00Z"));
        assert_eq!(next(Weekdays::of(&[0]).unwrap_or(Weekdays::ALL), 60).as_deref(), Some("2026-11-30T00:00:00Z"));
        assert_eq!((Weekdays::of(&[]), Weekdays::of(&[7])), (None, None));
    }

    #[test]
    fn twenty_three_oclock_stays_twenty_three_oclock_when_the_clock_is_moved() {
        // The evenings around both nights of 2026.
        for (first, hours) in [("2026-03-28T22:00:00Z", 23), ("2026-10-24T21:00:00Z", 25)] {
            let start = Timestamp(if hours == 23 { 1_774_735_200_000 } else { 1_792_875_600_000 });
            assert_eq!(start.to_rfc3339(), first);
            let next = next_due(Weekdays::ALL, 23 * 60, start, start);
            assert_eq!(next, Some(start.plus_ms(hours * HOUR_MS)));
        }
    }

    #[test]
    fn there_is_one_within_a_week_whatever_the_minute() {
        let start = Timestamp(1_774_735_200_000);
        for hour in 0..24 * 9 {
            let now = start.plus_ms(hour * HOUR_MS + 1);
            let only_sunday = Weekdays::of(&[6]).unwrap_or(Weekdays::ALL);
            let next = next_due(only_sunday, 150, now, now);
            assert!(next.is_some_and(|next| (60_000..=7 * 24 * HOUR_MS + HOUR_MS).contains(&next.since_ms(now))));
        }
    }
}
