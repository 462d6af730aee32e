//! The rules of a circle's log: what every device and the relay take alike, and refuse alike with nothing changed.
//!
//! What random sequences of records come to is in [`sequences`].

mod epochs;
mod sequences;

use baken_schemas::FormatError;
use baken_schemas::circle::{
    CircleKind, Cut, Epoch, LogRecord, MAX_MEMBERS, Member, MemberRole, MemberState, Membership, Operation, Readers,
};
use baken_schemas::crypto::{Hash, KemPublic, SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::MAX_WRITERS;
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::recovery::RecoveryCode;
use baken_schemas::signed::Signed;

use crate::world::{Circle, World, member};

/// A member with keys of its own that costs no key generation.
fn cheap_member(number: u16, like: &Member) -> Member {
    let mut device = [0; 16];
    device[..2].copy_from_slice(&number.to_be_bytes());
    Member { device: DeviceId(device), ..like.clone() }
}

fn with_role(keys: &DeviceKeys, role: MemberRole) -> Member {
    Member { role, ..member(keys) }
}

/// The record is refused, and the log stands as before.
fn refused(membership: &mut Membership, record: &LogRecord, sig: &SigningKey, why: &str) {
    let before = membership.clone();
    let result = membership.apply(Signed::make(record.clone(), sig).bytes());
    assert!(matches!(result, Err(FormatError::Rule { .. } | FormatError::Signature { .. })), "{why}: {result:?}");
    assert_eq!(*membership, before, "{why}");
}

impl Circle {
    /// The next record, signed by its author, is refused.
    fn refuses(&mut self, author: &DeviceKeys, operation: Operation, why: &str) {
        let record = self.membership.next(author.device, operation, &author.sig).into_value();
        refused(&mut self.membership, &record, &author.sig, why);
    }

    /// The next record, signed by the root.
    fn take_by_root(&mut self, author: DeviceId, operation: Operation, root: &SigningKey) {
        let record = self.membership.next(author, operation, root);
        self.membership.apply(record.bytes()).expect("the rules allow it");
        self.records.push(record);
    }

    fn remove(&mut self, author: &DeviceKeys, device: DeviceId, counter: u64, world: &mut World) {
        let (removal, key) = self.removal(device, counter, &mut world.rng);
        self.take(author, removal);
        self.epoch_key = key;
    }

    fn state(&self, keys: &DeviceKeys) -> Option<MemberState> {
        self.membership.state(keys.device)
    }

    /// What everybody else makes of the same bytes.
    fn replayed(&self) -> Membership {
        let mut replayed =
            Membership::start(self.membership.circle(), self.records[0].bytes()).expect("the genesis is good");
        for record in &self.records[1..] {
            replayed.apply(record.bytes()).expect("a record that was applied before");
        }
        replayed
    }
}

fn cut(keys: &DeviceKeys, counter: u64) -> Cut {
    Cut { device: keys.device, counter }
}

fn freeze(keys: &DeviceKeys, counter: u64) -> Operation {
    Operation::Freeze { cut: cut(keys, counter) }
}

fn veto(keys: &DeviceKeys) -> Operation {
    Operation::Veto { device: keys.device }
}

fn confirm(keys: &DeviceKeys) -> Operation {
    Operation::Confirm { device: keys.device }
}

fn finish(keys: &DeviceKeys) -> Operation {
    Operation::Finish { device: keys.device }
}

fn role(keys: &DeviceKeys, counter: u64, role: MemberRole) -> Operation {
    Operation::Role { cut: cut(keys, counter), role }
}

#[test]
fn everybody_replays_the_same_circle() {
    let mut world = World::new(50);
    let circle = world.circle();
    let replayed = circle.replayed();
    assert_eq!(replayed, circle.membership);
    assert_eq!(replayed.slot(world.mayor_tablet.device), Some(1));
    assert_eq!(replayed.writer(0).map(|member| member.device), Some(world.mayor_phone.device));
    assert_eq!((replayed.epoch(), replayed.head().seq), (1, 3));
    assert_eq!(replayed.head().hash, circle.records[3].hash());
    assert_eq!(replayed.kind(), CircleKind::Dossier);
    assert_eq!(replayed.root(), world.account_root.verify_key());
    assert_eq!(replayed.recovery(), Some(&world.code.kem(world.account).public()));
    assert!(replayed.reads_epoch(0, 1) && replayed.reads_epoch(1, 1));
    assert!(!replayed.reads_epoch(2, 1) && !replayed.reads_epoch(0, 0) && !replayed.reads_epoch(0, 2));
    assert_eq!((replayed.cut(0), replayed.cut(1), replayed.cut(2)), (None, None, None));
}

#[test]
fn a_dossier_starts_with_a_genesis_by_its_root() {
    let mut world = World::new(51);
    let Circle { records, .. } = world.circle();
    assert!(Membership::start(CircleId([1; 16]), records[0].bytes()).is_err(), "of another circle");
    assert!(Membership::start(world.circle, records[1].bytes()).is_err(), "not a genesis");
    let genesis = records[0].value().clone();
    type Change = fn(&mut LogRecord);
    let changes: [(&str, Change); 7] = [
        ("seq", |record| record.seq = 1),
        ("prev", |record| record.prev = Hash([1; 32])),
        ("author", |record| record.author = DeviceId([1; 16])),
        ("a first member", |record| first_of(record).role = MemberRole::Member),
        ("a first viewer", |record| first_of(record).role = MemberRole::Viewer),
        ("a key that nothing can be wrapped to", |record| first_of(record).kem = KemPublic([0xff; 1216])),
        ("such a recovery key", |record| {
            if let Operation::Genesis { recovery, .. } = &mut record.operation {
                *recovery = Some(KemPublic([0xff; 1216]));
            }
        }),
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

fn first_of(record: &mut LogRecord) -> &mut Member {
    let Operation::Genesis { first, .. } = &mut record.operation else { panic!("a genesis") };
    first
}

/// A family's circle and one about a case are started by any owner's device, and name the account's root all the same.
#[test]
fn other_circles_start_with_a_genesis_by_their_first_device() {
    let world = World::new(55);
    for kind in [CircleKind::Family, CircleKind::Case] {
        let found = |signer: &SigningKey| {
            let root = world.account_root.verify_key();
            Membership::found(world.circle, kind, root, None, member(&world.mayor_phone), signer)
        };
        let (membership, genesis) = found(&world.mayor_phone.sig);
        assert_eq!(Membership::start(world.circle, genesis.bytes()), Ok(membership));
        let (_, by_root) = found(&world.account_root);
        assert!(matches!(Membership::start(world.circle, by_root.bytes()), Err(FormatError::Signature { .. })));
        let mut renamed = genesis.into_value();
        let Operation::Genesis { kind, .. } = &mut renamed.operation else { panic!("a genesis") };
        *kind = CircleKind::Dossier;
        let renamed = Signed::make(renamed, &world.mayor_phone.sig);
        assert!(Membership::start(world.circle, renamed.bytes()).is_err(), "no device starts a dossier");
    }
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
    let forked = changed(&|record| record.prev = records[2].hash());
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
    assert!(membership.apply(records[3].bytes()).is_err(), "a record that was taken before");

    assert!(membership.apply(Signed::make(good, &sig).bytes()).is_ok(), "and the good one is taken");
}

#[test]
fn a_further_owner_of_a_dossier_is_proposed_and_another_owner_confirms() {
    let mut world = World::new(56);
    let [laptop, watch] = [(); 2].map(|()| DeviceKeys::make(&mut world.rng));
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: member(&laptop) });
    assert_eq!(circle.state(&laptop), Some(MemberState::Proposed { by: phone.device }));
    assert!(!circle.membership.owes_epoch(), "nobody came yet");
    assert_eq!(circle.membership.readers().len(), 2, "who waits reads nothing");
    assert!(!circle.membership.may_write(laptop.device) && !circle.membership.is_owner(laptop.device));
    assert_eq!(circle.membership.cut(2), Some(0), "and writes nothing");

    circle.refuses(&phone, confirm(&laptop), "the proposer confirms itself");
    circle.refuses(&laptop, confirm(&laptop), "the proposed one confirms itself");
    circle.refuses(&laptop, veto(&laptop), "the proposed one lifts itself");
    circle.refuses(&laptop, Operation::Leave { counter: 0 }, "who waits leaves");
    circle.refuses(&tablet, confirm(&phone), "a device that was not proposed");
    circle.refuses(&tablet, confirm(&watch), "a device that is no member");
    circle.refuses(&tablet, Operation::Add { member: member(&laptop) }, "proposed a second time");
    let (removal, _) = circle.removal(laptop.device, 0, &mut world.rng);
    circle.refuses(&tablet, removal, "who waits is vetoed, not removed");
    circle.refuses(&tablet, freeze(&laptop, 0), "nor frozen");
    circle.take(&tablet, confirm(&laptop));
    assert_eq!(circle.state(&laptop), Some(MemberState::Active));
    assert!(circle.membership.owes_epoch() && circle.membership.is_owner(laptop.device));
    assert!(!circle.membership.reads_epoch(2, 1), "what was before reaches it by the next epoch");
    circle.refuses(&tablet, confirm(&laptop), "confirmed twice");

    // Any owner objects; an objection is final, also for the device's id.
    circle.take(&laptop, Operation::Add { member: member(&watch) });
    circle.take(&phone, veto(&watch));
    assert_eq!(circle.state(&watch), Some(MemberState::Gone { cut: 0 }));
    circle.refuses(&tablet, confirm(&watch), "after an objection");
    circle.refuses(&tablet, Operation::Add { member: member(&watch) }, "a device that was out once");
    assert_eq!(circle.replayed(), circle.membership);
}

/// Altered software on one owner's device keeps the other out and lets in a third that only it has chosen.
#[test]
fn freezing_or_removing_the_other_owner_leaves_nobody_free_to_decide_alone() {
    let mut world = World::new(68);
    let laptop = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&tablet, Operation::Add { member: member(&laptop) });
    circle.take(&tablet, freeze(&phone, 5));
    circle.refuses(&tablet, confirm(&laptop), "the other owner is frozen, and may come back");
    circle.remove(&tablet, phone.device, 5, &mut world);
    circle.refuses(&tablet, confirm(&laptop), "the other owner is leaving, and may object");
    circle.take(&tablet, finish(&phone));
    circle.take(&tablet, confirm(&laptop));
    assert_eq!(circle.state(&laptop), Some(MemberState::Active), "there is nobody else left who could");
    assert_eq!(circle.replayed(), circle.membership);
}

#[test]
fn members_viewers_and_owners_of_other_circles_are_in_at_once() {
    let mut world = World::new(57);
    let [partner, adviser] = [(); 2].map(|()| DeviceKeys::make(&mut world.rng));
    let mut circle = world.circle();
    let phone = world.mayor_phone.clone();
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.take(&phone, Operation::Add { member: with_role(&adviser, MemberRole::Viewer) });
    assert_eq!(circle.membership.readers().len(), 4);
    assert!(circle.membership.may_write(partner.device) && !circle.membership.may_write(adviser.device));
    assert_eq!((circle.membership.cut(2), circle.membership.cut(3)), (None, Some(0)));
    circle.start_epoch(&phone, &mut world.rng);
    assert!(circle.membership.reads_epoch(3, 2), "a viewer reads");

    let first = member(&world.mayor_phone);
    let (root, sig) = (world.account_root.verify_key(), &world.mayor_phone.sig);
    let (membership, genesis) = Membership::found(world.circle, CircleKind::Family, root, None, first, sig);
    let mut family = Circle { membership, records: vec![genesis], epoch_key: circle.epoch_key.clone() };
    family.take(&phone, Operation::Add { member: member(&partner) });
    family.take(&phone, Operation::Add { member: member(&adviser) });
    assert!(family.membership.is_owner(partner.device) && family.membership.is_owner(adviser.device));
}

/// Everything that only an owner does, by everybody else: a member, a viewer, a proposed, a frozen, a leaving owner,
/// one that is out, and a stranger.
#[test]
fn only_an_owner_in_the_circle_changes_it() {
    let mut world = World::new(58);
    let others: [DeviceKeys; 6] = std::array::from_fn(|_| DeviceKeys::make(&mut world.rng));
    let [partner, adviser, proposed, left, stranger, fresh] = &others;
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: with_role(partner, MemberRole::Member) });
    circle.take(&phone, Operation::Add { member: with_role(adviser, MemberRole::Viewer) });
    circle.take(&phone, Operation::Add { member: with_role(left, MemberRole::Member) });
    circle.take(left, Operation::Leave { counter: 0 });
    circle.take(&phone, Operation::Add { member: member(proposed) });
    let mut frozen = circle.membership.clone();
    let record = frozen.next(phone.device, freeze(&tablet, 0), &phone.sig);
    frozen.apply(record.bytes()).expect("an owner freezes another");
    let frozen = Circle { membership: frozen, records: Vec::new(), epoch_key: circle.epoch_key.clone() };
    let mut leaving = Circle { membership: circle.membership.clone(), ..circle_of(&frozen) };
    leaving.remove(&phone, tablet.device, 0, &mut world);

    let mut tried = 0;
    for (within, author) in [
        (&circle, partner),
        (&circle, adviser),
        (&circle, proposed),
        (&circle, left),
        (&circle, stranger),
        (&frozen, &tablet),
        (&leaving, &tablet),
    ] {
        let mut within = circle_of(within);
        let (epoch, _) = within.epoch_for(&within.membership, &mut world.rng);
        let (removal, _) = within.removal(phone.device, 0, &mut world.rng);
        for operation in [
            Operation::Add { member: with_role(fresh, MemberRole::Viewer) },
            Operation::Epoch { epoch },
            confirm(proposed),
            removal,
            veto(proposed),
            freeze(&phone, 0),
            freeze(author, 0),
            role(adviser, 0, MemberRole::Member),
            finish(&tablet),
        ] {
            within.refuses(author, operation, "by somebody who is no owner in the circle");
            tried += 1;
        }
    }
    assert_eq!(tried, 63);
}

fn circle_of(circle: &Circle) -> Circle {
    Circle {
        membership: circle.membership.clone(),
        records: circle.records.clone(),
        epoch_key: circle.epoch_key.clone(),
    }
}

#[test]
fn who_is_removed_is_out_under_an_epoch_that_it_cannot_open() {
    let mut world = World::new(59);
    let partner = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let phone = world.mayor_phone.clone();
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    let slot = circle.membership.slot(partner.device).expect("a slot");

    // The epoch that comes with the removal is for those who stay, and nobody else.
    let before = circle.membership.clone();
    let (epoch, _) = circle.epoch_for(&before, &mut world.rng);
    let removal = Operation::Remove { cut: cut(&partner, 12), epoch };
    circle.refuses(&phone, removal, "an epoch for the removed one too");
    let (own, _) = circle.removal(phone.device, 0, &mut world.rng);
    circle.refuses(&phone, own, "who goes by itself leaves");
    let nobody = Operation::Remove { cut: Cut { device: DeviceId([9; 16]), counter: 0 }, epoch: epoch_of(&circle) };
    circle.refuses(&phone, nobody, "a device that is no member");
    circle.remove(&phone, partner.device, 12, &mut world);
    assert_eq!(circle.state(&partner), Some(MemberState::Gone { cut: 12 }));
    assert_eq!(circle.membership.cut(slot), Some(12));
    assert!(!circle.membership.owes_epoch());
    assert!(circle.membership.reads_epoch(slot, 2) && !circle.membership.reads_epoch(slot, 3));
    let Operation::Remove { epoch, .. } = circle.records.last().expect("a record").value().operation.clone() else {
        panic!("a removal")
    };
    assert_eq!(epoch.open(world.circle, partner.device, &partner.kem), Ok(None));
    circle.refuses(&phone, veto(&partner), "a member that is out does not come back");
    circle.refuses(&phone, finish(&partner), "nothing to finish");
    circle.refuses(&partner, Operation::Leave { counter: 99 }, "nor does it move its cut");
    circle.refuses(&phone, freeze(&partner, 99), "nor does anybody");
    let (again, _) = circle.removal(partner.device, 99, &mut world.rng);
    circle.refuses(&phone, again, "removed twice");
}

fn epoch_of(circle: &Circle) -> Epoch {
    circle
        .records
        .iter()
        .rev()
        .find_map(|record| match &record.value().operation {
            Operation::Epoch { epoch } => Some(epoch.clone()),
            _ => None,
        })
        .expect("the circle has an epoch")
}

#[test]
fn an_owner_is_suspended_first_and_may_object() {
    let mut world = World::new(65);
    let laptop = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: member(&laptop) });
    circle.take(&tablet, confirm(&laptop));
    circle.start_epoch(&phone, &mut world.rng);

    circle.remove(&phone, tablet.device, 7, &mut world);
    assert_eq!(circle.state(&tablet), Some(MemberState::Leaving { cut: 7 }));
    assert!(!circle.membership.is_active(tablet.device) && !circle.membership.may_write(tablet.device));
    assert_eq!(circle.membership.cut(1), Some(7));
    assert!(!circle.membership.reads_epoch(1, 3));
    circle.refuses(&tablet, Operation::Leave { counter: 9 }, "a suspended owner only objects");

    // It objects itself, and is in again from the next epoch on.
    circle.take(&tablet, veto(&tablet));
    assert_eq!(circle.state(&tablet), Some(MemberState::Active));
    assert!(circle.membership.owes_epoch() && circle.membership.is_owner(tablet.device));
    assert_eq!(circle.membership.cut(1), None);
    circle.refuses(&tablet, veto(&tablet), "nothing waits any more");
    circle.start_epoch(&phone, &mut world.rng);

    // Another owner objects for it.
    circle.remove(&phone, tablet.device, 8, &mut world);
    circle.take(&laptop, veto(&tablet));
    assert_eq!(circle.state(&tablet), Some(MemberState::Active));
    circle.start_epoch(&laptop, &mut world.rng);

    // Nobody objects.
    circle.refuses(&phone, finish(&tablet), "a removal that is not there is not finished");
    circle.remove(&phone, tablet.device, 9, &mut world);
    circle.refuses(&tablet, finish(&tablet), "the leaving one finishes nothing");
    circle.take(&laptop, finish(&tablet));
    assert_eq!(circle.state(&tablet), Some(MemberState::Gone { cut: 9 }));
    circle.refuses(&tablet, veto(&tablet), "too late");
    circle.refuses(&phone, veto(&tablet), "too late for another too");
    assert_eq!(circle.replayed(), circle.membership);
}

#[test]
fn a_freeze_is_lifted_by_another_owner_as_long_as_there_is_one() {
    let mut world = World::new(66);
    let partner = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);

    circle.take(&phone, freeze(&phone, 5));
    assert_eq!(circle.state(&phone), Some(MemberState::Frozen { cut: 5 }));
    assert!(circle.membership.owes_epoch() && !circle.membership.is_active(phone.device));
    circle.refuses(&phone, veto(&phone), "lifts its own while there is another owner");
    circle.refuses(&phone, freeze(&tablet, 0), "a frozen owner freezes another");
    circle.refuses(&phone, Operation::Leave { counter: 5 }, "a frozen owner leaves");
    circle.refuses(&partner, veto(&phone), "a member lifts it");
    circle.refuses(&tablet, freeze(&phone, 6), "frozen twice");
    circle.take(&tablet, veto(&phone));
    assert_eq!((circle.state(&phone), circle.membership.cut(0)), (Some(MemberState::Active), None));

    // A member is frozen too, and lets itself in never.
    circle.take(&tablet, freeze(&partner, 2));
    circle.refuses(&partner, veto(&partner), "a member lifts its own");
    circle.take(&tablet, freeze(&tablet, 3));
    circle.take(&phone, freeze(&phone, 4));
    circle.refuses(&partner, veto(&partner), "nor when there is no owner left");
    assert!(circle.membership.readers().is_empty());
    circle.take(&tablet, veto(&tablet));
    circle.refuses(&phone, veto(&phone), "there is one again");
    circle.take(&tablet, veto(&phone));
    circle.take(&tablet, veto(&partner));
    assert_eq!(circle.membership.readers().len(), 3);
}

/// A stolen device is frozen and then removed. Its objection undoes the removal, never the freeze.
#[test]
fn an_objection_to_a_removal_does_not_lift_a_freeze() {
    let mut world = World::new(67);
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&tablet, freeze(&phone, 5));
    circle.remove(&tablet, phone.device, 99, &mut world);
    assert_eq!(circle.state(&phone), Some(MemberState::Leaving { cut: 5 }), "the freeze says where it ends");
    circle.take(&phone, veto(&phone));
    assert_eq!(circle.state(&phone), Some(MemberState::Frozen { cut: 5 }));
    circle.refuses(&phone, veto(&phone), "the freeze stands");
    circle.remove(&tablet, phone.device, 99, &mut world);
    circle.take(&tablet, veto(&phone));
    assert_eq!(circle.state(&phone), Some(MemberState::Active), "another owner undoes both");
    circle.start_epoch(&tablet, &mut world.rng);
    circle.remove(&tablet, phone.device, 8, &mut world);
    circle.take(&phone, veto(&phone));
    assert_eq!(circle.state(&phone), Some(MemberState::Active), "a freeze that was lifted does not come back");
}

#[test]
fn who_leaves_is_out_and_the_last_owner_leaves_nobody_behind() {
    let mut world = World::new(68);
    let [partner, laptop] = [(); 2].map(|()| DeviceKeys::make(&mut world.rng));
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Viewer) });
    circle.take(&tablet, Operation::Leave { counter: 4 });
    assert_eq!(circle.state(&tablet), Some(MemberState::Gone { cut: 4 }));
    assert!(circle.membership.owes_epoch());
    circle.refuses(&tablet, Operation::Leave { counter: 9 }, "leaves twice");
    circle.refuses(&phone, Operation::Leave { counter: 4 }, "leaves a viewer behind");
    circle.take(&partner, Operation::Leave { counter: 0 });
    // One who was proposed, frozen or removed may still come in, and would find nobody with the newest key.
    circle.take(&phone, Operation::Add { member: member(&laptop) });
    circle.refuses(&phone, Operation::Leave { counter: 4 }, "leaves a proposed owner behind");
    circle.take(&phone, confirm(&laptop));
    circle.take(&phone, freeze(&laptop, 0));
    circle.refuses(&phone, Operation::Leave { counter: 4 }, "leaves a frozen owner behind");
    circle.remove(&phone, laptop.device, 0, &mut world);
    circle.refuses(&phone, Operation::Leave { counter: 4 }, "leaves a leaving owner behind");
    circle.take(&phone, finish(&laptop));
    circle.take(&phone, Operation::Leave { counter: 4 });
    assert!(circle.membership.readers().is_empty());
    assert_eq!(circle.replayed(), circle.membership);
}

#[test]
fn roles_change_between_member_and_viewer_and_say_where_writing_ends() {
    let mut world = World::new(69);
    let partner = DeviceKeys::make(&mut world.rng);
    let mut circle = world.circle();
    let (phone, tablet) = (world.mayor_phone.clone(), world.mayor_tablet.clone());
    circle.take(&phone, Operation::Add { member: with_role(&partner, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    circle.refuses(&phone, role(&partner, 0, MemberRole::Owner), "an owner is added, not made");
    circle.refuses(&phone, role(&partner, 0, MemberRole::Member), "the role that it has");
    circle.refuses(&phone, role(&tablet, 0, MemberRole::Viewer), "an owner is removed, not lowered");
    circle.refuses(&phone, role(&phone, 0, MemberRole::Member), "nor by itself");
    circle.take(&phone, role(&partner, 6, MemberRole::Viewer));
    assert_eq!(circle.membership.member(partner.device).map(|member| member.role), Some(MemberRole::Viewer));
    assert_eq!(circle.membership.cut(2), Some(6));
    assert!(!circle.membership.may_write(partner.device) && circle.membership.is_active(partner.device));
    assert!(!circle.membership.owes_epoch(), "it reads on");
    circle.refuses(&phone, role(&partner, 9, MemberRole::Viewer), "the role that it has");
    circle.take(&phone, role(&partner, 6, MemberRole::Member));
    assert_eq!(circle.membership.cut(2), None);
    circle.take(&phone, freeze(&partner, 6));
    circle.refuses(&phone, role(&partner, 6, MemberRole::Viewer), "of one that is kept out");
}

/// A viewer that leaves or is taken out names no entries of its own into being.
#[test]
fn what_a_viewer_wrote_does_not_come_to_count_by_its_going() {
    let mut world = World::new(70);
    let viewers: [DeviceKeys; 4] = std::array::from_fn(|_| DeviceKeys::make(&mut world.rng));
    let [leaves, frozen, removed, lowered] = &viewers;
    let mut circle = world.circle();
    let phone = world.mayor_phone.clone();
    for keys in [leaves, frozen, removed] {
        circle.take(&phone, Operation::Add { member: with_role(keys, MemberRole::Viewer) });
    }
    circle.take(&phone, Operation::Add { member: with_role(lowered, MemberRole::Member) });
    circle.start_epoch(&phone, &mut world.rng);
    circle.take(&phone, role(lowered, 6, MemberRole::Viewer));
    circle.take(leaves, Operation::Leave { counter: u64::MAX });
    circle.take(&phone, freeze(frozen, 1000));
    circle.remove(&phone, removed.device, 1000, &mut world);
    circle.take(lowered, Operation::Leave { counter: 1000 });
    assert_eq!([2, 3, 4, 5].map(|slot| circle.membership.cut(slot)), [Some(0), Some(0), Some(0), Some(6)]);
}

#[test]
fn a_circle_has_at_most_64_devices_at_a_time() {
    let mut world = World::new(54);
    let mut circle = world.circle();
    let phone = world.mayor_phone.clone();
    let like = with_role(&world.mayor_tablet, MemberRole::Member);
    for number in 2..MAX_MEMBERS as u16 {
        circle.take(&phone, Operation::Add { member: cheap_member(number, &like) });
    }
    assert_eq!(circle.membership.members().len(), MAX_MEMBERS);
    let one_more = Operation::Add { member: cheap_member(99, &like) };
    circle.refuses(&phone, one_more.clone(), "a 65th device");
    // The largest record there can be fits the largest envelope.
    circle.start_epoch(&phone, &mut world.rng);
    // Who is frozen keeps its place; who is out frees it.
    circle.take(&phone, Operation::Freeze { cut: Cut { device: cheap_member(5, &like).device, counter: 0 } });
    circle.refuses(&phone, one_more.clone(), "in the place of a frozen one");
    circle.remove(&phone, cheap_member(5, &like).device, 0, &mut world);
    circle.take(&phone, one_more);
    assert_eq!(circle.membership.members().len(), MAX_MEMBERS + 1);
    assert_eq!(circle.membership.slot(cheap_member(99, &like).device), Some(64), "no slot is given twice");
}

/// 960 by its owners, and 64 more that only the root brings in: nobody can fill a circle up against its root.
#[test]
fn a_circle_has_at_most_1024_devices_over_the_years() {
    let mut world = World::new(74);
    let mut circle = world.circle();
    let (phone, tablet, root) = (world.mayor_phone.clone(), world.mayor_tablet.clone(), world.account_root.clone());
    // A viewer with the tablet's keys: it can leave by itself.
    let like = with_role(&tablet, MemberRole::Viewer);
    for number in 2..960 {
        let passer_by = cheap_member(number, &like);
        circle.take(&phone, Operation::Add { member: passer_by.clone() });
        let leave = circle.membership.next(passer_by.device, Operation::Leave { counter: 0 }, &tablet.sig);
        circle.membership.apply(leave.bytes()).expect("anybody leaves");
    }
    circle.refuses(&phone, Operation::Add { member: cheap_member(960, &like) }, "a 961st device");
    let mut last = None;
    for number in 960..=MAX_WRITERS as u16 {
        let member = Member { role: MemberRole::Owner, ..cheap_member(number, &like) };
        let lost: Vec<Cut> = last.iter().map(|device| Cut { device: *device, counter: 0 }).collect();
        let Ok(readers) = circle.membership.recovered(&member, &lost) else {
            assert_eq!(usize::from(number), MAX_WRITERS);
            let epoch = epoch_of(&circle);
            let recover = Operation::Recover { member: member.clone(), lost, epoch };
            let record = circle.membership.next(member.device, recover, &root).into_value();
            refused(&mut circle.membership, &record, &root, "a 1,025th device");
            return;
        };
        let (epoch, key) = circle.epoch_for(&readers, &mut world.rng);
        circle.take_by_root(member.device, Operation::Recover { member: member.clone(), lost, epoch }, &root);
        (circle.epoch_key, last) = (key, Some(member.device));
    }
    panic!("a 1,025th device was taken");
}

/// With a key of no use in the circle, nobody could make a further epoch.
#[test]
fn a_device_whose_key_is_none_is_not_let_in() {
    let mut world = World::new(75);
    let mut circle = world.circle();
    let (phone, stranger) = (world.mayor_phone.clone(), DeviceKeys::make(&mut world.rng));
    let unusable = Member { kem: KemPublic([0xff; 1216]), ..with_role(&stranger, MemberRole::Member) };
    let readers = Readers { members: &[&unusable], recovery: None };
    let epoch = Epoch::make(world.circle, 1, readers, None::<&SymmetricKey>, &mut world.rng);
    assert!(matches!(epoch, Err(FormatError::Sealed { .. })));
    circle.refuses(&phone, Operation::Add { member: unusable }, "a key of no use");
}

#[test]
fn the_safety_number_shows_another_root_another_log_and_another_place() {
    let mut world = World::new(76);
    let circle = world.circle();
    let (head, root) = (circle.membership.head(), world.account_root.verify_key());
    let number = head.safety_number(&root);
    assert_eq!(number, circle.replayed().head().safety_number(&root));
    let groups: Vec<&str> = number.split(' ').collect();
    assert_eq!(groups.len(), 6);
    assert!(groups.iter().all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit())));
    assert_ne!(number, head.safety_number(&world.org_root.verify_key()));
    let (mut later, mut forked) = (head, head);
    later.seq += 1;
    forked.hash = Hash([1; 32]);
    assert_ne!(number, later.safety_number(&root));
    assert_ne!(number, forked.safety_number(&root));
}
