//! The root's word that an adviser is one no longer.
//!
//! It names the invite, which is what the root knows of an adviser: the relay alone knows which device used it. There is
//! no way back and so no version: who is to advise again gets an invite of their own. The same adviser thus makes the
//! same bytes each time, and a repeat, however late, says nothing new.

use minicbor::{Decode, Encode};

use crate::id::InviteId;
use crate::org::OrgId;
use crate::signed::Document;

/// An adviser is dismissed; signed by the organisation's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Dismissal {
    /// The organisation.
    #[n(0)]
    pub org: OrgId,
    /// The invite that the adviser came by, or has not used yet.
    #[n(1)]
    pub invite: InviteId,
}

impl Document for Dismissal {
    const LABEL: &'static str = "baken/dismissal/v0";
    const MAX_BYTES: usize = 512;
}
