//! Probes: answered by the machine, seen by nobody, and nothing else passes for one.

use baken_schemas::alarm::{Alarm, AlarmKind, ReceiptState, check_receipt};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use baken_schemas::org::Silence;
use baken_schemas::signed::Signed;
use baken_schemas::time::Clock as _;

use crate::desk::world::{World, body};

#[tokio::test]
async fn a_probe_is_answered_twice_in_a_chain_and_no_officer_sees_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (probe, _) = world.alarm(&phone, AlarmKind::Probe);
    world.bring(MailKind::Alarm, probe.bytes()).await;
    let answers = world.desk.outgoing_receipts().unwrap();
    let checked: Vec<_> =
        answers.iter().map(|answer| check_receipt(&answer.document, &world.directory()).unwrap()).collect();
    let [received, closed] = &checked[..] else { panic!("two answers") };
    assert_eq!((received.value().state, received.value().prev), (ReceiptState::Received, Hash::ZERO));
    assert_eq!((closed.value().state, closed.value().prev), (ReceiptState::Closed, received.hash()));
    assert!([received, closed].iter().all(|answer| answer.value().alarm_hash == probe.hash()));
    for open in [true, false] {
        assert!(world.desk.alarms(open).unwrap().alarms.is_empty());
    }

    // Handed over again, across a restart: the same bytes, and none more.
    for answer in &answers {
        world.desk.receipt_settled(answer.hash, true).await.unwrap();
    }
    world.restart();
    world.bring(MailKind::Alarm, probe.bytes()).await;
    let again: Vec<Hash> = world.desk.outgoing_receipts().unwrap().iter().map(|answer| answer.hash).collect();
    assert_eq!(again, [received.hash(), closed.hash()]);

    // A day after the relay has them they are forgotten.
    for answer in &answers {
        world.desk.receipt_settled(answer.hash, true).await.unwrap();
    }
    world.clock.advance(25 * 60 * 60 * 1000);
    let (next, _) = world.alarm(&phone, AlarmKind::Probe);
    world.bring(MailKind::Alarm, next.bytes()).await;
    let database = rusqlite::Connection::open(world.dir.path().join("desk.db")).unwrap();
    let kept: u32 = database.query_row("SELECT count(*) FROM receipt", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn what_only_says_that_it_is_a_probe_rings() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let stranger = world.stranger().await;
    let (unknown, _) = world.alarm(&stranger, AlarmKind::Probe);
    world.bring(MailKind::Alarm, unknown.bytes()).await;
    // Signed by another than the device it names.
    let header = world.header(&phone);
    let probe = baken_schemas::alarm::AlarmBody { kind: AlarmKind::Probe, ..body() };
    let forger = DeviceKeys::make(&mut world.rng);
    let directory = world.directory();
    let (forged, _) = Alarm::seal(header, &probe, &directory, &forger.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, forged.bytes()).await;
    assert_eq!(world.desk.alarms(true).unwrap().alarms.len(), 2);
}

#[tokio::test]
async fn what_the_relay_says_of_another_desk_is_shown_if_the_relay_signed_it() {
    let mut world = World::new().await;
    let relay = world.relay.clone();
    let west = world.other.device;
    let at = world.clock.now();
    let silence = |since, at| Silence { relay: relay.device, desk: west, since, at };
    let forged = Signed::make(silence(Some(at), at), &DeviceKeys::make(&mut world.rng).sig);
    world.bring(MailKind::Silence, forged.bytes()).await;
    assert!(world.desk.silent_desks().unwrap().is_empty());
    let of_nobody = Silence { desk: DeviceId([9; 16]), ..silence(Some(at), at) };
    world.bring(MailKind::Silence, Signed::make(of_nobody, &relay.sig).bytes()).await;
    let database = rusqlite::Connection::open(world.dir.path().join("desk.db")).unwrap();
    let kept = |sql: &str| -> u32 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(kept("SELECT count(*) FROM other_desk"), 0, "of desks there are, and no others");
    let said = Signed::make(silence(Some(at), at), &relay.sig);
    world.bring(MailKind::Silence, said.bytes()).await;
    world.restart();
    let shown = world.desk.silent_desks().unwrap();
    assert_eq!((shown[0].desk.as_str(), shown[0].since, shown.len()), ("West", at, 1));
    let back = Signed::make(silence(None, at.plus_ms(1)), &relay.sig);
    world.bring(MailKind::Silence, back.bytes()).await;
    world.bring(MailKind::Silence, said.bytes()).await;
    assert!(world.desk.silent_desks().unwrap().is_empty(), "what was said earlier comes too late");
}
