//! A relay in the test's own process, as far as the command line needs one: real TLS, real documents, everything in
//! memory, nobody checked. The real relay is played in the `tests` crate; here only `baken` is under test.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use baken_schemas::alarm::{
    Alarm, DepositReceipt, DepositState, DepositTimers, Note, Receipt, ReceiptDetail, ReceiptState, Settlement,
};
use baken_schemas::api::{
    Activated, Activation, Deposit, DepositsElsewhere, Documents, EntriesStored, EntryBatch, Item, Mail, MailKind, Page,
};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::edition::Files;
use baken_schemas::edition::signed::{Countersigned, EditionHead, EditionName, Manifest, file_hash};
use baken_schemas::entry::Entry;
use baken_schemas::id::{AccountId, AlarmId, InviteId, LadderId};
use baken_schemas::order::Order;
use baken_schemas::org::{
    CallsFamily, DeskEntry, Directory, Invite, InviteRole, Ladder, LadderUse, OrgId, RelayEntry, Rung,
};
use baken_schemas::recovery::SealedRoot;
use baken_schemas::signed::{Signed, Unverified, hash_of};
use baken_schemas::time::{Clock as _, SystemClock, Timestamp};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};

const DAY_MS: i64 = 86_400_000;

/// A municipality with a relay that runs until this is dropped, and a desk.
pub struct Town {
    keys: Arc<Keys>,
    state: Arc<Mutex<State>>,
    url: String,
    tls_root_sha256: [u8; 32],
    runtime: Option<tokio::runtime::Runtime>,
}

struct Keys {
    root: SigningKey,
    relay: DeviceKeys,
    desk: DeviceKeys,
    account: AccountId,
}

#[derive(Default)]
struct State {
    directory: Vec<u8>,
    logs: BTreeMap<String, Vec<Vec<u8>>>,
    entries: BTreeMap<String, Vec<Vec<u8>>>,
    meeting: BTreeMap<String, Vec<u8>>,
    alarms: BTreeMap<AlarmId, Vec<u8>>,
    receipts: Vec<Vec<u8>>,
    notes: Vec<Vec<u8>>,
    /// The timers of every form of a check-in that came.
    deposits: Vec<Vec<u8>>,
    /// Mail by device.
    mail: BTreeMap<String, Vec<Vec<u8>>>,
    /// Heads and files of editions, by the end of their address.
    editions: BTreeMap<String, Vec<u8>>,
    /// The account's root under its newest recovery code, and the name that the code gives.
    sealed_root: Option<(String, Vec<u8>)>,
}

impl Town {
    /// Publishes an edition of the organisation.
    pub fn publish(&self, files: &Files) {
        let name = EditionName::Organisation(OrgId::of(&self.keys.root.verify_key()));
        let mut manifest = Countersigned::unsigned(Manifest::of(name, files, Timestamp(0)).expect("an edition"));
        manifest.sign(&self.keys.root);
        let head = EditionHead { roots: Vec::new(), manifest: manifest.to_bytes().into() };
        let mut state = self.state.lock().expect("the state");
        state.editions.insert(name.to_string(), cbor::to_vec(&head));
        for text in files.values() {
            let bytes = cbor::to_vec(&minicbor::bytes::ByteVec::from(text.clone().into_bytes()));
            state.editions.insert(file_hash(text.as_bytes()).to_string(), bytes);
        }
    }

    /// Starts the relay on a free port.
    pub fn found() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let keys = Arc::new(Keys {
            root: SigningKey::make(&mut rng),
            relay: DeviceKeys::make(&mut rng),
            desk: DeviceKeys::make(&mut rng),
            account: AccountId::make(&mut rng),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("tokio takes it over");
        let url = format!("https://127.0.0.1:{}", listener.local_addr().expect("an address").port());
        let (tls_root, config) = certificates();
        let directory = directory(&keys, &url, &tls_root, &mut rng);
        let state = Arc::new(Mutex::new(State { directory: directory.bytes().to_vec(), ..State::default() }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.spawn(serve(listener, config, Arc::clone(&keys), Arc::clone(&state)));
        let tls_root_sha256 = Sha256::digest(&tls_root).into();
        Self { keys, state, url, tls_root_sha256, runtime: Some(runtime) }
    }

    /// An invite for an office-holder, signed by the organisation's root.
    pub fn invite(&self) -> String {
        self.invite_of(&self.keys.root, InviteRole::OfficeHolder, self.tls_root_sha256)
    }

    /// An invite that names this organisation and is signed by another root.
    pub fn forged_invite(&self) -> String {
        let stranger = SigningKey::make(&mut ChaCha20Rng::seed_from_u64(3));
        self.invite_of(&stranger, InviteRole::OfficeHolder, self.tls_root_sha256)
    }

    /// An invite for a bridge.
    pub fn bridge_invite(&self) -> String {
        self.invite_of(&self.keys.root, InviteRole::Bridge, self.tls_root_sha256)
    }

    /// An invite that pins another server.
    pub fn invite_to_another_server(&self) -> String {
        self.invite_of(&self.keys.root, InviteRole::OfficeHolder, [9; 32])
    }

    fn invite_of(&self, signer: &SigningKey, role: InviteRole, tls_root_sha256: [u8; 32]) -> String {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let invite = Invite {
            org: OrgId::of(&self.keys.root.verify_key()),
            relay_url: self.url.clone(),
            tls_root_sha256,
            account: self.keys.account,
            invite: InviteId::make(&mut rng),
            role,
            expires_at: SystemClock.now().plus_ms(DAY_MS),
            secret: [5; 32],
        };
        Invite::to_text(&Signed::make(invite, signer))
    }

    /// An officer at the desk says so about the only alarm there is.
    pub fn officer_says(&self, state: ReceiptState, officer: &str, text: &str) {
        let mut town = self.state.lock().expect("the state");
        let bytes = town.alarms.values().next().expect("an alarm came").clone();
        let alarm = Unverified::<Alarm>::parse(&bytes).expect("an alarm");
        let (_, content) = alarm
            .claims()
            .open(self.keys.desk.device, &self.keys.desk.kem)
            .expect("it opens")
            .expect("it is for this desk");
        let receipt = receipt(&bytes, state, &self.keys.desk);
        let detail = ReceiptDetail { officer: officer.to_owned(), text: text.to_owned() };
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let signed = Receipt::make(receipt, Some((&detail, &content)), &self.keys.desk.sig, &mut rng);
        town.receipts.push(signed.expect("a receipt").bytes().to_vec());
    }

    /// What the desk reads in the notes that came: which of them were of a duress PIN. All have one size.
    pub fn notes_of_duress(&self) -> Vec<bool> {
        let town = self.state.lock().expect("the state");
        assert!(town.notes.iter().all(|note| note.len() == town.notes[0].len()), "one size");
        let open = |bytes: &Vec<u8>| {
            let note = Unverified::<Note>::parse(bytes).expect("a note");
            note.claims().open(&self.keys.desk.kem).expect("it is for this desk").duress
        };
        town.notes.iter().map(open).collect()
    }

    /// The timers of every form of a check-in that came.
    pub fn timers(&self) -> Vec<DepositTimers> {
        let town = self.state.lock().expect("the state");
        let read = |bytes: &Vec<u8>| *Unverified::<DepositTimers>::parse(bytes).expect("timers").claims();
        town.deposits.iter().map(read).collect()
    }

    /// The relay claims that a human has it.
    pub fn relay_claims_seen(&self) {
        let mut town = self.state.lock().expect("the state");
        let bytes = town.alarms.values().next().expect("an alarm came").clone();
        let receipt = receipt(&bytes, ReceiptState::Seen, &self.keys.relay);
        town.receipts.push(Signed::make(receipt, &self.keys.relay.sig).bytes().to_vec());
    }

    /// The relay goes away.
    pub fn unplug(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn receipt(alarm: &[u8], state: ReceiptState, by: &DeviceKeys) -> Receipt {
    let claims = Unverified::<Alarm>::parse(alarm).expect("an alarm");
    Receipt {
        alarm: claims.claims().header.alarm,
        alarm_hash: Hash::of("baken/document/v0", &[alarm]),
        state,
        at: Timestamp(1_795_465_407_000),
        by: by.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    }
}

fn deposit_receipt(deposit: AlarmId, asked: &[u8], state: DepositState, by: &DeviceKeys) -> Vec<u8> {
    let (answers, at) = (hash_of(asked), Timestamp(1_795_465_407_000));
    Signed::make(DepositReceipt { deposit, answers, state, at, by: by.device }, &by.sig).bytes().to_vec()
}

fn directory(keys: &Keys, url: &str, tls_root: &[u8], rng: &mut ChaCha20Rng) -> Signed<Directory> {
    let desk = DeskEntry {
        desk: keys.desk.device,
        name: "Meldkamer Oost".to_owned(),
        sig: keys.desk.sig.verify_key(),
        kem: keys.desk.kem.public(),
    };
    let ladder = Ladder {
        ladder: LadderId::make(rng),
        version: 1,
        name: "Alle alarmen".to_owned(),
        rungs: vec![Rung { responders: vec![desk.desk], wait_s: 10, family: CallsFamily::No }],
        serves: LadderUse::Alarms,
    };
    let relay = RelayEntry {
        relay: keys.relay.device,
        sig: keys.relay.sig.verify_key(),
        urls: vec![url.to_owned()],
        tls_roots: vec![tls_root.to_vec().into()],
        operator_reads_alarms: false,
    };
    let directory = Directory {
        root: keys.root.verify_key(),
        version: 1,
        name: "Gemeente Voorbeeld".to_owned(),
        issued_at: SystemClock.now(),
        relay,
        desks: vec![desk],
        ladders: vec![ladder],
        sms_number: None,
    };
    Signed::make(directory, &keys.root)
}

/// A private root, and a server that presents a chain to it.
fn certificates() -> (Vec<u8>, Arc<rustls::ServerConfig>) {
    let root_key = KeyPair::generate().expect("a key");
    let mut root = CertificateParams::new(Vec::new()).expect("params");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_der = root.self_signed(&root_key).expect("a root").der().to_vec();
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("a leaf").der().clone();
    let chain = vec![leaf, CertificateDer::from(root_der.clone())];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    (root_der, Arc::new(config))
}

async fn serve(
    listener: std::net::TcpListener,
    config: Arc<rustls::ServerConfig>,
    keys: Arc<Keys>,
    state: Arc<Mutex<State>>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, keys, state) = (acceptor.clone(), Arc::clone(&keys), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(tls) = acceptor.accept(socket).await else { return };
            let answering = hyper::service::service_fn(move |request| {
                let (keys, state) = (Arc::clone(&keys), Arc::clone(&state));
                async move { Ok::<_, Infallible>(answer(request, &keys, &state).await) }
            });
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(tls), answering).await;
        });
    }
}

async fn answer(request: Request<Incoming>, keys: &Keys, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let mut state = state.lock().expect("the state");
    let path: Vec<&str> = parts.uri.path().trim_start_matches("/v0/").split('/').collect();
    let after = parts.uri.query().and_then(|query| query.strip_prefix("after=")).and_then(|after| after.parse().ok());
    let found = match (&parts.method, path.as_slice()) {
        (&Method::GET, ["orgs", _, "directory"]) => Some(state.directory.clone()),
        (&Method::POST, ["activate"]) => {
            cbor::from_slice::<Activation>(&body, "an activation").expect("an activation");
            Some(cbor::to_vec(&Activated { account: keys.account }))
        }
        (&Method::POST, ["circles", circle, "log"]) => {
            let log = state.logs.entry((*circle).to_owned()).or_default();
            if !log.contains(&body.to_vec()) {
                log.push(body.to_vec());
            }
            Some(Vec::new())
        }
        (&Method::GET, ["circles", circle, "log"]) => {
            // A log counts from 0, and `after` names the last one known.
            let from = after.map_or(0, |seq: usize| seq + 1);
            Some(page(state.logs.get(*circle), from, 0))
        }
        (&Method::POST, ["circles", circle, "entries"]) => {
            let batch: EntryBatch = cbor::from_slice(&body, "entries").expect("entries");
            let all = state.entries.entry((*circle).to_owned()).or_default();
            let mut last = None;
            for entry in batch.entries {
                last = Some(Entry::parse(&entry).expect("an entry"));
                if !all.contains(&entry.to_vec()) {
                    all.push(entry.to_vec());
                }
            }
            let last = last.expect("a batch is not empty");
            Some(cbor::to_vec(&EntriesStored { counter: last.header().counter, hash: last.hash() }))
        }
        (&Method::GET, ["circles", circle, "entries"]) => Some(page(state.entries.get(*circle), after.unwrap_or(0), 1)),
        (&Method::POST, ["alarms"]) => {
            let id = Unverified::<Alarm>::parse(&body).expect("an alarm").claims().header.alarm;
            state.alarms.insert(id, body.to_vec());
            Some(Signed::make(receipt(&body, ReceiptState::Stored, &keys.relay), &keys.relay.sig).bytes().to_vec())
        }
        (&Method::GET, ["alarms", _, "receipts"]) => {
            let documents = state.receipts.iter().map(|receipt| receipt.clone().into()).collect();
            Some(cbor::to_vec(&Documents { documents }))
        }
        (&Method::GET, ["mail"]) => {
            let device = parts.headers.get("baken-device").and_then(|device| device.to_str().ok()).unwrap_or_default();
            Some(page(state.mail.get(device), after.unwrap_or(0), 1))
        }
        (&Method::POST, ["orders"]) => {
            let order = *Unverified::<Order>::parse(&body).expect("an order").claims();
            let mail = Mail { kind: MailKind::Order, document: body.to_vec().into() };
            state.mail.entry(order.device.to_string()).or_default().push(cbor::to_vec(&mail));
            Some(Vec::new())
        }
        (&Method::PUT, ["pairing", meeting, message]) => {
            state.meeting.insert(format!("{meeting}/{message}"), body.to_vec());
            Some(Vec::new())
        }
        (&Method::GET, ["pairing", meeting, message]) => state.meeting.get(&format!("{meeting}/{message}")).cloned(),
        (&Method::GET, ["deposits"]) => Some(cbor::to_vec(&DepositsElsewhere::default())),
        (&Method::POST, ["deposits"]) => {
            let deposit: Deposit = cbor::from_slice(&body, "a deposit").expect("a deposit");
            let id = Unverified::<DepositTimers>::parse(&deposit.timers).expect("timers").claims().deposit;
            state.deposits.push(deposit.timers.to_vec());
            Some(deposit_receipt(id, &deposit.timers, DepositState::Ready, &keys.relay))
        }
        (&Method::POST, ["settlements"]) => {
            let settlement = Unverified::<Settlement>::parse(&body).expect("a settlement");
            state.notes.push(settlement.claims().note.to_vec());
            Some(deposit_receipt(settlement.claims().deposit, &body, DepositState::Settled, &keys.relay))
        }
        (&Method::POST, ["notes"]) => {
            state.notes.push(body.to_vec());
            Some(Vec::new())
        }
        (&Method::GET, ["editions" | "edition-files", name]) => state.editions.get(*name).cloned(),
        (&Method::PUT, ["recovery"]) => {
            let sealed = Unverified::<SealedRoot>::parse(&body).expect("a sealed root");
            state.sealed_root = Some((sealed.claims().name.to_string(), body.to_vec()));
            Some(Vec::new())
        }
        (&Method::GET, ["recovery", name]) => {
            state.sealed_root.as_ref().filter(|(known, _)| known == name).map(|(_, sealed)| sealed.clone())
        }
        (&Method::POST, ["recover"]) => Some(cbor::to_vec(&Activated { account: keys.account })),
        (&Method::PUT, ["cards", _]) | (&Method::POST, ["enrolments" | "devices" | "guests" | "updates"]) => {
            Some(Vec::new())
        }
        _ => None,
    };
    let status = if found.is_some() { 200 } else { 404 };
    let body = Full::new(Bytes::from(found.unwrap_or_default()));
    Response::builder().status(status).body(body).expect("an answer")
}

/// The items from this one on, numbered from `first`.
fn page(items: Option<&Vec<Vec<u8>>>, from: usize, first: u64) -> Vec<u8> {
    let items = items.into_iter().flatten().enumerate().skip(from);
    let items = items.map(|(at, bytes)| Item { cursor: at as u64 + first, bytes: bytes.clone().into() }).collect();
    cbor::to_vec(&Page { items, more: false, generation: 1, floor: 0 })
}
