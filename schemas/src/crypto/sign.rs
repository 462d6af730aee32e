//! Ed25519 signatures over labelled transcripts, checked with the strict rules of `verify_strict`.

use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::Signer as _;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::FormatError;
use crate::crypto::transcript;
use crate::id::byte_newtype;

/// A public key that checks signatures. 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyKey(pub [u8; 32]);
byte_newtype!(VerifyKey, 32, "an Ed25519 public key");

/// A signature. 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);
byte_newtype!(Signature, 64, "an Ed25519 signature");

/// A secret key that signs. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// A new random key.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_bytes(&seed)
    }

    /// The key of a 32-byte seed.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The key others check with.
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `fields` behind `label`.
    pub fn sign(&self, label: &str, fields: &[&[u8]]) -> Signature {
        self.sign_raw(&transcript(label, fields))
    }

    /// Signs a message that a standard defines (RFC 9421's signature base). Documents of Baken use [`Self::sign`].
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl VerifyKey {
    /// Checks a signature over `fields` behind `label`. `what` names the thing in the error.
    ///
    /// # Errors
    /// [`FormatError::Signature`].
    pub fn verify(
        &self,
        what: &'static str,
        label: &str,
        fields: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), FormatError> {
        self.verify_raw(what, &transcript(label, fields), signature)
    }

    /// Checks a signature over a message that a standard defines. `what` names the thing in the error.
    ///
    /// # Errors
    /// [`FormatError::Signature`].
    pub fn verify_raw(&self, what: &'static str, message: &[u8], signature: &Signature) -> Result<(), FormatError> {
        ed25519_dalek::VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)))
            .map_err(|_| FormatError::Signature { what })
    }
}
