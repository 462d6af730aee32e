//! Fuzzes entries: the clear part as it travels, and the body that is sealed inside.
#![no_main]

use baken_schemas::entry::{Entry, EntryBody, EntryHeader};
use baken_schemas_fuzz::one_form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::parse(data) {
        assert_eq!(entry.bytes(), data);
    }
    one_form::<EntryHeader>(data);
    one_form::<EntryBody>(data);
});
