//! The bridge: a device for things that are none. It takes messages of hardware buttons over SIA DC-09, makes each an
//! alarm, seals it to the organisation's ladder like any phone, and says in it where it came from.
//!
//! A button's dialler hears `ACK` only after the relay's checked receipt `stored`. Until then it hears nothing, so it
//! tries again or takes its other path; meanwhile the alarm lies in the bridge's own database and is sent on, so that
//! neither a dead line nor a crash here loses a press that came in. A repeat of a message is the same alarm.

pub mod buttons;
mod certificate;
mod config;
pub mod gateway;
mod listen;
pub mod run;
mod store;
mod text;
mod trouble;
mod words;

pub use certificate::{make_certificate, server_config};
pub use config::{
    BUTTONS_FILE, BUTTONS_TEMPLATE, BridgeSettings, Button, Buttons, ButtonsError, Cm, Gateways, Twilio, read_buttons,
    read_gateways,
};
pub use listen::ButtonHandler;
pub use store::DATABASE_FILE;
pub use text::TextTaken;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, Fix, FixAbsent, Provenance, ReceiptState, check_receipt,
};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId};
use baken_schemas::org::{Directory, LadderUse};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock, Timestamp};
use baken_schemas::{FormatError, Language};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;
use tokio::sync::watch;

use store::{Errand, NewOutgoing};

use crate::audit;
use crate::dc09::data::read_events;
use crate::dc09::events::Event;
use crate::dc09::receiver::Over;
use crate::dc09::{Account, Message};
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
    /// What it writes in.
    pub language: Language,
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
    language: Language,
    clock: Arc<dyn Clock>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    store: Store,
    strangers: audit::Strangers,
    /// Who was heard since it was last written down. Only buttons of `bridge.toml` are in it.
    heard: Mutex<HashMap<Account, Timestamp>>,
    /// How often something was not taken since then, by the reason.
    refused: Mutex<HashMap<&'static str, u64>>,
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
    /// Nothing to wait for: supervision, a restored line, a low battery. What of it the desk is told is on disk here.
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
            language: parts.language,
            clock: parts.clock,
            rng: Mutex::new(parts.rng),
            strangers: audit::Strangers::default(),
            heard: Mutex::default(),
            refused: Mutex::default(),
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
    pub async fn take(&self, message: &Message, over: Over) -> Result<Taken, BridgeError> {
        let known = message.header.account.as_ref().and_then(|account| self.buttons.get_key_value(account));
        let Some((account, button)) = known else { return Ok(Taken::NotUnderstood) };
        let now = self.clock.now();
        self.heard(account, now);
        if message.content.data.is_empty() {
            // Supervision.
            return Ok(Taken::Nothing);
        }
        let reported = read_events(&message.header.id, &message.content.data);
        let events: Vec<_> = reported.iter().filter_map(|reported| reported.code.event(&button.codes)).collect();
        if events.is_empty() {
            return Ok(Taken::NotUnderstood);
        }
        // Of several at once the first that calls for help counts; the rest is in the words.
        let alarm = match events.iter().find_map(|event| event.alarm_kind()) {
            Some(kind) => {
                let zones: Vec<&str> = reported.iter().map(|reported| reported.zone.as_str()).collect();
                let mut text = words::of_message(message, &zones);
                let low = self.store.read(|db| {
                    Ok::<_, BridgeError>(buttons::trouble(db, account, buttons::TroubleKind::BatteryLow)?)
                })?;
                if let Some(low) = low {
                    let separator = if text.is_empty() { "" } else { "; " };
                    text = format!("{text}{separator}{}", words::battery_low_since(self.language, low.since));
                }
                let made_at = message.content.occurred_at().or(message.content.made_at).unwrap_or(now);
                let mut alarm = self.make_alarm(kind, button, text, made_at, &transport_of(message, over))?;
                alarm.fingerprint = message.fingerprint();
                Some(alarm)
            }
            None => None,
        };
        let changes = self.changes_of(button, &events)?;
        let (fingerprint, account, button) = (message.fingerprint(), account.clone(), button.clone());
        let teller = self.teller();
        let device = self.keys.device;
        let number = self
            .store
            .write(Priority::Alarm, move |db| {
                if let Some(number) = store::repeated(db, &fingerprint, now.plus_ms(-REPEAT_MS))? {
                    return Ok::<_, BridgeError>(alarm.as_ref().map(|_| number));
                }
                for change in &changes {
                    match change {
                        Change::Begins(kind, alarm) => drop(teller.begin(db, &account, *kind, alarm, now)?),
                        Change::Ends(kind) => drop(teller.end(db, (&account, &button), *kind, now)?),
                        Change::Tested => buttons::tested(db, &account, now)?,
                        Change::Restored => {
                            if let Some(last) = buttons::last_alarm(db, &account)? {
                                teller.update(db, last, words::restored(teller.language(), &button), fingerprint)?;
                            }
                        }
                    }
                }
                let Some(alarm) = &alarm else { return Ok(None) };
                audit::append_for(db, now, device, "button_pressed", &alarm.alarm, "ok")?;
                buttons::pressed(db, &account, alarm.alarm, now)?;
                Ok(Some(store::add(db, alarm, now)?))
            })
            .await?;
        self.changed();
        Ok(number.map_or(Taken::Nothing, Taken::Alarm))
    }

    /// What events change of what is known of a button.
    fn changes_of(&self, button: &Button, events: &[Event]) -> Result<Vec<Change>, BridgeError> {
        use buttons::TroubleKind::{BatteryLow, Unreachable};
        let begins = |kind| Ok::<_, BridgeError>(Change::Begins(kind, self.trouble_alarm(button, kind, None)?));
        let mut changes = Vec::new();
        for event in events {
            changes.push(match event {
                Event::BatteryLow => begins(BatteryLow)?,
                Event::Unreachable => begins(Unreachable)?,
                Event::BatteryRestored => Change::Ends(BatteryLow),
                Event::Reachable => Change::Ends(Unreachable),
                Event::PeriodicTest | Event::ManualTest => Change::Tested,
                Event::PanicWithdrawn | Event::SilentWithdrawn | Event::CheckInResumed => Change::Restored,
                Event::Panic | Event::Silent | Event::Duress | Event::Medical | Event::CheckInMissed => continue,
            });
        }
        Ok(changes)
    }

    fn make_alarm(
        &self,
        kind: AlarmKind,
        button: &Button,
        text: String,
        made_at: Timestamp,
        transport: &str,
    ) -> Result<NewOutgoing, BridgeError> {
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
        let body = AlarmBody {
            kind,
            fix: Fix::Absent(FixAbsent::NoReceiver),
            battery_percent: None,
            text,
            made_at,
            card_key: None,
            family: None,
            provenance: Provenance::Button { button: button.label(), transport: transport.to_owned() },
        };
        let (signed, content) = Alarm::seal(header, &body, directory.value(), &self.keys.alarm, &mut rng)?;
        Ok(NewOutgoing {
            errand: Errand::Alarm,
            fingerprint: Hash::of("baken/bridge-alarm/v0", &[&header.alarm.0]).0,
            alarm: header.alarm,
            document: signed.bytes().to_vec(),
            content_key: Some(content),
        })
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

/// What a message changes of what is known of a button.
enum Change {
    /// Something is wrong from now on, told by this alarm.
    Begins(buttons::TroubleKind, NewOutgoing),
    /// It is not any more.
    Ends(buttons::TroubleKind),
    /// It was a test.
    Tested,
    /// The alarm before is over, says the button.
    Restored,
}

/// How a message came, as the desk reads it: anybody may imitate a plain one.
fn transport_of(message: &Message, over: Over) -> String {
    let cipher = if message.header.encrypted { "encrypted" } else { "plain" };
    match over {
        Over::Tcp => format!("SIA DC-09, {cipher}"),
        Over::Udp => format!("SIA DC-09, {cipher}, over UDP"),
        Over::Tls => format!("SIA DC-09, {cipher}, over TLS"),
    }
}
