//! `baken-server serve relay`.

use std::net::{Ipv4Addr, SocketAddr};
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
        if let Some(origin) = &self.app_origin
            && !is_origin(origin)
        {
            return Err(Failure::bad_input(
                "app_origin",
                format!(
                    "app_origin in config.toml is {origin:?}. Schrijf het adres van de app zoals een browser dat zegt, \
                     zonder pad of schuine streep erachter: https://app.example"
                ),
                format!(
                    "app_origin in config.toml is {origin:?}. Write the app's address as a browser says it, with no path \
                     and no slash after it: https://app.example"
                ),
            ));
        }
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

/// Whether a browser could name this as a page's origin: anything else would match no page, and nobody would be told why.
/// HTTP is for this machine alone.
fn is_origin(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else { return false };
    let is_own = match url.host_str() {
        Some(host) => host == "localhost" || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback()) || host == "[::1]",
        None => false,
    };
    let is_kept_private = url.scheme() == "https" || (url.scheme() == "http" && is_own);
    is_kept_private && url.origin().ascii_serialization() == text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_origin_is_what_a_browser_would_say() {
        for right in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:8080",
            "http://127.0.0.2:8080",
            "http://[::1]:8080",
        ] {
            assert!(is_origin(right), "{right}");
        }
        let wrong = [
            "app.example",
            "https://app.example/",
            "https://app.example/app",
            "https://App.example",
            "http://app.example",
            "https://app.example:443",
            "https://x@app.example",
            "null",
            "",
            "*",
            "https://app.example ",
            "http://10.0.0.1:8080",
        ];
        for wrong in wrong {
            assert!(!is_origin(wrong), "{wrong}");
        }
        let config = "url = \"https://relay.example\"\nlisten = \"127.0.0.1:443\"\napp_origin = ";
        let options = |origin: &str| toml::from_str::<RelayConfig>(&format!("{config}{origin:?}")).unwrap().options();
        assert_eq!(options("https://app.example").unwrap().app_origin.as_deref(), Some("https://app.example"));
        let refused = options("https://app.example/").unwrap_err();
        assert!(refused.en.contains("app_origin") && refused.nl.contains("https://app.example/"), "{refused:?}");
    }
}
