//! Files and keys that no version knows: most often a mistyped one, which would silently say nothing.

use toml::{Table, Value};

use crate::edition::markdown::split_front;
use crate::edition::source::{is_known, line_of_id, table};
use crate::edition::{Files, Finding};

/// What may lie beside an edition, for whoever writes it.
const README: &str = "README.md";
const PROVENANCE: [&str; 7] = ["source", "source_date", "checked", "review_by", "status", "check_at", "rows"];

/// What each table of a file may say; an empty name is the file's own top.
const KEYS: &[(&str, &str, &[&str])] = &[
    ("edition.toml", "", &["name", "layer", "languages", "expires", "version"]),
    ("sources.toml", "source", &["id", "title", "address", "year"]),
    ("facts.toml", "fact", &["id", "kind", "value", "nl", "en", "offices", "valid_from", "valid_to"]),
    (
        "contacts.toml",
        "contact",
        &[
            "id",
            "name",
            "purpose",
            "number",
            "also",
            "hours",
            "next",
            "emergency",
            "audience",
            "offices",
            "kinds",
            "always",
            "open",
        ],
    ),
    ("questions.toml", "question", &["id", "nl", "en", "chapters", "cards", "contacts"]),
    ("scan.toml", "gate", &["nl", "en", "cards", "contacts"]),
    ("scan.toml", "theme", &["id", "nl", "en"]),
    (
        "scan.toml",
        "question",
        &[
            "id",
            "theme",
            "nl",
            "en",
            "not_applicable",
            "reversed",
            "priority",
            "tip",
            "advice",
            "sources",
            "rows",
            "by_office",
        ],
    ),
    ("scan.toml", "closing", &["nl", "en", "contact"]),
];
const FRONT: &[&str] =
    &["title", "summary", "audience", "offices", "sources", "rows", "written", "review_by", "kinds", "call"];

pub(super) fn check(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in files {
        if path == README {
            continue;
        }
        if !is_known(path) {
            findings.push(Finding::warning(
                "unknown_file",
                path,
                "dit bestand hoort niet bij een uitgave en wordt niet gelezen; haal het weg",
                "this file is no part of an edition and is not read; take it away",
            ));
        } else if path.ends_with(".md") {
            let front = split_front(path, text).and_then(|(front, ..)| table(path, front, 2));
            findings.extend(front.iter().flat_map(|front| unknown(path, front, FRONT)).map(|finding| finding.at(1)));
        } else if let Ok(whole) = table(path, text, 1) {
            findings.extend(of_file(path, text, &whole));
        }
    }
    findings
}

fn of_file(path: &str, text: &str, whole: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let here = || KEYS.iter().filter(|(file, ..)| *file == path);
    if let Some((.., known)) = here().find(|(_, name, _)| name.is_empty()) {
        findings.extend(unknown(path, whole, known));
    } else {
        let names: Vec<&str> = here().map(|(_, name, _)| *name).collect();
        findings.extend(unknown(path, whole, &names));
    }
    for (_, name, known) in here() {
        let tables: Vec<&Table> = match whole.get(*name) {
            Some(Value::Table(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_table).collect(),
            _ => Vec::new(),
        };
        let has_provenance = matches!(*name, "fact" | "contact");
        let known: Vec<&str> = known.iter().chain(PROVENANCE.iter().filter(|_| has_provenance)).copied().collect();
        for table in tables {
            let id = table.get("id").and_then(Value::as_str).unwrap_or(name);
            let line = line_of_id(text, id);
            findings.extend(unknown(path, table, &known).into_iter().map(|finding| finding.of(id).at(line)));
        }
    }
    findings
}

fn unknown(path: &str, table: &Table, known: &[&str]) -> Vec<Finding> {
    let strange = table.keys().filter(|key| !known.contains(&key.as_str()));
    let finding = |key: &String| {
        let (nl, en) = (
            format!("{key} is geen bekend gegeven; schrijf een van: {}", known.join(", ")),
            format!("{key} is not known; write one of: {}", known.join(", ")),
        );
        Finding::error("unknown_key", path, nl, en)
    };
    strange.map(finding).collect()
}
