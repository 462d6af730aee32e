//! A blob: a file that belongs to a record, sealed in chunks that travel and lie apart from entries.
//!
//! The file is cut into chunks of [`CHUNK_BYTES`], each sealed under the blob's own random key and bound to the blob,
//! its place and the number of chunks, so none can stand in another's place and none can be left out. Full chunks are
//! all of one size; the last is padded to a size class as entries are. Key, number, size and the root of a Merkle tree
//! over the sealed chunks ([`BlobRef`]) are in the record that names the blob, which a device has signed: a seal alone
//! would also open if another member of the circle, who has the key, had made it.
//!
//! Who fetches a blob is given the list of its leaves first (32 bytes a chunk, 26 kB for the largest file), holds the
//! list against the root, and can then judge each chunk alone as it comes. A proof a chunk would carry ten hashes each
//! time, 260 kB in all, for the same. The list needs no secrecy: whoever has the sealed chunks can make it.
//!
//! What shows to the relay: how many chunks, and the size class of the last.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{Hash, SEAL_OVERHEAD, SymmetricKey, open, seal, transcript};
use crate::entry::{class_size, pad_to, size_class, unpad};
use crate::id::BlobId;

/// The label of a chunk's seal.
const LABEL: &str = "baken/blob-chunk/v0";
/// The label of a leaf's hash: of one sealed chunk.
const LEAF_LABEL: &str = "baken/blob-leaf/v0";
/// The label of a node's hash: of the two below it.
const NODE_LABEL: &str = "baken/blob-node/v0";
/// What a chunk is called in errors.
const CHUNK: &str = "an attachment's chunk";
/// What a blob is called in errors.
const BLOB: &str = "an attachment";
/// A chunk's length, which stands before its bytes.
const LENGTH_BYTES: usize = 4;

/// How much of the file is in a chunk; the last may have less.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The largest file.
pub const MAX_BLOB_BYTES: u64 = MAX_CHUNKS as u64 * CHUNK_BYTES as u64;
/// The most chunks of a blob: 200 MiB.
pub const MAX_CHUNKS: u32 = 800;
/// The largest sealed chunk: every one but the last is of this size.
pub const MAX_SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + LENGTH_BYTES + SEAL_OVERHEAD;

/// What a record holds of a blob: enough to fetch, check and open it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlobRef {
    /// The blob.
    #[n(0)]
    pub blob: BlobId,
    /// Opens its chunks.
    #[cbor(n(1), encode_with = "encode_key", decode_with = "decode_key")]
    pub key: SymmetricKey,
    /// How many there are; an empty file has one.
    #[n(2)]
    pub chunks: u32,
    /// The file's size in bytes.
    #[n(3)]
    pub size: u64,
    /// [`root`] of the sealed chunks.
    #[n(4)]
    pub root: Hash,
}

fn encode_key<C, W: encode::Write>(
    key: &SymmetricKey,
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    e.bytes(key.as_bytes())?.ok()
}

fn decode_key<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<SymmetricKey, decode::Error> {
    SymmetricKey::from_slice(d.bytes()?).ok_or_else(|| decode::Error::message("length of a key"))
}

impl BlobRef {
    /// The value of a record's field.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// Reads the value of a record's field.
    ///
    /// # Errors
    /// [`FormatError::Malformed`], and as [`Self::check`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let blob: Self = cbor::from_slice(bytes, BLOB)?;
        blob.check()?;
        Ok(blob)
    }

    /// Whether size and number of chunks agree. A blob out of a record is checked before it is used.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past [`MAX_BLOB_BYTES`], [`FormatError::Rule`].
    pub fn check(&self) -> Result<(), FormatError> {
        if self.chunks != chunks_of(self.size)? {
            return Err(FormatError::Rule { what: BLOB, rule: "its size and its number of chunks do not agree" });
        }
        Ok(())
    }

    /// How much of the file is in chunk `index`; `None` when there is no such chunk.
    pub fn chunk_len(&self, index: u32) -> Option<usize> {
        chunk_len(self.size, index)
    }

    /// Opens chunk `index`.
    ///
    /// # Errors
    /// [`FormatError::Rule`] for a size or a length that is not the chunk's, [`FormatError::Sealed`] for another key,
    /// altered bytes, or a chunk of another place or blob.
    pub fn open_chunk(&self, index: u32, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, FormatError> {
        let rule = |rule| FormatError::Rule { what: CHUNK, rule };
        self.check()?;
        let len = self.chunk_len(index).ok_or(rule("there is no such chunk"))?;
        if sealed.len() != sealed_len(len) {
            return Err(rule("it is longer or shorter than it must be"));
        }
        let padded = open(&self.key, LABEL, &bound(self.blob, index, self.chunks), sealed, CHUNK)?;
        let plaintext = unpad(&padded, CHUNK)?;
        if plaintext.len() != len {
            return Err(rule("it holds more or less of the file than it must"));
        }
        Ok(Zeroizing::new(plaintext.to_vec()))
    }
}

/// Seals a file chunk by chunk, in order.
#[derive(Debug)]
pub struct BlobSealer {
    blob: BlobId,
    key: SymmetricKey,
    size: u64,
    chunks: u32,
    leaves: Vec<Hash>,
}

impl BlobSealer {
    /// A new blob for a file of `size` bytes.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] past [`MAX_BLOB_BYTES`].
    pub fn new(size: u64, rng: &mut dyn CryptoRng) -> Result<Self, FormatError> {
        let chunks = chunks_of(size)?;
        let (blob, key) = (BlobId::make(rng), SymmetricKey::make(rng));
        Ok(Self { blob, key, size, chunks, leaves: Vec::new() })
    }

    /// The blob's id.
    pub fn blob(&self) -> BlobId {
        self.blob
    }

    /// The place of the next chunk, and how much of the file belongs into it; `None` when all are sealed.
    pub fn next_chunk(&self) -> Option<(u32, usize)> {
        let index = u32::try_from(self.leaves.len()).ok()?;
        chunk_len(self.size, index).map(|len| (index, len))
    }

    /// Seals the next chunk.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when it is not of the length that [`Self::next_chunk`] asks for.
    pub fn seal(&mut self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> Result<Vec<u8>, FormatError> {
        let Some((index, len)) = self.next_chunk().filter(|(_, len)| *len == plaintext.len()) else {
            return Err(FormatError::Rule { what: CHUNK, rule: "it holds more or less of the file than it must" });
        };
        let padded = Zeroizing::new(pad_to(plaintext, padded_len(len), CHUNK)?);
        let sealed = seal(&self.key, LABEL, &bound(self.blob, index, self.chunks), &padded, rng);
        self.leaves.push(leaf(&sealed));
        Ok(sealed)
    }

    /// What the record needs to hold.
    ///
    /// # Errors
    /// [`FormatError::Rule`] when chunks are missing.
    pub fn finish(self) -> Result<BlobRef, FormatError> {
        let root = root(&self.leaves).filter(|_| self.next_chunk().is_none());
        let root = root.ok_or(FormatError::Rule { what: BLOB, rule: "it has fewer chunks than it must" })?;
        Ok(BlobRef { blob: self.blob, key: self.key, chunks: self.chunks, size: self.size, root })
    }
}

/// How many chunks a file of `size` bytes has.
///
/// # Errors
/// [`FormatError::TooLarge`] past [`MAX_BLOB_BYTES`].
pub fn chunks_of(size: u64) -> Result<u32, FormatError> {
    let chunks = size.div_ceil(CHUNK_BYTES as u64).max(1);
    match u32::try_from(chunks) {
        Ok(chunks) if chunks <= MAX_CHUNKS => Ok(chunks),
        _ => Err(FormatError::TooLarge { what: BLOB, limit: MAX_CHUNKS as usize * CHUNK_BYTES }),
    }
}

/// How much of a file of `size` bytes is in chunk `index`; `None` when there is no such chunk.
fn chunk_len(size: u64, index: u32) -> Option<usize> {
    if index >= chunks_of(size).ok()? {
        return None;
    }
    let before = u64::from(index) * CHUNK_BYTES as u64;
    usize::try_from(size.checked_sub(before)?.min(CHUNK_BYTES as u64)).ok()
}

/// A chunk's size once it is padded: that of its class, but never more than a full one's.
pub(crate) fn padded_len(len: usize) -> usize {
    class_size(size_class(len)).min(CHUNK_BYTES + LENGTH_BYTES)
}

/// The size of a sealed chunk that holds `len` bytes of the file.
pub fn sealed_len(len: usize) -> usize {
    padded_len(len) + SEAL_OVERHEAD
}

/// Whether a chunk can be of this size. The relay takes no other, so that no phone shows more than a class.
pub fn is_sealed_len(len: usize) -> bool {
    len <= MAX_SEALED_CHUNK_BYTES
        && len.checked_sub(SEAL_OVERHEAD + LENGTH_BYTES).is_some_and(|holds| sealed_len(holds) == len)
}

/// What a chunk is bound to: its blob, its place, and how many there are.
fn bound(blob: BlobId, index: u32, chunks: u32) -> Vec<u8> {
    transcript(LABEL, &[&blob.0, &index.to_be_bytes(), &chunks.to_be_bytes()])
}

/// The leaf of one sealed chunk.
pub fn leaf(sealed: &[u8]) -> Hash {
    Hash::of(LEAF_LABEL, &[sealed])
}

/// The root of a Merkle tree: of one leaf it is the leaf, of more the hash of the roots of two parts, the left of which
/// has the largest power of two of leaves that leaves something for the right (the tree of RFC 6962). `None` without
/// leaves.
pub fn root(leaves: &[Hash]) -> Option<Hash> {
    match leaves {
        [] => None,
        [leaf] => Some(*leaf),
        _ => {
            let left = 1 << (leaves.len() - 1).ilog2();
            let (left, right) = leaves.split_at_checked(left)?;
            Some(Hash::of(NODE_LABEL, &[&root(left)?.0, &root(right)?.0]))
        }
    }
}
