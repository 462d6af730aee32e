//! A desk that acknowledged and then went silent: the relay calls the next rung after all.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::api::MailKind;
use baken_schemas::time::Clock as _;
use baken_server::relay::FOLLOW_UP_MS;

use crate::relay::world::{FIRST_WAIT_MS, SECOND_WAIT_MS, World};

async fn tick(world: &World) {
    world.relay.tick(world.clock.now()).await.unwrap();
}

#[tokio::test]
async fn grafana_oncall_1206_a_desk_that_goes_silent_is_passed_by_although_the_relay_restarts() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    world.clock.advance(FOLLOW_UP_MS - 1);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    world.restart().await;
    world.clock.advance(1);
    tick(&world).await;
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    for device in [&phone, &first, &second] {
        let told = world.told(device).await;
        let states: Vec<ReceiptState> = told.iter().map(|receipt| receipt.value().state).collect();
        assert_eq!(states.last(), Some(&ReceiptState::Reopened));
        assert_eq!(told.last().unwrap().value().by, world.relay_keys.device);
    }
    // The second rung waits as any does; nobody answers there either.
    world.clock.advance(SECOND_WAIT_MS);
    tick(&world).await;
    assert_eq!(world.told(&phone).await.last().unwrap().value().state, ReceiptState::Exhausted);
    assert_eq!(world.audited("alarm_reopened").len(), 1);
}

#[tokio::test]
async fn grafana_oncall_3111_what_was_followed_up_is_not_called_out_again_months_later() {
    for last in [ReceiptState::Verified, ReceiptState::Underway, ReceiptState::Closed] {
        let mut world = World::new().await;
        let phone = world.phone().await;
        let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
        let (alarm, _) = world.alarm(&phone);
        world.press(&phone, &alarm).await.ok();
        let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
        let further = world.receipt_after(&first, &alarm, last, seen.hash());
        // In whichever order they come.
        world.send_receipt(&first, &further).await.ok();
        world.send_receipt(&first, &seen).await.ok();
        world.clock.advance(90 * 24 * 3_600_000);
        tick(&world).await;
        assert_eq!(world.count(&second, MailKind::Alarm).await, 0, "{last:?}");
    }
}

#[tokio::test]
async fn each_time_somebody_takes_it_the_wait_starts_anew() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    world.clock.advance(FOLLOW_UP_MS - 1);
    let taken_over = world.receipt_after(&first, &alarm, ReceiptState::Seen, seen.hash());
    world.send_receipt(&first, &taken_over).await.ok();
    world.clock.advance(FOLLOW_UP_MS - 1);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    world.clock.advance(-365 * 24 * 3_600_000);
    tick(&world).await;
    world.clock.advance(FOLLOW_UP_MS);
    tick(&world).await;
    assert_eq!(
        world.count(&second, MailKind::Alarm).await,
        1,
        "a clock that is set back delays it by one wait at most"
    );
}

#[tokio::test]
async fn a_desk_that_reopens_has_the_ladder_go_on_from_where_it_stopped() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    let reopened = world.receipt_after(&first, &alarm, ReceiptState::Reopened, seen.hash());
    world.send_receipt(&first, &reopened).await.ok();
    world.clock.advance(FIRST_WAIT_MS - 1);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    world.clock.advance(1);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    let states: Vec<ReceiptState> = world.told(&phone).await.iter().map(|receipt| receipt.value().state).collect();
    assert_eq!(states, [ReceiptState::Seen, ReceiptState::Reopened], "the relay has nothing of its own to say");
    // Somebody takes it, and it stops.
    let again = world.receipt_after(&first, &alarm, ReceiptState::Seen, reopened.hash());
    world.send_receipt(&first, &again).await.ok();
    world.clock.advance(SECOND_WAIT_MS);
    tick(&world).await;
    assert_eq!(world.told(&phone).await.len(), 3, "it did not run out");
}
