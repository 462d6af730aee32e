//! The parts that every format is built of: transcript, hash, derived key, commitment, seal, text, size classes.

use baken_schemas::crypto::{Hash, SymmetricKey, open as open_seal, seal, transcript};
use baken_schemas::entry::{class_size, size_class};
use baken_schemas::text;
use serde_json::{Value, json};

use super::{Set, hex, key, unhex};
use crate::world::World;

const LABEL: &str = "baken/example/v0";
const FIELDS: [&[u8]; 3] = [b"one", b"", b"three"];
const PREFIX: &str = "BAKEN-INVITE";

fn describe(key: &SymmetricKey, bound: &[u8], plaintext: &[u8]) -> Value {
    let classes: Vec<_> = [0, 252, 253, 316, 1000, 5000, 100_000]
        .into_iter()
        .map(|len| json!([len, size_class(len), class_size(size_class(len))]))
        .collect();
    json!({
        "label": LABEL,
        "fields": FIELDS.map(hex),
        "transcript": hex(&transcript(LABEL, &FIELDS)),
        "hash": Hash::of(LABEL, &FIELDS),
        "key": hex(key.as_bytes()),
        "derived": hex(key.derive(LABEL, &FIELDS).as_bytes()),
        "commitment": key.commitment(LABEL),
        "bound": hex(bound),
        "plaintext": hex(plaintext),
        "text_prefix": PREFIX,
        "text": text::encode(PREFIX, plaintext),
        "size_classes": classes,
    })
}

pub fn make(world: &mut World) -> Vec<Value> {
    let key = SymmetricKey::make(&mut world.rng);
    let bytes = seal(&key, LABEL, b"where it lies", b"what it says", &mut world.rng);
    vec![json!({ "inputs": describe(&key, b"where it lies", b"what it says"), "bytes": hex(&bytes) })]
}

pub fn open(_: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let (key, bound) = (key(&inputs["key"]), unhex(&inputs["bound"]));
    let plaintext = open_seal(&key, LABEL, &bound, &unhex(&vector["bytes"]), "a seal").expect("sealed with this key");
    let text = inputs["text"].as_str().expect("a text");
    assert_eq!(text::decode(PREFIX, text).as_deref(), Ok(&plaintext[..]));
    describe(&key, &bound, &plaintext)
}
