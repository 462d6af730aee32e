//! What a reader sees of a decision: sentences in their language, each with the facts it rests on, their sources, dates
//! and how sure they are.

use serde::Serialize;

use crate::Language;
use crate::edition::{Audience, ContactView, FactView, Reader};
use crate::rules::{Answer, Code, Decision, Gap, May, Recipient, Rule, Situation, Wanted, Why};

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionView {
    /// The situation.
    pub situation: Situation,
    /// What to do, the first first.
    pub answers: Vec<AnswerView>,
    /// With whom the measure may be shared.
    pub sharing: Vec<ShareView>,
    /// What could not be answered.
    pub gaps: Vec<GapView>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerView {
    /// A stable code.
    pub code: Code,
    /// What to do, or what holds.
    pub text: &'static str,
    /// For whom; the first does it.
    pub audience: &'static [Audience],
    /// The rule.
    pub rule: Rule,
    /// The rows of the Leidraad.
    pub rows: &'static [&'static str],
    /// What it rests on. `holds` is about the day that was asked.
    pub facts: Vec<FactView>,
    /// Whom to call.
    pub contacts: Vec<ContactView>,
}

/// Whether the measure may be told to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShareView {
    /// To whom.
    pub with: Recipient,
    /// Whether.
    pub may: May,
    /// In words.
    pub text: String,
}

/// What could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GapView {
    /// What would have been answered.
    pub code: Code,
    /// Its rule.
    pub rule: Rule,
    /// What was looked for; any one would have done.
    pub wanted: Vec<Wanted>,
    /// In words.
    pub text: String,
}

impl Reader<'_> {
    /// What this reader sees of a decision that was made by the same layers.
    pub fn decision(&self, decision: &Decision) -> DecisionView {
        let language = self.language;
        let share = |with: Recipient, may: May| ShareView { with, may, text: said(with, may, language) };
        DecisionView {
            situation: decision.situation,
            answers: decision.answers.iter().map(|answer| self.answer(answer, &decision.situation)).collect(),
            sharing: decision.sharing.iter().map(|one| share(one.with, one.may)).collect(),
            gaps: decision.gaps.iter().map(|gap| gap_view(gap, language)).collect(),
        }
    }

    fn answer(&self, answer: &Answer, situation: &Situation) -> AnswerView {
        let fact = |id: &&str| {
            let holds = self.layers.fact(id).is_some_and(|(_, fact)| fact.holds_on(situation.on));
            self.fact(id).map(|view| FactView { holds, ..view })
        };
        let Answer { code, facts, contacts } = answer;
        AnswerView {
            code: *code,
            text: code.say(self.language),
            audience: code.audience(),
            rule: code.rule(),
            rows: code.rows(),
            facts: facts.iter().filter_map(fact).collect(),
            contacts: contacts.iter().filter_map(|id| self.contact(id)).collect(),
        }
    }
}

fn said(with: Recipient, may: May, language: Language) -> String {
    let whom = match with {
        Recipient::Family => language.pick("Gezin", "Family"),
        Recipient::Council => language.pick("Raad, Staten of algemeen bestuur", "The elected body"),
        Recipient::Public => language.pick("Iedereen", "Everybody"),
        Recipient::Adviser => language.pick("Adviseur", "Adviser"),
        Recipient::PoliceContact => language.pick("Politiecontact", "Police contact"),
    };
    let what = match may {
        May::Never => language.pick("niet delen", "do not share"),
        May::AsDecided => language.pick("alleen zoals besloten is", "only as was decided"),
        May::OwnChoice => language.pick("u kiest", "you choose"),
    };
    format!("{whom}: {what}")
}

fn gap_view(gap: &Gap, language: Language) -> GapView {
    let wanted: Vec<String> = gap.wanted.iter().map(|wanted| missing(wanted, language)).collect();
    let text = format!(
        "{} {}: {}.",
        language.pick("Niet te zeggen volgens", "Not to be said by"),
        gap.code.rule(),
        wanted.join("; ")
    );
    GapView { code: gap.code, rule: gap.code.rule(), wanted: gap.wanted.clone(), text }
}

fn missing(Wanted { id, why }: &Wanted, language: Language) -> String {
    let reason = match why {
        Why::Missing => language.pick("staat niet in deze inhoud", "is not in this content").to_owned(),
        Why::OtherOffice => language.pick("is voor andere ambten", "is for other offices").to_owned(),
        Why::NotOn { day, valid_from, valid_to } => {
            let mut reason = format!("{} {day}", language.pick("geldt niet op", "does not hold on"));
            if let Some(from) = valid_from {
                reason.push_str(&format!(", {} {from}", language.pick("wel vanaf", "but from")));
            }
            if let Some(to) = valid_to {
                reason.push_str(&format!(", {} {to}", language.pick("wel tot", "but until")));
            }
            reason
        }
    };
    format!("{id} {reason}")
}
