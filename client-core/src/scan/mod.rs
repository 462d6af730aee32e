//! The self-scan: a gate, twenty questions, and what to do first. Questions and tips are the edition's ([`ScanView`]);
//! what was answered is here.
//!
//! Answers are kept in the vault of this phone alone. They are no record of any circle, so no entry, checkpoint or portal
//! ever holds them; the person's own export does. They do not come along to another phone, and a phone that travels has
//! left them behind. What may leave is one tip at a time, by an act of its own: as a task in the dossier, or as a note in
//! a case; neither says what was answered.

mod letter;
#[cfg(test)]
mod tests;
mod view;

use baken_schemas::edition::Reply;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::record::{FieldNumber, Value};
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use serde::Serialize;

pub use letter::Letter;
pub use view::{Change, Changed, ScanQuestionView, ScanResult, ScanView, Tip};

use crate::vault::setting;
use crate::{Baken, BakenError};

/// In the vault: [`Scan`].
const SCAN: &str = "scan";
/// How long it holds that there is no danger; then the scan asks again before it takes an answer.
const GATE_MS: i64 = 12 * 60 * 60 * 1000;
/// The most answers that are kept: more questions than any edition may have.
const MAX_ANSWERS: usize = 64;
/// The fields of the kind `scan`, as an export has them.
const QUESTION: FieldNumber = 1;
const ANSWER: FieldNumber = 2;
const ANSWERED_AT: FieldNumber = 3;
const BEFORE: FieldNumber = 4;

/// What was answered.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Scan {
    /// When the person last said that there is no danger.
    #[n(0)]
    gate_at: Option<Timestamp>,
    /// By question.
    #[n(1)]
    answers: Vec<Answer>,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scan")
    }
}

/// What was answered to a question.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Answer {
    /// The question's number.
    #[n(0)]
    pub question: u8,
    /// In this round; `None` until it is answered.
    #[n(1)]
    pub reply: Option<Reply>,
    /// In the round before.
    #[n(2)]
    pub before: Option<Reply>,
    /// When it was last answered, by this device's clock.
    #[n(3)]
    pub at: Timestamp,
    /// What an export calls it.
    #[n(4)]
    pub record: RecordId,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

impl Answer {
    /// As an export has it.
    pub(crate) fn to_values(self) -> Vec<(FieldNumber, Value)> {
        let reply = |reply: Option<Reply>| reply.map(|reply| Value::Text(reply.tag().to_owned()));
        let all = [
            (QUESTION, Some(Value::Int(i64::from(self.question)))),
            (ANSWER, reply(self.reply)),
            (ANSWERED_AT, Some(Value::Int(self.at.0))),
            (BEFORE, reply(self.before)),
        ];
        all.into_iter().filter_map(|(field, value)| value.map(|value| (field, value))).collect()
    }

    /// Reads what an export has; `None` where that is no answer.
    fn from_values(record: RecordId, value: impl Fn(FieldNumber) -> Option<Value>) -> Option<Self> {
        let reply = |field| match value(field) {
            None | Some(Value::Empty) => Some(None),
            Some(Value::Text(tag)) => tag.parse::<Reply>().ok().map(Some),
            Some(_) => None,
        };
        let (Some(Value::Int(question)), Some(Value::Int(at))) = (value(QUESTION), value(ANSWERED_AT)) else {
            return None;
        };
        let question = u8::try_from(question).ok()?;
        let answer = Self { question, reply: reply(ANSWER)?, before: reply(BEFORE)?, at: Timestamp(at), record };
        (answer.reply.is_some() || answer.before.is_some()).then_some(answer)
    }
}

impl Scan {
    /// Every answer, by question.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// What was answered to a question in this round.
    pub fn reply(&self, question: u8) -> Option<Reply> {
        self.answers.iter().find(|answer| answer.question == question)?.reply
    }

    /// Whether the person said not long ago that there is no danger.
    pub fn is_past_gate(&self, now: Timestamp) -> bool {
        self.gate_at.is_some_and(|at| (0..GATE_MS).contains(&now.0.saturating_sub(at.0)))
    }

    fn answer(&mut self, question: u8, reply: Reply, now: Timestamp, record: RecordId) {
        let has_room = self.answers.len() < MAX_ANSWERS;
        match self.answers.iter_mut().find(|answer| answer.question == question) {
            Some(answer) => (answer.reply, answer.at) = (Some(reply), now),
            None if has_room => {
                self.answers.push(Answer { question, reply: Some(reply), before: None, at: now, record });
                self.answers.sort_by_key(|answer| answer.question);
            }
            None => {}
        }
    }

    /// Begins a new round. A question that was left open keeps the answer of the round before it.
    fn begin_again(&mut self) {
        for answer in &mut self.answers {
            if let Some(reply) = answer.reply.take() {
                answer.before = Some(reply);
            }
        }
    }
}

impl Baken {
    /// What was answered.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn scan(&self) -> Result<Scan, BakenError> {
        self.with_vault(|open| Ok(setting::read(&open.vault.connection, SCAN)?.unwrap_or_default()))
    }

    fn change_scan<T>(&self, change: impl FnOnce(&mut Scan) -> Result<T, BakenError>) -> Result<T, BakenError> {
        self.with_vault(|open| {
            let connection = &open.vault.connection;
            let mut scan: Scan = setting::read(connection, SCAN)?.unwrap_or_default();
            let changed = change(&mut scan)?;
            setting::write(connection, SCAN, &scan)?;
            Ok(changed)
        })
    }

    /// Notes that there is no danger now. Whoever is in danger gets no scan, but whom to call: [`ScanView::gate_cards`].
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn scan_pass_gate(&self) -> Result<(), BakenError> {
        let now = self.context.now();
        self.change_scan(|scan| {
            scan.gate_at = Some(now);
            Ok(())
        })
    }

    /// Begins a new round; the last answers stay for comparison.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn scan_again(&self) -> Result<(), BakenError> {
        self.change_scan(|scan| {
            scan.begin_again();
            Ok(())
        })
    }

    /// Answers a question, and gives the tip that the answer has, if it has one.
    ///
    /// # Errors
    /// [`BakenError::ScanGate`], [`BakenError::NoSuchQuestion`], [`BakenError::NotAnAnswer`], [`BakenError::Locked`].
    pub fn scan_answer(&self, scan: &ScanView, question: u8, reply: Reply) -> Result<Option<Tip>, BakenError> {
        let asked = scan.question(question)?;
        if reply == Reply::NotApplicable && !asked.not_applicable {
            return Err(BakenError::NotAnAnswer);
        }
        let (now, record) = (self.context.now(), self.context.with_rng(|rng| RecordId::make(rng)));
        self.change_scan(|kept| {
            if !kept.is_past_gate(now) {
                return Err(BakenError::ScanGate);
            }
            kept.answer(question, reply, now, record);
            Ok(())
        })?;
        Ok(asked.tip_for(reply))
    }

    /// Forgets every answer.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn scan_clear(&self) -> Result<(), BakenError> {
        self.with_vault(|open| setting::remove(&open.vault.connection, SCAN))
    }

    /// Makes a tip a measure in the dossier, wished for and due on a day. What was answered is not in it.
    ///
    /// # Errors
    /// [`BakenError::NoTip`], [`BakenError::NoSuchQuestion`], and as [`Self::create`].
    pub fn scan_task(&self, scan: &ScanView, question: u8, due: Timestamp) -> Result<RecordId, BakenError> {
        let tip = self.scan_tip(scan, question)?;
        let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
        self.create(
            "measure",
            vec![
                text("title", &tip.tip),
                text("status", "wished"),
                ("due".to_owned(), Value::Int(due.0)),
                text("remark", &tip.advice),
            ],
        )
    }

    /// Puts a tip into a case as a note. What was answered is not in it.
    ///
    /// # Errors
    /// [`BakenError::NoTip`], [`BakenError::NoSuchQuestion`], and as [`Self::create_in`]: [`BakenError::NotShared`] also
    /// for a circle that is no case, since a family or dossier is no adviser.
    pub fn scan_share(&self, scan: &ScanView, question: u8, circle: CircleId) -> Result<RecordId, BakenError> {
        use baken_schemas::circle::CircleKind;
        let tip = self.scan_tip(scan, question)?;
        if self.with_vault(|open| Ok(open.circles.get(circle)?.membership().kind()))? != CircleKind::Case {
            return Err(BakenError::NotShared);
        }
        let text = |name: &str, text: String| (name.to_owned(), Value::Text(text));
        self.create_in(circle, "note", vec![text("title", tip.tip.clone()), text("text", tip.text())])
    }

    /// The tip that was given for a question in this round.
    ///
    /// # Errors
    /// [`BakenError::NoTip`], [`BakenError::NoSuchQuestion`], [`BakenError::Locked`].
    pub fn scan_tip(&self, scan: &ScanView, question: u8) -> Result<Tip, BakenError> {
        let reply = self.scan()?.reply(question);
        scan.question(question)?.tip_for(reply.ok_or(BakenError::NoTip)?).ok_or(BakenError::NoTip)
    }

    /// The answers, for an export: each a record of the kind `scan`.
    pub(crate) fn scan_for_export(&self) -> Result<Vec<Answer>, BakenError> {
        Ok(self.scan()?.answers.clone())
    }

    /// Takes an answer out of an export, where this phone has none to that question. Whether it was taken; `None` when it
    /// is no answer.
    pub(crate) fn take_scan_answer(
        &self,
        record: RecordId,
        value: impl Fn(FieldNumber) -> Option<Value>,
    ) -> Result<Option<bool>, BakenError> {
        let Some(answer) = Answer::from_values(record, value) else { return Ok(None) };
        self.change_scan(|scan| {
            let is_here = scan.answers.iter().any(|there| there.question == answer.question);
            let taken = !is_here && scan.answers.len() < MAX_ANSWERS;
            if taken {
                scan.answers.push(answer);
                scan.answers.sort_by_key(|answer| answer.question);
            }
            Ok(Some(taken))
        })
    }
}
