//! What is named and is not there: facts, contacts, chapters, cards, sources, rows. And what is in a layer above already.

use super::{Subject, card_file, chapter_file, lines_of};
use crate::Language;
use crate::edition::item::{Line, Link, Span};
use crate::edition::{Collision, Finding};

/// The last row of the Leidraad, `L61`.
const LAST_ROW: u8 = 61;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let edition = subject.edition;
    for fact in &edition.facts {
        let (sources, rows) = (&fact.provenance.source, &fact.provenance.rows);
        findings.extend(subject.cited("facts.toml", Some(&fact.id), sources, rows));
    }
    for contact in &edition.contacts {
        let (sources, rows) = (&contact.provenance.source, &contact.provenance.rows);
        findings.extend(subject.cited("contacts.toml", Some(&contact.id), sources, rows));
        findings.extend(subject.named("contacts.toml", Some(&contact.id), Some(&contact.next), &[], &[]));
    }
    for question in &edition.questions {
        let (chapters, cards) = (&question.chapters, &question.cards);
        findings.extend(subject.named("questions.toml", Some(&question.id), &question.contacts, chapters, cards));
    }
    for chapter in &edition.chapters {
        let file = chapter_file(chapter.language, &chapter.id);
        findings.extend(subject.cited(&file, None, &chapter.front.sources, &chapter.front.rows));
        findings.extend(subject.in_lines(&file, lines_of(&chapter.body).chain(&chapter.checklist)));
    }
    for card in &edition.cards {
        let file = card_file(card.language, &card.id);
        findings.extend(subject.cited(&file, None, &card.front.sources, &card.front.rows));
        findings.extend(subject.named(&file, None, &card.call, &[], &[]));
        findings.extend(subject.in_lines(&file, card.lines.iter()));
    }
    if let Some(scan) = &edition.scan {
        findings.extend(subject.named("scan.toml", Some("gate"), &scan.gate.contacts, &[], &scan.gate.cards));
        findings.extend(subject.named("scan.toml", Some("closing"), &scan.closing.contact, &[], &[]));
        for question in &scan.questions {
            let id = question.id.to_string();
            findings.extend(subject.cited("scan.toml", Some(&id), &question.sources, &question.rows));
            if !scan.themes.iter().any(|theme| theme.id == question.theme) {
                findings.push(subject.dead("scan.toml", Some(&id), "theme", &question.theme));
            }
        }
    }
    findings.extend(subject.unused_sources());
    let collisions = subject.above.map(|above| above.collisions(edition)).unwrap_or_default();
    findings.extend(collisions.iter().map(|collision| subject.collision(collision)));
    findings
}

impl Subject<'_> {
    fn dead(&self, file: &str, id: Option<&str>, what: &str, name: &str) -> Finding {
        let (nl, en) = (
            format!("{what} {name} bestaat niet; verbeter de naam of voeg het toe"),
            format!("{what} {name} does not exist; correct the name or add it"),
        );
        let finding = Finding::error("dead_reference", file, nl, en);
        match id {
            Some(id) => finding.of(id).at(self.line(file, id)),
            None => finding.at(1),
        }
    }

    fn has_fact(&self, id: &str) -> bool {
        self.edition.facts.iter().any(|fact| fact.id == id) || self.above.is_some_and(|above| above.fact(id).is_some())
    }

    fn has_contact(&self, id: &str) -> bool {
        self.edition.contacts.iter().any(|contact| contact.id == id)
            || self.above.is_some_and(|above| above.contact(id).is_some())
    }

    fn has_chapter(&self, id: &str) -> bool {
        self.edition.chapters.iter().any(|chapter| chapter.id == id)
            || self.above.is_some_and(|above| above.chapter(id, Language::Nl).is_some())
    }

    fn has_card(&self, id: &str) -> bool {
        self.edition.cards.iter().any(|card| card.id == id)
            || self.above.is_some_and(|above| above.card(id, Language::Nl).is_some())
    }

    /// What an item names by id.
    fn named<'i>(
        &self,
        file: &str,
        id: Option<&str>,
        contacts: impl IntoIterator<Item = impl Into<Option<&'i String>>>,
        chapters: &[String],
        cards: &[String],
    ) -> Vec<Finding> {
        let contacts = contacts.into_iter().filter_map(Into::into).filter(|contact| !self.has_contact(contact));
        let mut findings: Vec<Finding> = contacts.map(|name| self.dead(file, id, "contact", name)).collect();
        let chapters = chapters.iter().filter(|chapter| !self.has_chapter(chapter));
        findings.extend(chapters.map(|name| self.dead(file, id, "chapter", name)));
        findings.extend(cards.iter().filter(|card| !self.has_card(card)).map(|name| self.dead(file, id, "card", name)));
        findings
    }

    /// Sources and rows.
    fn cited(&self, file: &str, id: Option<&str>, sources: &[String], rows: &[String]) -> Vec<Finding> {
        let is_there = |cited: &str| {
            let source = cited.split(':').next().unwrap_or_default();
            self.edition.sources.iter().any(|known| known.id == source)
                || self.above.is_some_and(|above| above.source(source).is_some())
        };
        let is_row = |row: &str| {
            let number =
                row.strip_prefix('L').filter(|digits| digits.len() == 2).and_then(|digits| digits.parse().ok());
            number.is_some_and(|number: u8| (1..=LAST_ROW).contains(&number))
        };
        let sources = sources.iter().filter(|cited| !is_there(cited));
        let rows = rows.iter().filter(|row| !is_row(row));
        sources
            .map(|name| self.dead(file, id, "source", name))
            .chain(rows.map(|name| self.dead(file, id, "row", name)))
            .collect()
    }

    fn in_lines<'l>(&self, file: &str, lines: impl Iterator<Item = &'l Line>) -> Vec<Finding> {
        lines.flat_map(|line| self.in_spans(file, line.number, &line.spans)).collect()
    }

    fn in_spans(&self, file: &str, line: u32, spans: &[Span]) -> Vec<Finding> {
        let dead = |what, name: &str| vec![self.dead(file, None, what, name).at(line)];
        let of_span = |span: &Span| match span {
            Span::Fact(id) if !self.has_fact(id) => dead("fact", id),
            Span::Contact(id) if !self.has_contact(id) => dead("contact", id),
            Span::Link { to: Link::Chapter(id), .. } if !self.has_chapter(id) => dead("chapter", id),
            Span::Link { to: Link::Card(id), .. } if !self.has_card(id) => dead("card", id),
            Span::Bold(inner) => self.in_spans(file, line, inner),
            _ => Vec::new(),
        };
        spans.iter().flat_map(of_span).collect()
    }

    fn unused_sources(&self) -> Vec<Finding> {
        let edition = self.edition;
        let facts = edition.facts.iter().map(|fact| &fact.provenance.source);
        let contacts = edition.contacts.iter().map(|contact| &contact.provenance.source);
        let chapters = edition.chapters.iter().map(|chapter| &chapter.front.sources);
        let cards = edition.cards.iter().map(|card| &card.front.sources);
        let scan = edition.scan.iter().flat_map(|scan| &scan.questions).map(|question| &question.sources);
        let cited: Vec<&str> = facts
            .chain(contacts)
            .chain(chapters)
            .chain(cards)
            .chain(scan)
            .flatten()
            .filter_map(|cited| cited.split(':').next())
            .collect();
        let unused = edition.sources.iter().filter(|source| !cited.contains(&source.id.as_str()));
        let finding = |id: &str| {
            let (nl, en) = ("niemand noemt deze bron; haal haar weg", "nothing cites this source; take it away");
            Finding::warning("unused_source", "sources.toml", nl, en).of(id).at(self.line("sources.toml", id))
        };
        unused.map(|source| finding(&source.id)).collect()
    }

    fn collision(&self, collision: &Collision) -> Finding {
        let Collision { what, id, is_emergency } = collision;
        let file = match *what {
            "fact" => "facts.toml".to_owned(),
            "contact" => "contacts.toml".to_owned(),
            "chapter" => chapter_file(Language::Nl, id),
            _ => card_file(Language::Nl, id),
        };
        let finding = if *is_emergency {
            Finding::error(
                "emergency_number",
                &file,
                "raakt een landelijk noodnummer; haal dit weg",
                "touches a national emergency number; take this away",
            )
        } else {
            let (nl, en) = (
                format!("{what} {id} staat al in een hogere laag; geef een eigen id of haal het weg"),
                format!("{what} {id} is in a layer above already; give it an id of its own or take it away"),
            );
            Finding::error("in_two_layers", &file, nl, en)
        };
        finding.of(id).at(self.line(&file, id))
    }
}
