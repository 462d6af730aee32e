//! What is looked through, and what is asked: the same for every engine.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use baken_core::guidance::ReadAs;
use baken_schemas::Language;
use baken_schemas::edition::{Audience, Front, Line, plain, shipped};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::FIRST;
use crate::bench::phone::phone_in;
use crate::bench::{Bench, now};

/// A text that can be found.
#[derive(Debug, Clone, Serialize)]
pub struct Text {
    /// Its id: with its language, where it has one.
    pub id: String,
    /// Its title.
    pub title: String,
    /// All of it.
    pub text: String,
}

/// Something that is asked.
#[derive(Debug, Clone)]
pub struct Query {
    /// What is typed.
    pub typed: String,
    /// The id of the text that is meant, without its language.
    pub meant: String,
    /// It was typed with an error.
    pub erroneous: bool,
    /// Who asks, of an edition.
    pub reader: (Language, Audience),
}

/// Texts and queries.
#[derive(Debug, Default)]
pub struct Set {
    /// The texts.
    pub texts: Vec<Text>,
    /// The queries.
    pub queries: Vec<Query>,
}

impl Set {
    /// Every chapter and card of the shipped edition in both languages, asked for by two telling words of its title and
    /// summary.
    ///
    /// # Errors
    /// When the edition cannot be read.
    pub fn of_edition() -> Result<Self> {
        let edition = shipped::edition().ok().context("the shipped edition is whole")?;
        let mut set = Self::default();
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        for chapter in &edition.chapters {
            let lines = chapter.body.iter().flat_map(|block| block.lines()).chain(&chapter.checklist);
            set.add(&chapter.id, chapter.language, &chapter.front, lines, &mut rng);
        }
        for card in &edition.cards {
            set.add(&card.id, card.language, &card.front, card.lines.iter(), &mut rng);
        }
        Ok(set)
    }

    fn add<'a>(
        &mut self,
        id: &str,
        language: Language,
        front: &Front,
        lines: impl Iterator<Item = &'a Line>,
        rng: &mut ChaCha20Rng,
    ) {
        let said: Vec<String> = lines.map(|line| plain(&line.spans, false)).collect();
        let text = format!("{} {}", front.summary, said.join("\n"));
        self.texts.push(Text { id: format!("{id}.{language}"), title: front.title.clone(), text });
        let about = format!("{} {}", front.title, front.summary);
        let long = about.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.chars().count() >= 6);
        let words: Vec<String> = long.take(2).map(str::to_lowercase).collect();
        let reader = (language, front.audience.first().copied().unwrap_or(Audience::OfficeHolder));
        self.ask(&words, id, reader, rng);
    }

    /// Asks for words as they are spelt, and with an error in each of four kinds.
    pub fn ask(&mut self, words: &[String], meant: &str, reader: (Language, Audience), rng: &mut ChaCha20Rng) {
        if words.is_empty() {
            return;
        }
        let mut query = |typed: String, erroneous| {
            self.queries.push(Query { typed, meant: meant.to_owned(), erroneous, reader });
        };
        for kind in 0..4 {
            query(words.join(" "), false);
            let wrong = rng.random_range(0..words.len());
            let typed: Vec<String> = words
                .iter()
                .enumerate()
                .map(|(at, word)| if at == wrong { mistyped(word, kind, rng) } else { word.clone() })
                .collect();
            query(typed.join(" "), true);
        }
    }
}

/// A word with a letter dropped, doubled, swapped with the next, or wrong; never its first, which people seldom miss.
fn mistyped(word: &str, kind: usize, rng: &mut ChaCha20Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = rng.random_range(1..letters.len().max(3) - 1);
    match kind {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters.swap(at, at + 1),
        _ => letters[at] = if letters[at] == 'e' { 'r' } else { 'e' },
    }
    letters.into_iter().collect()
}

/// Our own search of the edition.
///
/// # Errors
/// When the guidance cannot be opened.
pub fn search_edition(bench: &mut Bench, folder: &Path, set: &Set) -> Result<()> {
    let phone = phone_in(&folder.join("reader"), 1)?;
    let guidance = phone.guidance()?;
    let who = |query: &Query| ReadAs { language: query.reader.0, audience: query.reader.1, office: None };
    let first = set.queries.first().context("something is asked")?;
    let begin = now();
    ensure!(!guidance.search(who(first), &first.typed).is_empty(), "nothing is found");
    bench.set("first search of the edition, index made", "ms", "baken", begin.elapsed().as_secs_f64() * 1e3);
    let (mut times, mut found) = (Vec::new(), Vec::new());
    for query in &set.queries {
        let begin = now();
        let hits = guidance.search(who(query), &query.typed);
        times.push(begin.elapsed());
        found.push((query.erroneous, hits.iter().take(FIRST).any(|hit| hit.id == query.meant)));
    }
    super::set_search(bench, "edition", "baken", times, &found);
    Ok(())
}

/// Whether the text that was meant is among the first that were found.
pub fn is_found<'a>(query: &Query, mut ids: impl Iterator<Item = &'a str>) -> bool {
    ids.any(|id| id == query.meant || id.rsplit_once('.').is_some_and(|(id, _)| id == query.meant))
}
