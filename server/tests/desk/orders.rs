//! Orders by which devices freeze themselves: sealed in every note, handed on for duress alone.

use baken_schemas::alarm::{NoteBody, NoteKind};
use baken_schemas::api::MailKind;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, CircleId};
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use crate::desk::world::{Phone, World};

fn freeze(keys: &DeviceKeys, number: u64) -> Signed<Order> {
    let (device, circle) = (keys.device, CircleId([4; 16]));
    let order = Order { circle, device, author: device, kind: OrderKind::Freeze, number, made_at: Timestamp(0) };
    Signed::make(order, &keys.sig)
}

fn with(order: &Signed<Order>, duress: bool, alarm: Option<AlarmId>) -> NoteBody {
    let freeze = Some(order.bytes().to_vec().into());
    NoteBody { kind: NoteKind::Unlocked, duress, alarm, made_at: Timestamp(0), freeze }
}

async fn note(world: &mut World, phone: &Phone, body: NoteBody) {
    let note = world.note_with(phone, body);
    world.bring(MailKind::Note, note.bytes()).await;
    // The relay brings it once more, at another place.
    world.bring(MailKind::Note, note.bytes()).await;
}

fn outgoing(world: &World) -> Vec<Vec<u8>> {
    world.desk.outgoing_orders().unwrap().into_iter().map(|order| order.document).collect()
}

#[tokio::test]
async fn an_order_is_handed_on_for_duress_and_never_for_an_ordinary_unlocking() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let [first, second] = [1, 2].map(|number| freeze(&phone.keys, number));
    note(&mut world, &phone, with(&first, false, None)).await;
    assert!(outgoing(&world).is_empty());
    note(&mut world, &phone, with(&first, true, None)).await;
    assert_eq!(outgoing(&world), [first.bytes()]);
    // Where an alarm rings already, the note makes no second one, and the order goes all the same; over a restart too.
    let (alarm, _) = world.ringing(&phone).await;
    note(&mut world, &phone, with(&second, true, Some(alarm.value().header.alarm))).await;
    world.restart();
    assert_eq!(outgoing(&world), [first.bytes(), second.bytes()]);
    let waiting = world.desk.outgoing_orders().unwrap();
    world.desk.order_settled(waiting[0].hash, true).await.unwrap();
    assert_eq!(outgoing(&world), [second.bytes()]);
    // The phone was not opened with its own PIN since: it is the same order, and the relay has it.
    note(&mut world, &phone, with(&first, true, None)).await;
    assert_eq!(outgoing(&world), [second.bytes()]);
}

#[tokio::test]
async fn a_note_hands_on_no_order_about_another_device() {
    let mut world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    note(&mut world, &phone, with(&freeze(&other.keys, 1), true, None)).await;
    let wipe = Order { kind: OrderKind::Wipe, author: phone.keys.device, ..*freeze(&other.keys, 1).value() };
    note(&mut world, &phone, with(&Signed::make(wipe, &phone.keys.sig), true, None)).await;
    let rubbish = NoteBody { freeze: Some(vec![7; 9].into()), ..with(&freeze(&phone.keys, 1), true, None) };
    note(&mut world, &phone, rubbish).await;
    assert!(outgoing(&world).is_empty());
    assert_eq!(world.desk.alarms(true).unwrap().alarms.len(), 3, "and each rings");
    // An order among the mail itself is none of the desk's.
    world.bring(MailKind::Order, freeze(&phone.keys, 1).bytes()).await;
    assert!(outgoing(&world).is_empty());
}
