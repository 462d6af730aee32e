//! Fuzzes records of a membership log: from the wire, and signed by a member, so that the rules are reached.
#![no_main]

use baken_schemas::circle::LogRecord;
use baken_schemas_fuzz::document;
use baken_schemas_fuzz::story::Story;
use libfuzzer_sys::fuzz_target;

thread_local!(static STORY: Story = Story::new());

fuzz_target!(|data: &[u8]| {
    document::<LogRecord>(data);
    STORY.with(|story| story.play(data));
});
