//! Something to do by a day, left by a guided step: a `follow-up`, so that the agenda has it and a screen that others see
//! says no more of it than that there is a talk.

use baken_schemas::Language;
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use baken_schemas::time::Timestamp;
use serde::Serialize;

use crate::record::RecordView;
use crate::{Baken, BakenError};

/// What a task is called, in both languages: what was left in one is found again in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskTitle {
    /// In Dutch.
    pub nl: &'static str,
    /// In English.
    pub en: &'static str,
}

impl TaskTitle {
    /// The title.
    pub fn of(self, language: Language) -> &'static str {
        language.pick(self.nl, self.en)
    }

    fn names(self, task: &RecordView) -> bool {
        [self.nl, self.en].contains(&task.text("title").as_str())
    }
}

/// A task that was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskView {
    /// Its record.
    pub record: RecordId,
    /// What it is.
    pub title: String,
    /// By when.
    pub due: Option<Timestamp>,
    /// It is done.
    pub done: bool,
}

impl TaskView {
    fn of(task: &RecordView) -> Self {
        Self { record: task.record, title: task.text("title"), due: task.moment("when"), done: task.is("done") }
    }
}

/// A task to leave: what it is called, the record it is about, and by when.
pub(crate) type Task = (TaskTitle, Option<RecordId>, Timestamp);

impl Baken {
    /// Leaves a task. One that is open already gets the new day: twice is once.
    pub(crate) fn leave_task(&self, (title, of, due): Task, language: Language) -> Result<RecordId, BakenError> {
        let when = ("when".to_owned(), Value::Int(due.0));
        if let Some(task) = self.tasks_named(title, of)?.into_iter().find(|task| !task.done) {
            if task.due != Some(due) {
                self.put(task.record, vec![when])?;
            }
            return Ok(task.record);
        }
        let mut fields = vec![("title".to_owned(), Value::Text(title.of(language).to_owned())), when];
        fields.extend(of.map(|of| ("of".to_owned(), Value::Bytes(of.0.to_vec()))));
        self.create("follow-up", fields)
    }

    /// What is no longer to be done is done: its outcome says why.
    pub(crate) fn drop_task(&self, title: TaskTitle, of: Option<RecordId>, why: &str) -> Result<(), BakenError> {
        for task in self.tasks_named(title, of)?.into_iter().filter(|task| !task.done) {
            let outcome = ("outcome".to_owned(), Value::Text(why.to_owned()));
            self.put(task.record, vec![("done".to_owned(), Value::Bool(true)), outcome])?;
        }
        Ok(())
    }

    /// The tasks that were left about a record.
    pub(crate) fn tasks_of(&self, of: RecordId) -> Result<Vec<TaskView>, BakenError> {
        let mut tasks = self.records(Some("follow-up"))?;
        tasks.retain(|task| !task.deleted && task.names("of") == Some(of));
        Ok(tasks.iter().map(TaskView::of).collect())
    }

    fn tasks_named(&self, title: TaskTitle, of: Option<RecordId>) -> Result<Vec<TaskView>, BakenError> {
        let mut tasks = self.records(Some("follow-up"))?;
        tasks.retain(|task| !task.deleted && task.names("of") == of && title.names(task));
        Ok(tasks.iter().map(TaskView::of).collect())
    }

    /// Marks what the agenda lists as done: an appointment or task, or a measure. Its outcome is written down where the
    /// kind has a place for it.
    ///
    /// # Errors
    /// [`BakenError::NotATask`] for another kind, and as [`Self::put`].
    pub fn finish(&self, record: RecordId, outcome: Option<&str>) -> Result<(), BakenError> {
        let view = self.record(record)?;
        let text = |text: &str| Value::Text(text.to_owned());
        let (done, said) = match view.kind_name {
            Some("measure") => (("status", text("done")), "remark"),
            Some("appointment") => (("done", Value::Bool(true)), "remark"),
            Some("follow-up") => (("done", Value::Bool(true)), "outcome"),
            _ => return Err(BakenError::NotATask),
        };
        let mut fields = vec![(done.0.to_owned(), done.1)];
        fields.extend(outcome.map(|outcome| (said.to_owned(), text(outcome))));
        self.put(record, fields)
    }
}
