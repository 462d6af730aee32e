//! Fuzzes notes, and the body sealed in them.
#![no_main]

use baken_schemas::alarm::{Note, NoteBody};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Note>(data);
    one_form::<NoteBody>(data);
});
