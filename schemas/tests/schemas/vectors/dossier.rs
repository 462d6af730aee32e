//! Vectors of what a dossier seals and signs for itself: the statement of a hand-over pack, and check-ups.

use baken_schemas::check_up::{CheckUp, Lock};
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::id::RecordId;
use baken_schemas::pack::{PackChange, PackFile, PackStatement};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Set, hex, id, unhex};
use crate::world::World;

fn describe_pack(statement: &PackStatement) -> Value {
    let file = |file: &PackFile| json!({"name": file.name, "size": file.size, "sha256": hex(&file.sha256)});
    let change =
        |change: &PackChange| json!({"record": change.record, "field": change.field, "by": change.by, "at": change.at});
    json!({
        "device": statement.device,
        "fingerprint": statement.fingerprint(),
        "made_at": statement.made_at,
        "record": statement.record,
        "files": statement.files.iter().map(file).collect::<Vec<_>>(),
        "changes": statement.changes.iter().map(change).collect::<Vec<_>>(),
        "unsent": statement.unsent,
        "last_sync": statement.last_sync,
    })
}

pub fn make_pack(world: &mut World) -> Vec<Value> {
    let (phone, record) = (world.mayor_phone.clone(), RecordId([0x21; 16]));
    let full = PackStatement {
        device: phone.device,
        key: phone.sig.verify_key(),
        made_at: Timestamp(1_795_465_600_000),
        record,
        files: ["bewijs/001-brief één.jpg", "overdracht.html", "sha256.txt"]
            .map(|name| PackFile { name: name.to_owned(), size: 300_000, sha256: [0x5a; 32] })
            .to_vec(),
        changes: vec![
            PackChange { record, field: 1, by: Some(phone.device), at: Timestamp(-5) },
            PackChange { record: RecordId([0x22; 16]), field: 300, by: None, at: Timestamp(1_795_465_500_000) },
        ],
        unsent: 2,
        last_sync: Some(Timestamp(1_795_465_400_000)),
    };
    let bare = PackStatement { files: Vec::new(), changes: Vec::new(), unsent: 0, last_sync: None, ..full.clone() };
    [full, bare]
        .map(|statement| Signed::make(statement, &phone.sig))
        .map(|signed| json!({ "inputs": describe_pack(signed.value()), "bytes": hex(signed.bytes()) }))
        .to_vec()
}

pub fn open_pack(set: &Set, vector: &Value) -> Value {
    let statement = Unverified::<PackStatement>::parse(&unhex(&vector["bytes"])).expect("a statement");
    let sig = set.device(statement.claims().device).sig.verify_key();
    describe_pack(statement.verify(&sig).expect("signed by the device").value())
}

fn describe_check_up(stretched: &SymmetricKey, lock: &Lock, key: &SymmetricKey, of: RecordId, body: &CheckUp) -> Value {
    json!({
        "stretched": hex(stretched.as_bytes()),
        "memory_kib": lock.memory_kib,
        "passes": lock.passes,
        "lanes": lock.lanes,
        "salt": hex(&lock.salt),
        "key": hex(key.as_bytes()),
        "lock": of,
        "at": body.at,
        "with": body.with,
        "text": body.text,
    })
}

pub fn make_check_up(world: &mut World) -> Vec<Value> {
    let of = RecordId([0x23; 16]);
    let vectors = ["", "Goed gesprek, beter geslapen. Hé!"].map(|text| {
        let stretched = SymmetricKey::make(&mut world.rng);
        let (lock, key) = Lock::make((64 * 1024, 3, 1), [0x77; 32], &stretched, &mut world.rng);
        let body = CheckUp { at: Timestamp(1_795_465_600_000), with: "bedrijfsarts".to_owned(), text: text.to_owned() };
        json!({
            "inputs": describe_check_up(&stretched, &lock, &key, of, &body),
            "lock": hex(&lock.to_bytes()),
            "bytes": hex(&body.seal(of, &key, &mut world.rng)),
        })
    });
    vectors.to_vec()
}

pub fn open_check_up(_: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let stretched = SymmetricKey::from_slice(&unhex(&inputs["stretched"])).expect("a key");
    let lock = Lock::from_bytes(&unhex(&vector["lock"])).expect("a lock");
    let key = lock.open(&stretched).expect("the stretched passphrase");
    let of = id::<RecordId>(&inputs["lock"]);
    let body = CheckUp::open(of, &key, &unhex(&vector["bytes"])).expect("a check-up");
    describe_check_up(&stretched, &lock, &key, of, &body)
}
