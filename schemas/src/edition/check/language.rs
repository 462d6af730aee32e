//! Plain language, as far as a count can tell: the Flesch-Douma score for Dutch (W. H. Douma, 1960) and Flesch reading ease
//! for English (R. Flesch, 1948) of each chapter, sentences over 20 words, and words with a simpler one.
//!
//! A score is no proof of B1; a low one is a reason to look.

use std::collections::BTreeMap;

use super::{Passage, Subject, chapter_file, words};
use crate::Language;
use crate::edition::{Finding, Severity};

/// The lowest score that passes for B1 in both languages ("standard": 60 to 70).
const LEAST_SCORE: f64 = 60.0;
/// The fewest words that a score says something of.
const LEAST_WORDS: usize = 80;
const MAX_SENTENCE_WORDS: usize = 20;

/// A word, and simpler ones for it.
type Simpler = (&'static str, &'static str);

/// Hard words in Dutch, in the order of their bytes.
const HARD_NL: &[Simpler] = &[
    ("aangaande", "over"),
    ("aanvangen", "beginnen"),
    ("abusievelijk", "per ongeluk"),
    ("additioneel", "extra"),
    ("adequaat", "goed, genoeg"),
    ("adequate", "goede, genoeg"),
    ("alsmede", "en, ook"),
    ("alvorens", "voordat"),
    ("ambtshalve", "vanwege uw ambt"),
    ("behoudens", "behalve"),
    ("betreffende", "over"),
    ("bewerkstelligen", "zorgen voor"),
    ("casus", "geval"),
    ("conform", "volgens"),
    ("consequenties", "gevolgen"),
    ("contacteren", "bellen, mailen"),
    ("continueren", "doorgaan"),
    ("derhalve", "daarom"),
    ("desalniettemin", "toch"),
    ("desbetreffende", "deze, die"),
    ("dienaangaande", "daarover"),
    ("dientengevolge", "daardoor"),
    ("draagvlak", "steun"),
    ("echter", "maar"),
    ("effectueren", "uitvoeren"),
    ("evenals", "net als"),
    ("evenwel", "maar"),
    ("faciliteren", "helpen, mogelijk maken"),
    ("frequent", "vaak"),
    ("gaarne", "graag"),
    ("gedurende", "tijdens"),
    ("geenszins", "niet"),
    ("generiek", "algemeen"),
    ("geëscaleerd", "uit de hand gelopen"),
    ("hieromtrent", "hierover"),
    ("implementeren", "invoeren"),
    ("indien", "als"),
    ("initiëren", "beginnen"),
    ("integraal", "als geheel"),
    ("inzake", "over"),
    ("jegens", "tegen"),
    ("kenbaar", "bekend"),
    ("krachtens", "volgens"),
    ("middels", "met, door"),
    ("mitigeren", "kleiner maken"),
    ("mitsdien", "daarom"),
    ("monitoren", "volgen"),
    ("nadien", "daarna"),
    ("nopen", "dwingen"),
    ("omtrent", "over"),
    ("onverwijld", "meteen"),
    ("optimaliseren", "verbeteren"),
    ("participeren", "meedoen"),
    ("prioriteren", "eerst doen"),
    ("proactief", "uit uzelf, vooraf"),
    ("reeds", "al"),
    ("respectievelijk", "en"),
    ("retourneren", "terugsturen"),
    ("significant", "duidelijk, groot"),
    ("substantieel", "groot"),
    ("teneinde", "om"),
    ("tenzij", "behalve als"),
    ("tevens", "ook"),
    ("thans", "nu"),
    ("trachten", "proberen"),
    ("uiterlijk", "niet later dan"),
    ("uitsluitend", "alleen"),
    ("verifiëren", "nagaan"),
    ("verrichten", "doen"),
    ("verstrekken", "geven"),
    ("vigerend", "dat nu geldt"),
    ("voornemens", "van plan"),
    ("voorts", "ook, verder"),
    ("wederom", "weer"),
    ("zodoende", "zo"),
    ("zorgdragen", "zorgen"),
];

/// Hard words in English, in the same order.
const HARD_EN: &[Simpler] = &[
    ("accordingly", "so"),
    ("adequate", "enough"),
    ("aforementioned", "this"),
    ("ascertain", "find out"),
    ("cognisant", "aware"),
    ("commence", "begin"),
    ("concerning", "about"),
    ("endeavour", "try"),
    ("expedite", "speed up"),
    ("facilitate", "help"),
    ("furthermore", "also"),
    ("henceforth", "from now on"),
    ("hereby", "leave it out"),
    ("herein", "here"),
    ("implement", "carry out"),
    ("inasmuch", "since"),
    ("mitigate", "make smaller"),
    ("moreover", "also"),
    ("notwithstanding", "despite"),
    ("pertaining", "about"),
    ("prioritise", "do first"),
    ("pursuant", "under"),
    ("regarding", "about"),
    ("substantial", "large"),
    ("terminate", "end"),
    ("thereby", "so"),
    ("utilise", "use"),
    ("whereas", "while"),
    ("whilst", "while"),
];

pub(super) fn check(subject: &Subject<'_>, passages: &[Passage]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut measures: BTreeMap<String, (Language, Measure)> = BTreeMap::new();
    for passage in passages {
        findings.extend(hard_words(passage));
        if passage.is_short {
            continue;
        }
        for sentence in sentences(&passage.text) {
            let count = words(sentence).count();
            if count > MAX_SENTENCE_WORDS {
                let (nl, en) = (
                    format!("een zin van {count} woorden; maak er twee van, ten hoogste {MAX_SENTENCE_WORDS} woorden"),
                    format!("a sentence of {count} words; make two of it, at most {MAX_SENTENCE_WORDS} words"),
                );
                findings.push(passage.finding(Severity::Warning, "sentence_long", nl, en));
            }
            let (_, measure) = measures.entry(passage.file.clone()).or_insert((passage.language, Measure::default()));
            measure.add(sentence, passage.language);
        }
    }
    for chapter in &subject.edition.chapters {
        let file = chapter_file(chapter.language, &chapter.id);
        let Some((language, measure)) = measures.get(&file) else { continue };
        let score = measure.score(*language);
        if measure.words >= LEAST_WORDS && score < LEAST_SCORE {
            let (per_sentence, per_word) = measure.means();
            let (nl, en) = (
                format!(
                    "moeilijker dan B1: score {score:.0}, ten minste {LEAST_SCORE} nodig ({per_sentence:.1} woorden per \
                     zin, {per_word:.2} lettergrepen per woord); kies kortere zinnen en woorden"
                ),
                format!(
                    "harder than B1: score {score:.0}, at least {LEAST_SCORE} needed ({per_sentence:.1} words a \
                     sentence, {per_word:.2} syllables a word); choose shorter sentences and words"
                ),
            );
            findings.push(Finding::warning("hard_to_read", &file, nl, en));
        }
    }
    findings
}

fn hard_words(passage: &Passage) -> Vec<Finding> {
    let list = passage.language.pick(HARD_NL, HARD_EN);
    let mut found = Vec::new();
    for word in words(&passage.text) {
        let word = word.to_lowercase();
        let find = |word: &str| list.binary_search_by(|(hard, _)| (*hard).cmp(word)).ok().and_then(|at| list.get(at));
        // An adjective may have its ending: "vigerend", "vigerende".
        if let Some((hard, simpler)) = find(&word).or_else(|| find(word.strip_suffix('e')?)) {
            let (nl, en) = (
                format!("\"{hard}\" is een moeilijk woord; schrijf: {simpler}"),
                format!("\"{hard}\" is a hard word; write: {simpler}"),
            );
            found.push(passage.finding(Severity::Warning, "hard_word", nl, en));
        }
    }
    found
}

/// The sentences of a text: up to a point, question mark or exclamation mark before white space, or the end.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut after_end = false;
    let pieces = text.split_inclusive(move |letter: char| {
        let ends = after_end && letter.is_whitespace();
        after_end = matches!(letter, '.' | '!' | '?') || after_end && matches!(letter, '"' | '\'' | ')' | '”' | '’');
        ends
    });
    pieces.filter(|sentence| words(sentence).next().is_some())
}

/// What a score is made of.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    sentences: usize,
    words: usize,
    syllables: usize,
}

impl Measure {
    fn add(&mut self, sentence: &str, language: Language) {
        self.sentences += 1;
        for word in words(sentence) {
            self.words += 1;
            self.syllables += syllables(word, language);
        }
    }

    /// Words a sentence, syllables a word.
    #[allow(clippy::cast_precision_loss, reason = "counts of a chapter are far below 2^52")]
    fn means(&self) -> (f64, f64) {
        let (sentences, words) = (self.sentences.max(1) as f64, self.words.max(1) as f64);
        (self.words as f64 / sentences, self.syllables as f64 / words)
    }

    fn score(&self, language: Language) -> f64 {
        let (per_sentence, per_word) = self.means();
        language.pick(206.84 - 0.93 * per_sentence - 77.0 * per_word, 206.835 - 1.015 * per_sentence - 84.6 * per_word)
    }
}

/// Groups of vowels, at least one; a number or an abbreviation counts as one.
fn syllables(word: &str, language: Language) -> usize {
    let lower = word.to_lowercase();
    let is_vowel = |letter: char| "aeiouyáàâäéèêëíìîïóòôöúùûü".contains(letter);
    let mut groups = 0;
    let mut in_group = false;
    for letter in lower.chars() {
        // A diaeresis begins a syllable of its own: "geïnd".
        let begins = is_vowel(letter) && (!in_group || "äëïöü".contains(letter));
        groups += usize::from(begins);
        in_group = is_vowel(letter);
    }
    let silent_e = language == Language::En && lower.ends_with('e') && !lower.ends_with("le") && groups > 1;
    (groups - usize::from(silent_e)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_groups_of_vowels() {
        let dutch = [("u", 1), ("bel", 1), ("politie", 3), ("burgemeester", 4), ("geïnd", 2), ("112", 1), ("VPT", 1)];
        for (word, count) in dutch {
            assert_eq!(syllables(word, Language::Nl), count, "{word}");
        }
        for (word, count) in [("call", 1), ("police", 2), ("table", 2), ("paper", 2), ("the", 1)] {
            assert_eq!(syllables(word, Language::En), count, "{word}");
        }
    }

    #[test]
    fn sentences_end_where_a_reader_takes_breath() {
        let text = "Bel 112. Zeg: \"Help!\" Noem uw adres, ook 0900-8844.nl niet? Nee";
        assert_eq!(sentences(text).count(), 4);
    }

    #[test]
    fn plain_dutch_scores_above_official_dutch() {
        let score = |text: &str| {
            let mut measure = Measure::default();
            sentences(text).for_each(|sentence| measure.add(sentence, Language::Nl));
            measure.score(Language::Nl)
        };
        let plain = score("Bel de politie. Zeg wie u bent. Ga naar een veilige plek en wacht daar.");
        let official = score(
            "Ingevolge de vigerende regelgeving dient de betrokken bestuurder zorg te dragen voor onverwijlde kennisgeving \
             aan de desbetreffende politiefunctionaris teneinde adequate maatregelen te bewerkstelligen.",
        );
        assert!(plain > LEAST_SCORE && official < 0.0, "{plain} {official}");
    }

    #[test]
    fn the_lists_of_hard_words_are_in_order_for_looking_up() {
        for list in [HARD_NL, HARD_EN] {
            assert!(list.is_sorted_by_key(|(hard, _)| hard));
        }
    }
}
