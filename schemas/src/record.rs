//! Records: kinds with fields, declared once, and the changes to them that entries carry.
//!
//! A field of a record is a multi-value register: a change is always a put. Which puts it covers says the entry it is
//! in: all that the entry's author had taken in. Deleting a record is a put to its field [`DELETED`], restoring is
//! another. There are no removals, so nothing that was written can be lost by merging.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::cbor;
use crate::circle::CircleKind;
use crate::id::RecordId;

mod kinds;
pub mod words;

/// The number of a record kind on the wire.
pub type KindNumber = u16;
/// The number of a field on the wire.
pub type FieldNumber = u16;

/// The field that every kind has: true deletes the record, false restores it.
pub const DELETED: FieldNumber = 0;
/// The largest value in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The most changes in one entry.
pub const MAX_CHANGES: usize = 4096;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Text of any length up to [`MAX_VALUE_BYTES`].
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A moment, in milliseconds since 1970.
    Time,
    /// Bytes: a key, a picture.
    Bytes,
}

/// A field of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FieldSpec {
    /// On the wire; never used again for something else.
    pub number: FieldNumber,
    /// In the command line and in code.
    pub name: &'static str,
    /// What it holds.
    pub holds: FieldType,
    /// The words that this version writes into it; none when any text will do. What a newer version wrote is kept.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub words: &'static [&'static str],
}

impl FieldSpec {
    /// Whether this version can write and show a value of this field. Emptying fits every field.
    pub fn takes(&self, value: &Value) -> bool {
        match (self.holds, value) {
            (_, Value::Empty)
            | (FieldType::Bool, Value::Bool(_))
            | (FieldType::Int | FieldType::Time, Value::Int(_))
            | (FieldType::Bytes, Value::Bytes(_)) => true,
            (FieldType::Text, Value::Text(text)) => self.words.is_empty() || self.words.contains(&text.as_str()),
            _ => false,
        }
    }
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KindSpec {
    /// On the wire; never used again for something else.
    pub number: KindNumber,
    /// In the command line and in code.
    pub name: &'static str,
    /// Its fields, the first being what a list shows.
    pub fields: &'static [FieldSpec],
    /// The kinds of circle whose members share such records.
    pub circles: &'static [CircleKind],
    /// Whose affair they are.
    pub keeping: Keeping,
}

/// Whose affair the records of a kind are: lists and searches, exports, cases and journeys ask it, each its own question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeping {
    /// The person's, who writes and reads them.
    ByPerson,
    /// The person's, and of no use to the eye: what they open can be read with them.
    Sealed,
    /// Baken's own. It comes and goes with what it is about, and means nothing in another dossier.
    ByBaken,
    /// As [`Self::ByBaken`], one of each account, device or circle: no deletion of it counts.
    ForGood,
}

pub use kinds::KINDS;

/// The kind of a name.
pub fn kind_named(name: &str) -> Option<&'static KindSpec> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The kind of a number; `None` when a newer version made it.
pub fn kind_numbered(number: KindNumber) -> Option<&'static KindSpec> {
    KINDS.iter().find(|kind| kind.number == number)
}

impl KindSpec {
    /// Whether people look at such records: lists, searches and cases have no others.
    pub fn is_shown(&self) -> bool {
        self.keeping == Keeping::ByPerson
    }

    /// Whether such records are the person's, and go where the dossier goes.
    pub fn is_persons(&self) -> bool {
        matches!(self.keeping, Keeping::ByPerson | Keeping::Sealed)
    }

    /// The field of a name.
    pub fn field_named(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of a number; `None` when a newer version made it.
    pub fn field_numbered(&self, number: FieldNumber) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.number == number)
    }
}

/// What a field is put to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Text.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A whole number, or a moment in milliseconds since 1970.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Emptied by hand.
    Empty,
    /// A value of a newer version: one CBOR item, kept as it came.
    Newer(Vec<u8>),
}

impl Value {
    fn encoded_len(&self) -> usize {
        cbor::to_vec(self).len()
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Bool(_) => "Bool(…)",
            Self::Int(_) => "Int(…)",
            Self::Bytes(_) => "Bytes(…)",
            Self::Empty => "Empty",
            Self::Newer(_) => "Newer(…)",
        })
    }
}

impl<C> Encode<C> for Value {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Text(text) => e.str(text)?.ok(),
            Self::Bool(bool) => e.bool(*bool)?.ok(),
            Self::Int(int) => e.i64(*int)?.ok(),
            Self::Bytes(bytes) => e.bytes(bytes)?.ok(),
            Self::Empty => e.null()?.ok(),
            Self::Newer(item) => e.writer_mut().write_all(item).map_err(encode::Error::write),
        }
    }
}

impl<'b, C> Decode<'b, C> for Value {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Ok(match d.datatype()? {
            Type::String => Self::Text(d.str()?.to_owned()),
            Type::Bool => Self::Bool(d.bool()?),
            Type::Bytes => Self::Bytes(d.bytes()?.to_vec()),
            Type::Null => {
                d.null()?;
                Self::Empty
            }
            Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                match d.probe().i64() {
                    Ok(int) => {
                        d.skip()?;
                        Self::Int(int)
                    }
                    Err(_) => Self::Newer(raw_item(d)?),
                }
            }
            Type::F16 | Type::F32 | Type::F64 => return Err(decode::Error::message("floats are not allowed")),
            _ => Self::Newer(raw_item(d)?),
        })
    }
}

fn raw_item(d: &mut Decoder<'_>) -> Result<Vec<u8>, decode::Error> {
    let start = d.position();
    let rest = d.input().get(start..).ok_or_else(decode::Error::end_of_input)?;
    // Nothing here is encoded again, so `cbor::from_slice` would take any form of it.
    let len = cbor::item_len(rest).ok_or_else(|| decode::Error::message("no deterministic item"))?;
    let item = rest.get(..len).ok_or_else(decode::Error::end_of_input)?;
    d.set_position(start + len);
    Ok(item.to_vec())
}

/// A put to one field of one record.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: KindNumber,
    /// The field.
    pub field: FieldNumber,
    /// What it is put to.
    pub value: Value,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({:?}, kind {}, field {})", self.record, self.kind, self.field)
    }
}

/// On the wire: every record id once, then a column a field, so that a batch of a thousand edits costs about what
/// its values cost.
#[derive(Encode, Decode)]
struct Columns {
    #[n(0)]
    records: Vec<(RecordId, KindNumber)>,
    #[n(1)]
    columns: Vec<Column>,
}

#[derive(Encode, Decode)]
struct Column {
    #[n(0)]
    field: FieldNumber,
    /// Indices into the records.
    #[n(1)]
    records: Vec<u32>,
    #[n(2)]
    values: Vec<Value>,
}

/// Schema 0, read only: every put had a clock of its own.
#[derive(Encode, Decode)]
struct ColumnsV0 {
    #[n(0)]
    records: Vec<(RecordId, KindNumber)>,
    #[n(1)]
    columns: Vec<ColumnV0>,
}

#[derive(Encode, Decode)]
struct ColumnV0 {
    #[n(0)]
    field: FieldNumber,
    #[n(1)]
    records: Vec<u32>,
    #[n(2)]
    clocks: Vec<Vec<u64>>,
    #[n(3)]
    values: Vec<Value>,
}

impl From<ColumnsV0> for Columns {
    fn from(old: ColumnsV0) -> Self {
        let column = |ColumnV0 { field, records, values, .. }| Column { field, records, values };
        Self { records: old.records, columns: old.columns.into_iter().map(column).collect() }
    }
}

/// Encodes a batch of changes.
///
/// # Errors
/// [`FormatError`] when there are too many or one is too large: split the batch.
pub fn encode_changes(changes: &[Change]) -> Result<Vec<u8>, FormatError> {
    if changes.len() > MAX_CHANGES {
        return Err(FormatError::TooLarge { what: "a batch of changes", limit: MAX_CHANGES });
    }
    let mut records: Vec<(RecordId, KindNumber)> = changes.iter().map(|change| (change.record, change.kind)).collect();
    records.sort_unstable();
    records.dedup();
    let mut columns: std::collections::BTreeMap<FieldNumber, Column> = std::collections::BTreeMap::new();
    for change in changes {
        if change.value.encoded_len() > MAX_VALUE_BYTES {
            return Err(FormatError::TooLarge { what: "a value", limit: MAX_VALUE_BYTES });
        }
        let index = records
            .binary_search(&(change.record, change.kind))
            .ok()
            .and_then(|index| u32::try_from(index).ok())
            .ok_or(FormatError::Malformed { what: "a batch of changes" })?;
        let column = columns.entry(change.field).or_insert_with(|| Column {
            field: change.field,
            records: Vec::new(),
            values: Vec::new(),
        });
        column.records.push(index);
        column.values.push(change.value.clone());
    }
    Ok(cbor::to_vec(&Columns { records, columns: columns.into_values().collect() }))
}

/// Reads a batch of changes of a record schema up to [`crate::entry::SCHEMA`].
///
/// # Errors
/// [`FormatError`]: malformed, or over a limit.
pub fn decode_changes(schema: u16, bytes: &[u8]) -> Result<Vec<Change>, FormatError> {
    let what = "a batch of changes";
    let malformed = FormatError::Malformed { what };
    let Columns { records, columns } = match schema {
        0 => cbor::from_slice::<ColumnsV0>(bytes, what)?.into(),
        _ => cbor::from_slice(bytes, what)?,
    };
    if columns.iter().map(|column| column.values.len()).sum::<usize>() > MAX_CHANGES {
        return Err(FormatError::TooLarge { what, limit: MAX_CHANGES });
    }
    // One batch has one form, as `encode_changes` writes it: records and columns in order, each once, none unused.
    if !records.is_sorted_by(|a, b| a < b) || !columns.is_sorted_by(|a, b| a.field < b.field) {
        return Err(malformed);
    }
    let mut used = vec![false; records.len()];
    let mut changes = Vec::new();
    for column in columns {
        if column.records.is_empty() || column.records.len() != column.values.len() {
            return Err(malformed);
        }
        for (index, value) in column.records.into_iter().zip(column.values) {
            let at = index as usize;
            let (record, kind) = *records.get(at).ok_or_else(|| malformed.clone())?;
            if let Some(used) = used.get_mut(at) {
                *used = true;
            }
            if value.encoded_len() > MAX_VALUE_BYTES {
                return Err(FormatError::TooLarge { what: "a value", limit: MAX_VALUE_BYTES });
            }
            changes.push(Change { record, kind, field: column.field, value });
        }
    }
    if used.contains(&false) {
        return Err(malformed);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_used_once() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(KINDS.iter().skip(at + 1).all(|other| other.number != kind.number && other.name != kind.name));
            for (at, field) in kind.fields.iter().enumerate() {
                assert_ne!(field.number, DELETED);
                let others = kind.fields.iter().skip(at + 1);
                assert!(others.clone().all(|other| other.number != field.number && other.name != field.name));
            }
        }
    }

    #[test]
    fn words_are_written_one_way_and_found_once() {
        for field in KINDS.iter().flat_map(|kind| kind.fields) {
            assert!(field.words.is_empty() || field.holds == FieldType::Text, "{}", field.name);
            for (at, word) in field.words.iter().enumerate() {
                assert!(
                    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                    "{word}"
                );
                assert!(field.words.iter().skip(at + 1).all(|other| other != word), "{word}");
                assert!(field.takes(&Value::Text((*word).to_owned())));
            }
            assert!(field.words.is_empty() || !field.takes(&Value::Text("a-word-of-tomorrow".to_owned())));
            assert!(field.takes(&Value::Empty) && !field.takes(&Value::Newer(vec![0x80])));
        }
    }

    /// What was shipped stays: kinds and fields are added, never changed.
    #[test]
    fn kinds_of_the_first_version_are_as_they_were() {
        let first: &[(&str, KindNumber, &[&str])] = &[
            (
                "profile",
                1,
                &[
                    "name",
                    "office",
                    "organisation",
                    "phone",
                    "home_address",
                    "car",
                    "household",
                    "medical",
                    "code_word",
                    "language",
                ],
            ),
            ("contact", 2, &["name", "relation", "phone", "email", "available", "emergency", "remark"]),
            ("measure", 3, &["title", "state", "decided_by", "provider", "due", "confidential", "remark"]),
            ("incident", 4, &["what", "happened_at", "place", "source", "witnesses", "reported_to", "police_report"]),
            ("note", 5, &["title", "text"]),
            ("device", 6, &["name"]),
            ("plan", 7, &["title", "text", "when"]),
            ("guidance", 8, &["title", "chapter", "remark"]),
            ("attachment", 9, &["name", "media_type", "blob", "thumbnail", "of"]),
            ("account", 10, &["desk_key"]),
            ("circle", 11, &["name"]),
        ];
        for (name, number, fields) in first {
            let kind = kind_named(name).expect("a kind");
            assert_eq!(kind.number, *number);
            for (at, field) in fields.iter().enumerate() {
                let spec = kind.field_named(field).expect("a field");
                assert_eq!((usize::from(spec.number), spec.words), (at + 1, &[][..]), "{name}.{field}");
            }
        }
    }

    #[test]
    fn a_value_of_a_newer_version_is_kept_as_it_came() {
        // A tagged value and an array, neither of which this version writes.
        for item in [&[0xc1, 0x1a, 0, 1, 0, 0][..], &[0x82, 0x01, 0x61, 0x61], &[0x1b, 255, 0, 0, 0, 0, 0, 0, 0]] {
            let value: Value = cbor::from_slice(item, "a value").expect("any well-formed item is a value");
            assert_eq!(value, Value::Newer(item.to_vec()));
            assert_eq!(cbor::to_vec(&value), item);
        }
    }
}
