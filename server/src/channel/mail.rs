//! Mail, handed to one server by SMTP (RFC 5321), one letter to one recipient at a time: a recipient that the server
//! refuses must not keep the others from theirs.
//!
//! TLS at once or STARTTLS, and never without where that was asked: a server that offers none gets nothing. A `250` says
//! that this server will try to pass the letter on, so it is handed over and never called delivered. The `Message-ID`
//! stays the same over all tries; mailboxes show such repeats once.
//!
//! Not here: reading bounces. They go to the sender's address, to people.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use baken_schemas::time::{Clock, Timestamp};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsVersion};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::address::is_inside;
use super::outcome::{MachineAnswer, Outcome, Why};

/// How long one step of the conversation may take, and then the whole of it, in milliseconds.
const USUAL_TIMEOUT_MS: u64 = 10_000;
const MAX_CONVERSATION_MS: u64 = 30_000;
/// Replies that will be the same for this letter next time: no such mailbox, not accepted, not allowed. What speaks about
/// the login or the server can be mended while the alarm is open.
const FINAL_REPLIES: [u16; 6] = [521, 550, 551, 553, 554, 556];

/// What is wrong with a mail channel's settings.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Not a mail address.
    #[error("`{0}` is no mail address that every server takes: use plain letters, digits and signs")]
    Address(&'static str),
    /// Without encryption to a machine elsewhere.
    #[error(
        "encryption = \"plain\" is taken only with own_network = true and a server given by its address in this desk's \
         own network; use \"tls\" or \"starttls\""
    )]
    Plain,
    /// A password in the clear.
    #[error("a password is not sent without encryption: use \"tls\" or \"starttls\", or take the login out")]
    PlainLogin,
    /// A certificate that cannot be read.
    #[error("its root certificate is no PEM certificate")]
    Root,
    /// TLS would not start.
    #[error("its server's name cannot be used for TLS")]
    Tls,
}

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// TLS from the first byte (RFC 8314), usually on port 465.
    #[default]
    Tls,
    /// TLS after STARTTLS (RFC 3207), usually on port 587; refused by us where it is not offered.
    StartTls,
    /// None: only to a machine in the desk's own network.
    Plain,
}

impl Encryption {
    /// The port that servers usually have for it.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

/// A name and password at the server. Not shown by `Debug`, and the password is wiped when dropped.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// One server and the address that letters come from.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server's name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub encryption: Encryption,
    /// Whether the server is meant to stand in this desk's own network; `plain` asks for it.
    pub own_network: bool,
    /// A private root that alone is trusted, in PEM. Without it, the machine's own roots count.
    pub root_pem: Option<String>,
    /// Name and password, where the server asks for them.
    pub login: Option<Login>,
    /// The sender's address.
    pub from: String,
    /// How long one step may take, in milliseconds.
    pub timeout_ms: u64,
}

impl MailConfig {
    /// A server reached by TLS, without login.
    pub fn new(server: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            port: Encryption::Tls.usual_port(),
            encryption: Encryption::Tls,
            own_network: false,
            root_pem: None,
            login: None,
            from: from.into(),
            timeout_ms: USUAL_TIMEOUT_MS,
        }
    }
}

/// One letter to one recipient; the same on every try.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// What stands before the `@` of its `Message-ID`.
    pub id: &'a str,
    /// The recipient.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// Its date.
    pub made_at: Timestamp,
}

/// Hands letters to one server.
pub struct Mail {
    config: MailConfig,
    from: Address,
    tls: Option<TlsParameters>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({}:{})", self.config.server, self.config.port)
    }
}

/// A failed conversation: why, and whether a letter can have been taken all the same.
struct Failure {
    why: Why,
    is_final: bool,
}

impl Failure {
    fn passing(why: Why) -> Self {
        Self { why, is_final: false }
    }
}

impl Mail {
    /// Sets up a sender.
    ///
    /// # Errors
    /// [`MailError`], each saying what to mend in the configuration.
    pub fn new(config: MailConfig) -> Result<Self, MailError> {
        let from = read_mail_address(&config.from).ok_or(MailError::Address("from"))?;
        if config.encryption == Encryption::Plain {
            // A name could lead anywhere tomorrow.
            let is_near =
                is_inside(&config.server) && (config.server == "localhost" || config.server.parse::<IpAddr>().is_ok());
            if !config.own_network || !is_near {
                return Err(MailError::Plain);
            }
            if config.login.is_some() {
                return Err(MailError::PlainLogin);
            }
            return Ok(Self { config, from, tls: None });
        }
        let mut tls = TlsParameters::builder(config.server.clone()).set_min_tls_version(TlsVersion::Tlsv12);
        if let Some(pem) = &config.root_pem {
            let root = Certificate::from_pem(pem.as_bytes()).map_err(|_| MailError::Root)?;
            if !pem.contains("BEGIN CERTIFICATE") {
                return Err(MailError::Root);
            }
            tls = tls.certificate_store(CertificateStore::None).add_root_certificate(root);
        }
        // With a private root, what cannot be built is that root.
        let wrong = if config.root_pem.is_some() { MailError::Root } else { MailError::Tls };
        let tls = Some(tls.build().map_err(|_| wrong)?);
        Ok(Self { config, from, tls })
    }

    /// Tries once. The letter must be the same on every try.
    pub async fn send(&self, letter: &Letter<'_>, clock: &dyn Clock) -> Outcome {
        let Some((envelope, bytes)) = self.write(letter) else { return Outcome::Refused { why: Why::Unwritable } };
        let conversation = self.converse(&envelope, &bytes);
        match tokio::time::timeout(Duration::from_millis(MAX_CONVERSATION_MS), conversation).await {
            Ok(Ok(code)) => {
                let answer = MachineAnswer { by: "main".to_owned(), answer: code.to_string(), at: clock.now() };
                // Bounces and notices go to people; nothing of them comes back here.
                Outcome::HandedOver { answer, reference: String::new() }
            }
            Ok(Err(Failure { why, is_final: true })) => Outcome::Refused { why },
            Ok(Err(Failure { why, is_final: false })) => Outcome::Retry { why },
            Err(_) => Outcome::Retry { why: Why::NoAnswer { waited_ms: MAX_CONVERSATION_MS } },
        }
    }

    fn write(&self, letter: &Letter<'_>) -> Option<(Envelope, Vec<u8>)> {
        let to = read_mail_address(letter.to)?;
        let envelope = Envelope::new(Some(self.from.clone()), vec![to.clone()]).ok()?;
        let seconds = u64::try_from(letter.made_at.0.div_euclid(1000)).ok()?;
        let message = Message::builder()
            .from(Mailbox::new(Some("Baken".to_owned()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .date(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.domain())))
            // No out-of-office answers (RFC 3834), and on top of a full inbox.
            .header(AutoSubmitted)
            .header(Importance)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.to_owned())
            .ok()?;
        Some((envelope, message.formatted()))
    }

    /// One conversation: the reply's code once the server has the letter.
    async fn converse(&self, envelope: &Envelope, letter: &[u8]) -> Result<u16, Failure> {
        let patience = Some(Duration::from_millis(self.config.timeout_ms));
        let hello = ClientId::Domain(self.from.domain().to_owned());
        let at_once = self.tls.clone().filter(|_| self.config.encryption == Encryption::Tls);
        let server = (self.config.server.as_str(), self.config.port);
        // Until the letter itself is on its way nothing can have arrived.
        let opened = async {
            let mut connection = AsyncSmtpConnection::connect_tokio1(server, patience, &hello, at_once, None).await?;
            if let Some(tls) = self.tls.clone().filter(|_| self.config.encryption == Encryption::StartTls) {
                connection.starttls(tls, &hello).await?;
            }
            if let Some(login) = &self.config.login {
                let login = Credentials::new(login.name.clone(), login.password.as_str().to_owned());
                connection.auth(DEFAULT_MECHANISMS, &login).await?;
            }
            Ok(connection)
        };
        let mut connection =
            within(self.config.timeout_ms, opened).await.map_err(|error| before_letter(error.as_ref()))?;
        let sent = within(self.config.timeout_ms, connection.send(envelope, letter)).await;
        let reply = sent.map_err(|why| match why {
            Some(error) => self.with_letter(&error),
            None => Failure::passing(Why::NoAnswer { waited_ms: self.config.timeout_ms }),
        })?;
        // The letter is handed over, whatever becomes of the goodbye.
        let _ = within(self.config.timeout_ms, connection.quit()).await;
        Ok(reply.code().into())
    }

    fn with_letter(&self, error: &lettre::transport::smtp::Error) -> Failure {
        match reply_of(error) {
            Some(failure) => failure,
            None if error.is_timeout() => Failure::passing(Why::NoAnswer { waited_ms: self.config.timeout_ms }),
            None if error.is_client() => Failure { why: Why::Unwritable, is_final: true },
            None => Failure::passing(Why::Broken),
        }
    }
}

/// A step in its time; without an error where there was no end to it.
async fn within<T>(
    timeout_ms: u64,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Option<lettre::transport::smtp::Error>> {
    match tokio::time::timeout(Duration::from_millis(timeout_ms), work).await {
        Ok(done) => done.map_err(Some),
        Err(_) => Err(None),
    }
}

/// Why there was no opening, or no end to it.
fn before_letter(error: Option<&lettre::transport::smtp::Error>) -> Failure {
    match error.map(|error| (reply_of(error), error.is_client())) {
        // A login that is refused, a server that is closed: to be mended, so never final.
        Some((Some(failure), _)) => Failure { is_final: false, ..failure },
        Some((None, true)) => Failure::passing(Why::Unoffered),
        Some((None, false)) | None => Failure::passing(Why::Unreachable),
    }
}

fn reply_of(error: &lettre::transport::smtp::Error) -> Option<Failure> {
    let reply = u16::from(error.status()?);
    Some(Failure { why: Why::Reply { reply }, is_final: FINAL_REPLIES.contains(&reply) })
}

/// A mail address in ASCII: what lies beyond needs an extension that not every server on the way has.
pub fn read_mail_address(text: &str) -> Option<Address> {
    text.parse::<Address>().ok().filter(|_| text.is_ascii())
}

/// A header with one value for every letter.
macro_rules! fixed_header {
    ($type:ident, $name:literal, $value:literal) => {
        #[derive(Clone)]
        struct $type;

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self)
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(HeaderName::new_from_ascii_str($name), $value.to_owned())
            }
        }
    };
}

fixed_header!(AutoSubmitted, "Auto-Submitted", "auto-generated");
fixed_header!(Importance, "Importance", "high");

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: Letter<'_> = Letter {
        id: "0a-received",
        to: "piket@politie.example",
        subject: "Alarm ontvangen",
        text: "Er is een alarm.\n\nCafé: https://desk.example/alarms/0a\n",
        made_at: Timestamp(1_795_451_400_000),
    };

    #[test]
    fn a_letter_is_the_same_on_every_try_and_names_its_message() {
        let mail = Mail::new(MailConfig::new("mail.example", "baken@desk.example")).unwrap();
        let (envelope, letter) = mail.write(&LETTER).unwrap();
        assert_eq!(letter, mail.write(&LETTER).unwrap().1);
        let text = String::from_utf8(letter).unwrap();
        assert!(text.is_ascii(), "{text}");
        for line in [
            "Message-ID: <0a-received@desk.example>",
            "To: piket@politie.example",
            "Date: Mon, 23 Nov 2026 16:30:00 +0000",
            "Auto-Submitted: auto-generated",
            "Importance: high",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} is not in {text}");
        }
        assert_eq!(envelope.to().len(), 1);
        for injected in ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "é@b.example", "nobody"] {
            assert!(mail.write(&Letter { to: injected, ..LETTER }).is_none(), "{injected:?}");
        }
        let (_, letter) = mail.write(&Letter { subject: "Alarm\r\nBcc: c@d.example", ..LETTER }).unwrap();
        assert!(!String::from_utf8(letter).unwrap().contains("\r\nBcc:"));
    }

    #[test]
    fn a_letter_goes_encrypted_or_stays_near() {
        let plain = |server: &str, own_network| {
            let config =
                MailConfig { encryption: Encryption::Plain, own_network, ..MailConfig::new(server, "a@b.example") };
            Mail::new(config)
        };
        for near in ["127.0.0.1", "localhost", "10.0.0.5", "::1"] {
            assert!(plain(near, true).is_ok(), "{near}");
            assert!(matches!(plain(near, false), Err(MailError::Plain)), "{near}");
        }
        for elsewhere in ["mail.example", "1.1.1.1"] {
            assert!(matches!(plain(elsewhere, true), Err(MailError::Plain)), "{elsewhere}");
        }
        let login = Some(Login { name: "desk".to_owned(), password: Zeroizing::new("word".to_owned()) });
        let config = MailConfig {
            encryption: Encryption::Plain,
            own_network: true,
            login,
            ..MailConfig::new("127.0.0.1", "a@b.example")
        };
        assert!(!format!("{config:?}").contains("word"));
        assert!(matches!(Mail::new(config), Err(MailError::PlainLogin)));
        for root in ["nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let config =
                MailConfig { root_pem: Some(root.to_owned()), ..MailConfig::new("mail.example", "a@b.example") };
            assert!(matches!(Mail::new(config), Err(MailError::Root)), "{root}");
        }
    }
}
