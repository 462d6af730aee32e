//! Fetching a blob from the relay: its list of leaves first, held against the root in the record, then the chunks that
//! are missing here, each held against its leaf and opened before it is kept.

use std::cmp::Ordering;

use baken_schemas::blob::{BlobRef, leaf, root, sealed_len};
use baken_schemas::crypto::Hash;
use baken_schemas::id::CircleId;
use http::Method;
use minicbor::bytes::ByteVec;
use zeroize::Zeroizing;

use crate::attachment::progress::{Meter, Progress};
use crate::attachment::store::BlobStore;
use crate::attachment::{chunk_path, chunks_there, fresh_key, pace};
use crate::client::SignedClient;
use crate::{BakenError, Context};

/// Fetches what is not here yet. Stopped anywhere, a repeat fetches only the rest; with all of it here, nothing is asked.
///
/// # Errors
/// [`BakenError::AttachmentNotThere`] when the relay has not all of it (yet, or any more).
/// [`BakenError::AttachmentDamaged`] when what it gives is not what the record names; it says what is wrong, and nothing
/// of that is kept. [`BakenError::DiskFull`]. And as [`SignedClient::ask`].
pub async fn download(
    client: &SignedClient<'_>,
    context: &Context,
    store: &BlobStore,
    circle: CircleId,
    blob: &BlobRef,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), BakenError> {
    blob.check()?;
    let here = store.leaves(blob)?;
    let all_here: Option<Vec<Hash>> = here.iter().copied().collect();
    if all_here.and_then(|leaves| root(&leaves)) == Some(blob.root) {
        Meter::start(blob, 0..blob.chunks, progress);
        return Ok(());
    }
    let leaves = &leaves_there(client, context, circle, blob).await?;
    // What lies here and is not what it should be is fetched again.
    let is_here = |index: &u32| here.get(*index as usize).copied().flatten() == leaves.get(*index as usize).copied();
    let (held, missing): (Vec<u32>, Vec<u32>) = (0..blob.chunks).partition(is_here);
    let meter = &Meter::start(blob, held.into_iter(), progress);
    store.prepare(blob.blob)?;
    pace::each(context, missing, None, |index| async move {
        let sealed = fetch(client, context, circle, blob, index).await?;
        open_checked(blob, leaves, index, &sealed)?;
        store.keep(blob.blob, index, &sealed)?;
        meter.arrived(index);
        Ok(())
    })
    .await?;
    store.sync(blob)
}

/// The leaves of all chunks, as the record's root stands for them.
async fn leaves_there(
    client: &SignedClient<'_>,
    context: &Context,
    circle: CircleId,
    blob: &BlobRef,
) -> Result<Vec<Hash>, BakenError> {
    let there = chunks_there(client, context, circle, blob.blob).await?;
    let mut leaves = Vec::new();
    for index in 0..blob.chunks {
        let chunk = there.chunks.iter().find(|chunk| chunk.index == index);
        leaves.push(chunk.ok_or(BakenError::AttachmentNotThere)?.leaf);
    }
    if root(&leaves) != Some(blob.root) {
        return Err(BakenError::AttachmentDamaged { part: "the relay's list of its chunks" });
    }
    Ok(leaves)
}

async fn fetch(
    client: &SignedClient<'_>,
    context: &Context,
    circle: CircleId,
    blob: &BlobRef,
    index: u32,
) -> Result<Vec<u8>, BakenError> {
    let path = chunk_path(circle, blob.blob, index)?;
    let asked = client.ask::<ByteVec>(Method::GET, &path, Vec::new(), fresh_key(context), "a sealed chunk").await;
    match asked {
        Ok(sealed) => Ok(sealed.into()),
        Err(BakenError::Refused { status: 404, .. }) => Err(BakenError::AttachmentNotThere),
        Err(error) => Err(error),
    }
}

/// Opens chunk `index` if it is the one that `leaves` say; tells what it is where it is not.
pub(super) fn open_checked(
    blob: &BlobRef,
    leaves: &[Hash],
    index: u32,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BakenError> {
    let found = leaf(sealed);
    let expected_len = blob.chunk_len(index).map_or(0, sealed_len);
    let part = if leaves.get(index as usize) == Some(&found) {
        match blob.open_chunk(index, sealed) {
            Ok(plaintext) => return Ok(plaintext),
            // Its author signed it as it is.
            Err(_) => "a chunk does not open",
        }
    } else if leaves.contains(&found) {
        "a chunk lies in another's place"
    } else {
        match sealed.len().cmp(&expected_len) {
            Ordering::Less => "a chunk is cut short",
            Ordering::Greater => "a chunk is too long",
            Ordering::Equal => "a chunk was altered",
        }
    };
    Err(BakenError::AttachmentDamaged { part })
}
