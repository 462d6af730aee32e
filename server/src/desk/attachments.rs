//! Photos and sound that go along with alarms: fetched from the relay as soon as an update names them, kept sealed,
//! opened in memory when an officer looks.

use std::collections::HashSet;

use baken_schemas::alarm::{AlarmAttachment, MediaType};
use baken_schemas::blob::{leaf, root};
use baken_schemas::crypto::Hash;
use baken_schemas::id::{AlarmId, BlobId};
use serde::Serialize;
use zeroize::Zeroizing;

use super::officers::Officer;
use super::opened;
use super::store::{self, AlarmRow};
use super::{Desk, DeskError};
use crate::audit;
use crate::store::Priority;

/// The most updates of one alarm that are looked through for files.
const UPDATES_LOOKED_AT: usize = 500;
/// How long after an alarm was closed its files are still fetched, in milliseconds: one may have been on its way.
const FETCHED_AFTER_CLOSING_MS: i64 = 2 * 24 * 3_600_000;
/// The most files of one alarm that are fetched: the relay has room for as many of the largest.
const MAX_FILES: usize = 64;

/// A file that goes along with an update, as the console shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AttachmentView {
    /// Its id.
    pub blob: BlobId,
    /// What it is.
    pub media: MediaType,
    /// Its size in bytes.
    pub size: u64,
    /// All of it is here.
    pub here: bool,
}

/// A file to fetch, from the first chunk that is not here.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub alarm: AlarmId,
    /// The update that names it.
    pub update: Hash,
    pub attachment: AlarmAttachment,
    pub from: u32,
}

impl Desk {
    /// Files that alarms name, open ones and those just closed, and that are not here. `complete` remembers updates that need no second look.
    pub(super) fn attachments_wanted(&self, complete: &mut HashSet<Hash>) -> Result<Vec<Wanted>, DeskError> {
        let since = self.now().plus_ms(-FETCHED_AFTER_CLOSING_MS);
        let read = self.store.read(|db| {
            let mut read = Vec::new();
            for alarm in store::alarm::recent(db, since)? {
                let updates = store::alarm::saying(db, alarm.alarm, UPDATES_LOOKED_AT)?;
                read.push((alarm, updates));
            }
            Ok::<_, DeskError>(read)
        })?;
        let mut named = Vec::new();
        let mut seen = HashSet::new();
        for (row, updates) in &read {
            let mut files = 0;
            for update in updates {
                seen.insert(update.hash);
                if complete.contains(&update.hash) {
                    files += 1;
                    continue;
                }
                let Some(attachment) = self.attachment_of(row, &update.document) else { continue };
                files += 1;
                if files <= MAX_FILES {
                    named.push((row.alarm, update.hash, attachment));
                }
            }
        }
        complete.retain(|hash| seen.contains(hash));
        self.store.read(|db| {
            let mut wanted = Vec::new();
            for (alarm, update, attachment) in named {
                let from = store::attachment::count(db, alarm, attachment.blob.blob)?;
                if from < attachment.blob.chunks {
                    wanted.push(Wanted { alarm, update, attachment, from });
                } else {
                    complete.insert(update);
                }
            }
            Ok(wanted)
        })
    }

    /// The file that an update of this alarm names, if the sender of the alarm said so and its size is allowed.
    fn attachment_of(&self, row: &AlarmRow, update: &[u8]) -> Option<AlarmAttachment> {
        let known = self.known();
        let opened = self.open_row(row, &known);
        let with_key = (row.device, opened.content_key()?);
        let (body, _) = opened::open_update(update, &known.people, with_key)?;
        body.attachment.filter(|attachment| attachment.check().is_ok())
    }

    /// Keeps a chunk as it came from the relay. Whether it is the right one shows when all are here.
    pub(super) async fn put_attachment_chunk(
        &self,
        wanted: &Wanted,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), DeskError> {
        let place = (wanted.alarm, wanted.attachment.blob.blob, chunk);
        self.store
            .write(Priority::Normal, move |db| Ok::<_, DeskError>(store::attachment::put_chunk(db, place, &bytes)?))
            .await
    }

    /// Whether what is here is what the update named. What is not is forgotten, and fetched anew.
    pub(super) async fn attachment_arrived(&self, wanted: &Wanted) -> Result<bool, DeskError> {
        let (alarm, blob) = (wanted.alarm, &wanted.attachment.blob);
        let id = blob.blob;
        let chunks = self.store.read(|db| Ok::<_, DeskError>(store::attachment::chunks(db, alarm, id)?))?;
        if is_whole(&chunks, blob.root) {
            self.changed();
            return Ok(true);
        }
        self.store
            .write(Priority::Normal, move |db| Ok::<_, DeskError>(store::attachment::forget(db, alarm, id)?))
            .await?;
        Ok(false)
    }

    /// Whether all of a file is here.
    pub(super) fn attachment_view(
        &self,
        alarm: AlarmId,
        attachment: &AlarmAttachment,
    ) -> Result<AttachmentView, DeskError> {
        let blob = &attachment.blob;
        let there = self.store.read(|db| Ok::<_, DeskError>(store::attachment::count(db, alarm, blob.blob)?))?;
        Ok(AttachmentView { blob: blob.blob, media: attachment.media, size: blob.size, here: there == blob.chunks })
    }

    /// A file that an update of an alarm names, opened for an officer, which the audit says. `None` when there is none, or
    /// not all of it is here.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub async fn attachment(
        &self,
        alarm: AlarmId,
        blob: BlobId,
        officer: &Officer,
    ) -> Result<Option<(MediaType, Zeroizing<Vec<u8>>)>, DeskError> {
        let read = self.store.read(|db| {
            let Some(row) = store::alarm::find(db, alarm)? else { return Ok(None) };
            let updates = store::alarm::saying(db, alarm, UPDATES_LOOKED_AT)?;
            Ok::<_, DeskError>(Some((row, updates, store::attachment::chunks(db, alarm, blob)?)))
        })?;
        let Some((row, updates, chunks)) = read else { return Ok(None) };
        let mut named = updates.iter().filter_map(|update| self.attachment_of(&row, &update.document));
        let Some(attachment) = named.find(|attachment| attachment.blob.blob == blob) else { return Ok(None) };
        if !is_whole(&chunks, attachment.blob.root) {
            return Ok(None);
        }
        let mut file = Zeroizing::new(Vec::new());
        for (index, chunk) in (0..).zip(&chunks) {
            match attachment.blob.open_chunk(index, chunk) {
                Ok(opened) => file.extend_from_slice(&opened),
                Err(_) => return Ok(None),
            }
        }
        // A browser is told only what the bytes themselves say.
        if MediaType::of(&file) != Some(attachment.media) {
            return Ok(None);
        }
        let (now, officer) = (self.now(), officer.id.to_string());
        self.store
            .write(Priority::Normal, move |db| {
                let (act, subject) = ("attachment_opened", alarm.to_string());
                let event = audit::Event { at: now, actor: &officer, act, subject: &subject, result: "ok" };
                Ok::<_, DeskError>(audit::append(db, &event).map(drop)?)
            })
            .await?;
        Ok(Some((attachment.media, file)))
    }
}

fn is_whole(chunks: &[Vec<u8>], expected: Hash) -> bool {
    let leaves: Vec<Hash> = chunks.iter().map(|chunk| leaf(chunk)).collect();
    root(&leaves) == Some(expected)
}
