//! What follows an alarm while it lasts: a newer position, battery, words, a withdrawal. All one size.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::alarm::{AlarmAttachment, ContentKey, Fix};
use crate::cbor;
use crate::crypto::{SEAL_OVERHEAD, SigningKey, open, seal, transcript};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId};
use crate::signed::{Document, Signed};
use crate::time::Timestamp;

/// Size of an update in bytes before sealing, padded.
const UPDATE_SIZE: usize = 1024;

/// A sealed update; its envelope is signed by the device's `alarm` key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Update {
    /// The alarm it belongs to.
    #[n(0)]
    pub alarm: AlarmId,
    /// Who sends it.
    #[n(1)]
    pub device: DeviceId,
    /// From 1, rising; the newest counts.
    #[n(2)]
    pub seq: u64,
    /// The [`UpdateBody`], padded and sealed.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Document for Update {
    const LABEL: &'static str = "baken/alarm-update/v0";
    const MAX_BYTES: usize = 2048;

    fn check(&self) -> Result<(), FormatError> {
        if self.sealed.len() == UPDATE_SIZE + SEAL_OVERHEAD {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "every update has the same size" })
        }
    }
}

/// What an update says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct UpdateBody {
    /// Where the sender is now.
    #[n(0)]
    pub fix: Fix,
    /// Battery in per cent.
    #[n(1)]
    pub battery_percent: Option<u8>,
    /// Words.
    #[n(2)]
    pub text: String,
    /// The sender's own clock, for information.
    #[n(3)]
    pub made_at: Timestamp,
    /// A photo or sound that goes along.
    #[n(4)]
    pub attachment: Option<AlarmAttachment>,
}

impl std::fmt::Debug for UpdateBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UpdateBody(…)")
    }
}

impl Update {
    fn bound(alarm: AlarmId, device: DeviceId, seq: u64) -> Vec<u8> {
        transcript(Self::LABEL, &[&alarm.0, &device.0, &seq.to_be_bytes()])
    }

    /// Seals and signs an update.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past about 950 bytes of text, 800 where a file goes along.
    pub fn seal(
        (alarm, device, seq): (AlarmId, DeviceId, u64),
        body: &UpdateBody,
        content: &ContentKey,
        alarm_key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let padded = pad_to(&cbor::to_vec(body), UPDATE_SIZE, Self::LABEL)?;
        let bound = Self::bound(alarm, device, seq);
        let sealed = seal(&content.updates(), Self::LABEL, &bound, &padded, rng);
        Ok(Signed::make(Self { alarm, device, seq, sealed }, alarm_key))
    }

    /// Opens an update at a responder that opened the alarm.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, content: &ContentKey) -> Result<UpdateBody, FormatError> {
        let bound = Self::bound(self.alarm, self.device, self.seq);
        let padded = open(&content.updates(), Self::LABEL, &bound, &self.sealed, Self::LABEL)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}
