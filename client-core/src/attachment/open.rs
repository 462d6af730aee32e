//! Giving the file back: everything is checked before the first byte is written.

use std::cmp::Ordering;
use std::io::{BufWriter, Write};
use std::path::Path;

use baken_schemas::blob::{BlobRef, root, sealed_len};
use baken_schemas::crypto::Hash;

use crate::BakenError;
use crate::attachment::download::open_checked;
use crate::attachment::store::{BlobStore, create_private};
use crate::disk;
use crate::home::sync_folder_of;

/// Writes the file that a blob holds. It is read twice: the first time for the root, so that nothing is written of a blob
/// of which any part is not what the record names; the second time each chunk is checked once more and opened.
///
/// # Errors
/// [`BakenError::AttachmentNotHere`] when chunks are missing on this device, [`BakenError::AttachmentDamaged`] with what is
/// wrong, [`BakenError::DiskFull`] and [`BakenError::Disk`] of the writer too.
pub fn open_to(store: &BlobStore, blob: &BlobRef, writer: &mut dyn Write) -> Result<(), BakenError> {
    blob.check()?;
    let leaves: Option<Vec<Hash>> = store.leaves(blob)?.into_iter().collect();
    let leaves = leaves.ok_or(BakenError::AttachmentNotHere)?;
    if root(&leaves) != Some(blob.root) {
        return Err(BakenError::AttachmentDamaged { part: wrong_part(store, blob)? });
    }
    for index in 0..blob.chunks {
        let sealed = store.read(blob.blob, index)?.ok_or(BakenError::AttachmentNotHere)?;
        writer.write_all(&open_checked(blob, &leaves, index, &sealed)?)?;
    }
    writer.flush()?;
    Ok(())
}

/// Whether all of a blob is on this device and is what the record names. Everything is read.
pub(crate) fn is_whole(store: &BlobStore, blob: &BlobRef) -> Result<bool, BakenError> {
    let leaves: Option<Vec<Hash>> = store.leaves(blob)?.into_iter().collect();
    Ok(leaves.and_then(|leaves| root(&leaves)) == Some(blob.root))
}

/// What keeps chunks from being the blob: the seal of each tells its place and length, so most of the time it can be said.
fn wrong_part(store: &BlobStore, blob: &BlobRef) -> Result<&'static str, BakenError> {
    for index in 0..blob.chunks {
        let sealed = store.read(blob.blob, index)?.ok_or(BakenError::AttachmentNotHere)?;
        if blob.open_chunk(index, &sealed).is_ok() {
            continue;
        }
        let expected = blob.chunk_len(index).map_or(0, sealed_len);
        let elsewhere = (0..blob.chunks).any(|other| other != index && blob.open_chunk(other, &sealed).is_ok());
        return Ok(match sealed.len().cmp(&expected) {
            _ if elsewhere => "a chunk lies in another's place",
            Ordering::Less => "a chunk is cut short",
            Ordering::Greater => "a chunk is too long",
            Ordering::Equal => "a chunk was altered",
        });
    }
    Ok("a chunk is not the one that was signed")
}

/// Writes the file to a path, whole or not at all.
///
/// # Errors
/// As [`open_to`]; what was at the path before is then still there.
pub fn save(store: &BlobStore, blob: &BlobRef, path: &Path) -> Result<(), BakenError> {
    let mut beside = path.as_os_str().to_owned();
    // No file of anybody's has this name.
    beside.push(format!(".{}.part", blob.blob));
    let beside = Path::new(&beside);
    let written = write_to(store, blob, beside).and_then(|()| Ok(disk::rename(beside, path)?));
    if written.is_err() {
        // On a full disk this makes room again; what the caller is told is why it was not written.
        let _ = disk::remove_file(beside);
    }
    written?;
    sync_folder_of(path)
}

fn write_to(store: &BlobStore, blob: &BlobRef, path: &Path) -> Result<(), BakenError> {
    let mut writer = BufWriter::new(create_private(path)?);
    open_to(store, blob, &mut writer)?;
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(())
}
