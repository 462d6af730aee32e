//! Vectors of the membership log, with an epoch's wraps, and of entries.

use baken_schemas::circle::{Epoch, LogRecord, Membership, Operation};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::entry::{Entry, EntryBody, WriterHead, next_header};
use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{Change, Tick, Value as FieldValue, decode_changes, encode_changes};
use baken_schemas::signed::Unverified;
use serde_json::{Value, json};

use super::{Set, hex, id, key, unhex};
use crate::world::World;

fn describe_membership(membership: &Membership, commitment: Hash, epoch_key: &SymmetricKey) -> Value {
    json!({
        "circle": membership.circle(),
        "root": membership.root(),
        "members": membership.members().iter().map(|member| json!({
            "device": member.device, "sig": member.sig, "kem": member.kem, "role": member.role as u8,
        })).collect::<Vec<_>>(),
        "epoch": membership.epoch(),
        "commitment": commitment,
        "epoch_key": hex(epoch_key.as_bytes()),
        "head": { "seq": membership.head().seq, "hash": membership.head().hash },
    })
}

pub fn make_membership(world: &mut World) -> Vec<Value> {
    let circle = world.circle();
    let commitment = circle.epoch_key.commitment("baken/epoch/v0");
    vec![json!({
        "inputs": describe_membership(&circle.membership, commitment, &circle.epoch_key),
        "records": circle.records.iter().map(|record| hex(record.bytes())).collect::<Vec<_>>(),
    })]
}

fn last_epoch(bytes: &[u8]) -> Epoch {
    let record = Unverified::<LogRecord>::parse(bytes).expect("a record");
    let Operation::Epoch { epoch } = record.claims().operation.clone() else { panic!("the last starts an epoch") };
    epoch
}

pub fn open_membership(set: &Set, vector: &Value) -> Value {
    let records: Vec<_> = vector["records"].as_array().expect("records").iter().map(unhex).collect();
    let circle = id(&vector["inputs"]["circle"]);
    let mut membership = Membership::start(circle, &records[0]).expect("a genesis");
    for record in &records[1..] {
        membership.apply(record).expect("it follows");
    }
    let epoch = last_epoch(records.last().expect("three records"));
    let mut keys = Vec::new();
    for member in membership.members() {
        let kem = set.device(member.device).kem;
        keys.push(epoch.open(circle, member.device, &kem).expect("opens").expect("is wrapped to every member"));
    }
    let epoch_key = keys.pop().expect("a member");
    assert!(keys.iter().all(|key| *key == epoch_key));
    describe_membership(&membership, epoch.commitment, &epoch_key)
}

fn describe_entry(entry: &Entry, body: &EntryBody, epoch_key: &SymmetricKey) -> Value {
    let header = entry.header();
    let changes = decode_changes(&body.changes).expect("a batch of changes");
    json!({
        "circle": header.circle,
        "epoch": header.epoch,
        "entry": header.entry,
        "slot": header.slot,
        "counter": header.counter,
        "prev": header.prev,
        "size_class": header.size_class,
        "hash": entry.hash(),
        "device": body.device,
        "hlc": body.hlc,
        "heads": body.heads.iter().map(|head| json!([head.slot, head.counter, head.hash])).collect::<Vec<_>>(),
        "schema": body.schema,
        "changes": changes.iter().map(describe_change).collect::<Vec<_>>(),
        "epoch_key": hex(epoch_key.as_bytes()),
    })
}

fn describe_change(change: &Change) -> Value {
    let value = match &change.value {
        FieldValue::Text(text) => json!({ "text": text }),
        FieldValue::Bool(bool) => json!({ "bool": bool }),
        FieldValue::Int(int) => json!({ "int": int }),
        FieldValue::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        FieldValue::Empty => json!("empty"),
        FieldValue::Newer(item) => json!({ "newer": hex(item) }),
    };
    json!({
        "record": change.record,
        "kind": change.kind,
        "field": change.field,
        "clock": change.clock.iter().map(|tick| json!([tick.slot, tick.count])).collect::<Vec<_>>(),
        "value": value,
    })
}

pub fn make_entry(world: &mut World) -> Vec<Value> {
    let [contact, note] = [(); 2].map(|()| RecordId::make(&mut world.rng));
    let change = |record, kind, field, ticks: &[(u16, u64)], value| Change {
        record,
        kind,
        field,
        clock: ticks.iter().map(|&(slot, count)| Tick { slot, count }).collect(),
        value,
    };
    let changes = [
        change(contact, 2, 1, &[(0, 1)], FieldValue::Text("Politie Voorbeeld, wijkagent".into())),
        change(note, 5, 1, &[(0, 1), (1, 300)], FieldValue::Text("Brief".into())),
        change(contact, 2, 6, &[(1, 70_000)], FieldValue::Bool(true)),
        change(note, 5, 2, &[(0, 2)], FieldValue::Empty),
        change(note, 5, 0, &[(0, 1)], FieldValue::Bool(false)),
        change(note, 900, 7, &[(0, 1)], FieldValue::Int(-1_795_465_407_000)),
        change(note, 900, 8, &[(0, 1)], FieldValue::Bytes(vec![1, 2, 3])),
        change(note, 900, 9, &[(0, 1)], FieldValue::Newer(vec![0x82, 0x01, 0x61, 0x61])),
    ];
    let batch = encode_changes(&changes).expect("a small batch");
    let epoch_key = SymmetricKey::make(&mut world.rng);
    let phone = &world.mayor_phone;
    let mut previous = None;
    [Vec::new(), vec![WriterHead { slot: 1, counter: 300, hash: Hash([6; 32]) }]]
        .map(|heads| {
            let header = next_header(world.circle, 1, 0, previous, &mut world.rng);
            let hlc = 1_795_465_407_000 << 16 | 2;
            let body = EntryBody { device: phone.device, hlc, heads, schema: 0, changes: batch.clone() };
            let entry = Entry::seal(header, &body, &epoch_key, &phone.sig, &mut world.rng).expect("it fits");
            previous = Some((entry.header().counter, entry.hash()));
            json!({ "inputs": describe_entry(&entry, &body, &epoch_key), "bytes": hex(entry.bytes()) })
        })
        .to_vec()
}

pub fn open_entry(set: &Set, vector: &Value) -> Value {
    let entry = Entry::parse(&unhex(&vector["bytes"])).expect("an entry");
    let epoch_key = key(&vector["inputs"]["epoch_key"]);
    let author: DeviceId = id(&vector["inputs"]["device"]);
    let sig = set.device(author).sig.verify_key();
    let body = entry.open(&epoch_key, author, &sig).expect("sealed under the epoch's key, signed by its author");
    describe_entry(&entry, &body, &epoch_key)
}
