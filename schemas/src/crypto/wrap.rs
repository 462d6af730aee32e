//! Sealing to a device's public key: HPKE (RFC 9180) with the X-Wing KEM (0x647a), HKDF-SHA256, ChaCha20-Poly1305.
//!
//! X-Wing has no authenticated mode, so whoever must be known signs around it. With a [`PairingSecret`] the PSK mode
//! is used: only who saw the QR code can make or open the message.

use data_encoding::HEXLOWER_PERMISSIVE;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, PskBundle, Serializable as _};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::FormatError;
use crate::crypto::transcript;
use crate::id::byte_newtype;

/// Length of an encapsulated key in bytes.
const ENCAPSULATED_LEN: usize = 1120;

/// Bytes that [`wrap`] adds to a plaintext: encapsulated key and tag, without CBOR framing.
pub const WRAP_OVERHEAD: usize = ENCAPSULATED_LEN + 16;

/// A device's public X-Wing key: 1,216 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(pub [u8; 1216]);
byte_newtype!(KemPublic, 1216, "an X-Wing public key");

impl KemPublic {
    /// Whether it is a key that something can be wrapped to (FIPS 203, 7.2).
    pub fn is_valid(&self) -> bool {
        <XWing as hpke::Kem>::PublicKey::from_bytes(&self.0).is_ok()
    }
}

/// A device's secret X-Wing key: a 32-byte seed, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KemSecret([u8; 32]);

impl std::fmt::Debug for KemSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KemSecret(…)")
    }
}

impl KemSecret {
    /// A new random key.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self(seed)
    }

    /// The key of these 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The seed.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key others wrap to.
    pub fn public(&self) -> KemPublic {
        let mut public = [0; 1216];
        if let Ok(secret) = self.to_hpke() {
            XWing::sk_to_pk(&secret).write_exact(&mut public);
        }
        KemPublic(public)
    }

    fn to_hpke(&self) -> Result<<XWing as hpke::Kem>::PrivateKey, hpke::HpkeError> {
        <XWing as hpke::Kem>::PrivateKey::from_bytes(&self.0)
    }
}

/// The secret of a QR code, 32 bytes: proves that both devices were in one room.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairingSecret(pub [u8; 32]);

impl std::fmt::Debug for PairingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairingSecret(…)")
    }
}

/// Something sealed to one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wrapped {
    /// The encapsulated key, 1,120 bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// The ciphertext: plaintext length + 16 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

impl Wrapped {
    /// Bytes of an encapsulated key and of the ciphertext of `plaintext_len` bytes.
    pub const fn lens_for(plaintext_len: usize) -> (usize, usize) {
        (ENCAPSULATED_LEN, plaintext_len + 16)
    }

    /// The lengths of both parts.
    pub fn lens(&self) -> (usize, usize) {
        (self.encapsulated.len(), self.ciphertext.len())
    }

    /// Random bytes of the size that wrapping `plaintext_len` bytes gives: fills an unused slot.
    pub fn filling(plaintext_len: usize, rng: &mut dyn CryptoRng) -> Self {
        let (encapsulated_len, ciphertext_len) = Self::lens_for(plaintext_len);
        let mut encapsulated = vec![0; encapsulated_len];
        let mut ciphertext = vec![0; ciphertext_len];
        rng.fill_bytes(&mut encapsulated);
        rng.fill_bytes(&mut ciphertext);
        Self { encapsulated, ciphertext }
    }
}

/// Seals `plaintext` to `recipient`, bound to `label` and the clear bytes `bound`.
///
/// # Errors
/// [`FormatError::Sealed`] when the public key is not a valid X-Wing key.
pub fn wrap(
    recipient: &KemPublic,
    secret: Option<&PairingSecret>,
    label: &'static str,
    bound: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Wrapped, FormatError> {
    let refused = |_| FormatError::Sealed { what: label };
    let public = <XWing as hpke::Kem>::PublicKey::from_bytes(&recipient.0).map_err(refused)?;
    let mode = match secret {
        Some(secret) => OpModeS::Psk(PskBundle::new(&secret.0, label.as_bytes()).map_err(refused)?),
        None => OpModeS::Base,
    };
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &mode,
        &public,
        &transcript(label, &[]),
        plaintext,
        bound,
        &mut &mut *rng,
    )
    .map_err(refused)?;
    Ok(Wrapped { encapsulated: encapsulated.to_bytes().to_vec(), ciphertext })
}

/// Opens what [`wrap`] made. `label` names it in the error.
///
/// # Errors
/// [`FormatError::Sealed`], whatever the reason.
pub fn open_wrapped(
    recipient: &KemSecret,
    secret: Option<&PairingSecret>,
    label: &'static str,
    bound: &[u8],
    wrapped: &Wrapped,
) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let refused = |_| FormatError::Sealed { what: label };
    let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&wrapped.encapsulated).map_err(refused)?;
    let mode = match secret {
        Some(secret) => OpModeR::Psk(PskBundle::new(&secret.0, label.as_bytes()).map_err(refused)?),
        None => OpModeR::Base,
    };
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &mode,
        &recipient.to_hpke().map_err(refused)?,
        &encapsulated,
        &transcript(label, &[]),
        &wrapped.ciphertext,
        bound,
    )
    .map(Zeroizing::new)
    .map_err(refused)
}
