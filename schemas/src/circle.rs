//! The membership log of a circle: a signed, hash-linked chain that says which devices are in it, with which role,
//! and under which epoch key entries are sealed.
//!
//! The relay orders it (the first record at a number wins) and every device checks it from the first record. This
//! version knows `genesis`, `add` and `epoch`.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::crypto::{
    Hash, KemPublic, KemSecret, SigningKey, SymmetricKey, VerifyKey, Wrapped, open_wrapped, transcript, wrap,
};
use crate::id::{CircleId, DeviceId};
use crate::signed::{Document, Signed, Unverified};

/// The most devices a circle ever has.
pub const MAX_MEMBERS: usize = 64;

/// What a circle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum CircleKind {
    /// An office-holder's own devices.
    #[n(0)]
    Dossier,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum MemberRole {
    /// Reads, writes and adds devices.
    #[n(0)]
    Owner,
}

/// A device in the circle. Its place in the log, from 0, is its writer slot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Checks its entries and log records.
    #[n(1)]
    pub sig: VerifyKey,
    /// Epoch keys are wrapped to this.
    #[n(2)]
    pub kem: KemPublic,
    /// What it may do.
    #[n(3)]
    pub role: MemberRole,
}

/// An epoch key for one device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EpochWrap {
    /// The device.
    #[n(0)]
    pub recipient: DeviceId,
    /// The 32-byte key.
    #[n(1)]
    pub wrapped: Wrapped,
}

/// A new epoch: a fresh key, wrapped to every member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Epoch {
    /// Rises by one; the first is 1.
    #[n(0)]
    pub number: u32,
    /// One a member.
    #[n(1)]
    pub wraps: Vec<EpochWrap>,
    /// What the key commits to: all members hold the same key.
    #[n(2)]
    pub commitment: Hash,
}

const EPOCH_LABEL: &str = "baken/epoch/v0";

impl Epoch {
    fn bound(circle: CircleId, number: u32, recipient: DeviceId) -> Vec<u8> {
        transcript(EPOCH_LABEL, &[&circle.0, &number.to_be_bytes(), &recipient.0])
    }

    /// A new epoch with a fresh key for these members.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] when a member's key is no X-Wing key.
    pub fn make(
        circle: CircleId,
        number: u32,
        members: &[Member],
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, SymmetricKey), FormatError> {
        let key = SymmetricKey::make(rng);
        let wraps = members
            .iter()
            .map(|member| {
                let bound = Self::bound(circle, number, member.device);
                let wrapped = wrap(&member.kem, None, EPOCH_LABEL, &bound, key.as_bytes(), rng)?;
                Ok(EpochWrap { recipient: member.device, wrapped })
            })
            .collect::<Result<_, FormatError>>()?;
        Ok((Self { number, wraps, commitment: key.commitment(EPOCH_LABEL) }, key))
    }

    /// The key, for a device it was wrapped to; `None` when it was not.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] when the wrap is damaged or holds another key than the others got.
    pub fn open(
        &self,
        circle: CircleId,
        device: DeviceId,
        kem: &KemSecret,
    ) -> Result<Option<SymmetricKey>, FormatError> {
        let Some(found) = self.wraps.iter().find(|wrap| wrap.recipient == device) else { return Ok(None) };
        let bound = Self::bound(circle, self.number, device);
        let key = open_wrapped(kem, None, EPOCH_LABEL, &bound, &found.wrapped)?;
        let key = SymmetricKey::from_slice(&key).ok_or(FormatError::Sealed { what: EPOCH_LABEL })?;
        self.check(&key)?;
        Ok(Some(key))
    }

    /// Checks that `key`, got in another way (pairing), is this epoch's.
    ///
    /// # Errors
    /// [`FormatError::Sealed`].
    pub fn check(&self, key: &SymmetricKey) -> Result<(), FormatError> {
        if key.commitment(EPOCH_LABEL) == self.commitment {
            Ok(())
        } else {
            Err(FormatError::Sealed { what: EPOCH_LABEL })
        }
    }
}

/// What a record of the log does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// Starts the circle; signed by the account's root.
    #[n(0)]
    Genesis {
        /// The account's root key.
        #[n(0)]
        root: VerifyKey,
        /// What the circle is for.
        #[n(1)]
        kind: CircleKind,
        /// The first device.
        #[n(2)]
        first: Member,
    },
    /// Adds a device; signed by an owner.
    #[n(1)]
    Add {
        /// The device.
        #[n(0)]
        member: Member,
    },
    /// Starts a new epoch; signed by an owner.
    #[n(2)]
    Epoch {
        /// The epoch.
        #[n(0)]
        epoch: Epoch,
    },
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LogRecord {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// From 0, rising by one.
    #[n(1)]
    pub seq: u64,
    /// Hash of the record before, [`Hash::ZERO`] for the first.
    #[n(2)]
    pub prev: Hash,
    /// Who made it.
    #[n(3)]
    pub author: DeviceId,
    /// What it does.
    #[n(4)]
    pub operation: Operation,
}

impl Document for LogRecord {
    const LABEL: &'static str = "baken/membership/v0";
    const MAX_BYTES: usize = 256 * 1024;
}

/// Where a log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LogHead {
    /// The number of the last record.
    #[n(0)]
    pub seq: u64,
    /// Its hash.
    #[n(1)]
    pub hash: Hash,
}

/// A circle's membership: what a verified log amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    circle: CircleId,
    root: VerifyKey,
    members: Vec<Member>,
    epoch: u32,
    head: LogHead,
}

/// The parts of a broken rule's error.
fn rule(rule: &'static str) -> FormatError {
    FormatError::Rule { what: "a membership record", rule }
}

impl Membership {
    /// Makes the first record of a new circle.
    pub fn found(circle: CircleId, root: &SigningKey, first: Member) -> (Self, Signed<LogRecord>) {
        let author = first.device;
        let operation = Operation::Genesis { root: root.verify_key(), kind: CircleKind::Dossier, first: first.clone() };
        let record = LogRecord { circle, seq: 0, prev: Hash::ZERO, author, operation };
        let signed = Signed::make(record, root);
        let head = LogHead { seq: 0, hash: signed.hash() };
        (Self { circle, root: root.verify_key(), members: vec![first], epoch: 0, head }, signed)
    }

    /// Reads the first record of a circle's log.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, wrongly signed, or of another circle.
    pub fn start(circle: CircleId, bytes: &[u8]) -> Result<Self, FormatError> {
        let unverified = Unverified::<LogRecord>::parse(bytes)?;
        let Operation::Genesis { root, first, .. } = unverified.claims().operation.clone() else {
            return Err(rule("the first record starts the circle"));
        };
        let signed = unverified.verify(&root)?;
        let record = signed.value();
        if record.circle != circle || record.seq != 0 || record.prev != Hash::ZERO || record.author != first.device {
            return Err(rule("the first record is number 0 of this circle, by its first device"));
        }
        let head = LogHead { seq: 0, hash: signed.hash() };
        Ok(Self { circle, root, members: vec![first], epoch: 0, head })
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, wrongly signed, out of order, or against the rules. Nothing changes then.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Signed<LogRecord>, FormatError> {
        let unverified = Unverified::<LogRecord>::parse(bytes)?;
        let author = self.member(unverified.claims().author).ok_or(rule("its author is no member"))?;
        let signed = unverified.verify(&author.sig)?;
        let record = signed.value();
        if record.circle != self.circle || record.seq != self.head.seq + 1 || record.prev != self.head.hash {
            return Err(rule("it does not follow the last record of this circle"));
        }
        match &record.operation {
            Operation::Genesis { .. } => return Err(rule("a circle starts once")),
            Operation::Add { member } => {
                if self.members.len() >= MAX_MEMBERS {
                    return Err(rule("a circle has at most 64 devices"));
                }
                if self.member(member.device).is_some() {
                    return Err(rule("the device is a member already"));
                }
                self.members.push(member.clone());
            }
            Operation::Epoch { epoch } => {
                let wrapped_to: Vec<DeviceId> = epoch.wraps.iter().map(|wrap| wrap.recipient).collect();
                let members: Vec<DeviceId> = self.members.iter().map(|member| member.device).collect();
                if epoch.number != self.epoch + 1 || wrapped_to != members {
                    return Err(rule("an epoch rises by one and is wrapped to every member, in order"));
                }
                self.epoch = epoch.number;
            }
        }
        self.head = LogHead { seq: record.seq, hash: signed.hash() };
        Ok(signed)
    }

    /// Makes the next record, by a member.
    pub fn next(&self, author: DeviceId, operation: Operation, sig: &SigningKey) -> Signed<LogRecord> {
        let record = LogRecord { circle: self.circle, seq: self.head.seq + 1, prev: self.head.hash, author, operation };
        Signed::make(record, sig)
    }

    /// The circle.
    pub fn circle(&self) -> CircleId {
        self.circle
    }

    /// The account's root key.
    pub fn root(&self) -> VerifyKey {
        self.root
    }

    /// The last record.
    pub fn head(&self) -> LogHead {
        self.head
    }

    /// The current epoch; 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Every member, in order of slot.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// A member by its device.
    pub fn member(&self, device: DeviceId) -> Option<&Member> {
        self.members.iter().find(|member| member.device == device)
    }

    /// A member by its writer slot.
    pub fn writer(&self, slot: u16) -> Option<&Member> {
        self.members.get(usize::from(slot))
    }

    /// A device's writer slot.
    pub fn slot(&self, device: DeviceId) -> Option<u16> {
        self.members.iter().position(|member| member.device == device).and_then(|slot| u16::try_from(slot).ok())
    }
}
