//! SQLite's FTS5 over the same texts, in memory: by words and their beginnings, and by runs of three letters.

use anyhow::Result;
use rusqlite::{Connection, params};

use super::texts::{Set, is_found};
use super::{FIRST, set_search};
use crate::bench::{Bench, now};

/// Its name here, the tokenizer, and what of a typed word is matched.
type Way = (&'static str, &'static str, fn(&str) -> String);

/// Both ways.
const WAYS: [Way; 2] = [
    ("fts5", "unicode61 remove_diacritics 2", |word| format!("\"{word}\"*")),
    ("fts5_trigram", "trigram remove_diacritics 1", |word| {
        let letters: Vec<char> = word.chars().collect();
        let runs = letters.windows(3).map(|run| format!("\"{}\"", run.iter().collect::<String>()));
        runs.collect::<Vec<_>>().join(" OR ")
    }),
];

/// Measures both.
///
/// # Errors
/// When SQLite refuses.
pub fn measure(bench: &mut Bench, what: &str, set: &Set) -> Result<()> {
    for (engine, tokenizer, matched) in WAYS {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&format!(
            "CREATE VIRTUAL TABLE text USING fts5(id UNINDEXED, title, body, tokenize = '{tokenizer}')"
        ))?;
        let mut insert = db.prepare("INSERT INTO text (id, title, body) VALUES (?1, ?2, ?3)")?;
        for text in &set.texts {
            insert.execute(params![text.id, text.title, text.text])?;
        }
        let mut select = db.prepare("SELECT id FROM text WHERE text MATCH ?1 ORDER BY bm25(text, 0, 2, 1) LIMIT ?2")?;
        let (mut times, mut found) = (Vec::new(), Vec::new());
        for query in &set.queries {
            let words: Vec<String> = query.typed.split(' ').map(matched).filter(|word| !word.is_empty()).collect();
            let begin = now();
            let ids: Vec<String> =
                select.query_map(params![words.join(" OR "), FIRST], |row| row.get(0))?.collect::<Result<_, _>>()?;
            times.push(begin.elapsed());
            found.push((query.erroneous, is_found(query, ids.iter().map(String::as_str))));
        }
        set_search(bench, what, engine, times, &found);
    }
    Ok(())
}
