//! Who may be told of a measure, and which ways out of the phone it may take (R11). Every way out asks here.
//!
//! A measure of the system that guards and secures people is confidential whatever an edition says, and so is one that
//! the person marked: this table has no facts to lose.

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
    /// Only as whoever decided on it has decided: the person says each time that it was.
    AsDecided = "as-decided",
    /// The person chooses.
    OwnChoice = "own-choice",
}

tagged! {
    /// A way by which a record can leave a person's own devices.
    WayOut, "a way out":
    /// Into a family circle.
    FamilyCircle = "family-circle",
    /// Into the circle of a case, and to a device that is let into one.
    CaseCircle = "case-circle",
    /// A folder for the council.
    CouncilPack = "council-pack",
    /// A folder for the organisation's register of incidents.
    RegisterPack = "register-pack",
    /// A folder for the police. Whoever finds it reads it: what they are to know of measures goes into the case.
    PolicePack = "police-pack",
    /// A folder with everything, which whoever finds it reads.
    ReadableExport = "readable-export",
    /// A file with everything under a code: for oneself.
    SealedExport = "sealed-export",
}

/// Whether a measure may be told to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Share {
    /// To whom.
    pub with: Recipient,
    /// Whether.
    pub may: May,
}

/// What a measure says of itself that decides who may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where it comes from.
    pub origin: Origin,
    /// It is marked confidential.
    pub confidential: bool,
}

impl From<Origin> for Mark {
    fn from(origin: Origin) -> Self {
        Self { origin, confidential: false }
    }
}

impl Mark {
    /// Whether it is confidential: marked so, or of the system.
    pub fn is_confidential(self) -> bool {
        self.confidential || self.origin == Origin::System
    }

    /// Whether it may be told to somebody.
    pub fn may_be_told(self, with: Recipient) -> May {
        match (self.is_confidential(), self.origin, with) {
            (true, _, Recipient::Family | Recipient::Council | Recipient::Public) => May::Never,
            (true, _, Recipient::Adviser | Recipient::PoliceContact) => May::AsDecided,
            (false, Origin::Own, _) => May::OwnChoice,
            // What the organisation pays comes into its papers, and is kept out of those that others read (L13).
            (false, _, Recipient::Council | Recipient::Public) => May::Never,
            (false, _, Recipient::Family | Recipient::Adviser | Recipient::PoliceContact) => May::OwnChoice,
        }
    }

    /// Whether it may go by a way out.
    pub fn may_leave(self, by: WayOut) -> May {
        match by {
            WayOut::FamilyCircle => self.may_be_told(Recipient::Family),
            // Nobody can tell by a device whether it is the adviser's: the stricter of the two, which are alike.
            WayOut::CaseCircle => self.may_be_told(Recipient::Adviser).min(self.may_be_told(Recipient::PoliceContact)),
            WayOut::CouncilPack => self.may_be_told(Recipient::Council),
            WayOut::RegisterPack | WayOut::PolicePack if self.is_confidential() => May::Never,
            WayOut::RegisterPack | WayOut::PolicePack => May::OwnChoice,
            WayOut::ReadableExport if self.is_confidential() => May::AsDecided,
            // It opens by its code alone, and is how a person moves.
            WayOut::ReadableExport | WayOut::SealedExport => May::OwnChoice,
        }
    }
}

/// With whom a measure may be shared.
pub fn sharing(mark: impl Into<Mark>) -> Vec<Share> {
    let mark = mark.into();
    Recipient::ALL.iter().map(|with| Share { with: *with, may: mark.may_be_told(*with) }).collect()
}

tagged! {
    /// What a field holds that is not only the person's own to tell.
    Caution, "a caution":
    /// What security costs, or by which contract: named in public papers, it tells what is there (L13).
    Cost = "cost",
    /// Somebody else's name, number or words.
    ThirdParty = "third-party",
}

/// What to be warned of before a field of a kind is shared or exported.
pub fn caution(kind: &str, field: &str) -> Option<Caution> {
    CAUTIONS.iter().find(|(of, name, _)| (*of, *name) == (kind, field)).map(|(_, _, caution)| *caution)
}

const CAUTIONS: &[(&str, &str, Caution)] = &[
    ("measure", "provider", Caution::Cost),
    ("measure", "contract", Caution::Cost),
    ("measure", "paid_by", Caution::Cost),
    ("subscription", "supplier", Caution::Cost),
    ("subscription", "contract", Caution::Cost),
    ("subscription", "cost_cents", Caution::Cost),
    ("subscription", "paid_by", Caution::Cost),
    ("incident", "who", Caution::ThirdParty),
    ("incident", "witnesses", Caution::ThirdParty),
    ("incident", "reported_to", Caution::ThirdParty),
    ("incident", "told", Caution::ThirdParty),
    ("contact", "name", Caution::ThirdParty),
    ("contact", "phone", Caution::ThirdParty),
    ("contact", "email", Caution::ThirdParty),
    ("housemate", "name", Caution::ThirdParty),
    ("housemate", "phone", Caution::ThirdParty),
    ("medical", "whom", Caution::ThirdParty),
    ("medical", "doctor", Caution::ThirdParty),
    ("appointment", "whom", Caution::ThirdParty),
    ("evaluation", "outside", Caution::ThirdParty),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kind_named;

    fn marks() -> impl Iterator<Item = Mark> {
        Origin::ALL.iter().flat_map(|origin| [false, true].map(|confidential| Mark { origin: *origin, confidential }))
    }

    #[test]
    fn r11_what_is_confidential_never_goes_to_family_council_or_a_folder_and_asks_at_every_other_reader() {
        for mark in marks() {
            for by in WayOut::ALL {
                let may = mark.may_leave(*by);
                let expected = match (mark.is_confidential(), by) {
                    (_, WayOut::SealedExport) => May::OwnChoice,
                    (true, WayOut::CaseCircle | WayOut::ReadableExport) => May::AsDecided,
                    (true, _) => May::Never,
                    (false, WayOut::CouncilPack) if mark.origin != Origin::Own => May::Never,
                    (false, _) => May::OwnChoice,
                };
                assert_eq!(may, expected, "{mark:?} by {by}");
            }
        }
        assert!(Mark::from(Origin::System).is_confidential() && !Mark::from(Origin::Own).is_confidential());
    }

    #[test]
    fn a_mark_never_lets_more_out() {
        for mark in marks() {
            for by in WayOut::ALL {
                assert!(Mark { confidential: true, ..mark }.may_leave(*by) <= mark.may_leave(*by), "{mark:?} by {by}");
            }
        }
    }

    #[test]
    fn cautions_name_fields_that_there_are() {
        for (kind, field, _) in CAUTIONS {
            assert!(kind_named(kind).is_some_and(|kind| kind.field_named(field).is_some()), "{kind}.{field}");
        }
    }
}
