//! Web Push (RFC 8030) without any content: a browser's push service is told that there is something to look at, and nothing
//! of what. Who runs that service sees which browser is woken when, and no more.
//!
//! The sender proves itself with VAPID (RFC 8292): a token signed with ECDSA over P-256, bound to the push service's origin
//! and to a day at most. A 2xx says that the service will pass it on, so this channel gets no further than handed over. 404
//! and 410 say that the browser takes none any more.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::time::{Clock, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{HttpError, is_final, make_client, read_address, read_answer, why};
use super::outcome::{MachineAnswer, Outcome, Why};

/// The longest address of a subscription in bytes: those of the known services have some 200 to 500.
pub const MAX_ENDPOINT_BYTES: usize = 1_024;
/// How long a token is good for, in milliseconds. RFC 8292 takes a day at most; clocks differ.
const TOKEN_LASTS_MS: i64 = 12 * 3_600_000;
/// Messages that wait at a push service for a browser that sleeps are one: they say nothing, so the newest will do.
const TOPIC: &str = "baken";

/// The desk's key towards push services. Not shown by `Debug`.
pub struct VapidKey {
    pair: EcdsaKeyPair,
    /// The uncompressed point, base64url: what browsers subscribe with and services check with.
    public: String,
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VapidKey({})", self.public)
    }
}

impl VapidKey {
    /// The key that follows from a desk's own: a subscription is bound to it, and lasts as long as the desk has its keys.
    pub fn derive(desk: &SymmetricKey) -> Self {
        (0_u8..=u8::MAX)
            .find_map(|number| {
                let scalar = desk.derive("baken/desk-web-push-key/v0", &[&[number]]);
                Self::of_scalar(scalar.as_bytes())
            })
            // All but one in 2^32 numbers are keys of this curve.
            .unwrap_or_else(|| unreachable!("one of 256 is a key"))
    }

    /// `None` where the number is no private key of P-256.
    fn of_scalar(scalar: &[u8; 32]) -> Option<Self> {
        // RFC 5915: ECPrivateKey with the curve's name and no public key, which follows from the other.
        const HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
        const P256: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let der = zeroize::Zeroizing::new([&HEAD[..], scalar, &P256].concat());
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Some(Self { pair, public })
    }

    /// The public half, as `PushManager.subscribe` takes it: base64url of 65 bytes.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The value of `Authorization` for a service of this origin.
    fn authorization(&self, origin: &str, subject: &str, now: Timestamp) -> Option<HeaderValue> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "aud": origin, "exp": now.plus_ms(TOKEN_LASTS_MS).0.div_euclid(1000), "sub": subject });
        let signed = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        let mut value = HeaderValue::from_str(&format!("vapid t={token}, k={}", self.public)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// How soon a browser is to be woken (RFC 8030, 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Also a phone that saves its battery.
    High,
    /// When it is awake.
    Normal,
}

impl Urgency {
    fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}

/// How pushes are sent.
#[derive(Debug, Clone)]
pub struct PushConfig {
    /// Whom a push service can ask about these: `mailto:…` or `https://…`.
    pub subject: String,
    /// How long one try may take altogether, in milliseconds.
    pub timeout_ms: u64,
    /// A private root that the service's certificate comes from, in PEM. Without it, the machine's own roots count.
    pub root_pem: Option<String>,
    /// Whether push services may lie in this desk's own network.
    pub own_network: bool,
}

/// What is wrong with how pushes are to be sent, or with where.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Not a contact.
    #[error("subject is whom a push service can ask: mailto: and an address, or https:// and a page")]
    Subject,
    /// An address that is too long, or none.
    #[error("the browser's push address is not one that a message may go to")]
    Endpoint,
    /// The client.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// The sender to all push services.
pub struct Push {
    client: reqwest::Client,
    config: PushConfig,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Push(…)")
    }
}

impl Push {
    /// Sets up the sender.
    ///
    /// # Errors
    /// [`PushError`], each saying what to mend in the configuration.
    pub fn new(config: PushConfig) -> Result<Self, PushError> {
        let subject = config.subject.as_str();
        let is_contact = subject.strip_prefix("mailto:").is_some_and(|mail| mail.contains('@'))
            || subject.strip_prefix("https://").is_some_and(|page| !page.is_empty());
        if !is_contact || subject.len() > 200 || subject.chars().any(|char| char.is_control() || char == ' ') {
            return Err(PushError::Subject);
        }
        let client = make_client(config.root_pem.as_deref(), config.timeout_ms, config.own_network)?;
        Ok(Self { client, config })
    }

    /// Reads where a browser wants its messages; the service's host, which is fit to be shown.
    ///
    /// # Errors
    /// [`PushError::Endpoint`], and [`PushError::Http`] for one in the desk's own network.
    pub fn check_endpoint(&self, endpoint: &str) -> Result<String, PushError> {
        if endpoint.len() > MAX_ENDPOINT_BYTES {
            return Err(PushError::Endpoint);
        }
        let address = read_address(endpoint, self.config.own_network)?;
        // A push service speaks TLS also where a webhook on this very machine need not.
        if address.scheme() != "https" {
            return Err(PushError::Endpoint);
        }
        address.host_str().map(str::to_owned).ok_or(PushError::Endpoint)
    }

    /// Tries once to wake a browser, within `ttl_s`.
    pub async fn send(
        &self,
        endpoint: &str,
        (urgency, ttl_s): (Urgency, u32),
        key: &VapidKey,
        clock: &dyn Clock,
    ) -> Outcome {
        let unwritable = Outcome::Refused { why: Why::Unwritable };
        let Ok(address) = read_address(endpoint, self.config.own_network) else { return unwritable };
        let origin = address.origin().ascii_serialization();
        let Some(authorization) = key.authorization(&origin, &self.config.subject, clock.now()) else {
            return unwritable;
        };
        let request = self
            .client
            .post(address)
            .header(AUTHORIZATION, authorization)
            .header(HeaderName::from_static("ttl"), ttl_s)
            .header(HeaderName::from_static("urgency"), urgency.as_str())
            .header(HeaderName::from_static("topic"), TOPIC)
            .header(http::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Outcome::Retry { why: why(&error, self.config.timeout_ms) },
        };
        let status = response.status();
        read_answer(&mut response).await;
        judge(status, clock.now())
    }
}

fn judge(status: http::StatusCode, at: Timestamp) -> Outcome {
    let code = status.as_u16();
    if status.is_success() {
        let answer = MachineAnswer { by: "main".to_owned(), answer: code.to_string(), at };
        Outcome::HandedOver { answer, reference: String::new() }
    } else if matches!(code, 404 | 410) {
        Outcome::Refused { why: Why::Unsubscribed }
    } else if is_final(status) {
        Outcome::Refused { why: Why::Status { status: code } }
    } else {
        Outcome::Retry { why: Why::Status { status: code } }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use http::StatusCode;

    use super::*;

    fn push(own_network: bool, subject: &str) -> Result<Push, PushError> {
        Push::new(PushConfig { subject: subject.to_owned(), timeout_ms: 1_000, root_pem: None, own_network })
    }

    #[test]
    fn one_desk_has_one_key_and_another_desk_another() {
        let key = |byte| VapidKey::derive(&SymmetricKey::from_slice(&[byte; 32]).unwrap());
        assert_eq!(key(1).public(), key(1).public());
        assert_ne!(key(1).public(), key(2).public());
        let point = URL_SAFE_NO_PAD.decode(key(1).public()).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
        assert!(VapidKey::of_scalar(&[0; 32]).is_none() && VapidKey::of_scalar(&[255; 32]).is_none());
    }

    #[test]
    fn a_token_is_for_one_service_and_half_a_day() {
        let key = VapidKey::derive(&SymmetricKey::from_slice(&[1; 32]).unwrap());
        let value = key.authorization("https://push.example", "mailto:ict@example.nl", Timestamp(5_000)).unwrap();
        assert!(value.is_sensitive());
        let token = value.to_str().unwrap().strip_prefix("vapid t=").unwrap().split(',').next().unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(claims, json!({ "aud": "https://push.example", "exp": 43_205, "sub": "mailto:ict@example.nl" }));
        let public = URL_SAFE_NO_PAD.decode(key.public()).unwrap();
        let signed = format!("{}.{}", parts[0], parts[1]);
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn only_a_push_service_on_the_internet_is_an_address() {
        let outside = push(false, "mailto:ict@example.nl").unwrap();
        assert_eq!(outside.check_endpoint("https://push.example/x/abc").unwrap(), "push.example");
        let long = format!("https://push.example/{}", "a".repeat(MAX_ENDPOINT_BYTES));
        for bad in ["https://127.0.0.1/x", "https://10.0.0.1/", "http://localhost/", "http://push.example/", "", &long]
        {
            assert!(outside.check_endpoint(bad).is_err(), "{bad}");
        }
        assert!(push(true, "mailto:ict@example.nl").unwrap().check_endpoint("https://localhost:1/x").is_ok());
        for bad in ["", "ict@example.nl", "mailto:", "mailto:ict", "https://", "mailto:a@b\n"] {
            assert!(push(false, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_passes_on_or_says_that_the_browser_is_gone() {
        let outcome = |status| judge(StatusCode::from_u16(status).unwrap(), Timestamp(7));
        for status in [200, 201, 202] {
            assert!(matches!(outcome(status), Outcome::HandedOver { .. }), "{status}");
        }
        for status in [404, 410] {
            assert_eq!(outcome(status), Outcome::Refused { why: Why::Unsubscribed });
        }
        assert_eq!(outcome(413), Outcome::Refused { why: Why::Status { status: 413 } });
        for status in [301, 401, 403, 429, 500, 503] {
            assert!(matches!(outcome(status), Outcome::Retry { .. }), "{status}");
        }
    }
}
