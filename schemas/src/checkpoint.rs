//! A checkpoint: the whole state of a circle, written by one of its owners as a run of entries of kind
//! [`crate::entry::EntryKind::Checkpoint`], so that old entries can go.
//!
//! Its parts lie in their author's chain like any entry: sealed, signed, counted, ordered. The first part says how far
//! the author had read every writer; all parts hold records with the identity of each put that stands. A device that
//! has all of that already has nothing to do; one that was away for long, or is new, starts from it.

use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::cbor;
use crate::crypto::Hash;
use crate::entry::MAX_WRITERS;
use crate::id::RecordId;
use crate::record::{FieldNumber, KindNumber, MAX_VALUE_BYTES, Value};

/// The most parts of a checkpoint: at most 1 GiB in all.
pub const MAX_PARTS: u16 = 1024;
/// The most puts in one part.
const MAX_PUTS: usize = 65_536;

/// The last entry of a writer that a checkpoint covers, and what that writer had seen by then.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WriterState {
    /// The writer.
    #[n(0)]
    pub slot: u16,
    /// The counter of that entry.
    #[n(1)]
    pub counter: u64,
    /// Its hash.
    #[n(2)]
    pub hash: Hash,
    /// Its epoch.
    #[n(3)]
    pub epoch: u32,
    /// What the writer had applied of the others: slot and counter, in order of slot.
    #[n(4)]
    pub seen: Vec<Seen>,
}

/// How far a writer had been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Seen {
    /// The writer.
    #[n(0)]
    pub slot: u16,
    /// The counter of its last entry that was read.
    #[n(1)]
    pub counter: u64,
}

/// One put that stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StandingPut {
    /// Whose it is.
    #[n(0)]
    pub slot: u16,
    /// The counter of the entry that brought it.
    #[n(1)]
    pub counter: u64,
    /// When, by its author's hybrid logical clock.
    #[n(2)]
    pub hlc: u64,
    /// What the field was put to.
    #[n(3)]
    pub value: Value,
}

/// A field and the puts that stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FieldState {
    /// The field.
    #[n(0)]
    pub field: FieldNumber,
    /// At least one.
    #[n(1)]
    pub puts: Vec<StandingPut>,
}

/// A record with every field that was ever put.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordState {
    /// The record.
    #[n(0)]
    pub record: RecordId,
    /// Its kind.
    #[n(1)]
    pub kind: KindNumber,
    /// In order of field.
    #[n(2)]
    pub fields: Vec<FieldState>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CheckpointPart {
    /// In the first part, every writer whose entries are covered, in order of slot; else empty.
    #[n(0)]
    pub writers: Vec<WriterState>,
    /// Records; none is spread over two parts.
    #[n(1)]
    pub records: Vec<RecordState>,
}

impl CheckpointPart {
    /// Its bytes, the `changes` of an entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// Reads a part.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, or over a limit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let what = "a checkpoint";
        let part: Self = cbor::from_slice(bytes, what)?;
        let puts = || part.records.iter().flat_map(|record| &record.fields).flat_map(|field| &field.puts);
        if part.writers.len() > MAX_WRITERS {
            return Err(FormatError::TooLarge { what, limit: MAX_WRITERS });
        }
        if puts().count() > MAX_PUTS {
            return Err(FormatError::TooLarge { what, limit: MAX_PUTS });
        }
        if puts().any(|put| put.counter == 0 || cbor::to_vec(&put.value).len() > MAX_VALUE_BYTES) {
            return Err(FormatError::Rule { what, rule: "puts count from one and are no larger than a value" });
        }
        let in_order = part.writers.is_sorted_by(|a, b| a.slot < b.slot)
            && part.writers.iter().all(|writer| writer.counter > 0 && writer.seen.is_sorted_by(|a, b| a.slot < b.slot))
            && part.records.iter().all(|record| {
                record.fields.is_sorted_by(|a, b| a.field < b.field)
                    && record.fields.iter().all(|field| !field.puts.is_empty())
            });
        let mut records: Vec<_> = part.records.iter().map(|record| (record.record, record.kind)).collect();
        records.sort_unstable();
        if records.windows(2).any(|two| matches!(two, [a, b] if a == b)) {
            return Err(FormatError::Rule { what, rule: "a record comes once" });
        }
        if in_order { Ok(part) } else { Err(FormatError::Rule { what, rule: "writers and fields come in order" }) }
    }
}
