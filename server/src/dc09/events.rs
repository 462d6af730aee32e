//! Baken's events in the alarm industry's codes, and back.
//!
//! SIA DC-03 has two letters, Contact ID (SIA DC-05) a qualifier and three digits. No code says "missed a check-in"
//! exactly, and every alarm centre programs its own list, so the table is configuration: [`CodeTable::standard`] is
//! where an agreement with a centre starts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use baken_schemas::alarm::AlarmKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What is reported to an alarm centre, or by a hardware button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A button was pressed, openly.
    Panic,
    /// A button was pressed, and nothing may show it.
    Silent,
    /// A code was given under duress.
    Duress,
    /// Medical help.
    Medical,
    /// An open alarm is withdrawn.
    PanicWithdrawn,
    /// A silent alarm is withdrawn.
    SilentWithdrawn,
    /// A check-in was missed.
    CheckInMissed,
    /// A missed check-in came after all.
    CheckInResumed,
    /// The automatic test of the whole path.
    PeriodicTest,
    /// Somebody tests by hand.
    ManualTest,
    /// A device's battery is low.
    BatteryLow,
    /// It is charged again.
    BatteryRestored,
    /// A device cannot be reached.
    Unreachable,
    /// It can again.
    Reachable,
}

impl From<AlarmKind> for Event {
    fn from(kind: AlarmKind) -> Self {
        match kind {
            AlarmKind::Panic | AlarmKind::Button => Self::Panic,
            AlarmKind::Silent => Self::Silent,
            AlarmKind::Medical => Self::Medical,
            AlarmKind::Duress => Self::Duress,
            AlarmKind::Missed => Self::CheckInMissed,
            AlarmKind::Test => Self::ManualTest,
            AlarmKind::Probe => Self::PeriodicTest,
            AlarmKind::Trouble => Self::Unreachable,
        }
    }
}

impl Event {
    /// The kind of alarm that a hardware button's event raises; `None` where it raises none.
    pub fn alarm_kind(self) -> Option<AlarmKind> {
        match self {
            Self::Panic => Some(AlarmKind::Button),
            Self::Silent => Some(AlarmKind::Silent),
            Self::Duress => Some(AlarmKind::Duress),
            Self::Medical => Some(AlarmKind::Medical),
            Self::CheckInMissed => Some(AlarmKind::Missed),
            Self::ManualTest => Some(AlarmKind::Test),
            Self::PeriodicTest => Some(AlarmKind::Probe),
            Self::PanicWithdrawn
            | Self::SilentWithdrawn
            | Self::CheckInResumed
            | Self::BatteryLow
            | Self::BatteryRestored
            | Self::Unreachable
            | Self::Reachable => None,
        }
    }
}

/// Why text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not a SIA code.
    #[error("a SIA code is two capital letters, as PA")]
    Sia,
    /// Not a Contact ID code.
    #[error("a Contact ID code is a qualifier (1, 3 or 6) and three digits, as 1120")]
    Cid,
}

/// A SIA DC-03 code: two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiaCode([u8; 2]);

/// A Contact ID code: qualifier (1 new, 3 restored, 6 still so) and event, as the four digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CidCode([u8; 4]);

impl FromStr for SiaCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        match text.as_bytes() {
            &[a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([a, b])),
            _ => Err(CodeError::Sia),
        }
    }
}

impl FromStr for CidCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        match text.as_bytes() {
            // Contact ID's event digits are hexadecimal in principle; no defined one is beyond 9.
            &[q @ (b'1' | b'3' | b'6'), x, y, z] if [x, y, z].iter().all(u8::is_ascii_digit) => Ok(Self([q, x, y, z])),
            _ => Err(CodeError::Cid),
        }
    }
}

macro_rules! code_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|&byte| write!(f, "{}", char::from(byte)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

code_as_text!(SiaCode, CidCode);

/// One event in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// In SIA DC-03.
    pub sia: SiaCode,
    /// In Contact ID.
    pub cid: CidCode,
}

/// The codes agreed with one alarm centre, or programmed into one make of button. In configuration, the events that
/// differ from the standard ones: `{"check-in-missed": {"sia": "QA", "cid": "1641"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CodeTable(BTreeMap<Event, Codes>);

/// Event, SIA, Contact ID. Where two events share a code, reading it gives the first.
const STANDARD: [(Event, &[u8; 2], &[u8; 4]); 14] = [
    (Event::Panic, b"PA", b"1120"),
    (Event::Silent, b"HA", b"1122"),
    // DC-03 has no duress code of its own: "hold-up, silent, under duress".
    (Event::Duress, b"HA", b"1121"),
    (Event::Medical, b"MA", b"1100"),
    (Event::PanicWithdrawn, b"PR", b"3120"),
    (Event::SilentWithdrawn, b"HR", b"3122"),
    (Event::CheckInMissed, b"NA", b"1102"),
    (Event::CheckInResumed, b"NS", b"3102"),
    (Event::PeriodicTest, b"RP", b"1602"),
    (Event::ManualTest, b"RX", b"1601"),
    (Event::BatteryLow, b"XT", b"1384"),
    (Event::BatteryRestored, b"XR", b"3384"),
    (Event::Unreachable, b"YC", b"1355"),
    (Event::Reachable, b"YK", b"3355"),
];

/// Codes that equipment sends and Baken does not, read as the nearest event.
const ALSO_SIA: [(&[u8; 2], Event); 5] = [
    // Emergency without a kind: treated as a panic, since nobody may wait for it to be named.
    (b"QA", Event::Panic),
    (b"PH", Event::PanicWithdrawn),
    (b"HH", Event::SilentWithdrawn),
    (b"TX", Event::ManualTest),
    (b"YT", Event::BatteryLow),
];
const ALSO_CID: [(&[u8; 4], Event); 8] = [
    (b"1101", Event::Panic),
    (b"1123", Event::Panic),
    (b"1641", Event::CheckInMissed),
    (b"1654", Event::CheckInMissed),
    (b"3641", Event::CheckInResumed),
    (b"3654", Event::CheckInResumed),
    (b"1302", Event::BatteryLow),
    (b"3302", Event::BatteryRestored),
];

impl CodeTable {
    /// The codes that say each event best, by the published lists.
    pub fn standard() -> Self {
        Self(
            STANDARD
                .iter()
                .map(|&(event, sia, cid)| (event, Codes { sia: SiaCode(*sia), cid: CidCode(*cid) }))
                .collect(),
        )
    }

    /// The same table with one event's codes replaced.
    #[must_use]
    pub fn with(mut self, event: Event, codes: Codes) -> Self {
        self.0.insert(event, codes);
        self
    }

    /// The codes of an event.
    pub fn codes(&self, event: Event) -> Codes {
        self.0[&event]
    }

    /// What a SIA code means here; `None` for one that nothing was agreed about.
    pub fn of_sia(&self, code: SiaCode) -> Option<Event> {
        let agreed = self.0.iter().find(|(_, codes)| codes.sia == code).map(|(&event, _)| event);
        agreed.or_else(|| ALSO_SIA.iter().find(|(also, _)| **also == code.0).map(|&(_, event)| event))
    }

    /// What a Contact ID code means here; `None` for one that nothing was agreed about.
    pub fn of_cid(&self, code: CidCode) -> Option<Event> {
        let agreed = self.0.iter().find(|(_, codes)| codes.cid == code).map(|(&event, _)| event);
        agreed.or_else(|| ALSO_CID.iter().find(|(also, _)| **also == code.0).map(|&(_, event)| event))
    }
}

impl Default for CodeTable {
    fn default() -> Self {
        Self::standard()
    }
}

impl<'de> Deserialize<'de> for CodeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let differing = BTreeMap::<Event, Codes>::deserialize(deserializer)?;
        Ok(differing.into_iter().fold(Self::standard(), |table, (event, codes)| table.with(event, codes)))
    }
}

#[cfg(test)]
mod tests {
    use super::{CidCode, CodeTable, Codes, Event, SiaCode};

    fn sia(text: &str) -> SiaCode {
        text.parse().unwrap()
    }

    fn cid(text: &str) -> CidCode {
        text.parse().unwrap()
    }

    #[test]
    fn every_event_has_codes_that_read_back() {
        let table = CodeTable::standard();
        for &(event, ..) in &super::STANDARD {
            let codes = table.codes(event);
            assert_eq!(table.of_cid(codes.cid), Some(event));
            // DC-03 alone cannot tell duress from a silent alarm.
            let by_sia = if event == Event::Duress { Event::Silent } else { event };
            assert_eq!(table.of_sia(codes.sia), Some(by_sia));
        }
    }

    #[test]
    fn a_centre_s_own_codes_win_over_the_standard_ones() {
        let table: CodeTable = serde_json::from_str(r#"{"check-in-missed":{"sia":"QA","cid":"1641"}}"#).unwrap();
        assert_eq!(table.codes(Event::CheckInMissed), Codes { sia: sia("QA"), cid: cid("1641") });
        assert_eq!(table.of_sia(sia("QA")), Some(Event::CheckInMissed));
        assert_eq!(table.of_sia(sia("NA")), None);
        assert_eq!(table.codes(Event::Panic), CodeTable::standard().codes(Event::Panic));
    }

    #[test]
    fn codes_that_could_be_none_are_refused_where_they_are_read() {
        assert!(serde_json::from_str::<CodeTable>(r#"{"panic":{"sia":"P1","cid":"1120"}}"#).is_err());
        assert!(serde_json::from_str::<CodeTable>(r#"{"panic":{"sia":"PA","cid":"2120"}}"#).is_err());
        assert!(serde_json::from_str::<CodeTable>(r#"{"panik":{"sia":"PA","cid":"1120"}}"#).is_err());
        // 655 says that an installer changed a code, and is easily taken for inactivity.
        assert_eq!(CodeTable::standard().of_cid(cid("1655")), None);
    }
}
