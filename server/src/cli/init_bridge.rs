//! `baken-server init bridge`: keys, and the invite used. Keys are on disk before the invite is: if the answer is lost,
//! the same command goes on with the same keys.

use std::net::SocketAddr;
use std::path::PathBuf;

use baken_schemas::device::DeviceKeys;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::Args;
use serde_json::json;

use crate::bridge::{BUTTONS_FILE, BUTTONS_TEMPLATE, BridgeSettings, join};
use crate::cli::serve_bridge::{DESK_KEY_FILE, DIRECTORY_FILE};
use crate::cli::{Failure, Say, system_rng};
use crate::folder::{Access, DataFolder, FolderError};

/// Sets a bridge's folder up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  baken-server init bridge --data bridge --invite BAKEN-INVITE:… --listen 0.0.0.0:12000"
)]
pub(super) struct InitBridge {
    /// The folder; made where there is none
    #[arg(long)]
    data: PathBuf,
    /// The invite's text, made with `org invite --role bridge`
    #[arg(long)]
    invite: String,
    /// Where it listens for buttons
    #[arg(long, default_value = "127.0.0.1:12000")]
    listen: SocketAddr,
}

/// Runs it.
pub(super) async fn run(args: &InitBridge, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::create(&args.data)?;
    if folder.has("config.toml") {
        return Err(FolderError::Exists(folder.path("config.toml")).into());
    }
    let keys = match folder.read_keys() {
        Ok(keys) => keys,
        Err(FolderError::Missing(_)) => {
            let keys = DeviceKeys::make(&mut system_rng()?);
            folder.write_keys(&keys)?;
            keys
        }
        Err(error) => return Err(error.into()),
    };
    let joined = join(&args.invite, &keys, SystemClock.now()).await?;
    folder.write(DESK_KEY_FILE, joined.desk_key.as_bytes(), Access::Secret)?;
    folder.write(DIRECTORY_FILE, joined.directory.bytes(), Access::Open)?;
    if !folder.has(BUTTONS_FILE) {
        folder.write(BUTTONS_FILE, BUTTONS_TEMPLATE.as_bytes(), Access::Secret)?;
    }
    let settings = BridgeSettings { listen: args.listen, org: joined.directory.value().org(), account: joined.account };
    // The settings come last: a folder with settings is one that was set up whole.
    folder.write_config(&toml::to_string(&settings).map_err(|error| Failure::unexpected("config", &error))?)?;
    let buttons = folder.path(BUTTONS_FILE);
    say.say(
        &json!({ "bridge": keys.device, "account": joined.account, "listen": args.listen, "buttons": buttons }),
        &format!(
            "De bridge hoort bij {}.\nZet de knoppen in {}.\nStarten: baken-server serve bridge --data {}",
            joined.directory.value().name,
            buttons.display(),
            args.data.display()
        ),
        &format!(
            "The bridge belongs to {}.\nPut the buttons into {}.\nStart it: baken-server serve bridge --data {}",
            joined.directory.value().name,
            buttons.display(),
            args.data.display()
        ),
    );
    Ok(())
}
