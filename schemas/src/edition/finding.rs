//! What is wrong with the source of an edition: where, and what to do about it, in both languages.

use serde::Serialize;

use crate::Language;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It cannot be published so.
    Error,
    /// Somebody should look.
    Warning,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, relative to the edition's folder.
    pub file: String,
    /// The line, from 1, where one can be named.
    pub line: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// A stable code.
    pub code: &'static str,
    /// The item, where it has an id.
    pub id: Option<String>,
    /// What it is and what to do, in Dutch.
    pub nl: String,
    /// The same in English.
    pub en: String,
}

impl Finding {
    /// Something that cannot be published so. `nl` and `en` say what it is and what to do.
    pub fn error(code: &'static str, file: &str, nl: impl Into<String>, en: impl Into<String>) -> Self {
        let (nl, en) = (nl.into(), en.into());
        Self { file: file.to_owned(), line: None, severity: Severity::Error, code, id: None, nl, en }
    }

    /// Something that somebody should look at.
    pub fn warning(code: &'static str, file: &str, nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, file, nl, en) }
    }

    /// In this line.
    pub fn at(self, line: impl Into<Option<u32>>) -> Self {
        Self { line: line.into(), ..self }
    }

    /// In this item.
    pub fn of(self, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// `file:line: id: what and what to do`.
    pub fn told(&self, language: Language) -> String {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        let id = self.id.as_ref().map_or(String::new(), |id| format!(" {id}:"));
        format!("{}{line}:{id} {}", self.file, language.pick(&self.nl, &self.en))
    }
}
