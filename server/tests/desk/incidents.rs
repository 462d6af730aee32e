//! Several alarms as one incident, and a flood of one device as one entry.

use baken_schemas::alarm::{Alarm, AlarmBody, AlarmKind, NoteKind, Provenance, ReceiptState, check_receipt};
use baken_schemas::api::MailKind;
use baken_schemas::id::AlarmId;
use baken_schemas::time::Clock as _;
use baken_server::desk::{Act, ActError, Count, Ending, figures_of};
use http::StatusCode;
use serde_json::Value;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::{Phone, World, body};

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };
const WEBHOOK: &str = "[[webhook]]\nname = \"regie\"\nurl = \"http://127.0.0.1:9/\"\nown_network = true\n\
                       secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";

/// What this desk has said so far, of which alarm.
fn said(world: &World) -> Vec<(AlarmId, ReceiptState)> {
    let outgoing = world.desk.outgoing_receipts().unwrap();
    let checked = outgoing.iter().map(|one| check_receipt(&one.document, &world.directory()).unwrap().into_value());
    checked.map(|receipt| (receipt.alarm, receipt.state)).collect()
}

#[tokio::test]
async fn alarms_are_joined_acted_on_together_and_taken_apart_again_each_with_its_own_receipts() {
    let mut world = World::new().await;
    let ((jansen, _), (bakker, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let mut alarms = Vec::new();
    for _ in 0..3 {
        let phone = world.phone().await;
        alarms.push(world.ringing(&phone).await.0.value().header.alarm);
    }
    let [one, two, three] = alarms[..] else { panic!("three alarms") };
    assert!(matches!(world.desk.join(one, one, &jansen).await, Err(ActError::Unknown)));
    let incident = world.desk.join(two, one, &jansen).await.unwrap();
    assert_eq!(world.desk.join(three, two, &jansen).await.unwrap(), incident);
    world.desk.act(three, &bakker, &ACKNOWLEDGE).await.unwrap();
    world.restart();
    let shown = world.desk.incident(incident).unwrap().unwrap();
    assert_eq!(shown.alarms.iter().map(|alarm| alarm.alarm).collect::<Vec<_>>(), alarms);
    // Jansen takes them; what Bakker has stays his.
    let done = world.desk.act_on_incident(incident, &jansen, &ACKNOWLEDGE).await.unwrap();
    assert_eq!((done.done, done.refused.len()), (3, 0));
    let holders: Vec<String> = world
        .desk
        .incident(incident)
        .unwrap()
        .unwrap()
        .alarms
        .iter()
        .filter_map(|alarm| alarm.held_by.as_ref()?.officer.clone())
        .collect();
    assert_eq!(holders, ["Agent Jansen", "Agent Jansen", "Agent Bakker"]);
    // One does not belong to it after all.
    world.desk.leave(one, &jansen).await.unwrap();
    let empty = Act::Close { outcome: " ".to_owned(), ending: Ending::Unsaid };
    assert!(matches!(world.desk.act_on_incident(incident, &jansen, &empty).await, Err(ActError::Words)));
    let close = Act::Close { outcome: "loos".to_owned(), ending: Ending::Unsaid };
    assert_eq!(world.desk.act_on_incident(incident, &jansen, &close).await.unwrap().done, 2);
    let closed: Vec<AlarmId> =
        said(&world).into_iter().filter(|(_, state)| *state == ReceiptState::Closed).map(|(alarm, _)| alarm).collect();
    assert_eq!(closed, [two, three]);
    // What is left alone is no incident.
    world.desk.leave(two, &jansen).await.unwrap();
    assert!(world.desk.incident(incident).unwrap().is_none());
    assert!(matches!(world.desk.leave(three, &jansen).await, Err(ActError::UnknownIncident)));
}

#[tokio::test]
async fn the_console_shows_an_incident_together_and_says_with_whom_something_was_not_done() {
    let mut world = World::new().await;
    let (_, token) = world.officer("Agent Jansen");
    let (one_phone, other_phone) = (world.phone().await, world.phone().await);
    let (first, content) = world.ringing(&one_phone).await;
    let one = first.value().header.alarm;
    let two = world.ringing(&other_phone).await.0.value().header.alarm;
    let mut browser = Browser::new(desk_of(&world));
    assert_eq!(browser.get(&format!("/incidents/{}", "0".repeat(32))).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.log_in(token.reveal()).await, StatusCode::SEE_OTHER);
    let page = browser.get(&format!("/alarms/{one}")).await;
    assert!(page.text.contains("Hoort bij hetzelfde incident als") && page.text.contains(&two.to_string()));
    let joined = browser.post(&format!("/alarms/{one}/join"), &format!("alarm={two}")).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER);
    let alarm: Value = serde_json::from_str(&browser.get(&format!("/api/alarms/{one}")).await.text).unwrap();
    let path = format!("/incidents/{}", alarm["incident"].as_str().unwrap());
    assert!(browser.get("/?lang=en").await.text.contains("Incident: 2 alarms that belong together"));
    let page = browser.get(&path).await;
    assert!(page.text.contains(&one.to_string()) && page.text.contains(&two.to_string()));
    // Another desk has one of them: that is said, with the rest done.
    let theirs = world.others_receipt(&first, &content, ReceiptState::Seen);
    world.bring(MailKind::Receipt, theirs.bytes()).await;
    let partly = browser.post(&format!("{path}/acknowledge"), "").await;
    assert_eq!(partly.status, StatusCode::OK);
    assert!(partly.text.contains("Niet gedaan bij:") && partly.text.contains("een ander heeft het"), "{}", partly.text);
    let json = browser.ask("POST", &format!("/api{path}/underway"), "application/json", "{}".to_owned()).await;
    let done: Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!((done["done"].as_u64(), done["refused"][0]["code"].as_str()), (Some(1), Some("already_acknowledged")));
    browser.origin = Some("https://evil.example");
    assert_eq!(browser.post(&format!("{path}/close"), "outcome=x").await.status, StatusCode::FORBIDDEN);
    browser.origin = Some(crate::desk::world::CONSOLE);
    assert_eq!(browser.post(&format!("/alarms/{one}/leave"), "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
}

async fn press(world: &mut World, phone: &Phone, kind: AlarmKind) -> AlarmId {
    let (alarm, _) = world.alarm(phone, kind);
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    alarm.value().header.alarm
}

#[tokio::test]
async fn traccar_5000_past_twenty_a_minute_one_devices_alarms_are_one_entry_and_none_is_lost() {
    let mut world = World::with_channels(WEBHOOK).await;
    let (jansen, _) = world.officer("Agent Jansen");
    let (phone, other) = (world.phone().await, world.phone().await);
    let mut pressed = Vec::new();
    for _ in 0..50 {
        pressed.push(press(&mut world, &phone, AlarmKind::Panic).await);
    }
    let entry = pressed[19];
    let list = world.desk.alarms(true).unwrap();
    assert_eq!((list.alarms.len(), list.open), (20, 20));
    let folded: Vec<(AlarmId, u32)> =
        list.alarms.iter().filter(|alarm| alarm.folded > 0).map(|alarm| (alarm.alarm, alarm.folded)).collect();
    assert_eq!(folded, [(entry, 30)]);
    // None is refused: each was answered as received, and can be looked at.
    assert_eq!(said(&world).iter().filter(|(_, state)| *state == ReceiptState::Received).count(), 50);
    let detail = world.desk.alarm(entry).unwrap().unwrap();
    assert_eq!((detail.folded_alarms.len(), detail.folded_alarms[0].alarm), (30, pressed[49]));
    assert!(world.desk.alarm(pressed[30]).unwrap().unwrap().deliveries.is_empty(), "machines are told once");
    // Something graver, and somebody else's, does not hide behind it.
    let medical = press(&mut world, &phone, AlarmKind::Medical).await;
    let others = press(&mut world, &other, AlarmKind::Panic).await;
    let shown: Vec<AlarmId> = world.desk.alarms(true).unwrap().alarms.iter().map(|alarm| alarm.alarm).collect();
    assert!(shown.contains(&medical) && shown.contains(&others));
    // What the entry gets, each of them gets.
    world.desk.act(entry, &jansen, &ACKNOWLEDGE).await.unwrap();
    let detail = world.desk.alarm(entry).unwrap().unwrap();
    assert!(!detail.summary.ringing && detail.folded_alarms.iter().all(|one| one.state == ReceiptState::Seen));
    // One that comes after rings, until the entry is taken once more; then all are closed together.
    let late = press(&mut world, &phone, AlarmKind::Panic).await;
    let detail = world.desk.alarm(entry).unwrap().unwrap();
    assert_eq!((detail.summary.ringing, detail.summary.folded, detail.summary.folded_ringing), (true, 31, 1));
    world.desk.act(entry, &jansen, &ACKNOWLEDGE).await.unwrap();
    world.restart();
    world
        .desk
        .act(entry, &jansen, &Act::Close { outcome: "knop zat klem".to_owned(), ending: Ending::FalseAlarm })
        .await
        .unwrap();
    let of_late: Vec<ReceiptState> =
        world.desk.alarm(late).unwrap().unwrap().receipts.iter().map(|one| one.state).collect();
    assert_eq!(of_late, [ReceiptState::Received, ReceiptState::Seen, ReceiptState::Closed]);
    // And what they were holds for all: the entry, and 31 behind it.
    let endings = figures_of(world.dir.path(), 1, world.clock.now()).unwrap().endings;
    assert_eq!(endings.get(&Ending::FalseAlarm), Some(&Count::Exactly(32)));
    assert_eq!(world.desk.alarm(pressed[25]).unwrap().unwrap().summary.state, ReceiptState::Closed);
    // A minute later an alarm is an alarm again.
    world.clock.advance(61_000);
    let later = press(&mut world, &phone, AlarmKind::Panic).await;
    assert!(world.desk.alarms(true).unwrap().alarms.iter().any(|alarm| alarm.alarm == later && alarm.folded == 0));
}

#[tokio::test]
async fn i5_a_flood_that_a_relay_forges_hides_no_true_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let forger = Phone {
        keys: baken_schemas::device::DeviceKeys { device: phone.keys.device, ..world.relay.clone() },
        ..phone.clone()
    };
    for _ in 0..25 {
        press(&mut world, &forger, AlarmKind::Panic).await;
    }
    let true_one = press(&mut world, &phone, AlarmKind::Panic).await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!(list.alarms.len(), 21);
    assert!(list.alarms.iter().any(|alarm| alarm.alarm == true_one && alarm.ringing && alarm.folded == 0));
}

#[tokio::test]
async fn what_is_folded_behind_an_entry_that_another_desk_closed_rings_by_itself() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut pressed = Vec::new();
    for _ in 0..25 {
        pressed.push(world.ringing(&phone).await);
    }
    let (entry, content) = pressed[19].clone();
    assert_eq!(world.desk.alarms(true).unwrap().alarms.len(), 20);
    let closed = world.others_receipt(&entry, &content, ReceiptState::Closed);
    world.bring(MailKind::Receipt, closed.bytes()).await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!((list.alarms.len(), list.open), (24, 24));
    assert!(pressed[20..].iter().all(|(alarm, _)| {
        list.alarms.iter().any(|shown| shown.alarm == alarm.value().header.alarm && shown.ringing)
    }));
}

#[tokio::test]
async fn duress_about_a_folded_alarm_rings_of_its_own() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut last = None;
    for _ in 0..21 {
        last = Some(world.ringing(&phone).await.0.value().header.alarm);
    }
    let open = world.desk.alarms(true).unwrap().open;
    let note = world.note(&phone, NoteKind::Withdrawn, true, last);
    world.bring(MailKind::Note, note.bytes()).await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!(list.open, open + 1);
    assert!(list.alarms.iter().any(|alarm| alarm.duress && alarm.ringing && alarm.discreet));
}

#[tokio::test]
async fn of_a_flood_at_one_button_no_other_button_of_the_bridge_is_hidden() {
    let mut world = World::new().await;
    let bridge = world.phone().await;
    let directory = world.directory();
    let mut press = async |button: &str| {
        let provenance = Provenance::Button { button: button.to_owned(), transport: "SIA DC-09, plain".to_owned() };
        let body = AlarmBody { kind: AlarmKind::Button, provenance, ..body() };
        let header = world.header(&bridge);
        let sealed = Alarm::seal(header, &body, &directory, &bridge.keys.alarm, &mut world.rng).unwrap();
        world.bring(MailKind::Alarm, sealed.0.bytes()).await;
        header.alarm
    };
    for _ in 0..30 {
        press("0001").await;
    }
    let other = press("0002").await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!(list.alarms.len(), 21);
    assert!(list.alarms.iter().any(|alarm| alarm.alarm == other && alarm.ringing && alarm.folded == 0));
}
