//! Sentences copied from a text of others: seven words in a row that are the same.

use std::collections::BTreeSet;

use super::{Passage, words};
use crate::edition::{Finding, Severity};

/// How many words in a row are no chance.
const RUN: usize = 7;

fn normal(text: &str) -> Vec<String> {
    words(text).map(str::to_lowercase).collect()
}

/// The passages that share a run of words with a text; each with its first such run in full.
pub(super) fn check(name: &str, text: &str, passages: &[Passage]) -> Vec<Finding> {
    let theirs = normal(text);
    let runs: BTreeSet<&[String]> = theirs.windows(RUN).collect();
    let mut findings = Vec::new();
    for passage in passages {
        let ours = normal(&passage.text);
        let copied: Vec<bool> = ours.windows(RUN).map(|run| runs.contains(run)).collect();
        let Some(start) = copied.iter().position(|copied| *copied) else { continue };
        let length = copied.iter().skip(start).take_while(|copied| **copied).count() + RUN - 1;
        let run: Vec<&str> = ours.iter().skip(start).take(length).map(String::as_str).collect();
        let run = run.join(" ");
        let (nl, en) = (
            format!("overgenomen uit {name}: \"{run}\"; zeg het in eigen woorden"),
            format!("copied from {name}: \"{run}\"; say it in words of our own"),
        );
        findings.push(passage.finding(Severity::Error, "copied", nl, en));
    }
    findings
}
