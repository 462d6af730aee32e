//! Family responders: which alarms are sealed to them, what they may say, and what a timeline proves of it.

use baken_schemas::FormatError;
use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmFamily, AlarmKind, ContentKey, FamilyKey, FamilyResponder, Fault, Receipt, ReceiptDetail,
    ReceiptState, Timeline, check_receipt, check_receipt_of,
};
use baken_schemas::crypto::{Hash, KemSecret};
use baken_schemas::device::DeviceKeys;
use baken_schemas::org::{CallsFamily, Directory, Rung};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use proptest::prelude::*;

use crate::world::{World, alarm_body};

const KINDS: [AlarmKind; 9] = [
    AlarmKind::Panic,
    AlarmKind::Silent,
    AlarmKind::Medical,
    AlarmKind::Duress,
    AlarmKind::Button,
    AlarmKind::Missed,
    AlarmKind::Test,
    AlarmKind::Probe,
    AlarmKind::Trouble,
];

/// A world whose ladder calls family first, then its two desks.
fn at_home(seed: u64) -> World {
    let mut world = World::new(seed);
    let mut directory: Directory = world.directory.value().clone();
    directory.ladders[0].rungs.insert(0, Rung { responders: Vec::new(), wait_s: 60, family: CallsFamily::Yes });
    world.directory = Signed::make(directory, &world.org_root);
    world
}

/// Members of the family: their devices' keys, and the key that alarms are sealed to.
fn family(world: &mut World, count: usize) -> Vec<(DeviceKeys, KemSecret)> {
    (0..count).map(|_| (DeviceKeys::make(&mut world.rng), KemSecret::make(&mut world.rng))).collect()
}

fn responders(family: &[(DeviceKeys, KemSecret)]) -> Vec<FamilyResponder> {
    let responder = |(keys, kem): &(DeviceKeys, KemSecret)| FamilyResponder {
        device: keys.device,
        alarm: keys.alarm.verify_key(),
        kem: kem.public(),
    };
    family.iter().map(responder).collect()
}

fn sealed(world: &mut World, body: &AlarmBody, chosen: &[FamilyResponder]) -> (Signed<Alarm>, ContentKey) {
    let (header, content) = (world.alarm_header(), ContentKey::make(&mut world.rng));
    let directory = world.directory.clone();
    let to = (directory.value(), chosen);
    let alarm = Alarm::seal_under(&content, header, body, to, &world.mayor_phone.alarm, &mut world.rng);
    (alarm.expect("it fits"), content)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_alarm_has_one_size_and_only_those_open_it_who_may(seed: u64, kind in 0..KINDS.len(), count in 0_usize..5) {
        let (mut world, kind) = (at_home(seed), KINDS[kind]);
        let family = family(&mut world, count);
        let (alarm, content) = sealed(&mut world, &alarm_body(kind), &responders(&family));
        let size = sealed(&mut world, &alarm_body(AlarmKind::Panic), &[]).0.bytes().len();
        prop_assert_eq!(alarm.bytes().len(), size);
        let places = if kind.is_for_family() { 2 } else { 0 };
        for (at, (keys, kem)) in family.iter().enumerate() {
            let opened = alarm.value().open(keys.device, kem).expect("a slot or none");
            prop_assert_eq!(opened.is_some(), at < places, "the first chosen");
        }
        let (east, kem) = (world.desk_east.device, world.desk_east.kem.clone());
        let (body, same) = alarm.value().open(east, &kem).expect("sealed to it").expect("has a slot");
        prop_assert_eq!(same, content);
        let sender = world.mayor_phone.alarm.verify_key();
        let vouched = body.family.map(|word| AlarmFamily::verify(&word, alarm.value().header.alarm, &sender));
        let named = vouched.map_or(0, |vouched| vouched.expect("the sender's word").len());
        prop_assert_eq!(named, places.min(count));
    }
}

#[test]
fn a_ladder_that_calls_no_family_is_sealed_to_none_and_written_as_before() {
    let mut world = World::new(91);
    let chosen = family(&mut world, 1);
    let (alarm, content) = sealed(&mut world, &alarm_body(AlarmKind::Panic), &responders(&chosen));
    let opened = alarm.value().open(chosen[0].0.device, &chosen[0].1).expect("no slot");
    assert!(opened.is_none());
    assert_eq!(alarm.value().open_with(&content).expect("it opens").family, None);
}

#[test]
fn the_sender_is_never_among_those_who_are_called() {
    let mut world = at_home(92);
    let kem = KemSecret::make(&mut world.rng);
    let own = FamilyResponder {
        device: world.mayor_phone.device,
        alarm: world.mayor_phone.alarm.verify_key(),
        kem: kem.public(),
    };
    let device = own.device;
    let (alarm, _) = sealed(&mut world, &alarm_body(AlarmKind::Panic), &[own]);
    assert!(alarm.value().open(device, &kem).expect("no slot").is_none());
}

#[test]
fn the_longest_alarm_still_fits_beside_three_of_the_family() {
    let mut world = at_home(93);
    let mut directory: Directory = world.directory.value().clone();
    directory.ladders[0].rungs.retain(|rung| rung.responders.len() < 2);
    world.directory = Signed::make(directory, &world.org_root);
    let chosen = family(&mut world, 3);
    let body = AlarmBody { text: "x".repeat(1_600), ..alarm_body(AlarmKind::Panic) };
    let (alarm, content) = sealed(&mut world, &body, &responders(&chosen));
    assert!(alarm.value().open_with(&content).expect("it opens").family.is_some());
}

#[test]
fn a_ladder_with_family_has_at_most_three_desks_and_one_on_its_last_rung() {
    let world = at_home(94);
    let refused = |change: &dyn Fn(&mut Directory)| {
        let mut directory = world.directory.value().clone();
        change(&mut directory);
        let read = Directory::verify(Signed::make(directory, &world.org_root).bytes(), world.org());
        matches!(read, Err(FormatError::Rule { .. }))
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|directory| directory.ladders[0].rungs.rotate_left(1)), "family last");
    assert!(refused(&|directory| directory.ladders[0].rungs.truncate(1)), "family only");
    assert!(refused(&|directory| {
        for (at, mut desk) in directory.desks.clone().into_iter().enumerate() {
            desk.desk = baken_schemas::id::DeviceId([at as u8 + 1; 16]);
            directory.ladders[0].rungs[2].responders.push(desk.desk);
            directory.desks.push(desk);
        }
    }));
}

/// A receipt by a family member for an alarm.
fn said(
    world: &mut World,
    (alarm, content): (&Signed<Alarm>, &ContentKey),
    keys: &DeviceKeys,
    state: ReceiptState,
) -> Signed<Receipt> {
    let receipt = Receipt {
        alarm: alarm.value().header.alarm,
        alarm_hash: alarm.hash(),
        state,
        at: Timestamp(7),
        by: keys.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let detail = ReceiptDetail { officer: "Jan".into(), text: String::new() };
    Receipt::make(receipt, Some((&detail, content)), &keys.alarm, &mut world.rng).expect("the detail fits")
}

#[test]
fn family_says_received_and_seen_by_its_alarm_key_and_nothing_else() {
    let mut world = at_home(95);
    let chosen = family(&mut world, 1);
    let (alarm, content) = sealed(&mut world, &alarm_body(AlarmKind::Panic), &responders(&chosen));
    let keys = &chosen[0].0;
    let known = [FamilyKey { device: keys.device, alarm: keys.alarm.verify_key() }];
    let directory = world.directory.value().clone();
    for state in [
        ReceiptState::Stored,
        ReceiptState::Received,
        ReceiptState::Exhausted,
        ReceiptState::Seen,
        ReceiptState::Verified,
        ReceiptState::Underway,
        ReceiptState::Closed,
    ] {
        let receipt = said(&mut world, (&alarm, &content), keys, state);
        let may = matches!(state, ReceiptState::Received | ReceiptState::Seen);
        assert_eq!(check_receipt_of(receipt.bytes(), &directory, &known).is_ok(), may, "{state:?}");
        assert!(check_receipt(receipt.bytes(), &directory).is_err(), "of nobody that the directory knows");
    }
    let seen = said(&mut world, (&alarm, &content), keys, ReceiptState::Seen).into_value();
    let by_main_key = Signed::make(seen, &keys.sig);
    assert!(check_receipt_of(by_main_key.bytes(), &directory, &known).is_err());
}

#[test]
fn a_timeline_proves_what_family_said_readable_and_sealed() {
    let mut world = at_home(96);
    let chosen = family(&mut world, 1);
    let (alarm, content) = sealed(&mut world, &alarm_body(AlarmKind::Panic), &responders(&chosen));
    let seen = said(&mut world, (&alarm, &content), &chosen[0].0, ReceiptState::Seen);
    let sender = world.mayor_phone.alarm.verify_key();
    let word = alarm.value().open_with(&content).expect("it opens").family;
    for readable in [true, false] {
        let key = readable.then_some(&content);
        let mut timeline = Timeline::new(world.directory.bytes(), sender, alarm.bytes(), key);
        timeline.receipts.push(seen.bytes().to_vec().into());
        let org = Some(world.org());
        let without = timeline.prove(org).expect("it is signed");
        assert_eq!(without.faults, [Fault::Receipt { number: 1 }], "nobody vouches for that key");
        timeline.family = word.clone();
        let read = Timeline::parse(&timeline.to_bytes()).expect("it was just written");
        let proven = read.prove(org).expect("it is signed");
        assert_eq!(proven.faults, []);
        let step = &proven.steps[0];
        assert_eq!((step.family, step.desk.as_deref()), (true, None));
        assert_eq!(step.officer.as_deref(), readable.then_some("Jan"));
        // Somebody else's word, or for another alarm, vouches for nobody.
        let family = AlarmFamily {
            alarm: alarm.value().header.alarm,
            responders: vec![FamilyKey { device: chosen[0].0.device, alarm: chosen[0].0.alarm.verify_key() }],
        };
        timeline.family = Some(Signed::make(family, &world.desk_east.sig).bytes().to_vec().into());
        let forged = timeline.prove(org).expect("the rest is signed");
        assert_eq!(forged.faults, [Fault::Family, Fault::Receipt { number: 1 }]);
    }
}
