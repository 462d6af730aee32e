//! Editions: published content (guidance, cards, facts, contacts, the self-scan) from its source files to what a reader
//! sees, and its signatures.
//!
//! What is signed and travels are the source files themselves, each by its hash ([`signed`]): one form of the content,
//! which an editor reads too, and a delta is a file, or how it changed ([`FileChange`]). Whoever has verified them compiles them ([`compile`]). Three layers
//! are read as one ([`Layers`]). Not here: where files lie and how they travel.

mod change;
pub mod check;
mod date;
mod finding;
mod hours;
mod item;
mod layers;
mod markdown;
pub mod shipped;
pub mod signed;
mod source;
mod view;
pub(crate) mod words;

pub use change::{FileChange, Piece};
pub use date::Date;
pub use finding::{Finding, Severity};
pub use hours::Opening;
pub use item::{
    Block, Card, Chapter, Closing, Contact, Fact, Front, Gate, Line, Link, Provenance, Question, Reachable, Scan,
    ScanQuestion, Source, Span, Theme, TipByOffice, Value,
};
pub use layers::{Collision, Layers};
pub use source::{Files, MAX_EDITION_BYTES, MAX_FILE_BYTES, MAX_FILES, compile, is_known, is_path, language_of};
pub use view::{
    BlockView, CardView, ChapterView, ContactView, FactView, ProvenanceView, QuestionView, Reader, Shown, SourceView,
    Titled, plain,
};
pub use words::{Audience, FactKind, Layer, Office, Reply, Status, Trouble, Words};

use crate::Language;

/// A compiled edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Its name.
    pub name: String,
    /// Its layer.
    pub layer: Layer,
    /// Rises with every edition of this name.
    pub version: u64,
    /// The languages it is written in.
    pub languages: Vec<Language>,
    /// From this day on all of it is shown as possibly out of date.
    pub expires: Date,
    /// What is cited.
    pub sources: Vec<Source>,
    /// Its facts.
    pub facts: Vec<Fact>,
    /// Its contacts.
    pub contacts: Vec<Contact>,
    /// Its chapters, by path.
    pub chapters: Vec<Chapter>,
    /// Its cards, by path.
    pub cards: Vec<Card>,
    /// What the first screen asks.
    pub questions: Vec<Question>,
    /// The self-scan, where this layer has one.
    pub scan: Option<Scan>,
}
