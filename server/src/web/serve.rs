//! A desk at work: its loops towards the relay, and its console over TLS, until it is told to stop.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::desk::run::Runner;
use crate::desk::{Desk, DeskError};
use crate::relay_client::Trust;
use crate::tls;
use crate::web::Console;

/// Where a desk's relay is, before a directory says more.
#[derive(Debug, Clone)]
pub struct RelayPlace {
    /// `https://host:port`.
    pub urls: Vec<String>,
    /// What makes a server there the relay.
    pub trust: Trust,
}

/// Runs a desk until `stop` is done, then lets requests under way end. The database stays open.
///
/// # Errors
/// [`DeskError::Store`] when the database failed.
pub async fn serve_desk(
    desk: Arc<Desk>,
    relay: RelayPlace,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    stop: impl Future<Output = ()>,
) -> Result<(), DeskError> {
    let (stopping, stopped) = watch::channel(false);
    let runner = Runner::new(Arc::clone(&desk), relay.urls, relay.trust, stopped.clone());
    let console = Console::new(desk, runner.link(), stopped.clone());
    let mut server_stopped = stopped;
    let server = tls::serve(listener, tls, console.router(), async move {
        // An error means that nobody is left to stop it, which is as good a reason.
        let _ = server_stopped.wait_for(|stopped| *stopped).await;
    });
    let run_until_stopped = async {
        let ended = tokio::select! {
            ended = runner.run() => ended,
            () = stop => Ok(()),
        };
        stopping.send_replace(true);
        ended
    };
    let (ended, ()) = tokio::join!(run_until_stopped, server);
    ended
}
