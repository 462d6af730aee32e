//! What happens when nothing follows on an alarm that somebody has seen.

use baken_schemas::alarm::{ReceiptState, check_receipt};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::signed::Signed;
use baken_server::desk::{Act, ActError, Ending};

use crate::desk::world::World;

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };
const WAIT_MS: i64 = 300_000;
const WEBHOOK: &str = "[[webhook]]\nname = \"regie\"\nurl = \"http://127.0.0.1:9/\"\nown_network = true\n\
                       secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nevents = [\"received\"]\n";

async fn look_again(world: &World) {
    world.desk.reopen_overdue().await.unwrap();
}

#[tokio::test]
async fn grafana_oncall_1206_an_alarm_that_nothing_follows_on_rings_again_although_the_desk_was_killed() {
    let mut world = World::with_channels(WEBHOOK).await;
    let phone = world.phone().await;
    let ((jansen, _), (bakker, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    world.clock.advance(WAIT_MS - 5_000);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Seen);
    // Its process is gone when it falls due.
    world.restart();
    world.clock.advance(5_001);
    look_again(&world).await;
    look_again(&world).await;
    let shown = world.view(&alarm);
    assert!(shown.summary.ringing && shown.summary.held_by.is_none());
    assert_eq!(shown.summary.had_by.unwrap().officer.as_deref(), Some("Agent Jansen"));
    let signed = world.desk.outgoing_receipts().unwrap();
    let last = check_receipt(&signed.last().unwrap().document, &world.directory()).unwrap();
    assert_eq!(last.value().state, ReceiptState::Reopened);
    assert_ne!(last.value().prev, Hash::ZERO);
    // Who is called for an alarm was called again, and once.
    let called: Vec<ReceiptState> = shown.deliveries.iter().map(|delivery| delivery.event).collect();
    assert_eq!(called, [ReceiptState::Received, ReceiptState::Reopened]);
    let verify = Act::Verify { how: "gebeld".to_owned() };
    assert!(matches!(world.desk.act(id, &bakker, &verify).await, Err(ActError::NotTaken)));
    // Anybody takes it, who had it too; and it is reopened again when nothing follows again.
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    world.clock.advance(WAIT_MS + 1);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).deliveries.len(), 3);
    world.desk.act(id, &bakker, &ACKNOWLEDGE).await.unwrap();
    assert_eq!(world.view(&alarm).summary.held_by.unwrap().officer.as_deref(), Some("Agent Bakker"));
}

#[tokio::test]
async fn grafana_oncall_3111_what_was_followed_up_is_not_called_out_again_months_later() {
    let mut world = World::with_channels(WEBHOOK).await;
    let phone = world.phone().await;
    let (jansen, _) = world.officer("Agent Jansen");
    let verify = Act::Verify { how: "gebeld".to_owned() };
    let underway = Act::Underway { what: String::new() };
    let close = Act::Close { outcome: "klaar".to_owned(), ending: Ending::Unsaid };
    for act in [verify, underway, close] {
        let (alarm, _) = world.ringing(&phone).await;
        let id = alarm.value().header.alarm;
        world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
        world.desk.act(id, &jansen, &act).await.unwrap();
        world.clock.advance(90 * 24 * 3_600_000);
        assert_eq!(world.desk.reopen_overdue().await.unwrap(), None, "nothing is waited for");
        assert_eq!(world.view(&alarm).summary.state, act.state());
        assert_eq!(world.view(&alarm).deliveries.len(), 1);
    }
}

#[tokio::test]
async fn another_desk_that_takes_it_watches_over_it_itself() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (jansen, _) = world.officer("Agent Jansen");
    let (alarm, content) = world.ringing(&phone).await;
    world.desk.act(alarm.value().header.alarm, &jansen, &ACKNOWLEDGE).await.unwrap();
    let theirs = world.others_receipt(&alarm, &content, ReceiptState::Seen);
    world.bring(MailKind::Receipt, theirs.bytes()).await;
    world.clock.advance(WAIT_MS + 1);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Seen);
}

#[tokio::test]
async fn taking_over_starts_the_wait_anew_and_a_clock_set_back_does_not_prolong_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let ((jansen, _), (bakker, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    world.clock.advance(WAIT_MS - 5_000);
    let holding = world.view(&alarm).summary.held_by.unwrap().receipt;
    world.desk.act(id, &bakker, &Act::TakeOver { holding }).await.unwrap();
    world.clock.advance(10_000);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Seen);
    world.clock.advance(-365 * 24 * 3_600_000);
    look_again(&world).await;
    world.clock.advance(WAIT_MS + 1);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Reopened);
}

#[tokio::test]
async fn grafana_oncall_3161_an_acknowledgement_that_meets_a_closing_reopens_nothing() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let ((jansen, _), (bakker, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    let holding = world.view(&alarm).summary.held_by.unwrap().receipt;
    let (close, take) = (Act::Close { outcome: "klaar".to_owned(), ending: Ending::Unsaid }, Act::TakeOver { holding });
    let (closed, taken) = tokio::join!(world.desk.act(id, &jansen, &close), world.desk.act(id, &bakker, &take));
    assert!(closed.is_ok() && matches!(taken, Err(ActError::Closed)), "{closed:?} {taken:?}");
    world.clock.advance(WAIT_MS + 1);
    look_again(&world).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Closed);
}

#[tokio::test]
async fn the_relay_that_reopens_rings_here_too_and_the_officer_may_go_on() {
    let mut world = World::with_channels(WEBHOOK).await;
    let phone = world.phone().await;
    let (jansen, _) = world.officer("Agent Jansen");
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &jansen, &ACKNOWLEDGE).await.unwrap();
    let reopened = baken_schemas::alarm::Receipt {
        alarm: id,
        alarm_hash: alarm.hash(),
        state: ReceiptState::Reopened,
        at: world.desk.now(),
        by: world.relay.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let reopened = Signed::make(reopened, &world.relay.sig);
    world.bring(MailKind::Receipt, reopened.bytes()).await;
    let shown = world.view(&alarm);
    assert!(shown.summary.ringing);
    assert_eq!(shown.deliveries.last().unwrap().event, ReceiptState::Reopened);
    world.desk.act(id, &jansen, &Act::Underway { what: "eenheid 12".to_owned() }).await.unwrap();
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Underway);
}
