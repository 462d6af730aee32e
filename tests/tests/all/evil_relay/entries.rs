//! Lies about entries: moved, held back, in another order, twice; and cursors, acknowledgements and generations that
//! the relay makes up.

use baken_core::sync::{FindingKind, QuarantineReason, StuckReason};
use baken_schemas::api::{EntriesStored, EntryBatch, Item};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::entry::{Entry, EntryHeader, EntryKind};
use http::Method;

use super::relay::{page_of, says, with_header};
use super::stage::{Stage, aside, assert_alike, found, names, records, titled};

/// The pages of the dossier's entries.
fn home_entries(stage: &Stage) -> String {
    format!("{}/entries?", stage.home())
}

/// A new entry of the phone's is handed to the tablet as `change` leaves it, and put aside for `reason`; the true one
/// is taken when it comes.
async fn put_aside(stage: &Stage, change: impl Fn(&[u8]) -> Vec<u8> + Send + 'static, reason: QuarantineReason) {
    let before = records(&stage.tablet);
    stage.phone_writes(&["Broer"]).await;
    stage.evil.pages(&home_entries(stage), move |page, _| {
        for item in &mut page.items {
            item.bytes = change(&item.bytes).into();
        }
    });
    let status = stage.lied_to().await;
    assert_eq!(records(&stage.tablet), before);
    assert_eq!(aside(&status), [reason]);
    stage.drains().await;
    assert_eq!(names(&stage.tablet), ["Broer", "Zus", "ten slotte", "van de tablet"]);
}

async fn does_not_open_with(stage: &Stage, change: impl Fn(&mut EntryHeader) + Send + Copy + 'static) {
    put_aside(stage, move |entry| with_header(entry, change), QuarantineReason::CannotOpen).await;
}

pub async fn entries_of_another_circle_are_none_of_this_one() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    let other = stage.entries_of(family).pop().unwrap();
    put_aside(&stage, move |_| other.clone(), QuarantineReason::Malformed).await;
}

pub async fn an_entry_moved_into_another_circle_does_not_open() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    let home = stage.home();
    // Of the family circle, with the dossier's id written over its own.
    let other = stage.entries_of(family).pop().unwrap();
    assert_eq!(Entry::parse(&other).unwrap().header().circle, family);
    let moved = with_header(&other, |header| {
        header.circle = home;
        (header.counter, header.prev) = (99, Hash([1; 32]));
    });
    put_aside(&stage, move |_| moved.clone(), QuarantineReason::CannotOpen).await;
}

pub async fn an_entry_moved_into_another_epoch_does_not_open() {
    let stage = Stage::set().await;
    does_not_open_with(&stage, |header| {
        assert!(header.epoch > 1);
        header.epoch = 1;
    })
    .await;
}

pub async fn an_entry_moved_to_another_writer_does_not_open() {
    let stage = Stage::set().await;
    does_not_open_with(&stage, |header| {
        header.slot = 1;
        header.counter += 50;
    })
    .await;
}

pub async fn an_entry_taken_for_a_checkpoint_does_not_open() {
    let stage = Stage::set().await;
    does_not_open_with(&stage, |header| header.kind = EntryKind::Checkpoint { part: 0, of: 1 }).await;
}

pub async fn a_log_record_among_the_entries_is_no_entry() {
    let stage = Stage::set().await;
    let record = stage.log_of(stage.home()).pop().unwrap();
    put_aside(&stage, move |_| record.clone(), QuarantineReason::Malformed).await;
}

pub async fn an_entry_held_back_is_missed_named_and_taken_when_it_comes() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een"]).await;
    let held_back = stage.entries_of(stage.home()).pop().unwrap();
    stage.phone_writes(&["twee", "drie"]).await;
    stage.evil.pages(&home_entries(&stage), move |page, _| page.items.retain(|item| **item.bytes != *held_back));
    let status = stage.lied_to().await;
    assert_eq!(names(&stage.tablet), ["Zus"], "what builds on it waits");
    assert_eq!(found(&status), [FindingKind::Withheld]);
    assert_eq!((status.stuck_because, status.waiting), (Some(StuckReason::MissingEntry), 2));
    stage.drains().await;
    assert!(stage.tablet.status().unwrap().trustworthy);
}

pub async fn entries_in_another_order_and_twice_make_the_same_state() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een", "twee", "drie", "vier"]).await;
    let all = stage.entries_of(stage.home());
    stage.evil.pages(&home_entries(&stage), move |page, _| {
        let Some(first) = page.items.first().map(|item| item.cursor) else { return };
        let end = page.items.last().map_or(first, |item| item.cursor);
        let mut bytes: Vec<_> = page.items.iter().map(|item| item.bytes.clone()).collect();
        bytes.reverse();
        bytes.extend(all.iter().cloned().map(Into::into));
        // Under cursors that rise, up to the true last one.
        let start = end + 1 - u64::try_from(bytes.len()).unwrap().min(end);
        page.items = (start..).zip(bytes).map(|(cursor, bytes)| Item { cursor: cursor + 1000, bytes }).collect();
    });
    let status = stage.lied_to().await;
    assert_alike(&stage.phone, &stage.tablet);
    assert_eq!((status.trustworthy, status.waiting, aside(&status)), (true, 0, Vec::new()));
    stage.drains().await;
}

pub async fn a_cursor_that_runs_backwards_is_a_contradiction() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een", "twee"]).await;
    stage.evil.pages(&home_entries(&stage), |page, _| {
        let mut cursors: Vec<u64> = page.items.iter().map(|item| item.cursor).collect();
        cursors.reverse();
        page.items.iter_mut().zip(cursors).for_each(|(item, cursor)| item.cursor = cursor);
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(names(&stage.tablet), ["Zus"], "nothing of the page was taken");
    stage.drains().await;
}

pub async fn an_old_page_again_is_a_contradiction() {
    let stage = Stage::set().await;
    let before = records(&stage.tablet);
    stage.phone_writes(&["een"]).await;
    let of = home_entries(&stage);
    stage.evil.lie(move |asked, answer, heard| {
        if asked.method != Method::GET || !asked.path.contains(&of) {
            return answer;
        }
        let old = heard.iter().filter(|heard| heard.asked.path.contains(&of)).map(|heard| &heard.answer);
        old.into_iter().find(|old| page_of(old).is_some_and(|page| !page.items.is_empty())).unwrap().clone()
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(records(&stage.tablet), before);
    stage.drains().await;
}

pub async fn a_cursor_that_the_relay_made_up_hides_nothing_for_good() {
    for far in [1_000_000, i64::MAX as u64, u64::MAX] {
        let stage = Stage::set().await;
        stage.phone_writes(&["een"]).await;
        stage.evil.pages(&home_entries(&stage), move |page, _| {
            if let Some(last) = page.items.last_mut() {
                last.cursor = far;
            }
        });
        stage.lied_to().await;
        assert_alike(&stage.phone, &stage.tablet);
        // The phone goes on, and the honest relay has nothing behind a cursor that it never gave.
        stage.drains().await;
    }
}

pub async fn a_generation_that_changes_with_every_answer_is_a_contradiction() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een"]).await;
    let mut generation = 100;
    stage.evil.pages("/circles/", move |page, _| {
        generation += 1;
        page.generation = generation;
    });
    let asked = stage.evil.heard().len();
    assert_eq!(stage.refused().await, "not_trustworthy");
    let asked = stage.evil.heard().len() - asked;
    assert!(asked < 100, "{asked} requests for nothing");
    let stuck = stage.tablet.status().unwrap().stuck_because;
    assert!(matches!(stuck, Some(StuckReason::Failed { code, .. }) if code == "not_trustworthy"));
    stage.drains().await;
}

pub async fn an_acknowledgement_of_what_was_never_made_is_the_relays_fault() {
    for lie in [
        EntriesStored { counter: 99, hash: Hash([7; 32]) },
        EntriesStored { counter: 1, hash: Hash([7; 32]) },
        EntriesStored { counter: u64::MAX, hash: Hash::ZERO },
    ] {
        let stage = Stage::set().await;
        stage.tablet.create("contact", super::stage::named("eigen")).unwrap();
        let body = cbor::to_vec(&lie);
        stage.evil.lie(move |asked, answer, _| {
            let is_write = asked.method == Method::POST && asked.path.contains("/entries");
            if is_write { says(body.clone()) } else { answer }
        });
        assert_eq!(stage.refused().await, "not_trustworthy");
        let status = stage.tablet.status().unwrap();
        assert_eq!(found(&status), [FindingKind::Invented]);
        assert_ne!(status.stuck_because, Some(StuckReason::CopiedFolder), "nobody need pair anew for a lie");
        stage.drains().await;
        assert!(names(&stage.phone).contains(&"eigen".to_owned()));
    }
}

pub async fn an_entry_acknowledged_and_thrown_away_is_sent_again() {
    let stage = Stage::set().await;
    stage.tablet.create("contact", super::stage::named("weggegooid")).unwrap();
    stage.evil.answer_instead(|asked, _| {
        if asked.method != Method::POST || !asked.path.contains("/entries") {
            return None;
        }
        let batch: EntryBatch = cbor::from_slice(&asked.body, "a batch").unwrap();
        let last = Entry::parse(batch.entries.last().unwrap()).unwrap();
        Some(says(cbor::to_vec(&EntriesStored { counter: last.header().counter, hash: last.hash() })))
    });
    stage.lied_to().await;
    stage.phone.sync(&stage.town.network).await.unwrap();
    assert_eq!(names(&stage.phone), ["Zus"]);
    // With the next edit it shows, and both come.
    stage.drains().await;
    assert!(names(&stage.phone).contains(&"weggegooid".to_owned()));
    assert_eq!(found(&stage.tablet.status().unwrap()), [FindingKind::RolledBack]);
}

pub async fn an_empty_page_that_promises_more_ends_the_reading() {
    let stage = Stage::set().await;
    stage.phone_writes(&["een"]).await;
    stage.evil.pages("/circles/", |page, _| {
        page.items.clear();
        page.more = true;
    });
    let asked = stage.evil.heard().len();
    let status = stage.lied_to().await;
    assert!(stage.evil.heard().len() - asked < 50);
    assert_eq!((names(&stage.tablet), status.waiting), (vec!["Zus".to_owned()], 0));
    stage.drains().await;
    let family = stage.family().await;
    stage.phone.create_in(family, "plan", titled("nog een")).unwrap();
}
