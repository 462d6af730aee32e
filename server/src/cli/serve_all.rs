//! `baken-server serve all`: relay and desk in one process, for trying out. Whoever runs this holds the desk's key
//! beside the relay and can read alarms, so it runs only where the relay's own entry says so to every phone.

use std::path::PathBuf;

use clap::Args;
use tokio::sync::watch;

use crate::cli::serve::told_to_stop;
use crate::cli::serve_relay::RelayConfig;
use crate::cli::{Failure, Say, serve_desk, serve_relay};
use crate::folder::read_config_of;

/// Runs a relay and a desk in one process: for trying out, since one operator then reads alarms.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server init relay --data baken/relay --operator-reads-alarms …\n  \
                        baken-server serve all --data baken")]
pub(super) struct ServeAll {
    /// The folder with the folders `relay` and `desk`
    #[arg(long)]
    data: PathBuf,
}

/// Runs it.
pub(super) async fn run(args: &ServeAll, say: &Say) -> Result<(), Failure> {
    let (relay, desk) = (args.data.join("relay"), args.data.join("desk"));
    let config: RelayConfig = read_config_of(&relay)?;
    if !config.operator_reads_alarms {
        return Err(Failure::bad_input(
            "operator_not_named",
            "Wie relay en meldkamer samen draait, kan meldingen lezen; telefoons horen dat te zeggen. \
             Richt de relay in met --operator-reads-alarms, of draai ze apart met `serve relay` en `serve desk`.",
            "Who runs relay and desk together can read alarms, and phones must say so. \
             Set the relay up with --operator-reads-alarms, or run them apart with `serve relay` and `serve desk`.",
        ));
    }
    let (stop, stopped) = watch::channel(());
    let told = told_to_stop()?;
    let mut serving_relay = serve_relay::start(&relay, say, stopped.clone()).await?;
    let mut serving_desk = serve_desk::start(&desk, say, stopped).await?;
    let unexpected = |error: tokio::task::JoinError| Failure::unexpected("serve", &error);
    // When one ends, so does the other.
    tokio::select! {
        () = told => {
            drop(stop);
            serving_desk.await.map_err(unexpected)??;
            serving_relay.await.map_err(unexpected)?
        }
        ended = &mut serving_desk => {
            drop(stop);
            serving_relay.await.map_err(unexpected)??;
            ended.map_err(unexpected)?
        }
        ended = &mut serving_relay => {
            drop(stop);
            serving_desk.await.map_err(unexpected)??;
            ended.map_err(unexpected)?
        }
    }
}
