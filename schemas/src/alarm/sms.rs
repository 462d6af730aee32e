//! An alarm in one text message, for a phone without data.
//!
//! Beforehand the phone leaves a **context** at the relay: a key wrapped to the responders of its ladder, like that of an
//! alarm, and a second one by which the relay tells a true text from noise. Each press takes the next number of the
//! context, from which the alarm's id follows; so the text and the alarm by data are one alarm, and a text that is played
//! back is the alarm that it was.
//!
//! ```text
//! text   "BAKEN " base64( version 1 | context 8 | counter 4 | salt 4 | sealed 87 | tag 8 )   156 characters of GSM 7-bit
//! sealed commitment 16 | body 55 | tag 16, under a key of this counter and salt alone
//! body   kind 1 | battery 1 | fix 1+4+4+2+2 | made at 8 | card key 32
//! ```
//! Whoever carries the text sees that it is one, whose context it names and its counter; nothing of what it says.

use data_encoding::BASE64_NOPAD;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq as _;

use super::sms_context::alarm_of;
use super::{AlarmBody, AlarmKind, ContentKey, Fix, FixAbsent, Position, Provenance};
use super::{SmsContext, SmsKeys, SmsNumber, SmsShort};
use crate::FormatError;
use crate::crypto::{Hash, SEAL_ONCE_OVERHEAD, SymmetricKey, open_once, seal_once, transcript};
use crate::id::{AlarmId, DeviceId};
use crate::signed::Document;
use crate::time::Timestamp;

/// The most characters of one text message in GSM 7-bit.
pub const MAX_SMS_CHARACTERS: usize = 160;

/// How a text begins.
const PREFIX: &str = "BAKEN ";
/// The version of what follows.
const VERSION: u8 = 0;
/// Bytes of the body before sealing.
const BODY_LEN: usize = 1 + 1 + 13 + 8 + 32;
/// Bytes of the body, sealed.
const SEALED_LEN: usize = BODY_LEN + SEAL_ONCE_OVERHEAD;
/// Bytes of the tag.
const TAG_LEN: usize = 8;
/// Bytes of a text behind its prefix, before base64.
const TEXT_LEN: usize = 1 + SmsShort::LEN + SmsNumber::LEN + SEALED_LEN + TAG_LEN;
/// A battery that is not known.
const NO_BATTERY: u8 = 255;

const TAG_LABEL: &str = "baken/sms-tag/v0";
const TEXT_LABEL: &str = "baken/sms-text/v0";

/// A text message that calls for help, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsText {
    /// Which context.
    pub short: SmsShort,
    /// Which of its alarms.
    pub number: SmsNumber,
    sealed: Vec<u8>,
    tag: [u8; TAG_LEN],
}

/// What a text says.
#[derive(Clone, PartialEq, Eq)]
pub struct SmsBody {
    /// What kind of help.
    pub kind: AlarmKind,
    /// Where. Accuracy and age are at most 65,535 metres and seconds.
    pub fix: Fix,
    /// Battery in per cent.
    pub battery_percent: Option<u8>,
    /// The phone's own clock, for information.
    pub made_at: Timestamp,
    /// The key of the sender's card at the relay.
    pub card_key: SymmetricKey,
}

impl std::fmt::Debug for SmsBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmsBody(…)")
    }
}

impl SmsBody {
    /// The same as an alarm's content, by way of this bridge.
    pub fn into_alarm_body(self, bridge: &str) -> AlarmBody {
        AlarmBody {
            kind: self.kind,
            fix: self.fix,
            battery_percent: self.battery_percent,
            text: String::new(),
            made_at: self.made_at,
            card_key: Some(self.card_key.as_bytes().to_vec().into()),
            family: None,
            provenance: Provenance::Sms { bridge: bridge.to_owned() },
        }
    }

    fn to_bytes(&self) -> [u8; BODY_LEN] {
        let (tag, position) = match self.fix {
            Fix::Absent(FixAbsent::NotYet) => (0, None),
            Fix::Absent(FixAbsent::SwitchedOff) => (1, None),
            Fix::Absent(FixAbsent::NoReceiver) => (2, None),
            Fix::At(position) => (3, Some(position)),
        };
        let number = |number: u32| u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
        let mut place = [0; 12];
        if let Some(position) = position {
            let parts = [
                &position.latitude_e7.to_be_bytes()[..],
                &position.longitude_e7.to_be_bytes(),
                &number(position.accuracy_m),
                &number(position.age_s),
            ];
            place.copy_from_slice(&parts.concat());
        }
        let battery = self.battery_percent.map_or(NO_BATTERY, |percent| percent.min(NO_BATTERY - 1));
        let mut bytes = [0; BODY_LEN];
        let (clear, key) = bytes.split_at_mut(BODY_LEN - 32);
        let parts = [&[kind_number(self.kind), battery, tag][..], &place, &self.made_at.0.to_be_bytes()];
        clear.copy_from_slice(&parts.concat());
        key.copy_from_slice(self.card_key.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[kind, battery, tag], rest) = bytes.split_first_chunk()?;
        let (latitude, rest) = rest.split_first_chunk()?;
        let (longitude, rest) = rest.split_first_chunk()?;
        let (accuracy, rest) = rest.split_first_chunk()?;
        let (age, rest) = rest.split_first_chunk()?;
        let (made_at, key) = rest.split_first_chunk()?;
        let fix = match tag {
            0 => Fix::Absent(FixAbsent::NotYet),
            1 => Fix::Absent(FixAbsent::SwitchedOff),
            2 => Fix::Absent(FixAbsent::NoReceiver),
            3 => Fix::At(Position {
                latitude_e7: i32::from_be_bytes(*latitude),
                longitude_e7: i32::from_be_bytes(*longitude),
                accuracy_m: u16::from_be_bytes(*accuracy).into(),
                age_s: u16::from_be_bytes(*age).into(),
            }),
            _ => return None,
        };
        let body = Self {
            kind: *KINDS.get(usize::from(kind))?,
            fix,
            battery_percent: (battery != NO_BATTERY).then_some(battery),
            made_at: Timestamp(i64::from_be_bytes(*made_at)),
            card_key: SymmetricKey::from_slice(key)?,
        };
        // One form for each value: no position has no numbers.
        (body.to_bytes() == *bytes).then_some(body)
    }
}

/// In the order of their numbers, as in an alarm.
const KINDS: [AlarmKind; 9] = [
    AlarmKind::Panic,
    AlarmKind::Silent,
    AlarmKind::Medical,
    AlarmKind::Duress,
    AlarmKind::Button,
    AlarmKind::Missed,
    AlarmKind::Test,
    AlarmKind::Probe,
    AlarmKind::Trouble,
];

fn kind_number(kind: AlarmKind) -> u8 {
    (0..).zip(KINDS).find(|(_, known)| *known == kind).map_or(0, |(number, _)| number)
}

impl SmsText {
    /// Seals an alarm with this number of the context. **Each number is for one body only**: it gives the key and the nonce.
    pub fn seal(keys: &SmsKeys, number: SmsNumber, body: &SmsBody) -> Self {
        let short = SmsShort::of(keys.context);
        let sealed = seal_once(&keys.once(number), TEXT_LABEL, &bound(short, number), &body.to_bytes());
        let tag = tag_of(&keys.tag_key, &[&bound(short, number), &sealed]);
        Self { short, number, sealed, tag }
    }

    /// The text as it is sent: printable ASCII that every text message can hold, at most 160 characters.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE64_NOPAD.encode(&self.to_bytes()))
    }

    /// The bytes behind the prefix.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION][..], &self.short.0, &self.number.to_bytes(), &self.sealed, &self.tag].concat()
    }

    /// Reads a text as a gateway brings it, with whatever spaces and line ends around it.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when it is another text.
    pub fn from_text(text: &str) -> Result<Self, FormatError> {
        let malformed = || FormatError::Malformed { what: TEXT_LABEL };
        let encoded = text.trim().strip_prefix(PREFIX).ok_or_else(malformed)?;
        if encoded.len() > MAX_SMS_CHARACTERS {
            return Err(malformed());
        }
        Self::from_bytes(&BASE64_NOPAD.decode(encoded.trim().as_bytes()).map_err(|_| malformed())?)
    }

    /// Reads the bytes behind the prefix.
    ///
    /// # Errors
    /// [`FormatError::Malformed`], [`FormatError::WrongDocument`] for a version that this program does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let malformed = || FormatError::Malformed { what: TEXT_LABEL };
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(FormatError::WrongDocument { expected: TEXT_LABEL });
        }
        if bytes.len() != TEXT_LEN {
            return Err(malformed());
        }
        let (_, rest) = bytes.split_first().ok_or_else(malformed)?;
        let (short, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (number, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (sealed, tag) = rest.split_last_chunk().ok_or_else(malformed)?;
        Ok(Self { short: SmsShort(*short), number: SmsNumber::from_bytes(*number), sealed: sealed.to_vec(), tag: *tag })
    }

    /// The alarm that this text is, if the phone of this context made it; what the relay asks, which cannot open it.
    ///
    /// # Errors
    /// [`FormatError::Signature`] for another context's text, an altered one, and one that somebody made up.
    pub fn alarm(&self, context: &SmsContext) -> Result<AlarmId, FormatError> {
        let refused = || FormatError::Signature { what: TEXT_LABEL };
        let tag_key = context.tag_key().ok_or_else(refused)?;
        let tag = tag_of(&tag_key, &[&bound(self.short, self.number), &self.sealed]);
        let ours = self.short == SmsShort::of(context.header.context) && bool::from(tag.ct_eq(&self.tag));
        if ours { Ok(alarm_of(&tag_key, context.header.context, self.number)) } else { Err(refused()) }
    }

    /// What it says, at a responder that opened its context.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, keys: &SmsKeys) -> Result<(SmsBody, ContentKey), FormatError> {
        let bound = bound(self.short, self.number);
        let body = open_once(&keys.once(self.number), TEXT_LABEL, &bound, &self.sealed, TEXT_LABEL)?;
        let body = SmsBody::from_bytes(&body).ok_or(FormatError::Malformed { what: TEXT_LABEL })?;
        Ok((body, keys.content(self.number)))
    }

    /// What a receipt for this text names as the alarm's hash: phone, relay and desk make it of the same bytes.
    pub fn hash(&self) -> Hash {
        Hash::of(TEXT_LABEL, &[&self.to_bytes()])
    }
}

fn bound(short: SmsShort, number: SmsNumber) -> Vec<u8> {
    transcript(TEXT_LABEL, &[&[VERSION], &short.0, &number.to_bytes()])
}

/// A text that a bridge took in; its envelope is signed by the bridge's `alarm` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SmsAlarm {
    /// The bridge.
    #[n(0)]
    pub bridge: DeviceId,
    /// The bytes of the [`SmsText`].
    #[n(1)]
    pub text: ByteVec,
    /// When the bridge took it in.
    #[n(2)]
    pub taken_at: Timestamp,
}

impl Document for SmsAlarm {
    const LABEL: &'static str = "baken/sms-alarm/v0";
    const MAX_BYTES: usize = 512;

    fn check(&self) -> Result<(), FormatError> {
        SmsText::from_bytes(&self.text).map(drop)
    }
}

/// What the relay hands to a responder: the text as the bridge signed it, and the context it needs as the phone signed it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SmsHandover {
    /// The signed [`SmsContext`].
    #[n(0)]
    pub context: ByteVec,
    /// The signed [`SmsAlarm`].
    #[n(1)]
    pub alarm: ByteVec,
}

/// The tag by which a text is told from noise: the first bytes of HKDF-SHA256, a pseudo-random function of the fields.
fn tag_of(key: &SymmetricKey, fields: &[&[u8]]) -> [u8; TAG_LEN] {
    let derived = key.derive(TAG_LABEL, fields);
    let mut tag = [0; TAG_LEN];
    tag.iter_mut().zip(derived.as_bytes()).for_each(|(tag, byte)| *tag = *byte);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor;

    #[test]
    fn a_text_fits_one_message() {
        assert_eq!(TEXT_LEN, 112);
        let characters = PREFIX.len() + BASE64_NOPAD.encode_len(TEXT_LEN);
        assert_eq!(characters, 156);
        assert!(characters <= MAX_SMS_CHARACTERS);
    }

    #[test]
    fn the_kinds_are_in_the_order_of_their_numbers_on_the_wire() {
        for (number, kind) in (0_u8..).zip(KINDS) {
            assert_eq!(cbor::to_vec(&kind), [0x82, number, 0x80], "{kind:?}");
            assert_eq!(kind_number(kind), number);
        }
    }
}
