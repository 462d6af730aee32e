//! Fuzzes the recovery code as typed, and the sheet beside it.
#![no_main]

use baken_schemas::recovery::{RecoveryCode, RecoverySheet};
use baken_schemas_fuzz::texts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(typed) = std::str::from_utf8(data)
        && let Ok(code) = RecoveryCode::from_text(typed)
    {
        assert!(RecoveryCode::from_text(&code.to_text()).is_ok());
    }
    texts("BAKEN-SHEET", data, |text| RecoverySheet::from_text(text).ok().map(|sheet| sheet.to_text()));
});
