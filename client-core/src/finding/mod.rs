//! Finding texts by words, offline and in milliseconds: an index in memory. A word is found as it stands, by its
//! beginning, by a common stem, within a compound, and with one or two typing errors; the order of words counts for
//! nothing.
//!
//! Own rather than SQLite's full-text search: a locked phone has no database open, and the tokenizers there know neither
//! typing errors nor Dutch compounds. What is looked through is said by who asks: editions in [`crate::guidance`],
//! records in [`crate::record`].

mod likeness;

use std::collections::BTreeMap;

use zeroize::Zeroize as _;

pub(crate) use likeness::likeness;

/// The most that is found.
pub(crate) const MAX_HITS: usize = 20;
/// The longest excerpt, in characters.
const EXCERPT_CHARS: usize = 140;
/// The most words that are looked for, and the most letters of each.
const MAX_WORDS: usize = 12;
const MAX_LETTERS: usize = 40;

/// Words that say nothing of what is looked for.
const EMPTY_WORDS: &[&str] = &[
    "a", "an", "and", "are", "at", "be", "ben", "bij", "by", "can", "dat", "de", "deze", "die", "dit", "do", "doe",
    "een", "en", "er", "for", "get", "had", "have", "heb", "heeft", "het", "hij", "hoe", "how", "i", "ik", "in", "is",
    "it", "kan", "me", "met", "mij", "mijn", "moet", "my", "naar", "niet", "nu", "of", "om", "on", "ook", "op", "te",
    "that", "the", "to", "u", "uw", "van", "voor", "wat", "we", "what", "when", "wie", "with", "word", "wordt", "you",
    "your", "zijn",
];

/// A word as it is compared: lower case, without accents.
fn fold(letter: char) -> char {
    match letter {
        'á' | 'à' | 'ä' | 'â' => 'a',
        'é' | 'è' | 'ë' | 'ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' => 'o',
        'ú' | 'ù' | 'ü' | 'û' => 'u',
        'ç' => 'c',
        other => other,
    }
}

/// The words of a text.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(MAX_LETTERS).flat_map(char::to_lowercase).map(fold).collect())
}

/// What somebody looks for: the telling words of what was typed, or all where none tells.
pub(crate) fn wanted(typed: &str) -> Vec<String> {
    let all: Vec<String> = tokens(typed).take(MAX_WORDS).collect();
    let telling: Vec<String> = all.iter().filter(|word| !EMPTY_WORDS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// The first line in which one of the words is found; the first of all where none is.
pub(crate) fn line_with<'a>(lines: impl Iterator<Item = &'a str> + Clone, wanted: &[String]) -> Option<&'a str> {
    let fits = |line: &&str| tokens(line).any(|word| wanted.iter().any(|wanted| likeness(wanted, &word) > 0.0));
    lines.clone().find(fits).or_else(|| lines.clone().next())
}

/// What of a word decides cheaply that another cannot be alike: of forty thousand words a few hundred are looked at.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// One bit for each letter that is in it; letters may share one.
    letters: u64,
    /// Its first five letters, folded into one number; 0 where it has fewer.
    head: u32,
    length: u8,
}

impl Mark {
    fn of(word: &str) -> Self {
        let (mut letters, mut head, mut length) = (0_u64, 0_u32, 0_u8);
        for letter in word.chars() {
            let bit = match letter {
                'a'..='z' => u32::from(letter) - u32::from('a'),
                '0'..='9' => 26 + u32::from(letter) - u32::from('0'),
                other => 36 + u32::from(other) % 28,
            };
            letters |= 1 << bit;
            if length < 5 {
                head = head.wrapping_mul(0x0100_0193).wrapping_add(u32::from(letter) + 1);
            }
            length = length.saturating_add(1);
        }
        Self { letters, head: if length < 5 { 0 } else { head }, length }
    }

    /// Whether `other` may be alike. It never denies one that [`likeness`] finds.
    fn may_be_like(self, other: Self) -> bool {
        let differ = (self.letters ^ other.letters).count_ones();
        // Begins or holds the other, the same first letters, or at most two errors of at most two letters each.
        self.letters & !other.letters == 0
            || other.letters & !self.letters == 0
            || (self.head != 0 && self.head == other.head)
            || (differ <= 4 && self.length.abs_diff(other.length) <= 2)
    }
}

/// Every word that is known, each with the places where it stands. Wiped when it is dropped.
#[derive(Debug)]
pub(crate) struct KnownWords<P> {
    words: BTreeMap<String, (Mark, Vec<P>)>,
}

impl<P> Default for KnownWords<P> {
    fn default() -> Self {
        Self { words: BTreeMap::new() }
    }
}

impl<P> KnownWords<P> {
    /// The places of a word, to which another may be added.
    pub(crate) fn places(&mut self, word: String) -> &mut Vec<P> {
        let mark = Mark::of(&word);
        &mut self.words.entry(word).or_insert_with(|| (mark, Vec::new())).1
    }

    /// The places of every word that is like this one, with how alike it is.
    fn like<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (f32, &'a [P])> {
        let mark = Mark::of(wanted);
        let candidates = self.words.iter().filter(move |(_, (other, _))| mark.may_be_like(*other));
        candidates.filter_map(move |(known, (_, places))| {
            let alike = likeness(wanted, known);
            (alike > 0.0).then_some((alike, places.as_slice()))
        })
    }

    /// How well each of so many documents fits what is wanted; `at` says in which one a place is, and what it weighs there.
    /// A word that stands in few places tells more.
    #[allow(clippy::cast_precision_loss, reason = "a score is for comparing")]
    pub(crate) fn scores(&self, docs: usize, wanted: &[String], at: impl Fn(&P) -> (usize, f32)) -> Scores {
        let mut scores = Scores::new(docs, wanted.len());
        for (nth, word) in wanted.iter().enumerate() {
            for (alike, places) in self.like(word) {
                let rarity = (1.0 + docs as f32 / places.len() as f32).ln();
                for (doc, weight) in places.iter().map(&at) {
                    scores.put(doc, nth, alike * weight * rarity);
                }
            }
        }
        scores
    }
}

impl<P> Drop for KnownWords<P> {
    fn drop(&mut self) {
        for (mut word, _) in std::mem::take(&mut self.words) {
            word.zeroize();
        }
    }
}

/// By document, the best score for each word that was looked for.
pub(crate) struct Scores {
    wanted: usize,
    best: Vec<f32>,
}

/// How well a document fits.
pub(crate) struct Ranked {
    /// Which.
    pub(crate) doc: usize,
    /// Only for comparing.
    pub(crate) score: f32,
    /// The share of the words that were found in it.
    pub(crate) covered: f32,
}

impl Scores {
    fn new(docs: usize, wanted: usize) -> Self {
        Self { wanted, best: vec![0.0; docs.saturating_mul(wanted)] }
    }

    /// Notes that a document fits one of the words so well.
    fn put(&mut self, doc: usize, word: usize, score: f32) {
        if let Some(best) = self.best.get_mut(doc * self.wanted + word) {
            *best = best.max(score);
        }
    }

    /// Every document that fits any word, the best first, and of equals the first.
    #[allow(clippy::cast_precision_loss, reason = "a dozen words")]
    pub(crate) fn ranked(&self) -> Vec<Ranked> {
        let ranked = |(doc, scores): (usize, &[f32])| {
            let found = scores.iter().filter(|score| **score > 0.0).count();
            let covered = found as f32 / self.wanted as f32;
            (found > 0).then(|| Ranked { doc, score: scores.iter().sum::<f32>() * covered, covered })
        };
        let mut all: Vec<Ranked> = self.best.chunks(self.wanted.max(1)).enumerate().filter_map(ranked).collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all
    }
}

/// The beginning of a line, with a sign that it goes on.
pub(crate) fn excerpt(line: &str) -> String {
    let mut excerpt: String = line.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < line.len() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is passed over for speed is never something that would have been found.
        #[test]
        fn no_word_is_passed_over_that_is_alike(a in "[a-g]{1,9}", b in "[a-g]{1,9}", c in "[a-z0-9é]{1,14}", errors in prop::collection::vec((0_usize..14, "[a-z]?"), 0..3)) {
            let mut typed: Vec<String> = c.chars().map(String::from).collect();
            for (at, letter) in errors {
                let at = at % typed.len();
                if let Some(place) = typed.get_mut(at) {
                    *place = letter;
                }
            }
            for (wanted, known) in [(&a, &b), (&typed.concat(), &c)] {
                let mut words = KnownWords::default();
                words.places(known.clone()).push(());
                let found = words.like(wanted).next().map_or(0.0, |(alike, _)| alike);
                prop_assert_eq!(found.to_bits(), likeness(wanted, known).to_bits(), "{} {}", wanted, known);
            }
        }
    }
}
