//! What a phone leaves at the relay so that its text messages are alarms ([`super::sms`]): a key wrapped to the responders of
//! its ladder, like that of an alarm, and a second one by which the relay tells a true text from noise.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{ContentKey, Slot, slots_for};
use crate::FormatError;
use crate::cbor;
use crate::crypto::{KemSecret, SigningKey, SymmetricKey, Wrapped, open_wrapped};
use crate::id::{AlarmId, DeviceId, LadderId, SmsContextId};
use crate::org::{Directory, MAX_RESPONDERS};
use crate::signed::{Document, Signed};

const SLOT_LABEL: &str = "baken/sms-slot/v0";
const KEY_LABEL: &str = "baken/sms-key/v0";
const CONTENT_LABEL: &str = "baken/sms-content-key/v0";
const ALARM_LABEL: &str = "baken/sms-alarm-id/v0";

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
        let slots = slots_for(ladder, directory, &[], (SLOT_LABEL, &cbor::to_vec(&header)), &key, rng)?;
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

/// The number of an alarm within its context: used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsNumber {
    /// Rises with every alarm of the context, from 1.
    pub counter: u32,
    /// Random, so that a phone whose files were put back from a copy, and counts anew, makes no second alarm under an id
    /// that is taken, and seals nothing under a key that was used.
    pub salt: [u8; 4],
}

impl SmsNumber {
    /// Its length in bytes.
    pub const LEN: usize = 8;

    /// With fresh salt.
    pub fn make(counter: u32, rng: &mut dyn CryptoRng) -> Self {
        let mut salt = [0; 4];
        rng.fill_bytes(&mut salt);
        Self { counter, salt }
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let ([a, b, c, d], [e, f, g, h]) = (self.counter.to_be_bytes(), self.salt);
        [a, b, c, d, e, f, g, h]
    }

    pub(super) fn from_bytes([a, b, c, d, salt @ ..]: [u8; Self::LEN]) -> Self {
        Self { counter: u32::from_be_bytes([a, b, c, d]), salt }
    }
}

impl SmsKeys {
    /// The id of the alarm with this number.
    pub fn alarm(&self, number: SmsNumber) -> AlarmId {
        alarm_of(&self.tag_key, self.context, number)
    }

    /// The key of the content of the text with this number: opens the details of receipts for it.
    pub fn content(&self, number: SmsNumber) -> ContentKey {
        ContentKey(self.key.derive(CONTENT_LABEL, &[&self.context.0, &number.to_bytes()]))
    }

    pub(super) fn once(&self, number: SmsNumber) -> SymmetricKey {
        self.key.derive(KEY_LABEL, &[&self.context.0, &number.to_bytes()])
    }
}

pub(super) fn alarm_of(tag_key: &SymmetricKey, context: SmsContextId, number: SmsNumber) -> AlarmId {
    let derived = tag_key.derive(ALARM_LABEL, &[&context.0, &number.to_bytes()]);
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *derived.as_bytes();
    AlarmId(id)
}
