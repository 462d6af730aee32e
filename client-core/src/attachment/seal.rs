//! Sealing a file into chunks, as it is read: never more than one chunk of it is in memory.
//!
//! A file may change under the reader (a camera still writing, a sync tool replacing it). What is sealed must be one
//! file at one moment, so its size and time of change are compared before and after, and it is read a second time and
//! its hash compared: a change within the clock's resolution, or through a memory map, shows in neither size nor time.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::time::SystemTime;

use baken_schemas::blob::{BlobRef, BlobSealer, CHUNK_BYTES};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::attachment::progress::Progress;
use crate::attachment::store::{BlobStore, Unfinished};
use crate::disk::File;
use crate::{BakenError, Context};

/// How much is read at once in the second pass.
const READ_BYTES: usize = 64 * 1024;

/// What a file looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed last, where that is known.
    pub changed: Option<SystemTime>,
}

/// Where an attachment is read from: a file, or bytes that an app holds.
pub trait Source: Read + Seek {
    /// What it looks like now.
    ///
    /// # Errors
    /// The system's.
    fn stamp(&self) -> std::io::Result<Stamp>;
}

impl Source for File {
    fn stamp(&self) -> std::io::Result<Stamp> {
        let metadata = self.metadata()?;
        if !metadata.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Stamp { size: metadata.len(), changed: metadata.modified().ok() })
    }
}

impl<T: AsRef<[u8]>> Source for Cursor<T> {
    fn stamp(&self) -> std::io::Result<Stamp> {
        Ok(Stamp { size: self.get_ref().as_ref().len() as u64, changed: None })
    }
}

/// A file that is sealed as it comes, chunk by chunk. Unless it is finished, nothing of it stays.
pub(crate) struct SealedAsItComes {
    sealer: BlobSealer,
    unfinished: Unfinished,
}

impl SealedAsItComes {
    /// Begins a file of `size` bytes.
    ///
    /// # Errors
    /// [`BakenError::AttachmentTooLarge`], [`BakenError::Disk`].
    pub(crate) fn begin(store: &BlobStore, context: &Context, size: u64) -> Result<Self, BakenError> {
        let sealer = context.with_rng(|rng| BlobSealer::new(size, rng)).map_err(|_| BakenError::AttachmentTooLarge)?;
        let unfinished = store.begin(sealer.blob())?;
        Ok(Self { sealer, unfinished })
    }

    /// How many bytes must come next; `None` when all have come.
    fn next_len(&self) -> Option<usize> {
        self.sealer.next_chunk().map(|(_, len)| len)
    }

    /// Whether all bytes have come.
    pub(crate) fn is_complete(&self) -> bool {
        self.next_len().is_none_or(|len| len == 0)
    }

    /// Seals the next bytes: a whole chunk, or what is left of the file.
    ///
    /// # Errors
    /// [`BakenError::Format`] for more or fewer bytes, [`BakenError::DiskFull`], [`BakenError::Disk`].
    pub(crate) fn push(&mut self, context: &Context, bytes: &[u8]) -> Result<(), BakenError> {
        let index = self.sealer.next_chunk().map_or(0, |(index, _)| index);
        let sealed = context.with_rng(|rng| self.sealer.seal(bytes, rng))?;
        self.unfinished.keep(index, &sealed)
    }

    /// Makes it durable. What it gives belongs into a record.
    ///
    /// # Errors
    /// [`BakenError::Format`] when bytes are missing, [`BakenError::Disk`].
    pub(crate) fn finish(mut self, context: &Context) -> Result<BlobRef, BakenError> {
        if self.next_len() == Some(0) {
            self.push(context, &[])?;
        }
        let blob = self.sealer.finish()?;
        self.unfinished.finish(blob.chunks)?;
        Ok(blob)
    }
}

/// Seals a file into the store, whole or not at all. What it gives belongs into a record; the chunks are durable by then.
/// `progress` is told of every chunk that is sealed.
///
/// # Errors
/// [`BakenError::AttachmentTooLarge`], [`BakenError::AttachmentChanged`], [`BakenError::DiskFull`],
/// [`BakenError::Disk`]. Nothing is left behind.
pub fn seal_file(
    store: &BlobStore,
    context: &Context,
    source: &mut dyn Source,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<BlobRef, BakenError> {
    let before = source.stamp()?;
    let mut sealing = SealedAsItComes::begin(store, context, before.size)?;
    source.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = Zeroizing::new(vec![0; CHUNK_BYTES]);
    let mut done = 0_u64;
    while let Some(len) = sealing.next_len() {
        let plaintext = buffer.get_mut(..len).ok_or(BakenError::AttachmentTooLarge)?;
        source.read_exact(plaintext).map_err(shorter_is_changed)?;
        hash.update(&*plaintext);
        sealing.push(context, plaintext)?;
        done = done.saturating_add(len as u64);
        progress(Progress { done, total: before.size });
    }
    let longer = source.read(&mut [0])? > 0;
    if longer || source.stamp()? != before || hash_again(source)? != hash.finalize()[..] {
        return Err(BakenError::AttachmentChanged);
    }
    sealing.finish(context)
}

fn shorter_is_changed(error: std::io::Error) -> BakenError {
    match error.kind() {
        ErrorKind::UnexpectedEof => BakenError::AttachmentChanged,
        _ => error.into(),
    }
}

/// Reads it all once more.
fn hash_again(source: &mut dyn Source) -> Result<Vec<u8>, BakenError> {
    source.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = Zeroizing::new(vec![0; READ_BYTES]);
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().to_vec()),
            Ok(read) => hash.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
