//! The bridge: a device for things that are none. It takes messages of hardware buttons over SIA DC-09, makes each an
//! alarm, seals it to the organisation's ladder like any phone, and says in it where it came from.
//!
//! A button's dialler hears `ACK` only after the relay's checked receipt `stored`. Until then it hears nothing, so it
//! tries again or takes its other path; meanwhile the alarm lies in the bridge's own database and is sent on, so that
//! neither a dead line nor a crash here loses a press that came in. A repeat of a message is the same alarm.

mod config;
mod join;
mod listen;
pub mod run;
mod store;

pub use config::{BUTTONS_FILE, BUTTONS_TEMPLATE, BridgeSettings, Button, Buttons, ButtonsError, read_buttons};
pub use join::{JoinError, Joined, join};
pub use listen::ButtonHandler;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, Fix, FixAbsent, Provenance, ReceiptState, check_receipt,
};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId};
use baken_schemas::org::{Directory, LadderUse};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Clock;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;
use tokio::sync::watch;

use crate::audit;
use crate::dc09::Message;
use crate::dc09::data::{read_events, read_text};
use crate::relay_client::RelayError;
use crate::store::{Disk, Priority, Store, StoreError, StoreFailure, StoreOptions};

/// How long after it was stored a message with the same number and content is a repeat, in milliseconds. Diallers resend
/// within seconds, and some start again from the same number.
const REPEAT_MS: i64 = 10 * 60_000;

/// Why the bridge could not do something.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document that is not what it must be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The relay.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The directory has no ladder.
    #[error("the organisation's directory has no ladder to climb")]
    NoLadder,
}

impl From<rusqlite::Error> for BridgeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl StoreFailure for BridgeError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// What a bridge is made of.
pub struct BridgeParts {
    /// Its keys.
    pub keys: DeviceKeys,
    /// The account it was invited for.
    pub account: AccountId,
    /// What the desks know that account by.
    pub desk_key: SymmetricKey,
    /// The newest directory it has seen.
    pub directory: Signed<Directory>,
    /// The buttons.
    pub buttons: Buttons,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Box<dyn CryptoRng + Send>,
}

/// A bridge.
pub struct Bridge {
    keys: DeviceKeys,
    account: AccountId,
    desk_key: SymmetricKey,
    directory: RwLock<Signed<Directory>>,
    buttons: Buttons,
    clock: Arc<dyn Clock>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    store: Store,
    strangers: audit::Strangers,
    changes: watch::Sender<u64>,
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge").field("device", &self.keys.device).finish_non_exhaustive()
    }
}

/// What a message of a button came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Nothing to raise: supervision, a restored line, a low battery.
    Nothing,
    /// An alarm, on disk here under this number.
    Alarm(i64),
    /// Codes that nothing was agreed about.
    NotUnderstood,
}

impl Bridge {
    /// Opens a bridge in its data folder.
    ///
    /// # Errors
    /// [`BridgeError::Store`].
    pub fn open(disk: &Disk, options: StoreOptions, parts: BridgeParts) -> Result<Self, BridgeError> {
        Ok(Self {
            store: Store::open(disk, &store::DATABASE, options)?,
            keys: parts.keys,
            account: parts.account,
            desk_key: parts.desk_key,
            directory: RwLock::new(parts.directory),
            buttons: parts.buttons,
            clock: parts.clock,
            rng: Mutex::new(parts.rng),
            strangers: audit::Strangers::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// The newest directory.
    pub fn directory(&self) -> Signed<Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Finishes what is queued and closes the database. Blocks.
    pub fn close(&self) {
        self.store.close();
    }

    fn fork_rng(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_rng(&mut **self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn changed(&self) {
        self.changes.send_modify(|revision| *revision += 1);
    }

    /// Takes a message whose frame, key and time are right: where it calls for help, the alarm is sealed and on disk when
    /// this returns. A repeat is the alarm that is there.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub async fn take(&self, message: &Message) -> Result<Taken, BridgeError> {
        let account = message.header.account.as_ref();
        let Some(button) = account.and_then(|account| self.buttons.get(account)) else {
            return Ok(Taken::NotUnderstood);
        };
        let reported = read_events(&message.header.id, &message.content.data);
        if message.content.data.is_empty() {
            // Supervision.
            return Ok(Taken::Nothing);
        }
        let events: Vec<_> = reported.iter().filter_map(|reported| reported.code.event(&button.codes)).collect();
        if events.is_empty() {
            return Ok(Taken::NotUnderstood);
        }
        // Of several at once the first that calls for help counts; the rest is in the words.
        let Some(kind) = events.iter().find_map(|event| event.alarm_kind()) else { return Ok(Taken::Nothing) };
        let zones: Vec<&str> = reported.iter().map(|reported| reported.zone.as_str()).collect();
        let (alarm, document) = self.make_alarm(kind, button, message, &zones)?;
        let (fingerprint, now, device) = (message.fingerprint(), self.clock.now(), self.keys.device);
        let number = self
            .store
            .write(Priority::Alarm, move |db| {
                if let Some(number) = store::repeated(db, &fingerprint, now.plus_ms(-REPEAT_MS))? {
                    return Ok::<_, BridgeError>(number);
                }
                audit::append_for(db, now, device, "button_pressed", &alarm, "ok")?;
                Ok(store::add(db, &fingerprint, alarm, &document, now)?)
            })
            .await?;
        self.changed();
        Ok(Taken::Alarm(number))
    }

    fn make_alarm(
        &self,
        kind: AlarmKind,
        button: &Button,
        message: &Message,
        zones: &[&str],
    ) -> Result<(AlarmId, Vec<u8>), BridgeError> {
        let directory = self.directory();
        let ladder = directory.value().ladder_for(LadderUse::Alarms).ok_or(BridgeError::NoLadder)?;
        let mut rng = self.fork_rng();
        let header = AlarmHeader {
            alarm: AlarmId::make(&mut rng),
            device: self.keys.device,
            class: AlarmClass::Alarm,
            ladder: ladder.ladder,
            ladder_version: ladder.version,
        };
        let transport = if message.header.encrypted { "SIA DC-09, encrypted" } else { "SIA DC-09, plain" };
        let body = AlarmBody {
            kind,
            fix: Fix::Absent(FixAbsent::NoReceiver),
            battery_percent: None,
            text: words_of(message, zones),
            made_at: message.content.occurred_at().or(message.content.made_at).unwrap_or_else(|| self.clock.now()),
            card_key: None,
            provenance: Provenance::Button { button: button.name.clone(), transport: transport.to_owned() },
        };
        let (signed, _) = Alarm::seal(header, &body, directory.value(), &self.keys.alarm, &mut rng)?;
        Ok((header.alarm, signed.bytes().to_vec()))
    }

    /// Waits until the relay has an alarm. Cancelling takes nothing back.
    ///
    /// # Errors
    /// [`BridgeError::Store`].
    pub async fn wait_until_stored(&self, number: i64) -> Result<(), BridgeError> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if self.store.read(|db| Ok::<_, BridgeError>(store::is_stored(db, number)?))? {
                return Ok(());
            }
            if changes.changed().await.is_err() {
                return Err(StoreError::Stopped.into());
            }
        }
    }

    /// Checks that a receipt says `stored` of these very alarm bytes and is the relay's.
    fn check_stored(&self, alarm: &[u8], receipt: &[u8]) -> Result<(), FormatError> {
        let checked = check_receipt(receipt, self.directory().value())?.into_value();
        let claims = Unverified::<Alarm>::parse(alarm)?;
        let same = checked.alarm == claims.claims().header.alarm
            && checked.alarm_hash == Hash::of("baken/document/v0", &[alarm])
            && checked.state == ReceiptState::Stored;
        if same { Ok(()) } else { Err(FormatError::Rule { what: "a receipt", rule: "it is not for this alarm" }) }
    }
}

/// What the desk reads beside the button's name: the text and the zones that came, and a position as text, since DC-09
/// does not say how good or how old one is.
fn words_of(message: &Message, zones: &[&str]) -> String {
    /// Far below what an alarm holds.
    const MAX_WORDS: usize = 400;
    let mut words: Vec<String> = Vec::new();
    words.extend(read_text(&message.content.data).map(str::to_owned));
    words.extend(message.content.element('I').map(str::to_owned));
    let zones: Vec<&str> = zones.iter().copied().filter(|zone| !zone.is_empty()).collect();
    if !zones.is_empty() {
        words.push(format!("zone {}", zones.join(", ")));
    }
    if let Some((latitude_e7, longitude_e7)) = message.content.position_e7() {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        words.push(format!("{:.5}, {:.5}", degrees(latitude_e7), degrees(longitude_e7)));
    }
    words.join("; ").chars().take(MAX_WORDS).collect()
}
