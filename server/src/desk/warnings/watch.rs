//! The thread that watches: apart from the workers that it watches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::desk::run::{RelayLink, Runner};
use crate::desk::{Desk, DeskError};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The worker that carries messages out: while it stands still the watch does that too.
const DELIVERIES: &str = "deliveries";

impl Runner {
    /// Starts the thread; it ends when the desk stops. Where there is no thread to be had the log says so, and nobody is
    /// warned.
    pub(in crate::desk) fn start_watch(&self, desk: Arc<Desk>, stop: watch::Receiver<bool>) {
        let link = self.link();
        let started = std::thread::Builder::new().name("baken-watch".to_owned()).spawn(move || {
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(watch_on(&desk, &link, stop)),
                Err(error) => tracing::error!(event = "not_watched", why = %error),
            }
        });
        if let Err(error) = started {
            tracing::error!(event = "not_watched", why = %error);
        }
    }
}

async fn watch_on(desk: &Desk, link: &watch::Receiver<RelayLink>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = look(desk, link).await {
            tracing::error!(event = "not_warned", why = %error);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(desk: &Desk, link: &watch::Receiver<RelayLink>) -> Result<(), DeskError> {
    let link = link.borrow().clone();
    desk.warn(&link).await?;
    if desk.beats.stalled(desk.now()).iter().any(|(worker, _)| *worker == DELIVERIES) {
        for claim in desk.claim_deliveries().await? {
            desk.deliver(claim).await?;
        }
    }
    Ok(())
}
