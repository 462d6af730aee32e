//! Pairing in one room, in three messages that lie at a rendezvous at the relay.
//!
//! 1. **Offer**: the new device's identity. Its hash, the rendezvous and a secret are in the QR text that it shows.
//! 2. **Hello**: the old device's identity, sealed to the new one with the secret as HPKE PSK. Both now derive six
//!    digits; the user reads them off the new device and types them on the old one.
//! 3. **Grant**: everything the new device needs, sealed in the same way.
//!
//! The relay sees the offer's public keys and sealed bytes; without the secret it can take no part.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::circle::LogHead;
use crate::crypto::{Hash, KemPublic, KemSecret, PairingSecret, Wrapped, open_wrapped, transcript, wrap};
use crate::device::Identity;
use crate::id::{AccountId, CircleId, RendezvousId};
use crate::org::OrgId;
use crate::text;

/// How long a QR text is good for.
pub const PAIRING_LIFETIME_MS: i64 = 5 * 60 * 1000;
/// How often the digits may be typed wrongly.
pub const MAX_WRONG_DIGITS: u32 = 3;
/// The largest message at a rendezvous in bytes.
pub const MAX_MESSAGE_BYTES: usize = 512 * 1024;

const QR_PREFIX: &str = "BAKEN-PAIR";
const HELLO_LABEL: &str = "baken/pairing-hello/v0";
const GRANT_LABEL: &str = "baken/pairing-grant/v0";

/// What the new device shows as QR code.
#[derive(Clone, Encode, Decode)]
pub struct PairingCode {
    /// Where the messages lie.
    #[n(0)]
    pub rendezvous: RendezvousId,
    /// [`Identity::fingerprint`] of the new device.
    #[n(1)]
    pub fingerprint: Hash,
    #[cbor(n(2), with = "minicbor::bytes")]
    secret: [u8; 32],
}

impl std::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingCode").field("rendezvous", &self.rendezvous).finish_non_exhaustive()
    }
}

impl PairingCode {
    /// A new code for this device.
    pub fn make(identity: &Identity, rng: &mut dyn CryptoRng) -> Self {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        Self { rendezvous: RendezvousId::make(rng), fingerprint: identity.fingerprint(), secret }
    }

    /// The text of the QR code.
    pub fn to_text(&self) -> String {
        text::encode(QR_PREFIX, &cbor::to_vec(self))
    }

    /// Reads the text of a QR code.
    ///
    /// # Errors
    /// [`FormatError`] that says whether it was cut off or is none.
    pub fn from_text(code: &str) -> Result<Self, FormatError> {
        cbor::from_slice(&text::decode(QR_PREFIX, code)?, QR_PREFIX)
    }

    fn secret(&self) -> PairingSecret {
        PairingSecret(self.secret)
    }

    /// Checks that an offer is by the device that showed the code.
    ///
    /// # Errors
    /// [`FormatError::Signature`] when it is another's.
    pub fn check_offer(&self, offer: &[u8]) -> Result<Identity, FormatError> {
        let identity = Identity::verify(offer)?.into_value();
        if identity.fingerprint() == self.fingerprint {
            Ok(identity)
        } else {
            Err(FormatError::Signature { what: "a pairing offer" })
        }
    }

    /// The six digits that both devices derive from everything exchanged so far.
    pub fn digits(&self, offer: &[u8], hello: &[u8]) -> String {
        let hash = Hash::of("baken/pairing-digits/v0", &[&self.secret, offer, hello]);
        let [a, b, c, d, e, f, g, h, ..] = hash.0;
        format!("{:06}", u64::from_be_bytes([a, b, c, d, e, f, g, h]) % 1_000_000)
    }

    fn bound(&self, label: &str, before: &[u8]) -> Vec<u8> {
        transcript(label, &[&self.rendezvous.0, &self.fingerprint.0, before])
    }

    /// Seals a hello to the new device.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a bad key.
    pub fn seal_hello(&self, to: &KemPublic, hello: &Hello, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FormatError> {
        let bound = self.bound(HELLO_LABEL, &[]);
        Ok(cbor::to_vec(&wrap(to, Some(&self.secret()), HELLO_LABEL, &bound, &cbor::to_vec(hello), rng)?))
    }

    /// Opens a hello on the new device and checks the identity in it.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open_hello(&self, kem: &KemSecret, bytes: &[u8]) -> Result<Hello, FormatError> {
        let wrapped: Wrapped = cbor::from_slice(bytes, HELLO_LABEL)?;
        let bound = self.bound(HELLO_LABEL, &[]);
        let hello = open_wrapped(kem, Some(&self.secret()), HELLO_LABEL, &bound, &wrapped)?;
        let hello: Hello = cbor::from_slice(&hello, HELLO_LABEL)?;
        Identity::verify(&hello.identity)?;
        Ok(hello)
    }

    /// Seals the grant to the new device; `hello` is the sealed hello it follows.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a bad key.
    pub fn seal_grant(
        &self,
        to: &KemPublic,
        hello: &[u8],
        grant: &Grant,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, FormatError> {
        let bound = self.bound(GRANT_LABEL, hello);
        Ok(cbor::to_vec(&wrap(to, Some(&self.secret()), GRANT_LABEL, &bound, &cbor::to_vec(grant), rng)?))
    }

    /// Opens the grant on the new device.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open_grant(&self, kem: &KemSecret, hello: &[u8], bytes: &[u8]) -> Result<Grant, FormatError> {
        let wrapped: Wrapped = cbor::from_slice(bytes, GRANT_LABEL)?;
        let bound = self.bound(GRANT_LABEL, hello);
        let grant = open_wrapped(kem, Some(&self.secret()), GRANT_LABEL, &bound, &wrapped)?;
        cbor::from_slice(&grant, GRANT_LABEL)
    }
}

/// The old device introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// Its signed identity document.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub identity: Vec<u8>,
}

/// What the new device needs to find its circle. Keys of the circle are not in it: they are wrapped to the device by
/// the membership log, once it is a member there.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// The account whose device this will be; `None` for a guest, who joins one circle and has no account.
    #[n(0)]
    pub account: Option<AccountId>,
    /// The organisation.
    #[n(1)]
    pub org: OrgId,
    /// Its directory, as signed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub directory: Vec<u8>,
    /// The circle: the account's dossier, or the one a guest joins.
    #[n(3)]
    pub circle: CircleId,
    /// Where its log stands, this device being in it or proposed.
    #[n(4)]
    pub log_head: LogHead,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("circle", &self.circle).finish_non_exhaustive()
    }
}
