//! From source files to a compiled edition. Pure: a path and a text each in, an [`Edition`] or what is wrong out.
//!
//! A phone compiles what it has verified, so a file that this version does not know is passed over, and so is a key
//! that it does not know; [`crate::edition::check`] tells who writes of both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::Language;
use crate::edition::finding::Finding;
use crate::edition::item::{Block, Card, Chapter, Contact, Fact, Front, Question, Scan, Source, Span};
use crate::edition::markdown::{CHECKLIST, blocks, split_front};
use crate::edition::{Date, Edition, FactKind, Layer, Status, Trouble};

/// The source files of an edition, by path relative to its folder.
pub type Files = BTreeMap<String, String>;

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 256 * 1024;
/// The most bytes of all files together.
pub const MAX_EDITION_BYTES: usize = 3 * 1024 * 1024;
/// The most files.
pub const MAX_FILES: usize = 512;
/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 100;

/// The files that are no texts.
const TABLES: [&str; 6] =
    ["edition.toml", "sources.toml", "facts.toml", "contacts.toml", "questions.toml", "scan.toml"];

/// What an edition says of itself.
#[derive(Debug, Deserialize)]
struct About {
    name: String,
    layer: Layer,
    languages: Vec<Language>,
    expires: Date,
    #[serde(default = "first_version")]
    version: u64,
}

fn first_version() -> u64 {
    1
}

/// What a card has beside what a chapter has.
#[derive(Debug, Deserialize)]
struct CardFront {
    kinds: Vec<Trouble>,
    call: Vec<String>,
}

/// Whether a path is one that an edition may have: plain letters, digits, dashes and dots, no way out of the folder.
pub fn is_path(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
    };
    path.len() <= MAX_PATH_BYTES && path.split('/').count() <= 4 && path.split('/').all(plain)
}

/// What a path is for.
enum Place<'a> {
    Table,
    Chapter(Language, &'a str),
    Card(Language, &'a str),
    Unknown,
}

fn place(path: &str) -> Place<'_> {
    if TABLES.contains(&path) {
        return Place::Table;
    }
    let mut parts = path.split('/');
    let (Some(folder), Some(language), Some(file), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Place::Unknown;
    };
    match (folder, language.parse(), file.strip_suffix(".md")) {
        ("chapters", Ok(language), Some(id)) => Place::Chapter(language, id),
        ("cards", Ok(language), Some(id)) => Place::Card(language, id),
        _ => Place::Unknown,
    }
}

/// Whether this version knows what a file of this path is for: what else lies in a folder is no part of its edition.
pub fn is_known(path: &str) -> bool {
    !matches!(place(path), Place::Unknown)
}

/// The language of a path, where it has one.
pub fn language_of(path: &str) -> Option<Language> {
    match place(path) {
        Place::Chapter(language, _) | Place::Card(language, _) => Some(language),
        _ => None,
    }
}

/// Compiles source files.
///
/// # Errors
/// Everything that keeps them from being read, with file, line or id, and what to do.
pub fn compile(files: &Files) -> Result<Edition, Vec<Finding>> {
    let mut findings = sizes(files);
    let mut tables = Tables { files, findings: Vec::new() };
    let about: Option<About> = tables.whole("edition.toml", true);
    let mut edition = Edition {
        name: String::new(),
        layer: Layer::Organisation,
        version: 0,
        languages: Vec::new(),
        expires: Date::of(crate::time::Timestamp(0)),
        sources: tables.list::<Source>("sources.toml", "source"),
        facts: tables.list::<Fact>("facts.toml", "fact"),
        contacts: tables.list::<Contact>("contacts.toml", "contact"),
        questions: tables.list::<Question>("questions.toml", "question"),
        scan: tables.whole::<Scan>("scan.toml", false),
        chapters: Vec::new(),
        cards: Vec::new(),
    };
    if let Some(about) = about {
        edition.name = about.name;
        (edition.layer, edition.version, edition.expires) = (about.layer, about.version, about.expires);
        edition.languages = about.languages;
    }
    findings.append(&mut tables.findings);
    for (path, text) in files {
        let read = match place(path) {
            Place::Chapter(language, id) => chapter(path, text, language, id).map(|read| edition.chapters.push(read)),
            Place::Card(language, id) => card(path, text, language, id).map(|read| edition.cards.push(read)),
            Place::Table | Place::Unknown => Ok(()),
        };
        findings.extend(read.err().into_iter().flatten());
    }
    findings.extend(values(&edition, files));
    if findings.is_empty() { Ok(edition) } else { Err(findings) }
}

fn sizes(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        if is_known(path) && !is_path(path) {
            findings.push(Finding::error(
                "path",
                path,
                "een naam heeft kleine letters, cijfers en streepjes; hernoem het bestand",
                "a name has lower-case letters, digits and dashes; rename the file",
            ));
        }
        if text.len() > MAX_FILE_BYTES {
            let (nl, en) =
                ("het bestand is groter dan 256 KiB; splits het", "the file is larger than 256 KiB; split it");
            findings.push(Finding::error("too_large", path, nl, en));
        }
    }
    if files.len() > MAX_FILES || files.values().map(String::len).sum::<usize>() > MAX_EDITION_BYTES {
        findings.push(Finding::error(
            "too_large",
            "",
            "een uitgave heeft ten hoogste 512 bestanden en 3 MiB; laat iets weg",
            "an edition has at most 512 files and 3 MiB; leave something out",
        ));
    }
    findings
}

/// Reads the TOML files, and gathers what is wrong.
struct Tables<'a> {
    files: &'a Files,
    findings: Vec<Finding>,
}

impl Tables<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    fn table(&mut self, path: &str) -> Option<Table> {
        let read = table(path, self.text(path)?, 1);
        read.map_err(|findings| self.findings.extend(findings)).ok()
    }

    /// A file that is one thing.
    fn whole<T: DeserializeOwned>(&mut self, path: &str, is_needed: bool) -> Option<T> {
        let Some(text) = self.text(path) else {
            if is_needed {
                let (nl, en) = (format!("{path} ontbreekt; maak het bestand"), format!("{path} is missing; write it"));
                self.findings.push(Finding::error("missing_file", path, nl, en));
            }
            return None;
        };
        match toml::from_str(text) {
            Ok(read) => Some(read),
            Err(error) => {
                let line = error.span().map(|span| line_at(text, span.start));
                self.findings.push(unreadable(path, error.message()).at(line));
                None
            }
        }
    }

    /// A file that lists things of one name. One that cannot be read does not hide what is wrong with the next.
    fn list<T: DeserializeOwned>(&mut self, path: &str, name: &str) -> Vec<T> {
        let Some(table) = self.table(path) else { return Vec::new() };
        let Some(items) = table.get(name).map_or(Some(&[][..]), |items| items.as_array().map(Vec::as_slice)) else {
            let (nl, en) = (format!("{name} is een lijst: [[{name}]]"), format!("{name} is a list: [[{name}]]"));
            self.findings.push(Finding::error("malformed", path, nl, en));
            return Vec::new();
        };
        let mut read = Vec::new();
        let mut ids = BTreeSet::new();
        for item in items {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let line = line_of_id(self.text(path).unwrap_or_default(), id);
            if !ids.insert(id) {
                let (nl, en) = ("dit id staat er twee keer; geef een eigen id", "this id is there twice; give another");
                self.findings.push(Finding::error("duplicate_id", path, nl, en).of(id).at(line));
            }
            match T::deserialize(item.clone()) {
                Ok(item) => read.push(item),
                Err(error) => self.findings.push(unreadable(path, error.message()).of(id).at(line)),
            }
        }
        read
    }
}

/// A text as a table of TOML. `first_line` is the number of its first line in the file.
pub(super) fn table(path: &str, text: &str, first_line: u32) -> Result<Table, Vec<Finding>> {
    text.parse::<Table>().map_err(|error| {
        let line = error.span().map(|span| first_line - 1 + line_at(text, span.start));
        vec![unreadable(path, error.message()).at(line)]
    })
}

fn unreadable(path: &str, why: &str) -> Finding {
    let why = why.trim_end();
    let (nl, en) = (format!("niet te lezen: {why}"), format!("cannot be read: {why}"));
    Finding::error("malformed", path, nl, en)
}

fn line_at(text: &str, byte: usize) -> u32 {
    let before = text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// The line on which an item of a TOML file has its id.
pub(super) fn line_of_id(text: &str, id: &str) -> Option<u32> {
    let names = |line: &str| {
        let value = line.trim().strip_prefix("id").and_then(|rest| rest.trim_start().strip_prefix('='));
        value.is_some_and(|value| value.trim().trim_matches('"') == id)
    };
    text.lines().position(names).and_then(|at| u32::try_from(at + 1).ok())
}

/// Front matter of a text.
fn front<T: DeserializeOwned>(path: &str, front: &str) -> Result<T, Vec<Finding>> {
    let table = table(path, front, 2)?;
    T::deserialize(Value::Table(table)).map_err(|error| vec![unreadable(path, error.message()).at(1)])
}

fn chapter(path: &str, text: &str, language: Language, id: &str) -> Result<Chapter, Vec<Finding>> {
    let (head, body, first_line) = split_front(path, text)?;
    let front: Front = front(path, head)?;
    let mut body = blocks(path, body, first_line)?;
    let is_checklist =
        |block: &Block| matches!(block, Block::Heading(line) if line.spans == [Span::Text(CHECKLIST.to_owned())]);
    let behind = match body.iter().position(is_checklist) {
        Some(at) => body.split_off(at),
        None => Vec::new(),
    };
    let mut checklist = Vec::new();
    let mut findings = Vec::new();
    for mut line in behind.iter().skip(1).flat_map(|block| block.lines().to_vec()) {
        match line.spans.first_mut() {
            Some(Span::Text(text)) if text.starts_with("[ ] ") => {
                *text = text.trim_start_matches("[ ] ").to_owned();
                checklist.push(line);
            }
            _ => {
                let (nl, en) = (
                    "achter ## Checklist staan alleen regels met - [ ] ",
                    "behind ## Checklist stand only lines with - [ ] ",
                );
                findings.push(Finding::error("checklist", path, nl, en).at(line.number));
            }
        }
    }
    let chapter = Chapter { id: id.to_owned(), language, front, body, checklist };
    if findings.is_empty() { Ok(chapter) } else { Err(findings) }
}

fn card(path: &str, text: &str, language: Language, id: &str) -> Result<Card, Vec<Finding>> {
    let (head, body, first_line) = split_front(path, text)?;
    let read: Front = front(path, head)?;
    let CardFront { kinds, call } = front(path, head)?;
    let mut lines = Vec::new();
    for block in blocks(path, body, first_line)? {
        match block {
            Block::List(mut list) => lines.append(&mut list),
            Block::Heading(line) | Block::Paragraph(line) => {
                let (nl, en) = ("een kaart heeft alleen regels met - ", "a card has only lines with - ");
                return Err(vec![Finding::error("card_lines", path, nl, en).at(line.number)]);
            }
        }
    }
    Ok(Card { id: id.to_owned(), language, front: read, kinds, call, lines })
}

/// What the types do not enforce and every reader of an edition counts on.
fn values(edition: &Edition, files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |path: &str, id: &str, nl: &str, en: &str| {
        let line = files.get(path).and_then(|text| line_of_id(text, id));
        findings.push(Finding::error("value", path, nl, en).of(id).at(line));
    };
    for fact in &edition.facts {
        let fits = match (fact.kind, fact.value) {
            (FactKind::Text, value) => value.is_none(),
            (FactKind::Number | FactKind::Money, value) => matches!(value, Some(super::Value::Number(_))),
            (FactKind::Date, value) => matches!(value, Some(super::Value::Date(_))),
        };
        if !fits {
            wrong("facts.toml", &fact.id, "value past niet bij kind", "value does not fit kind");
        }
    }
    let described = edition.facts.iter().map(|fact| ("facts.toml", &fact.id, &fact.words, &fact.provenance));
    let contacts =
        edition.contacts.iter().map(|contact| ("contacts.toml", &contact.id, &contact.name, &contact.provenance));
    for (path, id, words, provenance) in described.chain(contacts) {
        if words.nl.is_empty() {
            wrong(path, id, "de Nederlandse tekst ontbreekt", "the Dutch text is missing");
        }
        if provenance.source.is_empty() {
            wrong(path, id, "noem een bron", "name a source");
        }
        if provenance.status == Status::Unconfirmed && provenance.check_at.as_deref().unwrap_or_default().is_empty() {
            wrong(path, id, "wat niet is bevestigd, noemt check_at", "what is unconfirmed names check_at");
        }
        if date_of_source(&provenance.source_date).is_none() {
            wrong(path, id, "source_date is een datum of een jaar", "source_date is a date or a year");
        }
    }
    for contact in &edition.contacts {
        let dialled = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | ' ' | '+');
        if !contact.number.chars().all(dialled) || !contact.number.contains(|letter: char| letter.is_ascii_digit()) {
            wrong("contacts.toml", &contact.id, "number is een telefoonnummer", "number is a telephone number");
        }
        if contact.emergency && edition.layer != Layer::National {
            let nl = "alleen de landelijke laag heeft noodnummers; zet emergency uit";
            wrong(
                "contacts.toml",
                &contact.id,
                nl,
                "only the national layer has emergency numbers; leave emergency out",
            );
        }
    }
    findings
}

/// The first day of a source's date, which may be a year alone.
pub(super) fn date_of_source(text: &str) -> Option<Date> {
    let whole = if text.len() == 4 { format!("{text}-01-01") } else { text.to_owned() };
    whole.parse().ok()
}
