//! Spans and moments as people type them: `2h30m`, `23:00`, `2026-11-27 23:00`, by a clock in the Netherlands.

use baken_schemas::edition::Date;
use baken_schemas::local_time::WallTime;
use baken_schemas::time::Timestamp;

/// The longest span that is read, in seconds: a hundred years, which whoever is asked refuses in its own words.
const LONGEST_S: i64 = 36_525 * 86_400;

/// Seconds of a span: numbers with `d`, `h`, `m` (or `u` for Dutch hours) or `s` behind each, the larger first or not.
pub fn span_s(typed: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = typed.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|digit: char| !digit.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let unit = behind.chars().next()?;
        let seconds = match unit {
            'd' => 86_400,
            'h' | 'u' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = behind.get(unit.len_utf8()..)?;
    }
    (total <= LONGEST_S).then_some(total)
}

/// Minutes since midnight of `23:00`.
pub fn minute(typed: &str) -> Option<u16> {
    let (hour, minute) = typed.trim().split_once(':')?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// One or two digits.
fn number(typed: &str) -> Option<u16> {
    let is_number = (1..=2).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| typed.parse().ok()).flatten()
}

/// A moment that is written out, whatever the time is now: `2026-11-20` for the beginning of that day, `2026-11-20 08:30` by
/// the clock on the wall, also with a `T` between and with seconds, as lists show it; or `2026-11-20T07:30:00Z` in UTC.
pub fn written(typed: &str) -> Option<Timestamp> {
    let typed = typed.trim();
    let Some((date, time)) = typed.split_once(['T', ' ']) else { return Some(typed.parse::<Date>().ok()?.start()) };
    let day = WallTime::of(date.parse::<Date>().ok()?.start()).day;
    let (time, is_utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
    let (time, second) = match time.rsplit_once(':') {
        Some((time, second)) if time.contains(':') => (time, number(second).filter(|second| *second < 60)?),
        _ => (time, 0),
    };
    let minute = minute(time)?;
    let on_minute =
        if is_utc { Timestamp((day * 1440 + i64::from(minute)) * 60_000) } else { WallTime { day, minute }.moment() };
    Some(on_minute.plus_ms(i64::from(second) * 1000))
}

/// A moment to come: `23:00` is the next there is, anything else what is [`written`].
pub fn moment(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let Some(minute) = minute(typed) else { return written(typed) };
    let today = WallTime::of(now).day;
    [today, today + 1].into_iter().map(|day| WallTime { day, minute }.moment()).find(|moment| *moment > now)
}

/// A moment that was: `08:30` is the last time it was that late, anything else what is [`written`]. A day or a date to come
/// is read as well: what is planned is typed alike.
pub fn past(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let Some(minute) = minute(typed) else { return written(typed) };
    let today = WallTime::of(now).day;
    [today, today - 1].into_iter().map(|day| WallTime { day, minute }.moment()).find(|at| *at <= now)
}

/// Days of the week: `mo,tu`, `ma,di`, `daily`, `weekdays`; 0 for Monday.
pub fn days(typed: &str) -> Option<Vec<u8>> {
    const NAMES: [[&str; 4]; 7] = [
        ["mo", "mon", "ma", "monday"],
        ["tu", "tue", "di", "tuesday"],
        ["we", "wed", "wo", "wednesday"],
        ["th", "thu", "do", "thursday"],
        ["fr", "fri", "vr", "friday"],
        ["sa", "sat", "za", "saturday"],
        ["su", "sun", "zo", "sunday"],
    ];
    let typed = typed.trim().to_ascii_lowercase();
    match typed.as_str() {
        "daily" | "elke-dag" => return Some((0..7).collect()),
        "weekdays" | "werkdagen" => return Some((0..5).collect()),
        _ => {}
    }
    let number =
        |name: &str| NAMES.iter().position(|names| names.contains(&name)).and_then(|day| u8::try_from(day).ok());
    typed.split(',').map(|name| number(name.trim())).collect()
}

#[cfg(test)]
mod tests {
    use baken_schemas::local_time::local;

    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        for (typed, seconds) in
            [("90m", 5_400), ("2h30m", 9_000), ("1u", 3_600), ("45s", 45), ("7d", 604_800), ("0m", 0)]
        {
            assert_eq!(span_s(typed), Some(seconds), "{typed}");
        }
        for typed in ["", "90", "m", "2 h", "-1h", "1x", "99999999999999999999h", "9999999d", "1h5"] {
            assert_eq!(span_s(typed), None, "{typed}");
        }
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59Z", "2026-11-23T20:23:27Z"] {
            let at = written(text).expect("it is one");
            assert_eq!((at.to_rfc3339().as_str(), written(&local(at))), (text, Some(at)));
        }
        assert_eq!(written("2026-11-23"), written("2026-11-22T23:00:00Z"), "midnight on the wall, in winter");
        assert_eq!(written("2026-07-01"), written("2026-06-30T22:00:00Z"), "and in summer");
        for text in
            ["2026-02-29", "2026-13-01", "2026-11-23T24:00:00Z", "2026-11-23 10:00:60", "10:00", "morgen", "-1-1-1", ""]
        {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_there_is_and_a_date_is_by_the_clock_on_the_wall() {
        // 21:23 local.
        let now = Timestamp(1_795_465_407_000);
        let read = |typed| moment(typed, now).map(Timestamp::to_rfc3339);
        assert_eq!(read("23:00").as_deref(), Some("2026-11-23T22:00:00Z"));
        assert_eq!(read("6:05").as_deref(), Some("2026-11-24T05:05:00Z"));
        assert_eq!(read("2026-07-01 12:00").as_deref(), Some("2026-07-01T10:00:00Z"));
        assert_eq!(read("2026-12-01T00:30").as_deref(), Some("2026-11-30T23:30:00Z"));
        for typed in ["24:00", "12:60", "12", "12:0x", "2026-02-29 12:00", "2026-13-01 12:00", "morgen", "-1:00"] {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    #[test]
    fn what_was_is_read_by_the_clock_on_the_wall_or_in_utc() {
        // 21:23 local.
        let now = Timestamp(1_795_465_407_000);
        let read = |typed| past(typed, now).map(Timestamp::to_rfc3339);
        assert_eq!(read("21:20").as_deref(), Some("2026-11-23T20:20:00Z"));
        assert_eq!(read("23:00").as_deref(), Some("2026-11-22T22:00:00Z"));
        assert_eq!(read("2026-11-20 08:30").as_deref(), Some("2026-11-20T07:30:00Z"));
        assert_eq!(read("2026-11-20T07:30:00Z").as_deref(), Some("2026-11-20T07:30:00Z"));
        assert_eq!(read("2026-11-20").as_deref(), Some("2026-11-19T23:00:00Z"));
        for typed in ["", "gisteren", "24:00", "2026-02-30", "-"] {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    #[test]
    fn days_are_named_in_both_languages() {
        assert_eq!(days("ma,wo"), Some(vec![0, 2]));
        assert_eq!(days("mon, SUN"), Some(vec![0, 6]));
        assert_eq!(
            (days("daily").map(|days| days.len()), days("werkdagen").map(|days| days.len())),
            (Some(7), Some(5))
        );
        assert_eq!((days(""), days("ma,xx")), (None, None));
    }
}
