//! Days, as editions write them: `2026-11-27`, on a calendar in the Netherlands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::FormatError;
use crate::local_time::WallTime;
use crate::time::{Timestamp, days_from_civil};

const DAY_MS: i64 = 86_400_000;

/// A day, counted from 1970-01-01. Only years 1900 to 2199 are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

impl Date {
    /// The day that a clock on the wall shows at a moment.
    pub fn of(at: Timestamp) -> Self {
        Self(WallTime::of(at).day)
    }

    /// The moment at which the day begins.
    pub fn start(self) -> Timestamp {
        WallTime { day: self.0, minute: 0 }.moment()
    }

    /// The day that a moment stands for: where nothing but a moment can be written, that at which a day begins is the
    /// whole day. `None` for a moment within a day.
    pub fn whole(at: Timestamp) -> Option<Self> {
        Some(Self::of(at)).filter(|day| day.start() == at)
    }

    /// This many days later.
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// A day of a year; `None` where there is none.
    pub fn of_year(year: u16, month: u8, day: u8) -> Option<Self> {
        format!("{year:04}-{month:02}-{day:02}").parse().ok()
    }

    /// Its year; 0 outside the years that are written.
    pub fn year(self) -> u16 {
        self.to_string().split('-').next().and_then(|year| year.parse().ok()).unwrap_or(0)
    }

    /// Its month, 1 to 12.
    pub fn month(self) -> u8 {
        self.to_string().split('-').nth(1).and_then(|month| month.parse().ok()).unwrap_or(0)
    }

    /// Days from `earlier` to this day.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp(self.0.saturating_mul(DAY_MS)).to_rfc3339();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

impl FromStr for Date {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let wrong = FormatError::Rule { what: "a date", rule: "write it as 2026-11-27" };
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<i64>().ok()
        };
        let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else { return Err(wrong) };
        if !(1900..2200).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(wrong);
        }
        let date = Self(days_from_civil(year, month, day));
        // The 31st of a month that has none is another day when it is written again.
        if date.to_string() == text { Ok(date) } else { Err(wrong) }
    }
}

impl<C> minicbor::Encode<C> for Date {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Date {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(|_| minicbor::decode::Error::message("no date"))
    }
}

impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date", "description": "a day, as 2026-11-27" })
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;
    use crate::time::Timestamp;

    #[test]
    fn every_day_of_three_centuries_is_read_as_it_is_written() {
        let first: Date = "1900-01-01".parse().unwrap();
        let last: Date = "2199-12-31".parse().unwrap();
        for days in 0..=last.since(first) {
            let day = first.plus_days(days);
            assert_eq!(day.to_string().parse(), Ok(day));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["2026-02-29", "2026-11-31", "2026-1-01", "20261127", "2026-11-27T10", "", "2026-13-01", "1899-01-01"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_on_the_wall() {
        let day: Date = "2026-11-27".parse().unwrap();
        assert_eq!(day.start().to_rfc3339(), "2026-11-26T23:00:00Z");
        assert_eq!(Date::of(day.start()), day);
        assert_eq!(Date::of(Timestamp(day.start().0 - 1)), day.plus_days(-1));
        assert_eq!(Date::whole(day.start()), Some(day));
        assert_eq!([-1, 1].map(|ms| Date::whole(day.start().plus_ms(ms))), [None, None]);
        let (summer, utc_midnight) = ("2026-07-01".parse::<Date>().unwrap(), Timestamp(1_795_737_600_000));
        assert_eq!((Date::whole(summer.start()), Date::whole(utc_midnight)), (Some(summer), None));
    }
}
