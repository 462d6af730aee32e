//! An enrolment: how a desk learns which devices belong to an account, without having to believe the relay.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{Hash, KemSecret, SymmetricKey, Wrapped, open_wrapped, transcript, wrap};
use crate::device::{DeviceKeys, Identity};
use crate::id::{AccountId, DeviceId};
use crate::org::DeskEntry;
use crate::signed::{Document, Signed, Unverified};

/// A device tells a desk whose it is: the account's key proves it, and the relay cannot read or make it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Enrolment {
    /// The device; this document is signed by its `sig` key.
    #[n(0)]
    pub device: DeviceId,
    /// The desk it is for.
    #[n(1)]
    pub desk: DeviceId,
    /// The account.
    #[n(2)]
    pub account: AccountId,
    /// The device's identity document and the proof, sealed.
    #[n(3)]
    pub sealed: Wrapped,
}

impl Document for Enrolment {
    const LABEL: &'static str = "baken/enrolment/v0";
    const MAX_BYTES: usize = 8192;
}

#[derive(Encode, Decode)]
struct EnrolmentBody {
    #[cbor(n(0), with = "minicbor::bytes")]
    identity: Vec<u8>,
    #[n(1)]
    proof: Hash,
}

fn enrolment_proof(desk_key: &SymmetricKey, account: AccountId, identity: &[u8]) -> Hash {
    let key = desk_key.derive("baken/enrolment-proof/v0", &[&account.0, identity]);
    Hash(*key.as_bytes())
}

impl Enrolment {
    fn bound(device: DeviceId, desk: DeviceId, account: AccountId) -> Vec<u8> {
        transcript(Self::LABEL, &[&device.0, &desk.0, &account.0])
    }

    /// Enrols a device of `account` at a desk.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a bad desk key.
    pub fn make(
        keys: &DeviceKeys,
        desk: &DeskEntry,
        account: AccountId,
        desk_key: &SymmetricKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let identity = keys.identity().bytes().to_vec();
        let proof = enrolment_proof(desk_key, account, &identity);
        let bound = Self::bound(keys.device, desk.desk, account);
        let body = cbor::to_vec(&EnrolmentBody { identity, proof });
        let sealed = wrap(&desk.kem, None, Self::LABEL, &bound, &body, rng)?;
        Ok(Signed::make(Self { device: keys.device, desk: desk.desk, account, sealed }, &keys.sig))
    }

    /// Opens an enrolment at the desk and checks every claim in it: the seal, the account's proof, the identity and
    /// the signature by that identity.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open(bytes: &[u8], kem: &KemSecret, desk_key: &SymmetricKey) -> Result<Identity, FormatError> {
        let unverified = Unverified::<Self>::parse(bytes)?;
        let claims = unverified.claims();
        let bound = Self::bound(claims.device, claims.desk, claims.account);
        let body = open_wrapped(kem, None, Self::LABEL, &bound, &claims.sealed)?;
        let body: EnrolmentBody = cbor::from_slice(&body, Self::LABEL)?;
        let expected = enrolment_proof(desk_key, claims.account, &body.identity);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&expected.0[..], &body.proof.0[..])) {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        let identity = Identity::verify(&body.identity)?.into_value();
        if identity.device != claims.device {
            return Err(FormatError::Rule { what: Self::LABEL, rule: "names another device than it encloses" });
        }
        unverified.verify(&identity.sig)?;
        Ok(identity)
    }
}
