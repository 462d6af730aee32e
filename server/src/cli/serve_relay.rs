//! `baken-server serve relay`.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use baken_schemas::edition::shipped;
use baken_schemas::edition::signed::{Countersigned, EditionRoot};
use baken_schemas::time::SystemClock;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use crate::cli::serve::{Serving, dropped};
use crate::cli::{Failure, Say, system_rng};
use crate::folder::DataFolder;
use crate::relay::{DEFAULT_CLOSED_KEPT_DAYS, DEFAULT_QUOTA_MIB, FOLLOW_UP_MS, Relay, RelayOptions, days_ms};
use crate::store::{Disk, StoreOptions};
use crate::tls;

/// A relay's `config.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelayConfig {
    /// Where it is reached: `https://host:port`.
    pub(super) url: String,
    /// Where it listens.
    pub(super) listen: SocketAddr,
    /// Its operator also holds a desk's key.
    #[serde(default)]
    pub(super) operator_reads_alarms: bool,
    /// Where the phone app for browsers is served: `https://host`. Without it no browser may ask this relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) app_origin: Option<String>,
    /// How much a circle may hold here, attachments and all, in MiB.
    #[serde(default = "usual_quota")]
    pub(super) circle_quota_mib: NonZeroU32,
    /// How many days a closed alarm is kept.
    #[serde(default = "usual_closed_days")]
    pub(super) closed_alarm_days: NonZeroU16,
    /// How many seconds after somebody has seen an alarm something must follow, before the next rung is called.
    #[serde(default = "usual_follow_up")]
    pub(super) follow_up_s: NonZeroU32,
}

/// How long something may take to follow where the file says nothing.
pub(super) fn usual_follow_up() -> NonZeroU32 {
    const SECONDS: NonZeroU32 = NonZeroU32::new((FOLLOW_UP_MS / 1000) as u32).unwrap();
    SECONDS
}

/// What a circle may hold where the file says nothing.
pub(super) fn usual_quota() -> NonZeroU32 {
    DEFAULT_QUOTA_MIB
}

/// How long a closed alarm is kept where the file says nothing.
pub(super) fn usual_closed_days() -> NonZeroU16 {
    DEFAULT_CLOSED_KEPT_DAYS
}

impl RelayConfig {
    /// As the file has it.
    pub(super) fn to_toml(&self) -> Result<String, Failure> {
        toml::to_string(self).map_err(|error| Failure::unexpected("config", &error))
    }

    /// What the relay is told.
    pub(super) fn options(&self) -> Result<RelayOptions, Failure> {
        tls::host_and_port(&self.url)?;
        let authority = self.url.strip_prefix("https://").unwrap_or(&self.url).to_ascii_lowercase();
        let authority = authority.strip_suffix(":443").unwrap_or(&authority).to_owned();
        Ok(RelayOptions {
            authorities: vec![authority],
            operator_reads_alarms: self.operator_reads_alarms,
            circle_quota_bytes: u64::from(self.circle_quota_mib.get()) << 20,
            national_root: None,
            closed_kept_ms: days_ms(self.closed_alarm_days),
            app_origin: self.app_origin.clone(),
            follow_up_ms: i64::from(self.follow_up_s.get()) * 1000,
        })
    }
}

/// The file that names who publishes the national edition, in place of what the program was built with.
const NATIONAL_ROOT_FILE: &str = "national-root.cbor";

fn national_root(folder: &DataFolder) -> Result<Option<EditionRoot>, Failure> {
    let placed = if folder.has(NATIONAL_ROOT_FILE) { Some(folder.read(NATIONAL_ROOT_FILE)?) } else { None };
    let Some(bytes) = placed.as_deref().or(shipped::national_root()) else { return Ok(None) };
    Ok(Some(Countersigned::<EditionRoot>::parse(bytes)?.claims().clone()))
}

/// Runs a relay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server serve relay --data relay\n\n\
A closed alarm and all that belongs to it is cleared away after closed_alarm_days in config.toml (30 where it says nothing), \
once everybody has taken it from the relay; an automatic test an hour after it was answered. The audit is kept for 400 days.")]
pub(super) struct ServeRelay {
    /// The folder that `init relay` set up
    #[arg(long)]
    pub(super) data: PathBuf,
}

/// Starts a relay; it serves until `stopped`'s sender is dropped, and then ends by itself.
pub(super) async fn start(data: &Path, say: &Say, stopped: watch::Receiver<()>) -> Result<Serving, Failure> {
    let folder = DataFolder::open(data)?;
    let config: RelayConfig = folder.read_config()?;
    let keys = folder.read_keys()?;
    let tls_config = tls::server_config(&folder)?;
    let listener = tls::listen(config.listen).await?;
    let address = listener.local_addr()?;
    let relay = Relay::open(
        &Disk::new(folder.dir()),
        StoreOptions::production(),
        keys,
        Arc::new(SystemClock),
        &mut system_rng()?,
        RelayOptions { national_root: national_root(&folder)?, ..config.options()? },
    )
    .await?;
    relay.start_pulse_watch(dropped(stopped.clone()))?;
    let ticking = relay.clone();
    let (ticker_stopped, server_stopped) = (dropped(stopped.clone()), dropped(stopped));
    let ticker = tokio::spawn(async move { ticking.run_ticker(ticker_stopped).await });
    let serving = tokio::spawn(async move {
        let stopping = relay.clone();
        let stop = async move {
            server_stopped.await;
            stopping.stop();
        };
        tls::serve(listener, tls_config, relay.router(), stop).await;
        // The ticker ends by itself; a panic in it has been logged.
        let _ = ticker.await;
        let closed = tokio::task::spawn_blocking(move || relay.close()).await;
        tracing::info!(event = "stopped", clean = closed.is_ok());
        drop(folder);
        Ok(())
    });
    say.say(
        &json!({ "serving": "relay", "url": config.url, "address": address }),
        &format!("De relay is bereikbaar op {} (luistert op {address}). Stoppen: Ctrl-C.", config.url),
        &format!("The relay can be reached at {} (listening on {address}). Stop it with Ctrl-C.", config.url),
    );
    Ok(serving)
}
