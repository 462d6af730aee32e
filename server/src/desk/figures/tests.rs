use proptest::prelude::*;

use super::*;

fn row(kind: &str, seen_ms: Option<i64>, ended: Option<Ending>) -> FigureRow {
    FigureRow { kind: kind.to_owned(), seen_ms, ended }
}

fn of(rows: &[FigureRow]) -> Figures {
    figures(rows, 0, (24_312, 24_323))
}

#[test]
fn shares_and_times_are_those_of_bs_8484_and_tests_stand_apart() {
    let mut rows: Vec<FigureRow> = (1..=20).map(|second| row("panic", Some(second * 1000), None)).collect();
    rows.extend((0..20).map(|_| row("missed", Some(45_000), None)));
    rows.extend((0..10).map(|_| row("button", None, None)));
    rows.extend((0..7).map(|_| row("test", Some(1), None)));
    let figures = of(&rows);
    assert_eq!((figures.from.as_str(), figures.to.as_str()), ("2026-01", "2026-12"));
    assert_eq!(figures.calls.came_in, Count::Exactly(50));
    assert_eq!(figures.calls.seen, Count::Exactly(40));
    assert_eq!(figures.calls.within_10_s, Some(Share { percent: 20.0, at_most: false }));
    assert_eq!(figures.calls.within_40_s, Some(Share { percent: 40.0, at_most: false }));
    assert_eq!((figures.calls.median_ms, figures.calls.worst_ms), (Some(45_000), Some(45_000)));
    assert_eq!((figures.tests.came_in, figures.tests.worst_ms), (Count::Exactly(7), Some(1)));
    assert!(!figures.kinds.contains_key("test"));
}

#[test]
fn false_alarms_are_a_share_of_what_was_said() {
    let mut rows: Vec<FigureRow> = (0..30).map(|_| row("panic", Some(1), Some(Ending::FalseAlarm))).collect();
    rows.extend((0..10).map(|_| row("panic", Some(1), Some(Ending::Real))));
    rows.extend((0..60).map(|_| row("panic", Some(1), Some(Ending::Unsaid))));
    assert_eq!(of(&rows).false_alarms, Some(Share { percent: 75.0, at_most: false }));
}

#[test]
fn one_that_points_at_somebody_is_not_told_nor_reckoned_from_the_total() {
    let mut rows: Vec<FigureRow> = (0..40).map(|_| row("panic", Some(1), None)).collect();
    rows.extend((0..9).map(|_| row("missed", Some(1), None)));
    rows.push(row("medical", Some(1), None));
    let figures = of(&rows);
    assert_eq!(figures.kinds["medical"], Count::Few);
    assert_eq!(figures.kinds["missed"], Count::Few, "50 less 40 less 9 would be told");
    assert_eq!(figures.kinds["panic"], Count::Exactly(40));
    assert_eq!(serde_json::to_value(&figures).unwrap()["kinds"]["medical"], "<5");
    let few = of(&rows[49..]);
    assert_eq!((few.calls.came_in, few.calls.within_10_s, few.calls.worst_ms), (Count::Few, None, None));
}

#[test]
fn months_are_those_of_the_calendar() {
    assert_eq!(month_text(month_of(Timestamp(1_795_000_000_000))), "2026-11");
    assert_eq!(month_of(Timestamp(0)), 1970 * 12);
}

proptest! {
    #[test]
    fn no_count_below_five_is_ever_told(
        rows in prop::collection::vec((0..9_usize, prop::option::of(0_i64..100_000), 0..5_usize), 0..60)
    ) {
        let kinds = ["panic", "silent", "medical", "duress", "button", "missed", "test", "trouble", "unopened"];
        let endings =
            [None, Some(Ending::Unsaid), Some(Ending::Real), Some(Ending::FalseAlarm), Some(Ending::Exercise)];
        let rows: Vec<FigureRow> =
            rows.into_iter().map(|(kind, seen, ended)| row(kinds[kind], seen, endings[ended])).collect();
        let figures = of(&rows);
        let counts = figures.kinds.values().chain(figures.endings.values());
        let counts = counts.chain([&figures.calls.came_in, &figures.calls.seen, &figures.tests.came_in, &figures.trouble]);
        for count in counts {
            prop_assert!(!matches!(count, Count::Exactly(1..5)));
        }
        // With the total told, more than one is hidden or none.
        if matches!(figures.calls.came_in, Count::Exactly(_)) && figures.kinds.len() > 1 {
            let hidden = figures.kinds.values().filter(|count| **count == Count::Few).count();
            prop_assert!(hidden != 1, "{:?}", figures.kinds);
        }
    }
}
