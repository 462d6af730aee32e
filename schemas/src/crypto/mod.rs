//! The one suite, `B1`: Ed25519, X-Wing with HKDF-SHA256 and ChaCha20-Poly1305 (HPKE, RFC 9180), XChaCha20-Poly1305
//! with a key commitment, SHA-256, HKDF-SHA256. No negotiation; another suite would be another version in code.
//!
//! `make_*` is random, `derive_*` deterministic. Every use carries a label `baken/<thing>/v0`.

mod seal;
mod sign;
mod wrap;

pub use seal::{SEAL_ONCE_OVERHEAD, SEAL_OVERHEAD, SymmetricKey, open, open_once, seal, seal_once};
pub use sign::{Signature, SigningKey, VerifyKey};
pub use wrap::{KemPublic, KemSecret, PairingSecret, WRAP_OVERHEAD, Wrapped, open_wrapped, wrap};

use sha2::{Digest, Sha256};

use crate::id::byte_newtype;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A SHA-256 hash over labelled, length-prefixed fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);
byte_newtype!(Hash, 32, "a SHA-256 hash");
use data_encoding::HEXLOWER_PERMISSIVE;

impl Hash {
    /// Stands where there is nothing before: the first of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Hashes `fields` behind `label`.
    pub fn of(label: &str, fields: &[&[u8]]) -> Self {
        Self(Sha256::digest(transcript(label, fields)).into())
    }
}

/// The bytes that are hashed, signed or bound: the label and each field behind its length as 8 bytes, big-endian.
/// No two lists of fields give the same bytes.
pub fn transcript(label: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + label.len() + fields.iter().map(|field| 8 + field.len()).sum::<usize>());
    for field in std::iter::once(label.as_bytes()).chain(fields.iter().copied()) {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}
