//! Times as people in the Netherlands read them off their own clocks: CET, and CEST from the last Sunday of March to
//! the last Sunday of October, both at 01:00 UTC (EU directive 2000/84/EC).

use baken_schemas::time::Timestamp;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How far the wall's clock is ahead of UTC, in milliseconds.
pub fn offset_ms(at: Timestamp) -> i64 {
    if is_summer(at) { 2 * HOUR_MS } else { HOUR_MS }
}

/// `2026-11-23 21:15:07`.
pub fn local(at: Timestamp) -> String {
    at.plus_ms(offset_ms(at)).to_rfc3339().trim_end_matches('Z').replace('T', " ")
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

    #[test]
    fn the_clock_goes_forward_and_back_on_the_right_sundays() {
        // 2026-03-29 and 2026-10-25, 01:00 UTC.
        let (spring, autumn) = (Timestamp(1_774_746_000_000), Timestamp(1_792_890_000_000));
        assert_eq!(spring.to_rfc3339(), "2026-03-29T01:00:00Z");
        assert_eq!(autumn.to_rfc3339(), "2026-10-25T01:00:00Z");
        assert_eq!(local(spring.plus_ms(-1000)), "2026-03-29 01:59:59");
        assert_eq!(local(spring), "2026-03-29 03:00:00");
        assert_eq!(local(autumn.plus_ms(-1000)), "2026-10-25 02:59:59");
        assert_eq!(local(autumn), "2026-10-25 02:00:00");
        assert_eq!(local(Timestamp(1_795_465_407_000)), "2026-11-23 21:23:27");
    }
}
