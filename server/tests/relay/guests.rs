//! Guests: in a circle of somebody's account, and of no account themselves.

use baken_schemas::api::{self, MailKind};
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::RendezvousId;

use crate::relay::circles::Circle;
use crate::relay::membership::{HELP, OF_DESKS, try_all};
use crate::relay::world::World;

#[tokio::test]
async fn a_guest_syncs_its_circle_and_stands_for_nobodys_account() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let guest = world.guest_of(&phone).await;
    let mut family = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    family.add(&mut world, &phone, &guest, MemberRole::Member).await;
    for (operation, answer) in try_all(&mut world, &family, &guest).await {
        match operation {
            "entries" | "addEntries" | "log" | "sendAlarm" | "receipts" | "mail" | "auditHead" | "putChunk"
            | "chunk" | "blob" | "deleteBlob" | "usage" => {
                assert_eq!(answer.status, 200, "{operation}");
            }
            // A member adds nobody, whoever it is of.
            "addLogRecord" => answer.is(422, "rule_broken"),
            // There is no such rendezvous; see below.
            "putHello" | "putGrant" => answer.is(404, "not_found"),
            help if HELP.contains(&help) => answer.is(422, "malformed"),
            other => {
                let own = [
                    "addDevice",
                    "addGuest",
                    "putSealedRoot",
                    "putCard",
                    "enrol",
                    "giveOrder",
                    "found",
                    "depositsElsewhere",
                    "shareReadiness",
                    "withholdReadiness",
                ]
                .contains(&other);
                let of_advisers = ["plan", "changePlan", "readiness"].contains(&other);
                assert!(own || of_advisers || OF_DESKS.contains(&other), "{other} is new: may a guest do it?");
                answer.is(403, "not_allowed");
            }
        }
    }
    let rendezvous = RendezvousId::make(&mut world.rng);
    let [offer, hello, grant] =
        ["offer", "hello", "grant"].map(|message| format!("/v0/pairing/{rendezvous}/{message}"));
    let tablet = DeviceKeys::make(&mut world.rng);
    world.plain("PUT", &offer, tablet.identity().bytes()).await.ok();
    world.call(&guest, "PUT", &hello, b"hello").await.ok();
    world.call(&guest, "PUT", &grant, b"grant").await.ok();
}

#[tokio::test]
async fn a_guest_is_heard_when_it_calls_for_help() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let guest = world.guest_of(&phone).await;
    let desk = world.desks[0].clone();
    let (alarm, _) = world.alarm(&guest);
    world.press(&guest, &alarm).await.ok();
    assert_eq!(world.count(&desk, MailKind::Alarm).await, 1);
    let mut family = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    family.add(&mut world, &phone, &guest, MemberRole::Member).await;
    family.remove(&mut world, &phone, &guest, 0).await;
    let (alarm, _) = world.alarm(&guest);
    world.press(&guest, &alarm).await.ok();
    assert_eq!(world.count(&desk, MailKind::Alarm).await, 2);
}

#[tokio::test]
async fn a_guest_becomes_no_device_of_the_account_and_a_device_no_guest() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (guest, tablet) = (world.guest_of(&phone).await, world.device_of(&phone).await);
    world.call(&phone, "POST", api::GUESTS, guest.identity().bytes()).await.ok();
    world.call(&phone, "POST", api::DEVICES, guest.identity().bytes()).await.is(409, "device_taken");
    world.call(&phone, "POST", api::GUESTS, tablet.identity().bytes()).await.is(409, "device_taken");
    let stranger = world.phone().await;
    world.call(&stranger, "POST", api::GUESTS, guest.identity().bytes()).await.is(409, "device_taken");
    world.call_locked(&phone, "POST", api::GUESTS, guest.identity().bytes()).await.is(403, "alarm_key");
    assert_eq!(world.audited("guest_added"), [(guest.device.to_string(), "ok".to_owned())]);
}
