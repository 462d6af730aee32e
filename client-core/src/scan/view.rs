//! The self-scan as a reader sees it, and what follows from answers. Pure: the edition and answers in, tips out.

use baken_schemas::edition::{CardView, ContactView, Reply, ScanQuestion, SourceView, Words};
use serde::Serialize;

use crate::BakenError;
use crate::guidance::{Guidance, ReadAs};
use crate::scan::{Answer, Scan};

/// The most tips that are to be done first: more would be put off.
const MAX_FIRST: usize = 5;

/// The self-scan in the reader's language, with the tips of their office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanView {
    /// What is asked first.
    pub gate: String,
    /// For whoever says yes to that.
    pub gate_cards: Vec<CardView>,
    /// Whom they call.
    pub gate_contacts: Vec<ContactView>,
    /// The questions, in order.
    pub questions: Vec<ScanQuestionView>,
    /// What it ends with.
    pub closing: String,
    /// Whom to talk to.
    pub closing_contact: Option<ContactView>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanQuestionView {
    /// Its number.
    pub id: u8,
    /// Its theme's id.
    pub theme: String,
    /// What its theme is called.
    pub theme_name: String,
    /// The question.
    pub text: String,
    /// "Not applicable" is an answer.
    pub not_applicable: bool,
    /// The tip comes with yes, not with no.
    #[serde(skip)]
    pub(super) reversed: bool,
    /// What it says where a tip is due.
    #[serde(skip)]
    tip: Tip,
}

/// What to do about a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// The question's number.
    pub question: u8,
    /// Its theme's id.
    pub theme: String,
    /// How soon: 1 now, 2 this month, 3 talk about it.
    pub priority: u8,
    /// What to do, short.
    pub tip: String,
    /// What to do, longer.
    pub advice: String,
    /// Its sources.
    pub sources: Vec<SourceView>,
    /// Rows of the Leidraad that it serves.
    pub rows: Vec<String>,
}

/// What follows from the answers of this round.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ScanResult {
    /// How many questions were answered.
    pub answered: usize,
    /// How many there are.
    pub questions: usize,
    /// What to do first, the most urgent first; at most five.
    pub first: Vec<Tip>,
    /// What to do after that.
    pub rest: Vec<Tip>,
    /// Questions without an answer.
    pub open: Vec<u8>,
}

impl std::fmt::Debug for ScanResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScanResult")
    }
}

/// What became of a question since the round before.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The question's number.
    pub question: u8,
    /// The question.
    pub text: String,
    /// The answer then.
    pub before: Reply,
    /// The answer now.
    pub now: Reply,
    /// What that means.
    pub change: Changed,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}

/// What a change of answers means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changed {
    /// There was a tip, and there is none any more.
    Solved,
    /// There is a tip, and there was none.
    New,
    /// There was a tip, and it still is there.
    Still,
}

impl Tip {
    /// As a text that can be handed on. It says what to do, not what was answered.
    pub fn text(&self) -> String {
        format!("{}\n\n{}", self.tip, self.advice)
    }
}

impl ScanQuestionView {
    /// The tip that an answer has.
    pub fn tip_for(&self, reply: Reply) -> Option<Tip> {
        self.has_tip(reply).then(|| self.tip.clone())
    }

    fn has_tip(&self, reply: Reply) -> bool {
        match reply {
            Reply::Unknown => true,
            Reply::Yes => self.reversed,
            Reply::No => !self.reversed,
            Reply::NotApplicable => false,
        }
    }
}

impl ScanView {
    /// A question.
    ///
    /// # Errors
    /// [`BakenError::NoSuchQuestion`].
    pub fn question(&self, id: u8) -> Result<&ScanQuestionView, BakenError> {
        self.questions.iter().find(|question| question.id == id).ok_or(BakenError::NoSuchQuestion)
    }

    /// The first question that has no answer in this round.
    pub fn next(&self, scan: &Scan) -> Option<&ScanQuestionView> {
        self.questions.iter().find(|question| scan.reply(question.id).is_none())
    }

    /// What follows from the answers of this round. Answers to questions that the edition no longer has count for nothing.
    pub fn result(&self, scan: &Scan) -> ScanResult {
        let reply = |question: &ScanQuestionView| scan.reply(question.id);
        let tips = self.questions.iter().filter_map(|question| question.tip_for(reply(question)?));
        let mut first: Vec<Tip> = tips.collect();
        first.sort_by_key(|tip| tip.priority);
        let rest = first.split_off(first.len().min(MAX_FIRST));
        let open: Vec<u8> =
            self.questions.iter().filter(|question| reply(question).is_none()).map(|question| question.id).collect();
        let questions = self.questions.len();
        ScanResult { answered: questions.saturating_sub(open.len()), questions, first, rest, open }
    }

    /// What changed since the round before, for questions that were answered in both.
    pub fn changes(&self, scan: &Scan) -> Vec<Change> {
        let change = |answer: &Answer| {
            let (question, before, now) = (self.question(answer.question).ok()?, answer.before?, answer.reply?);
            let change = match (question.has_tip(before), question.has_tip(now)) {
                (true, false) => Changed::Solved,
                (false, true) => Changed::New,
                (true, true) => Changed::Still,
                (false, false) => return None,
            };
            Some(Change { question: question.id, text: question.text.clone(), before, now, change })
        };
        scan.answers().iter().filter_map(change).collect()
    }
}

impl Guidance {
    /// The self-scan for a reader.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`] when no edition has one.
    pub fn scan(&self, who: ReadAs) -> Result<ScanView, BakenError> {
        let reader = self.reader(who);
        let scan = reader.layers.scan().ok_or(BakenError::NoSuchGuidance)?;
        let of = |words: &Words| words.of(who.language).to_owned();
        let question = |question: &ScanQuestion| {
            let for_office =
                question.by_office.iter().find(|tip| who.office.is_some_and(|office| tip.offices.contains(&office)));
            let tip = Tip {
                question: question.id,
                theme: question.theme.clone(),
                priority: for_office.and_then(|tip| tip.priority).unwrap_or(question.priority),
                tip: of(for_office.map_or(&question.tip, |tip| &tip.tip)),
                advice: of(&question.advice),
                sources: reader.sources(&question.sources),
                rows: question.rows.clone(),
            };
            let theme = scan.themes.iter().find(|theme| theme.id == question.theme);
            ScanQuestionView {
                id: question.id,
                theme: question.theme.clone(),
                theme_name: theme.map(|theme| of(&theme.words)).unwrap_or_default(),
                text: of(&question.words),
                not_applicable: question.not_applicable,
                reversed: question.reversed,
                tip,
            }
        };
        Ok(ScanView {
            gate: of(&scan.gate.words),
            gate_cards: scan.gate.cards.iter().filter_map(|id| reader.card(id)).collect(),
            gate_contacts: scan.gate.contacts.iter().filter_map(|id| reader.contact(id)).collect(),
            questions: scan.questions.iter().map(question).collect(),
            closing: of(&scan.closing.words),
            closing_contact: scan.closing.contact.as_deref().and_then(|id| reader.contact(id)),
        })
    }
}
