//! An export: everything of a dossier in one file, which only its code opens. `docs/export.md` says it field by field.
//!
//! The file is a head (a name, a version, a random id) and sealed chunks. What is in the chunks is one stream of items,
//! each behind its length; the stream is cut every [`CHUNK_BYTES`] without regard to items, so writer and reader hold
//! little more than one chunk. A chunk is bound to the export's id, its place, and whether it is the last: none can be
//! left out, swapped, repeated or cut off.
//!
//! The code is 128 random bits, shown once ([`ExportCode`]). There is no passphrase: nobody could guess the code, and
//! nobody chose it.
//!
//! What shows: the size of the whole in steps of a chunk, the last of which is padded to a size class.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::FormatError;
use crate::blob::{CHUNK_BYTES, MAX_BLOB_BYTES, MAX_SEALED_CHUNK_BYTES, is_sealed_len, padded_len};
use crate::cbor;
use crate::circle::CircleKind;
use crate::code::{self, CodeError};
use crate::crypto::{Hash, SymmetricKey, open, seal, transcript};
use crate::entry::{pad_to, unpad};
use crate::id::{BlobId, CircleId, DeviceId, RecordId};
use crate::record::{FieldNumber, KindNumber, MAX_VALUE_BYTES, Value};
use crate::time::Timestamp;

/// What an export is called in errors.
const EXPORT: &str = "an export";
/// How every export begins.
const NAME: &[u8; 12] = b"BAKEN-EXPORT";
/// The version that stands behind the name.
const VERSION: u8 = 0;
const ID_BYTES: usize = 16;
/// The label of a chunk's seal.
const CHUNK_LABEL: &str = "baken/export-chunk/v0";
/// The label under which the code becomes a key.
const CODE_LABEL: &str = "baken/export-code/v0";
/// The label of the code's checksum.
const CHECKSUM_LABEL: &str = "baken/export-checksum/v0";
/// An item's length, which stands before it.
const LENGTH_BYTES: usize = 4;

/// Bytes before the first chunk.
pub const HEAD_BYTES: usize = NAME.len() + 1 + ID_BYTES;
/// The largest sealed chunk: every one but the last is of this size.
pub const SEALED_BYTES: usize = MAX_SEALED_CHUNK_BYTES;
/// The most chunks of an export: 256 GiB.
pub const MAX_CHUNKS: u32 = 1 << 20;
/// The most of a file that one item holds.
pub const PIECE_BYTES: usize = CHUNK_BYTES;
/// The largest item.
pub const MAX_ITEM_BYTES: usize = PIECE_BYTES + 64;
/// The most records of an export.
pub const MAX_RECORDS: u64 = 1 << 20;

/// The code of an export. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ExportCode([u8; 16]);

impl std::fmt::Debug for ExportCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportCode(…)")
    }
}

impl ExportCode {
    /// A new code.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut code = [0; 16];
        rng.fill_bytes(&mut code);
        Self(code)
    }

    /// The text that is shown: `XXXXX-XXXXX-…`.
    pub fn to_text(&self) -> String {
        code::to_text(CHECKSUM_LABEL, &self.0)
    }

    /// Reads a typed code, as forgiving as a recovery code's.
    ///
    /// # Errors
    /// [`CodeError`], which names the group.
    pub fn from_text(typed: &str) -> Result<Self, CodeError> {
        code::from_text(CHECKSUM_LABEL, typed).map(Self)
    }

    /// The key of one export.
    fn key(&self, id: &[u8; ID_BYTES]) -> SymmetricKey {
        let secret = Zeroizing::new(Hash::of(CODE_LABEL, &[&self.0]).0);
        let secret = SymmetricKey::from_slice(&*secret).unwrap_or_else(|| unreachable!("a hash has 32 bytes"));
        secret.derive(CODE_LABEL, &[id])
    }
}

/// One item of an export. In order: the head; of every circle its devices, then its records; of every record its puts,
/// then its files; the end.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum ExportItem {
    /// Begins the export.
    #[n(0)]
    Head {
        /// When it was made, by the clock of the device.
        #[n(0)]
        made_at: Timestamp,
        /// The device that made it.
        #[n(1)]
        device: DeviceId,
    },
    /// Begins a circle.
    #[n(1)]
    Circle {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// What it is for.
        #[n(1)]
        kind: CircleKind,
        /// What it is called, where it has a name.
        #[n(2)]
        name: Option<String>,
        /// It is the device's own: the dossier, or the one a guest joined.
        #[n(3)]
        home: bool,
    },
    /// What a device of the circle is called.
    #[n(2)]
    Device {
        /// The device.
        #[n(0)]
        device: DeviceId,
        /// Its name.
        #[n(1)]
        name: String,
    },
    /// Begins a record of the circle.
    #[n(3)]
    Record {
        /// The record.
        #[n(0)]
        record: RecordId,
        /// Its kind.
        #[n(1)]
        kind: KindNumber,
        /// It is deleted, and could be restored.
        #[n(2)]
        deleted: bool,
    },
    /// A value that was put to a field of the record; oldest first.
    #[n(4)]
    Put {
        /// The field; 0 deletes and restores.
        #[n(0)]
        field: FieldNumber,
        /// The value.
        #[n(1)]
        value: Value,
        /// The device that put it, where that is known.
        #[n(2)]
        by: Option<DeviceId>,
        /// When, by that device's clock.
        #[n(3)]
        at: Timestamp,
        /// It stands; otherwise a later one replaced it. Several of one field stand where they contradict.
        #[n(4)]
        stands: bool,
    },
    /// Begins a file that a value of the record names. Its bytes follow, where it has any.
    #[n(5)]
    File {
        /// The blob that the value names.
        #[n(0)]
        blob: BlobId,
        /// Its size in bytes.
        #[n(1)]
        size: u64,
    },
    /// The next bytes of the file: [`PIECE_BYTES`], or what is left.
    #[n(6)]
    Bytes {
        /// The bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// A file that a value of the record names and that was not on the device.
    #[n(7)]
    NotHere {
        /// The blob that the value names.
        #[n(0)]
        blob: BlobId,
        /// Its size in bytes.
        #[n(1)]
        size: u64,
    },
    /// Ends the export.
    #[n(8)]
    End {
        /// How many records there were.
        #[n(0)]
        records: u64,
        /// How many files.
        #[n(1)]
        files: u64,
    },
}

impl std::fmt::Debug for ExportItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Head { .. } => "Head(…)",
            Self::Circle { .. } => "Circle(…)",
            Self::Device { .. } => "Device(…)",
            Self::Record { .. } => "Record(…)",
            Self::Put { .. } => "Put(…)",
            Self::File { .. } => "File(…)",
            Self::Bytes { .. } => "Bytes(…)",
            Self::NotHere { .. } => "NotHere(…)",
            Self::End { .. } => "End(…)",
        })
    }
}

/// How far a stream of items has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Behind the head: a circle, or the end.
    Head,
    /// In a circle that has no record yet.
    Circle,
    /// In a record that has no file yet.
    Record,
    /// Behind a file of a record.
    Files,
    End,
}

/// Keeps the order of items, for the writer as for the reader.
#[derive(Debug)]
struct Order {
    place: Place,
    /// Bytes of the file that are still to come.
    left: u64,
    records: u64,
    files: u64,
}

impl Order {
    fn new() -> Self {
        Self { place: Place::Start, left: 0, records: 0, files: 0 }
    }

    fn take(&mut self, item: &ExportItem) -> Result<(), FormatError> {
        use ExportItem as I;
        let rule = |rule| Err(FormatError::Rule { what: EXPORT, rule });
        if let I::Bytes { bytes } = item {
            let expected = self.left.min(PIECE_BYTES as u64);
            if expected == 0 || bytes.len() as u64 != expected {
                return rule("a file has more or fewer bytes than it says");
            }
            self.left -= expected;
            return Ok(());
        }
        if self.left > 0 {
            return rule("a file has more or fewer bytes than it says");
        }
        let in_circle = matches!(self.place, Place::Circle | Place::Record | Place::Files);
        let in_record = matches!(self.place, Place::Record | Place::Files);
        self.place = match item {
            I::Head { .. } if self.place == Place::Start => Place::Head,
            I::Circle { .. } if in_circle || self.place == Place::Head => Place::Circle,
            I::Device { .. } if self.place == Place::Circle => Place::Circle,
            I::Record { .. } if in_circle => {
                self.records += 1;
                if self.records > MAX_RECORDS {
                    return rule("it has more records than an export may have");
                }
                Place::Record
            }
            I::Put { value, .. } if self.place == Place::Record => {
                if cbor::to_vec(value).len() > MAX_VALUE_BYTES {
                    return Err(FormatError::TooLarge { what: "a value", limit: MAX_VALUE_BYTES });
                }
                Place::Record
            }
            I::File { size, .. } if in_record && *size <= MAX_BLOB_BYTES => {
                (self.left, self.files) = (*size, self.files + 1);
                Place::Files
            }
            I::NotHere { size, .. } if in_record && *size <= MAX_BLOB_BYTES => Place::Files,
            I::End { records, files } if in_circle || self.place == Place::Head => {
                if (*records, *files) != (self.records, self.files) {
                    return rule("it has more or fewer records or files than it says");
                }
                Place::End
            }
            _ => return rule("its items are out of order"),
        };
        Ok(())
    }
}

/// What a chunk is bound to.
fn bound(id: &[u8; ID_BYTES], index: u32, last: bool) -> Vec<u8> {
    transcript(CHUNK_LABEL, &[id, &index.to_be_bytes(), &[u8::from(last)]])
}

/// Writes an export: items in, bytes of the file out.
pub struct ExportSealer {
    key: SymmetricKey,
    id: [u8; ID_BYTES],
    index: u32,
    buffer: Zeroizing<Vec<u8>>,
    order: Order,
}

impl std::fmt::Debug for ExportSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportSealer(…)")
    }
}

impl ExportSealer {
    /// Begins an export. The file begins with the bytes.
    pub fn new(code: &ExportCode, rng: &mut dyn CryptoRng) -> (Self, [u8; HEAD_BYTES]) {
        let mut id = [0; ID_BYTES];
        rng.fill_bytes(&mut id);
        let mut head = [0; HEAD_BYTES];
        let bytes = NAME.iter().chain(&[VERSION]).chain(&id);
        head.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + LENGTH_BYTES + MAX_ITEM_BYTES));
        (Self { key: code.key(&id), id, index: 0, buffer, order: Order::new() }, head)
    }

    /// Adds an item; the next bytes of the file are those that come back, if any.
    ///
    /// # Errors
    /// [`FormatError::Rule`] for an item out of order, [`FormatError::TooLarge`].
    pub fn push(&mut self, item: &ExportItem, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FormatError> {
        self.order.take(item)?;
        let item = Zeroizing::new(cbor::to_vec(item));
        let length = u32::try_from(item.len()).ok().filter(|_| item.len() <= MAX_ITEM_BYTES);
        let length = length.ok_or(FormatError::TooLarge { what: "an item of an export", limit: MAX_ITEM_BYTES })?;
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(&item);
        let mut sealed = Vec::new();
        // What fills a chunk just so may be the last.
        while self.buffer.len() > CHUNK_BYTES {
            sealed.extend(self.seal(CHUNK_BYTES, false, rng)?);
        }
        Ok(sealed)
    }

    /// Ends the file with the bytes that come back.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when the last item was not [`ExportItem::End`].
    pub fn finish(mut self, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FormatError> {
        if self.order.place != Place::End {
            return Err(FormatError::Rule { what: EXPORT, rule: "it ends too soon" });
        }
        self.seal(self.buffer.len(), true, rng)
    }

    fn seal(&mut self, len: usize, last: bool, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FormatError> {
        if self.index >= MAX_CHUNKS {
            return Err(FormatError::TooLarge {
                what: EXPORT,
                limit: (MAX_CHUNKS as usize).saturating_mul(CHUNK_BYTES),
            });
        }
        let plaintext = Zeroizing::new(self.buffer.drain(..len).collect::<Vec<u8>>());
        let padded = Zeroizing::new(pad_to(&plaintext, padded_len(len), EXPORT)?);
        let sealed = seal(&self.key, CHUNK_LABEL, &bound(&self.id, self.index, last), &padded, rng);
        self.index += 1;
        Ok(sealed)
    }
}

/// Reads an export: sealed chunks in, items out.
pub struct ExportOpener {
    key: SymmetricKey,
    id: [u8; ID_BYTES],
    index: u32,
    ended: bool,
    buffer: Zeroizing<Vec<u8>>,
    /// How much of the buffer was read.
    start: usize,
    order: Order,
}

impl std::fmt::Debug for ExportOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportOpener(…)")
    }
}

impl ExportOpener {
    /// Begins with the first [`HEAD_BYTES`] of the file. Whether the code fits shows at the first chunk.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for another kind of file, [`FormatError::WrongDocument`] for a newer version.
    pub fn new(code: &ExportCode, head: &[u8]) -> Result<Self, FormatError> {
        let malformed = FormatError::Malformed { what: EXPORT };
        let rest = head.strip_prefix(NAME).ok_or_else(|| malformed.clone())?;
        let (version, id) = rest.split_first().ok_or_else(|| malformed.clone())?;
        if *version != VERSION {
            return Err(FormatError::WrongDocument { expected: "BAKEN-EXPORT 0" });
        }
        let id: [u8; ID_BYTES] = id.try_into().map_err(|_| malformed)?;
        // Never moved, which would leave copies behind.
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + LENGTH_BYTES + MAX_ITEM_BYTES));
        Ok(Self { key: code.key(&id), id, index: 0, ended: false, buffer, start: 0, order: Order::new() })
    }

    /// Opens the next chunk. The last is the one behind which the file ends.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for another code, altered bytes, or a file that was cut; [`FormatError::Rule`].
    pub fn open_chunk(&mut self, sealed: &[u8], last: bool) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: EXPORT, rule };
        if self.ended || self.index >= MAX_CHUNKS {
            return Err(rule("it goes on behind its end"));
        }
        if !is_sealed_len(sealed.len()) || (!last && sealed.len() != SEALED_BYTES) {
            return Err(rule("a part of it is longer or shorter than it must be"));
        }
        let padded = open(&self.key, CHUNK_LABEL, &bound(&self.id, self.index, last), sealed, EXPORT)?;
        let plaintext = unpad(&padded, EXPORT)?;
        // One form: full, but for the last, and no larger class than needed.
        let is_full = plaintext.len() == CHUNK_BYTES;
        if padded_len(plaintext.len()) != padded.len() || plaintext.is_empty() || (!last && !is_full) {
            return Err(rule("a part of it holds less than it must"));
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.len() > LENGTH_BYTES + MAX_ITEM_BYTES {
            return Err(rule("its items are to be read first"));
        }
        self.buffer.extend_from_slice(plaintext);
        self.index += 1;
        self.ended = last;
        Ok(())
    }

    /// The next item; `None` when the next chunk must be opened first, or after the end.
    ///
    /// # Errors
    /// [`FormatError`]: malformed, too large, out of order, or the file ends in the middle.
    pub fn next_item(&mut self) -> Result<Option<ExportItem>, FormatError> {
        let ended_early = || FormatError::Rule { what: EXPORT, rule: "it ends too soon" };
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if self.order.place == Place::End {
            let rule = "it goes on behind its end";
            return if rest.is_empty() { Ok(None) } else { Err(FormatError::Rule { what: EXPORT, rule }) };
        }
        let more = || if self.ended { Err(ended_early()) } else { Ok(None) };
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else { return more() };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_ITEM_BYTES {
            return Err(FormatError::TooLarge { what: "an item of an export", limit: MAX_ITEM_BYTES });
        }
        let Some(bytes) = rest.get(..length) else { return more() };
        let item: ExportItem = cbor::from_slice(bytes, "an item of an export")?;
        self.start += LENGTH_BYTES + length;
        self.order.take(&item)?;
        Ok(Some(item))
    }

    /// Whether the last item has come.
    pub fn is_at_end(&self) -> bool {
        self.order.place == Place::End && self.ended
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    use super::*;

    /// An export of any stream, as somebody with the code could make it.
    fn items_of(stream: &[u8]) -> Result<Vec<ExportItem>, FormatError> {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let code = ExportCode::make(&mut rng);
        let (mut sealer, head) = ExportSealer::new(&code, &mut rng);
        sealer.buffer.extend_from_slice(stream);
        let sealed = sealer.seal(stream.len(), true, &mut rng).unwrap();
        let mut opener = ExportOpener::new(&code, &head).unwrap();
        opener.open_chunk(&sealed, true)?;
        let mut items = Vec::new();
        while let Some(item) = opener.next_item()? {
            items.push(item);
        }
        assert!(opener.is_at_end());
        Ok(items)
    }

    fn stream_of(items: &[ExportItem]) -> Vec<u8> {
        let framed = |item: &ExportItem| {
            let bytes = cbor::to_vec(item);
            [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
        };
        items.iter().flat_map(framed).collect()
    }

    fn letter() -> Vec<ExportItem> {
        let (device, at) = (DeviceId([1; 16]), Timestamp(7));
        vec![
            ExportItem::Head { made_at: at, device },
            ExportItem::Circle { circle: CircleId([2; 16]), kind: CircleKind::Dossier, name: None, home: true },
            ExportItem::Device { device, name: "Telefoon".to_owned() },
            ExportItem::Record { record: RecordId([3; 16]), kind: 9, deleted: false },
            ExportItem::Put { field: 1, value: Value::Text("brief".to_owned()), by: None, at, stands: true },
            ExportItem::File { blob: BlobId([4; 16]), size: 5 },
            ExportItem::Bytes { bytes: b"brief".to_vec() },
            ExportItem::End { records: 1, files: 1 },
        ]
    }

    #[test]
    fn a_reader_refuses_what_a_writer_would() {
        let good = letter();
        assert_eq!(items_of(&stream_of(&good)), Ok(good.clone()));
        for a in 0..good.len() {
            for b in a + 1..good.len() {
                let mut swapped = good.clone();
                swapped.swap(a, b);
                assert!(items_of(&stream_of(&swapped)).is_err(), "{a} and {b} swapped");
            }
            let mut twice = good.clone();
            twice.insert(a, good.get(a).unwrap().clone());
            // An empty circle, a name or a value more is another export.
            assert_eq!(items_of(&stream_of(&twice)).is_ok(), matches!(a, 1 | 2 | 4), "{a} twice");
        }
        let stream = stream_of(&good);
        assert!((1..stream.len()).all(|cut| items_of(stream.get(..cut).unwrap()).is_err()));
        assert!(items_of(&[&stream[..], &[0]].concat()).is_err());
        assert!(items_of(&[&u32::MAX.to_be_bytes()[..], &stream].concat()).is_err());
        assert!(items_of(&[]).is_err());
    }

    proptest! {
        #[test]
        fn any_stream_is_read_quietly_and_has_one_form(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut stream = stream_of(&letter());
            for (at, byte) in edits {
                let at = at.index(stream.len());
                *stream.get_mut(at).unwrap() = byte;
            }
            if let Ok(items) = items_of(&stream) {
                prop_assert_eq!(stream_of(&items), stream);
            }
        }
    }
}
