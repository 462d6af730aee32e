//! Editions: from source files to what a reader sees, what the checker finds, and which signatures are believed.

mod checks;
mod reading;
mod signatures;

use baken_schemas::edition::check::{CheckWith, check};
use baken_schemas::edition::{Date, Files, Finding, shipped};

/// The sample edition in `schemas/tests/edition`.
pub fn sample() -> Files {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edition");
    let mut files = Files::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("the sample edition") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&folder).expect("within").to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(path).expect("text"));
            }
        }
    }
    files
}

/// An edition of a lower layer with one contact of its own.
pub fn local() -> Files {
    let contact = sample()["contacts.toml"].split("[[contact]]").nth(3).expect("the support team").to_owned();
    let contact = contact.replace("\"support\"", "\"clerk\"").replace("070-0000000", "0123-456789");
    let edition =
        "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\", \"en\"]\nexpires = \"2027-06-01\"\n";
    Files::from([
        ("edition.toml".to_owned(), edition.to_owned()),
        ("contacts.toml".to_owned(), format!("[[contact]]{contact}")),
        ("questions.toml".to_owned(), "[[question]]\nid = \"threatened\"\ncontacts = [\"clerk\"]\n".to_owned()),
    ])
}

pub fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

/// What is found in files on the day they were written.
pub fn found(files: &Files) -> Vec<Finding> {
    check(files, day("2026-11-27"), &CheckWith::default())
}

#[test]
fn the_sample_has_nothing_wrong_with_it() {
    assert_eq!(found(&sample()), []);
}

/// What Baken ships can be published: it compiles, and whatever is still to be looked at is no error.
#[test]
fn the_edition_that_is_shipped_has_no_errors() {
    let edition = shipped::edition().expect("it compiles");
    assert_eq!(edition.layer.tag(), "national");
    assert!(edition.contacts.iter().any(|contact| contact.emergency && contact.number == "112"));
    let errors: Vec<Finding> = found(&shipped::files())
        .into_iter()
        .filter(|finding| finding.severity == baken_schemas::edition::Severity::Error)
        .collect();
    assert_eq!(errors, []);
}
