//! `baken-server serve bridge`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use baken_schemas::FormatError;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::org::Directory;
use baken_schemas::time::SystemClock;
use clap::Args;
use serde_json::json;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::bridge::run::{Doors, SmsDoor};
use crate::bridge::{
    Bridge, BridgeParts, BridgeSettings, read_buttons, read_gateways, run as bridge_run, server_config,
};
use crate::cli::serve::{Serving, dropped};
use crate::cli::{Failure, Say, system_rng};
use crate::folder::{Access, DataFolder, write_whole};
use crate::store::{Disk, StoreOptions};
use crate::tls;

/// What the desks know the bridge's account by.
pub(super) const DESK_KEY_FILE: &str = "desk.key";
/// The newest directory.
pub(super) const DIRECTORY_FILE: &str = "directory.cbor";

/// Runs a bridge.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server serve bridge --data bridge")]
pub(super) struct ServeBridge {
    /// The folder that `init bridge` set up
    #[arg(long)]
    pub(super) data: PathBuf,
}

/// Starts a bridge; it serves until `stopped`'s sender is dropped, and then ends by itself.
pub(super) async fn start(data: &Path, say: &Say, stopped: watch::Receiver<()>) -> Result<Serving, Failure> {
    let folder = DataFolder::open(data)?;
    let settings: BridgeSettings = folder.read_config()?;
    let desk_key = Zeroizing::new(folder.read(DESK_KEY_FILE)?);
    let desk_key =
        SymmetricKey::from_slice(&desk_key).ok_or(FormatError::Malformed { what: "the bridge's desk key" })?;
    let (doors, listens) = open_doors(&folder, &settings).await?;
    let parts = BridgeParts {
        keys: folder.read_keys()?,
        account: settings.account,
        desk_key,
        directory: Directory::verify(&folder.read(DIRECTORY_FILE)?, settings.org)?,
        buttons: read_buttons(folder.dir())?,
        language: settings.language,
        clock: Arc::new(SystemClock),
        rng: Box::new(system_rng()?),
    };
    let buttons = parts.buttons.len();
    let bridge = Arc::new(Bridge::open(&Disk::new(folder.dir()), StoreOptions::production(), parts)?);
    let directory_file = folder.path(DIRECTORY_FILE);
    let keep: bridge_run::KeepDirectory = Box::new(move |directory| {
        // The one in memory counts; the file is for the next start, and is written again with the next version.
        if let Err(error) = write_whole(&directory_file, directory.bytes(), Access::Open) {
            tracing::error!(event = "directory_not_kept", why = %error);
        }
    });
    let serving = tokio::spawn(async move {
        let ended = bridge_run::serve(Arc::clone(&bridge), doors, keep, dropped(stopped)).await;
        let closed = tokio::task::spawn_blocking(move || bridge.close()).await;
        tracing::info!(event = "stopped", clean = closed.is_ok());
        drop(folder);
        Ok(ended?)
    });
    let places = listens.iter().map(|(over, address)| format!("{address} ({over})")).collect::<Vec<_>>().join(", ");
    let addresses: serde_json::Map<_, _> =
        listens.iter().map(|(over, address)| ((*over).to_owned(), json!(address))).collect();
    say.say(
        &json!({
            "serving": "bridge",
            "address": listens.first().map(|(_, address)| address),
            "listens": addresses,
            "buttons": buttons,
        }),
        &format!("De bridge luistert op {places} naar {buttons} knoppen. Stoppen: Ctrl-C."),
        &format!("The bridge listens on {places} for {buttons} buttons. Stop it with Ctrl-C."),
    );
    Ok(serving)
}

/// Listens wherever the settings say; with what each door is called.
async fn open_doors(
    folder: &DataFolder,
    settings: &BridgeSettings,
) -> Result<(Doors, Vec<(&'static str, SocketAddr)>), Failure> {
    let mut doors = Doors::default();
    let mut listens = Vec::new();
    if let Some(address) = settings.listen {
        let listener = tls::listen(address).await?;
        listens.push(("tcp", listener.local_addr()?));
        doors.tcp = Some(listener);
    }
    if let Some(address) = settings.udp {
        let socket = tls::listen_udp(address).await?;
        listens.push(("udp", socket.local_addr()?));
        doors.udp = Some(socket);
    }
    if let Some(address) = settings.tls {
        let config = server_config(folder, settings)?;
        let listener = tls::listen(address).await?;
        listens.push(("tls", listener.local_addr()?));
        doors.tls = Some((listener, config));
    }
    if let Some(gateways) = read_gateways(folder.dir())? {
        let listener = tls::listen(gateways.listen).await?;
        listens.push(("sms", listener.local_addr()?));
        let tls = gateways.tls.then(|| server_config(folder, settings)).transpose()?;
        doors.sms = Some(SmsDoor { listener, gateways, tls });
    }
    if listens.is_empty() {
        return Err(Failure::bad_input(
            "no_listener",
            "De bridge luistert nergens. Zet `listen`, `udp` of `tls` in config.toml.",
            "The bridge listens nowhere. Set `listen`, `udp` or `tls` in config.toml.",
        ));
    }
    Ok((doors, listens))
}
