//! Receipts: signed statements of how far an alarm has got, each by who says it.
//!
//! The relay can say only `stored`, `exhausted` and `reopened`. Everything that a human did is said by a desk's own key,
//! which the relay does not hold, and whose public half comes from the organisation's root; or by the device of a family
//! member, whose key the sender vouches for. A family member can say that it is there and that they have seen it, no more.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::alarm::{ContentKey, FamilyKey};
use crate::cbor;
use crate::crypto::{Hash, SEAL_OVERHEAD, SigningKey, open, seal, transcript};
use crate::entry::{pad_to, unpad};
use crate::id::{AlarmId, DeviceId};
use crate::org::Directory;
use crate::signed::{Document, Signed, Unverified};
use crate::time::Timestamp;

/// Size of a detail in bytes before sealing, padded.
const DETAIL_SIZE: usize = 512;

/// How far an alarm has got. Ordered so, except that `exhausted` can come before a late human, and that `reopened`, which
/// is no further than `exhausted`, takes `seen` back: see [`standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptState {
    /// The relay has it on disk.
    #[n(0)]
    Stored,
    /// A responder's machine has it on disk. No human is meant.
    #[n(1)]
    Received,
    /// The ladder ran out: nobody has acknowledged.
    #[n(2)]
    Exhausted,
    /// A named human has it.
    #[n(3)]
    Seen,
    /// A named human has verified it, and says how.
    #[n(4)]
    Verified,
    /// Help is on its way.
    #[n(5)]
    Underway,
    /// It is over, with this outcome.
    #[n(6)]
    Closed,
    /// Nothing followed in time from who had seen it: others are called again, as if nobody had.
    #[n(7)]
    Reopened,
}

impl ReceiptState {
    /// Whether the relay may say it.
    pub fn may_be_by_relay(self) -> bool {
        matches!(self, Self::Stored | Self::Exhausted | Self::Reopened)
    }

    /// Whether a desk may say it.
    pub fn may_be_by_desk(self) -> bool {
        !matches!(self, Self::Stored | Self::Exhausted)
    }

    /// Whether a family member's device may say it.
    pub fn is_for_family(self) -> bool {
        matches!(self, Self::Received | Self::Seen)
    }

    /// Whether it proves that a human has the alarm.
    pub fn is_by_human(self) -> bool {
        self >= Self::Seen
    }

    fn rank(self) -> u8 {
        match self {
            Self::Stored => 0,
            Self::Received => 1,
            Self::Exhausted => 2,
            Self::Reopened => 3,
            Self::Seen => 4,
            Self::Verified => 5,
            Self::Underway => 6,
            Self::Closed => 7,
        }
    }
}

impl Ord for ReceiptState {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for ReceiptState {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// How far an alarm stands by all its receipts, each with its hash, in the order in which they arrived; `None` without one.
///
/// That is the furthest that any of them says; but `reopened` once somebody said so, as long as no human came after it and
/// nobody ever got further than `seen`. After it means: in the chain of its own signer, so that a relay which hands over
/// late brings nothing back; of another signer, later to arrive.
pub fn standing(receipts: &[(Hash, &Receipt)]) -> Option<ReceiptState> {
    let furthest = receipts.iter().map(|(_, receipt)| receipt.state).max()?;
    if furthest > ReceiptState::Seen {
        return Some(furthest);
    }
    let is_answered = |place: usize, reopened: &(Hash, &Receipt)| {
        let mut humans = receipts.iter().enumerate().filter(|(_, (_, receipt))| receipt.state.is_by_human());
        humans.any(|(at, (_, human))| comes_after(human, reopened, receipts).unwrap_or(at > place))
    };
    let reopened = |(_, (_, receipt)): &(usize, &(Hash, &Receipt))| receipt.state == ReceiptState::Reopened;
    let mut open =
        receipts.iter().enumerate().filter(reopened).filter(|(place, receipt)| !is_answered(*place, receipt));
    if open.next().is_some() { Some(ReceiptState::Reopened) } else { Some(furthest) }
}

/// The receipt by which its holder has an alarm: of those that say `seen` the last to arrive that its own signer has not
/// followed by another. Whether anybody still has it, [`standing`] says.
pub fn holding(receipts: &[(Hash, &Receipt)]) -> Option<Hash> {
    let seen = |(_, receipt): &&(Hash, &Receipt)| receipt.state == ReceiptState::Seen;
    let is_followed = |held: &(Hash, &Receipt)| {
        receipts.iter().filter(seen).any(|(_, later)| comes_after(later, held, receipts) == Some(true))
    };
    receipts.iter().filter(seen).rfind(|held| !is_followed(held)).map(|(hash, _)| *hash)
}

/// Whether a receipt stands behind another in its signer's chain; `None` where that chain does not say.
fn comes_after(receipt: &Receipt, other: &(Hash, &Receipt), all: &[(Hash, &Receipt)]) -> Option<bool> {
    let chain = |receipt: &Receipt| (receipt.by, receipt.alarm_hash);
    if chain(receipt) != chain(other.1) {
        return None;
    }
    let before = |hash: Hash| all.iter().find(|(known, _)| *known == hash).map(|(_, receipt)| *receipt);
    let leads_to = |from: &Receipt, to: &dyn Fn(Hash, &Receipt) -> bool| {
        let mut prev = from.prev;
        // A chain is no longer than there are receipts.
        for _ in all {
            let Some(earlier) = before(prev) else { return false };
            if to(prev, earlier) {
                return true;
            }
            prev = earlier.prev;
        }
        false
    };
    if leads_to(receipt, &|hash, _| hash == other.0) {
        return Some(true);
    }
    leads_to(other.1, &|_, earlier| std::ptr::eq(earlier, receipt)).then_some(false)
}

/// A receipt; its envelope is signed by `by`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// The alarm.
    #[n(0)]
    pub alarm: AlarmId,
    /// Hash of the alarm's envelope as the signer has it: a receipt is for these very bytes.
    #[n(1)]
    pub alarm_hash: Hash,
    /// How far it has got.
    #[n(2)]
    pub state: ReceiptState,
    /// When, by the signer's clock.
    #[n(3)]
    pub at: Timestamp,
    /// Who says it: the relay or a desk.
    #[n(4)]
    pub by: DeviceId,
    /// Hash of the signer's receipt before this one for the alarm, [`Hash::ZERO`] for its first.
    #[n(5)]
    pub prev: Hash,
    /// A [`ReceiptDetail`], padded and sealed to who holds the alarm's content key; empty from the relay.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub detail: Vec<u8>,
}

impl Document for Receipt {
    const LABEL: &'static str = "baken/receipt/v0";
    const MAX_BYTES: usize = 2048;

    fn check(&self) -> Result<(), FormatError> {
        if self.detail.is_empty() || self.detail.len() == DETAIL_SIZE + SEAL_OVERHEAD {
            Ok(())
        } else {
            Err(FormatError::Rule { what: Self::LABEL, rule: "every detail has the same size" })
        }
    }
}

/// Who did it and what they say.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReceiptDetail {
    /// The officer's name.
    #[n(0)]
    pub officer: String,
    /// How it was verified, what the outcome was, what is coming.
    #[n(1)]
    pub text: String,
}

impl std::fmt::Debug for ReceiptDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceiptDetail(…)")
    }
}

impl Receipt {
    fn bound(&self) -> Vec<u8> {
        let state = cbor::to_vec(&self.state);
        transcript(
            Self::LABEL,
            &[&self.alarm.0, &self.alarm_hash.0, &state, &self.at.0.to_be_bytes(), &self.by.0, &self.prev.0],
        )
    }

    /// Signs a receipt, with a detail where there is one. `receipt.detail` is set here.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past about 490 bytes of detail.
    pub fn make(
        mut receipt: Self,
        detail: Option<(&ReceiptDetail, &ContentKey)>,
        sig: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        receipt.detail = match detail {
            Some((detail, content)) => {
                let padded = pad_to(&cbor::to_vec(detail), DETAIL_SIZE, Self::LABEL)?;
                seal(&content.receipts(), Self::LABEL, &receipt.bound(), &padded, rng)
            }
            None => Vec::new(),
        };
        Ok(Signed::make(receipt, sig))
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

/// Checks a receipt: its signer is in the directory, may say this, and signed it.
///
/// # Errors
/// [`FormatError::Signature`] for an unknown signer or a wrong key, [`FormatError::Rule`] when the relay says what only
/// a desk can, or the other way round.
pub fn check_receipt(bytes: &[u8], directory: &Directory) -> Result<Signed<Receipt>, FormatError> {
    check_receipt_of(bytes, directory, &[])
}

/// Checks a receipt of an alarm that was sealed to this family too.
///
/// # Errors
/// As [`check_receipt`]; [`FormatError::Rule`] when a family member says what only a desk can.
pub fn check_receipt_of(
    bytes: &[u8],
    directory: &Directory,
    family: &[FamilyKey],
) -> Result<Signed<Receipt>, FormatError> {
    let unverified = Unverified::<Receipt>::parse(bytes)?;
    let claims = unverified.claims();
    let key = if claims.by == directory.relay.relay {
        if !claims.state.may_be_by_relay() {
            return Err(FormatError::Rule { what: "a receipt", rule: "the relay cannot speak for a desk" });
        }
        directory.relay.sig
    } else {
        if !claims.state.may_be_by_desk() {
            return Err(FormatError::Rule { what: "a receipt", rule: "a desk cannot speak for the relay" });
        }
        match directory.desk(claims.by) {
            Some(desk) => desk.sig,
            None => {
                let key = family.iter().find(|key| key.device == claims.by);
                let key = key.ok_or(FormatError::Signature { what: "a receipt" })?.alarm;
                if !claims.state.is_for_family() {
                    return Err(FormatError::Rule { what: "a receipt", rule: "family cannot speak for a desk" });
                }
                key
            }
        }
    };
    unverified.verify(&key)
}
