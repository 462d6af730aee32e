//! `baken-server officer`: who may act at a desk. Works while the desk runs.

use std::path::{Path, PathBuf};

use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Say, system_rng};
use crate::desk::DeskSettings;
use crate::desk::officers::{LINK_LIFETIME_MS, Officers, Token};
use crate::folder::{FolderError, read_whole};

/// What to do with officers.
#[derive(Debug, Subcommand)]
pub(super) enum OfficerCommand {
    /// Add an officer, and print a login link
    #[command(after_help = "Example:\n  baken-server officer add --data desk --name \"Agent Jansen\"")]
    Add(Named),
    /// Print another login link for an officer
    Link(Named),
    /// Remove an officer; sessions end at once
    Remove(Named),
    /// Show the officers
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
        OfficerCommand::Remove(args) => {
            open(&args.data)?.remove(&args.name)?;
            say.say(
                &json!({ "removed": args.name }),
                &format!("{} kan niet meer bij de console.", args.name),
                &format!("{} can no longer use the console.", args.name),
            );
            Ok(())
        }
        OfficerCommand::List { data } => {
            let names: Vec<String> = open(data)?.list()?.into_iter().map(|officer| officer.name).collect();
            say.say(&json!({ "officers": names }), &names.join("\n"), &names.join("\n"));
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
