//! The alarm: a sealed, signed call for help, and what belongs to it.
//!
//! A random content key seals the body and is wrapped to each responder on the ladder; there are always four slots,
//! the unused ones filled with noise, so every alarm has the same size and shape whatever its kind. From the content
//! key are derived the key of its updates and the key of its receipts' details.

mod attachment;
mod body;
mod card;
mod deposit;
mod escalation;
mod family;
mod handing_on;
mod note;
mod receipt;
mod sms;
mod sms_context;
mod timeline;
mod update;

pub use attachment::{AlarmAttachment, MAX_ATTACHMENT_BYTES, MediaType};
pub use body::{AlarmBody, AlarmKind, Fix, FixAbsent, Position, Provenance};
pub use card::{Card, CardBody};
pub use deposit::{
    DepositReceipt, DepositState, DepositTimers, MAX_GRACE_S, MAX_TIMER_S, MIN_TIMER_S, Raise, Settlement,
};
pub use escalation::{Escalation, check_escalation};
pub use family::{AlarmFamily, FamilyKey, FamilyResponder, family_called};
pub use handing_on::{HandedAlarm, HandingOn, check_handing_on};
pub use note::{Note, NoteBody, NoteKind};
pub use receipt::{Receipt, ReceiptDetail, ReceiptState, check_receipt, check_receipt_of, holding, standing};
pub use sms::{MAX_SMS_CHARACTERS, SmsAlarm, SmsBody, SmsHandover, SmsText};
pub use sms_context::{SmsContext, SmsContextHeader, SmsKeys, SmsNumber, SmsShort};
pub use timeline::{
    AttachmentView, Fault, HandedOnStep, MAX_TIMELINE_BYTES, ProvenTimeline, SaysView, Step, Timeline, UpdateView,
};
pub use update::{Update, UpdateBody};

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{
    KemPublic, KemSecret, SEAL_OVERHEAD, SigningKey, SymmetricKey, Wrapped, open, open_wrapped, seal, wrap,
};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId, LadderId};
use crate::org::{Directory, Ladder, MAX_RESPONDERS};
use crate::signed::{Document, Signed};

/// Size of an alarm's body in bytes before sealing, padded.
pub const BODY_SIZE: usize = 2048;

const BODY_LABEL: &str = "baken/alarm-body/v0";
const SLOT_LABEL: &str = "baken/alarm-slot/v0";

/// Whether an alarm calls now or lies ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum AlarmClass {
    /// Calls now.
    #[n(0)]
    Alarm,
    /// Lies at the relay until a timer raises it ([`DepositTimers`]).
    #[n(1)]
    Deposit,
}

/// The content key for one responder, or noise.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Slot {
    /// The responder; random for noise.
    #[n(0)]
    pub responder: DeviceId,
    /// The 32-byte content key, or noise of the same size.
    #[n(1)]
    pub wrapped: Wrapped,
}

/// What the relay sees of an alarm before its slots and body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AlarmHeader {
    /// Made by the phone: every way the alarm travels, it is this one.
    #[n(0)]
    pub alarm: AlarmId,
    /// Who calls.
    #[n(1)]
    pub device: DeviceId,
    /// Now, or ready.
    #[n(2)]
    pub class: AlarmClass,
    /// The ladder to climb.
    #[n(3)]
    pub ladder: LadderId,
    /// The version of it that the user accepted.
    #[n(4)]
    pub ladder_version: u32,
}

/// A sealed alarm; its envelope is signed by the device's `alarm` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Alarm {
    /// What the relay sees.
    #[n(0)]
    pub header: AlarmHeader,
    /// Always four, in random order.
    #[n(1)]
    pub slots: Vec<Slot>,
    /// The [`AlarmBody`], padded and sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

impl Document for Alarm {
    const LABEL: &'static str = "baken/alarm/v0";
    const MAX_BYTES: usize = 8 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        if self.slots.len() != MAX_RESPONDERS {
            return Err(rule("an alarm has four slots"));
        }
        let lens = Wrapped::lens_for(32);
        if self.slots.iter().any(|slot| slot.wrapped.lens() != lens) || self.body.len() != BODY_SIZE + SEAL_OVERHEAD {
            return Err(rule("every alarm has the same size"));
        }
        Ok(())
    }
}

/// The secret of one alarm, from which the keys of its updates and receipts come. The phone keeps it in the alarm
/// outbox; responders unwrap it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentKey(SymmetricKey);

impl ContentKey {
    /// The key of these 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        SymmetricKey::from_slice(bytes).map(Self)
    }

    /// A new key.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        Self(SymmetricKey::make(rng))
    }

    /// The key's bytes, for the outbox.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    fn updates(&self) -> SymmetricKey {
        self.0.derive("baken/alarm-updates-key/v0", &[])
    }

    fn receipts(&self) -> SymmetricKey {
        self.0.derive("baken/alarm-receipts-key/v0", &[])
    }
}

impl Alarm {
    /// Seals and signs an alarm to every responder of the ladder that the header names.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when the directory has no such ladder, [`FormatError::TooLarge`] when the body's text is
    /// too long, [`FormatError::Sealed`] when a responder's key is bad.
    pub fn seal(
        header: AlarmHeader,
        body: &AlarmBody,
        directory: &Directory,
        alarm_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Signed<Self>, ContentKey), FormatError> {
        let content = ContentKey::make(rng);
        let alarm = Self::seal_under(&content, header, body, (directory, &[]), alarm_key, rng)?;
        Ok((alarm, content))
    }

    /// Seals and signs an alarm under a content key that there is, to the ladder's desks and to those of the chosen family
    /// that [`family_called`] names. The next form of a deposit has the same key, so that whoever opens one form can read
    /// what follows any other.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_under(
        content: &ContentKey,
        header: AlarmHeader,
        body: &AlarmBody,
        (directory, chosen): (&Directory, &[FamilyResponder]),
        alarm_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let content = &content.0;
        let ladder = directory
            .ladder(header.ladder, header.ladder_version)
            .ok_or(FormatError::Rule { what: Self::LABEL, rule: "the directory has no such ladder" })?;
        let bound = cbor::to_vec(&header);
        let family = family_called(ladder, body.kind, header.device, chosen);
        let slots = slots_for(ladder, directory, &family, (SLOT_LABEL, &bound), content, rng)?;
        let body = AlarmBody { family: vouched(header.alarm, &family, alarm_key), ..body.clone() };
        let padded = pad_to(&cbor::to_vec(&body), BODY_SIZE, Self::LABEL)?;
        let body = seal(content, BODY_LABEL, &bound, &padded, rng);
        Ok(Signed::make(Self { header, slots, body }, alarm_key))
    }

    /// Opens the alarm at a responder: `None` when no slot is for it.
    ///
    /// # Errors
    /// [`FormatError`]: such an alarm still rings at a desk, unopened.
    pub fn open(&self, responder: DeviceId, kem: &KemSecret) -> Result<Option<(AlarmBody, ContentKey)>, FormatError> {
        let Some(slot) = self.slots.iter().find(|slot| slot.responder == responder) else { return Ok(None) };
        let bound = cbor::to_vec(&self.header);
        let content = open_wrapped(kem, None, SLOT_LABEL, &bound, &slot.wrapped)?;
        let content = ContentKey::from_slice(&content).ok_or(FormatError::Sealed { what: SLOT_LABEL })?;
        Ok(Some((self.open_with(&content)?, content)))
    }

    /// Opens the alarm with its content key.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open_with(&self, content: &ContentKey) -> Result<AlarmBody, FormatError> {
        let padded = open(&content.0, BODY_LABEL, &cbor::to_vec(&self.header), &self.body, Self::LABEL)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}

/// The sender's word for the family that an alarm is sealed to; `None` without any.
fn vouched(alarm: AlarmId, family: &[&FamilyResponder], alarm_key: &SigningKey) -> Option<ByteVec> {
    let key = |responder: &&FamilyResponder| FamilyKey { device: responder.device, alarm: responder.alarm };
    let responders: Vec<FamilyKey> = family.iter().map(key).collect();
    let family = AlarmFamily { alarm, responders };
    (!family.responders.is_empty()).then(|| Signed::make(family, alarm_key).bytes().to_vec().into())
}

/// A key for every desk of a ladder and for the family, and noise in what is left of the four slots.
fn slots_for(
    ladder: &Ladder,
    directory: &Directory,
    family: &[&FamilyResponder],
    (label, bound): (&'static str, &[u8]),
    key: &SymmetricKey,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Slot>, FormatError> {
    let mut slots = Vec::with_capacity(MAX_RESPONDERS);
    for responder in ladder.responders() {
        let kem: &KemPublic = &directory
            .desk(responder)
            .ok_or(FormatError::Rule { what: label, rule: "the ladder names an unknown responder" })?
            .kem;
        let wrapped = wrap(kem, None, label, bound, key.as_bytes(), rng)?;
        slots.push(Slot { responder, wrapped });
    }
    for responder in family {
        let wrapped = wrap(&responder.kem, None, label, bound, key.as_bytes(), rng)?;
        slots.push(Slot { responder: responder.device, wrapped });
    }
    while slots.len() < MAX_RESPONDERS {
        slots.push(Slot { responder: DeviceId::make(rng), wrapped: Wrapped::filling(32, rng) });
    }
    slots.sort_by_key(|slot| slot.responder);
    Ok(slots)
}
