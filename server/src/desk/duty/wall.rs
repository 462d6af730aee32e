//! Moments as a clock on the wall in the Netherlands shows them, to the minute: `2026-12-24 17:00`, and `thu 17:00` every
//! week. In the night that the clock goes back an hour comes twice, and who is on duty in it is so both times.

use std::fmt;
use std::str::FromStr;

use baken_schemas::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::dc09::read_time;
use baken_schemas::local_time::offset_ms;

/// Lengths in milliseconds.
pub(super) const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
pub(super) const WEEK_MS: i64 = 7 * DAY_MS;
/// From the clock's first day, a Thursday, to a Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A moment on the wall: milliseconds as if the wall's time were UTC, whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(i64);

/// A moment of every week, in milliseconds from Monday 00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WeekTime(i64);

/// Now, on the wall.
pub fn local_now(now: Timestamp) -> WallTime {
    let wall = now.0.saturating_add(offset_ms(now));
    WallTime(wall - wall.rem_euclid(MINUTE_MS))
}

impl WallTime {
    pub(super) fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    fn in_week(self) -> i64 {
        (self.0 - FIRST_MONDAY_MS).rem_euclid(WEEK_MS)
    }

    /// Whether it lies in a shift; one from a moment to the same is the whole week.
    pub(super) fn is_between(self, from: WeekTime, to: WeekTime) -> bool {
        let length = (to.0 - from.0 - 1).rem_euclid(WEEK_MS) + 1;
        (self.in_week() - from.0).rem_euclid(WEEK_MS) < length
    }

    /// The first such moment of a week from here on.
    pub(super) fn next(self, at: WeekTime) -> Self {
        self.plus_ms((at.0 - self.in_week()).rem_euclid(WEEK_MS))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp(self.0).to_rfc3339();
        f.write_str(&text.replace('T', " ").chars().take(16).collect::<String>())
    }
}

impl FromStr for WallTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a moment is written as 2026-12-24 17:00";
        let (date, time) = text.split_once(' ').ok_or(WRONG)?;
        let [year, month, day] = date.split('-').collect::<Vec<_>>()[..] else { return Err(WRONG) };
        let read = read_time(&format!("{time}:00,{month}-{day}-{year}")).ok_or(WRONG)?;
        let moment = Self(read.0);
        // What reads back otherwise was written otherwise.
        if moment.to_string() == text { Ok(moment) } else { Err(WRONG) }
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0 / MINUTE_MS;
        let day = usize::try_from(minutes / (24 * 60)).unwrap_or_default();
        write!(f, "{} {:02}:{:02}", DAYS.get(day).unwrap_or(&"mon"), minutes / 60 % 24, minutes % 60)
    }
}

impl FromStr for WeekTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a moment of the week is written as mon 08:00: mon, tue, wed, thu, fri, sat, sun";
        let (day, time) = text.split_once(' ').ok_or(WRONG)?;
        let day = DAYS.iter().position(|known| *known == day).ok_or(WRONG)?;
        let (hour, minute) = time.split_once(':').ok_or(WRONG)?;
        let two = |digits: &str, below: i64| {
            let number = digits.parse::<i64>().ok().filter(|number| (0..below).contains(number));
            number.filter(|_| digits.len() == 2)
        };
        let (hour, minute) = (two(hour, 24).ok_or(WRONG)?, two(minute, 60).ok_or(WRONG)?);
        let day = i64::try_from(day).map_err(|_| WRONG)?;
        Ok(Self(day * DAY_MS + (hour * 60 + minute) * MINUTE_MS))
    }
}

/// Both are text in files and JSON.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(WallTime, WeekTime);
