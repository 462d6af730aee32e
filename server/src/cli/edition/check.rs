//! `baken-server edition check`.

use baken_schemas::edition::check::{CheckWith, check, may_be_published};
use baken_schemas::edition::{Date, Files, Finding, Severity, shipped};
use baken_schemas::time::{Clock as _, SystemClock};
use serde_json::json;

use super::{Check, files};
use crate::cli::{Failure, Say};
use crate::exit;
use crate::folder::read_whole;

pub(super) fn run(args: &Check, say: &Say) -> Result<(), Failure> {
    let source = match &args.folder {
        Some(folder) => files::read(folder)?,
        None => shipped::files(),
    };
    let mut against = Vec::new();
    for path in &args.against {
        against.push((path.display().to_string(), String::from_utf8_lossy(&read_whole(path)?).into_owned()));
    }
    let findings = found(&source, &args.under, &against)?;
    tell(&findings, say);
    if may_be_published(&findings) { Ok(()) } else { Err(Failure::said(exit::BAD_INPUT)) }
}

/// What is wrong with source files today.
pub(in crate::cli) fn found(
    source: &Files,
    under: &[std::path::PathBuf],
    against: &[(String, String)],
) -> Result<Vec<Finding>, Failure> {
    let above = files::above(source, under)?;
    let against = against.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let with = CheckWith { above: above.as_ref(), against };
    Ok(check(source, Date::of(SystemClock.now()), &with))
}

/// Says what was found: a line each, and how many.
pub(in crate::cli) fn tell(findings: &[Finding], say: &Say) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let lines = |error: &str, warning: &str, sum: String| {
        let line = |finding: &Finding| {
            let word = if finding.severity == Severity::Error { error } else { warning };
            format!("{word}: {}", finding.told(say.language()))
        };
        findings.iter().map(line).chain([sum]).collect::<Vec<_>>().join("\n")
    };
    say.say(
        &json!({ "findings": findings, "errors": errors, "warnings": warnings }),
        &lines("fout", "let op", format!("{errors} fouten, {warnings} waarschuwingen.")),
        &lines("error", "warning", format!("{errors} errors, {warnings} warnings.")),
    );
}
