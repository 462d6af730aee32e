//! Attachments through the real relay, over a line that loses requests and answers and repeats others, with the relay
//! killed and its bytes altered on its disk.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use baken_core::attachment::{BlobStore, Progress, delete, download, open_to, seal_file, upload, usage};
use baken_core::client::{SignedClient, send_unsigned};
use baken_core::key_store::FileKeyStore;
use baken_core::{BakenError, Context};
use baken_schemas::api::{self, Activation};
use baken_schemas::blob::{BlobRef, CHUNK_BYTES, sealed_len};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, IdempotencyKey};
use baken_schemas::org::RelayEntry;
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, StoreOptions};
use baken_tests::circle::Writer;
use baken_tests::fleet::Org;
use baken_tests::sim::clock::SimClock;
use baken_tests::sim::network::{AUTHORITY, Network, Weather};
use http::Method;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

/// The most times a transfer is taken up again before the line is to blame.
const MOST_TRIES: usize = 200;

/// A relay, and a device that is the one member of a circle there.
struct Town {
    folder: tempfile::TempDir,
    clock: SimClock,
    network: Network,
    relay: Relay,
    relay_keys: DeviceKeys,
    keys: DeviceKeys,
    context: Context,
    circle: CircleId,
    rng: ChaCha20Rng,
}

fn quiet(_: Progress) {}

impl Town {
    async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimClock::at(Timestamp(1_795_465_407_000));
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let relay_keys = DeviceKeys::make(&mut rng);
        let entry = RelayEntry {
            relay: relay_keys.device,
            sig: relay_keys.sig.verify_key(),
            urls: vec![format!("https://{AUTHORITY}")],
            tls_roots: Vec::new(),
            operator_reads_alarms: false,
        };
        let org = Org::make(entry, SigningKey::make(&mut rng), 1, 30, &mut rng);
        let network = Network::new(11);
        let relay = open_relay(folder.path(), &relay_keys, &clock, &mut rng).await;
        relay.add_org(org.directory.value().org()).await.unwrap();
        network.connect(Some(relay.router()));
        let (invite, registration) = org.invite(clock.now(), &mut rng);
        for document in [org.directory.bytes(), registration.bytes()] {
            send_unsigned(&network, Method::POST, api::ORG_DOCUMENTS, document.to_vec()).await.unwrap();
        }
        let keys = DeviceKeys::make(&mut rng);
        let activation = cbor::to_vec(&Activation {
            invite: invite.invite,
            token: invite.relay_token(),
            identity: keys.identity().bytes().to_vec().into(),
        });
        let (writer, records) = Writer::found(&keys, &mut rng).unwrap();
        let client = SignedClient::of_device(&network, &keys);
        let send = |path: String, body: Vec<u8>, key| async move { client.send(Method::POST, &path, body, key).await };
        send(api::ACTIVATE.to_owned(), activation, IdempotencyKey::make(&mut rng)).await.unwrap();
        for record in &records {
            let path = api::LOG.replace("{circle}", &writer.circle().to_string());
            send(path, record.bytes().to_vec(), IdempotencyKey::make(&mut rng)).await.unwrap();
        }
        let key_store = Arc::new(FileKeyStore::new(folder.path().join("platform.key")));
        let context = Context::new(Arc::new(clock.clone()), Box::new(ChaCha20Rng::seed_from_u64(12)), key_store);
        let circle = writer.circle();
        Self { folder, clock, network, relay, relay_keys, keys, context, circle, rng }
    }

    /// What one of the person's devices keeps.
    fn store(&self, name: &str) -> BlobStore {
        BlobStore::new(self.folder.path().join(name).join("blobs"))
    }

    async fn upload(&self, store: &BlobStore, blob: &BlobRef) -> Result<(), BakenError> {
        let client = SignedClient::of_device(&self.network, &self.keys);
        upload(&client, &self.context, store, self.circle, blob, &quiet).await
    }

    async fn download(&self, store: &BlobStore, blob: &BlobRef) -> Result<(), BakenError> {
        let client = SignedClient::of_device(&self.network, &self.keys);
        download(&client, &self.context, store, self.circle, blob, &quiet).await
    }

    async fn used(&self) -> u64 {
        let client = SignedClient::of_device(&self.network, &self.keys);
        usage(&client, &self.context, self.circle).await.unwrap().used
    }

    /// Stops the relay, lets `change` loose on its database, and starts it again.
    async fn restart(&mut self, change: &str) {
        self.network.connect(None);
        self.relay.close();
        let database = rusqlite::Connection::open(self.folder.path().join("relay").join("relay.db")).unwrap();
        database.execute_batch(change).unwrap();
        drop(database);
        self.relay = open_relay(self.folder.path(), &self.relay_keys, &self.clock, &mut self.rng).await;
        self.network.connect(Some(self.relay.router()));
    }
}

async fn open_relay(folder: &Path, keys: &DeviceKeys, clock: &SimClock, rng: &mut ChaCha20Rng) -> Relay {
    let dir = folder.join("relay");
    std::fs::create_dir_all(&dir).unwrap();
    let options = RelayOptions { authorities: vec![AUTHORITY.to_owned()], ..RelayOptions::default() };
    let store = StoreOptions { inline: true, ..StoreOptions::default() };
    Relay::open(&Disk::new(dir), store, keys.clone(), Arc::new(clock.clone()), rng, options).await.unwrap()
}

fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / CHUNK_BYTES * 7 + at % 253) as u8).collect()
}

#[tokio::test]
async fn an_attachment_gets_through_a_bad_line_whole_and_is_counted_once() {
    let mut town = Town::found().await;
    let (phone, tablet) = (town.store("phone"), town.store("tablet"));
    let sent = file(12 * CHUNK_BYTES + 5);
    let blob = seal_file(&phone, &town.context, &mut Cursor::new(&sent), &quiet).unwrap();
    town.network.set_weather(Weather { lose_requests: 20, repeat: 30, lose_answers: 20, ..Weather::FAIR });
    let mut tries = 0;
    while let Err(error) = town.upload(&phone, &blob).await {
        assert!(matches!(error, BakenError::NotReached), "{error:?}");
        tries += 1;
        assert!(tries < MOST_TRIES);
        if tries == 3 {
            town.restart("").await;
        }
    }
    assert!(tries > 3, "the line is worse than that");
    while let Err(error) = town.download(&tablet, &blob).await {
        assert!(matches!(error, BakenError::NotReached), "{error:?}");
        tries += 1;
        assert!(tries < MOST_TRIES);
    }
    let mut found = Vec::new();
    open_to(&tablet, &blob, &mut found).unwrap();
    assert!(found == sent);
    town.network.set_weather(Weather::FAIR);
    let expected = 12 * sealed_len(CHUNK_BYTES) + sealed_len(5);
    assert_eq!(town.used().await, expected as u64);
    let client = SignedClient::of_device(&town.network, &town.keys);
    delete(&client, &town.context, town.circle, blob.blob).await.unwrap();
    assert_eq!(town.used().await, 0);
    assert!(matches!(town.download(&town.store("third"), &blob).await, Err(BakenError::AttachmentNotThere)));
    // Who still has it can bring it back.
    town.upload(&tablet, &blob).await.unwrap();
    town.download(&town.store("third"), &blob).await.unwrap();
}

#[tokio::test]
async fn chunks_altered_on_the_relays_disk_are_refused() {
    let mut town = Town::found().await;
    let phone = town.store("phone");
    let blob = seal_file(&phone, &town.context, &mut Cursor::new(file(3 * CHUNK_BYTES)), &quiet).unwrap();
    town.upload(&phone, &blob).await.unwrap();
    let swap = "UPDATE blob_chunk SET bytes = (SELECT bytes FROM blob_chunk WHERE chunk = 2) WHERE chunk = 1;";
    let swap_with_leaf = "UPDATE blob_chunk SET leaf = (SELECT leaf FROM blob_chunk WHERE chunk = 2) WHERE chunk = 1;";
    let cut = "UPDATE blob_chunk SET bytes = substr(bytes, 1, 1000) WHERE chunk = 0;";
    for (change, words) in [
        (swap, "a chunk lies in another's place"),
        (swap_with_leaf, "the relay's list of its chunks"),
        (cut, "the relay's list of its chunks"),
    ] {
        town.restart(change).await;
        match town.download(&town.store(words), &blob).await {
            Err(BakenError::AttachmentDamaged { part }) => assert_eq!(part, words),
            other => panic!("{other:?}"),
        }
    }
    town.restart("DELETE FROM blob_chunk WHERE chunk = 1;").await;
    assert!(matches!(town.download(&town.store("tablet"), &blob).await, Err(BakenError::AttachmentNotThere)));
}
