//! Finding records by words, in every circle that is open on this device; deleted ones are left out.
//!
//! Records lie encrypted, so there is nothing on the disk to look through. From the first search on the words of all
//! records are in memory ([`RecordWords`]), and they go with the keys when the vault is locked. The next search reads
//! only what has changed since, and it knows by a hash of each row: other programs may have written to the vault too.

use std::collections::BTreeMap;

use baken_schemas::Language;
use baken_schemas::checkpoint::FieldState;
use baken_schemas::record::{self, Value};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::circle::CircleRow;
use crate::finding::{KnownWords, MAX_HITS, excerpt, line_with, tokens, wanted};
use crate::incident::label;
use crate::record::register::kept;
use crate::record::{RecordView, SELECT_VIEWS, view_of_row};
use crate::{Baken, BakenError};

/// What a word weighs in the first field of a record, by which lists name it.
const FIRST_FIELD: f32 = 2.0;
/// How many rows that no longer stand are kept among the others before all is read anew.
const MAX_GONE: usize = 2_000;

/// A record that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordHit {
    /// The record.
    pub record: RecordView,
    /// The field in which the words were found; empty where it was not in a text.
    pub field: &'static str,
    /// The line of it.
    pub excerpt: String,
    /// How well it fits; only for comparing.
    pub score: f32,
}

/// Where a word stands, and how much it weighs there.
#[derive(Debug, Clone, Copy)]
struct Place {
    doc: usize,
    weight: f32,
}

/// A row as it was read.
#[derive(Debug)]
struct Read {
    doc: usize,
    hash: [u8; 32],
}

/// The words of all records.
#[derive(Debug, Default)]
pub(crate) struct RecordWords {
    /// How many changes SQLite had counted when this was read: by this connection, and whether by others.
    at: Option<(u64, i64)>,
    rows: BTreeMap<i64, Read>,
    /// The row of each document; `None` when it has changed since, and stands under another number.
    docs: Vec<Option<i64>>,
    words: KnownWords<Place>,
}

impl RecordWords {
    /// Reads what has changed.
    fn refresh(&mut self, connection: &Connection) -> Result<(), BakenError> {
        let others: i64 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        let at = Some((connection.total_changes(), others));
        if self.at == at {
            return Ok(());
        }
        if self.docs.len() > self.rows.len() + MAX_GONE {
            *self = Self::default();
        }
        let mut statement = connection.prepare_cached("SELECT id, kind, body FROM record ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut gone = std::mem::take(&mut self.rows);
        while let Some(row) = rows.next()? {
            let (id, kind): (i64, u16) = (row.get(0)?, row.get(1)?);
            let body = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let hash = Sha256::digest(body).into();
            let known = gone.remove(&id);
            let doc = match &known {
                Some(read) if read.hash == hash => read.doc,
                _ => self.read(id, kind, body)?,
            };
            if let Some(old) = known.filter(|read| read.doc != doc) {
                self.forget(old.doc);
            }
            self.rows.insert(id, Read { doc, hash });
        }
        gone.into_values().for_each(|read| self.forget(read.doc));
        self.at = at;
        Ok(())
    }

    fn forget(&mut self, doc: usize) {
        if let Some(row) = self.docs.get_mut(doc) {
            *row = None;
        }
    }

    /// Reads a row as a new document.
    fn read(&mut self, id: i64, kind: record::KindNumber, body: &[u8]) -> Result<usize, BakenError> {
        let doc = self.docs.len();
        self.docs.push(Some(id));
        let kind = record::kind_numbered(kind);
        if kind.is_some_and(|kind| !kind.is_shown()) {
            return Ok(doc);
        }
        for (at, state) in kept::<Vec<FieldState>>(body)?.iter().enumerate() {
            // The first is that it was deleted, where it ever was.
            let weight = if at == 0 { FIRST_FIELD } else { 1.0 };
            let spec = kind.and_then(|kind| kind.field_numbered(state.field));
            let of_list = spec.is_some_and(|spec| !spec.words.is_empty());
            for put in &state.puts {
                match &put.value {
                    Value::Text(word) if of_list => {
                        self.text(doc, label(word, Language::Nl), weight);
                        self.text(doc, label(word, Language::En), weight);
                    }
                    Value::Text(text) => self.text(doc, text, weight),
                    _ => {}
                }
            }
        }
        Ok(doc)
    }

    fn text(&mut self, doc: usize, text: &str, weight: f32) {
        // A telephone number is looked for with and without what parts it.
        let number = text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains(char::is_alphabetic);
        let whole = number.then(|| text.chars().filter(char::is_ascii_digit).collect::<String>());
        for word in tokens(text).chain(whole) {
            let places = self.words.places(word);
            match places.last_mut().filter(|place| place.doc == doc) {
                Some(place) => place.weight = place.weight.max(weight),
                None => places.push(Place { doc, weight }),
            }
        }
    }

    /// The rows that fit, the best first, with their scores.
    fn search(&self, wanted: &[String]) -> impl Iterator<Item = (i64, f32)> {
        let scores = self.words.scores(self.docs.len(), wanted, |place| (place.doc, place.weight));
        scores.ranked().into_iter().filter_map(|found| Some(((*self.docs.get(found.doc)?)?, found.score)))
    }
}

impl Baken {
    /// Records that fit the words best, the best first, at most twenty. Typing errors are forgiven, and the order of the
    /// words counts for nothing.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn search_records(&self, typed: &str) -> Result<Vec<RecordHit>, BakenError> {
        self.with_settled(|open| {
            open.words.refresh(&open.vault.connection)?;
            let wanted = wanted(typed);
            let mut statement = open.vault.connection.prepare_cached(&format!("{SELECT_VIEWS} WHERE r.id = ?1"))?;
            let mut circles = open.vault.connection.prepare_cached("SELECT circle FROM record WHERE id = ?1")?;
            let mut hits = Vec::new();
            for (row, score) in open.words.search(&wanted) {
                let circle = open.circles.at(CircleRow(circles.query_row([row], |row| row.get(0))?))?;
                let mut rows = statement.query([row])?;
                let Some(found) = rows.next()? else { continue };
                let record = view_of_row(circle, found)?;
                if record.deleted {
                    continue;
                }
                let (field, excerpt) = found_in(&record, &wanted);
                hits.push(RecordHit { record, field, excerpt, score });
                if hits.len() == MAX_HITS {
                    break;
                }
            }
            Ok(hits)
        })
    }
}

/// The first line in which one of the words is found, and its field; the first line of all where it was in none.
fn found_in(record: &RecordView, wanted: &[String]) -> (&'static str, String) {
    let texts = || {
        let values = record.fields.iter().flat_map(|field| field.values.iter().map(move |view| (field.name, view)));
        values.filter_map(|(name, view)| if let Value::Text(text) = &view.value { Some((name, text)) } else { None })
    };
    let lines = || texts().flat_map(|(_, text)| text.lines());
    let Some(line) = line_with(lines(), wanted) else { return ("", String::new()) };
    let name = texts().find(|(_, text)| text.lines().any(|other| std::ptr::eq(other, line))).and_then(|(name, _)| name);
    (name.unwrap_or_default(), excerpt(line))
}
