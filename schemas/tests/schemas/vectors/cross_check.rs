//! The independent Python program: it opens what Rust sealed, and Rust opens what it sealed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{Set, folder};

/// Python with the pinned packages: `BAKEN_PYTHON`, or where `cargo xtask test` puts it.
fn python() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.baken/python/bin/python");
    let python = std::env::var_os("BAKEN_PYTHON").map_or_else(installed, PathBuf::from);
    assert!(python.exists(), "no Python at {}: `cargo xtask test` installs it", python.display());
    python
}

/// Runs the program.
fn run(arguments: &[&Path]) -> Output {
    let program = folder().join("cross_check.py");
    Command::new(python()).arg("-B").arg(program).args(arguments).output().expect("Python can be started")
}

/// Runs the program, and gives what it prints.
fn cross_check(arguments: &[&Path]) -> String {
    let output = run(arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the Python program refused:\n{complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn an_independent_program_opens_the_vectors() {
    let said = cross_check(&[Path::new("open"), &folder()]);
    let expected: usize = Set::committed().formats.values().map(Vec::len).sum();
    assert_eq!(said.trim(), format!("{expected} vectors opened"));
}

#[test]
fn what_an_independent_program_sealed_opens() {
    let said = cross_check(&[Path::new("seal")]);
    let mut formats: BTreeMap<String, Value> = serde_json::from_str(&said).expect("JSON");
    let keys = formats.remove("keys").expect("the keys are given");
    let formats = formats.into_iter().map(|(name, vectors)| {
        let vectors = vectors.as_array().expect("a list of vectors").clone();
        (name, vectors)
    });
    Set { keys, formats: formats.collect() }.open();
}

#[test]
fn the_json_files_are_what_they_say() {
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
    let said = cross_check(&[Path::new("json"), &json, &folder()]);
    assert_eq!(said.trim(), "16 schemas, 18 values");
}

/// The check can fail: one digit of any vector changed, and it does.
#[test]
fn an_independent_program_refuses_an_altered_vector() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("altered-vectors");
    std::fs::create_dir_all(&copy).expect("the folder for tests can be written");
    for (altered, _) in Set::committed().files() {
        for file in std::fs::read_dir(folder()).expect("the vectors").map(|entry| entry.expect("a file").path()) {
            if file.extension().is_some_and(|extension| extension == "json") {
                let name = file.file_name().expect("a file's name");
                let mut text = std::fs::read_to_string(&file).expect("a vector file");
                if file == altered {
                    text = with_a_digit_changed(&text);
                }
                std::fs::write(copy.join(name), text).expect("the folder for tests can be written");
            }
        }
        let output = run(&[Path::new("open"), &copy]);
        assert!(!output.status.success(), "{} altered and taken", altered.display());
    }
}

/// Changes a digit in the middle of the longest line: a signature, a seal, a key or a header.
fn with_a_digit_changed(json: &str) -> String {
    let longest = json.lines().max_by_key(|line| line.len()).expect("a line");
    let middle = longest.len() / 2;
    let other = if longest.as_bytes()[middle] == b'3' { "4" } else { "3" };
    let changed = format!("{}{other}{}", &longest[..middle], &longest[middle + 1..]);
    json.replacen(longest, &changed, 1)
}
