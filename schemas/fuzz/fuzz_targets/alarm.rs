//! Fuzzes alarms, their updates and the card, and the bodies sealed in them.
#![no_main]

use baken_schemas::alarm::{Alarm, AlarmBody, Card, CardBody, Update, UpdateBody};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Alarm>(data);
    one_form::<AlarmBody>(data);
    document::<Update>(data);
    one_form::<UpdateBody>(data);
    document::<Card>(data);
    one_form::<CardBody>(data);
});
