//! A desk in a folder of its own, an organisation that vouches for it and for another desk, and phones made from the
//! formats. Whoever brings the mail is the relay, and may lie.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, Fix, Note, NoteBody, NoteKind, Position,
    Provenance, Receipt, ReceiptDetail, ReceiptState, Update, UpdateBody,
};
use baken_schemas::api::{Mail, MailKind};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, NoteId};
use baken_schemas::org::{DeskEntry, Directory, Enrolment, InviteRole, RelayEntry};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock, SystemClock, Timestamp};
use baken_server::desk::officers::{Officer, Token};
use baken_server::desk::{AlarmDetail, Channels, Desk, DeskParts, MailPosition};
use baken_server::org::{DirectoryChange, Invitee, Organisation};
use baken_server::store::{Disk, StoreOptions};
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use tempfile::TempDir;

/// Where the console is, in tests without sockets.
pub const CONSOLE: &str = "https://desk.example:8444";
/// The name of the person who calls.
pub const MAYOR: &str = "Ans Testma";

/// The machine's clock, moved by a test.
#[derive(Debug, Default)]
pub struct ShiftedClock(AtomicI64);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.0.load(Ordering::SeqCst))
    }
}

impl ShiftedClock {
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

/// A phone and its account.
#[derive(Clone)]
pub struct Phone {
    pub keys: DeviceKeys,
    pub account: AccountId,
    pub desk_key: SymmetricKey,
}

pub struct World {
    pub dir: TempDir,
    pub clock: Arc<ShiftedClock>,
    pub rng: ChaCha20Rng,
    pub org: Organisation,
    pub relay: DeviceKeys,
    pub keys: DeviceKeys,
    pub other: DeviceKeys,
    pub desk: Desk,
    /// What the relay has brought last.
    pub place: MailPosition,
}

pub fn entry(keys: &DeviceKeys, name: &str) -> DeskEntry {
    DeskEntry { desk: keys.device, name: name.to_owned(), sig: keys.sig.verify_key(), kem: keys.kem.public() }
}

pub fn open(dir: &Path, keys: &DeviceKeys, org: &Organisation, clock: &Arc<ShiftedClock>) -> Desk {
    open_as(dir, keys, org, clock, (CONSOLE, false))
}

/// A desk with its console at an address, to which officers come with passkeys or with links alone.
pub fn open_as(
    dir: &Path,
    keys: &DeviceKeys,
    org: &Organisation,
    clock: &Arc<ShiftedClock>,
    (console, passkeys): (&str, bool),
) -> Desk {
    let clock: Arc<dyn Clock> = Arc::<ShiftedClock>::clone(clock);
    let parts = DeskParts {
        keys: keys.clone(),
        org: org.org(),
        console_url: console.to_owned(),
        passkeys,
        channels: Channels::read(dir).unwrap(),
        clock,
        rng: Box::new(ChaCha20Rng::seed_from_u64(11)),
    };
    Desk::open(&Disk::new(dir), StoreOptions::default(), parts).unwrap()
}

impl World {
    pub async fn new() -> Self {
        Self::with_channels("").await
    }

    /// A desk with this `desk.toml`.
    pub async fn with_channels(channels: &str) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("desk.toml"), channels).unwrap();
        let (relay, keys, other) = (DeviceKeys::make(&mut rng), DeviceKeys::make(&mut rng), DeviceKeys::make(&mut rng));
        let mut org = Organisation::make("Gemeente Voorbeeld", &mut rng).unwrap();
        let relay_entry = RelayEntry {
            relay: relay.device,
            sig: relay.sig.verify_key(),
            urls: vec!["https://relay.example".to_owned()],
            tls_roots: vec![vec![0].into()],
            operator_reads_alarms: false,
        };
        let change = DirectoryChange {
            relay: Some(relay_entry),
            desks: vec![entry(&keys, "Oost"), entry(&other, "West")],
            ..DirectoryChange::default()
        };
        org.sign_directory(change, Timestamp(0), &mut rng).unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let desk = open(dir.path(), &keys, &org, &clock);
        desk.take_directory(org.directory.as_ref().unwrap().bytes()).await.unwrap();
        let place = MailPosition { generation: 1, cursor: 0 };
        Self { dir, clock, rng, org, relay, keys, other, desk, place }
    }

    /// The desk after its process was killed and started again: nothing is closed in an orderly way.
    pub fn restart(&mut self) {
        self.desk = open(self.dir.path(), &self.keys, &self.org, &self.clock);
    }

    pub fn directory(&self) -> Directory {
        self.org.directory.clone().unwrap().into_value()
    }

    /// The relay brings something.
    pub async fn bring(&mut self, kind: MailKind, document: &[u8]) {
        self.place.cursor += 1;
        self.bring_at(self.place, kind, document).await;
    }

    pub async fn bring_at(&mut self, place: MailPosition, kind: MailKind, document: &[u8]) {
        let mail = Mail { kind, document: document.to_vec().into() };
        self.desk.take_mail(place, &mail).await.unwrap();
    }

    /// A phone whose person the desk has been told of, and which has told the desk whose it is.
    pub async fn phone(&mut self) -> Phone {
        let phone = self.stranger().await;
        self.enrol(&phone).await;
        phone
    }

    /// A phone whose person the desk has been told of, but which it has not heard of.
    pub async fn stranger(&mut self) -> Phone {
        let invitee = Invitee {
            name: MAYOR.to_owned(),
            office: "burgemeester".to_owned(),
            phone: "+31600000001".to_owned(),
            role: InviteRole::OfficeHolder,
        };
        let issued = self.org.invite(invitee, Timestamp(i64::MAX), &mut self.rng).unwrap();
        // The registration is the relay's, the first line this desk's, the second the other's.
        self.bring(MailKind::Roster, &issued.documents[1]).await;
        let invite = issued.invite.value();
        Phone { keys: DeviceKeys::make(&mut self.rng), account: invite.account, desk_key: invite.desk_key() }
    }

    pub async fn enrol(&mut self, phone: &Phone) {
        let desk = entry(&self.keys, "Oost");
        let enrolment = Enrolment::make(&phone.keys, &desk, phone.account, &phone.desk_key, &mut self.rng).unwrap();
        self.bring(MailKind::Enrolment, enrolment.bytes()).await;
    }

    /// An alarm sealed to both desks.
    pub fn alarm(&mut self, phone: &Phone, kind: AlarmKind) -> (Signed<Alarm>, ContentKey) {
        let directory = self.directory();
        let body = AlarmBody { kind, ..body() };
        Alarm::seal(self.header(phone), &body, &directory, &phone.keys.alarm, &mut self.rng).unwrap()
    }

    pub fn header(&mut self, phone: &Phone) -> AlarmHeader {
        let ladder = self.directory().ladders[0].clone();
        AlarmHeader {
            alarm: AlarmId::make(&mut self.rng),
            device: phone.keys.device,
            class: AlarmClass::Alarm,
            ladder: ladder.ladder,
            ladder_version: ladder.version,
        }
    }

    /// An alarm that has come in.
    pub async fn ringing(&mut self, phone: &Phone) -> (Signed<Alarm>, ContentKey) {
        let (alarm, content) = self.alarm(phone, AlarmKind::Panic);
        self.bring(MailKind::Alarm, alarm.bytes()).await;
        (alarm, content)
    }

    pub fn update(&mut self, phone: &Phone, alarm: &Signed<Alarm>, content: &ContentKey, seq: u64) -> Signed<Update> {
        let fix = Fix::At(Position { latitude_e7: 520_000_000, longitude_e7: 50_000_000, accuracy_m: 30, age_s: 1 });
        let body = UpdateBody {
            fix,
            battery_percent: Some(40),
            text: format!("nr {seq}"),
            made_at: Timestamp(0),
            attachment: None,
        };
        let about = (alarm.value().header.alarm, phone.keys.device, seq);
        Update::seal(about, &body, content, &phone.keys.alarm, &mut self.rng).unwrap()
    }

    pub fn note(&mut self, phone: &Phone, kind: NoteKind, duress: bool, alarm: Option<AlarmId>) -> Signed<Note> {
        self.note_with(phone, NoteBody { kind, duress, alarm, made_at: Timestamp(0), freeze: None })
    }

    pub fn note_with(&mut self, phone: &Phone, body: NoteBody) -> Signed<Note> {
        let (id, desk) = (NoteId::make(&mut self.rng), entry(&self.keys, "Oost"));
        Note::seal(id, phone.keys.device, &desk, &body, &phone.keys.alarm, &mut self.rng).unwrap()
    }

    /// A receipt of the other desk.
    pub fn others_receipt(
        &mut self,
        alarm: &Signed<Alarm>,
        content: &ContentKey,
        state: ReceiptState,
    ) -> Signed<Receipt> {
        let detail = ReceiptDetail { officer: "Agent West".to_owned(), text: String::new() };
        let receipt = Receipt {
            alarm: alarm.value().header.alarm,
            alarm_hash: alarm.hash(),
            state,
            at: Timestamp(0),
            by: self.other.device,
            prev: Hash::ZERO,
            detail: Vec::new(),
        };
        Receipt::make(receipt, Some((&detail, content)), &self.other.sig, &mut self.rng).unwrap()
    }

    pub fn view(&self, alarm: &Signed<Alarm>) -> AlarmDetail {
        self.desk.alarm(alarm.value().header.alarm).unwrap().expect("the desk has the alarm")
    }

    pub fn officer(&mut self, name: &str) -> (Officer, Token) {
        self.desk.officers().add(name, self.clock.now(), &mut self.rng).unwrap()
    }
}

pub fn body() -> AlarmBody {
    AlarmBody {
        kind: AlarmKind::Panic,
        fix: Fix::At(Position { latitude_e7: 523_717_500, longitude_e7: 48_903_500, accuracy_m: 12, age_s: 4 }),
        battery_percent: Some(61),
        text: "man bij de deur".to_owned(),
        made_at: Timestamp(0),
        card_key: None,
        family: None,
        provenance: Provenance::Phone,
    }
}
