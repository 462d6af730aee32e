//! `baken-server serve portal`: the adviser's portal. It listens on this machine alone, whatever its network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use baken_schemas::time::SystemClock;
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::adviser::AdviserSettings;
use crate::cli::serve::{Serving, dropped};
use crate::cli::{Failure, Say, book_of, system_rng};
use crate::folder::read_config_of;
use crate::portal::{PortalFolders, portal};
use crate::tls::TlsError;

/// Runs the adviser's portal.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  baken-server serve portal --data adviser\n  \
    baken-server serve portal --data adviser --root org\n\
    It prints a link for a browser on this machine, good once. Without --root nothing is signed here: a page then says which\n\
    command the keeper of the organisation's key runs.")]
pub(super) struct ServePortal {
    /// The adviser's folder, as `init adviser` made it
    #[arg(long)]
    data: PathBuf,
    /// The root's folder, where it lies on this machine too. Never the relay's machine
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The folder of the source of the organisation's edition; without it, `edition` in the adviser's folder
    #[arg(long, value_name = "DIR")]
    edition: Option<PathBuf>,
    /// The port; without it, any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Starts the portal; it serves until `stopped`'s sender is dropped.
pub(super) async fn start(args: &ServePortal, say: &Say, stopped: watch::Receiver<()>) -> Result<Serving, Failure> {
    // Looked at now, so that a wrong folder is said here and not on every page.
    let _: AdviserSettings = read_config_of(&args.data)?;
    if let Some(root) = &args.root {
        book_of(root)?;
    }
    let folders = PortalFolders {
        adviser: args.data.clone(),
        root: args.root.clone(),
        edition: args.edition.clone().unwrap_or_else(|| args.data.join("edition")),
    };
    let wanted = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let listener = TcpListener::bind(wanted).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => TlsError::PortInUse(wanted),
        _ => TlsError::Listen { address: wanted, source },
    })?;
    let address = listener.local_addr()?;
    let (at, router) = portal(folders, address, Arc::new(SystemClock), &mut system_rng()?);
    let serving = tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(dropped(stopped)).await.map_err(Failure::from)
    });
    say.say(
        &json!({ "serving": "portal", "url": at.origin, "link": at.link }),
        &format!("Open dit in een browser op deze computer, één keer te gebruiken:\n{}\nStoppen: Ctrl-C.", at.link),
        &format!("Open this in a browser on this machine, good once:\n{}\nStop it with Ctrl-C.", at.link),
    );
    Ok(serving)
}
