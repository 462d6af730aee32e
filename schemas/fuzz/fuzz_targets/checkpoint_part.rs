//! Fuzzes parts of checkpoints.
#![no_main]

use baken_schemas::checkpoint::CheckpointPart;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(part) = CheckpointPart::from_bytes(data) {
        assert_eq!(part.to_bytes(), data);
    }
});
