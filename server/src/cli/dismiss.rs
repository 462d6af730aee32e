//! `baken-server org dismiss`: an adviser is one no longer. The book has it before the relay is told, as with an invite.

use std::path::PathBuf;

use baken_schemas::time::{Clock as _, SystemClock};
use clap::Args;
use serde_json::json;

use crate::cli::org::{keep_unsent, load, publish, write_book};
use crate::cli::{Failure, Say};
use crate::folder::{Access, DataFolder, write_whole};

/// Dismisses an adviser.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  baken-server org dismiss --data org \"J. Voorbeeld\" --publish\n  \
    baken-server org dismiss --data org 5f0c2b9e4d1a47c88e6b03d2f9a1c4e7 --publish\n\
    From then on the relay keeps plan and readiness from the adviser's folder, and an invite that was not used yet is void.\n\
    What the adviser has read or copied stays with them. Who is to advise again gets a new invite.\n\
    Only advisers: an office-holder's phone and a bridge call for help, and no alarm is ever refused.")]
pub(super) struct OrgDismiss {
    /// The adviser: the whole name as it was invited, or the account that `org people` shows
    #[arg(value_name = "NAME")]
    adviser: String,
    /// The root's folder
    #[arg(long)]
    data: PathBuf,
    /// Tell the relay of it; until it knows, nothing changes for the adviser
    #[arg(long, conflicts_with = "out")]
    publish: bool,
    /// Write what the relay must be told to a file as well
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs it.
pub(super) async fn run(args: &OrgDismiss, say: &Say) -> Result<(), Failure> {
    let folder = DataFolder::open(&args.data)?;
    let mut organisation = load(&folder)?;
    let issued = organisation.dismiss(&args.adviser, SystemClock.now())?;
    write_book(&folder, &organisation.book)?;
    keep_unsent(&folder, std::slice::from_ref(&issued.document))?;
    if let Some(out) = &args.out {
        write_whole(out, &issued.document, Access::Open)?;
    }
    let sent = if args.publish { publish(&folder, &organisation).await? } else { 0 };
    let person = &issued.person;
    let (mut nl, mut en) = if issued.again {
        (format!("{} was al ontheven als adviseur.", person.name), format!("{} was dismissed before.", person.name))
    } else {
        (format!("{} is ontheven als adviseur.", person.name), format!("{} is dismissed as an adviser.", person.name))
    };
    if args.publish {
        nl.push_str(" De relay weet het.");
        en.push_str(" The relay knows.");
    } else {
        nl.push_str(" De relay weet dit nog niet: `baken-server org publish` stuurt het.");
        en.push_str(" The relay does not know this yet: `baken-server org publish` sends it.");
    }
    let json = json!({
        "account": person.account, "name": person.name, "dismissed_at": person.dismissed_at, "again": issued.again,
        "sent": sent,
    });
    say.say(&json, &nl, &en);
    Ok(())
}
