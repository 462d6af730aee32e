//! What a relay or a device that lies gets: nothing applied, nothing lost, and somebody told.

use baken_schemas::crypto::Hash;
use baken_schemas::entry::{Entry, EntryBody, EntryKind, SCHEMA, WriterHead, next_header};
use baken_schemas::record::{Change, Value, encode_changes};
use proptest::prelude::*;
use rand::SeedableRng as _;

use super::phones::{Phone, phones, record};
use crate::sync::engine::SyncEvent;
use crate::sync::rows::{self, FindingKind, Place, QuarantineReason, WaitReason};

/// An entry as a device with these keys could sign it, honest or not.
fn forge(by: &Phone, previous: Option<(u64, Hash)>, heads: Vec<WriterHead>, schema: u16, changes: &[Change]) -> Entry {
    let mut rng = rand::rngs::StdRng::seed_from_u64(99);
    let (epoch, key) = by.circle.current_epoch().unwrap();
    let slot = by.circle.own_slot().unwrap();
    let header = next_header(EntryKind::Changes, by.circle.id(), epoch, slot, previous, &mut rng);
    let changes = encode_changes(changes).unwrap();
    let log = Some(by.circle.membership().head());
    let body = EntryBody { device: by.keys.device, hlc: 1 << 40, log, heads, schema, changes };
    Entry::seal(header, &body, key, &by.keys.sig, &mut rng).unwrap()
}

fn change(text: &str) -> Change {
    Change { record: record(1), kind: 2, field: 1, value: Value::Text(text.to_owned()) }
}

fn findings(phone: &Phone) -> Vec<FindingKind> {
    rows::findings(&phone.connection, &phone.circle).unwrap().into_iter().map(|finding| finding.kind).collect()
}

#[test]
fn an_entry_that_is_left_out_is_missed_and_the_later_ones_wait_for_it() {
    let mut three = phones(3);
    let mut list = Vec::new();
    three[0].put(record(1), 1, "a");
    three[0].send(&mut list);
    three[0].put(record(1), 1, "b");
    three[0].send(&mut list);
    three[1].receive(&list, 9);
    three[1].put(record(1), 1, "c");
    three[1].send(&mut list);

    let without_second = vec![list[0].clone(), list[2].clone()];
    let events = three[2].receive(&without_second, 9);
    assert_eq!(events[1], SyncEvent::Waits(WaitReason::Entry));
    assert_eq!(three[2].texts(record(1), 1), ["a"]);
    assert_eq!(three[2].engine().missing().unwrap(), [Place { slot: 0, counter: 2 }]);

    // When it comes after all, everything does.
    let late = three[2].engine().incoming(&[&list[1]], None).unwrap();
    assert_eq!(late.iter().filter(|event| matches!(event, SyncEvent::Applied { .. })).count(), 2);
    assert_eq!(three[2].texts(record(1), 1), ["c"]);
    assert!(three[2].engine().missing().unwrap().is_empty());
}

#[test]
fn entries_in_any_order_come_out_right() {
    let mut two = phones(2);
    let mut list = Vec::new();
    for text in ["a", "b", "c", "d"] {
        two[0].put(record(1), 1, text);
        two[0].send(&mut list);
    }
    list.reverse();
    two[1].receive(&list, 9);
    assert_eq!(two[1].texts(record(1), 1), ["d"]);
}

#[test]
fn two_entries_in_one_place_are_a_fork_and_the_first_one_stands() {
    let mut two = phones(2);
    let first = forge(&two[0], None, Vec::new(), SCHEMA, &[change("een")]);
    let second = forge(&two[0], None, Vec::new(), SCHEMA, &[change("twee")]);
    two[1].engine().incoming(&[first.bytes(), second.bytes()], None).unwrap();
    assert_eq!(two[1].texts(record(1), 1), ["een"]);
    assert_eq!(findings(&two[1]), [FindingKind::Fork]);
    assert_eq!(rows::quarantined(&two[1].connection, &two[1].circle).unwrap()[0].reason, QuarantineReason::Fork);
}

#[test]
fn a_chain_that_does_not_continue_is_a_fork() {
    let mut two = phones(2);
    let first = forge(&two[0], None, Vec::new(), SCHEMA, &[change("een")]);
    let stray = forge(&two[0], Some((1, Hash([9; 32]))), Vec::new(), SCHEMA, &[change("twee")]);
    two[1].engine().incoming(&[first.bytes(), stray.bytes()], None).unwrap();
    assert_eq!(findings(&two[1]), [FindingKind::Fork]);
    assert_eq!(two[1].texts(record(1), 1), ["een"]);
}

#[test]
fn a_copied_folder_finds_itself_out() {
    let mut two = phones(2);
    let from_the_copy = forge(&two[0], None, Vec::new(), SCHEMA, &[change("kopie")]);
    let events = two[0].engine().incoming(&[from_the_copy.bytes()], None).unwrap();
    assert!(events.contains(&SyncEvent::Found(FindingKind::OwnFork)));
    assert!(two[0].state().is_empty());
    // And so does a peer's word for an entry that this device does not know.
    let heads = vec![WriterHead { slot: 0, counter: 1, hash: from_the_copy.hash() }];
    let peer = forge(&two[1], None, heads, SCHEMA, &[change("x")]);
    two[0].engine().incoming(&[peer.bytes()], None).unwrap();
    assert!(two[0].state().is_empty());
    assert_eq!(rows::quarantined(&two[0].connection, &two[0].circle).unwrap().len(), 2);
}

#[test]
fn a_peer_that_saw_another_history_exposes_the_relay() {
    let mut three = phones(3);
    let shown_to_us = forge(&three[0], None, Vec::new(), SCHEMA, &[change("een")]);
    let shown_to_peer = forge(&three[0], None, Vec::new(), SCHEMA, &[change("twee")]);
    let heads = vec![WriterHead { slot: 0, counter: 1, hash: shown_to_peer.hash() }];
    let peer = forge(&three[1], None, heads, SCHEMA, &[change("drie")]);
    three[2].engine().incoming(&[shown_to_us.bytes(), peer.bytes()], None).unwrap();
    assert_eq!(findings(&three[2]), [FindingKind::Fork]);
    assert_eq!(
        rows::quarantined(&three[2].connection, &three[2].circle).unwrap()[0].reason,
        QuarantineReason::Contradicts
    );
    assert_eq!(three[2].texts(record(1), 1), ["een"]);
}

#[test]
fn an_author_that_takes_back_what_it_has_seen_is_against_the_rules() {
    let mut two = phones(2);
    let mut list = Vec::new();
    for text in ["a", "b"] {
        two[0].put(record(1), 1, text);
        two[0].send(&mut list);
    }
    let heads = |at: usize| {
        let seen = Entry::parse(&list[at]).unwrap();
        vec![WriterHead { slot: 0, counter: seen.header().counter, hash: seen.hash() }]
    };
    two[0].put(record(1), 2, "x");
    let first = forge(&two[1], None, heads(1), SCHEMA, &[change("c")]);
    let second = forge(&two[1], Some((1, first.hash())), heads(0), SCHEMA, &[change("d")]);
    two[0].engine().incoming(&[first.bytes(), second.bytes()], None).unwrap();
    assert_eq!(two[0].texts(record(1), 1), ["c"]);
    assert_eq!(rows::quarantined(&two[0].connection, &two[0].circle).unwrap()[0].reason, QuarantineReason::Rules);
}

#[test]
fn an_edit_covers_only_what_its_author_had_before_their_eyes() {
    // Written before the other's change came in, sent after it: still a conflict.
    let mut two = phones(2);
    let mut list = Vec::new();
    two[0].put(record(1), 1, "van de telefoon");
    two[0].send(&mut list);
    two[1].put(record(1), 1, "van de tablet");
    two[1].receive(&list, 9);
    two[1].send(&mut list);
    two[0].receive(&list, 9);
    assert_eq!(two[0].state(), two[1].state());
    assert_eq!(two[0].texts(record(1), 1), ["van de tablet", "van de telefoon"]);
}

#[test]
fn another_membership_log_than_ours_is_an_equivocation() {
    let mut two = phones(2);
    let mut rng = rand::rngs::StdRng::seed_from_u64(8);
    let (epoch, key) = two[0].circle.current_epoch().unwrap();
    let mut log = two[0].circle.membership().head();
    log.hash = Hash([7; 32]);
    let header = next_header(EntryKind::Changes, two[0].circle.id(), epoch, 0, None, &mut rng);
    let changes = encode_changes(&[change("x")]).unwrap();
    let body =
        EntryBody { device: two[0].keys.device, hlc: 1, log: Some(log), heads: Vec::new(), schema: SCHEMA, changes };
    let entry = Entry::seal(header, &body, key, &two[0].keys.sig, &mut rng).unwrap();
    two[1].engine().incoming(&[entry.bytes()], None).unwrap();
    assert_eq!(findings(&two[1]), [FindingKind::LogConflict]);
    assert!(two[1].state().is_empty());
}

#[test]
fn what_a_removed_device_writes_later_counts_for_nobody() {
    let mut three = phones(3);
    let mut list = Vec::new();
    three[2].put(record(1), 1, "voor het afscheid");
    three[2].send(&mut list);
    three[0].receive(&list, 9);
    let removal = three[0].remove(2);
    // It does not know yet, or does not care, and the relay plays along.
    three[2].put(record(1), 1, "na het afscheid");
    three[2].send(&mut list);
    for phone in &mut three[..2] {
        phone.learn(&removal);
        phone.receive(&list, 9);
        assert_eq!(phone.texts(record(1), 1), ["voor het afscheid"]);
    }
    assert_eq!(three[0].state(), three[1].state());
    let waits =
        |phone: &Phone| rows::count_waiting(&phone.connection, phone.circle.row(), Some(WaitReason::Removed)).unwrap();
    assert_eq!((waits(&three[0]), waits(&three[1])), (1, 1), "kept, not applied");
    // And what is written from now on it cannot open.
    three[0].put(record(1), 1, "onder ons");
    three[0].send(&mut list);
    let events = three[2].receive(&list, 9);
    assert!(events.contains(&SyncEvent::Waits(WaitReason::Membership)));
}

#[test]
fn what_one_had_taken_in_of_a_removed_device_all_take_in() {
    let mut three = phones(3);
    let mut list = Vec::new();
    three[2].put(record(1), 1, "net voor het afscheid");
    three[2].send(&mut list);
    three[1].receive(&list, 9);
    // The one who removes had not read that.
    let removal = three[0].remove(2);
    for phone in &mut three[..2] {
        phone.learn(&removal);
    }
    three[0].receive(&list, 9);
    assert!(three[0].state().is_empty(), "past the cut, it waits for somebody's word");
    three[1].send(&mut list);
    three[0].receive(&list, 9);
    assert_eq!(three[0].state(), three[1].state());
    assert_eq!(three[0].texts(record(1), 1), ["net voor het afscheid"]);
}

#[test]
fn nobody_starts_from_a_checkpoint_by_who_is_no_owner_any_more() {
    let mut three = phones(3);
    let mut list = Vec::new();
    three[1].put(record(1), 1, "a");
    three[1].send(&mut list);
    three[2].put(record(2), 1, "b");
    three[2].write_checkpoint();
    let mut sent = Vec::new();
    three[2].send(&mut sent);
    let removal = three[0].remove(2);
    three[0].learn(&removal);
    three[0].receive(&list, 9);
    let only_the_checkpoint: Vec<&[u8]> = sent[1..].iter().map(Vec::as_slice).collect();
    three[0].engine().incoming(&only_the_checkpoint, None).unwrap();
    assert_eq!(three[0].texts(record(1), 1), ["a"]);
    assert_eq!(three[0].state().len(), 1, "nothing of it is taken in");
    assert_eq!(rows::count_waiting(&three[0].connection, three[0].circle.row(), None).unwrap(), 1, "and it is kept");
}

#[test]
fn a_writer_that_goes_back_to_an_older_epoch_is_against_the_rules() {
    let mut three = phones(3);
    let mut rng = rand::rngs::StdRng::seed_from_u64(6);
    let (newest, key) = three[0].circle.current_epoch().map(|(number, key)| (number, key.clone())).unwrap();
    assert!(newest > 1);
    let mut sealed = |epoch: u32, key, previous, change: Change| {
        let header = next_header(EntryKind::Changes, three[0].circle.id(), epoch, 0, previous, &mut rng);
        let changes = encode_changes(&[change]).unwrap();
        let log = Some(three[0].circle.membership().head());
        let body = EntryBody { device: three[0].keys.device, hlc: 1, log, heads: Vec::new(), schema: SCHEMA, changes };
        Entry::seal(header, &body, key, &three[0].keys.sig, &mut rng).unwrap()
    };
    let first = sealed(newest, &key, None, change("een"));
    let old_key = three[0].circle.epoch_key(1).unwrap();
    let back = sealed(1, old_key, Some((1, first.hash())), change("twee"));
    three[1].engine().incoming(&[first.bytes(), back.bytes()], None).unwrap();
    assert_eq!(three[1].texts(record(1), 1), ["een"]);
    assert_eq!(rows::quarantined(&three[1].connection, &three[1].circle).unwrap()[0].reason, QuarantineReason::Rules);
}

#[test]
fn an_entry_of_a_newer_schema_waits_whole_and_is_told() {
    let mut two = phones(2);
    let newer = forge(&two[0], None, Vec::new(), SCHEMA + 1, &[]);
    let events = two[1].engine().incoming(&[newer.bytes()], None).unwrap();
    assert_eq!(events, [SyncEvent::Waits(WaitReason::NewerVersion)]);
    assert_eq!(
        rows::count_waiting(&two[1].connection, two[1].circle.row(), Some(WaitReason::NewerVersion)).unwrap(),
        1
    );
}

#[test]
fn a_stranger_waits_for_the_log_and_a_flood_changes_nothing() {
    let mut two = phones(2);
    let stranger = phones(3).pop().unwrap();
    let mut rng = rand::rngs::StdRng::seed_from_u64(5);
    let (_, key) = two[0].circle.current_epoch().unwrap();
    let header = next_header(EntryKind::Changes, two[0].circle.id(), 1, 7, None, &mut rng);
    let body = EntryBody {
        device: stranger.keys.device,
        hlc: 1,
        log: None,
        heads: Vec::new(),
        schema: SCHEMA,
        changes: encode_changes(&[]).unwrap(),
    };
    let entry = Entry::seal(header, &body, key, &stranger.keys.sig, &mut rng).unwrap();
    let events = two[1].engine().incoming(&[entry.bytes()], None).unwrap();
    assert_eq!(events, [SyncEvent::Waits(WaitReason::Membership)]);

    let junk: Vec<Vec<u8>> = (0..=rows::MAX_QUARANTINED).map(|number| number.to_be_bytes().to_vec()).collect();
    let junk: Vec<&[u8]> = junk.iter().map(Vec::as_slice).collect();
    assert_eq!(two[1].engine().incoming(&junk, Some(9)).unwrap_err().code(), "not_trustworthy");
    assert_eq!(rows::count_quarantined(&two[1].connection, two[1].circle.row()).unwrap(), 0);
}

#[test]
fn a_relay_that_forgets_or_swaps_the_last_entry_is_caught() {
    let mut two = phones(2);
    let mut list = Vec::new();
    for text in ["a", "b"] {
        two[0].put(record(1), 1, text);
        two[0].send(&mut list);
    }
    let first = Entry::parse(&list[0]).unwrap();
    assert_eq!(two[0].engine().stored(1, first.hash()).unwrap_err().code(), "not_trustworthy");
    assert_eq!(two[0].engine().stored(2, Hash([1; 32])).unwrap_err().code(), "not_trustworthy");
    let mut kinds = findings(&two[0]);
    kinds.sort_by_key(|kind| *kind == FindingKind::Invented);
    assert_eq!(kinds, [FindingKind::RolledBack, FindingKind::Invented]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// I5: an entry that was flipped, cut or spliced is never applied, always kept, and the true one still goes through.
    #[test]
    fn an_altered_entry_is_never_applied(
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        cut in any::<prop::sample::Index>(),
        how in 0..3u8,
    ) {
        let mut two = phones(2);
        let mut list = Vec::new();
        two[0].put(record(1), 1, "waar");
        two[0].send(&mut list);
        two[0].put(record(1), 1, "ook waar");
        two[0].send(&mut list);
        let mut altered = list[0].clone();
        match how {
            0 => {
                let at = at.index(altered.len());
                altered[at] ^= 1 << bit;
            }
            1 => altered.truncate(cut.index(altered.len())),
            _ => {
                let at = at.index(altered.len()).max(1);
                altered.truncate(at);
                altered.extend_from_slice(&list[1][at.min(list[1].len())..]);
            }
        }
        prop_assume!(altered != list[0] && altered != list[1]);
        two[1].engine().incoming(&[&altered], None).unwrap();
        prop_assert!(two[1].state().is_empty());
        let kept: i64 = two[1].connection
            .query_row("SELECT (SELECT count(*) FROM quarantine) + (SELECT count(*) FROM waiting)", [], |row| row.get(0))
            .unwrap();
        prop_assert_eq!(kept, 1);
        two[1].receive(&list, 9);
        prop_assert_eq!(two[1].texts(record(1), 1), vec!["ook waar"]);
    }
}
