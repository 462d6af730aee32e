//! Finding in editions: an index of their words ([`crate::finding`]), made when it is first asked.

use baken_schemas::Language;
use baken_schemas::edition::{Audience, Block, Front, Layer, Layers, Line, Office, Reader, Span, Trouble};
use serde::Serialize;

use crate::finding::{KnownWords, MAX_HITS, Ranked, excerpt, line_with, tokens, wanted};

/// What a word in the other language than the reader's weighs.
const OTHER_LANGUAGE: f32 = 0.6;
/// What a word for a kind of trouble weighs on a card of that kind alone.
const KIND_WEIGHT: f32 = 4.0;

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
    words: KnownWords<Place>,
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
        let mut index = Self { docs: Vec::new(), words: KnownWords::default() };
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
            let places = self.words.places(word);
            match places.iter_mut().rfind(|place| place.doc == doc && place.language == language) {
                Some(place) => place.weight = place.weight.max(weight),
                None => places.push(Place { doc, weight, language }),
            }
        }
    }

    /// The best hits for a reader.
    pub(super) fn search(&self, reader: &Reader<'_>, typed: &str) -> Vec<Hit> {
        let wanted = wanted(typed);
        let weight = |place: &Place| {
            let own = if place.language == reader.language { 1.0 } else { OTHER_LANGUAGE };
            (place.doc, place.weight * own)
        };
        let mut found = self.words.scores(self.docs.len(), &wanted, weight).ranked();
        found.retain(|found| {
            let for_reader = |doc: &Doc| doc.is_emergency || reader.is_for(&doc.audience, &doc.offices);
            self.docs.get(found.doc).is_some_and(for_reader)
        });
        // Of cards for danger or threats the one that fits best goes before all else.
        let is_urgent = |doc: usize| self.docs.get(doc).is_some_and(|doc| doc.is_urgent);
        if let Some(urgent) = found.iter().position(|found| found.covered > 0.5 && is_urgent(found.doc)) {
            let card = found.remove(urgent);
            found.insert(0, card);
        }
        found.truncate(MAX_HITS);
        let hit = |found: Ranked| Some(self.hit(self.docs.get(found.doc)?, reader, &wanted, found.score));
        found.into_iter().filter_map(hit).collect()
    }

    fn hit(&self, doc: &Doc, reader: &Reader<'_>, wanted: &[String], score: f32) -> Hit {
        let ([nl, en], [nl_title, en_title]) = (&doc.lines, &doc.titles);
        let lines = if reader.language == Language::En && !en.is_empty() { en } else { nl };
        let line = line_with(lines.iter().map(String::as_str), wanted).unwrap_or_default();
        Hit {
            kind: doc.kind,
            id: doc.id.clone(),
            title: reader.language.pick(nl_title, en_title).clone(),
            excerpt: excerpt(line),
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
