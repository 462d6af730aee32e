//! Attachments: files of any kind, sealed in chunks ([`baken_schemas::blob`]) that lie in files of their own beside the
//! vault and travel apart from entries.
//!
//! One operation a file: [`seal_file`] makes the chunks, [`upload`] brings them to the relay, [`download`] fetches what is
//! missing, [`open_to`] checks all and gives the file back. Each may be stopped anywhere, by a full disk or a lost
//! connection too, and goes on where it stopped. What is on the disk is sealed: the key is in the record that names the
//! blob, and so in the vault.
//!
//! [`records`] joins them to records; [`duties`] is what a device does for them by itself, at every sync.

mod download;
pub(crate) mod duties;
mod open;
mod pace;
mod progress;
mod records;
mod seal;
mod store;
mod upload;

pub use download::download;
pub(crate) use open::is_whole;
pub use open::{open_to, save};
pub use progress::Progress;
pub use records::{AtRelay, AttachTo, AttachmentView, Existing, NewAttachment, Part};
pub(crate) use records::{Hashing, blobs_of};
pub(crate) use seal::SealedAsItComes;
pub use seal::{Source, Stamp, seal_file};
pub use store::BlobStore;
pub(crate) use store::create_private;
pub use upload::upload;

use baken_schemas::api::{self, BlobChunks, CircleUsage};
use baken_schemas::id::{BlobId, CircleId, IdempotencyKey};
use http::Method;

use crate::client::{SignedClient, path_with};
use crate::{BakenError, Context};

/// Where to send what belongs to a blob of a circle.
fn blob_path(circle: CircleId, blob: BlobId) -> Result<String, BakenError> {
    path_with(&path_with(api::BLOB, circle)?, blob)
}

/// Where to send a chunk.
fn chunk_path(circle: CircleId, blob: BlobId, index: u32) -> Result<String, BakenError> {
    path_with(&path_with(&path_with(api::BLOB_CHUNK, circle)?, blob)?, index)
}

/// A fresh key: whether a chunk is there the relay decides by its bytes, so that a chunk which was deleted can be sent
/// anew.
fn fresh_key(context: &Context) -> IdempotencyKey {
    context.with_rng(|rng| IdempotencyKey::make(rng))
}

/// Which chunks the relay has.
async fn chunks_there(
    client: &SignedClient<'_>,
    context: &Context,
    circle: CircleId,
    blob: BlobId,
) -> Result<BlobChunks, BakenError> {
    let path = blob_path(circle, blob)?;
    client.ask(Method::GET, &path, Vec::new(), fresh_key(context), "a blob's chunks").await
}

/// Frees the space of a blob at the relay, for all devices of the circle. Fine when nothing is there.
///
/// # Errors
/// As [`SignedClient::send`].
pub async fn delete(
    client: &SignedClient<'_>,
    context: &Context,
    circle: CircleId,
    blob: BlobId,
) -> Result<(), BakenError> {
    let path = blob_path(circle, blob)?;
    client.send(Method::DELETE, &path, Vec::new(), fresh_key(context)).await.map(drop)
}

/// How full a circle is at the relay.
///
/// # Errors
/// As [`SignedClient::ask`].
pub async fn usage(client: &SignedClient<'_>, context: &Context, circle: CircleId) -> Result<CircleUsage, BakenError> {
    let path = path_with(api::USAGE, circle)?;
    client.ask(Method::GET, &path, Vec::new(), fresh_key(context), "a circle's usage").await
}

#[cfg(test)]
mod tests;
