//! Checks the source of an edition before it is signed: what a machine can tell of sources, dates, references,
//! translations, length and plain language. Not here: whether it is true.

mod dates;
mod keys;
mod language;
mod overlap;
mod references;
mod shape;

use crate::Language;
use crate::edition::item::{Block, Line, Span};
use crate::edition::source::line_of_id;
use crate::edition::{Date, Edition, Files, Finding, Layers, Severity, Words, compile};

/// What an edition is checked with, beside its own files.
#[derive(Debug, Clone, Default)]
pub struct CheckWith<'a> {
    /// The layers above it.
    pub above: Option<&'a Layers>,
    /// Texts of others, by name, whose sentences it may not copy.
    pub against: Vec<(&'a str, &'a str)>,
}

/// Everything that is wrong with source files on a day, errors first within a file's line.
pub fn check(files: &Files, today: Date, with: &CheckWith<'_>) -> Vec<Finding> {
    let edition = match compile(files) {
        Ok(edition) => edition,
        Err(mut findings) => {
            findings.sort();
            return findings;
        }
    };
    let subject = Subject { edition: &edition, files, today, above: with.above };
    let mut findings = keys::check(files);
    findings.extend(dates::check(&subject));
    findings.extend(references::check(&subject));
    findings.extend(shape::check(&subject));
    let passages = subject.passages();
    findings.extend(language::check(&subject, &passages));
    for (name, text) in &with.against {
        findings.extend(overlap::check(name, text, &passages));
    }
    findings.sort();
    findings.dedup();
    findings
}

/// Whether an edition with these findings can be published.
pub fn may_be_published(findings: &[Finding]) -> bool {
    !findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// What is checked.
struct Subject<'a> {
    edition: &'a Edition,
    files: &'a Files,
    today: Date,
    above: Option<&'a Layers>,
}

/// A piece of text of an edition, and where it stands.
struct Passage {
    file: String,
    line: Option<u32>,
    id: Option<String>,
    language: Language,
    text: String,
    /// It is no full sentence: a title, a line of a card.
    is_short: bool,
}

impl Passage {
    fn finding(&self, severity: Severity, code: &'static str, nl: String, en: String) -> Finding {
        let finding = Finding::error(code, &self.file, nl, en).at(self.line);
        Finding { severity, id: self.id.clone(), ..finding }
    }
}

/// A line as a reader's eye counts it: what is inserted is one word.
fn counted(spans: &[Span]) -> String {
    let mut text = String::new();
    for span in spans {
        match span {
            Span::Text(piece) | Span::Link { text: piece, .. } => text.push_str(piece),
            Span::Bold(inner) => text.push_str(&counted(inner)),
            Span::Fact(_) | Span::Contact(_) => text.push('1'),
        }
    }
    text
}

/// The words of a text: what has a letter or digit.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

fn chapter_file(language: Language, id: &str) -> String {
    format!("chapters/{language}/{id}.md")
}

fn card_file(language: Language, id: &str) -> String {
    format!("cards/{language}/{id}.md")
}

impl Subject<'_> {
    /// The line of an item in one of the tables.
    fn line(&self, file: &str, id: &str) -> Option<u32> {
        line_of_id(self.files.get(file)?, id)
    }

    /// Everything with words in the tables: file, id, words, and whether it is short.
    fn table_words(&self) -> Vec<(&'static str, String, &Words, bool)> {
        let Edition { facts, contacts, questions, scan, .. } = self.edition;
        let mut all = Vec::new();
        all.extend(facts.iter().map(|fact| ("facts.toml", fact.id.clone(), &fact.words, true)));
        for contact in contacts {
            let id = &contact.id;
            all.push(("contacts.toml", id.clone(), &contact.name, true));
            all.push(("contacts.toml", id.clone(), &contact.purpose, false));
            all.push(("contacts.toml", id.clone(), &contact.hours, true));
        }
        let told = questions.iter().filter(|question| !question.words.nl.is_empty());
        all.extend(told.map(|question| ("questions.toml", question.id.clone(), &question.words, false)));
        let Some(scan) = scan else { return all };
        let file = "scan.toml";
        all.push((file, "gate".to_owned(), &scan.gate.words, false));
        all.extend(scan.themes.iter().map(|theme| (file, theme.id.clone(), &theme.words, true)));
        for question in &scan.questions {
            let id = question.id.to_string();
            let tips = question.by_office.iter().map(|tip| &tip.tip);
            let each = [&question.words, &question.tip].into_iter().chain(tips);
            all.extend(each.map(|words| (file, id.clone(), words, false)));
            if !question.advice.nl.is_empty() {
                all.push((file, id, &question.advice, false));
            }
        }
        all.push((file, "closing".to_owned(), &scan.closing.words, false));
        all
    }

    /// Every piece of text, in every language.
    fn passages(&self) -> Vec<Passage> {
        let mut passages = Vec::new();
        for (file, id, words, is_short) in self.table_words() {
            let line = self.line(file, &id);
            for (language, text) in [(Language::Nl, &words.nl), (Language::En, &words.en)] {
                let (file, id, text) = (file.to_owned(), Some(id.clone()), text.clone());
                passages.push(Passage { file, line, id, language, text, is_short });
            }
        }
        for chapter in &self.edition.chapters {
            let (file, language) = (chapter_file(chapter.language, &chapter.id), chapter.language);
            let mut push = |line, text: String, is_short| {
                passages.push(Passage { file: file.clone(), line, id: None, language, text, is_short });
            };
            push(Some(1), chapter.front.title.clone(), true);
            push(Some(1), chapter.front.summary.clone(), false);
            for block in &chapter.body {
                let is_heading = matches!(block, Block::Heading(_));
                block.lines().iter().for_each(|line| push(Some(line.number), counted(&line.spans), is_heading));
            }
            chapter.checklist.iter().for_each(|line| push(Some(line.number), counted(&line.spans), false));
        }
        for card in &self.edition.cards {
            let (file, language) = (card_file(card.language, &card.id), card.language);
            let title = (Some(1), card.front.title.clone());
            let lines = card.lines.iter().map(|line| (Some(line.number), counted(&line.spans)));
            for (line, text) in std::iter::once(title).chain(lines) {
                passages.push(Passage { file: file.clone(), line, id: None, language, text, is_short: true });
            }
        }
        passages
    }
}

/// The lines of a text.
fn lines_of(blocks: &[Block]) -> impl Iterator<Item = &Line> {
    blocks.iter().flat_map(Block::lines)
}
