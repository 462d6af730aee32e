//! Fuzzes exports: their items, and files as they come, under a code that is right for none.
#![no_main]

use baken_schemas::export::{ExportCode, ExportItem, ExportOpener, HEAD_BYTES, SEALED_BYTES};
use baken_schemas_fuzz::one_form;
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

fuzz_target!(|data: &[u8]| {
    one_form::<ExportItem>(data);
    if let Ok(typed) = std::str::from_utf8(data)
        && let Ok(code) = ExportCode::from_text(typed)
    {
        assert!(ExportCode::from_text(&code.to_text()).is_ok());
    }
    let code = ExportCode::make(&mut ChaCha20Rng::seed_from_u64(1));
    let (head, rest) = data.split_at_checked(HEAD_BYTES).unwrap_or((data, &[]));
    if let Ok(mut opener) = ExportOpener::new(&code, head) {
        for chunk in rest.chunks(SEALED_BYTES) {
            assert!(opener.open_chunk(chunk, chunk.len() < SEALED_BYTES).is_err());
            assert!(matches!(opener.next_item(), Ok(None)));
        }
    }
});
