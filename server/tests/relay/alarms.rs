//! Taking alarms: kept once, answered with a receipt, handed over, never refused without need.

use baken_schemas::alarm::{
    Alarm, AlarmClass, AlarmHeader, Card, CardBody, ReceiptState, Update, UpdateBody, check_receipt,
};
use baken_schemas::api::{self, Documents, MailKind};
use baken_schemas::blob::sealed_len;
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, BlobId, LadderId};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::audit;
use baken_server::store::StoreError;

use minicbor::bytes::ByteVec;

use crate::relay::world::{World, alarm_body, directory};

#[tokio::test]
async fn i1_an_alarm_is_answered_with_a_receipt_and_lies_in_the_first_desks_mailbox() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    let answer = world.press(&phone, &alarm).await.ok();
    let receipt = check_receipt(&answer, world.directory.value()).unwrap().into_value();
    assert_eq!(receipt.state, ReceiptState::Stored);
    assert_eq!((receipt.alarm, receipt.alarm_hash), (alarm.value().header.alarm, alarm.hash()));
    let mail = world.mail(&first, 0).await;
    let handed: Vec<_> = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Alarm).collect();
    assert_eq!(handed.len(), 1);
    assert_eq!(handed[0].1.document[..], *alarm.bytes());
    assert_eq!(world.count(&second, MailKind::Alarm).await, 0);
    // Sent again over another way, also after a restart: the same alarm, the same receipt, handed over once.
    world.restart().await;
    world.clock.advance(5000);
    assert_eq!(world.press(&phone, &alarm).await.ok(), answer);
    assert_eq!(world.count(&first, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn other_bytes_under_an_alarms_id_are_refused_and_kept() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let header = alarm.value().header;
    let (other, _) = Alarm::seal(header, &alarm_body(), world.directory.value(), &phone.alarm, &mut world.rng).unwrap();
    world.press(&phone, &other).await.is(409, "alarm_conflict");
    world.press(&phone, &other).await.is(409, "alarm_conflict");
    let (kept, head) = world
        .relay
        .store()
        .read(|db| {
            let kept: u32 = db.query_row("SELECT count(*) FROM alarm_conflict", [], |row| row.get(0))?;
            Ok::<_, StoreError>((kept, audit::verify(db).unwrap()))
        })
        .unwrap();
    assert_eq!(kept, 1);
    // Directory, invite, alarm, conflict.
    assert_eq!(head.seq, 4);
}

#[tokio::test]
async fn only_an_enrolled_devices_own_alarm_is_taken() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let stranger = DeviceKeys::make(&mut world.rng);
    let (alarm, _) = world.alarm(&stranger);
    world.press(&stranger, &alarm).await.is(401, "unknown_device");
    // An enrolled device passes on another's alarm, or one that another key signed.
    world.press(&phone, &alarm).await.is(422, "bad_signature");
    let forged = Signed::make(Alarm { header: world.alarm(&phone).0.value().header, ..alarm.into_value() }, &phone.sig);
    world.press(&phone, &forged).await.is(422, "bad_signature");
    let (mut cut, _) = world.alarm(&phone);
    let desk = world.desks[0].clone();
    world.press(&desk, &cut).await.is(403, "alarm_key");
    assert_eq!(world.count(&desk, MailKind::Alarm).await, 0);
    cut = Signed::make(Alarm { slots: Vec::new(), ..cut.into_value() }, &phone.alarm);
    world.press(&phone, &cut).await.is(422, "rule_broken");
    let large = vec![0; 17 * 1024];
    world.call_locked(&phone, "POST", api::ALARMS, &large).await.is(413, "too_large");
}

#[tokio::test]
async fn an_alarm_for_an_old_or_unknown_ladder_is_handed_over_all_the_same() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (old, _) = world.alarm(&phone);
    // The new directory has another ladder: the old one's is climbed as it was.
    let newer = directory(&world.relay_keys, &world.root, &world.desks, 2, &mut world.rng);
    world.publish(newer.bytes()).await.ok();
    world.press(&phone, &old).await.ok();
    assert_eq!((world.count(&first, MailKind::Alarm).await, world.count(&second, MailKind::Alarm).await), (1, 0));
    // A ladder of which nobody has heard: every desk with a slot is called.
    let mut unheard = world.directory.value().clone();
    unheard.ladders[0].ladder = LadderId::make(&mut world.rng);
    let header = AlarmHeader {
        alarm: AlarmId::make(&mut world.rng),
        device: phone.device,
        class: AlarmClass::Alarm,
        ladder: unheard.ladders[0].ladder,
        ladder_version: 1,
    };
    let (alarm, _) = Alarm::seal(header, &alarm_body(), &unheard, &phone.alarm, &mut world.rng).unwrap();
    world.press(&phone, &alarm).await.ok();
    assert_eq!((world.count(&first, MailKind::Alarm).await, world.count(&second, MailKind::Alarm).await), (2, 1));
}

#[tokio::test]
async fn i1_an_alarm_for_desks_that_have_left_is_handed_to_those_there_are() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (second, newcomer) = (world.desks[1].clone(), DeviceKeys::make(&mut world.rng));
    let (one, other) = (world.alarm(&phone).0, world.alarm(&phone).0);
    // The first rung's desk has left: the next is called at once, not after waiting for nobody.
    world.leave_only(&second, 2).await;
    world.press(&phone, &one).await.ok();
    assert_eq!(world.count(&second, MailKind::Alarm).await, 1);
    // All have left: whoever has come rings, though it cannot open it.
    world.leave_only(&newcomer, 3).await;
    world.press(&phone, &other).await.ok();
    assert_eq!(world.count(&newcomer, MailKind::Alarm).await, 1);
}

#[tokio::test]
async fn an_alarm_that_is_to_lie_ready_is_refused_in_words_without_its_timers() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut header = world.alarm(&phone).0.value().header;
    header.class = AlarmClass::Deposit;
    let (deposit, _) =
        Alarm::seal(header, &alarm_body(), world.directory.value(), &phone.alarm, &mut world.rng).unwrap();
    world.press(&phone, &deposit).await.is(422, "no_timers");
}

#[tokio::test]
async fn updates_follow_the_alarm_to_every_desk_that_has_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, content) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let body = UpdateBody {
        fix: alarm_body().fix,
        battery_percent: None,
        text: "boven".to_owned(),
        made_at: Timestamp(0),
        attachment: None,
    };
    let id = alarm.value().header.alarm;
    let update = Update::seal((id, phone.device, 1), &body, &content, &phone.alarm, &mut world.rng).unwrap();
    world.call_locked(&phone, "POST", api::UPDATES, update.bytes()).await.ok();
    world.call_locked(&phone, "POST", api::UPDATES, update.bytes()).await.ok();
    assert_eq!(world.count(&first, MailKind::Update).await, 1);
    let other = Update::seal((id, phone.device, 1), &body, &content, &phone.alarm, &mut world.rng).unwrap();
    world.call_locked(&phone, "POST", api::UPDATES, other.bytes()).await.is(409, "conflict");
    // Who is called later gets it too.
    world.clock.advance(crate::relay::world::FIRST_WAIT_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(world.count(&second, MailKind::Update).await, 1);
}

#[tokio::test]
async fn a_card_is_released_only_to_a_desk_that_was_handed_an_alarm_and_each_time_on_record() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let path = api::CARD.replace("{device}", &phone.device.to_string());
    let key = SymmetricKey::make(&mut world.rng);
    let mut card =
        |version| Card::seal(phone.device, version, &CardBody::default(), &key, &phone.sig, &mut world.rng).unwrap();
    let (one, two) = (card(1), card(2));
    world.call(&phone, "PUT", &path, two.bytes()).await.ok();
    world.call(&phone, "PUT", &path, one.bytes()).await.is(409, "older_version");
    world.call(&first, "GET", &path, &[]).await.is(403, "not_handed");
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    assert_eq!(world.call(&first, "GET", &path, &[]).await.ok(), two.bytes());
    world.call(&second, "GET", &path, &[]).await.is(403, "not_handed");
    let other_phone = world.phone().await;
    world.call(&other_phone, "GET", &path, &[]).await.is(403, "not_allowed");
    world.call(&other_phone, "PUT", &path, two.bytes()).await.is(422, "bad_signature");
    let reads: u32 = world
        .relay
        .store()
        .read(|db| {
            Ok::<_, StoreError>(
                db.query_row("SELECT count(*) FROM audit WHERE act = 'card_read'", [], |row| row.get(0))?,
            )
        })
        .unwrap();
    assert_eq!(reads, 1);
}

#[tokio::test]
async fn receipts_reach_the_phone_and_those_who_were_called_and_nobody_else() {
    let mut world = World::new().await;
    let (phone, other_phone) = (world.phone().await, world.phone().await);
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    world.press(&phone, &alarm).await.ok();
    let received = world.receipt(&first, &alarm, ReceiptState::Received);
    world.send_receipt(&first, &received).await.ok();
    world.send_receipt(&first, &received).await.ok();
    let mail = world.mail(&phone, 0).await;
    let receipts: Vec<_> = mail.iter().filter(|(_, mail)| mail.kind == MailKind::Receipt).collect();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].1.document[..], *received.bytes());
    // A desk that was not called, one for other bytes, one in another's name, one that only the relay may sign.
    let early = world.receipt(&second, &alarm, ReceiptState::Seen);
    world.send_receipt(&second, &early).await.is(403, "not_handed");
    let mut other_bytes = received.value().clone();
    other_bytes.alarm_hash = Hash::ZERO;
    world.send_receipt(&first, &Signed::make(other_bytes, &first.sig)).await.is(403, "not_handed");
    let in_anothers_name = world.receipt(&second, &alarm, ReceiptState::Seen);
    world.send_receipt(&first, &in_anothers_name).await.is(422, "bad_signature");
    let exhausted = world.receipt(&first, &alarm, ReceiptState::Exhausted);
    world.send_receipt(&first, &exhausted).await.is(422, "rule_broken");
    world.send_receipt(&phone, &received).await.is(422, "bad_signature");
    let path = api::ALARM_RECEIPTS.replace("{alarm}", &alarm.value().header.alarm.to_string());
    let list = world.call_locked(&phone, "GET", &path, &[]).await.ok();
    let list: Documents = cbor::from_slice(&list, "receipts").unwrap();
    assert_eq!(list.documents.len(), 2);
    world.call(&other_phone, "GET", &path, &[]).await.is(404, "not_found");
    world.call(&second, "GET", &path, &[]).await.is(404, "not_found");
}

#[tokio::test]
async fn files_of_an_alarm_are_for_those_who_were_handed_it_and_an_alarm_has_room_for_some() {
    let mut world = World::new().await;
    let (phone, other_phone) = (world.phone().await, world.phone().await);
    let (first, second) = (world.desks[0].clone(), world.desks[1].clone());
    let (alarm, _) = world.alarm(&phone);
    let id = alarm.value().header.alarm;
    let path = |blob: u8, chunk: u32| {
        let blob = BlobId([blob; 16]);
        format!("/v0/alarms/{id}/blobs/{blob}/{chunk}")
    };
    let chunk = |byte: u8| {
        let sealed = vec![byte; sealed_len(100)];
        cbor::to_vec(&ByteVec::from(sealed))
    };
    world.call_locked(&phone, "PUT", &path(1, 0), &chunk(1)).await.is(404, "not_found");
    world.press(&phone, &alarm).await.ok();
    world.call_locked(&phone, "PUT", &path(1, 0), &chunk(1)).await.ok();
    world.call_locked(&phone, "PUT", &path(1, 0), &chunk(1)).await.ok();
    world.call_locked(&phone, "PUT", &path(1, 0), &chunk(2)).await.is(409, "conflict");
    world.call_locked(&other_phone, "PUT", &path(1, 1), &chunk(1)).await.is(404, "not_found");
    world.call(&first, "PUT", &path(1, 1), &chunk(1)).await.is(403, "not_allowed");
    let odd = cbor::to_vec(&ByteVec::from(vec![1; 77]));
    world.call_locked(&phone, "PUT", &path(1, 1), &odd).await.is(422, "rule_broken");
    world.call_locked(&phone, "PUT", &path(1, 8), &chunk(1)).await.is(400, "bad_address");

    assert_eq!(world.call(&first, "GET", &path(1, 0), &[]).await.ok(), chunk(1));
    world.call(&first, "GET", &path(1, 1), &[]).await.is(404, "not_found");
    world.call(&second, "GET", &path(1, 0), &[]).await.is(404, "not_found");
    world.call(&phone, "GET", &path(1, 0), &[]).await.is(403, "not_allowed");
    // Who is called later gets it too.
    world.clock.advance(crate::relay::world::FIRST_WAIT_MS);
    world.relay.tick(world.clock.now()).await.unwrap();
    assert_eq!(world.call(&second, "GET", &path(1, 0), &[]).await.ok(), chunk(1));

    for number in 1..128 {
        let (blob, index) = (u8::try_from(number / 8 + 1).unwrap(), number % 8);
        world.call_locked(&phone, "PUT", &path(blob, index), &chunk(1)).await.ok();
    }
    world.call_locked(&phone, "PUT", &path(99, 0), &chunk(1)).await.is(413, "quota_full");
    // What is full is full of files: the alarm goes on.
    let (next, _) = world.alarm(&phone);
    world.press(&phone, &next).await.ok();
}
