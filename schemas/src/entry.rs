//! The entry: a sealed, signed batch of record changes by one device; the unit of sync.
//!
//! On the wire: CBOR `[header, sealed]`, both byte strings. The header is everything the relay may see and is bound
//! to the seal as it stands, so an entry cannot move between circles, epochs, writers or places. Inside the seal are
//! the author, the author's view of everybody's last entry, the changes, and a signature over header and body: a
//! relay that hides or rolls back is contradicted by the next entry of any peer.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::FormatError;
use crate::cbor;
use crate::checkpoint::MAX_PARTS;
use crate::circle::LogHead;
use crate::crypto::{Hash, SEAL_OVERHEAD, Signature, SigningKey, SymmetricKey, VerifyKey, open, seal};
use crate::id::{CircleId, DeviceId, EntryId};

/// The label of an entry's seal and signature.
const LABEL: &str = "baken/entry/v0";
/// The format's version, first in every header. Version 0 is still read: its heads are all there are each time, and
/// it says nothing of the log.
const VERSION: u8 = 1;
/// The largest entry in bytes, sealed.
pub const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// The most writers a circle ever has.
pub const MAX_WRITERS: usize = 1024;
/// The newest record schema this program writes and understands.
pub const SCHEMA: u16 = 1;

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum EntryKind {
    /// Record changes, see [`crate::record::encode_changes`].
    #[n(0)]
    Changes,
    /// A part of a checkpoint, see [`crate::checkpoint`]. The relay sees that, to know which entries may go.
    #[n(1)]
    Checkpoint {
        /// From 0.
        #[n(0)]
        part: u16,
        /// How many there are.
        #[n(1)]
        of: u16,
    },
}

/// What the relay sees of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryHeader {
    /// Format version.
    #[n(0)]
    pub version: u8,
    /// What it holds.
    #[n(1)]
    pub kind: EntryKind,
    /// The circle it belongs to.
    #[n(2)]
    pub circle: CircleId,
    /// The epoch whose key sealed it.
    #[n(3)]
    pub epoch: u32,
    /// The entry.
    #[n(4)]
    pub entry: EntryId,
    /// The author's place in the membership log.
    #[n(5)]
    pub slot: u16,
    /// 1 for the author's first entry, rising by one.
    #[n(6)]
    pub counter: u64,
    /// Hash of the author's entry before this, [`Hash::ZERO`] before the first.
    #[n(7)]
    pub prev: Hash,
    /// See [`size_class`].
    #[n(8)]
    pub size_class: u8,
}

/// The last entry of one writer that the author had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WriterHead {
    /// The writer's place in the membership log.
    #[n(0)]
    pub slot: u16,
    /// The counter of that entry.
    #[n(1)]
    pub counter: u64,
    /// Its hash.
    #[n(2)]
    pub hash: Hash,
}

/// What only the circle's devices see.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryBody {
    /// The author.
    #[n(0)]
    pub device: DeviceId,
    /// When, as a hybrid logical clock: milliseconds × 65,536 + a counter. For people and order of display only.
    #[n(1)]
    pub hlc: u64,
    /// Where the author saw the membership log stand; `None` in an entry of version 0.
    #[n(2)]
    pub log: Option<LogHead>,
    /// The newest entry the author had applied of every other writer that had written since the author's previous
    /// entry. What an entry depends on, and what its changes cover, is all that its author's entries up to it name.
    #[n(3)]
    pub heads: Vec<WriterHead>,
    /// The record schema of `changes`; a receiver keeps unread what is newer than its own.
    #[n(4)]
    pub schema: u16,
    /// What it holds, by its kind.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub changes: Vec<u8>,
}

/// The body of an entry of version 0.
#[derive(Encode, Decode)]
struct BodyV0 {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    hlc: u64,
    #[n(2)]
    heads: Vec<WriterHead>,
    #[n(3)]
    schema: u16,
    #[cbor(n(4), with = "minicbor::bytes")]
    changes: Vec<u8>,
}

impl From<BodyV0> for EntryBody {
    fn from(body: BodyV0) -> Self {
        let BodyV0 { device, hlc, heads, schema, changes } = body;
        Self { device, hlc, log: None, heads, schema, changes }
    }
}

#[derive(Encode, Decode)]
struct Wire {
    #[cbor(n(0), with = "minicbor::bytes")]
    header: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

#[derive(Encode, Decode)]
struct SignedBody {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[n(1)]
    signature: Signature,
}

/// An entry as it travels: readable header, sealed rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    header: EntryHeader,
    header_bytes: Vec<u8>,
    sealed: Vec<u8>,
    bytes: Vec<u8>,
}

impl Entry {
    /// Seals and signs. `header.size_class` is set here.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] when the batch is too big: split it.
    pub fn seal(
        mut header: EntryHeader,
        body: &EntryBody,
        epoch_key: &SymmetricKey,
        sig: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, FormatError> {
        let body = cbor::to_vec(body);
        // The signature is 64 bytes and the framing at most 16: the class is known before the header is fixed.
        header.size_class = size_class(body.len() + 64 + 16);
        let padded_len = class_size(header.size_class);
        if padded_len.saturating_add(SEAL_OVERHEAD + 256) > MAX_ENTRY_BYTES {
            return Err(FormatError::TooLarge { what: "an entry", limit: MAX_ENTRY_BYTES });
        }
        let header_bytes = cbor::to_vec(&header);
        let signature = sig.sign(LABEL, &[&header_bytes, &body]);
        let plaintext = pad_to(&cbor::to_vec(&SignedBody { body, signature }), padded_len, "an entry")?;
        let key = entry_key(epoch_key, &header);
        let sealed = seal(&key, LABEL, &header_bytes, &plaintext, rng);
        let bytes = cbor::to_vec(&Wire { header: header_bytes.clone(), sealed: sealed.clone() });
        Ok(Self { header, header_bytes, sealed, bytes })
    }

    /// Reads the clear part. Anyone can, the relay too.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(FormatError::TooLarge { what: "an entry", limit: MAX_ENTRY_BYTES });
        }
        let wire: Wire = cbor::from_slice(bytes, "an entry")?;
        if wire.header.get(1).is_none_or(|version| *version > VERSION) {
            // A header is an array of fewer than 24 items: byte 0 is its length, byte 1 the version.
            return Err(FormatError::WrongDocument { expected: LABEL });
        }
        let header: EntryHeader = cbor::from_slice(&wire.header, "an entry's header")?;
        if header.counter == 0 || (header.counter == 1) != (header.prev == Hash::ZERO) {
            return Err(FormatError::Rule { what: "an entry", rule: "counter and previous entry do not agree" });
        }
        if let EntryKind::Checkpoint { part, of } = header.kind
            && (header.version == 0 || part >= of || of > MAX_PARTS)
        {
            return Err(FormatError::Rule {
                what: "an entry",
                rule: "the parts of a checkpoint count up to their number",
            });
        }
        // A class past all sizes saturates: such a header comes from outside.
        if wire.sealed.len() != class_size(header.size_class).saturating_add(SEAL_OVERHEAD) {
            return Err(FormatError::Rule { what: "an entry", rule: "its size is not that of its class" });
        }
        Ok(Self { header, header_bytes: wire.header, sealed: wire.sealed, bytes: bytes.to_vec() })
    }

    /// What the relay sees.
    pub fn header(&self) -> &EntryHeader {
        &self.header
    }

    /// The bytes that travel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the author's next entry and others' heads name.
    pub fn hash(&self) -> Hash {
        Hash::of("baken/entry-hash/v0", &[&self.bytes])
    }

    /// Opens the entry and checks that `author`, with key `sig`, made it.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a wrong key or altered bytes, [`FormatError::Signature`] for another author.
    pub fn open(&self, epoch_key: &SymmetricKey, author: DeviceId, sig: &VerifyKey) -> Result<EntryBody, FormatError> {
        let key = entry_key(epoch_key, &self.header);
        let plaintext = open(&key, LABEL, &self.header_bytes, &self.sealed, "an entry")?;
        let signed: SignedBody = cbor::from_slice(unpad(&plaintext, "an entry")?, "an entry")?;
        sig.verify("an entry", LABEL, &[&self.header_bytes, &signed.body], &signed.signature)?;
        let body = match self.header.version {
            0 => cbor::from_slice::<BodyV0>(&signed.body, "an entry")?.into(),
            _ => cbor::from_slice::<EntryBody>(&signed.body, "an entry")?,
        };
        if body.device != author {
            return Err(FormatError::Signature { what: "an entry" });
        }
        if body.heads.len() > MAX_WRITERS || !body.heads.is_sorted_by(|a, b| a.slot < b.slot) {
            return Err(FormatError::Rule { what: "an entry", rule: "heads are one a writer, in order" });
        }
        if self.header.version > 0 {
            if body.log.is_none() {
                return Err(FormatError::Rule { what: "an entry", rule: "it says where the membership log stands" });
            }
            if body.heads.iter().any(|head| head.slot == self.header.slot || head.counter == 0) {
                return Err(FormatError::Rule { what: "an entry", rule: "heads are entries of other writers" });
            }
        }
        Ok(body)
    }
}

/// A header for the next entry of a writer.
pub fn next_header(
    kind: EntryKind,
    circle: CircleId,
    epoch: u32,
    slot: u16,
    previous: Option<(u64, Hash)>,
    rng: &mut dyn CryptoRng,
) -> EntryHeader {
    let (counter, prev) = previous.map_or((1, Hash::ZERO), |(counter, hash)| (counter.saturating_add(1), hash));
    EntryHeader { version: VERSION, kind, circle, epoch, entry: EntryId::make(rng), slot, counter, prev, size_class: 0 }
}

fn entry_key(epoch_key: &SymmetricKey, header: &EntryHeader) -> SymmetricKey {
    epoch_key.derive("baken/entry-key/v0", &[&header.circle.0, &header.epoch.to_be_bytes(), &header.entry.0])
}

/// The class whose size holds `len` bytes with the 4-byte length before them: 256, 320, 384, 448, 512, 640 … bytes,
/// four classes an octave, so padding adds at most a quarter.
pub fn size_class(len: usize) -> u8 {
    (0..=u8::MAX).find(|class| class_size(*class) >= len.saturating_add(4)).unwrap_or(u8::MAX)
}

/// The size of a class in bytes, saturating past what fits.
pub fn class_size(class: u8) -> usize {
    let (octave, quarter) = (u32::from(class / 4), usize::from(class % 4));
    if octave > 40 { usize::MAX } else { (4 + quarter).saturating_mul(64 << octave) }
}

/// `length (4 bytes, big-endian) ‖ bytes ‖ zeros`, `size` bytes in all.
///
/// # Errors
/// [`FormatError::TooLarge`].
pub fn pad_to(bytes: &[u8], size: usize, what: &'static str) -> Result<Vec<u8>, FormatError> {
    let too_large = FormatError::TooLarge { what, limit: size.saturating_sub(4) };
    let length = u32::try_from(bytes.len()).map_err(|_| too_large.clone())?;
    if bytes.len().saturating_add(4) > size {
        return Err(too_large);
    }
    let mut padded = Vec::with_capacity(size);
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(bytes);
    padded.resize(size, 0);
    Ok(padded)
}

/// What [`pad_to`] padded.
///
/// # Errors
/// [`FormatError::Malformed`] when the length is off or the padding is not all zeros.
pub fn unpad<'a>(padded: &'a [u8], what: &'static str) -> Result<&'a [u8], FormatError> {
    let malformed = FormatError::Malformed { what };
    let (length, rest) = padded.split_first_chunk::<4>().ok_or_else(|| malformed.clone())?;
    let length = u32::from_be_bytes(*length) as usize;
    let (bytes, padding) = rest.split_at_checked(length).ok_or_else(|| malformed.clone())?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(malformed);
    }
    Ok(bytes)
}
