//! What officers do, and what is signed for it.

use baken_schemas::alarm::{ReceiptState, check_receipt};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::Hash;
use baken_server::desk::{Act, ActError, Ending};

use crate::desk::world::World;

const ACKNOWLEDGE: Act = Act::Acknowledge { also: false };

#[tokio::test]
async fn each_act_is_a_receipt_that_a_phone_can_check_and_open() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let (alarm, content) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    for act in [
        ACKNOWLEDGE,
        Act::Verify { how: "teruggebeld".to_owned() },
        Act::Underway { what: "eenheid 12".to_owned() },
        Act::Close { outcome: "veilig thuis".to_owned(), ending: Ending::Unsaid },
    ] {
        world.desk.act(id, &officer, &act).await.unwrap();
    }
    let mut prev = Hash::ZERO;
    let mut said = Vec::new();
    for outgoing in world.desk.outgoing_receipts().unwrap() {
        let receipt = check_receipt(&outgoing.document, &world.directory()).unwrap();
        assert_eq!((receipt.value().prev, receipt.value().alarm_hash), (prev, alarm.hash()));
        prev = receipt.hash();
        let detail = receipt.value().open_detail(&content).unwrap();
        said.push((receipt.value().state, detail.map(|detail| (detail.officer, detail.text))));
    }
    let by = |text: &str| Some(("Agent Jansen".to_owned(), text.to_owned()));
    assert_eq!(
        said,
        [
            (ReceiptState::Received, None),
            (ReceiptState::Seen, by("")),
            (ReceiptState::Verified, by("teruggebeld")),
            (ReceiptState::Underway, by("eenheid 12")),
            (ReceiptState::Closed, by("veilig thuis")),
        ]
    );
    assert!(world.desk.alarms(true).unwrap().alarms.is_empty());
    assert_eq!(world.desk.alarms(false).unwrap().alarms.len(), 1);
    assert!(matches!(world.desk.act(id, &officer, &ACKNOWLEDGE).await, Ok(())), "again is no error");
    let late =
        world.desk.act(id, &officer, &Act::Close { outcome: "nog eens".to_owned(), ending: Ending::Unsaid }).await;
    assert!(matches!(late, Err(ActError::Closed)), "{late:?}");
}

#[tokio::test]
async fn the_first_to_acknowledge_has_it_and_the_second_is_told_who() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let ((first, _), (second, _)) = (world.officer("Agent Jansen"), world.officer("Agent Bakker"));
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let (one, other) =
        tokio::join!(world.desk.act(id, &first, &ACKNOWLEDGE), world.desk.act(id, &second, &ACKNOWLEDGE));
    assert!(one.is_ok() && matches!(other, Err(ActError::Held)), "{one:?} {other:?}");
    world.desk.act(id, &first, &ACKNOWLEDGE).await.unwrap();
    let view = world.view(&alarm);
    assert_eq!(view.summary.held_by.unwrap().officer.as_deref(), Some("Agent Jansen"));
    assert_eq!(view.receipts.iter().filter(|receipt| receipt.state == ReceiptState::Seen).count(), 1);
    // A colleague may go on with it.
    world.desk.act(id, &second, &Act::Verify { how: "gebeld".to_owned() }).await.unwrap();
    assert!(world.view(&alarm).summary.verified);
}

#[tokio::test]
async fn an_alarm_that_another_desk_has_is_taken_only_on_purpose() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let (alarm, content) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    let theirs = world.others_receipt(&alarm, &content, ReceiptState::Seen);
    world.bring(MailKind::Receipt, theirs.bytes()).await;
    assert!(matches!(world.desk.act(id, &officer, &ACKNOWLEDGE).await, Err(ActError::Held)));
    let close = Act::Close { outcome: "klaar".to_owned(), ending: Ending::Unsaid };
    assert!(matches!(world.desk.act(id, &officer, &close).await, Err(ActError::NotTaken)));
    world.desk.act(id, &officer, &Act::Acknowledge { also: true }).await.unwrap();
    world.desk.act(id, &officer, &close).await.unwrap();
}

#[tokio::test]
async fn what_was_done_survives_a_kill_and_is_in_the_audit() {
    let mut world = World::new().await;
    let phone = world.phone().await;
    let (officer, _) = world.officer("Agent Jansen");
    let (alarm, _) = world.ringing(&phone).await;
    let id = alarm.value().header.alarm;
    world.desk.act(id, &officer, &ACKNOWLEDGE).await.unwrap();
    let before = world.desk.outgoing_receipts().unwrap();
    world.restart();
    let after = world.desk.outgoing_receipts().unwrap();
    let bytes = |receipts: &[baken_server::desk::OutgoingReceipt]| -> Vec<Vec<u8>> {
        receipts.iter().map(|receipt| receipt.document.clone()).collect()
    };
    assert_eq!(bytes(&before), bytes(&after));
    assert_eq!(world.view(&alarm).summary.held_by.unwrap().officer.as_deref(), Some("Agent Jansen"));
    let db = rusqlite::Connection::open(baken_server::desk::database_path(world.dir.path())).unwrap();
    let acts: Vec<String> = db
        .prepare("SELECT act FROM audit ORDER BY seq")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(acts, ["enrolment_taken", "alarm_received", "alarm_acknowledged"]);
    baken_server::audit::verify(&db).unwrap();
}
