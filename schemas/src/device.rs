//! A device's keys and the public identity it signs for itself.
//!
//! Three key pairs: `sig` signs entries, the membership log and requests; `kem` is what others seal to; `alarm` is
//! readable after the phone's first unlock without PIN and good for alarms and notes only.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::crypto::{Hash, KemPublic, KemSecret, SigningKey, VerifyKey};
use crate::id::DeviceId;
use crate::signed::{Document, Signed};

/// A device's public keys, signed by its own `sig` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Checks what it signs.
    #[n(1)]
    pub sig: VerifyKey,
    /// Checks its alarms and notes.
    #[n(2)]
    pub alarm: VerifyKey,
    /// Seals to it.
    #[n(3)]
    pub kem: KemPublic,
}

impl Document for Identity {
    const LABEL: &'static str = "baken/device/v0";
    const MAX_BYTES: usize = 2048;
}

impl Identity {
    /// Reads an identity and checks that its own `sig` key signed it.
    ///
    /// # Errors
    /// [`crate::FormatError`].
    pub fn verify(bytes: &[u8]) -> Result<Signed<Self>, crate::FormatError> {
        let unverified = crate::signed::Unverified::<Self>::parse(bytes)?;
        let sig = unverified.claims().sig;
        unverified.verify(&sig)
    }

    /// What a QR code carries of the keys.
    pub fn fingerprint(&self) -> Hash {
        Hash::of("baken/device-fingerprint/v0", &[&self.device.0, &self.sig.0, &self.alarm.0, &self.kem.0])
    }
}

/// A device's secret keys.
#[derive(Debug, Clone)]
pub struct DeviceKeys {
    /// The device.
    pub device: DeviceId,
    /// Signs entries, the membership log and requests.
    pub sig: SigningKey,
    /// Signs alarms and notes.
    pub alarm: SigningKey,
    /// Opens what is sealed to the device.
    pub kem: KemSecret,
}

impl DeviceKeys {
    /// A new device.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        Self {
            device: DeviceId::make(rng),
            sig: SigningKey::make(rng),
            alarm: SigningKey::make(rng),
            kem: KemSecret::make(rng),
        }
    }

    /// The public half, signed.
    pub fn identity(&self) -> Signed<Identity> {
        let identity = Identity {
            device: self.device,
            sig: self.sig.verify_key(),
            alarm: self.alarm.verify_key(),
            kem: self.kem.public(),
        };
        Signed::make(identity, &self.sig)
    }
}
