//! Changes of life: leaving office, a second office, moving house, another organisation.
//!
//! Each is a guided step. [`Baken::preview_change`] says what will stay, end and change, with the facts it rests on, and does
//! nothing; [`Baken::carry_out`] does what a phone can do and leaves a task with a day for the rest. What is said of whom
//! is a table ([`words`]), so that nothing is said twice. Not here: anything that the law decides; that is the edition's.

mod carry_out;
mod office;
mod preview;
mod words;

pub use carry_out::CarriedOut;
pub use office::OfficeView;

use baken_schemas::edition::{Date, FactView, Office};
use baken_schemas::id::RecordId;
use baken_schemas::time::Timestamp;
use serde::Serialize;

/// A change of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An office ends.
    LeaveOffice {
        /// Which.
        office: Office,
        /// The last day.
        on: Date,
    },
    /// A further office.
    SecondOffice {
        /// Which.
        office: Office,
        /// Where.
        organisation: String,
        /// The first day.
        from: Date,
    },
    /// Another home.
    Move {
        /// The new address.
        address: String,
        /// How one gets in.
        access: Option<String>,
        /// The day of moving.
        on: Date,
    },
    /// Another municipality, province or water authority.
    NewOrganisation {
        /// The first day there.
        on: Date,
    },
}

impl Change {
    /// The day around which it turns.
    pub fn day(&self) -> Date {
        match self {
            Self::LeaveOffice { on, .. } | Self::Move { on, .. } | Self::NewOrganisation { on } => *on,
            Self::SecondOffice { from, .. } => *from,
        }
    }
}

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It stays as it is.
    Stays,
    /// It ends.
    Ends,
    /// It becomes another.
    Changes,
    /// This phone does it, once the person agrees.
    Done,
    /// The person does it: a task.
    ToDo,
}

/// One thing that a change brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// A stable name.
    pub id: &'static str,
    /// What becomes of it.
    pub outcome: Outcome,
    /// As a sentence; of a task also its title.
    pub text: String,
    /// What it is about, where it is about one thing of the dossier.
    pub about: Option<RecordId>,
    /// What that is called.
    pub named: String,
    /// What it rests on, each with source and date.
    pub facts: Vec<FactView>,
    /// By when, of a task.
    pub due: Option<Timestamp>,
}

/// What a change will bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangePreview {
    /// The day around which it turns.
    pub on: Date,
    /// Everything, in the order in which it is told.
    pub points: Vec<Point>,
}
