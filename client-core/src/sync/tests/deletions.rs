//! What is deleted at once is held, and what was deleted long ago is erased: each by what the device itself has seen.

use baken_schemas::circle::{Member, MemberRole, Operation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::RecordId;
use baken_schemas::record::{DELETED, Value};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::phones::{Phone, phone as joined, phones, record, settle};
use super::{exchange, pair};
use crate::circle::{self, member_of};
use crate::record::RecordView;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
const CONTACT: u16 = 2;

fn delete(phone: &mut Phone, records: std::ops::Range<u8>, deleted: bool) {
    for byte in records {
        phone.put_value(record(byte), CONTACT, DELETED, Value::Bool(deleted));
    }
}

/// Two devices that have the same so many contacts and have caught up.
fn with_contacts(count: u8) -> (Phone, Phone, Vec<Vec<u8>>) {
    let (mut phone, mut tablet, mut list) = pair();
    for byte in 0..count {
        phone.put(record(byte), 1, "Zus");
    }
    exchange(&mut phone, &mut tablet, &mut list);
    phone.tidy();
    tablet.tidy();
    (phone, tablet, list)
}

fn count(phone: &Phone, is: impl Fn(&RecordView) -> bool) -> usize {
    phone.state().iter().filter(|view| is(view)).count()
}

fn is_held(view: &RecordView) -> bool {
    assert!(view.deletion_held.is_none() || !view.deleted, "what is held is shown");
    view.deletion_held.is_some()
}

fn pass_ms(phones: [&Phone; 2], ms: i64) {
    phones.iter().for_each(|phone| phone.pass_ms(ms));
}

#[test]
fn one_too_many_deleted_at_once_holds_all_of_them_for_a_day() {
    let (mut phone, mut tablet, mut list) = with_contacts(25);
    delete(&mut tablet, 0..20, true);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!([&phone, &tablet].map(|device| count(device, |view| view.deleted)), [20, 20]);
    delete(&mut tablet, 20..21, true);
    exchange(&mut phone, &mut tablet, &mut list);
    for device in [&phone, &tablet] {
        assert_eq!((count(device, is_held), count(device, |view| view.deleted)), (21, 0));
        let held = device.state()[3].deletion_held.clone().unwrap();
        assert_eq!(held.by, Some(tablet.keys.device));
    }
    pass_ms([&phone, &tablet], DAY_MS - 1000);
    assert_eq!(count(&phone, is_held), 21);
    pass_ms([&phone, &tablet], 2000);
    for device in [&phone, &tablet] {
        assert_eq!((count(device, is_held), count(device, |view| view.deleted)), (0, 21));
    }
    assert_eq!(phone.state(), tablet.state());
}

#[test]
fn a_clock_that_spreads_its_deletions_is_caught_by_when_they_came() {
    let (mut phone, mut tablet, mut list) = with_contacts(25);
    for byte in 0..25 {
        tablet.pass_ms(2 * HOUR_MS);
        delete(&mut tablet, byte..byte + 1, true);
    }
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(count(&phone, is_held), 25, "to this phone they came within an hour");
}

#[test]
fn what_a_new_device_reads_at_first_is_not_held_though_it_comes_at_once() {
    let mut three = phones(3);
    let mut list = Vec::new();
    for byte in 0..25 {
        three[0].put(record(byte), 1, "Zus");
        three[0].pass_ms(2 * HOUR_MS);
        delete(&mut three[0], byte..byte + 1, true);
    }
    three[0].send(&mut list);
    three[2].receive(&list, usize::MAX / 2);
    assert_eq!((count(&three[2], is_held), count(&three[2], |view| view.deleted)), (0, 25));
    // From then on, it does count what comes at once.
    three[2].tidy();
    for byte in 25..50 {
        three[0].put(record(byte), 1, "Broer");
        three[0].pass_ms(2 * HOUR_MS);
        delete(&mut three[0], byte..byte + 1, true);
    }
    three[0].send(&mut list);
    three[2].receive(&list, usize::MAX / 2);
    assert_eq!((count(&three[2], is_held), count(&three[2], |view| view.deleted)), (25, 25));
}

#[test]
fn another_owners_device_confirms_by_deleting_the_same_and_its_own_are_not_held() {
    let (mut phone, mut tablet, mut list) = with_contacts(30);
    delete(&mut tablet, 0..30, true);
    exchange(&mut phone, &mut tablet, &mut list);
    delete(&mut phone, 0..25, true);
    exchange(&mut phone, &mut tablet, &mut list);
    for device in [&phone, &tablet] {
        assert_eq!((count(device, |view| view.deleted), count(device, is_held)), (25, 5));
    }
    // A device that deletes its own once more confirms nothing.
    delete(&mut tablet, 25..30, true);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!([&phone, &tablet].map(|device| count(device, is_held)), [5, 5]);
}

#[test]
fn both_that_delete_the_same_without_seeing_each_other_confirm_each_other() {
    let (mut phone, mut tablet, mut list) = with_contacts(25);
    delete(&mut tablet, 0..25, true);
    delete(&mut phone, 0..25, true);
    assert_eq!(count(&phone, is_held), 25);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!([&phone, &tablet].map(|device| count(device, |view| view.deleted)), [25, 25]);
}

#[test]
fn a_guests_word_confirms_nothing() {
    let (mut phone, mut tablet, mut list) = with_contacts(25);
    let keys = DeviceKeys::make(&mut StdRng::seed_from_u64(77));
    let guest = Member { role: MemberRole::Member, ..member_of(&keys) };
    for operation in [Some(Operation::Add { member: guest }), None] {
        let made = match operation {
            Some(operation) => phone.circle.record(operation, &phone.keys),
            None => phone.context.with_rng(|rng| phone.circle.epoch_record(&phone.keys, rng)).unwrap(),
        };
        phone.learn(made.bytes());
        tablet.learn(made.bytes());
    }
    let log = circle::records_from(&phone.connection, phone.circle.row(), 0).unwrap();
    let mut guest = joined(&log, phone.circle.id(), keys, 78);
    delete(&mut tablet, 0..25, true);
    exchange(&mut phone, &mut tablet, &mut list);
    guest.receive(&list, usize::MAX / 2);
    delete(&mut guest, 0..25, true);
    guest.send(&mut list);
    phone.receive(&list, usize::MAX / 2);
    assert_eq!(count(&phone, is_held), 25);
}

#[test]
fn what_is_restored_is_held_no_more_and_one_that_follows_is_just_deleted() {
    let (mut phone, mut tablet, mut list) = with_contacts(25);
    delete(&mut tablet, 0..25, true);
    exchange(&mut phone, &mut tablet, &mut list);
    delete(&mut phone, 0..25, false);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert_eq!((count(&phone, is_held), count(&phone, |view| view.deleted)), (0, 0));
    delete(&mut tablet, 3..4, true);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!((count(&phone, is_held), count(&phone, |view| view.deleted)), (0, 1));
}

#[test]
fn what_baken_keeps_for_itself_is_neither_held_nor_erased() {
    let (mut phone, _, _) = with_contacts(0);
    for byte in 0..25 {
        phone.put_value(record(byte), 6, 1, Value::Text("Telefoon".to_owned()));
        phone.put_value(record(byte), 6, DELETED, Value::Bool(true));
    }
    assert_eq!((count(&phone, is_held), count(&phone, |view| view.deleted)), (0, 25));
    phone.pass_ms(31 * DAY_MS);
    phone.tidy();
    assert_eq!(count(&phone, |view| view.erased), 0);
}

/// How many values that were replaced the history has of all records.
fn replaced(phone: &Phone) -> i64 {
    phone.connection.query_row("SELECT count(*) FROM replaced", [], |row| row.get(0)).unwrap()
}

fn fill(phone: &mut Phone, id: RecordId) {
    phone.put(id, 1, "Zus");
    phone.put(id, 3, "06-1");
}

#[test]
fn a_record_is_erased_after_thirty_days_and_its_history_thirty_days_later() {
    let (mut phone, mut tablet, mut list) = with_contacts(0);
    fill(&mut phone, record(1));
    delete(&mut phone, 1..2, true);
    exchange(&mut phone, &mut tablet, &mut list);
    assert!(tablet.state()[0].deleted, "seen now");
    pass_ms([&phone, &tablet], 30 * DAY_MS - 1000);
    tablet.tidy();
    assert!(tablet.state()[0].deleted && !tablet.state()[0].erased);
    pass_ms([&phone, &tablet], 2000);
    tablet.tidy();
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(phone.state()[0].erased && phone.state()[0].deleted);
    assert_eq!([&phone, &tablet].map(replaced), [3, 3], "name, number, and the deletion");
    // Nothing is erased twice.
    phone.tidy();
    phone.send(&mut list);
    assert_eq!([&phone, &tablet].map(replaced), [3, 3]);
    pass_ms([&phone, &tablet], 29 * DAY_MS);
    phone.tidy();
    assert_eq!(replaced(&phone), 3);
    pass_ms([&phone, &tablet], 2 * DAY_MS);
    phone.tidy();
    assert_eq!(replaced(&phone), 0);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
}

#[test]
fn who_restores_without_a_connection_is_in_conflict_with_the_erasure_and_nothing_is_lost() {
    let (mut phone, mut tablet, mut list) = with_contacts(0);
    fill(&mut phone, record(1));
    delete(&mut phone, 1..2, true);
    exchange(&mut phone, &mut tablet, &mut list);
    pass_ms([&phone, &tablet], 31 * DAY_MS);
    delete(&mut tablet, 1..2, false);
    phone.tidy();
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    let view = &phone.state()[0];
    assert!(view.in_conflict && !view.deleted && !view.erased);
    assert_eq!(replaced(&tablet), 3);
    // Settled for restoring, it is a record like any other, and its history stays.
    delete(&mut tablet, 1..2, false);
    tablet.put(record(1), 1, "Zus");
    exchange(&mut phone, &mut tablet, &mut list);
    pass_ms([&phone, &tablet], 40 * DAY_MS);
    phone.tidy();
    assert_eq!(phone.texts(record(1), 1), ["Zus"]);
    assert!(replaced(&phone) >= 4);
}

#[test]
fn what_somebody_wrote_to_since_it_was_deleted_is_not_erased() {
    let (mut phone, mut tablet, mut list) = with_contacts(0);
    fill(&mut phone, record(1));
    exchange(&mut phone, &mut tablet, &mut list);
    delete(&mut phone, 1..2, true);
    tablet.pass_ms(60_000);
    tablet.put(record(1), 7, "belangrijk");
    exchange(&mut phone, &mut tablet, &mut list);
    pass_ms([&phone, &tablet], 31 * DAY_MS);
    phone.tidy();
    assert!(phone.state()[0].edited_since_deleted && !phone.state()[0].erased);
    // Deleted once more, knowing of it, it has its thirty days like any other.
    delete(&mut phone, 1..2, true);
    phone.pass_ms(29 * DAY_MS);
    phone.tidy();
    assert!(!phone.state()[0].erased);
    phone.pass_ms(2 * DAY_MS);
    phone.tidy();
    assert!(phone.state()[0].erased);
}

#[test]
fn an_erased_record_that_somebody_wrote_to_has_its_thirty_days_again() {
    let (mut phone, mut tablet, mut list) = with_contacts(0);
    fill(&mut phone, record(1));
    delete(&mut phone, 1..2, true);
    exchange(&mut phone, &mut tablet, &mut list);
    pass_ms([&phone, &tablet], 31 * DAY_MS);
    phone.tidy();
    assert!(phone.state()[0].erased);
    phone.put(record(1), 7, "toch nog");
    phone.pass_ms(29 * DAY_MS);
    phone.tidy();
    assert_eq!(phone.texts(record(1), 7), ["toch nog"]);
    phone.pass_ms(2 * DAY_MS);
    phone.tidy();
    assert!(phone.state()[0].erased);
}

#[test]
fn a_device_that_was_away_erases_by_its_own_count_and_both_agree() {
    let mut three = phones(3);
    let mut list = Vec::new();
    fill(&mut three[0], record(1));
    delete(&mut three[0], 1..2, true);
    settle(&mut three, &mut list);
    three.iter().for_each(|phone| phone.pass_ms(31 * DAY_MS));
    three[0].tidy();
    three[1].tidy();
    settle(&mut three, &mut list);
    settle(&mut three, &mut list);
    for device in &three {
        assert_eq!(device.state(), three[0].state());
        assert!(device.state()[0].erased && !device.state()[0].in_conflict);
    }
}

#[test]
fn one_sync_erases_so_many_and_the_next_goes_on() {
    let (mut phone, _, _) = with_contacts(100);
    delete(&mut phone, 0..100, true);
    phone.pass_ms(31 * DAY_MS);
    phone.tidy();
    assert_eq!(count(&phone, |view| view.erased), 64);
    phone.tidy();
    assert_eq!(count(&phone, |view| view.erased), 100);
}
