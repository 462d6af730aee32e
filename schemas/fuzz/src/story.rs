//! A circle in which the fuzzer's operations are signed by those who may try them, so that they reach the rules.

use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, Member, MemberRole, Membership, Operation};
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

/// Two owners, a member and a viewer, and one who was proposed. The devices are named 0 to 4, sixteen times that byte.
pub struct Story {
    root: SigningKey,
    devices: Vec<DeviceKeys>,
    genesis: Vec<u8>,
    membership: Membership,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// The same story each time.
    pub fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let root = SigningKey::make(&mut rng);
        let devices: Vec<DeviceKeys> = (0..5)
            .map(|name| {
                let mut keys = DeviceKeys::make(&mut rng);
                keys.device.0 = [name; 16];
                keys
            })
            .collect();
        let member = |keys: &DeviceKeys, role| Member {
            device: keys.device,
            sig: keys.sig.verify_key(),
            kem: keys.kem.public(),
            role,
        };
        let [first, second, third, fourth, fifth] = std::array::from_fn(|at| &devices[at]);
        let founder = member(first, MemberRole::Owner);
        let circle = CircleId([9; 16]);
        let (mut membership, genesis) =
            Membership::found(circle, CircleKind::Dossier, root.verify_key(), None, founder, &root);
        for operation in [
            Operation::Add { member: member(second, MemberRole::Owner) },
            Operation::Confirm { device: second.device },
            Operation::Add { member: member(third, MemberRole::Member) },
            Operation::Add { member: member(fourth, MemberRole::Viewer) },
            Operation::Add { member: member(fifth, MemberRole::Owner) },
        ] {
            let record = membership.next(first.device, operation, &first.sig);
            membership.apply(record.bytes()).expect("the rules allow it");
        }
        let genesis = genesis.bytes().to_vec();
        Self { root, devices, genesis, membership }
    }

    /// Plays records: each a byte for its author, two for its length, and its operation.
    pub fn play(&self, data: &[u8]) {
        let _ = Membership::start(self.membership.circle(), data);
        let mut membership = self.membership.clone();
        let mut rest = data;
        while let [author, high, low, behind @ ..] = rest {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let (operation, behind) = behind.split_at(len.min(behind.len()));
            rest = behind;
            let Ok(operation) = cbor::from_slice::<Operation>(operation, "it") else { continue };
            let author = &self.devices[usize::from(*author) % self.devices.len()];
            let by_root = matches!(operation, Operation::Recover { .. } | Operation::RecoveryKey { .. });
            let record = membership.next(author.device, operation, if by_root { &self.root } else { &author.sig });
            let before = membership.clone();
            if membership.apply(record.bytes()).is_err() {
                assert_eq!(membership, before, "a refused record changed something");
            }
        }
        assert!(Membership::start(self.membership.circle(), &self.genesis).is_ok());
    }
}
