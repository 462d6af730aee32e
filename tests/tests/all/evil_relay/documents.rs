//! Lies about documents that others signed: the directory, receipts, the account's root.

use baken_core::alarm::{AlarmState, Call, Warning};
use baken_core::pairing::PairInto;
use baken_core::recovery::{LostDevices, RecoveryPaper};
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Receipt, ReceiptState};
use baken_schemas::api::{Activated, Documents};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::id::AccountId;
use baken_schemas::org::Directory;
use baken_schemas::signed::{Signed, Unverified};
use http::Method;

use super::relay::says;
use super::stage::{Stage, names};
use crate::town::{PIN, Town};

pub async fn an_older_directory_again_takes_a_new_phone_nowhere() {
    let stage = Stage::set().await;
    let org = &stage.town.org;
    let newer = Directory { version: 2, ..org.directory.value().clone() };
    stage.town.publish(Signed::make(newer, &org.root).bytes()).await;
    stage.tablet.send_alarms(&stage.evil).await.unwrap();
    assert_eq!(stage.tablet.directory().unwrap().version, 2);
    stage.evil.hands_over("/directory", org.directory.bytes().to_vec());
    let new = stage.town.phone("laptop");
    let mut start = new.pair_start(&stage.evil, PIN, "laptop").await.unwrap();
    let mut accept = stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.unwrap();
    let digits = new.pair_digits(&mut start, &stage.evil).await.unwrap();
    stage.tablet.pair_confirm(&mut accept, &stage.evil, &digits, PIN, PairInto::Dossier).await.unwrap();
    new.pair_join(&start, &stage.evil).await.unwrap();
    assert_eq!(new.directory().unwrap().version, 2);
    stage.drains().await;
}

/// A phone that joins with this directory refuses, and joins when the relay hands over the true one.
async fn directory_is_refused(stage: &Stage, lie: Vec<u8>) {
    let new = stage.town.phone("laptop");
    let mut start = new.pair_start(&stage.evil, PIN, "laptop").await.unwrap();
    let mut accept = stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.unwrap();
    let digits = new.pair_digits(&mut start, &stage.evil).await.unwrap();
    stage.tablet.pair_confirm(&mut accept, &stage.evil, &digits, PIN, PairInto::Dossier).await.unwrap();
    stage.evil.hands_over("/directory", lie);
    assert_eq!(new.pair_join(&start, &stage.evil).await.unwrap_err().code(), "directory_invalid");
    assert!(!new.is_activated());
    stage.evil.stop();
    new.pair_join(&start, &stage.evil).await.unwrap();
    assert_eq!(new.directory().unwrap(), *stage.town.org.directory.value());
}

pub async fn a_directory_of_another_organisation_is_refused() {
    let stage = Stage::set().await;
    // Truly signed, by a root that is not this organisation's.
    let other = baken_schemas::crypto::SigningKey::from_bytes(&[9; 32]);
    let theirs = Directory { root: other.verify_key(), version: 9, ..stage.town.org.directory.value().clone() };
    directory_is_refused(&stage, Signed::make(theirs, &other).bytes().to_vec()).await;
}

pub async fn a_directory_with_a_flipped_bit_is_refused() {
    let stage = Stage::set().await;
    let mut flipped = stage.town.org.directory.bytes().to_vec();
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    directory_is_refused(&stage, flipped).await;
}

pub async fn a_receipt_in_a_desks_name_says_nothing_and_shows() {
    let stage = Stage::set().await;
    let call = Call {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NoReceiver),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = stage.tablet.press(&call).unwrap();
    stage.tablet.send_alarms(&stage.evil).await.unwrap();
    assert_eq!(stage.tablet.alarm(alarm).unwrap().state, AlarmState::Stored);
    let (relay, desk) = (stage.town.relay_keys.clone(), stage.town.org.desks[0].device);
    stage.evil.lie(move |asked, answer, _| {
        if !asked.path.ends_with("/receipts") || asked.method != Method::GET {
            return answer;
        }
        let mut documents: Documents = cbor::from_slice(&answer.body, "receipts").unwrap();
        let stored = Unverified::<Receipt>::parse(&documents.documents[0]).unwrap().claims().clone();
        for (state, by) in [(ReceiptState::Seen, desk), (ReceiptState::Closed, relay.device)] {
            let lie = Receipt { state, by, prev: Hash::ZERO, detail: Vec::new(), ..stored.clone() };
            documents.documents.push(Signed::make(lie, &relay.sig).bytes().to_vec().into());
        }
        says(cbor::to_vec(&documents))
    });
    stage.town.clock.advance_ms(20_000);
    let round = stage.tablet.send_alarms(&stage.evil).await.unwrap();
    assert!(round.refused.contains(&"forged") && round.refused.contains(&"not_entitled"), "{:?}", round.refused);
    let view = stage.tablet.alarm(alarm).unwrap();
    assert_eq!((view.state, view.green, view.call_112), (AlarmState::Stored, false, true));
    assert_eq!(view.warnings, [Warning::Refused { count: 2 }]);
    stage.drains().await;
}

async fn refused_recovery(stage: &Stage, paper: &RecoveryPaper) -> String {
    let new = stage.town.phone("new_phone");
    let refused = new.recover(&stage.evil, &paper.sheet, &paper.code, PIN, "nieuw", LostDevices::None).await;
    assert!(!new.is_activated(), "nothing is left of it");
    refused.unwrap_err().code().to_owned()
}

async fn recovers(stage: &Stage, paper: &RecoveryPaper) {
    stage.evil.stop();
    let new = stage.town.phone("new_phone");
    new.recover(&stage.evil, &paper.sheet, &paper.code, PIN, "nieuw", LostDevices::None).await.unwrap();
    new.sync(&stage.evil).await.unwrap();
    assert_eq!(names(&new), ["Zus"]);
}

/// Another account at the same relay, with a code of its own.
async fn neighbour(town: &mut Town) -> (baken_core::Baken, RecoveryPaper) {
    let phone = town.activated("neighbour").await;
    let paper = phone.print_recovery(&town.network, PIN, None).await.unwrap();
    (phone, paper)
}

fn sealed_root(town: &Town, paper: &RecoveryPaper) -> Vec<u8> {
    let database = rusqlite::Connection::open(town.folder.path().join("relay").join("relay.db")).unwrap();
    let name = paper.code.name(paper.sheet.account);
    database.query_row("SELECT bytes FROM sealed_root WHERE name = ?1", [name.0], |row| row.get(0)).unwrap()
}

pub async fn another_accounts_root_for_this_code_is_refused() {
    let mut stage = Stage::set().await;
    let (_, theirs) = neighbour(&mut stage.town).await;
    let paper = stage.phone.print_recovery(&stage.town.network, PIN, None).await.unwrap();
    stage.evil.hands_over("/recovery/", sealed_root(&stage.town, &theirs));
    assert_eq!(refused_recovery(&stage, &paper).await, "not_trustworthy");
    recovers(&stage, &paper).await;
}

pub async fn the_root_of_an_older_code_for_the_newer_one_is_refused() {
    let stage = Stage::set().await;
    let old = stage.phone.print_recovery(&stage.town.network, PIN, None).await.unwrap();
    let old_root = sealed_root(&stage.town, &old);
    let paper = stage.phone.print_recovery(&stage.town.network, PIN, Some(&old.code)).await.unwrap();
    stage.evil.hands_over("/recovery/", old_root);
    assert_eq!(refused_recovery(&stage, &paper).await, "not_trustworthy");
    recovers(&stage, &paper).await;
}

pub async fn another_accounts_log_at_a_recovery_is_refused() {
    let mut stage = Stage::set().await;
    let (theirs, _) = neighbour(&mut stage.town).await;
    let paper = stage.phone.print_recovery(&stage.town.network, PIN, None).await.unwrap();
    let log = stage.log_of(theirs.status().unwrap().circle);
    stage.evil.pages("/log", move |page, _| {
        page.items.iter_mut().zip(&log).for_each(|(item, other)| item.bytes = other.clone().into());
    });
    assert_eq!(refused_recovery(&stage, &paper).await, "not_trustworthy");
    recovers(&stage, &paper).await;
}

pub async fn an_answer_to_a_recovery_for_another_account_is_refused() {
    let stage = Stage::set().await;
    let paper = stage.phone.print_recovery(&stage.town.network, PIN, None).await.unwrap();
    stage.evil.lie(|asked, answer, _| {
        let is_meant = asked.path.ends_with("/recover");
        if is_meant { says(cbor::to_vec(&Activated { account: AccountId([9; 16]) })) } else { answer }
    });
    assert_eq!(refused_recovery(&stage, &paper).await, "not_trustworthy");
    recovers(&stage, &paper).await;
}
