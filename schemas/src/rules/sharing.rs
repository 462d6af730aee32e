//! With whom a measure may be shared (R11). A measure of the system that guards and secures people is confidential
//! whatever an edition says: this table has no facts to lose.

use serde::Serialize;

use crate::edition::words::tagged;
use crate::rules::Origin;

tagged! {
    /// Whom a measure could be told.
    Recipient, "a recipient":
    /// Partner and family.
    Family = "family",
    /// The elected body, and whatever is sent to it.
    Council = "council",
    /// Everybody.
    Public = "public",
    /// The adviser.
    Adviser = "adviser",
    /// The police contact.
    PoliceContact = "police-contact",
}

tagged! {
    /// Whether a measure may be told.
    May, "whether it may be shared":
    /// It may not.
    Never = "never",
    /// Only as whoever decided on it has decided.
    AsDecided = "as-decided",
    /// The person chooses.
    OwnChoice = "own-choice",
}

/// Whether a measure may be told to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Share {
    /// To whom.
    pub with: Recipient,
    /// Whether.
    pub may: May,
}

/// With whom a measure of this origin may be shared.
pub fn sharing(origin: Origin) -> Vec<Share> {
    let may = |with| match (origin, with) {
        (Origin::System, Recipient::Family | Recipient::Council | Recipient::Public) => May::Never,
        (Origin::System, Recipient::Adviser | Recipient::PoliceContact) => May::AsDecided,
        (Origin::Organisation, Recipient::Council | Recipient::Public) => May::Never,
        (Origin::Organisation, Recipient::Family | Recipient::Adviser | Recipient::PoliceContact) => May::OwnChoice,
        (Origin::Own, _) => May::OwnChoice,
    };
    Recipient::ALL.iter().map(|with| Share { with: *with, may: may(*with) }).collect()
}
