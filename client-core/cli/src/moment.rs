//! Spans and moments as people type them: `2h30m`, `23:00`, `2026-11-27 23:00`, by a clock in the Netherlands.

use baken_schemas::local_time::WallTime;
use baken_schemas::time::Timestamp;

use crate::value::days_from_civil;

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
    let number = |text: &str| (text.len() <= 2 && !text.is_empty()).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The moment of `23:00`, the next there is; or of `2026-11-27 23:00`, also with a `T` between.
pub fn moment(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let typed = typed.trim();
    if let Some((date, time)) = typed.split_once(['T', ' ']) {
        let parts = date.split('-').map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?;
        let [year, month, day] = parts.try_into().ok()?;
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let days = days_from_civil(year, month, day);
        // 31 February and the like come out as another day.
        let shown = Timestamp(days * 86_400_000).to_rfc3339();
        let meant = format!("{year:04}-{month:02}-{day:02}");
        return shown
            .starts_with(&meant)
            .then_some(())
            .and_then(|()| minute(time))
            .map(|minute| WallTime { day: days, minute }.moment());
    }
    let minute = minute(typed)?;
    let today = WallTime::of(now).day;
    [today, today + 1].into_iter().map(|day| WallTime { day, minute }.moment()).find(|moment| *moment > now)
}

/// A moment that was: `2026-11-20`, `2026-11-20 08:30` by the clock on the wall, `2026-11-20T07:30:00Z`, or `08:30` for the
/// last time it was that late. A day or a date to come is read as well: what is planned is typed alike.
pub fn past(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let typed = typed.trim();
    if let Some(minute) = minute(typed) {
        let today = WallTime::of(now).day;
        return [today, today - 1].into_iter().map(|day| WallTime { day, minute }.moment()).find(|at| *at <= now);
    }
    crate::value::moment(typed).or_else(|| if typed.contains('-') { moment(typed, now) } else { None })
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
