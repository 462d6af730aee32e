//! Standard Webhooks, sent: `webhook-id`, `webhook-timestamp`, `webhook-signature` over the body's exact bytes.
//!
//! A receiver tells repeats by the id and rejects old timestamps, so the id stays over all tries and the timestamp is
//! each try's own. Nobody reads the answer's body: only the status counts. A 2xx is the receiving machine's word that it
//! has the message, so this channel goes straight to delivered.

use std::fmt;
use std::str::FromStr;

use baken_schemas::time::{Clock, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

use super::client::{HttpError, is_final, make_client, read_address, read_answer, why};
use super::outcome::{MachineAnswer, Outcome, Why};

/// The largest body that is sent: receivers are only expected to take 20 KB or so.
const MAX_BODY_BYTES: usize = 20 * 1024;
/// How many secrets may sign at once, while one replaces another.
const MAX_SECRETS: usize = 2;

/// What is wrong with a webhook's configuration.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not a secret.
    #[error("a webhook secret is `whsec_` and the base64 form of 24 to 64 random bytes")]
    Secret,
    /// None, or too many.
    #[error("a webhook is signed with one secret, or with two while one replaces the other")]
    Secrets,
    /// Not an id.
    #[error("a webhook id is 1 to 64 letters, digits, `_` and `-`")]
    Id,
    /// Where it is to go.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// A webhook's secret, `whsec_…`. Not shown by `Debug`, and wiped when dropped.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<String>);

impl WebhookSecret {
    /// A new one of 32 random bytes.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Self(Zeroizing::new(format!("whsec_{}", STANDARD.encode(*bytes))))
    }

    /// The text to hand to the receiver.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = WebhookError;

    fn from_str(text: &str) -> Result<Self, WebhookError> {
        let encoded = text.strip_prefix("whsec_").ok_or(WebhookError::Secret)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| WebhookError::Secret)?);
        if !(24..=64).contains(&bytes.len()) {
            return Err(WebhookError::Secret);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Zeroizing::new(String::deserialize(deserializer)?).parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The id of one message to one receiver, the same on every try.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookId {
    type Err = WebhookError;

    fn from_str(text: &str) -> Result<Self, WebhookError> {
        // No full stop: it divides what is signed.
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(WebhookError::Id) }
    }
}

/// One receiver. In configuration, at least `{"address": "https://…", "secrets": ["whsec_…"]}`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to, `https://…`.
    pub address: String,
    /// What signs: one, or two while one replaces the other.
    pub secrets: Vec<WebhookSecret>,
    /// How long one try may take altogether, in milliseconds.
    #[serde(default = "usual_timeout_ms")]
    pub timeout_ms: u64,
    /// A private root that the receiver's certificate comes from, in PEM. Without it, the machine's own roots count.
    #[serde(default)]
    pub root_pem: Option<String>,
    /// Whether the address may lie in this desk's own network.
    #[serde(default)]
    pub own_network: bool,
}

fn usual_timeout_ms() -> u64 {
    10_000
}

impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Many receivers put a token into the address's path.
        write!(f, "WebhookConfig(…, {} secrets)", self.secrets.len())
    }
}

impl WebhookConfig {
    /// For an address on the internet and its secret, giving each try ten seconds.
    pub fn new(address: impl Into<String>, secret: WebhookSecret) -> Self {
        Self {
            address: address.into(),
            secrets: vec![secret],
            timeout_ms: usual_timeout_ms(),
            root_pem: None,
            own_network: false,
        }
    }
}

/// A sender to one receiver. Keeps its connection between messages.
pub struct Webhook {
    client: reqwest::Client,
    address: reqwest::Url,
    signers: Vec<standardwebhooks::Webhook>,
    timeout_ms: u64,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Many receivers put a token into the path.
        write!(f, "Webhook({})", self.address.origin().ascii_serialization())
    }
}

impl Webhook {
    /// Sets up a sender.
    ///
    /// # Errors
    /// [`WebhookError`], each saying what to mend in the configuration.
    pub fn new(config: &WebhookConfig) -> Result<Self, WebhookError> {
        let address = read_address(&config.address, config.own_network)?;
        if config.secrets.is_empty() || config.secrets.len() > MAX_SECRETS {
            return Err(WebhookError::Secrets);
        }
        let signers = config
            .secrets
            .iter()
            .map(|secret| standardwebhooks::Webhook::new(secret.reveal()).map_err(|_| WebhookError::Secret))
            .collect::<Result<_, _>>()?;
        let client = make_client(config.root_pem.as_deref(), config.timeout_ms, config.own_network)?;
        Ok(Self { client, address, signers, timeout_ms: config.timeout_ms })
    }

    /// Tries once. `body` must be the same bytes on every try under one id.
    pub async fn send(&self, id: &WebhookId, body: &str, clock: &dyn Clock) -> Outcome {
        let Some(headers) = self.headers(id, body, clock.now()) else {
            return Outcome::Refused { why: Why::Unwritable };
        };
        let request = self.client.post(self.address.clone()).headers(headers).body(body.to_owned());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Outcome::Retry { why: why(&error, self.timeout_ms) },
        };
        let status = response.status();
        // Read so that the connection can be used again; what it says does not count.
        read_answer(&mut response).await;
        judge(status, clock.now())
    }

    fn headers(&self, id: &WebhookId, body: &str, now: Timestamp) -> Option<http::HeaderMap> {
        if body.len() > MAX_BODY_BYTES {
            return None;
        }
        let seconds = now.0.div_euclid(1000);
        let signatures: Vec<String> = self
            .signers
            .iter()
            .map(|signer| signer.sign(id.as_str(), seconds, body.as_bytes()))
            .collect::<Result<_, _>>()
            .ok()?;
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        headers.insert(standardwebhooks::HEADER_WEBHOOK_ID, id.as_str().parse().ok()?);
        headers.insert(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, seconds.into());
        headers.insert(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signatures.join(" ").parse().ok()?);
        Some(headers)
    }
}

fn judge(status: http::StatusCode, at: Timestamp) -> Outcome {
    let why = Why::Status { status: status.as_u16() };
    if status.is_success() {
        Outcome::Delivered(MachineAnswer { by: "main".to_owned(), answer: status.as_u16().to_string(), at })
    } else if is_final(status) {
        Outcome::Refused { why }
    } else {
        Outcome::Retry { why }
    }
}

#[cfg(test)]
mod tests {
    use baken_schemas::time::Timestamp;
    use http::StatusCode;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    use super::{MAX_BODY_BYTES, Outcome, Webhook, WebhookConfig, WebhookId, WebhookSecret, judge};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn config(address: &str) -> WebhookConfig {
        WebhookConfig::new(address, SECRET.parse().unwrap())
    }

    #[test]
    fn the_published_example_is_signed_alike() {
        let webhook = Webhook::new(&config("https://desk.example/hook")).unwrap();
        let id: WebhookId = "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap();
        let headers = webhook.headers(&id, r#"{"test": 2432232314}"#, Timestamp(1_614_265_330_999)).unwrap();
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_sign_side_by_side_and_three_do_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut config = config("https://desk.example/hook");
        config.secrets.push(WebhookSecret::make(&mut rng));
        let webhook = Webhook::new(&config).unwrap();
        let headers = webhook.headers(&"a".parse().unwrap(), "{}", Timestamp(0)).unwrap();
        let signatures: Vec<&str> = headers["webhook-signature"].to_str().unwrap().split(' ').collect();
        assert_eq!(signatures.len(), 2);
        assert!(signatures.iter().all(|signature| signature.starts_with("v1,")));
        config.secrets.push(WebhookSecret::make(&mut rng));
        assert!(Webhook::new(&config).is_err());
    }

    #[test]
    fn a_message_goes_encrypted_or_stays_on_this_machine() {
        for good in ["https://desk.example/hook", "http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/"] {
            let config = WebhookConfig { own_network: true, ..config(good) };
            assert!(Webhook::new(&config).is_ok(), "{good}");
        }
        for inside in ["https://127.0.0.1/", "https://10.1.2.3/hook", "https://[fd00::1]/", "https://169.254.169.254/"]
        {
            let refused = Webhook::new(&config(inside)).unwrap_err().to_string();
            assert!(refused.contains("own_network = true"), "{refused}");
        }
        for bad in [
            "http://desk.example/hook",
            "http://127.0.0.1.desk.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://user:word@desk.example/",
            "desk.example",
            "",
        ] {
            assert!(Webhook::new(&config(bad)).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn nothing_shows_a_secret_or_a_token_in_a_path() {
        let webhook = Webhook::new(&config("https://desk.example/hook/token-123")).unwrap();
        let shown = format!("{webhook:?} {:?}", config("https://desk.example/hook/token-123"));
        assert!(!shown.contains("token-123") && !shown.contains("MfKQ9r8"), "{shown}");
        for bad in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_***"] {
            assert!(bad.parse::<WebhookSecret>().is_err(), "{bad}");
        }
    }

    #[test]
    fn configuration_is_checked_where_it_is_read() {
        let read = |text: &str| serde_json::from_str::<WebhookConfig>(text);
        let config = read(&format!(r#"{{"address":"https://desk.example/","secrets":["{SECRET}"]}}"#)).unwrap();
        assert_eq!((config.timeout_ms, config.secrets.len()), (10_000, 1));
        assert!(read(r#"{"address":"https://desk.example/","secrets":["short"]}"#).is_err());
        assert!(read(&format!(r#"{{"adress":"https://desk.example/","secrets":["{SECRET}"]}}"#)).is_err());
    }

    #[test]
    fn an_id_is_one_that_can_be_signed() {
        for bad in ["", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(bad.parse::<WebhookId>().is_err(), "{bad:?} passed");
        }
        let webhook = Webhook::new(&config("https://desk.example/")).unwrap();
        let too_long = "x".repeat(MAX_BODY_BYTES + 1);
        assert!(webhook.headers(&"a".parse().unwrap(), &too_long, Timestamp(0)).is_none());
    }

    #[test]
    fn only_what_speaks_about_the_body_is_final() {
        let outcome = |status| judge(StatusCode::from_u16(status).unwrap(), Timestamp(7));
        for status in [200, 202, 204] {
            assert!(matches!(outcome(status), Outcome::Delivered(answer) if answer.answer == status.to_string()));
        }
        for status in [302, 401, 403, 404, 408, 425, 429, 500, 502, 503] {
            assert!(matches!(outcome(status), Outcome::Retry { .. }), "{status}");
        }
        for status in [400, 410, 413, 415, 422] {
            assert!(matches!(outcome(status), Outcome::Refused { .. }), "{status}");
        }
    }
}
