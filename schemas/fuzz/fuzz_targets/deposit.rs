//! Fuzzes deposits: their timers, settlements, a desk's wish to raise one, the relay's answers.
#![no_main]

use baken_schemas::alarm::{DepositReceipt, DepositTimers, Raise, Settlement};
use baken_schemas_fuzz::document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<DepositTimers>(data);
    document::<Settlement>(data);
    document::<Raise>(data);
    document::<DepositReceipt>(data);
});
