//! The agenda as a calendar file (RFC 5545). It says neither Baken nor anything a person wrote.

use baken_schemas::Language;
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;

use super::AgendaItem;

/// The most octets of a line before it must be folded (RFC 5545 §3.1).
const MAX_LINE: usize = 75;
const DAY_MS: i64 = 86_400_000;
/// How long an item with a time of day lasts.
const LENGTH_MS: i64 = 30 * 60 * 1000;

/// A calendar of these items. An item keeps its id, so that a newer file replaces an older one in most calendars.
pub fn ics(items: &[AgendaItem], language: Language, now: Timestamp) -> String {
    let mut lines: Vec<String> =
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Agenda//NL", "CALSCALE:GREGORIAN"].map(str::to_owned).to_vec();
    for item in items {
        let id = Hash::of("baken/agenda-item/v0", &[&item.record.0, &[item.due as u8], &item.at.0.to_be_bytes()]);
        lines.push("BEGIN:VEVENT".to_owned());
        lines.push(format!("UID:{}", HEXLOWER.encode(id.0.first_chunk::<16>().unwrap_or(&[0; 16]))));
        lines.push(format!("DTSTAMP:{}", compact(now)));
        if item.at.0.rem_euclid(DAY_MS) == 0 {
            lines.push(format!("DTSTART;VALUE=DATE:{}", day(item.at)));
        } else {
            lines.push(format!("DTSTART:{}", compact(item.at)));
            lines.push(format!("DTEND:{}", compact(item.at.plus_ms(LENGTH_MS))));
        }
        lines.push(format!("SUMMARY:{}", escaped(item.due.title(language))));
        lines.extend(["CLASS:PRIVATE", "TRANSP:TRANSPARENT", "END:VEVENT"].map(str::to_owned));
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|line| folded(line)).collect()
}

/// `20261127T161500Z`.
fn compact(at: Timestamp) -> String {
    at.to_rfc3339().replace(['-', ':'], "")
}

/// `20261127`.
fn day(at: Timestamp) -> String {
    compact(at).split('T').next().unwrap_or_default().to_owned()
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
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

    use baken_schemas::id::{CircleId, RecordId};
    use proptest::prelude::*;

    use super::*;
    use crate::agenda::Due;

    fn item(at: i64, due: Due) -> AgendaItem {
        AgendaItem { at: Timestamp(at), due, record: RecordId([1; 16]), circle: CircleId([2; 16]), overdue: false }
    }

    #[test]
    fn a_day_and_a_time_are_written_as_such() {
        let items = [item(DAY_MS, Due::MeasureEnds), item(DAY_MS + 3_600_000, Due::FollowUp)];
        let calendar = ics(&items, Language::Nl, Timestamp(0));
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
