//! A desk's settings: where it is (`config.toml`, written by `init`), and whom it tells (`desk.toml`, written by hand).
//!
//! By default a machine outside is told an id, a state and a link, and nothing about a person. What more it may be told
//! is switched on in `desk.toml`, one thing at a time, by whoever answers for that.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, ReceiptState};
use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use baken_schemas::time::Clock;
use serde::{Deserialize, Serialize};

use crate::channel::{Webhook, WebhookConfig, WebhookSecret};
use crate::dc09::events::CodeTable;
use crate::dc09::sender::{Centre, Sender};
use crate::dc09::{Account, Coding, Form, Key, Prefix};
use crate::folder::{FolderError, read_whole};

/// The file of channels.
pub const CHANNELS_FILE: &str = "desk.toml";
/// The most channels.
const MAX_CHANNELS: usize = 32;
/// How long one try at a webhook may take, in milliseconds.
const WEBHOOK_TIMEOUT_MS: u64 = 10_000;

/// `config.toml` of a desk.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskSettings {
    /// What people call the desk.
    pub name: String,
    /// The console's address, `https://host:port`.
    pub url: String,
    /// Where the console listens.
    pub listen: SocketAddr,
    /// The relay, `https://host:port`.
    pub relay_url: String,
    /// The organisation whose alarms are taken.
    pub org: OrgId,
}

/// What a channel may be told beyond id, state and link: nothing, unless it says `true` here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Include {
    /// What kind of help is called. DC-09 says it in its code in any case.
    pub kind: bool,
    /// Name and office of who calls.
    pub person: bool,
    /// The position, its accuracy and its age.
    pub position: bool,
    /// The name of the officer who acted, and what they said.
    pub officer: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelsFile {
    #[serde(default)]
    webhook: Vec<WebhookEntry>,
    #[serde(default)]
    dc09: Vec<Dc09Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookEntry {
    name: String,
    url: String,
    secret: String,
    /// The secret that the receiver still checks with while it changes over.
    old_secret: Option<String>,
    /// A PEM file beside `desk.toml`: the private root that the receiver's certificate comes from.
    root: Option<String>,
    #[serde(default)]
    kind: bool,
    #[serde(default)]
    person: bool,
    #[serde(default)]
    position: bool,
    #[serde(default)]
    officer: bool,
    #[serde(default = "every_event")]
    events: Vec<ReceiptState>,
}

impl std::fmt::Debug for WebhookEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookEntry({})", self.name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dc09Entry {
    name: String,
    /// `host:port`.
    address: String,
    backup: Option<String>,
    /// The number under which the centre knows this desk.
    account: Account,
    /// Numbers of single accounts of Baken, where the centre tells people apart.
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
    /// `hex:…` or `ascii:…`; without one everything goes in the clear.
    key: Option<String>,
    #[serde(default)]
    person: bool,
    #[serde(default)]
    position: bool,
    #[serde(default = "Prefix::unused")]
    receiver: Prefix,
    #[serde(default = "Prefix::unused")]
    line: Prefix,
    #[serde(default)]
    form: Form,
    #[serde(default)]
    codes: CodeTable,
    area: Option<u8>,
    #[serde(default)]
    zone: u16,
    #[serde(default)]
    language: Language,
}

impl std::fmt::Debug for Dc09Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dc09Entry({})", self.name)
    }
}

fn every_event() -> Vec<ReceiptState> {
    use ReceiptState as S;
    vec![S::Received, S::Exhausted, S::Seen, S::Verified, S::Underway, S::Closed]
}

/// What a new folder's `desk.toml` explains.
pub const CHANNELS_TEMPLATE: &str = include_str!("desk.toml");

/// Why the channels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// The file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An entry of it cannot be used.
    #[error("desk.toml, {channel}: {why}")]
    Entry {
        /// Which.
        channel: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A channel out of the desk.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub name: String,
    pub include: Include,
    pub means: Means,
}

/// How a channel speaks.
#[derive(Debug, Clone)]
pub(super) enum Means {
    Webhook { webhook: Arc<Webhook>, events: Vec<ReceiptState> },
    Dc09 { centre: Box<Centre>, accounts: BTreeMap<AccountId, Account> },
}

impl Channel {
    /// Whether this channel is told of it. An alarm centre is told of the alarm itself; a test that a person makes goes
    /// there too, but the relay's own probes do not, nor does trouble, which is no call for help.
    pub fn tells(&self, event: ReceiptState, kind: Option<AlarmKind>) -> bool {
        match &self.means {
            Means::Webhook { events, .. } => events.contains(&event),
            Means::Dc09 { .. } => {
                event == ReceiptState::Received && !matches!(kind, Some(AlarmKind::Probe | AlarmKind::Trouble))
            }
        }
    }

    /// The sender for one account's number.
    pub fn dc09_sender(&self, account: Option<AccountId>, clock: Arc<dyn Clock>) -> Option<Sender> {
        let Means::Dc09 { centre, accounts } = &self.means else { return None };
        let mut centre = (**centre).clone();
        if let Some(number) = account.and_then(|account| accounts.get(&account)) {
            centre.coding.account = number.clone();
        }
        Some(Sender::new(centre, clock))
    }

    /// How the channel speaks, in the words of the JSON API.
    pub fn kind(&self) -> &'static str {
        match &self.means {
            Means::Webhook { .. } => "webhook",
            Means::Dc09 { .. } => "dc09",
        }
    }
}

/// Every channel.
#[derive(Debug, Clone, Default)]
pub struct Channels(pub(super) Vec<Channel>);

impl Channels {
    /// Reads `desk.toml` of a data folder; without the file there are no channels.
    ///
    /// # Errors
    /// [`ChannelsError`], naming the entry and what to mend.
    pub fn read(data: &Path) -> Result<Self, ChannelsError> {
        let path = data.join(CHANNELS_FILE);
        let text = match read_whole(&path) {
            Ok(bytes) => String::from_utf8(bytes)
                .map_err(|_| FolderError::Damaged { path: path.clone(), why: "it is not UTF-8".to_owned() })?,
            Err(FolderError::Missing(_)) => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        // The parser's own words quote the line at fault, which may hold a secret: only where and what are told.
        let file: ChannelsFile = toml::from_str(&text).map_err(|error| FolderError::Damaged {
            path: path.clone(),
            why: match error.span() {
                Some(span) => {
                    let line = text.get(..span.start).map_or(1, |before| before.lines().count().max(1));
                    format!("line {line}: {}", error.message())
                }
                None => error.message().to_owned(),
            },
        })?;
        Self::build(file, data)
    }

    fn build(file: ChannelsFile, data: &Path) -> Result<Self, ChannelsError> {
        let mut channels = Vec::new();
        for entry in file.webhook {
            channels.push(webhook(entry, data)?);
        }
        for entry in file.dc09 {
            channels.push(dc09(entry)?);
        }
        let mut names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) || channels.len() > MAX_CHANNELS {
            let why = format!("names must differ, and there are at most {MAX_CHANNELS} channels");
            return Err(ChannelsError::Entry { channel: "names".to_owned(), why });
        }
        Ok(Self(channels))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Channel> {
        self.0.iter().find(|channel| channel.name == name)
    }
}

fn webhook(entry: WebhookEntry, data: &Path) -> Result<Channel, ChannelsError> {
    let channel = entry.name.clone();
    let wrong =
        |error: &dyn std::fmt::Display| ChannelsError::Entry { channel: channel.clone(), why: error.to_string() };
    let secrets = std::iter::once(&entry.secret)
        .chain(&entry.old_secret)
        .map(|secret| secret.parse::<WebhookSecret>())
        .collect::<Result<_, _>>();
    let root_pem = entry.root.as_ref().map(|root| read_whole(&data.join(root))).transpose()?;
    let root_pem = root_pem.map(String::from_utf8).transpose().map_err(|error| wrong(&error))?;
    let config = WebhookConfig {
        address: entry.url,
        secrets: secrets.map_err(|error| wrong(&error))?,
        timeout_ms: WEBHOOK_TIMEOUT_MS,
        root_pem,
    };
    let webhook = Arc::new(Webhook::new(&config).map_err(|error| wrong(&error))?);
    let include = Include { kind: entry.kind, person: entry.person, position: entry.position, officer: entry.officer };
    Ok(Channel { name: entry.name, include, means: Means::Webhook { webhook, events: entry.events } })
}

fn dc09(entry: Dc09Entry) -> Result<Channel, ChannelsError> {
    let channel = entry.name.clone();
    let wrong =
        |error: &dyn std::fmt::Display| ChannelsError::Entry { channel: channel.clone(), why: error.to_string() };
    let key = entry.key.as_deref().map(str::parse::<Key>).transpose().map_err(|error| wrong(&error))?;
    let accounts = entry
        .accounts
        .into_iter()
        .map(|(account, number)| Ok((account.parse()?, number)))
        .collect::<Result<_, baken_schemas::FormatError>>()
        .map_err(|error| wrong(&error))?;
    let usual = Coding::new(entry.account);
    let coding = Coding {
        receiver: entry.receiver,
        line: entry.line,
        form: entry.form,
        codes: entry.codes,
        area: entry.area.unwrap_or(usual.area),
        zone: entry.zone,
        language: entry.language,
        ..usual
    };
    let mut centre = Centre::new(entry.address, coding, key);
    centre.back_up = entry.backup;
    let include = Include { kind: true, person: entry.person, position: entry.position, officer: false };
    let means = Means::Dc09 { centre: Box::new(centre), accounts };
    Ok(Channel { name: entry.name, include, means })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Channels, ChannelsError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CHANNELS_FILE), text).unwrap();
        Channels::read(folder.path())
    }

    const WEBHOOK: &str = r#"
        [[webhook]]
        name = "zaaksysteem"
        url = "http://127.0.0.1:9/alarm"
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    "#;

    #[test]
    fn a_channel_is_told_nothing_about_a_person_unless_it_is_said() {
        let channels = read(WEBHOOK).unwrap();
        let channel = channels.find("zaaksysteem").unwrap();
        assert_eq!(channel.include, Include::default());
        assert!(channel.tells(ReceiptState::Seen, None));
        assert!(!channel.tells(ReceiptState::Stored, None));
    }

    #[test]
    fn an_alarm_centre_is_told_of_alarms_but_not_of_probes() {
        let text = r#"
            [[dc09]]
            name = "centrale"
            address = "127.0.0.1:17001"
            key = "ascii:0123456789ABCDEF"
            account = "1234"
        "#;
        let channels = read(text).unwrap();
        let channel = channels.find("centrale").unwrap();
        assert!(channel.tells(ReceiptState::Received, Some(AlarmKind::Panic)));
        assert!(channel.tells(ReceiptState::Received, None));
        assert!(!channel.tells(ReceiptState::Received, Some(AlarmKind::Probe)));
        assert!(!channel.tells(ReceiptState::Seen, Some(AlarmKind::Panic)));
    }

    #[test]
    fn the_file_that_init_writes_has_no_channels_yet() {
        assert!(read(CHANNELS_TEMPLATE).unwrap().0.is_empty());
        let switched_on = CHANNELS_TEMPLATE.replace("\n#. ", "\n");
        assert_eq!(read(&switched_on).unwrap().0.len(), 2);
    }

    #[test]
    fn mistakes_are_named_without_showing_secrets() {
        for (text, expected) in [
            (WEBHOOK.replace("whsec_", "whsek_"), "whsec_"),
            (format!("{WEBHOOK}{WEBHOOK}"), "names must differ"),
            (WEBHOOK.replace("name", "nam"), "line "),
            (format!("{WEBHOOK}\n[[webhook]]\nname = 1"), "line "),
            (WEBHOOK.replace("http://127.0.0.1:9", "http://example.org"), "https://"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("MfKQ9"), "{error}");
        }
    }
}
