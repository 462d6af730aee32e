//! Vectors of exports: one of nothing, and one with an item of every kind.

use baken_schemas::export::{ExportCode, ExportItem, HEAD_BYTES};
use baken_schemas::id::DeviceId;
use baken_schemas::record::Value;
use serde_json::{Value as Json, json};

use super::{Set, hex, unhex};
use crate::exports;
use crate::world::World;

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Bool(bool) => json!(bool),
        Value::Int(int) => json!(int),
        Value::Bytes(bytes) => json!({"bytes": hex(bytes)}),
        Value::Empty => Json::Null,
        Value::Newer(_) => panic!("no vector has one"),
    }
}

fn describe_item(item: &ExportItem) -> Json {
    match item {
        ExportItem::Head { made_at, device } => json!({"head": [made_at, device]}),
        ExportItem::Circle { circle, kind, name, home } => json!({"circle": [circle, *kind as u8, name, home]}),
        ExportItem::Device { device, name } => json!({"device": [device, name]}),
        ExportItem::Record { record, kind, deleted } => json!({"record": [record, kind, deleted]}),
        ExportItem::Put { field, value: put, by, at, stands } => {
            json!({"put": [field, value(put), by, at, stands]})
        }
        ExportItem::File { blob, size } => json!({"file": [blob, size]}),
        ExportItem::Bytes { bytes } => json!({"bytes": [hex(bytes)]}),
        ExportItem::NotHere { blob, size } => json!({"not_here": [blob, size]}),
        ExportItem::End { records, files } => json!({"end": [records, files]}),
    }
}

/// What a file says, as everything that was read of it gives it.
fn describe(code: &ExportCode, bytes: &[u8]) -> Json {
    let items = exports::open(code, bytes).expect("it opens");
    json!({
        "code": code.to_text(),
        "id": hex(&bytes[HEAD_BYTES - DeviceId::LEN..HEAD_BYTES]),
        "items": items.iter().map(describe_item).collect::<Vec<_>>(),
    })
}

pub fn make_export(world: &mut World) -> Vec<Json> {
    let everything = exports::everything(world);
    let nothing = vec![everything[0].clone(), ExportItem::End { records: 0, files: 0 }];
    [nothing, everything]
        .map(|items| {
            let code = ExportCode::make(&mut world.rng);
            let bytes = exports::seal(&code, &items, &mut world.rng).expect("in order");
            json!({ "inputs": describe(&code, &bytes), "bytes": hex(&bytes) })
        })
        .to_vec()
}

pub fn open_export(_set: &Set, vector: &Json) -> Json {
    let code = vector["inputs"]["code"].as_str().expect("a code");
    describe(&ExportCode::from_text(code).expect("a code"), &unhex(&vector["bytes"]))
}
