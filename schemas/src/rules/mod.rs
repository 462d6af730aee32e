//! The rules of the Leidraad, R01 to R14: who is entitled to what, what comes first, who pays, which way a threat goes,
//! what is said to whom, and what must be done next.
//!
//! Pure: layers of editions and a [`Situation`] in, a [`Decision`] out. The rules hold no amount, number or date of law;
//! those are facts of the edition that hold on the day asked. An answer whose fact is missing, or does not hold on that
//! day, is not given: a [`Gap`] says which. Not here: how a screen asks for the situation.

mod case;
mod code;
mod cover;
mod decide;
mod sharing;
mod situation;
mod view;

#[cfg(test)]
mod tests;

pub use case::{Answer, Gap, Wanted, Why};
pub use code::{Code, Rule};
pub use cover::recorded_cover;
pub use decide::{Decision, decide};
pub use sharing::{Caution, Mark, May, Recipient, Share, WayOut, caution, sharing};
pub use situation::{Act, Cover, OrganisationKind, Situation, SituationError, Threat};

pub use crate::record::words::{HomeMark, Origin};
pub use view::{AnswerView, DecisionView, GapView, ShareView};
