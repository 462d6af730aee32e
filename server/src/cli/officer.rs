//! `baken-server officer`: who may act at a desk, and the links by which officers add their first passkeys. Works while the
//! desk runs; whoever can run it here is who the console's trust comes from.

use std::path::{Path, PathBuf};

use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Say, system_rng};
use crate::desk::DeskSettings;
use crate::desk::officers::{LINK_LIFETIME_MS, Officers, Token};
use crate::desk::passkeys::KeyRing;
use crate::folder::{FolderError, read_whole};

/// What to do with officers.
#[derive(Debug, Subcommand)]
pub(super) enum OfficerCommand {
    /// Add an officer, and print a login link
    #[command(after_help = "Example:\n  baken-server officer add --data desk --name \"Agent Jansen\"")]
    Add(Named),
    /// Print another login link for an officer: to add a passkey where one was lost, or, at a console without passkeys, to log in
    Link(Named),
    /// Forget an officer's passkeys, which are lost or stolen; only a new login link lets them in again
    #[command(after_help = "Example:\n  baken-server officer forget-passkeys --data desk --name \"Agent Jansen\"\n  \
        baken-server officer link --data desk --name \"Agent Jansen\"")]
    ForgetPasskeys(Named),
    /// Remove an officer; sessions end at once
    Remove(Named),
    /// Show the officers, and how many passkeys each has
    List {
        /// The desk's folder
        #[arg(long)]
        data: PathBuf,
    },
}

/// An officer of a desk.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The desk's folder
    #[arg(long)]
    data: PathBuf,
    /// The officer's name, as office-holders will see it
    #[arg(long)]
    name: String,
}

/// Runs it.
pub(super) fn run(command: &OfficerCommand, say: &Say) -> Result<(), Failure> {
    match command {
        OfficerCommand::Add(args) => {
            let (officer, token) = open(&args.data)?.add(&args.name, SystemClock.now(), &mut system_rng()?)?;
            say_link(&args.data, &officer.name, &token, say)
        }
        OfficerCommand::Link(args) => {
            let token = open(&args.data)?.link(&args.name, SystemClock.now(), &mut system_rng()?)?;
            say_link(&args.data, &args.name, &token, say)
        }
        OfficerCommand::ForgetPasskeys(args) => {
            let officers = open(&args.data)?;
            let officer = officers.named(&args.name)?;
            KeyRing::open(&args.data)?.forget(officer.id, SystemClock.now())?;
            officers.forget_links(officer.id)?;
            say.say(
                &json!({ "forgotten": args.name }),
                &format!("De passkeys van {} openen niets meer. Een nieuwe link: officer link.", args.name),
                &format!("The passkeys of {} open nothing any more. A new link: officer link.", args.name),
            );
            Ok(())
        }
        OfficerCommand::Remove(args) => {
            let officers = open(&args.data)?;
            KeyRing::open(&args.data)?.forget(officers.named(&args.name)?.id, SystemClock.now())?;
            officers.remove(&args.name)?;
            say.say(
                &json!({ "removed": args.name }),
                &format!("{} kan niet meer bij de console.", args.name),
                &format!("{} can no longer use the console.", args.name),
            );
            Ok(())
        }
        OfficerCommand::List { data } => {
            let (officers, ring) = (open(data)?.list()?, KeyRing::open(data)?);
            let mut names = Vec::new();
            let mut lines = Vec::new();
            let mut passkeys = serde_json::Map::new();
            for officer in officers {
                let count = ring.read(officer.id)?.len();
                lines.push(format!("{} ({count} passkeys)", officer.name));
                passkeys.insert(officer.name.clone(), count.into());
                names.push(officer.name);
            }
            say.say(&json!({ "officers": names, "passkeys": passkeys }), &lines.join("\n"), &lines.join("\n"));
            Ok(())
        }
    }
}

fn open(data: &Path) -> Result<Officers, Failure> {
    settings(data)?;
    Ok(Officers::open(data)?)
}

/// The desk's settings, read without its lock: the desk may be running.
fn settings(data: &Path) -> Result<DeskSettings, Failure> {
    let path = data.join("config.toml");
    let text = String::from_utf8_lossy(&read_whole(&path)?).into_owned();
    toml::from_str(&text).map_err(|error| FolderError::Damaged { path, why: error.message().to_owned() }.into())
}

fn say_link(data: &Path, name: &str, token: &Token, say: &Say) -> Result<(), Failure> {
    let settings = settings(data)?;
    let link = format!("{}/login/{}", settings.url.trim_end_matches('/'), token.reveal());
    let minutes = LINK_LIFETIME_MS / 60_000;
    say.say(
        &json!({ "officer": name, "link": link, "minutes": minutes }),
        &format!("Inloglink voor {name}, één keer te gebruiken, {minutes} minuten geldig:\n{link}"),
        &format!("Login link for {name}, good once, for {minutes} minutes:\n{link}"),
    );
    Ok(())
}
