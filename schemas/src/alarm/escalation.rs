//! Escalating: a responder sends an alarm on to whoever stands higher on its ladder, without waiting for the wait to be
//! over, and also after a human has it. It says nothing of how far the alarm has got: that is what receipts do.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::alarm::{ContentKey, FamilyKey, ReceiptDetail};
use crate::cbor;
use crate::crypto::{Hash, SEAL_OVERHEAD, SigningKey, open, seal, transcript};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId};
use crate::org::Directory;
use crate::signed::{Document, Signed, Unverified};
use crate::time::Timestamp;

/// Size of a detail in bytes before sealing, padded.
const DETAIL_SIZE: usize = 512;

/// An escalation; its envelope is signed by `by`: a desk with its own key, a family member's device with its alarm key.
/// Whoever was handed the alarm may send one. The relay climbs by one rung for each document, once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Escalation {
    /// The alarm.
    #[n(0)]
    pub alarm: AlarmId,
    /// Hash of the alarm's envelope, or of its text, as the signer has it.
    #[n(1)]
    pub alarm_hash: Hash,
    /// When, by the signer's clock.
    #[n(2)]
    pub at: Timestamp,
    /// Who sends it on.
    #[n(3)]
    pub by: DeviceId,
    /// A [`ReceiptDetail`] (who, and why), padded and sealed to who holds the alarm's content key; empty without one.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub detail: Vec<u8>,
}

impl Document for Escalation {
    const LABEL: &'static str = "baken/escalation/v0";
    const MAX_BYTES: usize = 2048;

    fn check(&self) -> Result<(), FormatError> {
        if self.detail.is_empty() || self.detail.len() == DETAIL_SIZE + SEAL_OVERHEAD {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "every detail has the same size" })
        }
    }
}

impl Escalation {
    fn bound(&self) -> Vec<u8> {
        transcript(Self::LABEL, &[&self.alarm.0, &self.alarm_hash.0, &self.at.0.to_be_bytes(), &self.by.0])
    }

    /// Signs an escalation, with a detail where there is one. `escalation.detail` is set here.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past about 490 bytes of detail.
    pub fn make(
        mut escalation: Self,
        detail: Option<(&ReceiptDetail, &ContentKey)>,
        key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        escalation.detail = match detail {
            Some((detail, content)) => {
                let padded = pad_to(&cbor::to_vec(detail), DETAIL_SIZE, Self::LABEL)?;
                seal(&content.receipts(), Self::LABEL, &escalation.bound(), &padded, rng)
            }
            None => Vec::new(),
        };
        Ok(Signed::make(escalation, key))
    }

    /// Opens the detail; `None` when there is none.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn open_detail(&self, content: &ContentKey) -> Result<Option<ReceiptDetail>, FormatError> {
        if self.detail.is_empty() {
            return Ok(None);
        }
        let padded = open(&content.receipts(), Self::LABEL, &self.bound(), &self.detail, Self::LABEL)?;
        cbor::from_slice(unpad(&padded, Self::LABEL)?, Self::LABEL).map(Some)
    }
}

/// Checks an escalation of an alarm that was sealed to this family too: a desk of the directory or one of them signed it.
///
/// # Errors
/// [`FormatError::Signature`] for an unknown signer or a wrong key.
pub fn check_escalation(
    bytes: &[u8],
    directory: &Directory,
    family: &[FamilyKey],
) -> Result<Signed<Escalation>, FormatError> {
    let unverified = Unverified::<Escalation>::parse(bytes)?;
    let by = unverified.claims().by;
    let of_family = || family.iter().find(|key| key.device == by).map(|key| key.alarm);
    let key = directory.desk(by).map(|desk| desk.sig).or_else(of_family);
    unverified.verify(&key.ok_or(FormatError::Signature { what: Escalation::LABEL })?)
}
