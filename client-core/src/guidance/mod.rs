//! Guidance on the phone: chapters, cards, facts and contacts, of three layers read as one. Public content, so it needs no
//! PIN, no account and no network: the edition that Baken ships is in the program.
//!
//! What came from the relay lies beside it in files ([`store`]), each verified again when it is read; one that does not
//! hold is left and said, and the shipped edition is read in its place. Newer editions come with [`update`]; finding is
//! [`search`]. Not here: what a person writes (those are records).

mod search;
mod store;
#[cfg(test)]
mod tests;
mod update;

pub use search::{Hit, HitKind};
pub(crate) use store::remove as remove_editions;
pub use store::{LayerState, Origin};
pub use update::{LayerUpdate, Outcome};

use std::sync::OnceLock;

use baken_schemas::Language;
use baken_schemas::edition::{
    Audience, CardView, ChapterView, ContactView, Date, FactView, Layers, Office, QuestionView, Reader, Trouble,
};
use baken_schemas::rules::{Cover, DecisionView, Situation, decide, recorded_cover};
use baken_schemas::time::Timestamp;

use crate::{Baken, BakenError};
use search::Index;

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAs {
    /// In which language.
    pub language: Language,
    /// For whom it must be; what is for others is not shown.
    pub audience: Audience,
    /// With which office; `None` shows what is for any.
    pub office: Option<Office>,
}

/// All there is to read, as it was when it was opened.
#[derive(Debug)]
pub struct Guidance {
    layers: Layers,
    states: Vec<LayerState>,
    now: Timestamp,
    index: OnceLock<Index>,
}

impl Guidance {
    /// The shipped edition and what was installed over and under it.
    fn new(layers: Layers, states: Vec<LayerState>, now: Timestamp) -> Self {
        Self { layers, states, now, index: OnceLock::new() }
    }

    /// Each layer: which version, how old, and what is wrong with it.
    pub fn states(&self) -> &[LayerState] {
        &self.states
    }

    pub(crate) fn reader(&self, who: ReadAs) -> Reader<'_> {
        let ReadAs { language, audience, office } = who;
        Reader { layers: &self.layers, language, audience, office, now: self.now }
    }

    /// The questions that a screen begins with, and what answers them.
    pub fn questions(&self, who: ReadAs) -> Vec<QuestionView> {
        self.reader(who).questions()
    }

    /// A chapter.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`], [`BakenError::NotForAudience`].
    pub fn chapter(&self, who: ReadAs, id: &str) -> Result<ChapterView, BakenError> {
        let reader = self.reader(who);
        let chapter = reader.chapter(id).ok_or(BakenError::NoSuchGuidance)?;
        if reader.is_for(&chapter.audience, &[]) { Ok(chapter) } else { Err(BakenError::NotForAudience) }
    }

    /// The ids of all chapters, whoever they are for.
    pub fn chapter_ids(&self) -> impl Iterator<Item = &str> {
        self.layers.chapters(Language::Nl).map(|(_, chapter)| chapter.id.as_str())
    }

    /// A card.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`], [`BakenError::NotForAudience`].
    pub fn card(&self, who: ReadAs, id: &str) -> Result<CardView, BakenError> {
        let reader = self.reader(who);
        let card = reader.card(id).ok_or(BakenError::NoSuchGuidance)?;
        if reader.is_for(&card.audience, &[]) { Ok(card) } else { Err(BakenError::NotForAudience) }
    }

    /// Every card that is for the reader, in the order of the edition.
    pub fn cards(&self, who: ReadAs) -> Vec<CardView> {
        let reader = self.reader(who);
        let ids = self
            .layers
            .cards(who.language)
            .filter(|(_, card)| reader.is_for(&card.front.audience, &card.front.offices));
        ids.filter_map(|(_, card)| reader.card(&card.id)).collect()
    }

    /// A fact.
    ///
    /// # Errors
    /// [`BakenError::NoSuchGuidance`].
    pub fn fact(&self, who: ReadAs, id: &str) -> Result<FactView, BakenError> {
        self.reader(who).fact(id).ok_or(BakenError::NoSuchGuidance)
    }

    /// Whom to call now, for a kind of trouble or for any.
    pub fn contacts(&self, who: ReadAs, kind: Option<Trouble>) -> Vec<ContactView> {
        self.reader(who).contacts(kind)
    }

    /// What the rules say of a situation, with the facts that each answer rests on.
    ///
    /// # Errors
    /// [`BakenError::OfficeElsewhere`].
    pub fn rules(&self, who: ReadAs, situation: &Situation) -> Result<DecisionView, BakenError> {
        let decision = decide(&self.layers, situation).map_err(BakenError::OfficeElsewhere)?;
        Ok(self.reader(who).decision(&decision))
    }

    /// Whether the person's insurance covers them, as their organisation's edition says; `None` where it says nothing.
    pub fn recorded_cover(&self, office: Office, on: Date) -> Option<Cover> {
        recorded_cover(&self.layers, office, on)
    }

    /// What fits the words best, the best first, at most twenty. Typing errors are forgiven, and words of
    /// either language found.
    pub fn search(&self, who: ReadAs, words: &str) -> Vec<Hit> {
        let index = self.index.get_or_init(|| Index::of(&self.layers));
        index.search(&self.reader(who), words)
    }
}

impl Baken {
    /// Opens the guidance: without PIN, without account, without network.
    ///
    /// # Errors
    /// [`BakenError::EditionRefused`] when the program's own edition cannot be read, which its tests forbid.
    pub fn guidance(&self) -> Result<Guidance, BakenError> {
        let (layers, states) = store::open(&self.home, self.edition_org(), self.context.now())?;
        Ok(Guidance::new(layers, states, self.context.now()))
    }

    /// The root key of the organisation that this device belongs to, where it belongs to one that can be read.
    fn edition_org(&self) -> Option<baken_schemas::crypto::VerifyKey> {
        self.directory().ok().map(|directory| directory.root)
    }
}
