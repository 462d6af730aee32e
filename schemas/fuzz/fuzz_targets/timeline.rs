//! Fuzzes timelines: as a file, and with the fuzzer's update and receipt in one whose alarm is right, so that what belongs
//! to it is reached.
#![no_main]

use std::sync::LazyLock;

use baken_schemas::alarm::{Alarm, AlarmKind, Timeline};
use baken_schemas::org::OrgId;
use baken_schemas_fuzz::world::{World, alarm_body};
use libfuzzer_sys::fuzz_target;

static RIGHT: LazyLock<(OrgId, Timeline)> = LazyLock::new(|| {
    let mut world = World::new(1);
    let header = world.alarm_header();
    let (directory, phone) = (world.directory.clone(), world.mayor_phone.clone());
    let sealed = Alarm::seal(header, &alarm_body(AlarmKind::Panic), directory.value(), &phone.alarm, &mut world.rng);
    let (alarm, content) = sealed.expect("the directory has its ladder");
    let sender = phone.alarm.verify_key();
    (world.org(), Timeline::new(directory.bytes(), sender, alarm.bytes(), Some(&content)))
});

fuzz_target!(|data: &[u8]| {
    if let Ok(timeline) = Timeline::parse(data) {
        assert_eq!(timeline.to_bytes(), data);
        let _ = timeline.prove(None);
    }
    let (org, timeline) = &*RIGHT;
    let mut timeline = timeline.clone();
    let (update, receipt) = data.split_at(data.len() / 2);
    timeline.updates.push(update.to_vec().into());
    timeline.receipts.push(receipt.to_vec().into());
    let proven = timeline.prove(Some(*org)).expect("the alarm itself is right");
    assert!(proven.faults.len() >= 2, "neither is signed by anybody in it");
});
