//! The desk: opens alarms, keeps them, tells people and machines, and signs what people did.
//!
//! ```text
//! mail ─▶ take ─▶ one transaction: the document, the cursor, the receipt `received`, the deliveries
//!                     │                                     │                    │
//!                  console ─▶ act ─▶ receipt `seen` …   ─▶ post to relay      channels out
//! ```
//! [`Desk`] holds no sockets: whoever runs it ([`run`], or a simulation) brings mail in and carries receipts and
//! deliveries out. What it keeps is sealed to the desk's key, as it came, and opened in memory when somebody looks.
//! An alarm that cannot be opened or proven rings all the same. Several may be one incident ([`incidents`]).

mod act;
mod attachments;
mod channels;
mod check_ins;
mod config;
pub mod duty;
mod error;
mod figures;
mod follow_up;
mod handover;
mod incidents;
pub mod instructions;
mod keeping;
mod login;
pub mod officers;
mod opened;
mod orders;
mod pass_on;
pub mod passkeys;
pub mod people;
mod place;
mod probe;
mod push;
pub mod run;
pub mod shift;
mod silence;
mod sms;
mod store;
mod take;
mod tested;
mod timeline;
mod view;
mod warnings;

pub use act::Act;
pub use channels::{
    ChannelView, DeliveryView, Line, PROOF_LASTS_MS, ReceiverView, RecipientView, Silent, Standing, TestError,
    channel_views, warning_words,
};
pub use config::{
    CHANNELS_FILE, CHANNELS_TEMPLATE, Channels, ChannelsError, DeskSettings, Include, KEPT_DAYS, MapTiles,
};
pub use error::{ActError, DeskError};
pub use figures::{Count, DEFAULT_MONTHS, Ending, Figures, MAX_MONTHS, Share, Timing, figures_of, lines};
pub use handover::Handover;
pub use incidents::{DoneToIncident, FoldedView, IncidentId, IncidentView, Refused};
pub use keeping::{HoldView, KeepingView};
pub use login::{SESSION_LIFETIME_MS, Session};
pub use opened::{SignatureView, Unopened};
pub use orders::{OutgoingKind, OutgoingOrder};
pub use pass_on::{Onward, PassedOnView};
pub use place::PlaceView;
pub use push::{SubscribeError, SubscriptionView};
pub use silence::SilentDesk;
pub use store::{MailPosition, OutgoingReceipt};
pub use tested::TestedView;
pub use view::{
    AlarmDetail, AlarmList, AlarmSummary, FAMILY, HolderView, NoteView, PersonView, ReceiptView, UpdateView,
    VerificationView,
};
pub use warnings::{STALLED_MS, WarningView, Wrong};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{Directory, OrgId};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rand_core::CryptoRng;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::audit;
use crate::channel::VapidKey;
use crate::folder::FolderError;
use crate::store::{Disk, Store, StoreOptions};
use instructions::Instructions;
use officers::Officers;
use people::People;

/// The longest that an officer says at once, in bytes: with the name it fits a receipt.
pub const MAX_WORDS_BYTES: usize = 400;

/// Why a desk does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database or what it holds.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The channels.
    #[error(transparent)]
    Channels(#[from] ChannelsError),
}

/// What a desk is made of.
pub struct DeskParts {
    /// Its keys.
    pub keys: DeviceKeys,
    /// The organisation whose alarms it takes.
    pub org: OrgId,
    /// The console's address, for links.
    pub console_url: String,
    /// Officers come in with passkeys, where the console's address lets browsers have them.
    pub passkeys: bool,
    /// Where it tells outside.
    pub channels: Channels,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Box<dyn CryptoRng + Send>,
}

/// A desk.
pub struct Desk {
    keys: DeviceKeys,
    /// Seals what the desk itself writes down, such as what an officer said.
    at_rest: SymmetricKey,
    /// Towards the push services of officers' browsers.
    vapid: VapidKey,
    org: OrgId,
    console_url: String,
    channels: Channels,
    lines: channels::Lines,
    clock: Arc<dyn Clock>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
    store: Store,
    officers: Officers,
    passkeys: Option<passkeys::Passkeys>,
    instructions: Instructions,
    strangers: audit::Strangers,
    known: RwLock<Known>,
    /// Alarms that were opened, by their hash. Signatures are judged by who is known, so it is emptied with each newcomer.
    opened: Mutex<HashMap<Hash, Arc<opened::Opened>>>,
    changes: watch::Sender<u64>,
    /// Its data folder.
    dir: PathBuf,
    beats: warnings::Beats,
    /// Held while a file that officers write to is read and written again.
    notes_alone: Mutex<()>,
    /// When the relay's certificate ends, by the last connection; 0 before one.
    relay_certificate: AtomicI64,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("device", &self.keys.device).finish_non_exhaustive()
    }
}

/// What is made of the stored documents at start, and kept up to date.
#[derive(Debug, Default)]
struct Known {
    directory: Option<Signed<Directory>>,
    people: People,
}

impl Desk {
    /// Opens a desk in its data folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(disk: &Disk, options: StoreOptions, parts: DeskParts) -> Result<Self, OpenError> {
        let store = Store::open(disk, &store::DATABASE, options).map_err(DeskError::from)?;
        let officers = Officers::open(&disk.dir)?;
        let instructions = Instructions::open(&disk.dir, &parts.keys)?;
        let passkeys = match parts.passkeys {
            true => passkeys::Passkeys::open(&parts.console_url, &disk.dir)?,
            false => None,
        };
        let at_rest = at_rest_key(&parts.keys);
        let known = RwLock::new(load(&store, &parts)?);
        Ok(Self {
            keys: parts.keys,
            vapid: VapidKey::derive(&at_rest),
            at_rest,
            org: parts.org,
            // As a browser writes an origin.
            console_url: parts.console_url.trim_end_matches('/').trim_end_matches(":443").to_ascii_lowercase(),
            channels: parts.channels,
            lines: channels::Lines::default(),
            clock: parts.clock,
            rng: Mutex::new(parts.rng),
            store,
            officers,
            passkeys,
            instructions,
            strangers: audit::Strangers::default(),
            known,
            opened: Mutex::default(),
            changes: watch::Sender::new(0),
            dir: disk.dir.clone(),
            beats: warnings::Beats::default(),
            notes_alone: Mutex::default(),
            relay_certificate: AtomicI64::new(0),
        })
    }

    /// The desk's keys.
    pub fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// The organisation.
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The desk's name in the directory; empty before there is one.
    pub fn name(&self) -> String {
        let known = self.known();
        let entry = known.directory.as_ref().and_then(|directory| directory.value().desk(self.keys.device));
        entry.map(|entry| entry.name.clone()).unwrap_or_default()
    }

    /// The newest directory.
    pub fn directory(&self) -> Option<Signed<Directory>> {
        self.known().directory.clone()
    }

    /// The console's address.
    pub fn console_url(&self) -> &str {
        &self.console_url
    }

    /// The map below a plan, where there is one.
    pub fn map(&self) -> Option<&MapTiles> {
        self.channels.map.as_ref()
    }

    /// The officers.
    pub fn officers(&self) -> &Officers {
        &self.officers
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Counts up with everything that changes; await it to look again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether writes are taken.
    pub fn is_open(&self) -> bool {
        self.store.is_open()
    }

    /// Finishes what is queued and closes the database. Blocks.
    pub fn close(&self) {
        self.store.close();
    }

    /// A worker goes round; see `warnings`.
    pub fn beat(&self, worker: &'static str) {
        self.beats.beat(worker, self.now());
    }

    /// Notes when the relay's certificate ends.
    fn note_relay_certificate(&self, ends: Timestamp) {
        self.relay_certificate.store(ends.0, Ordering::Relaxed);
    }

    fn relay_certificate(&self) -> Option<Timestamp> {
        Some(Timestamp(self.relay_certificate.load(Ordering::Relaxed))).filter(|ends| ends.0 != 0)
    }

    fn changed(&self) {
        self.changes.send_modify(|revision| *revision += 1);
    }

    /// A source of randomness of its own, so that none is held locked across work.
    fn fork_rng(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_rng(&mut **self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        let known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clear();
        known
    }

    fn seal_at_rest(&self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
        baken_schemas::crypto::seal(&self.at_rest, AT_REST_LABEL, &[], plaintext, rng)
    }

    /// What was sealed with [`Self::seal_at_rest`]; `None` where there is nothing, or another key's.
    fn open_at_rest(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        open_sealed(&self.at_rest, sealed)
    }
}

/// The key under which a desk seals what it writes down itself.
fn at_rest_key(keys: &DeviceKeys) -> SymmetricKey {
    SymmetricKey::from_slice(keys.kem.as_bytes())
        .unwrap_or_else(|| unreachable!("a KEM seed has 32 bytes"))
        .derive("baken/desk-at-rest-key/v0", &[&keys.device.0])
}

fn open_sealed(at_rest: &SymmetricKey, sealed: &[u8]) -> Option<Vec<u8>> {
    if sealed.is_empty() {
        return None;
    }
    let plain = baken_schemas::crypto::open(at_rest, AT_REST_LABEL, &[], sealed, AT_REST_LABEL).ok()?;
    Some(plain.to_vec())
}

const AT_REST_LABEL: &str = "baken/desk-at-rest/v0";

fn load(store: &Store, parts: &DeskParts) -> Result<Known, DeskError> {
    store.read(|db| load_from(db, parts.org, &parts.keys))
}

fn load_from(db: &Connection, org: OrgId, keys: &DeviceKeys) -> Result<Known, DeskError> {
    let (directories, rosters, enrolments) = (store::directories(db)?, store::rosters(db)?, store::enrolments(db)?);
    // Each was checked when it came; one that no longer passes is left out rather than keeping the desk shut.
    let directory = directories.iter().find_map(|bytes| Directory::verify(bytes, org).ok());
    let mut people = People::default();
    if let Some(directory) = &directory {
        let trust = (org, &directory.value().root);
        for line in rosters {
            let _ = people.add_line(&line, trust, (keys.device, &keys.kem));
        }
    }
    for enrolment in enrolments {
        let _ = people.add_enrolment(&enrolment, &keys.kem);
    }
    Ok(Known { directory, people })
}

/// The people of a desk's folder, read while the desk may be running.
///
/// # Errors
/// [`DeskError`].
pub fn people_of(data: &Path, org: OrgId, keys: &DeviceKeys) -> Result<People, DeskError> {
    let database = crate::store::inspect(&Disk::new(data), store::DATABASE.file)?;
    Ok(load_from(&database, org, keys)?.people)
}

/// The hash of a document as it came, whether or not its signature checks out.
fn hash_of(document: &[u8]) -> Hash {
    Hash::of("baken/document/v0", &[document])
}

/// Where a desk's database lies in its folder, for tests that look into it.
pub fn database_path(data: &Path) -> PathBuf {
    data.join(store::DATABASE.file)
}
