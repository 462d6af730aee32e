//! Keys that the relay would like to choose: what a PIN costs, whose header it is, whose public key.

use baken_schemas::api::{Item, Page};
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, Epoch, Member, MemberRole, Membership, Operation, Readers};
use baken_schemas::crypto::{KemPublic, VerifyKey};
use baken_schemas::device::{DeviceKeys, Identity};
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::org::Directory;
use baken_schemas::signed::{Signed, Unverified};
use http::Method;

use super::relay::{Evil, says};
use super::stage::{DAY_MS, Stage, device, names, records, titled};
use crate::town::{PIN, Town};
use baken_core::pairing::PairInto;
use baken_core::recovery::LostDevices;
use baken_schemas::circle::LogRecord;

/// Argon2id's memory in KiB, passes and lanes, as they lie in a vault's header.
fn pin_costs(town: &Town, name: &str) -> [u32; 3] {
    let header = std::fs::read(town.folder.path().join(name).join("vault.header")).unwrap();
    [12, 16, 20].map(|at| u32::from_be_bytes(header[at..at + 4].try_into().unwrap()))
}

pub async fn no_answer_of_the_relay_sets_what_a_pin_costs() {
    let mut town = Town::found().await;
    let evil = Evil::before(&town.network);
    let invite = town.invite().await;
    let phone = town.phone("mayor_phone");
    // Parameters behind what is signed, as a careless reader would take them.
    evil.lie(|asked, answer, _| {
        if asked.path.contains("/directory") {
            says([&answer.body[..], &cbor::to_vec(&vec![8_u32, 1, 1])].concat())
        } else {
            answer
        }
    });
    let refused = phone.activate(&evil, &invite, PIN, "x").await.unwrap_err();
    assert_eq!(refused.code(), "directory_invalid");
    assert!(!phone.is_activated());
    evil.stop();
    phone.activate(&evil, &invite, PIN, "x").await.unwrap();
    // And with a grant: nothing that a device is handed has a place for them.
    let tablet = town.paired(&phone, "mayor_tablet").await;
    for name in ["mayor_phone", "mayor_tablet"] {
        assert_eq!(pin_costs(&town, name), [64 * 1024, 3, 1]);
    }
    let before = std::fs::read(town.folder.path().join("mayor_tablet").join("vault.header")).unwrap();
    for _ in 0..2 {
        phone.sync(&evil).await.unwrap();
        tablet.sync(&evil).await.unwrap();
    }
    let after = std::fs::read(town.folder.path().join("mayor_tablet").join("vault.header")).unwrap();
    assert_eq!(before, after, "no sync writes a header");
}

pub async fn a_header_put_in_from_another_phone_opens_nothing() {
    let mut stage = Stage::set().await;
    let other = stage.town.activated("spy_phone").await;
    let of = |name: &str| stage.town.folder.path().join(name).join("vault.header");
    let own = std::fs::read(of("mayor_tablet")).unwrap();
    let before = records(&stage.tablet);
    stage.tablet.lock();
    std::fs::copy(of("spy_phone"), of("mayor_tablet")).unwrap();
    let refused = stage.tablet.unlock(PIN).unwrap_err();
    assert_eq!(refused.code(), "key_store_lost", "the same PIN, and a header of another phone's key store");
    assert!(!stage.tablet.is_unlocked());
    std::fs::write(of("mayor_tablet"), own).unwrap();
    stage.town.clock.advance_ms(60_000);
    stage.tablet.unlock(PIN).unwrap();
    assert_eq!(records(&stage.tablet), before);
    other.sync(&stage.town.network).await.unwrap();
    stage.drains().await;
}

async fn offer_swapped(swap: impl Fn(&Identity, &DeviceKeys) -> Vec<u8> + Send + 'static) {
    let mut stage = Stage::set().await;
    let spy = DeviceKeys::make(&mut stage.town.rng);
    let new = stage.town.phone("laptop");
    let start = new.pair_start(&stage.town.network, PIN, "laptop").await.unwrap();
    stage.evil.lie(move |asked, answer, _| {
        if asked.path.ends_with("/offer") {
            let true_one = Identity::verify(&answer.body).unwrap().into_value();
            says(swap(&true_one, &spy))
        } else {
            answer
        }
    });
    let refused = stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.unwrap_err();
    assert_eq!(refused.code(), "pairing_broken");
    assert_eq!(stage.tablet.devices().unwrap().len(), 2);
    // Nothing was left at the rendezvous: the true pairing goes on.
    stage.evil.stop();
    assert!(stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.is_ok());
}

pub async fn an_offer_by_another_device_stops_the_pairing() {
    offer_swapped(|_, spy| spy.identity().bytes().to_vec()).await;
}

pub async fn an_offer_with_another_key_for_the_same_device_stops_the_pairing() {
    offer_swapped(|true_one, spy| {
        let lie = Identity { kem: spy.kem.public(), sig: spy.sig.verify_key(), ..true_one.clone() };
        Signed::make(lie, &spy.sig).bytes().to_vec()
    })
    .await;
}

/// One pairing went by whole; in the next, `message` is that of the first.
async fn message_of_another_pairing(message: &'static str) {
    let stage = Stage::set().await;
    let first = stage.town.phone("laptop");
    let mut start = first.pair_start(&stage.evil, PIN, "laptop").await.unwrap();
    let mut accept = stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.unwrap();
    let digits = first.pair_digits(&mut start, &stage.evil).await.unwrap();
    stage.tablet.pair_confirm(&mut accept, &stage.evil, &digits, PIN, PairInto::Dossier).await.unwrap();
    stage.evil.lie(move |asked, answer, heard| {
        if asked.method != Method::GET || !asked.path.ends_with(message) {
            return answer;
        }
        let old = heard.iter().find(|heard| heard.asked.method == Method::PUT && heard.asked.path.ends_with(message));
        says(old.unwrap().asked.body.clone())
    });
    let second = stage.town.phone("other_laptop");
    let mut start = second.pair_start(&stage.evil, PIN, "laptop").await.unwrap();
    let mut accept = stage.tablet.pair_accept(&stage.evil, &start.code_text()).await.unwrap();
    let digits = second.pair_digits(&mut start, &stage.evil).await;
    let refused = match digits {
        Ok(digits) => {
            stage.tablet.pair_confirm(&mut accept, &stage.evil, &digits, PIN, PairInto::Dossier).await.unwrap();
            second.pair_join(&start, &stage.evil).await.unwrap_err()
        }
        Err(refused) => refused,
    };
    assert_eq!(refused.code(), "pairing_broken");
    assert!(!second.is_activated());
    stage.drains().await;
}

pub async fn a_hello_of_another_pairing_stops_it() {
    message_of_another_pairing("/hello").await;
}

pub async fn a_grant_of_another_pairing_stops_it() {
    message_of_another_pairing("/grant").await;
}

pub async fn a_directory_that_the_relay_signed_activates_nothing() {
    let mut town = Town::found().await;
    let evil = Evil::before(&town.network);
    let invite = town.invite().await;
    let mut desks = town.org.directory.value().clone();
    let spy = DeviceKeys::make(&mut town.rng);
    for desk in &mut desks.desks {
        desk.kem = spy.kem.public();
        desk.sig = spy.sig.verify_key();
    }
    let by_relay = Signed::make(desks.clone(), &town.relay_keys.sig).bytes().to_vec();
    let own_root = Directory { root: spy.sig.verify_key(), ..desks };
    let own_root = Signed::make(own_root, &spy.sig).bytes().to_vec();
    let phone = town.phone("mayor_phone");
    for lie in [by_relay, own_root] {
        evil.hands_over("/directory", lie);
        let refused = phone.activate(&evil, &invite, PIN, "x").await.unwrap_err();
        assert_eq!(refused.code(), "directory_invalid");
        assert!(!phone.is_activated(), "no half of a device is left");
    }
    evil.stop();
    phone.activate(&evil, &invite, PIN, "x").await.unwrap();
    assert_eq!(phone.directory().unwrap(), *town.org.directory.value());
}

/// The log of a circle of this id that the relay founds with a device of its own, and lets this phone into.
fn founded_by_the_relay(
    town: &mut Town,
    id: CircleId,
    root: VerifyKey,
    recovery: Option<KemPublic>,
    guest: Option<Member>,
) -> Page {
    let spy = DeviceKeys::make(&mut town.rng);
    let first =
        Member { device: spy.device, sig: spy.sig.verify_key(), kem: spy.kem.public(), role: MemberRole::Owner };
    let (mut membership, genesis) = Membership::found(id, CircleKind::Family, root, recovery, first, &spy.sig);
    let mut records = vec![genesis];
    if let Some(member) = guest {
        let record = membership.next(spy.device, Operation::Add { member }, &spy.sig);
        membership.apply(record.bytes()).unwrap();
        records.push(record);
    }
    let members = membership.readers();
    let readers = Readers { members: &members, recovery: membership.recovery() };
    let (epoch, _) = Epoch::make(id, 1, readers, None, &mut town.rng).unwrap();
    let record = membership.next(spy.device, Operation::Epoch { epoch }, &spy.sig);
    records.push(record);
    let items = (0_u64..).zip(records).map(|(cursor, record)| Item { cursor, bytes: record.bytes().to_vec().into() });
    Page { items: items.collect(), more: false, generation: 1, floor: 0 }
}

/// A member of the dossier's log as it went by.
fn member_in(log: &[Vec<u8>], device: DeviceId) -> Member {
    let records = log.iter().map(|bytes| Unverified::<LogRecord>::parse(bytes).unwrap().claims().operation.clone());
    let mut members = records.filter_map(|operation| match operation {
        Operation::Genesis { first, .. } => Some(first),
        Operation::Add { member } => Some(member),
        _ => None,
    });
    members.find(|member| member.device == device).unwrap()
}

pub async fn a_circle_that_the_relay_founded_under_a_name_of_the_dossier_is_not_joined() {
    let mut stage = Stage::set().await;
    let log = stage.log_of(stage.home());
    let root = Membership::start(stage.home(), &log[0]).unwrap().root();
    let member = Member { role: MemberRole::Owner, ..member_in(&log, device(&stage.tablet)) };
    let family = stage.phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    stage.phone.create_in(family, "plan", titled("van thuis")).unwrap();
    stage.phone.sync(&stage.town.network).await.unwrap();
    let page = founded_by_the_relay(&mut stage.town, family, root, None, Some(member));
    // The tablet learns of the circle, and asks for its log.
    stage.evil.hands_over(&format!("{family}/log"), cbor::to_vec(&page));
    stage.lied_to().await;
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(stage.tablet.circles().unwrap().len(), 1, "it did not join");
    assert!(stage.tablet.create_in(family, "plan", titled("geheim")).is_err());
    stage.phone_writes(&["Broer"]).await;
    assert_eq!(stage.refused().await, "not_trustworthy");
    assert_eq!(names(&stage.tablet), ["Broer", "Zus"], "the dossier goes on");
    stage.drains().await;
    assert_eq!(stage.tablet.circles().unwrap().len(), 2);
}

pub async fn a_circle_that_the_relay_founded_is_not_recovered_either() {
    let mut stage = Stage::set().await;
    let paper = stage.phone.print_recovery(&stage.town.network, PIN, None).await.unwrap();
    let family = stage.family().await;
    let log = stage.log_of(stage.home());
    let mut membership = Membership::start(stage.home(), &log[0]).unwrap();
    log[1..].iter().for_each(|record| drop(membership.apply(record).unwrap()));
    let recovery = membership.recovery().cloned();
    let page = founded_by_the_relay(&mut stage.town, family, membership.root(), recovery, None);
    stage.evil.hands_over(&format!("{family}/log"), cbor::to_vec(&page));
    let new = stage.town.phone("new_phone");
    let refused = new.recover(&stage.evil, &paper.sheet, &paper.code, PIN, "nieuw", LostDevices::All).await;
    assert_eq!(refused.unwrap_err().code(), "not_trustworthy");
    assert_eq!(new.circles().unwrap().len(), 1);
    assert_eq!(names(&new), ["Zus"]);
    stage.evil.stop();
    stage.town.clock.advance_ms(DAY_MS);
    new.sync(&stage.evil).await.unwrap();
    new.sync(&stage.evil).await.unwrap();
    assert_eq!(new.circles().unwrap().len(), 2);
    assert_eq!(new.records(Some("plan")).unwrap().len(), 1);
}
