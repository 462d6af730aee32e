//! The card: what responders need of the dossier, sealed at the relay under a key that travels only in alarms.
//!
//! It is drawn from the profile, the homes, cars, housemates and medical records, and the contacts marked for emergencies,
//! and sent again when it would say something new. Where a field is in conflict, the card says both: a responder can ring two numbers.

use baken_schemas::alarm::{Card, CardBody};
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::record::kind_named;
use http::Method;
use rusqlite::Connection;

use crate::circle::Circle;
use crate::client::{SignedClient, idempotency_of, path_with};
use crate::record::store::About;
use crate::record::{RecordView, first_views};
use crate::transport::Transport;
use crate::vault::setting;
use crate::{Baken, BakenError, device};

/// The kinds that a card is made of.
const CARD_KINDS: [&str; 6] = ["profile", "contact", "home", "car", "housemate", "medical"];
/// What is said of a contact.
const CONTACT_FIELDS: [&str; 3] = ["name", "relation", "phone"];
/// The content's hash of the card that the relay has acknowledged.
const CARD: &str = "card";
/// The last version that was ever sent: a relay takes each once, and an answer may have got lost.
const CARD_VERSION: &str = "card_version";
/// The most bytes of the card's texts, and the most contacts on it: together they fit the 4,000 bytes of a card.
const MAX_FIELD_BYTES: usize = 250;
const MAX_MEDICAL_BYTES: usize = 800;
const MAX_CONTACT_BYTES: usize = 160;
const MAX_CONTACTS: usize = 6;
/// The most records of a kind that are drawn on it, in an order that is the same on every device.
const MAX_DRAWN: usize = 8;

impl Baken {
    /// What responders would be shown with an alarm now.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn card(&self) -> Result<CardBody, BakenError> {
        self.with_settled(|open| card_now(&open.vault.connection, open.circles.home()))
    }

    /// Brings this device's card at the relay up to date; sends nothing when it is. [`Baken::sync`] does it too.
    ///
    /// # Errors
    /// [`BakenError::Locked`] and those of the network.
    pub async fn update_card(&self, transport: &dyn Transport) -> Result<(), BakenError> {
        let keys = self.device_keys()?;
        self.send_card(&SignedClient::of_device(transport, &keys)).await
    }

    pub(crate) async fn send_card(&self, client: &SignedClient<'_>) -> Result<(), BakenError> {
        if self.with_vault(|open| Ok(open.account().is_none()))? {
            return Ok(());
        }
        let about = About::kinds(CARD_KINDS.iter().filter_map(|name| kind_named(name)).map(|kind| kind.number));
        let (device, body, before) = self.with_settled_about(about, |open| {
            let connection = &open.vault.connection;
            let body = card_now(connection, open.circles.home())?;
            let before: Option<Hash> = setting::read(connection, CARD)?;
            Ok((device::load(connection)?, body, before))
        })?;
        let hash = Hash::of("baken/card-content/v0", &[&cbor::to_vec(&body)]);
        if before == Some(hash) || (before.is_none() && body == CardBody::default()) {
            return Ok(());
        }
        let version = self.with_vault(|open| {
            let last: Option<u64> = setting::read(&open.vault.connection, CARD_VERSION)?;
            let version = last.unwrap_or(0).saturating_add(1);
            setting::write(&open.vault.connection, CARD_VERSION, &version)?;
            Ok(version)
        })?;
        let card = self
            .context
            .with_rng(|rng| Card::seal(device.keys.device, version, &body, &device.card_key, &device.keys.sig, rng))?;
        let path = path_with(api::CARD, device.keys.device)?;
        let key = idempotency_of(&path, card.bytes());
        client.send(Method::PUT, &path, card.bytes().to_vec(), key).await?;
        self.with_vault(|open| setting::write(&open.vault.connection, CARD, &hash))
    }
}

/// The card of the dossier as it is. Of several profiles the first that is not deleted is the person's; homes, cars,
/// housemates and what is medical follow what the profile says of them.
fn card_now(connection: &Connection, circle: &Circle) -> Result<CardBody, BakenError> {
    let views = |name: &str, limit, keep: &dyn Fn(&RecordView) -> bool| match kind_named(name) {
        Some(kind) => first_views(connection, circle, kind.number, limit, |view| !view.deleted && keep(view)),
        None => Ok(Vec::new()),
    };
    let profiles = views("profile", 1, &|_| true)?;
    let contacts = views("contact", MAX_CONTACTS, &|view| view.is("emergency"))?;
    let full = |name: &str| profiles.first().map(|view| view.text(name)).unwrap_or_default();
    let text = |name: &str| clip(&full(name), MAX_FIELD_BYTES);
    // The profile's own words, then a line for each record.
    let drawn = |profile: &str, kind: &str, fields: &[&str], max_bytes| {
        let lines = views(kind, MAX_DRAWN, &|_| true)?.iter().map(|view| line(view, fields)).collect::<Vec<_>>();
        let mut all: Vec<String> = Vec::new();
        for line in [full(profile)].into_iter().chain(lines).filter(|line| !line.is_empty()) {
            // What stands in the profile and in a record of its own is said once.
            if !all.contains(&line) {
                all.push(line);
            }
        }
        Ok::<_, BakenError>(clip(&all.join("; "), max_bytes))
    };
    Ok(CardBody {
        name: text("name"),
        office: text("office"),
        phone: text("phone"),
        home_address: drawn("home_address", "home", &["address", "access", "remark"], MAX_FIELD_BYTES)?,
        car: drawn("car", "car", &["plate", "colour", "make", "driver", "remark"], MAX_FIELD_BYTES)?,
        household: drawn("household", "housemate", &["name", "relation", "born", "phone", "remark"], MAX_FIELD_BYTES)?,
        medical: drawn("medical", "medical", &["whom", "what", "medicine", "doctor", "remark"], MAX_MEDICAL_BYTES)?,
        code_word: text("code_word"),
        contacts: contacts.iter().map(|view| clip(&line(view, &CONTACT_FIELDS), MAX_CONTACT_BYTES)).collect(),
    })
}

/// What these fields of a record say, in one line.
fn line(view: &RecordView, fields: &[&str]) -> String {
    let parts = fields.iter().map(|name| match view.number(name) {
        Some(number) => number.to_string(),
        None => view.text(name),
    });
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// As many whole characters as fit; a cut text ends in `…`.
fn clip(text: &str, max_bytes: usize) -> String {
    const MARK: char = '…';
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let room = max_bytes.saturating_sub(MARK.len_utf8());
    let kept = text.char_indices().take_while(|(at, char)| at + char.len_utf8() <= room).map(|(_, char)| char);
    kept.chain([MARK]).collect()
}
