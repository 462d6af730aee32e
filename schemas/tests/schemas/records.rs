//! Batches of changes: what is written is read, and batches of another form are refused. Those of schema 0, which had a
//! clock at every change, are read without.

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::entry::SCHEMA;
use baken_schemas::id::RecordId;
use baken_schemas::record::{
    Change, FieldNumber, KindNumber, MAX_CHANGES, MAX_VALUE_BYTES, Value, decode_changes, encode_changes, kind_named,
};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,40}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        Just(Value::Empty),
        Just(Value::Newer(vec![0x82, 0x01, 0x61, 0x61])),
        Just(Value::Newer(vec![0x3b, 255, 255, 255, 255, 255, 255, 255, 255])),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    (0_u8..6, 0_u16..4, 0_u16..5, value()).prop_map(|(record, kind, field, value)| Change {
        record: RecordId([record; 16]),
        kind,
        field,
        value,
    })
}

proptest! {
    /// Changes come back column by column; the order within a column, which is all that counts, is kept.
    #[test]
    fn what_was_written_is_read(changes in prop::collection::vec(change(), 0..40)) {
        let bytes = encode_changes(&changes).expect("a small batch");
        let mut expected = changes;
        expected.sort_by_key(|change| change.field);
        prop_assert_eq!(decode_changes(SCHEMA, &bytes), Ok(expected));
    }

    /// The same batch in schema 0 says the same, whatever its clocks were.
    #[test]
    fn a_batch_of_schema_0_is_read_without_its_clocks(
        changes in prop::collection::vec(change(), 0..40),
        clock in prop::collection::vec(any::<u64>(), 0..6),
    ) {
        let bytes = encode_changes(&changes).expect("a small batch");
        let (records, columns): Columns = cbor::from_slice(&bytes, "it").expect("a batch");
        let with_clocks: Vec<_> = columns
            .into_iter()
            .map(|(field, records, values)| (field, records, vec![clock.clone(); values.len()], values))
            .collect();
        let old = cbor::to_vec(&(records, with_clocks));
        prop_assert_eq!(decode_changes(0, &old), decode_changes(SCHEMA, &bytes));
        if !changes.is_empty() {
            prop_assert!(decode_changes(SCHEMA, &old).is_err() && decode_changes(0, &bytes).is_err());
        }
    }

    #[test]
    fn a_damaged_batch_never_panics(
        changes in prop::collection::vec(change(), 1..10),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encode_changes(&changes).expect("a small batch");
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(changes) = decode_changes(SCHEMA, &bytes) {
            prop_assert!(changes.len() <= MAX_CHANGES);
            // One batch has one form.
            prop_assert_eq!(encode_changes(&changes), Ok(bytes));
        }
    }
}

type WireColumn = (FieldNumber, Vec<u32>, Vec<Value>);
type Columns = (Vec<(RecordId, KindNumber)>, Vec<WireColumn>);

fn batch(columns: Vec<WireColumn>) -> Result<Vec<Change>, FormatError> {
    let records: Vec<(RecordId, KindNumber)> = vec![(RecordId([1; 16]), 5)];
    decode_changes(SCHEMA, &cbor::to_vec(&(records, columns)))
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    for column in [
        (1, vec![1], vec![Value::Empty]),
        (1, vec![u32::MAX], vec![Value::Empty]),
        (1, vec![0, 0], vec![Value::Empty]),
        (1, vec![0], vec![]),
        (1, vec![], vec![Value::Empty]),
        (1, vec![], vec![]),
    ] {
        assert!(matches!(batch(vec![column]), Err(FormatError::Malformed { .. })));
    }
}

/// The same changes in another order of columns or records, or with a record that no change is of.
#[test]
fn a_batch_has_one_form() {
    let column = |field: FieldNumber, record: u32| (field, vec![record], vec![Value::Empty]);
    let read = |records: Vec<(RecordId, KindNumber)>, columns: Vec<WireColumn>| {
        decode_changes(SCHEMA, &cbor::to_vec(&(records, columns))).map(|changes| changes.len())
    };
    let [a, b] = [(RecordId([1; 16]), 5), (RecordId([2; 16]), 5)];
    let malformed = Err(FormatError::Malformed { what: "a batch of changes" });
    assert_eq!(read(vec![a, b], vec![column(1, 0), column(2, 1)]), Ok(2));
    assert_eq!(read(vec![a, b], vec![column(2, 1), column(1, 0)]), malformed, "columns out of order");
    assert_eq!(read(vec![a, b], vec![column(1, 0), column(1, 1)]), malformed, "a column twice");
    assert_eq!(read(vec![b, a], vec![column(1, 0), column(2, 1)]), malformed, "records out of order");
    assert_eq!(read(vec![a, a], vec![column(1, 0), column(2, 1)]), malformed, "a record twice");
    assert_eq!(read(vec![a, b], vec![column(1, 0), column(2, 0)]), malformed, "a record unused");
}

#[test]
fn limits_hold_for_writer_and_reader() {
    let change = |value| Change { record: RecordId([1; 16]), kind: 5, field: 1, value };
    let full = vec![change(Value::Empty); MAX_CHANGES];
    assert_eq!(
        decode_changes(SCHEMA, &encode_changes(&full).expect("fits")).map(|changes| changes.len()),
        Ok(MAX_CHANGES)
    );
    let over = vec![change(Value::Empty); MAX_CHANGES + 1];
    assert!(matches!(encode_changes(&over), Err(FormatError::TooLarge { .. })));
    let column = (1, vec![0; MAX_CHANGES + 1], vec![Value::Empty; MAX_CHANGES + 1]);
    assert!(matches!(batch(vec![column]), Err(FormatError::TooLarge { .. })));

    let large = Value::Text("w".repeat(MAX_VALUE_BYTES + 1));
    assert!(matches!(encode_changes(&[change(large.clone())]), Err(FormatError::TooLarge { .. })));
    let column = (1, vec![0], vec![large]);
    assert!(matches!(batch(vec![column]), Err(FormatError::TooLarge { .. })));
}

/// Numbers are for ever: another one here is another kind on every phone there is.
#[test]
fn the_kinds_of_a_dossier_keep_their_numbers() {
    for (number, name, fields) in [
        (40, "home", 5),
        (41, "car", 5),
        (42, "housemate", 5),
        (43, "medical", 5),
        (44, "subscription", 11),
        (45, "training", 6),
        (46, "check-up", 3),
        (47, "lock", 1),
        (48, "appointment", 6),
        (49, "briefing", 5),
        (50, "aftercare", 6),
        (51, "follow-up", 5),
        (52, "evaluation", 6),
        (53, "link", 3),
        (54, "signal", 8),
        (3, "measure", 14),
        (4, "incident", 21),
        (9, "attachment", 9),
    ] {
        let kind = kind_named(name).expect("a kind");
        let numbers: Vec<FieldNumber> = kind.fields.iter().map(|field| field.number).collect();
        assert_eq!(kind.number, number, "{name}");
        assert!(numbers.starts_with(&(1..=fields).collect::<Vec<_>>()), "{name}: {numbers:?}");
    }
}
