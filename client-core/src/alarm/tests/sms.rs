//! An alarm that goes as a text message: prepared beforehand, the same alarm by both ways, and never a reason not to press.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use baken_schemas::alarm::{
    Alarm, AlarmKind, ContentKey, Fix, FixAbsent, Receipt, ReceiptDetail, ReceiptState, SmsContext, SmsText,
};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::signed::{Signed, Unverified};
use rand::SeedableRng as _;

use super::stage::{Mood, Stage, StageRelay, TODAY};
use crate::BakenError;
use crate::alarm::{AlarmState, Call, Warning};

const NUMBER: &str = "+3197010200300";

/// A phone that has left its context.
async fn prepared() -> (Stage, StageRelay) {
    let stage = Stage::set_up_with(Some(NUMBER));
    let relay = StageRelay::of(&stage);
    stage.deliver(&relay).await;
    (stage, relay)
}

/// A desk opens a text with what the relay hands over.
fn open(stage: &Stage, relay: &StageRelay, text: &str) -> (SmsText, baken_schemas::alarm::SmsBody, ContentKey) {
    let text = SmsText::from_text(text).unwrap();
    let contexts = relay.contexts();
    let context = contexts
        .iter()
        .map(|bytes| Unverified::<SmsContext>::parse(bytes).unwrap())
        .find(|context| text.alarm(context.claims()).is_ok())
        .unwrap();
    let context = context.verify(&stage.setup().alarm_key.verify_key()).unwrap();
    let keys = context.value().open(stage.east.device, &stage.east.kem).unwrap().unwrap();
    let (body, content) = text.open(&keys).unwrap();
    (text, body, content)
}

fn receipt(stage: &Stage, alarm: baken_schemas::id::AlarmId, hash: Hash, said: Option<&ContentKey>) -> Signed<Receipt> {
    let detail = ReceiptDetail { officer: "De Vries".to_owned(), text: String::new() };
    let receipt = Receipt {
        alarm,
        alarm_hash: hash,
        state: ReceiptState::Seen,
        at: baken_schemas::time::Timestamp(TODAY),
        by: stage.east.device,
        prev: Hash::ZERO,
        detail: Vec::new(),
    };
    let mut rng = rand::rngs::ChaCha20Rng::seed_from_u64(5);
    Receipt::make(receipt, said.map(|content| (&detail, content)), &stage.east.sig, &mut rng).unwrap()
}

#[tokio::test]
async fn a_press_without_data_has_a_text_that_a_desk_opens_to_the_same_alarm() {
    let (stage, relay) = prepared().await;
    relay.be(Mood::Down);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    assert_eq!(stage.phone.newest_unsent().unwrap(), alarm);
    let sent = stage.phone.text(alarm).unwrap();
    assert_eq!((sent.alarm, sent.number.as_str()), (alarm, NUMBER));
    assert!(sent.text.len() <= 160);
    let (text, body, _) = open(&stage, &relay, &sent.text);
    assert_eq!(
        (body.kind, body.fix, body.battery_percent),
        (AlarmKind::Panic, Fix::Absent(FixAbsent::NotYet), Some(40))
    );
    assert_eq!(body.card_key, stage.setup().card_key);
    // The same text on every look, and another for another press.
    assert_eq!(stage.phone.text(alarm).unwrap(), sent);
    let next = stage.press();
    assert_ne!(stage.phone.text(next).unwrap().text, sent.text);
    assert_eq!(stage.phone.newest_unsent().unwrap(), next);
    // By data it goes under the very id that the text stands for.
    relay.be(Mood::Up);
    stage.clock.pass_s(30);
    stage.deliver(&relay).await;
    let contexts = relay.contexts();
    let context = Unverified::<SmsContext>::parse(&contexts[0]).unwrap();
    assert_eq!(text.alarm(context.claims()), Ok(alarm));
    let ids: Vec<_> =
        relay.alarms().iter().map(|bytes| Unverified::<Alarm>::parse(bytes).unwrap().claims().header.alarm).collect();
    assert!(ids.contains(&alarm) && ids.contains(&next));
    assert!(matches!(stage.phone.newest_unsent(), Err(BakenError::NoSuchAlarm)));
}

#[tokio::test]
async fn a_receipt_for_the_text_is_shown_and_stops_no_sending() {
    let (stage, relay) = prepared().await;
    relay.be(Mood::Down);
    let alarm = stage.press();
    let (text, _, content) = open(&stage, &relay, &stage.phone.text(alarm).unwrap().text);
    let seen = receipt(&stage, alarm, text.hash(), Some(&content));
    relay.mails(MailKind::Receipt, seen.bytes());
    relay.be(Mood::Refuses);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).state, AlarmState::NotSent);
    relay.be(Mood::Up);
    // The mail comes before the alarm itself is tried again.
    let round = stage.phone.take_event(&super::live_mail(3, MailKind::Receipt, seen.bytes()), &stage.context).unwrap();
    assert_eq!(round.receipts, [(alarm, ReceiptState::Seen)]);
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green), (AlarmState::Seen, true));
    assert_eq!(view.proof.unwrap().officer.as_deref(), Some("De Vries"));
    assert_eq!(stage.phone.newest_unsent().unwrap(), alarm, "the alarm itself still waits");
    stage.clock.pass_s(40);
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms().len(), 1);
    // Two chains of the relay and the desk, for text and alarm, contradict nothing.
    let by_data = receipt(&stage, alarm, Hash::of("baken/document/v0", &[&relay.alarms()[0]]), None);
    relay.has(by_data.bytes());
    stage.clock.pass_s(40);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!(view.warnings, []);
    assert!(view.receipts.len() >= 3, "{}", view.receipts.len());
    // One for other bytes is refused as ever.
    relay.has(receipt(&stage, alarm, Hash([9; 32]), None).bytes());
    stage.clock.pass_s(70);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).warnings, [Warning::Refused { count: 1 }]);
}

#[tokio::test]
async fn without_a_number_or_a_context_at_the_relay_there_is_no_text_and_pressing_goes_on() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    stage.deliver(&relay).await;
    assert!(relay.contexts().is_empty());
    let alarm = stage.press();
    assert!(matches!(stage.phone.text(alarm), Err(BakenError::NoAlarmText)));

    let stage = Stage::set_up_with(Some(NUMBER));
    let relay = StageRelay::of(&stage);
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    let alarm = stage.press();
    assert!(matches!(stage.phone.text(alarm), Err(BakenError::NoAlarmText)), "the relay may not have it");
    relay.be(Mood::Up);
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    let contexts = relay.contexts();
    assert!(contexts.iter().all(|bytes| *bytes == contexts[0]), "the same on every try");
    assert!(stage.phone.text(stage.press()).is_ok());
}

#[tokio::test]
async fn numbers_are_never_given_twice_and_other_desks_get_a_context_of_their_own() {
    let (mut stage, relay) = prepared().await;
    let first = SmsText::from_text(&stage.phone.text(stage.press()).unwrap().text).unwrap();
    stage.restart_phone();
    let second = SmsText::from_text(&stage.phone.text(stage.press()).unwrap().text).unwrap();
    assert_eq!((first.number.counter, second.number.counter, second.short), (1, 2, first.short));
    // A new directory with the same responders changes nothing; one with other keys does.
    let (east, west) = (stage.east.clone(), stage.west.clone());
    relay.mails(MailKind::Directory, stage.directory_with_number(2, [&east, &west], NUMBER).bytes());
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert_eq!(relay.contexts().len(), 1);
    let stranger = stage.stranger();
    relay.mails(MailKind::Directory, stage.directory_with_number(3, [&east, &stranger], "+31201234567").bytes());
    for _ in 0..2 {
        stage.clock.pass_s(60);
        stage.deliver(&relay).await;
    }
    assert_eq!(relay.contexts().len(), 2);
    let sent = stage.phone.text(stage.press()).unwrap();
    assert_eq!(sent.number, "+31201234567");
    let third = SmsText::from_text(&sent.text).unwrap();
    assert_ne!(third.short, first.short);
    let (_, body, _) = open(&stage, &relay, &sent.text);
    assert_eq!(body.kind, AlarmKind::Panic);
}

#[tokio::test]
async fn a_phone_put_back_from_a_copy_counts_anew_and_calls_all_the_same() {
    let (mut stage, relay) = prepared().await;
    let copy = stage.copied_phone();
    let first = stage.press();
    stage.deliver(&relay).await;
    let before = SmsText::from_text(&stage.phone.text(first).unwrap().text).unwrap();
    stage.phone = copy;
    let second = stage.press();
    let after = SmsText::from_text(&stage.phone.text(second).unwrap().text).unwrap();
    assert_eq!(before.number.counter, after.number.counter);
    assert_ne!(first, second, "under an id that is taken the relay would refuse it");
    stage.deliver(&relay).await;
    assert_eq!(stage.view(second).state, AlarmState::Stored);
    assert_eq!(relay.alarms().len(), 2);
}

#[tokio::test]
async fn a_withdrawn_alarm_has_no_text_a_held_one_is_held_no_more_and_a_probe_is_never_meant() {
    let stage = Stage::set_up_with(Some(NUMBER));
    let relay = StageRelay::of(&stage);
    stage.deliver(&relay).await;
    relay.be(Mood::Down);
    let held = |countdown_s| {
        let call = Call {
            kind: AlarmKind::Panic,
            fix: Fix::Absent(FixAbsent::NotYet),
            battery_percent: None,
            text: String::new(),
            countdown_s,
        };
        stage.phone.press(&call, &stage.context).unwrap()
    };
    let withdrawn = held(30);
    stage.phone.withdraw(withdrawn, false, &stage.context).unwrap();
    assert!(matches!(stage.phone.text(withdrawn), Err(BakenError::NoAlarmText)));
    assert!(matches!(stage.phone.newest_unsent(), Err(BakenError::NoSuchAlarm)));

    let alarm = held(30);
    stage.phone.probe(&stage.context).unwrap();
    assert_eq!(stage.phone.newest_unsent().unwrap(), alarm);
    // Whoever asks for the text sends it: from then on it is not taken back unsent.
    stage.phone.text(alarm).unwrap();
    stage.phone.withdraw(alarm, false, &stage.context).unwrap();
    assert!(!stage.view(alarm).withdrawn.unwrap().before_sending);
    relay.be(Mood::Up);
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert!(relay.alarms().len() >= 2, "it is sent, and the probe");
}

#[tokio::test]
async fn a_relay_from_a_backup_is_left_again_what_texts_need() {
    let stage = Stage::set_up_with(Some(NUMBER));
    let relay = StageRelay::of(&stage);
    stage.deliver(&relay).await;
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    let before = relay.contexts().len();
    relay.is_restored();
    for _ in 0..2 {
        stage.clock.pass_s(60);
        stage.deliver(&relay).await;
    }
    assert!(relay.contexts().len() > before);
}
