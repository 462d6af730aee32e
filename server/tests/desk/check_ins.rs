//! Check-ins: watched by the desk, so that a relay that does not raise one is noticed; and settled under duress.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, DepositTimers, NoteKind, Raise, ReceiptState,
};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::AlarmId;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::{Clock as _, Timestamp};
use baken_server::desk::{Act, AlarmSummary, Ending, OutgoingKind, SignatureView, Unopened};

use crate::desk::world::{MAYOR, Phone, World, body};

const MINUTE_MS: i64 = 60_000;

/// A check-in of a phone, with its timers in minutes and a grace of one.
fn timers(world: &World, phone: &Phone, deposit: AlarmId, seq: u64, due: Option<u32>, silent: u32) -> Vec<u8> {
    let timers = DepositTimers {
        deposit,
        device: phone.keys.device,
        seq,
        sealed: Hash([1; 32]),
        desk: world.keys.device,
        due_in_s: due.map(|minutes| minutes * 60),
        silent_after_s: silent * 60,
        grace_s: 60,
    };
    Signed::make(timers, &phone.keys.alarm).bytes().to_vec()
}

/// The same, for another desk to watch.
fn timers_for_another(world: &mut World, phone: &Phone, deposit: AlarmId, seq: u64) -> Vec<u8> {
    let own = timers(world, phone, deposit, seq, None, 120);
    let desk = DeviceKeys::make(&mut world.rng).device;
    let timers = DepositTimers { desk, ..*Unverified::<DepositTimers>::parse(&own).unwrap().claims() };
    Signed::make(timers, &phone.keys.alarm).bytes().to_vec()
}

/// What rings, the relay being there since long ago.
async fn ringing(world: &World) -> Vec<AlarmSummary> {
    world.desk.ring_overdue(Timestamp(0)).await.unwrap();
    world.desk.alarms(true).unwrap().alarms.into_iter().filter(|alarm| alarm.ringing).collect()
}

#[tokio::test]
async fn a_check_in_that_the_relay_does_not_hand_over_rings_by_the_persons_name() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(30), 120);
    world.bring(MailKind::Timers, &started).await;
    world.clock.advance(33 * MINUTE_MS - 1_000);
    assert!(ringing(&world).await.is_empty(), "the relay has two minutes after the grace");
    world.clock.advance(1_001);
    let found = ringing(&world).await;
    let [alarm] = found.as_slice() else { panic!("{} ring", found.len()) };
    assert_eq!((alarm.kind, alarm.unopened), (Some(AlarmKind::Missed), Some(Unopened::NotHandedOver)));
    assert_eq!((alarm.person.as_ref().unwrap().name.as_str(), alarm.signature), (MAYOR, SignatureView::Proven));
    assert!(world.desk.outgoing_receipts().unwrap().is_empty(), "the relay has no alarm of it");
    world.restart();
    assert_eq!(ringing(&world).await.len(), 1, "once");
    // The officer acts on it as on any other.
    let (officer, _) = world.officer("Agent Jansen");
    world.desk.act(alarm.alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    assert!(ringing(&world).await.is_empty());
}

#[tokio::test]
async fn a_silent_phone_is_missed_and_heartbeats_and_extensions_move_the_watch() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    for (seq, due) in [(1, Some(60)), (2, None), (3, Some(90))] {
        let renewed = timers(&world, &phone, deposit, seq, due, 20);
        world.bring(MailKind::Timers, &renewed).await;
        world.clock.advance(19 * MINUTE_MS);
        assert!(ringing(&world).await.is_empty());
    }
    // An older one that is brought again moves nothing.
    let older = timers(&world, &phone, deposit, 2, Some(600), 600);
    world.bring(MailKind::Timers, &older).await;
    world.clock.advance(4 * MINUTE_MS + 1_000);
    assert_eq!(ringing(&world).await.len(), 1);
}

#[tokio::test]
async fn what_is_handed_over_in_time_rings_once_and_what_comes_late_takes_the_place_of_what_rang() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    for late in [false, true] {
        let header = AlarmHeader { class: AlarmClass::Deposit, ..world.header(&phone) };
        let (missed, directory) = (AlarmBody { kind: AlarmKind::Missed, ..body() }, world.directory());
        let (alarm, _) = Alarm::seal(header, &missed, &directory, &phone.keys.alarm, &mut world.rng).unwrap();
        let started = timers(&world, &phone, header.alarm, 1, Some(10), 120);
        world.bring(MailKind::Timers, &started).await;
        if late {
            world.clock.advance(20 * MINUTE_MS);
            assert_eq!(ringing(&world).await[0].unopened, Some(Unopened::NotHandedOver));
        }
        world.bring(MailKind::Alarm, alarm.bytes()).await;
        world.clock.advance(60 * MINUTE_MS);
        let found = ringing(&world).await;
        let [only] = found.as_slice() else { panic!("{} ring", found.len()) };
        assert_eq!((only.alarm, only.kind), (header.alarm, Some(AlarmKind::Missed)));
        assert!(only.position.is_some());
        let (officer, _) = world.officer(&format!("Agent {late}"));
        world.desk.act(only.alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    }
}

#[tokio::test]
async fn i5_bytes_that_a_relay_makes_up_under_a_check_ins_id_do_not_stand_for_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let header = AlarmHeader { class: AlarmClass::Deposit, ..world.header(&phone) };
    let started = timers(&world, &phone, header.alarm, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let (forger, directory) = (DeviceKeys::make(&mut world.rng), world.directory());
    let (forged, _) = Alarm::seal(header, &body(), &directory, &forger.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, forged.bytes()).await;
    world.clock.advance(20 * MINUTE_MS);
    assert!(ringing(&world).await.iter().any(|alarm| alarm.unopened == Some(Unopened::NotHandedOver)));
    // Nor do timers that somebody else signed move anything.
    let other = Phone { keys: DeviceKeys { device: phone.keys.device, ..forger }, ..phone.clone() };
    let deposit = AlarmId::make(&mut world.rng);
    let forged = timers(&world, &other, deposit, 1, Some(1), 1);
    world.bring(MailKind::Timers, &forged).await;
    let before = ringing(&world).await.len();
    world.clock.advance(60 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), before);
}

#[tokio::test]
async fn a_true_settlement_ends_the_watch_and_nothing_rings_or_is_raised() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let note = world.note(&phone, NoteKind::Settled, false, Some(deposit));
    world.bring(MailKind::Note, note.bytes()).await;
    // A heartbeat that was under way starts nothing.
    let heartbeat = timers(&world, &phone, deposit, 2, None, 1);
    world.bring(MailKind::Timers, &heartbeat).await;
    world.clock.advance(300 * MINUTE_MS);
    assert!(ringing(&world).await.is_empty());
    assert!(world.desk.waiting_orders().unwrap().is_empty());
    // One that a relay forged ends no watch.
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let forger = DeviceKeys { device: phone.keys.device, ..DeviceKeys::make(&mut world.rng) };
    let forged = world.note(&Phone { keys: forger, ..phone.clone() }, NoteKind::Settled, false, Some(deposit));
    world.bring(MailKind::Note, forged.bytes()).await;
    world.clock.advance(20 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), 1);
}

#[tokio::test]
async fn a_settlement_under_duress_rings_at_once_and_has_the_deposit_raised() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let header = AlarmHeader { class: AlarmClass::Deposit, ..world.header(&phone) };
    let deposit = header.alarm;
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let note = world.note(&phone, NoteKind::Settled, true, Some(deposit));
    world.bring(MailKind::Note, note.bytes()).await;
    let found = ringing(&world).await;
    let [alarm] = found.as_slice() else { panic!("{} ring", found.len()) };
    assert!(alarm.duress && alarm.discreet);
    assert_eq!((alarm.kind, alarm.person.as_ref().unwrap().name.as_str()), (Some(AlarmKind::Duress), MAYOR));
    let waiting = world.desk.waiting_orders().unwrap();
    let [order] = waiting.as_slice() else { panic!("{} wait", waiting.len()) };
    assert_eq!(order.kind, OutgoingKind::Raise);
    let raise = Unverified::<Raise>::parse(&order.document).unwrap().verify(&world.keys.sig.verify_key()).unwrap();
    assert_eq!((raise.value().deposit, raise.value().desk), (deposit, world.keys.device));
    // What then comes shows the duress too.
    let (missed, directory) = (AlarmBody { kind: AlarmKind::Missed, ..body() }, world.directory());
    let (raised, _) = Alarm::seal(header, &missed, &directory, &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, raised.bytes()).await;
    let seen = world.view(&raised).summary;
    assert!(seen.duress && seen.discreet && seen.withdrawn);
    assert_eq!(seen.state, ReceiptState::Received);
}

#[tokio::test]
async fn a_desk_that_was_away_or_lost_its_relay_gives_the_relay_its_time() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    world.clock.advance(15 * MINUTE_MS);
    world.restart();
    let found_again = world.clock.now();
    let open = |world: &World| world.desk.alarms(true).unwrap().open;
    let next = world.desk.ring_overdue(found_again).await.unwrap().unwrap();
    assert_eq!((open(&world), next.since_ms(found_again)), (0, 11 * MINUTE_MS));
    world.clock.advance(11 * MINUTE_MS + 1_000);
    world.desk.ring_overdue(found_again).await.unwrap();
    assert_eq!(open(&world), 1);
}

#[tokio::test]
async fn a_desks_clock_set_back_ten_years_keeps_nobody_waiting() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    world.clock.advance(-10 * 365 * 24 * 60 * MINUTE_MS);
    assert!(ringing(&world).await.is_empty());
    world.clock.advance(13 * MINUTE_MS + 1_000);
    assert_eq!(ringing(&world).await.len(), 1);
}

#[tokio::test]
async fn a_check_in_that_rang_for_want_of_a_hand_over_is_watched_again_once_it_is_renewed() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(30), 600);
    world.bring(MailKind::Timers, &started).await;
    world.clock.advance(40 * MINUTE_MS);
    let alarm = ringing(&world).await[0].alarm;
    let (officer, _) = world.officer("Agent Jansen");
    world.desk.act(alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    world
        .desk
        .act(alarm, &officer, &Act::Close { outcome: "gebeld, veilig".to_owned(), ending: Ending::Unsaid })
        .await
        .unwrap();
    // The link to the relay is back, and the check-in goes on.
    let renewed = timers(&world, &phone, deposit, 2, Some(30), 600);
    world.bring(MailKind::Timers, &renewed).await;
    world.clock.advance(20 * MINUTE_MS);
    assert!(ringing(&world).await.is_empty());
    world.clock.advance(20 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), 1, "it was not handed over again");
}

#[tokio::test]
async fn the_same_persons_tablet_ends_the_watch_and_nobody_elses_device_does() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = Phone { keys: DeviceKeys::make(&mut world.rng), ..phone.clone() };
    let (unproven, stranger) = (Phone { keys: DeviceKeys::make(&mut world.rng), ..phone.clone() }, world.phone().await);
    world.enrol(&tablet).await;
    for (by, rings) in [(&tablet, 0), (&unproven, 1), (&stranger, 2)] {
        let deposit = AlarmId::make(&mut world.rng);
        let started = timers(&world, &phone, deposit, 1, Some(10), 120);
        world.bring(MailKind::Timers, &started).await;
        let note = world.note(by, NoteKind::Settled, false, Some(deposit));
        world.bring(MailKind::Note, note.bytes()).await;
        world.clock.advance(60 * MINUTE_MS);
        assert_eq!(ringing(&world).await.len(), rings);
    }
    // Under duress it is raised, and the tablet's word is shown with the alarm that comes of it.
    let header = AlarmHeader { class: AlarmClass::Deposit, ..world.header(&phone) };
    let started = timers(&world, &phone, header.alarm, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let note = world.note(&tablet, NoteKind::Settled, true, Some(header.alarm));
    world.bring(MailKind::Note, note.bytes()).await;
    let orders = world.desk.outgoing_orders().unwrap();
    assert!(orders.iter().any(|order| order.kind == OutgoingKind::Raise));
    let (alarm, _) = Alarm::seal(header, &body(), &world.directory(), &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let seen = world.view(&alarm).summary;
    assert!(seen.duress);
    assert_eq!((seen.withdrawn, seen.withdrawn_elsewhere), (false, true), "it is not the phone that says so");
}

#[tokio::test]
async fn a_check_in_that_the_phone_has_another_desk_watch_rings_here_no_more() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 3, Some(30), 120);
    world.bring(MailKind::Timers, &started).await;
    // Neither older ones nor somebody else's take the watch away.
    let older = timers_for_another(&mut world, &phone, deposit, 2);
    let forger =
        Phone { keys: DeviceKeys { device: phone.keys.device, ..DeviceKeys::make(&mut world.rng) }, ..phone.clone() };
    let forged = timers_for_another(&mut world, &forger, deposit, 9);
    let newer = timers_for_another(&mut world, &phone, deposit, 4);
    for document in [older, forged] {
        world.bring(MailKind::Timers, &document).await;
    }
    let next = world.desk.ring_overdue(Timestamp(0)).await.unwrap();
    assert!(next.is_some(), "it is watched");
    world.bring(MailKind::Timers, &newer).await;
    assert_eq!(world.desk.ring_overdue(Timestamp(0)).await.unwrap(), None);
    // What it was told before, told again, starts nothing; named again, it watches.
    world.bring(MailKind::Timers, &started).await;
    assert_eq!(world.desk.ring_overdue(Timestamp(0)).await.unwrap(), None);
    let back = timers(&world, &phone, deposit, 5, None, 120);
    world.bring(MailKind::Timers, &back).await;
    world.clock.advance(34 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), 1);
}

#[tokio::test]
async fn a_tablet_that_was_taken_out_ends_no_watch_and_its_duress_rings() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = Phone { keys: DeviceKeys::make(&mut world.rng), ..phone.clone() };
    world.enrol(&tablet).await;
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let settled = world.note(&tablet, NoteKind::Settled, false, Some(deposit));
    world.bring(MailKind::NoteOfRemoved, settled.bytes()).await;
    world.clock.advance(20 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), 1, "it was stolen, and the phone is missed");
    let duress = world.note(&tablet, NoteKind::Unlocked, true, None);
    world.bring(MailKind::NoteOfRemoved, duress.bytes()).await;
    assert_eq!(ringing(&world).await.iter().filter(|alarm| alarm.duress).count(), 1);
    // A phone that was taken out says of its own check-in what it says.
    let deposit = AlarmId::make(&mut world.rng);
    let started = timers(&world, &phone, deposit, 1, Some(10), 120);
    world.bring(MailKind::Timers, &started).await;
    let settled = world.note(&phone, NoteKind::Settled, false, Some(deposit));
    world.bring(MailKind::NoteOfRemoved, settled.bytes()).await;
    world.clock.advance(20 * MINUTE_MS);
    assert_eq!(ringing(&world).await.len(), 2);
}

#[tokio::test]
async fn another_device_of_the_person_withdraws_no_alarm_in_the_phones_name() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let tablet = Phone { keys: DeviceKeys::make(&mut world.rng), ..phone.clone() };
    world.enrol(&tablet).await;
    let (alarm, _) = world.ringing(&phone).await;
    let note = world.note(&tablet, NoteKind::Withdrawn, false, Some(alarm.value().header.alarm));
    world.bring(MailKind::Note, note.bytes()).await;
    let seen = world.view(&alarm).summary;
    assert_eq!((seen.withdrawn, seen.withdrawn_elsewhere), (false, true));
}
