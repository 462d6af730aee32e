//! Counts of readiness to pass on, in which small groups do not show: neither by their own number nor by subtraction.
//!
//! A step has three counts, and everybody can work out their sum from another step. So where one is small, every count of
//! that step is hidden in which somebody is. Hiding only the next smallest instead would leave cases that whoever knows
//! the rule can work out: of 5, 5 and 4 it would tell each. A count of nobody shows: nobody is in it. Not held against are
//! two tables of different days: what changed between them may be one person.

use serde::Serialize;

use crate::adviser::{Readiness, Ready, Step};

/// The smallest group that is counted.
pub const SMALLEST_SHOWN: usize = 5;

/// Counts of everybody who agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counts {
    /// How many agreed; `None` where they are too few to say.
    pub people: Option<usize>,
    /// Each step, in order.
    pub steps: Vec<StepCounts>,
}

/// How many stand where with a step; `None` is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StepCounts {
    /// The step.
    pub step: Step,
    /// They have done it.
    pub done: Option<usize>,
    /// They have not.
    pub not: Option<usize>,
    /// It does not apply to them.
    pub na: Option<usize>,
}

impl Counts {
    /// Counts what people said.
    pub fn of(people: &[Readiness]) -> Self {
        let enough = people.len() >= SMALLEST_SHOWN;
        let step = |step: Step| {
            let count = |ready| people.iter().filter(|person| person.step(step) == ready).count();
            let [done, not, na] = hide([count(Ready::Done), count(Ready::NotDone), count(Ready::NotApplicable)]);
            StepCounts { step, done, not, na }
        };
        Self { people: enough.then_some(people.len()), steps: Step::ALL.iter().copied().map(step).collect() }
    }
}

/// Hides small counts of a group, and what they could be worked out from.
pub(super) fn hide(counts: [usize; 3]) -> [Option<usize>; 3] {
    let total: usize = counts.iter().sum();
    let is_small = |count: usize| (1..SMALLEST_SHOWN).contains(&count);
    if total < SMALLEST_SHOWN {
        [None; 3]
    } else if counts.into_iter().any(is_small) {
        counts.map(|count| (count == 0).then_some(count))
    } else {
        counts.map(Some)
    }
}
