//! Fuzzes receipts, and the detail sealed in them.
#![no_main]

use baken_schemas::alarm::{Receipt, ReceiptDetail};
use baken_schemas_fuzz::{document, one_form};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Receipt>(data);
    one_form::<ReceiptDetail>(data);
});
