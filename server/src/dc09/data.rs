//! The data field: events of SIA DC-03 and of Contact ID, as hardware buttons send them.
//!
//! ```text
//! #1234|Nri1/PA501|ANoodknop      account, new event, area 1, panic at point 501, text
//! #1234|1120 01 501               account, new 120 in partition 01, zone 501
//! ```

use super::events::{CidCode, CodeTable, Event, SiaCode};
use super::field::MessageId;

/// The most events one SIA message is read for.
const MAX_EVENTS: usize = 16;

/// A code in either language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// SIA DC-03.
    Sia(SiaCode),
    /// Contact ID.
    Cid(CidCode),
}

impl Code {
    /// What it means by this table.
    pub fn event(self, table: &CodeTable) -> Option<Event> {
        match self {
            Self::Sia(code) => table.of_sia(code),
            Self::Cid(code) => table.of_cid(code),
        }
    }
}

/// One event as it was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its code.
    pub code: Code,
    /// Area or partition, as written.
    pub area: Option<String>,
    /// Point or zone, as written. On a button's account, which button.
    pub zone: String,
}

/// The events of a message's data; empty where there is none that can be read. `id` says which language it is in.
pub fn read_events(id: &MessageId, data: &str) -> Vec<Reported> {
    let Some((_, packets)) = data.split_once('|') else { return Vec::new() };
    match id {
        MessageId::SiaDcs => read_sia(packets),
        MessageId::AdmCid => read_cid(packets).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The text that goes with a SIA event: `|A…` after the packets, or `^…^` within them.
pub fn read_text(data: &str) -> Option<&str> {
    let (_, packets) = data.split_once('|')?;
    let after_bar = packets.split('|').skip(1).find_map(|part| part.strip_prefix('A'));
    after_bar.or_else(|| packets.split('^').nth(1)).filter(|text| !text.is_empty())
}

fn read_sia(packets: &str) -> Vec<Reported> {
    let block = packets.split('|').next().unwrap_or_default();
    // N: new event; O: one that happened before. Anything else is not a block of events.
    let Some(block) = block.strip_prefix(['N', 'O']) else { return Vec::new() };
    let mut events = Vec::new();
    let mut area = None;
    for packet in block.split('/').take(MAX_EVENTS) {
        if let Some(number) = packet.strip_prefix("ri") {
            area = Some(number.to_owned());
            continue;
        }
        let Some((code, rest)) = packet.split_at_checked(2) else { continue };
        // The other modifiers (time, date, user, …) are in small letters.
        let Ok(code) = code.parse() else { continue };
        let zone = rest.split(['^', '*']).next().unwrap_or_default();
        events.push(Reported { code: Code::Sia(code), area: area.clone(), zone: zone.to_owned() });
    }
    events
}

fn read_cid(packets: &str) -> Option<Reported> {
    let mut parts = packets.split('|').next()?.split(' ');
    let code = parts.next()?.parse().ok()?;
    let (area, zone) = (parts.next()?, parts.next()?);
    let fits = area.len() == 2 && zone.len() == 3 && parts.next().is_none();
    fits.then(|| Reported { code: Code::Cid(code), area: Some(area.to_owned()), zone: zone.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::field::MessageId;
    use super::{CodeTable, Event, read_events, read_text};

    fn summary(id: &MessageId, data: &str) -> Vec<(Option<Event>, Option<String>, String)> {
        let table = CodeTable::standard();
        read_events(id, data).into_iter().map(|event| (event.code.event(&table), event.area, event.zone)).collect()
    }

    #[test]
    fn the_forms_found_in_the_field_are_read() {
        let area = |number: &str| Some(number.to_owned());
        for (data, expected) in [
            ("#1234|NPA501|ANoodknop", vec![(Some(Event::Panic), None, "501".to_owned())]),
            ("#1234|Nri1/PA501", vec![(Some(Event::Panic), area("1"), "501".to_owned())]),
            ("1234|Nti16:55/id7/ri02/HA^balie^", vec![(Some(Event::Silent), area("02"), String::new())]),
            (
                "#1234|Nri1/PA1/XT2*V",
                vec![
                    (Some(Event::Panic), area("1"), "1".to_owned()),
                    (Some(Event::BatteryLow), area("1"), "2".to_owned()),
                ],
            ),
            ("#1234|NZX501", vec![(None, None, "501".to_owned())]),
            ("#1234|PA501", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(summary(&MessageId::SiaDcs, data), expected, "{data}");
        }
        let missed = (Some(Event::CheckInMissed), area("00"), "501".to_owned());
        assert_eq!(summary(&MessageId::AdmCid, "#5678|1102 00 501"), [missed]);
        assert_eq!(summary(&MessageId::AdmCid, "#5678|1102 00 5010"), []);
        assert_eq!(summary(&MessageId::Null, "#5678|1102 00 501"), []);
    }

    #[test]
    fn text_is_found_in_both_places() {
        assert_eq!(read_text("#1234|NPA501|ANoodknop"), Some("Noodknop"));
        assert_eq!(read_text("#1234|NPA501^balie^"), Some("balie"));
        assert_eq!(read_text("#1234|NPA501"), None);
    }

    proptest! {
        #[test]
        fn no_data_can_make_it_panic(data in "\\PC{0,60}") {
            let _ = (summary(&MessageId::SiaDcs, &data), summary(&MessageId::AdmCid, &data), read_text(&data));
        }
    }
}
