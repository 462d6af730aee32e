//! `baken-server init adviser`: keys, and the invite used.

use std::path::PathBuf;

use baken_schemas::org::InviteRole;
use clap::Args;
use serde_json::json;

use crate::cli::adviser::{AdviserSettings, DIRECTORY_FILE};
use crate::cli::init::begin;
use crate::cli::{Failure, Say};
use crate::folder::Access;

/// Sets an adviser's folder up.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server init adviser --data adviser --invite BAKEN-INVITE:…\n\
    The folder holds the key by which the relay knows the adviser: keep it on your own machine.")]
pub(super) struct InitAdviser {
    /// The folder; made where there is none
    #[arg(long)]
    data: PathBuf,
    /// The invite's text, made with `org invite --role adviser`
    #[arg(long)]
    invite: String,
}

/// Runs it.
pub(super) async fn run(args: &InitAdviser, say: &Say) -> Result<(), Failure> {
    let (folder, keys, joined) = begin(&args.data, &args.invite, InviteRole::Adviser).await?;
    folder.write(DIRECTORY_FILE, joined.directory.bytes(), Access::Open)?;
    let directory = joined.directory.value();
    let settings = AdviserSettings { org: directory.org(), account: joined.account };
    // The settings come last: a folder with settings is one that was set up whole.
    folder.write_config(&toml::to_string(&settings).map_err(|error| Failure::unexpected("config", &error))?)?;
    say.say(
        &json!({ "adviser": keys.device, "account": joined.account, "org": settings.org }),
        &format!(
            "U bent adviseur van {}. Het plan: baken-server org plan list --data {}",
            directory.name,
            args.data.display()
        ),
        &format!(
            "You are an adviser of {}. The plan: baken-server org plan list --data {}",
            directory.name,
            args.data.display()
        ),
    );
    Ok(())
}
