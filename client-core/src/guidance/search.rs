//! Finding in editions, offline and in milliseconds: an index of words in memory, made when it is first asked. A word is
//! found as it stands, by its beginning, by a common stem, within a compound, and with one or two typing errors.
//!
//! Own rather than SQLite's full-text search: a locked phone has no database open, the texts are a few hundred kilobytes,
//! and the tokenizers there know neither typing errors nor Dutch compounds.

use std::collections::BTreeMap;

use baken_schemas::Language;
use baken_schemas::edition::{Audience, Block, Front, Layer, Layers, Line, Office, Reader, Span, Trouble};
use serde::Serialize;

/// The most that is found.
pub(super) const MAX_HITS: usize = 20;
/// The most words that are looked for, and the most letters of each.
const MAX_WORDS: usize = 12;
const MAX_LETTERS: usize = 40;
/// The longest excerpt, in characters.
const EXCERPT_CHARS: usize = 140;
/// What a word in the other language than the reader's weighs.
const OTHER_LANGUAGE: f32 = 0.6;
/// What a word for a kind of trouble weighs on a card of that kind alone.
const KIND_WEIGHT: f32 = 4.0;

/// Words that say nothing of what is looked for.
const EMPTY_WORDS: &[&str] = &[
    "a", "an", "and", "are", "at", "be", "ben", "bij", "by", "can", "dat", "de", "deze", "die", "dit", "do", "doe",
    "een", "en", "er", "for", "get", "had", "have", "heb", "heeft", "het", "hij", "hoe", "how", "i", "ik", "in", "is",
    "it", "kan", "me", "met", "mij", "mijn", "moet", "my", "naar", "niet", "nu", "of", "om", "on", "ook", "op", "te",
    "that", "the", "to", "u", "uw", "van", "voor", "wat", "we", "what", "when", "wie", "with", "word", "wordt", "you",
    "your", "zijn",
];

/// Words by which people look for help with each kind of trouble.
fn words_of(kind: Trouble) -> &'static str {
    match kind {
        Trouble::Danger => {
            "gevaar nood hulp help spoed 112 aanval geweld wapen inbraak overval danger emergency attack weapon"
        }
        Trouble::Threat => {
            "bedreigd bedreiging dreiging dreigbrief intimidatie stalker stalking threat threatened intimidation"
        }
        Trouble::Unease => "onveilig angst bang onrust gevolgd unsafe afraid scared followed",
        Trouble::Aftercare => "nazorg steun praten verwerken aftercare support",
        Trouble::Digital => "online internet hack doxing haat hate",
        Trouble::Organisation => "organisatie protocol organisation",
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HitKind {
    /// A card for the moment itself.
    Card,
    /// A chapter.
    Chapter,
    /// A contact.
    Contact,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// Its id.
    pub id: String,
    /// Its title or name.
    pub title: String,
    /// The line in which it was found, or its first.
    pub excerpt: String,
    /// A contact's number.
    pub number: Option<String>,
    /// The layer it comes from.
    pub layer: Layer,
    /// How well it fits; only for comparing.
    pub score: f32,
}

/// Something that can be found.
#[derive(Debug)]
struct Doc {
    kind: HitKind,
    id: String,
    layer: Layer,
    audience: Vec<Audience>,
    offices: Vec<Office>,
    /// For danger or threats: first where it fits. Emergency numbers are for everybody.
    is_urgent: bool,
    is_emergency: bool,
    titles: [String; 2],
    /// Its lines in Dutch and in English.
    lines: [Vec<String>; 2],
}

/// Where a word stands: in which document, how much it weighs there, in Dutch or in English.
#[derive(Debug, Clone, Copy)]
struct Place {
    doc: usize,
    weight: f32,
    language: Language,
}

/// All words of all layers.
#[derive(Debug)]
pub(super) struct Index {
    docs: Vec<Doc>,
    words: BTreeMap<String, Vec<Place>>,
}

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
fn tokens(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(MAX_LETTERS).flat_map(char::to_lowercase).map(fold).collect())
}

/// A line with its facts and numbers.
fn said(spans: &[Span], language: Language, layers: &Layers) -> String {
    let mut text = String::new();
    for span in spans {
        match span {
            Span::Fact(id) => text.push_str(layers.fact(id).map_or("", |(_, fact)| fact.words.of(language))),
            Span::Contact(id) => text.push_str(layers.contact(id).map_or("", |(_, contact)| &contact.number)),
            Span::Bold(inner) => text.push_str(&said(inner, language, layers)),
            Span::Text(piece) | Span::Link { text: piece, .. } => text.push_str(piece),
        }
    }
    text
}

impl Index {
    /// The index of everything in all layers.
    #[allow(clippy::cast_precision_loss, reason = "a card has a few kinds")]
    pub(super) fn of(layers: &Layers) -> Self {
        let mut index = Self { docs: Vec::new(), words: BTreeMap::new() };
        for (layer, dutch) in layers.chapters(Language::Nl) {
            let doc = index.start(HitKind::Chapter, &dutch.id, layer, &dutch.front, false);
            for language in [Language::Nl, Language::En] {
                let Some((_, chapter)) = layers.chapter(&dutch.id, language) else { continue };
                if chapter.language != language {
                    continue;
                }
                index.front(doc, language, &chapter.front);
                for block in &chapter.body {
                    let weight = if matches!(block, Block::Heading(_)) { 2.0 } else { 1.0 };
                    index.lines(doc, language, block.lines(), weight, layers);
                }
                index.lines(doc, language, &chapter.checklist, 1.0, layers);
            }
        }
        for (layer, dutch) in layers.cards(Language::Nl) {
            let is_urgent = dutch.kinds.iter().any(|kind| matches!(kind, Trouble::Danger | Trouble::Threat));
            let doc = index.start(HitKind::Card, &dutch.id, layer, &dutch.front, is_urgent);
            for language in [Language::Nl, Language::En] {
                let Some((_, card)) = layers.card(&dutch.id, language) else { continue };
                if card.language != language {
                    continue;
                }
                index.front(doc, language, &card.front);
                index.lines(doc, language, &card.lines, 2.0, layers);
            }
            // What is for one kind of trouble alone fits it best, and best of all where the self-scan sends who is in danger.
            let is_first = layers.scan().is_some_and(|scan| scan.gate.cards.contains(&dutch.id));
            let weight = KIND_WEIGHT / dutch.kinds.len().max(1) as f32 * if is_first { 2.0 } else { 1.0 };
            for kind in &dutch.kinds {
                index.text(doc, Language::Nl, words_of(*kind), weight);
            }
        }
        for (layer, contact) in layers.contacts() {
            index.docs.push(Doc {
                kind: HitKind::Contact,
                id: contact.id.clone(),
                layer,
                audience: contact.audience.clone(),
                offices: contact.offices.clone(),
                is_urgent: false,
                is_emergency: contact.emergency,
                titles: [contact.name.nl.clone(), contact.name.of(Language::En).to_owned()],
                lines: [vec![contact.purpose.nl.clone()], vec![contact.purpose.of(Language::En).to_owned()]],
            });
            let doc = index.docs.len() - 1;
            for language in [Language::Nl, Language::En] {
                index.text(doc, language, contact.name.of(language), 5.0);
                index.text(doc, language, contact.purpose.of(language), 2.0);
            }
            index.text(doc, Language::Nl, &contact.number, 5.0);
            index.text(doc, Language::Nl, &contact.number.replace(['-', ' '], ""), 5.0);
            for kind in &contact.kinds {
                index.text(doc, Language::Nl, words_of(*kind), 1.0);
            }
        }
        index
    }

    fn start(&mut self, kind: HitKind, id: &str, layer: Layer, front: &Front, is_urgent: bool) -> usize {
        self.docs.push(Doc {
            kind,
            id: id.to_owned(),
            layer,
            audience: front.audience.clone(),
            offices: front.offices.clone(),
            is_urgent,
            is_emergency: false,
            titles: [front.title.clone(), front.title.clone()],
            lines: [Vec::new(), Vec::new()],
        });
        self.docs.len() - 1
    }

    fn front(&mut self, doc: usize, language: Language, front: &Front) {
        self.text(doc, language, &front.title, 5.0);
        self.text(doc, language, &front.summary, 3.0);
        if let Some(doc) = self.docs.get_mut(doc) {
            let [nl, en] = &mut doc.titles;
            language.pick(nl, en).clone_from(&front.title);
            let [nl, en] = &mut doc.lines;
            language.pick(nl, en).extend((!front.summary.is_empty()).then(|| front.summary.clone()));
        }
    }

    fn lines(&mut self, doc: usize, language: Language, lines: &[Line], weight: f32, layers: &Layers) {
        for line in lines {
            let text = said(&line.spans, language, layers);
            self.text(doc, language, &text, weight);
            if let Some(doc) = self.docs.get_mut(doc) {
                let [nl, en] = &mut doc.lines;
                language.pick(nl, en).push(text);
            }
        }
    }

    fn text(&mut self, doc: usize, language: Language, text: &str, weight: f32) {
        for word in tokens(text) {
            let places = self.words.entry(word).or_default();
            match places.iter_mut().rfind(|place| place.doc == doc && place.language == language) {
                Some(place) => place.weight = place.weight.max(weight),
                None => places.push(Place { doc, weight, language }),
            }
        }
    }

    /// The best hits for a reader.
    #[allow(clippy::cast_precision_loss, reason = "a few hundred documents and a dozen words")]
    pub(super) fn search(&self, reader: &Reader<'_>, typed: &str) -> Vec<Hit> {
        let all: Vec<String> = tokens(typed).take(MAX_WORDS).collect();
        let telling: Vec<&String> = all.iter().filter(|word| !EMPTY_WORDS.contains(&word.as_str())).collect();
        let wanted: Vec<&String> = if telling.is_empty() { all.iter().collect() } else { telling };
        // By document, the best score for each word that was looked for.
        let mut found: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
        for (at, word) in wanted.iter().enumerate() {
            for (known, places) in &self.words {
                let likeness = likeness(word, known);
                if likeness <= 0.0 {
                    continue;
                }
                let rarity = (1.0 + self.docs.len() as f32 / places.len() as f32).ln();
                for place in places {
                    let own = if place.language == reader.language { 1.0 } else { OTHER_LANGUAGE };
                    let score = likeness * place.weight * rarity * own;
                    let scores = found.entry(place.doc).or_insert_with(|| vec![0.0; wanted.len()]);
                    if let Some(best) = scores.get_mut(at) {
                        *best = best.max(score);
                    }
                }
            }
        }
        let mut hits = Vec::new();
        for (at, scores) in found {
            let Some(doc) = self.docs.get(at) else { continue };
            if !doc.is_emergency && !reader.is_for(&doc.audience, &doc.offices) {
                continue;
            }
            let covered = scores.iter().filter(|score| **score > 0.0).count() as f32 / wanted.len() as f32;
            let score = scores.iter().sum::<f32>() * covered;
            let first = doc.is_urgent && covered > 0.5;
            hits.push((first, self.hit(doc, reader, &wanted, score)));
        }
        hits.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        // Of cards for danger or threats the one that fits best goes before all else.
        if let Some(urgent) = hits.iter().position(|(first, _)| *first) {
            let card = hits.remove(urgent);
            hits.insert(0, card);
        }
        hits.truncate(MAX_HITS);
        hits.into_iter().map(|(_, hit)| hit).collect()
    }

    fn hit(&self, doc: &Doc, reader: &Reader<'_>, wanted: &[&String], score: f32) -> Hit {
        let ([nl, en], [nl_title, en_title]) = (&doc.lines, &doc.titles);
        let lines = if reader.language == Language::En && !en.is_empty() { en } else { nl };
        let fits = |line: &&String| tokens(line).any(|word| wanted.iter().any(|wanted| likeness(wanted, &word) > 0.0));
        let line = lines.iter().find(fits).or(lines.first()).map(String::as_str).unwrap_or_default();
        let mut excerpt: String = line.chars().take(EXCERPT_CHARS).collect();
        if excerpt.len() < line.len() {
            excerpt.push('…');
        }
        Hit {
            kind: doc.kind,
            id: doc.id.clone(),
            title: reader.language.pick(nl_title, en_title).clone(),
            excerpt,
            number: reader
                .layers
                .contact(&doc.id)
                .filter(|_| doc.kind == HitKind::Contact)
                .map(|(_, c)| c.number.clone()),
            layer: doc.layer,
            score,
        }
    }
}

/// How alike two words are, from 0 to 1.
#[allow(clippy::cast_precision_loss, reason = "a word has at most 40 letters")]
fn likeness(wanted: &str, known: &str) -> f32 {
    if wanted == known {
        return 1.0;
    }
    let (wanted_len, known_len) = (wanted.chars().count(), known.chars().count());
    if wanted_len >= 3 && known.starts_with(wanted) {
        return 0.3 + 0.6 * wanted_len as f32 / known_len as f32;
    }
    // Numbers are meant as they stand.
    if wanted.bytes().any(|byte| byte.is_ascii_digit()) {
        return 0.0;
    }
    if known_len >= 4 && wanted.starts_with(known) {
        return 0.7;
    }
    let shorter = wanted_len.min(known_len);
    let common = wanted.chars().zip(known.chars()).take_while(|(a, b)| a == b).count();
    if common >= 5 && common * 10 >= shorter * 7 {
        return 0.6;
    }
    let allowed = match wanted_len {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if allowed > 0 && wanted_len.abs_diff(known_len) <= allowed && is_within(wanted, known, allowed) {
        return 0.5;
    }
    if wanted_len >= 5 && known.contains(wanted) { 0.4 } else { 0.0 }
}

/// Whether one word becomes the other with at most so many errors: a letter too many, too few, another, or two swapped.
fn is_within(a: &str, b: &str, allowed: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = at(&last, j) + usize::from(letter != other);
            let mut best = changed.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(other) && b.get(j - 1) == Some(letter);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_some_and(|least| *least > allowed) {
            return false;
        }
        before = std::mem::replace(&mut last, row);
    }
    at(&last, b.len()) <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_forgiven_and_other_words_are_not_taken() {
        for (wanted, known) in [
            ("bedreiging", "bedreiging"),
            ("bedreigin", "bedreiging"),
            ("bedreigd", "bedreiging"),
            ("bedrieging", "bedreiging"),
            ("poltie", "politie"),
            ("aagnifte", "aangifte"),
            ("brievenbus", "brievenbussen"),
            ("bril", "brillen"),
            ("enkel", "dubbelenkel"),
        ] {
            assert!(likeness(wanted, known) > 0.0, "{wanted} {known}");
        }
        for (wanted, known) in
            [("bus", "bel"), ("113", "112"), ("deur", "duur_"), ("politiek", "muziek"), ("kat", "hat")]
        {
            assert!(likeness(wanted, known) <= 0.0, "{wanted} {known}");
        }
    }

    #[test]
    fn errors_are_counted_as_people_make_them() {
        for (a, b, errors) in [
            ("abcd", "abcd", 0),
            ("abcd", "acbd", 1),
            ("abcd", "abd", 1),
            ("abcd", "abxcd", 1),
            ("abcd", "badc", 2),
            ("", "ab", 2),
        ] {
            assert!(is_within(a, b, errors), "{a} {b}");
            assert!(errors == 0 || !is_within(a, b, errors - 1), "{a} {b}");
        }
    }
}
