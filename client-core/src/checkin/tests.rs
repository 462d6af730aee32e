//! Check-ins by the words of their specification, against a relay in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use baken_schemas::Language;
use baken_schemas::alarm::{
    AlarmKind, DepositState, DepositTimers, Fix, FixAbsent, Note, NoteBody, NoteKind, Position, ReceiptState,
    Settlement,
};
use baken_schemas::api::{DepositElsewhere, MailKind, SettledElsewhere};
use baken_schemas::cbor;
use baken_schemas::crypto::Hash;
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AlarmId, DeviceId, NoteId};
use baken_schemas::signed::Signed;
use baken_schemas::time::{Clock as _, Timestamp};

use super::{CheckInNews, CheckInState, CheckInView, NewCheckIn, Rule, Weekdays};
use crate::BakenError;
use crate::alarm::tests::stage::{Mood, Stage, StageRelay};
use crate::alarm::{AlarmState, OrderAuthor, OrderKeys};

const MINUTE_S: i64 = 60;

fn new(stage: &Stage, due_in_minutes: i64) -> NewCheckIn {
    NewCheckIn {
        due_at: stage.clock.now().plus_ms(due_in_minutes * 60_000),
        grace_s: 120,
        silent_after_s: None,
        text: "Gesprek op Dorpsstraat 1, daarna naar huis".to_owned(),
        fix: Fix::Absent(FixAbsent::NotYet),
        battery_percent: Some(80),
    }
}

fn start(stage: &Stage, due_in_minutes: i64) -> AlarmId {
    stage.phone.start_check_in(&new(stage, due_in_minutes), &stage.context).unwrap()
}

fn view(stage: &Stage, check_in: AlarmId) -> CheckInView {
    stage.phone.check_in(check_in, stage.clock.now()).unwrap()
}

fn at(latitude: i32) -> Fix {
    Fix::At(Position { latitude_e7: latitude, longitude_e7: 0, accuracy_m: 9, age_s: 0 })
}

fn note_of(stage: &Stage, settlement: &[u8]) -> (Settlement, NoteBody) {
    let key = stage.setup().alarm_key.verify_key();
    let (settlement, note) = Settlement::verify(settlement, &key).unwrap();
    let note: Note = note.into_value();
    assert_eq!(note.desk, stage.east.device);
    let body = note.open(&stage.east.kem).unwrap();
    (settlement.into_value(), body)
}

#[tokio::test]
async fn a_check_in_is_at_the_relay_once_it_has_said_so_and_the_desk_can_read_it() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    assert_eq!(view(&stage, check_in).state, CheckInState::NotAtRelay);
    stage.deliver(&relay).await;
    let seen = view(&stage, check_in);
    assert_eq!((seen.state, seen.silent_raise_at, seen.alarm), (CheckInState::Running, None, None));
    assert_eq!(seen.raise_at.since_ms(seen.due_at), 120_000);
    let (timers, alarm) = relay.deposits().remove(0);
    assert_eq!((timers.seq, timers.due_in_s, timers.silent_after_s, timers.grace_s), (1, Some(5400), 5400, 120));
    assert_eq!(timers.desk, stage.east.device);
    let (body, _) = stage.open_at(&stage.west, &alarm);
    assert_eq!((body.kind, body.text.as_str()), (AlarmKind::Missed, "Gesprek op Dorpsstraat 1, daarna naar huis"));
    assert!(body.card_key.is_some());
    // Nothing more is sent until the next heartbeat.
    stage.deliver(&relay).await;
    assert_eq!(relay.deposits().len(), 1);
}

#[tokio::test]
async fn an_answer_that_proves_nothing_leaves_it_not_at_the_relay() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    for mood in [Mood::Down, Mood::LosesAnswers, Mood::Refuses] {
        relay.be(mood);
        stage.clock.pass_s(40);
        stage.deliver(&relay).await;
        assert_eq!(view(&stage, check_in).state, CheckInState::NotAtRelay, "{mood:?}");
    }
    assert_eq!(view(&stage, check_in).refused.unwrap().status, 401);
    // A relay that says that it is settled, which nobody did.
    relay.be(Mood::Up);
    relay.says_of_deposits(Some(DepositState::Settled));
    stage.clock.pass_s(40);
    stage.deliver(&relay).await;
    let seen = view(&stage, check_in);
    assert_eq!((seen.state, seen.refused.unwrap().code.as_str()), (CheckInState::NotAtRelay, "settled_elsewhere"));
    relay.says_of_deposits(None);
    stage.clock.pass_s(40);
    stage.deliver(&relay).await;
    let seen = view(&stage, check_in);
    assert_eq!((seen.state, seen.refused), (CheckInState::Running, None));
}

#[tokio::test]
async fn one_that_waited_for_a_network_is_due_when_the_person_said() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    relay.be(Mood::Down);
    for _ in 0..3 {
        stage.clock.pass_s(20 * MINUTE_S);
        stage.deliver(&relay).await;
        stage.restart_phone();
    }
    relay.be(Mood::Up);
    stage.deliver(&relay).await;
    let forms = relay.deposits();
    let (timers, _) = forms.last().unwrap();
    assert_eq!(timers.due_in_s, Some(30 * 60));
    assert_eq!(view(&stage, check_in).state, CheckInState::Running);
}

#[tokio::test]
async fn heartbeats_bring_the_newest_position_and_never_move_the_moment() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let new = NewCheckIn { silent_after_s: Some(20 * 60), ..new(&stage, 90) };
    let check_in = stage.phone.start_check_in(&new, &stage.context).unwrap();
    stage.deliver(&relay).await;
    for latitude in 1..=3 {
        stage.clock.pass_s(4 * MINUTE_S);
        stage.deliver(&relay).await;
        stage.clock.pass_s(MINUTE_S + 1);
        stage.deliver(&relay).await;
        stage.phone.move_check_ins(at(latitude), Some(50)).unwrap();
        stage.deliver(&relay).await;
    }
    let forms = relay.deposits();
    assert_eq!(forms.len(), 7, "one start, three heartbeats, three moves");
    assert!(forms.iter().skip(1).all(|(timers, _)| timers.due_in_s.is_none() && timers.silent_after_s == 1200));
    let numbers: Vec<u64> = forms.iter().map(|(timers, _)| timers.seq).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    assert_eq!(stage.open_at(&stage.east, &forms[6].1).0.fix, at(3));
    let seen = view(&stage, check_in);
    assert_eq!(seen.due_at, new.due_at);
    assert_eq!(seen.silent_raise_at.unwrap().since_ms(stage.clock.now()), (20 * 60 + 120) * 1000);
}

#[tokio::test]
async fn an_extension_is_said_to_wait_until_the_relay_has_it() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    relay.be(Mood::Down);
    stage.phone.extend_check_in(check_in, stage.clock.now().plus_ms(120 * 60_000), &stage.context).unwrap();
    stage.deliver(&relay).await;
    let seen = view(&stage, check_in);
    assert!(seen.extension_waits && seen.state == CheckInState::Running);
    assert!(seen.words(Language::En).iter().any(|line| line.contains("extension is not at the server")));
    relay.be(Mood::Up);
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert!(!view(&stage, check_in).extension_waits);
    assert_eq!(relay.deposits().last().unwrap().0.due_in_s, Some(119 * 60));
}

#[tokio::test]
async fn a_settlement_is_the_same_document_whichever_pin_it_was() {
    let mut sizes = Vec::new();
    for duress in [false, true] {
        let stage = Stage::set_up();
        let relay = StageRelay::of(&stage);
        let check_in = start(&stage, 30);
        stage.deliver(&relay).await;
        stage.phone.settle_check_in(check_in, duress, &stage.context).unwrap();
        let settling = view(&stage, check_in);
        assert_eq!((settling.state, settling.alarm), (CheckInState::Settling, None));
        stage.deliver(&relay).await;
        assert_eq!(view(&stage, check_in).state, CheckInState::Settled);
        let settlement = relay.settlements().remove(0);
        let (about, body) = note_of(&stage, &settlement);
        assert_eq!(
            (about.deposit, body.kind, body.duress, body.alarm),
            (check_in, NoteKind::Settled, duress, Some(check_in))
        );
        sizes.push(settlement.len());
        // What the desk then has raised is not shown here, whatever comes of it.
        let (_, alarm) = relay.deposits().remove(0);
        for (by, state) in [(&stage.relay, ReceiptState::Stored), (&stage.east, ReceiptState::Received)] {
            relay.mails(MailKind::Receipt, stage.receipt(by, &alarm, state, None, None).bytes());
        }
        stage.clock.pass_s(60);
        let round = stage.deliver(&relay).await;
        assert!(round.receipts.is_empty() && round.refused.is_empty());
        assert!(stage.phone.alarms(stage.clock.now()).unwrap().is_empty());
        assert_eq!(stage.phone.refused_documents().unwrap(), 0);
        assert_eq!(view(&stage, check_in).state, CheckInState::Settled);
        assert!(matches!(stage.phone.settle_check_in(check_in, duress, &stage.context), Err(BakenError::CheckInOver)));
    }
    assert_eq!(sizes[0], sizes[1]);
}

#[tokio::test]
async fn a_settlement_is_tried_until_the_relay_confirms_it_and_goes_before_heartbeats() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 30);
    relay.be(Mood::Down);
    stage.deliver(&relay).await;
    stage.phone.settle_check_in(check_in, false, &stage.context).unwrap();
    for _ in 0..3 {
        stage.clock.pass_s(30);
        stage.deliver(&relay).await;
        stage.restart_phone();
        assert_eq!(view(&stage, check_in).state, CheckInState::Settling);
    }
    relay.be(Mood::Up);
    stage.deliver(&relay).await;
    assert_eq!(view(&stage, check_in).state, CheckInState::Settled);
    assert!(relay.deposits().is_empty(), "what is settled is not handed in any more");
}

#[tokio::test]
async fn i2_a_raised_check_in_is_an_alarm_that_shows_what_receipts_prove() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    let (_, alarm) = relay.deposits().remove(0);
    stage.clock.pass_s(40 * MINUTE_S);
    let stored = stage.receipt(&stage.relay, &alarm, ReceiptState::Stored, None, None);
    relay.mails(MailKind::Receipt, stored.bytes());
    relay.says_of_deposits(Some(DepositState::Raised));
    stage.deliver(&relay).await;
    let seen = view(&stage, check_in);
    assert_eq!((seen.state, seen.alarm), (CheckInState::Raised, Some(check_in)));
    let raised = stage.view(check_in);
    assert_eq!((raised.kind, raised.state, raised.call_112), (AlarmKind::Missed, AlarmState::Stored, false));
    stage.clock.pass_s(20);
    assert!(stage.view(check_in).call_112, "nobody has it for twenty seconds");
    let by_east = stage.receipt(&stage.east, &alarm, ReceiptState::Seen, None, Some(("A. de Vries", "")));
    relay.mails(MailKind::Receipt, by_east.bytes());
    stage.clock.pass_s(30);
    stage.deliver(&relay).await;
    let raised = stage.view(check_in);
    assert!(raised.green && !raised.call_112);
    assert_eq!(raised.proof.unwrap().officer.as_deref(), Some("A. de Vries"));
    // Nothing is renewed any more; settling it tells the desk, and the alarm stays.
    let before = relay.deposits().len();
    stage.clock.pass_s(10 * MINUTE_S);
    stage.deliver(&relay).await;
    assert_eq!(relay.deposits().len(), before);
    stage.phone.settle_check_in(check_in, false, &stage.context).unwrap();
    stage.deliver(&relay).await;
    assert_eq!(relay.settlements().len(), 1);
    assert_eq!(view(&stage, check_in).state, CheckInState::Raised);
    assert!(stage.view(check_in).green);
}

#[tokio::test]
async fn a_receipt_for_a_form_that_this_phone_never_sealed_raises_nothing() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    // Another phone's alarm of the same kind, under this id.
    let other = Stage::set_up();
    let alarm = {
        let relay = StageRelay::of(&other);
        start(&other, 30);
        other.deliver(&relay).await;
        relay.deposits().remove(0).1
    };
    let mut receipt = other.receipt(&other.relay, &alarm, ReceiptState::Stored, None, None).into_value();
    receipt.alarm = check_in;
    receipt.alarm_hash = Hash([9; 32]);
    let receipt = Signed::make(receipt, &stage.relay.sig);
    relay.mails(MailKind::Receipt, receipt.bytes());
    stage.clock.pass_s(60);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.refused, ["unknown_alarm"]);
    assert_eq!(view(&stage, check_in).state, CheckInState::Running);
}

#[tokio::test]
async fn one_that_was_settled_too_late_is_told_to_be_an_alarm() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    let (_, alarm) = relay.deposits().remove(0);
    relay.says_of_deposits(Some(DepositState::Raised));
    relay.has(stage.receipt(&stage.relay, &alarm, ReceiptState::Stored, None, None).bytes());
    stage.clock.pass_s(40 * MINUTE_S);
    stage.phone.settle_check_in(check_in, false, &stage.context).unwrap();
    stage.deliver(&relay).await;
    assert_eq!(view(&stage, check_in).state, CheckInState::Raised);
    // The receipts are asked for, and make the alarm.
    stage.deliver(&relay).await;
    assert_eq!(stage.view(check_in).state, AlarmState::Stored);
}

#[tokio::test]
async fn one_that_the_relay_never_had_becomes_an_alarm_of_this_phone() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    relay.be(Mood::Down);
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    stage.clock.pass_s(32 * MINUTE_S - 1);
    stage.deliver(&relay).await;
    assert_eq!(view(&stage, check_in).state, CheckInState::NotAtRelay);
    stage.restart_phone();
    stage.clock.pass_s(1);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.check_ins, [CheckInNews::Called(check_in)]);
    let alarm = view(&stage, check_in).alarm.unwrap();
    assert_eq!((stage.view(alarm).kind, stage.view(alarm).state), (AlarmKind::Missed, AlarmState::NotSent));
    relay.be(Mood::Up);
    stage.clock.pass_s(30);
    stage.deliver(&relay).await;
    stage.deliver(&relay).await;
    assert_eq!((relay.alarms().len(), relay.deposits().len()), (1, 0));
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}

#[tokio::test]
async fn a_person_is_reminded_once_before_and_once_when_it_is_due() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    let mut news = Vec::new();
    for minute in 1..=91 {
        stage.clock.pass_s(MINUTE_S);
        stage.restart_phone();
        news.extend(stage.deliver(&relay).await.check_ins.into_iter().map(|news| (minute, news)));
    }
    assert_eq!(news, [(80, CheckInNews::Soon(check_in)), (90, CheckInNews::Due(check_in))]);
    assert_eq!(view(&stage, check_in).state, CheckInState::Due);
}

#[tokio::test]
async fn a_program_that_runs_is_woken_for_the_moment_itself() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    relay.be(Mood::Down);
    start(&stage, 90);
    let mut told = Vec::new();
    while told.len() < 3 {
        told.extend(stage.deliver(&relay).await.check_ins.iter().map(|_| stage.clock.now()));
        let wait_ms = stage.phone.next_due_ms(stage.clock.now()).unwrap();
        assert!((0..=24_000).contains(&wait_ms), "{wait_ms}");
        stage.clock.set(stage.clock.now().0 + wait_ms);
    }
    let started = Timestamp(crate::alarm::tests::stage::TODAY);
    let after: Vec<i64> = told.iter().map(|at| at.since_ms(started)).collect();
    assert_eq!(after, [80 * 60_000, 90 * 60_000, 92 * 60_000], "soon, due, and called by this phone");
}

#[tokio::test]
async fn times_that_make_no_sense_are_answered_before_anything_is_written() {
    let stage = Stage::set_up();
    let now = stage.clock.now();
    let year_ms = 365 * 86_400_000;
    for due_at in [
        now,
        now.plus_ms(54_999),
        now.plus_ms(-1),
        now.plus_ms(7 * 86_400_000 + 1),
        now.plus_ms(10 * year_ms),
        Timestamp(i64::MAX),
    ] {
        let refused = stage.phone.start_check_in(&NewCheckIn { due_at, ..new(&stage, 1) }, &stage.context);
        assert!(matches!(refused, Err(BakenError::CheckInTime)), "{due_at:?}");
    }
    for (silent_after_s, grace_s) in [(Some(0), 0), (Some(59), 0), (Some(u32::MAX), 0), (None, 3601)] {
        let terms = NewCheckIn { silent_after_s, grace_s, ..new(&stage, 30) };
        assert!(matches!(stage.phone.start_check_in(&terms, &stage.context), Err(BakenError::CheckInTime)));
    }
    let wordy = NewCheckIn { text: "a".repeat(1_601), ..new(&stage, 30) };
    assert!(matches!(stage.phone.start_check_in(&wordy, &stage.context), Err(BakenError::CheckInText)));
    assert!(stage.phone.check_ins(now).unwrap().is_empty());
    for _ in 0..32 {
        start(&stage, 30);
    }
    let one_more = stage.phone.start_check_in(&new(&stage, 30), &stage.context);
    assert!(matches!(one_more, Err(BakenError::TooManyCheckIns)));
    let longest = NewCheckIn { text: "a".repeat(1_600), ..new(&Stage::set_up(), 30) };
    let other = Stage::set_up();
    let relay = StageRelay::of(&other);
    other.phone.start_check_in(&longest, &other.context).unwrap();
    other.deliver(&relay).await;
    assert_eq!(relay.deposits().len(), 1, "the longest words fit");
}

#[tokio::test]
async fn a_relay_that_lost_it_gets_it_whole_again() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    stage.deliver(&relay).await;
    stage.phone.write(|tx| super::note_refusal(tx, check_in, 404, "not_found")).unwrap();
    assert_eq!(view(&stage, check_in).state, CheckInState::NotAtRelay);
    stage.clock.pass_s(30 * MINUTE_S);
    stage.deliver(&relay).await;
    assert_eq!(relay.deposits().last().unwrap().0.due_in_s, Some(3600));
    assert_eq!(view(&stage, check_in).state, CheckInState::Running);
}

#[tokio::test]
async fn a_number_that_the_relay_has_seen_is_left_far_behind() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let check_in = start(&stage, 90);
    stage.deliver(&relay).await;
    stage.phone.move_check_ins(at(1), None).unwrap();
    stage.phone.write(|tx| super::note_refusal(tx, check_in, 409, "conflict")).unwrap();
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert!(relay.deposits().last().unwrap().0.seq > 1_000);
    assert_eq!(view(&stage, check_in).state, CheckInState::Running);
}

#[tokio::test]
async fn a_clock_set_back_renews_at_once() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    start(&stage, 90);
    stage.deliver(&relay).await;
    stage.clock.pass_s(-3600);
    stage.deliver(&relay).await;
    assert_eq!(relay.deposits().len(), 2);
}

#[tokio::test]
async fn a_rule_keeps_the_next_one_at_the_relay_until_it_is_ended() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let rule = Rule {
        weekdays: Weekdays::ALL,
        minute: 23 * 60,
        grace_s: 300,
        silent_after_s: None,
        text: "Elke avond".to_owned(),
    };
    let number = stage.phone.add_check_in_rule(&rule, &stage.context).unwrap();
    stage.deliver(&relay).await;
    let due: Vec<String> = (0..3)
        .map(|_| {
            let running = stage.phone.check_in_rules().unwrap()[0].running.unwrap();
            stage.phone.settle_check_in(running, false, &stage.context).unwrap();
            let due = view(&stage, running).due_at.to_rfc3339();
            stage.restart_phone();
            stage.phone.keep_check_ins(&stage.context).unwrap();
            due
        })
        .collect();
    // Settled at noon, that evening's is settled; the next is tomorrow's. One runs on at the fourth day.
    assert_eq!(due, ["2026-11-23T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-25T22:00:00Z"]);
    stage.deliver(&relay).await;
    assert_eq!(relay.deposits().len(), 2, "the first day's and the fourth's");
    stage.phone.end_check_in_rule(number).unwrap();
    assert!(stage.phone.check_in_rules().unwrap().is_empty());
    assert!(matches!(stage.phone.end_check_in_rule(number), Err(BakenError::NoSuchCheckIn)));
    let open = stage.phone.check_ins(stage.clock.now()).unwrap();
    assert_eq!(open.iter().filter(|check_in| check_in.state == CheckInState::Running).count(), 1);
}

fn of_tablet(stage: &Stage, tablet: &DeviceKeys) -> DepositElsewhere {
    watched_by(stage, tablet, stage.east.device)
}

fn watched_by(stage: &Stage, tablet: &DeviceKeys, desk: DeviceId) -> DepositElsewhere {
    let due_at = stage.clock.now().plus_ms(30 * 60_000);
    let deposit = stage.context.with_rng(|rng| AlarmId::make(rng));
    let timers = DepositTimers {
        deposit,
        device: tablet.device,
        seq: 1,
        sealed: Hash([1; 32]),
        desk,
        due_in_s: Some(30 * 60),
        silent_after_s: 30 * 60,
        grace_s: 60,
    };
    DepositElsewhere {
        deposit,
        device: tablet.device,
        due_at,
        raise_at: due_at.plus_ms(60_000),
        timers: Signed::make(timers, &tablet.alarm).bytes().to_vec().into(),
        identity: tablet.identity().bytes().to_vec().into(),
    }
}

/// The tablet is in the dossier, or was.
fn pair(stage: &Stage, tablet: &DeviceKeys, active: bool) {
    let sig = tablet.sig.verify_key();
    let tablet = OrderAuthor { device: tablet.device, sig, active, name: "Tablet".to_owned() };
    let keys = OrderKeys { authors: vec![tablet], ..OrderKeys::default() };
    stage.phone.keep_order_keys(&keys).unwrap();
}

#[tokio::test]
async fn another_devices_check_in_is_settled_from_here_alike_with_either_pin() {
    let mut sizes = Vec::new();
    for duress in [false, true] {
        let mut stage = Stage::set_up();
        let relay = StageRelay::of(&stage);
        let tablet = stage.stranger();
        pair(&stage, &tablet, true);
        relay.has_elsewhere(of_tablet(&stage, &tablet));
        let seen = stage.phone.check_ins_elsewhere(&relay, &stage.context).await.unwrap().remove(0);
        assert_eq!((seen.device, seen.name.as_deref()), (tablet.device, Some("Tablet")));
        relay.be(Mood::Down);
        stage.phone.settle_elsewhere(&seen, duress, &stage.context).unwrap();
        assert!(matches!(stage.phone.settle_elsewhere(&seen, duress, &stage.context), Err(BakenError::CheckInOver)));
        stage.deliver(&relay).await;
        stage.restart_phone();
        let waiting = view(&stage, seen.check_in);
        assert_eq!(waiting.state, CheckInState::Settling);
        assert!(!waiting.words(Language::En)[0].contains("Tablet"), "it is read without a PIN");
        relay.be(Mood::Up);
        stage.clock.pass_s(40);
        stage.deliver(&relay).await;
        let settled = view(&stage, seen.check_in);
        assert_eq!((settled.state, settled.elsewhere, settled.alarm), (CheckInState::Settled, true, None));
        let (about, body) = note_of(&stage, &relay.settlements()[0]);
        assert_eq!((about.deposit, about.device), (seen.check_in, stage.setup().device));
        assert_eq!((body.kind, body.duress, body.alarm), (NoteKind::Settled, duress, Some(seen.check_in)));
        sizes.push(relay.settlements()[0].len());
        assert!(relay.deposits().is_empty(), "it is nothing that this device hands in");
    }
    assert_eq!(sizes[0], sizes[1]);
}

#[tokio::test]
async fn i5_a_check_in_that_no_device_of_the_dossier_signed_is_not_offered_for_settling() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let (tablet, lost, stranger) = (stage.stranger(), stage.stranger(), stage.stranger());
    let author = |keys: &DeviceKeys, active| OrderAuthor {
        device: keys.device,
        sig: keys.sig.verify_key(),
        active,
        name: String::new(),
    };
    let authors = vec![author(&tablet, true), author(&lost, false)];
    stage.phone.keep_order_keys(&OrderKeys { authors, ..OrderKeys::default() }).unwrap();
    let (one, other) = (of_tablet(&stage, &tablet), of_tablet(&stage, &tablet));
    // The relay would have the person settle another than they see: by its id, by its device, or one of nobody's.
    let same_id = DeviceKeys { device: tablet.device, ..stranger.clone() };
    for forged in [
        DepositElsewhere { deposit: other.deposit, ..one.clone() },
        DepositElsewhere { device: lost.device, ..one.clone() },
        DepositElsewhere { timers: of_tablet(&stage, &same_id).timers, ..one.clone() },
        DepositElsewhere { timers: Vec::new().into(), ..one.clone() },
        of_tablet(&stage, &stranger),
        of_tablet(&stage, &same_id),
    ] {
        relay.has_elsewhere(forged);
    }
    assert_eq!(stage.phone.check_ins_elsewhere(&relay, &stage.context).await.unwrap(), []);
    assert_eq!(stage.phone.refused_documents().unwrap(), 6, "each is kept as evidence");
    // A phone that was lost and taken out since is the very one whose check-in is settled elsewhere.
    let of_lost = of_tablet(&stage, &lost);
    relay.has_elsewhere(one.clone());
    relay.has_elsewhere(of_lost.clone());
    let seen = stage.phone.check_ins_elsewhere(&relay, &stage.context).await.unwrap();
    assert_eq!(seen.iter().map(|seen| seen.check_in).collect::<Vec<_>>(), [one.deposit, of_lost.deposit]);
    assert_eq!((seen[0].device, seen[0].grace_s), (tablet.device, 60));
}

#[tokio::test]
async fn a_settlement_goes_to_the_desk_that_the_phone_named_while_there_is_one() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let tablet = stage.stranger();
    pair(&stage, &tablet, true);
    let gone = stage.stranger().device;
    for (named, reaches) in
        [(stage.west.device, stage.west.device), (stage.east.device, stage.east.device), (gone, stage.east.device)]
    {
        relay.has_elsewhere(watched_by(&stage, &tablet, named));
        let seen = stage.phone.check_ins_elsewhere(&relay, &stage.context).await.unwrap().pop().unwrap();
        stage.phone.settle_elsewhere(&seen, false, &stage.context).unwrap();
        stage.clock.pass_s(40);
        stage.deliver(&relay).await;
        let settlement = relay.settlements().pop().unwrap();
        let (_, note) = Settlement::verify(&settlement, &stage.setup().alarm_key.verify_key()).unwrap();
        assert_eq!(note.value().desk, reaches);
    }
}

#[tokio::test]
async fn one_that_takes_the_place_of_another_is_at_the_relay_before_that_one_is_settled() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let tablet = stage.stranger();
    pair(&stage, &tablet, true);
    relay.has_elsewhere(of_tablet(&stage, &tablet));
    let other = stage.phone.check_ins_elsewhere(&relay, &stage.context).await.unwrap().remove(0);
    let own = stage.phone.take_over_check_in(&other, &new(&stage, 60), false, &stage.context).unwrap();
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    stage.clock.pass_s(5);
    stage.deliver(&relay).await;
    assert_eq!((relay.settlements().len(), view(&stage, own).state), (0, CheckInState::NotAtRelay));
    relay.be(Mood::Up);
    for _ in 0..2 {
        stage.clock.pass_s(40);
        stage.deliver(&relay).await;
    }
    assert_eq!(view(&stage, own).state, CheckInState::Running);
    assert_eq!((relay.settlements().len(), view(&stage, other.check_in).state), (1, CheckInState::Settled));
}

#[tokio::test]
async fn only_a_device_of_the_dossier_settles_a_check_in_of_this_one() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let (tablet, stranger) = (stage.stranger(), stage.stranger());
    let check_in = start(&stage, 30);
    stage.deliver(&relay).await;
    let told = |by: &DeviceKeys, identity: &DeviceKeys| {
        let desk = stage.directory(1, [&stage.east, &stage.west]).into_value().desks.remove(0);
        let (kind, alarm, made_at) = (NoteKind::Settled, Some(check_in), stage.clock.now());
        let body = NoteBody { kind, duress: false, alarm, made_at, freeze: None };
        let note = stage
            .context
            .with_rng(|rng| Note::seal(NoteId::make(rng), by.device, &desk, &body, &by.alarm, rng))
            .unwrap();
        let settlement = Settlement { deposit: check_in, device: by.device, note: note.bytes().to_vec().into() };
        let settlement = Signed::make(settlement, &by.alarm).bytes().to_vec().into();
        cbor::to_vec(&SettledElsewhere { identity: identity.identity().bytes().to_vec().into(), settlement })
    };
    let same_id = DeviceKeys { device: tablet.device, ..stranger.clone() };
    // One that was taken out; then others in its name, and a device that it never was.
    pair(&stage, &tablet, false);
    relay.mails(MailKind::Settlement, &told(&tablet, &tablet));
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    pair(&stage, &tablet, true);
    for (by, identity) in [(&stranger, &stranger), (&same_id, &same_id), (&same_id, &tablet), (&stranger, &tablet)] {
        relay.mails(MailKind::Settlement, &told(by, identity));
    }
    relay.mails(MailKind::Settlement, b"nothing");
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert_eq!(view(&stage, check_in).state, CheckInState::Running);
    assert!(stage.phone.refused_documents().unwrap() == 6);
    relay.mails(MailKind::Settlement, &told(&tablet, &tablet));
    stage.clock.pass_s(60);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.check_ins, [CheckInNews::SettledElsewhere(check_in)]);
    let settled = view(&stage, check_in);
    assert_eq!((settled.state, settled.settled_elsewhere), (CheckInState::Settled, true));
    assert!(settled.words(Language::En)[0].contains("another device of yours"));
}
