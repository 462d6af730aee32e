//! Marker words and how they might lie in bytes: as they are, in lower case, as hex, as base64 at every offset.

use std::path::Path;

use anyhow::Result;
use base64::Engine as _;

/// A word that must not be found, and every form it is searched in.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What it is called when it is found.
    pub name: String,
    forms: Vec<Vec<u8>>,
}

impl Mark {
    /// A word in the forms text takes.
    pub fn word(word: &str) -> Self {
        let mut forms = vec![word.as_bytes().to_vec(), word.to_lowercase().into_bytes()];
        forms.push(word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
        for offset in 0..3 {
            // The characters that neighbours could change are cut off on both sides.
            let mut shifted = vec![0; offset];
            shifted.extend_from_slice(word.as_bytes());
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&shifted);
            let begin = if offset == 0 { 0 } else { offset + 1 };
            let end = encoded.len() - usize::from(!shifted.len().is_multiple_of(3));
            forms.push(encoded.as_bytes()[begin..end].to_vec());
        }
        Self { name: word.to_owned(), forms }
    }

    /// Bytes as they are.
    pub fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), forms: vec![bytes] }
    }

    /// Whether any form is in `haystack`.
    pub fn is_in(&self, haystack: &[u8]) -> bool {
        self.forms.iter().any(|form| memchr::memmem::find(haystack, form).is_some())
    }
}

/// Every place where a mark was found: `word in where`.
pub fn found_in_bytes(marks: &[Mark], place: &str, bytes: &[u8]) -> Vec<String> {
    marks.iter().filter(|mark| mark.is_in(bytes)).map(|mark| format!("{} in {place}", mark.name)).collect()
}

/// Searches every file below a folder, its name too.
///
/// # Errors
/// When a file cannot be read.
pub fn found_in_folder(marks: &[Mark], folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let place = path.display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.extend(found_in_bytes(marks, &place, &std::fs::read(&path)?));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_every_form() {
        let mark = Mark::word("Oosterhof");
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}Oosterhof, burgemeester");
            assert!(mark.is_in(text.as_bytes()));
            assert!(mark.is_in(text.to_lowercase().as_bytes()));
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(mark.is_in(hex.as_bytes()));
            let base64 = base64::engine::general_purpose::STANDARD.encode(&text);
            assert!(mark.is_in(base64.as_bytes()), "{base64}");
        }
        assert!(!mark.is_in(b"Ooster hof, burgemeester"));
    }
}
