//! `docs/leidraad.md` against what there is: every row, rule and way of the Leidraad is on the page once, what it names as
//! serving a row exists and says so itself, and so do the commands and tests. Not here: whether a row is served well.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use baken_schemas::Language;
use baken_schemas::edition::{Layers, shipped};
use baken_schemas::record::kind_named;
use baken_schemas::rules::Code;

use super::docs::{Asked, code_of, commands_of, document, tests_below, workspace};

/// The page.
const PAGE: &str = "docs/leidraad.md";
/// What begins a cell that says what is missing.
const NOT_YET: &str = "not yet: ";

/// A line of one of the tables.
#[derive(Debug)]
struct Row {
    id: String,
    served: Vec<String>,
    not_yet: String,
    tests: Vec<String>,
}

/// The ids that a page must have, in order.
fn ids() -> Vec<String> {
    let numbered =
        |letter: char, count: u8, digits: usize| (1..=count).map(move |number| format!("{letter}{number:0digits$}"));
    numbered('L', 61, 2).chain(numbered('R', 14, 2)).chain(numbered('F', 9, 1)).collect()
}

fn rows_of(page: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, what, served, not_yet, tests] = cells.as_slice() else { bail!("not five cells: {line}") };
        let is_head = id.starts_with('-') || !id.ends_with(|letter: char| letter.is_ascii_digit());
        if is_head {
            continue;
        }
        if what.is_empty() {
            bail!("{id} does not say what it is");
        }
        let [served, tests] = [served, tests].map(|cell| code_of(cell).spans);
        rows.push(Row { id: (*id).to_owned(), served, not_yet: (*not_yet).to_owned(), tests });
    }
    Ok(rows)
}

/// What is wrong with something that is named as serving a row.
fn fault(layers: &Layers, row: &str, served: &str) -> Option<String> {
    let (what, id) = served.split_once(':')?;
    let says = |rows: &[String]| rows.iter().any(|one| one == row);
    // Rules and ways are no rows of an edition: there it is enough that the thing exists.
    let is_row = row.starts_with('L');
    let found = match what {
        "chapter" => layers.chapter(id, Language::Nl).map(|(_, chapter)| says(&chapter.front.rows)),
        "card" => layers.card(id, Language::Nl).map(|(_, card)| says(&card.front.rows)),
        "fact" => layers.fact(id).map(|(_, fact)| says(&fact.provenance.rows)),
        "contact" => layers.contact(id).map(|(_, contact)| says(&contact.provenance.rows)),
        "scan" => {
            let question = layers.scan().and_then(|scan| scan.questions.iter().find(|one| one.id.to_string() == id));
            question.map(|question| says(&question.rows))
        }
        "kind" => kind_named(id).map(|_| true),
        "code" if row.starts_with('R') => id.parse::<Code>().ok().map(|code| code.rule().tag() == row),
        "code" => id.parse::<Code>().ok().map(|code| code.rows().contains(&row) || !is_row),
        _ => return Some(format!("{served} is of no known sort")),
    };
    match found {
        None => Some(format!("{served} does not exist")),
        Some(false) if is_row || what == "code" => Some(format!("{served} does not name {row}")),
        Some(_) => None,
    }
}

fn faults(layers: &Layers, tests: &BTreeSet<String>, row: &Row) -> Vec<String> {
    let mut faults: Vec<String> = row.served.iter().filter_map(|served| fault(layers, &row.id, served)).collect();
    if row.served.is_empty() && row.not_yet.is_empty() {
        faults.push("nothing serves it, and nothing says so".to_owned());
    }
    if !row.not_yet.is_empty() && row.not_yet.strip_prefix(NOT_YET).is_none_or(str::is_empty) {
        faults.push(format!("\"{}\" does not say what is not yet there", row.not_yet));
    }
    if !row.served.is_empty() && row.tests.is_empty() {
        faults.push("no test shows it".to_owned());
    }
    faults.extend(row.tests.iter().filter(|test| !tests.contains(*test)).map(|test| format!("no test {test}")));
    faults.into_iter().map(|fault| format!("{}: {fault}", row.id)).collect()
}

fn known() -> Result<(Layers, BTreeSet<String>)> {
    let mut tests = BTreeSet::new();
    tests_below(&workspace()?, 0, &mut tests)?;
    let edition = shipped::edition().ok().context("the shipped edition compiles")?;
    Ok((Layers::new(edition), tests))
}

#[tokio::test]
async fn every_row_of_the_leidraad_is_served_or_said_not_to_be() -> Result<()> {
    let page = document(PAGE)?;
    let (layers, tests) = known()?;
    let rows = rows_of(&page)?;
    assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), ids(), "each once, in order");
    let found: Vec<String> = rows.iter().flat_map(|row| faults(&layers, &tests, row)).collect();
    assert_eq!(found, Vec::<String>::new());
    let mut asked = Asked::find()?;
    let commands = commands_of(&page);
    assert!(!commands.is_empty(), "the page has no commands; are they still found?");
    for (program, args) in commands {
        let fault = asked.fault(program, &args).await?;
        assert_eq!(fault, None, "{program} {}", args.join(" "));
    }
    let whole = rows.iter().filter(|row| row.not_yet.is_empty()).count();
    let without = rows.iter().filter(|row| row.served.is_empty()).count();
    println!(
        "{} rows: {whole} served, {} with something not yet, {without} not at all",
        rows.len(),
        rows.len() - whole
    );
    Ok(())
}

#[test]
fn a_row_that_promises_too_much_would_be_found() -> Result<()> {
    let (layers, tests) = known()?;
    let page = "| Row | What | Served by | Not yet | Shown by |\n|---|---|---|---|---|\n\
        | L39 | Signals | `fact:signals-shared` `fact:vpt-code` `card:nothing` `mood:good` |  | `no_such_test_at_all` |\n\
        | R05 | Unease | `code:share-signal` `code:evaluate` | not yet |  |\n\
        | F9 | Alarm |  |  |  |\n";
    let rows = rows_of(page)?;
    let found: Vec<String> = rows.iter().flat_map(|row| faults(&layers, &tests, row)).collect();
    assert_eq!(
        found,
        [
            "L39: fact:vpt-code does not name L39",
            "L39: card:nothing does not exist",
            "L39: mood:good is of no known sort",
            "L39: no test no_such_test_at_all",
            "R05: code:evaluate does not name R05",
            "R05: \"not yet\" does not say what is not yet there",
            "R05: no test shows it",
            "F9: nothing serves it, and nothing says so",
        ]
    );
    assert!(rows_of("| L01 | four | cells | only |\n").is_err());
    Ok(())
}
