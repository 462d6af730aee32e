//! Circles through a real relay: who is let in and when, who is taken out, what a family shares, and what comes back by
//! the recovery code.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use baken_core::circle::NoticeKind;
use baken_core::pairing::PairInto;
use baken_core::recovery::LostDevices;
use baken_core::sync::{FindingKind, StuckReason};
use baken_core::transport::{EventStream, Request, Response, Transport, TransportError};
use baken_core::{Baken, BakenError};
use baken_schemas::api::EntryBatch;
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, MemberRole, MemberState};
use baken_schemas::entry::{Entry, EntryKind};
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::Value;
use baken_schemas::recovery::RecoveryCode;
use baken_schemas::time::Clock as _;
use baken_tests::sim::network::Network;

use crate::town::{PIN, Town};

const DAY_MS: i64 = 24 * 3_600_000;

fn named(name: &str) -> Vec<(String, Value)> {
    vec![("name".to_owned(), Value::Text(name.to_owned()))]
}

fn titled(title: &str) -> Vec<(String, Value)> {
    vec![("title".to_owned(), Value::Text(title.to_owned()))]
}

fn device(phone: &Baken) -> DeviceId {
    phone.status().unwrap().device
}

fn home(phone: &Baken) -> CircleId {
    phone.status().unwrap().circle
}

fn state_of(phone: &Baken, other: DeviceId) -> Option<MemberState> {
    phone.devices().unwrap().into_iter().find(|view| view.device == other).map(|view| view.state)
}

fn texts(phone: &Baken, kind: &str) -> Vec<String> {
    let mut texts: Vec<String> = phone
        .records(Some(kind))
        .unwrap()
        .into_iter()
        .filter(|record| !record.deleted)
        .flat_map(|record| record.fields)
        .flat_map(|field| field.values)
        .filter_map(|value| match value.value {
            Value::Text(text) => Some(text),
            _ => None,
        })
        .collect();
    texts.sort();
    texts
}

async fn sync_all(town: &Town, phones: &[&Baken]) {
    for _ in 0..2 {
        for phone in phones {
            phone.sync(&town.network).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_third_device_waits_a_day_in_which_any_device_can_object() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    phone.create("contact", named("Zus")).unwrap();
    sync_all(&town, &[&phone, &tablet]).await;
    let (laptop, paired) = town.pair(&phone, "laptop", PairInto::Dossier).await;
    assert!(paired.is_in_at.is_some());
    laptop.sync(&town.network).await.unwrap();
    assert_eq!(laptop.status().unwrap().stuck_because, Some(StuckReason::WaitsForConfirmation));
    assert!(laptop.records(Some("contact")).unwrap().is_empty(), "no key was released");

    tablet.sync(&town.network).await.unwrap();
    let notices = tablet.status().unwrap().notices;
    assert_eq!((notices.len(), notices[0].kind, notices[0].by), (1, NoticeKind::Proposed, Some(device(&phone))));
    tablet.veto(&town.network, home(&tablet), paired.device).await.unwrap();
    phone.sync(&town.network).await.unwrap();
    assert_eq!(state_of(&phone, paired.device), None);
    town.clock.advance_ms(2 * DAY_MS);
    sync_all(&town, &[&phone, &tablet]).await;
    laptop.sync(&town.network).await.unwrap();
    assert_eq!(laptop.status().unwrap().stuck_because, Some(StuckReason::NotInCircle));
    assert!(laptop.records(Some("contact")).unwrap().is_empty());
}

#[tokio::test]
async fn a_proposed_device_is_let_in_by_another_device_after_its_own_day_and_never_by_the_proposer() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    phone.create("contact", named("Zus")).unwrap();
    sync_all(&town, &[&phone, &tablet]).await;
    let (laptop, paired) = town.pair(&phone, "laptop", PairInto::Dossier).await;
    let confirmed = phone.confirm_device(&town.network, home(&phone), paired.device, PIN).await;
    assert_eq!(confirmed.unwrap_err().code(), "rule_broken");
    town.clock.advance_ms(2 * DAY_MS);
    phone.sync(&town.network).await.unwrap();
    // The tablet sees it only now: its day starts now, whatever the relay kept from it before.
    tablet.sync(&town.network).await.unwrap();
    assert!(matches!(state_of(&tablet, paired.device), Some(MemberState::Proposed { .. })));
    town.clock.advance_ms(DAY_MS);
    tablet.sync(&town.network).await.unwrap();
    sync_all(&town, &[&laptop, &phone, &tablet]).await;
    assert_eq!(state_of(&phone, paired.device), Some(MemberState::Active));
    assert_eq!(texts(&laptop, "contact"), ["Zus"]);
    assert!(laptop.is_set_up().unwrap());
}

#[tokio::test]
async fn whom_a_device_proposed_that_was_taken_out_meanwhile_stays_outside() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_all(&town, &[&phone, &tablet]).await;
    // The phone is in wrong hands, proposes a device of theirs, and is taken out.
    let (_spy, paired) = town.pair(&phone, "spy_phone", PairInto::Dossier).await;
    tablet.sync(&town.network).await.unwrap();
    tablet.remove_device(&town.network, home(&tablet), device(&phone), PIN).await.unwrap();
    town.clock.advance_ms(2 * DAY_MS);
    sync_all(&town, &[&tablet]).await;
    assert!(matches!(state_of(&tablet, paired.device), Some(MemberState::Proposed { .. })));
    assert_eq!(tablet.status().unwrap().notices[0].device, paired.device, "and it is still told");
}

#[tokio::test]
async fn a_single_device_lets_a_second_one_in_after_a_day_of_its_own() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    town.clock.advance_ms(3 * DAY_MS);
    let (tablet, paired) = town.pair(&phone, "mayor_tablet", PairInto::Dossier).await;
    assert!(paired.is_in_at.is_some(), "the day of activation is over");
    phone.sync(&town.network).await.unwrap();
    tablet.sync(&town.network).await.unwrap();
    assert_eq!(tablet.status().unwrap().stuck_because, Some(StuckReason::WaitsForConfirmation));
    town.clock.advance_ms(DAY_MS);
    sync_all(&town, &[&phone, &tablet]).await;
    assert_eq!(tablet.status().unwrap().stuck_because, None);
}

#[tokio::test]
async fn a_removed_device_gets_nothing_more_from_its_next_request_on() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    phone.create("contact", named("Zus")).unwrap();
    sync_all(&town, &[&phone, &tablet]).await;
    assert_eq!(
        phone.remove_device(&town.network, home(&phone), device(&tablet), "000000").await.unwrap_err().code(),
        "wrong_pin"
    );
    town.clock.advance_ms(2000);
    phone.remove_device(&town.network, home(&phone), device(&tablet), PIN).await.unwrap();
    phone.create("contact", named("Broer")).unwrap();
    phone.sync(&town.network).await.unwrap();
    tablet.create("contact", named("van de verloren tablet")).unwrap();
    tablet.sync(&town.network).await.unwrap();
    let status = tablet.status().unwrap();
    assert_eq!(status.stuck_because, Some(StuckReason::NotInCircle));
    assert_eq!(texts(&tablet, "contact"), ["Zus", "van de verloren tablet"], "what it had it keeps");
    assert_eq!(tablet.create("contact", named("nog een")).unwrap_err().code(), "may_not_write");
    phone.sync(&town.network).await.unwrap();
    assert_eq!(texts(&phone, "contact"), ["Broer", "Zus"]);
    // An alarm is taken from it all the same.
    assert!(matches!(state_of(&phone, device(&tablet)), Some(MemberState::Leaving { .. })));
}

#[tokio::test]
async fn a_removed_owner_can_object_for_a_day_and_then_not_any_more() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    sync_all(&town, &[&phone, &tablet]).await;
    // The phone is in wrong hands, and takes the tablet out.
    phone.remove_device(&town.network, home(&phone), device(&tablet), PIN).await.unwrap();
    tablet.create("contact", named("ondertussen")).unwrap();
    tablet.sync(&town.network).await.unwrap();
    assert_eq!(tablet.status().unwrap().notices[0].kind, NoticeKind::Leaving);
    tablet.veto(&town.network, home(&tablet), device(&tablet)).await.unwrap();
    sync_all(&town, &[&tablet, &phone]).await;
    assert_eq!(state_of(&phone, device(&tablet)), Some(MemberState::Active));
    assert_eq!(texts(&phone, "contact"), ["ondertussen"], "what it wrote meanwhile is not lost");

    phone.remove_device(&town.network, home(&phone), device(&tablet), PIN).await.unwrap();
    town.clock.advance_ms(DAY_MS);
    phone.sync(&town.network).await.unwrap();
    let late = tablet.veto(&town.network, home(&tablet), device(&tablet)).await;
    assert_eq!(late.unwrap_err().code(), "rule_broken");
}

#[tokio::test]
async fn a_family_circle_shares_what_is_meant_for_it_and_nothing_of_the_dossier() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    phone.create("profile", vec![("home_address".to_owned(), Value::Text("Lindelaan 12".to_owned()))]).unwrap();
    phone.create("incident", vec![("what".to_owned(), Value::Text("brief".to_owned()))]).unwrap();
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    phone.create_in(family, "plan", titled("Wie haalt de kinderen?")).unwrap();
    let refused = phone.create_in(family, "incident", vec![("what".to_owned(), Value::Text("x".to_owned()))]);
    assert_eq!(refused.unwrap_err().code(), "not_shared");
    sync_all(&town, &[&phone, &tablet]).await;
    assert_eq!(texts(&tablet, "plan"), ["Wie haalt de kinderen?"], "all of one person's devices are in it");

    let into = PairInto::Circle { circle: family, role: MemberRole::Member };
    let (partner, paired) = town.pair(&phone, "partner_phone", into).await;
    assert_eq!(paired.is_in_at, None);
    sync_all(&town, &[&partner, &phone, &tablet]).await;
    assert_eq!(partner.status().unwrap().account, None);
    assert_eq!(texts(&partner, "plan"), ["Wie haalt de kinderen?"]);
    assert!(partner.records(Some("profile")).unwrap().is_empty());
    assert!(partner.records(Some("incident")).unwrap().is_empty());
    assert_eq!(partner.circles().unwrap().len(), 1);
    partner.create("contact", named("Oma")).unwrap();
    sync_all(&town, &[&partner, &phone, &tablet]).await;
    assert_eq!(texts(&tablet, "contact"), ["Oma"]);
    let numbers: Vec<String> = [&phone, &tablet, &partner]
        .iter()
        .map(|phone| phone.circles().unwrap().into_iter().find(|view| view.circle == family).unwrap().safety_number)
        .collect();
    assert!(numbers.iter().all(|number| *number == numbers[0] && number.len() == 35));
    // A guest can take nobody out, nor bring anybody in.
    let refused = partner.remove_device(&town.network, family, device(&phone), PIN).await;
    assert!(refused.is_err());

    phone.remove_device(&town.network, family, device(&partner), PIN).await.unwrap();
    phone.create_in(family, "plan", titled("Nieuw slot op de deur")).unwrap();
    phone.sync(&town.network).await.unwrap();
    partner.sync(&town.network).await.unwrap();
    assert_eq!(texts(&partner, "plan"), ["Wie haalt de kinderen?"], "what was shared stays, nothing new comes");
    assert_eq!(partner.status().unwrap().stuck_because, Some(StuckReason::NotInCircle));
}

#[tokio::test]
async fn a_guest_who_leaves_is_out_and_the_next_key_is_not_theirs() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    let (partner, _) =
        town.pair(&phone, "partner", PairInto::Circle { circle: family, role: MemberRole::Viewer }).await;
    partner.sync(&town.network).await.unwrap();
    assert_eq!(partner.create("note", titled("x")).unwrap_err().code(), "may_not_write", "a viewer reads");
    partner.leave_circle(&town.network, family).await.unwrap();
    sync_all(&town, &[&phone]).await;
    let view = phone.circles().unwrap().into_iter().find(|view| view.circle == family).unwrap();
    assert_eq!(view.members.len(), 1);
    phone.create_in(family, "note", titled("onder ons")).unwrap();
    phone.sync(&town.network).await.unwrap();
    partner.sync(&town.network).await.unwrap();
    assert!(texts(&partner, "note").is_empty());
}

#[tokio::test]
async fn the_code_brings_everything_back_on_a_new_phone_and_takes_the_lost_one_out() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let before = phone.create("contact", named("van voor de code")).unwrap();
    let paper = phone.print_recovery(&town.network, PIN, None).await.unwrap();
    assert_eq!(phone.print_recovery(&town.network, PIN, None).await.unwrap_err().code(), "no_root");
    phone.create("contact", named("van na de code")).unwrap();
    let family = phone.found_circle(CircleKind::Family, "Thuis").unwrap();
    phone.create_in(family, "plan", titled("plan")).unwrap();
    phone.sync(&town.network).await.unwrap();
    // Another epoch: the code opens today's data, not that of the day it was printed.
    let (guest, _) = town.pair(&phone, "partner", PairInto::Circle { circle: family, role: MemberRole::Member }).await;
    phone.sync(&town.network).await.unwrap();

    let new = town.phone("new_phone");
    let code = RecoveryCode::from_text(&paper.code.to_text()).unwrap();
    let wrong = town.network.clone();
    let other = RecoveryCode::make(&mut town.rng);
    let unknown = new.recover(&wrong, &paper.sheet, &other, PIN, "nieuw", LostDevices::All).await;
    assert_eq!(unknown.unwrap_err().code(), "recovery_unknown");
    new.recover(&town.network, &paper.sheet, &code, PIN, "nieuw", LostDevices::All).await.unwrap();
    sync_all(&town, &[&new]).await;
    assert_eq!(texts(&new, "contact"), ["van na de code", "van voor de code"]);
    assert_eq!(texts(&new, "plan"), ["plan"]);
    assert!(new.status().unwrap().older_state_possible_since.is_some());
    assert!(new.record(before).is_ok());

    phone.create("contact", named("van de dief")).unwrap();
    phone.sync(&town.network).await.unwrap();
    assert_eq!(phone.status().unwrap().stuck_because, Some(StuckReason::NotInCircle));
    new.create("contact", named("nieuw")).unwrap();
    sync_all(&town, &[&new]).await;
    assert_eq!(texts(&new, "contact"), ["nieuw", "van na de code", "van voor de code"]);
    sync_all(&town, &[&guest, &new]).await;
    guest.create("note", titled("ik zie u")).unwrap();
    sync_all(&town, &[&guest, &new]).await;
    assert_eq!(new.status().unwrap().older_state_possible_since, None, "another device has confirmed it");
    // The old code is used up only when a new one is printed, which needs it.
    let paper = new.print_recovery(&town.network, PIN, Some(&code)).await.unwrap();
    assert_ne!(paper.code.to_text(), code.to_text());
}

#[tokio::test]
async fn an_empty_recovered_phone_overwrites_nothing_on_the_others() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("profile", named("A. Testma")).unwrap();
    phone.create("contact", named("Zus")).unwrap();
    let paper = phone.print_recovery(&town.network, PIN, None).await.unwrap();
    phone.sync(&town.network).await.unwrap();
    let card = phone.card().unwrap();
    let new = town.phone("new_phone");
    new.recover(&town.network, &paper.sheet, &paper.code, PIN, "nieuw", LostDevices::None).await.unwrap();
    new.create("contact", named("van de nieuwe")).unwrap();
    sync_all(&town, &[&new, &phone]).await;
    assert_eq!(texts(&phone, "contact"), ["Zus", "van de nieuwe"]);
    assert_eq!(texts(&new, "contact"), ["Zus", "van de nieuwe"]);
    assert_eq!(new.card().unwrap(), card);
    assert!(phone.status().unwrap().trustworthy && new.status().unwrap().trustworthy);
    phone.create("contact", named("Broer")).unwrap();
    sync_all(&town, &[&phone, &new]).await;
    assert_eq!(new.status().unwrap().older_state_possible_since, None, "the phone that was there has confirmed it");
}

#[tokio::test]
async fn a_relay_that_recovers_an_older_state_is_not_believed_to_be_current() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let paper = phone.print_recovery(&town.network, PIN, None).await.unwrap();
    phone.create("contact", named("oud")).unwrap();
    phone.sync(&town.network).await.unwrap();
    town.clock.advance_ms(30 * DAY_MS);
    phone.create("contact", named("nieuw")).unwrap();
    phone.sync(&town.network).await.unwrap();
    town.tamper(
        "DELETE FROM entry WHERE cursor = (SELECT max(cursor) FROM entry); DELETE FROM idempotency; DELETE FROM writer;
         INSERT INTO writer (circle, slot, counter, hash)
             SELECT circle, slot, max(counter), hash FROM entry GROUP BY circle, slot;",
    )
    .await;
    let new = town.phone("new_phone");
    new.recover(&town.network, &paper.sheet, &paper.code, PIN, "nieuw", LostDevices::None).await.unwrap();
    sync_all(&town, &[&new]).await;
    assert_eq!(texts(&new, "contact"), ["oud"]);
    let since = new.status().unwrap().older_state_possible_since.unwrap();
    assert!(town.clock.now().since_ms(since) >= 29 * DAY_MS, "it says since when");
    // The other phone's next word exposes the relay, and brings back what it left out.
    phone.create("contact", named("nieuwer")).unwrap();
    sync_all(&town, &[&phone, &new]).await;
    assert_eq!(phone.status().unwrap().findings[0].kind, FindingKind::RolledBack);
    assert_eq!(texts(&new, "contact"), ["nieuw", "nieuwer", "oud"]);
}

#[tokio::test]
async fn a_case_is_shared_with_the_adviser_and_only_what_was_put_into_it() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    phone.create("incident", vec![("what".to_owned(), Value::Text("geheim".to_owned()))]).unwrap();
    let case = phone.found_circle(CircleKind::Case, "Brieven").unwrap();
    let shared: RecordId =
        phone.create_in(case, "incident", vec![("what".to_owned(), Value::Text("brief".to_owned()))]).unwrap();
    let (adviser, _) = town.pair(&phone, "adviser", PairInto::Circle { circle: case, role: MemberRole::Viewer }).await;
    sync_all(&town, &[&phone, &adviser]).await;
    assert_eq!(texts(&adviser, "incident"), ["brief"]);
    assert!(matches!(adviser.put(shared, named("x")), Err(BakenError::UnknownField)));
    phone.set_role(&town.network, case, device(&adviser), MemberRole::Member).await.unwrap();
    sync_all(&town, &[&phone, &adviser]).await;
    adviser.put(shared, vec![("source".to_owned(), Value::Text("per post".to_owned()))]).unwrap();
    sync_all(&town, &[&adviser, &phone]).await;
    assert_eq!(texts(&phone, "incident"), ["brief", "geheim", "per post"]);
}

/// Takes no checkpoint while it is told so, and counts how often entries are asked for.
struct NoCheckpoint<'a> {
    network: &'a Network,
    refuses: AtomicBool,
    reads: AtomicUsize,
}

#[async_trait]
impl Transport for NoCheckpoint<'_> {
    fn authority(&self) -> &str {
        self.network.authority()
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.path_and_query.contains("/entries?") {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        let is_checkpoint = |bytes: &[u8]| {
            let entry = Entry::parse(bytes).unwrap();
            matches!(entry.header().kind, EntryKind::Checkpoint { .. })
        };
        if self.refuses.load(Ordering::SeqCst) && request.path_and_query.ends_with("/entries") {
            let batch: EntryBatch = cbor::from_slice(&request.body, "a batch").unwrap();
            if batch.entries.iter().any(|bytes| is_checkpoint(bytes)) {
                return Ok(Response { status: 507, body: Default::default() });
            }
        }
        self.network.send(request).await
    }

    async fn live(&self, request: Request) -> Result<EventStream, TransportError> {
        self.network.live(request).await
    }
}

#[tokio::test]
async fn nothing_more_is_read_while_a_checkpoint_is_not_at_the_relay() {
    let mut town = Town::found().await;
    let phone = town.activated("mayor_phone").await;
    let tablet = town.paired(&phone, "mayor_tablet").await;
    phone.create("contact", named("Zus")).unwrap();
    sync_all(&town, &[&phone, &tablet]).await;
    // A restored relay gets the whole state again.
    town.tamper("UPDATE relay SET generation = generation + 1").await;
    let line = NoCheckpoint { network: &town.network, refuses: true.into(), reads: 0.into() };
    assert!(matches!(phone.sync(&line).await, Err(BakenError::Refused { status: 507, .. })));
    // The tablet writes what that checkpoint does not hold. Were it read now, the relay would take it for held.
    tablet.create("contact", named("Broer")).unwrap();
    tablet.sync(&town.network).await.unwrap();
    line.reads.store(0, Ordering::SeqCst);
    assert!(matches!(phone.sync(&line).await, Err(BakenError::Refused { status: 507, .. })));
    assert_eq!(line.reads.load(Ordering::SeqCst), 0);
    line.refuses.store(false, Ordering::SeqCst);
    phone.sync(&line).await.unwrap();
    assert_eq!(texts(&phone, "contact"), ["Broer", "Zus"]);
    assert!(line.reads.load(Ordering::SeqCst) > 0);
}
