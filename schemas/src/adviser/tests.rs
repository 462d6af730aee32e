#![allow(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::counts::hide;
use super::*;
use crate::cbor;
use crate::edition::Date;
use crate::rules::Cover;

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn item(title: &str, due: &str) -> Line {
    Line::Item(Item {
        theme: Theme::Physical,
        title: title.parse().expect("a title"),
        state: State::Open,
        owner: Some(Function::SecurityOfficer),
        due: Some(day(due)),
    })
}

fn year(task: YearTask, year: u16, state: State, due: Option<&str>) -> Line {
    Line::Year(YearState { task, year, state, owner: None, due: due.map(day) })
}

fn term(starts: &str, ends: &str) -> Line {
    Line::Term(Term { starts: day(starts), ends: day(ends) })
}

fn plan(lines: Vec<Line>) -> Plan {
    let line = |(number, line): (u64, Line)| PlanLine {
        id: line.fixed_id().unwrap_or(LineId([number as u8; 16])),
        version: number,
        line,
        by: DeviceId([1; 16]),
        at: Timestamp(0),
    };
    Plan { version: lines.len() as u64, lines: (1..).zip(lines).map(line).collect() }
}

fn tasks(due: &[Due]) -> Vec<(String, YearTask)> {
    let task = |due: &Due| match due.what {
        DueKind::Task { task, .. } => Some((due.on.to_string(), task)),
        _ => None,
    };
    due.iter().filter_map(task).collect()
}

#[test]
fn a_new_year_and_a_new_term_bring_their_tasks_by_themselves() {
    let today = day("2026-11-27");
    let quiet = tasks(&due_in(&plan(Vec::new()), 2027, today));
    assert_eq!(quiet.first().map(|(on, task)| (on.as_str(), *task)), Some(("2027-02-15", YearTask::Trainings)));
    // A scan is repeated every other year; no term began.
    assert!(!quiet.iter().any(|(_, task)| *task == YearTask::ResilienceScan || *task == YearTask::TermBudget));
    assert_eq!(quiet.len(), 8, "{quiet:?}");
    let even = tasks(&due_in(&plan(Vec::new()), 2028, today));
    assert!(even.contains(&("2028-02-01".to_owned(), YearTask::ResilienceScan)));

    let council = plan(vec![term("2026-11-20", "2030-03-27")]);
    let first = tasks(&due_in(&council, 2026, today));
    for wanted in [("2026-12-04", YearTask::TermPacks), ("2026-12-20", YearTask::TermInsurance)] {
        assert!(first.contains(&(wanted.0.to_owned(), wanted.1)), "{first:?}");
    }
    let next = tasks(&due_in(&council, 2027, today));
    assert!(next.contains(&("2027-01-19".to_owned(), YearTask::TermBudget)), "into the new year: {next:?}");
}

#[test]
fn what_was_done_or_moved_stays_so_and_the_rest_becomes_overdue() {
    let lines = vec![
        year(YearTask::Budget, 2027, State::Done, None),
        year(YearTask::Protocol, 2027, State::UnderWay, Some("2027-12-01")),
        item("Receptie", "2027-05-01"),
        Line::Inform(Inform { account: AccountId([9; 16]), on: day("2027-06-01"), owner: None, done: false }),
    ];
    let due = due_in(&plan(lines), 2027, day("2027-07-01"));
    let find = |wanted: &dyn Fn(&DueKind) -> bool| due.iter().find(|due| wanted(&due.what)).expect("it is there");
    let task = |task| find(&move |what: &DueKind| matches!(what, DueKind::Task { task: t, .. } if *t == task));
    assert!(!task(YearTask::Budget).overdue);
    assert_eq!((task(YearTask::Protocol).on, task(YearTask::Protocol).overdue), (day("2027-12-01"), false));
    assert!(task(YearTask::Insurance).overdue);
    assert!(find(&|what| matches!(what, DueKind::Item { .. })).overdue);
    assert!(find(&|what| matches!(what, DueKind::Inform { .. })).overdue);
    assert!(due.is_sorted_by_key(|due| due.on));
}

#[test]
fn dates_that_contradict_each_other_are_refused_by_name() {
    let insured = |terms, read_on| {
        let (elected, executive) = (Cover::NotCovered, Cover::Covered);
        let insurer = "Voorbeeld Verzekeringen".parse().expect("a title");
        Line::Insured(Insured { elected, executive, insurer, terms: day(terms), read_on: day(read_on) })
    };
    for (line, part) in [
        (term("2026-03-30", "2026-03-30"), "ends before"),
        (term("2026-03-30", "2036-03-30"), "six years"),
        (insured("2026-05-01", "2026-04-01"), "before the day"),
        (year(YearTask::Budget, 2027, State::Open, Some("2028-01-01")), "another year"),
        (year(YearTask::Budget, 1999, State::Open, None), "2000 to 2199"),
    ] {
        let error = line.check().expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
    for line in [term("2026-03-30", "2030-03-27"), insured("2026-04-01", "2026-04-01"), item("Receptie", "1999-01-01")]
    {
        assert_eq!(line.check(), Ok(()));
    }
    assert_eq!(year(YearTask::TermTalk, 2026, State::Open, Some("2027-01-10")).check(), Ok(()));
}

#[test]
fn a_title_is_one_short_line_and_a_number_is_one() {
    for wrong in ["", " a", "a ", "two\nlines", &"x".repeat(MAX_TITLE_CHARS + 1)] {
        assert!(wrong.parse::<Title>().is_err(), "{wrong:?}");
    }
    assert!("é".repeat(MAX_TITLE_CHARS).parse::<Title>().is_ok());
    for wrong in ["", "12", "06-1234 bel na zes", "0123456789012345678901", " 112"] {
        assert!(wrong.parse::<Number>().is_err(), "{wrong:?}");
    }
    assert!("+31 6 1234-5678".parse::<Number>().is_ok());
}

#[test]
fn small_groups_do_not_show_and_cannot_be_worked_out() {
    /// Everybody who agreed, at most.
    const MOST: usize = 45;
    for total in 0..=MOST {
        // Who knows this program, the total and what is shown knows just this much.
        let mut fitting: BTreeMap<[Option<usize>; 3], Vec<[usize; 3]>> = BTreeMap::new();
        for done in 0..=total {
            for not in 0..=total - done {
                let counts = [done, not, total - done - not];
                fitting.entry(hide(counts)).or_default().push(counts);
            }
        }
        for (shown, fitting) in fitting {
            for at in 0..3 {
                let possible: BTreeSet<usize> = fitting.iter().map(|counts| counts[at]).collect();
                if let Some(count) = shown[at] {
                    assert_eq!(possible, BTreeSet::from([count]), "what is shown is true");
                    assert!(count == 0 || count >= SMALLEST_SHOWN, "{shown:?}");
                } else {
                    assert!(possible.len() > 1 || total == 0, "{shown:?} of {total} gives {possible:?} away");
                }
            }
            let hidden: usize = total - shown.iter().flatten().sum::<usize>();
            let is_hidden = shown.contains(&None);
            assert!(!is_hidden || hidden >= SMALLEST_SHOWN || total < SMALLEST_SHOWN, "{shown:?} of {total}");
        }
    }
    assert_eq!(hide([3, 0, 9]), [None, Some(0), None]);
    assert_eq!(hide([12, 0, 0]), [Some(12), Some(0), Some(0)]);
    assert_eq!(hide([5, 5, 4]), [None; 3]);
}

#[test]
fn nothing_private_can_be_written_on_the_advisers_side() {
    // Which words each line, and what a phone says of its person, has room for: a new one is to be thought about.
    let schema = |schema: schemars::Schema| {
        let mut names = BTreeSet::new();
        gather(schema.as_value(), &mut names);
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        schema(schemars::schema_for!(Plan)),
        "account always at by deputy done due elected ends executive function holder id insurer line lines number on \
         owner read_on starts state task terms theme title version year"
    );
    assert_eq!(
        schema(schemars::schema_for!(OrgReadiness)),
        "account alarm-test at contacts home-label home-scan people readiness self-scan start-pack training"
    );
    // And no code of this side knows the modules in which private things live.
    let sources = [
        include_str!("mod.rs"),
        include_str!("line.rs"),
        include_str!("readiness.rs"),
        include_str!("words.rs"),
        include_str!("counts.rs"),
        include_str!("year.rs"),
    ];
    for (number, source) in sources.iter().enumerate() {
        for private in ["crate::record", "check_up", "crate::entry", "edition::Scan", "edition::Reply", "crate::alarm"]
        {
            assert!(!source.contains(private), "file {number} uses {private}");
        }
        // Free words are titles: no other text can be sent in.
        let free = source.lines().filter(|line| line.contains(": String") && !line.contains("fn "));
        assert!(free.clone().all(|line| line.trim() == "title: String,"), "{:?}", free.collect::<Vec<_>>());
    }
}

fn gather(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                names.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| gather(value, names));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| gather(value, names)),
        _ => {}
    }
}

fn any_line() -> impl Strategy<Value = Line> {
    let date = (1900u16..2200, 1u8..13, 1u8..29).prop_map(|(y, m, d)| Date::of_year(y, m, d).expect("a day"));
    let title = "[a-zA-Zé][a-z é]{0,60}[a-z]".prop_map(|text| text.parse::<Title>().expect("a title"));
    let function = proptest::sample::select(Function::ALL);
    let state = proptest::sample::select(State::ALL);
    prop_oneof![
        (
            proptest::sample::select(Theme::ALL),
            title.clone(),
            state.clone(),
            proptest::option::of(function.clone()),
            proptest::option::of(date.clone())
        )
            .prop_map(|(theme, title, state, owner, due)| Line::Item(Item { theme, title, state, owner, due })),
        (proptest::sample::select(YearTask::ALL), any::<u16>(), state, proptest::option::of(date.clone()))
            .prop_map(|(task, year, state, due)| Line::Year(YearState { task, year, state, owner: None, due })),
        (function, title.clone(), any::<bool>()).prop_map(|(function, holder, always)| {
            let number: Number = "0123-456789".parse().expect("a number");
            let deputy = Some(Deputy { holder: holder.clone(), number: number.clone() });
            Line::Role(Role { function, holder, number, always, deputy })
        }),
        (any::<[u8; 16]>(), date.clone(), any::<bool>()).prop_map(|(account, on, done)| {
            Line::Inform(Inform { account: AccountId(account), on, owner: None, done })
        }),
        (date.clone(), date.clone()).prop_map(|(starts, ends)| Line::Term(Term { starts, ends })),
        (title, date.clone(), date).prop_map(|(insurer, terms, read_on)| {
            let (elected, executive) = (Cover::Unknown, Cover::Covered);
            Line::Insured(Insured { elected, executive, insurer, terms, read_on })
        }),
    ]
}

proptest! {
    #[test]
    fn every_line_is_read_as_it_is_written(line in any_line(), expected in any::<u64>()) {
        let change = PlanChange { expected, line: Some(line) };
        prop_assert_eq!(cbor::from_slice::<PlanChange>(&cbor::to_vec(&change), "a change"), Ok(change));
    }

    #[test]
    fn other_bytes_are_refused_and_none_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let change = cbor::from_slice::<PlanChange>(&bytes, "a change");
        prop_assert!(change.map_or(true, |change| cbor::to_vec(&change) == bytes));
        let _ = cbor::from_slice::<ReadinessReport>(&bytes, "a report");
        let _ = cbor::from_slice::<Plan>(&bytes, "a plan");
    }

    #[test]
    fn a_year_names_only_what_is_due_in_it(lines in proptest::collection::vec(any_line(), 0..20), year in 1990u16..2199) {
        let due = due_in(&plan(lines), year, day("2027-01-01"));
        prop_assert!(due.iter().all(|due| due.on.year() == year && due.overdue <= !due.state.is_over()));
    }
}
