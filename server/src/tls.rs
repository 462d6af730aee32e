//! TLS in the process: a private root that others pin, and a server for an axum router behind it.
//!
//! TLS 1.3 only. The certificate is trusted because its root's hash came in an invite or a directory, not because of
//! its dates: it has practically none, so that a phone whose clock is ten years off can still call for help. Roots
//! are replaced by a new directory.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use baken_schemas::time::Timestamp;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::folder::{Access, DataFolder, FolderError, read_whole};

/// The root (DER), which others pin.
const ROOT_FILE: &str = "tls-root.der";
/// The root's key (PKCS#8), to make another certificate for another host.
const ROOT_KEY_FILE: &str = "tls-root.key";
/// The server's certificate (DER).
const CERTIFICATE_FILE: &str = "tls-server.der";
/// The server's key (PKCS#8).
const KEY_FILE: &str = "tls-server.key";

/// The most open connections of one listener; more wait in the kernel's backlog. A phone keeps one: ten thousand of them, and
/// room for desks and bridges.
const MAX_CONNECTIONS: usize = 12_000;
/// The most of them from one address. A mobile provider puts thousands of phones behind one, of which few have Baken.
const MAX_FROM_ONE_ADDRESS: usize = 1_000;
/// How long a client may take for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to send a request's head (HTTP/1.1).
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a quiet HTTP/2 connection is asked whether it lives, and how long it may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// The most requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// The largest head of a request in bytes.
const MAX_HEAD_BYTES: u32 = 16 * 1024;
/// How long requests under way may take once the server is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// A pause after `accept` failed, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why there is no TLS server.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// An address that is not `https://host:port`.
    #[error("{0} is not an address of the form https://host:port")]
    BadUrl(String),
    /// The certificate or its key cannot be made or used.
    #[error("the TLS certificate cannot be used: {0}")]
    Certificate(String),
    /// Another process listens there.
    #[error("{0} is in use by another process: stop that one, or listen on another port")]
    PortInUse(SocketAddr),
    /// Listening there is not possible.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

fn certificate_error(error: impl std::fmt::Display) -> TlsError {
    TlsError::Certificate(error.to_string())
}

/// Host and port of `https://host:port`; the port is 443 when it is left out.
///
/// # Errors
/// [`TlsError::BadUrl`].
pub fn host_and_port(url: &str) -> Result<(String, u16), TlsError> {
    let bad = || TlsError::BadUrl(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_| bad())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?;
    if uri.scheme_str() != Some("https") || uri.path() != "/" || uri.query().is_some() || url.ends_with('/') {
        return Err(bad());
    }
    Ok((host.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(443)))
}

/// Makes a private root and a certificate for these hosts (names or IP addresses) in a folder. Gives the root (DER).
///
/// # Errors
/// [`TlsError`].
pub fn make(folder: &DataFolder, name: &str, hosts: &[String]) -> Result<Vec<u8>, TlsError> {
    let (root, root_key) = make_root(name)?;
    let root_key_der = Zeroizing::new(root_key.serialize_der());
    folder.write(ROOT_KEY_FILE, &root_key_der, Access::Secret)?;
    folder.write(ROOT_FILE, &root, Access::Open)?;
    let issuer =
        Issuer::from_ca_cert_der(&CertificateDer::from(root.as_slice()), root_key).map_err(certificate_error)?;
    let key = KeyPair::generate().map_err(certificate_error)?;
    let mut params = CertificateParams::new(hosts.to_vec()).map_err(certificate_error)?;
    params.distinguished_name = named(name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    undated(&mut params);
    let certificate = params.signed_by(&key, &issuer).map_err(certificate_error)?;
    folder.write(KEY_FILE, &Zeroizing::new(key.serialize_der()), Access::Secret)?;
    folder.write(CERTIFICATE_FILE, certificate.der(), Access::Open)?;
    Ok(root)
}

fn make_root(name: &str) -> Result<(Vec<u8>, KeyPair), TlsError> {
    let key = KeyPair::generate().map_err(certificate_error)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(certificate_error)?;
    params.distinguished_name = named(&format!("{name} root"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    undated(&mut params);
    let root = params.self_signed(&key).map_err(certificate_error)?;
    Ok((root.der().to_vec(), key))
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn undated(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(1975, 1, 1);
    params.not_after = date_time_ymd(4096, 1, 1);
}

/// The folder's TLS root (DER).
///
/// # Errors
/// [`FolderError`].
pub fn root(folder: &DataFolder) -> Result<Vec<u8>, FolderError> {
    folder.read(ROOT_FILE)
}

/// What an invite holds of a root.
pub fn root_sha256(root: &[u8]) -> [u8; 32] {
    Sha256::digest(root).into()
}

/// A TLS configuration from what [`make`] left. The root is sent along, so that a phone that knows only its hash can
/// find it.
///
/// # Errors
/// [`TlsError`].
pub fn server_config(folder: &DataFolder) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = vec![folder.read(CERTIFICATE_FILE)?.into(), folder.read(ROOT_FILE)?.into()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(folder.read(KEY_FILE)?));
    config_of(chain, key)
}

/// Whether [`make`] has been here.
pub fn is_made(folder: &DataFolder) -> bool {
    folder.has(CERTIFICATE_FILE)
}

/// When a certificate (DER) ends; `None` for bytes that are none.
pub fn ends(certificate: &[u8]) -> Option<Timestamp> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Timestamp(parsed.validity().not_after.timestamp().saturating_mul(1000)))
}

/// When the certificate that a folder serves, or the root behind it, ends: whichever is first. `None` without any.
pub fn certificate_ends(data: &Path) -> Option<Timestamp> {
    let files = [CERTIFICATE_FILE, ROOT_FILE].map(|file| read_whole(&data.join(file)).ok());
    files.into_iter().flatten().filter_map(|certificate| ends(&certificate)).min()
}

/// A TLS configuration with a chain of certificates, the server's own first, and its key.
///
/// # Errors
/// [`TlsError::Certificate`].
pub fn config_of(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(certificate_error)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(certificate_error)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Listens on an address.
///
/// # Errors
/// [`TlsError::PortInUse`], [`TlsError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, TlsError> {
    TcpListener::bind(address).await.map_err(|source| not_listening(address, source))
}

/// Takes datagrams at an address.
///
/// # Errors
/// [`TlsError::PortInUse`], [`TlsError::Listen`].
pub async fn listen_udp(address: SocketAddr) -> Result<UdpSocket, TlsError> {
    UdpSocket::bind(address).await.map_err(|source| not_listening(address, source))
}

fn not_listening(address: SocketAddr, source: std::io::Error) -> TlsError {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => TlsError::PortInUse(address),
        _ => TlsError::Listen { address, source },
    }
}

/// Serves `router` until `stop` is done, then lets requests under way end, for at most ten seconds. Handlers find the
/// caller's address as `ConnectInfo<SocketAddr>`. Streams without end must end by themselves at `stop`.
pub async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, router: Router, stop: impl Future<Output = ()>) {
    let acceptor = TlsAcceptor::from(tls);
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let crowd = Arc::new(Crowd::default());
    let draining = GracefulShutdown::new();
    let (stopping, _) = tokio::sync::watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let Some(admitted) = crowd.admit(peer.ip()) else {
            tracing::debug!(event = "address_full", "one address holds all the connections it may");
            continue;
        };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), draining.watcher());
        let mut stopped = stopping.subscribe();
        tokio::spawn(async move {
            let _held = (place, admitted);
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream));
            let shaken = tokio::select! {
                shaken = handshake => shaken,
                _ = stopped.changed() => return,
            };
            // Too slow, no TLS, or a client that does not trust the root: it says so itself.
            let Ok(Ok(stream)) = shaken else { return };
            let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                router.clone().oneshot(request)
            });
            let builder = connection_builder();
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(event = "connection_ended", %error);
            }
        });
    }
    drop(listener);
    drop(stopping);
    if tokio::time::timeout(DRAIN_TIMEOUT, draining.shutdown()).await.is_err() {
        tracing::warn!(event = "drain_cut_off", "requests under way took too long and were cut off");
    }
}

/// How many connections each address holds, so that one stranger cannot take every place and keep alarms out.
#[derive(Debug, Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// A place of one address, given back when dropped.
#[derive(Debug)]
struct Admitted {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let address = counted_as(address);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        if *count >= MAX_FROM_ONE_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Admitted { crowd: Arc::clone(self), address })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut held = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv6 network of 64 bits is what a single home or server has to itself.
pub fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The next connection, when there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // An alarm is one small packet, which must not wait for another.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(event = "accept_failed", %error);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn connection_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place_and_gives_its_own_back() {
        let crowd = Arc::new(Crowd::default());
        let stranger: IpAddr = "2001:db8::1".parse().expect("an address");
        let neighbour: IpAddr = "2001:db8::2".parse().expect("an address");
        let phone: IpAddr = "192.0.2.7".parse().expect("an address");
        let mut held: Vec<Admitted> = (0..MAX_FROM_ONE_ADDRESS).filter_map(|_| crowd.admit(stranger)).collect();
        assert_eq!(held.len(), MAX_FROM_ONE_ADDRESS);
        assert!(crowd.admit(neighbour).is_none(), "the same network is the same address");
        assert!(crowd.admit(phone).is_some());
        held.pop();
        assert!(crowd.admit(neighbour).is_some());
        drop(held);
        assert!(crowd.0.lock().expect("nobody panicked").is_empty());
    }
}
