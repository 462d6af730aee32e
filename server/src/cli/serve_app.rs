//! `baken-server serve app`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::sync::watch;

use crate::app::AppFiles;
use crate::cli::serve::{Serving, dropped};
use crate::cli::{Failure, Say};
use crate::tls;

/// Serves the phone app.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  baken-server serve app --files dist --relay https://relay.example --listen 0.0.0.0:443 \
--certificate chain.pem --key key.pem\n  baken-server serve app --files dist --relay https://127.0.0.1:8443\n\n\
`cargo xtask web` builds the files. Serve them from an address of their own, on another machine than the relay's: who \
serves the app can change it. The relay must name that address: app_origin = \"https://app.example\" in its config.toml. \
Without a certificate only this machine is served, for trying out."
)]
pub(super) struct ServeApp {
    /// The folder of the built app
    #[arg(long)]
    files: PathBuf,
    /// A relay that the app may connect to, as https://host:port; may be given several times
    #[arg(long, value_name = "URL", required = true)]
    relay: Vec<String>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The certificate with those it was signed by (PEM), from a public authority
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

/// Starts to serve the app, until `stopped`'s sender is dropped.
pub(super) async fn start(args: &ServeApp, say: &Say, stopped: watch::Receiver<()>) -> Result<Serving, Failure> {
    let router = AppFiles::read(&args.files, &args.relay)?.router();
    let tls_config = match (&args.certificate, &args.key) {
        (Some(chain), Some(key)) => {
            let unreadable = |error| Failure::unexpected("certificate", &error);
            let chain = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(unreadable)?;
            Some(tls::config_of(chain, PrivateKeyDer::from_pem_file(key).map_err(unreadable)?)?)
        }
        _ if args.listen.ip().is_loopback() => None,
        _ => return Err(crate::app::AppError::NoCertificate.into()),
    };
    let listener = tls::listen(args.listen).await?;
    let address = listener.local_addr()?;
    let scheme = if tls_config.is_some() { "https" } else { "http" };
    let serving = tokio::spawn(async move {
        match tls_config {
            Some(config) => tls::serve(listener, config, router, dropped(stopped)).await,
            None => axum::serve(listener, router).with_graceful_shutdown(dropped(stopped)).await?,
        }
        Ok(())
    });
    let url = format!("{scheme}://{address}");
    say.say(
        &json!({ "serving": "app", "url": url, "address": address }),
        &format!("De app voor telefoons staat op {url}. Stoppen: Ctrl-C."),
        &format!("The phone app is at {url}. Stop it with Ctrl-C."),
    );
    Ok(serving)
}
