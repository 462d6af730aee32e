//! The relay's word that a desk is not heard, or that it stands still itself. It goes to the other desks, so that somebody
//! knows before an alarm does.

use minicbor::{Decode, Encode};

use crate::id::DeviceId;
use crate::signed::Document;
use crate::time::Timestamp;

/// Whether a desk is heard; its envelope is signed by the relay's `sig` key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Silence {
    /// The relay that says so.
    #[n(0)]
    pub relay: DeviceId,
    /// The desk it is about; the relay itself where its ladders stand still.
    #[n(1)]
    pub desk: DeviceId,
    /// Since when it is not heard, by the relay's clock; `None`: it is heard again.
    #[n(2)]
    pub since: Option<Timestamp>,
    /// When this was signed, by the relay's clock.
    #[n(3)]
    pub at: Timestamp,
}

impl Document for Silence {
    const LABEL: &'static str = "baken/silence/v0";
    const MAX_BYTES: usize = 512;
}
