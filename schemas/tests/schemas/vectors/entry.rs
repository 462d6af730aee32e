//! Vectors of entries, of both versions, and of what checkpoints hold.

use baken_schemas::cbor;
use baken_schemas::checkpoint::{CheckpointPart, FieldState, RecordState, Seen, StandingPut, WriterState};
use baken_schemas::circle::LogHead;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, WriterHead, next_header};
use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{Change, Value as FieldValue, decode_changes, encode_changes};
use serde_json::{Value, json};

use super::{Set, hex, id, key, unhex};
use crate::entry_v0::BatchV0;
use crate::world::World;

fn describe_entry(entry: &Entry, body: &EntryBody, epoch_key: &SymmetricKey) -> Value {
    let header = entry.header();
    let part = match header.kind {
        EntryKind::Changes => None,
        EntryKind::Checkpoint { part, of } => Some([part, of]),
    };
    let changes = match (header.kind, body.schema) {
        (EntryKind::Checkpoint { .. }, _) => describe_part(&body.changes),
        (EntryKind::Changes, 0) => describe_batch_v0(&body.changes),
        (EntryKind::Changes, schema) => {
            let changes = decode_changes(schema, &body.changes).expect("a batch of changes");
            changes.iter().map(describe_change).collect()
        }
    };
    json!({
        "checkpoint": part,
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
        "log": body.log.map(|log| json!({ "seq": log.seq, "hash": log.hash })),
        "heads": body.heads.iter().map(|head| json!([head.slot, head.counter, head.hash])).collect::<Vec<_>>(),
        "schema": body.schema,
        "changes": changes,
        "epoch_key": hex(epoch_key.as_bytes()),
    })
}

fn describe_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!({ "text": text }),
        FieldValue::Bool(bool) => json!({ "bool": bool }),
        FieldValue::Int(int) => json!({ "int": int }),
        FieldValue::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        FieldValue::Empty => json!("empty"),
        FieldValue::Newer(item) => json!({ "newer": hex(item) }),
    }
}

fn describe_change(change: &Change) -> Value {
    json!({
        "record": change.record,
        "kind": change.kind,
        "field": change.field,
        "value": describe_value(&change.value),
    })
}

/// With the clocks, which nothing else reads any more.
fn describe_batch_v0(bytes: &[u8]) -> Value {
    let (records, columns): BatchV0 = cbor::from_slice(bytes, "a batch").expect("a batch of schema 0");
    let clocks: Vec<_> = columns.into_iter().flat_map(|(_, _, clocks, _)| clocks).collect();
    let changes = decode_changes(0, bytes).expect("a batch of changes");
    assert_eq!(records.is_empty(), changes.is_empty());
    let with_clock = |(change, clock): (&Change, &Vec<u64>)| {
        let mut described = describe_change(change);
        described["clock"] = json!(clock.chunks(2).collect::<Vec<_>>());
        described
    };
    changes.iter().zip(&clocks).map(with_clock).collect()
}

fn changes_of(world: &mut World) -> Vec<Change> {
    let [contact, note] = [(); 2].map(|()| RecordId::make(&mut world.rng));
    let change = |record, kind, field, value| Change { record, kind, field, value };
    vec![
        change(contact, 2, 1, FieldValue::Text("Politie Voorbeeld, wijkagent".into())),
        change(note, 5, 1, FieldValue::Text("Brief".into())),
        change(contact, 2, 6, FieldValue::Bool(true)),
        change(note, 5, 2, FieldValue::Empty),
        change(note, 5, 0, FieldValue::Bool(false)),
        change(note, 900, 7, FieldValue::Int(-1_795_465_407_000)),
        change(note, 900, 8, FieldValue::Bytes(vec![1, 2, 3])),
        change(note, 900, 9, FieldValue::Newer(vec![0x82, 0x01, 0x61, 0x61])),
    ]
}

const HLC: u64 = 1_795_465_407_000 << 16 | 2;

pub fn make_entry(world: &mut World) -> Vec<Value> {
    let batch = encode_changes(&changes_of(world)).expect("a small batch");
    let part = part_of(world).to_bytes();
    let epoch_key = SymmetricKey::make(&mut world.rng);
    let phone = &world.mayor_phone;
    let head = WriterHead { slot: 1, counter: 300, hash: Hash([6; 32]) };
    let mut previous = None;
    [
        (EntryKind::Changes, Vec::new(), batch.clone()),
        (EntryKind::Changes, vec![head], batch),
        (EntryKind::Checkpoint { part: 0, of: 300 }, Vec::new(), part),
    ]
    .map(|(kind, heads, changes)| {
        let header = next_header(kind, world.circle, 1, 0, previous, &mut world.rng);
        let log = Some(LogHead { seq: 70_000, hash: Hash([8; 32]) });
        let body = EntryBody { device: phone.device, hlc: HLC, log, heads, schema: SCHEMA, changes };
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
    assert_eq!(entry.header().version, 1);
    describe_entry(&entry, &body, &epoch_key)
}

/// Nothing writes them any more: they are kept as they were written when version 0 was the newest.
pub fn make_entry_v0(_: &mut World) -> Vec<Value> {
    serde_json::from_str(include_str!("../../../vectors/entry_v0.json")).expect("JSON")
}

pub fn open_entry_v0(set: &Set, vector: &Value) -> Value {
    let entry = Entry::parse(&unhex(&vector["bytes"])).expect("an entry");
    let epoch_key = key(&vector["inputs"]["epoch_key"]);
    let author: DeviceId = id(&vector["inputs"]["device"]);
    let sig = set.device(author).sig.verify_key();
    let body = entry.open(&epoch_key, author, &sig).expect("sealed under the epoch's key, signed by its author");
    assert_eq!((entry.header().version, body.log), (0, None));
    describe_entry(&entry, &body, &epoch_key)
}

fn part_of(world: &mut World) -> CheckpointPart {
    let [contact, note] = [(); 2].map(|()| RecordId::make(&mut world.rng));
    let put = |slot, counter, value| StandingPut { slot, counter, hlc: HLC, value };
    let writer = |slot, counter, seen: &[(u16, u64)]| WriterState {
        slot,
        counter,
        hash: Hash([9; 32]),
        epoch: 4,
        seen: seen.iter().map(|&(slot, counter)| Seen { slot, counter }).collect(),
    };
    let text = |text: &str| FieldValue::Text(text.into());
    CheckpointPart {
        writers: vec![writer(0, 300, &[(1, 70_000), (5, 1)]), writer(1, 70_000, &[])],
        records: vec![
            RecordState {
                record: contact,
                kind: 2,
                fields: vec![
                    FieldState { field: 1, puts: vec![put(0, 1, text("Politie")), put(1, 70_000, text("Wijkagent"))] },
                    FieldState { field: 6, puts: vec![put(1, 3, FieldValue::Bool(true))] },
                ],
            },
            RecordState {
                record: note,
                kind: 900,
                fields: vec![FieldState { field: 7, puts: vec![put(0, 2, FieldValue::Newer(vec![0x81, 0x01]))] }],
            },
        ],
    }
}

fn describe_part(bytes: &[u8]) -> Value {
    let CheckpointPart { writers, records } = CheckpointPart::from_bytes(bytes).expect("a part of a checkpoint");
    let writers = writers.iter().map(|writer| {
        json!({
            "slot": writer.slot,
            "counter": writer.counter,
            "hash": writer.hash,
            "epoch": writer.epoch,
            "seen": writer.seen.iter().map(|seen| json!([seen.slot, seen.counter])).collect::<Vec<_>>(),
        })
    });
    let put = |put: &StandingPut| json!({ "slot": put.slot, "counter": put.counter, "hlc": put.hlc, "value": describe_value(&put.value) });
    let field = |field: &FieldState| json!([field.field, field.puts.iter().map(put).collect::<Vec<_>>()]);
    let records = records.iter().map(|record| {
        json!({
            "record": record.record,
            "kind": record.kind,
            "fields": record.fields.iter().map(field).collect::<Vec<_>>(),
        })
    });
    json!({ "writers": writers.collect::<Vec<_>>(), "records": records.collect::<Vec<_>>() })
}

pub fn make_checkpoint(world: &mut World) -> Vec<Value> {
    let empty = CheckpointPart { writers: Vec::new(), records: Vec::new() };
    [part_of(world), empty]
        .map(|part| json!({ "inputs": describe_part(&part.to_bytes()), "bytes": hex(&part.to_bytes()) }))
        .to_vec()
}

pub fn open_checkpoint(_: &Set, vector: &Value) -> Value {
    describe_part(&unhex(&vector["bytes"]))
}
