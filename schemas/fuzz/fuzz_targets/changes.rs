//! Fuzzes batches of changes, of every schema.
#![no_main]

use baken_schemas::entry::SCHEMA;
use baken_schemas::record::{decode_changes, encode_changes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = decode_changes(0, data);
    if let Ok(changes) = decode_changes(SCHEMA, data) {
        assert_eq!(encode_changes(&changes).as_deref(), Ok(data));
    }
});
