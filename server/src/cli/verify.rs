//! `baken-server verify`: looks every page of a folder's database over and follows the audit's chain. It only reads,
//! so the server may run meanwhile.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::audit::{self, Head};
use crate::cli::{Failure, Say};
use crate::store::{self, Disk, StoreError};

/// The databases that a data folder can hold.
const DATABASES: [&str; 3] = ["relay.db", "desk.db", "bridge.db"];

/// Checks a database.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server verify --data relay")]
pub(super) struct Verify {
    /// The folder
    #[arg(long)]
    data: PathBuf,
}

/// Runs it.
pub(super) fn run(args: &Verify, say: &Say) -> Result<(), Failure> {
    let (file, head) = verify(&args.data)?;
    say.say(
        &json!({ "database": file, "ok": true, "audit": { "rows": head.seq, "head": head.hash } }),
        &format!("{file} is heel. Het logboek telt {} regels en klopt; de laatste is {}.", head.seq, head.hash),
        &format!("{file} is whole. The audit has {} rows and holds; its head is {}.", head.seq, head.hash),
    );
    Ok(())
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
    let audited = database
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(StoreError::from)?;
    let head = if audited { audit::verify(&database)? } else { Head { seq: 0, hash: audit::EMPTY } };
    Ok((file, head))
}
