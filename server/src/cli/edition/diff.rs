//! `baken-server edition diff`: which files differ, and which facts, contacts, chapters and cards.

use std::collections::BTreeMap;

use baken_schemas::edition::signed::EditionError;
use baken_schemas::edition::{Edition, Files, compile};
use serde_json::{Value, json};

use super::{Diff, files};
use crate::cli::{Failure, Say};

/// What was added, taken away, and changed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
}

impl Changes {
    fn between<T: PartialEq>(old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Self {
        let only = |in_one: &BTreeMap<String, T>, not: &BTreeMap<String, T>| {
            in_one.keys().filter(|key| !not.contains_key(*key)).cloned().collect()
        };
        let differs = |(key, value): (&String, &T)| old.get(key).filter(|old| *old != value).map(|_| key.clone());
        Self { added: only(new, old), removed: only(old, new), changed: new.iter().filter_map(differs).collect() }
    }

    fn json(&self) -> Value {
        json!({ "added": self.added, "removed": self.removed, "changed": self.changed })
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let mark =
            |sign: char, names: &'_ [String]| names.iter().map(|name| format!("{sign} {name}")).collect::<Vec<_>>();
        [mark('+', &self.added), mark('-', &self.removed), mark('~', &self.changed)].into_iter().flatten()
    }
}

/// The items of an edition by kind, each by its id and what it says.
fn items(edition: &Edition) -> [(&'static str, BTreeMap<String, String>); 4] {
    let said = |value: &dyn std::fmt::Debug| format!("{value:?}");
    [
        ("facts", edition.facts.iter().map(|fact| (fact.id.clone(), said(fact))).collect()),
        ("contacts", edition.contacts.iter().map(|contact| (contact.id.clone(), said(contact))).collect()),
        (
            "chapters",
            edition.chapters.iter().map(|text| (format!("{}/{}", text.language, text.id), said(text))).collect(),
        ),
        ("cards", edition.cards.iter().map(|text| (format!("{}/{}", text.language, text.id), said(text))).collect()),
    ]
}

pub(super) fn run(args: &Diff, say: &Say) -> Result<(), Failure> {
    let (old, new) = (files::read(&args.old)?, files::read(&args.new)?);
    let compiled = |files: &Files| compile(files).map_err(EditionError::Source);
    let (before, after) = (compiled(&old)?, compiled(&new)?);
    let by_file = Changes::between(&old, &new);
    let mut value = json!({ "versions": [before.version, after.version], "files": by_file.json() });
    let mut lines = vec![format!("{} {} -> {}", after.name, before.version, after.version)];
    lines.extend(by_file.lines());
    for ((kind, old), (_, new)) in items(&before).iter().zip(items(&after)) {
        let changes = Changes::between(old, &new);
        value[kind] = changes.json();
        if changes != Changes::default() {
            lines.push(format!("{kind}:"));
            lines.extend(changes.lines().map(|line| format!("  {line}")));
        }
    }
    let text = lines.join("\n");
    say.say(&value, &text, &text);
    Ok(())
}
