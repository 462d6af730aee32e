//! Layers of editions, read as one. A lower layer adds to the ones above it and replaces nothing of them: an
//! organisation's or province's publisher cannot change what the national edition says, its emergency numbers least.

use crate::Language;
use crate::edition::{Card, Chapter, Contact, Edition, Fact, Layer, Question, Scan, Source};

/// Editions from the national one down.
#[derive(Debug, Clone)]
pub struct Layers {
    editions: Vec<Edition>,
}

/// Something that is in a layer above already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// `fact`, `contact`, `chapter` or `card`.
    pub what: &'static str,
    /// Its id.
    pub id: String,
    /// It touches an emergency number: such an edition is refused whole.
    pub is_emergency: bool,
}

/// The digits of a telephone number, alike however it is written: `+31 20 …`, `0031 20 …`, `020 …`; `112`, `+31 112`.
fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("0031").or(digits.strip_prefix("31")).unwrap_or(&digits);
    national.trim_start_matches('0').to_owned()
}

impl Layers {
    /// The national edition alone.
    pub fn new(national: Edition) -> Self {
        Self { editions: vec![national] }
    }

    /// What an edition of a lower layer has of the layers above it.
    pub fn collisions(&self, lower: &Edition) -> Vec<Collision> {
        let mut found = Vec::new();
        let mut note = |what, id: &str, is_emergency| {
            let collision = Collision { what, id: id.to_owned(), is_emergency };
            if !found.contains(&collision) {
                found.push(collision);
            }
        };
        for fact in lower.facts.iter().filter(|fact| self.fact(&fact.id).is_some()) {
            note("fact", &fact.id, false);
        }
        for contact in &lower.contacts {
            let there = self.contact(&contact.id);
            let is_same_number = |(_, other): &(Layer, &Contact)| digits(&other.number) == digits(&contact.number);
            let is_emergency = there.is_some_and(|(_, there)| there.emergency)
                || self.contacts().filter(|(_, other)| other.emergency).any(|other| is_same_number(&other));
            if there.is_some() || is_emergency {
                note("contact", &contact.id, is_emergency);
            }
        }
        for chapter in &lower.chapters {
            if self.chapter(&chapter.id, chapter.language).is_some() {
                note("chapter", &chapter.id, false);
            }
        }
        for card in lower.cards.iter() {
            if let Some((_, there)) = self.card(&card.id, card.language) {
                // A card that dials an emergency number may not be made to dial another.
                let calls = |id: &String| self.contact(id).is_some_and(|(_, contact)| contact.emergency);
                note("card", &card.id, there.call.iter().any(calls));
            }
        }
        found
    }

    /// Adds a lower layer. What it has of the layers above it is left out.
    pub fn add(&mut self, mut lower: Edition) {
        for Collision { what, id, .. } in self.collisions(&lower) {
            match what {
                "fact" => lower.facts.retain(|fact| fact.id != id),
                "contact" => lower.contacts.retain(|contact| contact.id != id),
                "chapter" => lower.chapters.retain(|chapter| chapter.id != id),
                _ => lower.cards.retain(|card| card.id != id),
            }
        }
        self.editions.push(lower);
    }

    /// The editions, from the national one down.
    pub fn editions(&self) -> &[Edition] {
        &self.editions
    }

    fn each<'a, T: 'a>(
        &'a self,
        items: impl Fn(&'a Edition) -> &'a [T] + 'a,
    ) -> impl Iterator<Item = (Layer, &'a T)> + 'a {
        self.editions.iter().flat_map(move |edition| items(edition).iter().map(|item| (edition.layer, item)))
    }

    /// A fact.
    pub fn fact(&self, id: &str) -> Option<(Layer, &Fact)> {
        self.each(|edition| &edition.facts).find(|(_, fact)| fact.id == id)
    }

    /// Every contact.
    pub fn contacts(&self) -> impl Iterator<Item = (Layer, &Contact)> {
        self.each(|edition| &edition.contacts)
    }

    /// A contact.
    pub fn contact(&self, id: &str) -> Option<(Layer, &Contact)> {
        self.contacts().find(|(_, contact)| contact.id == id)
    }

    /// A source, of the first layer that has it; its section behind a colon is left out.
    pub fn source(&self, cited: &str) -> Option<&Source> {
        let id = cited.split(':').next().unwrap_or_default();
        self.each(|edition| &edition.sources).find(|(_, source)| source.id == id).map(|(_, source)| source)
    }

    /// Every chapter, in this language where there is one.
    pub fn chapters(&self, language: Language) -> impl Iterator<Item = (Layer, &Chapter)> {
        let ids = self.each(|edition| &edition.chapters).filter(|(_, chapter)| chapter.language == Language::Nl);
        ids.map(move |(layer, dutch)| self.chapter(&dutch.id, language).unwrap_or((layer, dutch)))
    }

    /// A chapter, in this language or else in Dutch.
    pub fn chapter(&self, id: &str, language: Language) -> Option<(Layer, &Chapter)> {
        let of = |language| {
            let mut all = self.each(|edition| &edition.chapters);
            all.find(move |(_, chapter)| chapter.id == id && chapter.language == language)
        };
        of(language).or_else(|| of(Language::Nl))
    }

    /// Every card, in this language where there is one.
    pub fn cards(&self, language: Language) -> impl Iterator<Item = (Layer, &Card)> {
        let ids = self.each(|edition| &edition.cards).filter(|(_, card)| card.language == Language::Nl);
        ids.map(move |(layer, dutch)| self.card(&dutch.id, language).unwrap_or((layer, dutch)))
    }

    /// A card, in this language or else in Dutch.
    pub fn card(&self, id: &str, language: Language) -> Option<(Layer, &Card)> {
        let of = |language| {
            let mut all = self.each(|edition| &edition.cards);
            all.find(move |(_, card)| card.id == id && card.language == language)
        };
        of(language).or_else(|| of(Language::Nl))
    }

    /// The questions, each once; lower layers add to the ones of higher layers.
    pub fn questions(&self) -> Vec<Question> {
        let mut all: Vec<Question> = Vec::new();
        for (_, question) in self.each(|edition| &edition.questions) {
            match all.iter_mut().find(|there| there.id == question.id) {
                Some(there) => {
                    there.chapters.extend_from_slice(&question.chapters);
                    there.cards.extend_from_slice(&question.cards);
                    there.contacts.extend_from_slice(&question.contacts);
                }
                None if !question.words.nl.is_empty() => all.push(question.clone()),
                None => {}
            }
        }
        all
    }

    /// The self-scan, of the first layer that has one.
    pub fn scan(&self) -> Option<&Scan> {
        self.editions.iter().find_map(|edition| edition.scan.as_ref())
    }
}
