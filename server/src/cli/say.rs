//! What a command says: text in the reader's language, or JSON lines. Output goes to stdout; what went wrong goes to
//! stderr for people and to stdout as JSON.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use baken_schemas::Language;
use serde_json::{Value, json};

use crate::cli::Failure;

/// How this run says things.
#[derive(Debug, Clone)]
pub struct Say {
    json: bool,
    language: Language,
    /// Who hears it in place of a terminal.
    ear: Option<Heard>,
}

/// One thing that was said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// As JSON.
    pub value: Value,
    /// In the reader's language.
    pub text: String,
}

/// What a command said that runs inside another program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Said>>>);

impl Heard {
    /// All of it, in order.
    pub fn take(&self) -> Vec<Said> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Say {
    /// JSON or text, and in which language.
    pub fn new(json: bool, language: Language) -> Self {
        Self { json, language, ear: None }
    }

    /// Says nothing aloud, and what it says where it can be heard: as for `--json`, with the text beside it.
    pub(crate) fn heard(language: Language) -> (Self, Heard) {
        let ear = Heard::default();
        (Self { json: true, language, ear: Some(ear.clone()) }, ear)
    }

    /// Whether it speaks JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The reader's language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text in the reader's language.
    pub fn pick<'a>(&self, nl: &'a str, en: &'a str) -> &'a str {
        self.language.pick(nl, en)
    }

    /// Says one thing: `value` with `--json`, else the text in the reader's language.
    pub fn say(&self, value: &Value, nl: &str, en: &str) {
        if let Some(Heard(ear)) = &self.ear {
            let said = Said { value: value.clone(), text: self.pick(nl, en).to_owned() };
            ear.lock().unwrap_or_else(PoisonError::into_inner).push(said);
            return;
        }
        let line = if self.json { value.to_string() } else { self.pick(nl, en).to_owned() };
        // Who closed the pipe does not want to know.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// Says what went wrong, where it has not been said.
    pub fn failure(&self, failure: &Failure) {
        if failure.code.is_empty() {
            return;
        }
        let message = self.pick(&failure.nl, &failure.en);
        if self.json {
            let value = json!({ "error": { "code": failure.code, "message": message } });
            let _ = writeln!(std::io::stdout().lock(), "{value}");
        } else {
            let _ = writeln!(std::io::stderr().lock(), "{}: {message}", self.pick("Fout", "Error"));
        }
    }
}
