//! What a reader sees of editions: their language, their audience, today. Facts stand in the text; what may be out of date
//! or no longer holds says so, and is never left out.

use serde::Serialize;

use crate::Language;
use crate::edition::{
    Audience, Block, Card, Chapter, Contact, Date, Fact, FactKind, Front, Layer, Layers, Line, Link, Office,
    Provenance, Reachable, Span, Status, Trouble, Value,
};
use crate::local_time::WallTime;
use crate::time::Timestamp;

/// Who reads, and when.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What there is to read.
    pub layers: &'a Layers,
    /// In which language.
    pub language: Language,
    /// For whom.
    pub audience: Audience,
    /// With which office; `None` shows what is for any.
    pub office: Option<Office>,
    /// When.
    pub now: Timestamp,
}

/// What every item is shown with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The layer it comes from.
    pub layer: Layer,
    /// From this day on it may be out of date.
    pub stale_since: Option<Date>,
}

/// A source as it is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceView {
    /// As it is cited, with its section.
    pub cited: String,
    /// What it is.
    pub title: String,
    /// Where it is.
    pub address: String,
    /// The year it is from.
    pub year: Option<u16>,
}

/// Where something comes from, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenanceView {
    /// Its sources.
    pub sources: Vec<SourceView>,
    /// The source's day or year.
    pub source_date: String,
    /// When somebody last looked.
    pub checked: Date,
    /// When somebody must look again.
    pub review_by: Date,
    /// Whether it was found confirmed.
    pub status: Status,
    /// Where to check what was not.
    pub check_at: Option<String>,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactView {
    /// Its id.
    pub id: String,
    /// As a reader sees it, without what it may lack.
    pub text: String,
    /// What its value is.
    pub kind: FactKind,
    /// For a program.
    pub value: Option<Value>,
    /// For which offices; empty for every.
    pub offices: Vec<Office>,
    /// Whether it holds today.
    pub holds: bool,
    /// From this day on.
    pub valid_from: Option<Date>,
    /// Until before this day.
    pub valid_to: Option<Date>,
    /// Layer and staleness.
    #[serde(flatten)]
    pub shown: Shown,
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: ProvenanceView,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactView {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// As dialled.
    pub number: String,
    /// Another way.
    pub also: Option<String>,
    /// When it can be reached, in words.
    pub hours: String,
    /// Whether it can be reached now.
    pub reachable: Reachable,
    /// Whom to call when it does not answer.
    pub next: Option<String>,
    /// An emergency number.
    pub emergency: bool,
    /// The kinds of trouble it is for.
    pub kinds: Vec<Trouble>,
    /// Layer and staleness.
    #[serde(flatten)]
    pub shown: Shown,
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: ProvenanceView,
}

/// A part of a text, its facts and numbers filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockView {
    /// `heading`, `paragraph` or `list`.
    pub kind: &'static str,
    /// Its lines: text, what stands out, and links.
    pub lines: Vec<Vec<Span>>,
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChapterView {
    /// Its id.
    pub id: String,
    /// The language it is shown in.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// One sentence about it.
    pub summary: String,
    /// Who it is for.
    pub audience: Vec<Audience>,
    /// For which offices; empty for every.
    pub offices: Vec<Office>,
    /// Its text.
    pub body: Vec<BlockView>,
    /// Its checklist.
    pub checklist: Vec<Vec<Span>>,
    /// The facts that stand in it.
    pub facts: Vec<FactView>,
    /// Its sources.
    pub sources: Vec<SourceView>,
    /// When it was written.
    pub written: Date,
    /// When somebody must look again.
    pub review_by: Date,
    /// Layer and staleness.
    #[serde(flatten)]
    pub shown: Shown,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardView {
    /// Its id.
    pub id: String,
    /// The language it is shown in.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub kinds: Vec<Trouble>,
    /// Who it is for.
    pub audience: Vec<Audience>,
    /// Its lines.
    pub lines: Vec<Vec<Span>>,
    /// Whom to call; the first is dialled.
    pub call: Vec<ContactView>,
    /// Layer and staleness.
    #[serde(flatten)]
    pub shown: Shown,
}

/// A question, and what answers it for this reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionView {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: String,
    /// Cards: id and title.
    pub cards: Vec<Titled>,
    /// Chapters: id and title.
    pub chapters: Vec<Titled>,
    /// Contacts.
    pub contacts: Vec<ContactView>,
}

/// An id and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Titled {
    /// The id.
    pub id: String,
    /// The title.
    pub title: String,
}

impl<'a> Reader<'a> {
    /// The day it is.
    pub fn today(&self) -> Date {
        Date::of(self.now)
    }

    /// Whether something is for this reader.
    pub fn is_for(&self, audience: &[Audience], offices: &[Office]) -> bool {
        audience.contains(&self.audience)
            && (offices.is_empty() || self.office.is_none_or(|office| offices.contains(&office)))
    }

    fn shown(&self, layer: Layer, review_by: Date) -> Shown {
        let expires =
            self.layers.editions().iter().find(|edition| edition.layer == layer).map(|edition| edition.expires);
        let since = expires.map_or(review_by, |expires| expires.min(review_by));
        Shown { layer, stale_since: (since <= self.today()).then_some(since) }
    }

    /// Sources as they are cited; what the editions do not have is left out.
    pub fn sources(&self, cited: &[String]) -> Vec<SourceView> {
        let view = |cited: &String| {
            let source = self.layers.source(cited)?;
            let (title, address, year) = (source.title.clone(), source.address.clone(), source.year);
            Some(SourceView { cited: cited.clone(), title, address, year })
        };
        cited.iter().filter_map(view).collect()
    }

    fn provenance(&self, provenance: &Provenance) -> ProvenanceView {
        ProvenanceView {
            sources: self.sources(&provenance.source),
            source_date: provenance.source_date.clone(),
            checked: provenance.checked,
            review_by: provenance.review_by,
            status: provenance.status,
            check_at: provenance.check_at.clone(),
        }
    }

    /// A fact.
    pub fn fact(&self, id: &str) -> Option<FactView> {
        let (layer, fact) = self.layers.fact(id)?;
        Some(FactView {
            id: fact.id.clone(),
            text: fact.words.of(self.language).to_owned(),
            kind: fact.kind,
            value: fact.value,
            offices: fact.offices.clone(),
            holds: fact.holds_on(self.today()),
            valid_from: fact.valid_from,
            valid_to: fact.valid_to,
            shown: self.shown(layer, fact.provenance.review_by),
            provenance: self.provenance(&fact.provenance),
        })
    }

    fn contact_view(&self, (layer, contact): (Layer, &Contact)) -> ContactView {
        let of = |words: &crate::edition::Words| words.of(self.language).to_owned();
        ContactView {
            id: contact.id.clone(),
            name: of(&contact.name),
            purpose: of(&contact.purpose),
            number: contact.number.clone(),
            also: contact.also.clone(),
            hours: of(&contact.hours),
            reachable: contact.reachable(WallTime::of(self.now)),
            next: contact.next.clone(),
            emergency: contact.emergency,
            kinds: contact.kinds.clone(),
            shown: self.shown(layer, contact.provenance.review_by),
            provenance: self.provenance(&contact.provenance),
        }
    }

    /// A contact.
    pub fn contact(&self, id: &str) -> Option<ContactView> {
        self.layers.contact(id).map(|found| self.contact_view(found))
    }

    /// Whom to call now, for a kind of trouble or for any: who can be reached first, and those by their own order. An
    /// emergency number is among them whatever the kind; where it is not danger or a threat, it comes last.
    pub fn contacts(&self, kind: Option<Trouble>) -> Vec<ContactView> {
        let is_urgent = kind.is_none_or(|kind| matches!(kind, Trouble::Danger | Trouble::Threat));
        let fits = |contact: &Contact| {
            contact.emergency
                || self.is_for(&contact.audience, &contact.offices)
                    && kind.is_none_or(|kind| contact.kinds.contains(&kind))
        };
        let fitting = self.layers.contacts().filter(|(_, contact)| fits(contact));
        let mut views: Vec<_> = fitting.map(|found| self.contact_view(found)).collect();
        views.sort_by_key(|contact| (contact.emergency != is_urgent, contact.reachable));
        views
    }

    /// The questions, and what answers each for this reader.
    pub fn questions(&self) -> Vec<QuestionView> {
        let titled = |id: &String, front: &Front| {
            let titled = Titled { id: id.clone(), title: front.title.clone() };
            self.is_for(&front.audience, &front.offices).then_some(titled)
        };
        let chapter = |id: &String| titled(id, &self.layers.chapter(id, self.language)?.1.front);
        let card = |id: &String| titled(id, &self.layers.card(id, self.language)?.1.front);
        let contact = |id: &String| {
            let found = self.layers.contact(id)?;
            let is_shown = found.1.emergency || self.is_for(&found.1.audience, &found.1.offices);
            is_shown.then(|| self.contact_view(found))
        };
        let view = |question: crate::edition::Question| QuestionView {
            question: question.words.of(self.language).to_owned(),
            cards: question.cards.iter().filter_map(card).collect(),
            chapters: question.chapters.iter().filter_map(chapter).collect(),
            contacts: question.contacts.iter().filter_map(contact).collect(),
            id: question.id,
        };
        self.layers.questions().into_iter().map(view).collect()
    }

    /// A chapter, whoever it is for.
    pub fn chapter(&self, id: &str) -> Option<ChapterView> {
        let (layer, chapter) = self.layers.chapter(id, self.language)?;
        let Chapter { front, .. } = chapter;
        let facts = facts_in(chapter.body.iter().flat_map(Block::lines).chain(&chapter.checklist));
        Some(ChapterView {
            id: chapter.id.clone(),
            language: chapter.language,
            title: front.title.clone(),
            summary: front.summary.clone(),
            audience: front.audience.clone(),
            offices: front.offices.clone(),
            body: chapter.body.iter().map(|block| self.block(block)).collect(),
            checklist: chapter.checklist.iter().map(|line| self.filled(&line.spans)).collect(),
            facts: facts.iter().filter_map(|id| self.fact(id)).collect(),
            sources: self.sources(&front.sources),
            written: front.written,
            review_by: front.review_by,
            shown: self.shown(layer, front.review_by),
        })
    }

    /// A card, whoever it is for.
    pub fn card(&self, id: &str) -> Option<CardView> {
        let (layer, card) = self.layers.card(id, self.language)?;
        let Card { front, .. } = card;
        Some(CardView {
            id: card.id.clone(),
            language: card.language,
            title: front.title.clone(),
            kinds: card.kinds.clone(),
            audience: front.audience.clone(),
            lines: card.lines.iter().map(|line| self.filled(&line.spans)).collect(),
            call: card.call.iter().filter_map(|id| self.contact(id)).collect(),
            shown: self.shown(layer, front.review_by),
        })
    }

    fn block(&self, block: &Block) -> BlockView {
        let kind = match block {
            Block::Heading(_) => "heading",
            Block::Paragraph(_) => "paragraph",
            Block::List(_) => "list",
        };
        BlockView { kind, lines: block.lines().iter().map(|line| self.filled(&line.spans)).collect() }
    }

    /// Spans with facts and numbers filled in.
    fn filled(&self, spans: &[Span]) -> Vec<Span> {
        let fill = |span: &Span| match span {
            Span::Fact(id) => Span::Text(self.layers.fact(id).map_or_else(|| "?".to_owned(), |found| self.said(found))),
            Span::Contact(id) => Span::Text(
                self.layers.contact(id).map_or_else(|| "?".to_owned(), |(_, contact)| contact.number.clone()),
            ),
            Span::Bold(inner) => Span::Bold(self.filled(inner)),
            Span::Text(_) | Span::Link { .. } => span.clone(),
        };
        spans.iter().map(fill).collect()
    }

    /// A fact within a text, with what there is to know of it today.
    fn said(&self, (layer, fact): (Layer, &Fact)) -> String {
        let text = fact.words.of(self.language);
        let today = self.today();
        let note = match (fact.valid_from, fact.valid_to, self.shown(layer, fact.provenance.review_by).stale_since) {
            (_, Some(to), _) if to <= today => Some((self.language.pick("gold tot", "held until"), to)),
            (Some(from), _, _) if today < from => Some((self.language.pick("geldt vanaf", "holds from"), from)),
            (_, _, Some(since)) => {
                Some((self.language.pick("mogelijk verouderd sinds", "may be out of date since"), since))
            }
            _ => None,
        };
        note.map_or_else(|| text.to_owned(), |(words, day)| format!("{text} ({words} {day})"))
    }
}

/// The facts that lines name, each once.
fn facts_in<'l>(lines: impl Iterator<Item = &'l Line>) -> Vec<&'l str> {
    fn gather<'s>(spans: &'s [Span], into: &mut Vec<&'s str>) {
        for span in spans {
            match span {
                Span::Fact(id) if !into.contains(&id.as_str()) => into.push(id),
                Span::Bold(inner) => gather(inner, into),
                _ => {}
            }
        }
    }
    let mut facts = Vec::new();
    lines.for_each(|line| gather(&line.spans, &mut facts));
    facts
}

/// Spans as plain text. What a link leads to is named where `with_links`.
pub fn plain(spans: &[Span], with_links: bool) -> String {
    let mut text = String::new();
    for span in spans {
        match span {
            Span::Text(piece) => text.push_str(piece),
            Span::Bold(inner) => text.push_str(&plain(inner, with_links)),
            Span::Link { text: piece, to } => {
                text.push_str(piece);
                let (Link::Chapter(to) | Link::Card(to) | Link::Web(to)) = to;
                if with_links {
                    text.push_str(&format!(" ({to})"));
                }
            }
            Span::Fact(id) | Span::Contact(id) => text.push_str(id),
        }
    }
    text
}
