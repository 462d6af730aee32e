//! Bringing a blob to the relay: asks which chunks are there, and sends the others.

use baken_schemas::blob::{BlobRef, root};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::CircleId;
use baken_schemas::time::Timestamp;
use http::Method;
use minicbor::bytes::ByteVec;

use crate::attachment::progress::{Meter, Progress};
use crate::attachment::store::BlobStore;
use crate::attachment::{chunk_path, chunks_there, fresh_key, pace};
use crate::client::SignedClient;
use crate::{BakenError, Context};

/// Sends what the relay has not yet. Stopped anywhere, a repeat sends only the rest. When it is done, all of the blob is
/// on the relay's disk.
///
/// # Errors
/// [`BakenError::AttachmentDamaged`] when what lies on this device is not what the record names: then nothing is sent.
/// [`BakenError::AttachmentNotHere`] when chunks are missing on this device. [`BakenError::NotTrustworthy`] when other
/// bytes lie in the place of a chunk. [`BakenError::Refused`] with the code `quota_full` when the circle is full. And as
/// [`SignedClient::send`].
pub async fn upload(
    client: &SignedClient<'_>,
    context: &Context,
    store: &BlobStore,
    circle: CircleId,
    blob: &BlobRef,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), BakenError> {
    upload_until(client, context, store, circle, blob, None, progress).await.map(drop)
}

/// As [`upload`], and says whether all of it is there: from the moment `until` on, no further chunk is sent.
///
/// # Errors
/// As [`upload`].
pub(super) async fn upload_until(
    client: &SignedClient<'_>,
    context: &Context,
    store: &BlobStore,
    circle: CircleId,
    blob: &BlobRef,
    until: Option<Timestamp>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<bool, BakenError> {
    blob.check()?;
    let leaves: Option<Vec<Hash>> = store.leaves(blob)?.into_iter().collect();
    let leaves = leaves.ok_or(BakenError::AttachmentNotHere)?;
    if root(&leaves) != Some(blob.root) {
        return Err(BakenError::AttachmentDamaged { part: "its chunks on this device" });
    }
    let there = chunks_there(client, context, circle, blob.blob).await?;
    let mut missing: Vec<u32> = (0..blob.chunks).collect();
    for chunk in &there.chunks {
        let own = usize::try_from(chunk.index).ok().and_then(|index| leaves.get(index));
        if own.is_some_and(|own| *own != chunk.leaf) {
            return Err(BakenError::NotTrustworthy {
                what: "it has other bytes in the place of an attachment's chunk",
            });
        }
        missing.retain(|index| *index != chunk.index);
    }
    let arrived = (0..blob.chunks).filter(|index| !missing.contains(index));
    let meter = Meter::start(blob, arrived, progress);
    let meter = &meter;
    pace::each(context, missing, until, |index| async move {
        let sealed = store.read(blob.blob, index)?.ok_or(BakenError::AttachmentNotHere)?;
        let path = chunk_path(circle, blob.blob, index)?;
        let body = cbor::to_vec(&ByteVec::from(sealed));
        client.send(Method::PUT, &path, body, fresh_key(context)).await?;
        meter.arrived(index);
        Ok(())
    })
    .await
}
