//! The roster: who an account is, told to each desk beforehand, so that a desk can name an alarm that it cannot open.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{KemSecret, Wrapped, open_wrapped, transcript, wrap};
use crate::id::{AccountId, DeviceId};
use crate::org::{DeskEntry, OrgId};
use crate::signed::Document;

/// Who an account is, sealed to one desk: how the desk names an alarm, even one it cannot open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RosterLine {
    /// The organisation.
    #[n(0)]
    pub org: OrgId,
    /// The desk it is for.
    #[n(1)]
    pub desk: DeviceId,
    /// The account.
    #[n(2)]
    pub account: AccountId,
    /// A [`RosterPerson`].
    #[n(3)]
    pub sealed: Wrapped,
}

impl Document for RosterLine {
    const LABEL: &'static str = "baken/roster/v0";
    const MAX_BYTES: usize = 4096;
}

/// What a desk knows of an account before any alarm. Padded to one size.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct RosterPerson {
    /// Name, as the desk says it.
    #[n(0)]
    pub name: String,
    /// Office: "burgemeester".
    #[n(1)]
    pub office: String,
    /// Where to call the person back.
    #[n(2)]
    pub phone: String,
    /// [`Invite::desk_key`](crate::org::Invite::desk_key): what the account's devices prove themselves with.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub desk_key: [u8; 32],
}

impl std::fmt::Debug for RosterPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RosterPerson(…)")
    }
}

/// Size of a roster person in bytes, sealed.
const ROSTER_SIZE: usize = 512;

impl RosterLine {
    fn bound(org: OrgId, desk: DeviceId, account: AccountId) -> Vec<u8> {
        transcript(Self::LABEL, &[&org.0.0, &desk.0, &account.0])
    }

    /// Seals a person to a desk.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] when the texts are too long together; [`FormatError::Sealed`] for a bad desk key.
    pub fn make(
        org: OrgId,
        desk: &DeskEntry,
        account: AccountId,
        person: &RosterPerson,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, FormatError> {
        let padded = crate::entry::pad_to(&cbor::to_vec(person), ROSTER_SIZE, Self::LABEL)?;
        let bound = Self::bound(org, desk.desk, account);
        let sealed = wrap(&desk.kem, None, Self::LABEL, &bound, &padded, rng)?;
        Ok(Self { org, desk: desk.desk, account, sealed })
    }

    /// Opens it at the desk.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open(&self, kem: &KemSecret) -> Result<RosterPerson, FormatError> {
        let bound = Self::bound(self.org, self.desk, self.account);
        let padded = open_wrapped(kem, None, Self::LABEL, &bound, &self.sealed)?;
        cbor::from_slice(crate::entry::unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}
