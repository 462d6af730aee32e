//! Vectors of blobs: the last chunk of each, and the root over all. The chunks before it are full ones, of which only
//! the leaves are given. `reference` is what the record holds.

use baken_schemas::blob::{BlobRef, leaf, root, sealed_len};
use baken_schemas::crypto::Hash;
use serde_json::{Value, json};

use super::{Set, hex, id, key, unhex};
use crate::blobs::sealed;
use crate::world::World;

/// Sizes of files: empty, one chunk, and so many that the tree is lopsided.
const SIZES: [usize; 4] = [0, 300, 2 * 262_144 + 40, 6 * 262_144 + 1];
/// How much of a file some chunks hold, for the sizes that they are sealed to.
const LENGTHS: [usize; 8] = [0, 1, 252, 253, 100_000, 262_140, 262_141, 262_144];

fn describe(blob: &BlobRef, before: &[Hash], last: &[u8]) -> Value {
    let plaintext = blob.open_chunk(blob.chunks - 1, last).expect("the last chunk");
    let leaves: Vec<Hash> = before.iter().copied().chain([leaf(last)]).collect();
    assert_eq!(root(&leaves), Some(blob.root));
    json!({
        "blob": blob.blob,
        "key": hex(blob.key.as_bytes()),
        "size": blob.size,
        "chunks": blob.chunks,
        "leaves_before": before,
        "plaintext": hex(&plaintext),
        "leaf": leaf(last),
        "root": blob.root,
        "sealed_lengths": LENGTHS.map(|len| [len, sealed_len(len)]),
    })
}

pub fn make_blob(world: &mut World) -> Vec<Value> {
    SIZES
        .map(|size| {
            let (blob, chunks) = sealed(size, &mut world.rng);
            let (last, before) = chunks.split_last().expect("at least one chunk");
            let before: Vec<Hash> = before.iter().map(|chunk| leaf(chunk)).collect();
            json!({ "inputs": describe(&blob, &before, last), "bytes": hex(last), "reference": hex(&blob.to_bytes()) })
        })
        .to_vec()
}

pub fn open_blob(_set: &Set, vector: &Value) -> Value {
    let inputs = &vector["inputs"];
    let number = |name: &str| inputs[name].as_u64().expect("a number");
    let blob = BlobRef {
        blob: id(&inputs["blob"]),
        key: key(&inputs["key"]),
        chunks: u32::try_from(number("chunks")).expect("a small number"),
        size: number("size"),
        root: id(&inputs["root"]),
    };
    assert_eq!(BlobRef::from_bytes(&unhex(&vector["reference"])), Ok(blob.clone()));
    let before: Vec<Hash> = inputs["leaves_before"].as_array().expect("leaves").iter().map(id).collect();
    describe(&blob, &before, &unhex(&vector["bytes"]))
}
