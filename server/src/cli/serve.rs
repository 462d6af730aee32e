//! `baken-server serve ROLE`: runs until it is told to stop (Ctrl-C or SIGTERM), then lets requests under way end.

use clap::Subcommand;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, Say, serve_all, serve_bridge, serve_desk, serve_relay};

/// Which role to run.
#[derive(Debug, Subcommand)]
pub(super) enum Serve {
    /// A relay
    Relay(serve_relay::ServeRelay),
    /// A desk
    Desk(serve_desk::ServeDesk),
    /// A bridge
    Bridge(serve_bridge::ServeBridge),
    /// A relay and a desk in one process, for trying out
    All(serve_all::ServeAll),
}

/// Runs it.
pub(super) async fn run(serve: &Serve, say: &Say) -> Result<(), Failure> {
    match serve {
        Serve::Relay(relay) => serve_relay::run(relay, say).await,
        Serve::Desk(desk) => serve_desk::run(desk, say).await,
        Serve::Bridge(bridge) => serve_bridge::run(bridge, say).await,
        Serve::All(all) => serve_all::run(all, say).await,
    }
}

/// Done once the process is told to stop.
///
/// # Errors
/// When signals cannot be heard.
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
