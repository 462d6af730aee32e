//! Handing on: a desk that can open an alarm wraps its content key to another desk of the directory, one that was not on the
//! alarm's ladder. From then on that desk is a responder like any other: it opens the alarm, its updates and receipts, and
//! says of it what it does.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::alarm::{ContentKey, ReceiptDetail};
use crate::cbor;
use crate::crypto::{Hash, KemSecret, SEAL_OVERHEAD, SigningKey, Wrapped, open, open_wrapped, seal, transcript, wrap};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId};
use crate::org::{DeskEntry, Directory};
use crate::signed::{Document, Signed, Unverified};
use crate::time::Timestamp;

/// Size of a detail in bytes before sealing, padded.
const DETAIL_SIZE: usize = 512;

/// An alarm is handed on; its envelope is signed by the desk `by`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HandingOn {
    /// The alarm.
    #[n(0)]
    pub alarm: AlarmId,
    /// Hash of the alarm's envelope.
    #[n(1)]
    pub alarm_hash: Hash,
    /// When, by the signer's clock.
    #[n(2)]
    pub at: Timestamp,
    /// The desk that hands it on.
    #[n(3)]
    pub by: DeviceId,
    /// The desk that it is handed on to.
    #[n(4)]
    pub to: DeviceId,
    /// The alarm's 32-byte content key, wrapped to `to`.
    #[n(5)]
    pub key: Wrapped,
    /// A [`ReceiptDetail`] (who, and why), padded and sealed to who holds the content key; empty without one.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub detail: Vec<u8>,
}

impl Document for HandingOn {
    const LABEL: &'static str = "baken/handing-on/v0";
    const MAX_BYTES: usize = 4096;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| Err(FormatError::Rule { what: Self::LABEL, rule });
        if self.by == self.to {
            return rule("a desk hands nothing on to itself");
        }
        if self.key.lens() != Wrapped::lens_for(32) {
            return rule("it holds one key of 32 bytes");
        }
        if !self.detail.is_empty() && self.detail.len() != DETAIL_SIZE + SEAL_OVERHEAD {
            return rule("every detail has the same size");
        }
        Ok(())
    }
}

/// What is handed on, and by whom when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedAlarm {
    /// The alarm.
    pub alarm: AlarmId,
    /// Hash of its envelope.
    pub alarm_hash: Hash,
    /// When.
    pub at: Timestamp,
    /// The desk that hands it on.
    pub by: DeviceId,
}

impl HandingOn {
    fn bound(handed: &HandedAlarm, to: DeviceId) -> Vec<u8> {
        let HandedAlarm { alarm, alarm_hash, at, by } = handed;
        transcript(Self::LABEL, &[&alarm.0, &alarm_hash.0, &at.0.to_be_bytes(), &by.0, &to.0])
    }

    fn own_bound(&self) -> Vec<u8> {
        let handed = HandedAlarm { alarm: self.alarm, alarm_hash: self.alarm_hash, at: self.at, by: self.by };
        Self::bound(&handed, self.to)
    }

    /// Wraps the content key to a desk and signs that.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past about 490 bytes of detail, [`FormatError::Sealed`] for a bad desk key,
    /// [`FormatError::Rule`] to the signer itself.
    pub fn make(
        handed: &HandedAlarm,
        to: &DeskEntry,
        (content, detail): (&ContentKey, Option<&ReceiptDetail>),
        sig: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let bound = Self::bound(handed, to.desk);
        let key = wrap(&to.kem, None, Self::LABEL, &bound, content.as_bytes(), rng)?;
        let detail = match detail {
            Some(detail) => {
                let padded = pad_to(&cbor::to_vec(detail), DETAIL_SIZE, Self::LABEL)?;
                seal(&content.receipts(), Self::LABEL, &bound, &padded, rng)
            }
            None => Vec::new(),
        };
        let HandedAlarm { alarm, alarm_hash, at, by } = *handed;
        let document = Self { alarm, alarm_hash, at, by, to: to.desk, key, detail };
        document.check()?;
        Ok(Signed::make(document, sig))
    }

    /// Opens the content key at the desk that it is handed on to. Whether it is the alarm's shows when that is opened.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open(&self, kem: &KemSecret) -> Result<ContentKey, FormatError> {
        let content = open_wrapped(kem, None, Self::LABEL, &self.own_bound(), &self.key)?;
        ContentKey::from_slice(&content).ok_or(FormatError::Sealed { what: Self::LABEL })
    }

    /// Opens the detail; `None` when there is none.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open_detail(&self, content: &ContentKey) -> Result<Option<ReceiptDetail>, FormatError> {
        if self.detail.is_empty() {
            return Ok(None);
        }
        let padded = open(&content.receipts(), Self::LABEL, &self.own_bound(), &self.detail, Self::LABEL)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL).map(Some)
    }
}

/// Checks that a desk of the directory signed it, to another desk of the directory.
///
/// # Errors
/// [`FormatError::Signature`] for an unknown signer or a wrong key, [`FormatError::Rule`] for an unknown receiver.
pub fn check_handing_on(bytes: &[u8], directory: &Directory) -> Result<Signed<HandingOn>, FormatError> {
    let unverified = Unverified::<HandingOn>::parse(bytes)?;
    let claims = unverified.claims();
    let key = directory.desk(claims.by).ok_or(FormatError::Signature { what: HandingOn::LABEL })?.sig;
    if directory.desk(claims.to).is_none() {
        return Err(FormatError::Rule { what: HandingOn::LABEL, rule: "it goes to a desk of the directory" });
    }
    unverified.verify(&key)
}
