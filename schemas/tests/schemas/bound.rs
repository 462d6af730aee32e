//! What lies clear beside a seal is bound to it: even who can sign anew cannot move a seal to another place.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmClass, AlarmKind, Card, CardBody, ContentKey, HandedAlarm, HandingOn, Note, NoteBody, NoteKind,
    Receipt, ReceiptDetail, ReceiptState, Update, UpdateBody,
};
use baken_schemas::cbor;
use baken_schemas::circle::Operation;
use baken_schemas::crypto::{Hash, KemSecret, SymmetricKey, open, open_wrapped, seal, wrap};
use baken_schemas::entry::{Entry, EntryBody, EntryHeader, EntryKind, SCHEMA, next_header};
use baken_schemas::id::{AccountId, AlarmId, CircleId, DeviceId, EntryId, LadderId, NoteId};
use baken_schemas::org::{Enrolment, OrgId, RosterLine, RosterPerson};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;

use crate::world::{World, alarm_body};

/// What is changed, and how.
type Named<T> = (&'static str, fn(&mut T));

/// A way to open what a desk handed on.
type Way = fn(&HandingOn, &KemSecret, &ContentKey) -> Result<(), FormatError>;

/// Applies each change to a copy and expects that its seal no longer opens.
fn each_breaks<T: Clone>(good: &T, changes: &[Named<T>], open: impl Fn(&T) -> Result<(), FormatError>) {
    assert_eq!(open(good), Ok(()));
    for (name, change) in changes {
        let mut changed = good.clone();
        change(&mut changed);
        let result = open(&changed);
        assert!(matches!(result, Err(FormatError::Sealed { .. })), "{name}: {result:?}");
    }
}

#[test]
fn an_alarms_seal_is_bound_to_its_header() {
    let mut world = World::new(20);
    let header = world.alarm_header();
    let (desk, kem) = (world.desk_east.device, world.desk_east.kem.clone());
    let (signed, content) = Alarm::seal(
        header,
        &alarm_body(AlarmKind::Panic),
        world.directory.value(),
        &world.mayor_phone.alarm,
        &mut world.rng,
    )
    .expect("the alarm fits");
    let alarm = signed.into_value();
    each_breaks(
        &alarm,
        &[
            ("alarm", |alarm| alarm.header.alarm = AlarmId([1; 16])),
            ("device", |alarm| alarm.header.device = DeviceId([1; 16])),
            ("class", |alarm| alarm.header.class = AlarmClass::Deposit),
            ("ladder", |alarm| alarm.header.ladder = LadderId([1; 16])),
            ("ladder version", |alarm| alarm.header.ladder_version = 1),
            ("body", |alarm| alarm.body[100] ^= 1),
        ],
        |alarm| alarm.open(desk, &kem).map(|_| ()),
    );
    // A slot under another responder's name does not open for it, nor does noise.
    let mut swapped = alarm.clone();
    let west = world.desk_west.device;
    for slot in &mut swapped.slots {
        slot.responder = match slot.responder {
            responder if responder == desk => west,
            responder if responder == west => desk,
            noise => noise,
        };
    }
    assert!(swapped.open(west, &world.desk_west.kem).is_err());
    for slot in alarm.slots.iter().filter(|slot| ![desk, west].contains(&slot.responder)) {
        assert!(alarm.open(slot.responder, &kem).is_err());
    }
    let (_, reopened) = alarm.open(west, &world.desk_west.kem).expect("opens").expect("is on the ladder");
    assert_eq!(reopened, content, "every responder gets the same key");
    assert_eq!(alarm.open(world.relay.device, &world.relay.kem), Ok(None), "the relay has no slot");
}

#[test]
fn what_follows_an_alarm_is_bound_to_its_place() {
    let mut world = World::new(21);
    let header = world.alarm_header();
    let (phone, alarm_key) = (world.mayor_phone.device, world.mayor_phone.alarm.clone());
    let body = alarm_body(AlarmKind::Silent);
    let (alarm, content) =
        Alarm::seal(header, &body, world.directory.value(), &alarm_key, &mut world.rng).expect("the alarm fits");

    let body = UpdateBody {
        fix: body.fix,
        battery_percent: Some(1),
        text: String::new(),
        made_at: Timestamp(1),
        attachment: None,
    };
    let update = Update::seal((header.alarm, phone, 3), &body, &content, &alarm_key, &mut world.rng).expect("fits");
    each_breaks(
        update.value(),
        &[
            ("alarm", |update| update.alarm = AlarmId([1; 16])),
            ("device", |update| update.device = DeviceId([1; 16])),
            ("seq", |update| update.seq = 4),
        ],
        |update| update.open(&content).map(|_| ()),
    );

    let receipt = Receipt {
        alarm: header.alarm,
        alarm_hash: alarm.hash(),
        state: ReceiptState::Seen,
        at: Timestamp(1),
        by: world.desk_east.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let detail = ReceiptDetail { officer: "Visser".into(), text: String::new() };
    let receipt = Receipt::make(receipt, Some((&detail, &content)), &world.desk_east.sig, &mut world.rng);
    each_breaks(
        receipt.expect("the detail fits").value(),
        &[
            ("alarm", |receipt| receipt.alarm = AlarmId([1; 16])),
            ("alarm hash", |receipt| receipt.alarm_hash = Hash::ZERO),
            ("state", |receipt| receipt.state = ReceiptState::Closed),
            ("at", |receipt| receipt.at = Timestamp(2)),
            ("by", |receipt| receipt.by = DeviceId([1; 16])),
            ("prev", |receipt| receipt.prev = Hash([1; 32])),
        ],
        |receipt| receipt.open_detail(&content).map(|_| ()),
    );

    let west = world.desk(world.desk_west.device).clone();
    let handed =
        HandedAlarm { alarm: header.alarm, alarm_hash: alarm.hash(), at: Timestamp(1), by: world.desk_east.device };
    let handing = HandingOn::make(&handed, &west, (&content, Some(&detail)), &world.desk_east.sig, &mut world.rng);
    let handing = handing.expect("the detail fits");
    let kem = world.desk_west.kem.clone();
    let ways: [Way; 2] = [
        |handing, kem, _| handing.open(kem).map(|_| ()),
        |handing, _, content| handing.open_detail(content).map(|_| ()),
    ];
    for open in ways {
        each_breaks(
            handing.value(),
            &[
                ("alarm", |handing| handing.alarm = AlarmId([1; 16])),
                ("alarm hash", |handing| handing.alarm_hash = Hash::ZERO),
                ("at", |handing| handing.at = Timestamp(2)),
                ("by", |handing| handing.by = DeviceId([1; 16])),
                ("to", |handing| handing.to = DeviceId([1; 16])),
            ],
            |handing| open(handing, &kem, &content),
        );
    }

    let desk = world.desk(world.desk_east.device).clone();
    let body = NoteBody { kind: NoteKind::Withdrawn, duress: true, alarm: None, made_at: Timestamp(1), freeze: None };
    let note = NoteId::make(&mut world.rng);
    let note = Note::seal(note, phone, &desk, &body, &alarm_key, &mut world.rng).expect("the key is good");
    each_breaks(
        note.value(),
        &[
            ("note", |note| note.note = NoteId([1; 16])),
            ("device", |note| note.device = DeviceId([1; 16])),
            ("desk", |note| note.desk = DeviceId([1; 16])),
        ],
        |note| note.open(&world.desk_east.kem).map(|_| ()),
    );

    let key = SymmetricKey::make(&mut world.rng);
    let card = Card::seal(phone, 4, &CardBody::default(), &key, &world.mayor_phone.sig, &mut world.rng).expect("fits");
    each_breaks(
        card.value(),
        &[("device", |card| card.device = DeviceId([1; 16])), ("version", |card| card.version = 5)],
        |card| card.open(&key).map(|_| ()),
    );
}

#[test]
fn what_a_desk_is_told_of_a_person_is_bound_to_desk_and_account() {
    let mut world = World::new(22);
    let desk = world.desk(world.desk_east.device).clone();
    let person = RosterPerson {
        name: "A. Voorbeeld".into(),
        office: "burgemeester".into(),
        phone: "+31 6 1234".into(),
        desk_key: [3; 32],
    };
    let line = RosterLine::make(world.org(), &desk, world.account, &person, &mut world.rng).expect("fits");
    each_breaks(
        &line,
        &[
            ("org", |line| line.org = OrgId(Hash::ZERO)),
            ("desk", |line| line.desk = DeviceId([1; 16])),
            ("account", |line| line.account = AccountId([1; 16])),
        ],
        |line| line.open(&world.desk_east.kem).map(|_| ()),
    );

    // An enrolment moved to another account is refused though it is signed anew by the same device.
    let desk_key = world.invite.value().desk_key();
    let enrolment = Enrolment::make(&world.mayor_phone, &desk, world.account, &desk_key, &mut world.rng);
    let enrolment = enrolment.expect("the key is good");
    each_breaks(
        enrolment.value(),
        &[
            ("device", |enrolment| enrolment.device = DeviceId([1; 16])),
            ("desk", |enrolment| enrolment.desk = DeviceId([1; 16])),
            ("account", |enrolment| enrolment.account = AccountId([1; 16])),
        ],
        |enrolment| {
            let signed = Signed::make(enrolment.clone(), &world.mayor_phone.sig);
            Enrolment::open(signed.bytes(), &world.desk_east.kem, &desk_key).map(|_| ())
        },
    );
    // Who does not hold the account's key enrols nothing: the relay's case.
    let stranger = SymmetricKey::make(&mut world.rng);
    let forged = Enrolment::make(&world.relay, &desk, world.account, &stranger, &mut world.rng).expect("good key");
    let refused = Enrolment::open(forged.bytes(), &world.desk_east.kem, &desk_key);
    assert!(matches!(refused, Err(FormatError::Signature { .. })), "{refused:?}");
}

#[test]
fn an_entrys_seal_is_bound_to_its_header() {
    let mut world = World::new(23);
    let circle = world.circle();
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let previous = Some((4, Hash([4; 32])));
    let header = next_header(EntryKind::Changes, world.circle, 1, 0, previous, &mut world.rng);
    let (log, heads) = (circle.log(), Vec::new());
    let body = EntryBody { device: author, hlc: 1, log, heads, schema: SCHEMA, changes: Vec::new() };
    let entry = Entry::seal(header, &body, &circle.epoch_key, &sig, &mut world.rng).expect("fits");
    let (_, sealed): (ByteVec, ByteVec) = minicbor::decode(entry.bytes()).expect("two byte strings");
    let again = |header: &EntryHeader| {
        let header = ByteVec::from(cbor::to_vec(header));
        Entry::parse(&cbor::to_vec(&(header, sealed.clone())))
    };
    each_breaks(
        entry.header(),
        &[
            ("version", |header| header.version = 0),
            ("kind", |header| header.kind = EntryKind::Checkpoint { part: 0, of: 1 }),
            ("circle", |header| header.circle = CircleId([1; 16])),
            ("epoch", |header| header.epoch = 2),
            ("entry", |header| header.entry = EntryId([1; 16])),
            ("slot", |header| header.slot = 1),
            ("counter", |header| header.counter = 6),
            ("prev", |header| header.prev = Hash([5; 32])),
        ],
        |header| again(header)?.open(&circle.epoch_key, author, &sig.verify_key()).map(|_| ()),
    );
    let mut newer = entry.header().clone();
    newer.version = 2;
    assert!(matches!(again(&newer), Err(FormatError::WrongDocument { .. })));
    for size_class in [0, entry.header().size_class + 1, 163, 164, u8::MAX] {
        let mut resized = entry.header().clone();
        resized.size_class = if size_class == resized.size_class { 9 } else { size_class };
        assert!(matches!(again(&resized), Err(FormatError::Rule { .. })), "class {size_class}");
    }
    for (counter, prev) in [(0, Hash::ZERO), (0, Hash([4; 32])), (1, Hash([4; 32])), (2, Hash::ZERO)] {
        let mut misplaced = entry.header().clone();
        (misplaced.counter, misplaced.prev) = (counter, prev);
        assert!(matches!(again(&misplaced), Err(FormatError::Rule { .. })), "counter {counter}");
    }
    // Another member, who holds the same epoch key, cannot write in the phone's name.
    let forged = next_header(EntryKind::Changes, world.circle, 1, 0, None, &mut world.rng);
    let forged = Entry::seal(forged, &body, &circle.epoch_key, &world.mayor_tablet.sig, &mut world.rng).expect("fits");
    let refused = forged.open(&circle.epoch_key, author, &sig.verify_key());
    assert!(matches!(refused, Err(FormatError::Signature { .. })), "{refused:?}");
}

#[test]
fn an_epochs_wrap_is_bound_to_circle_number_and_device() {
    let mut world = World::new(24);
    let circle = world.circle();
    let Operation::Epoch { epoch } = circle.records[3].value().operation.clone() else { panic!("the last is") };
    let (phone, kem) = (world.mayor_phone.device, world.mayor_phone.kem.clone());
    let tablet = world.mayor_tablet.device;
    assert_eq!(epoch.open(world.circle, phone, &kem), Ok(Some(circle.epoch_key.clone())));
    assert_eq!(epoch.open(world.circle, tablet, &world.mayor_tablet.kem), Ok(Some(circle.epoch_key.clone())));
    assert_eq!(epoch.open(world.circle, world.relay.device, &world.relay.kem), Ok(None));
    assert!(epoch.open(CircleId([1; 16]), phone, &kem).is_err());
    let mut other = epoch.clone();
    other.number = 2;
    assert!(other.open(world.circle, phone, &kem).is_err());
    let mut other = epoch.clone();
    other.wraps[0].recipient = tablet;
    assert!(other.open(world.circle, tablet, &kem).is_err());
    // A member cannot hand two members different keys: the commitment tells.
    let mut split = epoch;
    split.commitment = SymmetricKey::make(&mut world.rng).commitment("baken/epoch/v0");
    assert!(matches!(split.open(world.circle, phone, &kem), Err(FormatError::Sealed { .. })));
}

#[test]
fn a_seal_opens_only_with_its_key_label_and_bound_bytes() {
    let mut world = World::new(25);
    let [key, other] = [(); 2].map(|()| SymmetricKey::make(&mut world.rng));
    let sealed = seal(&key, "baken/a/v0", b"here", b"content", &mut world.rng);
    assert_eq!(open(&key, "baken/a/v0", b"here", &sealed, "it").map(|plain| plain.to_vec()), Ok(b"content".to_vec()));
    assert!(open(&other, "baken/a/v0", b"here", &sealed, "it").is_err());
    assert!(open(&key, "baken/b/v0", b"here", &sealed, "it").is_err());
    assert!(open(&key, "baken/a/v0", b"there", &sealed, "it").is_err());
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&key, "baken/a/v0", b"here", &flipped, "it").is_err(), "bit {bit}");
    }

    let public = world.relay.kem.public();
    let wrapped = wrap(&public, None, "baken/a/v0", b"here", b"content", &mut world.rng).expect("a good key");
    let opened = open_wrapped(&world.relay.kem, None, "baken/a/v0", b"here", &wrapped);
    assert_eq!(opened.map(|plain| plain.to_vec()), Ok(b"content".to_vec()));
    assert!(open_wrapped(&world.desk_east.kem, None, "baken/a/v0", b"here", &wrapped).is_err());
    assert!(open_wrapped(&world.relay.kem, None, "baken/b/v0", b"here", &wrapped).is_err());
    assert!(open_wrapped(&world.relay.kem, None, "baken/a/v0", b"there", &wrapped).is_err());
    for bit in 0..wrapped.encapsulated.len() * 8 {
        // X25519 ignores the highest bit of a public key; X-Wing hashes the key as sent, so this bit counts too.
        if bit % 13 != 0 && bit / 8 < 1088 {
            continue;
        }
        let mut flipped = wrapped.clone();
        flipped.encapsulated[bit / 8] ^= 1 << (bit % 8);
        assert!(open_wrapped(&world.relay.kem, None, "baken/a/v0", b"here", &flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn a_claim_is_not_believed_before_its_key_has_checked_it() {
    let world = World::new(26);
    let forged = Signed::make(world.directory.value().clone(), &world.account_root);
    let unverified = Unverified::<baken_schemas::org::Directory>::parse(forged.bytes()).expect("well-formed");
    assert_eq!(unverified.claims().version, 7);
    assert!(matches!(unverified.verify(&world.org_root.verify_key()), Err(FormatError::Signature { .. })));
    // Another organisation's directory, rightly signed by its own root.
    let mut other = world.directory.value().clone();
    other.root = world.account_root.verify_key();
    let other = Signed::make(other, &world.account_root);
    let refused = baken_schemas::org::Directory::verify(other.bytes(), world.org());
    assert!(matches!(refused, Err(FormatError::Signature { .. })));
}
