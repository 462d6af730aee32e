//! Random sequences of records by random authors: nothing panics, a refused record changes nothing, and everybody who
//! reads the same bytes comes to the same membership.

use std::sync::LazyLock;

use baken_schemas::circle::{Cut, Epoch, Member, MemberRole, MemberState, Membership, Operation, Readers};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::signed::Signed;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use crate::world::{World, member};

/// Phone and tablet of the circle, and six more that may come in.
const DEVICES: usize = 8;

struct Cast {
    seed: u64,
    devices: Vec<DeviceKeys>,
    members: Vec<Member>,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let seed = 77;
    let mut world = World::new(seed);
    let mut devices = vec![world.mayor_phone.clone(), world.mayor_tablet.clone()];
    devices.extend((2..DEVICES).map(|_| DeviceKeys::make(&mut world.rng)));
    let members = devices.iter().map(member).collect();
    Cast { seed, devices, members }
});

/// What somebody tries.
#[derive(Debug, Clone)]
struct Try {
    author: usize,
    operation: usize,
    target: usize,
    other: usize,
    role: u8,
    counter: u64,
    /// One in eight is signed by another's key, one in eight has an epoch for other readers.
    flaw: u8,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    // Owners act most, or little would ever be taken.
    let author = prop_oneof![3 => 0..3_usize, 1 => 0..DEVICES];
    let one = (author, 0..13_usize, 0..DEVICES, 0..DEVICES, 0..3_u8, 0..20_u64, 0..8_u8).prop_map(
        |(author, operation, target, other, role, counter, flaw)| Try {
            author,
            operation,
            target,
            other,
            role,
            counter,
            flaw,
        },
    );
    prop::collection::vec(one, 1..60)
}

/// Builds what is tried on this membership; `None` when its epoch cannot even be made.
fn operation(membership: &Membership, tried: &Try, rng: &mut ChaCha20Rng) -> Option<Operation> {
    let Cast { members, .. } = &*CAST;
    let (target, counter) = (members[tried.target].device, tried.counter);
    let cut = Cut { device: target, counter };
    let role = [MemberRole::Owner, MemberRole::Member, MemberRole::Viewer][usize::from(tried.role)];
    let newcomer = Member { role, ..members[tried.target].clone() };
    let mut epoch_for = |readers: &Membership| {
        let number = membership.epoch() + 1;
        let mut readers_now = readers.readers();
        if tried.flaw == 1 {
            readers_now.pop();
        }
        let key = SymmetricKey::make(rng);
        let before = (number > 1).then_some(&key);
        let readers = Readers { members: &readers_now, recovery: readers.recovery() };
        Epoch::make(membership.circle(), number, readers, before, rng).ok().map(|(epoch, _)| epoch)
    };
    Some(match tried.operation {
        0 | 1 => Operation::Add { member: newcomer },
        2 => Operation::Epoch { epoch: epoch_for(membership)? },
        3 => Operation::Confirm { device: target },
        4 => Operation::Remove { cut, epoch: epoch_for(&membership.without(target).ok()?)? },
        5 => Operation::Finish { device: target },
        6 | 7 => Operation::Veto { device: target },
        8 => Operation::Freeze { cut },
        9 => Operation::Leave { counter },
        10 => Operation::Role { cut, role },
        11 => {
            let lost = vec![Cut { device: members[tried.other].device, counter }];
            let newcomer = Member { role: MemberRole::Owner, ..newcomer };
            let readers = membership.recovered(&newcomer, &lost).ok()?;
            Operation::Recover { member: newcomer, lost, epoch: epoch_for(&readers)? }
        }
        _ => Operation::RecoveryKey { kem: members[tried.other].kem.clone() },
    })
}

/// What holds after every record.
fn holds(before: &Membership, after: &Membership, author: DeviceId, operation: &Operation) {
    let by_root = matches!(operation, Operation::Recover { .. } | Operation::RecoveryKey { .. });
    let by_anybody = matches!(operation, Operation::Leave { .. } | Operation::Veto { .. });
    assert!(by_root || by_anybody || before.is_owner(author), "{operation:?} by somebody who is no owner");
    // Who is out stays out, where its writing ended; slots stay whose they are.
    for ((member, state), (member_after, state_after)) in before.members().zip(after.members()) {
        assert_eq!(member.device, member_after.device);
        if let MemberState::Gone { .. } = state {
            assert_eq!(state, state_after);
        }
        // Only an owner's device, the root or the device itself moves anybody.
        if state != state_after && !by_root && !before.is_owner(author) {
            assert_eq!(member.device, author);
        }
    }
    for (slot, (member, state)) in (0_u16..).zip(after.members()) {
        let may_write = state == MemberState::Active && member.role != MemberRole::Viewer;
        assert_eq!(after.may_write(member.device), may_write);
        assert_eq!(after.cut(slot).is_none(), may_write);
        assert_eq!(after.is_active(member.device), state == MemberState::Active);
        if after.epoch() > 0 && !after.owes_epoch() {
            assert_eq!(after.reads_epoch(slot, after.epoch()), after.is_active(member.device));
        }
        // What an epoch was wrapped to does not change afterwards.
        for epoch in 1..=before.epoch() {
            assert_eq!(before.reads_epoch(slot, epoch), after.reads_epoch(slot, epoch));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_is_taken_or_refused_alike_by_everybody(tries in tries(), seed in any::<u64>()) {
        let Cast { seed: cast_seed, devices, .. } = &*CAST;
        let mut world = World::new(*cast_seed);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let circle = world.circle();
        let mut membership = circle.membership.clone();
        let mut records: Vec<Vec<u8>> = circle.records.iter().map(|record| record.bytes().to_vec()).collect();
        let mut taken = 0;
        for tried in &tries {
            let Some(operation) = operation(&membership, tried, &mut rng) else { continue };
            let author = &devices[if let Operation::Recover { .. } = operation { tried.target } else { tried.author }];
            let by_root = matches!(operation, Operation::Recover { .. } | Operation::RecoveryKey { .. });
            let rightful: &SigningKey = if by_root { &world.account_root } else { &author.sig };
            let signer = if tried.flaw == 2 { &world.org_root } else { rightful };
            let record = membership.next(author.device, operation.clone(), rightful).into_value();
            let record = Signed::make(record, signer);
            let before = membership.clone();
            match membership.apply(record.bytes()) {
                Ok(_) => {
                    prop_assert_ne!(tried.flaw, 2, "a wrong signature was taken");
                    holds(&before, &membership, author.device, &operation);
                    records.push(record.bytes().to_vec());
                    taken += 1;
                }
                Err(_) => prop_assert_eq!(&membership, &before, "a refused record changed something"),
            }
        }
        prop_assert_eq!(membership.head().seq, 3 + taken);
        let mut replayed = Membership::start(world.circle, &records[0]).expect("the genesis is good");
        for record in &records[1..] {
            replayed.apply(record).expect("a record that was taken before");
        }
        prop_assert_eq!(replayed, membership);
    }
}
