//! Epochs: a fresh key for the devices that are in the circle from then on.
//!
//! Every epoch also holds the key of the one before, sealed under its own. Who is given the newest key reads back to
//! the first; who was removed holds old keys and can make nothing of the new one. Nothing is encrypted a second time.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::circle::Member;
use crate::crypto::{
    Hash, KemPublic, KemSecret, SEAL_OVERHEAD, SymmetricKey, Wrapped, open, open_wrapped, seal, transcript, wrap,
};
use crate::id::{CircleId, DeviceId};

const EPOCH_LABEL: &str = "baken/epoch/v0";
const BEFORE_LABEL: &str = "baken/epoch-before/v0";
/// Stands for the recovery key among the recipients of wraps.
const RECOVERY: DeviceId = DeviceId([0; 16]);
/// Size of the sealed key of the epoch before.
const BEFORE_LEN: usize = 32 + SEAL_OVERHEAD;
/// Sizes of a wrapped key.
const WRAP_LENS: (usize, usize) = Wrapped::lens_for(32);

/// An epoch key for one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EpochWrap {
    /// The device.
    #[n(0)]
    pub recipient: DeviceId,
    /// The 32-byte key.
    #[n(1)]
    pub wrapped: Wrapped,
}

/// A new epoch: a fresh key, wrapped to every device that reads from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Epoch {
    /// Rises by one; the first is 1.
    #[n(0)]
    pub number: u32,
    /// One a reader, in order of slot.
    #[n(1)]
    pub wraps: Vec<EpochWrap>,
    /// What the key commits to: all members hold the same key.
    #[n(2)]
    pub commitment: Hash,
    /// The key of the epoch before, sealed under this one's; empty in the first.
    #[n(3)]
    pub before: ByteVec,
    /// The key for the recovery code, where the circle has one.
    #[n(4)]
    pub recovery: Option<Wrapped>,
}

/// Whom a new epoch is for.
#[derive(Debug, Clone, Copy)]
pub struct Readers<'a> {
    /// The devices, in order of slot.
    pub members: &'a [&'a Member],
    /// The circle's recovery key.
    pub recovery: Option<&'a KemPublic>,
}

impl Epoch {
    fn bound(circle: CircleId, number: u32, recipient: DeviceId) -> Vec<u8> {
        transcript(EPOCH_LABEL, &[&circle.0, &number.to_be_bytes(), &recipient.0])
    }

    fn bound_before(circle: CircleId, number: u32) -> Vec<u8> {
        transcript(BEFORE_LABEL, &[&circle.0, &number.to_be_bytes()])
    }

    /// A new epoch with a fresh key. `before` is the key of the epoch before, absent for the first.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] when a key is no X-Wing key.
    pub fn make(
        circle: CircleId,
        number: u32,
        readers: Readers<'_>,
        before: Option<&SymmetricKey>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, SymmetricKey), FormatError> {
        let key = SymmetricKey::make(rng);
        let mut wrap_to = |recipient: DeviceId, kem: &KemPublic| {
            let bound = Self::bound(circle, number, recipient);
            wrap(kem, None, EPOCH_LABEL, &bound, key.as_bytes(), rng)
        };
        let wraps = readers
            .members
            .iter()
            .map(|member| Ok(EpochWrap { recipient: member.device, wrapped: wrap_to(member.device, &member.kem)? }))
            .collect::<Result<_, FormatError>>()?;
        let recovery = readers.recovery.map(|kem| wrap_to(RECOVERY, kem)).transpose()?;
        let before = before.map_or_else(Vec::new, |before| {
            seal(&key, BEFORE_LABEL, &Self::bound_before(circle, number), before.as_bytes(), rng)
        });
        let commitment = key.commitment(EPOCH_LABEL);
        Ok((Self { number, wraps, commitment, before: before.into(), recovery }, key))
    }

    /// The key, for a device it was wrapped to; `None` when it was not.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] when the wrap is damaged or holds another key than the others got.
    pub fn open(
        &self,
        circle: CircleId,
        device: DeviceId,
        kem: &KemSecret,
    ) -> Result<Option<SymmetricKey>, FormatError> {
        let found = self.wraps.iter().find(|wrap| wrap.recipient == device);
        found.map(|found| self.unwrap(circle, device, kem, &found.wrapped)).transpose()
    }

    /// The key, for the recovery code; `None` when the circle had none then.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_recovery(&self, circle: CircleId, kem: &KemSecret) -> Result<Option<SymmetricKey>, FormatError> {
        self.recovery.as_ref().map(|wrapped| self.unwrap(circle, RECOVERY, kem, wrapped)).transpose()
    }

    fn unwrap(
        &self,
        circle: CircleId,
        recipient: DeviceId,
        kem: &KemSecret,
        wrapped: &Wrapped,
    ) -> Result<SymmetricKey, FormatError> {
        let bound = Self::bound(circle, self.number, recipient);
        let key = open_wrapped(kem, None, EPOCH_LABEL, &bound, wrapped)?;
        let key = SymmetricKey::from_slice(&key).ok_or(FormatError::Sealed { what: EPOCH_LABEL })?;
        self.check(&key)?;
        Ok(key)
    }

    /// The key of the epoch before, opened with this one's; `None` for the first epoch.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open_before(&self, circle: CircleId, key: &SymmetricKey) -> Result<Option<SymmetricKey>, FormatError> {
        if self.before.is_empty() {
            return Ok(None);
        }
        let bound = Self::bound_before(circle, self.number);
        let before = open(key, BEFORE_LABEL, &bound, &self.before, BEFORE_LABEL)?;
        SymmetricKey::from_slice(&before).map(Some).ok_or(FormatError::Sealed { what: BEFORE_LABEL })
    }

    /// Checks that `key`, got in another way, is this epoch's.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn check(&self, key: &SymmetricKey) -> Result<(), FormatError> {
        if key.commitment(EPOCH_LABEL) == self.commitment {
            Ok(())
        } else {
            Err(FormatError::Sealed { what: EPOCH_LABEL })
        }
    }

    /// Whether it has the shape of epoch `number` for these readers.
    pub(super) fn fits(&self, number: u32, readers: Readers<'_>) -> bool {
        let before = if number == 1 { 0 } else { BEFORE_LEN };
        self.number == number
            && self.before.len() == before
            && self.recovery.is_some() == readers.recovery.is_some()
            && self.wraps.iter().map(|wrap| &wrap.wrapped).chain(&self.recovery).all(|wrap| wrap.lens() == WRAP_LENS)
            && self.wraps.iter().map(|wrap| wrap.recipient).eq(readers.members.iter().map(|member| member.device))
    }
}
