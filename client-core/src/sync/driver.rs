//! Carries the engine's bytes over a transport: membership log, own entries out, others' in. One [`Baken::sync`] is
//! complete or says why not; it may be cancelled anywhere, since every step is durable before the next.

use baken_schemas::api::{self, EntriesStored, EntryBatch, Page};
use baken_schemas::cbor;
use baken_schemas::id::IdempotencyKey;
use http::Method;
use serde::Serialize;

use crate::circle::{self, Circle};
use crate::client::{SignedClient, idempotency_of, path_with};
use crate::sync::StatusView;
use crate::sync::engine::{CURSOR, STORED, Sync, SyncEvent};
use crate::sync::rows::{self, FindingKind, Place};
use crate::sync::status::{Failure, LAST_FAILURE, LAST_SUCCESS};
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError};

/// The most pages read, and batches sent, in one sync. What is left follows in the next.
const MAX_PAGES: usize = 4096;
/// How long to wait before the relay's entries are read again from the start in search of the same missing one.
const RESCAN_AFTER_MS: i64 = 10 * 60 * 1000;
/// The relay's generation, as its pages say it.
const GENERATION: &str = "relay_generation";
/// When, and for which entry, the relay's entries were last read again from the start.
const RESCANNED: &str = "rescanned";

/// What one sync did, and where the device stands after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// Entries that the relay acknowledged.
    pub sent: u64,
    /// Entries of other devices that became part of the state.
    pub received: u64,
    /// Changes in them.
    pub changes: u64,
    /// Where the device stands now.
    pub status: StatusView,
}

#[derive(Default)]
struct Tally {
    sent: u64,
    received: u64,
    changes: u64,
}

impl Tally {
    fn count(&mut self, events: &[SyncEvent]) {
        for event in events {
            if let SyncEvent::Applied { changes, .. } = event {
                self.received = self.received.saturating_add(1);
                self.changes = self.changes.saturating_add(*changes as u64);
            }
        }
    }
}

impl Baken {
    /// Sends what is pending and takes in what others wrote.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotReached`] and the other ways the relay can fail, which
    /// [`Baken::status`] then shows too. Untrustworthy content is no error but in the report's status, except where the
    /// relay's own answers contradict themselves: [`BakenError::NotTrustworthy`].
    pub async fn sync(&self, transport: &dyn Transport) -> Result<SyncReport, BakenError> {
        let mut tally = Tally::default();
        let done = self.sync_all(transport, &mut tally).await;
        self.note_outcome(&done)?;
        done?;
        let Tally { sent, received, changes } = tally;
        Ok(SyncReport { sent, received, changes, status: self.status()? })
    }

    async fn sync_all(&self, transport: &dyn Transport, tally: &mut Tally) -> Result<(), BakenError> {
        self.finish_activation(transport).await?;
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        self.pull_log(&client).await?;
        tally.count(&self.with_sync(|sync| sync.retry())?);
        let pushed = match self.push(&client, tally).await {
            Err(BakenError::NotReached) => return Err(BakenError::NotReached),
            pushed => pushed,
        };
        // A relay that takes nothing (its disk is full) may still have something.
        self.pull_entries(&client, tally).await?;
        // Entries of a device that joined while the pages were read.
        if self.with_sync(|sync| rows::count_waiting(sync.connection, Some(rows::WaitReason::Membership)))? > 0 {
            self.pull_log(&client).await?;
            tally.count(&self.with_sync(|sync| sync.retry())?);
        }
        self.search_missing(&client, tally).await?;
        pushed?;
        self.enrol_at_desks(&client).await?;
        self.send_card(&client).await
    }

    /// Remembers how a sync ended, for [`Baken::status`].
    fn note_outcome(&self, done: &Result<(), BakenError>) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let connection = &open.vault.connection;
            match done {
                Ok(()) => {
                    setting::write(connection, LAST_SUCCESS, &now)?;
                    setting::remove(connection, LAST_FAILURE)
                }
                Err(error) => {
                    let before: Option<Failure> = setting::read(connection, LAST_FAILURE)?;
                    let since = before.filter(|before| before.code == error.code()).map_or(now, |before| before.since);
                    setting::write(connection, LAST_FAILURE, &Failure { code: error.code().to_owned(), since })
                }
            }
        })
    }

    /// Runs the engine. Never wait for the network inside.
    pub(super) fn with_sync<T>(
        &self,
        work: impl FnOnce(&mut Sync<'_>) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        self.with_vault(|open| {
            work(&mut Sync {
                connection: &mut open.vault.connection,
                circle: &open.circle,
                keys: &open.keys,
                context: &self.context,
            })
        })
    }

    fn circle_path(&self, template: &str) -> Result<String, BakenError> {
        let circle = self.with_vault(|open| Ok(open.circle.membership().circle()))?;
        path_with(template, circle)
    }

    async fn page(&self, client: &SignedClient<'_>, path: &str) -> Result<Page, BakenError> {
        let key = self.context.with_rng(|rng| IdempotencyKey::make(rng));
        client.ask(Method::GET, path, Vec::new(), key, "a page").await
    }

    /// Brings the membership log up to the relay's.
    ///
    /// # Errors
    /// [`BakenError::NotTrustworthy`] when a record breaks the rules: the log is kept as it was.
    pub(crate) async fn pull_log(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        let path = self.circle_path(api::LOG)?;
        for _ in 0..MAX_PAGES {
            let head = self.with_vault(|open| Ok(open.circle.membership().head()))?;
            let page = self.page(client, &format!("{path}?after={}", head.seq)).await?;
            if self.is_restored(page.generation)? {
                self.refill_log(client, &path).await?;
                continue;
            }
            for item in &page.items {
                self.take_log_record(&item.bytes)?;
            }
            if !page.more || page.items.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_log_record(&self, bytes: &[u8]) -> Result<(), BakenError> {
        let now = self.context.now();
        self.with_vault(|open| {
            let (connection, circle, keys) = (&mut open.vault.connection, &mut open.circle, &open.keys);
            let taken = circle::change(connection, circle, |tx, circle: &mut Circle| circle.apply(tx, bytes, keys));
            match taken {
                Err(BakenError::Format(_)) => {
                    let counter = circle.membership().head().seq.saturating_add(1);
                    let slot = circle.own_slot().unwrap_or(0);
                    rows::find(connection, FindingKind::LogConflict, Place { slot, counter }, now)?;
                    Err(BakenError::NotTrustworthy { what: "its membership log breaks the rules" })
                }
                other => other,
            }
        })
    }

    /// Hands every log record to a relay that was restored from a backup. It has most of them; which it takes and
    /// which it refuses shows when the log is read again.
    async fn refill_log(&self, client: &SignedClient<'_>, path: &str) -> Result<(), BakenError> {
        for record in self.with_vault(|open| circle::records_from(&open.vault.connection, 0))? {
            let key = idempotency_of(path, &record);
            match client.send(Method::POST, path, record, key).await {
                Ok(_) | Err(BakenError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the relay says that it was restored since the last time. Everything is then sent and read again.
    fn is_restored(&self, generation: u64) -> Result<bool, BakenError> {
        self.with_vault(|open| {
            let known: Option<u64> = setting::read(&open.vault.connection, GENERATION)?;
            if known == Some(generation) {
                return Ok(false);
            }
            let tx = open.vault.connection.transaction()?;
            setting::write(&tx, GENERATION, &generation)?;
            if known.is_some() {
                setting::write(&tx, STORED, &0u64)?;
                setting::write(&tx, CURSOR, &0u64)?;
            }
            tx.commit()?;
            Ok(known.is_some())
        })
    }

    async fn push(&self, client: &SignedClient<'_>, tally: &mut Tally) -> Result<(), BakenError> {
        let path = self.circle_path(api::ENTRIES)?;
        let mut refilling = false;
        for _ in 0..MAX_PAGES {
            let entries = self.with_sync(|sync| sync.outgoing())?;
            if entries.is_empty() {
                return Ok(());
            }
            let count = entries.len() as u64;
            let body = cbor::to_vec(&EntryBatch { entries: entries.into_iter().map(Into::into).collect() });
            let key = idempotency_of(&path, &body);
            match client.ask::<EntriesStored>(Method::POST, &path, body, key, "the answer to entries").await {
                Ok(stored) => {
                    self.with_sync(|sync| sync.stored(stored.counter, stored.hash))?;
                    tally.sent = tally.sent.saturating_add(count);
                }
                Err(BakenError::Refused { status: 409, code }) if code == "entry_out_of_order" && !refilling => {
                    // It has less than it acknowledged, and does not say that it was restored: it gets all again.
                    refilling = true;
                    self.with_sync(forget_acknowledgements)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn pull_entries(&self, client: &SignedClient<'_>, tally: &mut Tally) -> Result<(), BakenError> {
        let path = self.circle_path(api::ENTRIES)?;
        for _ in 0..MAX_PAGES {
            let cursor: u64 = self.with_sync(|sync| setting::read(sync.connection, CURSOR))?.unwrap_or(0);
            let page = self.page(client, &format!("{path}?after={cursor}")).await?;
            if self.is_restored(page.generation)? {
                self.push(client, tally).await?;
                continue;
            }
            let Some(last) = page.items.last().map(|item| item.cursor) else { return Ok(()) };
            if last <= cursor || !page.items.is_sorted_by(|a, b| a.cursor < b.cursor) {
                return Err(BakenError::NotTrustworthy { what: "its entries are out of their own order" });
            }
            let entries: Vec<&[u8]> = page.items.iter().map(|item| &**item.bytes).collect();
            tally.count(&self.with_sync(|sync| sync.incoming(&entries, Some(last)))?);
            if !page.more {
                return Ok(());
            }
        }
        Ok(())
    }

    /// When an entry is missing that a peer has seen, everything is read once more from the start; what is still not
    /// there then is withheld. A relay can store an entry only after what its author had read from it.
    async fn search_missing(&self, client: &SignedClient<'_>, tally: &mut Tally) -> Result<(), BakenError> {
        let Some(first) = self.with_sync(|sync| sync.missing())?.first().copied() else { return Ok(()) };
        let now = self.context.now();
        let search = (now.0, first.slot, first.counter);
        let before: Option<(i64, u16, u64)> = self.with_sync(|sync| setting::read(sync.connection, RESCANNED))?;
        let is_due = before.is_none_or(|(at, slot, counter)| {
            (slot, counter) != (first.slot, first.counter)
                || !(0..RESCAN_AFTER_MS).contains(&(now.0.saturating_sub(at)))
        });
        if is_due {
            self.with_sync(|sync| {
                setting::write(sync.connection, RESCANNED, &search)?;
                setting::write(sync.connection, CURSOR, &0u64)
            })?;
            self.pull_entries(client, tally).await?;
        }
        self.with_sync(|sync| {
            for place in sync.missing()? {
                rows::find(sync.connection, FindingKind::Withheld, place, now)?;
            }
            Ok(())
        })
    }
}

/// Starts sending from the first own entry again, and notes that the relay had acknowledged more.
fn forget_acknowledgements(sync: &mut Sync<'_>) -> Result<(), BakenError> {
    let stored: u64 = setting::read(sync.connection, STORED)?.unwrap_or(0);
    if stored > 0 {
        let slot = sync.circle.own_slot().ok_or(BakenError::NotActivated)?;
        let place = Place { slot, counter: stored };
        rows::find(sync.connection, FindingKind::RolledBack, place, sync.context.now())?;
    }
    setting::write(sync.connection, STORED, &0u64)
}
