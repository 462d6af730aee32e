//! Vectors of the membership log: what every record does, the keys of its epochs, and what the log amounts to.

use baken_schemas::circle::{CircleKind, Cut, Epoch, LogRecord, Member, MemberRole, Membership, Operation, Readers};
use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, CircleId, DeviceId};
use baken_schemas::recovery::RecoveryCode;
use baken_schemas::signed::{Signed, Unverified};
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};

use super::{Set, hex, id, unhex};
use crate::world::{World, member};

/// A log in the making, and the keys of its epochs.
struct Log<'a> {
    membership: Membership,
    records: Vec<Signed<LogRecord>>,
    keys: Vec<SymmetricKey>,
    root: &'a SigningKey,
    rng: &'a mut ChaCha20Rng,
}

impl Log<'_> {
    fn take(&mut self, author: &DeviceKeys, operation: Operation) {
        let by_root = matches!(operation, Operation::Recover { .. } | Operation::RecoveryKey { .. });
        let key = if by_root { self.root } else { &author.sig };
        let record = self.membership.next(author.device, operation, key);
        self.membership.apply(record.bytes()).expect("the rules allow it");
        self.records.push(record);
    }

    fn epoch_for(&mut self, readers: &Membership) -> Epoch {
        let (members, recovery) = (readers.readers(), readers.recovery());
        let readers = Readers { members: &members, recovery };
        let (circle, number) = (self.membership.circle(), self.membership.epoch() + 1);
        let (epoch, key) = Epoch::make(circle, number, readers, self.keys.last(), self.rng).expect("good keys");
        self.keys.push(key);
        epoch
    }

    fn epoch(&mut self, author: &DeviceKeys) {
        let epoch = self.epoch_for(&self.membership.clone());
        self.take(author, Operation::Epoch { epoch });
    }

    fn remove(&mut self, author: &DeviceKeys, device: DeviceId, counter: u64) {
        let epoch = self.epoch_for(&self.membership.without(device).expect("a member"));
        self.take(author, Operation::Remove { cut: Cut { device, counter }, epoch });
    }
}

pub fn make_membership(world: &mut World) -> Vec<Value> {
    let dossier = every_operation(world);
    vec![dossier, a_family(world)]
}

/// A dossier in which everything happens that can.
fn every_operation(world: &mut World) -> Value {
    let [first_code, second_code] = [(); 2].map(|()| RecoveryCode::make(&mut world.rng));
    let (phone, tablet, found) = (&world.mayor_phone, &world.mayor_tablet, &world.relay);
    let (adviser, laptop) = (&world.desk_east, &world.desk_west);
    let (root, account) = (&world.account_root, world.account);
    let recovery = Some(first_code.kem(account).public());
    let (membership, genesis) =
        Membership::found(world.circle, CircleKind::Dossier, root.verify_key(), recovery, member(phone), root);
    let mut log = Log { membership, records: vec![genesis], keys: Vec::new(), root, rng: &mut world.rng };
    let of = |keys: &DeviceKeys, counter| Cut { device: keys.device, counter };
    let veto = |keys: &DeviceKeys| Operation::Veto { device: keys.device };

    log.take(phone, Operation::Add { member: member(tablet) });
    log.take(phone, Operation::Confirm { device: tablet.device });
    log.epoch(phone);
    log.take(tablet, Operation::Add { member: Member { role: MemberRole::Member, ..member(adviser) } });
    log.epoch(tablet);
    log.take(phone, Operation::Freeze { cut: of(tablet, 7) });
    log.take(phone, veto(tablet));
    log.take(phone, Operation::Role { cut: of(adviser, 300), role: MemberRole::Viewer });
    log.remove(phone, tablet.device, 9);
    log.take(tablet, veto(tablet));
    log.epoch(phone);
    log.take(tablet, Operation::Freeze { cut: of(phone, 20) });
    log.remove(tablet, phone.device, 70_000);
    log.take(tablet, Operation::Finish { device: phone.device });
    log.take(tablet, Operation::RecoveryKey { kem: second_code.kem(account).public() });
    let lost = vec![of(tablet, u64::from(u32::MAX) + 1)];
    let epoch = log.epoch_for(&log.membership.recovered(&member(found), &lost).expect("the rules allow it"));
    log.take(found, Operation::Recover { member: member(found), lost, epoch });
    log.take(adviser, Operation::Leave { counter: 500 });
    log.take(found, Operation::Add { member: member(laptop) });
    log.epoch(found);
    describe(&log.records, &log.membership, &log.keys, account, &[first_code, second_code])
}

/// A family's circle: started by a device, without a recovery code, and owed its first epoch.
fn a_family(world: &mut World) -> Value {
    let (phone, partner, root) = (&world.mayor_phone, &world.mayor_tablet, &world.account_root);
    let (key, kind) = (root.verify_key(), CircleKind::Family);
    let circle = CircleId::make(&mut world.rng);
    let (membership, genesis) = Membership::found(circle, kind, key, None, member(phone), &phone.sig);
    let mut log = Log { membership, records: vec![genesis], keys: Vec::new(), root, rng: &mut world.rng };
    log.epoch(phone);
    log.take(phone, Operation::Add { member: member(partner) });
    describe(&log.records, &log.membership, &log.keys, world.account, &[])
}

fn describe(
    records: &[Signed<LogRecord>],
    membership: &Membership,
    keys: &[SymmetricKey],
    account: AccountId,
    codes: &[RecoveryCode],
) -> Value {
    let mut codes_left = codes.iter();
    let described: Vec<Value> = records
        .iter()
        .map(|record| {
            let LogRecord { author, operation, .. } = record.value();
            json!({ "author": author, "does": describe_operation(operation, keys, account, &mut codes_left) })
        })
        .collect();
    assert!(codes_left.next().is_none(), "every code is named by a record");
    let members = (0_u16..).zip(membership.members()).map(|(slot, (member, state))| {
        json!({
            "device": member.device,
            "role": member.role as u8,
            "state": state,
            "cut": membership.cut(slot),
            "reads": (1..=membership.epoch()).filter(|epoch| membership.reads_epoch(slot, *epoch)).collect::<Vec<_>>(),
        })
    });
    json!({
        "inputs": {
            "circle": membership.circle(),
            "kind": membership.kind() as u8,
            "account": account,
            "root": membership.root(),
            "recovery_codes": codes.iter().map(RecoveryCode::to_text).collect::<Vec<_>>(),
            "operations": described,
            "members": members.collect::<Vec<_>>(),
            "owes_epoch": membership.owes_epoch(),
            "head": { "seq": membership.head().seq, "hash": membership.head().hash },
            "safety_number": membership.head().safety_number(&membership.root()),
        },
        "records": records.iter().map(|record| hex(record.bytes())).collect::<Vec<_>>(),
    })
}

fn describe_operation<'a>(
    operation: &Operation,
    keys: &[SymmetricKey],
    account: AccountId,
    codes: &mut impl Iterator<Item = &'a RecoveryCode>,
) -> Value {
    let of_epoch = |epoch: &Epoch| {
        let key = &keys[epoch.number as usize - 1];
        json!({ "number": epoch.number, "key": hex(key.as_bytes()), "commitment": epoch.commitment })
    };
    let of_member = |member: &Member| json!({ "device": member.device, "role": member.role as u8 });
    let of_cut = |cut: &Cut| json!([cut.device, cut.counter]);
    let mut is_next_code = |kem| assert_eq!(&codes.next().expect("a code").kem(account).public(), kem);
    match operation {
        Operation::Genesis { first, recovery, .. } => {
            recovery.iter().for_each(&mut is_next_code);
            json!({ "genesis": of_member(first) })
        }
        Operation::Add { member } => json!({ "add": of_member(member) }),
        Operation::Epoch { epoch } => json!({ "epoch": of_epoch(epoch) }),
        Operation::Confirm { device } => json!({ "confirm": device }),
        Operation::Remove { cut, epoch } => json!({ "remove": of_cut(cut), "epoch": of_epoch(epoch) }),
        Operation::Finish { device } => json!({ "finish": device }),
        Operation::Veto { device } => json!({ "veto": device }),
        Operation::Freeze { cut } => json!({ "freeze": of_cut(cut) }),
        Operation::Leave { counter } => json!({ "leave": counter }),
        Operation::Role { cut, role } => json!({ "role": of_cut(cut), "to": *role as u8 }),
        Operation::Recover { member, lost, epoch } => json!({
            "recover": of_member(member),
            "lost": lost.iter().map(of_cut).collect::<Vec<_>>(),
            "epoch": of_epoch(epoch),
        }),
        Operation::RecoveryKey { kem } => {
            is_next_code(kem);
            json!("recovery-key")
        }
    }
}

pub fn open_membership(set: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let records: Vec<_> = vector["records"].as_array().expect("records").iter().map(unhex).collect();
    let (circle, account): (CircleId, AccountId) = (id(&inputs["circle"]), id(&inputs["account"]));
    let codes = inputs["recovery_codes"].as_array().expect("codes").iter().map(|text| {
        let code = RecoveryCode::from_text(text.as_str().expect("a text")).expect("a code");
        assert_eq!(code.to_text(), *text);
        code
    });
    let codes: Vec<RecoveryCode> = codes.collect();
    assert_eq!(set.account_root().verify_key(), id(&inputs["root"]));

    let mut membership = Membership::start(circle, &records[0]).expect("a genesis");
    let first = Unverified::<LogRecord>::parse(&records[0]).expect("a record");
    let signer = match membership.kind() {
        CircleKind::Dossier => set.account_root(),
        CircleKind::Family | CircleKind::Case => set.device(first.claims().author).sig,
    };
    let genesis = Signed::make(first.claims().clone(), &signer);
    assert_eq!(genesis.bytes(), records[0], "Ed25519 is deterministic");
    let (mut taken, mut keys) = (vec![genesis], Vec::<SymmetricKey>::new());
    for record in &records[1..] {
        let signed = membership.apply(record).expect("it follows");
        if let Operation::Epoch { epoch } | Operation::Remove { epoch, .. } | Operation::Recover { epoch, .. } =
            &signed.value().operation
        {
            keys.push(opened(set, epoch, &membership, keys.last(), account, &codes));
        }
        taken.push(signed);
    }
    describe(&taken, &membership, &keys, account, &codes)["inputs"].clone()
}

/// The key of an epoch, opened by everybody who can.
fn opened(
    set: &Set,
    epoch: &Epoch,
    membership: &Membership,
    before: Option<&SymmetricKey>,
    account: AccountId,
    codes: &[RecoveryCode],
) -> SymmetricKey {
    let circle = membership.circle();
    let found = membership.readers().into_iter().map(|member| {
        let kem = set.device(member.device).kem;
        epoch.open(circle, member.device, &kem).expect("opens").expect("is wrapped to every reader")
    });
    let mut found: Vec<SymmetricKey> = found.collect();
    let code = codes.iter().find(|code| Some(&code.kem(account).public()) == membership.recovery());
    found.extend(code.map(|code| {
        let kem = code.kem(account);
        epoch.open_recovery(circle, &kem).expect("opens").expect("is wrapped to the recovery key")
    }));
    let key = found.pop().expect("a reader");
    assert!(found.iter().all(|other| *other == key));
    assert_eq!(epoch.open_before(circle, &key).expect("sealed under this one").as_ref(), before);
    key
}
