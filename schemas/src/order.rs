//! Orders: what one device says must happen to a device that is not at hand.
//!
//! A further device of the same person orders a lost one to lock or to wipe itself. And each device prepares, while its
//! vault is open, the order that freezes itself: it is handed over with every note, so that a duress PIN, which never
//! opens the keys, can have it carried out.
//!
//! The author's `sig` key signs, and whoever carries the order out checks that key; the relay and a desk only pass it
//! on. What they pass on twice does nothing: the number says what an order has been overtaken by.

use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::id::{CircleId, DeviceId};
use crate::signed::Document;
use crate::time::Timestamp;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    /// The vault is locked, and opens by the PIN alone.
    #[n(0)]
    Lock,
    /// Keys and files are destroyed.
    #[n(1)]
    Wipe,
    /// The device is kept out of its circles until another one lets it back in.
    #[n(2)]
    Freeze,
}

/// An order; its envelope is signed by the author's `sig` key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Order {
    /// The dossier that both devices are in.
    #[n(0)]
    pub circle: CircleId,
    /// The device it is about.
    #[n(1)]
    pub device: DeviceId,
    /// Who gives it: another device to lock or wipe, the device itself to freeze.
    #[n(2)]
    pub author: DeviceId,
    /// What is ordered.
    #[n(3)]
    pub kind: OrderKind,
    /// To lock or wipe: higher than in every earlier order of this author. To freeze: how many records of the circle's
    /// log the author knew. A later record that freezes the device or lets it back in overtakes the order.
    #[n(4)]
    pub number: u64,
    /// The author's own clock, for information.
    #[n(5)]
    pub made_at: Timestamp,
}

impl Document for Order {
    const LABEL: &'static str = "baken/order/v0";
    const MAX_BYTES: usize = 256;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| Err(FormatError::Rule { what: Self::LABEL, rule });
        if (self.kind == OrderKind::Freeze) != (self.author == self.device) {
            return rule("a device freezes itself, and another one locks or wipes it");
        }
        // What keeps the last number has signed numbers.
        if i64::try_from(self.number).is_err() {
            return rule("its number has at most 63 bits");
        }
        Ok(())
    }
}
