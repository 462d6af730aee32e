//! Fuzzes the text of a pairing's QR code: as scanned, and with a right check at its end.
#![no_main]

use baken_schemas::pairing::PairingCode;
use baken_schemas_fuzz::texts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    texts("BAKEN-PAIR", data, |text| PairingCode::from_text(text).ok().map(|code| code.to_text()));
});
