//! Attachments as records: a file put beside a record, listed, fetched, saved. What travels by itself is in [`duties`].
//!
//! An attachment is a record of its own, in the circle of the record that it belongs to: whoever shares that has it too,
//! and it is deleted and restored as any other. It holds what opens the blob; the bytes lie and travel apart.
//!
//! [`duties`]: crate::attachment::duties

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use baken_schemas::blob::BlobRef;
use baken_schemas::crypto::Hash;
use baken_schemas::id::{BlobId, CircleId, DeviceId, RecordId};
use baken_schemas::record::Value;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::attachment::duties::{Known, attachments, named_in};
use crate::attachment::{BlobStore, Progress, Source, download, open_to, save, seal_file};
use crate::client::SignedClient;
use crate::record::RecordView;
use crate::transport::Transport;
use crate::{Baken, BakenError};

/// The kind of record.
pub(super) const KIND: &str = "attachment";
/// The field with what opens the file.
const FILE: &str = "blob";
/// The field with what opens the small picture.
const THUMBNAIL: &str = "thumbnail";

/// Where a new attachment belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachTo {
    /// To a record, and so into its circle.
    Record(RecordId),
    /// To no record, in this circle.
    Circle(CircleId),
}

/// What is said of a new attachment.
#[derive(Clone, Copy)]
pub struct NewAttachment<'a> {
    /// What it is called; most of the time the file's name.
    pub name: &'a str,
    /// Its media type (RFC 6838), such as `image/jpeg`.
    pub media_type: &'a str,
    /// A small picture of it, as a JPEG.
    pub thumbnail: Option<&'a [u8]>,
}

impl std::fmt::Debug for NewAttachment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAttachment(…)")
    }
}

/// Which of an attachment's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The file itself.
    File,
    /// The small picture of it.
    Thumbnail,
}

impl Part {
    fn field(self) -> &'static str {
        match self {
            Self::File => FILE,
            Self::Thumbnail => THUMBNAIL,
        }
    }
}

/// What to do where a file would be written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and refuse.
    Keep,
    /// Write over it.
    Replace,
}

/// Whether the relay has all of an attachment, as far as this device knows. It asks nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtRelay {
    /// It was there when this device last sent or fetched it.
    Yes,
    /// Not all of it: this device still has to send it.
    No,
    /// Another device has to send it, or has.
    Unknown,
}

/// An attachment.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AttachmentView {
    /// Its record.
    pub record: RecordId,
    /// The circle that shares it.
    pub circle: CircleId,
    /// The record it belongs to.
    pub of: Option<RecordId>,
    /// What it is called.
    pub name: String,
    /// Its media type, as the device that added it guessed.
    pub media_type: String,
    /// The file's size in bytes; `None` when the record says nothing that can be read.
    pub size: Option<u64>,
    /// The root over its sealed chunks, which stands for every byte.
    pub root: Option<Hash>,
    /// It has a small picture.
    pub has_thumbnail: bool,
    /// All of it is on this device.
    pub here: bool,
    /// Whether the relay has it.
    pub at_relay: AtRelay,
    /// It is deleted, and can be restored.
    pub deleted: bool,
    /// A field has more than one value; the newest is shown.
    pub in_conflict: bool,
}

impl std::fmt::Debug for AttachmentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttachmentView").field("record", &self.record).finish_non_exhaustive()
    }
}

impl Baken {
    /// Where this device keeps blobs.
    pub(crate) fn blobs(&self) -> BlobStore {
        BlobStore::new(self.home.blobs())
    }

    /// Puts a file beside a record: seals it on this device, as it is, and makes the record that names it, with its hash. Works offline; the next
    /// syncs send it.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NoSuchRecord`], [`BakenError::NoSuchCircle`], [`BakenError::MayNotWrite`],
    /// [`BakenError::ValueRefused`] for a name that is too long, and as [`seal_file`]. Nothing is left behind then.
    pub fn add_attachment(
        &self,
        to: AttachTo,
        new: NewAttachment<'_>,
        source: &mut dyn Source,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<RecordId, BakenError> {
        let (circle, of) = match to {
            AttachTo::Record(record) => (self.record(record)?.circle, Some(record)),
            AttachTo::Circle(circle) => (circle, None),
        };
        // Before a large file is sealed for nothing.
        self.with_vault(|open| {
            let may_write = open.circles.get(circle)?.membership().may_write(open.keys.device);
            if may_write { Ok(()) } else { Err(BakenError::MayNotWrite) }
        })?;
        let store = self.blobs();
        let modified = source.stamp()?.changed.and_then(moment_of);
        let mut sealed = vec![(FILE, seal_file(&store, &self.context, source, progress)?)];
        let made = (|| {
            if let Some(thumbnail) = new.thumbnail {
                let mut source = std::io::Cursor::new(thumbnail);
                sealed.push((THUMBNAIL, seal_file(&store, &self.context, &mut source, &|_| ())?));
            }
            let mut fields = vec![
                ("name".to_owned(), Value::Text(new.name.to_owned())),
                ("media_type".to_owned(), Value::Text(new.media_type.to_owned())),
                ("added_at".to_owned(), Value::Int(self.context.now().0)),
            ];
            fields.extend(modified.map(|at| ("modified_at".to_owned(), Value::Int(at))));
            if let Some((_, file)) = sealed.first() {
                // Of what was sealed, not of what is read once more: the two could differ.
                let mut hash = Hashing(Sha256::new());
                open_to(&store, file, &mut hash)?;
                fields.push(("sha256".to_owned(), Value::Bytes(hash.0.finalize().to_vec())));
            }
            for (field, blob) in &sealed {
                // Locked and unlocked meanwhile, the vault has cleared it away: see `free_orphans`.
                if !store.has_all(blob)? {
                    return Err(BakenError::AttachmentNotHere);
                }
                fields.push(((*field).to_owned(), Value::Bytes(blob.to_bytes())));
            }
            fields.extend(of.map(|of| ("of".to_owned(), Value::Bytes(of.0.to_vec()))));
            self.create_in(circle, KIND, fields)
        })();
        if made.is_err() {
            for (_, blob) in &sealed {
                // What cannot be removed now goes when the vault is opened next.
                let _ = store.free(blob.blob);
            }
        }
        made
    }

    /// Every attachment of a record, or of all circles; deleted ones too, marked.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn attachments(&self, of: Option<RecordId>) -> Result<Vec<AttachmentView>, BakenError> {
        let store = self.blobs();
        self.with_settled(|open| {
            let mut views = Vec::new();
            for circle in open.circles.all() {
                let known = Known::read(&open.vault.connection, circle.row())?;
                for record in attachments(&open.vault.connection, circle)? {
                    let view = attachment_view(&store, &known, &record)?;
                    views.extend(Some(view).filter(|view| of.is_none() || view.of == of));
                }
            }
            Ok(views)
        })
    }

    /// Fetches an attachment from the relay. What is here already is not fetched again.
    ///
    /// # Errors
    /// [`BakenError::NoSuchRecord`], [`BakenError::NoSuchAttachment`], [`BakenError::Locked`] and as [`download`].
    pub async fn fetch_attachment(
        &self,
        transport: &dyn Transport,
        attachment: RecordId,
        part: Part,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), BakenError> {
        let (circle, blob) = self.blob_of(attachment, part)?;
        let store = self.blobs();
        if self.is_contradicted(&store, &blob)? {
            return Err(BakenError::AttachmentDamaged { part: "another record names its chunks otherwise" });
        }
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        download(&client, &self.context, &store, circle, &blob, progress).await?;
        self.note_there(circle, blob.blob)
    }

    /// Writes an attachment to a file, whole or not at all. All of it is checked before.
    ///
    /// # Errors
    /// [`BakenError::FileExists`] where there is a file and it is to be kept, [`BakenError::NoSuchRecord`],
    /// [`BakenError::NoSuchAttachment`], [`BakenError::Locked`] and as [`save`].
    pub fn save_attachment(
        &self,
        attachment: RecordId,
        part: Part,
        path: &Path,
        existing: Existing,
    ) -> Result<(), BakenError> {
        let (_, blob) = self.blob_of(attachment, part)?;
        if existing == Existing::Keep && path.symlink_metadata().is_ok() {
            return Err(BakenError::FileExists);
        }
        save(&self.blobs(), &blob, path)
    }

    fn blob_of(&self, attachment: RecordId, part: Part) -> Result<(CircleId, BlobRef), BakenError> {
        let record = self.record(attachment)?;
        let blob = newest_blob(&record, part.field()).filter(|_| record.kind_name == Some(KIND));
        Ok((record.circle, blob.ok_or(BakenError::NoSuchAttachment)?))
    }

    /// Whether another record gives this blob's id to other chunks, which lie here whole: fetching would write over them.
    /// A relay and one member together could otherwise destroy what this device still has to send.
    fn is_contradicted(&self, store: &BlobStore, blob: &BlobRef) -> Result<bool, BakenError> {
        self.with_settled(|open| {
            for circle in open.circles.all() {
                for other in named_in(&open.vault.connection, circle)? {
                    if other.blob == blob.blob && other != *blob && store.has_all(&other)? {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        })
    }

    fn note_there(&self, circle: CircleId, blob: BlobId) -> Result<(), BakenError> {
        self.with_vault(|open| {
            let row = open.circles.get(circle)?.row();
            Known::change(&open.vault.connection, row, |known| known.add_there(blob))
        })
    }
}

/// Takes what is written for its hash.
pub(crate) struct Hashing(pub(crate) Sha256);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Milliseconds since 1970 of the system's time.
fn moment_of(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// The newest value of a field.
fn newest<'a>(record: &'a RecordView, name: &str) -> Option<&'a Value> {
    let field = record.fields.iter().find(|field| field.name == Some(name))?;
    field.values.iter().next_back().map(|view| &view.value)
}

fn newest_blob(record: &RecordView, name: &str) -> Option<BlobRef> {
    match newest(record, name) {
        Some(Value::Bytes(bytes)) => BlobRef::from_bytes(bytes).ok(),
        _ => None,
    }
}

/// The device that put what opens the file.
pub(super) fn author_of(record: &RecordView) -> Option<DeviceId> {
    let field = record.fields.iter().find(|field| field.name == Some(FILE))?;
    field.values.iter().next_back().and_then(|view| view.by)
}

/// Every blob that a record names, by any value that stands.
pub(crate) fn blobs_of(record: &RecordView) -> impl Iterator<Item = BlobRef> {
    let fields = record.fields.iter().filter(|field| matches!(field.name, Some(FILE | THUMBNAIL)));
    fields.flat_map(|field| &field.values).filter_map(|view| match &view.value {
        Value::Bytes(bytes) => BlobRef::from_bytes(bytes).ok(),
        _ => None,
    })
}

fn attachment_view(store: &BlobStore, known: &Known, record: &RecordView) -> Result<AttachmentView, BakenError> {
    let text = |name| match newest(record, name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let file = newest_blob(record, FILE);
    let here = file.as_ref().map_or(Ok(false), |blob| store.has_all(blob))?;
    let at_relay = match &file {
        Some(blob) if known.is_there(blob.blob) => AtRelay::Yes,
        _ if here => AtRelay::No,
        _ => AtRelay::Unknown,
    };
    Ok(AttachmentView {
        record: record.record,
        circle: record.circle,
        of: match newest(record, "of") {
            Some(Value::Bytes(bytes)) => RecordId::from_slice(bytes),
            _ => None,
        },
        name: text("name"),
        media_type: text("media_type"),
        size: file.as_ref().map(|blob| blob.size),
        root: file.as_ref().map(|blob| blob.root),
        has_thumbnail: newest_blob(record, THUMBNAIL).is_some(),
        here,
        at_relay,
        deleted: record.deleted,
        in_conflict: record.in_conflict,
    })
}
