//! A person's own tests: each hop's time, and when it is time for another.

use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, ReceiptState};
use baken_schemas::time::Clock as _;

use super::stage::{Stage, StageRelay};
use crate::alarm::{Call, TEST_COUNTS_MS};

#[tokio::test]
async fn a_test_keeps_each_hops_time_and_counts_for_a_month() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let tests = |stage: &Stage| stage.phone.tests(stage.clock.now()).unwrap();
    assert!(tests(&stage).is_due, "none was ever made");
    stage.press();
    assert!(tests(&stage).tests.is_empty(), "a call for help is no test");
    let call = Call {
        kind: AlarmKind::Test,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let pressed_at = stage.clock.now();
    let test = stage.phone.press(&call, &stage.context).unwrap();
    stage.deliver(&relay).await;
    let view = tests(&stage);
    assert!(view.is_due && view.tests[0].stored_at.is_some(), "the relay alone is not the whole way");

    let is_test = |bytes: &Vec<u8>| stage.verify_alarm(bytes).value().header.alarm == test;
    let bytes = relay.alarms().into_iter().find(is_test).unwrap();
    let received = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
    relay.has(received.bytes());
    stage.clock.pass_s(2);
    stage.deliver(&relay).await;
    let seen_at = stage.clock.now();
    let said = Some(("Agent Jansen", ""));
    relay.has(stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&received), said).bytes());
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    let view = tests(&stage);
    assert_eq!((view.last_success, view.is_due), (Some(pressed_at), false));
    let kept = &view.tests[0];
    assert_eq!((kept.alarm, kept.pressed_at, kept.desk.as_deref()), (test, pressed_at, Some("Meldkamer Oost")));
    assert_eq!((kept.received_at, kept.seen_at, kept.closed_at), (Some(pressed_at), Some(seen_at), None));
    assert_eq!(kept.answered_at, Some(pressed_at.plus_ms(2_000)));

    stage.clock.set(pressed_at.0 + TEST_COUNTS_MS);
    assert!(tests(&stage).is_due);
    // A clock that was set back tells nothing.
    stage.clock.set(pressed_at.0 - 1);
    assert!(tests(&stage).is_due);
}
