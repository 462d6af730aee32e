//! Who has an alarm now, and how that changes hands.

use baken_schemas::alarm::{ReceiptState, check_receipt};
use baken_schemas::crypto::Hash;
use baken_server::desk::{Act, ActError};
use http::StatusCode;
use serde_json::json;

use crate::desk::console::{Browser, desk_of};
use crate::desk::world::World;

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };

fn holding(world: &World, alarm: &baken_schemas::signed::Signed<baken_schemas::alarm::Alarm>) -> Hash {
    world.view(alarm).summary.held_by.expect("somebody has it").receipt
}

fn holder(world: &World, alarm: &baken_schemas::signed::Signed<baken_schemas::alarm::Alarm>) -> Option<String> {
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
    assert!(!shown.text.contains("Overdragen"), "only the holder hands it on");
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
