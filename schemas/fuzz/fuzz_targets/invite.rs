//! Fuzzes invites: as typed, with a right check at their end, and as the document in them.
#![no_main]

use baken_schemas::org::Invite;
use baken_schemas_fuzz::{document, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    texts("BAKEN-INVITE", data, |text| Invite::from_text(text).ok().map(|_| text.to_owned()));
    document::<Invite>(data);
});
