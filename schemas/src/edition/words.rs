//! The words that an edition sorts by: layers, audiences, offices, kinds of trouble. Each has one tag, the same in source
//! files, in JSON and on the command line.

use serde::{Deserialize, Serialize};

use crate::Language;

/// A closed list of words with a tag each.
macro_rules! tagged {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$variant_doc:meta])* $variant:ident = $tag:literal,)+) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            serde::Serialize,
            serde::Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $tag)] $variant,)+
        }

        impl $name {
            /// Every tag, in order.
            pub const TAGS: &[&str] = &[$($tag),+];
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its tag.
            pub fn tag(self) -> &'static str {
                match self {
                    $(Self::$variant => $tag,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.tag())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::FormatError;

            fn from_str(tag: &str) -> Result<Self, $crate::FormatError> {
                match tag {
                    $($tag => Ok(Self::$variant),)+
                    _ => Err($crate::FormatError::Rule { what: $what, rule: concat!("it is one of", $(" ", $tag),+) }),
                }
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.tag())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str()?.parse().map_err(|_| minicbor::decode::Error::message(concat!("not ", $what)))
            }
        }
    };
}
pub(crate) use tagged;

tagged! {
    /// Whose content it is. A reader sees all layers as one.
    Layer, "a layer":
    /// What Baken ships.
    National = "national",
    /// What a province or water authority adds.
    Province = "province",
    /// What the person's own organisation adds.
    Organisation = "organisation",
}

tagged! {
    /// Who a text is for.
    Audience, "an audience":
    /// The office-holder.
    OfficeHolder = "office-holder",
    /// Who advises office-holders in the organisation.
    Adviser = "adviser",
    /// The police contact.
    PoliceContact = "police-contact",
    /// Partner and family.
    Family = "family",
}

tagged! {
    /// An office, where a text or fact is not for all.
    Office, "an office":
    /// Burgemeester.
    Mayor = "mayor",
    /// Wethouder.
    Alderman = "alderman",
    /// Raadslid.
    Councillor = "councillor",
    /// Commissielid.
    CommitteeMember = "committee-member",
    /// Commissaris van de Koning.
    KingsCommissioner = "kings-commissioner",
    /// Gedeputeerde.
    Deputy = "deputy",
    /// Statenlid.
    StatesMember = "states-member",
    /// Dijkgraaf of watergraaf.
    DikeReeve = "dike-reeve",
    /// Lid van het dagelijks bestuur van een waterschap.
    WaterExecutive = "water-executive",
    /// Lid van het algemeen bestuur van een waterschap.
    WaterCouncillor = "water-councillor",
}

tagged! {
    /// What kind of trouble a card or contact is for.
    Trouble, "a kind of trouble":
    /// Now, and of life or limb.
    Danger = "danger",
    /// Somebody threatens.
    Threat = "threat",
    /// It feels unsafe.
    Unease = "unease",
    /// Afterwards.
    Aftercare = "aftercare",
    /// Online.
    Digital = "digital",
    /// For whoever prepares an organisation.
    Organisation = "organisation",
}

tagged! {
    /// What a fact's value is.
    FactKind, "a kind of fact":
    /// Words only.
    Text = "text",
    /// A whole number.
    Number = "number",
    /// Whole euros.
    Money = "money",
    /// A day.
    Date = "date",
}

tagged! {
    /// Whether somebody has seen it confirmed.
    Status, "a status":
    /// It was found at its source.
    Confirmed = "confirmed",
    /// It was not, or the source is old: the reader is told where to check.
    Unconfirmed = "unconfirmed",
}

tagged! {
    /// An answer to a question of the self-scan.
    Reply, "an answer":
    /// Yes.
    Yes = "yes",
    /// No.
    No = "no",
    /// The person does not know.
    Unknown = "unknown",
    /// It does not apply.
    NotApplicable = "na",
}

/// A sentence in the languages of an edition. Dutch leads; what is not translated is shown in Dutch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// In Dutch.
    #[serde(default)]
    pub nl: String,
    /// In English, empty where it is missing.
    #[serde(default)]
    pub en: String,
}

impl Words {
    /// The sentence in this language, or in Dutch.
    pub fn of(&self, language: Language) -> &str {
        let wanted = language.pick(&self.nl, &self.en);
        if wanted.is_empty() { &self.nl } else { wanted }
    }
}
