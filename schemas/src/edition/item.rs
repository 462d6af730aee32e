//! What an edition holds beside texts: sources, facts, contacts, questions and the self-scan. Each fact and contact says
//! where it comes from, when somebody last looked, and when somebody must look again.

use serde::{Deserialize, Serialize};

use crate::Language;
use crate::edition::{Audience, Date, FactKind, Office, Opening, Status, Trouble, Words};
use crate::local_time::WallTime;

/// Something that is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// How it is cited; a section of it behind a colon.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Where it is.
    #[serde(default)]
    pub address: String,
    /// The year it is from.
    pub year: Option<u16>,
}

/// Where something comes from, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The ids of its sources, a section behind a colon.
    pub source: Vec<String>,
    /// The source's day, or its year alone.
    pub source_date: String,
    /// When somebody last looked.
    pub checked: Date,
    /// When somebody must look again; from this day on it is shown as possibly out of date.
    pub review_by: Date,
    /// Whether it was found confirmed.
    pub status: Status,
    /// Where to check what was not.
    pub check_at: Option<String>,
    /// Rows of the Leidraad that it serves.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// A fact: an amount, a term, a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id.
    pub id: String,
    /// What its value is.
    pub kind: FactKind,
    /// For a program: a whole number, whole euros, or a day.
    pub value: Option<Value>,
    /// As a reader sees it.
    #[serde(flatten)]
    pub words: Words,
    /// For which offices; empty for every.
    #[serde(default)]
    pub offices: Vec<Office>,
    /// From this day on; `None` since ever.
    pub valid_from: Option<Date>,
    /// Until before this day; `None` until further notice.
    pub valid_to: Option<Date>,
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A fact's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number, or whole euros.
    Number(i64),
    /// A day.
    Date(Date),
}

impl Fact {
    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }
}

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Words,
    /// What it is for.
    pub purpose: Words,
    /// As dialled in the Netherlands.
    pub number: String,
    /// Another way, such as a chat or a number for who is hard of hearing.
    pub also: Option<String>,
    /// When it can be reached, in words.
    pub hours: Words,
    /// Whom to call when it does not answer.
    pub next: Option<String>,
    /// An emergency number: never hidden, and only the national layer has it.
    #[serde(default)]
    pub emergency: bool,
    /// Who it is for.
    pub audience: Vec<Audience>,
    /// For which offices; empty for every.
    #[serde(default)]
    pub offices: Vec<Office>,
    /// What it is for.
    #[serde(default)]
    pub kinds: Vec<Trouble>,
    /// It can be reached day and night.
    #[serde(default)]
    pub always: bool,
    /// When it can be reached, for a program; empty where only the words say it.
    #[serde(default)]
    pub open: Vec<Opening>,
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Whether a contact can be reached at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reachable {
    /// It can.
    Now,
    /// Its words say when; no program can tell.
    SeeHours,
    /// It can not.
    Closed,
}

impl Contact {
    /// Whether it can be reached at what the clock on the wall shows.
    pub fn reachable(&self, now: WallTime) -> Reachable {
        if self.always || self.open.iter().any(|hours| hours.holds(now)) {
            Reachable::Now
        } else if self.open.is_empty() {
            Reachable::SeeHours
        } else {
            Reachable::Closed
        }
    }
}

/// A question that the first screen begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its id.
    pub id: String,
    /// The question. A lower layer that only adds to one of a higher leaves it out.
    #[serde(flatten)]
    pub words: Words,
    /// Chapters that answer it.
    #[serde(default)]
    pub chapters: Vec<String>,
    /// Cards that do.
    #[serde(default)]
    pub cards: Vec<String>,
    /// Contacts that do.
    #[serde(default)]
    pub contacts: Vec<String>,
}

/// The self-scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// What is asked first, and where it leads.
    pub gate: Gate,
    /// Its themes, in order.
    #[serde(rename = "theme")]
    pub themes: Vec<Theme>,
    /// Its questions, in order.
    #[serde(rename = "question")]
    pub questions: Vec<ScanQuestion>,
    /// What it ends with.
    pub closing: Closing,
}

/// What is asked before the scan: whoever is in danger is led elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The question.
    #[serde(flatten)]
    pub words: Words,
    /// Cards it leads to.
    #[serde(default)]
    pub cards: Vec<String>,
    /// Contacts it leads to.
    #[serde(default)]
    pub contacts: Vec<String>,
}

/// A theme of the scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(flatten)]
    pub words: Words,
}

/// A question of the scan, answered by yes, no, or not applicable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanQuestion {
    /// Its number, 1 to 20.
    pub id: u8,
    /// Its theme.
    pub theme: String,
    /// The question.
    #[serde(flatten)]
    pub words: Words,
    /// "Not applicable" is an answer.
    #[serde(default)]
    pub not_applicable: bool,
    /// The tip comes with yes, not with no.
    #[serde(default)]
    pub reversed: bool,
    /// How soon the tip should be followed; 1 is first.
    pub priority: u8,
    /// What to do, short.
    pub tip: Words,
    /// What to do, longer.
    #[serde(default)]
    pub advice: Words,
    /// Its sources.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Rows of the Leidraad that it serves.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Tips that differ for some offices.
    #[serde(default)]
    pub by_office: Vec<TipByOffice>,
}

/// A tip for some offices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipByOffice {
    /// For which.
    pub offices: Vec<Office>,
    /// Their tip.
    pub tip: Words,
    /// Its priority, where it differs.
    pub priority: Option<u8>,
}

/// What the scan ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The words.
    #[serde(flatten)]
    pub words: Words,
    /// Whom to talk to.
    pub contact: Option<String>,
}

/// A chapter in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// Its id: number and English words, the same in every language.
    pub id: String,
    /// Its language.
    pub language: Language,
    /// What stands before its text.
    #[serde(flatten)]
    pub front: Front,
    /// Its text, without the checklist.
    pub body: Vec<Block>,
    /// Its checklist.
    pub checklist: Vec<Line>,
}

/// A card for the moment itself, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its id, the same in every language.
    pub id: String,
    /// Its language.
    pub language: Language,
    /// What stands before its text.
    #[serde(flatten)]
    pub front: Front,
    /// What it is for.
    pub kinds: Vec<Trouble>,
    /// Whom to call; the first is dialled.
    pub call: Vec<String>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What stands before a chapter's or card's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// Its title.
    pub title: String,
    /// One sentence about it; empty for cards.
    #[serde(default)]
    pub summary: String,
    /// Who it is for.
    pub audience: Vec<Audience>,
    /// For which offices; empty for every.
    #[serde(default)]
    pub offices: Vec<Office>,
    /// Its sources.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Rows of the Leidraad that it serves.
    #[serde(default)]
    pub rows: Vec<String>,
    /// When it was written.
    pub written: Date,
    /// When somebody must look again.
    pub review_by: Date,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// A heading.
    Heading(Line),
    /// A paragraph.
    Paragraph(Line),
    /// A list.
    List(Vec<Line>),
}

impl Block {
    /// Its lines.
    pub fn lines(&self) -> &[Line] {
        match self {
            Self::Heading(line) | Self::Paragraph(line) => std::slice::from_ref(line),
            Self::List(lines) => lines,
        }
    }
}

/// A line of text, and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The number of its first line in the file, from 1.
    pub number: u32,
    /// What it is made of.
    pub spans: Vec<Span>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Text.
    Text(String),
    /// What stands out.
    Bold(Vec<Span>),
    /// Text that leads somewhere.
    Link {
        /// The text.
        text: String,
        /// Where to.
        to: Link,
    },
    /// A fact, in the reader's language.
    Fact(String),
    /// A contact's number.
    Contact(String),
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// To a chapter.
    Chapter(String),
    /// To a card.
    Card(String),
    /// To a page of the web, by https.
    Web(String),
}
