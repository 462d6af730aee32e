//! Alarms by text message at the relay: a true text is the phone's alarm, whichever way it comes first, and no other is.

use baken_schemas::alarm::{
    Alarm, AlarmClass, AlarmHeader, AlarmKind, Fix, FixAbsent, Receipt, ReceiptState, SmsAlarm, SmsBody, SmsContext,
    SmsContextHeader, SmsKeys, SmsNumber, SmsText, check_receipt,
};
use baken_schemas::api::{self, MailKind};
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::SmsContextId;
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::relay::FOLLOW_UP_MS;

use crate::relay::world::{Answer, World, alarm_body};

fn context(world: &mut World, phone: &DeviceKeys) -> (Signed<SmsContext>, SmsKeys) {
    let directory = world.directory.value();
    let header = SmsContextHeader {
        context: SmsContextId::make(&mut world.rng),
        device: phone.device,
        ladder: directory.ladders[0].ladder,
        ladder_version: directory.ladders[0].version,
    };
    SmsContext::make(header, directory, &phone.alarm, &mut world.rng).unwrap()
}

fn numbered(counter: u32) -> SmsNumber {
    SmsNumber { counter, salt: [1, 2, 3, 4] }
}

fn text(keys: &SmsKeys, counter: u32, made_at: i64) -> SmsText {
    let body = SmsBody {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        made_at: Timestamp(made_at),
        card_key: SymmetricKey::from_slice(&[3; 32]).unwrap(),
    };
    SmsText::seal(keys, numbered(counter), &body)
}

async fn leave(world: &mut World, phone: &DeviceKeys, context: &Signed<SmsContext>) -> Answer {
    world.call_locked(phone, "POST", api::SMS_CONTEXTS, context.bytes()).await
}

async fn bring(world: &mut World, bridge: &DeviceKeys, text: &SmsText) -> Answer {
    let alarm = SmsAlarm { bridge: bridge.device, text: text.to_bytes().into(), taken_at: world.clock.now() };
    world.call_locked(bridge, "POST", api::SMS, Signed::make(alarm, &bridge.alarm).bytes()).await
}

fn by_data(world: &mut World, phone: &DeviceKeys, keys: &SmsKeys, counter: u32) -> Signed<Alarm> {
    let directory = world.directory.value();
    let header = AlarmHeader {
        alarm: keys.alarm(numbered(counter)),
        device: phone.device,
        class: AlarmClass::Alarm,
        ladder: directory.ladders[0].ladder,
        ladder_version: directory.ladders[0].version,
    };
    Alarm::seal(header, &alarm_body(), directory, &phone.alarm, &mut world.rng).unwrap().0
}

fn names(world: &World, answer: Answer) -> Hash {
    let receipt = check_receipt(&answer.ok(), world.directory.value()).unwrap().into_value();
    assert_eq!((receipt.state, receipt.prev), (ReceiptState::Stored, Hash::ZERO));
    receipt.alarm_hash
}

#[tokio::test]
async fn i1_a_text_is_the_phones_alarm_once_whatever_is_brought_again() {
    let mut world = World::new().await;
    let (phone, bridge) = (world.phone().await, world.phone().await);
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (left, keys) = context(&mut world, &phone);
    // Before the context is there, nobody knows whose text it is.
    bring(&mut world, &bridge, &text(&keys, 1, 0)).await.is(404, "not_found");
    leave(&mut world, &phone, &left).await.ok();
    leave(&mut world, &phone, &left).await.ok();
    let told = text(&keys, 1, 0);
    for _ in 0..2 {
        let answer = bring(&mut world, &bridge, &told).await;
        assert_eq!(names(&world, answer), told.hash());
        world.restart().await;
        world.clock.advance(1_000);
    }
    assert_eq!(world.count(&first, MailKind::Sms).await, 1);
    assert_eq!(world.count(&second, MailKind::Sms).await, 0);
    // A second text under the number of the first is none: only the phone could make one, and it does not.
    bring(&mut world, &bridge, &text(&keys, 1, 5)).await.is(409, "alarm_conflict");
    // It climbs like any other.
    world.clock.advance(3_600_000);
    world.relay.tick(world.relay.now()).await.unwrap();
    assert_eq!(world.count(&second, MailKind::Sms).await, 1);
    assert_eq!(world.audited("sms_stored").len(), 2);
}

#[tokio::test]
async fn the_alarm_by_data_joins_the_text_and_the_ladder_goes_on_as_it_was() {
    let mut world = World::new().await;
    let (phone, bridge) = (world.phone().await, world.phone().await);
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (left, keys) = context(&mut world, &phone);
    leave(&mut world, &phone, &left).await.ok();
    let told = text(&keys, 1, 0);
    bring(&mut world, &bridge, &told).await.ok();
    // A desk's officer has it.
    let receipt = Receipt {
        alarm: keys.alarm(numbered(1)),
        alarm_hash: told.hash(),
        state: ReceiptState::Seen,
        at: world.clock.now(),
        by: first.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    world.send_receipt(&first, &Signed::make(receipt.clone(), &first.sig)).await.ok();
    let alarm = by_data(&mut world, &phone, &keys, 1);
    for _ in 0..2 {
        let answer = world.press(&phone, &alarm).await;
        assert_eq!(names(&world, answer), alarm.hash());
    }
    assert_eq!(world.count(&first, MailKind::Alarm).await, 1);
    // Neither a second alarm nor a second climb, as long as something may still follow.
    world.clock.advance(FOLLOW_UP_MS - 1);
    world.relay.tick(world.relay.now()).await.unwrap();
    assert_eq!(world.count(&second, MailKind::Alarm).await + world.count(&second, MailKind::Sms).await, 0);
    // Receipts for either form are taken, those for other bytes are not.
    let of_data = Receipt { alarm_hash: alarm.hash(), state: ReceiptState::Closed, ..receipt.clone() };
    world.send_receipt(&first, &Signed::make(of_data, &first.sig)).await.ok();
    let of_nothing = Receipt { alarm_hash: Hash([9; 32]), ..receipt };
    world.send_receipt(&first, &Signed::make(of_nothing, &first.sig)).await.is(403, "not_handed");
    // A third form is the conflict that it always was.
    let other = by_data(&mut world, &phone, &keys, 1);
    world.press(&phone, &other).await.is(409, "alarm_conflict");
}

#[tokio::test]
async fn a_text_after_the_alarm_is_handed_to_who_has_it_and_to_who_is_called_later() {
    let mut world = World::new().await;
    let (phone, bridge) = (world.phone().await, world.phone().await);
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (left, keys) = context(&mut world, &phone);
    leave(&mut world, &phone, &left).await.ok();
    let alarm = by_data(&mut world, &phone, &keys, 7);
    world.press(&phone, &alarm).await.ok();
    let told = text(&keys, 7, 0);
    let answer = bring(&mut world, &bridge, &told).await;
    assert_eq!(names(&world, answer), told.hash());
    assert_eq!((world.count(&first, MailKind::Alarm).await, world.count(&first, MailKind::Sms).await), (1, 1));
    world.clock.advance(3_600_000);
    world.relay.tick(world.relay.now()).await.unwrap();
    assert_eq!((world.count(&second, MailKind::Alarm).await, world.count(&second, MailKind::Sms).await), (1, 1));
}

#[tokio::test]
async fn only_a_phones_own_context_and_only_its_own_texts_count() {
    let mut world = World::new().await;
    let (phone, other, bridge) = (world.phone().await, world.phone().await, world.phone().await);
    let (left, keys) = context(&mut world, &phone);
    leave(&mut world, &other, &left).await.is(422, "bad_signature");
    let forged = Signed::make(left.value().clone(), &other.alarm);
    leave(&mut world, &phone, &forged).await.is(422, "bad_signature");
    leave(&mut world, &phone, &left).await.ok();
    // Another context under the same id.
    let (twice, _) = context(&mut world, &phone);
    let mut taken = twice.into_value();
    taken.header.context = left.value().header.context;
    leave(&mut world, &phone, &Signed::make(taken, &phone.alarm)).await.is(409, "conflict");
    // A text that somebody without the phone's keys made up, and one that another bridge signed.
    let stranger = SmsKeys { tag_key: SymmetricKey::make(&mut world.rng), ..keys.clone() };
    bring(&mut world, &bridge, &text(&stranger, 1, 0)).await.is(422, "bad_signature");
    let by_other = SmsAlarm { bridge: other.device, text: text(&keys, 1, 0).to_bytes().into(), taken_at: Timestamp(0) };
    let by_other = Signed::make(by_other, &other.alarm);
    world.call_locked(&bridge, "POST", api::SMS, by_other.bytes()).await.is(422, "bad_signature");
    // Another device has an alarm by that id: the text is not joined to it.
    let taken = by_data(&mut world, &other, &keys, 3);
    world.press(&other, &taken).await.ok();
    bring(&mut world, &bridge, &text(&keys, 3, 0)).await.is(409, "alarm_conflict");
    let desk = world.desks[0].clone();
    assert_eq!(world.count(&desk, MailKind::Sms).await, 0);
}

#[tokio::test]
async fn a_phone_has_a_bounded_number_of_contexts_and_the_newest_stay() {
    let mut world = World::new().await;
    let (phone, bridge) = (world.phone().await, world.phone().await);
    let mut all = Vec::new();
    for _ in 0..33 {
        let (left, keys) = context(&mut world, &phone);
        world.clock.advance(1);
        leave(&mut world, &phone, &left).await.ok();
        all.push(keys);
    }
    bring(&mut world, &bridge, &text(&all[0], 1, 0)).await.is(404, "not_found");
    bring(&mut world, &bridge, &text(&all[1], 1, 0)).await.ok();
    bring(&mut world, &bridge, &text(&all[32], 1, 0)).await.ok();
}
