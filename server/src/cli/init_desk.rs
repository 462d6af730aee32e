//! `baken-server init desk`: keys, the console's TLS root, and `desk.cbor`, which the organisation's root puts into its
//! directory.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{DeskEntry, OrgId, RelayEntry};
use clap::Args;
use serde_json::json;

use crate::cli::serve_desk::RELAY_FILE;
use crate::cli::{Failure, Say, system_rng};
use crate::desk::officers::Officers;
use crate::desk::{CHANNELS_FILE, CHANNELS_TEMPLATE, DeskSettings};
use crate::folder::{Access, DataFolder, read_whole};
use crate::org::MAX_TEXT_BYTES;
use crate::tls;

/// The desk's entry for directories.
const ENTRY_FILE: &str = "desk.cbor";

/// Sets a desk's folder up.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server init desk --data desk --name \"Meldkamer Oost\" \
    --url https://desk.example.nl --relay relay.cbor --org ORG")]
pub(super) struct InitDesk {
    /// The folder; made where there is none
    #[arg(long)]
    data: PathBuf,
    /// What people call the desk
    #[arg(long)]
    name: String,
    /// Where officers reach the console: https://host:port
    #[arg(long)]
    url: String,
    /// The relay's entry, as `init relay` wrote it
    #[arg(long)]
    relay: PathBuf,
    /// The organisation, as `org init` printed it
    #[arg(long)]
    org: Hash,
    /// Where the console listens; by default the URL's port, on the URL's host if that is an address
    #[arg(long)]
    listen: Option<SocketAddr>,
}

/// Runs it.
pub(super) fn run(args: &InitDesk, say: &Say) -> Result<(), Failure> {
    let (host, port) = tls::host_and_port(&args.url)?;
    if args.name.is_empty() || args.name.len() > MAX_TEXT_BYTES {
        return Err(Failure::bad_input(
            "bad_name",
            format!("De naam van de meldkamer heeft 1 tot {MAX_TEXT_BYTES} tekens."),
            format!("A desk's name has 1 to {MAX_TEXT_BYTES} bytes."),
        ));
    }
    let relay_bytes = read_whole(&args.relay)?;
    let relay: RelayEntry = cbor::from_slice(&relay_bytes, "a relay's entry")?;
    let relay_url = relay.urls.first().cloned().ok_or(crate::org::OrgError::BareRelay)?;
    let listen =
        args.listen.unwrap_or_else(|| SocketAddr::new(host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port));
    let folder = DataFolder::create(&args.data)?;
    folder.must_be_new()?;
    let keys = DeviceKeys::make(&mut system_rng()?);
    tls::make(&folder, "Baken desk", &[host])?;
    let entry =
        DeskEntry { desk: keys.device, name: args.name.clone(), sig: keys.sig.verify_key(), kem: keys.kem.public() };
    folder.write(ENTRY_FILE, &cbor::to_vec(&entry), Access::Open)?;
    folder.write(RELAY_FILE, &relay_bytes, Access::Open)?;
    let settings = DeskSettings {
        name: args.name.clone(),
        url: args.url.clone(),
        listen,
        relay_url,
        org: OrgId(args.org),
        passkeys: None,
    };
    folder.write_config(&toml::to_string(&settings).map_err(|error| Failure::unexpected("config", &error))?)?;
    if !folder.has(CHANNELS_FILE) {
        // It will hold secrets of webhooks and alarm centres.
        folder.write(CHANNELS_FILE, CHANNELS_TEMPLATE.as_bytes(), Access::Secret)?;
    }
    Officers::open(folder.dir())?;
    // The keys come last: a folder with keys is one that was set up whole.
    folder.write_keys(&keys)?;
    let path = folder.path(ENTRY_FILE);
    say.say(
        &json!({ "desk": keys.device, "url": args.url, "listen": listen, "entry": path }),
        &format!(
            "De meldkamer is ingericht.\nGeef {} aan wie de organisatiesleutel bewaart.\nDaarna: baken-server officer add --data {} --name NAAM\nStarten: baken-server serve desk --data {}",
            path.display(),
            args.data.display(),
            args.data.display()
        ),
        &format!(
            "The desk is set up.\nGive {} to whoever keeps the organisation's root.\nThen: baken-server officer add --data {} --name NAME\nStart it: baken-server serve desk --data {}",
            path.display(),
            args.data.display(),
            args.data.display()
        ),
    );
    Ok(())
}
