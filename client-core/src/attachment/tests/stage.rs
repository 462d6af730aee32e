//! A device with a folder of its own, and a relay in memory that counts what it is asked and can be told to lie.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use baken_schemas::api::{BlobChunks, ChunkThere, Problem};
use baken_schemas::blob::{BlobRef, leaf};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use baken_schemas::time::{Clock, Timestamp};
use bytes::Bytes;
use minicbor::bytes::ByteVec;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use crate::attachment::{BlobStore, Progress, download, open_to, seal_file, upload};
use crate::client::SignedClient;
use crate::key_store::{KeyStore, PlatformSecret};
use crate::transport::{EventStream, Request, Response, Transport, TransportError};
use crate::{BakenError, Context};

pub(super) const CIRCLE: CircleId = CircleId([5; 16]);

/// A clock that goes on by so much with every look at it.
struct SteppingClock {
    now: AtomicI64,
    step_ms: i64,
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.fetch_add(self.step_ms, Ordering::Relaxed))
    }
}

struct NoKeyStore;

impl KeyStore for NoKeyStore {
    fn load(&self) -> Result<Option<PlatformSecret>, BakenError> {
        Ok(None)
    }
    fn store(&self, _: &PlatformSecret) -> Result<(), BakenError> {
        Err(BakenError::KeyStoreLost)
    }
    fn forget(&self) -> Result<(), BakenError> {
        Ok(())
    }
}

/// One device.
pub(super) struct Device {
    pub(super) folder: TempDir,
    pub(super) store: BlobStore,
    pub(super) context: Context,
    pub(super) keys: DeviceKeys,
    /// What the last transfer told of its progress.
    pub(super) told: Mutex<Vec<Progress>>,
}

impl Device {
    pub(super) fn new(seed: u64) -> Self {
        Self::on_a_line(seed, 0)
    }

    /// A device on whose clock every request takes so long or longer.
    pub(super) fn on_a_line(seed: u64, step_ms: i64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let clock = SteppingClock { now: AtomicI64::new(1_795_465_407_000), step_ms };
        let store = BlobStore::new(folder.path().join("blobs"));
        let keys = DeviceKeys::make(&mut rng);
        let context = Context::new(Arc::new(clock), Box::new(rng), Arc::new(NoKeyStore));
        Self { folder, store, context, keys, told: Mutex::default() }
    }

    pub(super) fn seal(&self, file: &[u8]) -> BlobRef {
        seal_file(&self.store, &self.context, &mut Cursor::new(file), &|_| ()).unwrap()
    }

    pub(super) async fn upload(&self, relay: &Relay, blob: &BlobRef) -> Result<(), BakenError> {
        self.told.lock().unwrap().clear();
        let tell = |progress| self.told.lock().unwrap().push(progress);
        let client = SignedClient::of_device(relay, &self.keys);
        upload(&client, &self.context, &self.store, CIRCLE, blob, &tell).await
    }

    pub(super) async fn download(&self, relay: &Relay, blob: &BlobRef) -> Result<(), BakenError> {
        self.told.lock().unwrap().clear();
        let tell = |progress| self.told.lock().unwrap().push(progress);
        let client = SignedClient::of_device(relay, &self.keys);
        download(&client, &self.context, &self.store, CIRCLE, blob, &tell).await
    }

    pub(super) fn open(&self, blob: &BlobRef) -> Result<Vec<u8>, BakenError> {
        let mut file = Vec::new();
        let opened = open_to(&self.store, blob, &mut file);
        assert!(opened.is_ok() || file.is_empty(), "something of a damaged attachment was shown");
        opened.map(|()| file)
    }

    /// Where a chunk lies.
    pub(super) fn chunk_file(&self, blob: &BlobRef, index: u32) -> PathBuf {
        self.folder.path().join("blobs").join(blob.blob.to_string()).join(index.to_string())
    }

    /// Every file and folder under `blobs`.
    pub(super) fn left_behind(&self) -> Vec<PathBuf> {
        let Ok(blobs) = fs::read_dir(self.folder.path().join("blobs")) else { return Vec::new() };
        let mut found = Vec::new();
        for blob in blobs.map(|entry| entry.unwrap().path()) {
            found.extend(fs::read_dir(&blob).unwrap().map(|entry| entry.unwrap().path()));
            found.push(blob);
        }
        found
    }
}

/// A chunk at the relay: the leaf that it lists and the bytes that it gives.
#[derive(Clone)]
pub(super) struct Lying {
    pub(super) leaf: Hash,
    pub(super) bytes: Vec<u8>,
}

/// A relay in memory.
#[derive(Default)]
pub(super) struct Relay {
    /// By place. Every test has one blob.
    pub(super) chunks: Mutex<BTreeMap<u32, Lying>>,
    /// Method and last part of the path of every request.
    pub(super) asked: Mutex<Vec<String>>,
    /// After so many chunks the line goes dead.
    pub(super) breaks_after: Mutex<Option<usize>>,
    /// After so many chunks the circle is full.
    pub(super) full_after: Mutex<Option<usize>>,
    /// How many requests are on their way, and the most that there were.
    pub(super) on_their_way: AtomicUsize,
    pub(super) most_at_once: AtomicUsize,
    /// Chunks that it lists and does not give.
    pub(super) withheld: Mutex<Vec<u32>>,
}

impl Relay {
    /// How many chunks went over the line since the last time.
    pub(super) fn take_chunk_requests(&self) -> usize {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().filter(|asked| !asked.ends_with("list")).count()
    }

    pub(super) fn with_chunks<T>(&self, change: impl FnOnce(&mut BTreeMap<u32, Lying>) -> T) -> T {
        change(&mut self.chunks.lock().unwrap())
    }

    fn chunk(&self, request: &Request, index: u32) -> Result<Response, TransportError> {
        let mut breaks_after = self.breaks_after.lock().unwrap();
        match breaks_after.as_mut() {
            Some(0) => return Err(TransportError::Unreachable),
            Some(left) => *left -= 1,
            None => {}
        }
        let mut chunks = self.chunks.lock().unwrap();
        if request.method == http::Method::PUT {
            let sealed: ByteVec = cbor::from_slice(&request.body, "a chunk").unwrap();
            if self.full_after.lock().unwrap().is_some_and(|most| chunks.len() >= most) {
                return Ok(problem(413, "quota_full"));
            }
            let (leaf, bytes) = (leaf(&sealed), sealed.to_vec());
            let there = chunks.entry(index).or_insert(Lying { leaf, bytes });
            assert_eq!(there.leaf, leaf, "other bytes were sent for a chunk");
            return Ok(ok(Vec::new()));
        }
        if self.withheld.lock().unwrap().contains(&index) {
            return Ok(problem(404, "not_found"));
        }
        Ok(match chunks.get(&index) {
            Some(chunk) => ok(cbor::to_vec(&ByteVec::from(chunk.bytes.clone()))),
            None => problem(404, "not_found"),
        })
    }
}

fn ok(body: Vec<u8>) -> Response {
    Response { status: 200, body: Bytes::from(body) }
}

fn problem(status: u16, code: &str) -> Response {
    let (title, detail) = (String::new(), String::new());
    let problem = Problem { kind: String::new(), title, status, detail, code: code.to_owned() };
    Response { status, body: Bytes::from(serde_json::to_vec(&problem).unwrap()) }
}

#[async_trait]
impl Transport for Relay {
    fn authority(&self) -> &str {
        "relay.example"
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let on_their_way = self.on_their_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(on_their_way, Ordering::Relaxed);
        // Others get their turn, as they would while a network is slow.
        tokio::task::yield_now().await;
        self.on_their_way.fetch_sub(1, Ordering::Relaxed);
        let (_, behind) = request.path_and_query.split_once("/blobs/").unwrap();
        let index = behind.split_once('/').map(|(_, index)| index.parse::<u32>().unwrap());
        let last = index.map_or_else(|| "list".to_owned(), |index| index.to_string());
        self.asked.lock().unwrap().push(format!("{} {last}", request.method));
        if let Some(index) = index {
            return self.chunk(&request, index);
        }
        let listed = self.with_chunks(|chunks| {
            chunks.iter().map(|(index, chunk)| ChunkThere { index: *index, leaf: chunk.leaf }).collect()
        });
        Ok(ok(cbor::to_vec(&BlobChunks { chunks: listed })))
    }

    async fn live(&self, _: Request) -> Result<EventStream, TransportError> {
        Err(TransportError::Unreachable)
    }
}
