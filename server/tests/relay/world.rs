//! A relay in a folder of its own, an organisation with two desks on a ladder of two rungs, and phones made from the
//! formats. The clock stands still unless a test moves it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, Fix, FixAbsent, Provenance, Receipt,
    ReceiptState, check_receipt,
};
use baken_schemas::api::{self, Activation, Mail, MailKind, Page, Problem};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, DeviceId, IdempotencyKey, InviteId, LadderId};
use baken_schemas::org::{
    CallsFamily, DeskEntry, Directory, Invite, InviteRegistration, InviteRole, Ladder, LadderUse, RelayEntry, Rung,
};
use baken_schemas::request::{RequestKey, RequestParts, sign_request};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock, Timestamp};
use baken_server::audit;
use baken_server::relay::{Relay, RelayOptions};
use baken_server::store::{Disk, StoreError, StoreOptions};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// What the relay is called.
pub const AUTHORITY: &str = "relay.example";
/// How long the first rung waits, in milliseconds.
pub const FIRST_WAIT_MS: i64 = 60_000;
/// How long the second rung waits, in milliseconds.
pub const SECOND_WAIT_MS: i64 = 120_000;

/// A clock that a test moves.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    pub fn at(ms: i64) -> Self {
        Self(AtomicI64::new(ms))
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

/// A relay and those around it.
pub struct World {
    pub dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub rng: ChaCha20Rng,
    pub relay_keys: DeviceKeys,
    pub relay: Relay,
    pub root: SigningKey,
    pub desks: Vec<DeviceKeys>,
    pub directory: Signed<Directory>,
}

/// A request's answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Answer {
    /// The problem's code; fails when it is none.
    pub fn code(&self) -> String {
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, self.status);
        problem.code
    }

    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code));
    }

    /// The body of a success.
    pub fn ok(self) -> Bytes {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.body
    }
}

pub async fn open(dir: &Path, clock: &Arc<ManualClock>, keys: &DeviceKeys, rng: &mut ChaCha20Rng) -> Relay {
    let options = RelayOptions { authorities: vec![AUTHORITY.to_owned()], ..RelayOptions::default() };
    open_with(options, dir, clock, keys, rng).await
}

pub async fn open_with(
    options: RelayOptions,
    dir: &Path,
    clock: &Arc<ManualClock>,
    keys: &DeviceKeys,
    rng: &mut ChaCha20Rng,
) -> Relay {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Relay::open(&Disk::new(dir), StoreOptions::default(), keys.clone(), clock, rng, options).await.unwrap()
}

impl World {
    pub async fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(1_795_000_000_000));
        let relay_keys = DeviceKeys::make(&mut rng);
        let relay = open(dir.path(), &clock, &relay_keys, &mut rng).await;
        let root = SigningKey::make(&mut rng);
        let desks = vec![DeviceKeys::make(&mut rng), DeviceKeys::make(&mut rng)];
        let directory = directory(&relay_keys, &root, &desks, 1, &mut rng);
        let world = Self { dir, clock, rng, relay_keys, relay, root, desks, directory };
        world.relay.add_org(world.directory.value().org()).await.unwrap();
        world.publish(world.directory.bytes()).await.ok();
        world
    }

    /// The relay started again, with room for so many bytes a circle.
    pub async fn restart_with_quota(&mut self, circle_quota_bytes: u64) {
        self.relay.close();
        let authorities = vec![AUTHORITY.to_owned()];
        let options = RelayOptions { authorities, circle_quota_bytes, ..RelayOptions::default() };
        self.relay = open_with(options, self.dir.path(), &self.clock, &self.relay_keys, &mut self.rng).await;
    }

    /// The relay's receipts for an alarm in a device's mail, and those of desks, as they came.
    pub async fn told(&mut self, keys: &DeviceKeys) -> Vec<Signed<Receipt>> {
        let mail = self.mail(keys, 0).await;
        let receipts = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Receipt);
        receipts.map(|(_, mail)| check_receipt(&mail.document, self.directory.value()).unwrap()).collect()
    }

    /// The relay after its process was stopped and started again.
    pub async fn restart(&mut self) {
        self.relay.close();
        self.relay = open(self.dir.path(), &self.clock, &self.relay_keys, &mut self.rng).await;
    }

    pub async fn request(&self, request: Request<axum::body::Body>) -> Response<axum::body::Body> {
        self.relay.router().oneshot(request).await.unwrap()
    }

    async fn answer(&self, request: Request<axum::body::Body>) -> Answer {
        let response = self.request(request).await;
        let status = response.status().as_u16();
        Answer { status, body: response.into_body().collect().await.unwrap().to_bytes() }
    }

    /// An unsigned request.
    pub async fn plain(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let request = Request::builder().method(method).uri(path).header("host", AUTHORITY);
        self.answer(request.body(body.to_vec().into()).unwrap()).await
    }

    /// Publishes a directory whose only desk is this one.
    pub async fn leave_only(&mut self, desk: &DeviceKeys, version: u64) {
        let twice = [desk.clone(), desk.clone()];
        let mut only = directory(&self.relay_keys, &self.root, &twice, version, &mut self.rng).into_value();
        only.desks.truncate(1);
        only.ladders[0].rungs.truncate(1);
        self.publish(Signed::make(only, &self.root).bytes()).await.ok();
    }

    pub async fn publish(&self, document: &[u8]) -> Answer {
        self.plain("POST", api::ORG_DOCUMENTS, document).await
    }

    /// A signed request, ready to be sent or spoilt.
    pub fn signed(
        keys: &DeviceKeys,
        which: RequestKey,
        (method, path_and_query): (&str, &str),
        body: &[u8],
        idempotency: IdempotencyKey,
    ) -> Request<axum::body::Body> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let parts = RequestParts { method, authority: AUTHORITY, path, query, body };
        let signing = if which == RequestKey::Sig { &keys.sig } else { &keys.alarm };
        let headers = sign_request(&parts, keys.device, which, signing, idempotency);
        let mut request = Request::builder().method(method).uri(path_and_query).header("host", AUTHORITY);
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        request.body(body.to_vec().into()).unwrap()
    }

    /// A request signed with the main key, under a new idempotency key.
    pub async fn call(&mut self, keys: &DeviceKeys, method: &str, path: &str, body: &[u8]) -> Answer {
        let idempotency = IdempotencyKey::make(&mut self.rng);
        self.answer(Self::signed(keys, RequestKey::Sig, (method, path), body, idempotency)).await
    }

    /// A request signed with the alarm key, under a new idempotency key.
    pub async fn call_locked(&mut self, keys: &DeviceKeys, method: &str, path: &str, body: &[u8]) -> Answer {
        let idempotency = IdempotencyKey::make(&mut self.rng);
        self.answer(Self::signed(keys, RequestKey::Alarm, (method, path), body, idempotency)).await
    }

    /// A request under an idempotency key of the test's choice.
    pub async fn call_once(
        &mut self,
        keys: &DeviceKeys,
        (method, path): (&str, &str),
        body: &[u8],
        idempotency: IdempotencyKey,
    ) -> Answer {
        self.answer(Self::signed(keys, RequestKey::Sig, (method, path), body, idempotency)).await
    }

    /// An invite, registered with the relay.
    pub async fn invite(&mut self) -> Invite {
        let invite = Invite {
            org: self.directory.value().org(),
            relay_url: format!("https://{AUTHORITY}"),
            tls_root_sha256: [0; 32],
            account: AccountId::make(&mut self.rng),
            invite: InviteId::make(&mut self.rng),
            role: InviteRole::OfficeHolder,
            expires_at: self.clock.now().plus_ms(3_600_000),
            secret: SigningKey::make(&mut self.rng).verify_key().0,
        };
        let registration = Signed::make(InviteRegistration::of(&invite), &self.root);
        self.publish(registration.bytes()).await.ok();
        invite
    }

    pub async fn use_invite(&mut self, invite: &Invite, keys: &DeviceKeys) -> Answer {
        let body = cbor::to_vec(&Activation {
            invite: invite.invite,
            token: invite.relay_token(),
            identity: keys.identity().bytes().to_vec().into(),
        });
        self.call(keys, "POST", api::ACTIVATE, &body).await
    }

    /// An activated phone.
    pub async fn phone(&mut self) -> DeviceKeys {
        let keys = DeviceKeys::make(&mut self.rng);
        let invite = self.invite().await;
        self.use_invite(&invite, &keys).await.ok();
        keys
    }

    /// A further device of a phone's account.
    pub async fn device_of(&mut self, phone: &DeviceKeys) -> DeviceKeys {
        let keys = DeviceKeys::make(&mut self.rng);
        self.call(phone, "POST", api::DEVICES, keys.identity().bytes()).await.ok();
        keys
    }

    /// A guest of a phone's account.
    pub async fn guest_of(&mut self, phone: &DeviceKeys) -> DeviceKeys {
        let keys = DeviceKeys::make(&mut self.rng);
        self.call(phone, "POST", api::GUESTS, keys.identity().bytes()).await.ok();
        keys
    }

    pub async fn sweep(&self) {
        self.relay.sweep(self.relay.now()).await.unwrap();
    }

    /// What the audit has of an act: subject and result of each row; its chain holds.
    pub fn audited(&self, act: &str) -> Vec<(String, String)> {
        let found = self.relay.store().read(|db| {
            audit::verify(db).unwrap();
            let mut statement = db.prepare("SELECT subject, result FROM audit WHERE act = ?1 ORDER BY seq")?;
            let rows = statement.query_map([act], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        });
        found.unwrap()
    }

    /// An alarm sealed to the ladder.
    pub fn alarm(&mut self, keys: &DeviceKeys) -> (Signed<Alarm>, ContentKey) {
        let directory = self.directory.value();
        let header = AlarmHeader {
            alarm: AlarmId::make(&mut self.rng),
            device: keys.device,
            class: AlarmClass::Alarm,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        Alarm::seal(header, &alarm_body(), directory, &keys.alarm, &mut self.rng).unwrap()
    }

    pub async fn press(&mut self, keys: &DeviceKeys, alarm: &Signed<Alarm>) -> Answer {
        self.call_locked(keys, "POST", api::ALARMS, alarm.bytes()).await
    }

    /// A device's mail behind a cursor.
    pub async fn mail(&mut self, keys: &DeviceKeys, after: u64) -> Vec<(u64, Mail)> {
        let body = self.call(keys, "GET", &format!("{}?after={after}", api::MAIL), &[]).await.ok();
        let page: Page = cbor::from_slice(&body, "page").unwrap();
        page.items.into_iter().map(|item| (item.cursor, cbor::from_slice(&item.bytes, "mail").unwrap())).collect()
    }

    /// How much mail of a kind a device has.
    pub async fn count(&mut self, keys: &DeviceKeys, kind: MailKind) -> usize {
        self.mail(keys, 0).await.iter().filter(|(_, mail)| mail.kind == kind).count()
    }

    /// A desk's receipt for an alarm.
    pub fn receipt(&self, desk: &DeviceKeys, alarm: &Signed<Alarm>, state: ReceiptState) -> Signed<Receipt> {
        self.receipt_after(desk, alarm, state, Hash::ZERO)
    }

    /// A desk's receipt that follows another of its own.
    pub fn receipt_after(
        &self,
        desk: &DeviceKeys,
        alarm: &Signed<Alarm>,
        state: ReceiptState,
        prev: Hash,
    ) -> Signed<Receipt> {
        let receipt = Receipt {
            alarm: alarm.value().header.alarm,
            alarm_hash: alarm.hash(),
            state,
            at: self.clock.now(),
            by: desk.device,
            prev,
            detail: Vec::new(),
        };
        Signed::make(receipt, &desk.sig)
    }

    pub async fn send_receipt(&mut self, desk: &DeviceKeys, receipt: &Signed<Receipt>) -> Answer {
        self.call(desk, "POST", api::RECEIPTS, receipt.bytes()).await
    }
}

pub fn alarm_body() -> AlarmBody {
    AlarmBody {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        text: "hulp".to_owned(),
        made_at: Timestamp(0),
        card_key: None,
        family: None,
        provenance: Provenance::Phone,
    }
}

pub fn directory(
    relay: &DeviceKeys,
    root: &SigningKey,
    desks: &[DeviceKeys],
    version: u64,
    rng: &mut ChaCha20Rng,
) -> Signed<Directory> {
    let entry = |keys: &DeviceKeys| DeskEntry {
        desk: keys.device,
        name: "Meldkamer".to_owned(),
        sig: keys.sig.verify_key(),
        kem: keys.kem.public(),
    };
    let rung = |desk: DeviceId, wait_ms: i64| Rung {
        responders: vec![desk],
        wait_s: (wait_ms / 1000) as u32,
        family: CallsFamily::No,
    };
    let ladder = Ladder {
        ladder: LadderId::make(rng),
        version: 1,
        name: "Standaard".to_owned(),
        rungs: vec![rung(desks[0].device, FIRST_WAIT_MS), rung(desks[1].device, SECOND_WAIT_MS)],
        serves: LadderUse::Alarms,
    };
    let directory = Directory {
        root: root.verify_key(),
        version,
        name: "Gemeente Zandhoven".to_owned(),
        issued_at: Timestamp(0),
        relay: RelayEntry {
            relay: relay.device,
            sig: relay.sig.verify_key(),
            urls: vec![format!("https://{AUTHORITY}")],
            tls_roots: Vec::new(),
            operator_reads_alarms: false,
        },
        desks: desks.iter().map(entry).collect(),
        ladders: vec![ladder],
        sms_number: None,
    };
    Signed::make(directory, root)
}
