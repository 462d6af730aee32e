//! Every sealed or signed format as a pair of instances and the way its rightful reader opens it.
//!
//! [`forged`](crate::forged) alters the bytes in every way; nothing but the two instances may open.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmFamily, AlarmKind, Card, CardBody, ContentKey, DepositReceipt, DepositState, DepositTimers,
    Escalation, FamilyKey, FamilyResponder, HandedAlarm, HandingOn, Note, NoteBody, NoteKind, Raise, Receipt,
    ReceiptDetail, ReceiptState, Settlement, SmsBody, SmsContext, SmsNumber, SmsText, Update, UpdateBody,
    check_handing_on, check_receipt,
};
use baken_schemas::audit::AuditHead;
use baken_schemas::blob::BlobSealer;
use baken_schemas::checkpoint::{CheckpointPart, FieldState, RecordState, StandingPut};
use baken_schemas::circle::{Membership, Operation};
use baken_schemas::crypto::{Hash, SymmetricKey, VerifyKey};
use baken_schemas::device::Identity;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, WriterHead, next_header};
use baken_schemas::id::{AlarmId, DeviceId, InviteId, LadderId, NoteId, RecordId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::org::{Directory, Dismissal, Enrolment, InviteRegistration, RosterLine, RosterPerson, Silence};
use baken_schemas::pack::{PackChange, PackFile, PackStatement};
use baken_schemas::pairing::{Grant, Hello, PairingCode};
use baken_schemas::record::{Change, Value, encode_changes};
use baken_schemas::recovery::{RecoveryClaim, RecoveryContent, SealedRoot};
use baken_schemas::signed::{Document, Signed, Unverified, hash_of};
use baken_schemas::time::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::world::{World, alarm_body};

type Opener = Box<dyn Fn(&[u8]) -> Result<(), FormatError>>;

/// How many formats [`all`] has.
pub const COUNT: usize = 34;

/// A format under attack.
pub struct Case {
    /// Its label.
    pub name: &'static str,
    /// Two good instances by the same author.
    pub instances: [Vec<u8>; 2],
    /// Opens and checks all the way, as the rightful reader does.
    pub open: Opener,
}

fn verifying<T: Document + 'static>(key: VerifyKey) -> Opener {
    Box::new(move |bytes| Unverified::<T>::parse(bytes)?.verify(&key).map(|_| ()))
}

fn signed<T: Document + 'static>(instances: [Signed<T>; 2], key: VerifyKey) -> Case {
    Case { name: T::LABEL, instances: instances.map(|signed| signed.bytes().to_vec()), open: verifying::<T>(key) }
}

/// Signed and then opened: what a receiver does with a sealed document.
fn sealed<T: Document + 'static>(
    instances: [Signed<T>; 2],
    key: VerifyKey,
    open: impl Fn(&T) -> Result<(), FormatError> + 'static,
) -> Case {
    let open: Opener = Box::new(move |bytes| open(Unverified::<T>::parse(bytes)?.verify(&key)?.value()));
    Case { name: T::LABEL, instances: instances.map(|signed| signed.bytes().to_vec()), open }
}

/// Every format.
pub fn all(seed: u64) -> Vec<Case> {
    let mut world = World::new(seed);
    let mut cases = alarm_side(&mut world);
    cases.extend(organisation_side(&mut world));
    cases.extend(circle_side(&mut world));
    cases.extend(recovery_side(&mut world));
    cases.extend(pairing_side(&mut world));
    cases.push(chunks(&mut world));
    cases.push(orders(&world));
    cases.push(packs(&world));
    cases.push(silences(&world));
    cases.push(audit_heads(&world));
    cases.extend(deposits(&mut world));
    cases.extend(family(&mut world));
    cases
}

fn alarm_side(world: &mut World) -> Vec<Case> {
    let alarm_key = world.mayor_phone.alarm.clone();
    let device = world.mayor_phone.device;
    let desk = world.desk_east.device;
    let desk_kem = world.desk_east.kem.clone();
    let directory = world.directory.value().clone();

    let alarms = [AlarmKind::Panic, AlarmKind::Duress].map(|kind| {
        let header = world.alarm_header();
        Alarm::seal(header, &alarm_body(kind), &directory, &alarm_key, &mut world.rng).expect("the alarm fits")
    });
    let [(first, content), (second, _)] = alarms;
    let alarm = first.value().header.alarm;
    let opened_with = desk_kem.clone();
    let alarms = sealed([first.clone(), second], alarm_key.verify_key(), move |alarm: &Alarm| {
        alarm.open(desk, &opened_with).map(|opened| assert!(opened.is_some()))
    });

    let updates = [1, 2].map(|seq| {
        let body = UpdateBody {
            fix: alarm_body(AlarmKind::Panic).fix,
            battery_percent: None,
            text: "achterom".into(),
            made_at: Timestamp(1_795_465_500_000),
            attachment: None,
        };
        Update::seal((alarm, device, seq), &body, &content, &alarm_key, &mut world.rng).expect("the update fits")
    });
    let key = content.clone();
    let updates = sealed(updates, alarm_key.verify_key(), move |update: &Update| update.open(&key).map(|_| ()));

    let notes = [false, true].map(|duress| {
        let body =
            NoteBody { kind: NoteKind::Unlocked, duress, alarm: Some(alarm), made_at: Timestamp(5), freeze: None };
        let note = NoteId::make(&mut world.rng);
        let entry = directory.desk(desk).expect("the directory lists the desk");
        Note::seal(note, device, entry, &body, &alarm_key, &mut world.rng).expect("the desk's key is good")
    });
    let opened_with = desk_kem.clone();
    let notes = sealed(notes, alarm_key.verify_key(), move |note: &Note| note.open(&opened_with).map(|_| ()));

    let card_key = SymmetricKey::make(&mut world.rng);
    let cards = [1, 2].map(|version| {
        let body = CardBody { name: "A. Voorbeeld".into(), contacts: vec!["partner".into()], ..CardBody::default() };
        Card::seal(device, version, &body, &card_key, &world.mayor_phone.sig, &mut world.rng).expect("the card fits")
    });
    let cards = sealed(cards, world.mayor_phone.sig.verify_key(), move |card: &Card| card.open(&card_key).map(|_| ()));

    let contexts = [(); 2].map(|()| crate::vectors::sms::context(world).0);
    let context = contexts[0].value().clone();
    let opened_with = desk_kem.clone();
    let contexts = sealed(contexts, alarm_key.verify_key(), move |context: &SmsContext| {
        context.open(desk, &opened_with).map(|opened| assert!(opened.is_some()))
    });
    let keys = context.open(desk, &desk_kem).expect("sealed to the desk").expect("has a slot for it");
    let texts = [1, 2].map(|counter| {
        let AlarmBody { kind, fix, battery_percent, made_at, .. } = alarm_body(AlarmKind::Panic);
        let card_key = SymmetricKey::make(&mut world.rng);
        let number = SmsNumber { counter, salt: [4; 4] };
        SmsText::seal(&keys, number, &SmsBody { kind, fix, battery_percent, made_at, card_key }).to_bytes()
    });
    let open: Opener = Box::new(move |bytes| {
        let text = SmsText::from_bytes(bytes)?;
        text.alarm(&context)?;
        text.open(&keys).map(|_| ())
    });
    let texts = Case { name: "baken/sms-text/v0", instances: texts, open };

    let handings = handings_on(world, first.hash(), alarm, &content, directory.clone());
    let receipts = receipts(world, first.hash(), alarm, &content, directory);
    vec![alarms, updates, notes, cards, contexts, texts, receipts, handings]
}

fn handings_on(
    world: &mut World,
    alarm_hash: Hash,
    alarm: AlarmId,
    content: &ContentKey,
    directory: Directory,
) -> Case {
    let (east, west) = (world.desk_east.clone(), world.desk_west.clone());
    let to = directory.desk(west.device).expect("the directory lists the desk").clone();
    let instances = [1, 2].map(|at| {
        let handed = HandedAlarm { alarm, alarm_hash, at: Timestamp(at), by: east.device };
        let detail = ReceiptDetail { officer: "Visser".into(), text: "bij jullie in de buurt".into() };
        let signed = HandingOn::make(&handed, &to, (content, Some(&detail)), &east.sig, &mut world.rng);
        signed.expect("fits").bytes().to_vec()
    });
    let content = content.clone();
    let open: Opener = Box::new(move |bytes| {
        let handing = check_handing_on(bytes, &directory)?;
        assert_eq!(handing.value().open(&west.kem)?, content);
        handing.value().open_detail(&content).map(|detail| assert!(detail.is_some()))
    });
    Case { name: HandingOn::LABEL, instances, open }
}

fn family(world: &mut World) -> Vec<Case> {
    let (mayor, partner) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    let kem = partner.kem.public();
    let (device, sig) = (partner.device, partner.sig.verify_key());
    let responders = [&partner, &mayor].map(|keys| {
        let responder = FamilyResponder { device, alarm: keys.alarm.verify_key(), kem: kem.clone() };
        Signed::make(responder, &partner.sig).bytes().to_vec()
    });
    let responders = Case {
        name: FamilyResponder::LABEL,
        instances: responders,
        open: Box::new(move |bytes| FamilyResponder::verify(bytes, device, &sig).map(|_| ())),
    };
    let alarm = AlarmId::make(&mut world.rng);
    let sender = mayor.alarm.verify_key();
    let words = [[partner.device; 1], [DeviceId::make(&mut world.rng); 1]].map(|devices| {
        let key = |device| FamilyKey { device, alarm: partner.alarm.verify_key() };
        let family = AlarmFamily { alarm, responders: devices.map(key).to_vec() };
        Signed::make(family, &mayor.alarm).bytes().to_vec()
    });
    let words = Case {
        name: AlarmFamily::LABEL,
        instances: words,
        open: Box::new(move |bytes| AlarmFamily::verify(bytes, alarm, &sender).map(|_| ())),
    };
    let content = ContentKey::from_slice(SymmetricKey::make(&mut world.rng).as_bytes()).expect("32 bytes");
    let escalations = [1, 2].map(|at| {
        let (alarm_hash, by) = (Hash([8; 32]), partner.device);
        let escalation = Escalation { alarm, alarm_hash, at: Timestamp(at), by, detail: Vec::new() };
        let detail = ReceiptDetail { officer: "Jan".into(), text: "neemt niet op".into() };
        let detail = Some((&detail, &content));
        Escalation::make(escalation, detail, &partner.alarm, &mut world.rng).expect("the detail fits")
    });
    let escalations = sealed(escalations, partner.alarm.verify_key(), move |escalation: &Escalation| {
        escalation.open_detail(&content).map(|detail| assert!(detail.is_some()))
    });
    vec![responders, words, escalations]
}

fn receipts(world: &mut World, alarm_hash: Hash, alarm: AlarmId, content: &ContentKey, directory: Directory) -> Case {
    let instances = [ReceiptState::Seen, ReceiptState::Underway].map(|state| {
        let receipt = Receipt {
            alarm,
            alarm_hash,
            state,
            at: Timestamp(1_795_465_410_000),
            by: world.desk_east.device,
            prev: Hash::ZERO,
            detail: Vec::new(),
        };
        let detail = ReceiptDetail { officer: "Visser".into(), text: "auto onderweg".into() };
        let detail = Some((&detail, content));
        Receipt::make(receipt, detail, &world.desk_east.sig, &mut world.rng).expect("fits").bytes().to_vec()
    });
    let content = content.clone();
    let open: Opener = Box::new(move |bytes| {
        let receipt = check_receipt(bytes, &directory)?;
        receipt.value().open_detail(&content).map(|detail| assert!(detail.is_some()))
    });
    Case { name: Receipt::LABEL, instances, open }
}

fn organisation_side(world: &mut World) -> Vec<Case> {
    let root = world.org_root.verify_key();
    let org = world.org();
    let desk = world.desk(world.desk_east.device).clone();
    let desk_kem = world.desk_east.kem.clone();

    let mut next = world.directory.value().clone();
    next.version += 1;
    next.ladders[0].ladder = LadderId::make(&mut world.rng);
    let directories = [world.directory.clone(), Signed::make(next, &world.org_root)];
    let directories = Case {
        name: Directory::LABEL,
        instances: directories.map(|directory| directory.bytes().to_vec()),
        open: Box::new(move |bytes| Directory::verify(bytes, org).map(|_| ())),
    };

    let mut other = world.invite.value().clone();
    other.secret = [9; 32];
    let desk_key = world.invite.value().desk_key();
    let registrations =
        [world.invite.value(), &other].map(|invite| Signed::make(InviteRegistration::of(invite), &world.org_root));
    let invites = [world.invite.clone(), Signed::make(other, &world.org_root)];
    let dismissals = [world.invite.value().invite, InviteId::make(&mut world.rng)]
        .map(|invite| Signed::make(Dismissal { org, invite }, &world.org_root));

    let account = world.account;
    let lines = ["burgemeester", "wethouder"].map(|office| {
        let person = RosterPerson {
            name: "A. Voorbeeld".into(),
            office: office.into(),
            phone: "+31 6 1234".into(),
            desk_key: *desk_key.as_bytes(),
        };
        let line = RosterLine::make(org, &desk, account, &person, &mut world.rng).expect("the line fits");
        Signed::make(line, &world.org_root)
    });
    let opened_with = desk_kem.clone();

    let enrolments = [&world.mayor_phone, &world.mayor_tablet].map(|keys| {
        Enrolment::make(keys, &desk, account, &desk_key, &mut world.rng).expect("good key").bytes().to_vec()
    });
    let enrolments = Case {
        name: Enrolment::LABEL,
        instances: enrolments,
        open: Box::new(move |bytes| Enrolment::open(bytes, &desk_kem, &desk_key).map(|_| ())),
    };
    vec![
        directories,
        signed(invites, root),
        signed(registrations, root),
        signed(dismissals, root),
        sealed(lines, root, move |line: &RosterLine| line.open(&opened_with).map(|_| ())),
        enrolments,
    ]
}

fn circle_side(world: &mut World) -> Vec<Case> {
    let identities = [world.mayor_phone.identity(), world.mayor_tablet.identity()];
    let identities = Case {
        name: Identity::LABEL,
        instances: identities.map(|identity| identity.bytes().to_vec()),
        open: Box::new(|bytes| Identity::verify(bytes).map(|_| ())),
    };

    let circle = world.circle();
    let (id, author) = (world.circle, world.mayor_phone.device);
    let genesis = circle.records[0].bytes().to_vec();
    let added = circle.records[1].clone();
    let operation = added.value().operation.clone();
    let mut other = added.value().clone();
    if let Operation::Add { member } = &mut other.operation {
        member.device = DeviceId::make(&mut world.rng);
    }
    assert_ne!(operation, other.operation);
    let other = Signed::make(other, &world.mayor_phone.sig);
    let records = Case {
        name: "baken/membership/v0",
        instances: [added, other].map(|record| record.bytes().to_vec()),
        open: Box::new(move |bytes| Membership::start(id, &genesis)?.apply(bytes).map(|_| ())),
    };

    let sig = world.mayor_phone.sig.clone();
    let changes = encode_changes(&[Change {
        record: RecordId::make(&mut world.rng),
        kind: 5,
        field: 2,
        value: Value::Text("brief zonder afzender".into()),
    }])
    .expect("one change fits");
    let mut previous = None;
    let mut entry = |kind, hlc, changes: &[u8]| {
        let header = next_header(kind, id, 1, 0, previous, &mut world.rng);
        let heads = vec![WriterHead { slot: 1, counter: 4, hash: Hash([7; 32]) }];
        let (log, changes) = (circle.log(), changes.to_vec());
        let body = EntryBody { device: author, hlc, log, heads, schema: SCHEMA, changes };
        let entry = Entry::seal(header, &body, &circle.epoch_key, &sig, &mut world.rng).expect("the entry fits");
        previous = Some((entry.header().counter, entry.hash()));
        entry.bytes().to_vec()
    };
    let entries = [1, 2].map(|hlc| entry(EntryKind::Changes, hlc, &changes));
    let parts = [1, 2].map(|counter| {
        let value = Value::Text("brief zonder afzender".into());
        let puts = vec![StandingPut { slot: 0, counter, hlc: 1, value }];
        let fields = vec![FieldState { field: 2, puts }];
        let part = CheckpointPart {
            writers: Vec::new(),
            records: vec![RecordState { record: RecordId([3; 16]), kind: 5, fields }],
        };
        let part_of = u16::try_from(counter).expect("1 or 2");
        entry(EntryKind::Checkpoint { part: part_of - 1, of: 2 }, counter, &part.to_bytes())
    });
    let (key, verify) = (circle.epoch_key.clone(), sig.verify_key());
    let entries = Case {
        name: "an entry",
        instances: entries,
        open: Box::new(move |bytes| match Entry::parse(bytes)? {
            entry if entry.header().kind == EntryKind::Changes => entry.open(&key, author, &verify).map(|_| ()),
            _ => Err(FormatError::WrongDocument { expected: "changes" }),
        }),
    };
    let (key, verify) = (circle.epoch_key, sig.verify_key());
    let checkpoints = Case {
        name: "a checkpoint",
        instances: parts,
        open: Box::new(move |bytes| match Entry::parse(bytes)? {
            entry if entry.header().kind == EntryKind::Changes => {
                Err(FormatError::WrongDocument { expected: "a checkpoint" })
            }
            entry => CheckpointPart::from_bytes(&entry.open(&key, author, &verify)?.changes).map(|_| ()),
        }),
    };
    vec![identities, records, entries, checkpoints]
}

fn recovery_side(world: &mut World) -> Vec<Case> {
    let (account, code, root) = (world.account, world.code.clone(), world.account_root.clone());
    let content = RecoveryContent { root: *root.to_bytes(), circle: world.circle };
    let roots = [(); 2].map(|()| {
        let sealed = code.seal_root(account, &content, &mut world.rng);
        Signed::make(sealed, &root).bytes().to_vec()
    });
    let roots = Case {
        name: SealedRoot::LABEL,
        instances: roots,
        open: Box::new(move |bytes| SealedRoot::open(bytes, account, &code).map(|_| ())),
    };
    let claims = [&world.mayor_phone, &world.mayor_tablet]
        .map(|keys| RecoveryClaim::make(account, world.circle, keys.identity().value(), &root));
    vec![roots, signed(claims, root.verify_key())]
}

fn pairing_side(world: &mut World) -> Vec<Case> {
    let code = PairingCode::make(world.mayor_tablet.identity().value(), &mut world.rng);
    let to = world.mayor_tablet.kem.public();
    let kem = world.mayor_tablet.kem.clone();
    let hellos = [&world.mayor_phone, &world.desk_west].map(|keys| {
        let hello = Hello { identity: keys.identity().bytes().to_vec() };
        code.seal_hello(&to, &hello, &mut world.rng).expect("the key is good")
    });
    let circle = world.circle();
    let grants = [Some(world.account), None].map(|account| {
        let grant = Grant {
            account,
            org: world.org(),
            directory: world.directory.bytes().to_vec(),
            circle: world.circle,
            log_head: circle.membership.head(),
        };
        code.seal_grant(&to, &hellos[0], &grant, &mut world.rng).expect("the key is good")
    });
    let (grant_code, grant_kem, hello) = (code.clone(), kem.clone(), hellos[0].clone());
    vec![
        Case {
            name: "baken/pairing-hello/v0",
            instances: hellos,
            open: Box::new(move |bytes| code.open_hello(&kem, bytes).map(|_| ())),
        },
        Case {
            name: "baken/pairing-grant/v0",
            instances: grants,
            open: Box::new(move |bytes| grant_code.open_grant(&grant_kem, &hello, bytes).map(|_| ())),
        },
    ]
}

/// Two seals of the same place of the same blob, one of which its author made anew.
fn chunks(world: &mut World) -> Case {
    let mut sealers = [0; 2].map(|_| BlobSealer::new(100, &mut ChaCha20Rng::seed_from_u64(9)).expect("small"));
    let instances = [b'a', b'b'].map(|byte| vec![byte; 100]);
    let [one, two] = [0, 1].map(|at| sealers[at].seal(&instances[at], &mut world.rng).expect("a whole file"));
    let [blob, _] = sealers.map(|sealer| sealer.finish().expect("all are sealed"));
    Case {
        name: "baken/blob-chunk/v0",
        instances: [one, two],
        open: Box::new(move |bytes| blob.open_chunk(0, bytes).map(|_| ())),
    }
}

fn orders(world: &World) -> Case {
    let (author, device) = (&world.mayor_tablet, world.mayor_phone.device);
    let instances = [OrderKind::Lock, OrderKind::Wipe].map(|kind| {
        let (circle, author) = (world.circle, author.device);
        Order { circle, device, author, kind, number: 9, made_at: Timestamp(5) }
    });
    signed(instances.map(|order| Signed::make(order, &author.sig)), author.sig.verify_key())
}

fn packs(world: &World) -> Case {
    let phone = &world.mayor_phone;
    let statements = [2, 3].map(|unsent| PackStatement {
        device: phone.device,
        key: phone.sig.verify_key(),
        made_at: Timestamp(5),
        record: RecordId([1; 16]),
        files: vec![PackFile { name: "overdracht.html".to_owned(), size: 9, sha256: [7; 32] }],
        changes: vec![PackChange { record: RecordId([1; 16]), field: 1, by: Some(phone.device), at: Timestamp(4) }],
        unsent,
        last_sync: Some(Timestamp(3)),
    });
    signed(statements.map(|statement| Signed::make(statement, &phone.sig)), phone.sig.verify_key())
}

fn silences(world: &World) -> Case {
    let (relay, desk) = (world.relay.device, world.desk_east.device);
    let instances = [Some(Timestamp(5)), None].map(|since| {
        let silence = Silence { relay, desk, since, at: Timestamp(6) };
        Signed::make(silence, &world.relay.sig)
    });
    signed(instances, world.relay.sig.verify_key())
}

fn audit_heads(world: &World) -> Case {
    let relay = world.relay.device;
    let instances = [(0, Hash::ZERO), (70, Hash([7; 32]))].map(|(size, root)| {
        let head = AuditHead { relay, size, root, at: Timestamp(6) };
        Signed::make(head, &world.relay.sig)
    });
    signed(instances, world.relay.sig.verify_key())
}

fn deposits(world: &mut World) -> Vec<Case> {
    let (phone, deposit) = (world.mayor_phone.clone(), AlarmId::make(&mut world.rng));
    let desk = world.desk(world.desk_east.device).clone();
    let timers = [Some(3600), None].map(|due_in_s| {
        let sealed = Hash([7; 32]);
        let device = phone.device;
        let timers = DepositTimers {
            deposit,
            device,
            seq: 3,
            sealed,
            desk: desk.desk,
            due_in_s,
            silent_after_s: 900,
            grace_s: 60,
        };
        Signed::make(timers, &phone.alarm)
    });
    let settlements = [false, true].map(|duress| {
        let body =
            NoteBody { kind: NoteKind::Settled, duress, alarm: Some(deposit), made_at: Timestamp(5), freeze: None };
        let note = NoteId::make(&mut world.rng);
        let note = Note::seal(note, phone.device, &desk, &body, &phone.alarm, &mut world.rng).expect("a good key");
        let settlement = Settlement { deposit, device: phone.device, note: note.bytes().to_vec().into() };
        Signed::make(settlement, &phone.alarm).bytes().to_vec()
    });
    let key = phone.alarm.verify_key();
    let settlements = Case {
        name: Settlement::LABEL,
        instances: settlements,
        open: Box::new(move |bytes| Settlement::verify(bytes, &key).map(|_| ())),
    };
    let raises = [deposit, AlarmId::make(&mut world.rng)]
        .map(|deposit| Signed::make(Raise { deposit, desk: desk.desk }, &world.desk_east.sig));
    let answered = timers[0].bytes().to_vec();
    let receipts = [DepositState::Ready, DepositState::Raised].map(|state| {
        let (answers, at, by) = (hash_of(&answered), Timestamp(9), world.relay.device);
        Signed::make(DepositReceipt { deposit, answers, state, at, by }, &world.relay.sig).bytes().to_vec()
    });
    let directory = world.directory.value().clone();
    let receipts = Case {
        name: DepositReceipt::LABEL,
        instances: receipts,
        open: Box::new(move |bytes| DepositReceipt::verify(bytes, &answered, &directory).map(|_| ())),
    };
    vec![
        signed(timers, phone.alarm.verify_key()),
        settlements,
        signed(raises, world.desk_east.sig.verify_key()),
        receipts,
    ]
}
