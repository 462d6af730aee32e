//! From an event at the desk to a message for an alarm centre.

use baken_schemas::Language;
use baken_schemas::alarm::Position;
use baken_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::events::{CodeTable, Event};
use super::field::{Account, MessageId, Prefix, Sequence};
use super::frame::Header;
use super::message::{Content, Element, Message};
use super::position::{write_latitude, write_longitude};
use super::text::to_ascii;
use super::time::write_time;

/// The most characters of text that go out. One public receiver reads 1,000 bytes and takes the rest for another
/// frame; an enciphered message with all of these stays below that.
const MAX_TEXT: usize = 64;
const MAX_URL: usize = 96;

/// Which language of codes a receiver is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// SIA DC-03: `Nri1/PA501|Atext`.
    #[default]
    SiaDcs,
    /// Contact ID: `1120 01 501`. Some receivers read only one element of extended data with it.
    AdmCid,
}

/// How a receiver is addressed and coded: agreed with the alarm centre, one for each receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The subscriber's number at the centre.
    pub account: Account,
    /// Receiver number, where the centre asks for one. Always written: a receiver was seen to break without it.
    #[serde(default = "Prefix::unused")]
    pub receiver: Prefix,
    /// Line number, where the centre asks for one.
    #[serde(default = "Prefix::unused")]
    pub line: Prefix,
    /// The language of codes.
    #[serde(default)]
    pub form: Form,
    /// The codes.
    #[serde(default)]
    pub codes: CodeTable,
    /// Area or partition that is reported, 0 to 99.
    #[serde(default = "first_area")]
    pub area: u8,
    /// Point or zone that is reported, 0 to 999.
    #[serde(default)]
    pub zone: u16,
    /// The language of what a person at the centre reads.
    #[serde(default)]
    pub language: Language,
}

fn first_area() -> u8 {
    1
}

impl Coding {
    /// For an account, with everything else as the standard has it.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            receiver: Prefix::unused(),
            line: Prefix::unused(),
            form: Form::SiaDcs,
            codes: CodeTable::standard(),
            area: first_area(),
            zone: 0,
            language: Language::default(),
        }
    }

    /// The supervision message, `NULL`: resets the receiver's timer.
    pub fn supervision(&self) -> Message {
        Message { header: self.header(MessageId::Null, Sequence::NULL), content: Content::default() }
    }

    /// The message that reports an event under this number. Resending the same report under the same number gives the
    /// same message, but for the time it was made, which the sender stamps.
    pub fn message(&self, sequence: Sequence, report: &Report) -> Message {
        let codes = self.codes.codes(report.event);
        let account = self.account.as_str();
        let (area, zone) = (self.area % 100, self.zone % 1000);
        let text = to_ascii(&report.text, MAX_TEXT);
        let mut elements = Vec::new();
        let mut add = |letter, value: String| elements.push(Element { letter, value });
        let (id, data) = match self.form {
            Form::SiaDcs => {
                let text = if text.is_empty() { String::new() } else { format!("|A{text}") };
                (MessageId::SiaDcs, format!("#{account}|Nri{area}/{}{zone}{text}", codes.sia))
            }
            Form::AdmCid => {
                if !text.is_empty() {
                    add('I', text);
                }
                (MessageId::AdmCid, format!("#{account}|{} {area:02} {zone:03}", codes.cid))
            }
        };
        if let Some(position) = &report.position {
            add('X', write_longitude(position.longitude_e7));
            add('Y', write_latitude(position.latitude_e7));
            // No element says how good or how old a fix is, and one that is old without saying so sends help astray.
            let (accuracy, age) = (position.accuracy_m, position.age_s);
            add(
                'I',
                match self.language {
                    Language::Nl => format!("positie op {accuracy} m, {age} s oud"),
                    Language::En => format!("position to {accuracy} m, {age} s old"),
                },
            );
        }
        add('H', write_time(report.occurred_at));
        // Cutting a link would make another of it: rather none.
        if let Some(url) =
            report.verify_at.as_deref().filter(|url| url.len() <= MAX_URL && to_ascii(url, MAX_URL) == *url)
        {
            add('V', url.to_owned());
        }
        Message { header: self.header(id, sequence), content: Content { data, elements, ..Content::default() } }
    }

    fn header(&self, id: MessageId, sequence: Sequence) -> Header {
        Header {
            id,
            encrypted: false,
            sequence,
            receiver: Some(self.receiver.clone()),
            line: self.line.clone(),
            account: Some(self.account.clone()),
        }
    }
}

/// One event to be reported.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// What happened.
    pub event: Event,
    /// Words for the person at the centre; folded to ASCII and cut at 64 characters.
    pub text: String,
    /// Where, with how good and how old the fix is.
    pub position: Option<Position>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// A link where the centre can verify (listen in, look, call back); left out beyond 96 characters.
    pub verify_at: Option<String>,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Report({:?} …)", self.event)
    }
}
