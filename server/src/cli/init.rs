//! `baken-server init ROLE`: sets a data folder up. It never touches one that was set up before.

use std::path::Path;

use baken_schemas::device::DeviceKeys;
use baken_schemas::org::InviteRole;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::Subcommand;

use crate::cli::{Failure, Say, init_adviser, init_bridge, init_desk, init_relay, system_rng};
use crate::folder::{DataFolder, FolderError};
use crate::join::{Joined, join};

/// Which role the folder is for.
#[derive(Debug, Subcommand)]
pub(super) enum Init {
    /// A relay: stores what it cannot read and climbs ladders
    Relay(init_relay::InitRelay),
    /// A desk: opens alarms and calls officers
    Desk(init_desk::InitDesk),
    /// A bridge: takes hardware buttons in
    Bridge(init_bridge::InitBridge),
    /// An adviser: keeps the organisation's plan
    Adviser(init_adviser::InitAdviser),
}

/// Runs it.
pub(super) async fn run(init: &Init, say: &Say) -> Result<(), Failure> {
    match init {
        Init::Relay(relay) => init_relay::run(relay, say).await,
        Init::Desk(desk) => init_desk::run(desk, say),
        Init::Bridge(bridge) => init_bridge::run(bridge, say).await,
        Init::Adviser(adviser) => init_adviser::run(adviser, say).await,
    }
}

/// Begins a folder whose role comes with an invite: keys, then the invite used. Keys are on disk before the invite is: if the
/// answer is lost, the same command goes on with the same keys.
pub(super) async fn begin(
    data: &Path,
    invite: &str,
    role: InviteRole,
) -> Result<(DataFolder, DeviceKeys, Joined), Failure> {
    let folder = DataFolder::create(data)?;
    // Settings come last: without them it was not set up whole.
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
    let joined = join(invite, role, &keys, SystemClock.now()).await?;
    Ok((folder, keys, joined))
}
