//! Following the circle while the program runs: the relay's live stream says what is new, and under it a full sync
//! runs now and then, so that a lost event costs only time.

use std::ops::ControlFlow;
use std::time::Duration;

use baken_schemas::FormatError;
use baken_schemas::api::{self, LiveEvent};
use baken_schemas::cbor;
use baken_schemas::id::IdempotencyKey;
use data_encoding::BASE64;
use futures_util::StreamExt as _;

use crate::client::SignedClient;
use crate::sync::SyncReport;
use crate::sync::engine::CURSOR;
use crate::transport::{EventStream, Transport};
use crate::vault::setting;
use crate::{Baken, BakenError};

/// A full sync at least this often, stream or not, in milliseconds.
const POLL_MS: u64 = 60_000;
/// How long to wait after a failure: doubling from the first to the last, in milliseconds.
const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_LAST_MS: u64 = 30_000;

/// What following came across.
#[derive(Debug)]
pub enum Followed {
    /// A sync ran through.
    Synced(Box<SyncReport>),
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
            tokio::time::sleep(Duration::from_millis(retry_ms)).await;
            retry_ms = retry_ms.saturating_mul(2).min(RETRY_LAST_MS);
        }
    }

    /// One sync, and the stream until it ends.
    async fn follow_once(
        &self,
        transport: &dyn Transport,
        tell: &mut (dyn FnMut(&Followed) -> ControlFlow<()> + Send),
    ) -> Result<ControlFlow<()>, BakenError> {
        // The stream first: what comes while the sync runs is then not missed. Where none can be opened (a proxy that
        // holds streams back), the syncs go on without it.
        let mut stream = self.open_live(transport).await.ok();
        loop {
            let report = self.sync(transport).await?;
            if tell(&Followed::Synced(Box::new(report))).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let Some(stream) = &mut stream else {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(RETRY_LAST_MS)) => {}
                    () = self.edited.notified() => {}
                }
                return Ok(ControlFlow::Continue(()));
            };
            if self.wait_for_news(stream).await? == News::Ended {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    async fn open_live(&self, transport: &dyn Transport) -> Result<EventStream, BakenError> {
        let keys = self.device_keys()?;
        let circles = self.with_vault(|open| {
            let active = open.circles.all().filter(|circle| circle.membership().is_active(open.keys.device));
            let cursors = active.map(|circle| {
                let cursor: Option<u64> = setting::read_of(&open.vault.connection, circle.row(), CURSOR)?;
                Ok(format!("{}.{}", circle.id(), cursor.unwrap_or(0)))
            });
            cursors.take(api::MAX_CIRCLES).collect::<Result<Vec<_>, BakenError>>()
        })?;
        let key = self.context.with_rng(|rng| IdempotencyKey::make(rng));
        let path = format!("{}?circles={}", api::LIVE, circles.join(","));
        SignedClient::of_device(transport, &keys).live(&path, key).await
    }

    /// Waits until the stream names something new, ends, or it is time to look anyway. Entries are taken in by the sync
    /// that follows, in the relay's order and with all its checks.
    async fn wait_for_news(&self, stream: &mut EventStream) -> Result<News, BakenError> {
        let poll = tokio::time::sleep(Duration::from_millis(POLL_MS));
        tokio::pin!(poll);
        loop {
            tokio::select! {
                () = &mut poll => return Ok(News::Some),
                () = self.edited.notified() => return Ok(News::Some),
                event = stream.next() => match event {
                    Some(Ok(data)) if self.is_news(&data)? => return Ok(News::Some),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ok(News::Ended),
                }
            }
        }
    }

    fn is_news(&self, data: &str) -> Result<bool, BakenError> {
        let event = match decode_event(data) {
            Ok(event) => event,
            Err(error) => return Err(BakenError::BadAnswer(error)),
        };
        self.with_vault(|open| match event {
            LiveEvent::Mail { .. } => Ok(false),
            LiveEvent::Entry { circle, cursor, .. } => {
                let row = open.circles.get(circle)?.row();
                let known: Option<u64> = setting::read_of(&open.vault.connection, row, CURSOR)?;
                Ok(cursor > known.unwrap_or(0))
            }
            LiveEvent::Log { circle, seq } => Ok(seq > open.circles.get(circle)?.membership().head().seq),
        })
    }
}

#[derive(PartialEq, Eq)]
enum News {
    Some,
    Ended,
}

/// Reads the data of an event: base64 of the CBOR of a [`LiveEvent`].
fn decode_event(data: &str) -> Result<LiveEvent, FormatError> {
    let what = "a live event";
    let bytes = BASE64.decode(data.as_bytes()).map_err(|_| FormatError::Malformed { what })?;
    cbor::from_slice(&bytes, what)
}
