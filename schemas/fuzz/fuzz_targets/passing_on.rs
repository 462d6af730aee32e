//! Fuzzes how an alarm is passed on: to another desk with its key, to the next rung without.
#![no_main]

use baken_schemas::alarm::{Escalation, HandingOn};
use baken_schemas_fuzz::document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<HandingOn>(data);
    document::<Escalation>(data);
});
