//! An alarm with a countdown, and taking one back.

use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Note, NoteBody, NoteKind};
use baken_schemas::id::AlarmId;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Clock as _;

use super::stage::{Mood, Stage, StageRelay};
use crate::alarm::{AlarmState, Call, MAX_COUNTDOWN_S};

fn press_after(stage: &Stage, countdown_s: u32) -> AlarmId {
    let call = Call {
        kind: AlarmKind::Silent,
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: None,
        text: String::new(),
        countdown_s,
    };
    stage.phone.press(&call, &stage.context).unwrap()
}

fn last_note(stage: &Stage, relay: &StageRelay) -> NoteBody {
    let notes = relay.notes();
    Unverified::<Note>::parse(notes.last().unwrap()).unwrap().claims().open(&stage.east.kem).unwrap()
}

#[tokio::test]
async fn a_countdown_holds_the_alarm_on_disk_and_sends_it_when_it_is_over() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = press_after(&stage, 10);
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms().len(), 0);
    let view = stage.view(alarm);
    assert_eq!((view.state, view.held_until), (AlarmState::NotSent, Some(stage.clock.now().plus_ms(10_000))));
    stage.clock.pass_s(9);
    assert_eq!(stage.phone.next_due_ms(stage.clock.now()).unwrap(), 1_000);

    // The program that pressed it is gone: another one sends it.
    stage.restart_phone();
    stage.clock.pass_s(1);
    stage.deliver(&relay).await;
    assert_eq!((relay.alarms().len(), stage.view(alarm).state), (1, AlarmState::Stored));
}

#[tokio::test]
async fn a_clock_set_back_ends_a_countdown_and_a_long_one_is_cut() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    press_after(&stage, u32::MAX);
    stage.clock.pass_s(i64::from(MAX_COUNTDOWN_S));
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms().len(), 1);
    press_after(&stage, 30);
    stage.clock.pass_s(-3_600);
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms().len(), 2);
}

#[tokio::test]
async fn withdrawn_within_its_countdown_an_alarm_is_never_sent_and_the_desk_is_told() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = press_after(&stage, 10);
    stage.phone.withdraw(alarm, false, &stage.context).unwrap();
    stage.clock.pass_s(60);
    stage.restart_phone();
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms().len(), 0);
    let view = stage.view(alarm);
    let withdrawn = view.withdrawn.unwrap();
    assert!(withdrawn.before_sending && withdrawn.handed_in && !view.call_112 && view.held_until.is_none());
    let note = last_note(&stage, &relay);
    assert_eq!((note.kind, note.duress, note.alarm), (NoteKind::Withdrawn, false, Some(alarm)));
}

#[tokio::test]
async fn withdrawn_later_an_alarm_goes_on_until_a_desk_closes_it() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    stage.phone.withdraw(alarm, false, &stage.context).unwrap();
    assert!(!stage.view(alarm).withdrawn.unwrap().handed_in);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    let withdrawn = view.withdrawn.unwrap();
    assert_eq!((view.state, withdrawn.handed_in, withdrawn.before_sending), (AlarmState::Stored, true, false));
    stage.clock.pass_s(60);
    assert!(stage.view(alarm).call_112, "nobody has seen it, and nothing proves that it was withdrawn freely");

    // The first may have been forced: the second says so again.
    stage.phone.withdraw(alarm, true, &stage.context).unwrap();
    stage.deliver(&relay).await;
    assert!(last_note(&stage, &relay).duress);
    let sizes: Vec<usize> = relay.notes().iter().map(Vec::len).collect();
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{sizes:?}");
    let unknown = stage.phone.withdraw(AlarmId([9; 16]), false, &stage.context);
    assert!(matches!(unknown, Err(crate::BakenError::NoSuchAlarm)));
}

#[tokio::test]
async fn an_alarm_that_was_tried_is_not_taken_back_unsent_whatever_the_clock_says() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = press_after(&stage, 10);
    stage.clock.pass_s(10);
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    stage.clock.pass_s(-5);
    stage.phone.withdraw(alarm, false, &stage.context).unwrap();
    let view = stage.view(alarm);
    assert!(!view.withdrawn.unwrap().before_sending && view.held_until.is_none());
    relay.be(Mood::Up);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}
