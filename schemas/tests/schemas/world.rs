//! The people and machines of every test: an organisation with a relay and two desks, a mayor with phone and tablet.

use baken_schemas::alarm::{AlarmBody, AlarmClass, AlarmHeader, AlarmKind, Fix, Position, Provenance};
use baken_schemas::circle::{Epoch, LogRecord, Member, MemberRole, Membership, Operation};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, CircleId, DeviceId, InviteId, LadderId};
use baken_schemas::org::{DeskEntry, Directory, Invite, InviteRole, Ladder, OrgId, RelayEntry, Rung};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

/// Everybody, made from one seed.
pub struct World {
    pub rng: ChaCha20Rng,
    pub org_root: SigningKey,
    pub account_root: SigningKey,
    pub relay: DeviceKeys,
    pub desk_east: DeviceKeys,
    pub desk_west: DeviceKeys,
    pub mayor_phone: DeviceKeys,
    pub mayor_tablet: DeviceKeys,
    pub account: AccountId,
    pub circle: CircleId,
    pub ladder: LadderId,
    pub directory: Signed<Directory>,
    pub invite: Signed<Invite>,
}

/// A circle's log, and the key of its epoch.
pub struct Circle {
    pub membership: Membership,
    pub records: Vec<Signed<LogRecord>>,
    pub epoch_key: SymmetricKey,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let org_root = SigningKey::make(&mut rng);
        let account_root = SigningKey::make(&mut rng);
        let [relay, desk_east, desk_west, mayor_phone, mayor_tablet] =
            std::array::from_fn(|_| DeviceKeys::make(&mut rng));
        let ladder = LadderId::make(&mut rng);
        let directory = Directory {
            root: org_root.verify_key(),
            version: 7,
            name: "Gemeente Voorbeeld".into(),
            issued_at: Timestamp(1_795_000_000_000),
            relay: RelayEntry {
                relay: relay.device,
                sig: relay.sig.verify_key(),
                urls: vec!["https://relay.example:8443".into()],
                tls_roots: vec![b"not a certificate: these bytes are only carried".to_vec().into()],
                operator_reads_alarms: false,
            },
            desks: vec![desk_entry("Meldkamer Oost", &desk_east), desk_entry("Meldkamer West", &desk_west)],
            ladders: vec![Ladder {
                ladder,
                version: 2,
                name: "Dag en nacht".into(),
                rungs: vec![
                    Rung { responders: vec![desk_east.device], wait_s: 40 },
                    Rung { responders: vec![desk_east.device, desk_west.device], wait_s: 120 },
                ],
            }],
        };
        let account = AccountId::make(&mut rng);
        let circle = CircleId::make(&mut rng);
        let invite = Invite {
            org: OrgId::of(&org_root.verify_key()),
            relay_url: "https://relay.example:8443".into(),
            tls_root_sha256: [0x5a; 32],
            account,
            invite: InviteId::make(&mut rng),
            role: InviteRole::OfficeHolder,
            expires_at: Timestamp(1_796_000_000_000),
            secret: *SymmetricKey::make(&mut rng).as_bytes(),
        };
        Self {
            directory: Signed::make(directory, &org_root),
            invite: Signed::make(invite, &org_root),
            rng,
            org_root,
            account_root,
            relay,
            desk_east,
            desk_west,
            mayor_phone,
            mayor_tablet,
            account,
            circle,
            ladder,
        }
    }

    pub fn org(&self) -> OrgId {
        self.directory.value().org()
    }

    pub fn desk(&self, desk: DeviceId) -> &DeskEntry {
        self.directory.value().desk(desk).expect("the directory lists both desks")
    }

    pub fn alarm_header(&mut self) -> AlarmHeader {
        AlarmHeader {
            alarm: AlarmId::make(&mut self.rng),
            device: self.mayor_phone.device,
            class: AlarmClass::Alarm,
            ladder: self.ladder,
            ladder_version: 2,
        }
    }

    /// The mayor's circle with phone and tablet in its first epoch.
    pub fn circle(&mut self) -> Circle {
        let phone = member(&self.mayor_phone);
        let (mut membership, genesis) = Membership::found(self.circle, &self.account_root, phone);
        let author = self.mayor_phone.device;
        let add = Operation::Add { member: member(&self.mayor_tablet) };
        let add = membership.next(author, add, &self.mayor_phone.sig);
        membership.apply(add.bytes()).expect("an owner adds a device");
        let (epoch, epoch_key) =
            Epoch::make(self.circle, 1, membership.members(), &mut self.rng).expect("the members' keys are good");
        let epoch = membership.next(author, Operation::Epoch { epoch }, &self.mayor_phone.sig);
        membership.apply(epoch.bytes()).expect("an owner starts an epoch");
        Circle { membership, records: vec![genesis, add, epoch], epoch_key }
    }
}

pub fn desk_entry(name: &str, keys: &DeviceKeys) -> DeskEntry {
    DeskEntry { desk: keys.device, name: name.into(), sig: keys.sig.verify_key(), kem: keys.kem.public() }
}

pub fn member(keys: &DeviceKeys) -> Member {
    Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role: MemberRole::Owner }
}

pub fn alarm_body(kind: AlarmKind) -> AlarmBody {
    AlarmBody {
        kind,
        fix: Fix::At(Position { latitude_e7: 519_225_000, longitude_e7: -44_791_700, accuracy_m: 12, age_s: 3 }),
        battery_percent: Some(64),
        text: "voor de deur, twee personen".into(),
        made_at: Timestamp(1_795_465_407_000),
        card_key: Some(vec![0x11; 32].into()),
        provenance: Provenance::Phone,
    }
}
