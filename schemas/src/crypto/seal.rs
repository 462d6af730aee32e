//! Symmetric sealing: XChaCha20-Poly1305 with a random 24-byte nonce and a commitment to the key.
//!
//! Poly1305 alone lets one ciphertext open under two keys. So the key that encrypts is derived together with a
//! 32-byte commitment that lies beside the ciphertext and is compared before anything is opened.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::FormatError;
use crate::crypto::transcript;

const NONCE_LEN: usize = 24;
const COMMITMENT_LEN: usize = 32;
const TAG_LEN: usize = 16;

/// Bytes that [`seal`] adds: nonce, commitment, tag.
pub const SEAL_OVERHEAD: usize = NONCE_LEN + COMMITMENT_LEN + TAG_LEN;

/// Bytes that [`seal_once`] adds: half a commitment, tag.
pub const SEAL_ONCE_OVERHEAD: usize = ONCE_COMMITMENT_LEN + TAG_LEN;

/// Half of a commitment: what a text message has room for. Two keys that share it take 2⁶⁴ tries to find, by who knows both.
const ONCE_COMMITMENT_LEN: usize = COMMITMENT_LEN / 2;

/// A secret 32-byte key. Wiped when dropped, compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SymmetricKey([u8; 32]);

impl std::fmt::Debug for SymmetricKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SymmetricKey(…)")
    }
}

impl PartialEq for SymmetricKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
impl Eq for SymmetricKey {}

impl SymmetricKey {
    /// A new random key.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key of these 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key for one purpose and context: HKDF-SHA256 with the labelled `fields` as info.
    pub fn derive(&self, label: &str, fields: &[&[u8]]) -> Self {
        let mut key = [0; 32];
        self.expand(&transcript(label, fields), &mut key);
        Self(key)
    }

    /// What a key may publish of itself so that all can check they hold the same one.
    pub fn commitment(&self, label: &str) -> crate::crypto::Hash {
        crate::crypto::Hash(*self.derive(label, &[b"commitment"]).as_bytes())
    }

    fn expand(&self, info: &[u8], output: &mut [u8]) {
        let expanded = Hkdf::<Sha256>::new(None, &self.0).expand(info, output);
        // HKDF-SHA256 gives up to 8,160 bytes; 64 are asked at most.
        debug_assert!(expanded.is_ok());
    }

    fn cipher_and_commitment(&self, label: &str) -> (XChaCha20Poly1305, [u8; COMMITMENT_LEN]) {
        let mut output = Zeroizing::new([0; 64]);
        self.expand(&transcript(label, &[b"seal"]), output.as_mut());
        let (key, commitment) = output.split_at(32);
        let mut committed = [0; COMMITMENT_LEN];
        committed.copy_from_slice(commitment);
        let mut cipher_key = Zeroizing::new([0; 32]);
        cipher_key.copy_from_slice(key);
        (XChaCha20Poly1305::new((&*cipher_key).into()), committed)
    }
}

/// Seals `plaintext`: `nonce 24 ‖ commitment 32 ‖ ciphertext ‖ tag 16`. `bound` is authenticated, not contained.
pub fn seal(key: &SymmetricKey, label: &str, bound: &[u8], plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let (cipher, commitment) = key.cipher_and_commitment(label);
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    let aad = transcript(label, &[bound]);
    // Refused only past 256 GiB.
    let ciphertext = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad: &aad }).unwrap_or_default();
    [&nonce[..], &commitment[..], &ciphertext].concat()
}

/// Opens what [`seal`] made with the same key, label and bound bytes. `what` names it in the error.
///
/// # Errors
/// [`FormatError::Sealed`], whatever the reason.
pub fn open(
    key: &SymmetricKey,
    label: &str,
    bound: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let error = FormatError::Sealed { what };
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(|| error.clone())?;
    let (claimed, ciphertext) = rest.split_first_chunk::<COMMITMENT_LEN>().ok_or_else(|| error.clone())?;
    let (cipher, commitment) = key.cipher_and_commitment(label);
    if !bool::from(claimed.ct_eq(&commitment)) {
        return Err(error);
    }
    let aad = transcript(label, &[bound]);
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).map(Zeroizing::new).map_err(|_| error)
}

/// Seals `plaintext` under a key that seals nothing else, where there is no room for a nonce: `commitment 16 ‖ ciphertext ‖
/// tag 16`. The nonce is zero, so **a second plaintext under the same key would show both**: derive the key from a number
/// that is used once. `bound` is authenticated, not contained.
pub fn seal_once(key: &SymmetricKey, label: &str, bound: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (cipher, commitment) = key.cipher_and_commitment(label);
    let aad = transcript(label, &[bound]);
    // Refused only past 256 GiB.
    let sealed = cipher.encrypt(&ONCE_NONCE.into(), Payload { msg: plaintext, aad: &aad }).unwrap_or_default();
    let (half, _) = commitment.split_at(ONCE_COMMITMENT_LEN);
    [half, &sealed].concat()
}

/// Opens what [`seal_once`] made with the same key, label and bound bytes. `what` names it in the error.
///
/// # Errors
/// [`FormatError::Sealed`], whatever the reason.
pub fn open_once(
    key: &SymmetricKey,
    label: &str,
    bound: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let error = FormatError::Sealed { what };
    let (claimed, ciphertext) = sealed.split_first_chunk::<ONCE_COMMITMENT_LEN>().ok_or_else(|| error.clone())?;
    let (cipher, commitment) = key.cipher_and_commitment(label);
    let (half, _) = commitment.split_at(ONCE_COMMITMENT_LEN);
    if !bool::from(claimed.ct_eq(half)) {
        return Err(error);
    }
    let aad = transcript(label, &[bound]);
    cipher.decrypt(&ONCE_NONCE.into(), Payload { msg: ciphertext, aad: &aad }).map(Zeroizing::new).map_err(|_| error)
}

const ONCE_NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];
