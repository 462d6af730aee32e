//! A relay's real router, its phones and its clock in one process: what stories about circles are told with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use baken_core::home::Home;
use baken_core::key_store::FileKeyStore;
use baken_core::pairing::{PairInto, Paired};
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_core::{Baken, Context};
use baken_schemas::api;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{Invite, RelayEntry};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, StoreOptions};
use baken_tests::fleet::Org;
use baken_tests::sim::clock::SimClock;
use baken_tests::sim::network::{AUTHORITY, Network};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use sha2::{Digest as _, Sha256};

pub const PIN: &str = "135790";
pub const TLS_ROOT: &[u8] = b"stands for a certificate";

pub struct Town {
    pub folder: tempfile::TempDir,
    pub clock: SimClock,
    pub network: Network,
    pub relay: Relay,
    pub relay_keys: DeviceKeys,
    pub org: Org,
    pub rng: ChaCha20Rng,
    /// How many bytes a circle may have, from the relay's next start on.
    pub quota: u64,
}

impl Town {
    pub async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimClock::at(Timestamp(1_795_465_407_000));
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let relay_keys = DeviceKeys::make(&mut rng);
        let entry = RelayEntry {
            relay: relay_keys.device,
            sig: relay_keys.sig.verify_key(),
            urls: vec![format!("https://{AUTHORITY}")],
            tls_roots: vec![TLS_ROOT.to_vec().into()],
            operator_reads_alarms: false,
        };
        let org = Org::make(entry, SigningKey::make(&mut rng), 2, 30, &mut rng);
        let network = Network::new(4);
        let quota = RelayOptions::default().circle_quota_bytes;
        let relay = open_relay(folder.path(), &relay_keys, &clock, quota, &mut rng).await;
        relay.add_org(org.directory.value().org()).await.unwrap();
        network.connect(Some(relay.router()));
        let town = Self { folder, clock, network, relay, relay_keys, org, rng, quota };
        town.publish(town.org.directory.bytes()).await;
        town
    }

    pub async fn publish(&self, document: &[u8]) {
        let request = Request {
            method: http::Method::POST,
            path_and_query: api::ORG_DOCUMENTS.to_owned(),
            headers: Vec::new(),
            body: document.to_vec(),
        };
        let answer = self.network.send(request).await.unwrap();
        assert!((200..300).contains(&answer.status), "{} {:?}", answer.status, answer.body);
    }

    pub async fn invite(&mut self) -> String {
        let (mut invite, registration) = self.org.invite(self.clock.now(), &mut self.rng);
        invite.relay_url = format!("https://{AUTHORITY}");
        invite.tls_root_sha256 = Sha256::digest(TLS_ROOT).into();
        self.publish(registration.bytes()).await;
        Invite::to_text(&Signed::make(invite, &self.org.root))
    }

    /// A phone in a folder of this name, as a program that was just started sees it.
    pub fn phone(&self, name: &str) -> Baken {
        let home = Home::open(&self.folder.path().join(name)).unwrap();
        let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
        let seed = Sha256::digest(format!("{name} {}", self.clock.now().0));
        let rng = Box::new(ChaCha20Rng::from_seed(seed.into()));
        Baken::open(home, Context::new(Arc::new(self.clock.clone()), rng, key_store))
    }

    pub async fn activated(&mut self, name: &str) -> Baken {
        let invite = self.invite().await;
        let phone = self.phone(name);
        phone.activate(&self.network, &invite, PIN, name).await.unwrap();
        phone
    }

    /// A device that pairs with `old`, and how that went on the old one's side.
    pub async fn pair(&self, old: &Baken, name: &str, into: PairInto) -> (Baken, Paired) {
        let new = self.phone(name);
        let mut start = new.pair_start(&self.network, PIN, name).await.unwrap();
        let mut accept = old.pair_accept(&self.network, &start.code_text()).await.unwrap();
        let digits = new.pair_digits(&mut start, &self.network).await.unwrap();
        let paired = old.pair_confirm(&mut accept, &self.network, &digits, PIN, into).await.unwrap();
        new.pair_join(&start, &self.network).await.unwrap();
        (new, paired)
    }

    /// A second device of the account, on the day of its activation.
    pub async fn paired(&self, old: &Baken, name: &str) -> Baken {
        let (new, paired) = self.pair(old, name, PairInto::Dossier).await;
        assert_eq!(paired.is_in_at, None);
        new
    }

    /// A further device of the account, which another of its devices confirms.
    pub async fn paired_with(&self, old: &Baken, other: &Baken, name: &str) -> Baken {
        let (new, paired) = self.pair(old, name, PairInto::Dossier).await;
        assert!(paired.is_in_at.is_some());
        other.sync(&self.network).await.unwrap();
        let home = other.status().unwrap().circle;
        other.confirm_device(&self.network, home, paired.device, PIN).await.unwrap();
        new.sync(&self.network).await.unwrap();
        new
    }

    /// Stops the relay, lets `change` loose on its database, and starts it again.
    pub async fn tamper(&mut self, change: &str) {
        self.network.connect(None);
        self.relay.close();
        let database = rusqlite::Connection::open(self.folder.path().join("relay").join("relay.db")).unwrap();
        database.execute_batch(change).unwrap();
        drop(database);
        self.relay = open_relay(self.folder.path(), &self.relay_keys, &self.clock, self.quota, &mut self.rng).await;
        self.network.connect(Some(self.relay.router()));
    }
}

pub async fn open_relay(
    folder: &Path,
    keys: &DeviceKeys,
    clock: &SimClock,
    circle_quota_bytes: u64,
    rng: &mut ChaCha20Rng,
) -> Relay {
    let dir = folder.join("relay");
    std::fs::create_dir_all(&dir).unwrap();
    let authorities = vec![AUTHORITY.to_owned()];
    let options = RelayOptions { authorities, circle_quota_bytes, ..RelayOptions::default() };
    let store = StoreOptions { inline: true, ..StoreOptions::default() };
    Relay::open(&Disk::new(dir), store, keys.clone(), Arc::new(clock.clone()), rng, options).await.unwrap()
}

/// Between phone and relay: lets so many requests through, or changes answers.
pub struct Between<'a> {
    pub network: &'a Network,
    pub left: AtomicUsize,
    pub lose_answer: bool,
    pub change: fn(&str, Response) -> Response,
}

#[async_trait]
impl Transport for Between<'_> {
    fn authority(&self) -> &str {
        AUTHORITY
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let cut = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        if cut && !self.lose_answer {
            return Err(TransportError::Unreachable);
        }
        let path = request.path_and_query.clone();
        let answer = self.network.send(request).await?;
        if cut { Err(TransportError::Unreachable) } else { Ok((self.change)(&path, answer)) }
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.network.live(request).await
    }
}
