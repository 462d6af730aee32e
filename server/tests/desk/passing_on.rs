//! Who has an alarm now, and how that changes hands: between colleagues, to another desk, to the next rung.

use baken_schemas::alarm::{
    Alarm, AlarmBody, ContentKey, Escalation, HandedAlarm, HandingOn, ReceiptDetail, ReceiptState, Timeline,
    check_handing_on, check_receipt,
};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use baken_server::desk::{Act, ActError, Onward, OutgoingKind, SignatureView, Unopened};
use http::StatusCode;
use serde_json::json;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{Phone, World, body};

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };

fn holding(world: &World, alarm: &Signed<Alarm>) -> Hash {
    world.view(alarm).summary.held_by.expect("somebody has it").receipt
}

fn holder(world: &World, alarm: &Signed<Alarm>) -> Option<String> {
    world.view(alarm).summary.held_by.and_then(|holder| holder.officer)
}

#[tokio::test]
async fn a_colleague_takes_over_and_hands_on_and_each_step_is_signed_to_the_phone() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let ((jansen, _), (bakker, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    world.officer("Agent Smit");
    let (alarm, content) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    let mut changes = world.desk.changes();
    changes.mark_unchanged();
    world.desk.act(id, &bakker, &Act::TakeOver { holding: holding(&world, &alarm) }).await.unwrap();
    assert!(changes.has_changed().unwrap(), "the others are told live");
    assert_eq!(holder(&world, &alarm).as_deref(), Some("Agent Bakker"));
    // Who had it before can hand nothing on; who has it can, to somebody who is there.
    let held = holding(&world, &alarm);
    let to = |name: &str| Act::HandTo { holding: held, to: name.to_owned() };
    assert!(matches!(world.desk.act(id, &jansen, &to("Agent Smit")).await, Err(ActError::Held)));
    assert!(matches!(world.desk.act(id, &bakker, &to("Agent Nemo")).await, Err(ActError::UnknownOfficer)));
    world.desk.act(id, &bakker, &to("Agent Smit")).await.unwrap();
    assert_eq!(holder(&world, &alarm).as_deref(), Some("Agent Smit"));

    let mut prev = Hash::ZERO;
    let mut names = Vec::new();
    for outgoing in world.desk.outgoing_receipts().unwrap() {
        let receipt = check_receipt(&outgoing.document, &world.directory()).unwrap();
        assert_eq!(receipt.value().prev, prev);
        prev = receipt.hash();
        let detail = receipt.value().open_detail(&content).unwrap();
        names.push((receipt.value().state, detail.map(|detail| detail.officer)));
    }
    let seen = |name: &str| (ReceiptState::Seen, Some(name.to_owned()));
    let received = (ReceiptState::Received, None);
    assert_eq!(names, [received, seen("Agent Jansen"), seen("Agent Bakker"), seen("Agent Smit")]);
}

#[tokio::test]
async fn lanternops_breeze_4101_of_two_who_take_over_at_once_the_first_wins_and_the_second_is_told_who_has_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let ((first, _), (second, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let (third, token) = world.officer("Agent Smit");
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &first, &ACKNOWLEDGE).await.unwrap();
    let held = holding(&world, &alarm);
    let take = Act::TakeOver { holding: held };
    let (one, other) = tokio::join!(world.desk.act(id, &second, &take), world.desk.act(id, &third, &take));
    assert!(one.is_ok() && matches!(other, Err(ActError::Held)), "{one:?} {other:?}");
    assert_eq!(holder(&world, &alarm).as_deref(), Some("Agent Bakker"));
    // The console says who, as a page and as JSON.
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    let page = browser.post(&format!("/alarms/{id}/take-over"), &format!("holding={held}")).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains("Agent Bakker"), "{}", page.text);
    let body = json!({ "holding": held }).to_string();
    let refused = browser.ask("POST", &format!("/api/alarms/{id}/take-over"), "application/json", body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("already_acknowledged") && refused.text.contains("Agent Bakker"));
    // Taken over in earnest, with what the page holds; then handed to a colleague who is chosen from a list.
    let shown = browser.get(&format!("/alarms/{id}")).await;
    let now = holding(&world, &alarm);
    assert!(shown.text.contains(&format!("name=\"holding\" value=\"{now}\"")) && shown.text.contains("Overnemen"));
    assert!(!shown.text.contains("Overdragen aan een collega"), "only the holder hands it on");
    let taken = browser.post(&format!("/alarms/{id}/take-over"), &format!("holding={now}")).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
    let shown = browser.get(&format!("/alarms/{id}?lang=en")).await;
    assert!(shown.text.contains("Hand it to a colleague") && shown.text.contains("<option>Agent Jansen</option>"));
    assert!(shown.text.contains("Agent Smit of Oost has this alarm"), "{}", shown.text);
    let given = format!("holding={}&to=Agent+Jansen", holding(&world, &alarm));
    assert_eq!(browser.post(&format!("/alarms/{id}/hand-to"), &given).await.status, StatusCode::SEE_OTHER);
    assert_eq!(holder(&world, &alarm).as_deref(), Some("Agent Jansen"));
    let nobody = browser.post(&format!("/alarms/{id}/take-over"), "holding=nothing").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

/// An alarm that is sealed to the other desk alone.
fn for_the_other(world: &mut World, phone: &Phone) -> (Signed<Alarm>, ContentKey) {
    let mut directory = world.directory();
    directory.ladders[0].rungs.iter_mut().for_each(|rung| rung.responders = vec![world.other.device]);
    let header = world.header(phone);
    let with_card = AlarmBody { card_key: Some(vec![9; 32].into()), ..body() };
    Alarm::seal(header, &with_card, &directory, &phone.keys.alarm, &mut world.rng).unwrap()
}

/// The other desk hands it on to this one, with a key of the test's choice.
fn handed_here(world: &mut World, alarm: &Signed<Alarm>, content: &ContentKey) -> Signed<HandingOn> {
    let directory = world.directory();
    let to = directory.desk(world.keys.device).unwrap();
    let handed = HandedAlarm {
        alarm: alarm.value().header.alarm,
        alarm_hash: alarm.hash(),
        at: Timestamp(5),
        by: world.other.device,
    };
    let detail = ReceiptDetail { officer: "Agent West".to_owned(), text: "bij jullie in de buurt".to_owned() };
    HandingOn::make(&handed, to, (content, Some(&detail)), &world.other.sig, &mut world.rng).unwrap()
}

#[tokio::test]
async fn an_alarm_of_another_desk_opens_here_once_that_hands_it_on_in_whichever_order_they_come() {
    for key_first in [true, false] {
        let mut world = World::new().await;
        let phone = world.phone().await;
        let (alarm, content) = for_the_other(&mut world, &phone);
        let handing = handed_here(&mut world, &alarm, &content);
        let mut mail = vec![(MailKind::HandingOn, handing.bytes()), (MailKind::Alarm, alarm.bytes())];
        if !key_first {
            mail.reverse();
        }
        let seen = world.others_receipt(&alarm, &content, ReceiptState::Seen);
        mail.push((MailKind::Receipt, seen.bytes()));
        for (kind, document) in mail {
            world.bring(kind, document).await;
        }
        let update = world.update(&phone, &alarm, &content, 1);
        world.bring(MailKind::Update, update.bytes()).await;
        let shown = world.view(&alarm);
        assert_eq!((shown.summary.unopened, shown.summary.text.as_str()), (None, "man bij de deur"));
        assert_eq!((shown.summary.signature, shown.updates.len()), (SignatureView::Proven, 1));
        assert_eq!(shown.summary.held_by.unwrap().officer.as_deref(), Some("Agent West"));
        let passed = &shown.passed_on[0];
        assert_eq!((passed.by.as_str(), passed.to.as_deref(), passed.own), ("West", Some("Oost"), false));
        assert_eq!(passed.officer.as_deref(), Some("Agent West"));
        // Its officers act like any other's, and the phone can open what they say; so can who gets the timeline.
        let (jansen, _) = world.officer("Agent Jansen");
        let id = alarm.value().header.alarm;
        world.desk.act(id, &jansen, &Act::Acknowledge { also: true }).await.unwrap();
        let said = world.desk.outgoing_receipts().unwrap();
        let said = check_receipt(&said.last().unwrap().document, &world.directory()).unwrap();
        assert_eq!(said.value().open_detail(&content).unwrap().unwrap().officer, "Agent Jansen");
        let timeline = world.desk.timeline(id, &jansen).await.unwrap().unwrap();
        let proven = Timeline::parse(&timeline.to_bytes()).unwrap().prove(None).unwrap();
        assert_eq!((proven.faults.len(), proven.handed_on.len()), (0, 1));
        assert_eq!(proven.handed_on[0].text.as_deref(), Some("bij jullie in de buurt"));
    }
}

#[tokio::test]
async fn i5_a_key_that_a_relay_or_a_wrong_desk_brings_opens_nothing_and_shuts_out_no_true_one() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, content) = for_the_other(&mut world, &phone);
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let other_key = ContentKey::make(&mut world.rng);
    let wrong = handed_here(&mut world, &alarm, &other_key);
    let by_relay = Signed::make(wrong.value().clone(), &world.relay.sig);
    for document in [by_relay.bytes(), wrong.bytes(), b"no document at all"] {
        world.bring(MailKind::HandingOn, document).await;
    }
    let shown = world.view(&alarm);
    assert_eq!((shown.summary.unopened, shown.passed_on.len()), (Some(Unopened::NotForUs), 1));
    let true_one = handed_here(&mut world, &alarm, &content);
    world.bring(MailKind::HandingOn, true_one.bytes()).await;
    assert_eq!(world.view(&alarm).summary.unopened, None);
    world.restart();
    assert_eq!(world.view(&alarm).summary.unopened, None, "the key outlives the process");
}

#[tokio::test]
async fn handing_on_wraps_the_key_to_the_other_desk_and_waits_anew_for_what_follows() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (jansen, token) = world.officer("Agent Jansen");
    let (alarm, content) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let (west, directory) = (world.other.clone(), world.directory());
    let onward = Onward::Desk(west.device);
    assert!(matches!(world.desk.pass_on(id, &jansen, onward, "").await, Err(ActError::NotTaken)));
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    for (to, code) in [(world.keys.device, "unknown_desk"), (phone.keys.device, "unknown_desk")] {
        let refused = world.desk.pass_on(id, &jansen, Onward::Desk(to), "").await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    world.clock.advance(299_000);
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    let page = browser.get(&format!("/alarms/{id}")).await;
    assert!(page.text.contains(&format!("<option value=\"{}\">West</option>", west.device)), "{}", page.text);
    let form = format!("desk={}&why=bij+jullie+in+de+buurt", west.device);
    assert_eq!(browser.post(&format!("/alarms/{id}/hand-on"), &form).await.status, StatusCode::SEE_OTHER);
    world.clock.advance(10_000);
    world.desk.reopen_overdue().await.unwrap();
    let shown = world.view(&alarm);
    assert_eq!(shown.summary.state, ReceiptState::Seen);
    assert_eq!((shown.passed_on[0].to.as_deref(), shown.passed_on[0].sending), (Some("West"), Some("waiting")));
    let order = world.desk.outgoing_orders().unwrap().remove(0);
    assert_eq!(order.kind, OutgoingKind::HandingOn);
    let handing = check_handing_on(&order.document, &directory).unwrap();
    assert_eq!(handing.value().open(&west.kem).unwrap(), content);
    let detail = handing.value().open_detail(&content).unwrap().unwrap();
    assert_eq!((detail.officer.as_str(), detail.text.as_str()), ("Agent Jansen", "bij jullie in de buurt"));
    world.desk.order_settled(order.hash, true).await.unwrap();
    assert!(browser.get(&format!("/alarms/{id}")).await.text.contains("Doorgegeven aan West"));
    // And when nobody takes it there either, it rings here again.
    world.clock.advance(300_000);
    world.desk.reopen_overdue().await.unwrap();
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Reopened);
}

#[tokio::test]
async fn the_next_rung_is_called_by_hand_and_the_top_of_the_ladder_is_said() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (jansen, _) = world.officer("Agent Jansen");
    let (alarm, content) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    // Before anybody has it, too.
    world.desk.pass_on(id, &jansen, Onward::NextRung, "te druk hier").await.unwrap();
    let order = world.desk.outgoing_orders().unwrap().remove(0);
    assert_eq!(order.kind, OutgoingKind::Escalation);
    let escalation = Unverified::<Escalation>::parse(&order.document).unwrap();
    let escalation = escalation.verify(&world.keys.sig.verify_key()).unwrap();
    assert_eq!(escalation.value().alarm_hash, alarm.hash());
    assert_eq!(escalation.value().open_detail(&content).unwrap().unwrap().text, "te druk hier");
    let shown = world.view(&alarm);
    assert!(shown.summary.ringing, "that others are called takes it from nobody");
    assert_eq!((shown.passed_on[0].to.as_deref(), shown.passed_on[0].sending), (None, Some("waiting")));
    world.desk.order_settled(order.hash, false).await.unwrap();
    assert_eq!(world.view(&alarm).passed_on[0].sending, Some("refused"));
    // Another desk's is shown too; what is no desk's changes nothing.
    let theirs = Escalation { by: world.other.device, detail: Vec::new(), ..escalation.value().clone() };
    let strangers = Escalation { by: phone.keys.device, ..theirs.clone() };
    let theirs = Signed::make(theirs, &world.other.sig);
    let strangers = Signed::make(strangers, &phone.keys.alarm);
    for document in [theirs.bytes(), strangers.bytes()] {
        world.bring(MailKind::Escalation, document).await;
    }
    let shown = world.view(&alarm).passed_on;
    assert_eq!((shown.len(), shown[1].by.as_str()), (2, "West"));
}
