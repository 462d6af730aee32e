//! The story's words, in Dutch and English, with the time since it began before every line.

use std::time::Instant;

use baken_schemas::Language;

/// Tells the story to standard error, or to nobody.
#[derive(Debug)]
pub struct Teller {
    language: Language,
    quiet: bool,
    began: Instant,
}

impl Teller {
    /// A new story.
    #[allow(clippy::disallowed_methods, reason = "a story is told against the wall clock")]
    pub fn new(language: Language, quiet: bool) -> Self {
        Self { language, quiet, began: Instant::now() }
    }

    /// Milliseconds since the story began.
    #[allow(clippy::cast_possible_truncation, reason = "no story lasts half a billion years")]
    pub fn elapsed_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Tells one thing.
    pub fn tell(&self, nl: &str, en: &str) {
        if !self.quiet {
            let text = self.language.pick(nl, en);
            let ms = self.elapsed_ms();
            eprintln!("{:>4}.{:03}  {text}", ms / 1000, ms % 1000);
        }
    }

    /// The language, as the programs' `--lang` takes it.
    pub fn lang(&self) -> &'static str {
        self.language.tag()
    }
}
