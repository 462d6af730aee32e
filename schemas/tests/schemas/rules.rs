//! Rules that hold although the signature is right: what even an enrolled device or an organisation cannot say.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmClass, AlarmHeader, AlarmKind, Card, CardBody, DepositReceipt, DepositState, DepositTimers,
    MAX_GRACE_S, MAX_TIMER_S, MIN_TIMER_S, Note, NoteBody, NoteKind, Receipt, ReceiptState, Settlement, Update,
};
use baken_schemas::cbor;
use baken_schemas::circle::LogHead;
use baken_schemas::crypto::{Hash, Signature, SymmetricKey, seal, transcript, wrap};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{
    Entry, EntryBody, EntryKind, SCHEMA, WriterHead, class_size, next_header, pad_to, size_class, unpad,
};
use baken_schemas::id::{AlarmId, DeviceId, LadderId, NoteId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::org::{CallsFamily, Directory, Enrolment, Rung};
use baken_schemas::signed::{Document, Signed, Unverified};
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;

use crate::world::{World, alarm_body, desk_entry};

/// The document is signed and well-formed, and refused by its rules.
fn breaks_a_rule<T: Document>(document: T, world: &World, why: &str) {
    let signed = Signed::make(document, &world.mayor_phone.alarm);
    let read = Unverified::<T>::parse(signed.bytes()).map(|_| ());
    let refused = matches!(read, Err(FormatError::Rule { .. } | FormatError::TooLarge { .. }));
    assert!(refused, "{why}: {read:?}");
}

#[test]
fn alarms_of_another_shape_are_refused() {
    let mut world = World::new(80);
    let header = world.alarm_header();
    let body = alarm_body(AlarmKind::Panic);
    let directory = world.directory.value().clone();
    let (alarm, _) = Alarm::seal(header, &body, &directory, &world.mayor_phone.alarm, &mut world.rng).expect("it fits");
    type Change = fn(&mut Alarm);
    let changes: [(&str, Change); 6] = [
        ("three slots", |alarm| drop(alarm.slots.pop())),
        ("five slots", |alarm| alarm.slots.push(alarm.slots[0].clone())),
        ("no slots", |alarm| alarm.slots.clear()),
        ("a slot with a longer key", |alarm| alarm.slots[2].wrapped.ciphertext.push(0)),
        ("a slot with a shorter encapsulation", |alarm| alarm.slots[3].wrapped.encapsulated.truncate(1119)),
        ("a longer body", |alarm| alarm.body.push(0)),
    ];
    for (why, change) in changes {
        let mut changed = alarm.value().clone();
        change(&mut changed);
        breaks_a_rule(changed, &world, why);
    }
}

#[test]
fn what_follows_an_alarm_has_its_size_or_is_refused() {
    let mut world = World::new(81);
    let phone = world.mayor_phone.device;
    for len in [0, 1095, 1097] {
        let update = Update { alarm: AlarmId([1; 16]), device: phone, seq: 1, sealed: vec![0; len] };
        breaks_a_rule(update, &world, "an update of another size");
    }
    let receipt = Receipt {
        alarm: AlarmId([1; 16]),
        alarm_hash: Hash([1; 32]),
        state: ReceiptState::Seen,
        at: Timestamp(1),
        by: phone,
        prev: Hash::ZERO,
        detail: vec![0; 583],
    };
    breaks_a_rule(receipt, &world, "a detail of another size");
    let key = SymmetricKey::make(&mut world.rng);
    let card = Card::seal(phone, 1, &CardBody::default(), &key, &world.mayor_phone.sig, &mut world.rng).expect("fits");
    let mut card = card.into_value();
    card.sealed.push(0);
    breaks_a_rule(card, &world, "a card of another size");
    let desk = world.desk(world.desk_east.device).clone();
    let body = NoteBody { kind: NoteKind::Settled, duress: false, alarm: None, made_at: Timestamp(1), freeze: None };
    let note = Note::seal(NoteId([1; 16]), phone, &desk, &body, &world.mayor_phone.alarm, &mut world.rng);
    let mut note = note.expect("a good key").into_value();
    note.sealed.ciphertext.push(0);
    breaks_a_rule(note, &world, "a note of another size");
}

fn timers(world: &World) -> DepositTimers {
    DepositTimers {
        deposit: AlarmId([1; 16]),
        device: world.mayor_phone.device,
        seq: 1,
        sealed: Hash([1; 32]),
        desk: world.desk_east.device,
        due_in_s: Some(7200),
        silent_after_s: 7200,
        grace_s: 600,
    }
}

#[test]
fn a_deposits_timers_are_a_minute_to_seven_days() {
    let world = World::new(85);
    type Change = fn(&mut DepositTimers);
    let refused: [(&str, Change); 8] = [
        ("due at once", |timers| timers.due_in_s = Some(0)),
        ("due in less than a minute", |timers| timers.due_in_s = Some(MIN_TIMER_S - 1)),
        ("due in ten years", |timers| timers.due_in_s = Some(10 * 365 * 86_400)),
        ("no silence at all", |timers| timers.silent_after_s = 0),
        ("silent for more than a week", |timers| timers.silent_after_s = MAX_TIMER_S + 1),
        ("a grace of more than an hour", |timers| timers.grace_s = MAX_GRACE_S + 1),
        ("no number", |timers| timers.seq = 0),
        ("a number of 64 bits", |timers| timers.seq = u64::MAX),
    ];
    for (why, change) in refused {
        let mut changed = timers(&world);
        change(&mut changed);
        breaks_a_rule(changed, &world, why);
    }
    let taken: [Change; 4] = [
        |timers| timers.due_in_s = None,
        |timers| (timers.due_in_s, timers.silent_after_s) = (Some(MIN_TIMER_S), MAX_TIMER_S),
        |timers| timers.grace_s = 0,
        |timers| timers.seq = u64::MAX >> 1,
    ];
    for change in taken {
        let mut changed = timers(&world);
        change(&mut changed);
        let signed = Signed::make(changed, &world.mayor_phone.alarm);
        assert_eq!(Unverified::<DepositTimers>::parse(signed.bytes()).map(|read| *read.claims()), Ok(changed));
    }
}

#[test]
fn timers_go_with_the_alarm_they_name_and_with_none_that_calls_now() {
    let mut world = World::new(86);
    let phone = world.mayor_phone.clone();
    let body = alarm_body(AlarmKind::Missed);
    let mut deposit = |class| {
        let header = AlarmHeader { class, ..world.alarm_header() };
        let directory = world.directory.value().clone();
        let (alarm, _) = Alarm::seal(header, &body, &directory, &phone.alarm, &mut world.rng).expect("it fits");
        let about = DepositTimers { deposit: header.alarm, sealed: alarm.hash(), ..timers(&world) };
        (Signed::make(about, &phone.alarm), alarm)
    };
    let (good, sealed) = deposit(AlarmClass::Deposit);
    let (other, elsewhere) = deposit(AlarmClass::Deposit);
    let (now, calls) = deposit(AlarmClass::Alarm);
    let key = phone.alarm.verify_key();
    let read = |timers: &[u8], alarm: &[u8]| DepositTimers::verify_pair(timers, alarm, &key).map(|_| ());
    assert_eq!(read(good.bytes(), sealed.bytes()), Ok(()));
    for (timers, alarm) in [(&good, &elsewhere), (&other, &sealed), (&now, &calls)] {
        assert!(matches!(read(timers.bytes(), alarm.bytes()), Err(FormatError::Rule { .. })));
    }
    let forged = Signed::make(*good.value(), &world.mayor_phone.sig);
    assert!(matches!(read(forged.bytes(), sealed.bytes()), Err(FormatError::Signature { .. })));
}

#[test]
fn a_relays_answer_is_for_what_was_asked_and_by_the_relay() {
    let world = World::new(87);
    let answer = |by: DeviceId, key| {
        let (answers, at) = (baken_schemas::signed::hash_of(b"asked"), Timestamp(1));
        let receipt = DepositReceipt { deposit: AlarmId([1; 16]), answers, state: DepositState::Ready, at, by };
        Signed::make(receipt, key).bytes().to_vec()
    };
    let read = |bytes: &[u8], asked: &[u8]| {
        DepositReceipt::verify(bytes, asked, world.directory.value()).map(|receipt| receipt.state)
    };
    let good = answer(world.relay.device, &world.relay.sig);
    assert_eq!(read(&good, b"asked"), Ok(DepositState::Ready));
    assert!(matches!(read(&good, b"other"), Err(FormatError::Rule { .. })));
    let by_desk = answer(world.desk_east.device, &world.desk_east.sig);
    assert!(matches!(read(&by_desk, b"asked"), Err(FormatError::Signature { .. })));
    let for_desk = answer(world.desk_east.device, &world.relay.sig);
    assert!(matches!(read(&for_desk, b"asked"), Err(FormatError::Signature { .. })));
}

#[test]
fn a_settlement_brings_a_note_of_its_own_device() {
    let mut world = World::new(88);
    let desk = world.desk(world.desk_east.device).clone();
    let body = NoteBody { kind: NoteKind::Settled, duress: false, alarm: None, made_at: Timestamp(1), freeze: None };
    let key = world.mayor_phone.alarm.clone();
    let mut settlement = |note_by: DeviceId| {
        let note = Note::seal(NoteId([1; 16]), note_by, &desk, &body, &key, &mut world.rng).expect("a good key");
        let (device, note) = (world.mayor_phone.device, note.bytes().to_vec().into());
        Signed::make(Settlement { deposit: AlarmId([1; 16]), device, note }, &key).bytes().to_vec()
    };
    let (own, other) = (settlement(world.mayor_phone.device), settlement(world.mayor_tablet.device));
    assert!(Settlement::verify(&own, &key.verify_key()).is_ok());
    assert!(matches!(Settlement::verify(&other, &key.verify_key()), Err(FormatError::Rule { .. })));
}

#[test]
fn a_directory_that_contradicts_itself_is_refused() {
    let world = World::new(82);
    let stranger = DeviceId([1; 16]);
    type Change = Box<dyn Fn(&mut Directory)>;
    let relay = world.relay.device;
    let changes: Vec<(&str, Change)> = vec![
        ("a desk twice", Box::new(|directory| directory.desks.push(directory.desks[0].clone()))),
        (
            "a desk that is the relay",
            Box::new(move |directory| {
                directory.desks[1].desk = relay;
                directory.ladders[0].rungs[1].responders[1] = relay;
            }),
        ),
        ("a version of a ladder twice", Box::new(|directory| directory.ladders.push(directory.ladders[0].clone()))),
        ("a ladder to a stranger", Box::new(move |directory| directory.ladders[0].rungs[0].responders.push(stranger))),
        ("a ladder to nobody", Box::new(|directory| directory.ladders[0].rungs.clear())),
        ("65 addresses", Box::new(|directory| directory.relay.urls = vec![String::new(); 65])),
        ("65 TLS roots", Box::new(|directory| directory.relay.tls_roots = vec![vec![0].into(); 65])),
        (
            "65 ladders",
            Box::new(|directory| {
                let ladder = directory.ladders[0].clone();
                directory.ladders =
                    (0..65).map(|at| baken_schemas::org::Ladder { version: at, ..ladder.clone() }).collect();
            }),
        ),
    ];
    for (why, change) in changes {
        let mut directory = world.directory.value().clone();
        change(&mut directory);
        let signed = Signed::make(directory, &world.org_root);
        let read = Directory::verify(signed.bytes(), world.org());
        assert!(matches!(read, Err(FormatError::Rule { .. })), "{why}: {read:?}");
    }
}

#[test]
fn a_ladder_has_at_most_four_responders() {
    let mut world = World::new(83);
    let mut directory = world.directory.value().clone();
    for _ in 0..3 {
        let desk = DeviceKeys::make(&mut world.rng);
        directory.desks.push(desk_entry("Meldkamer", &desk));
        directory.ladders[0].rungs.push(Rung { responders: vec![desk.device], wait_s: 30, family: CallsFamily::No });
    }
    let five = Signed::make(directory.clone(), &world.org_root);
    assert!(matches!(Directory::verify(five.bytes(), world.org()), Err(FormatError::Rule { .. })));
    directory.ladders[0].rungs.pop();
    let four = Signed::make(directory, &world.org_root);
    assert!(Directory::verify(four.bytes(), world.org()).is_ok());

    let mut header = world.alarm_header();
    header.ladder = LadderId([1; 16]);
    let body = alarm_body(AlarmKind::Panic);
    let unknown = Alarm::seal(header, &body, four.value(), &world.mayor_phone.alarm, &mut world.rng);
    assert!(matches!(unknown, Err(FormatError::Rule { .. })), "a ladder that the directory does not have");
}

#[test]
fn an_author_signs_only_for_itself_and_orders_its_heads() {
    let mut world = World::new(84);
    let key = SymmetricKey::make(&mut world.rng);
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let head = |slot| WriterHead { slot, counter: 1, hash: Hash([1; 32]) };
    let log = Some(LogHead { seq: 3, hash: Hash([3; 32]) });
    let mut opened = |device, log, heads| {
        let header = next_header(EntryKind::Changes, world.circle, 1, 0, None, &mut world.rng);
        let body = EntryBody { device, hlc: 0, log, heads, schema: SCHEMA, changes: Vec::new() };
        let entry = Entry::seal(header, &body, &key, &sig, &mut world.rng).expect("it fits");
        entry.open(&key, author, &sig.verify_key()).map(|_| ())
    };
    assert_eq!(opened(author, log, vec![head(1), head(2)]), Ok(()));
    let other = opened(world.mayor_tablet.device, log, Vec::new());
    assert!(matches!(other, Err(FormatError::Signature { .. })), "{other:?}");
    for (heads, why) in [
        (vec![head(2), head(1)], "out of order"),
        (vec![head(1), head(1)], "a writer twice"),
        ((1..1026).map(head).collect(), "more writers than there can be"),
        (vec![head(0)], "its own"),
        (vec![WriterHead { counter: 0, ..head(1) }], "an entry that nobody wrote"),
    ] {
        assert!(matches!(opened(author, log, heads), Err(FormatError::Rule { .. })), "{why}");
    }
}

#[test]
fn an_entry_says_where_the_log_stands_and_a_checkpoint_counts_its_parts() {
    let mut world = World::new(87);
    let key = SymmetricKey::make(&mut world.rng);
    let (device, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let mut sealed = |kind, log| {
        let header = next_header(kind, world.circle, 1, 0, None, &mut world.rng);
        let body = EntryBody { device, hlc: 0, log, heads: Vec::new(), schema: SCHEMA, changes: Vec::new() };
        Entry::seal(header, &body, &key, &sig, &mut world.rng).expect("it fits")
    };
    let silent = sealed(EntryKind::Changes, None).open(&key, device, &sig.verify_key());
    assert!(matches!(silent, Err(FormatError::Rule { .. })), "{silent:?}");
    let log = Some(LogHead { seq: 3, hash: Hash([3; 32]) });
    for (part, of, fits) in [(0, 1, true), (1023, 1024, true), (0, 0, false), (1, 1, false), (0, 1025, false)] {
        let entry = sealed(EntryKind::Checkpoint { part, of }, log);
        let read = Entry::parse(entry.bytes()).and_then(|entry| entry.open(&key, device, &sig.verify_key()));
        assert_eq!(read.is_ok(), fits, "part {part} of {of}");
    }
}

/// Who holds the epoch's key can seal anything; what it seals must still be well-formed and padded in the one way.
#[test]
fn a_member_cannot_hide_bytes_in_the_padding() {
    let mut world = World::new(85);
    let epoch_key = SymmetricKey::make(&mut world.rng);
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let log = Some(LogHead { seq: 3, hash: Hash([3; 32]) });
    let body = EntryBody { device: author, hlc: 0, log, heads: Vec::new(), schema: SCHEMA, changes: Vec::new() };
    let body = cbor::to_vec(&body);
    let mut header = next_header(EntryKind::Changes, world.circle, 1, 0, None, &mut world.rng);
    header.size_class = size_class(body.len() + 80);
    let bytes = cbor::to_vec(&header);
    let signature: Signature = sig.sign("baken/entry/v0", &[&bytes, &body]);
    let plaintext = cbor::to_vec(&(ByteVec::from(body), signature));
    let place = [&world.circle.0[..], &1_u32.to_be_bytes(), &header.entry.0];
    let key = epoch_key.derive("baken/entry-key/v0", &place);
    let mut padded = pad_to(&plaintext, class_size(header.size_class), "it").expect("it fits");
    for (hidden, expected) in [(0, true), (1, false)] {
        *padded.last_mut().expect("padding") = hidden;
        let sealed = seal(&key, "baken/entry/v0", &bytes, &padded, &mut world.rng);
        let wire = cbor::to_vec(&(ByteVec::from(bytes.clone()), ByteVec::from(sealed)));
        let entry = Entry::parse(&wire).expect("well-formed outside");
        assert_eq!(entry.open(&epoch_key, author, &sig.verify_key()).is_ok(), expected);
    }
    let padded = pad_to(b"content", 64, "it").expect("it fits");
    for at in 11..64 {
        let mut hiding = padded.clone();
        hiding[at] = 1;
        assert_eq!(unpad(&hiding, "it"), Err(FormatError::Malformed { what: "it" }));
    }
    for len in [61_u32, u32::MAX] {
        let lying = [&len.to_be_bytes()[..], &[0; 60]].concat();
        assert_eq!(unpad(&lying, "it"), Err(FormatError::Malformed { what: "it" }));
    }
}

/// A device of the account, which knows the account's key, enrols itself under another device's id.
#[test]
fn an_enrolment_encloses_the_device_it_names() {
    let mut world = World::new(86);
    let desk = world.desk(world.desk_east.device).clone();
    let desk_key = world.invite.value().desk_key();
    let (tablet, account) = (world.mayor_tablet.clone(), world.account);
    let identity = tablet.identity().bytes().to_vec();
    let proof = Hash(*desk_key.derive("baken/enrolment-proof/v0", &[&account.0, &identity]).as_bytes());
    let body = cbor::to_vec(&(ByteVec::from(identity), proof));
    for (device, expected) in [(tablet.device, true), (world.mayor_phone.device, false)] {
        let bound = transcript(Enrolment::LABEL, &[&device.0, &desk.desk.0, &account.0]);
        let sealed = wrap(&desk.kem, None, Enrolment::LABEL, &bound, &body, &mut world.rng).expect("a good key");
        let enrolment = Signed::make(Enrolment { device, desk: desk.desk, account, sealed }, &tablet.sig);
        let opened = Enrolment::open(enrolment.bytes(), &world.desk_east.kem, &desk_key);
        assert_eq!(opened.is_ok(), expected, "{opened:?}");
    }
}

#[test]
fn a_device_freezes_itself_and_locks_or_wipes_another() {
    let world = World::new(86);
    let (phone, tablet) = (world.mayor_phone.device, world.mayor_tablet.device);
    let made_at = Timestamp(i64::MAX);
    let good = Order { circle: world.circle, device: phone, author: tablet, kind: OrderKind::Wipe, number: 1, made_at };
    let parsed = |order: Order| Unverified::<Order>::parse(Signed::make(order, &world.mayor_tablet.sig).bytes());
    for (kind, author) in [(OrderKind::Lock, tablet), (OrderKind::Wipe, tablet), (OrderKind::Freeze, phone)] {
        let order = Order { kind, author, number: u64::MAX >> 1, ..good };
        assert!(parsed(order).is_ok(), "{kind:?}");
        // What a note has room for.
        assert!(Signed::make(order, &world.mayor_tablet.sig).bytes().len() <= 160);
    }
    breaks_a_rule(Order { kind: OrderKind::Freeze, ..good }, &world, "another device's freeze");
    breaks_a_rule(Order { author: phone, ..good }, &world, "a wipe of itself");
    breaks_a_rule(Order { kind: OrderKind::Lock, author: phone, ..good }, &world, "a lock of itself");
    breaks_a_rule(Order { number: 1 << 63, ..good }, &world, "a number of 64 bits");
}
