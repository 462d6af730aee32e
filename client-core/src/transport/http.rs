//! HTTP over TLS 1.3 to one relay: the only place that knows an HTTP client.
//!
//! Nothing of the surroundings leaks in: no proxy of the environment, no redirect, no public authority, no process-wide
//! TLS provider. Every answer and every event has a largest size and a longest time.
//!
//! Not here: what to ask and when to ask again. A failed request is told, not repeated.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use baken_schemas::org::RelayEntry;
use baken_schemas::time::Clock;
use bytes::BytesMut;
use rustls::CertificateError;

pub use super::tls::{Dates, Trust};
use super::{EventStream, Request, Response, Transport, TransportError, sse::EventReader, tls};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How long an answer may take, all of it. Long enough for 4 MiB over a bad mobile network.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a live stream may be silent. The relay sends a comment at least every 15 s.
const LIVE_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// How often a quiet connection is probed, so that a network that went away without a word is noticed.
const PROBE_INTERVAL: Duration = Duration::from_secs(15);
/// How long a probe may go unanswered.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer: a full page of items, and one more that came last.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// Why a transport could not be made. None of these comes from the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not `https://host` or `https://host:port`.
    #[error("the relay's address is not of the form https://host:port")]
    Url,
    /// No root, or one that is no certificate.
    #[error("the directory's TLS roots cannot be read")]
    Roots,
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be set up")]
    Client,
}

/// A relay reached over HTTPS.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// `https://host:port`, no slash behind.
    origin: String,
    authority: String,
}

impl HttpTransport {
    /// The way to the relay at `url` (`https://host:port`), for whoever `trust` says is it.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(url: &str, trust: Trust, dates: Dates, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let parsed = reqwest::Url::parse(url).map_err(|_| SetupError::Url)?;
        let host = parsed.host_str().filter(|_| parsed.scheme() == "https").ok_or(SetupError::Url)?;
        if parsed.path() != "/" || parsed.query().is_some() || !parsed.username().is_empty() {
            return Err(SetupError::Url);
        }
        // `Url` leaves out the port when it is 443, as the signature does.
        let authority = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(trust, dates, clock)?)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PROBE_INTERVAL)
            .http2_keep_alive_timeout(PROBE_TIMEOUT)
            .build()
            .map_err(|_| SetupError::Client)?;
        Ok(Self { client, origin: format!("https://{authority}"), authority })
    }

    /// The way to the relay of a verified directory: the first of its addresses, its roots and no other.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn to_relay(relay: &RelayEntry, dates: Dates, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let url = relay.urls.first().ok_or(SetupError::Url)?;
        let roots = relay.tls_roots.iter().map(|root| root.to_vec()).collect();
        Self::new(url, Trust::Roots(roots), dates, clock)
    }

    async fn start(&self, request: Request) -> Result<reqwest::Response, TransportError> {
        let url = format!("{}{}", self.origin, request.path_and_query);
        let mut builder = self.client.request(request.method, url).body(request.body);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder.send().await.map_err(|error| cause(&error))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    fn authority(&self) -> &str {
        &self.authority
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let whole = async {
            let mut answer = self.start(request).await?;
            let status = answer.status().as_u16();
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
                if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                    return Err(TransportError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Response { status, body: body.freeze() })
        };
        tokio::time::timeout(ANSWER_TIMEOUT, whole).await.unwrap_or(Err(TransportError::Unreachable))
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        let started = tokio::time::timeout(ANSWER_TIMEOUT, self.start(request)).await;
        let answer = started.unwrap_or(Err(TransportError::Unreachable))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(TransportError::Unreachable);
        }
        Ok(Box::pin(futures_util::stream::unfold(Some((answer, EventReader::default())), |live| async move {
            let (mut answer, mut reader) = live?;
            match next_event(&mut answer, &mut reader).await {
                Ok(event) => Some((Ok(event), Some((answer, reader)))),
                Err(error) => Some((Err(error), None)),
            }
        })))
    }
}

async fn next_event(answer: &mut reqwest::Response, reader: &mut EventReader) -> Result<String, TransportError> {
    loop {
        if let Some(event) = reader.next() {
            return Ok(event);
        }
        let chunk = tokio::time::timeout(LIVE_IDLE_TIMEOUT, answer.chunk()).await;
        let chunk = chunk.map_err(|_| TransportError::Unreachable)?.map_err(|error| cause(&error))?;
        reader.push(&chunk.ok_or(TransportError::Unreachable)?)?;
    }
}

/// Tells a server that must not be trusted from one that could not be reached.
fn cause(error: &reqwest::Error) -> TransportError {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = at {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return tls_cause(tls);
        }
        // An I/O error's `source` skips the very error it was made from; `get_ref` has it.
        at = match current.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => current.source(),
        };
    }
    TransportError::Unreachable
}

fn tls_cause(error: &rustls::Error) -> TransportError {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => TransportError::OutOfDate,
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => TransportError::Untrusted,
        _ => TransportError::Unreachable,
    }
}

#[cfg(test)]
mod tests;
