use super::*;
use crate::desk::store::DATABASE;

const NOW: Timestamp = Timestamp(1_000_000);

/// A desk's database with the first `scripts` of its migrations.
fn database(scripts: usize) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    for script in &DATABASE.migrations[..scripts] {
        db.execute_batch(script).unwrap();
    }
    db
}

fn whole() -> Connection {
    database(DATABASE.migrations.len())
}

fn new(recipient: u8) -> NewDelivery {
    NewDelivery {
        hash: Hash([1; 32]),
        alarm: AlarmId([2; 16]),
        is_test: false,
        channel: "piket".to_owned(),
        recipient: RecipientMark(vec![recipient]),
        event: ReceiptState::Received,
        occasion: 0,
        content: Vec::new(),
        is_dc09: false,
        due_at: NOW,
    }
}

/// One delivery under way.
fn claimed(db: &Connection) -> Claim {
    add(db, &new(1)).unwrap();
    claim(db, NOW).unwrap().remove(0)
}

fn handed_over(reference: &str) -> Settled {
    Settled {
        state: DeliveryState::HandedOver,
        outcome: "handed".to_owned(),
        reference: reference.to_owned(),
        now: NOW,
        due_at: NOW,
    }
}

fn only(db: &Connection) -> (DeliveryState, String) {
    let row = of_alarm(db, Hash([1; 32])).unwrap().remove(0);
    (row.state, row.outcome)
}

#[test]
fn rows_of_before_keep_their_meaning() {
    let scripts = DATABASE.migrations.iter().position(|script| script.contains("delivery_2")).unwrap();
    let db = database(scripts);
    for (state, outcome) in [(0_u8, ""), (1, "yes"), (2, "no"), (3, "")] {
        db.execute(
            "INSERT INTO delivery (hash, alarm, channel, event, content, dc09_number, state, attempts, due_at, fence, outcome,
                                   tried_at)
             VALUES (?1, ?4, 'zaak', 1, x'03', 7, ?2, 4, 5, 6, ?3, 8)",
            params![[state; 32], state, outcome, [2_u8; 16]],
        )
        .unwrap();
    }
    for script in &DATABASE.migrations[scripts..] {
        db.execute_batch(script).unwrap();
    }
    let row = |state: u8| of_alarm(&db, Hash([state; 32])).unwrap().remove(0);
    let found: Vec<_> = (0..4).map(row).map(|row| (row.state, row.outcome, row.attempts, row.tried_at.0)).collect();
    let closed = r#"{"outcome":"failed","why":{"code":"alarm-closed"}}"#;
    let wanted = [
        (DeliveryState::Queued, ""),
        (DeliveryState::Delivered, "yes"),
        (DeliveryState::Failed, "no"),
        (DeliveryState::Failed, closed),
    ];
    assert_eq!(found, wanted.map(|(state, outcome)| (state, outcome.to_owned(), 4, 8)));
    // What is queued goes on under its number, and what was delivered is a proof.
    assert_eq!(claim(&db, NOW).unwrap()[0].dc09_number, 7);
    assert_eq!(proof(&db, "zaak", &RecipientMark::default()).unwrap().unwrap().at, Timestamp(8));
}

#[test]
fn each_recipient_has_one_row_whatever_is_added_again() {
    let db = whole();
    for recipient in [1, 2, 1] {
        add(&db, &new(recipient)).unwrap();
    }
    assert_eq!(of_alarm(&db, Hash([1; 32])).unwrap().len(), 2);
}

#[test]
fn a_report_counts_for_the_message_it_names_even_if_it_comes_before_the_answer() {
    // Quicker than the answer to the try itself, that it failed stands,
    let db = whole();
    let held = claimed(&db);
    assert!(report_failed(&db, ("piket", held.number, "SM1"), "gone").unwrap());
    finish(&db, &held, &handed_over("SM1")).unwrap();
    assert_eq!(only(&db), (DeliveryState::Failed, "gone".to_owned()));
    // of another message it does not,
    let db = whole();
    let held = claimed(&db);
    report_failed(&db, ("piket", held.number, "SM0"), "gone").unwrap();
    finish(&db, &held, &handed_over("SM1")).unwrap();
    assert_eq!(only(&db), (DeliveryState::HandedOver, "handed".to_owned()));
    assert!(!report_failed(&db, ("piket", held.number, "SM0"), "gone").unwrap());
    assert!(!report_failed(&db, ("other", held.number, "SM1"), "gone").unwrap());
    assert!(report_failed(&db, ("piket", held.number, "SM1"), "gone").unwrap());
    // and that it arrived is true whenever it is said.
    assert!(report_delivered(&db, ("piket", held.number, "SM1"), "there", NOW).unwrap());
    assert!(!report_failed(&db, ("piket", held.number, "SM1"), "gone").unwrap());
    assert_eq!(only(&db), (DeliveryState::Delivered, "there".to_owned()));
    let db = whole();
    let held = claimed(&db);
    assert!(report_delivered(&db, ("piket", held.number, "SM1"), "there", NOW).unwrap());
    finish(&db, &held, &handed_over("SM1")).unwrap();
    assert_eq!(only(&db), (DeliveryState::Delivered, "there".to_owned()));
}

#[test]
fn a_report_about_an_earlier_try_does_not_fail_the_next() {
    let db = whole();
    let first = claimed(&db);
    report_failed(&db, ("piket", first.number, "baken-1"), "gone").unwrap();
    let broken = Settled { state: DeliveryState::Queued, reference: String::new(), ..handed_over("") };
    finish(&db, &first, &broken).unwrap();
    // Nor does one after which the process was killed.
    let killed = claim(&db, NOW).unwrap().remove(0);
    report_failed(&db, ("piket", killed.number, "baken-1"), "gone").unwrap();
    release_all(&db).unwrap();
    let second = claim(&db, NOW).unwrap().remove(0);
    finish(&db, &second, &handed_over("baken-1")).unwrap();
    assert_eq!(only(&db).0, DeliveryState::HandedOver);
    // Only the newest worker writes.
    finish(&db, &first, &Settled { state: DeliveryState::Failed, ..handed_over("") }).unwrap();
    assert_eq!(only(&db).0, DeliveryState::HandedOver);
}
