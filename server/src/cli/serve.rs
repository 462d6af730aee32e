//! `baken-server serve ROLE`: runs until it is told to stop (Ctrl-C or SIGTERM), then lets requests under way end.

use clap::Subcommand;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::{Failure, Say, serve_all, serve_app, serve_bridge, serve_desk, serve_portal, serve_relay};

/// Which role to run.
#[derive(Debug, Subcommand)]
pub(super) enum Serve {
    /// A relay
    Relay(serve_relay::ServeRelay),
    /// A desk
    Desk(serve_desk::ServeDesk),
    /// A bridge
    Bridge(serve_bridge::ServeBridge),
    /// The phone app, for browsers
    App(serve_app::ServeApp),
    /// The adviser's portal, on this machine alone: what `org` and `edition` do, on pages
    Portal(serve_portal::ServePortal),
    /// A relay and a desk in one process, for trying out
    All(serve_all::ServeAll),
}

/// Runs it.
pub(super) async fn run(serve: &Serve, say: &Say) -> Result<(), Failure> {
    match serve {
        Serve::Relay(args) => until_told(|stopped| serve_relay::start(&args.data, say, stopped)).await,
        Serve::Desk(args) => until_told(|stopped| serve_desk::start(&args.data, say, stopped)).await,
        Serve::Bridge(args) => until_told(|stopped| serve_bridge::start(&args.data, say, stopped)).await,
        Serve::App(args) => until_told(|stopped| serve_app::start(args, say, stopped)).await,
        Serve::Portal(args) => until_told(|stopped| serve_portal::start(args, say, stopped)).await,
        Serve::All(args) => serve_all::run(args, say).await,
    }
}

/// A role that serves: it ends when it is told to, or when it cannot go on, and then says why.
pub(super) type Serving = JoinHandle<Result<(), Failure>>;

/// Starts a role and lets it serve until it ends by itself or the process is told to stop.
async fn until_told<S>(start: impl FnOnce(watch::Receiver<()>) -> S) -> Result<(), Failure>
where
    S: Future<Output = Result<Serving, Failure>>,
{
    let (stop, stopped) = watch::channel(());
    let told = told_to_stop()?;
    let mut serving = start(stopped).await?;
    let ended = tokio::select! {
        () = told => {
            drop(stop);
            serving.await
        }
        ended = &mut serving => ended,
    };
    ended.map_err(|error| Failure::unexpected("serve", &error))?
}

/// Done once the sender of `stopped` is dropped: the word to a role to end.
pub(super) async fn dropped(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
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
