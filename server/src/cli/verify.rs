//! `baken-server verify`: looks every page of a folder's database over and follows the audit's chain; or checks the
//! timeline of an alarm, which needs no server. It only reads, so the server may run meanwhile.

use std::path::{Path, PathBuf};

use baken_schemas::Language;
use baken_schemas::alarm::{MAX_TIMELINE_BYTES, ProvenTimeline, Timeline};
use baken_schemas::crypto::Hash;
use baken_schemas::org::OrgId;
use clap::Args;
use rusqlite::Connection;
use serde_json::json;

use crate::audit::{self, Head};
use crate::cli::{Failure, Say};
use crate::relay;
use crate::store::{self, Disk, StoreError};

/// The databases that a data folder can hold.
const DATABASES: [&str; 3] = ["relay.db", "desk.db", "bridge.db"];

/// Checks a database, or an alarm's timeline.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  baken-server verify --data relay\n  baken-server verify --timeline alarm.baken\n  \
                        baken-server verify --timeline alarm.baken --org 9f86d081884c7d659a2feaa0c55ad015…"
)]
pub(super) struct Verify {
    /// The folder
    #[arg(long, required_unless_present = "timeline")]
    data: Option<PathBuf>,
    /// The file that `baken alarm export` or the console wrote
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    timeline: Option<PathBuf>,
    /// The organisation that must have signed its directory
    #[arg(long, requires = "timeline")]
    org: Option<Hash>,
}

/// Runs it.
pub(super) fn run(args: &Verify, say: &Say) -> Result<(), Failure> {
    match (&args.data, &args.timeline) {
        (_, Some(file)) => run_timeline(file, args.org.map(OrgId), say),
        (Some(data), None) => run_database(data, say),
        // clap asks for one of both.
        (None, None) => Ok(()),
    }
}

fn run_database(data: &Path, say: &Say) -> Result<(), Failure> {
    let (file, head) = verify(data)?;
    let tree = tree(data, file)?;
    let (nl, en) = match tree {
        Some(root) => (
            format!("\nTelefoons horen bij {} regels deze wortel te hebben: {root}", head.seq),
            format!("\nPhones must have this root at {} rows: {root}", head.seq),
        ),
        None => Default::default(),
    };
    say.say(
        &json!({ "database": file, "ok": true, "audit": { "rows": head.seq, "head": head.hash, "root": tree } }),
        &format!("{file} is heel. Het logboek telt {} regels en klopt; de laatste is {}.{nl}", head.seq, head.hash),
        &format!("{file} is whole. The audit has {} rows and holds; its head is {}.{en}", head.seq, head.hash),
    );
    Ok(())
}

/// The root of the tree over a relay's audit, by its rows: phones keep it, and can be asked for it.
fn tree(data: &Path, file: &str) -> Result<Option<Hash>, Failure> {
    if file != relay::SCHEMA.file {
        return Ok(None);
    }
    let database = store::inspect(&Disk::new(data), file)?;
    if !has_table(&database, "audit_node")? {
        return Ok(None);
    }
    let (root, fits) = relay::tree_root(&database)?;
    if fits {
        return Ok(Some(root));
    }
    Err(Failure::bad_input(
        "audit_rewritten",
        "Het logboek klopt in zichzelf, maar is niet wat deze relay aan telefoons heeft gezegd: het is herschreven.",
        "The audit holds in itself and is not what this relay has told phones: it was written anew.",
    ))
}

fn run_timeline(file: &Path, org: Option<OrgId>, say: &Say) -> Result<(), Failure> {
    let bytes = read_timeline(file)?;
    let proven = Timeline::parse(&bytes).and_then(|timeline| timeline.prove(org)).map_err(|error| {
        Failure::bad_input(
            "timeline_not_proven",
            format!("{} bewijst niets: {error}", file.display()),
            format!("{} proves nothing: {error}", file.display()),
        )
    })?;
    let [nl, en] = [Language::Nl, Language::En].map(|language| told(&proven, language));
    say.say(&json!(proven), &nl, &en);
    if proven.faults.is_empty() {
        return Ok(());
    }
    let count = proven.faults.len();
    Err(Failure::bad_input(
        "timeline_has_faults",
        format!("{count} onderdelen kloppen niet; de stappen hierboven wel."),
        format!("{count} parts do not hold; the steps above do."),
    ))
}

fn read_timeline(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::bad_input(
            "timeline_unreadable",
            format!("{} kan niet worden gelezen: {why}", file.display()),
            format!("{} cannot be read: {why}", file.display()),
        )
    };
    let length = std::fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if usize::try_from(length).map_or(true, |length| length > MAX_TIMELINE_BYTES) {
        return Err(unreadable(&"> 16 MiB"));
    }
    std::fs::read(file).map_err(|error| unreadable(&error))
}

/// A timeline in lines: who called, each step, what does not hold.
fn told(proven: &ProvenTimeline, language: Language) -> String {
    let pick = |nl: &'static str, en: &'static str| language.pick(nl, en);
    let mut lines = vec![
        format!("{} ({})", proven.organisation, proven.org),
        format!("{} {} · {} {}", pick("Alarm", "Alarm"), proven.alarm, pick("toestel", "device"), proven.device),
    ];
    lines.extend(proven.steps.iter().map(|step| {
        let other = if step.family { pick("familie", "family") } else { pick("de relay", "the relay") };
        let who = step.desk.as_deref().unwrap_or(other);
        let state = serde_json::to_value(step.state).ok();
        let state = state.as_ref().and_then(|state| state.as_str()).unwrap_or_default().to_owned();
        let said = [step.officer.as_deref(), step.text.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        format!("{}  {state:<10} {who}  {said}", step.at.to_rfc3339()).trim_end().to_owned()
    }));
    lines.extend(proven.handed_on.iter().map(|step| {
        let said = [step.officer.as_deref(), step.text.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let to = pick("doorgegeven aan", "handed on to");
        format!("{}  {} {to} {}  {said}", step.at.to_rfc3339(), step.desk, step.to).trim_end().to_owned()
    }));
    lines.extend(proven.faults.iter().map(|fault| format!("! {}", json!(fault))));
    lines.join("\n")
}

/// Whether a database has a table: it may be of a version before.
fn has_table(database: &Connection, name: &str) -> Result<bool, StoreError> {
    let mut statement = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
    Ok(statement.exists([name])?)
}

/// The folder's database, checked, and where its audit stands.
pub(super) fn verify(data: &Path) -> Result<(&'static str, Head), Failure> {
    let file = DATABASES.into_iter().find(|file| data.join(file).exists()).ok_or_else(|| {
        Failure::bad_input(
            "no_database",
            format!("In {} staat geen database. Klopt de map?", data.display()),
            format!("There is no database in {}. Is it the right folder?", data.display()),
        )
    })?;
    let database = store::inspect(&Disk::new(data), file)?;
    store::check(&database)?;
    let head =
        if has_table(&database, "audit")? { audit::verify(&database)? } else { Head { seq: 0, hash: audit::EMPTY } };
    Ok((file, head))
}
