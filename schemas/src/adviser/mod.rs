//! The adviser's side: an organisation's plan, and how ready its people say they are.
//!
//! What lies at the relay for advisers lies there in clear, so nothing private may get in. The types see to that: a plan is
//! made of [`Line`]s, whose only free words are a [`Title`] of one short line, and readiness of one word a step
//! ([`Readiness`]). No type here has room for an answer of the scan, a check-up, an incident or a measure, and none of
//! those modules is used here (`nothing_private_can_be_written_on_the_advisers_side`). People are accounts: their names
//! are in the organisation's book, off the relay.

mod counts;
mod line;
mod readiness;
mod words;
mod year;

#[cfg(test)]
mod tests;

pub use counts::{Counts, SMALLEST_SHOWN, StepCounts};
pub use line::{Deputy, Inform, Insured, Item, Line, MAX_TITLE_CHARS, Number, Role, Term, Title, YearState};
pub use readiness::{Readiness, Ready, Step};
pub use words::{Function, State, Theme, YearTask};
pub use year::{Due, DueKind, due_in};

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::id::{AccountId, DeviceId, LineId};
use crate::time::Timestamp;

/// The most lines of one plan.
pub const MAX_LINES: usize = 2000;

/// A line as it lies at the relay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct PlanLine {
    /// Its id.
    #[n(0)]
    pub id: LineId,
    /// The plan's version since it was last changed: what a change must name.
    #[n(1)]
    pub version: u64,
    /// What it says.
    #[n(2)]
    #[serde(flatten)]
    pub line: Line,
    /// The adviser's device that changed it last.
    #[n(3)]
    pub by: DeviceId,
    /// When, by the relay's clock.
    #[n(4)]
    pub at: Timestamp,
}

/// An organisation's plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct Plan {
    /// Rises with every change.
    #[n(0)]
    pub version: u64,
    /// By id, at most [`MAX_LINES`].
    #[n(1)]
    pub lines: Vec<PlanLine>,
}

/// A change of one line, which holds only while nobody else has changed it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlanChange {
    /// The version that the line had when it was read; 0 for one that is not there.
    #[n(0)]
    pub expected: u64,
    /// What it says from now on; `None` takes it away.
    #[n(1)]
    pub line: Option<Line>,
}

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PlanChanged {
    /// The plan's version with it.
    #[n(0)]
    pub version: u64,
}

/// What a phone says of its person, by their consent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReadinessReport {
    /// The consent is given with this report. Without it a report is taken only where one of this very device lies: what
    /// was withdrawn on another device stays so.
    #[n(0)]
    pub consents: bool,
    /// A word a step.
    #[n(1)]
    pub readiness: Readiness,
}

/// How ready a person is who agreed to say so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct PersonReadiness {
    /// Whose.
    #[n(0)]
    pub account: AccountId,
    /// When it was said last, by the relay's clock.
    #[n(1)]
    pub at: Timestamp,
    /// A word a step.
    #[n(2)]
    pub readiness: Readiness,
}

/// Everybody who agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, schemars::JsonSchema)]
pub struct OrgReadiness {
    /// By account.
    #[n(0)]
    pub people: Vec<PersonReadiness>,
}
