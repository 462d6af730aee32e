//! Family members' devices as responders: how one makes itself known, and how a sender says whom an alarm was sealed to
//! beside desks.
//!
//! The directory knows nothing of families. A device says with its main key, which the family circle's membership log
//! has, which keys it answers alarms with ([`FamilyResponder`]). Who calls vouches in the alarm for the keys of those it
//! was sealed to ([`AlarmFamily`]), with the key that signs the alarm: so every responder, and whoever reads a timeline
//! later, can check a family member's receipt without the circle.

use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::alarm::AlarmKind;
use crate::crypto::{KemPublic, VerifyKey};
use crate::id::{AlarmId, DeviceId};
use crate::org::{Ladder, MAX_RESPONDERS};
use crate::signed::{Document, Signed, Unverified};

/// A family member's device that agreed to be called; its envelope is signed by the device's main key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FamilyResponder {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Checks its receipts and escalations.
    #[n(1)]
    pub alarm: VerifyKey,
    /// Seals alarms to it; its secret half is there while the device is locked.
    #[n(2)]
    pub kem: KemPublic,
}

impl Document for FamilyResponder {
    const LABEL: &'static str = "baken/family-responder/v0";
    const MAX_BYTES: usize = 2048;
}

impl FamilyResponder {
    /// Reads what a device says of itself, and checks that its main key signed it.
    ///
    /// # Errors
    /// [`FormatError`]; [`FormatError::Signature`] when it is about another device or by another key.
    pub fn verify(bytes: &[u8], device: DeviceId, sig: &VerifyKey) -> Result<Self, FormatError> {
        let responder = Unverified::<Self>::parse(bytes)?.verify(sig)?.into_value();
        if responder.device == device { Ok(responder) } else { Err(FormatError::Signature { what: Self::LABEL }) }
    }
}

/// A family member's device, and what checks its receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FamilyKey {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Checks its receipts and escalations.
    #[n(1)]
    pub alarm: VerifyKey,
}

/// Whom an alarm was sealed to beside desks; its envelope is signed by the sender's `alarm` key, as the alarm is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AlarmFamily {
    /// The alarm.
    #[n(0)]
    pub alarm: AlarmId,
    /// One to three, each once; never the sender.
    #[n(1)]
    pub responders: Vec<FamilyKey>,
}

impl Document for AlarmFamily {
    const LABEL: &'static str = "baken/alarm-family/v0";
    const MAX_BYTES: usize = 512;

    fn check(&self) -> Result<(), FormatError> {
        let responders = &self.responders;
        let twice = |(at, key): (usize, &FamilyKey)| responders.iter().take(at).any(|other| other.device == key.device);
        if (1..MAX_RESPONDERS).contains(&responders.len()) && !responders.iter().enumerate().any(twice) {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "an alarm reaches one to three of the family, each once" })
        }
    }
}

impl AlarmFamily {
    /// Reads whom an alarm was sealed to, and checks that its sender says so of this alarm.
    ///
    /// # Errors
    /// [`FormatError`]; [`FormatError::Signature`] when it is about another alarm or by another key.
    pub fn verify(bytes: &[u8], alarm: AlarmId, sender: &VerifyKey) -> Result<Vec<FamilyKey>, FormatError> {
        let family: Signed<Self> = Unverified::<Self>::parse(bytes)?.verify(sender)?;
        if family.value().alarm != alarm {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        Ok(family.into_value().responders)
    }
}

/// Those of the chosen family responders that an alarm of this kind is sealed to on this ladder, by `sender`: none where
/// the ladder calls no family, where the kind is for desks only, and never the sender. The first chosen go first.
pub fn family_called<'a>(
    ladder: &Ladder,
    kind: AlarmKind,
    sender: DeviceId,
    chosen: &'a [FamilyResponder],
) -> Vec<&'a FamilyResponder> {
    let places = if kind.is_for_family() { ladder.family_places() } else { 0 };
    let mut called: Vec<&FamilyResponder> = Vec::with_capacity(places);
    for responder in chosen {
        let is_new = called.iter().all(|other| other.device != responder.device);
        if called.len() < places && responder.device != sender && is_new {
            called.push(responder);
        }
    }
    called
}
