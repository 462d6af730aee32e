//! Whether the relay's own ticker goes round: while it stands still no ladder climbs and no check-in is raised. It is looked
//! at from a thread of its own, and each organisation's desks are told, once, and told when it goes on: with a [`Silence`]
//! that names the relay itself.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use baken_schemas::api::MailKind;
use baken_schemas::org::Silence;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use crate::audit;
use crate::relay::Relay;
use crate::relay::mail::{self, Keep, put_document};
use crate::store::{Priority, StoreError};

/// After how long without going round it stands still, in milliseconds. It goes round every two seconds.
pub const STALLED_MS: i64 = 30_000;
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// When the ticker last went round, and whether desks were told that it does not.
#[derive(Debug)]
pub(super) struct Pulse {
    at: AtomicI64,
    told: AtomicBool,
}

impl Pulse {
    pub(super) fn from(now: Timestamp) -> Self {
        Self { at: AtomicI64::new(now.0), told: AtomicBool::new(false) }
    }

    /// The ticker goes round.
    pub(super) fn beat(&self, now: Timestamp) {
        self.at.store(now.0, Ordering::Relaxed);
    }

    /// It was found to stand still.
    pub(super) fn is_stalled(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl Relay {
    /// Tells the desks that the ticker stands still, or goes on.
    ///
    /// # Errors
    /// When the store does not take it: it is told with the next look.
    pub async fn watch_ticker(&self, now: Timestamp) -> Result<(), StoreError> {
        let at = Timestamp(self.pulse().at.load(Ordering::Relaxed));
        let stalled = now.since_ms(at) >= STALLED_MS;
        if stalled == self.pulse().told.load(Ordering::Relaxed) {
            return Ok(());
        }
        let result = if stalled { "stalled" } else { "runs" };
        tracing::error!(event = "ticker", result);
        let keys = self.keys();
        let about = Silence { relay: keys.device, desk: keys.device, since: stalled.then_some(at), at: now };
        let document = Signed::make(about, &keys.sig).bytes().to_vec();
        let desks = self.trust().desks();
        let wakes = self
            .store()
            .write(Priority::Alarm, move |db| {
                audit::append_for(db, now, keys.device, "ticker", &keys.device, result)?;
                let document = put_document(db, &document, Keep::WithMail, now)?;
                let mut wakes = Vec::new();
                for (org, of_org) in &desks {
                    for desk in of_org {
                        wakes.push(mail::put(db, (*org, *desk), MailKind::Silence, document, now)?);
                    }
                }
                Ok::<_, StoreError>(wakes)
            })
            .await?;
        self.pulse().told.store(stalled, Ordering::Relaxed);
        self.wakes().wake(&wakes);
        Ok(())
    }

    /// Looks at the ticker from a thread of its own, with a runtime of its own, until `stop` is done.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start_pulse_watch(&self, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let relay = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("baken-watch".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let mut stop = std::pin::pin!(stop);
                loop {
                    if let Err(error) = relay.watch_ticker(relay.now()).await {
                        tracing::error!(event = "ticker_not_watched", cause = ?error);
                    }
                    tokio::select! {
                        () = &mut stop => return,
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            });
        })?;
        Ok(())
    }
}
