//! Sealed chunks in files: `blobs/<blob>/<index>`. Written beside and renamed, so that a process that is killed leaves a
//! chunk whole or not at all. All are synced together before a blob is said to be here: until then a power loss may take
//! chunks or parts of them, which their leaves tell, and they are fetched again. Together costs less than half of what one
//! by one does: 0.55 s instead of 1.2 s for 160 chunks on a busy ext4 (26 November 2026).
//!
//! A blob that is being sealed lies under `blobs/<blob>.new` and gets its name when all of it is there. Nothing readable
//! lies here, and no file says what is in it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use baken_schemas::blob::{BlobRef, MAX_SEALED_CHUNK_BYTES, leaf, sealed_len};
use baken_schemas::crypto::Hash;
use baken_schemas::id::BlobId;

use crate::BakenError;
use crate::disk::{self, File, OpenOptions};

/// What stands behind the name of a blob that is being sealed, and of a chunk that is being written.
const UNFINISHED: &str = "new";

/// The sealed chunks that a device has.
#[derive(Debug, Clone)]
pub struct BlobStore {
    folder: PathBuf,
}

impl BlobStore {
    /// Chunks under this folder, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn blob_folder(&self, blob: BlobId) -> PathBuf {
        self.folder.join(blob.to_string())
    }

    /// Makes room for a blob that is fetched.
    pub(super) fn prepare(&self, blob: BlobId) -> Result<(), BakenError> {
        make_folder(&self.blob_folder(blob))?;
        sync_folder(&self.folder)
    }

    /// Keeps a chunk. It is durable after [`Self::sync`].
    pub(super) fn keep(&self, blob: BlobId, index: u32, sealed: &[u8]) -> Result<(), BakenError> {
        write_chunk(&self.blob_folder(blob), index, sealed)
    }

    /// Makes all chunks of a blob durable.
    pub(super) fn sync(&self, blob: &BlobRef) -> Result<(), BakenError> {
        sync_chunks(&self.blob_folder(blob.blob), blob.chunks)
    }

    /// A chunk as it lies there; `None` when there is none. Nothing about it is checked but its size, which bounds what is
    /// read.
    pub(super) fn read(&self, blob: BlobId, index: u32) -> Result<Option<Vec<u8>>, BakenError> {
        let file = match File::open(self.blob_folder(blob).join(index.to_string())) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut sealed = Vec::new();
        file.take(MAX_SEALED_CHUNK_BYTES as u64 + 1).read_to_end(&mut sealed)?;
        Ok(Some(sealed))
    }

    /// Whether every chunk is there and of its size. Nothing is read; what a chunk holds is checked when it is used.
    pub(super) fn has_all(&self, blob: &BlobRef) -> Result<bool, BakenError> {
        let folder = self.blob_folder(blob.blob);
        for index in 0..blob.chunks {
            let expected = blob.chunk_len(index).map(|len| sealed_len(len) as u64);
            match disk::metadata(folder.join(index.to_string())) {
                Ok(found) if Some(found.len()) == expected => {}
                Ok(_) => return Ok(false),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The leaves of the chunks that are there, by place.
    pub(super) fn leaves(&self, blob: &BlobRef) -> Result<Vec<Option<Hash>>, BakenError> {
        let leaf_at = |index| Ok(self.read(blob.blob, index)?.map(|sealed| leaf(&sealed)));
        (0..blob.chunks).map(leaf_at).collect()
    }

    /// Frees a blob. Fine when nothing of it is there.
    ///
    /// # Errors
    /// [`BakenError::Disk`]; then some of it may be gone and a repeat takes the rest.
    pub fn free(&self, blob: BlobId) -> Result<(), BakenError> {
        remove_folder(&self.blob_folder(blob))?;
        sync_folder(&self.folder)
    }

    /// Frees every blob but those that `is_named` knows, and what was left half sealed. To be called when the vault is
    /// opened: a blob that was sealed and not yet put into a record would go too.
    ///
    /// # Errors
    /// [`BakenError::Disk`], and what `is_named` returns.
    pub(super) fn keep_only(
        &self,
        mut is_named: impl FnMut(BlobId) -> Result<bool, BakenError>,
    ) -> Result<(), BakenError> {
        let entries = match disk::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let path = entry?.path();
            let blob = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<BlobId>().ok());
            let keeps = blob.map_or(Ok(false), &mut is_named)?;
            if !keeps {
                remove_folder(&path)?;
            }
        }
        sync_folder(&self.folder)
    }

    /// Starts a blob that is sealed here.
    pub(super) fn begin(&self, blob: BlobId) -> Result<Unfinished, BakenError> {
        let folder = self.blob_folder(blob).with_extension(UNFINISHED);
        make_folder(&folder)?;
        Ok(Unfinished { store: self.clone(), blob, folder, finished: false })
    }
}

/// A blob that is being sealed. Unless it is finished, nothing of it stays.
pub(super) struct Unfinished {
    store: BlobStore,
    blob: BlobId,
    folder: PathBuf,
    finished: bool,
}

impl Unfinished {
    pub(super) fn keep(&self, index: u32, sealed: &[u8]) -> Result<(), BakenError> {
        write_chunk(&self.folder, index, sealed)
    }

    /// Gives the blob its name: from now on all of it is there, after a power loss too.
    pub(super) fn finish(mut self, chunks: u32) -> Result<(), BakenError> {
        sync_chunks(&self.folder, chunks)?;
        disk::rename(&self.folder, self.store.blob_folder(self.blob))?;
        self.finished = true;
        sync_folder(&self.store.folder)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now goes with the next `keep_only`.
            let _ = remove_folder(&self.folder);
        }
    }
}

/// Makes a folder, readable by its owner only, and those above it.
fn make_folder(folder: &Path) -> Result<(), BakenError> {
    let mut builder = disk::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    Ok(())
}

fn remove_folder(folder: &Path) -> Result<(), BakenError> {
    match disk::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), BakenError> {
    #[cfg(unix)]
    match File::open(folder) {
        Ok(folder) => folder.sync_all()?,
        // Nothing was ever kept here.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Makes chunks and their names durable. The first sync brings most of them to the disk.
fn sync_chunks(folder: &Path, chunks: u32) -> Result<(), BakenError> {
    for index in 0..chunks {
        OpenOptions::new().write(true).open(folder.join(index.to_string()))?.sync_all()?;
    }
    sync_folder(folder)
}

/// Writes a chunk beside its place and moves it there. Where that fails nothing of it stays.
fn write_chunk(folder: &Path, index: u32, sealed: &[u8]) -> Result<(), BakenError> {
    let path = folder.join(index.to_string());
    let beside = path.with_extension(UNFINISHED);
    let write = || -> Result<(), BakenError> {
        create_private(&beside)?.write_all(sealed)?;
        Ok(disk::rename(&beside, &path)?)
    };
    let written = write();
    if written.is_err() {
        // On a full disk this makes room again; what the caller is told is why it was not written.
        let _ = disk::remove_file(&beside);
    }
    written
}

/// A file to be written, readable by its owner only.
pub(crate) fn create_private(path: &Path) -> Result<File, BakenError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}
