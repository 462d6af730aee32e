//! Alarms by text message at the desk: what proves one, what a relay can make of it, and what the alarm by data adds.

use baken_schemas::alarm::{
    Alarm, AlarmKind, Fix, FixAbsent, Provenance, Receipt, ReceiptDetail, ReceiptState, SmsAlarm, SmsBody, SmsContext,
    SmsContextHeader, SmsHandover, SmsKeys, SmsNumber, SmsText,
};
use baken_schemas::api::MailKind;
use baken_schemas::cbor;
use baken_schemas::crypto::{Hash, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, SmsContextId};
use baken_schemas::signed::{Signed, Unverified};
use baken_schemas::time::Timestamp;
use baken_server::desk::{Act, AlarmDetail, Ending, SignatureView, Unopened};

use crate::desk::world::{Phone, World, body};

struct Texts {
    context: Signed<SmsContext>,
    keys: SmsKeys,
    bridge: DeviceKeys,
}

impl Texts {
    fn of(world: &mut World, phone: &Phone) -> Self {
        let directory = world.directory();
        let header = SmsContextHeader {
            context: SmsContextId::make(&mut world.rng),
            device: phone.keys.device,
            ladder: directory.ladders[0].ladder,
            ladder_version: directory.ladders[0].version,
        };
        let (context, keys) = SmsContext::make(header, &directory, &phone.keys.alarm, &mut world.rng).unwrap();
        Self { context, keys, bridge: DeviceKeys::make(&mut world.rng) }
    }

    /// What the relay hands over of a text, sealed with these keys.
    fn handover(&self, keys: &SmsKeys, counter: u32, kind: AlarmKind) -> Vec<u8> {
        let body = SmsBody {
            kind,
            fix: Fix::Absent(FixAbsent::NotYet),
            battery_percent: None,
            made_at: Timestamp(0),
            card_key: SymmetricKey::from_slice(&[3; 32]).unwrap(),
        };
        let text = SmsText::seal(keys, numbered(counter), &body).to_bytes().into();
        let alarm = SmsAlarm { bridge: self.bridge.device, text, taken_at: Timestamp(0) };
        let alarm = Signed::make(alarm, &self.bridge.alarm);
        cbor::to_vec(&SmsHandover {
            context: self.context.bytes().to_vec().into(),
            alarm: alarm.bytes().to_vec().into(),
        })
    }

    fn by_data(&self, world: &mut World, phone: &Phone, counter: u32) -> Signed<Alarm> {
        let mut header = world.header(phone);
        header.alarm = self.keys.alarm(numbered(counter));
        let directory = world.directory();
        Alarm::seal(header, &body(), &directory, &phone.keys.alarm, &mut world.rng).unwrap().0
    }
}

fn numbered(counter: u32) -> SmsNumber {
    SmsNumber { counter, salt: [1, 2, 3, 4] }
}

fn shown(world: &World, alarm: AlarmId) -> AlarmDetail {
    world.desk.alarm(alarm).unwrap().expect("the desk has it")
}

#[tokio::test]
async fn i5_a_text_that_a_relay_made_up_rings_as_nobodys_and_neither_hides_nor_becomes_the_true_one() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let texts = Texts::of(&mut world, &phone);
    let alarm = texts.keys.alarm(numbered(1));
    // The relay has the context and the key of the tags, and not the key of the texts.
    let made_up = SmsKeys { key: SymmetricKey::make(&mut world.rng), ..texts.keys.clone() };
    world.bring(MailKind::Sms, &texts.handover(&made_up, 1, AlarmKind::Test)).await;
    let seen = shown(&world, alarm).summary;
    assert_eq!((seen.signature, seen.unopened), (SignatureView::Mismatch, Some(Unopened::CannotOpen)));
    assert_eq!(seen.person.unwrap().name, "Ans Testma", "it rings, named: it may be true and damaged");
    let (officer, _) = world.officer("Agent Jansen");
    world.desk.act(alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    world.bring(MailKind::Sms, &texts.handover(&texts.keys, 1, AlarmKind::Panic)).await;
    let seen = shown(&world, alarm).summary;
    assert_eq!((seen.signature, seen.kind), (SignatureView::Proven, Some(AlarmKind::Panic)));
    assert!(seen.ringing, "nobody has the true one");
    world.bring(MailKind::Sms, &texts.handover(&made_up, 1, AlarmKind::Silent)).await;
    assert_eq!(shown(&world, alarm).summary.kind, Some(AlarmKind::Panic));
    assert_eq!(world.desk.alarms(true).unwrap().open, 1);
    // A context that another device signed proves nothing either.
    let forger = DeviceKeys::make(&mut world.rng);
    let context = Signed::make(texts.context.value().clone(), &forger.alarm);
    let forged = Texts { context, keys: texts.keys.clone(), bridge: forger };
    world.bring(MailKind::Sms, &forged.handover(&texts.keys, 2, AlarmKind::Panic)).await;
    assert_eq!(shown(&world, texts.keys.alarm(numbered(2))).summary.signature, SignatureView::Mismatch);
}

#[tokio::test]
async fn a_text_and_the_alarm_by_data_are_one_whatever_restarts_between() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let texts = Texts::of(&mut world, &phone);
    let (officer, _) = world.officer("Agent Jansen");
    let alarm = texts.keys.alarm(numbered(1));
    let text = texts.handover(&texts.keys, 1, AlarmKind::Silent);
    world.bring(MailKind::Sms, &text).await;
    // No bridge that the desk knows: it says so by saying nothing.
    assert_eq!(shown(&world, alarm).summary.provenance, Some(Provenance::Sms { bridge: String::new() }));
    world.desk.act(alarm, &officer, &Act::Acknowledge { also: false }).await.unwrap();
    world.restart();
    let by_data = texts.by_data(&mut world, &phone, 1);
    world.bring(MailKind::Alarm, by_data.bytes()).await;
    world.restart();
    let detail = shown(&world, alarm);
    assert_eq!((detail.summary.text.as_str(), detail.summary.by_text), ("man bij de deur", true));
    assert_eq!((detail.summary.state, detail.summary.ringing), (ReceiptState::Seen, false));
    assert_eq!(detail.summary.held_by.unwrap().officer.as_deref(), Some("Agent Jansen"));
    // Handed over again, and the text once more: nothing new.
    world.bring(MailKind::Alarm, by_data.bytes()).await;
    world.bring(MailKind::Sms, &text).await;
    assert_eq!(world.desk.alarms(true).unwrap().open, 1);
    world
        .desk
        .act(alarm, &officer, &Act::Close { outcome: "veilig".to_owned(), ending: Ending::Unsaid })
        .await
        .unwrap();
    assert_eq!(world.desk.alarms(true).unwrap().open, 0);
    assert_eq!(world.desk.alarms(false).unwrap().alarms.len(), 1);
}

#[tokio::test]
async fn what_another_desk_said_of_the_text_stands_beside_the_alarm_by_data() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let texts = Texts::of(&mut world, &phone);
    let alarm = texts.keys.alarm(numbered(1));
    let handover = texts.handover(&texts.keys, 1, AlarmKind::Panic);
    world.bring(MailKind::Sms, &handover).await;
    let by_data = texts.by_data(&mut world, &phone, 1);
    world.bring(MailKind::Alarm, by_data.bytes()).await;
    assert!(shown(&world, alarm).summary.ringing);
    let read: SmsHandover = cbor::from_slice(&handover, "a handover").unwrap();
    let by_bridge = Unverified::<SmsAlarm>::parse(&read.alarm).unwrap();
    let text = SmsText::from_bytes(&by_bridge.claims().text).unwrap();
    let detail = ReceiptDetail { officer: "Agent West".to_owned(), text: String::new() };
    let receipt = Receipt {
        alarm,
        alarm_hash: text.hash(),
        state: ReceiptState::Seen,
        at: Timestamp(0),
        by: world.other.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let sealed = Some((&detail, &texts.keys.content(numbered(1))));
    let receipt = Receipt::make(receipt, sealed, &world.other.sig, &mut world.rng).unwrap();
    world.bring(MailKind::Receipt, receipt.bytes()).await;
    let seen = shown(&world, alarm).summary;
    assert!(!seen.ringing, "the other desk has it");
    assert_eq!(seen.held_by.unwrap().officer.as_deref(), Some("Agent West"));
}

#[tokio::test]
async fn what_is_handed_over_as_a_text_and_is_none_rings_all_the_same() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let texts = Texts::of(&mut world, &phone);
    world.bring(MailKind::Sms, b"no text").await;
    let mut other = texts.handover(&texts.keys, 1, AlarmKind::Panic);
    let last = other.len() - 90;
    other[last] ^= 1;
    world.bring(MailKind::Sms, &other).await;
    let list = world.desk.alarms(true).unwrap();
    assert!(list.alarms.iter().all(|alarm| alarm.signature != SignatureView::Proven), "{}", list.open);
    assert!(list.open >= 1);
    assert!(list.alarms.iter().any(|alarm| alarm.unopened == Some(Unopened::Unreadable)));
}
