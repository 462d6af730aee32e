//! Sizes give nothing away: alarms of every kind, notes true or under duress, and classes of entries.

use baken_schemas::alarm::{
    Alarm, AlarmKind, Fix, FixAbsent, Note, NoteBody, NoteKind, Provenance, Update, UpdateBody,
};
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, class_size, next_header, pad_to, size_class, unpad};
use baken_schemas::id::NoteId;
use baken_schemas::time::Timestamp;
use proptest::prelude::*;

use crate::world::{World, alarm_body};

pub const KINDS: [AlarmKind; 9] = [
    AlarmKind::Panic,
    AlarmKind::Silent,
    AlarmKind::Medical,
    AlarmKind::Duress,
    AlarmKind::Button,
    AlarmKind::Missed,
    AlarmKind::Test,
    AlarmKind::Probe,
    AlarmKind::Trouble,
];

#[test]
fn alarms_of_every_kind_are_of_one_size() {
    let mut world = World::new(30);
    let mut sizes = std::collections::BTreeSet::new();
    for kind in KINDS {
        for words in [0, 1, 300, 1700] {
            let mut body = alarm_body(kind);
            body.text = "w".repeat(words);
            if words == 0 {
                body.fix = Fix::Absent(FixAbsent::NotYet);
                body.battery_percent = None;
                body.card_key = None;
                body.made_at = Timestamp(i64::MIN);
                body.provenance = Provenance::Button { button: "7".into(), transport: "SIA DC-09, plain".into() };
            }
            let header = world.alarm_header();
            let (alarm, _) =
                Alarm::seal(header, &body, world.directory.value(), &world.mayor_phone.alarm, &mut world.rng)
                    .expect("1,700 bytes of words fit");
            let (opened, _) = alarm
                .value()
                .open(world.desk_west.device, &world.desk_west.kem)
                .expect("opens at a responder")
                .expect("has a slot for it");
            assert!(opened == body);
            sizes.insert(alarm.bytes().len());
        }
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

/// Ladders with one or four responders give the same size too.
#[test]
fn the_number_of_responders_does_not_show() {
    let mut world = World::new(31);
    let mut directory = world.directory.value().clone();
    let mut sizes = std::collections::BTreeSet::new();
    for desks in 1..=4 {
        let keys: Vec<_> = (0..desks).map(|_| baken_schemas::device::DeviceKeys::make(&mut world.rng)).collect();
        directory.desks = keys.iter().map(|keys| crate::world::desk_entry("Meldkamer", keys)).collect();
        directory.ladders[0].rungs.truncate(1);
        directory.ladders[0].rungs[0].responders = keys.iter().map(|keys| keys.device).collect();
        let header = world.alarm_header();
        let body = alarm_body(AlarmKind::Panic);
        let (alarm, _) =
            Alarm::seal(header, &body, &directory, &world.mayor_phone.alarm, &mut world.rng).expect("fits");
        for keys in &keys {
            assert!(alarm.value().open(keys.device, &keys.kem).expect("opens").is_some());
        }
        assert!(alarm.value().slots.is_sorted_by_key(|slot| slot.responder), "order tells nothing of the ladder");
        sizes.insert(alarm.bytes().len());
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn notes_and_updates_are_of_one_size() {
    let mut world = World::new(32);
    let desk = world.desk(world.desk_east.device).clone();
    let phone = world.mayor_phone.device;
    let header = world.alarm_header();
    let mut sizes = std::collections::BTreeSet::new();
    for kind in [NoteKind::Unlocked, NoteKind::Settled, NoteKind::Withdrawn] {
        let longest = Some(vec![7; 160].into());
        for (duress, alarm, ms, freeze) in [(false, None, 0, None), (true, Some(header.alarm), i64::MAX, longest)] {
            let body = NoteBody { kind, duress, alarm, made_at: Timestamp(ms), freeze };
            let note = NoteId::make(&mut world.rng);
            let note = Note::seal(note, phone, &desk, &body, &world.mayor_phone.alarm, &mut world.rng).expect("fits");
            assert!(note.value().open(&world.desk_east.kem).expect("opens") == body);
            sizes.insert(note.bytes().len());
        }
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");

    let body = alarm_body(AlarmKind::Panic);
    let (_, content) =
        Alarm::seal(header, &body, world.directory.value(), &world.mayor_phone.alarm, &mut world.rng).expect("fits");
    let mut sizes = std::collections::BTreeSet::new();
    for (text, battery_percent) in [(String::new(), None), ("w".repeat(900), Some(100))] {
        let body = UpdateBody { fix: body.fix, battery_percent, text, made_at: Timestamp(1), attachment: None };
        let place = (header.alarm, phone, 1);
        let update = Update::seal(place, &body, &content, &world.mayor_phone.alarm, &mut world.rng).expect("fits");
        sizes.insert(update.bytes().len());
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");
}

#[test]
fn classes_rise_and_add_at_most_a_quarter() {
    assert_eq!([0, 1, 2, 3, 4, 5].map(class_size), [256, 320, 384, 448, 512, 640]);
    for class in 0..u8::MAX {
        assert!(class_size(class) <= class_size(class + 1));
    }
    assert_eq!(class_size(u8::MAX), usize::MAX);
    for len in (0..5000).chain((5000..2_000_000).step_by(997)) {
        let size = class_size(size_class(len));
        assert!(size >= len + 4);
        assert!(size == 256 || (len + 4) * 5 >= size * 4, "{len} bytes grow to {size}");
    }
}

#[test]
fn an_entry_too_large_is_refused_before_it_is_sealed() {
    let mut world = World::new(33);
    let circle = world.circle();
    let device = world.mayor_phone.device;
    for (len, fits) in [(0, true), (900_000, true), (1_048_576, false), (3_000_000, false)] {
        let (log, heads) = (circle.log(), Vec::new());
        let body = EntryBody { device, hlc: 0, log, heads, schema: SCHEMA, changes: vec![0; len] };
        let header = next_header(EntryKind::Changes, world.circle, 1, 0, None, &mut world.rng);
        let entry = Entry::seal(header, &body, &circle.epoch_key, &world.mayor_phone.sig, &mut world.rng);
        assert_eq!(entry.is_ok(), fits, "{len} bytes");
        if let Ok(entry) = entry {
            let parsed = Entry::parse(entry.bytes()).expect("what was sealed is read");
            let opened = parsed.open(&circle.epoch_key, device, &world.mayor_phone.sig.verify_key());
            assert_eq!(opened, Ok(body));
        }
    }
}

proptest! {
    #[test]
    fn padding_comes_off_as_it_went_on(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 0_usize..400) {
        match pad_to(&bytes, size, "it") {
            Ok(padded) => {
                prop_assert_eq!(padded.len(), size);
                prop_assert_eq!(unpad(&padded, "it"), Ok(&bytes[..]));
            }
            Err(_) => prop_assert!(bytes.len() + 4 > size),
        }
    }

    /// One plaintext has one padding.
    #[test]
    fn padding_of_another_form_is_refused(padded in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(bytes) = unpad(&padded, "it") {
            prop_assert_eq!(pad_to(bytes, padded.len(), "it"), Ok(padded.clone()));
        }
    }
}
