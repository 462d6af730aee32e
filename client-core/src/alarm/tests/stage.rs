//! The stage of the outbox's tests: a clock that stands still, a municipality with two desks, a mayor's phone in a
//! folder, and a relay that does what the test says.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use baken_schemas::alarm::{
    Alarm, ContentKey, DepositReceipt, DepositState, DepositTimers, Fix, FixAbsent, Receipt, ReceiptDetail,
    ReceiptState, Settlement,
};
use baken_schemas::api::{
    self, Deposit, DepositElsewhere, DepositsElsewhere, Documents, Item, LiveEvent, Mail, MailKind, Page,
};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, DeviceId, LadderId};
use baken_schemas::org::{CallsFamily, DeskEntry, Directory, Ladder, LadderUse, OrgId, RelayEntry, Rung};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock, Timestamp};
use data_encoding::BASE64;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::alarm::{AlarmOutbox, AlarmView, Call, Round};
use crate::key_store::FileKeyStore;
use crate::transport::{EventStream, Request, Response, Transport, TransportError};
use crate::{AlarmSetup, Context};

/// 2026-11-23.
pub(crate) const TODAY: i64 = 1_795_392_000_000;

/// A clock that moves when the test says so.
#[derive(Debug, Default)]
pub(crate) struct StageClock(AtomicI64);

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl StageClock {
    pub(crate) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    pub(crate) fn pass_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

/// A municipality, its relay, two desks, and a mayor's phone.
pub(crate) struct Stage {
    pub(crate) clock: Arc<StageClock>,
    pub(crate) context: Context,
    pub(crate) folder: tempfile::TempDir,
    key: SymmetricKey,
    root: SigningKey,
    pub(crate) relay: DeviceKeys,
    pub(crate) east: DeviceKeys,
    pub(crate) west: DeviceKeys,
    ladder: LadderId,
    pub(crate) phone: AlarmOutbox,
    setup: AlarmSetup,
    rng: Mutex<ChaCha20Rng>,
}

impl Stage {
    pub(crate) fn set_up() -> Self {
        Self::set_up_with(None)
    }

    /// In an organisation that takes alarms by text message at this number.
    pub(super) fn set_up_with(sms_number: Option<&str>) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(112);
        let clock = Arc::new(StageClock::default());
        clock.set(TODAY);
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileKeyStore::new(folder.path().join("platform.key")));
        let context =
            Context::new(Arc::clone(&clock) as Arc<dyn Clock>, Box::new(ChaCha20Rng::seed_from_u64(7)), store);
        let root = SigningKey::make(&mut rng);
        let [relay, east, west] = std::array::from_fn(|_| DeviceKeys::make(&mut rng));
        let ladder = LadderId::make(&mut rng);
        let key = SymmetricKey::make(&mut rng);
        let directory = signed_directory(&root, 1, &relay, [&east, &west], ladder);
        let directory =
            Signed::make(Directory { sms_number: sms_number.map(str::to_owned), ..directory.into_value() }, &root);
        let setup = AlarmSetup {
            device: DeviceId::make(&mut rng),
            alarm_key: SigningKey::make(&mut rng),
            account: AccountId::make(&mut rng),
            org: OrgId::of(&root.verify_key()),
            directory: directory.bytes().to_vec(),
            card_key: SymmetricKey::make(&mut rng),
        };
        let phone = AlarmOutbox::enrol(&folder.path().join("outbox.db"), &key, &setup).unwrap();
        let rng = Mutex::new(rng);
        Self { clock, context, folder, key, root, relay, east, west, ladder, phone, setup, rng }
    }

    /// The phone's program ends and starts again: nothing is left but the file.
    pub(crate) fn restart_phone(&mut self) {
        self.phone = AlarmOutbox::open(&self.folder.path().join("outbox.db"), &self.key).unwrap();
    }

    /// The phone's file as it is now, put back somewhere from a copy.
    pub(super) fn copied_phone(&self) -> AlarmOutbox {
        let there = self.folder.path().join("copy");
        std::fs::create_dir(&there).unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap) {
            if file.file_name().to_string_lossy().starts_with("outbox.db") {
                std::fs::copy(file.path(), there.join(file.file_name())).unwrap();
            }
        }
        AlarmOutbox::open(&there.join("outbox.db"), &self.key).unwrap()
    }

    pub(crate) fn open_with(&self, key: &SymmetricKey) -> Result<AlarmOutbox, crate::BakenError> {
        AlarmOutbox::open(&self.folder.path().join("outbox.db"), key)
    }

    pub(crate) fn press(&self) -> AlarmId {
        self.press_saying("Er staat iemand voor de deur")
    }

    pub(crate) fn press_saying(&self, text: &str) -> AlarmId {
        let call = Call {
            kind: baken_schemas::alarm::AlarmKind::Panic,
            fix: Fix::Absent(FixAbsent::NotYet),
            battery_percent: Some(40),
            text: text.to_owned(),
            countdown_s: 0,
        };
        self.phone.press(&call, &self.context).unwrap()
    }

    pub(crate) fn view(&self, alarm: AlarmId) -> AlarmView {
        self.phone.alarm(alarm, self.clock.now()).unwrap()
    }

    pub(crate) async fn deliver(&self, relay: &StageRelay) -> Round {
        self.phone.deliver(relay, &self.context).await.unwrap()
    }

    pub(crate) fn verify_alarm(&self, bytes: &[u8]) -> Signed<Alarm> {
        Unverified::<Alarm>::parse(bytes).unwrap().verify(&self.setup.alarm_key.verify_key()).unwrap()
    }

    /// A desk opens an alarm.
    pub(crate) fn open_at(&self, desk: &DeviceKeys, bytes: &[u8]) -> (baken_schemas::alarm::AlarmBody, ContentKey) {
        self.verify_alarm(bytes).value().open(desk.device, &desk.kem).unwrap().unwrap()
    }

    /// A receipt by `by` for the alarm in `bytes`, following `prev`.
    pub(crate) fn receipt(
        &self,
        by: &DeviceKeys,
        bytes: &[u8],
        state: ReceiptState,
        prev: Option<&Signed<Receipt>>,
        said: Option<(&str, &str)>,
    ) -> Signed<Receipt> {
        let alarm = self.verify_alarm(bytes);
        let receipt = Receipt {
            alarm: alarm.value().header.alarm,
            alarm_hash: alarm.hash(),
            state,
            at: self.clock.now(),
            by: by.device,
            prev: prev.map_or(Hash::ZERO, Signed::hash),
            detail: Vec::new(),
        };
        let content = said.map(|_| self.open_at(by, bytes).1);
        let detail = said.map(|(officer, text)| ReceiptDetail { officer: officer.to_owned(), text: text.to_owned() });
        let detail = detail.as_ref().zip(content.as_ref());
        Receipt::make(receipt, detail, &by.sig, &mut *self.rng.lock().unwrap()).unwrap()
    }

    /// The same directory with another number for texts.
    pub(super) fn directory_with_number(
        &self,
        version: u64,
        desks: [&DeviceKeys; 2],
        number: &str,
    ) -> Signed<Directory> {
        let directory = self.directory(version, desks).into_value();
        Signed::make(Directory { sms_number: Some(number.to_owned()), ..directory }, &self.root)
    }

    /// The next directory by the root, with these desks.
    pub(crate) fn directory(&self, version: u64, desks: [&DeviceKeys; 2]) -> Signed<Directory> {
        signed_directory(&self.root, version, &self.relay, desks, self.ladder)
    }

    /// A directory with a desk of the relay's own, signed by a root of the relay's own.
    pub(crate) fn directory_by_relay(&self, version: u64, slipped_in: &DeviceKeys) -> Signed<Directory> {
        let own_root = SigningKey::make(&mut *self.rng.lock().unwrap());
        signed_directory(&own_root, version, &self.relay, [&self.east, slipped_in], self.ladder)
    }

    pub(crate) fn stranger(&self) -> DeviceKeys {
        DeviceKeys::make(&mut *self.rng.lock().unwrap())
    }

    pub(super) fn root(&self) -> &SigningKey {
        &self.root
    }

    pub(crate) fn setup(&self) -> &AlarmSetup {
        &self.setup
    }
}

fn signed_directory(
    root: &SigningKey,
    version: u64,
    relay: &DeviceKeys,
    desks: [&DeviceKeys; 2],
    ladder: LadderId,
) -> Signed<Directory> {
    let names = ["Meldkamer Oost", "Meldkamer West"];
    let desks: Vec<DeskEntry> = desks
        .iter()
        .zip(names)
        .map(|(desk, name)| DeskEntry {
            desk: desk.device,
            name: name.to_owned(),
            sig: desk.sig.verify_key(),
            kem: desk.kem.public(),
        })
        .collect();
    let rungs =
        desks.iter().map(|desk| Rung { responders: vec![desk.desk], wait_s: 10, family: CallsFamily::No }).collect();
    let directory = Directory {
        root: root.verify_key(),
        version,
        name: "Gemeente Voorbeeld".to_owned(),
        issued_at: Timestamp(TODAY),
        relay: RelayEntry {
            relay: relay.device,
            sig: relay.sig.verify_key(),
            urls: vec!["https://relay.example".to_owned()],
            tls_roots: Vec::new(),
            operator_reads_alarms: false,
        },
        desks,
        ladders: vec![Ladder { ladder, version: 1, name: "Alle alarmen".to_owned(), rungs, serves: LadderUse::Alarms }],
        sms_number: None,
    };
    Signed::make(directory, root)
}

/// The data of a live event that brings mail.
pub(crate) fn live_mail(cursor: u64, kind: MailKind, document: &[u8]) -> String {
    let event = LiveEvent::Mail { cursor, mail: Mail { kind, document: document.to_vec().into() } };
    BASE64.encode(&cbor::to_vec(&event))
}

fn deposit_answer(keys: &DeviceKeys, deposit: AlarmId, asked: &[u8], state: DepositState) -> Vec<u8> {
    let (answers, at, by) = (baken_schemas::signed::hash_of(asked), Timestamp(TODAY), keys.device);
    Signed::make(DepositReceipt { deposit, answers, state, at, by }, &keys.sig).bytes().to_vec()
}

/// How the relay behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Up and honest.
    Up,
    /// Not to be reached.
    Down,
    /// Stores, and the answer gets lost.
    LosesAnswers,
    /// Answers 2xx with something that is no receipt.
    SaysNothing,
    /// Refuses with 401.
    Refuses,
}

#[derive(Default)]
struct RelayState {
    /// By alarm, each different bytes once.
    alarms: BTreeMap<AlarmId, Vec<Vec<u8>>>,
    updates: Vec<Vec<u8>>,
    /// Chunks of files, by the path under which they came.
    chunks: BTreeMap<String, Vec<u8>>,
    notes: Vec<Vec<u8>>,
    contexts: Vec<Vec<u8>>,
    deposits: Vec<Vec<u8>>,
    settlements: Vec<Vec<u8>>,
    /// Check-ins of this person's other devices.
    elsewhere: Vec<DepositElsewhere>,
    /// What it says of deposits, other than that it keeps what comes.
    deposit_state: Option<DepositState>,
    receipts: Vec<Vec<u8>>,
    /// What it answers who asks for the head of its audit.
    audit: Vec<u8>,
    mail: Vec<(u64, Mail)>,
    generation: u64,
    /// Every write that came in: idempotency key and body.
    writes: Vec<(String, Vec<u8>)>,
    live: Vec<Result<String, TransportError>>,
}

/// A relay in memory, under the test's thumb.
pub(crate) struct StageRelay {
    keys: DeviceKeys,
    mood: Mutex<Mood>,
    state: Mutex<RelayState>,
    rng: Mutex<ChaCha20Rng>,
}

impl StageRelay {
    pub(crate) fn of(stage: &Stage) -> Self {
        let rng = Mutex::new(ChaCha20Rng::seed_from_u64(9));
        Self { keys: stage.relay.clone(), mood: Mutex::new(Mood::Up), state: Mutex::default(), rng }
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The bytes of each alarm it has.
    pub(crate) fn alarms(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().alarms.values().flatten().cloned().collect()
    }

    pub(super) fn audit(&self, answer: Vec<u8>) {
        self.state.lock().unwrap().audit = answer;
    }

    pub(crate) fn updates(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().updates.clone()
    }

    /// Chunks of files, in the order of their paths.
    pub(super) fn chunks(&self) -> Vec<(String, Vec<u8>)> {
        self.state.lock().unwrap().chunks.clone().into_iter().collect()
    }

    pub(crate) fn notes(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().notes.clone()
    }

    /// What phones left for their texts.
    pub(super) fn contexts(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().contexts.clone()
    }

    /// Every form of a check-in that came in, opened as far as the relay can.
    pub(crate) fn deposits(&self) -> Vec<(DepositTimers, Vec<u8>)> {
        let bodies = self.state.lock().unwrap().deposits.clone();
        let read = |body: &Vec<u8>| {
            let deposit: Deposit = cbor::from_slice(body, "a deposit").unwrap();
            (*Unverified::<DepositTimers>::parse(&deposit.timers).unwrap().claims(), deposit.alarm.to_vec())
        };
        bodies.iter().map(read).collect()
    }

    pub(crate) fn settlements(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().settlements.clone()
    }

    /// Another device of this person has a check-in there.
    pub(crate) fn has_elsewhere(&self, deposit: DepositElsewhere) {
        self.state.lock().unwrap().elsewhere.push(deposit);
    }

    /// From now on it says this of deposits.
    pub(crate) fn says_of_deposits(&self, state: Option<DepositState>) {
        self.state.lock().unwrap().deposit_state = state;
    }

    fn deposit_of(&self, deposit: &Deposit) -> AlarmId {
        Unverified::<DepositTimers>::parse(&deposit.timers).unwrap().claims().deposit
    }

    /// Every write that came in, stored or not.
    pub(crate) fn writes(&self) -> Vec<(String, Vec<u8>)> {
        self.state.lock().unwrap().writes.clone()
    }

    /// Hands out a receipt when asked for an alarm's.
    pub(crate) fn has(&self, receipt: &[u8]) {
        self.state.lock().unwrap().receipts.push(receipt.to_vec());
    }

    /// Puts a document into the phone's mailbox; its cursor.
    pub(crate) fn mails(&self, kind: MailKind, document: &[u8]) -> u64 {
        let mut state = self.state.lock().unwrap();
        let cursor = state.mail.len() as u64 * 3 + 5;
        state.mail.push((cursor, Mail { kind, document: document.to_vec().into() }));
        cursor
    }

    /// Restored from a backup that had no mail.
    pub(crate) fn is_restored(&self) {
        let mut state = self.state.lock().unwrap();
        state.generation += 1;
        state.mail.clear();
    }

    /// The next live stream tells of this mail, then breaks.
    pub(crate) fn tells_live(&self, cursor: u64, kind: MailKind, document: &[u8]) {
        self.state.lock().unwrap().live.push(Ok(live_mail(cursor, kind, document)));
    }

    fn answer(&self, request: &Request, mood: Mood) -> Response {
        let mut state = self.state.lock().unwrap();
        let path = request.path_and_query.as_str();
        let header = |name| request.headers.iter().find(|(found, _)| *found == name).unwrap().1.clone();
        if request.method == http::Method::POST {
            state.writes.push((header("idempotency-key"), request.body.clone()));
        }
        if mood == Mood::Refuses {
            let problem = r#"{"type":"urn:baken:problem:unknown_device","title":"","status":401,"detail":"","code":"unknown_device"}"#;
            return Response { status: 401, body: problem.into() };
        }
        let body = match path {
            api::ALARMS => self.store(&mut state, &request.body, mood),
            api::UPDATES => {
                state.updates.push(request.body.clone());
                Vec::new()
            }
            api::DEPOSITS if request.method == http::Method::GET => {
                cbor::to_vec(&DepositsElsewhere { deposits: state.elsewhere.clone() })
            }
            api::DEPOSITS => {
                let deposit: Deposit = cbor::from_slice(&request.body, "a deposit").unwrap();
                let (keys, id) = (&self.keys, self.deposit_of(&deposit));
                state.deposits.push(request.body.clone());
                deposit_answer(keys, id, &deposit.timers, state.deposit_state.unwrap_or(DepositState::Ready))
            }
            api::SETTLEMENTS => {
                let settlement = Unverified::<Settlement>::parse(&request.body).unwrap();
                let id = settlement.claims().deposit;
                state.settlements.push(request.body.clone());
                let stands = state.deposit_state.unwrap_or(DepositState::Settled);
                deposit_answer(&self.keys, id, &request.body, stands)
            }
            api::NOTES => {
                state.notes.push(request.body.clone());
                Vec::new()
            }
            api::SMS_CONTEXTS => {
                state.contexts.push(request.body.clone());
                Vec::new()
            }
            _ if request.method == http::Method::PUT => {
                state.chunks.insert(path.to_owned(), request.body.clone());
                Vec::new()
            }
            _ if path.starts_with("/v0/audit?after=") => state.audit.clone(),
            _ if path.starts_with("/v0/mail?after=") => {
                let after: u64 = path.rsplit('=').next().unwrap().parse().unwrap();
                let items = state.mail.iter().filter(|(cursor, _)| *cursor > after).take(2);
                let items: Vec<Item> =
                    items.map(|(cursor, mail)| Item { cursor: *cursor, bytes: cbor::to_vec(mail).into() }).collect();
                let more = items.last().is_some_and(|last| state.mail.iter().any(|(at, _)| *at > last.cursor));
                cbor::to_vec(&Page { items, more, generation: state.generation, floor: 0 })
            }
            _ => {
                let documents = state.receipts.iter().map(|receipt| receipt.clone().into()).collect();
                cbor::to_vec(&Documents { documents })
            }
        };
        Response { status: 200, body: body.into() }
    }

    fn store(&self, state: &mut RelayState, bytes: &[u8], mood: Mood) -> Vec<u8> {
        let unverified = Unverified::<Alarm>::parse(bytes).unwrap();
        let alarm = unverified.claims().header.alarm;
        let kept = state.alarms.entry(alarm).or_default();
        if !kept.contains(&bytes.to_vec()) {
            kept.push(bytes.to_vec());
        }
        if mood == Mood::SaysNothing {
            return b"stored, trust me".to_vec();
        }
        let receipt = Receipt {
            alarm,
            alarm_hash: Hash::of("baken/document/v0", &[bytes]),
            state: ReceiptState::Stored,
            at: Timestamp(TODAY),
            by: self.keys.device,
            prev: Hash::ZERO,
            detail: Vec::new(),
        };
        Receipt::make(receipt, None, &self.keys.sig, &mut *self.rng.lock().unwrap()).unwrap().bytes().to_vec()
    }
}

#[async_trait]
impl Transport for StageRelay {
    fn authority(&self) -> &str {
        "relay.example"
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Down {
            return Err(TransportError::Unreachable);
        }
        let answer = self.answer(&request, mood);
        if mood == Mood::LosesAnswers { Err(TransportError::Unreachable) } else { Ok(answer) }
    }

    async fn live(&self, _request: Request) -> Result<EventStream, TransportError> {
        let events = std::mem::take(&mut self.state.lock().unwrap().live);
        if events.is_empty() {
            return Err(TransportError::Unreachable);
        }
        Ok(Box::pin(futures_util::stream::iter(events)))
    }
}
