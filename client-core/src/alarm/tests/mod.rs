//! The outbox against a relay that is down, loses answers, lies, or comes back from a backup. Named after what a phone
//! must do then; the invariants are those of ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod attachment;
mod audit;
mod family;
mod orders;
mod probe;
mod sms;
pub(crate) mod stage;
mod tested;
mod withdrawal;

use std::ops::ControlFlow;
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::alarm::{AlarmKind, Fix, FixAbsent, Note, Position, ReceiptState, Update};
use baken_schemas::api::MailKind;
use baken_schemas::crypto::SymmetricKey;
use baken_schemas::signed::Unverified;
use baken_schemas::time::Clock;
use rand::SeedableRng as _;

use self::stage::{Mood, Stage, StageRelay, TODAY, live_mail};
use crate::alarm::{AlarmState, Call, MAX_TEXT_BYTES, Signer, Warning};
use crate::home::Home;
use crate::key_store::{FileKeyStore, secret_or_new};
use crate::{Baken, BakenError, Context};

const YEAR_MS: i64 = 365 * 86_400_000;

#[tokio::test]
async fn an_alarm_pressed_while_the_relay_is_down_is_sent_when_it_is_up() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    relay.be(Mood::Down);
    let alarm = stage.press();
    assert_eq!(stage.view(alarm).words(Language::Nl), "nog niet verzonden");

    for _ in 0..200 {
        let round = stage.deliver(&relay).await;
        assert!(matches!(round.error, Some(BakenError::NotReached)));
        stage.clock.pass_s(25);
    }
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green, view.call_112), (AlarmState::NotSent, false, true));

    relay.be(Mood::Up);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.stored, [alarm]);
    assert_eq!(relay.alarms().len(), 1);
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
    // Sent is sent: it is not sent again.
    stage.clock.pass_s(60);
    stage.deliver(&relay).await;
    assert_eq!(relay.writes().len(), 1);
}

#[tokio::test]
async fn an_answer_lost_after_it_was_stored_leads_to_the_same_bytes_and_one_alarm() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    relay.be(Mood::LosesAnswers);
    for _ in 0..5 {
        stage.deliver(&relay).await;
        stage.clock.pass_s(25);
    }
    assert_eq!(stage.view(alarm).state, AlarmState::NotSent, "I2: nothing was proven");
    relay.be(Mood::Up);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);

    let writes = relay.writes();
    assert_eq!(writes.len(), 6);
    assert!(writes.iter().all(|write| *write == writes[0]), "same bytes under the same idempotency key");
    assert_eq!(relay.alarms().len(), 1);
}

#[tokio::test]
async fn a_crash_between_writing_and_sending_loses_nothing_and_changes_no_byte() {
    let mut stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    let sealed = relay.alarms();
    stage.restart_phone();
    assert_eq!(stage.view(alarm).state, AlarmState::NotSent);
    relay.be(Mood::Up);
    // A program that starts tries at once, without waiting for the clock.
    stage.deliver(&relay).await;
    assert_eq!(relay.alarms(), sealed);
    stage.restart_phone();
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}

#[tokio::test]
async fn a_2xx_without_a_receipt_proves_nothing_and_is_tried_again() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    relay.be(Mood::SaysNothing);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.refused, ["malformed"]);
    let view = stage.view(alarm);
    assert_eq!(view.state, AlarmState::NotSent);
    assert_eq!(view.warnings, [Warning::Refused { count: 1 }]);
    relay.be(Mood::Up);
    stage.clock.pass_s(2);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}

#[tokio::test]
async fn a_refused_alarm_is_shown_and_tried_again_and_holds_up_no_other() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let refused = stage.press();
    relay.be(Mood::Refuses);
    stage.deliver(&relay).await;
    let view = stage.view(refused);
    let code = view.refused.as_ref().map(|refusal| (refusal.status, refusal.code.as_str()));
    assert_eq!(code, Some((401, "unknown_device")));
    assert_eq!(view.state, AlarmState::NotSent);

    relay.be(Mood::Up);
    let other = stage.press();
    stage.clock.pass_s(1);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(other).state, AlarmState::Stored);
    let view = stage.view(refused);
    assert_eq!((view.state, view.refused.is_some()), (AlarmState::NotSent, true), "shown while it waits");
    // As from a relay that was restored from a backup and has just learned of the phone again.
    stage.clock.pass_s(29);
    stage.deliver(&relay).await;
    let view = stage.view(refused);
    assert_eq!((view.state, view.refused), (AlarmState::Stored, None));
}

#[tokio::test]
async fn receipts_are_shown_with_who_says_them_and_green_comes_with_a_human() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let received = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
    relay.mails(MailKind::Receipt, received.bytes());
    stage.clock.pass_s(21);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!(view.words(Language::Nl), "Meldkamer Oost: aangekomen; nog niemand heeft het gezien");
    assert_eq!((view.green, view.call_112), (false, true));

    let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&received), Some(("A. de Vries", "")));
    relay.has(seen.bytes());
    stage.clock.pass_s(21);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.receipts, [(alarm, ReceiptState::Seen)]);
    let view = stage.view(alarm);
    assert_eq!(view.words(Language::Nl), "Meldkamer Oost: gezien door A. de Vries");
    assert_eq!(view.words(Language::En), "Meldkamer Oost: seen by A. de Vries");
    assert_eq!((view.green, view.call_112), (true, false));
    assert_eq!(view.warnings, []);

    // The other desk's machine has it later: what is shown does not go back.
    let late = stage.receipt(&stage.west, &bytes, ReceiptState::Received, None, None);
    relay.mails(MailKind::Receipt, late.bytes());
    let closed =
        stage.receipt(&stage.east, &bytes, ReceiptState::Closed, Some(&seen), Some(("A. de Vries", "loos alarm")));
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).state, AlarmState::Seen);
    relay.mails(MailKind::Receipt, closed.bytes());
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!(view.words(Language::Nl), "Meldkamer Oost: afgesloten door A. de Vries (loos alarm)");
    assert_eq!(view.receipts.len(), 5);
}

#[tokio::test]
async fn who_has_it_now_is_shown_by_name_when_a_colleague_takes_it_over() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let first = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, Some(("A. de Vries", "")));
    let second = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&first), Some(("B. Bakker", "")));
    // The relay brings them the wrong way round.
    for receipt in [&second, &first] {
        relay.mails(MailKind::Receipt, receipt.bytes());
    }
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).words(Language::Nl), "Meldkamer Oost: gezien door B. Bakker");
    let verified =
        stage.receipt(&stage.east, &bytes, ReceiptState::Verified, Some(&second), Some(("B. Bakker", "gebeld")));
    let third = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&verified), Some(("C. Smit", "")));
    for receipt in [&verified, &third] {
        relay.mails(MailKind::Receipt, receipt.bytes());
    }
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!(
        (view.state, view.held_by.as_ref().unwrap().officer.as_deref()),
        (AlarmState::Verified, Some("C. Smit"))
    );
    assert_eq!(view.words(Language::Nl), "Meldkamer Oost: geverifieerd door B. Bakker (gebeld); nu bij C. Smit");
    assert_eq!(view.words(Language::En), "Meldkamer Oost: verified by B. Bakker (gebeld); now with C. Smit");
    assert_eq!(view.warnings, []);
}

#[tokio::test]
async fn what_was_reopened_is_not_green_and_says_112_until_somebody_takes_it_again() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, Some(("A. de Vries", "")));
    let reopened = stage.receipt(&stage.east, &bytes, ReceiptState::Reopened, Some(&seen), None);
    for receipt in [&seen, &reopened] {
        relay.mails(MailKind::Receipt, receipt.bytes());
    }
    stage.clock.pass_s(16);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green, view.call_112), (AlarmState::Reopened, false, true));
    assert!(view.held_by.is_none() && view.warnings.is_empty());
    let said = "Meldkamer Oost: er volgde niets nadat het gezien was; iedereen wordt opnieuw opgeroepen";
    assert_eq!(view.words(Language::Nl), said);
    // The relay says it too, in its own name; what follows at the desk goes on from its own chain.
    let by_relay = stage.receipt(&stage.relay, &bytes, ReceiptState::Reopened, None, None);
    let again = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&reopened), Some(("B. Bakker", "")));
    for receipt in [&by_relay, &again] {
        relay.mails(MailKind::Receipt, receipt.bytes());
    }
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green, view.call_112), (AlarmState::Seen, true, false));
    assert_eq!(view.words(Language::En), "Meldkamer Oost: seen by B. Bakker");
    let by_relay =
        view.receipts.iter().find(|receipt| receipt.by == Signer::Relay && receipt.state == ReceiptState::Reopened);
    assert!(by_relay.unwrap().words(Language::En).contains("the next on the list is called"));
}

#[tokio::test]
async fn a_state_that_a_later_version_adds_is_kept_as_evidence_and_takes_nothing_back() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, Some(("A. de Vries", "")));
    // The highest state, with the number of one that there is not yet: as a phone of before reads `reopened`.
    let newest = stage.receipt(&stage.east, &bytes, ReceiptState::Reopened, Some(&seen), None);
    let mut unknown = newest.bytes().to_vec();
    let place = unknown.windows(2).position(|pair| pair == [0x82, 0x07]).unwrap() + 1;
    unknown[place] = 0x17;
    for receipt in [seen.bytes(), &unknown] {
        relay.mails(MailKind::Receipt, receipt);
    }
    stage.clock.pass_s(16);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green), (AlarmState::Seen, true));
    // Which alarm it is about cannot be read either; that something came is counted.
    assert_eq!((view.warnings.len(), stage.phone.refused_documents().unwrap()), (0, 1));
}

#[tokio::test]
async fn a_receipt_that_the_relay_invents_or_alters_is_refused_kept_and_reported() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);

    // The relay speaks for a human, speaks as a desk with its own key, and turns a bit in what a desk said.
    let as_itself = stage.receipt(&stage.relay, &bytes, ReceiptState::Seen, None, None);
    let mut impostor = stage.relay.clone();
    impostor.device = stage.east.device;
    let as_desk = stage.receipt(&impostor, &bytes, ReceiptState::Seen, None, None);
    let honest = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
    let mut altered = honest.bytes().to_vec();
    let at = altered.len() - 100;
    altered[at] ^= 1;
    for receipt in [as_itself.bytes(), as_desk.bytes(), &altered] {
        relay.mails(MailKind::Receipt, receipt);
        relay.has(receipt);
    }
    stage.clock.pass_s(20);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.receipts, []);
    assert_eq!(round.refused.len(), 6);
    assert!(round.refused.contains(&"not_entitled") && round.refused.contains(&"forged"));
    let view = stage.view(alarm);
    assert_eq!((view.state, view.green, view.call_112), (AlarmState::Stored, false, true));
    assert_eq!(view.warnings, [Warning::Refused { count: 3 }], "each once, however often it comes");

    // Every bit of an honest receipt is covered.
    for bit in (0..honest.bytes().len() * 8).step_by(7) {
        let mut flipped = honest.bytes().to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let event = live_mail(1_000 + bit as u64, MailKind::Receipt, &flipped);
        let round = stage.phone.take_event(&event, &stage.context).unwrap();
        assert_eq!((round.receipts.len(), round.refused.len()), (0, 1), "bit {bit}");
    }
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}

#[tokio::test]
async fn a_desk_that_the_relay_slips_in_is_not_believed_and_not_sealed_to() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let spy = stage.stranger();
    relay.mails(MailKind::Directory, stage.directory_by_relay(9, &spy).bytes());
    let round = stage.deliver(&relay).await;
    assert_eq!((round.refused.as_slice(), round.new_directory), (&["directory_forged"][..], false));
    assert_eq!(stage.phone.refused_documents().unwrap(), 1);

    let alarm = stage.press();
    stage.clock.pass_s(16);
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    assert!(stage.verify_alarm(&bytes).value().open(spy.device, &spy.kem).unwrap().is_none());
    let seen = stage.receipt(&spy, &bytes, ReceiptState::Seen, None, None);
    relay.has(seen.bytes());
    stage.clock.pass_s(16);
    assert_eq!(stage.deliver(&relay).await.refused, ["forged"]);
    assert_eq!(stage.view(alarm).state, AlarmState::Stored);
}

#[tokio::test]
async fn a_newer_directory_of_the_root_counts_and_an_older_one_does_not() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let new_desk = stage.stranger();
    let newer = stage.directory(3, [&stage.east, &new_desk]);
    relay.mails(MailKind::Directory, newer.bytes());
    relay.mails(MailKind::Directory, stage.directory(2, [&stage.east, &stage.west]).bytes());
    let round = stage.deliver(&relay).await;
    assert!(round.new_directory);
    assert_eq!(round.refused, ["directory_older"]);
    assert_eq!(stage.phone.directory().unwrap().version, 3);

    stage.press();
    stage.clock.pass_s(16);
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    assert!(stage.verify_alarm(&bytes).value().open(new_desk.device, &new_desk.kem).unwrap().is_some());
}

#[tokio::test]
async fn a_receipt_for_other_bytes_of_the_same_alarm_is_refused() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let honest = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, None).into_value();
    let about_other =
        baken_schemas::alarm::Receipt { alarm_hash: baken_schemas::crypto::Hash::of("another", &[]), ..honest };
    let about_other = baken_schemas::signed::Signed::make(about_other, &stage.east.sig);
    relay.has(about_other.bytes());
    stage.clock.pass_s(16);
    assert_eq!(stage.deliver(&relay).await.refused, ["other_alarm"]);
    assert!(!stage.view(alarm).green);
}

#[tokio::test]
async fn a_receipt_held_back_and_two_in_one_place_are_warned_of() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let received = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
    let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, Some(&received), Some(("A. de Vries", "")));
    relay.has(seen.bytes());
    stage.clock.pass_s(16);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    let east = Signer::Desk("Meldkamer Oost".to_owned());
    assert!(view.green, "the desk did say so");
    assert_eq!(view.warnings, [Warning::Missing { by: east.clone() }]);

    relay.has(received.bytes());
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).warnings, []);

    let rival = stage.receipt(&stage.east, &bytes, ReceiptState::Closed, Some(&received), None);
    relay.has(rival.bytes());
    stage.clock.pass_s(61);
    stage.deliver(&relay).await;
    assert_eq!(stage.view(alarm).warnings, [Warning::Contradicting { by: east }]);
}

#[tokio::test]
async fn a_clock_ten_years_off_or_set_meanwhile_stops_no_alarm_and_no_receipt() {
    for off in [-10 * YEAR_MS, 10 * YEAR_MS, -80 * YEAR_MS] {
        let stage = Stage::set_up();
        let relay = StageRelay::of(&stage);
        stage.clock.set(TODAY + off);
        let alarm = stage.press();
        assert!(!stage.view(alarm).call_112);
        relay.be(Mood::Down);
        stage.deliver(&relay).await;
        // The phone finds the right time while the alarm waits.
        stage.clock.set(TODAY);
        assert!(stage.view(alarm).call_112, "nobody can tell how long it has been");
        relay.be(Mood::Up);
        stage.clock.set(TODAY + 30_000);
        stage.deliver(&relay).await;
        let bytes = relay.alarms().remove(0);
        assert_eq!(stage.open_at(&stage.east, &bytes).0.made_at.0, TODAY + off);
        let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, Some(("A. de Vries", "")));
        relay.has(seen.bytes());
        stage.clock.set(TODAY - 10 * YEAR_MS);
        stage.deliver(&relay).await;
        let view = stage.view(alarm);
        assert_eq!((view.state, view.green, view.call_112), (AlarmState::Seen, true, false));
    }
}

#[tokio::test]
async fn call_112_is_shown_after_20_seconds_or_when_the_ladder_ran_out() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    stage.clock.set(TODAY + 19_999);
    assert!(!stage.view(alarm).call_112);
    stage.clock.set(TODAY + 20_000);
    assert!(stage.view(alarm).call_112);

    stage.clock.set(TODAY);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().into_iter().find(|bytes| stage.verify_alarm(bytes).value().header.alarm == alarm);
    let bytes = bytes.unwrap();
    relay.has(stage.receipt(&stage.relay, &bytes, ReceiptState::Exhausted, None, None).bytes());
    stage.clock.set(TODAY + 11_000);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.state, view.call_112), (AlarmState::Exhausted, true));
    // A late human still counts.
    relay.has(stage.receipt(&stage.west, &bytes, ReceiptState::Seen, None, Some(("B. Jansen", ""))).bytes());
    stage.clock.set(TODAY + 30_000);
    stage.deliver(&relay).await;
    let view = stage.view(alarm);
    assert_eq!((view.words(Language::Nl).as_str(), view.call_112), ("Meldkamer West: gezien door B. Jansen", false));
}

#[tokio::test]
async fn updates_follow_their_alarm_in_order_and_long_words_are_not_cut() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let words = "é€".repeat(1_000);
    let alarm = stage.press_saying(&words);
    let position = Position { latitude_e7: 521_234_567, longitude_e7: 51_234_567, accuracy_m: 12, age_s: 3 };
    stage.phone.update(alarm, Fix::At(position), Some(39), "ze komen binnen", &stage.context).unwrap();
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    assert_eq!(relay.updates(), Vec::<Vec<u8>>::new(), "an update waits for its alarm");
    relay.be(Mood::Up);
    let waiting = stage.view(alarm).updates_waiting;
    for _ in 0..=waiting + 1 {
        stage.clock.pass_s(25);
        stage.deliver(&relay).await;
    }
    assert_eq!(stage.view(alarm).updates_waiting, 0);
    let (body, content) = stage.open_at(&stage.east, &relay.alarms()[0]);
    let mut said = body.text;
    let mut seqs = Vec::new();
    let mut last = None;
    for update in relay.updates() {
        let update = Unverified::<Update>::parse(&update).unwrap();
        let body = update.claims().open(&content).unwrap();
        said.push_str(&body.text);
        seqs.push(update.claims().seq);
        last = Some(body.fix);
    }
    assert_eq!(said, format!("{words}ze komen binnen"));
    assert!(seqs.iter().copied().eq(1..=u64::from(waiting)));
    assert_eq!(last, Some(Fix::At(position)));
    // Past the bound it is cut rather than refused: an alarm is an alarm.
    stage.press_saying(&"x".repeat(MAX_TEXT_BYTES * 2));
}

#[tokio::test]
async fn mail_is_read_once_and_again_after_the_relay_was_restored() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let mut last = stage.receipt(&stage.east, &bytes, ReceiptState::Received, None, None);
    relay.mails(MailKind::Receipt, last.bytes());
    for state in [ReceiptState::Seen, ReceiptState::Verified, ReceiptState::Underway, ReceiptState::Closed] {
        last = stage.receipt(&stage.east, &bytes, state, Some(&last), Some(("A. de Vries", "")));
        relay.mails(MailKind::Receipt, last.bytes());
    }
    stage.clock.pass_s(16);
    // Three pages of two; read to the end in one round.
    assert_eq!(stage.deliver(&relay).await.receipts.len(), 5);
    stage.clock.pass_s(61);
    assert!(!stage.deliver(&relay).await.changed());

    relay.is_restored();
    let note = stage.receipt(&stage.west, &bytes, ReceiptState::Received, None, None);
    relay.mails(MailKind::Receipt, note.bytes());
    stage.clock.pass_s(61);
    assert_eq!(stage.deliver(&relay).await.receipts, [(alarm, ReceiptState::Received)]);
}

#[tokio::test]
async fn following_hears_of_a_human_on_the_live_stream() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let alarm = stage.press();
    stage.deliver(&relay).await;
    let bytes = relay.alarms().remove(0);
    let seen = stage.receipt(&stage.east, &bytes, ReceiptState::Seen, None, Some(("A. de Vries", "")));
    relay.tells_live(40, MailKind::Receipt, seen.bytes());
    // The clock stands still, so nothing but the stream can bring it.
    let mut tell = |round: &crate::alarm::Round| match round.receipts.as_slice() {
        [] => ControlFlow::Continue(()),
        [found] => {
            assert_eq!(*found, (alarm, ReceiptState::Seen));
            ControlFlow::Break(())
        }
        more => panic!("one receipt was told, not {}", more.len()),
    };
    let followed = stage.phone.follow(&relay, &stage.context, &mut tell);
    tokio::time::timeout(std::time::Duration::from_secs(60), followed).await.unwrap().unwrap();
    assert!(stage.view(alarm).green);
    // The cursor went along: what comes at or before it is old, what comes behind it is new.
    let verified = stage.receipt(&stage.east, &bytes, ReceiptState::Verified, Some(&seen), None);
    for (cursor, is_new) in [(40, false), (39, false), (41, true)] {
        let event = live_mail(cursor, MailKind::Receipt, verified.bytes());
        assert_eq!(stage.phone.take_event(&event, &stage.context).unwrap().changed(), is_new);
    }
}

#[test]
fn the_file_is_encrypted_and_opens_under_its_key_only() {
    let stage = Stage::set_up();
    stage.press_saying("Kerkstraat 1, Voorbeeld");
    for file in ["outbox.db", "outbox.db-wal"] {
        let bytes = std::fs::read(stage.folder.path().join(file)).unwrap();
        assert!(!bytes.is_empty());
        assert!(!bytes.starts_with(b"SQLite format 3"));
        for marker in [&b"Meldkamer"[..], b"baken/alarm", b"CREATE TABLE", &stage.setup().device.0] {
            assert!(!bytes.windows(marker.len()).any(|window| window == marker));
        }
    }
    let wrong = stage.open_with(&SymmetricKey::from_slice(&[3; 32]).unwrap());
    assert!(matches!(wrong, Err(BakenError::VaultDamaged { part: "the alarm outbox" })));
}

#[test]
fn pressing_works_while_another_program_has_the_outbox_open() {
    let mut stage = Stage::set_up();
    let first = stage.press();
    let other = std::mem::replace(&mut stage.phone, Stage::set_up().phone);
    stage.restart_phone();
    let second = stage.press();
    let both = other.alarms(stage.context.now()).unwrap();
    assert_eq!(both.iter().map(|view| view.alarm).collect::<Vec<_>>(), [second, first]);
}

#[tokio::test]
async fn a_locked_vault_that_another_program_holds_stops_no_alarm() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    let home = Home::open(&stage.folder.path().join("home")).unwrap();
    let store = Arc::new(FileKeyStore::new(home.platform_key()));
    let rng = || Box::new(rand::rngs::ChaCha20Rng::from_seed([4; 32]));
    secret_or_new(store.as_ref(), &mut *rng()).unwrap();
    let context = || Context::new(Arc::clone(&stage.clock) as Arc<dyn Clock>, rng(), Arc::clone(&store) as _);
    Baken::open(home.clone(), context()).enrol_alarms(stage.setup()).unwrap();

    let _held = home.lock().unwrap();
    assert!(home.lock().is_err());
    let mayor_phone = Baken::open(home, context());
    assert!(!mayor_phone.is_unlocked());
    let call = Call {
        kind: AlarmKind::Silent,
        fix: Fix::Absent(FixAbsent::SwitchedOff),
        battery_percent: None,
        text: String::new(),
        countdown_s: 0,
    };
    let alarm = mayor_phone.press(&call).unwrap();
    let round = mayor_phone.send_alarms(&relay).await.unwrap();
    assert_eq!(round.stored, [alarm]);
    assert_eq!(mayor_phone.alarm(alarm).unwrap().state, AlarmState::Stored);
    assert!(!mayor_phone.is_unlocked());
}

#[tokio::test]
async fn a_note_is_tried_without_end_and_holds_up_no_alarm() {
    let stage = Stage::set_up();
    let relay = StageRelay::of(&stage);
    relay.be(Mood::Refuses);
    stage.phone.note_unlocked(false, &stage.context).unwrap();
    stage.phone.note_unlocked(true, &stage.context).unwrap();
    for _ in 0..50 {
        stage.deliver(&relay).await;
        stage.clock.pass_s(30);
    }
    relay.be(Mood::LosesAnswers);
    stage.deliver(&relay).await;
    assert_eq!(stage.phone.waiting_notes().unwrap(), 2, "not answered is not sent");
    let alarm = stage.press();
    relay.be(Mood::Up);
    stage.clock.pass_s(30);
    let round = stage.deliver(&relay).await;
    assert_eq!(round.stored, [alarm]);
    assert_eq!(stage.phone.waiting_notes().unwrap(), 0);

    // The same bytes each time, so that the desk has each once; the first desk of the ladder, and nobody else, reads them.
    let mut notes = relay.notes();
    notes.sort();
    notes.dedup();
    let bodies: Vec<bool> = notes
        .iter()
        .map(|note| {
            let note = Unverified::<Note>::parse(note).unwrap();
            assert!(note.claims().open(&stage.west.kem).is_err());
            note.claims().open(&stage.east.kem).unwrap().duress
        })
        .collect();
    assert_eq!((bodies.len(), bodies.iter().filter(|duress| **duress).count()), (2, 1));
    assert_eq!(notes[0].len(), notes[1].len());
    stage.clock.pass_s(60);
    let before = relay.notes().len();
    stage.deliver(&relay).await;
    assert_eq!(relay.notes().len(), before, "sent is sent");
}

#[test]
fn notes_that_nobody_takes_have_an_end_and_the_newest_stay() {
    let stage = Stage::set_up();
    for _ in 0..3 {
        stage.phone.note_unlocked(false, &stage.context).unwrap();
    }
    // As if thousands had been written before.
    stage.phone.write(|tx| Ok(tx.execute("UPDATE note SET seq = seq + 5000 WHERE seq = 3", [])?)).unwrap();
    stage.phone.note_unlocked(true, &stage.context).unwrap();
    assert_eq!(stage.phone.waiting_notes().unwrap(), 2);
}

#[test]
fn an_outbox_of_the_first_version_is_opened_and_takes_notes() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vault_1");
    for name in ["outbox.db", "platform.key"] {
        std::fs::copy(frozen.join(name), folder.path().join(name)).unwrap();
    }
    let home = Home::open(folder.path()).unwrap();
    let store = Arc::new(FileKeyStore::new(home.platform_key()));
    let rng = Box::new(rand::rngs::ChaCha20Rng::seed_from_u64(1));
    let context = Context::new(Arc::new(baken_schemas::time::SystemClock), rng, store);
    let phone = Baken::open(home, context);
    assert!(!phone.alarms().unwrap().is_empty(), "the story pressed one");
    let outbox = phone.alarm_outbox().unwrap();
    outbox.note_unlocked(true, &phone.context).unwrap();
    assert_eq!(outbox.waiting_notes().unwrap(), 1);
}
