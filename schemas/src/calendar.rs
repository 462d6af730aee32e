//! A calendar file (RFC 5545). It names no program and nothing a person wrote: others see calendars.

use data_encoding::HEXLOWER;

use crate::edition::Date;
use crate::time::Timestamp;

/// The most octets of a line before it must be folded (RFC 5545 §3.1).
const MAX_LINE: usize = 75;
/// How long an event with a time of day lasts.
const LENGTH_MS: i64 = 30 * 60 * 1000;

/// When something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The whole of a day.
    Day(Date),
    /// At a moment of it.
    At(Timestamp),
}

impl When {
    /// What a moment stands for, by [`Date::whole`].
    pub fn of(at: Timestamp) -> Self {
        Date::whole(at).map_or(Self::At(at), Self::Day)
    }
}

/// What stands in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same in every file: a newer one then replaces it in most calendars.
    pub id: [u8; 16],
    /// When.
    pub when: When,
    /// What others may see.
    pub title: &'static str,
}

/// A calendar of these events.
pub fn calendar(events: &[Event], now: Timestamp) -> String {
    let mut lines: Vec<String> =
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Agenda//NL", "CALSCALE:GREGORIAN"].map(str::to_owned).to_vec();
    for event in events {
        lines.push("BEGIN:VEVENT".to_owned());
        lines.push(format!("UID:{}", HEXLOWER.encode(&event.id)));
        lines.push(format!("DTSTAMP:{}", compact(now)));
        match event.when {
            When::Day(day) => lines.push(format!("DTSTART;VALUE=DATE:{}", day.to_string().replace('-', ""))),
            When::At(at) => {
                lines.push(format!("DTSTART:{}", compact(at)));
                lines.push(format!("DTEND:{}", compact(at.plus_ms(LENGTH_MS))));
            }
        }
        lines.push(format!("SUMMARY:{}", escaped(event.title)));
        lines.extend(["CLASS:PRIVATE", "TRANSP:TRANSPARENT", "END:VEVENT"].map(str::to_owned));
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// `20261127T161500Z`.
fn compact(at: Timestamp) -> String {
    at.to_rfc3339().replace(['-', ':'], "")
}

/// A text value (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A line and its end, folded where it is long; never within a character.
fn folded(line: &str) -> String {
    let (mut folded, mut octets) = (String::new(), 0);
    for char in line.chars() {
        if octets + char.len_utf8() > MAX_LINE {
            folded.push_str("\r\n ");
            octets = 1;
        }
        folded.push(char);
        octets += char.len_utf8();
    }
    folded + "\r\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_and_a_time_are_written_as_such() {
        let event = |when, title| Event { id: [1; 16], when, title };
        let day = Date::of(Timestamp(86_400_000));
        let events = [
            event(When::of(day.start()), "Einddatum nakijken"),
            event(When::of(Timestamp(86_400_000 + 3_600_000)), "Gesprek"),
        ];
        let calendar = calendar(&events, Timestamp(0));
        assert!(calendar.contains("\r\nDTSTART;VALUE=DATE:19700102\r\nSUMMARY:Einddatum nakijken\r\n"), "{calendar}");
        assert!(calendar.contains("\r\nDTSTART:19700102T010000Z\r\nDTEND:19700102T013000Z\r\nSUMMARY:Gesprek\r\n"));
        assert!(!calendar.to_lowercase().contains("baken"));
    }

    proptest! {
        #[test]
        fn lines_are_short_and_unfold_to_what_they_were(line in "[^\r\n]{0,300}") {
            let folded = folded(&line);
            prop_assert!(folded.split("\r\n").all(|line| line.len() <= MAX_LINE));
            prop_assert_eq!(folded.strip_suffix("\r\n").expect("an end").replace("\r\n ", ""), line);
        }
    }
}
