//! Text messages through a gateway of a mobile operator or its reseller.
//!
//! A gateway's 2xx with the message's name says that it will pass it on: handed over. Whether it arrived it tells later,
//! by a callback, which is believed only with the gateway's signature or secret. An SMS is readable by everybody on its
//! way, may take minutes and can be lost, so it is never the only channel.

mod cm;
mod text;
mod twilio;

pub use cm::Cm;
pub use text::gsm;
pub use twilio::Twilio;

use std::fmt;

use baken_schemas::alarm::MAX_SMS_CHARACTERS;
use baken_schemas::time::{Clock, Timestamp};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::client::{HttpError, is_final, make_client, read_address, read_answer, why};
use super::outcome::{MachineAnswer, Outcome, Why};

/// How long one try may take altogether, in milliseconds.
const TIMEOUT_MS: u64 = 10_000;
/// The longest name that a gateway may give a message.
const MAX_REFERENCE_BYTES: usize = 64;
/// The fewest characters of a secret that stands in a callback's address.
const MIN_SECRET_BYTES: usize = 24;

/// What is wrong with an SMS channel's settings.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// Where the gateway is.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Where it calls back.
    #[error(
        "callback_url must be the address at which the gateway reaches this console: https://host, without a query"
    )]
    Callback,
    /// Not a number.
    #[error("a number is `+`, the country and the rest, digits only: +31612345678")]
    Number,
    /// Not a sender.
    #[error("from is a number, or 1 to 11 letters and digits")]
    From,
    /// Not the gateway's account.
    #[error("account is what Twilio shows as Account SID: AC and 32 letters and digits")]
    Account,
    /// Not a token.
    #[error("token is missing or holds characters that no token has")]
    Token,
    /// Not a secret.
    #[error("callback_secret is at least {MIN_SECRET_BYTES} letters and digits: it is all that tells a true callback")]
    Secret,
}

/// Which gateway's language is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatewayKind {
    /// Twilio's Programmable Messaging.
    Twilio,
    /// CM.com's Business Messaging.
    Cm,
}

/// One gateway. Not shown by `Debug`: it holds secrets.
pub struct SmsConfig {
    /// Its language.
    pub gateway: GatewayKind,
    /// Its address; by default the gateway's own.
    pub url: Option<String>,
    /// Whether that address may lie in this desk's own network.
    pub own_network: bool,
    /// A private root that alone is trusted, in PEM.
    pub root_pem: Option<String>,
    /// The account, where the gateway has one besides the token.
    pub account: Option<String>,
    /// The token that speaks for this desk, and with Twilio signs its callbacks.
    pub token: Zeroizing<String>,
    /// The secret in callbacks' addresses, with CM.com.
    pub callback_secret: Option<Zeroizing<String>>,
    /// Who it comes from: a number, or a name that the gateway allows.
    pub from: String,
    /// Where callbacks come in: this channel's own address, to which a part is added.
    pub callback: reqwest::Url,
}

impl fmt::Debug for SmsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmsConfig({:?})", self.gateway)
    }
}

/// One message to one number; the same on every try.
#[derive(Debug, Clone, Copy)]
pub struct SmsMessage<'a> {
    /// This desk's own number of the message, by which callbacks name it.
    pub number: i64,
    /// The recipient, `+31612345678`.
    pub to: &'a str,
    /// At most [`MAX_SMS_CHARACTERS`] of the GSM alphabet.
    pub text: &'a str,
}

/// What a gateway says became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is still on its way.
    OnItsWay,
    /// The handset has it. That is no person's eye.
    Delivered,
    /// It did not arrive.
    Failed {
        /// The gateway's own number for why; 0 without one.
        code: u32,
    },
}

/// A callback that was found to be the gateway's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// This desk's own number of the message.
    pub number: i64,
    /// The gateway's name for it.
    pub reference: String,
    /// What became of it.
    pub fate: Fate,
}

/// A callback as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// The part of its path behind the channel's name.
    pub part: &'a str,
    /// `X-Twilio-Signature`, where it has one.
    pub signature: Option<&'a str>,
    /// Its body.
    pub body: &'a [u8],
}

/// A gateway, spoken to.
#[derive(Debug)]
pub enum Sms {
    /// Twilio.
    Twilio(Twilio),
    /// CM.com.
    Cm(Cm),
}

impl Sms {
    /// Sets up a sender.
    ///
    /// # Errors
    /// [`SmsError`], each saying what to mend in the configuration.
    pub fn new(config: SmsConfig) -> Result<Self, SmsError> {
        let is_name = (1..=11).contains(&config.from.len()) && config.from.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_name && !is_number(&config.from) {
            return Err(SmsError::From);
        }
        let token = config.token.as_str();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SmsError::Token);
        }
        let callback = &config.callback;
        if callback.scheme() != "https" || callback.query().is_some() || callback.fragment().is_some() {
            return Err(SmsError::Callback);
        }
        match config.gateway {
            GatewayKind::Twilio => Twilio::new(config).map(Self::Twilio),
            GatewayKind::Cm => Cm::new(config).map(Self::Cm),
        }
    }

    /// Tries once.
    pub async fn send(&self, message: &SmsMessage<'_>, clock: &dyn Clock) -> Outcome {
        if message.text.chars().count() > MAX_SMS_CHARACTERS || !is_number(message.to) {
            return Outcome::Refused { why: Why::Unwritable };
        }
        match self {
            Self::Twilio(twilio) => twilio.send(message, clock).await,
            Self::Cm(cm) => cm.send(message, clock).await,
        }
    }

    /// Reads a callback; `None` when it is not proven to be the gateway's.
    pub fn read_callback(&self, callback: &Callback<'_>) -> Option<Vec<Report>> {
        match self {
            Self::Twilio(twilio) => twilio.read_callback(callback).map(|report| report.into_iter().collect()),
            Self::Cm(cm) => cm.read_callback(callback),
        }
    }
}

/// Whether a number is in the international form E.164.
pub fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// What a gateway's answer comes to, `named` being the message's name if the answer holds one.
fn judge(status: http::StatusCode, named: Option<String>, at: Timestamp) -> Outcome {
    let why = Why::Status { status: status.as_u16() };
    if !status.is_success() {
        return if is_final(status) { Outcome::Refused { why } } else { Outcome::Retry { why } };
    }
    match named {
        Some(reference) => {
            let answer = MachineAnswer { by: "main".to_owned(), answer: status.as_u16().to_string(), at };
            Outcome::HandedOver { answer, reference }
        }
        // A 2xx that names no message is somebody else's.
        None => Outcome::Retry { why: Why::WrongAnswer },
    }
}

fn is_reference(text: &str) -> bool {
    (1..=MAX_REFERENCE_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The channel's callback address with one part more.
fn with_part(base: &reqwest::Url, part: &str) -> String {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(part);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        assert!(is_number("+31612345678"));
        for bad in ["0612345678", "0031612345678", "+0612345678", "+31 6 12345678", "+316", "+3161234567890123", ""] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn a_2xx_without_the_messages_name_is_not_the_gateways_word() {
        let ok = http::StatusCode::CREATED;
        assert!(matches!(judge(ok, Some("SM1".to_owned()), Timestamp(0)), Outcome::HandedOver { .. }));
        assert_eq!(judge(ok, None, Timestamp(0)), Outcome::Retry { why: Why::WrongAnswer });
        let bad = http::StatusCode::BAD_REQUEST;
        assert_eq!(judge(bad, None, Timestamp(0)), Outcome::Refused { why: Why::Status { status: 400 } });
        let locked = http::StatusCode::UNAUTHORIZED;
        assert_eq!(judge(locked, None, Timestamp(0)), Outcome::Retry { why: Why::Status { status: 401 } });
    }
}
