//! The core itself under the workload of `bench core`: a phone and a tablet of one account, and a relay's real router
//! in process between them. The relay's work is measured apart and taken off.
//!
//! Every edit of the core is durable. "Without durability" is the same code on a file system in memory, where
//! fdatasync costs nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use baken_core::key_store::BiometricKey;
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_core::{Baken as Phone, BakenError};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::RecordId;
use baken_schemas::org::{OrgId, RelayEntry};
use baken_schemas::record::Value;
use baken_schemas::time::SystemClock;
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, StoreOptions};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::core::{Aside, Contestant, FIELDS, RECORDS};
use super::cpu_time;
use super::phone::{PIN, invite, memory, pair, phone_in};
use crate::fleet::Org;
use crate::sim::network::{AUTHORITY, Network};

/// What a dossier holds many of, with its text fields.
const KIND: &str = "incident";
const FIELD_NAMES: [&str; FIELDS] = ["what", "place", "source", "witnesses", "reported_to"];

/// The network, with what the relay costs behind it.
pub struct Counted {
    /// The network.
    pub network: Network,
    relay_cpu_ns: AtomicU64,
    received_bytes: AtomicU64,
}

impl Counted {
    /// A network with nobody on it.
    pub fn new(seed: u64) -> Self {
        Self { network: Network::new(seed), relay_cpu_ns: AtomicU64::new(0), received_bytes: AtomicU64::new(0) }
    }

    /// The bytes of all answers since this was asked last.
    pub fn take(&self) -> u64 {
        self.received_bytes.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Counted {
    fn authority(&self) -> &str {
        self.network.authority()
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let before = cpu_time();
        let response = self.network.send(request).await;
        let cost = cpu_time().saturating_sub(before);
        self.relay_cpu_ns.fetch_add(u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Ok(response) = &response {
            self.received_bytes.fetch_add(response.body.len() as u64, Ordering::Relaxed);
        }
        response
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.network.live(request).await
    }
}

/// A phone with the workload in it; and, after [`Contestant::fill`], its tablet and relay.
pub struct Baken {
    runtime: tokio::runtime::Runtime,
    phone: Phone,
    records: Vec<RecordId>,
    home: PathBuf,
    finger: Finger,
    rest: Option<Rest>,
}

/// A platform's key that asks nobody, and remembers when it was used.
#[derive(Default)]
struct Finger {
    unwrapped: Mutex<Option<Instant>>,
}

impl BiometricKey for Finger {
    fn wrap(&self, key: &SymmetricKey) -> Result<Vec<u8>, BakenError> {
        Ok(key.as_bytes().to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<SymmetricKey, BakenError> {
        *self.unwrapped.lock().unwrap_or_else(PoisonError::into_inner) = Some(super::now());
        SymmetricKey::from_slice(wrapped).ok_or(BakenError::BiometricRefused)
    }
}

struct Rest {
    tablet: Phone,
    wire: Arc<Counted>,
    _relay: Relay,
    _scratch: tempfile::TempDir,
}

impl Baken {
    fn sync(&self, device: &Phone, wire: &Counted) -> Result<()> {
        loop {
            let counts = self.runtime.block_on(device.sync(wire))?;
            if counts.sent == 0 && counts.received == 0 {
                return Ok(());
            }
        }
    }
}

/// A relay, and a phone and a tablet of one account.
///
/// # Errors
/// When a step fails.
pub async fn account(scratch: &Path, wire: &Counted) -> Result<(Relay, Phone, Phone)> {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let root = SigningKey::make(&mut rng);
    let keys = DeviceKeys::make(&mut rng);
    let tls_root = b"a certificate that nobody asks for".to_vec();
    let entry = RelayEntry {
        relay: keys.device,
        sig: keys.sig.verify_key(),
        urls: vec![format!("https://{AUTHORITY}")],
        tls_roots: vec![tls_root.into()],
        operator_reads_alarms: false,
    };
    let relay_folder = scratch.join("relay");
    std::fs::create_dir_all(&relay_folder)?;
    let options = RelayOptions { authorities: vec![AUTHORITY.to_owned()], ..RelayOptions::default() };
    let relay = Relay::open(
        &Disk::new(relay_folder),
        StoreOptions { inline: true, ..StoreOptions::default() },
        keys,
        Arc::new(SystemClock),
        &mut rng,
        options,
    )
    .await?;
    relay.add_org(OrgId::of(&root.verify_key())).await?;
    wire.network.connect(Some(relay.router()));
    let org = Org::make(entry, root, 1, 3600, &mut rng);
    let (invite, registration) = invite(&org, &mut rng)?;
    for document in [org.directory.bytes(), registration.bytes()] {
        let request = Request {
            method: http::Method::POST,
            path_and_query: baken_schemas::api::ORG_DOCUMENTS.to_owned(),
            headers: Vec::new(),
            body: document.to_vec(),
        };
        let answer = wire.send(request).await?;
        ensure!((200..300).contains(&answer.status), "the relay answered {}", answer.status);
    }
    let phone = phone_in(&scratch.join("phone"), 4)?;
    phone.activate(wire, &invite, PIN, "phone").await?;
    let tablet = phone_in(&scratch.join("tablet"), 5)?;
    pair(&phone, &tablet, wire, wire, "tablet").await?;
    Ok((relay, phone, tablet))
}

impl Contestant for Baken {
    const NAME: &'static str = "baken";

    fn fill(value: &dyn Fn(usize, usize) -> String) -> Result<Self> {
        let scratch = memory()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let wire = Arc::new(Counted::new(6));
        let (relay, phone, tablet) = runtime.block_on(account(scratch.path(), &wire))?;
        let mut records = Vec::with_capacity(RECORDS);
        for record in 0..RECORDS {
            let fields =
                FIELD_NAMES.iter().enumerate().map(|(n, name)| ((*name).to_owned(), Value::Text(value(record, n))));
            records.push(phone.create(KIND, fields.collect())?);
        }
        let home = scratch.path().join("phone");
        let rest = Some(Rest { tablet, wire, _relay: relay, _scratch: scratch });
        let filled = Self { runtime, phone, records, home, finger: Finger::default(), rest };
        let rest = filled.rest.as_ref().context("it was just made")?;
        filled.sync(&filled.phone, &rest.wire)?;
        filled.sync(&rest.tablet, &rest.wire)?;
        Ok(filled)
    }

    fn save(&mut self, folder: &Path) -> Result<()> {
        self.phone.lock();
        let home = folder.join("home");
        if self.home != home {
            std::fs::create_dir_all(&home)?;
            for file in std::fs::read_dir(&self.home)? {
                let file = file?;
                std::fs::copy(file.path(), home.join(file.file_name()))?;
            }
            self.home.clone_from(&home);
            self.phone = phone_in(&home, 7)?;
        }
        let list: Vec<String> = self.records.iter().map(ToString::to_string).collect();
        std::fs::write(folder.join("records"), list.join("\n"))?;
        self.phone.unlock(PIN)?;
        self.phone.set_biometric(PIN, Some(&self.finger))?;
        Ok(())
    }

    fn open(folder: &Path) -> Result<Self> {
        let list = std::fs::read_to_string(folder.join("records"))?;
        let records = list.lines().map(str::parse).collect::<Result<_, _>>()?;
        let home = folder.join("home");
        let phone = phone_in(&home, 8)?;
        let finger = Finger::default();
        phone.unlock_biometric(&finger)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self { runtime, phone, records, home, finger, rest: None })
    }

    fn read(&mut self, record: usize) -> Result<usize> {
        Ok(self.phone.record(*self.records.get(record).context("the record is there")?)?.fields.len())
    }

    fn edit(&mut self, record: usize, field: usize, value: String, durable: bool) -> Result<()> {
        ensure!(durable != self.home.starts_with("/dev/shm"), "durable edits are made on the disk");
        let id = *self.records.get(record).context("the record is there")?;
        let name = *FIELD_NAMES.get(field).context("the field is there")?;
        Ok(self.phone.put(id, vec![(name.to_owned(), Value::Text(value))])?)
    }

    fn remote_edits(&mut self, edits: &[(usize, usize, String)]) -> Result<Vec<u8>> {
        let rest = self.rest.as_ref().context("the tablet is there")?;
        self.sync(&self.phone, &rest.wire)?;
        self.sync(&rest.tablet, &rest.wire)?;
        for (record, field, value) in edits {
            let id = *self.records.get(*record).context("the record is there")?;
            let name = *FIELD_NAMES.get(*field).context("the field is there")?;
            rest.tablet.put(id, vec![(name.to_owned(), Value::Text(value.clone()))])?;
        }
        self.sync(&rest.tablet, &rest.wire)?;
        rest.wire.received_bytes.store(0, Ordering::Relaxed);
        rest.wire.relay_cpu_ns.store(0, Ordering::Relaxed);
        // The update lies at the relay; `apply` fetches it.
        Ok(Vec::new())
    }

    fn apply(&mut self, _update: &[u8]) -> Result<Aside> {
        let rest = self.rest.as_ref().context("the tablet is there")?;
        self.runtime.block_on(self.phone.sync(&*rest.wire))?;
        Ok(Aside {
            cpu: Duration::from_nanos(rest.wire.relay_cpu_ns.load(Ordering::Relaxed)),
            bytes: rest.wire.received_bytes.load(Ordering::Relaxed),
        })
    }

    fn key_at(&self) -> Option<Instant> {
        *self.finger.unwrapped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
