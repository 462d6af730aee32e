//! Checkpoints: what is written is read, and a part that breaks the rules is refused.

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::checkpoint::{CheckpointPart, FieldState, RecordState, Seen, StandingPut, WriterState};
use baken_schemas::crypto::Hash;
use baken_schemas::entry::MAX_WRITERS;
use baken_schemas::id::RecordId;
use baken_schemas::record::{MAX_VALUE_BYTES, Value};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,40}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        Just(Value::Empty),
        Just(Value::Newer(vec![0x82, 0x01, 0x61, 0x61])),
    ]
}

fn seen() -> impl Strategy<Value = Vec<Seen>> {
    prop::collection::btree_map(any::<u16>(), any::<u64>(), 0..5)
        .prop_map(|seen| seen.into_iter().map(|(slot, counter)| Seen { slot, counter }).collect())
}

fn writers() -> impl Strategy<Value = Vec<WriterState>> {
    let state = (1..=u64::MAX, any::<[u8; 32]>(), any::<u32>(), seen());
    prop::collection::btree_map(any::<u16>(), state, 0..5).prop_map(|writers| {
        let state = |(slot, (counter, hash, epoch, seen))| WriterState { slot, counter, hash: Hash(hash), epoch, seen };
        writers.into_iter().map(state).collect()
    })
}

fn fields() -> impl Strategy<Value = Vec<FieldState>> {
    let put = (any::<u16>(), 1..=u64::MAX, any::<u64>(), value()).prop_map(|(slot, counter, hlc, value)| StandingPut {
        slot,
        counter,
        hlc,
        value,
    });
    prop::collection::btree_map(any::<u16>(), prop::collection::vec(put, 1..4), 0..4)
        .prop_map(|fields| fields.into_iter().map(|(field, puts)| FieldState { field, puts }).collect())
}

fn part() -> impl Strategy<Value = CheckpointPart> {
    let records = prop::collection::hash_map((any::<[u8; 16]>(), any::<u16>()), fields(), 0..6).prop_map(|records| {
        let state = |((record, kind), fields)| RecordState { record: RecordId(record), kind, fields };
        records.into_iter().map(state).collect()
    });
    (writers(), records).prop_map(|(writers, records)| CheckpointPart { writers, records })
}

proptest! {
    #[test]
    fn what_was_written_is_read(part in part()) {
        prop_assert_eq!(CheckpointPart::from_bytes(&part.to_bytes()), Ok(part));
    }

    #[test]
    fn a_damaged_part_never_panics(
        part in part(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = part.to_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(part) = CheckpointPart::from_bytes(&bytes) {
            prop_assert_eq!(part.to_bytes(), bytes.clone());
        }
        let good = part.to_bytes();
        prop_assert!(CheckpointPart::from_bytes(&good[..cut.index(good.len())]).is_err());
        prop_assert!(CheckpointPart::from_bytes(&[&good[..], &[0]].concat()).is_err());
    }
}

fn put(counter: u64, value: Value) -> StandingPut {
    StandingPut { slot: 1, counter, hlc: 2, value }
}

fn record(id: u8, fields: Vec<FieldState>) -> RecordState {
    RecordState { record: RecordId([id; 16]), kind: 5, fields }
}

fn writer(slot: u16, counter: u64, seen: Vec<Seen>) -> WriterState {
    WriterState { slot, counter, hash: Hash([4; 32]), epoch: 1, seen }
}

#[test]
fn a_part_that_breaks_the_rules_is_refused() {
    let field = |field, puts| FieldState { field, puts };
    let read = |writers, records| CheckpointPart::from_bytes(&CheckpointPart { writers, records }.to_bytes());
    let one = || vec![put(1, Value::Empty)];
    let seen = |slot| Seen { slot, counter: 1 };
    assert!(read(vec![writer(1, 1, vec![seen(0)])], vec![record(1, vec![field(1, one())])]).is_ok());
    for (writers, records, why) in [
        (vec![writer(2, 1, vec![]), writer(1, 1, vec![])], vec![], "writers out of order"),
        (vec![writer(1, 1, vec![]), writer(1, 2, vec![])], vec![], "a writer twice"),
        (vec![writer(1, 0, vec![])], vec![], "a writer without an entry"),
        (vec![writer(1, 1, vec![seen(2), seen(0)])], vec![], "what it saw out of order"),
        (vec![writer(1, 1, vec![seen(2), seen(2)])], vec![], "what it saw twice"),
        (vec![], vec![record(1, vec![field(2, one()), field(1, one())])], "fields out of order"),
        (vec![], vec![record(1, vec![field(1, one()), field(1, one())])], "a field twice"),
        (vec![], vec![record(1, vec![field(1, vec![])])], "a field that nobody put"),
        (vec![], vec![record(1, vec![field(1, vec![put(0, Value::Empty)])])], "a put by no entry"),
        (vec![], vec![record(1, vec![]), record(2, vec![]), record(1, vec![])], "a record twice"),
    ] {
        assert!(matches!(read(writers, records), Err(FormatError::Rule { .. })), "{why}");
    }
}

#[test]
fn limits_hold() {
    let read = |part: CheckpointPart| CheckpointPart::from_bytes(&part.to_bytes()).map(|_| ());
    let of_writers = |count: u16| CheckpointPart {
        writers: (0..count).map(|slot| writer(slot, 1, Vec::new())).collect(),
        records: Vec::new(),
    };
    let all = u16::try_from(MAX_WRITERS).expect("fits");
    assert_eq!(read(of_writers(all)), Ok(()));
    assert!(matches!(read(of_writers(all + 1)), Err(FormatError::TooLarge { .. })));

    let of_puts = |puts: Vec<StandingPut>| CheckpointPart {
        writers: Vec::new(),
        records: vec![record(1, vec![FieldState { field: 1, puts }])],
    };
    assert_eq!(read(of_puts(vec![put(1, Value::Empty); 65_536])), Ok(()));
    assert!(matches!(read(of_puts(vec![put(1, Value::Empty); 65_537])), Err(FormatError::TooLarge { .. })));
    let longest = cbor::to_vec(&Value::Text("w".repeat(MAX_VALUE_BYTES - 5))).len();
    assert_eq!(longest, MAX_VALUE_BYTES - 5 + 3);
    assert_eq!(read(of_puts(vec![put(1, Value::Text("w".repeat(MAX_VALUE_BYTES - 5)))])), Ok(()));
    let too_long = put(1, Value::Text("w".repeat(MAX_VALUE_BYTES)));
    assert!(matches!(read(of_puts(vec![too_long])), Err(FormatError::Rule { .. })));
}

/// Lengths that are lies, and nesting, cost nothing.
#[test]
fn hostile_bytes_are_refused_quietly() {
    for head in [0x9b_u8, 0x5b, 0x7b] {
        for len in [u64::MAX, 1 << 40, 1 << 32] {
            let announced = [&[head][..], &len.to_be_bytes()].concat();
            for before in [&[][..], &[0x82], &[0x82, 0x80], &[0x82, 0x81], &[0x82, 0x80, 0x81, 0x83]] {
                assert!(CheckpointPart::from_bytes(&[before, &announced].concat()).is_err());
            }
        }
    }
    assert!(CheckpointPart::from_bytes(&vec![0x81; 1_000_000]).is_err());
    // A value of a newer version, as deep as an entry is long.
    let value = Value::Newer([vec![0x81; MAX_VALUE_BYTES - 1], vec![0x01]].concat());
    let deep = CheckpointPart {
        writers: Vec::new(),
        records: vec![record(1, vec![FieldState { field: 1, puts: vec![put(1, value)] }])],
    };
    assert_eq!(CheckpointPart::from_bytes(&deep.to_bytes()), Ok(deep));
}
