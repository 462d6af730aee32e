//! The organisation root and what it signs, off the relay: the directory, invites, and for every invite a
//! registration (for the relay) and roster lines (one sealed to each desk); and the dismissal of an adviser.
//!
//! A phone starts with an invite and trusts nothing else: the invite holds the hash of the root and of the relay's
//! TLS root. The one-time secret is split, so that the relay, which sees its own half at activation, cannot enrol a
//! device of its own at a desk.

mod directory;
mod dismissal;
mod enrolment;
mod invite;
mod roster;
mod silence;

pub use directory::{CallsFamily, DeskEntry, Directory, Ladder, LadderUse, MAX_RESPONDERS, RelayEntry, Rung};
pub use dismissal::Dismissal;
pub use enrolment::Enrolment;
pub use invite::{Invite, InviteRegistration, InviteRole};
pub use roster::{RosterLine, RosterPerson};
pub use silence::Silence;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::crypto::{Hash, VerifyKey};

/// An organisation: the hash of its root key.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct OrgId(#[n(0)] pub Hash);

impl OrgId {
    /// The organisation of a root key.
    pub fn of(root: &VerifyKey) -> Self {
        Self(Hash::of("baken/org-root/v0", &[&root.0]))
    }
}

impl std::fmt::Display for OrgId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
