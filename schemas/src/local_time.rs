//! Times as people in the Netherlands read them off their own clocks: CET, and CEST from the last Sunday of March to the
//! last Sunday of October, both at 01:00 UTC (EU directive 2000/84/EC).

use crate::time::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// `2026-11-23 21:15:07`.
pub fn local(at: Timestamp) -> String {
    at.plus_ms(offset_ms(at)).to_rfc3339().trim_end_matches('Z').replace('T', " ")
}

/// A day and a time of day on a clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Minutes since midnight, 0 to 1439.
    pub minute: u16,
}

impl WallTime {
    /// What the clock shows at a moment.
    pub fn of(at: Timestamp) -> Self {
        let shown = at.plus_ms(offset_ms(at)).0;
        let minute = shown.rem_euclid(DAY_MS) / MINUTE_MS;
        Self { day: shown.div_euclid(DAY_MS), minute: u16::try_from(minute).unwrap_or_default() }
    }

    /// The moment at which the clock shows this. What it shows twice, in the night it goes back, is the first of the two;
    /// what it never shows, in the night it goes forward, is the moment at which it jumps.
    pub fn moment(self) -> Timestamp {
        let shown = self.day.saturating_mul(DAY_MS).saturating_add(i64::from(self.minute) * MINUTE_MS);
        let (summer, winter) = (Timestamp(shown).plus_ms(-2 * HOUR_MS), Timestamp(shown).plus_ms(-HOUR_MS));
        if is_summer(summer) {
            summer
        } else if is_summer(winter) {
            Timestamp(self.day.saturating_mul(DAY_MS)).plus_ms(HOUR_MS)
        } else {
            winter
        }
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.day + 3).rem_euclid(7)).unwrap_or_default()
    }
}

/// How far the clock on the wall is ahead of UTC, in milliseconds.
pub fn offset_ms(at: Timestamp) -> i64 {
    if is_summer(at) { 2 * HOUR_MS } else { HOUR_MS }
}

fn is_summer(at: Timestamp) -> bool {
    let text = at.to_rfc3339();
    let field = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<i64>().ok());
    // Years outside 0 to 9999 have another shape; whoever sends those has no clock to speak of.
    let (Some(month), Some(day), 20) = (field(5..7), field(8..10), text.len()) else { return false };
    let last_sunday = |days_in_month: i64| {
        let last_day = at.0.div_euclid(DAY_MS) + days_in_month - day;
        // 1970-01-01 was a Thursday.
        let weekday = (last_day + 4).rem_euclid(7);
        Timestamp((last_day - weekday) * DAY_MS + HOUR_MS)
    };
    match month {
        4..=9 => true,
        3 => at >= last_sunday(31),
        10 => at < last_sunday(31),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-03-29 and 2026-10-25, 01:00 UTC.
    const SPRING: Timestamp = Timestamp(1_774_746_000_000);
    const AUTUMN: Timestamp = Timestamp(1_792_890_000_000);

    #[test]
    fn the_clock_goes_forward_and_back_on_the_right_sundays() {
        assert_eq!(SPRING.to_rfc3339(), "2026-03-29T01:00:00Z");
        assert_eq!(AUTUMN.to_rfc3339(), "2026-10-25T01:00:00Z");
        assert_eq!(local(SPRING.plus_ms(-1000)), "2026-03-29 01:59:59");
        assert_eq!(local(SPRING), "2026-03-29 03:00:00");
        assert_eq!(local(AUTUMN.plus_ms(-1000)), "2026-10-25 02:59:59");
        assert_eq!(local(AUTUMN), "2026-10-25 02:00:00");
        assert_eq!(local(Timestamp(1_795_465_407_000)), "2026-11-23 21:23:27");
    }

    #[test]
    fn every_minute_of_two_years_is_found_again_but_the_second_of_those_shown_twice() {
        let start = Timestamp(1_767_222_000_000);
        for minute in (0..2 * 365 * 1440).step_by(7) {
            let at = start.plus_ms(minute * MINUTE_MS);
            let found = WallTime::of(at).moment();
            let second_time = (AUTUMN.0..AUTUMN.0 + HOUR_MS).contains(&at.0) || found != at;
            if second_time {
                assert_eq!(at.since_ms(found), HOUR_MS, "{}", at.to_rfc3339());
            }
        }
    }

    #[test]
    fn in_the_nights_the_clock_is_moved_a_time_is_the_first_there_is() {
        let night = WallTime::of(SPRING).day;
        assert_eq!(WallTime { day: night, minute: 150 }.moment(), SPRING);
        assert_eq!(WallTime { day: night, minute: 180 }.moment(), SPRING);
        assert_eq!(WallTime { day: night, minute: 119 }.moment(), SPRING.plus_ms(-MINUTE_MS));
        let night = WallTime::of(AUTUMN).day;
        assert_eq!(WallTime { day: night, minute: 150 }.moment(), AUTUMN.plus_ms(-30 * MINUTE_MS));
        assert_eq!(WallTime { day: night, minute: 180 }.moment(), AUTUMN.plus_ms(HOUR_MS));
        // Both are Sundays, and 23 November 2026 is a Monday.
        assert_eq!((WallTime::of(SPRING).weekday(), WallTime::of(AUTUMN).weekday()), (6, 6));
        assert_eq!(WallTime::of(Timestamp(1_795_465_407_000)).weekday(), 0);
    }
}
