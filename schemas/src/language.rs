//! The language of a text that a person reads: one type for phone, server and stories, so that a language added later is
//! missed by no `match`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::FormatError;

/// A language of what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Dutch.
    #[default]
    Nl,
    /// English.
    En,
}

impl Language {
    /// The tags of all languages, as `--lang` and `?lang=` take them.
    pub const TAGS: [&str; 2] = ["nl", "en"];

    /// The tag, as in BCP 47.
    pub fn tag(self) -> &'static str {
        self.pick("nl", "en")
    }

    /// The one of these that is in this language.
    pub fn pick<T>(self, nl: T, en: T) -> T {
        match self {
            Self::Nl => nl,
            Self::En => en,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Language {
    type Err = FormatError;

    fn from_str(tag: &str) -> Result<Self, FormatError> {
        match tag {
            "nl" => Ok(Self::Nl),
            "en" => Ok(Self::En),
            _ => Err(FormatError::Rule { what: "a language", rule: "it is nl or en" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn each_tag_names_the_language_that_has_it() {
        for tag in Language::TAGS {
            assert_eq!(tag.parse::<Language>().map(Language::tag), Ok(tag));
        }
        assert!("de".parse::<Language>().is_err());
    }
}
