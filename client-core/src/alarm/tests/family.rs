//! A phone as a family responder: what it takes for an alarm and what not, and an outbox of before there were any.

use baken_schemas::alarm::{
    Alarm, AlarmBody, AlarmClass, AlarmHeader, AlarmKind, ContentKey, FamilyResponder, Fix, FixAbsent, Provenance,
    Receipt, ReceiptState,
};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId};
use baken_schemas::org::{CallsFamily, Directory};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, Timestamp};
use rusqlite::params;

use super::stage::{Mood, Stage, StageRelay};
use crate::BakenError;
use crate::alarm::{AlarmState, Called, Caller, Signer};

/// The stage's ladder, with family on its first rung.
fn at_home(stage: &Stage, version: u64) -> Directory {
    let mut directory = stage.directory(version, [&stage.east, &stage.west]).into_value();
    directory.ladders[0].rungs[0].family = CallsFamily::Yes;
    directory
}

/// An alarm by `caller`, sealed to the stage's phone.
fn calling(stage: &Stage, caller: &DeviceKeys, id: u8, text: &str) -> Signed<Alarm> {
    let directory = at_home(stage, 9);
    let kem = stage.phone.become_responder("Jan", &stage.context).unwrap();
    let own = FamilyResponder { device: stage.setup().device, alarm: stage.setup().alarm_key.verify_key(), kem };
    let header = AlarmHeader {
        alarm: AlarmId([id; 16]),
        device: caller.device,
        class: AlarmClass::Alarm,
        ladder: directory.ladders[0].ladder,
        ladder_version: 1,
    };
    let body = AlarmBody {
        kind: AlarmKind::Panic,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        text: text.to_owned(),
        made_at: Timestamp(0),
        card_key: None,
        provenance: Provenance::Phone,
        family: None,
    };
    stage.context.with_rng(|rng| {
        let content = ContentKey::make(rng);
        Alarm::seal_under(&content, header, &body, (&directory, &[own]), &caller.alarm, rng).unwrap()
    })
}

fn knows(stage: &Stage, caller: &DeviceKeys) {
    let known = Caller { device: caller.device, name: "Ans".to_owned(), alarm_key: caller.alarm.verify_key() };
    stage.phone.keep_callers(&[known]).unwrap();
}

#[tokio::test]
async fn what_is_no_alarm_for_this_phone_is_kept_as_evidence_and_rings_nowhere() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let [caller, stranger] = std::array::from_fn(|_| stage.stranger());
    let alarm = calling(&stage, &caller, 1, "hulp");
    stage.phone.stop_responding().unwrap();
    relay.mails(MailKind::Alarm, alarm.bytes());
    assert_eq!(stage.deliver(&relay).await.refused, ["not_for_phones"], "its holder has not agreed");

    let alarm = calling(&stage, &caller, 2, "hulp");
    knows(&stage, &caller);
    let forged = Signed::make(alarm.value().clone(), &stranger.alarm);
    let mut own = calling(&stage, &caller, 3, "hulp").into_value();
    own.header.device = stage.setup().device;
    let own = Signed::make(own, &stage.setup().alarm_key);
    let mut sealed_to_others = calling(&stage, &stranger, 4, "hulp").into_value();
    for slot in &mut sealed_to_others.slots {
        slot.responder = DeviceId([9; 16]);
    }
    let sealed_to_others = Signed::make(sealed_to_others, &stranger.alarm);
    for (document, reason) in [(forged, "forged"), (own, "own_alarm"), (sealed_to_others, "unknown_caller")] {
        relay.mails(MailKind::Alarm, document.bytes());
        stage.phone.hurry();
        assert_eq!(stage.deliver(&relay).await.refused, [reason]);
    }
    assert_eq!(stage.phone.incoming_alarms(stage.clock.now()).unwrap(), []);
    assert!(matches!(stage.phone.acknowledge(AlarmId([2; 16]), &stage.context), Err(BakenError::NoSuchAlarm)));

    relay.mails(MailKind::Alarm, alarm.bytes());
    stage.phone.hurry();
    assert_eq!(stage.deliver(&relay).await.incoming, [AlarmId([2; 16])]);
    // Brought again it is known; other bytes under its id are not it.
    relay.mails(MailKind::Alarm, alarm.bytes());
    relay.mails(MailKind::Alarm, calling(&stage, &caller, 2, "iets anders").bytes());
    stage.phone.hurry();
    let round = stage.deliver(&relay).await;
    // That the relay has what this phone said of it is news too.
    assert_eq!(round.refused, ["other_alarm"]);
    let views = stage.phone.incoming_alarms(stage.clock.now()).unwrap();
    assert_eq!((views.len(), views[0].texts.as_slice()), (1, &["hulp".to_owned()][..]));
}

#[tokio::test]
async fn an_alarm_of_a_known_caller_that_does_not_open_rings_all_the_same() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let caller = stage.stranger();
    knows(&stage, &caller);
    let mut alarm = calling(&stage, &caller, 5, "hulp").into_value();
    let own = stage.setup().device;
    alarm.slots.iter_mut().filter(|slot| slot.responder == own).for_each(|slot| slot.responder = DeviceId([9; 16]));
    relay.mails(MailKind::Alarm, Signed::make(alarm, &caller.alarm).bytes());
    stage.deliver(&relay).await;
    let view = stage.phone.incoming_alarm(AlarmId([5; 16]), stage.clock.now()).unwrap();
    assert_eq!((view.proven, view.kind, view.fix, view.call_112), (true, None, None, true));
    // Its holder can say that they have seen it, without a name that nobody could read.
    stage.phone.acknowledge(AlarmId([5; 16]), &stage.context).unwrap();
    assert!(stage.phone.incoming_alarm(AlarmId([5; 16]), stage.clock.now()).unwrap().acknowledged_at.is_some());
}

#[tokio::test]
async fn i2_a_receipt_of_the_family_counts_by_the_key_that_the_alarm_was_sealed_with() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let [partner, other] = std::array::from_fn(|_| stage.stranger());
    relay.mails(MailKind::Directory, Signed::make(at_home(&stage, 2), stage.root()).bytes());
    stage.deliver(&relay).await;
    let keys = FamilyResponder { device: partner.device, alarm: partner.alarm.verify_key(), kem: partner.kem.public() };
    stage.phone.keep_family(&[Called { name: "Jan".to_owned(), keys }]).unwrap();
    let alarm = stage.press();
    // Taken out meanwhile: the alarm was sealed to them all the same.
    stage.phone.keep_family(&[]).unwrap();
    stage.phone.hurry();
    stage.deliver(&relay).await;
    let bytes = relay.alarms()[0].clone();
    let says = |keys: &DeviceKeys, by: &DeviceKeys, state| {
        let alarm_hash = stage.verify_alarm(&bytes).hash();
        let at = stage.clock.now();
        let receipt = Receipt { alarm, alarm_hash, state, at, by: by.device, prev: Hash::ZERO, detail: Vec::new() };
        Signed::make(receipt, &keys.alarm)
    };
    for (receipt, reason) in [
        (says(&other, &other, ReceiptState::Seen), "forged"),
        (says(&other, &partner, ReceiptState::Seen), "forged"),
        (says(&partner, &partner, ReceiptState::Closed), "not_entitled"),
    ] {
        relay.mails(MailKind::Receipt, receipt.bytes());
        stage.phone.hurry();
        assert_eq!(stage.deliver(&relay).await.refused, [reason]);
        assert!(!stage.view(alarm).green);
    }
    relay.mails(MailKind::Receipt, says(&partner, &partner, ReceiptState::Seen).bytes());
    stage.phone.hurry();
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green), (AlarmState::Seen, true));
    assert_eq!(view.proof.unwrap().by, Signer::Family(String::new()), "they are called no more");
}

#[test]
fn an_outbox_of_before_there_was_family_goes_on_with_all_that_is_in_it() {
    let mut stage = Stage::set_up();
    let alarm = stage.press();
    let new = crate::checkin::NewCheckIn {
        due_at: stage.clock.now().plus_ms(3_600_000),
        grace_s: 60,
        silent_after_s: None,
        text: "thuis om acht uur".to_owned(),
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
    };
    let check_in = stage.phone.start_check_in(&new, &stage.context).unwrap();
    stage
        .phone
        .write(|tx| {
            // As version 7 left it.
            tx.execute_batch(
                "ALTER TABLE order_author DROP COLUMN name; ALTER TABLE check_in DROP COLUMN owner;
                 ALTER TABLE check_in DROP COLUMN replaced_by; ALTER TABLE check_in DROP COLUMN settled_by;
                 DROP TABLE handing_on; DROP TABLE audit_head; DROP TABLE audit_rewritten;
                 ALTER TABLE phone DROP COLUMN audit_asked_at; DROP TABLE inbox; DROP TABLE inbox_key;
                 DROP TABLE attachment_chunk; ALTER TABLE alarm_update DROP COLUMN by_itself; DROP TABLE family; DROP TABLE caller; DROP TABLE said; DROP TABLE incoming_part; DROP TABLE incoming;
                 DROP TABLE escalation;
                 ALTER TABLE alarm DROP COLUMN family; ALTER TABLE check_in_form DROP COLUMN family;
                 ALTER TABLE receipt DROP COLUMN by_family;
                 ALTER TABLE phone DROP COLUMN responder_kem; ALTER TABLE phone DROP COLUMN responder_name;",
            )?;
            tx.execute(
                "INSERT INTO check_in_form (deposit, number, hash) VALUES (?1, 1, ?2)",
                params![check_in.0, [7_u8; 32]],
            )?;
            tx.pragma_update(None, "user_version", 7)?;
            Ok(())
        })
        .unwrap();
    stage.restart_phone();
    assert_eq!(stage.view(alarm).state, AlarmState::NotSent);
    assert_eq!(stage.phone.check_in(check_in, stage.clock.now()).unwrap().check_in, check_in);
    assert_eq!(stage.phone.check_ins_sealed_to(DeviceId([1; 16])).unwrap(), []);
    assert_eq!(stage.phone.responds_as().unwrap(), None);
    stage.press();
}

#[tokio::test]
async fn the_familys_phone_is_said_to_be_there_by_its_own_answer_alone() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let [partner, neighbour] = std::array::from_fn(|_| stage.stranger());
    relay.mails(MailKind::Directory, Signed::make(at_home(&stage, 2), stage.root()).bytes());
    stage.deliver(&relay).await;
    let responder = |device: &DeviceKeys, name: &str| Called {
        name: name.to_owned(),
        keys: FamilyResponder { device: device.device, alarm: device.alarm.verify_key(), kem: device.kem.public() },
    };
    stage.phone.keep_family(&[responder(&partner, "Jan"), responder(&neighbour, "Riet")]).unwrap();
    let answered = || stage.phone.path().unwrap().family.into_iter().map(|path| path.answered_at).collect::<Vec<_>>();
    assert_eq!(answered(), [None, None]);
    stage.press();
    stage.deliver(&relay).await;
    let alarm = relay.alarms().remove(0);
    let says = |by: &DeviceKeys, key: &DeviceKeys| {
        let receipt = stage.receipt(by, &alarm, ReceiptState::Received, None, None).into_value();
        Signed::make(receipt, &key.alarm)
    };
    // The relay has the device's name, and not its key.
    relay.mails(MailKind::Receipt, says(&partner, &neighbour).bytes());
    stage.clock.pass_s(30);
    stage.deliver(&relay).await;
    assert_eq!(answered(), [None, None]);
    relay.mails(MailKind::Receipt, says(&partner, &partner).bytes());
    stage.clock.pass_s(30);
    stage.deliver(&relay).await;
    assert_eq!(answered(), [Some(stage.clock.now()), None]);
    assert_eq!(stage.phone.path().unwrap().family[0].name, "Jan");
}

#[tokio::test]
async fn goalert_2775_who_cannot_come_sends_it_on_with_the_phone_locked() {
    // There is no vault at all here: what is said of an alarm needs none, and waits for a network.
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let caller = stage.stranger();
    let alarm = calling(&stage, &caller, 1, "hulp");
    knows(&stage, &caller);
    relay.mails(MailKind::Alarm, alarm.bytes());
    stage.deliver(&relay).await;
    let id = alarm.value().header.alarm;
    relay.be(Mood::Down);
    stage.phone.escalate(id, "ik zit in het buitenland", &stage.context).unwrap();
    stage.deliver(&relay).await;
    stage.restart_phone();
    assert!(!stage.phone.incoming_alarm(id, stage.clock.now()).unwrap().escalated.unwrap().handed_in);
    relay.be(Mood::Up);
    stage.clock.pass_s(40);
    stage.deliver(&relay).await;
    let escalated = stage.phone.incoming_alarm(id, stage.clock.now()).unwrap().escalated.unwrap();
    assert!(escalated.handed_in && escalated.refused.is_none());
}
