//! The rules of a circle's log: what every device refuses alike.

use baken_schemas::FormatError;
use baken_schemas::circle::{Epoch, LogRecord, MAX_MEMBERS, Member, Membership, Operation};
use baken_schemas::crypto::{Hash, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::signed::Signed;

use crate::world::{Circle, World, member};

/// A member with keys of its own that costs no key generation.
fn cheap_member(number: u16, like: &Member) -> Member {
    let mut device = [0; 16];
    device[..2].copy_from_slice(&number.to_be_bytes());
    Member { device: DeviceId(device), ..like.clone() }
}

/// The record is refused, and the log stands as before.
fn refused(membership: &mut Membership, record: &LogRecord, sig: &SigningKey, why: &str) {
    let before = membership.clone();
    let result = membership.apply(Signed::make(record.clone(), sig).bytes());
    assert!(matches!(result, Err(FormatError::Rule { .. } | FormatError::Signature { .. })), "{why}: {result:?}");
    assert_eq!(*membership, before, "{why}");
}

#[test]
fn everybody_replays_the_same_circle() {
    let mut world = World::new(50);
    let Circle { membership, records, .. } = world.circle();
    let mut replayed = Membership::start(world.circle, records[0].bytes()).expect("a genesis");
    for record in &records[1..] {
        replayed.apply(record.bytes()).expect("a record that was applied before");
    }
    assert_eq!(replayed, membership);
    assert_eq!(replayed.slot(world.mayor_tablet.device), Some(1));
    assert_eq!(replayed.writer(0).map(|member| member.device), Some(world.mayor_phone.device));
    assert_eq!((replayed.epoch(), replayed.head().seq), (1, 2));
    assert_eq!(replayed.head().hash, records[2].hash());
}

#[test]
fn a_circle_starts_with_a_genesis_by_its_root() {
    let mut world = World::new(51);
    let Circle { records, .. } = world.circle();
    assert!(Membership::start(CircleId([1; 16]), records[0].bytes()).is_err(), "of another circle");
    assert!(Membership::start(world.circle, records[1].bytes()).is_err(), "not a genesis");
    let genesis = records[0].value().clone();
    type Change = fn(&mut LogRecord);
    let changes: [(&str, Change); 3] = [
        ("seq", |record| record.seq = 1),
        ("prev", |record| record.prev = Hash([1; 32])),
        ("author", |record| record.author = DeviceId([1; 16])),
    ];
    for (name, change) in changes {
        let mut changed = genesis.clone();
        change(&mut changed);
        let changed = Signed::make(changed, &world.account_root);
        assert!(Membership::start(world.circle, changed.bytes()).is_err(), "{name}");
    }
    let by_device = Signed::make(genesis, &world.mayor_phone.sig);
    assert!(Membership::start(world.circle, by_device.bytes()).is_err(), "not signed by the root it names");
}

#[test]
fn a_record_that_does_not_follow_is_refused() {
    let mut world = World::new(52);
    let Circle { mut membership, records, .. } = world.circle();
    let sig = world.mayor_phone.sig.clone();
    let stranger = DeviceKeys::make(&mut world.rng);
    let add = Operation::Add { member: member(&stranger) };
    let good = membership.next(world.mayor_phone.device, add, &sig).into_value();

    let changed = |change: &dyn Fn(&mut LogRecord)| {
        let mut record = good.clone();
        change(&mut record);
        record
    };
    let skipped = changed(&|record| record.seq += 1);
    refused(&mut membership, &skipped, &sig, "a skipped number");
    let repeated = changed(&|record| record.seq -= 1);
    refused(&mut membership, &repeated, &sig, "a number used before");
    let forked = changed(&|record| record.prev = records[1].hash());
    refused(&mut membership, &forked, &sig, "another record before it");
    let elsewhere = changed(&|record| record.circle = CircleId([1; 16]));
    refused(&mut membership, &elsewhere, &sig, "another circle");
    let by_stranger = changed(&|record| record.author = stranger.device);
    refused(&mut membership, &by_stranger, &stranger.sig, "an author who is no member");
    let in_name = changed(&|record| record.author = world.mayor_tablet.device);
    refused(&mut membership, &in_name, &sig, "one member in another's name");
    refused(&mut membership, &good, &world.account_root, "the root instead of a member");
    let again = changed(&|record| record.operation = records[0].value().operation.clone());
    refused(&mut membership, &again, &sig, "a second genesis");
    let twice = changed(&|record| record.operation = Operation::Add { member: member(&world.mayor_tablet) });
    refused(&mut membership, &twice, &sig, "a device that is a member already");
    assert!(membership.apply(records[2].bytes()).is_err(), "a record that was taken before");

    assert!(membership.apply(Signed::make(good, &sig).bytes()).is_ok(), "and the good one is taken");
}

#[test]
fn an_epoch_is_the_next_and_wrapped_to_all() {
    let mut world = World::new(53);
    let Circle { mut membership, .. } = world.circle();
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let members = membership.members().to_vec();
    let stranger = member(&DeviceKeys::make(&mut world.rng));
    let reversed: Vec<_> = members.iter().rev().cloned().collect();
    let extra = [&members[..], &[stranger]].concat();
    let doubled = [&members[..], &members[..1]].concat();
    for (number, wrapped_to, why) in [
        (2, &members[..1], "not wrapped to all"),
        (2, &members[1..], "not wrapped to its author"),
        (2, &extra[..], "wrapped to a stranger too"),
        (2, &doubled[..], "wrapped to one twice"),
        (2, &reversed[..], "in another order"),
        (2, &[], "wrapped to nobody"),
        (1, &members[..], "the same number again"),
        (3, &members[..], "a skipped number"),
        (u32::MAX, &members[..], "the last number there is"),
    ] {
        let (epoch, _) = Epoch::make(world.circle, number, wrapped_to, &mut world.rng).expect("good keys");
        let record = membership.next(author, Operation::Epoch { epoch }, &sig).into_value();
        refused(&mut membership, &record, &sig, why);
    }
    let (epoch, _) = Epoch::make(world.circle, 2, &members, &mut world.rng).expect("good keys");
    let record = membership.next(author, Operation::Epoch { epoch }, &sig);
    assert!(membership.apply(record.bytes()).is_ok());
}

#[test]
fn a_circle_has_at_most_64_devices() {
    let mut world = World::new(54);
    let Circle { mut membership, .. } = world.circle();
    let (author, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let like = member(&world.mayor_tablet);
    for number in 2..MAX_MEMBERS as u16 {
        let add = Operation::Add { member: cheap_member(number, &like) };
        let record = membership.next(author, add, &sig);
        membership.apply(record.bytes()).expect("there is room");
    }
    assert_eq!(membership.members().len(), MAX_MEMBERS);
    let add = Operation::Add { member: cheap_member(99, &like) };
    let record = membership.next(author, add, &sig).into_value();
    refused(&mut membership, &record, &sig, "a 65th device");
    // The largest record there can be fits the largest envelope.
    let (epoch, _) = Epoch::make(world.circle, 2, membership.members(), &mut world.rng).expect("good keys");
    let record = membership.next(author, Operation::Epoch { epoch }, &sig);
    assert!(membership.apply(record.bytes()).is_ok());
}
