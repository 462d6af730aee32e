//! Taking mail, from a relay that is honest, slow, restored or lying.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmKind, Card, CardBody, NoteKind, Receipt, ReceiptState, check_receipt,
};
use baken_schemas::api::{Mail, MailKind};
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use baken_server::desk::{Act, DeskError, Ending, MailPosition, SignatureView, Unopened};
use baken_server::org::{DirectoryChange, Organisation};

use crate::desk::world::{MAYOR, Phone, World, body, entry};

#[tokio::test]
async fn an_alarm_rings_with_who_where_and_how_sure() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let seen = world.view(&alarm).summary;
    assert!(seen.ringing && seen.held_by.is_none() && !seen.verified);
    assert_eq!((seen.kind, seen.signature, seen.unopened), (Some(AlarmKind::Panic), SignatureView::Proven, None));
    assert_eq!(seen.person.unwrap().name, MAYOR);
    let position = seen.position.unwrap();
    assert_eq!((position.place.accuracy_m, position.place.age_s), (12, 4));
    world.clock.advance(60_000);
    let later = world.view(&alarm).summary.position.unwrap();
    assert!(later.age_now_s >= 64, "a fix grows old while nobody looks: {}", later.age_now_s);
}

#[tokio::test]
async fn i1_an_alarm_is_received_once_through_repeats_kills_and_a_restored_relay() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.ringing(&phone).await;
    let receipts = world.desk.outgoing_receipts().unwrap();
    assert_eq!(receipts.len(), 1);
    let received = check_receipt(&receipts[0].document, &world.directory()).unwrap().into_value();
    assert_eq!(
        (received.state, received.alarm_hash, received.prev),
        (ReceiptState::Received, alarm.hash(), Hash::ZERO)
    );

    // The same mail at the same place, then, once the relay says it has the receipt, at another place, killed in between.
    world.bring_at(world.place, MailKind::Alarm, alarm.bytes()).await;
    world.restart();
    world.desk.receipt_settled(receipts[0].hash, true).await.unwrap();
    assert!(world.desk.outgoing_receipts().unwrap().is_empty());
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    // The relay seems not to know: it gets the very same bytes again.
    assert_eq!(world.desk.outgoing_receipts().unwrap()[0].document, receipts[0].document);
    // A relay restored from a backup counts anew.
    world.bring_at(MailPosition { generation: 2, cursor: 1 }, MailKind::Alarm, alarm.bytes()).await;
    assert_eq!(world.desk.mail_position().unwrap(), MailPosition { generation: 2, cursor: 1 });
    let list = world.desk.alarms(true).unwrap();
    assert_eq!((list.alarms.len(), list.open), (1, 1));
    assert_eq!(world.desk.outgoing_receipts().unwrap().len(), 1);
    assert_eq!(world.view(&alarm).summary.person.unwrap().name, MAYOR, "the roster outlives the process");
}

#[tokio::test]
async fn an_alarm_that_cannot_be_opened_still_rings_by_name() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    // Sealed to a key that this desk does not have, as after a lost key.
    let mut directory = world.directory();
    directory.desks[0].kem = DeviceKeys::make(&mut world.rng).kem.public();
    let header = world.header(&phone);
    let (alarm, _) = Alarm::seal(header, &body(), &directory, &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let seen = world.view(&alarm).summary;
    assert!(seen.ringing);
    assert_eq!((seen.unopened, seen.kind), (Some(Unopened::CannotOpen), None));
    assert_eq!((seen.person.unwrap().name.as_str(), seen.signature), (MAYOR, SignatureView::Proven));
    assert_eq!(world.desk.outgoing_receipts().unwrap().len(), 1, "the relay learns that it arrived");
}

#[tokio::test]
async fn i1_mail_that_cannot_be_read_rings_and_keeps_nothing_behind_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let unreadable = baken_server::desk::run::readable(b"mail of a kind that nobody knows");
    world.bring(unreadable.kind, &unreadable.document).await;
    assert_eq!(world.desk.alarms(true).unwrap().alarms.iter().filter(|alarm| alarm.ringing).count(), 1);
    let (alarm, _) = world.alarm(&phone, AlarmKind::Panic);
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    assert!(world.view(&alarm).summary.ringing);
    let whole = cbor::to_vec(&Mail { kind: MailKind::Note, document: vec![1].into() });
    assert_eq!(baken_server::desk::run::readable(&whole).kind, MailKind::Note);
}

#[tokio::test]
async fn an_alarm_for_other_desks_still_rings_here_when_it_is_handed_over() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let mut directory = world.directory();
    directory.ladders[0].rungs.iter_mut().for_each(|rung| rung.responders = vec![world.other.device]);
    let header = world.header(&phone);
    let (alarm, _) = Alarm::seal(header, &body(), &directory, &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let seen = world.view(&alarm).summary;
    assert_eq!((seen.ringing, seen.unopened), (true, Some(Unopened::NotForUs)));
}

#[tokio::test]
async fn i2_an_unknown_device_rings_as_unknown_until_it_has_proven_whose_it_is() {
    let mut world = World::new().await;
    let phone = world.stranger().await;
    let (alarm, _) = world.ringing(&phone).await;
    let seen = world.view(&alarm).summary;
    assert!(seen.ringing && seen.person.is_none());
    assert_eq!(seen.signature, SignatureView::UnknownDevice);
    world.enrol(&phone).await;
    let seen = world.view(&alarm).summary;
    assert_eq!((seen.signature, seen.person.unwrap().name.as_str()), (SignatureView::Proven, MAYOR));
}

#[tokio::test]
async fn i5_a_relays_copy_under_an_alarms_id_neither_hides_it_nor_passes_for_it() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, _) = world.alarm(&phone, AlarmKind::Panic);
    // The relay makes an alarm of its own under the id and device it saw, and brings it first.
    let forger = DeviceKeys::make(&mut world.rng);
    let other = AlarmBody { text: "vals alarm".to_owned(), ..body() };
    let directory = world.directory();
    let (forged, _) = Alarm::seal(alarm.value().header, &other, &directory, &forger.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, forged.bytes()).await;
    assert_eq!(world.view(&alarm).summary.signature, SignatureView::Mismatch);
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let seen = world.view(&alarm).summary;
    assert_eq!((seen.signature, seen.text.as_str()), (SignatureView::Proven, "man bij de deur"));
    // And the other way round: what is proven stays.
    let (forged, _) = Alarm::seal(alarm.value().header, &other, &directory, &forger.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, forged.bytes()).await;
    assert_eq!(world.view(&alarm).summary.text, "man bij de deur");
    assert_eq!(world.desk.alarms(true).unwrap().alarms.len(), 1);
}

#[tokio::test]
async fn i5_what_is_said_of_a_relays_copy_is_not_said_of_the_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let (alarm, _) = world.alarm(&phone, AlarmKind::Panic);
    let (forger, directory) = (DeviceKeys::make(&mut world.rng), world.directory());
    let (forged, content) =
        Alarm::seal(alarm.value().header, &body(), &directory, &forger.alarm, &mut world.rng).unwrap();
    // The relay brings its copy first; the officer sees that nobody known signed it, and closes it.
    world.bring(MailKind::Alarm, forged.bytes()).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    world.desk.act(id, &officer, &Act::Close { outcome: "vals".to_owned(), ending: Ending::Unsaid }).await.unwrap();
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    let seen = world.view(&alarm);
    assert!(seen.summary.ringing && seen.summary.held_by.is_none(), "nobody has closed the true one");
    assert_eq!(seen.receipts.len(), 1, "only that it was received");
    world.desk.act(id, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    // Another desk was shown the copy only, and closes that: the one that is proven here stays open.
    let closed = world.others_receipt(&forged, &content, ReceiptState::Closed);
    world.bring(MailKind::Receipt, closed.bytes()).await;
    assert_eq!(world.view(&alarm).summary.state, ReceiptState::Seen);
    assert_eq!(world.desk.alarms(true).unwrap().open, 1);
}

#[tokio::test]
async fn bytes_that_are_no_alarm_ring_but_get_no_receipt() {
    let mut world = World::new().await;
    world.bring(MailKind::Alarm, b"not an alarm").await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!((list.alarms.len(), list.alarms[0].unopened), (1, Some(Unopened::Unreadable)));
    assert_eq!(list.alarms[0].signature, SignatureView::None);
    assert!(world.desk.outgoing_receipts().unwrap().is_empty());
}

#[tokio::test]
async fn updates_bring_a_newer_position_and_only_the_caller_can_send_them() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, content) = world.ringing(&phone).await;
    let update = world.update(&phone, &alarm, &content, 1);
    world.bring(MailKind::Update, update.bytes()).await;
    let other = Phone { keys: DeviceKeys { device: phone.keys.device, ..world.relay.clone() }, ..phone.clone() };
    let forged = world.update(&other, &alarm, &content, 2);
    world.bring(MailKind::Update, forged.bytes()).await;
    let seen = world.view(&alarm);
    assert_eq!(seen.updates.len(), 1);
    let position = seen.summary.position.unwrap();
    assert_eq!((position.from_update, position.place.accuracy_m), (true, 30));
    assert_eq!(seen.summary.battery_percent, Some(40));
}

#[tokio::test]
async fn a_duress_pin_rings_whether_or_not_there_is_an_alarm() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let unlocked = world.note(&phone, NoteKind::Unlocked, false, None);
    world.bring(MailKind::Note, unlocked.bytes()).await;
    assert!(world.desk.alarms(true).unwrap().alarms.is_empty(), "an ordinary unlocking is nobody's business");

    let duress = world.note(&phone, NoteKind::Unlocked, true, None);
    world.bring(MailKind::Note, duress.bytes()).await;
    world.bring(MailKind::Note, duress.bytes()).await;
    let list = world.desk.alarms(true).unwrap();
    assert_eq!(list.alarms.len(), 1);
    assert!(list.alarms[0].duress && list.alarms[0].discreet && list.alarms[0].ringing);
    assert_eq!(list.alarms[0].kind, Some(AlarmKind::Duress));
    assert_eq!(list.alarms[0].person.as_ref().unwrap().name, MAYOR);

    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let withdrawn = world.note(&phone, NoteKind::Withdrawn, true, Some(id));
    world.bring(MailKind::Note, withdrawn.bytes()).await;
    let seen = world.view(&alarm);
    assert!(seen.summary.ringing && seen.summary.withdrawn && seen.summary.duress);
    assert_eq!((seen.notes.len(), seen.notes[0].signature), (1, SignatureView::Proven));
}

#[tokio::test]
async fn another_desks_word_counts_and_a_forged_one_does_not() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, content) = world.ringing(&phone).await;
    let honest = world.others_receipt(&alarm, &content, ReceiptState::Seen);
    // The relay says it in the other desk's name.
    let forged = Signed::make(honest.value().clone(), &world.relay.sig);
    world.bring(MailKind::Receipt, forged.bytes()).await;
    let own_words = Receipt { by: world.relay.device, ..honest.value().clone() };
    world.bring(MailKind::Receipt, Signed::make(own_words, &world.relay.sig).bytes()).await;
    assert!(world.view(&alarm).summary.ringing);
    world.bring(MailKind::Receipt, honest.bytes()).await;
    let held = world.view(&alarm).summary.held_by.unwrap();
    assert_eq!((held.desk.as_str(), held.own, held.officer.as_deref()), ("West", false, Some("Agent West")));
}

#[tokio::test]
async fn a_receipt_that_overtakes_its_alarm_still_counts() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (alarm, content) = world.alarm(&phone, AlarmKind::Panic);
    let seen = world.others_receipt(&alarm, &content, ReceiptState::Seen);
    world.bring(MailKind::Receipt, seen.bytes()).await;
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    assert!(!world.view(&alarm).summary.ringing);
}

#[tokio::test]
async fn a_card_is_shown_with_the_alarm_that_brought_its_key() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let key = SymmetricKey::make(&mut world.rng);
    let card = CardBody { code_word: "bosuil".to_owned(), ..CardBody::default() };
    let sealed = Card::seal(phone.keys.device, 1, &card, &key, &phone.keys.sig, &mut world.rng).unwrap();
    let with_key = AlarmBody { card_key: Some(key.as_bytes().to_vec().into()), ..body() };
    let (header, directory) = (world.header(&phone), world.directory());
    let (alarm, _) = Alarm::seal(header, &with_key, &directory, &phone.keys.alarm, &mut world.rng).unwrap();
    world.bring(MailKind::Alarm, alarm.bytes()).await;
    assert!(world.view(&alarm).card.is_none());
    // A card that the relay signed, and one of another device.
    let forged = Signed::make(sealed.value().clone(), &world.relay.sig);
    assert!(world.desk.put_card(phone.keys.device, forged.bytes()).await.is_err());
    assert!(world.desk.put_card(world.relay.device, sealed.bytes()).await.is_err());
    world.desk.put_card(phone.keys.device, sealed.bytes()).await.unwrap();
    assert_eq!(world.view(&alarm).card.unwrap().code_word, "bosuil");
}

#[tokio::test]
async fn i6_directories_only_go_up_and_only_the_own_root_signs_them() {
    let mut world = World::new().await;
    let first = world.org.directory.clone().unwrap();
    world.org.sign_directory(DirectoryChange::default(), Timestamp(9), &mut world.rng).unwrap();
    let second = world.org.directory.clone().unwrap();
    world.desk.take_directory(second.bytes()).await.unwrap();
    let older = world.desk.take_directory(first.bytes()).await;
    assert!(matches!(older, Err(DeskError::OldDirectory { held: 2, found: 1 })), "{older:?}");

    let mut stranger = Organisation::make("Gemeente Anders", &mut world.rng).unwrap();
    let relay = Some(second.value().relay.clone());
    let change = DirectoryChange { relay, desks: vec![entry(&world.keys, "Oost")], ..DirectoryChange::default() };
    stranger.sign_directory(change, Timestamp(9), &mut world.rng).unwrap();
    let foreign = world.desk.take_directory(stranger.directory.unwrap().bytes()).await;
    assert!(matches!(foreign, Err(DeskError::Format(_))), "{foreign:?}");

    // A directory that vouches for other keys under this desk's id.
    let slipped_in = DeviceKeys { device: world.keys.device, ..DeviceKeys::make(&mut world.rng) };
    let change = DirectoryChange { desks: vec![entry(&slipped_in, "Oost")], ..DirectoryChange::default() };
    world.org.sign_directory(change, Timestamp(9), &mut world.rng).unwrap();
    let other_keys = world.desk.take_directory(world.org.directory.as_ref().unwrap().bytes()).await;
    assert!(matches!(other_keys, Err(DeskError::NotListed)), "{other_keys:?}");
    assert_eq!(world.desk.directory().unwrap().value().version, 2);
    world.restart();
    assert_eq!(world.desk.directory().unwrap().value().version, 2);
}

#[tokio::test]
async fn nothing_that_a_person_sent_lies_readable_in_the_desks_folder() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    let outcome = "woordvoorbeeld".to_owned();
    world.desk.act(id, &officer, &Act::Close { outcome: outcome.clone(), ending: Ending::Unsaid }).await.unwrap();
    assert_eq!(world.view(&alarm).receipts.last().unwrap().text.as_ref(), Some(&outcome));
    assert!(Unverified::<Alarm>::parse(alarm.bytes()).is_ok());
    for file in ["desk.db", "desk.db-wal"] {
        let bytes = std::fs::read(world.dir.path().join(file)).unwrap();
        for word in ["man bij de deur", MAYOR, &outcome, "Agent Jansen"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} lies readable in {file}");
        }
    }
}

#[tokio::test]
async fn another_devices_word_does_not_withdraw_an_alarm() {
    let mut world = World::new().await;
    let (phone, other) = (world.phone().await, world.phone().await);
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let foreign = world.note(&other, NoteKind::Withdrawn, false, Some(id));
    world.bring(MailKind::Note, foreign.bytes()).await;
    assert!(!world.view(&alarm).summary.withdrawn);
    let own = world.note(&phone, NoteKind::Withdrawn, false, Some(id));
    world.bring(MailKind::Note, own.bytes()).await;
    assert!(world.view(&alarm).summary.withdrawn);
}

#[tokio::test]
async fn a_thousand_notes_of_somebody_elses_device_hide_no_duress() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let partner = world.stranger().await;
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let flood = async |world: &mut World, by: &Phone| {
        for _ in 0..130 {
            let note = world.note(by, NoteKind::Withdrawn, false, Some(id));
            world.bring(MailKind::Note, note.bytes()).await;
            world.clock.advance(1);
        }
    };
    flood(&mut world, &partner).await;
    let duress = world.note(&phone, NoteKind::Withdrawn, true, Some(id));
    world.bring(MailKind::Note, duress.bytes()).await;
    flood(&mut world, &partner).await;
    // Nor those that are made with the phone itself afterwards.
    flood(&mut world, &phone).await;
    let seen = world.view(&alarm);
    assert!(seen.summary.duress && seen.summary.discreet);
    assert!(seen.notes.iter().any(|note| note.duress), "a screen shows it too");
    assert!(seen.notes.len() <= 200, "{} notes on a screen", seen.notes.len());
}
