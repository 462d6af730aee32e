//! `baken-server init relay`: keys, a private TLS root, an empty database, and `relay.cbor`, which the organisation's
//! root puts into its directory.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;

use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{OrgId, RelayEntry};
use baken_schemas::time::SystemClock;
use clap::Args;
use serde_json::json;

use crate::cli::serve_relay::{RelayConfig, usual_closed_days, usual_follow_up, usual_quota};
use crate::cli::{Failure, Say, system_rng};
use crate::folder::{Access, DataFolder};
use crate::relay::Relay;
use crate::store::{Disk, StoreOptions};
use crate::tls;

/// The relay's entry for directories.
const ENTRY_FILE: &str = "relay.cbor";

/// Sets a relay's folder up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  baken-server init relay --data relay --url https://relay.example.nl:8443 --org ORG"
)]
pub(super) struct InitRelay {
    /// The folder; made where there is none
    #[arg(long)]
    data: PathBuf,
    /// Where phones and desks reach it: https://host:port
    #[arg(long)]
    url: String,
    /// An organisation to serve, as `org init` printed it; may be given more than once
    #[arg(long = "org", value_name = "ORG")]
    orgs: Vec<Hash>,
    /// Where it listens; by default the URL's port, on the URL's host if that is an address
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The same operator also holds a desk's key: phones will say so
    #[arg(long)]
    operator_reads_alarms: bool,
    /// How many days a closed alarm is kept [default: 30]
    #[arg(long, value_name = "DAYS")]
    closed_alarm_days: Option<NonZeroU16>,
}

/// Runs it.
pub(super) async fn run(args: &InitRelay, say: &Say) -> Result<(), Failure> {
    let (host, port) = tls::host_and_port(&args.url)?;
    let listen =
        args.listen.unwrap_or_else(|| SocketAddr::new(host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port));
    let folder = DataFolder::create(&args.data)?;
    folder.must_be_new()?;
    let mut rng = system_rng()?;
    let keys = DeviceKeys::make(&mut rng);
    let root = tls::make(&folder, "Baken relay", &[host])?;
    let entry = RelayEntry {
        relay: keys.device,
        sig: keys.sig.verify_key(),
        urls: vec![args.url.clone()],
        tls_roots: vec![root.into()],
        operator_reads_alarms: args.operator_reads_alarms,
    };
    folder.write(ENTRY_FILE, &cbor::to_vec(&entry), Access::Open)?;
    let config = RelayConfig {
        app_origin: None,
        url: args.url.clone(),
        listen,
        operator_reads_alarms: args.operator_reads_alarms,
        circle_quota_mib: usual_quota(),
        closed_alarm_days: args.closed_alarm_days.unwrap_or_else(usual_closed_days),
        follow_up_s: usual_follow_up(),
    };
    folder.write_config(&config.to_toml()?)?;
    let disk = Disk::new(folder.dir());
    let clock = Arc::new(SystemClock);
    let relay = Relay::open(&disk, StoreOptions::default(), keys.clone(), clock, &mut rng, config.options()?).await?;
    for org in &args.orgs {
        relay.add_org(OrgId(*org)).await?;
    }
    relay.close();
    // The keys come last: a folder with keys is one that was set up whole.
    folder.write_keys(&keys)?;
    let path = folder.path(ENTRY_FILE);
    say.say(
        &json!({ "relay": keys.device, "url": args.url, "listen": listen, "entry": path }),
        &format!(
            "De relay is ingericht voor {}.\nGeef {} aan wie de organisatiesleutel bewaart.\nStarten: baken-server serve relay --data {}",
            args.url,
            path.display(),
            args.data.display()
        ),
        &format!(
            "The relay is set up for {}.\nGive {} to whoever keeps the organisation's root.\nStart it: baken-server serve relay --data {}",
            args.url,
            path.display(),
            args.data.display()
        ),
    );
    Ok(())
}
