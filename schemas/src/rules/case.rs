//! A situation beside the edition: answers are made here, each from the facts that it rests on.

use serde::Serialize;

use crate::edition::{Date, Layers};
use crate::rules::{Code, Situation};

/// What a rule answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What to do, or what holds.
    pub code: Code,
    /// The ids of the facts that it rests on.
    pub facts: Vec<&'static str>,
    /// The ids of the contacts to call.
    pub contacts: Vec<&'static str>,
}

/// An answer that could not be given, since the edition does not have what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What would have been answered.
    pub code: Code,
    /// What was looked for: any one of these would have done.
    pub wanted: Vec<Wanted>,
}

/// A fact or contact that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Its id.
    pub id: &'static str,
    /// Why it could not be used.
    pub why: Why,
}

/// Why a fact or contact could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The edition does not have it.
    Missing,
    /// It is for other offices.
    OtherOffice,
    /// It does not hold on that day.
    NotOn {
        /// The day that was asked.
        day: Date,
        /// It holds from this day on.
        valid_from: Option<Date>,
        /// It holds until before this day.
        valid_to: Option<Date>,
    },
}

/// What an answer rests on: of each list of `needs` one fact, and of `also` every fact that holds; the first contacts.
pub(super) struct Rests {
    pub(super) needs: &'static [&'static [&'static str]],
    pub(super) also: &'static [&'static str],
    pub(super) contacts: &'static [&'static str],
}

/// A situation and the editions it is judged by.
pub(super) struct Case<'a> {
    layers: &'a Layers,
    pub(super) situation: &'a Situation,
}

impl<'a> Case<'a> {
    pub(super) fn new(layers: &'a Layers, situation: &'a Situation) -> Self {
        Self { layers, situation }
    }

    /// Whether a fact can be used, and why not.
    fn usable(&self, id: &'static str) -> Result<&'static str, Wanted> {
        let Situation { office, on, .. } = *self.situation;
        let wanted = |why| Err(Wanted { id, why });
        let Some((_, fact)) = self.layers.fact(id) else { return wanted(Why::Missing) };
        if !fact.offices.is_empty() && !fact.offices.contains(&office) {
            return wanted(Why::OtherOffice);
        }
        if !fact.holds_on(on) {
            return wanted(Why::NotOn { day: on, valid_from: fact.valid_from, valid_to: fact.valid_to });
        }
        Ok(id)
    }

    /// The first of some facts that can be used.
    fn one_of(&self, code: Code, ids: &[&'static str]) -> Result<&'static str, Gap> {
        let mut wanted = Vec::new();
        for id in ids {
            match self.usable(id) {
                Ok(id) => return Ok(id),
                Err(why) => wanted.push(why),
            }
        }
        Err(Gap { code, wanted })
    }

    /// An answer.
    ///
    /// # Errors
    /// [`Gap`] when a fact that it needs cannot be used, or a contact that it names is not there.
    pub(super) fn answer(&self, code: Code, rests: &Rests) -> Result<Answer, Gap> {
        let mut facts = Vec::new();
        for ids in rests.needs {
            facts.push(self.one_of(code, ids)?);
        }
        for id in rests.also {
            if self.usable(id).is_ok() && !facts.contains(id) {
                facts.push(id);
            }
        }
        if let Some(id) = rests.contacts.iter().find(|id| self.layers.contact(id).is_none()) {
            return Err(Gap { code, wanted: vec![Wanted { id, why: Why::Missing }] });
        }
        Ok(Answer { code, facts, contacts: rests.contacts.to_vec() })
    }
}
