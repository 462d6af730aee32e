//! Fuzzes alarms, and the body sealed in them.
#![no_main]

use baken_schemas::alarm::{Alarm, AlarmBody};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Alarm>(data);
    one_form::<AlarmBody>(data);
});
