//! A line of a plan: an item of the four themes, a task of the year, a function with its numbers, a moment at which
//! somebody is to be informed, a term, what the insurance covers. Closed: what is none of these cannot be written.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::FormatError;
use crate::adviser::{Function, State, Theme, YearTask};
use crate::crypto::Hash;
use crate::edition::Date;
use crate::id::{AccountId, LineId};
use crate::rules::Cover;

/// The longest title, in characters: one line, too short for a story.
pub const MAX_TITLE_CHARS: usize = 80;
/// The longest telephone number, in characters.
const MAX_NUMBER_CHARS: usize = 20;
/// The longest that a term lasts, in days: longer is a slip of the pen.
const MAX_TERM_DAYS: i64 = 6 * 366;

/// One short line of words: what an item is called, or somebody at work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Title(String);

impl Title {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Title {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Title {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let fits = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= MAX_TITLE_CHARS
            && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormatError::Rule { what: "a title", rule: "it is one line of 1 to 80 characters, no space around it" })
        }
    }
}

/// A telephone number, as it is dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Number(String);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Number {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b' '));
        let fits = plain && digits >= 3 && text.len() <= MAX_NUMBER_CHARS && text.trim() == text;
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            let rule = "a telephone number has 3 or more digits, spaces and dashes, 20 characters at most";
            Err(FormatError::Rule { what: "a number", rule })
        }
    }
}

/// What is read from text travels as that text.
macro_rules! text_in_cbor {
    ($($name:ident, $what:literal;)+) => {
        $(
            impl<C> Encode<C> for $name {
                fn encode<W: minicbor::encode::Write>(
                    &self,
                    e: &mut minicbor::Encoder<W>,
                    _: &mut C,
                ) -> Result<(), minicbor::encode::Error<W::Error>> {
                    e.str(&self.0)?.ok()
                }
            }

            impl<'b, C> Decode<'b, C> for $name {
                fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                    d.str()?.parse().map_err(|_| minicbor::decode::Error::message($what))
                }
            }
        )+
    };
}

text_in_cbor! {
    Title, "no title";
    Number, "no telephone number";
}

/// An item of the integral plan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Item {
    /// Under which theme.
    #[n(0)]
    pub theme: Theme,
    /// What it is.
    #[n(1)]
    pub title: Title,
    /// How far it is.
    #[n(2)]
    pub state: State,
    /// Who sees to it.
    #[n(3)]
    pub owner: Option<Function>,
    /// By when.
    #[n(4)]
    pub due: Option<Date>,
}

/// What is known of a year's task. Tasks are there by themselves ([`crate::adviser::due_in`]); a line says what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct YearState {
    /// The task.
    #[n(0)]
    pub task: YearTask,
    /// Of which year; for the start of a term, the year in which it begins.
    #[n(1)]
    pub year: u16,
    /// How far it is.
    #[n(2)]
    pub state: State,
    /// Who sees to it.
    #[n(3)]
    pub owner: Option<Function>,
    /// By when, where that was moved.
    #[n(4)]
    pub due: Option<Date>,
}

/// Who has a function, and where they are reached day and night.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Role {
    /// The function.
    #[n(0)]
    pub function: Function,
    /// Who has it.
    #[n(1)]
    pub holder: Title,
    /// Their number.
    #[n(2)]
    pub number: Number,
    /// The number is answered day and night.
    #[n(3)]
    pub always: bool,
    /// Who stands in.
    #[n(4)]
    pub deputy: Option<Deputy>,
}

/// Who stands in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Deputy {
    /// Who.
    #[n(0)]
    pub holder: Title,
    /// Their number.
    #[n(1)]
    pub number: Number,
}

/// Somebody is to be informed on a day. Of what is between them and whoever informs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Inform {
    /// Whom.
    #[n(0)]
    pub account: AccountId,
    /// When.
    #[n(1)]
    pub on: Date,
    /// Who sees to it.
    #[n(2)]
    pub owner: Option<Function>,
    /// It was done.
    #[n(3)]
    pub done: bool,
}

/// A term: a new council, a new executive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Term {
    /// Its first day.
    #[n(0)]
    pub starts: Date,
    /// The first day of the next.
    #[n(1)]
    pub ends: Date,
}

/// What the organisation's insurance covers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Insured {
    /// Whether it covers councillors and other elected members.
    #[n(0)]
    pub elected: Cover,
    /// Whether it covers the executive.
    #[n(1)]
    pub executive: Cover,
    /// With whom.
    #[n(2)]
    pub insurer: Title,
    /// The day of the terms.
    #[n(3)]
    pub terms: Date,
    /// When somebody read them.
    #[n(4)]
    pub read_on: Date,
}

/// A line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// An item of the integral plan.
    #[n(0)]
    Item(#[n(0)] Item),
    /// A task of the year.
    #[n(1)]
    Year(#[n(0)] YearState),
    /// A function.
    #[n(2)]
    Role(#[n(0)] Role),
    /// Somebody is to be informed.
    #[n(3)]
    Inform(#[n(0)] Inform),
    /// A term.
    #[n(4)]
    Term(#[n(0)] Term),
    /// The insurance.
    #[n(5)]
    Insured(#[n(0)] Insured),
}

impl Line {
    /// The id that it must have, where there can be one of its sort: two advisers who write the same then meet.
    pub fn fixed_id(&self) -> Option<LineId> {
        let of = |parts: &[&[u8]]| {
            let hash = Hash::of("baken/plan-line/v0", parts);
            hash.0.first_chunk().map(|half| LineId(*half))
        };
        match self {
            Self::Item(_) | Self::Inform(_) => None,
            Self::Year(YearState { task, year, .. }) => of(&[b"year", task.tag().as_bytes(), &year.to_be_bytes()]),
            Self::Role(role) => of(&[b"role", role.function.tag().as_bytes()]),
            Self::Term(term) => of(&[b"term", &term.starts.year().to_be_bytes()]),
            Self::Insured(_) => of(&[b"insured"]),
        }
    }

    /// Whether what it says can be.
    ///
    /// # Errors
    /// [`FormatError::Rule`] with the dates that contradict each other.
    pub fn check(&self) -> Result<(), FormatError> {
        let refused = |rule| Err(FormatError::Rule { what: "a line of a plan", rule });
        match self {
            Self::Year(YearState { year, .. }) if !(2000..2200).contains(year) => {
                refused("a year is one from 2000 to 2199")
            }
            Self::Year(YearState { task, year, due: Some(due), .. }) if !task.may_be_due(*year, *due) => {
                refused("the day by which it is due lies in another year than the task's own")
            }
            Self::Term(Term { starts, ends }) if ends <= starts => refused("the term ends before it begins"),
            Self::Term(Term { starts, ends }) if ends.since(*starts) > MAX_TERM_DAYS => {
                refused("the term lasts longer than six years")
            }
            Self::Insured(Insured { terms, read_on, .. }) if read_on < terms => {
                refused("the terms were read before the day that they are from")
            }
            _ => Ok(()),
        }
    }
}
