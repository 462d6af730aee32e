//! The recorded run: a real relay, its store on the recording disk, called through its real router by two phones
//! and a desk. Every 2xx is a promise, and a mark in the recording.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use baken_schemas::alarm::{AlarmKind, Card, CardBody, Receipt, ReceiptState};
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::Entry;
use baken_schemas::id::{AlarmId, CircleId, DeviceId, IdempotencyKey};
use baken_schemas::org::RelayEntry;
use baken_schemas::request::{RequestKey, RequestParts, sign_request};
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, Priority, StoreError, StoreOptions};
use baken_tests::circle::Writer;
use baken_tests::fleet::Org;
use baken_tests::power_loss::{Fault, Log, Recorder};
use baken_tests::sim::clock::SimClock;
use bytes::Bytes;
use futures_util::future::try_join_all;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tower::ServiceExt as _;

/// How the relay is called.
const AUTHORITY: &str = "relay.test";
/// Rounds of one run: some 250 writes, of which up to seven at once, and a few checkpoints.
const ROUNDS: i64 = 40;
/// What a round takes by the relay's clock.
const ROUND_MS: i64 = 10_000;
/// How long a rung waits.
const WAIT_S: u32 = 60;

/// What a 2xx promised.
#[derive(Debug)]
pub enum Promise {
    /// The device is enrolled.
    Device { device: DeviceId },
    /// The alarm is kept and handed to the first rung; `stored` is the answer.
    Alarm { alarm: AlarmId, bytes: Bytes, stored: Bytes },
    /// The deposit lies ready, or is raised already.
    Deposit { deposit: AlarmId, bytes: Bytes },
    /// The deposit was raised: not a 2xx, but what `Relay::tick` says when it comes back.
    Raised { deposit: AlarmId },
    /// A desk's receipt is kept and passed on to the phone; a human's has stopped the ladder.
    Receipt { alarm: AlarmId, phone: DeviceId, bytes: Bytes, by_human: bool },
    /// The second rung was called: not a 2xx, but what `Relay::tick` says when it comes back.
    Climbed { alarm: AlarmId },
    /// The record is in its log.
    Record { circle: CircleId, seq: u64, bytes: Bytes },
    /// The entry is in its circle.
    Entry { circle: CircleId, counter: u64, bytes: Bytes },
    /// The card is there, or a newer one.
    Card { device: DeviceId, version: i64, bytes: Bytes },
}

/// Who and what the run was made of, to open its images with.
#[derive(Debug)]
pub struct Cast {
    /// The relay's keys.
    pub relay: DeviceKeys,
    /// The desks of the two rungs.
    pub desks: [DeviceId; 2],
    /// When the run ended.
    pub now: Timestamp,
}

impl Cast {
    /// What the relay is told.
    pub fn options() -> RelayOptions {
        RelayOptions { authorities: vec![AUTHORITY.to_owned()], ..RelayOptions::default() }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Run {
    /// What the disk saw; its marks are indices into `promises`.
    pub log: Log,
    /// What was promised.
    pub promises: Vec<Promise>,
    /// Who took part.
    pub cast: Cast,
}

/// How durable the store under test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As it is.
    AsBuilt,
    /// With `synchronous` lowered to `NORMAL` behind its back.
    Lowered,
}

/// A write of a device, ready to be sent.
struct Write<'keys> {
    signer: (&'keys DeviceKeys, RequestKey),
    method: &'static str,
    path: String,
    body: Vec<u8>,
    idempotency: IdempotencyKey,
    promise: Promise,
}

/// The relay as the devices reach it, and what it promised them.
struct Town<'run> {
    router: Router,
    recorder: &'run Recorder,
    promises: Mutex<Vec<Promise>>,
    /// What is refused is taken as an answer like any other: the disk fails.
    may_refuse: bool,
}

impl Town<'_> {
    fn promised(&self, promise: Promise) {
        let mut promises = self.promises.lock().unwrap_or_else(PoisonError::into_inner);
        self.recorder.mark(promises.len().to_string());
        promises.push(promise);
    }

    /// The body of a 2xx; `None` for a refusal, where that may be.
    async fn request(&self, request: http::Request<Body>) -> Result<Option<Bytes>> {
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), api::MAX_BODY_BYTES).await?;
        if self.may_refuse && !status.is_success() {
            return Ok(None);
        }
        ensure!(status.is_success(), "the relay answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(Some(body))
    }

    async fn publish(&self, document: &[u8]) -> Result<()> {
        let request = http::Request::post(api::ORG_DOCUMENTS).header("host", AUTHORITY);
        self.request(request.body(Body::from(document.to_vec()))?).await.map(drop)
    }

    async fn send(&self, write: Write<'_>) -> Result<()> {
        let Write { signer: (keys, which), method, path, body, idempotency, promise } = write;
        let parts = RequestParts { method, authority: AUTHORITY, path: &path, query: "", body: &body };
        let key = if which == RequestKey::Sig { &keys.sig } else { &keys.alarm };
        let headers = sign_request(&parts, keys.device, which, key, idempotency);
        let mut request = http::Request::builder().method(method).uri(&path).header("host", AUTHORITY);
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        let Some(answer) = self.request(request.body(Body::from(body))?).await? else { return Ok(()) };
        self.promised(match promise {
            Promise::Alarm { alarm, bytes, .. } => Promise::Alarm { alarm, bytes, stored: answer },
            other => other,
        });
        Ok(())
    }
}

/// What makes the writes.
struct Script {
    org: Org,
    clock: SimClock,
    rng: ChaCha20Rng,
}

impl Script {
    /// The beginning of every run, with the relay's keys.
    fn begin() -> (Self, DeviceKeys) {
        let mut rng = ChaCha20Rng::seed_from_u64(20_261_123);
        let clock = SimClock::at(Timestamp(1_795_000_000_000));
        let keys = DeviceKeys::make(&mut rng);
        let entry = RelayEntry {
            relay: keys.device,
            sig: keys.sig.verify_key(),
            urls: vec![format!("https://{AUTHORITY}")],
            tls_roots: Vec::new(),
            operator_reads_alarms: false,
        };
        let org = Org::make(entry, SigningKey::make(&mut rng), 2, WAIT_S, &mut rng);
        (Self { org, clock, rng }, keys)
    }

    fn cast(&self, relay: DeviceKeys) -> Result<Cast> {
        let [desk, other] = &self.org.desks[..] else { anyhow::bail!("the ladder has two rungs of one desk") };
        Ok(Cast { relay, desks: [desk.device, other.device], now: self.clock.now() })
    }

    async fn enrol(&mut self, town: &Town<'_>) -> Result<DeviceKeys> {
        let (invite, registration) = self.org.invite(self.clock.now(), &mut self.rng);
        town.publish(registration.bytes()).await?;
        let keys = DeviceKeys::make(&mut self.rng);
        let activation = api::Activation {
            invite: invite.invite,
            token: invite.relay_token(),
            identity: keys.identity().bytes().to_vec().into(),
        };
        let write = self.write(
            &keys,
            "POST",
            api::ACTIVATE,
            cbor::to_vec(&activation),
            Promise::Device { device: keys.device },
        );
        town.send(write).await?;
        Ok(keys)
    }

    fn write<'keys>(
        &mut self,
        keys: &'keys DeviceKeys,
        method: &'static str,
        path: &str,
        body: Vec<u8>,
        promise: Promise,
    ) -> Write<'keys> {
        let idempotency = IdempotencyKey::make(&mut self.rng);
        Write { signer: (keys, RequestKey::Sig), method, path: path.to_owned(), body, idempotency, promise }
    }

    fn alarm<'keys>(&mut self, keys: &'keys DeviceKeys) -> Result<(Pressed, Write<'keys>)> {
        let (alarm, _) = self.org.alarm(keys, AlarmKind::Panic, "help", &mut self.rng)?;
        let (id, hash, bytes) = (alarm.value().header.alarm, alarm.hash(), Bytes::copy_from_slice(alarm.bytes()));
        let pressed = Pressed { alarm: id, hash, phone: keys.device, last: Hash::ZERO };
        let write = Write {
            signer: (keys, RequestKey::Alarm),
            method: "POST",
            path: api::ALARMS.to_owned(),
            body: bytes.to_vec(),
            idempotency: IdempotencyKey(id.0),
            promise: Promise::Alarm { alarm: id, bytes, stored: Bytes::new() },
        };
        Ok((pressed, write))
    }

    fn deposit<'keys>(&mut self, keys: &'keys DeviceKeys) -> Result<(AlarmId, Write<'keys>)> {
        let (alarm, body) = self.org.deposit(keys, WAIT_S, "help", &mut self.rng)?;
        let deposit = alarm.value().header.alarm;
        let promise = Promise::Deposit { deposit, bytes: Bytes::copy_from_slice(alarm.bytes()) };
        Ok((deposit, self.write(keys, "POST", api::DEPOSITS, body, promise)))
    }

    fn receipt<'keys>(
        &mut self,
        desk: &'keys DeviceKeys,
        pressed: &mut Pressed,
        state: ReceiptState,
    ) -> Result<Write<'keys>> {
        let &mut Pressed { alarm, hash: alarm_hash, phone, last: prev } = pressed;
        let (at, by) = (self.clock.now(), desk.device);
        let receipt = Receipt { alarm, alarm_hash, state, at, by, prev, detail: Vec::new() };
        let receipt = Receipt::make(receipt, None, &desk.sig, &mut self.rng)?;
        pressed.last = receipt.hash();
        let bytes = Bytes::copy_from_slice(receipt.bytes());
        let promise = Promise::Receipt { alarm, phone, bytes: bytes.clone(), by_human: state.is_by_human() };
        Ok(self.write(desk, "POST", api::RECEIPTS, bytes.to_vec(), promise))
    }

    fn entries<'keys>(&mut self, keys: &'keys DeviceKeys, writer: &mut Writer) -> Result<Write<'keys>> {
        let entry: Entry = writer.entry(keys, 300, &mut self.rng)?;
        let batch = api::EntryBatch { entries: vec![entry.bytes().to_vec().into()] };
        let (circle, counter) = (writer.circle(), entry.header().counter);
        let path = api::ENTRIES.replace("{circle}", &circle.to_string());
        let promise = Promise::Entry { circle, counter, bytes: Bytes::copy_from_slice(entry.bytes()) };
        Ok(self.write(keys, "POST", &path, cbor::to_vec(&batch), promise))
    }

    fn record<'keys>(&mut self, keys: &'keys DeviceKeys, circle: CircleId, seq: u64, bytes: &[u8]) -> Write<'keys> {
        let path = api::LOG.replace("{circle}", &circle.to_string());
        let promise = Promise::Record { circle, seq, bytes: Bytes::copy_from_slice(bytes) };
        self.write(keys, "POST", &path, bytes.to_vec(), promise)
    }

    fn card<'keys>(&mut self, keys: &'keys DeviceKeys, version: i64) -> Result<Write<'keys>> {
        let key = SymmetricKey::make(&mut self.rng);
        let number = u64::try_from(version)?;
        let card = Card::seal(keys.device, number, &CardBody::default(), &key, &keys.sig, &mut self.rng)?;
        let path = api::CARD.replace("{device}", &keys.device.to_string());
        let promise = Promise::Card { device: keys.device, version, bytes: Bytes::copy_from_slice(card.bytes()) };
        Ok(self.write(keys, "PUT", &path, card.bytes().to_vec(), promise))
    }
}

/// An alarm on its way up.
struct Pressed {
    alarm: AlarmId,
    hash: Hash,
    phone: DeviceId,
    /// The desk's last receipt for it.
    last: Hash,
}

/// Runs the relay in `folder` and records its disk.
///
/// Each round presses two alarms, hands in a deposit and writes an entry, and the desk answers: the first phone's alarms are received and
/// seen, the second's climb and run out, as do the deposits once they are due. Now and then come a card, an epoch and a new device. All of a round is sent at
/// once, so that the writer commits groups.
pub async fn record(name: &str, folder: &Path, durability: Durability) -> Result<Run> {
    let recorder = Recorder::start(name, folder)?;
    let (mut script, relay) = Script::begin();
    let terms = Terms { durability, may_refuse: false };
    let promises = run_on(&recorder, folder, terms, &mut script, &relay).await?;
    Ok(Run { log: recorder.finish()?, promises, cast: script.cast(relay)? })
}

/// The same on a disk that fails, and how many of its calls did. What is refused is no error.
pub async fn record_failing(name: &str, folder: &Path, fault: Fault) -> Result<(Run, u32)> {
    let recorder = Recorder::start(name, folder)?;
    let (mut script, relay) = Script::begin();
    recorder.break_disk(fault);
    let terms = Terms { durability: Durability::AsBuilt, may_refuse: true };
    let promises = run_on(&recorder, folder, terms, &mut script, &relay).await?;
    let strikes = recorder.mend_disk();
    Ok((Run { log: recorder.finish()?, promises, cast: script.cast(relay)? }, strikes))
}

/// What a run is to stand.
struct Terms {
    durability: Durability,
    /// The disk fails: what is refused is an answer like any other.
    may_refuse: bool,
}

async fn run_on(
    recorder: &Recorder,
    folder: &Path,
    Terms { durability, may_refuse }: Terms,
    script: &mut Script,
    keys: &DeviceKeys,
) -> Result<Vec<Promise>> {
    let disk = Disk { dir: folder.to_owned(), vfs: Some(recorder.vfs_name().to_owned()) };
    let (options, shared) = (StoreOptions::default(), Arc::new(script.clock.clone()));
    let opened = Relay::open(&disk, options, keys.clone(), shared, &mut script.rng, Cast::options()).await;
    let relay = match opened {
        Ok(relay) => relay,
        Err(_) if may_refuse => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let town = Town { router: relay.router(), recorder, promises: Mutex::default(), may_refuse };
    let played = set_up_and_play(&relay, &town, script, durability).await;
    let promises = std::mem::take(&mut *town.promises.lock().unwrap_or_else(PoisonError::into_inner));
    drop(town);
    tokio::task::spawn_blocking(move || relay.close()).await?;
    match played {
        Err(error) if !may_refuse => Err(error),
        _ => Ok(promises),
    }
}

async fn set_up_and_play(relay: &Relay, town: &Town<'_>, script: &mut Script, durability: Durability) -> Result<()> {
    if durability == Durability::Lowered {
        relay.store().write(Priority::Normal, lower).await?;
    }
    relay.add_org(script.org.directory.value().org()).await?;
    town.publish(script.org.directory.bytes()).await?;
    let desk = script.org.desks.first().context("the first rung has a desk")?.clone();
    play(relay, town, script, &desk).await
}

async fn play(relay: &Relay, town: &Town<'_>, script: &mut Script, desk: &DeviceKeys) -> Result<()> {
    let (calm, unheard) = (script.enrol(town).await?, script.enrol(town).await?);
    let (mut writer, records) = Writer::found(&calm, &mut script.rng)?;
    let mut seq = 0;
    for record in records {
        town.send(script.record(&calm, writer.circle(), seq, record.bytes())).await?;
        seq += 1;
    }
    let (mut heard, mut climbing): (Vec<Pressed>, Vec<Pressed>) = (Vec::new(), Vec::new());
    let mut deposits = Vec::new();
    for round in 0..ROUNDS {
        let mut writes = vec![script.entries(&calm, &mut writer)?];
        let newest = heard.len();
        for (index, state) in [(1, ReceiptState::Received), (2, ReceiptState::Seen)] {
            if let Some(pressed) = newest.checked_sub(index).and_then(|at| heard.get_mut(at)) {
                writes.push(script.receipt(desk, pressed, state)?);
            }
        }
        let (pressed, write) = script.alarm(&calm)?;
        heard.push(pressed);
        writes.push(write);
        let (pressed, write) = script.alarm(&unheard)?;
        climbing.push(pressed);
        writes.push(write);
        let (deposit, write) = script.deposit(&calm)?;
        deposits.push(deposit);
        writes.push(write);
        if round % 4 == 0 {
            writes.push(script.card(&unheard, round + 1)?);
        }
        try_join_all(writes.into_iter().map(|write| town.send(write))).await?;
        if round % 8 == 7 {
            let record = writer.next_epoch(&calm, &mut script.rng)?;
            town.send(script.record(&calm, writer.circle(), seq, record.bytes())).await?;
            seq += 1;
            script.enrol(town).await?;
        }
        script.clock.advance_ms(ROUND_MS);
        relay.tick(script.clock.now()).await?;
        // What waited a whole rung is on the next now.
        let rounds_a_rung = usize::try_from(i64::from(WAIT_S) * 1000 / ROUND_MS)?;
        if let Some(raised) = climbing.len().checked_sub(rounds_a_rung).filter(|_| !town.may_refuse) {
            let alarm = climbing.get(raised).context("an alarm a round")?.alarm;
            town.promised(Promise::Climbed { alarm });
            // And what was handed in then is due as long after.
            town.promised(Promise::Raised { deposit: *deposits.get(raised).context("a deposit a round")? });
        }
    }
    Ok(())
}

/// Lowers `synchronous` on the writer's own connection. It cannot be set within a transaction, so this ends the
/// writer's and begins it anew: nothing that the relay itself could be told to do.
fn lower(db: &rusqlite::Connection) -> Result<(), StoreError> {
    db.execute_batch("COMMIT; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE")?;
    Ok(())
}
