//! What a command says: text in the reader's language, or JSON lines. Output goes to stdout; what went wrong goes to
//! stderr for people and to stdout as JSON.

use std::io::Write as _;

use baken_schemas::Language;
use serde_json::{Value, json};

use crate::cli::Failure;

/// How this run says things.
#[derive(Debug, Clone, Copy)]
pub struct Say {
    json: bool,
    language: Language,
}

impl Say {
    /// JSON or text, and in which language.
    pub fn new(json: bool, language: Language) -> Self {
        Self { json, language }
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
