//! Batches of changes: what is written is read, and clocks that break the rules are refused.

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::id::RecordId;
use baken_schemas::record::{
    Change, FieldNumber, KindNumber, MAX_CHANGES, MAX_VALUE_BYTES, Tick, Value, decode_changes, encode_changes,
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

fn clock() -> impl Strategy<Value = Vec<Tick>> {
    prop::collection::btree_map(any::<u16>(), 1..=u64::MAX, 1..6)
        .prop_map(|clock| clock.into_iter().map(|(slot, count)| Tick { slot, count }).collect())
}

fn change() -> impl Strategy<Value = Change> {
    (0_u8..6, 0_u16..4, 0_u16..5, clock(), value()).prop_map(|(record, kind, field, clock, value)| Change {
        record: RecordId([record; 16]),
        kind,
        field,
        clock,
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
        prop_assert_eq!(decode_changes(&bytes), Ok(expected));
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
        if let Ok(changes) = decode_changes(&bytes) {
            prop_assert!(changes.len() <= MAX_CHANGES);
            // One batch has one form.
            prop_assert_eq!(encode_changes(&changes), Ok(bytes));
        }
    }
}

type WireColumn = (FieldNumber, Vec<u32>, Vec<Vec<u64>>, Vec<Value>);

fn batch(columns: Vec<WireColumn>) -> Result<Vec<Change>, FormatError> {
    let records: Vec<(RecordId, KindNumber)> = vec![(RecordId([1; 16]), 5)];
    decode_changes(&cbor::to_vec(&(records, columns)))
}

#[test]
fn clocks_that_break_the_rules_are_refused() {
    let with = |clock: Vec<u64>| batch(vec![(1, vec![0], vec![clock], vec![Value::Empty])]);
    assert_eq!(with(vec![0, 1, 3, 9]).map(|changes| changes.len()), Ok(1));
    for (clock, why) in [
        (vec![], "nobody"),
        (vec![0], "a slot without a count"),
        (vec![0, 0], "a count of zero"),
        (vec![0, 1, 0, 2], "a writer twice"),
        (vec![3, 1, 0, 2], "out of order"),
        (vec![65_536, 1], "a slot past all writers"),
        ((0..2050).map(|at| if at % 2 == 0 { at / 2 } else { 1 }).collect(), "more writers than there can be"),
    ] {
        assert!(matches!(with(clock), Err(FormatError::Rule { .. })), "{why}");
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    for column in [
        (1, vec![1], vec![vec![0, 1]], vec![Value::Empty]),
        (1, vec![u32::MAX], vec![vec![0, 1]], vec![Value::Empty]),
        (1, vec![0, 0], vec![vec![0, 1]], vec![Value::Empty]),
        (1, vec![0], vec![], vec![Value::Empty]),
        (1, vec![], vec![vec![0, 1]], vec![]),
        (1, vec![], vec![], vec![]),
    ] {
        assert!(matches!(batch(vec![column]), Err(FormatError::Malformed { .. })));
    }
}

/// The same changes in another order of columns or records, or with a record that no change is of.
#[test]
fn a_batch_has_one_form() {
    let column = |field: FieldNumber, record: u32| (field, vec![record], vec![vec![0_u64, 1]], vec![Value::Empty]);
    let read = |records: Vec<(RecordId, KindNumber)>, columns: Vec<WireColumn>| {
        decode_changes(&cbor::to_vec(&(records, columns))).map(|changes| changes.len())
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
    let change =
        |value| Change { record: RecordId([1; 16]), kind: 5, field: 1, clock: vec![Tick { slot: 0, count: 1 }], value };
    let full = vec![change(Value::Empty); MAX_CHANGES];
    assert_eq!(decode_changes(&encode_changes(&full).expect("fits")).map(|changes| changes.len()), Ok(MAX_CHANGES));
    let over = vec![change(Value::Empty); MAX_CHANGES + 1];
    assert!(matches!(encode_changes(&over), Err(FormatError::TooLarge { .. })));
    let column = (1, vec![0; MAX_CHANGES + 1], vec![vec![0, 1]; MAX_CHANGES + 1], vec![Value::Empty; MAX_CHANGES + 1]);
    assert!(matches!(batch(vec![column]), Err(FormatError::TooLarge { .. })));

    let large = Value::Text("w".repeat(MAX_VALUE_BYTES + 1));
    assert!(matches!(encode_changes(&[change(large.clone())]), Err(FormatError::TooLarge { .. })));
    let column = (1, vec![0], vec![vec![0, 1]], vec![large]);
    assert!(matches!(batch(vec![column]), Err(FormatError::TooLarge { .. })));
}
