//! What a person's situation is, as far as the rules ask.

use serde::Serialize;
use thiserror::Error;

use crate::edition::words::tagged;
use crate::edition::{Date, Office};
use crate::record::words::{HomeMark, Origin};

tagged! {
    /// The kind of organisation that an office belongs to.
    OrganisationKind, "a kind of organisation":
    /// Gemeente.
    Municipality = "municipality",
    /// Provincie.
    Province = "province",
    /// Waterschap.
    WaterAuthority = "water-authority",
}

tagged! {
    /// How things stand with threats.
    Threat, "a threat":
    /// Somebody is in danger at this moment.
    Danger = "danger",
    /// There is a concrete threat.
    Concrete = "concrete",
    /// There is a feeling or a signal, and no concrete threat.
    Unease = "unease",
    /// There is nothing.
    None = "none",
    /// It has ended, or measures were scaled down.
    Over = "over",
}

tagged! {
    /// What was done, in the eyes of the law.
    Act, "an act":
    /// It may be an offence.
    Offence = "offence",
    /// It is none.
    NoOffence = "no-offence",
    /// It was not looked at yet.
    Unclear = "unclear",
    /// Nothing was done.
    None = "none",
}

tagged! {
    /// Whether the organisation's insurance covers the person.
    Cover, "a cover":
    /// It does.
    Covered = "covered",
    /// It does not.
    NotCovered = "not-covered",
    /// Nobody knows.
    Unknown = "unknown",
}

/// What the rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Situation {
    /// The person's office.
    pub office: Office,
    /// Where they hold it.
    pub organisation: OrganisationKind,
    /// Their home.
    pub home: HomeMark,
    /// How things stand with threats.
    pub threat: Threat,
    /// What was done.
    pub act: Act,
    /// Whether it is noted in which municipality they live.
    pub residence_known: bool,
    /// Their insurance.
    pub cover: Cover,
    /// They begin in this office.
    pub new_in_office: bool,
    /// A measure that is there, by who decided on it.
    pub measure: Option<Origin>,
    /// The day for which it is asked.
    pub on: Date,
}

/// Why a situation cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{office} is an office of a {belongs}, not of a {given}")]
pub struct SituationError {
    /// The office.
    pub office: Office,
    /// Where it belongs.
    pub belongs: OrganisationKind,
    /// Where it was said to be held.
    pub given: OrganisationKind,
}

impl Office {
    /// The kind of organisation that it belongs to. Committee members of a province or water authority are not told
    /// apart: what the edition says of that office is about municipalities.
    pub fn organisation(self) -> OrganisationKind {
        match self {
            Self::Mayor | Self::Alderman | Self::Councillor | Self::CommitteeMember => OrganisationKind::Municipality,
            Self::KingsCommissioner | Self::Deputy | Self::StatesMember => OrganisationKind::Province,
            Self::DikeReeve | Self::WaterExecutive | Self::WaterCouncillor => OrganisationKind::WaterAuthority,
        }
    }

    /// Whether it is an office of executives, to whom the scheme for measures at home applies; the others sit in an
    /// elected body or its committees.
    pub fn is_executive(self) -> bool {
        match self {
            Self::Mayor
            | Self::Alderman
            | Self::KingsCommissioner
            | Self::Deputy
            | Self::DikeReeve
            | Self::WaterExecutive => true,
            Self::Councillor | Self::CommitteeMember | Self::StatesMember | Self::WaterCouncillor => false,
        }
    }

    /// What it is called in Dutch, as people write it down.
    pub fn dutch(self) -> &'static str {
        match self {
            Self::Mayor => "burgemeester",
            Self::Alderman => "wethouder",
            Self::Councillor => "raadslid",
            Self::CommitteeMember => "commissielid",
            Self::KingsCommissioner => "commissaris van de Koning",
            Self::Deputy => "gedeputeerde",
            Self::StatesMember => "Statenlid",
            Self::DikeReeve => "dijkgraaf",
            Self::WaterExecutive => "lid dagelijks bestuur",
            Self::WaterCouncillor => "lid algemeen bestuur",
        }
    }

    /// The office that somebody wrote down: its tag, or what it is called in Dutch.
    pub fn written(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let fits = |office: &Self| office.tag() == text || office.dutch().to_lowercase() == text;
        Self::ALL.iter().copied().find(fits)
    }
}

impl Situation {
    /// An ordinary day in an office: nothing known, nothing going on.
    pub fn ordinary(office: Office, on: Date) -> Self {
        Self {
            office,
            organisation: office.organisation(),
            home: HomeMark::Unknown,
            threat: Threat::None,
            act: Act::None,
            residence_known: false,
            cover: Cover::Unknown,
            new_in_office: false,
            measure: None,
            on,
        }
    }

    /// Whether this can be.
    ///
    /// # Errors
    /// [`SituationError`] when the office is of another kind of organisation.
    pub fn check(&self) -> Result<(), SituationError> {
        let (office, belongs, given) = (self.office, self.office.organisation(), self.organisation);
        if belongs == given { Ok(()) } else { Err(SituationError { office, belongs, given }) }
    }

    /// What was done; a concrete threat is an act, also where nobody said so.
    pub(super) fn act(&self) -> Act {
        if self.act == Act::None && self.threat == Threat::Concrete { Act::Unclear } else { self.act }
    }

    /// Whether measures at home can be asked for: the home's mark comes first, and a concrete threat has its own way.
    pub(super) fn may_ask_measures(&self) -> bool {
        matches!(self.home, HomeMark::Met | HomeMark::UnderWay) && self.threat != Threat::Concrete
    }
}
