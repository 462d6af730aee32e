//! Orders that one device gives about another: who may hand one in, and in whose mail it lies.

use baken_schemas::api::{self, MailKind};
use baken_schemas::circle::{CircleKind, MemberRole, Operation};
use baken_schemas::device::DeviceKeys;
use baken_schemas::order::{Order, OrderKind};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use crate::relay::circles::{Circle, cut, member};
use crate::relay::membership::DAY_MS;
use crate::relay::world::{Answer, World};

fn order(circle: &Circle, author: &DeviceKeys, device: &DeviceKeys, kind: OrderKind, number: u64) -> Signed<Order> {
    let (circle, device) = (circle.circle, device.device);
    Signed::make(Order { circle, device, author: author.device, kind, number, made_at: Timestamp(0) }, &author.sig)
}

async fn give(world: &mut World, by: &DeviceKeys, order: &Signed<Order>) -> Answer {
    world.call(by, "POST", api::ORDERS, order.bytes()).await
}

/// A phone and a tablet, both owners of their dossier.
async fn dossier(world: &mut World) -> (Circle, DeviceKeys, DeviceKeys) {
    let phone = world.phone().await;
    let tablet = world.device_of(&phone).await;
    let mut circle = Circle::found(world, &phone).await;
    circle.add(world, &phone, &tablet, MemberRole::Owner).await;
    (circle, phone, tablet)
}

/// A third owner, whom the phone proposed and the tablet let in.
async fn laptop(world: &mut World, circle: &mut Circle, phone: &DeviceKeys, tablet: &DeviceKeys) -> DeviceKeys {
    let laptop = world.device_of(phone).await;
    circle.record(world, phone, Operation::Add { member: member(&laptop) }).await;
    circle.record(world, tablet, Operation::Confirm { device: laptop.device }).await;
    laptop
}

#[tokio::test]
async fn an_owners_order_lies_in_the_mail_of_a_device_whatever_became_of_it() {
    let mut world = World::new().await;
    let (mut circle, phone, tablet) = dossier(&mut world).await;
    for (number, became) in ["active", "frozen", "leaving", "gone"].into_iter().enumerate() {
        match became {
            "frozen" => circle.record(&mut world, &tablet, Operation::Freeze { cut: cut(&phone, 0) }).await,
            "leaving" => circle.remove(&mut world, &tablet, &phone, 0).await,
            "gone" => {
                world.clock.advance(DAY_MS);
                circle.record(&mut world, &tablet, Operation::Finish { device: phone.device }).await;
            }
            _ => {}
        }
        let wipe = order(&circle, &tablet, &phone, OrderKind::Wipe, number as u64 + 1);
        give(&mut world, &tablet, &wipe).await.ok();
        // Handed in again, it is no second one.
        give(&mut world, &tablet, &wipe).await.ok();
        assert_eq!(world.count(&phone, MailKind::Order).await, number + 1, "{became}");
    }
    // The alarm key reads it: a lost phone is locked.
    let page = world.call_locked(&phone, "GET", &format!("{}?after=0", api::MAIL), &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(world.count(&tablet, MailKind::Order).await, 0);
    assert_eq!(world.audited("wipe_ordered").len(), 4);
}

#[tokio::test]
async fn nobody_but_an_owner_in_the_dossier_gives_an_order() {
    let mut world = World::new().await;
    let (mut circle, phone, tablet) = dossier(&mut world).await;
    let (guest, stranger, desk) = (world.guest_of(&phone).await, world.phone().await, world.desks[0].clone());
    let mut family = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    family.add(&mut world, &phone, &guest, MemberRole::Member).await;
    let others = Circle::found(&mut world, &stranger).await;
    let wipe = |by: &DeviceKeys, of: &Circle| order(of, by, &phone, OrderKind::Wipe, 1);
    give(&mut world, &guest, &wipe(&guest, &circle)).await.is(403, "not_allowed");
    give(&mut world, &guest, &wipe(&guest, &family)).await.is(403, "not_allowed");
    give(&mut world, &stranger, &wipe(&stranger, &circle)).await.is(403, "not_member");
    give(&mut world, &stranger, &wipe(&stranger, &others)).await.is(404, "not_found");
    give(&mut world, &tablet, &wipe(&tablet, &family)).await.is(403, "not_member");
    // A guest's phone is another person's, whoever owns the circle.
    give(&mut world, &phone, &order(&family, &phone, &guest, OrderKind::Wipe, 1)).await.is(403, "not_member");
    give(&mut world, &desk, &wipe(&tablet, &circle)).await.is(403, "not_allowed");
    // A device that waits to be let in is no owner yet.
    let laptop = world.device_of(&phone).await;
    circle.record(&mut world, &phone, Operation::Add { member: member(&laptop) }).await;
    give(&mut world, &laptop, &wipe(&laptop, &circle)).await.is(403, "not_member");
    // Another's order, and one that another key signed.
    give(&mut world, &phone, &order(&circle, &tablet, &phone, OrderKind::Wipe, 1)).await.is(422, "bad_signature");
    let forged = Signed::make(*wipe(&tablet, &circle).value(), &phone.sig);
    give(&mut world, &tablet, &forged).await.is(422, "bad_signature");
    world.call_locked(&tablet, "POST", api::ORDERS, wipe(&tablet, &circle).bytes()).await.is(403, "alarm_key");
    // Who is out gives none any more.
    circle.record(&mut world, &phone, Operation::Freeze { cut: cut(&tablet, 0) }).await;
    give(&mut world, &tablet, &wipe(&tablet, &circle)).await.is(403, "removed");
    assert_eq!(world.count(&phone, MailKind::Order).await, 0);
}

#[tokio::test]
async fn a_desk_hands_on_a_freeze_to_the_other_owners_and_once() {
    let mut world = World::new().await;
    let (mut circle, phone, tablet) = dossier(&mut world).await;
    let (laptop, guest) = (laptop(&mut world, &mut circle, &phone, &tablet).await, world.guest_of(&phone).await);
    circle.add(&mut world, &phone, &guest, MemberRole::Member).await;
    circle.record(&mut world, &phone, Operation::Freeze { cut: cut(&laptop, 0) }).await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let freeze = order(&circle, &phone, &phone, OrderKind::Freeze, 9);
    give(&mut world, &phone, &freeze).await.is(403, "not_allowed");
    let forged = Signed::make(*freeze.value(), &first.sig);
    give(&mut world, &first, &forged).await.is(422, "bad_signature");
    let stranger = DeviceKeys::make(&mut world.rng);
    let unknown = order(&circle, &stranger, &stranger, OrderKind::Freeze, 9);
    give(&mut world, &first, &unknown).await.is(404, "not_found");
    assert_eq!(world.count(&tablet, MailKind::Order).await, 0);

    give(&mut world, &first, &freeze).await.ok();
    give(&mut world, &second, &freeze).await.ok();
    for (keys, count) in [(&tablet, 1), (&phone, 0), (&laptop, 0), (&guest, 0)] {
        assert_eq!(world.count(keys, MailKind::Order).await, count);
    }
    // What is frozen is not frozen again, and the desk need not ask once more.
    circle.record(&mut world, &tablet, Operation::Freeze { cut: cut(&phone, 0) }).await;
    give(&mut world, &first, &order(&circle, &phone, &phone, OrderKind::Freeze, 10)).await.ok();
    assert_eq!(world.count(&tablet, MailKind::Order).await, 1);
}

#[tokio::test]
async fn one_devices_orders_about_another_are_bounded_and_no_others_wait_for_them() {
    let mut world = World::new().await;
    let (mut circle, phone, tablet) = dossier(&mut world).await;
    let laptop = laptop(&mut world, &mut circle, &phone, &tablet).await;
    for number in 1..=16 {
        give(&mut world, &tablet, &order(&circle, &tablet, &phone, OrderKind::Lock, number)).await.ok();
    }
    let next = order(&circle, &tablet, &phone, OrderKind::Wipe, 17);
    give(&mut world, &tablet, &next).await.is(429, "too_often");
    give(&mut world, &laptop, &order(&circle, &laptop, &phone, OrderKind::Wipe, 1)).await.ok();
    give(&mut world, &tablet, &order(&circle, &tablet, &laptop, OrderKind::Lock, 18)).await.ok();
    world.clock.advance(24 * 3_600_000);
    give(&mut world, &tablet, &next).await.ok();
    assert_eq!(world.count(&phone, MailKind::Order).await, 18);
    // With the mail goes what was counted of it.
    world.clock.advance(31 * 24 * 3_600_000);
    world.sweep().await;
    let left: u32 = world
        .relay
        .store()
        .read(|db| {
            Ok::<_, baken_server::store::StoreError>(
                db.query_row("SELECT count(*) FROM device_order", [], |row| row.get(0))?,
            )
        })
        .unwrap();
    assert_eq!((left, world.count(&phone, MailKind::Order).await), (0, 0));
}
