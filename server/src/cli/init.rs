//! `baken-server init ROLE`: sets a data folder up. It never touches one that was set up before.

use clap::Subcommand;

use crate::cli::{Failure, Say, init_adviser, init_bridge, init_desk, init_relay};

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
