//! Probes: what proves the way, and that none of it is taken for an alarm.

use baken_schemas::alarm::ReceiptState;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Clock as _;

use super::stage::{Mood, Stage, StageRelay};
use crate::alarm::PROBE_EVERY_MS;

#[tokio::test]
async fn a_desks_own_receipt_proves_the_way_and_the_relays_does_not() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    assert_eq!(stage.phone.path().unwrap().proven, None);
    let sent_at = stage.clock.now();
    stage.phone.probe(&stage.context).unwrap();
    stage.deliver(&relay).await;
    let path = stage.phone.path().unwrap();
    assert_eq!((path.proven, path.unanswered_since), (None, Some(sent_at)), "the relay alone proves nothing");

    let bytes = relay.alarms().pop().unwrap();
    let (body, _) = stage.open_at(&stage.east, &bytes);
    assert!(body.card_key.is_none());
    relay.has(stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None).bytes());
    stage.clock.pass_s(3);
    stage.deliver(&relay).await;
    let path = stage.phone.path().unwrap();
    let proof = path.proven.unwrap();
    assert_eq!((path.unanswered_since, proof.sent_at), (None, sent_at));
    assert_eq!((proof.desk.as_str(), proof.answered_at.since_ms(sent_at)), ("Meldkamer Oost", 3_000));
    assert!(proof.stored_at.is_some());
    assert!(stage.phone.alarms(stage.clock.now()).unwrap().is_empty(), "a probe is no alarm");
}

#[tokio::test]
async fn probes_that_nobody_answers_do_not_pile_up_and_a_late_answer_is_no_evidence() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let first_at = stage.clock.now();
    for _ in 0..50 {
        stage.phone.probe_when_due(&stage.context).unwrap();
        stage.phone.probe_when_due(&stage.context).unwrap();
        stage.deliver(&relay).await;
        stage.clock.pass_s(PROBE_EVERY_MS / 1000);
    }
    assert_eq!(relay.alarms().len(), 50, "one when it is due, none twice");
    let kept: u32 =
        stage.phone.read(|db| Ok(db.query_row("SELECT count(*) FROM alarm", [], |row| row.get(0))?)).unwrap();
    assert_eq!((kept, stage.phone.path().unwrap().unanswered_since), (2, Some(first_at)));

    // The desk comes back and answers all of them.
    stage.restart_phone();
    for bytes in relay.alarms() {
        let receipt = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
        relay.mails(baken_schemas::api::MailKind::Receipt, receipt.bytes());
    }
    stage.deliver(&relay).await;
    assert_eq!(stage.phone.refused_documents().unwrap(), 0);
    assert!(stage.phone.path().unwrap().proven.is_some());
}

#[tokio::test]
async fn without_a_connection_probes_wait_for_it_and_alarms_go_first() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    relay.be(Mood::Down);
    for _ in 0..5 {
        stage.phone.probe_when_due(&stage.context).unwrap();
        stage.deliver(&relay).await;
        stage.clock.pass_s(PROBE_EVERY_MS / 1000);
    }
    let alarm = stage.press();
    relay.be(Mood::Up);
    stage.deliver(&relay).await;
    let sent: Vec<_> = relay
        .alarms()
        .iter()
        .map(|bytes| Unverified::<baken_schemas::alarm::Alarm>::parse(bytes).unwrap().claims().header.alarm)
        .collect();
    assert!(sent.contains(&alarm) && sent.len() == 3, "the oldest and newest probe, and the alarm: {}", sent.len());
}
