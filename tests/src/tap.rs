//! A tap behind TLS: a proxy that holds the relay's own certificate and key, and keeps every byte that passes, in the
//! clear. It speaks HTTP/1.1 only, so that headers lie in the capture as they are.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The most bytes a tap keeps.
const MAX_CAPTURE: usize = 256 * 1024 * 1024;

/// A running tap.
#[derive(Debug)]
pub struct Tap {
    captured: Arc<Mutex<Vec<u8>>>,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Tap {
    /// Stands where the relay of this data folder is called, with its certificate; the relay listens at `behind`.
    ///
    /// # Errors
    /// When the folder has no certificate or the port is taken.
    pub async fn before_relay(folder: &Path, url: &str, behind: SocketAddr) -> Result<Self> {
        let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| format!("{name} of the relay"));
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).context("the URL names a port")?;
        let root = CertificateDer::from(read("tls-root.der")?);
        let chain = vec![CertificateDer::from(read("tls-server.der")?), root.clone()];
        let key = PrivateKeyDer::try_from(read("tls-server.key")?).map_err(|error| anyhow::anyhow!(error))?;
        Self::start(port, behind, chain, key, root).await
    }

    /// Listens on `port` with the relay's certificate chain and key, and passes on to the relay at `behind`.
    ///
    /// # Errors
    /// When the port is taken or the key does not fit.
    pub async fn start(
        port: u16,
        behind: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        tls_root: CertificateDer<'static>,
    ) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut accept = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        accept.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = rustls::RootCertStore::empty();
        roots.add(tls_root)?;
        let mut connect = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        connect.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (acceptor, connector) = (TlsAcceptor::from(Arc::new(accept)), TlsConnector::from(Arc::new(connect)));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.context("the tap's port is taken")?;
        let captured = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&captured);
        let running = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, connector, kept) = (acceptor.clone(), connector.clone(), Arc::clone(&kept));
                tokio::spawn(async move {
                    // A connection that breaks is the story's business, not the tap's.
                    let _ = pass(client, behind, &acceptor, &connector, &kept).await;
                });
            }
        });
        Ok(Self { captured, running })
    }

    /// Everything that passed so far, both ways.
    pub fn captured(&self) -> Vec<u8> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn pass(
    client: TcpStream,
    behind: SocketAddr,
    acceptor: &TlsAcceptor,
    connector: &TlsConnector,
    kept: &Arc<Mutex<Vec<u8>>>,
) -> Result<()> {
    let client = acceptor.accept(client).await?;
    let relay = connector.connect(ServerName::from(behind.ip()), TcpStream::connect(behind).await?).await?;
    let (client_read, client_write) = tokio::io::split(client);
    let (relay_read, relay_write) = tokio::io::split(relay);
    tokio::select! {
        done = copy(client_read, relay_write, kept) => done,
        done = copy(relay_read, client_write, kept) => done,
    }
}

async fn copy(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    kept: &Mutex<Vec<u8>>,
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            to.shutdown().await?;
            return Ok(());
        }
        {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() + read <= MAX_CAPTURE {
                kept.extend_from_slice(&buffer[..read]);
            }
        }
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
    }
}
