//! Fuzzes what an organisation signs, and what desks and phones sign to it.
#![no_main]

use baken_schemas::org::{Directory, Dismissal, Enrolment, InviteRegistration, RosterLine, Silence};
use baken_schemas_fuzz::document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    document::<Directory>(data);
    document::<InviteRegistration>(data);
    document::<Dismissal>(data);
    document::<RosterLine>(data);
    document::<Enrolment>(data);
    document::<Silence>(data);
});
