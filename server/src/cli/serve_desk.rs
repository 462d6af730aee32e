//! `baken-server serve desk`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use baken_schemas::cbor;
use baken_schemas::org::RelayEntry;
use baken_schemas::time::SystemClock;
use clap::Args;
use serde_json::json;
use tokio::sync::watch;

use crate::cli::serve::{Serving, dropped};
use crate::cli::{Failure, Say, system_rng};
use crate::desk::{Channels, Desk, DeskParts, DeskSettings};
use crate::folder::DataFolder;
use crate::relay_client::Trust;
use crate::store::{Disk, StoreOptions};
use crate::tls;
use crate::web::{RelayPlace, serve_desk};

/// The relay's entry, as it was given to `init`: trusted until the first directory is there.
pub(super) const RELAY_FILE: &str = "relay.cbor";

/// Runs a desk.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server serve desk --data desk")]
pub(super) struct ServeDesk {
    /// The folder that `init desk` set up
    #[arg(long)]
    pub(super) data: PathBuf,
}

/// Starts a desk; it serves until `stopped`'s sender is dropped, and then ends by itself.
pub(super) async fn start(data: &Path, say: &Say, stopped: watch::Receiver<()>) -> Result<Serving, Failure> {
    let folder = DataFolder::open(data)?;
    let settings: DeskSettings = folder.read_config()?;
    let keys = folder.read_keys()?;
    let relay: RelayEntry = cbor::from_slice(&folder.read(RELAY_FILE)?, "a relay's entry")?;
    let tls_config = tls::server_config(&folder)?;
    let listener = tls::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    let parts = DeskParts {
        keys,
        org: settings.org,
        console_url: settings.url.clone(),
        passkeys: settings.passkeys != Some(false),
        channels: Channels::read(folder.dir())?,
        clock: Arc::new(SystemClock),
        rng: Box::new(system_rng()?),
    };
    let desk = Arc::new(Desk::open(&Disk::new(folder.dir()), StoreOptions::production(), parts)?);
    let place = RelayPlace { urls: vec![settings.relay_url.clone()], trust: Trust::of_relay(&relay) };
    let serving = tokio::spawn(async move {
        let ended = serve_desk(Arc::clone(&desk), place, listener, tls_config, dropped(stopped)).await;
        let closed = tokio::task::spawn_blocking(move || desk.close()).await;
        tracing::info!(event = "stopped", clean = closed.is_ok());
        drop(folder);
        Ok(ended?)
    });
    say.say(
        &json!({ "serving": "desk", "url": settings.url, "address": address }),
        &format!("De console staat op {} (luistert op {address}). Stoppen: Ctrl-C.", settings.url),
        &format!("The console is at {} (listening on {address}). Stop it with Ctrl-C.", settings.url),
    );
    Ok(serving)
}
