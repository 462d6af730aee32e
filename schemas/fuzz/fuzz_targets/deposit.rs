//! Fuzzes deposits: their timers, settlements, also by another device, a desk's wish to raise one, the relay's answers.
#![no_main]

use baken_schemas::alarm::{DepositReceipt, DepositTimers, Raise, Settlement};
use baken_schemas::api::{DepositsElsewhere, SettledElsewhere};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<DepositTimers>(data);
    document::<Settlement>(data);
    document::<Raise>(data);
    document::<DepositReceipt>(data);
    one_form::<DepositsElsewhere>(data);
    one_form::<SettledElsewhere>(data);
});
