//! When a contact can be reached, for programs: `mon-fri 08:00-18:00`, on a clock in the Netherlands. Public holidays are
//! not known here; the words beside it say them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::FormatError;
use crate::local_time::WallTime;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_A_DAY: u16 = 24 * 60;

/// Some days of the week from one time to another on the same day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    first_day: u8,
    last_day: u8,
    from: u16,
    to: u16,
}

impl Opening {
    /// Whether it is open at what the clock shows.
    pub fn holds(self, now: WallTime) -> bool {
        (self.first_day..=self.last_day).contains(&now.weekday()) && (self.from..self.to).contains(&now.minute)
    }
}

fn time_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok())?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    let at = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && at <= MINUTES_A_DAY).then_some(at)
}

impl FromStr for Opening {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let read = || {
            let day = |text: &str| DAYS.iter().position(|day| *day == text).and_then(|day| u8::try_from(day).ok());
            let (days, times) = text.split_once(' ')?;
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let (from, to) = times.split_once('-')?;
            let opening =
                Self { first_day: day(first)?, last_day: day(last)?, from: time_of_day(from)?, to: time_of_day(to)? };
            (opening.first_day <= opening.last_day && opening.from < opening.to).then_some(opening)
        };
        read().ok_or(FormatError::Rule { what: "opening hours", rule: "write them as mon-fri 08:00-18:00" })
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: u8| DAYS.get(usize::from(day)).copied().unwrap_or_default();
        f.write_str(day(self.first_day))?;
        if self.first_day != self.last_day {
            write!(f, "-{}", day(self.last_day))?;
        }
        write!(f, " {:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, self.to / 60, self.to % 60)
    }
}

impl Serialize for Opening {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Opening {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Opening;
    use crate::local_time::WallTime;

    #[test]
    fn hours_hold_on_their_days_from_the_first_minute_to_before_the_last() {
        let hours: Opening = "mon-fri 08:30-17:00".parse().unwrap();
        // 2026-11-27 is a Friday.
        let friday = 20_784;
        for (day, minute, open) in [
            (friday, 509, false),
            (friday, 510, true),
            (friday, 1019, true),
            (friday, 1020, false),
            (friday + 1, 600, false),
        ] {
            assert_eq!(hours.holds(WallTime { day, minute }), open, "{day} {minute}");
        }
        assert_eq!(hours.to_string(), "mon-fri 08:30-17:00");
        assert!("sat 10:00-24:00".parse::<Opening>().is_ok());
        for wrong in
            ["fri-mon 08:00-17:00", "mon 17:00-08:00", "mon 8:00-17:00", "mon 08:60-17:00", "daily", "mon 08:00-25:00"]
        {
            assert!(wrong.parse::<Opening>().is_err(), "{wrong}");
        }
    }
}
