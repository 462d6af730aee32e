//! Who may do what in a circle, at every address: whoever is out, proposed, a viewer, or of the account and not in it.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::api::{self, LiveEvent, Page};
use baken_schemas::blob::sealed_len;
use baken_schemas::cbor;
use baken_schemas::circle::{CircleKind, Epoch, MemberRole, Operation, Readers};
use baken_schemas::device::DeviceKeys;
use baken_schemas::openapi::{By, OPERATIONS};
use baken_schemas::request::RequestKey;
use minicbor::bytes::ByteVec;

use crate::relay::circles::{Circle, batch, cut, member, page};
use crate::relay::live::Stream;
use crate::relay::openapi::{concrete, filled};
use crate::relay::world::{Answer, World};

/// Every signed operation of the API, tried by one device on a circle; and `found`, a circle of its own.
pub async fn try_all(world: &mut World, circle: &Circle, keys: &DeviceKeys) -> Vec<(&'static str, Answer)> {
    let (alarm, _) = world.alarm(keys);
    let mut found = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| matches!(operation.by, By::MainKey | By::AnyKey)) {
        let path = match operation.path {
            api::LOG | api::ENTRIES => circle.path(operation.path),
            api::CARD => operation.path.replace("{device}", &keys.device.to_string()),
            api::ALARM_RECEIPTS => operation.path.replace("{alarm}", &alarm.value().header.alarm.to_string()),
            api::BLOB | api::BLOB_CHUNK | api::USAGE => filled(operation, circle.path(operation.path)),
            api::LIVE => format!("{}?circles={}.0", api::LIVE, circle.circle),
            _ => concrete(operation),
        };
        let body = match operation.id {
            "addLogRecord" => {
                let other = DeviceKeys::make(&mut world.rng);
                let add = Operation::Add { member: member(&other) };
                circle.membership.next(keys.device, add, &keys.sig).bytes().to_vec()
            }
            "addEntries" => batch(&[&circle.entry(world, keys, None)]),
            "sendAlarm" => alarm.bytes().to_vec(),
            "putChunk" => cbor::to_vec(&ByteVec::from(vec![7; sealed_len(1)])),
            _ => Vec::new(),
        };
        // A stream that is opened has no end.
        if operation.id == "live" && world.call(keys, "GET", &circle.path(api::ENTRIES), &[]).await.status == 200 {
            continue;
        }
        found.push((operation.id, world.call(keys, operation.method.name(), &path, &body).await));
    }
    let (founded, genesis) = Circle::prepare(world, keys, CircleKind::Family);
    found.push(("found", world.call(keys, "POST", &founded.path(api::LOG), &genesis).await));
    found
}

/// What stays open to whoever is not in a circle, or in no account: calling for help, and what belongs to it.
pub const HELP: [&str; 12] = [
    "sendAlarm",
    "leaveSmsContext",
    "sendSms",
    "deposit",
    "settle",
    "sendUpdate",
    "putAlarmChunk",
    "sendNote",
    "sendReceipt",
    "escalate",
    "receipts",
    "mail",
];
/// How long owners may object.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// What only desks do.
pub const OF_DESKS: [&str; 4] = ["card", "raise", "handOn", "alarmChunk"];

/// The ways out of a dossier of three owners.
const WAYS_OUT: [&str; 5] = ["removed", "finished", "frozen", "left", "recovered over"];

/// A phone, its dossier, and a tablet that went out of it in one of the ways.
async fn with_one_out(way: &str) -> (World, Circle, DeviceKeys, DeviceKeys) {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = world.device_of(&phone).await;
    let mut circle = Circle::found(&mut world, &phone).await;
    circle.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
    match way {
        "removed" => circle.remove(&mut world, &phone, &tablet, 0).await,
        "finished" => {
            circle.remove(&mut world, &phone, &tablet, 0).await;
            world.clock.advance(DAY_MS);
            circle.record(&mut world, &phone, Operation::Finish { device: tablet.device }).await;
        }
        "frozen" => circle.record(&mut world, &phone, Operation::Freeze { cut: cut(&tablet, 0) }).await,
        "left" => circle.record(&mut world, &tablet, Operation::Leave { counter: 0 }).await,
        _ => {
            let new = world.device_of(&phone).await;
            let lost = vec![cut(&tablet, 0)];
            let after = circle.membership.recovered(&member(&new), &lost).unwrap();
            let epoch = circle.epoch_of(&mut world, &after);
            let operation = Operation::Recover { member: member(&new), lost, epoch };
            let record = circle.membership.next(new.device, operation, &circle.root);
            world.call(&new, "POST", &circle.path(api::LOG), record.bytes()).await.ok();
            circle.membership.apply(record.bytes()).unwrap();
        }
    }
    (world, circle, phone, tablet)
}

#[tokio::test]
async fn i9_a_device_that_is_out_calls_for_help_and_reads_the_log_and_nothing_else() {
    for way in WAYS_OUT {
        let (mut world, circle, phone, tablet) = with_one_out(way).await;
        let before = circle.page(&mut world, &phone, 0).await;
        let mut problems = Vec::new();
        for (operation, answer) in try_all(&mut world, &circle, &tablet).await {
            if ["log", "sendAlarm", "receipts", "mail", "auditHead"].contains(&operation) {
                assert_eq!(answer.status, 200, "{operation} of a tablet that was {way}");
            } else if HELP.contains(&operation) {
                answer.is(422, "malformed");
            } else if OF_DESKS.contains(&operation) {
                answer.is(403, "not_allowed");
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (403, "removed"), "{operation}, {way}");
                problems.push(answer.body);
            }
        }
        // Why, or by whom, is told nobody: it is the same answer everywhere.
        problems.dedup();
        let text = String::from_utf8(problems[0].to_vec()).unwrap();
        assert_eq!(problems.len(), 1);
        for telling in [phone.device.to_string(), tablet.device.to_string(), circle.circle.to_string()] {
            assert!(!text.contains(&telling), "{text}");
        }
        assert!(!["frozen", "leaving", "owner"].iter().any(|word| text.contains(word)), "{text}");
        assert_eq!(circle.page(&mut world, &phone, 0).await, before);
        // It stays so over a restart, and with the alarm key as with the main one.
        world.restart().await;
        world.call(&tablet, "GET", &circle.path(api::ENTRIES), &[]).await.is(403, "removed");
        let (alarm, _) = world.alarm(&tablet);
        world.press(&tablet, &alarm).await.ok();
        let mut mail = Stream::open(&mut world, &tablet, RequestKey::Alarm, "mail=0").await;
        let desk = world.desks[0].clone();
        let receipt = world.receipt(&desk, &alarm, ReceiptState::Received);
        world.send_receipt(&desk, &receipt).await.ok();
        assert!(matches!(mail.next().await, Some(LiveEvent::Mail { .. })));
    }
}

#[tokio::test]
async fn a_device_that_is_out_of_one_circle_is_in_the_others() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = world.device_of(&phone).await;
    let mut dossier = Circle::found(&mut world, &phone).await;
    dossier.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
    let mut family = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    family.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
    family.remove(&mut world, &phone, &tablet, 0).await;
    world.call(&tablet, "GET", &family.path(api::ENTRIES), &[]).await.is(403, "removed");
    dossier.page(&mut world, &tablet, 0).await;
    // Only the dossier says who acts for the account.
    world.guest_of(&tablet).await;
}

#[tokio::test]
async fn the_stream_of_a_device_ends_as_soon_as_it_is_out_and_no_other() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = world.device_of(&phone).await;
    let mut circle = Circle::found(&mut world, &phone).await;
    circle.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
    let query = format!("circles={}.0", circle.circle);
    let mut of_tablet = Stream::open(&mut world, &tablet, RequestKey::Sig, &query).await;
    let mut of_phone = Stream::open(&mut world, &phone, RequestKey::Sig, &query).await;
    for stream in [&mut of_tablet, &mut of_phone] {
        assert_eq!(stream.next().await, Some(LiveEvent::Log { circle: circle.circle, seq: 4 }));
    }
    circle.remove(&mut world, &phone, &tablet, 0).await;
    let entry = circle.entry(&mut world, &phone, None);
    circle.send(&mut world, &phone, &[&entry]).await;
    assert_eq!(of_tablet.next().await, None);
    assert!(matches!(of_phone.next().await, Some(LiveEvent::Log { seq: 5, .. })));
    assert!(matches!(of_phone.next().await, Some(LiveEvent::Entry { .. })));
}

#[tokio::test]
async fn a_leaving_owner_may_object_and_is_back_at_once() {
    let (mut world, mut circle, phone, tablet) = with_one_out("removed").await;
    circle.record(&mut world, &tablet, Operation::Veto { device: tablet.device }).await;
    circle.page(&mut world, &tablet, 0).await;
    let entry = circle.entry(&mut world, &tablet, None);
    circle.send(&mut world, &tablet, &[&entry]).await;
    // One whose removal is finished, or that was frozen while there are owners, may not.
    circle.remove(&mut world, &phone, &tablet, 1).await;
    world.clock.advance(DAY_MS);
    circle.record(&mut world, &phone, Operation::Finish { device: tablet.device }).await;
    circle.attempt(&mut world, &tablet, Operation::Veto { device: tablet.device }).await.is(403, "removed");
    let (mut world, circle, _, tablet) = with_one_out("frozen").await;
    circle.attempt(&mut world, &tablet, Operation::Veto { device: tablet.device }).await.is(403, "removed");
}

#[tokio::test]
async fn a_proposed_owner_reads_and_writes_nothing_until_another_confirms() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (tablet, laptop) = (world.device_of(&phone).await, world.device_of(&phone).await);
    let mut circle = Circle::found(&mut world, &phone).await;
    circle.add(&mut world, &phone, &tablet, MemberRole::Owner).await;
    circle.record(&mut world, &phone, Operation::Add { member: member(&laptop) }).await;
    let entries = circle.path(api::ENTRIES);
    let first = circle.entry(&mut world, &laptop, None);
    world.call(&laptop, "GET", &entries, &[]).await.is(403, "not_member");
    world.call(&laptop, "POST", &entries, &batch(&[&first])).await.is(403, "not_member");
    let live = format!("{}?circles={}.0", api::LIVE, circle.circle);
    world.call(&laptop, "GET", &live, &[]).await.is(403, "not_member");
    page(&mut world, &laptop, &circle.path(api::LOG)).await;
    // Nor does it let itself in, or its proposer.
    let confirm = Operation::Confirm { device: laptop.device };
    circle.attempt(&mut world, &laptop, confirm.clone()).await.is(422, "rule_broken");
    circle.attempt(&mut world, &phone, confirm.clone()).await.is(422, "rule_broken");
    circle.record(&mut world, &tablet, confirm).await;
    circle.send(&mut world, &laptop, &[&first]).await;
    assert_eq!(circle.page(&mut world, &laptop, 0).await.items.len(), 1);
}

#[tokio::test]
async fn a_removal_is_not_finished_before_its_day_is_over_and_each_removal_has_its_own() {
    let (mut world, mut circle, phone, tablet) = with_one_out("removed").await;
    let finish = Operation::Finish { device: tablet.device };
    world.clock.advance(DAY_MS - 1);
    circle.attempt(&mut world, &phone, finish.clone()).await.is(403, "day_not_over");
    circle.record(&mut world, &tablet, Operation::Veto { device: tablet.device }).await;
    circle.remove(&mut world, &phone, &tablet, 0).await;
    world.clock.advance(1);
    circle.attempt(&mut world, &phone, finish.clone()).await.is(403, "day_not_over");
    world.clock.advance(DAY_MS);
    circle.record(&mut world, &phone, finish).await;
}

#[tokio::test]
async fn who_is_alone_lets_a_device_in_on_the_first_day_and_later_after_a_day() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut circle = Circle::found(&mut world, &phone).await;
    let (tablet, laptop) = (world.device_of(&phone).await, world.device_of(&phone).await);
    world.clock.advance(DAY_MS - 1);
    circle.record(&mut world, &phone, Operation::Add { member: member(&tablet) }).await;
    circle.record(&mut world, &phone, Operation::Confirm { device: tablet.device }).await;
    circle.record(&mut world, &tablet, Operation::Leave { counter: 0 }).await;
    // A moment later there is no exemption any more.
    world.clock.advance(1);
    circle.record(&mut world, &phone, Operation::Add { member: member(&laptop) }).await;
    let confirm = Operation::Confirm { device: laptop.device };
    world.clock.advance(DAY_MS - 1);
    circle.attempt(&mut world, &phone, confirm.clone()).await.is(403, "day_not_over");
    world.clock.advance(1);
    circle.record(&mut world, &phone, confirm).await;
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let viewer = world.guest_of(&phone).await;
    let mut circle = Circle::found_as(&mut world, &phone, CircleKind::Family).await;
    circle.add(&mut world, &phone, &viewer, MemberRole::Viewer).await;
    let entries = circle.path(api::ENTRIES);
    circle.page(&mut world, &viewer, 0).await;
    let first = circle.entry(&mut world, &viewer, None);
    world.call(&viewer, "POST", &entries, &batch(&[&first])).await.is(403, "not_allowed");
    let role = |role| Operation::Role { cut: cut(&viewer, 1), role };
    circle.record(&mut world, &phone, role(MemberRole::Member)).await;
    circle.send(&mut world, &viewer, &[&first]).await;
    circle.record(&mut world, &phone, role(MemberRole::Viewer)).await;
    let second = circle.entry(&mut world, &viewer, Some(&first));
    world.call(&viewer, "POST", &entries, &batch(&[&second])).await.is(403, "not_allowed");
    assert_eq!(circle.page(&mut world, &viewer, 0).await.items.len(), 1);
    circle.attempt(&mut world, &viewer, role(MemberRole::Member)).await.is(422, "rule_broken");
}

#[tokio::test]
async fn a_device_of_the_account_reads_the_log_of_its_circles_and_no_entry() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let (laptop, guest) = (world.device_of(&phone).await, world.guest_of(&phone).await);
    let circle = Circle::found(&mut world, &phone).await;
    let (log, entries) = (circle.path(api::LOG), circle.path(api::ENTRIES));
    let whole: Page = page(&mut world, &phone, &log).await;
    assert_eq!(page(&mut world, &laptop, &log).await, whole);
    world.call(&laptop, "GET", &entries, &[]).await.is(403, "not_member");
    for other in [&stranger, &guest] {
        world.call(other, "GET", &log, &[]).await.is(403, "not_member");
        world.call(other, "GET", &entries, &[]).await.is(403, "not_member");
    }
}

#[tokio::test]
async fn an_account_has_one_dossier_and_at_most_sixteen_circles() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let circle = Circle::found(&mut world, &phone).await;
    let laptop = world.device_of(&phone).await;
    for founder in [&phone, &laptop] {
        let (second, genesis) = Circle::prepare(&mut world, founder, CircleKind::Dossier);
        world.call(founder, "POST", &second.path(api::LOG), &genesis).await.is(409, "conflict");
    }
    for _ in 1..api::MAX_CIRCLES {
        Circle::found_as(&mut world, &laptop, CircleKind::Case).await;
    }
    let (further, genesis) = Circle::prepare(&mut world, &phone, CircleKind::Case);
    world.call(&phone, "POST", &further.path(api::LOG), &genesis).await.is(409, "too_many");
    let founded = world.audited("circle_founded");
    assert_eq!((founded.len(), &founded[0].0), (api::MAX_CIRCLES, &circle.circle.to_string()));
}

#[tokio::test]
async fn what_the_root_signs_comes_from_a_device_of_the_account_only() {
    let mut world = World::new().await;
    let (phone, stranger) = (world.phone().await, world.phone().await);
    let guest = world.guest_of(&phone).await;
    let mut circle = Circle::found(&mut world, &phone).await;
    let log = circle.path(api::LOG);
    let operation = Operation::RecoveryKey { kem: phone.kem.public() };
    for other in [&stranger, &guest] {
        let record = circle.membership.next(other.device, operation.clone(), &circle.root);
        world.call(other, "POST", &log, record.bytes()).await.is(403, "not_allowed");
    }
    let by_phones_key = circle.membership.next(phone.device, operation.clone(), &phone.sig);
    world.call(&phone, "POST", &log, by_phones_key.bytes()).await.is(422, "bad_signature");
    let record = circle.membership.next(phone.device, operation, &circle.root);
    world.call(&phone, "POST", &log, record.bytes()).await.ok();
    circle.membership.apply(record.bytes()).unwrap();
    // From now on an epoch without the recovery key is none.
    let readers = circle.membership.readers();
    let readers = Readers { members: &readers, recovery: None };
    let (epoch, _) = Epoch::make(circle.circle, 2, readers, Some(&circle.key), &mut world.rng).unwrap();
    circle.attempt(&mut world, &phone, Operation::Epoch { epoch }).await.is(422, "rule_broken");
    let acts: Vec<usize> = ["recovery_key_set", "epoch_started"].iter().map(|act| world.audited(act).len()).collect();
    assert_eq!(acts, [1, 1]);
}
