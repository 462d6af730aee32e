//! The relay: stores what it cannot read, orders it, tells who waits, and climbs ladders.
//!
//! A [`Relay`] is built from a disk, keys, a clock and randomness, and gives a router and a [`Relay::tick`], so that a
//! simulation can drive it without sockets. One operation a file; every write happens once ([`once`]), is answered
//! after its commit, and wakes whoever waits for it ([`wakes`]).
//!
//! What the relay is not: it opens nothing, and it cannot say that a human has seen an alarm.

mod acknowledged;
mod activate;
mod alarm_chunks;
mod alarms;
mod app_origin;
mod audit_heads;
mod auth;
mod blobs;
mod cards;
mod cleared;
mod clearing;
mod compact;
mod deadlines;
mod deposits;
mod devices;
mod dismissal;
mod editions;
mod entries;
mod escalations;
mod family;
mod follow_up;
mod handings_on;
mod ladder;
mod live;
mod log;
mod mail;
mod messages;
mod once;
mod orders;
mod org_documents;
mod page;
mod pairing;
mod plan;
mod presence;
mod problem;
mod pulse;
mod quota;
mod raising;
mod readiness;
mod receipts;
mod recover;
mod routes;
mod sealed_root;
mod sms;
mod standing;
mod sweep;
mod taken;
mod trust;
mod wakes;

pub use audit_heads::tree_root;
pub use presence::MAX_QUIET_MS;
pub use problem::Refusal;
pub use pulse::STALLED_MS;
pub use quota::DEFAULT_QUOTA_MIB;

use std::num::NonZeroU16;
use std::sync::Arc;

use baken_schemas::device::DeviceKeys;
use baken_schemas::edition::signed::EditionRoot;
use baken_schemas::id::DeviceId;
use baken_schemas::org::OrgId;
use baken_schemas::time::{Clock, Timestamp};
use rand_core::CryptoRng;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::audit::{self, Strangers};
use crate::rates::AddressRates;
use crate::store::{Disk, Priority, Schema, Store, StoreError, StoreOptions};
use acknowledged::Acknowledged;
use clearing::Places;
use deadlines::Deadlines;
use presence::Presence;
use pulse::Pulse;
use quota::Quota;
use taken::Taken;
use trust::Trust;
use wakes::Wakes;

/// The relay's database.
pub const SCHEMA: Schema = Schema {
    file: "relay.db",
    migrations: &[
        include_str!("schema_1.sql"),
        audit::TABLE,
        include_str!("schema_2.sql"),
        include_str!("schema_2_blob.sql"),
        include_str!("schema_3.sql"),
        include_str!("schema_4_sms.sql"),
        include_str!("schema_5_deposit.sql"),
        include_str!("schema_6_alarm_chunk.sql"),
        include_str!("schema_7_edition.sql"),
        include_str!("schema_8_escalation.sql"),
        include_str!("schema_9_cleared.sql"),
        audit::START_TABLE,
        include_str!("schema_10_audit_node.sql"),
        include_str!("schema_11_follow_up.sql"),
        include_str!("schema_12_handing_on.sql"),
        include_str!("schema_13_plan.sql"),
        include_str!("schema_14_family_follow_up.sql"),
        include_str!("schema_15_fewer_pages.sql"),
        include_str!("schema_16_dismissal.sql"),
        include_str!("schema_17_signed_timers.sql"),
    ],
};

/// What a relay is told beside its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayOptions {
    /// Under which `host:port` it is called, the port left out when it is 443; requests for others are refused.
    pub authorities: Vec<String>,
    /// Its operator also holds a desk's key.
    pub operator_reads_alarms: bool,
    /// How many bytes of entries and chunks a circle may have.
    pub circle_quota_bytes: u64,
    /// Who publishes the national edition; without it the relay has none.
    pub national_root: Option<EditionRoot>,
    /// How long a closed alarm is kept, in milliseconds.
    pub closed_kept_ms: i64,
    /// The web origin whose pages may read its answers.
    pub app_origin: Option<String>,
    /// How long after somebody has seen an alarm something must follow, in milliseconds, before the next rung is called.
    pub follow_up_ms: i64,
}

/// How many days a closed alarm is kept where nothing else is said.
pub const DEFAULT_CLOSED_KEPT_DAYS: NonZeroU16 = NonZeroU16::new(30).unwrap();
/// The usual wait, in milliseconds: three times that of a desk, which reopens by itself when it can.
pub const FOLLOW_UP_MS: i64 = 15 * 60_000;

impl Default for RelayOptions {
    /// No authority yet, the usual quota and waits, and no national edition.
    fn default() -> Self {
        let circle_quota_bytes = u64::from(DEFAULT_QUOTA_MIB.get()) << 20;
        let closed_kept_ms = days_ms(DEFAULT_CLOSED_KEPT_DAYS);
        Self {
            authorities: Vec::new(),
            operator_reads_alarms: false,
            circle_quota_bytes,
            national_root: None,
            closed_kept_ms,
            app_origin: None,
            follow_up_ms: FOLLOW_UP_MS,
        }
    }
}

/// Days in milliseconds.
pub fn days_ms(days: NonZeroU16) -> i64 {
    i64::from(days.get()) * 24 * 60 * 60 * 1000
}

/// A relay. Cheap to clone.
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("device", &self.0.keys.device).finish_non_exhaustive()
    }
}

struct Inner {
    store: Store,
    keys: Arc<DeviceKeys>,
    clock: Arc<dyn Clock>,
    options: RelayOptions,
    generation: u64,
    trust: Trust,
    wakes: Wakes,
    acknowledged: Acknowledged,
    taken: Taken,
    places: Places,
    presence: Presence,
    pulse: Pulse,
    offers: AddressRates,
    sealed_roots: AddressRates,
    publications: AddressRates,
    changes: Semaphore,
    strangers: Strangers,
    deadlines: Deadlines,
    stopping: watch::Sender<bool>,
    chunk_turns: Semaphore,
}

impl Relay {
    /// Opens the relay's database, or makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(
        disk: &Disk,
        store: StoreOptions,
        keys: DeviceKeys,
        clock: Arc<dyn Clock>,
        rng: &mut (dyn CryptoRng + Send),
        options: RelayOptions,
    ) -> Result<Self, StoreError> {
        let store = Store::open(disk, &SCHEMA, store)?;
        // SQLite's numbers have a sign.
        let fresh = rng.next_u64() >> 1;
        let generation = store.write(Priority::Normal, move |db| generation(db, fresh)).await?;
        let trust = store.read(Trust::load)?;
        let pulse = Pulse::from(clock.now());
        Ok(Self(Arc::new(Inner {
            store,
            keys: Arc::new(keys),
            clock,
            options,
            generation,
            trust,
            wakes: Wakes::default(),
            acknowledged: Acknowledged::default(),
            taken: Taken::default(),
            places: Places::default(),
            presence: Presence::default(),
            pulse,
            offers: AddressRates::default(),
            sealed_roots: AddressRates::default(),
            publications: AddressRates::default(),
            changes: Semaphore::new(1),
            strangers: Strangers::default(),
            deadlines: Deadlines::default(),
            stopping: watch::channel(false).0,
            chunk_turns: Semaphore::new(blobs::CHUNKS_AT_ONCE),
        })))
    }

    /// From now on the relay serves this organisation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_org(&self, org: OrgId) -> Result<(), StoreError> {
        let now = self.now();
        self.store().write(Priority::Normal, move |db| add_org(db, org, now)).await?;
        self.trust().take(org, None);
        Ok(())
    }

    /// Ends live streams and takes no new ones; other requests go on. Call it before the server drains.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Finishes what is queued and closes the database. Blocks.
    pub fn close(&self) {
        self.stop();
        self.0.store.close();
    }

    /// Whether it can take writes, and its ladders climb.
    pub fn is_ready(&self) -> bool {
        self.0.store.is_open() && !self.0.pulse.is_stalled() && !*self.0.stopping.borrow()
    }

    /// Its store, for `verify` and tests that look inside.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The present moment by its clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn keys(&self) -> Arc<DeviceKeys> {
        Arc::clone(&self.0.keys)
    }

    fn options(&self) -> &RelayOptions {
        &self.0.options
    }

    fn quota(&self) -> Quota {
        Quota::of_bytes(self.0.options.circle_quota_bytes)
    }

    /// Waits until one more chunk may go to the writer.
    async fn chunk_turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.0.chunk_turns.acquire().await.map_err(|_| StoreError::Stopped)
    }

    fn generation(&self) -> u64 {
        self.0.generation
    }

    fn trust(&self) -> &Trust {
        &self.0.trust
    }

    fn wakes(&self) -> &Wakes {
        &self.0.wakes
    }

    fn acknowledged(&self) -> &Acknowledged {
        &self.0.acknowledged
    }

    fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    fn taken(&self) -> &Taken {
        &self.0.taken
    }

    fn places(&self) -> &Places {
        &self.0.places
    }

    fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// How often offers are laid down.
    fn offers(&self) -> &AddressRates {
        &self.0.offers
    }

    /// How often sealed roots are asked for.
    fn sealed_roots(&self) -> &AddressRates {
        &self.0.sealed_roots
    }

    /// How often editions are published.
    fn publications(&self) -> &AddressRates {
        &self.0.publications
    }

    /// Room to work out how a file changed.
    fn changes(&self) -> &Semaphore {
        &self.0.changes
    }

    /// Bounds what strangers write into the audit.
    fn strangers(&self) -> &Strangers {
        &self.0.strangers
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    fn deadlines(&self) -> &Deadlines {
        &self.0.deadlines
    }

    /// Whether a request was meant for this relay.
    fn is_called(&self, authority: &str) -> bool {
        let authority = authority.strip_suffix(":443").unwrap_or(authority);
        self.0.options.authorities.iter().any(|own| own.eq_ignore_ascii_case(authority))
    }

    /// Whether a device id is the relay's own or a desk's.
    fn is_taken(&self, device: DeviceId) -> bool {
        device == self.0.keys.device || !self.trust().desk(device).is_empty()
    }
}

/// The database's generation, set when it is new.
fn generation(db: &Connection, fresh: u64) -> Result<u64, StoreError> {
    let there = db.query_row("SELECT generation FROM relay", [], |row| row.get(0)).optional()?;
    if let Some(there) = there {
        return Ok(there);
    }
    db.execute("INSERT INTO relay (one, generation) VALUES (1, ?1)", [fresh])?;
    Ok(fresh)
}

/// Adds an organisation to those served.
///
/// # Errors
/// [`StoreError`].
pub fn add_org(db: &Connection, org: OrgId, now: Timestamp) -> Result<(), StoreError> {
    db.execute("INSERT OR IGNORE INTO org (org, added_at) VALUES (?1, ?2)", params![org.0.0, now.0])?;
    Ok(())
}
