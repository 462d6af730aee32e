//! The four questions at a feeling of unsafety (L36, R05): gone through with the adviser, without a network.
//!
//! A review is one record of the dossier, so that it can be gone on with on another phone and read again later. The
//! questions are the edition's; what is here is what was answered. Whatever is not a yes leaves a task with a day. Not
//! here: any sum or grade of the answers.

use baken_schemas::Language;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::record::words::REVIEW_YES;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::guidance::{Guidance, ReadAs};
use crate::record::RecordView;
use crate::task::{TaskTitle, TaskView};
use crate::{Baken, BakenError};

/// One of the four questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whether anything of the plan was left out.
    Plan,
    /// Whether there is anything left for the person to choose.
    Choices,
    /// Whether information can be better protected.
    Information,
    /// Whether measures at home are still possible.
    Home,
}

impl Question {
    /// All four, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Choices, Self::Information, Self::Home];

    /// Its number, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|question| *question == self).map_or(0, |at| at + 1)
    }

    /// The question of a number.
    pub fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// The field that holds the answer, that for what was said of it, and the fact that asks.
    fn fields(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Plan => ("plan", "plan_said", "review-plan"),
            Self::Choices => ("choices", "choices_said", "review-choices"),
            Self::Information => ("information", "information_said", "review-information"),
            Self::Home => ("home", "home_said", "review-home"),
        }
    }

    /// What is left to do where the answer is not yes.
    pub fn task(self) -> TaskTitle {
        match self {
            Self::Plan => TaskTitle {
                nl: "Met de adviseur: wat in het plan ontbreekt",
                en: "With the adviser: what the plan lacks",
            },
            Self::Choices => TaskTitle {
                nl: "Met de adviseur: waarover ik nog kan kiezen",
                en: "With the adviser: what I can still choose",
            },
            Self::Information => TaskTitle {
                nl: "Met de adviseur: informatie beter beschermen",
                en: "With the adviser: protect information better",
            },
            Self::Home => TaskTitle {
                nl: "Met de adviseur: wat er aan huis nog kan",
                en: "With the adviser: what is still possible at home",
            },
        }
    }
}

/// A question as the edition asks it, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerView {
    /// The question.
    pub question: Question,
    /// Its number.
    pub number: usize,
    /// A word of [`baken_schemas::record::words::REVIEW`]; `None` until it is answered. Two phones' answers both stand.
    pub answer: Option<String>,
    /// What was said of it.
    pub said: String,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewView {
    /// Its record.
    pub record: RecordId,
    /// With whom.
    pub whom: String,
    /// When it was begun.
    pub at: Option<Timestamp>,
    /// The four questions.
    pub answers: Vec<AnswerView>,
    /// What is to be done about it.
    pub tasks: Vec<TaskView>,
}

impl ReviewView {
    /// The first question that is not answered yet.
    pub fn next(&self) -> Option<Question> {
        self.answers.iter().find(|answer| answer.answer.is_none()).map(|answer| answer.question)
    }
}

impl Guidance {
    /// A question's text in the reader's language.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`].
    pub fn review_question(&self, who: ReadAs, question: Question) -> Result<String, BakenError> {
        Ok(self.fact(who, question.fields().2)?.text)
    }
}

impl Baken {
    /// The last review: the one that is gone on with, or was finished last.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn review(&self) -> Result<Option<ReviewView>, BakenError> {
        let mut reviews = self.records(Some("review"))?;
        reviews.retain(|review| !review.deleted);
        let newest = reviews.into_iter().max_by_key(|review| (review.moment("at"), review.record));
        newest.map(|review| self.review_view(&review)).transpose()
    }

    fn review_view(&self, review: &RecordView) -> Result<ReviewView, BakenError> {
        let answer = |question: Question| {
            let (answer, said, _) = question.fields();
            let given = review.text(answer);
            AnswerView {
                question,
                number: question.number(),
                answer: Some(given).filter(|given| !given.is_empty()),
                said: review.text(said),
            }
        };
        Ok(ReviewView {
            record: review.record,
            whom: review.text("whom"),
            at: review.moment("at"),
            answers: Question::ALL.map(answer).to_vec(),
            tasks: self.tasks_of(review.record)?,
        })
    }

    /// Goes on with the review that is not finished, or begins one; `again` begins one anyway. `whom` is the adviser.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn start_review(&self, whom: Option<&str>, again: bool) -> Result<ReviewView, BakenError> {
        let whom = whom.map(|whom| ("whom".to_owned(), Value::Text(whom.to_owned())));
        let record = match self.review()?.filter(|review| !again && review.next().is_some()) {
            Some(open) => {
                if let Some(whom) = whom {
                    self.put(open.record, vec![whom])?;
                }
                open.record
            }
            None => {
                let at = ("at".to_owned(), Value::Int(self.context.now().0));
                self.create("review", whom.into_iter().chain([at]).collect())?
            }
        };
        self.review_view(&self.record(record)?)
    }

    /// Answers a question of the last review with a word of [`baken_schemas::record::words::REVIEW`]. What is not a yes
    /// leaves a task that is due then, which is given; a yes takes away the one that was left before.
    ///
    /// # Errors
    /// [`BakenError::NoReview`], [`BakenError::ValueRefused`] for another word, and as [`Self::put`].
    pub fn answer_review(
        &self,
        question: Question,
        (answer, said): (&str, Option<&str>),
        due: Timestamp,
        language: Language,
    ) -> Result<Option<RecordId>, BakenError> {
        let review = self.review()?.ok_or(BakenError::NoReview)?.record;
        let (answer_field, said_field, _) = question.fields();
        let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
        let mut fields = vec![text(answer_field, answer)];
        fields.extend(said.map(|said| text(said_field, said)));
        self.put(review, fields)?;
        if answer == REVIEW_YES {
            self.drop_task(question.task(), Some(review), language.pick("is in orde", "is all right"))?;
            return Ok(None);
        }
        self.leave_task((question.task(), Some(review), due), language).map(Some)
    }
}
