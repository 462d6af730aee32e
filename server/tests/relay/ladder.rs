//! The ladder: climbs when nobody answers, stops when a human does, tells everybody when it runs out.

use std::time::Duration;

use baken_schemas::alarm::{ReceiptState, check_receipt};
use baken_schemas::api::MailKind;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;

use crate::relay::world::{FIRST_WAIT_MS, SECOND_WAIT_MS, World};

async fn tick(world: &World) {
    world.relay.tick(world.clock.now()).await.unwrap();
}

#[tokio::test]
async fn without_a_human_in_time_the_next_rung_is_called() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    // A machine that has it is no human.
    let received = world.receipt(&first, &alarm, ReceiptState::Received);
    world.send_receipt(&first, &received).await.ok();
    world.clock.advance(FIRST_WAIT_MS - 1);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    world.clock.advance(1);
    tick(&world).await;
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    assert_eq!(world.count(&first, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn a_desks_own_seen_stops_it_and_a_forged_one_does_not() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    let forged = Signed::make(seen.value().clone(), &second.sig);
    world.send_receipt(&first, &forged).await.is(422, "bad_signature");
    world.clock.advance(FIRST_WAIT_MS);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1, "a forged receipt stopped the ladder");
    world.send_receipt(&first, &seen).await.ok();
    // The other desk is told at once.
    assert_eq!(world.count(&second, MailKind::Receipt).await, 2);
    world.clock.advance(5 * SECOND_WAIT_MS);
    tick(&world).await;
    let mail = world.mail(&phone, 0).await;
    let states: Vec<_> = mail
        .iter()
        .filter(|(_, mail)| mail.kind == MailKind::Receipt)
        .map(|(_, mail)| check_receipt(&mail.document, world.directory.value()).unwrap().value().state)
        .collect();
    assert_eq!(states, [ReceiptState::Seen]);
}

#[tokio::test]
async fn a_ladder_that_runs_out_tells_the_phone_and_everybody_on_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    let stored = world.press(&phone, &alarm).await.ok();
    world.clock.advance(FIRST_WAIT_MS);
    tick(&world).await;
    world.clock.advance(SECOND_WAIT_MS - 1);
    tick(&world).await;
    assert_eq!(world.count(&phone, MailKind::Receipt).await, 0);
    world.clock.advance(1);
    tick(&world).await;
    world.clock.advance(10 * SECOND_WAIT_MS);
    tick(&world).await;
    for keys in [&phone, &first, &second] {
        let mail = world.mail(keys, 0).await;
        let (_, told) = mail.last().unwrap();
        let receipt = check_receipt(&told.document, world.directory.value()).unwrap().into_value();
        assert_eq!(receipt.state, ReceiptState::Exhausted);
        let stored = check_receipt(&stored, world.directory.value()).unwrap();
        assert_eq!(receipt.prev, stored.hash());
    }
    assert_eq!(world.count(&phone, MailKind::Receipt).await, 1);
    // A human who comes late is still heard.
    let seen = world.receipt(&second, &alarm, ReceiptState::Seen);
    world.send_receipt(&second, &seen).await.ok();
    assert_eq!(world.count(&phone, MailKind::Receipt).await, 2);
}

#[tokio::test]
async fn i1_deadlines_outlive_a_restart() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let second = world.desks[1].clone();
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let due = world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(due, Some(world.clock.now().plus_ms(FIRST_WAIT_MS)));
    world.clock.advance(FIRST_WAIT_MS / 2);
    world.restart().await;
    assert_eq!(world.relay.tick(world.clock.now()).await.unwrap(), due);
    world.clock.advance(FIRST_WAIT_MS / 2);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn a_clock_set_back_ten_years_delays_a_ladder_by_one_wait_at_most() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let second = world.desks[1].clone();
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    world.clock.advance(-10 * 365 * 24 * 3_600_000);
    tick(&world).await;
    world.clock.advance(FIRST_WAIT_MS);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn the_ticker_climbs_by_itself() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let second = world.desks[1].clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relay = world.relay.clone();
    let ticker = tokio::spawn(async move { relay.run_ticker(async { drop(stopped.await) }).await });
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    world.clock.advance(FIRST_WAIT_MS);
    let climbed = async {
        while world.count(&second, MailKind::Alarm).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), climbed).await.expect("the ladder climbs");
    drop(stop);
    ticker.await.unwrap();
}

#[tokio::test]
async fn oncall_934_who_was_called_first_can_still_take_it_after_the_ladder_climbed() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    world.clock.advance(FIRST_WAIT_MS);
    tick(&world).await;
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    // Nothing was taken from the first desk: what follows reaches it, and its word ends the climb.
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    world.clock.advance(5 * SECOND_WAIT_MS);
    tick(&world).await;
    let told = world.told(&phone).await;
    assert_eq!(told.iter().map(|receipt| receipt.value().state).collect::<Vec<_>>(), [ReceiptState::Seen]);
    assert_eq!(world.told(&second).await.last().unwrap().value().by, first.device);
}
