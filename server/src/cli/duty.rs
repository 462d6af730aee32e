//! `baken-server duty`: who is on duty at a desk. Works while the desk runs: it reads the roster anew for each message.

use std::path::{Path, PathBuf};

use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Say};
use crate::desk::duty::{DutyView, ROSTER_FILE, Roster, WallTime, local_now};
use crate::folder::{Access, read_whole, write_whole};

/// What to do with the roster.
#[derive(Debug, Subcommand)]
pub(super) enum Duty {
    /// Say who is on duty now, and when nobody is in the eight weeks to come
    #[command(after_help = "Example:\n  baken-server duty show --data desk")]
    Show {
        /// The desk's folder
        #[arg(long)]
        data: PathBuf,
    },
    /// Check a roster, make it the desk's, and warn of holes in it
    #[command(after_help = SET_HELP)]
    Set {
        /// The desk's folder
        #[arg(long)]
        data: PathBuf,
        /// The roster
        file: PathBuf,
    },
    /// Hand the duty over from now on, instead of what the roster says
    #[command(
        after_help = "Example:\n  baken-server duty hand-over --data desk --to \"Agent Bakker\" --until \"2026-12-24 17:00\""
    )]
    HandOver(HandOver),
}

const SET_HELP: &str = r#"A roster holds people, shifts that come back every week, and changes that go before them:
  [[person]]
  name = "Agent Jansen"
  mail = "jansen@politie.example"
  phone = "+31612345678"

  [[shift]]
  who = ["Agent Jansen"]
  from = "mon 08:00"
  to = "fri 17:00"

  [[change]]
  who = ["Agent Jansen"]
  from = "2026-12-24 17:00"
  to = "2026-12-26 09:00"

Example:
  baken-server duty set --data desk roster.toml"#;

/// Hands the duty over.
#[derive(Debug, Args)]
pub(super) struct HandOver {
    /// The desk's folder
    #[arg(long)]
    data: PathBuf,
    /// Who takes it, by the name in the roster
    #[arg(long)]
    to: String,
    /// Until when: "2026-12-24 17:00", the time on the wall
    #[arg(long)]
    until: WallTime,
}

/// Runs it.
pub(super) fn run(command: &Duty, say: &Say) -> Result<(), Failure> {
    match command {
        Duty::Show { data } => show(&Roster::read(data)?, say),
        Duty::Set { data, file } => {
            let text = String::from_utf8_lossy(&read_whole(file)?).into_owned();
            let roster = Roster::parse(&text)?;
            save(data, &text)?;
            show(&roster, say);
        }
        Duty::HandOver(args) => {
            let mut roster = Roster::read(&args.data)?;
            roster.hand_over(&args.to, local_now(SystemClock.now()), args.until)?;
            save(&args.data, &roster.to_toml())?;
            show(&roster, say);
        }
    }
    Ok(())
}

/// Puts a roster beside the desk's settings: it holds people's numbers.
fn save(data: &Path, text: &str) -> Result<(), Failure> {
    // Only a desk has channels.
    let _: crate::desk::DeskSettings = crate::folder::read_config_of(data)?;
    Ok(write_whole(&data.join(ROSTER_FILE), text.as_bytes(), Access::Secret)?)
}

fn show(roster: &Roster, say: &Say) {
    let now = local_now(SystemClock.now());
    let view = roster.view(now);
    let value = json!(view);
    let DutyView { on_duty, holes, unreachable, .. } = view;
    let lines = |duty: &str, nobody: &str, hole: &str, none: &str, unreached: &str| {
        let who = if on_duty.is_empty() { nobody.to_owned() } else { on_duty.join(", ") };
        let mut lines = vec![format!("{duty}: {who}")];
        lines.extend(holes.iter().map(|found| format!("{hole}: {} - {}", found.from, found.to)));
        if holes.is_empty() {
            lines.push(none.to_owned());
        }
        lines.extend(unreachable.iter().map(|name| format!("{unreached}: {name}")));
        lines.join("\n")
    };
    say.say(
        &value,
        &lines(
            "Nu dienst",
            "niemand; iedereen in het rooster wordt gewaarschuwd",
            "LET OP, niemand heeft dienst",
            "In de komende acht weken heeft altijd iemand dienst.",
            "LET OP, zonder mail en telefoon",
        ),
        &lines(
            "On duty now",
            "nobody; everybody in the roster is told",
            "MIND, nobody is on duty",
            "In the eight weeks to come somebody is always on duty.",
            "MIND, without mail and phone",
        ),
    );
}
