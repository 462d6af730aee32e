//! Handing an alarm on to a desk that is not on its ladder, and sending one to the next rung by hand.

use baken_schemas::alarm::{Alarm, Card, CardBody, ContentKey, Escalation, HandedAlarm, HandingOn, ReceiptState};
use baken_schemas::api::{self, MailKind};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;
use baken_server::relay::FOLLOW_UP_MS;

use crate::relay::world::{FIRST_WAIT_MS, SECOND_WAIT_MS, World, directory};

/// A third desk of the directory, on no ladder.
async fn third_desk(world: &mut World) -> DeviceKeys {
    let third = DeviceKeys::make(&mut world.rng);
    let desks = [world.desks[0].clone(), world.desks[1].clone(), third.clone()];
    world.directory = directory(&world.relay_keys, &world.root, &desks, 2, &mut world.rng);
    world.publish(world.directory.bytes()).await.ok();
    third
}

fn handing_on(
    world: &mut World,
    by: &DeviceKeys,
    to: &DeviceKeys,
    (alarm, content): (&Signed<Alarm>, &ContentKey),
) -> Signed<HandingOn> {
    let entry = world.directory.value().desk(to.device).unwrap().clone();
    let handed = HandedAlarm {
        alarm: alarm.value().header.alarm,
        alarm_hash: alarm.hash(),
        at: world.clock.now(),
        by: by.device,
    };
    HandingOn::make(&handed, &entry, (content, None), &by.sig, &mut world.rng).unwrap()
}

async fn send(world: &mut World, by: &DeviceKeys, handing: &Signed<HandingOn>) -> crate::relay::world::Answer {
    world.call(by, "POST", api::HANDINGS_ON, handing.bytes()).await
}

#[tokio::test]
async fn a_desk_off_the_ladder_gets_the_key_the_alarm_and_all_that_belongs_to_it() {
    let mut world = World::new().await;
    let third = third_desk(&mut world).await;
    let phone = world.phone().await;
    let first = world.desks[0].clone();
    let key = SymmetricKey::make(&mut world.rng);
    let card = Card::seal(phone.device, 1, &CardBody::default(), &key, &phone.sig, &mut world.rng).unwrap();
    let card_path = api::CARD.replace("{device}", &phone.device.to_string());
    world.call(&phone, "PUT", &card_path, card.bytes()).await.ok();
    let (alarm, content) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    world.call(&third, "GET", &card_path, &[]).await.is(403, "not_handed");
    let early = world.receipt(&third, &alarm, ReceiptState::Seen);
    world.send_receipt(&third, &early).await.is(403, "not_handed");

    let handing = handing_on(&mut world, &first, &third, (&alarm, &content));
    for _ in 0..2 {
        send(&mut world, &first, &handing).await.ok();
    }
    let mail: Vec<MailKind> = world.mail(&third, 0).await.into_iter().map(|(_, mail)| mail.kind).collect();
    let mail: Vec<MailKind> = mail.into_iter().filter(|kind| *kind != MailKind::Directory).collect();
    assert_eq!(mail[..2], [MailKind::HandingOn, MailKind::Alarm], "the key comes before what it opens");
    assert_eq!(mail.iter().filter(|kind| **kind == MailKind::Receipt).count(), 2, "stored, and seen");
    assert_eq!(handing.value().open(&third.kem).unwrap(), content);
    assert_eq!(world.count(&phone, MailKind::HandingOn).await, 1);
    world.call(&third, "GET", &card_path, &[]).await.ok();
    world.send_receipt(&third, &early).await.ok();
    assert_eq!(world.count(&first, MailKind::Receipt).await, 1, "what the third says reaches the first");
    assert_eq!(world.audited("alarm_handed_on").len(), 1);
}

#[tokio::test]
async fn nobody_hands_on_what_was_not_handed_to_them_nor_in_anothers_name_nor_to_a_stranger() {
    let mut world = World::new().await;
    let third = third_desk(&mut world).await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, content) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let not_handed = handing_on(&mut world, &second, &third, (&alarm, &content));
    send(&mut world, &second, &not_handed).await.is(403, "not_handed");
    let in_firsts_name = handing_on(&mut world, &first, &third, (&alarm, &content));
    send(&mut world, &second, &in_firsts_name).await.is(422, "bad_signature");
    let of_other_bytes = HandingOn { alarm_hash: Hash([7; 32]), ..in_firsts_name.value().clone() };
    send(&mut world, &first, &Signed::make(of_other_bytes, &first.sig)).await.is(403, "not_handed");
    let to_a_stranger = HandingOn { to: phone.device, ..in_firsts_name.value().clone() };
    let answer = send(&mut world, &first, &Signed::make(to_a_stranger, &first.sig)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(world.count(&third, MailKind::Alarm).await, 0);
}

#[tokio::test]
async fn what_is_handed_on_still_has_to_be_followed_up() {
    let mut world = World::new().await;
    let third = third_desk(&mut world).await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, content) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let seen = world.receipt(&first, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &seen).await.ok();
    world.clock.advance(FOLLOW_UP_MS - 1);
    let handing = handing_on(&mut world, &first, &third, (&alarm, &content));
    send(&mut world, &first, &handing).await.ok();
    world.clock.advance(FIRST_WAIT_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0, "it has as long as who had it first");
    world.clock.advance(FOLLOW_UP_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1, "and then the ladder goes on where it stood");
    assert_eq!(world.count(&second, MailKind::HandingOn).await, 1, "who is called later learns of it");
    assert_eq!(world.told(&third).await.last().unwrap().value().state, ReceiptState::Reopened);
}

#[tokio::test]
async fn who_was_handed_it_on_and_is_then_called_by_its_rung_ends_the_climb() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, content) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let handing = handing_on(&mut world, &first, &second, (&alarm, &content));
    send(&mut world, &first, &handing).await.ok();
    let escalation = Escalation {
        alarm: alarm.value().header.alarm,
        alarm_hash: alarm.hash(),
        at: world.clock.now(),
        by: first.device,
        detail: Vec::new(),
    };
    world.call(&first, "POST", api::ESCALATIONS, Signed::make(escalation, &first.sig).bytes()).await.ok();
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1, "it has it already");
    let seen = world.receipt(&second, &alarm, ReceiptState::Seen);
    world.send_receipt(&second, &seen).await.ok();
    let before = world.count(&phone, MailKind::Receipt).await;
    world.clock.advance(5 * SECOND_WAIT_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(world.count(&phone, MailKind::Receipt).await, before, "nothing ran out");
}
