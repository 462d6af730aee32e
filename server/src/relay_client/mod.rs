//! The relay as a desk, a bridge or the organisation's root reaches it: signed requests and the live stream, over TLS
//! that trusts nothing but the roots it was given.
//!
//! One request is one try. Whoever calls decides what waits and is tried again ([`Backoff`]), because only a durable
//! row knows that something is still to be sent. Every write takes its idempotency key from the caller for the same
//! reason: a repeat after a crash must carry the same one.

mod live;
mod trust;

pub use live::LiveStream;
pub use trust::Trust;

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use baken_schemas::FormatError;
use baken_schemas::adviser::{OrgReadiness, Plan, PlanChange, PlanChanged};
use baken_schemas::api::{self, Activated, Activation, Documents, Page, Problem, Publication};
use baken_schemas::blob::is_sealed_len;
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::signed::{EditionHead, EditionName};
use baken_schemas::id::{AlarmId, BlobId, DeviceId, IdempotencyKey, LineId};
use baken_schemas::org::{Directory, OrgId};
use baken_schemas::request::{RequestKey, RequestParts, sign_request};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use bytes::{Bytes, BytesMut};
use http::Method;
use minicbor::bytes::ByteVec;

use crate::tls;

/// How long one request may take, from connecting to the last byte.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an open connection is asked whether the relay is there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read: a full page and its framing.
const MAX_ANSWER_BYTES: usize = api::PAGE_BYTES + 64 * 1024;
/// The most addresses of one relay that are tried.
const MAX_ADDRESSES: usize = 8;

/// Why a request to the relay had no effect that is known of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// An address that is none.
    #[error("the relay's address must be of the form https://host:port")]
    BadAddress,
    /// No connection, or it broke, or no answer in time.
    #[error("the relay could not be reached; it is tried again")]
    Unreachable,
    /// The server's certificate does not come from the roots given.
    #[error("the server that answered is not the relay that the organisation vouches for")]
    Untrusted,
    /// More bytes than any answer has.
    #[error("the relay answered more than the protocol allows")]
    TooLarge,
    /// The relay says no.
    #[error("the relay refused it: {code} ({status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's stable code, `unknown` when there is none.
        code: String,
    },
    /// An answer that is not what it must be.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Who signs the requests.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The device.
    pub device: DeviceId,
    /// Its key.
    pub key: SigningKey,
    /// Which of its keys that is.
    pub which: RequestKey,
}

/// A connection to one relay at one or more addresses.
#[derive(Debug)]
pub struct RelayClient {
    http: reqwest::Client,
    addresses: Vec<Address>,
    /// The address that answered last.
    current: AtomicUsize,
    caller: Option<Caller>,
    /// When the certificate of the server that answered last ends; 0 before one has.
    certificate_ends: AtomicI64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    origin: String,
    authority: String,
}

impl Address {
    fn parse(url: &str) -> Result<Self, RelayError> {
        let origin = url.trim().trim_end_matches('/').to_ascii_lowercase();
        let host = origin.strip_prefix("https://").ok_or(RelayError::BadAddress)?;
        let uri: http::Uri = origin.parse().map_err(|_| RelayError::BadAddress)?;
        if host.is_empty() || host.contains(['/', '?', '#', '@']) || uri.authority().is_none() {
            return Err(RelayError::BadAddress);
        }
        let authority = host.strip_suffix(":443").unwrap_or(host).to_owned();
        Ok(Self { origin, authority })
    }
}

impl RelayClient {
    /// A client for a relay at `urls` (`https://host:port`; at most eight are used), trusting only `trust`. Without a
    /// `caller` only the few requests that need no signature work.
    ///
    /// # Errors
    /// [`RelayError::BadAddress`], [`RelayError::Untrusted`] when a root is no certificate.
    pub fn new(urls: &[String], trust: &Trust, caller: Option<Caller>) -> Result<Self, RelayError> {
        let addresses =
            urls.iter().take(MAX_ADDRESSES).map(|url| Address::parse(url)).collect::<Result<Vec<_>, _>>()?;
        if addresses.is_empty() {
            return Err(RelayError::BadAddress);
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(trust.client_config()?)
            .tls_info(true)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // A relay whose machine lost its power says no goodbye.
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            .build()
            .map_err(|_| RelayError::Untrusted)?;
        Ok(Self { http, addresses, current: AtomicUsize::new(0), caller, certificate_ends: AtomicI64::new(0) })
    }

    fn address(&self) -> &Address {
        &self.addresses[self.current.load(Ordering::Relaxed) % self.addresses.len()]
    }

    /// One request, signed when there is a caller. After an address that cannot be reached the next is tried on the
    /// next call.
    async fn start(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<reqwest::RequestBuilder, RelayError> {
        let address = self.address();
        let separator = if query.is_empty() { "" } else { "?" };
        let mut request = self.http.request(method.clone(), format!("{}{path}{separator}{query}", address.origin));
        if let Some(caller) = &self.caller {
            let parts =
                RequestParts { method: method.as_str(), authority: &address.authority, path, query, body: &body };
            let headers = sign_request(&parts, caller.device, caller.which, &caller.key, idempotency);
            for (name, value) in headers.pairs() {
                request = request.header(name, value);
            }
        }
        if method != Method::GET {
            request = request.header(http::header::CONTENT_TYPE, "application/cbor").body(body);
        }
        Ok(request)
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`RelayError`]; after [`RelayError::Unreachable`] it may or may not have taken effect.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Vec<u8>,
        idempotency: IdempotencyKey,
    ) -> Result<Bytes, RelayError> {
        let request = self.start(method, path, query, body, idempotency).await?.timeout(REQUEST_TIMEOUT);
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Bytes, RelayError> {
        let certificate = response.extensions().get::<reqwest::tls::TlsInfo>().and_then(|tls| tls.peer_certificate());
        if let Some(ends) = certificate.and_then(tls::ends) {
            self.certificate_ends.store(ends.0, Ordering::Relaxed);
        }
        let status = response.status().as_u16();
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(RelayError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) { Ok(body.freeze()) } else { Err(refused(status, &body)) }
    }

    /// When the relay's certificate ends, once it has answered.
    pub fn certificate_ends(&self) -> Option<Timestamp> {
        Some(Timestamp(self.certificate_ends.load(Ordering::Relaxed))).filter(|ends| ends.0 != 0)
    }

    fn failed(&self, error: &reqwest::Error) -> RelayError {
        if trust::is_untrusted(error) {
            return RelayError::Untrusted;
        }
        self.current.fetch_add(1, Ordering::Relaxed);
        RelayError::Unreachable
    }

    /// The organisation's newest directory, checked against the root that `org` names.
    ///
    /// # Errors
    /// [`RelayError`]; [`FormatError::Signature`] when another root signed it.
    pub async fn directory(&self, org: OrgId) -> Result<Signed<Directory>, RelayError> {
        let path = api::DIRECTORY.replace("{org}", &org.to_string());
        let bytes = self.send(Method::GET, &path, "", Vec::new(), NO_EFFECT).await?;
        Ok(Directory::verify(&bytes, org)?)
    }

    /// Hands the relay a document of the organisation's root.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn publish(&self, document: &[u8], idempotency: IdempotencyKey) -> Result<(), RelayError> {
        self.send(Method::POST, api::ORG_DOCUMENTS, "", document.to_vec(), idempotency).await.map(drop)
    }

    /// The newest head of an edition at the relay, unchecked; `None` when it has none.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn edition(&self, edition: EditionName) -> Result<Option<EditionHead>, RelayError> {
        let path = api::EDITION.replace("{edition}", &edition.to_string());
        match self.send(Method::GET, &path, "", Vec::new(), NO_EFFECT).await {
            Ok(bytes) => Ok(Some(cbor::from_slice(&bytes, "an edition's head")?)),
            Err(RelayError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Publishes an edition.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn publish_edition(&self, publication: &Publication) -> Result<(), RelayError> {
        self.send(Method::POST, api::EDITIONS, "", cbor::to_vec(publication), NO_EFFECT).await.map(drop)
    }

    /// Uses an invite.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn activate(
        &self,
        activation: &Activation,
        idempotency: IdempotencyKey,
    ) -> Result<Activated, RelayError> {
        let bytes = self.send(Method::POST, api::ACTIVATE, "", cbor::to_vec(activation), idempotency).await?;
        Ok(cbor::from_slice(&bytes, "an activation's answer")?)
    }

    /// Posts a signed document: an alarm, a receipt, an enrolment.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn post(&self, path: &str, document: &[u8], idempotency: IdempotencyKey) -> Result<Bytes, RelayError> {
        self.send(Method::POST, path, "", document.to_vec(), idempotency).await
    }

    /// Mail behind `after`.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn mail(&self, after: u64) -> Result<Page, RelayError> {
        let query = format!("after={after}");
        let bytes = self.send(Method::GET, api::MAIL, &query, Vec::new(), NO_EFFECT).await?;
        Ok(cbor::from_slice(&bytes, "a page of mail")?)
    }

    /// Every receipt of an alarm so far.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn receipts(&self, alarm: AlarmId) -> Result<Documents, RelayError> {
        let path = api::ALARM_RECEIPTS.replace("{alarm}", &alarm.to_string());
        let bytes = self.send(Method::GET, &path, "", Vec::new(), NO_EFFECT).await?;
        Ok(cbor::from_slice(&bytes, "receipts")?)
    }

    /// A sealed chunk of a file that goes along with an alarm.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn alarm_chunk(&self, alarm: AlarmId, blob: BlobId, chunk: u32) -> Result<Vec<u8>, RelayError> {
        let path = api::ALARM_CHUNK
            .replace("{alarm}", &alarm.to_string())
            .replace("{blob}", &blob.to_string())
            .replace("{chunk}", &chunk.to_string());
        let bytes = self.send(Method::GET, &path, "", Vec::new(), NO_EFFECT).await?;
        let chunk: ByteVec = cbor::from_slice(&bytes, "a sealed chunk")?;
        if !is_sealed_len(chunk.len()) {
            return Err(FormatError::Malformed { what: "a sealed chunk" }.into());
        }
        Ok(chunk.into())
    }

    /// The organisation's plan, for an adviser.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn plan(&self) -> Result<Plan, RelayError> {
        let bytes = self.send(Method::GET, api::PLAN, "", Vec::new(), NO_EFFECT).await?;
        Ok(cbor::from_slice(&bytes, "a plan")?)
    }

    /// Changes a line of the plan; its version from now on.
    ///
    /// # Errors
    /// [`RelayError`], refused with `plan_changed` when somebody else was first.
    pub async fn change_plan(
        &self,
        line: LineId,
        change: &PlanChange,
        once: IdempotencyKey,
    ) -> Result<u64, RelayError> {
        let path = api::PLAN_LINE.replace("{line}", &line.to_string());
        let bytes = self.send(Method::PUT, &path, "", cbor::to_vec(change), once).await?;
        Ok(cbor::from_slice::<PlanChanged>(&bytes, "a change's answer")?.version)
    }

    /// How ready those say they are who agreed, for an adviser.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn readiness(&self) -> Result<OrgReadiness, RelayError> {
        let bytes = self.send(Method::GET, api::READINESS, "", Vec::new(), NO_EFFECT).await?;
        Ok(cbor::from_slice(&bytes, "readiness")?)
    }

    /// A device's card, sealed; `None` when it has left none.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn card(&self, device: DeviceId) -> Result<Option<Bytes>, RelayError> {
        let path = api::CARD.replace("{device}", &device.to_string());
        match self.send(Method::GET, &path, "", Vec::new(), NO_EFFECT).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(RelayError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the live stream of mail behind `after`.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn live(&self, after: u64) -> Result<LiveStream, RelayError> {
        let query = format!("mail={after}");
        let request = self.start(Method::GET, api::LIVE, &query, Vec::new(), NO_EFFECT).await?;
        let response = tokio::time::timeout(REQUEST_TIMEOUT, request.send())
            .await
            .map_err(|_| RelayError::Unreachable)?
            .map_err(|error| self.failed(&error))?;
        if response.status().as_u16() != 200 {
            return Err(self.read(response).await.err().unwrap_or(RelayError::Unreachable));
        }
        Ok(LiveStream::new(response))
    }
}

/// The idempotency key of requests that change nothing.
const NO_EFFECT: IdempotencyKey = IdempotencyKey([0; 16]);

/// What a refusal says. The code is text of a machine not trusted: only short plain words are kept.
fn refused(status: u16, body: &[u8]) -> RelayError {
    let code = serde_json::from_slice::<Problem>(body).map(|problem| problem.code).unwrap_or_default();
    let plain = (1..=48).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    RelayError::Refused { status, code: if plain { code } else { "unknown".to_owned() } }
}

/// How long to wait before the next try: a quarter of a second, doubled each time up to a bound. Never gives up.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    longest_ms: u64,
}

impl Backoff {
    const FIRST_MS: u64 = 250;

    /// Waits of at most `longest_ms` milliseconds.
    pub fn up_to(longest_ms: u64) -> Self {
        Self { failures: 0, longest_ms }
    }

    /// The wait after one more failure.
    pub fn after_failure(&mut self) -> Duration {
        let delay_ms = Self::FIRST_MS.saturating_mul(1 << self.failures.min(16)).min(self.longest_ms);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(delay_ms)
    }

    /// Starts again from the shortest.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_origins_are_addresses() {
        let parsed = Address::parse("https://Relay.Example:8443/").unwrap();
        assert_eq!(
            (parsed.origin.as_str(), parsed.authority.as_str()),
            ("https://relay.example:8443", "relay.example:8443")
        );
        assert_eq!(Address::parse("https://relay.example:443").unwrap().authority, "relay.example");
        for bad in ["http://relay.example", "https://", "https://a/b", "https://user@host", "relay.example"] {
            assert_eq!(Address::parse(bad), Err(RelayError::BadAddress), "{bad}");
        }
    }

    #[test]
    fn waiting_grows_to_a_bound_and_starts_again() {
        let mut backoff = Backoff::up_to(15_000);
        let waits: Vec<u64> = (0..9).map(|_| backoff.after_failure().as_millis() as u64).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        backoff.succeeded();
        assert_eq!(backoff.after_failure().as_millis(), 250);
    }

    #[test]
    fn a_refusals_code_is_kept_only_when_it_is_a_plain_word() {
        let body = |code: &str| format!(r#"{{"type":"t","title":"t","status":409,"detail":"d","code":"{code}"}}"#);
        let code = |text: &str| match refused(409, body(text).as_bytes()) {
            RelayError::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code("alarm_conflict"), "alarm_conflict");
        assert_eq!(code("Jan de Vries, Dorpsstraat 1"), "unknown");
    }
}
