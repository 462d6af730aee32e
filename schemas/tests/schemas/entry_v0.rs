//! Entries of version 0, which nothing writes any more: they still open, beside the old golden vectors
//! (`vectors/entry_v0.json`). What is newer than this program is named so.

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, Signature, SigningKey, SymmetricKey, seal};
use baken_schemas::entry::{
    Entry, EntryBody, EntryHeader, EntryKind, WriterHead, class_size, next_header, pad_to, size_class,
};
use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{Change, FieldNumber, KindNumber, Value, decode_changes};
use minicbor::bytes::ByteVec;
use rand::CryptoRng;

use crate::world::World;

/// Column, records, clocks, values.
pub type ColumnV0 = (FieldNumber, Vec<u32>, Vec<Vec<u64>>, Vec<Value>);
/// A batch of changes of schema 0.
pub type BatchV0 = (Vec<(RecordId, KindNumber)>, Vec<ColumnV0>);

/// The body as version 0 had it.
struct BodyV0 {
    device: DeviceId,
    hlc: u64,
    heads: Vec<WriterHead>,
    schema: u16,
    changes: Vec<u8>,
}

/// Seals an entry in the old form, by hand.
fn sealed(
    mut header: EntryHeader,
    body: &BodyV0,
    epoch_key: &SymmetricKey,
    sig: &SigningKey,
    rng: &mut dyn CryptoRng,
) -> Vec<u8> {
    header.version = 0;
    let BodyV0 { device, hlc, heads, schema, changes } = body;
    let body = cbor::to_vec(&(device, hlc, heads, schema, ByteVec::from(changes.clone())));
    header.size_class = size_class(body.len() + 80);
    let header_bytes = cbor::to_vec(&header);
    let signature: Signature = sig.sign("baken/entry/v0", &[&header_bytes, &body]);
    let plaintext = cbor::to_vec(&(ByteVec::from(body), signature));
    let padded = pad_to(&plaintext, class_size(header.size_class), "it").expect("it fits");
    let place = [&header.circle.0[..], &header.epoch.to_be_bytes(), &header.entry.0];
    let key = epoch_key.derive("baken/entry-key/v0", &place);
    let sealed = seal(&key, "baken/entry/v0", &header_bytes, &padded, rng);
    cbor::to_vec(&(ByteVec::from(header_bytes), ByteVec::from(sealed)))
}

#[test]
fn an_entry_of_version_0_still_opens() {
    let mut world = World::new(95);
    let key = SymmetricKey::make(&mut world.rng);
    let (device, sig) = (world.mayor_phone.device, world.mayor_phone.sig.clone());
    let record = RecordId([1; 16]);
    let batch: BatchV0 = (vec![(record, 5)], vec![(2, vec![0], vec![vec![0, 1]], vec![Value::Text("brief".into())])]);
    let heads = vec![WriterHead { slot: 0, counter: 2, hash: Hash([2; 32]) }];
    let body = BodyV0 { device, hlc: 9, heads: heads.clone(), schema: 0, changes: cbor::to_vec(&batch) };
    let header = next_header(EntryKind::Changes, world.circle, 1, 0, Some((2, Hash([2; 32]))), &mut world.rng);
    let bytes = sealed(header, &body, &key, &sig, &mut world.rng);
    let entry = Entry::parse(&bytes).expect("well-formed");
    assert_eq!(entry.header().version, 0);
    let opened = entry.open(&key, device, &sig.verify_key());
    let changes = body.changes.clone();
    assert_eq!(opened, Ok(EntryBody { device, hlc: 9, log: None, heads, schema: 0, changes }));
    let change = Change { record, kind: 5, field: 2, value: Value::Text("brief".into()) };
    assert_eq!(decode_changes(0, &body.changes), Ok(vec![change]));
    assert!(entry.open(&key, device, &world.mayor_tablet.sig.verify_key()).is_err());

    // It had no checkpoints.
    let header = next_header(EntryKind::Checkpoint { part: 0, of: 1 }, world.circle, 1, 0, None, &mut world.rng);
    let bytes = sealed(header, &body, &key, &sig, &mut world.rng);
    assert!(matches!(Entry::parse(&bytes), Err(FormatError::Rule { .. })));
}

#[test]
fn an_entry_of_a_newer_version_is_named_so() {
    let mut world = World::new(96);
    let header = next_header(EntryKind::Changes, world.circle, 1, 0, None, &mut world.rng);
    for version in [2, 3, 23, 24, 255] {
        let newer = EntryHeader { version, ..header.clone() };
        let wire = cbor::to_vec(&(ByteVec::from(cbor::to_vec(&newer)), ByteVec::from(vec![0; 328])));
        assert_eq!(
            Entry::parse(&wire),
            Err(FormatError::WrongDocument { expected: "baken/entry/v0" }),
            "version {version}"
        );
    }
    // Whatever else a newer header has: only its version is looked at.
    let wire = cbor::to_vec(&(ByteVec::from(cbor::to_vec(&(2_u8, "more", 7_u32))), ByteVec::from(vec![0; 328])));
    assert!(matches!(Entry::parse(&wire), Err(FormatError::WrongDocument { .. })));
}
