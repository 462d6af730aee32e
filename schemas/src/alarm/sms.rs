//! An alarm in one text message, for a phone without data.
//!
//! Beforehand the phone leaves a **context** at the relay: a key wrapped to the responders of its ladder, like that of an
//! alarm, and a second one by which the relay tells a true text from noise. Each press takes the next number of the
//! context, from which the alarm's id follows; so the text and the alarm by data are one alarm, and a text that is played
//! back is the alarm that it was.
//!
//! ```text
//! text   "BAKEN " base64( version 1 | context 8 | counter 4 | sealed 87 | tag 8 )      150 characters of GSM 7-bit
//! sealed commitment 16 | body 55 | tag 16, under a key of this counter alone
//! body   kind 1 | battery 1 | fix 1+4+4+2+2 | made at 8 | card key 32
//! ```
//! Whoever carries the text sees that it is one, whose context it names and its counter; nothing of what it says.

use data_encoding::BASE64_NOPAD;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;

use super::{AlarmBody, AlarmKind, ContentKey, Fix, FixAbsent, Position, Provenance, Slot, slots_for};
use crate::FormatError;
use crate::cbor;
use crate::crypto::{
    Hash, KemSecret, SEAL_ONCE_OVERHEAD, SigningKey, SymmetricKey, Wrapped, open_once, open_wrapped, seal_once,
    transcript,
};
use crate::id::{AlarmId, DeviceId, LadderId, SmsContextId};
use crate::org::{Directory, MAX_RESPONDERS};
use crate::signed::{Document, Signed};
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
const TEXT_LEN: usize = 1 + SmsShort::LEN + 4 + SEALED_LEN + TAG_LEN;
/// A battery that is not known.
const NO_BATTERY: u8 = 255;

const SLOT_LABEL: &str = "baken/sms-slot/v0";
const KEY_LABEL: &str = "baken/sms-key/v0";
const CONTENT_LABEL: &str = "baken/sms-content-key/v0";
const ALARM_LABEL: &str = "baken/sms-alarm-id/v0";
const TAG_LABEL: &str = "baken/sms-tag/v0";
const TEXT_LABEL: &str = "baken/sms-text/v0";

/// What the relay sees of a context before its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SmsContextHeader {
    /// The context.
    #[n(0)]
    pub context: SmsContextId,
    /// Whose.
    #[n(1)]
    pub device: DeviceId,
    /// The ladder that its alarms climb.
    #[n(2)]
    pub ladder: LadderId,
    /// The version of it that the user accepted.
    #[n(3)]
    pub ladder_version: u32,
}

/// What a phone leaves at the relay; its envelope is signed by the device's `alarm` key.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct SmsContext {
    /// What the relay sees.
    #[n(0)]
    pub header: SmsContextHeader,
    /// The key of the texts for each responder: always four, in random order.
    #[n(1)]
    pub slots: Vec<Slot>,
    /// The key by which the relay tells this phone's texts from others, 32 bytes. It opens nothing.
    #[n(2)]
    pub tag_key: ByteArray<32>,
}

impl std::fmt::Debug for SmsContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmsContext").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Document for SmsContext {
    const LABEL: &'static str = "baken/sms-context/v0";
    const MAX_BYTES: usize = 8 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        if self.slots.len() != MAX_RESPONDERS {
            return Err(rule("a context has four slots"));
        }
        let lens = Wrapped::lens_for(32);
        if self.slots.iter().any(|slot| slot.wrapped.lens() != lens) {
            return Err(rule("every context has the same size"));
        }
        Ok(())
    }
}

/// The keys of a context, as the phone has them.
#[derive(Clone, PartialEq, Eq)]
pub struct SmsKeys {
    /// The context.
    pub context: SmsContextId,
    /// Seals the texts; responders have it too.
    pub key: SymmetricKey,
    /// Makes their tags and alarm ids; the relay has it too.
    pub tag_key: SymmetricKey,
}

impl std::fmt::Debug for SmsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmsKeys").field("context", &self.context).finish_non_exhaustive()
    }
}

impl SmsContext {
    /// Makes a context for the responders of the ladder that the header names, and signs it.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when the directory has no such ladder, [`FormatError::Sealed`] when a responder's key is bad.
    pub fn make(
        header: SmsContextHeader,
        directory: &Directory,
        alarm_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Signed<Self>, SmsKeys), FormatError> {
        let ladder = directory
            .ladder(header.ladder, header.ladder_version)
            .ok_or(FormatError::Rule { what: Self::LABEL, rule: "the directory has no such ladder" })?;
        let (key, tag_key) = (SymmetricKey::make(rng), SymmetricKey::make(rng));
        let slots = slots_for(ladder, directory, (SLOT_LABEL, &cbor::to_vec(&header)), &key, rng)?;
        let context = Self { header, slots, tag_key: ByteArray::from(*tag_key.as_bytes()) };
        Ok((Signed::make(context, alarm_key), SmsKeys { context: header.context, key, tag_key }))
    }

    /// The context's keys at a responder: `None` when no slot is for it.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, responder: DeviceId, kem: &KemSecret) -> Result<Option<SmsKeys>, FormatError> {
        let Some(slot) = self.slots.iter().find(|slot| slot.responder == responder) else { return Ok(None) };
        let sealed = || FormatError::Sealed { what: SLOT_LABEL };
        let key = open_wrapped(kem, None, SLOT_LABEL, &cbor::to_vec(&self.header), &slot.wrapped)?;
        let key = SymmetricKey::from_slice(&key).ok_or_else(sealed)?;
        Ok(Some(SmsKeys { context: self.header.context, key, tag_key: self.tag_key().ok_or_else(sealed)? }))
    }

    /// The key by which the relay tells this phone's texts from others.
    pub fn tag_key(&self) -> Option<SymmetricKey> {
        SymmetricKey::from_slice(&self.tag_key[..])
    }
}

/// The part of a context's id that a text has room for: its first eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SmsShort(pub [u8; Self::LEN]);

impl SmsShort {
    /// Its length in bytes.
    pub const LEN: usize = 8;

    /// That of a context.
    pub fn of(context: SmsContextId) -> Self {
        let [short @ .., _, _, _, _, _, _, _, _] = context.0;
        Self(short)
    }
}

impl SmsKeys {
    /// The id of the alarm with this number.
    pub fn alarm(&self, counter: u32) -> AlarmId {
        alarm_of(&self.tag_key, self.context, counter)
    }

    /// The key of the content of the text with this number: opens the details of receipts for it.
    pub fn content(&self, counter: u32) -> ContentKey {
        ContentKey(self.key.derive(CONTENT_LABEL, &[&self.context.0, &counter.to_be_bytes()]))
    }

    fn once(&self, counter: u32) -> SymmetricKey {
        self.key.derive(KEY_LABEL, &[&self.context.0, &counter.to_be_bytes()])
    }
}

fn alarm_of(tag_key: &SymmetricKey, context: SmsContextId, counter: u32) -> AlarmId {
    let derived = tag_key.derive(ALARM_LABEL, &[&context.0, &counter.to_be_bytes()]);
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *derived.as_bytes();
    AlarmId(id)
}

/// A text message that calls for help, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsText {
    /// Which context.
    pub short: SmsShort,
    /// Rises with every alarm of the context, from 1; used once.
    pub counter: u32,
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
    pub fn seal(keys: &SmsKeys, counter: u32, body: &SmsBody) -> Self {
        let short = SmsShort::of(keys.context);
        let sealed = seal_once(&keys.once(counter), TEXT_LABEL, &bound(short, counter), &body.to_bytes());
        let tag = tag_of(&keys.tag_key, &[&bound(short, counter), &sealed]);
        Self { short, counter, sealed, tag }
    }

    /// The text as it is sent: printable ASCII that every text message can hold, at most 160 characters.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE64_NOPAD.encode(&self.to_bytes()))
    }

    /// The bytes behind the prefix.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION][..], &self.short.0, &self.counter.to_be_bytes(), &self.sealed, &self.tag].concat()
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
        let (counter, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (sealed, tag) = rest.split_last_chunk().ok_or_else(malformed)?;
        Ok(Self { short: SmsShort(*short), counter: u32::from_be_bytes(*counter), sealed: sealed.to_vec(), tag: *tag })
    }

    /// The alarm that this text is, if the phone of this context made it; what the relay asks, which cannot open it.
    ///
    /// # Errors
    /// [`FormatError::Signature`] for another context's text, an altered one, and one that somebody made up.
    pub fn alarm(&self, context: &SmsContext) -> Result<AlarmId, FormatError> {
        let refused = || FormatError::Signature { what: TEXT_LABEL };
        let tag_key = context.tag_key().ok_or_else(refused)?;
        let tag = tag_of(&tag_key, &[&bound(self.short, self.counter), &self.sealed]);
        let ours = self.short == SmsShort::of(context.header.context) && bool::from(tag.ct_eq(&self.tag));
        if ours { Ok(alarm_of(&tag_key, context.header.context, self.counter)) } else { Err(refused()) }
    }

    /// What it says, at a responder that opened its context.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, keys: &SmsKeys) -> Result<(SmsBody, ContentKey), FormatError> {
        let bound = bound(self.short, self.counter);
        let body = open_once(&keys.once(self.counter), TEXT_LABEL, &bound, &self.sealed, TEXT_LABEL)?;
        let body = SmsBody::from_bytes(&body).ok_or(FormatError::Malformed { what: TEXT_LABEL })?;
        Ok((body, keys.content(self.counter)))
    }

    /// What a receipt for this text names as the alarm's hash: phone, relay and desk make it of the same bytes.
    pub fn hash(&self) -> Hash {
        Hash::of(TEXT_LABEL, &[&self.to_bytes()])
    }
}

fn bound(short: SmsShort, counter: u32) -> Vec<u8> {
    transcript(TEXT_LABEL, &[&[VERSION], &short.0, &counter.to_be_bytes()])
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

    #[test]
    fn a_text_fits_one_message() {
        assert_eq!(TEXT_LEN, 108);
        let characters = PREFIX.len() + TEXT_LEN.div_ceil(3) * 4;
        assert_eq!(characters, 150);
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
