//! What is asked before something is done that is not lightly taken back: a word to be typed out, or yes or no.

use super::{prompt, read_stdin};
use crate::failure::Failure;
use crate::output::Output;
use crate::text::Text;

/// Whether somebody typed the word that a question asks for. The question names what it is about, and the word last.
///
/// # Errors
/// When nothing can be read or written.
pub fn word(word: Text, question: Text, about: &[&str], out: &Output) -> Result<bool, Failure> {
    let word = word.of(out.language);
    prompt(&question.with(out.language, &[about, &[word]].concat()), out)?;
    Ok(read_stdin(true)?.trim() == word)
}

/// What people type for yes and no, in both languages; `None` for anything else.
pub fn yes_no(typed: &str) -> Option<bool> {
    match typed.trim().to_lowercase().as_str() {
        "ja" | "j" | "yes" | "y" => Some(true),
        "nee" | "n" | "no" => Some(false),
        _ => None,
    }
}
