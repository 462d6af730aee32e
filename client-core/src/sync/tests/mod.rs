//! Convergence (I3), each test named after what it settles, and what a bad entry gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod deletions;
mod hostile;
pub(crate) mod phones;

use baken_schemas::record::{DELETED, Value};
use proptest::prelude::*;

use phones::{Phone, phones, record, settle};

use crate::BakenError;
use crate::sync::rows;
use crate::sync::seal::Author;

fn pair() -> (Phone, Phone, Vec<Vec<u8>>) {
    let mut both = phones(2);
    let tablet = both.pop().unwrap();
    (both.pop().unwrap(), tablet, Vec::new())
}

fn exchange(phone: &mut Phone, tablet: &mut Phone, list: &mut Vec<Vec<u8>>) {
    phone.send(list);
    tablet.send(list);
    phone.receive(list, usize::MAX / 2);
    tablet.receive(list, usize::MAX / 2);
}

#[test]
fn two_phones_change_different_fields_of_one_contact() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "Zus");
    exchange(&mut phone, &mut tablet, &mut list);
    phone.put(record(1), 3, "06-11111111");
    tablet.put(record(1), 2, "zus");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(!phone.state()[0].in_conflict);
    assert_eq!(phone.state()[0].fields.len(), 3);
}

#[test]
fn two_phones_change_one_number_and_both_stay_until_somebody_chooses() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 3, "06-1");
    exchange(&mut phone, &mut tablet, &mut list);
    phone.put(record(1), 3, "06-2");
    tablet.put(record(1), 3, "06-3");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(phone.state()[0].in_conflict);
    assert_eq!(tablet.texts(record(1), 3), ["06-2", "06-3"]);

    tablet.put(record(1), 3, "06-2");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(!phone.state()[0].in_conflict);
    assert_eq!(phone.texts(record(1), 3), ["06-2"]);
}

#[test]
fn both_choose_at_once_and_differently_which_is_a_conflict_again() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 3, "06-2");
    tablet.put(record(1), 3, "06-3");
    exchange(&mut phone, &mut tablet, &mut list);
    phone.put(record(1), 3, "06-2");
    tablet.put(record(1), 3, "06-3");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert_eq!(phone.texts(record(1), 3), ["06-2", "06-3"]);
}

#[test]
fn the_same_words_on_both_phones_are_no_conflict() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "Zus");
    tablet.put(record(1), 1, "Zus");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(!phone.state()[0].in_conflict);
}

#[test]
fn one_deletes_while_the_other_restores() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "Zus");
    phone.put_value(record(1), 2, DELETED, Value::Bool(true));
    exchange(&mut phone, &mut tablet, &mut list);
    assert!(tablet.state()[0].deleted);
    phone.put_value(record(1), 2, DELETED, Value::Bool(true));
    tablet.put_value(record(1), 2, DELETED, Value::Bool(false));
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(!phone.state()[0].deleted, "while they differ, it shows");
    assert!(phone.state()[0].in_conflict);
}

#[test]
fn one_deletes_while_the_other_goes_on_writing_and_that_shows() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "Zus");
    exchange(&mut phone, &mut tablet, &mut list);
    phone.put_value(record(1), 2, DELETED, Value::Bool(true));
    tablet.pass_ms(60_000);
    tablet.put(record(1), 7, "belangrijk");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
    assert!(phone.state()[0].deleted && phone.state()[0].edited_since_deleted);
}

#[test]
fn both_delete_in_the_same_moment_and_show_alike_what_came_after() {
    // Found by the random schedules: which of two equal deletions counts went by order of arrival.
    let (mut phone, mut tablet, mut list) = pair();
    phone.put_value(record(1), 2, DELETED, Value::Bool(true));
    tablet.put_value(record(1), 2, DELETED, Value::Bool(true));
    tablet.pass_ms(60_000);
    tablet.put(record(1), 1, "nog iets");
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.state(), tablet.state());
}

#[test]
fn a_kind_a_field_and_a_value_of_a_newer_version_are_kept_shown_and_passed_on() {
    let mut three = phones(3);
    let mut list = Vec::new();
    three[0].put_value(record(1), 900, 7, Value::Text("later".to_owned()));
    three[0].put_value(record(2), 2, 99, Value::Newer(vec![0x82, 0x01, 0x02]));
    settle(&mut three, &mut list);
    for phone in &three {
        assert_eq!(phone.state(), three[0].state());
        assert!(phone.state().iter().all(|view| view.newer));
        assert_eq!(phone.state()[0].kind_name, None);
        assert_eq!(phone.state()[1].fields[0].values[0].value, Value::Newer(vec![0x82, 0x01, 0x02]));
    }
}

#[test]
fn a_thousand_edits_are_one_entry_and_one_transaction() {
    let (mut phone, mut tablet, mut list) = pair();
    let edits = |from: u16| (from..from + 10).map(|field| (field + 1, Value::Text("x".repeat(40)))).collect::<Vec<_>>();
    for byte in 0..100 {
        let author = Author { circle: &phone.circle, keys: &phone.keys, context: &phone.context };
        crate::record::edit_all(&mut phone.connection, author, record(byte), 2, edits(0)).unwrap();
    }
    phone.send(&mut list);
    assert_eq!(list.len(), 1);
    tablet.receive(&list, 1);
    assert_eq!(phone.state(), tablet.state());
    assert_eq!(tablet.state().len(), 100);
}

/// 2 is `FULL`: a commit is on the disk when it returns.
fn waits_for_the_disk(phone: &Phone) -> bool {
    phone.connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).unwrap() == 2
}

#[test]
fn nothing_of_ones_own_is_sealed_while_the_disk_is_not_waited_for() {
    let (mut phone, mut tablet, mut list) = pair();
    tablet.put(record(2), 1, "van de tablet");
    tablet.send(&mut list);
    phone.put(record(1), 1, "nog niet verzegeld");
    let (slot, entry) = (phone.circle.own_slot().unwrap(), list[0].clone());
    let before = phone
        .engine()
        .without_waiting_for_the_disk(|sync| {
            let before = rows::head(sync.connection, sync.circle.row(), slot)?;
            sync.incoming(&[&entry], Some(1))?;
            Ok(before.map(|head| head.counter))
        })
        .unwrap();
    let after = rows::head(&phone.connection, phone.circle.row(), slot).unwrap().map(|head| head.counter);
    assert!(before.is_some(), "it was sealed before");
    assert_eq!(before, after);
}

#[test]
fn the_disk_is_waited_for_again_whatever_happened() {
    let (mut phone, _, _) = pair();
    assert!(waits_for_the_disk(&phone));
    phone.engine().without_waiting_for_the_disk(|_| Ok(())).unwrap();
    assert!(waits_for_the_disk(&phone));
    let failed = phone.engine().without_waiting_for_the_disk(|sync| {
        sync.connection.execute_batch("BEGIN")?;
        Err::<(), _>(BakenError::Locked)
    });
    assert!(matches!(failed, Err(BakenError::Locked)));
    assert!(waits_for_the_disk(&phone));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        phone.engine().without_waiting_for_the_disk(|_| -> Result<(), BakenError> { panic!("on purpose") })
    }));
    assert!(panicked.is_err());
    assert!(waits_for_the_disk(&phone));
}

#[test]
fn edits_hours_apart_keep_their_own_times() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "in de ochtend");
    phone.pass_ms(6 * 60 * 60 * 1000);
    phone.put(record(1), 7, "in de middag");
    phone.send(&mut list);
    tablet.receive(&list, 9);
    assert_eq!(phone.state(), tablet.state());
    let fields = &tablet.state()[0].fields;
    assert_eq!(fields[1].values[0].at.since_ms(fields[0].values[0].at), 6 * 60 * 60 * 1000 + 10);
}

#[test]
fn a_clock_ten_years_ahead_does_not_date_the_others() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.pass_ms(10 * 365 * 86_400_000);
    phone.put(record(1), 1, "a");
    exchange(&mut phone, &mut tablet, &mut list);
    tablet.put(record(1), 1, "b");
    let before = tablet.state()[0].fields[0].values[0].at;
    assert!(tablet.context.now().since_ms(before).abs() < 1000);
    exchange(&mut phone, &mut tablet, &mut list);
    assert_eq!(phone.texts(record(1), 1), ["b"]);
    assert_eq!(phone.state(), tablet.state());
}

#[test]
fn own_entries_that_come_back_are_recognised() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "a");
    exchange(&mut phone, &mut tablet, &mut list);
    let before = phone.state();
    phone.cursor = 0;
    assert_eq!(phone.receive(&list, 9), [super::SyncEvent::Known]);
    assert_eq!(phone.state(), before);
}

#[test]
fn a_new_device_reads_from_the_checkpoint_alone() {
    let mut three = phones(3);
    let mut list = Vec::new();
    for byte in 0..40 {
        three[0].put(record(byte), 1, "a");
        three[1].put(record(byte), 2, "b");
    }
    three[0].put(record(1), 3, "06-1");
    three[1].put(record(1), 3, "06-2");
    settle(&mut three[..2], &mut list);
    let dropped = list.len();
    three[0].write_checkpoint();
    three[0].send(&mut list);
    three[1].receive(&list, 9);
    three[1].put(record(1), 7, "daarna");
    three[1].send(&mut list);
    three[0].receive(&list, 9);

    let rest = list[dropped..].to_vec();
    three[2].receive(&rest, 99);
    assert_eq!(three[2].state(), three[0].state());
    assert_eq!(three[2].state(), three[1].state());
    assert!(three[2].state()[1].in_conflict, "a conflict stays one");
    // It goes on like any other.
    three[2].put(record(2), 1, "van de nieuwe");
    three[2].send(&mut list);
    three[0].receive(&list, 99);
    assert_eq!(three[2].state(), three[0].state());
}

#[test]
fn a_device_that_was_away_starts_from_the_checkpoint_and_keeps_what_it_had_not_sent() {
    let (mut phone, mut tablet, mut list) = pair();
    phone.put(record(1), 1, "Zus");
    phone.put(record(2), 1, "Broer");
    exchange(&mut phone, &mut tablet, &mut list);
    // The tablet is away from here on, and writes.
    tablet.put(record(1), 1, "Zusje");
    tablet.put(record(3), 1, "Oom");
    for text in ["a", "b", "c"] {
        phone.put(record(2), 1, text);
        phone.send(&mut list);
    }
    phone.write_checkpoint();
    let dropped = list.len();
    phone.send(&mut list);
    // The relay has dropped what lies before; the tablet's cursor is from long ago.
    let mut rest = list[dropped..].to_vec();
    tablet.cursor = 0;
    tablet.receive(&rest, 99);
    assert_eq!(tablet.texts(record(2), 1), ["c"]);
    assert_eq!(tablet.texts(record(1), 1), ["Zusje"]);
    tablet.send(&mut rest);
    phone.cursor = 0;
    phone.receive(&rest, 99);
    assert_eq!(phone.state(), tablet.state());
    assert_eq!(phone.texts(record(3), 1), ["Oom"]);
}

#[derive(Debug, Clone)]
enum Step {
    Put {
        phone: usize,
        record: u8,
        field: u16,
        text: u8,
    },
    Delete {
        phone: usize,
        record: u8,
        deleted: bool,
    },
    /// A month goes by on one phone: what was deleted is erased, what was erased forgotten.
    Month {
        phone: usize,
    },
    Send {
        phone: usize,
    },
    Receive {
        phone: usize,
        count: usize,
    },
    /// A checkpoint, with which the relay drops all that came before and everybody has.
    Checkpoint {
        phone: usize,
    },
    /// Phone 0 takes the last one out, who goes on writing for a while.
    Remove,
    /// The program ends and starts again.
    Restart {
        phone: usize,
    },
}

fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..count, 0..3u8, 1..4u16, any::<u8>())
            .prop_map(|(phone, record, field, text)| Step::Put { phone, record, field, text }),
        2 => (0..count, 0..3u8, any::<bool>())
            .prop_map(|(phone, record, deleted)| Step::Delete { phone, record, deleted }),
        1 => (0..count).prop_map(|phone| Step::Month { phone }),
        4 => (0..count).prop_map(|phone| Step::Send { phone }),
        4 => (0..count, 0..5usize).prop_map(|(phone, count)| Step::Receive { phone, count }),
        1 => (0..count).prop_map(|phone| Step::Checkpoint { phone }),
        1 => Just(Step::Remove),
        1 => (0..count).prop_map(|phone| Step::Restart { phone }),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a schedule ends with: those who are in, at rest.
fn run(count: usize, steps: Vec<Step>) -> Vec<Phone> {
    let mut phones = phones(count);
    let mut list = Vec::new();
    let mut removal: Option<Vec<u8>> = None;
    for step in steps {
        match step {
            Step::Put { phone, record: byte, field, text } => {
                let phone = phone % count;
                phones[phone].put(record(byte), field, &format!("{phone}-{text}"));
            }
            Step::Delete { phone, record: byte, deleted } => {
                phones[phone % count].put_value(record(byte), 2, DELETED, Value::Bool(deleted));
            }
            Step::Month { phone } => {
                let phone = &mut phones[phone % count];
                phone.pass_ms(31 * 24 * 60 * 60 * 1000);
                phone.tidy();
            }
            Step::Send { phone } => phones[phone % count].send(&mut list),
            Step::Receive { phone, count: items } => {
                phones[phone % count].receive(&list, items);
            }
            Step::Checkpoint { phone } => phones[phone % count].write_checkpoint(),
            Step::Remove if removal.is_none() && count > 2 => {
                let record = phones[0].remove(u16::try_from(count - 1).unwrap());
                phones[0].learn(&record);
                removal = Some(record);
            }
            Step::Remove => {}
            Step::Restart { phone } => phones[phone % count].restart(),
        }
    }
    if let Some(removal) = removal {
        // The others learn of it at different moments, with entries between.
        phones[1].receive(&list, 2);
        for phone in &mut phones[1..count - 1] {
            phone.learn(&removal);
        }
        phones.truncate(count - 1);
    }
    settle(&mut phones, &mut list);
    // A word that others wait for is given when it is asked for, and taken in at the next turn.
    settle(&mut phones, &mut list);
    phones
}

/// Ten thousand take longer than a test may: `BAKEN_SCHEDULES=10000 cargo test -p baken-core all_devices_end_alike`.
fn schedules() -> u32 {
    std::env::var("BAKEN_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    /// I3: whatever two to five devices do, and in whatever order it travels, those who are in end alike, and nothing
    /// waits but what a removed one wrote too late.
    #[test]
    fn all_devices_end_alike(count in 2..6usize, all in steps(5)) {
        let phones = run(count, all);
        for phone in &phones {
            prop_assert_eq!(phone.state(), phones[0].state());
            let waiting: i64 = phone.connection
                .query_row("SELECT count(*) FROM waiting WHERE reason <> 3 AND slot < ?1", [phones.len() as i64], |row| row.get(0))
                .unwrap();
            let aside: i64 =
                phone.connection.query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0)).unwrap();
            prop_assert_eq!((waiting, aside), (0, 0));
        }
    }
}
