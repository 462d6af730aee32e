//! Fuzzes sealed roots and claims, and what is sealed in a root.
#![no_main]

use baken_schemas::recovery::{RecoveryClaim, RecoveryContent, SealedRoot};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<SealedRoot>(data);
    document::<RecoveryClaim>(data);
    one_form::<RecoveryContent>(data);
});
