//! Moments as DC-09 writes them, `HH:MM:SS,MM-DD-YYYY` in UTC, and the window in which one is believed.

use baken_schemas::time::{Timestamp, days_from_civil};

/// Writes a moment as `HH:MM:SS,MM-DD-YYYY`, in UTC; milliseconds fall away.
pub fn write_time(at: Timestamp) -> String {
    let rfc3339 = at.to_rfc3339();
    let (date, time) = rfc3339.split_once('T').unwrap_or(("0000-00-00", "00:00:00"));
    let (year, month_day) = date.split_once('-').unwrap_or(("0000", "00-00"));
    format!("{},{month_day}-{year}", time.trim_end_matches('Z'))
}

/// Reads `HH:MM:SS,MM-DD-YYYY` as UTC; `None` for anything else, impossible dates among it.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let (time, date) = text.split_once(',')?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let [month, day, year] = numbers(date, '-', [2, 2, 4])?;
    let possible = hour < 24 && minute < 60 && second <= 60 && (1..=days_in(month, year)?).contains(&day);
    let days = days_from_civil(year, month, day);
    possible.then(|| Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000))
}

/// Three decimal numbers of fixed width.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn days_in(month: i64, year: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// How far a message's own clock may be off before it is taken for a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The oldest that is believed, in milliseconds before now.
    pub past_ms: i64,
    /// The furthest ahead that is believed, in milliseconds after now.
    pub future_ms: i64,
}

impl Window {
    /// 40 s back and 20 s ahead: what receivers in the field use.
    pub const STANDARD: Self = Self { past_ms: 40_000, future_ms: 20_000 };

    /// How many milliseconds `stamped` is ahead of `now` (negative: behind) if that is too many; `None` if it is fine.
    pub fn violation_ms(self, stamped: Timestamp, now: Timestamp) -> Option<i64> {
        // The wire has whole seconds: compare with the second that `now` falls in.
        let now = Timestamp(now.0 - now.0.rem_euclid(1000));
        let ahead = stamped.since_ms(now);
        (ahead > self.future_ms || ahead < -self.past_ms).then_some(ahead)
    }
}

#[cfg(test)]
mod tests {
    use baken_schemas::time::Timestamp;
    use proptest::prelude::*;

    use super::{Window, read_time, write_time};

    #[test]
    fn a_captured_moment_reads_and_writes_back() {
        let at = read_time("16:55:06,11-23-2026").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-23T16:55:06Z");
        assert_eq!(write_time(at), "16:55:06,11-23-2026");
    }

    #[test]
    fn impossible_moments_are_refused() {
        for bad in [
            "16:55:06,23-11-2026",
            "16:55:06,02-29-2026",
            "24:00:00,01-01-2026",
            "16:60:00,01-01-2026",
            "6:55:06,11-23-2026",
            "16:55:06,11-23-26",
            "16:55:06,11-23-2026-1",
            "16:55:06",
            "",
            "+6:55:06,11-23-2026",
        ] {
            assert_eq!(read_time(bad), None, "{bad:?} passed");
        }
        assert!(read_time("16:55:06,02-29-2028").is_some());
    }

    #[test]
    fn the_window_is_forty_back_and_twenty_ahead() {
        let now = Timestamp(1_795_465_407_900);
        let stamped = |ms: i64| Timestamp(1_795_465_407_000 + ms);
        assert_eq!(Window::STANDARD.violation_ms(stamped(-40_000), now), None);
        assert_eq!(Window::STANDARD.violation_ms(stamped(20_000), now), None);
        assert_eq!(Window::STANDARD.violation_ms(stamped(-41_000), now), Some(-41_000));
        assert_eq!(Window::STANDARD.violation_ms(stamped(21_000), now), Some(21_000));
    }

    proptest! {
        #[test]
        fn every_second_of_two_centuries_comes_back(seconds in 0_i64..6_000_000_000) {
            let at = Timestamp(seconds * 1000);
            prop_assert_eq!(read_time(&write_time(at)), Some(at));
        }
    }
}
