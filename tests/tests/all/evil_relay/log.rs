//! Lies about who is in a circle.

use std::sync::{Arc, Mutex};

use baken_core::pairing::PairInto;
use baken_core::sync::{FindingKind, QuarantineReason, StuckReason};
use baken_schemas::api::{Item, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{Epoch, LogRecord, Member, MemberRole, MemberState, Membership, Operation};
use baken_schemas::crypto::SigningKey;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::CircleId;
use baken_schemas::signed::{Signed, Unverified};
use http::Method;

use super::relay::{Evil, page_of, says};
use super::stage::{Stage, aside, assert_alike, device, found, names, records, titled};
use crate::town::PIN;

/// The log of a circle, checked from its first record.
fn membership(stage: &Stage, circle: CircleId) -> Membership {
    let log = stage.log_of(circle);
    let mut membership = Membership::start(circle, &log[0]).unwrap();
    log[1..].iter().for_each(|record| drop(membership.apply(record).unwrap()));
    membership
}

/// The tablet is handed this as the next record of the dossier's log, and refuses.
async fn next_record_is_refused(stage: &Stage, record: Vec<u8>) {
    let before = records(&stage.tablet);
    let members = stage.tablet.devices().unwrap();
    let seq = membership(stage, stage.home()).head().seq + 1;
    stage.evil.pages(&format!("{}/log", stage.home()), move |page, _| {
        page.items.push(Item { cursor: seq, bytes: record.clone().into() });
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    let status = stage.tablet.status().unwrap();
    assert_eq!(found(&status), [FindingKind::LogConflict]);
    assert!(!status.trustworthy);
    assert!(matches!(status.stuck_because, Some(StuckReason::Failed { code, .. }) if code == "not_trustworthy"));
    assert_eq!(stage.tablet.devices().unwrap(), members, "nobody came in or went");
    assert_eq!(records(&stage.tablet), before);
    stage.drains().await;
}

fn stranger(keys: &DeviceKeys) -> Member {
    Member { device: keys.device, sig: keys.sig.verify_key(), kem: keys.kem.public(), role: MemberRole::Owner }
}

pub async fn a_device_that_the_relay_adds_to_the_log_is_in_no_circle() {
    let mut stage = Stage::set().await;
    let spy = DeviceKeys::make(&mut stage.town.rng);
    // In the phone's name, by the relay's key; it has no other.
    let log = membership(&stage, stage.home());
    let record = log.next(device(&stage.phone), Operation::Add { member: stranger(&spy) }, &stage.town.relay_keys.sig);
    next_record_is_refused(&stage, record.bytes().to_vec()).await;
}

pub async fn a_record_of_another_circle_is_no_record_of_this_one() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    stage.partner(family).await;
    let record = stage.log_of(family).pop().unwrap();
    next_record_is_refused(&stage, record).await;
}

/// A log with a record changed and signed by a key of the relay's.
fn altered(log: &[u8], change: impl FnOnce(&mut LogRecord), key: &SigningKey) -> Vec<u8> {
    let mut record = Unverified::<LogRecord>::parse(log).unwrap().claims().clone();
    change(&mut record);
    Signed::make(record, key).bytes().to_vec()
}

pub async fn a_new_device_refuses_a_log_in_which_a_key_was_swapped() {
    let mut stage = Stage::set().await;
    let spy = DeviceKeys::make(&mut stage.town.rng);
    let family = stage.family().await;
    let partner = stage.town.phone("partner");
    let mut start = partner.pair_start(&stage.evil, PIN, "partner").await.unwrap();
    let mut accept = stage.phone.pair_accept(&stage.town.network, &start.code_text()).await.unwrap();
    let digits = partner.pair_digits(&mut start, &stage.evil).await.unwrap();
    let into = PairInto::Circle { circle: family, role: MemberRole::Member };
    stage.phone.pair_confirm(&mut accept, &stage.town.network, &digits, PIN, into).await.unwrap();
    let (kem, sig) = (spy.kem.public(), spy.sig.clone());
    stage.evil.pages(&format!("{family}/log"), move |page, _| {
        for item in &mut page.items {
            let swap = |record: &mut LogRecord| {
                if let Operation::Add { member } = &mut record.operation {
                    member.kem = kem.clone();
                }
            };
            let changed = altered(&item.bytes, swap, &sig);
            let record = Unverified::<LogRecord>::parse(&item.bytes).unwrap();
            if matches!(record.claims().operation, Operation::Add { .. }) {
                item.bytes = changed.into();
            }
        }
    });
    assert_eq!(partner.pair_join(&start, &stage.evil).await.unwrap_err().code(), "not_trustworthy");
    assert!(!partner.is_activated());
    stage.evil.stop();
    partner.pair_join(&start, &stage.evil).await.unwrap();
    partner.sync(&stage.evil).await.unwrap();
    assert_eq!(partner.records(Some("plan")).unwrap().len(), 1);
}

/// A relay that keeps one phone's log records for that phone alone.
fn keeps_a_log_apart(evil: &Evil, circle: CircleId) {
    let kept: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let path = format!("{circle}/log");
    let (writes, of) = (Arc::clone(&kept), path.clone());
    evil.answer_instead(move |asked, _| {
        let is_write = asked.method == Method::POST && asked.path.contains(&of);
        is_write.then(|| {
            writes.lock().unwrap().push(asked.body.clone());
            says(Vec::new())
        })
    });
    evil.lie(move |asked, answer, _| {
        if asked.method != Method::GET || !asked.path.contains(&path) {
            return answer;
        }
        let Some(mut page) = page_of(&answer) else { return answer };
        let after: i64 = asked.path.split_once("after=").map_or(-1, |(_, after)| after.parse().unwrap());
        for bytes in &*kept.lock().unwrap() {
            let seq = Unverified::<LogRecord>::parse(bytes).unwrap().claims().seq;
            page.items.retain(|item| item.cursor != seq);
            if i64::try_from(seq).unwrap() > after {
                page.items.push(Item { cursor: seq, bytes: bytes.clone().into() });
            }
        }
        says(cbor::to_vec(&page))
    });
}

pub async fn two_phones_that_are_shown_two_logs_find_out_by_each_others_entries() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    let partner = stage.partner(family).await;
    keeps_a_log_apart(&stage.evil, family);
    // Each makes the partner a viewer, in another record of the same number.
    stage.tablet.set_role(&stage.evil, family, device(&partner), MemberRole::Viewer).await.unwrap();
    stage.phone.set_role(&stage.town.network, family, device(&partner), MemberRole::Viewer).await.unwrap();
    let number = |phone: &baken_core::Baken| {
        phone.circles().unwrap().into_iter().find(|view| view.circle == family).unwrap().safety_number
    };
    assert_ne!(number(&stage.tablet), number(&stage.phone), "people who compare see it at once");
    stage.tablet.create_in(family, "plan", titled("van de tablet")).unwrap();
    stage.phone.create_in(family, "plan", titled("van de telefoon")).unwrap();
    stage.tablet.sync(&stage.evil).await.unwrap();
    stage.phone.sync(&stage.town.network).await.unwrap();
    stage.tablet.sync(&stage.evil).await.unwrap();
    for (phone, plans) in [(&stage.tablet, 2), (&stage.phone, 2)] {
        let status = phone.status().unwrap();
        assert_eq!(found(&status), [FindingKind::LogConflict]);
        assert_eq!(aside(&status), [QuarantineReason::Contradicts]);
        assert_eq!(phone.records(Some("plan")).unwrap().len(), plans, "its own, and what both had");
    }
    // The dossier, about which it did not lie, goes on.
    stage.phone_writes(&["Broer"]).await;
    stage.tablet.sync(&stage.evil).await.unwrap();
    assert_eq!(names(&stage.tablet), ["Broer", "Zus"]);
}

pub async fn a_log_record_that_is_held_back_is_missed_when_a_peer_names_it() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    stage.evil.pages(&format!("{family}/log"), |page, _| page.items.clear());
    let into = PairInto::Circle { circle: family, role: MemberRole::Member };
    let (partner, _) = stage.town.pair(&stage.phone, "partner", into).await;
    stage.phone.create_in(family, "plan", titled("met de partner")).unwrap();
    stage.phone.sync(&stage.town.network).await.unwrap();
    let status = stage.lied_to().await;
    assert_eq!(found(&status), [FindingKind::LogWithheld]);
    assert_eq!(status.stuck_because, Some(StuckReason::MissingLogRecord));
    assert_eq!(stage.tablet.records(Some("plan")).unwrap().len(), 1, "what is under a key it was not given waits");
    stage.drains().await;
    let status = stage.tablet.status().unwrap();
    assert!(status.trustworthy, "it has come after all");
    assert_eq!(stage.tablet.records(Some("plan")).unwrap().len(), 2);
    partner.sync(&stage.town.network).await.unwrap();
    assert_eq!(partner.records(Some("plan")).unwrap().len(), 2);
}

pub async fn a_new_device_refuses_a_log_that_ends_before_its_grant() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    let partner = stage.town.phone("partner");
    let mut start = partner.pair_start(&stage.evil, PIN, "partner").await.unwrap();
    let mut accept = stage.phone.pair_accept(&stage.town.network, &start.code_text()).await.unwrap();
    let digits = partner.pair_digits(&mut start, &stage.evil).await.unwrap();
    let into = PairInto::Circle { circle: family, role: MemberRole::Member };
    stage.phone.pair_confirm(&mut accept, &stage.town.network, &digits, PIN, into).await.unwrap();
    let length = stage.log_of(family).len();
    for left in 0..length {
        stage.evil.pages(&format!("{family}/log"), move |page, _| page.items.truncate(left));
        let refused = partner.pair_join(&start, &stage.evil).await.unwrap_err();
        assert_eq!(refused.code(), "not_trustworthy", "{left} of {length}");
        assert!(!partner.is_activated());
    }
    stage.evil.stop();
    partner.pair_join(&start, &stage.evil).await.unwrap();
}

pub async fn a_removal_that_the_relay_takes_and_forgets_is_not_told_as_done() {
    let stage = Stage::set().await;
    stage.evil.answer_instead(|asked, _| {
        let is_write = asked.method == Method::POST && asked.path.contains("/log");
        is_write.then(|| says(Vec::new()))
    });
    let lost = device(&stage.phone);
    let told = stage.tablet.remove_device(&stage.evil, stage.home(), lost, PIN).await;
    assert_eq!(told.unwrap_err().code(), "not_trustworthy");
    let state = |phone: &baken_core::Baken| {
        phone.devices().unwrap().into_iter().find(|view| view.device == lost).unwrap().state
    };
    assert_eq!(state(&stage.tablet), MemberState::Active, "it is not shown as gone either");
    stage.evil.stop();
    stage.tablet.remove_device(&stage.evil, stage.home(), lost, PIN).await.unwrap();
    assert!(matches!(state(&stage.tablet), MemberState::Leaving { .. }));
}

pub async fn a_log_that_comes_twice_is_a_conflict_and_changes_nothing() {
    let stage = Stage::set().await;
    let before = stage.tablet.devices().unwrap();
    let log = stage.log_of(stage.home());
    stage.evil.pages(&format!("{}/log", stage.home()), move |page, _| {
        *page = Page {
            items: (0_u64..).zip(&log).map(|(cursor, bytes)| Item { cursor, bytes: bytes.clone().into() }).collect(),
            ..page.clone()
        };
    });
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(found(&stage.tablet.status().unwrap()), [FindingKind::LogConflict]);
    assert_eq!(stage.tablet.devices().unwrap(), before);
    stage.drains().await;
    assert_alike(&stage.phone, &stage.tablet);
}

/// The record of the newest epoch, and that epoch.
fn newest_epoch(log: &[Vec<u8>]) -> (Vec<u8>, Epoch) {
    let mut epochs = log.iter().filter_map(|bytes| {
        match Unverified::<LogRecord>::parse(bytes).unwrap().claims().operation.clone() {
            Operation::Epoch { epoch } => Some((bytes.clone(), epoch)),
            _ => None,
        }
    });
    epochs.next_back().unwrap()
}

pub async fn an_epoch_whose_wraps_were_swapped_between_devices_is_refused() {
    let stage = Stage::set().await;
    let family = stage.family().await;
    stage.partner(family).await;
    // A device that comes in now is handed a log whose last epoch has the wraps of two devices exchanged.
    let (record, epoch) = newest_epoch(&stage.log_of(family));
    assert!(epoch.wraps.len() >= 3);
    let mut envelope = record.clone();
    let at = |wrap: usize| {
        let bytes = cbor::to_vec(&epoch.wraps[wrap].wrapped);
        (record.windows(bytes.len()).position(|window| window == bytes).unwrap(), bytes)
    };
    let ((first, one), (second, other)) = (at(0), at(1));
    assert_eq!(one.len(), other.len());
    envelope[first..first + other.len()].copy_from_slice(&other);
    envelope[second..second + one.len()].copy_from_slice(&one);
    assert_ne!(envelope, record);
    let guest = stage.town.phone("oma");
    let mut start = guest.pair_start(&stage.evil, PIN, "oma").await.unwrap();
    let mut accept = stage.phone.pair_accept(&stage.town.network, &start.code_text()).await.unwrap();
    let digits = guest.pair_digits(&mut start, &stage.evil).await.unwrap();
    let into = PairInto::Circle { circle: family, role: MemberRole::Viewer };
    stage.phone.pair_confirm(&mut accept, &stage.town.network, &digits, PIN, into).await.unwrap();
    stage.evil.pages(&format!("{family}/log"), move |page, _| {
        for item in page.items.iter_mut().filter(|item| **item.bytes == *record) {
            item.bytes = envelope.clone().into();
        }
    });
    assert_eq!(guest.pair_join(&start, &stage.evil).await.unwrap_err().code(), "not_trustworthy");
    assert!(!guest.is_activated());
    stage.evil.stop();
    guest.pair_join(&start, &stage.evil).await.unwrap();
    guest.sync(&stage.evil).await.unwrap();
    assert_eq!(guest.records(Some("plan")).unwrap().len(), 1);
}

pub async fn an_epoch_record_that_comes_again_starts_no_epoch() {
    let stage = Stage::set().await;
    let (record, _) = newest_epoch(&stage.log_of(stage.home()));
    next_record_is_refused(&stage, record).await;
}
