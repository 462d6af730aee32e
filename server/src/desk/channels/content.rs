//! What each kind of channel is sent, made once when something happens and the same on every try. Nothing about a person
//! goes in unless the channel's entry says so.

use baken_schemas::alarm::{Fix, Position, ReceiptDetail, ReceiptState};
use baken_schemas::id::{AccountId, AlarmId};
use baken_schemas::local_time::local;
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{shortened, wording};
use crate::channel::Urgency;
use crate::channel::sms::gsm;
use crate::dc09::events::Event;
use crate::desk::config::{Channel, Means};
use crate::desk::opened::{Opened, SignatureView};
use crate::desk::store::AlarmRow;
use crate::desk::{Desk, PlaceView, Wrong};

/// What a message is about.
#[derive(Clone, Copy)]
pub(in crate::desk) enum About<'a> {
    /// Something happened to an alarm.
    Alarm { row: &'a AlarmRow, opened: &'a Opened, event: ReceiptState, detail: Option<&'a ReceiptDetail> },
    /// An officer tests the channel.
    Test { test: AlarmId },
    /// The desk warns of something, or says that it is over.
    Warning { id: AlarmId, what: Wrong, about: &'a str, since: Timestamp, over: bool },
}

impl About<'_> {
    /// The id that the message speaks of.
    pub fn id(&self) -> AlarmId {
        match self {
            Self::Alarm { row, .. } => row.alarm,
            Self::Test { test } => *test,
            Self::Warning { id, .. } => *id,
        }
    }
}

/// What a DC-09 message is made of.
#[derive(Serialize, Deserialize)]
pub(super) struct Dc09Content {
    pub event: Event,
    pub text: String,
    pub position: Option<Position>,
    pub occurred_at: Timestamp,
    pub account: Option<AccountId>,
}

/// What a letter is made of.
#[derive(Serialize, Deserialize)]
pub(super) struct LetterContent {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub made_at: Timestamp,
}

/// What an SMS is made of.
#[derive(Serialize, Deserialize)]
pub(super) struct SmsContent {
    pub to: String,
    pub text: String,
}

/// To whom a channel speaks.
#[derive(Default)]
pub(super) struct Recipient {
    /// The address; empty where the channel itself is the one.
    pub to: String,
    /// Where the address itself says nothing to people: what does.
    pub shown: String,
}

/// What wakes a browser.
#[derive(Serialize, Deserialize)]
pub(super) struct PushContent {
    /// The browser's id: where it is woken may end, and is looked up when it is tried.
    pub to: String,
    /// Whose it is.
    pub shown: String,
    pub urgency: Urgency,
    pub ttl_s: u32,
}

/// For how long a push service may hold back what calls people, in seconds. Whoever opens a laptop an hour later sees the
/// console anyway.
const CALL_TTL_S: u32 = 3_600;
/// The same of anything else.
const NEWS_TTL_S: u32 = 24 * 3_600;

/// The recipient in a letter, an SMS or a push, as a screen may show it: enough to tell it from the others of its channel.
#[derive(Deserialize)]
pub(super) struct Addressed {
    to: String,
    #[serde(default)]
    shown: String,
}

impl Addressed {
    pub fn into_words(self) -> String {
        if self.shown.is_empty() { shortened(&self.to) } else { self.shown }
    }
}

/// What a channel may be told about an alarm in words, each only where it may.
#[derive(Default)]
struct Told {
    kind: Option<&'static str>,
    person: Option<String>,
    position: Option<String>,
    officer: Option<String>,
}

impl Desk {
    /// What goes to one recipient of a channel.
    pub(super) fn content_for(&self, channel: &Channel, recipient: &Recipient, about: &About<'_>) -> String {
        let to = recipient.to.as_str();
        match channel.means {
            Means::Webhook(_) => self.webhook_body(channel, about),
            Means::Dc09(_) => self.dc09_content(channel, about),
            Means::Smtp(_) => written(&self.letter(channel, to, about)),
            Means::Sms(_) => written(&self.sms(channel, to, about)),
            Means::Push(_) => written(&push_content(recipient, about)),
        }
    }

    fn link(&self, about: &About<'_>) -> String {
        match about {
            About::Alarm { row, .. } => format!("{}/alarms/{}", self.console_url, row.alarm),
            About::Test { .. } => format!("{}/channels", self.console_url),
            About::Warning { .. } => format!("{}/warnings", self.console_url),
        }
    }

    fn webhook_body(&self, channel: &Channel, about_it: &About<'_>) -> String {
        let (kind, data) = match about_it {
            About::Test { test } => ("baken.test", json!({ "test": test, "console": self.link(about_it) })),
            About::Warning { what, about, since, over, .. } => {
                let since = since.to_rfc3339();
                let data = json!({ "warning": what, "about": about, "since": since, "over": over, "console": self.link(about_it) });
                ("baken.warning", data)
            }
            About::Alarm { row, opened, event, detail } => {
                let mut data = json!({ "alarm": row.alarm, "state": event, "console": self.link(about_it) });
                if channel.include.kind {
                    data["kind"] = json!(opened.kind());
                }
                if channel.include.person {
                    let known = self.known();
                    let person = known.people.sender(row.device).map(|sender| sender.person.clone());
                    data["person"] =
                        json!(person.map(|person| json!({ "name": person.name, "office": person.office })));
                    data["proven"] = json!(opened.signature == SignatureView::Proven);
                }
                if channel.include.position {
                    data["position"] = json!(position_of(opened).map(|position| PlaceView::from(&position)));
                }
                if channel.include.officer
                    && let Some(detail) = detail
                {
                    data["officer"] = json!(detail.officer);
                    data["text"] = json!(detail.text);
                }
                ("baken.alarm", data)
            }
        };
        json!({ "type": kind, "timestamp": self.now().to_rfc3339(), "data": data }).to_string()
    }

    fn dc09_content(&self, channel: &Channel, about: &About<'_>) -> String {
        let content = match about {
            About::Test { .. } | About::Warning { .. } => Dc09Content {
                event: Event::ManualTest,
                text: "Baken".to_owned(),
                position: None,
                occurred_at: self.now(),
                account: None,
            },
            About::Alarm { row, opened, .. } => {
                let known = self.known();
                let sender = known.people.sender(row.device);
                let text = match sender {
                    Some(sender) if channel.include.person => {
                        format!("Baken {} {}", sender.person.office, sender.person.name)
                    }
                    _ => "Baken".to_owned(),
                };
                Dc09Content {
                    // What cannot be opened may be anything: an alarm centre gets the kind that makes it act.
                    event: opened.kind().map_or(Event::Panic, Event::from),
                    text,
                    position: position_of(opened).filter(|_| channel.include.position),
                    occurred_at: row.received_at,
                    account: sender.map(|sender| sender.account),
                }
            }
        };
        written(&content)
    }

    fn letter(&self, channel: &Channel, to: &str, about: &About<'_>) -> LetterContent {
        let labels = wording::labels(channel.language);
        let headline = headline(channel, about);
        let told = self.told(channel, about);
        let mut lines = vec![format!("Baken: {headline}."), String::new()];
        let id = about.id().to_string();
        let since = match about {
            About::Warning { since, .. } => Some(local(*since)),
            _ => None,
        };
        let facts = [
            (labels.kind, told.kind.map(str::to_owned)),
            (labels.person, told.person),
            (labels.position, told.position),
            (labels.officer, told.officer),
            (labels.since, since),
            (labels.alarm, Some(id).filter(|_| !matches!(about, About::Warning { .. }))),
            (labels.console, Some(self.link(about))),
        ];
        lines.extend(facts.into_iter().filter_map(|(label, fact)| Some(format!("{label}: {}", fact?))));
        lines.extend([String::new(), labels.closing.to_owned(), String::new()]);
        LetterContent {
            to: to.to_owned(),
            subject: format!("Baken: {headline}"),
            text: lines.join("\n"),
            made_at: self.now(),
        }
    }

    fn sms(&self, channel: &Channel, to: &str, about: &About<'_>) -> SmsContent {
        let told = self.told(channel, about);
        let facts = [told.kind.map(str::to_owned), told.person, told.position, told.officer];
        let mut body = format!("Baken: {}", headline(channel, about));
        for fact in facts.into_iter().flatten() {
            body.push_str(". ");
            body.push_str(&fact);
        }
        SmsContent { to: to.to_owned(), text: gsm(&body, &format!(" {}", self.link(about))) }
    }

    fn told(&self, channel: &Channel, about: &About<'_>) -> Told {
        let About::Alarm { row, opened, detail, .. } = about else { return Told::default() };
        let (include, labels) = (channel.include, wording::labels(channel.language));
        let person = || {
            let known = self.known();
            let Some(sender) = known.people.sender(row.device) else { return labels.none.to_owned() };
            let name = format!("{}, {}", sender.person.name, sender.person.office);
            match opened.signature {
                SignatureView::Proven => name,
                _ => format!("{name} ({})", labels.not_proven),
            }
        };
        let position = || match position_of(opened) {
            Some(position) => {
                let place = PlaceView::from(&position);
                format!("{}, {} ({} m, {} s)", place.latitude, place.longitude, place.accuracy_m, place.age_s)
            }
            None => labels.none.to_owned(),
        };
        let officer = detail.filter(|_| include.officer).map(|detail| match detail.text.as_str() {
            "" => detail.officer.clone(),
            text => format!("{}: {text}", detail.officer),
        });
        Told {
            kind: include.kind.then(|| wording::kind(opened.kind(), channel.language)),
            person: include.person.then(person),
            position: include.position.then(position),
            officer,
        }
    }
}

fn push_content(recipient: &Recipient, about: &About<'_>) -> PushContent {
    use ReceiptState::{Exhausted, Received, Reopened};
    let calls = matches!(about, About::Alarm { event: Received | Exhausted | Reopened, .. } | About::Test { .. });
    let (urgency, ttl_s) = if calls { (Urgency::High, CALL_TTL_S) } else { (Urgency::Normal, NEWS_TTL_S) };
    PushContent { to: recipient.to.clone(), shown: recipient.shown.clone(), urgency, ttl_s }
}

fn headline(channel: &Channel, about: &About<'_>) -> String {
    match about {
        About::Alarm { event, .. } => wording::headline(*event, channel.language).to_owned(),
        About::Test { .. } => wording::test_headline(channel.language).to_owned(),
        About::Warning { what, about, over, .. } => wording::warning_headline(*what, about, *over, channel.language),
    }
}

fn written(content: &impl Serialize) -> String {
    // Nothing in these can fail to be written: strings and numbers.
    serde_json::to_string(content).unwrap_or_default()
}

fn position_of(opened: &Opened) -> Option<Position> {
    match opened.body()?.fix {
        Fix::At(position) => Some(position),
        Fix::Absent(_) => None,
    }
}
