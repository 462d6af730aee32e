//! A desk's settings: where it is (`config.toml`, written by `init`), and whom it tells (`desk.toml`, written by hand).
//!
//! By default a machine outside is told an id, a state and a link, and nothing about a person. What more it may be told
//! is switched on in `desk.toml`, one thing at a time, by whoever answers for that.

mod dc09;
mod map;
mod push;
mod sms;
mod smtp;
mod webhook;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, ReceiptState};
use baken_schemas::id::AccountId;
use baken_schemas::org::OrgId;
use baken_schemas::time::{Clock, Timestamp};
use serde::{Deserialize, Serialize};

pub use map::MapTiles;

use super::duty::{Duty, DutyView, Reach, RosterError};
use crate::channel::sms::Sms;
use crate::channel::{Mail, Push, Webhook};
use crate::dc09::Account;
use crate::dc09::sender::{Centre, Sender};
use crate::folder::{FolderError, read_whole};

/// The file of channels.
pub const CHANNELS_FILE: &str = "desk.toml";
/// The most channels.
const MAX_CHANNELS: usize = 32;
/// The most recipients of one channel.
const MAX_RECIPIENTS: usize = 20;

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
    /// Officers come in with passkeys. Unsaid, they do where the console's address is a name: browsers have none for an
    /// address such as 192.0.2.1. With `false` a login link opens the console by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkeys: Option<bool>,
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

/// How many days a closed alarm may be kept: enough that somebody can still ask about it, and not for ever.
pub const KEPT_DAYS: RangeInclusive<u16> = 7..=3_650;

/// `[keep]` of `desk.toml`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keep {
    closed_alarm_days: u16,
}

impl Default for Keep {
    fn default() -> Self {
        Self { closed_alarm_days: 30 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelsFile {
    follow_up: Option<FollowUp>,
    map: Option<map::Entry>,
    #[serde(default)]
    keep: Keep,
    #[serde(default)]
    webhook: Vec<webhook::Entry>,
    #[serde(default)]
    dc09: Vec<dc09::Entry>,
    #[serde(default)]
    smtp: Vec<smtp::Entry>,
    #[serde(default)]
    sms: Vec<sms::Entry>,
    #[serde(default)]
    push: Vec<push::Entry>,
}

/// How long something may take to follow once an officer has seen an alarm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowUp {
    within_s: u32,
}

/// What `within_s` may be: up to a day.
const FOLLOW_UP_S: RangeInclusive<u32> = 1..=86_400;
/// What it is where the file says nothing, in milliseconds: long enough to call back and to listen in.
const FOLLOW_UP_MS: i64 = 5 * 60_000;

fn every_event() -> Vec<ReceiptState> {
    use ReceiptState as S;
    vec![S::Received, S::Exhausted, S::Reopened, S::Seen, S::Verified, S::Underway, S::Closed]
}

/// Channels are told what the desk warns of, unless their entry says otherwise.
fn told_of_warnings() -> bool {
    true
}

/// What people are called for: an alarm that came in, and one that nobody answered in time.
fn calling_events() -> Vec<ReceiptState> {
    vec![ReceiptState::Received, ReceiptState::Exhausted]
}

/// What a new folder's `desk.toml` explains.
pub const CHANNELS_TEMPLATE: &str = include_str!("desk.toml");

/// Why the channels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// The file cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The roster that a channel asks for.
    #[error(transparent)]
    Roster(#[from] RosterError),
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
    /// What it is told of.
    pub events: Vec<ReceiptState>,
    /// It is told what the desk warns of.
    pub warnings: bool,
    /// The language of its texts.
    pub language: Language,
    /// Who each gets a message of their own.
    pub recipients: Vec<String>,
    /// How those on duty are reached, where they get one too.
    pub on_duty: Option<Reach>,
    pub means: Means,
}

/// How a channel speaks.
#[derive(Debug, Clone)]
pub(super) enum Means {
    Webhook(Arc<Webhook>),
    Dc09(Box<AlarmCentre>),
    Smtp(Arc<Mail>),
    Sms(Arc<Sms>),
    /// To browsers that officers turn on in the console.
    Push(Arc<Push>),
}

/// An alarm centre, the numbers of single accounts there, and how closely it is watched.
#[derive(Debug, Clone)]
pub(super) struct AlarmCentre {
    pub centre: Centre,
    pub accounts: BTreeMap<AccountId, Account>,
    /// The longest that a receiver is not heard, in milliseconds; without it nobody asks.
    pub supervise_every_ms: Option<i64>,
}

impl AlarmCentre {
    /// The sender for one account's number.
    pub fn sender(&self, account: Option<AccountId>, clock: Arc<dyn Clock>) -> Sender {
        let mut centre = self.centre.clone();
        if let Some(number) = account.and_then(|account| self.accounts.get(&account)) {
            centre.coding.account = number.clone();
        }
        Sender::new(centre, clock)
    }
}

impl Channel {
    /// Whether this channel is told of it. A test that a person makes goes out everywhere; what only says that it is a
    /// probe goes to webhooks alone, where no person and no alarm centre is called by it, and a proven one nowhere. Trouble is no call for help, and no alarm
    /// centre's business.
    pub fn tells(&self, event: ReceiptState, kind: Option<AlarmKind>) -> bool {
        let may_tell = match (&self.means, kind) {
            (Means::Webhook(_), _) => true,
            (_, Some(AlarmKind::Probe)) | (Means::Dc09(_), Some(AlarmKind::Trouble)) => false,
            _ => true,
        };
        // Who is called for an alarm is called again when nothing follows on it.
        let calls_again = event == ReceiptState::Reopened && self.events.contains(&ReceiptState::Received);
        (self.events.contains(&event) || calls_again) && may_tell
    }

    /// How the channel speaks, in the words of the JSON API.
    pub fn kind(&self) -> &'static str {
        match &self.means {
            Means::Webhook(_) => "webhook",
            Means::Dc09(_) => "dc09",
            Means::Smtp(_) => "smtp",
            Means::Sms(_) => "sms",
            Means::Push(_) => "push",
        }
    }

    /// Whether messages go to people, and not to the channel itself.
    pub fn has_recipients(&self) -> bool {
        !self.recipients.is_empty() || self.on_duty.is_some() || matches!(self.means, Means::Push(_))
    }
}

/// Every channel, and when they are used again.
#[derive(Debug, Clone)]
pub struct Channels {
    pub(super) list: Vec<Channel>,
    /// How long something may take to follow once an officer has seen an alarm, in milliseconds.
    pub(super) follow_up_ms: i64,
    /// The roster, where a channel asks for it.
    duty: Option<Arc<Duty>>,
    /// How long alarms are kept.
    keep: Keep,
    /// The map below a plan, where the desk names one.
    pub(super) map: Option<MapTiles>,
}

impl Default for Channels {
    /// None, and the usual wait.
    fn default() -> Self {
        Self { list: Vec::new(), follow_up_ms: FOLLOW_UP_MS, duty: None, keep: Keep::default(), map: None }
    }
}

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
        let follow_up_ms = file.follow_up.map_or(Ok(FOLLOW_UP_MS), |follow_up| {
            let seconds = follow_up.within_s;
            let why = format!("within_s is {} to {} seconds", FOLLOW_UP_S.start(), FOLLOW_UP_S.end());
            if FOLLOW_UP_S.contains(&seconds) { Ok(i64::from(seconds) * 1000) } else { Err(wrong("follow_up", &why)) }
        })?;
        let mut channels = Vec::new();
        for entry in file.webhook {
            channels.push(entry.read(data)?);
        }
        for entry in file.dc09 {
            channels.push(entry.read()?);
        }
        for entry in file.smtp {
            channels.push(entry.read(data)?);
        }
        for entry in file.sms {
            channels.push(entry.read(data)?);
        }
        if file.push.len() > 1 {
            return Err(wrong("push", &"there is one [[push]]: officers turn it on in their browsers"));
        }
        for entry in file.push {
            channels.push(entry.read(data)?);
        }
        let mut names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) || channels.len() > MAX_CHANNELS {
            let why = format!("names must differ, and there are at most {MAX_CHANNELS} channels");
            return Err(ChannelsError::Entry { channel: "names".to_owned(), why });
        }
        let on_duty = channels.iter().filter_map(|channel| Some((&channel.name, channel.on_duty?)));
        let on_duty: Vec<_> = on_duty.collect();
        let duty = if on_duty.is_empty() { None } else { Some(Arc::new(Duty::open(data)?)) };
        for (name, reach) in on_duty {
            if duty.as_ref().is_none_or(|duty| duty.addresses(reach).is_empty()) {
                let why = format!("to says {ON_DUTY}, and nobody in roster.toml can be reached that way");
                return Err(wrong(name, &why));
            }
        }
        let keep = file.keep;
        if !KEPT_DAYS.contains(&keep.closed_alarm_days) {
            let why = format!("closed_alarm_days is {} to {}", KEPT_DAYS.start(), KEPT_DAYS.end());
            return Err(wrong("keep", &why));
        }
        let map = file.map.map(map::Entry::read).transpose()?;
        Ok(Self { list: channels, follow_up_ms, duty, keep, map })
    }

    /// Who gets a message of a channel now; once nobody in particular where the channel itself is the one.
    pub(super) fn recipients_now(&self, channel: &Channel, now: Timestamp) -> Vec<String> {
        let duty = |reach| self.duty.as_ref().map(|duty| duty.addresses_now(now, reach));
        Self::with_duty(channel, channel.on_duty.and_then(duty))
    }

    /// Who can ever get a message of a channel.
    pub(super) fn recipients(&self, channel: &Channel) -> Vec<String> {
        let duty = |reach| self.duty.as_ref().map(|duty| duty.addresses(reach));
        Self::with_duty(channel, channel.on_duty.and_then(duty))
    }

    /// How many days a closed alarm is kept.
    pub(super) fn kept_days(&self) -> u16 {
        self.keep.closed_alarm_days
    }

    /// The roster, where a channel asks for it.
    pub(super) fn duty_view(&self, now: Timestamp) -> Option<DutyView> {
        self.duty.as_ref().map(|duty| duty.view(now))
    }

    fn with_duty(channel: &Channel, duty: Option<Vec<String>>) -> Vec<String> {
        let mut recipients = channel.recipients.clone();
        for address in duty.unwrap_or_default() {
            if !recipients.contains(&address) {
                recipients.push(address);
            }
        }
        if recipients.is_empty() {
            recipients.push(String::new());
        }
        recipients
    }

    pub(super) fn find(&self, name: &str) -> Option<&Channel> {
        self.list.iter().find(|channel| channel.name == name)
    }
}

/// An entry that cannot be used, and why.
fn wrong(channel: &str, why: &dyn std::fmt::Display) -> ChannelsError {
    ChannelsError::Entry { channel: channel.to_owned(), why: why.to_string() }
}

/// The private root that an entry names, a PEM file beside `desk.toml`.
fn read_root(channel: &str, root: Option<&String>, data: &Path) -> Result<Option<String>, ChannelsError> {
    let bytes = root.map(|root| read_whole(&data.join(root))).transpose()?;
    bytes.map(String::from_utf8).transpose().map_err(|error| wrong(channel, &error))
}

/// The word in `to` for whoever is on duty.
const ON_DUTY: &str = "on-duty";

/// Recipients, each looked at by `fits`, and whether those on duty are among them.
fn read_recipients(
    channel: &str,
    to: Vec<String>,
    fits: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, bool), ChannelsError> {
    if to.is_empty() || to.len() > MAX_RECIPIENTS {
        return Err(wrong(channel, &format!("to names 1 to {MAX_RECIPIENTS} recipients")));
    }
    for (number, recipient) in to.iter().enumerate() {
        // Which one is told by its place: a log of this error names nobody.
        let is_one = recipient == ON_DUTY || fits(recipient);
        if !is_one || to.iter().take(number).any(|before| before == recipient) {
            let why = format!("recipient {} of to is not one, or stands there twice", number + 1);
            return Err(wrong(channel, &why));
        }
    }
    let count = to.len();
    let recipients: Vec<String> = to.into_iter().filter(|recipient| recipient != ON_DUTY).collect();
    let on_duty = recipients.len() < count;
    Ok((recipients, on_duty))
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
        own_network = true
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    "#;

    const SMTP: &str = r#"
        [[smtp]]
        name = "piket"
        server = "mail.example.nl"
        encryption = "tls"
        login = "desk"
        password = "horse-battery"
        from = "baken@example.nl"
        to = ["piket@politie.example"]
    "#;

    const SMS: &str = r#"
        [[sms]]
        name = "piket-sms"
        gateway = "twilio"
        account = "AC00112233445566778899aabbccddeeff"
        token = "horse-battery"
        from = "Baken"
        to = ["+31612345678"]
        callback_url = "https://desk.example.nl"
    "#;

    #[test]
    fn people_are_called_for_alarms_by_mail_and_sms_and_not_for_probes() {
        let channels = read(&format!("{SMTP}{SMS}")).unwrap();
        for channel in &channels.list {
            assert_eq!((channel.include, channel.recipients.len()), (Include::default(), 1));
            assert!(channel.tells(ReceiptState::Received, None));
            assert!(channel.tells(ReceiptState::Exhausted, Some(AlarmKind::Panic)));
            assert!(channel.tells(ReceiptState::Received, Some(AlarmKind::Test)));
            assert!(!channel.tells(ReceiptState::Received, Some(AlarmKind::Probe)));
            assert!(!channel.tells(ReceiptState::Seen, None));
        }
    }

    #[test]
    fn a_channel_to_those_on_duty_asks_for_a_roster_with_somebody_in_it() {
        let text = SMTP.replace("piket@politie.example", ON_DUTY);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CHANNELS_FILE), &text).unwrap();
        assert!(matches!(Channels::read(folder.path()), Err(ChannelsError::Roster(_))));
        let roster = |person: &str| {
            std::fs::write(folder.path().join("roster.toml"), format!("[[person]]\nname = \"Agent Jansen\"\n{person}"))
        };
        roster("phone = \"+31612345678\"").unwrap();
        let error = Channels::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("nobody in roster.toml"), "{error}");
        roster("mail = \"jansen@politie.example\"").unwrap();
        let channels = Channels::read(folder.path()).unwrap();
        assert_eq!(channels.recipients(&channels.list[0]), ["jansen@politie.example"]);
    }

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
    fn closed_alarms_are_kept_a_month_unless_it_says_otherwise_and_neither_a_day_nor_for_ever() {
        assert_eq!(read("").unwrap().kept_days(), 30);
        assert_eq!(Channels::default().kept_days(), 30);
        assert_eq!(read("[keep]\nclosed_alarm_days = 7").unwrap().kept_days(), 7);
        for days in [0, 6, 3_651] {
            let error = read(&format!("[keep]\nclosed_alarm_days = {days}")).unwrap_err().to_string();
            assert!(error.contains("7 to 3650"), "{error}");
        }
    }

    #[test]
    fn the_file_that_init_writes_has_no_channels_yet() {
        assert!(read(CHANNELS_TEMPLATE).unwrap().list.is_empty());
        let switched_on = CHANNELS_TEMPLATE.replace("\n#. ", "\n");
        assert_eq!(read(&switched_on).unwrap().list.len(), 6);
    }

    #[test]
    fn what_must_follow_within_is_five_minutes_unless_it_says_otherwise() {
        assert_eq!(read("").unwrap().follow_up_ms, 300_000);
        assert_eq!(read("[follow_up]\nwithin_s = 90").unwrap().follow_up_ms, 90_000);
        for wrong in ["within_s = 0", "within_s = 86401"] {
            let error = read(&format!("[follow_up]\n{wrong}")).unwrap_err().to_string();
            assert!(error.contains("follow_up") && error.contains("86400"), "{error}");
        }
        // Who is called out for an alarm is called out again; who is only told how it goes is not called.
        let called = read(SMTP).unwrap();
        assert!(called.list[0].tells(ReceiptState::Reopened, Some(AlarmKind::Panic)));
        let told = read(&format!("{SMTP}events = [\"closed\"]")).unwrap();
        assert!(!told.list[0].tells(ReceiptState::Reopened, Some(AlarmKind::Panic)));
    }

    #[test]
    fn mistakes_are_named_without_showing_secrets() {
        for (text, expected) in [
            (WEBHOOK.replace("whsec_", "whsek_"), "whsec_"),
            (format!("{WEBHOOK}{WEBHOOK}"), "names must differ"),
            (WEBHOOK.replace("name", "nam"), "line "),
            (format!("{WEBHOOK}\n[[webhook]]\nname = 1"), "line "),
            (WEBHOOK.replace("http://127.0.0.1:9", "http://example.org"), "https://"),
            (WEBHOOK.replace("own_network = true", ""), "own_network = true"),
            (SMTP.replace("tls", "plain"), "own_network = true"),
            (SMTP.replace("piket@politie.example", "piket"), "recipient 1"),
            (SMTP.replace("login", "logni"), "line "),
            (SMTP.replace("login = \"desk\"", ""), "login and password"),
            (SMS.replace("+31612345678", "0612345678"), "recipient 1"),
            (SMS.replace("account", "#"), "Account SID"),
            (SMS.replace("https://desk.example.nl", "http://desk.example.nl"), "callback_url"),
            (SMS.replace("twilio", "cm"), "callback_secret"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            for secret in ["MfKQ9", "horse-battery", "politie.example", "612345678"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
    }
}
