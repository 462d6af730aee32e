//! `baken-server init bridge`: keys, and the invite used.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use baken_schemas::org::InviteRole;
use clap::Args;
use serde_json::json;

use crate::bridge::{BUTTONS_FILE, BUTTONS_TEMPLATE, BridgeSettings, make_certificate, server_config};
use crate::cli::init::begin;
use crate::cli::serve_bridge::{DESK_KEY_FILE, DIRECTORY_FILE};
use crate::cli::{Failure, Say};
use crate::folder::Access;
use crate::tls;

/// Sets a bridge's folder up.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  baken-server init bridge --data bridge --invite BAKEN-INVITE:… --listen 0.0.0.0:12000"
)]
pub(super) struct InitBridge {
    /// The folder; made where there is none
    #[arg(long)]
    data: PathBuf,
    /// The invite's text, made with `org invite --role bridge`
    #[arg(long)]
    invite: String,
    /// Where it listens for buttons over TCP
    #[arg(long, default_value = "127.0.0.1:12000")]
    listen: SocketAddr,
    /// Where it listens for buttons over UDP too
    #[arg(long)]
    udp: Option<SocketAddr>,
    /// Where it listens for buttons over TLS too
    #[arg(long)]
    tls: Option<SocketAddr>,
    /// A name or IP address that buttons call the bridge by, for its certificate; may be given more than once
    #[arg(long = "host")]
    hosts: Vec<String>,
    /// A certificate chain to use for TLS instead of the bridge's own, as PEM
    #[arg(long, requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(args: &InitBridge, say: &Say) -> Result<(), Failure> {
    let (folder, keys, joined) = begin(&args.data, &args.invite, InviteRole::Bridge).await?;
    folder.write(DESK_KEY_FILE, joined.desk_key.as_bytes(), Access::Secret)?;
    folder.write(DIRECTORY_FILE, joined.directory.bytes(), Access::Open)?;
    if !folder.has(BUTTONS_FILE) {
        folder.write(BUTTONS_FILE, BUTTONS_TEMPLATE.as_bytes(), Access::Secret)?;
    }
    if !tls::is_made(&folder) {
        let listens: Vec<SocketAddr> = std::iter::once(args.listen).chain(args.tls).collect();
        make_certificate(&folder, &listens, &args.hosts)?;
    }
    let settings = BridgeSettings {
        listen: Some(args.listen),
        udp: args.udp,
        tls: args.tls,
        tls_certificate: absolute(args.tls_certificate.as_deref())?,
        tls_key: absolute(args.tls_key.as_deref())?,
        language: say.language(),
        org: joined.directory.value().org(),
        account: joined.account,
    };
    if settings.tls.is_some() {
        // What cannot be used is said now, not at the first start.
        server_config(&folder, &settings)?;
    }
    // The settings come last: a folder with settings is one that was set up whole.
    folder.write_config(&toml::to_string(&settings).map_err(|error| Failure::unexpected("config", &error))?)?;
    let buttons = folder.path(BUTTONS_FILE);
    say.say(
        &json!({ "bridge": keys.device, "account": joined.account, "listen": args.listen, "buttons": buttons }),
        &format!(
            "De bridge hoort bij {}.\nZet de knoppen in {}.\nStarten: baken-server serve bridge --data {}",
            joined.directory.value().name,
            buttons.display(),
            args.data.display()
        ),
        &format!(
            "The bridge belongs to {}.\nPut the buttons into {}.\nStart it: baken-server serve bridge --data {}",
            joined.directory.value().name,
            buttons.display(),
            args.data.display()
        ),
    );
    Ok(())
}

/// A path that stays the same wherever the server is started from.
fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    Ok(path.map(std::path::absolute).transpose()?)
}
