//! `docs/complaints.md` against what there is: every complaint has a number, a test that exists or a word on what is still
//! open, and every test that is named after such a thread stands on the page. Not here: whether a test shows what it says.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::docs::{code_of, document, tests_below, workspace};

/// The page.
const PAGE: &str = "docs/complaints.md";
/// What begins a cell that says what is missing.
const NOT_YET: &str = "not yet: ";
/// How a test is called that shows what was complained of in one project's thread.
const PROJECTS: [&str; 10] = [
    "goalert_",
    "healthchecks_",
    "alertmanager_",
    "grafana_oncall_",
    "oncall_",
    "traccar_",
    "ntfy_",
    "keepalive_",
    "lanternops_",
    "posthumous_",
];

/// A line of the table.
#[derive(Debug)]
struct Row {
    id: String,
    tests: Vec<String>,
    not_yet: String,
}

fn rows_of(page: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| C") || line.starts_with("|C")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, what, made_at, tests, not_yet] = cells.as_slice() else { bail!("not five cells: {line}") };
        if what.is_empty() || made_at.is_empty() {
            bail!("{id} does not say what it is, or where it was made");
        }
        rows.push(Row { id: (*id).to_owned(), tests: code_of(tests).spans, not_yet: (*not_yet).to_owned() });
    }
    Ok(rows)
}

fn faults(rows: &[Row], tests: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let expected = format!("C{:02}", number + 1);
        if row.id != expected {
            faults.push(format!("{} stands where {expected} does", row.id));
        }
        if row.tests.is_empty() {
            faults.push(format!("{}: no test shows it", row.id));
        }
        if !row.not_yet.is_empty() && row.not_yet.strip_prefix(NOT_YET).is_none_or(str::is_empty) {
            faults.push(format!("{}: \"{}\" does not say what is not yet there", row.id, row.not_yet));
        }
        let missing = row.tests.iter().filter(|test| !tests.contains(*test));
        faults.extend(missing.map(|test| format!("{}: no test {test}", row.id)));
    }
    let named: BTreeSet<&String> = rows.iter().flat_map(|row| &row.tests).collect();
    let of_threads = tests.iter().filter(|test| PROJECTS.iter().any(|project| test.starts_with(project)));
    faults.extend(of_threads.filter(|test| !named.contains(test)).map(|test| format!("{test} stands on no line")));
    faults
}

#[test]
fn every_complaint_is_answered_by_a_test_or_said_to_be_open() -> Result<()> {
    let mut tests = BTreeSet::new();
    tests_below(&workspace()?, 0, &mut tests)?;
    let rows = rows_of(&document(PAGE)?)?;
    assert_eq!(faults(&rows, &tests), Vec::<String>::new());
    let open = rows.iter().filter(|row| !row.not_yet.is_empty()).count();
    println!("{} complaints: {open} with something not yet", rows.len());
    Ok(())
}

#[test]
fn a_complaint_without_its_test_would_be_found() -> Result<()> {
    let page =
        "| C01 | One | A 1 | `there` |  |\n| C03 | Two | A 2 | `not_there` | later |\n| C03 | Three | A 3 |  |  |\n";
    let tests = ["there", "traccar_1_is_forgotten"].map(str::to_owned).into();
    assert_eq!(
        faults(&rows_of(page)?, &tests),
        [
            "C03 stands where C02 does",
            "C03: \"later\" does not say what is not yet there",
            "C03: no test not_there",
            "C03: no test shows it",
            "traccar_1_is_forgotten stands on no line",
        ]
    );
    assert!(rows_of("| C01 | four | cells | only |\n").is_err());
    Ok(())
}
