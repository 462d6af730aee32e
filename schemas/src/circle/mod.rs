//! The membership log of a circle: a signed, hash-linked chain that says which devices are in it, with which role,
//! and under which epoch key entries are sealed.
//!
//! The relay orders it (the first record at a number wins, the other author makes its own anew) and every device
//! checks it from the first record. What it amounts to is a [`Membership`], worked out by [`membership`] alone, without
//! a clock: where something must wait for a day, the log says what waits and what ends the waiting, and the devices
//! keep the day.

mod epoch;
mod membership;

pub use epoch::{Epoch, EpochWrap, Readers};
pub use membership::Membership;

use minicbor::{Decode, Encode};

use crate::crypto::{Hash, KemPublic, VerifyKey};
use crate::id::{CircleId, DeviceId};
use crate::signed::Document;

/// The most devices a circle has at a time.
pub const MAX_MEMBERS: usize = 64;

/// What a circle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CircleKind {
    /// An office-holder's own devices.
    #[n(0)]
    Dossier,
    /// An office-holder and their family.
    #[n(1)]
    Family,
    /// One matter, shared with the adviser or the police contact.
    #[n(2)]
    Case,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberRole {
    /// Reads, writes and changes the membership.
    #[n(0)]
    Owner,
    /// Reads and writes.
    #[n(1)]
    Member,
    /// Reads.
    #[n(2)]
    Viewer,
}

/// A device as a member. Its place among all there ever were, from 0, is its writer slot.
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

/// How a member stands. `cut` is the last of its entries that counts by itself; a later one counts only where an
/// active member's entry builds on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum MemberState {
    /// An owner-to-be that waits for another owner: reads nothing, writes nothing.
    Proposed {
        /// Who proposed it.
        by: DeviceId,
    },
    /// In the circle.
    Active,
    /// Kept out by a freeze until another owner lifts it.
    Frozen {
        /// See above.
        cut: u64,
    },
    /// A removed owner: kept out, and may still object until the removal is finished.
    Leaving {
        /// See above.
        cut: u64,
    },
    /// Out.
    Gone {
        /// See above.
        cut: u64,
    },
}

/// A device to take out, and the last of its entries that the author of the record had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cut {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The counter of that entry, 0 before the first.
    #[n(1)]
    pub counter: u64,
}

/// What a record of the log does. Signed by its author, except where it says the root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::large_enum_variant, reason = "records come one at a time; boxes would only be in the way")]
pub enum Operation {
    /// Starts the circle. A dossier's is signed by the root, another's by the first device.
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
        /// The recovery key that its epochs are wrapped to as well.
        #[n(3)]
        recovery: Option<KemPublic>,
    },
    /// Adds a device, by an owner. A further owner of a dossier is proposed only.
    #[n(1)]
    Add {
        /// The device.
        #[n(0)]
        member: Member,
    },
    /// Starts a new epoch, by an owner.
    #[n(2)]
    Epoch {
        /// The epoch.
        #[n(0)]
        epoch: Epoch,
    },
    /// A proposed owner is one from now on; by an owner other than the proposer, where there is one that is in or may
    /// come back.
    #[n(3)]
    Confirm {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// Takes a device out, by an owner, under a new epoch without it. An owner may object until that is finished.
    #[n(4)]
    Remove {
        /// The device.
        #[n(0)]
        cut: Cut,
        /// The epoch from then on.
        #[n(1)]
        epoch: Epoch,
    },
    /// The removal of an owner is final, by an owner.
    #[n(5)]
    Finish {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// Undoes what waits about a device: a proposed one is out, a leaving or frozen one is back. By an owner; also by
    /// the leaving one itself, which is back where it was, and by a frozen owner while there is no other.
    #[n(6)]
    Veto {
        /// The device.
        #[n(0)]
        device: DeviceId,
    },
    /// Keeps a device out for now, by an owner; its own included.
    #[n(7)]
    Freeze {
        /// The device.
        #[n(0)]
        cut: Cut,
    },
    /// The author leaves.
    #[n(8)]
    Leave {
        /// The counter of its last entry.
        #[n(0)]
        counter: u64,
    },
    /// Makes a member a viewer or a viewer a member, by an owner.
    #[n(9)]
    Role {
        /// The device, and where its writing ends if it ends.
        #[n(0)]
        cut: Cut,
        /// What it may do from now on; not [`MemberRole::Owner`].
        #[n(1)]
        role: MemberRole,
    },
    /// Brings a device in by the recovery code, and takes lost ones out. Signed by the root.
    #[n(10)]
    Recover {
        /// The new device, an owner.
        #[n(0)]
        member: Member,
        /// The lost ones.
        #[n(1)]
        lost: Vec<Cut>,
        /// The epoch from then on.
        #[n(2)]
        epoch: Epoch,
    },
    /// Another recovery code from now on, by an owner. Signed by the root.
    #[n(11)]
    RecoveryKey {
        /// The key that epochs are wrapped to as well.
        #[n(0)]
        kem: KemPublic,
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

impl LogHead {
    /// Six groups of five digits over the account's root and this head: two people who read out the same ones see the
    /// same devices, whatever the relay shows them. Thirty digits are about 99 bits.
    pub fn safety_number(&self, root: &VerifyKey) -> String {
        let hash = Hash::of("baken/safety-number/v0", &[&root.0, &self.seq.to_be_bytes(), &self.hash.0]);
        let groups: Vec<String> = hash
            .0
            .chunks_exact(5)
            .map(|five| five.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
            .map(|number| format!("{:05}", number % 100_000))
            .collect();
        groups.join(" ")
    }
}
