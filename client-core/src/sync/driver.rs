//! Carries the engine's bytes over a transport: membership log, own entries out, others' in. One [`Baken::sync`] is
//! complete or says why not; it may be cancelled anywhere, since every step is durable before the next.

use baken_schemas::api::{self, EntriesStored, EntryBatch, Page};
use baken_schemas::cbor;
use baken_schemas::id::{CircleId, IdempotencyKey};
use baken_schemas::signed::hash_of;
use http::Method;
use serde::Serialize;

use crate::attachment::duties;
use crate::circle::{self, Circle};
use crate::client::{SignedClient, idempotency_of, path_with};
use crate::record::erase;
use crate::sync::checkpoint;
use crate::sync::engine::{CURSOR, READ_OWN, STORED, Sync, SyncEvent};
use crate::sync::rows::{self, FindingKind, Place};
use crate::sync::seal::Author;
use crate::sync::status::{Failure, LAST_FAILURE, LAST_SUCCESS};
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// The most pages read, and batches sent, in one sync. What is left follows in the next.
const MAX_PAGES: usize = 4096;
/// How long to wait before the relay's entries are read again from the start in search of the same missing one.
const RESCAN_AFTER_MS: i64 = 10 * 60 * 1000;
/// How often a relay may have been restored within one sync.
const MAX_RESTORED: usize = 3;
/// How often attachments have their turn in one sync. What is left follows in the next.
const MAX_TURNS: usize = 4096;
/// The relay's generation, as its pages say it.
const GENERATION: &str = "relay_generation";
/// When, and for which entry, the relay's entries were last read again from the start.
const RESCANNED: &str = "rescanned";
/// The same, for an own entry that the relay has acknowledged and does not hand out.
const RESCANNED_OWN: &str = "rescanned_own";

/// What went out and came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SyncCounts {
    /// Entries that the relay acknowledged.
    pub sent: u64,
    /// Entries of other devices that became part of the state.
    pub received: u64,
    /// Changes in them.
    pub changes: u64,
}

impl SyncCounts {
    pub(super) fn count(&mut self, events: &[SyncEvent]) {
        for event in events {
            if let SyncEvent::Applied { changes, .. } = event {
                self.received = self.received.saturating_add(1);
                self.changes = self.changes.saturating_add(*changes as u64);
            }
        }
    }
}

impl Baken {
    /// Sends what is pending and takes in what others wrote; then sends attachments. A circle that has no room for them
    /// is no failure but stands in [`Baken::status`]. What came in is durable on return, and is merged into the records by
    /// the first look at them.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotReached`] and the other ways the relay can fail, which
    /// [`Baken::status`] then shows too. Untrustworthy content is no error but shown there, except where the relay's own
    /// answers contradict themselves: [`BakenError::NotTrustworthy`].
    pub async fn sync(&self, transport: &dyn Transport) -> Result<SyncCounts, BakenError> {
        let mut counts = SyncCounts::default();
        let done = self.sync_in_turns(transport, &mut counts).await;
        self.note_outcome(&done)?;
        done?;
        Ok(counts)
    }

    /// Entries, then attachments for a while, until all of them are through.
    async fn sync_in_turns(&self, transport: &dyn Transport, counts: &mut SyncCounts) -> Result<(), BakenError> {
        for _ in 0..MAX_TURNS {
            let entries = self.sync_all(transport, counts).await;
            if matches!(entries, Err(BakenError::NotReached | BakenError::Locked)) {
                return entries;
            }
            let attachments = self.sync_attachments(transport).await;
            entries?;
            if attachments? {
                break;
            }
        }
        Ok(())
    }

    async fn sync_all(&self, transport: &dyn Transport, counts: &mut SyncCounts) -> Result<(), BakenError> {
        if self.is_travelling() {
            self.come_back(transport).await?;
        }
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        self.keep_what_came_live()?;
        self.finish_activation(transport).await?;
        self.share_account()?;
        self.share_caller()?;
        self.labels_follow()?;
        match self.hand_in_orders(&client).await {
            // Kept, and tried again by the next sync; nothing else waits for it.
            Ok(()) | Err(BakenError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        // A circle whose log is not to be trusted is not joined, and holds up none of the others.
        let mut failed = match self.join_own_circles(&client).await {
            Ok(()) => None,
            Err(error @ (BakenError::NotReached | BakenError::Locked)) => return Err(error),
            Err(error) => Some(error),
        };
        for circle in self.circle_ids()? {
            match self.sync_circle(&client, circle, counts).await {
                Ok(()) => {}
                // Without the relay there is nothing to be had of the others either.
                Err(error @ (BakenError::NotReached | BakenError::Locked)) => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.note_order_keys()?;
        self.note_family()?;
        // A label that somebody in a case took off has come with the entries.
        self.labels_follow()?;
        if let Some(error) = failed {
            return Err(error);
        }
        // A device that was let in meanwhile goes on with what it could not do before.
        self.finish_activation(transport).await?;
        self.share_account()?;
        self.move_outbox()?;
        self.enrol_at_desks(&client).await?;
        self.send_card(&client).await?;
        match self.send_readiness(&client).await {
            // Kept, and tried again by the next sync: a relay without advisers takes none.
            Ok(()) | Err(BakenError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One circle: its log, what this device owes it, its entries both ways.
    async fn sync_circle(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        counts: &mut SyncCounts,
    ) -> Result<(), BakenError> {
        self.post_unposted(client, circle).await?;
        self.pull_log(client, circle).await?;
        self.do_duties(client, circle).await?;
        if !self.is_active_in(circle)? {
            return Ok(());
        }
        self.put_changed(circle)?;
        counts.count(&self.with_sync(circle, |sync| sync.retry())?);
        let pushed = match self.push(client, circle, counts).await {
            Err(BakenError::NotReached) => return Err(BakenError::NotReached),
            pushed => pushed,
        };
        if pushed.is_err() && self.with_sync(circle, has_unsent_checkpoint)? {
            return pushed;
        }
        let acknowledged = self.with_sync(circle, |sync| sync.acknowledged())?;
        // A relay that takes nothing (its disk is full) may still have something.
        self.pull_entries(client, circle, counts).await?;
        self.search_own(client, circle, acknowledged, counts).await?;
        // Entries of a device that joined while the pages were read.
        let waits = |sync: &mut Sync<'_>| {
            rows::count_waiting(sync.connection, sync.circle.row(), Some(rows::WaitReason::Membership))
        };
        if self.with_sync(circle, waits)? > 0 {
            self.pull_log(client, circle).await?;
            counts.count(&self.with_sync(circle, |sync| sync.retry())?);
        }
        self.find_withheld_log(circle)?;
        self.search_missing(client, circle, counts).await?;
        pushed?;
        self.settle_changed(circle)?;
        self.with_sync(circle, |sync| {
            erase::tidy(sync.connection, Author { circle: sync.circle, keys: sync.keys, context: sync.context })
        })?;
        self.with_sync(circle, make_due_checkpoint)?;
        // Sealed while reading: a word that others wait for, what is erased, a checkpoint.
        self.push(client, circle, counts).await
    }

    /// Sends what is not at the relay yet, of every circle that this device writes in; how many entries it took.
    pub(super) async fn push_edits(&self, client: &SignedClient<'_>) -> Result<u64, BakenError> {
        let mut counts = SyncCounts::default();
        for circle in self.circle_ids()? {
            if self.may_write_in(circle)? {
                self.push(client, circle, &mut counts).await?;
            }
        }
        Ok(counts.sent)
    }

    /// Reads all entries of a circle that this device is not in yet: what a recovery starts from.
    pub(crate) async fn read_all(&self, client: &SignedClient<'_>, circle: CircleId) -> Result<(), BakenError> {
        self.pull_entries(client, circle, &mut SyncCounts::default()).await
    }

    /// Entries that wait for a log record which the relay, asked again, does not have.
    fn find_withheld_log(&self, circle: CircleId) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_sync(circle, |sync| {
            let row = sync.circle.row();
            if rows::count_waiting(sync.connection, row, Some(rows::WaitReason::Membership))? > 0 {
                let place = Place { slot: 0, counter: sync.circle.membership().head().seq.saturating_add(1) };
                rows::find(sync.connection, row, FindingKind::LogWithheld, place, now)?;
            } else {
                rows::mend(sync.connection, row, FindingKind::LogWithheld)?;
            }
            Ok(())
        })
    }

    /// Remembers how a sync ended, for [`Baken::status`].
    fn note_outcome(&self, done: &Result<(), BakenError>) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let tx = open.vault.connection.transaction()?;
            match done {
                Ok(()) => {
                    setting::write(&tx, LAST_SUCCESS, &now)?;
                    setting::remove(&tx, LAST_FAILURE)?;
                }
                Err(error) => {
                    let before: Option<Failure> = setting::read(&tx, LAST_FAILURE)?;
                    let since = before.filter(|before| before.code == error.code()).map_or(now, |before| before.since);
                    setting::write(&tx, LAST_FAILURE, &Failure { code: error.code().to_owned(), since })?;
                }
            }
            Ok(tx.commit()?)
        })
    }

    /// Runs the engine of a circle. Never wait for the network inside.
    pub(crate) fn with_sync<T>(
        &self,
        circle: CircleId,
        work: impl FnOnce(&mut Sync<'_>) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        self.with_vault(|open| {
            let circle = open.circles.get(circle)?;
            work(&mut Sync { connection: &mut open.vault.connection, circle, keys: &open.keys, context: &self.context })
        })
    }

    async fn page(&self, client: &SignedClient<'_>, path: &str) -> Result<Page, BakenError> {
        let key = self.context.with_rng(|rng| IdempotencyKey::make(rng));
        client.ask(Method::GET, path, Vec::new(), key, "a page").await
    }

    /// Brings the membership log up to the relay's.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when a record breaks the rules: the log is kept as it was.
    pub(crate) async fn pull_log(&self, client: &SignedClient<'_>, circle: CircleId) -> Result<(), BakenError> {
        let path = path_with(api::LOG, circle)?;
        let mut restored = 0;
        for _ in 0..MAX_PAGES {
            let head = self.with_vault(|open| Ok(open.circles.get(circle)?.membership().head()))?;
            let page = self.page(client, &format!("{path}?after={}", head.seq)).await?;
            if self.is_restored(circle, page.generation)? {
                self.refill_log(client, circle, &path).await?;
                count_restored(&mut restored)?;
                continue;
            }
            for (seq, item) in (head.seq.saturating_add(1)..).zip(&page.items) {
                self.take_log_record(circle, seq, &item.bytes)?;
            }
            if !page.more || page.items.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes the record that stands at `seq` of the log, as it was asked for.
    fn take_log_record(&self, circle: CircleId, seq: u64, bytes: &[u8]) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let (connection, keys) = (&mut open.vault.connection, &open.keys);
            let circle = open.circles.get_mut(circle)?;
            // Of two that read the log at once, such as a sync beside a pairing, the second has it already. One that comes
            // where another was asked for is a conflict as ever.
            if circle.membership().head().seq >= seq && circle.log_hash(connection, seq)? == Some(hash_of(bytes)) {
                return Ok(());
            }
            let taken = circle::change(connection, circle, |tx, circle: &mut Circle| {
                circle.apply(tx, bytes, keys)?;
                circle::observe(tx, circle, now)
            });
            match taken {
                Err(BakenError::Format(_)) => {
                    let counter = circle.membership().head().seq.saturating_add(1);
                    let slot = circle.own_slot().unwrap_or(0);
                    rows::find(connection, circle.row(), FindingKind::LogConflict, Place { slot, counter }, now)?;
                    Err(BakenError::NotTrustworthy { what: "its membership log breaks the rules" })
                }
                other => other,
            }
        })
    }

    /// Hands every log record to a relay that was restored from a backup. It has most of them; which it takes and
    /// which it refuses shows when the log is read again.
    async fn refill_log(&self, client: &SignedClient<'_>, circle: CircleId, path: &str) -> Result<(), BakenError> {
        let records =
            self.with_vault(|open| circle::records_from(&open.vault.connection, open.circles.get(circle)?.row(), 0))?;
        for record in records {
            let key = idempotency_of(path, &record);
            match client.send(Method::POST, path, record, key).await {
                Ok(_) | Err(BakenError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the relay says that it was restored since the last time. Everything is then sent and read again.
    fn is_restored(&self, circle: CircleId, generation: u64) -> Result<bool, BakenError> {
        self.with_vault(|open| {
            let row = open.circles.get(circle)?.row();
            let known: Option<u64> = setting::read_of(&open.vault.connection, row, GENERATION)?;
            if known == Some(generation) {
                return Ok(false);
            }
            let tx = open.vault.connection.transaction()?;
            setting::write_of(&tx, row, GENERATION, &generation)?;
            if known.is_some() {
                setting::write_of(&tx, row, STORED, &0u64)?;
                setting::write_of(&tx, row, CURSOR, &0u64)?;
                duties::forget_sent(&tx, row)?;
                // What devices that have left wrote is in nobody's hands to send again: the whole state is.
                checkpoint::make_due(&tx, row)?;
            }
            tx.commit()?;
            Ok(known.is_some())
        })
    }

    async fn push(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        counts: &mut SyncCounts,
    ) -> Result<(), BakenError> {
        let path = path_with(api::ENTRIES, circle)?;
        let mut refilling = false;
        for _ in 0..MAX_PAGES {
            let entries = self.with_sync(circle, |sync| sync.outgoing())?;
            if entries.is_empty() {
                return Ok(());
            }
            let count = entries.len() as u64;
            let body = cbor::to_vec(&EntryBatch { entries: entries.into_iter().map(Into::into).collect() });
            let key = idempotency_of(&path, &body);
            match client.ask::<EntriesStored>(Method::POST, &path, body, key, "the answer to entries").await {
                Ok(stored) => {
                    // Forgotten, they would be sent again.
                    self.with_sync(circle, |sync| {
                        sync.without_waiting_for_the_disk(|sync| sync.stored(stored.counter, stored.hash))
                    })?;
                    counts.sent = counts.sent.saturating_add(count);
                }
                Err(BakenError::Refused { status: 409, code }) if code == "entry_out_of_order" && !refilling => {
                    // It has less than it acknowledged, and does not say that it was restored: it gets all again.
                    refilling = true;
                    self.with_sync(circle, forget_acknowledgements)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn pull_entries(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        counts: &mut SyncCounts,
    ) -> Result<(), BakenError> {
        let path = path_with(api::ENTRIES, circle)?;
        let cursor_now = |sync: &mut Sync<'_>| setting::read_of(sync.connection, sync.circle.row(), CURSOR);
        let mut restored = 0;
        for _ in 0..MAX_PAGES {
            let cursor: u64 = self.with_sync(circle, cursor_now)?.unwrap_or(0);
            let page = self.page(client, &format!("{path}?after={cursor}")).await?;
            if self.is_restored(circle, page.generation)? {
                self.push(client, circle, counts).await?;
                count_restored(&mut restored)?;
                continue;
            }
            let Some(last) = page.items.last().map(|item| item.cursor) else { return Ok(()) };
            if last <= cursor || !page.items.is_sorted_by(|a, b| a.cursor < b.cursor) {
                return Err(BakenError::NotTrustworthy { what: "its entries are out of their own order" });
            }
            let entries: Vec<&[u8]> = page.items.iter().map(|item| &**item.bytes).collect();
            counts.count(&self.with_sync(circle, |sync| sync.incoming(&entries, Some(last)))?);
            if !page.more {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the relay acknowledged it hands out again, to this device too. Where it does not, the place from which it
    /// is read may be one that it made up: everything is read once more from the start.
    async fn search_own(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        acknowledged: u64,
        counts: &mut SyncCounts,
    ) -> Result<(), BakenError> {
        let now = self.context.now();
        let is_due = self.with_sync(circle, |sync| {
            let row = sync.circle.row();
            let read: u64 = setting::read_of(sync.connection, row, READ_OWN)?.unwrap_or(0);
            let before: Option<i64> = setting::read_of(sync.connection, row, RESCANNED_OWN)?;
            let waits = before.is_some_and(|at| (0..RESCAN_AFTER_MS).contains(&now.0.saturating_sub(at)));
            if read >= acknowledged || waits {
                return Ok(false);
            }
            setting::write_of(sync.connection, row, RESCANNED_OWN, &now.0)?;
            setting::write_of(sync.connection, row, CURSOR, &0u64)?;
            Ok(true)
        })?;
        if is_due { self.pull_entries(client, circle, counts).await } else { Ok(()) }
    }

    /// When an entry is missing that a peer has seen, everything is read once more from the start; what is still not
    /// there then is withheld. A relay can store an entry only after what its author had read from it.
    async fn search_missing(
        &self,
        client: &SignedClient<'_>,
        circle: CircleId,
        counts: &mut SyncCounts,
    ) -> Result<(), BakenError> {
        let Some(first) = self.with_sync(circle, |sync| sync.missing())?.first().copied() else { return Ok(()) };
        let now = self.context.now();
        let search = (now.0, first.slot, first.counter);
        let before: Option<(i64, u16, u64)> =
            self.with_sync(circle, |sync| setting::read_of(sync.connection, sync.circle.row(), RESCANNED))?;
        let is_due = before.is_none_or(|(at, slot, counter)| {
            (slot, counter) != (first.slot, first.counter)
                || !(0..RESCAN_AFTER_MS).contains(&(now.0.saturating_sub(at)))
        });
        if is_due {
            self.with_sync(circle, |sync| {
                setting::write_of(sync.connection, sync.circle.row(), RESCANNED, &search)?;
                setting::write_of(sync.connection, sync.circle.row(), CURSOR, &0u64)
            })?;
            self.pull_entries(client, circle, counts).await?;
        }
        self.with_sync(circle, |sync| {
            for place in sync.missing()? {
                rows::find(sync.connection, sync.circle.row(), FindingKind::Withheld, place, now)?;
            }
            Ok(())
        })
    }
}

/// Counts that the relay was restored. One that says so with every answer keeps a phone from ever reading on.
fn count_restored(restored: &mut usize) -> Result<(), BakenError> {
    *restored = restored.saturating_add(1);
    if *restored > MAX_RESTORED {
        return Err(BakenError::NotTrustworthy { what: "it says time and again that it was restored" });
    }
    Ok(())
}

/// Starts sending from the first own entry again, and notes that the relay had acknowledged more.
fn forget_acknowledgements(sync: &mut Sync<'_>) -> Result<(), BakenError> {
    let row = sync.circle.row();
    let stored: u64 = setting::read_of(sync.connection, row, STORED)?.unwrap_or(0);
    if stored > 0 {
        let slot = sync.circle.own_slot().ok_or(BakenError::NotActivated)?;
        let place = Place { slot, counter: stored };
        rows::find(sync.connection, row, FindingKind::RolledBack, place, sync.context.now())?;
    }
    setting::write_of(sync.connection, row, STORED, &0u64)
}

/// Writes a checkpoint where one is due. What is in it is sealed, so nothing of it waits for the network.
fn make_due_checkpoint(sync: &mut Sync<'_>) -> Result<(), BakenError> {
    if !checkpoint::is_due(sync.connection, sync.circle, sync.keys)? {
        return Ok(());
    }
    let author = Author { circle: sync.circle, keys: sync.keys, context: sync.context };
    let tx = sync.connection.transaction()?;
    checkpoint::make(&tx, author)?;
    tx.commit()?;
    Ok(())
}

/// Whether a checkpoint of this device is on its way: see [`checkpoint::is_unsent`].
fn has_unsent_checkpoint(sync: &mut Sync<'_>) -> Result<bool, BakenError> {
    let row = sync.circle.row();
    let stored: u64 = setting::read_of(sync.connection, row, STORED)?.unwrap_or(0);
    checkpoint::is_unsent(sync.connection, row, stored)
}
