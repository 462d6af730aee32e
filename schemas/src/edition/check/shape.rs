//! Shape: translations, length of chapters, checklists, lines of cards, the scan's numbers.

use super::{Subject, card_file, chapter_file, counted, lines_of, words};
use crate::Language;
use crate::edition::{Chapter, Finding, Front};

const MAX_CHAPTER_WORDS: usize = 400;
const CHECKLIST_ITEMS: std::ops::RangeInclusive<usize> = 4..=9;
const CARD_LINES: std::ops::RangeInclusive<usize> = 3..=7;
const MAX_CARD_LINE_WORDS: usize = 6;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let edition = subject.edition;
    for chapter in &edition.chapters {
        findings.extend(of_chapter(chapter));
    }
    for card in &edition.cards {
        let file = card_file(card.language, &card.id);
        if !CARD_LINES.contains(&card.lines.len()) {
            let (nl, en) = (
                format!("een kaart heeft 3 tot 7 regels, deze {}", card.lines.len()),
                format!("a card has 3 to 7 lines, this one {}", card.lines.len()),
            );
            findings.push(Finding::error("card_lines", &file, nl, en));
        }
        for line in &card.lines {
            let count = words(&counted(&line.spans)).count();
            if count > MAX_CARD_LINE_WORDS {
                let (nl, en) = (
                    format!("een regel heeft ten hoogste 6 woorden, deze {count}; maak haar korter"),
                    format!("a line has at most 6 words, this one {count}; make it shorter"),
                );
                findings.push(Finding::error("card_line_long", &file, nl, en).at(line.number));
            }
        }
        if card.call.is_empty() {
            let (nl, en) = ("noem met call wie er wordt gebeld", "say with call who is called");
            findings.push(Finding::error("card_call", &file, nl, en).at(1));
        }
    }
    findings.extend(translations(subject));
    findings.extend(scan(subject));
    findings
}

fn of_chapter(chapter: &Chapter) -> Vec<Finding> {
    let mut findings = Vec::new();
    let file = chapter_file(chapter.language, &chapter.id);
    let lines = lines_of(&chapter.body).chain(&chapter.checklist);
    let count: usize = lines.map(|line| words(&counted(&line.spans)).count()).sum();
    if count > MAX_CHAPTER_WORDS {
        let (nl, en) = (
            format!("{count} woorden; een hoofdstuk heeft er ten hoogste {MAX_CHAPTER_WORDS}: maak het korter"),
            format!("{count} words; a chapter has at most {MAX_CHAPTER_WORDS}: make it shorter"),
        );
        findings.push(Finding::error("chapter_long", &file, nl, en));
    }
    match chapter.checklist.len() {
        0 => {
            let (nl, en) =
                ("de checklist ontbreekt; eindig met ## Checklist", "the checklist is missing; end with ## Checklist");
            findings.push(Finding::error("checklist_missing", &file, nl, en));
        }
        items if !CHECKLIST_ITEMS.contains(&items) => {
            let (nl, en) = (
                format!("een checklist heeft 4 tot 9 punten, deze {items}"),
                format!("a checklist has 4 to 9 items, this one {items}"),
            );
            findings.push(Finding::warning("checklist_items", &file, nl, en));
        }
        _ => {}
    }
    if chapter.front.sources.is_empty() {
        let (nl, en) = ("noem ten minste een bron: sources ontbreekt", "name at least one source: sources is missing");
        findings.push(Finding::error("source_missing", &file, nl, en).at(1));
    }
    if chapter.front.summary.is_empty() {
        let (nl, en) = ("summary ontbreekt; schrijf een zin", "summary is missing; write one sentence");
        findings.push(Finding::error("summary", &file, nl, en).at(1));
    }
    findings
}

fn translations(subject: &Subject<'_>) -> Vec<Finding> {
    let edition = subject.edition;
    let mut findings = Vec::new();
    if edition.languages.contains(&Language::En) {
        for (file, id, words, _) in subject.table_words() {
            if words.en.is_empty() && !words.nl.is_empty() {
                let line = subject.line(file, &id);
                findings.push(missing(file, Language::En).of(id).at(line));
            }
        }
    }
    type Text<'a> = (&'a String, Language, &'a Front, usize, fn(Language, &str) -> String);
    let chapters = edition.chapters.iter().map(|chapter| -> Text<'_> {
        (&chapter.id, chapter.language, &chapter.front, chapter.checklist.len(), chapter_file)
    });
    let cards = edition
        .cards
        .iter()
        .map(|card| -> Text<'_> { (&card.id, card.language, &card.front, card.lines.len(), card_file) });
    for texts in [chapters.collect::<Vec<_>>(), cards.collect()] {
        for (id, language, front, items, file) in &texts {
            let others = || edition.languages.iter().filter(|other| *other != language);
            for other in others() {
                let twin = texts.iter().find(|(twin, of, ..)| twin == id && of == other);
                match twin {
                    None => findings.push(missing(&file(*other, id), *other)),
                    Some((.., twin, twin_items, _)) if *language == Language::Nl => {
                        findings.extend(differences(&file(*other, id), front, twin, *items == *twin_items));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    findings
}

fn missing(file: &str, language: Language) -> Finding {
    let (nl, en) = (
        format!("de vertaling in {language} ontbreekt; schrijf haar"),
        format!("the translation into {language} is missing; write it"),
    );
    Finding::error("translation_missing", file, nl, en)
}

/// What a translation says otherwise than the Dutch.
fn differences(file: &str, dutch: &Front, twin: &Front, same_items: bool) -> Vec<Finding> {
    let fields = [
        ("audience", dutch.audience == twin.audience),
        ("offices", dutch.offices == twin.offices),
        ("sources", dutch.sources == twin.sources),
        ("rows", dutch.rows == twin.rows),
        ("review_by", dutch.review_by == twin.review_by),
        ("checklist", same_items),
    ];
    let finding = |(name, _): &(&str, bool)| {
        let (nl, en) = (
            format!("{name} is anders dan in het Nederlands; maak ze gelijk"),
            format!("{name} differs from the Dutch; make them alike"),
        );
        Finding::error("translation_differs", file, nl, en).at(1)
    };
    fields.iter().filter(|(_, same)| !same).map(finding).collect()
}

fn scan(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(scan) = &subject.edition.scan else { return Vec::new() };
    let mut findings = Vec::new();
    let mut wrong = |id: u8, nl: &str, en: &str| {
        findings.push(
            Finding::error("scan", "scan.toml", nl, en)
                .of(id.to_string())
                .at(subject.line("scan.toml", &id.to_string())),
        );
    };
    for (at, question) in (1..).zip(&scan.questions) {
        if question.id != at {
            wrong(
                question.id,
                "de vragen zijn genummerd van 1 af, zonder gaten",
                "questions are numbered from 1 without gaps",
            );
        }
        let priorities = question.by_office.iter().filter_map(|tip| tip.priority).chain([question.priority]);
        if priorities.into_iter().any(|priority| !(1..=3).contains(&priority)) {
            wrong(question.id, "priority is 1, 2 of 3", "priority is 1, 2 or 3");
        }
    }
    findings
}
