//! What a device owes attachments: send those of its circles that the relay has not, free those that were deleted long
//! ago, and, when the vault is opened, those that no record names.
//!
//! It runs after the entries at every sync and stops now and then for them, so that a film holds up no note. A circle that
//! is full takes no more; that shows in the status and holds up nothing else.
//!
//! A deletion counts from when this very device first saw it, so that no clock set wrong elsewhere takes anybody the time
//! to restore.

use baken_schemas::blob::{BlobRef, CHUNK_BYTES, sealed_len};
use baken_schemas::circle::CircleKind;
use baken_schemas::id::{BlobId, CircleId, RecordId};
use baken_schemas::record::{KindNumber, kind_named};
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use rusqlite::Connection;

use crate::activation::{STAGE, Stage};
use crate::attachment::records::{KIND, author_of, blobs_of};
use crate::attachment::upload::upload_until;
use crate::attachment::{BlobStore, delete, usage};
use crate::baken::UnlockedVault;
use crate::circle::{Circle, CircleRow, Circles};
use crate::client::SignedClient;
use crate::device;
use crate::record::store::About;
use crate::record::{RecordView, all_views, views_of};
use crate::sharing::taken_back;
use crate::transport::Transport;
use crate::travel;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// How long a deleted attachment can be restored with its file.
pub(super) const RESTORABLE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long attachments are sent before entries get their turn again.
const TURN_MS: i64 = 10_000;
/// The most blobs sent for a circle, and freed for it, in one turn. What is left follows in the next.
const MAX_A_TURN: usize = 256;
/// Where a circle's [`Known`] is.
const KNOWN: &str = "attachments";

/// What a device knows of a circle's blobs at the relay.
#[derive(Debug, Default, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Known {
    /// Those that were whole there when this device last sent or fetched them. In order.
    #[n(0)]
    there: Vec<BlobId>,
    /// Attachments that are deleted.
    #[n(1)]
    deleted: Vec<Deleted>,
    /// Since when the circle takes no more.
    #[n(2)]
    full_since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Deleted {
    #[n(0)]
    record: RecordId,
    /// When this device first saw it.
    #[n(1)]
    since: Timestamp,
    /// Its blobs are freed.
    #[n(2)]
    freed: bool,
}

impl Known {
    /// What is known of a circle.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(crate) fn read(connection: &Connection, circle: CircleRow) -> Result<Self, BakenError> {
        Ok(setting::read_of(connection, circle, KNOWN)?.unwrap_or_default())
    }

    /// Changes what is known, where anything does.
    ///
    /// # Errors
    /// [`BakenError::Database`].
    pub(super) fn change(
        connection: &Connection,
        circle: CircleRow,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), BakenError> {
        let before = Self::read(connection, circle)?;
        let mut known = before.clone();
        change(&mut known);
        if known == before { Ok(()) } else { setting::write_of(connection, circle, KNOWN, &known) }
    }

    /// Since when the circle takes no more; `None` while it does.
    pub(crate) fn full_since(&self) -> Option<Timestamp> {
        self.full_since
    }

    pub(super) fn is_there(&self, blob: BlobId) -> bool {
        self.there.binary_search(&blob).is_ok()
    }

    pub(super) fn add_there(&mut self, blob: BlobId) {
        if let Err(place) = self.there.binary_search(&blob) {
            self.there.insert(place, blob);
        }
    }

    /// Whether the blobs of a deleted record are freed.
    pub(crate) fn is_freed(&self, record: RecordId) -> bool {
        self.deleted.iter().any(|deleted| deleted.record == record && deleted.freed)
    }

    /// Notes what is deleted, and forgets what was restored.
    fn observe(&mut self, records: &[RecordView], now: Timestamp) {
        let is_gone = |record: &RecordView| record.deleted && !record.edited_since_deleted;
        self.deleted.retain(|known| records.iter().any(|record| record.record == known.record && is_gone(record)));
        for record in records.iter().filter(|record| is_gone(record)) {
            if !self.deleted.iter().any(|known| known.record == record.record) {
                self.deleted.push(Deleted { record: record.record, since: now, freed: false });
            }
        }
    }

    fn note_freed(&mut self, record: RecordId, blobs: &[BlobId]) {
        self.there.retain(|blob| !blobs.contains(blob));
        for deleted in self.deleted.iter_mut().filter(|deleted| deleted.record == record) {
            deleted.freed = true;
        }
    }

    /// Whether a record was deleted so long ago that its blobs go.
    fn is_over(&self, record: RecordId, now: Timestamp) -> bool {
        let mut deleted = self.deleted.iter().filter(|deleted| deleted.record == record);
        deleted.any(|deleted| now.since_ms(deleted.since) >= RESTORABLE_MS)
    }
}

/// Forgets what the relay had: it was restored from a backup.
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn forget_sent(connection: &Connection, circle: CircleRow) -> Result<(), BakenError> {
    Known::change(connection, circle, |known| known.there.clear())
}

/// How many attachments of a circle lie here and still have to be sent.
///
/// # Errors
/// [`BakenError::Database`], [`BakenError::Disk`].
pub(crate) fn waiting(
    connection: &Connection,
    circle: &Circle,
    store: &BlobStore,
    now: Timestamp,
) -> Result<u64, BakenError> {
    let known = Known::read(connection, circle.row())?;
    let mut waiting = 0_u64;
    for record in attachments(connection, circle)?.iter().filter(|record| !known.is_over(record.record, now)) {
        waiting = waiting.saturating_add(u64::from(!unsent(&known, record, store)?.is_empty()));
    }
    Ok(waiting)
}

/// Whether records of this kind name blobs.
pub(crate) fn is_attachment(kind: KindNumber) -> bool {
    kind_named(KIND).is_some_and(|attachment| attachment.number == kind)
}

/// Every attachment of a circle. What was taken in must have been merged.
pub(super) fn attachments(connection: &Connection, circle: &Circle) -> Result<Vec<RecordView>, BakenError> {
    all_views(connection, circle, kind_named(KIND).map(|kind| kind.number))
}

/// Every blob that a circle's records name, deleted ones too as long as they can be restored with it.
pub(super) fn named_in(connection: &Connection, circle: &Circle) -> Result<Vec<BlobRef>, BakenError> {
    let known = Known::read(connection, circle.row())?;
    let mut records = attachments(connection, circle)?;
    records.retain(|record| !known.is_freed(record.record));
    Ok(records.iter().flat_map(blobs_of).collect())
}

/// The blobs of a record that lie here and are not known to be at the relay.
fn unsent(known: &Known, record: &RecordView, store: &BlobStore) -> Result<Vec<BlobRef>, BakenError> {
    let mut unsent = Vec::new();
    for blob in blobs_of(record) {
        if !known.is_there(blob.blob) && store.has_all(&blob)? {
            unsent.push(blob);
        }
    }
    Ok(unsent)
}

/// The attachments whose files go at once and not after thirty days: those that were taken back from a case. For an owner's
/// device the dossier alone says which, so that no word of a reader's destroys a file. A reader's device goes by the case,
/// and frees only what lies here: the relay has it until an owner's device frees it.
fn freed_at_once(open: &UnlockedVault, circle: &Circle, records: &[RecordView]) -> Result<Vec<RecordId>, BakenError> {
    let membership = circle.membership();
    let mut deleted = records.iter().filter(|record| record.deleted && !record.edited_since_deleted).peekable();
    if membership.kind() != CircleKind::Case || deleted.peek().is_none() {
        return Ok(Vec::new());
    }
    let mut freed = Vec::new();
    if membership.is_owner(open.keys.device) {
        let taken_back = taken_back(open, circle)?;
        freed.extend(deleted.map(|record| record.record).filter(|record| taken_back.contains(record)));
    } else {
        for record in deleted.filter(|record| author_of(record).is_some_and(|author| membership.is_owner(author))) {
            let of = record.names("of").map_or(Ok(Vec::new()), |of| views_of(&open.vault.connection, circle, of))?;
            freed.extend(of.iter().any(|of| of.erased).then_some(record.record));
        }
    }
    Ok(freed)
}

/// What a device owes a circle's attachments now.
struct Owed {
    /// To be sent.
    send: Vec<BlobRef>,
    free: Vec<Free>,
    /// The circle took no more the last time.
    full: bool,
}

/// A record that was deleted long ago.
struct Free {
    record: RecordId,
    /// Its blobs, as far as no other record names them.
    blobs: Vec<BlobId>,
    /// At the relay too: by its author and by owners.
    there: bool,
}

impl Baken {
    /// Sends attachments for a while, and frees those that were deleted long ago. Says whether nothing is left to be done
    /// now.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotReached`]; otherwise the first of what any attachment failed at, after all
    /// others had their turn.
    pub(crate) async fn sync_attachments(&self, transport: &dyn Transport) -> Result<bool, BakenError> {
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let until = self.context.now().plus_ms(TURN_MS);
        let (mut done, mut failed) = (true, None);
        for circle in self.circle_ids()? {
            match self.sync_attachments_of(&client, circle, until).await {
                Ok(all) => done &= all,
                Err(error @ (BakenError::NotReached | BakenError::Locked)) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(done), Err)
    }

    async fn sync_attachments_of(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        until: Timestamp,
    ) -> Result<bool, BakenError> {
        if !self.may_write_in(circle)? {
            return Ok(true);
        }
        let store = self.blobs();
        let owed = self.owed(circle, &store)?;
        for Free { record, blobs, there } in owed.free {
            for blob in &blobs {
                if there {
                    delete(client, &self.context, circle, *blob).await?;
                }
                store.free(*blob)?;
            }
            self.change_known(circle, |known| known.note_freed(record, &blobs))?;
        }
        if owed.full && !owed.send.is_empty() {
            let usage = usage(client, &self.context, circle).await?;
            // Asked first, so that no chunk travels in vain at every sync.
            if usage.used.saturating_add(sealed_len(CHUNK_BYTES) as u64) > usage.quota_for_blobs {
                return Ok(true);
            }
        }
        let (mut done, mut failed) = (true, None);
        for blob in &owed.send {
            match upload_until(client, &self.context, &store, circle, blob, Some(until), &|_| ()).await {
                Ok(true) => self.change_known(circle, |known| known.add_there(blob.blob))?,
                Ok(false) => {
                    done = false;
                    break;
                }
                Err(BakenError::Refused { code, .. }) if code == "quota_full" => {
                    let now = self.context.now();
                    self.change_known(circle, |known| known.full_since = known.full_since.or(Some(now)))?;
                    return Ok(true);
                }
                Err(error @ (BakenError::NotReached | BakenError::Locked)) => return Err(error),
                // One that is damaged here holds up no other.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.change_known(circle, |known| known.full_since = None)?;
        failed.map_or(Ok(done && owed.send.len() < MAX_A_TURN), Err)
    }

    fn change_known(&self, circle: CircleId, change: impl FnOnce(&mut Known)) -> Result<(), BakenError> {
        self.with_vault(|open| {
            let row = open.circles.get(circle)?.row();
            Known::change(&open.vault.connection, row, change)
        })
    }

    fn owed(&self, circle: CircleId, store: &BlobStore) -> Result<Owed, BakenError> {
        let now = self.context.now();
        let about = About::kinds(kind_named(KIND).map(|kind| kind.number));
        self.with_settled_about(about, |open| {
            let connection = &open.vault.connection;
            let circle = open.circles.get(circle)?;
            let records = attachments(connection, circle)?;
            Known::change(connection, circle.row(), |known| known.observe(&records, now))?;
            let known = Known::read(connection, circle.row())?;
            let at_once = freed_at_once(open, circle, &records)?;
            let is_over = |record: &RecordView| known.is_over(record.record, now) || at_once.contains(&record.record);
            // A blob lies once on this device, and by its id at the relay: whoever else names it keeps it.
            let mut kept: Vec<BlobId> = Vec::new();
            for other in open.circles.all() {
                let here = other.id() == circle.id();
                let named = attachments(connection, other)?;
                let named = named.iter().filter(|record| !(here && is_over(record)));
                kept.extend(named.flat_map(blobs_of).map(|blob| blob.blob));
            }
            let device = open.keys.device;
            let is_owner = circle.membership().is_owner(device);
            let mut owed = Owed { send: Vec::new(), free: Vec::new(), full: known.full_since.is_some() };
            for record in &records {
                if owed.send.len() >= MAX_A_TURN || owed.free.len() >= MAX_A_TURN {
                    break;
                }
                if is_over(record) {
                    if !known.is_freed(record.record) {
                        let blobs = blobs_of(record).map(|blob| blob.blob).filter(|blob| !kept.contains(blob));
                        let (record, there) = (record.record, is_owner || author_of(record) == Some(device));
                        owed.free.push(Free { record, blobs: blobs.collect(), there });
                    }
                } else {
                    // Deleted ones too: with their files they can be restored.
                    owed.send.extend(unsent(&known, record, store)?);
                }
            }
            Ok(owed)
        })
    }

    /// Frees what lies here and no record names: sealed when the program was killed, or fetched and then freed. With the
    /// decoy open nothing is freed, since it does not know the truth's.
    ///
    /// # Errors
    /// [`BakenError::Disk`], [`BakenError::Database`], [`BakenError::Locked`].
    pub(crate) fn free_orphans(&self) -> Result<(), BakenError> {
        // Nothing is merged for it, which would be written at unlocking the truth and not the decoy: what lies here was named
        // by a record that was merged before.
        self.with_vault(|open| {
            // What was changed on a journey names its attachments once it is in the dossier.
            if open.vault.is_decoy() || travel::waiting(&open.vault.connection)? > 0 {
                return Ok(());
            }
            let mut named = named_ids(&open.vault.connection, &open.circles)?;
            let mut knows_decoys = false;
            self.blobs().keep_only(|blob| {
                if !named.contains(&blob) && !knows_decoys {
                    // Opened only when there is something to decide.
                    knows_decoys = true;
                    named.extend(decoys_ids(open.vault.open_decoy()?)?);
                }
                Ok(named.contains(&blob))
            })
        })
    }
}

/// Every blob that a vault's records name.
fn named_ids(connection: &Connection, circles: &Circles) -> Result<Vec<BlobId>, BakenError> {
    let mut ids = Vec::new();
    for circle in circles.all() {
        ids.extend(named_in(connection, circle)?.iter().map(|blob| blob.blob));
    }
    Ok(ids)
}

/// Every blob that the decoy's records name. One that is not filled yet has none.
fn decoys_ids(decoy: Option<Connection>) -> Result<Vec<BlobId>, BakenError> {
    let Some(decoy) = decoy else { return Ok(Vec::new()) };
    if setting::read::<Stage>(&decoy, STAGE)?.is_none() {
        return Ok(Vec::new());
    }
    let device = device::load(&decoy)?;
    named_ids(&decoy, &Circles::load(&decoy, device.circle, &device.keys)?)
}
