//! Fuzzes orders to lock, wipe or freeze a device.
#![no_main]

use baken_schemas::order::Order;
use baken_schemas_fuzz::document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Order>(data);
});
