//! The people and machines of every test: an organisation with a relay and two desks, a mayor with phone and tablet.

use baken_schemas::alarm::{AlarmBody, AlarmClass, AlarmHeader, AlarmKind, Fix, Position, Provenance};
use baken_schemas::circle::{
    CircleKind, Cut, Epoch, LogHead, LogRecord, Member, MemberRole, Membership, Operation, Readers,
};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, AlarmId, CircleId, DeviceId, InviteId, LadderId};
use baken_schemas::org::{
    CallsFamily, DeskEntry, Directory, Invite, InviteRole, Ladder, LadderUse, OrgId, RelayEntry, Rung,
};
use baken_schemas::recovery::RecoveryCode;
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rand::rngs::ChaCha20Rng;
use rand::{CryptoRng, SeedableRng as _};

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
    pub code: RecoveryCode,
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
                    Rung { responders: vec![desk_east.device], wait_s: 40, family: CallsFamily::No },
                    Rung { responders: vec![desk_east.device, desk_west.device], wait_s: 120, family: CallsFamily::No },
                ],
                serves: LadderUse::Alarms,
            }],
            sms_number: Some("+3197010200300".into()),
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
            code: RecoveryCode::make(&mut ChaCha20Rng::seed_from_u64(seed ^ 0x7265_636f_7665_7279)),
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

    /// The mayor's dossier with phone and tablet, both owners, in its first epoch.
    pub fn circle(&mut self) -> Circle {
        let recovery = self.code.kem(self.account).public();
        let (first, root) = (member(&self.mayor_phone), &self.account_root);
        let (membership, genesis) =
            Membership::found(self.circle, CircleKind::Dossier, root.verify_key(), Some(recovery), first, root);
        let mut circle = Circle { membership, records: vec![genesis], epoch_key: SymmetricKey::make(&mut self.rng) };
        let phone = self.mayor_phone.clone();
        circle.take(&phone, Operation::Add { member: member(&self.mayor_tablet) });
        circle.take(&phone, Operation::Confirm { device: self.mayor_tablet.device });
        circle.start_epoch(&phone, &mut self.rng);
        circle
    }
}

impl Circle {
    /// A record by `author`, which is taken.
    pub fn take(&mut self, author: &DeviceKeys, operation: Operation) {
        let record = self.membership.next(author.device, operation, &author.sig);
        self.membership.apply(record.bytes()).expect("the rules allow it");
        self.records.push(record);
    }

    /// The next epoch for those who read in `readers`, and its key.
    pub fn epoch_for(&self, readers: &Membership, rng: &mut dyn CryptoRng) -> (Epoch, SymmetricKey) {
        let number = self.membership.epoch() + 1;
        let members = readers.readers();
        let readers = Readers { members: &members, recovery: readers.recovery() };
        let before = (number > 1).then_some(&self.epoch_key);
        Epoch::make(self.membership.circle(), number, readers, before, rng).expect("the readers' keys are good")
    }

    /// A new epoch by `author`.
    pub fn start_epoch(&mut self, author: &DeviceKeys, rng: &mut dyn CryptoRng) {
        let (epoch, key) = self.epoch_for(&self.membership, rng);
        self.take(author, Operation::Epoch { epoch });
        self.epoch_key = key;
    }

    /// What takes `device` out, its writing ending at `counter`, and the key of the epoch from then on.
    pub fn removal(&self, device: DeviceId, counter: u64, rng: &mut dyn CryptoRng) -> (Operation, SymmetricKey) {
        let readers = self.membership.without(device).expect("it was a member once");
        let (epoch, key) = self.epoch_for(&readers, rng);
        (Operation::Remove { cut: Cut { device, counter }, epoch }, key)
    }

    /// Where the log stands.
    pub fn log(&self) -> Option<LogHead> {
        Some(self.membership.head())
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
        family: None,
        provenance: Provenance::Phone,
    }
}
