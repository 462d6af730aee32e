//! What follows from answers, by the edition that Baken ships. That answers stay on the phone is shown by the command
//! line's tests, on a real vault.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use baken_schemas::Language;
use baken_schemas::cbor;
use baken_schemas::edition::{Audience, Office, Reply};
use baken_schemas::id::RecordId;
use baken_schemas::record::{FieldNumber, Value};
use baken_schemas::time::{Clock, Timestamp};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::{Answer, BEFORE, Changed, GATE_MS, MAX_ANSWERS, Scan, ScanView};
use crate::guidance::ReadAs;
use crate::home::Home;
use crate::key_store::FileKeyStore;
use crate::{Baken, Context};

/// 27 November 2026, noon.
const NOON: Timestamp = Timestamp(1_795_777_200_000);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOON
    }
}

/// The scan of a phone that was never activated.
fn view(office: Option<Office>, language: Language) -> ScanView {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
    let context = Context::new(Arc::new(Still), Box::new(ChaCha20Rng::seed_from_u64(3)), key_store);
    let who = ReadAs { language, audience: Audience::OfficeHolder, office };
    Baken::open(home, context).guidance().unwrap().scan(who).unwrap()
}

fn answered(replies: &[(u8, Reply)]) -> Scan {
    let mut scan = Scan::default();
    for (question, reply) in replies {
        scan.answer(*question, *reply, NOON, RecordId([*question; 16]));
    }
    scan
}

#[test]
fn a_tip_comes_with_the_wrong_answer_or_none_and_never_where_it_does_not_apply() {
    let scan = view(None, Language::Nl);
    assert_eq!(scan.questions.len(), 20);
    let reversed: Vec<u8> = scan.questions.iter().filter(|question| question.reversed).map(|one| one.id).collect();
    assert_eq!(reversed, [5, 13, 16]);
    for question in &scan.questions {
        let is_reversed = reversed.contains(&question.id);
        assert_eq!(question.tip_for(Reply::Yes).is_some(), is_reversed, "{}", question.id);
        assert_eq!(question.tip_for(Reply::No).is_some(), !is_reversed, "{}", question.id);
        let unknown = question.tip_for(Reply::Unknown).unwrap();
        assert!(!unknown.tip.is_empty() && !unknown.advice.is_empty() && !unknown.sources.is_empty());
        assert!(question.tip_for(Reply::NotApplicable).is_none());
    }
}

#[test]
fn five_are_to_be_done_first_by_urgency_and_the_rest_after() {
    let scan = view(None, Language::Nl);
    let all: Vec<(u8, Reply)> = scan.questions.iter().map(|question| (question.id, Reply::Unknown)).collect();
    let result = scan.result(&answered(&all));
    assert_eq!((result.first.len(), result.rest.len(), result.open.len()), (5, 15, 0));
    let priorities: Vec<u8> = result.first.iter().chain(&result.rest).map(|tip| tip.priority).collect();
    assert!(priorities.is_sorted(), "{priorities:?}");
    assert_eq!(priorities[0], 1);
    let half = scan.result(&answered(&all[..3]));
    assert_eq!((half.answered, half.open.len(), scan.next(&answered(&all[..3])).unwrap().id), (3, 17, 4));
}

#[test]
fn an_office_has_its_own_tips() {
    let tip =
        |office, question| view(office, Language::Nl).question(question).unwrap().tip_for(Reply::Unknown).unwrap();
    let (mayor, councillor) = (tip(Some(Office::Mayor), 1), tip(Some(Office::Councillor), 1));
    assert_eq!(mayor, tip(None, 1));
    assert!(mayor.tip != councillor.tip && mayor.priority < councillor.priority);
    assert!(
        tip(Some(Office::Councillor), 20).priority < tip(Some(Office::Mayor), 20).priority,
        "stressed for councillors"
    );
}

#[test]
fn whoever_is_in_danger_is_led_to_112_and_cards_in_their_language() {
    let [dutch, english] = [Language::Nl, Language::En].map(|language| view(None, language));
    for scan in [&dutch, &english] {
        assert_eq!(scan.gate_contacts[0].number, "112");
        assert_eq!(scan.gate_cards[0].id, "immediate-danger");
        assert_eq!(scan.closing_contact.as_ref().unwrap().id, "support-team");
    }
    assert_ne!(dutch.gate, english.gate);
    assert_ne!(dutch.closing, english.closing);
}

#[test]
fn the_gate_is_asked_again_after_half_a_day_and_when_the_clock_went_back() {
    let mut scan = Scan::default();
    assert!(!scan.is_past_gate(NOON));
    scan.gate_at = Some(NOON);
    for (after, holds) in [(0, true), (GATE_MS - 1, true), (GATE_MS, false), (-1, false)] {
        assert_eq!(scan.is_past_gate(Timestamp(NOON.0 + after)), holds, "{after}");
    }
}

#[test]
fn a_new_round_is_held_against_the_one_before() {
    let scan = view(None, Language::Nl);
    let mut kept = answered(&[(1, Reply::No), (2, Reply::Yes), (3, Reply::Unknown), (4, Reply::Yes), (5, Reply::No)]);
    assert_eq!(scan.changes(&kept), [], "there is no round before");
    kept.begin_again();
    assert_eq!(scan.result(&kept).answered, 0);
    for (question, reply) in [(1, Reply::Yes), (2, Reply::No), (3, Reply::No), (4, Reply::Yes)] {
        kept.answer(question, reply, NOON, RecordId([0; 16]));
    }
    let changes: Vec<(u8, Changed)> =
        scan.changes(&kept).iter().map(|change| (change.question, change.change)).collect();
    assert_eq!(changes, [(1, Changed::Solved), (2, Changed::New), (3, Changed::Still)]);
    // What was left open in a round is compared with the last time it was answered.
    kept.begin_again();
    kept.answer(5, Reply::Yes, NOON, RecordId([0; 16]));
    assert_eq!(scan.changes(&kept).last().map(|change| (change.question, change.before)), Some((5, Reply::No)));
    assert_eq!(kept.answers()[0].record, RecordId([1; 16]), "an answer keeps its id");
}

fn any_reply() -> impl Strategy<Value = Reply> {
    prop::sample::select(Reply::ALL)
}

proptest! {
    #[test]
    fn whatever_is_answered_each_question_is_open_or_settled_or_has_one_tip(
        replies in prop::collection::vec((any::<u8>(), any_reply()), 0..200),
    ) {
        let scan = view(None, Language::En);
        let kept = answered(&replies);
        prop_assert!(kept.answers().len() <= MAX_ANSWERS);
        let result = scan.result(&kept);
        prop_assert!(result.first.len() <= 5 && (result.rest.is_empty() || result.first.len() == 5));
        let tips: Vec<u8> = result.first.iter().chain(&result.rest).map(|tip| tip.question).collect();
        prop_assert_eq!(tips.iter().collect::<BTreeSet<_>>().len(), tips.len());
        for question in &scan.questions {
            let due = kept.reply(question.id).and_then(|reply| question.tip_for(reply)).is_some();
            prop_assert_eq!(tips.contains(&question.id), due);
            prop_assert_eq!(result.open.contains(&question.id), kept.reply(question.id).is_none());
        }
        let bytes = cbor::to_vec(&kept);
        prop_assert_eq!(cbor::from_slice::<Scan>(&bytes, "a scan").unwrap(), kept);
    }

    #[test]
    fn bytes_that_are_no_answers_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(scan) = cbor::from_slice::<Scan>(&bytes, "a scan") {
            prop_assert_eq!(cbor::to_vec(&scan), bytes);
        }
    }

    #[test]
    fn an_answer_comes_out_of_an_export_as_it_went_in_and_nothing_else_does(
        question in any::<u8>(),
        reply in prop::option::of(any_reply()),
        before in prop::option::of(any_reply()),
        at in any::<i64>(),
        field in 1_u16..6,
        other in prop_oneof![
            any::<i64>().prop_map(Value::Int),
            ".{0,8}".prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Empty),
        ],
    ) {
        let answer = Answer { question, reply, before, at: Timestamp(at), record: RecordId([7; 16]) };
        let mut values: BTreeMap<FieldNumber, Value> = answer.to_values().into_iter().collect();
        let read = |values: &BTreeMap<FieldNumber, Value>| {
            Answer::from_values(answer.record, |field| values.get(&field).cloned())
        };
        prop_assert_eq!(read(&values), (reply.is_some() || before.is_some()).then_some(answer));
        // Whatever stands in a field, what is read is what an export of it would say.
        values.insert(field, other);
        if let Some(read) = read(&values) {
            let written: BTreeMap<FieldNumber, Value> = read.to_values().into_iter().collect();
            values.retain(|field, value| *field <= BEFORE && *value != Value::Empty);
            prop_assert_eq!(written, values);
        }
    }
}
