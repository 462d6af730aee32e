//! Following the circles while the program runs. Single edits go out, and single entries come in over the relay's live
//! stream, as they are made; whatever is more than that is a whole sync's, and one runs now and then anyway, so that a
//! lost event costs only time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use baken_schemas::FormatError;
use baken_schemas::api::{self, LiveEvent};
use baken_schemas::cbor;
use baken_schemas::id::{CircleId, IdempotencyKey};
use data_encoding::BASE64;
use futures_util::StreamExt as _;

use crate::baken::UnlockedVault;
use crate::client::SignedClient;
use crate::sync::SyncCounts;
use crate::sync::engine::{CURSOR, SyncEvent};
use crate::timer;
use crate::transport::{EventStream, Transport};
use crate::vault::setting;
use crate::{Baken, BakenError};

/// A full sync at least this often, stream or not, in milliseconds.
const POLL_MS: u64 = 60_000;
/// A full sync this long after an edit that went out by itself, in milliseconds: it brings what hangs on the edit, such as
/// the card and attachments.
const SYNC_AFTER_EDIT_MS: u64 = 2_000;
/// How long to wait after a failure: doubling from the first to the last, in milliseconds.
const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_LAST_MS: u64 = 30_000;

/// What following came across.
#[derive(Debug)]
pub enum Followed {
    /// A sync ran through.
    Synced(SyncCounts),
    /// Single edits went out, or single entries came in, since.
    Live(SyncCounts),
    /// An attempt failed; another follows after this long.
    Failed {
        /// Why.
        error: BakenError,
        /// The wait in milliseconds.
        retry_ms: u64,
    },
}

impl Baken {
    /// Syncs, then listens and syncs whenever there is something, until `tell` breaks or the vault is locked. Endless
    /// otherwise, whatever the network does. May be cancelled anywhere.
    ///
    /// # Errors
    /// [`BakenError::Locked`], and those of the disk; the network's go to `tell`.
    pub async fn follow(
        &self,
        transport: &dyn Transport,
        tell: &mut (dyn FnMut(&Followed) -> ControlFlow<()> + Send),
    ) -> Result<(), BakenError> {
        let mut retry_ms = RETRY_FIRST_MS;
        loop {
            match self.follow_once(transport, tell).await {
                Ok(ControlFlow::Break(())) => return Ok(()),
                Ok(ControlFlow::Continue(())) => retry_ms = RETRY_FIRST_MS,
                Err(
                    error @ (BakenError::Locked
                    | BakenError::Disk(_)
                    | BakenError::DiskFull
                    | BakenError::Database(_)
                    | BakenError::VaultDamaged { .. }),
                ) => return Err(error),
                Err(error) => {
                    if tell(&Followed::Failed { error, retry_ms }).is_break() {
                        return Ok(());
                    }
                }
            }
            timer::sleep(Duration::from_millis(retry_ms)).await;
            retry_ms = retry_ms.saturating_mul(2).min(RETRY_LAST_MS);
        }
    }

    /// The stream until it ends, with a sync where one is due.
    async fn follow_once(
        &self,
        transport: &dyn Transport,
        tell: &mut (dyn FnMut(&Followed) -> ControlFlow<()> + Send),
    ) -> Result<ControlFlow<()>, BakenError> {
        // The stream first: what comes while the sync runs is then not missed. Where none can be opened (a proxy that
        // holds streams back), the syncs go on without it.
        let circles: Vec<CircleId> = self.cursors()?.into_keys().collect();
        let mut stream = self.open_live(transport).await.ok();
        let _live = stream.is_some().then(|| Live::begin(&self.is_live));
        loop {
            let counts = self.sync(transport).await?;
            if tell(&Followed::Synced(counts)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            // A circle that was founded or joined since is on no stream until it is opened anew.
            if stream.is_some() && self.cursors()?.into_keys().ne(circles.iter().copied()) {
                return Ok(ControlFlow::Continue(()));
            }
            let Some(stream) = &mut stream else {
                tokio::select! {
                    () = timer::sleep(Duration::from_millis(RETRY_LAST_MS)) => {}
                    () = self.edited.notified() => {}
                }
                return Ok(ControlFlow::Continue(()));
            };
            match self.follow_live(transport, stream, tell).await? {
                Next::Sync => {}
                Next::Reopen => return Ok(ControlFlow::Continue(())),
                Next::End => return Ok(ControlFlow::Break(())),
            }
        }
    }

    /// Sends single edits and takes in single entries, until there is more than that.
    async fn follow_live(
        &self,
        transport: &dyn Transport,
        stream: &mut EventStream,
        tell: &mut (dyn FnMut(&Followed) -> ControlFlow<()> + Send),
    ) -> Result<Next, BakenError> {
        let keys = self.device_keys()?;
        let client = SignedClient::of_device(transport, &keys);
        let mut cursors = self.cursors()?;
        let poll = timer::sleep(Duration::from_millis(POLL_MS));
        tokio::pin!(poll);
        let mut is_edited = false;
        loop {
            let event = tokio::select! {
                () = &mut poll => return Ok(Next::Sync),
                () = self.edited.notified() => None,
                event = stream.next() => match event {
                    Some(Ok(data)) => Some(decode_event(&data).map_err(BakenError::BadAnswer)?),
                    Some(Err(_)) | None => return Ok(Next::Reopen),
                },
            };
            let counts = match event {
                None => {
                    if !std::mem::replace(&mut is_edited, true) {
                        poll.set(timer::sleep(Duration::from_millis(SYNC_AFTER_EDIT_MS)));
                    }
                    SyncCounts::default()
                }
                Some(LiveEvent::Mail { .. }) => continue,
                Some(LiveEvent::Log { circle, seq }) => {
                    if self.with_vault(|open| Ok(seq > open.circles.get(circle)?.membership().head().seq))? {
                        return Ok(Next::Sync);
                    }
                    continue;
                }
                Some(LiveEvent::Entry { circle, cursor, entry }) => {
                    let Some(known) = cursors.get_mut(&circle) else { return Ok(Next::Sync) };
                    if cursor <= *known {
                        continue;
                    }
                    let Some(counts) = self.take_live(circle, &entry, *known, cursor)? else { return Ok(Next::Sync) };
                    *known = cursor;
                    counts
                }
            };
            if counts != SyncCounts::default() && tell(&Followed::Live(counts)).is_break() {
                return Ok(Next::End);
            }
            // Behind it: whoever is told need not wait, and what came in may have sealed what was pending.
            let Ok(sent) = self.push_edits(&client).await else { return Ok(Next::Sync) };
            let counts = SyncCounts { sent, ..SyncCounts::default() };
            if sent > 0 && tell(&Followed::Live(counts)).is_break() {
                return Ok(Next::End);
            }
        }
    }

    /// Takes in an entry that follows what was read up to `known`. `None` when it is more than an entry that fits, or
    /// when another sync has moved the place meanwhile: a whole sync is due then.
    fn take_live(
        &self,
        circle: CircleId,
        entry: &[u8],
        known: u64,
        cursor: u64,
    ) -> Result<Option<SyncCounts>, BakenError> {
        self.with_sync(circle, |sync| {
            let there: Option<u64> = setting::read_of(sync.connection, sync.circle.row(), CURSOR)?;
            if there.unwrap_or(0) != known || !sync.circle.membership().is_active(sync.keys.device) {
                return Ok(None);
            }
            // Forgotten, it would be read again from where the last sync that is on disk had got to.
            let events = sync.without_waiting_for_the_disk(|sync| sync.incoming(&[entry], Some(cursor)))?;
            self.came_live.store(true, Ordering::Relaxed);
            let fits = events.iter().all(|event| matches!(event, SyncEvent::Applied { .. } | SyncEvent::Known));
            let mut counts = SyncCounts::default();
            counts.count(&events);
            Ok(fits.then_some(counts))
        })
    }

    /// Has on disk what came in live: what a sync asks to go on from, the relay takes for kept.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::Database`].
    pub(super) fn keep_what_came_live(&self) -> Result<(), BakenError> {
        if !self.came_live.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        // The log is synced before any of it is moved.
        let synced = |open: &mut UnlockedVault| {
            Ok(open.vault.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
        };
        self.with_vault(synced).inspect_err(|_| self.came_live.store(true, Ordering::Relaxed))
    }

    /// How far each circle was read.
    fn cursors(&self) -> Result<BTreeMap<CircleId, u64>, BakenError> {
        self.with_vault(|open| {
            let active = open.circles.all().filter(|circle| circle.membership().is_active(open.keys.device));
            let cursors = active.map(|circle| {
                let cursor: Option<u64> = setting::read_of(&open.vault.connection, circle.row(), CURSOR)?;
                Ok((circle.id(), cursor.unwrap_or(0)))
            });
            cursors.take(api::MAX_CIRCLES).collect()
        })
    }

    async fn open_live(&self, transport: &dyn Transport) -> Result<EventStream, BakenError> {
        let keys = self.device_keys()?;
        let cursors = self.cursors()?;
        let circles: Vec<String> = cursors.iter().map(|(circle, cursor)| format!("{circle}.{cursor}")).collect();
        let key = self.context.with_rng(|rng| IdempotencyKey::make(rng));
        let path = format!("{}?circles={}", api::LIVE, circles.join(","));
        SignedClient::of_device(transport, &keys).live(&path, key).await
    }
}

/// What comes after following live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A whole sync.
    Sync,
    /// A new stream.
    Reopen,
    /// Nothing: whoever is told wants no more.
    End,
}

/// While it lives, edits are sealed as they are made, since each is sent at once.
struct Live<'a>(&'a AtomicBool);

impl<'a> Live<'a> {
    fn begin(is_live: &'a AtomicBool) -> Self {
        is_live.store(true, Ordering::Relaxed);
        Self(is_live)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Reads the data of an event: base64 of the CBOR of a [`LiveEvent`].
fn decode_event(data: &str) -> Result<LiveEvent, FormatError> {
    let what = "a live event";
    let bytes = BASE64.decode(data.as_bytes()).map_err(|_| FormatError::Malformed { what })?;
    cbor::from_slice(&bytes, what)
}
