//! Signed documents: one envelope for all of them.
//!
//! On the wire: CBOR `[label, payload, signature]`. The label names kind and version (`baken/receipt/v0`), the
//! payload is the document's deterministic CBOR, and the signature is over label and payload as they stand.
//! What was parsed can be looked at only as a claim ([`Unverified::claims`]) until a key has checked it.

use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::cbor;
use crate::crypto::{Hash, Signature, SigningKey, VerifyKey};

/// A kind of signed document.
pub trait Document: Encode<()> + for<'b> Decode<'b, ()> {
    /// `baken/<thing>/v<version>`, part of what is signed.
    const LABEL: &'static str;
    /// The largest envelope accepted, in bytes.
    const MAX_BYTES: usize;

    /// Rules that the shape alone does not enforce.
    ///
    /// # Errors
    /// [`FormatError::Rule`] or [`FormatError::TooLarge`].
    fn check(&self) -> Result<(), FormatError> {
        Ok(())
    }
}

/// The hash of a signed document's bytes, as [`Signed::hash`] gives it.
pub fn hash_of(bytes: &[u8]) -> Hash {
    Hash::of("baken/document/v0", &[bytes])
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Envelope {
    #[n(0)]
    label: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    payload: Vec<u8>,
    #[n(2)]
    signature: Signature,
}

/// The label of any envelope, to tell which document came in.
///
/// # Errors
/// [`FormatError::Malformed`] when the bytes are no envelope.
pub fn label_of(bytes: &[u8]) -> Result<String, FormatError> {
    cbor::from_slice::<Envelope>(bytes, "a signed document").map(|envelope| envelope.label)
}

/// A document whose signature was made or checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    value: T,
    bytes: Vec<u8>,
}

/// A document as it came in: well-formed, its signature not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified<T> {
    value: T,
    envelope: Envelope,
    bytes: Vec<u8>,
}

impl<T: Document> Signed<T> {
    /// Signs a document.
    pub fn make(value: T, key: &SigningKey) -> Self {
        let payload = cbor::to_vec(&value);
        let signature = key.sign(T::LABEL, &[&payload]);
        let bytes = cbor::to_vec(&Envelope { label: T::LABEL.to_owned(), payload, signature });
        Self { value, bytes }
    }

    /// The document.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The exact bytes that were signed and travel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash that the next document of a chain names.
    pub fn hash(&self) -> Hash {
        hash_of(&self.bytes)
    }

    /// Takes the document out.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T: Document> Unverified<T> {
    /// Reads an envelope of this kind.
    ///
    /// # Errors
    /// [`FormatError`]: too large, malformed, another label, or a broken rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > T::MAX_BYTES {
            return Err(FormatError::TooLarge { what: T::LABEL, limit: T::MAX_BYTES });
        }
        let envelope: Envelope = cbor::from_slice(bytes, T::LABEL)?;
        if envelope.label != T::LABEL {
            return Err(FormatError::WrongDocument { expected: T::LABEL });
        }
        let value: T = cbor::from_slice(&envelope.payload, T::LABEL)?;
        value.check()?;
        Ok(Self { value, envelope, bytes: bytes.to_vec() })
    }

    /// What the document says, to find the key that must have signed it. Nothing here is to be believed yet.
    pub fn claims(&self) -> &T {
        &self.value
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`FormatError::Signature`].
    pub fn verify(self, key: &VerifyKey) -> Result<Signed<T>, FormatError> {
        key.verify(T::LABEL, T::LABEL, &[&self.envelope.payload], &self.envelope.signature)?;
        Ok(Signed { value: self.value, bytes: self.bytes })
    }
}
