//! `baken-server instruction`: what was agreed to do when a person calls. Works while the desk runs: it reads the file anew
//! with each alarm that is opened.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use baken_schemas::id::AccountId;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Say, system_rng};
use crate::desk::instructions::{Instruction, InstructionError, Instructions, MAX_TEXT_BYTES};
use crate::desk::people::People;
use crate::desk::{DeskError, DeskSettings, people_of};
use crate::folder::{FolderError, read_config_of, read_keys_of};

/// What to do with instructions.
#[derive(Debug, Subcommand)]
pub(super) enum InstructionCommand {
    /// Show everybody of the roster, and with whom something was agreed
    List {
        /// The desk's folder
        #[arg(long)]
        data: PathBuf,
    },
    /// Show what was agreed with a person
    Show(Of),
    /// Write down what was agreed; the text comes from standard input
    #[command(
        after_help = "Example:\n  baken-server instruction set --data desk --person \"Ans Testma\" --listen-in 0612345678 < agreed.txt"
    )]
    Set(Set),
    /// Take away what was agreed
    Remove(Of),
}

/// A person of a desk.
#[derive(Debug, Args)]
pub(super) struct Of {
    /// The desk's folder
    #[arg(long)]
    data: PathBuf,
    /// The person's name in the roster, or the account's id
    #[arg(long)]
    person: String,
}

/// Writes an instruction.
#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    of: Of,
    /// The number to call back, where it is another than the roster's
    #[arg(long, default_value = "")]
    call_back: String,
    /// The number at which officers can listen in
    #[arg(long, default_value = "")]
    listen_in: String,
}

/// Runs it.
pub(super) fn run(command: &InstructionCommand, say: &Say) -> Result<(), Failure> {
    match command {
        InstructionCommand::List { data } => list(data, say),
        InstructionCommand::Show(of) => {
            let (instructions, account, name) = find(of)?;
            let agreed = instructions.read(account)?;
            let text = agreed.as_ref().map(shown);
            say.say(
                &json!({ "account": account, "name": name, "instruction": agreed }),
                text.as_deref().unwrap_or("Er is niets afgesproken."),
                text.as_deref().unwrap_or("Nothing was agreed."),
            );
            Ok(())
        }
        InstructionCommand::Set(set) => {
            let (instructions, account, name) = find(&set.of)?;
            let mut text = String::new();
            // One byte more than fits tells that it does not.
            let most = u64::try_from(MAX_TEXT_BYTES).unwrap_or(u64::MAX).saturating_add(2);
            std::io::stdin().take(most).read_to_string(&mut text).map_err(|_| unreadable())?;
            let instruction = Instruction {
                text: text.trim().to_owned(),
                call_back: set.call_back.trim().to_owned(),
                listen_in: set.listen_in.trim().to_owned(),
            };
            keep(&instructions, account, &instruction)?;
            say.say(
                &json!({ "account": account, "name": name, "kept": true }),
                &format!("Vastgelegd voor {name}."),
                &format!("Written down for {name}."),
            );
            Ok(())
        }
        InstructionCommand::Remove(of) => {
            let (instructions, account, name) = find(of)?;
            keep(&instructions, account, &Instruction::default())?;
            say.say(
                &json!({ "account": account, "name": name, "kept": false }),
                &format!("Gewist voor {name}."),
                &format!("Deleted for {name}."),
            );
            Ok(())
        }
    }
}

fn shown(instruction: &Instruction) -> String {
    let Instruction { text, call_back, listen_in } = instruction;
    format!("{text}\n\n{call_back}\n{listen_in}").trim().to_owned()
}

fn keep(instructions: &Instructions, account: AccountId, instruction: &Instruction) -> Result<(), Failure> {
    instructions.write(account, instruction, &mut system_rng()?).map_err(|error| match error {
        InstructionError::Folder(error) => error.into(),
        InstructionError::TooLong => Failure::bad_input(
            "instruction_too_long",
            "Dat is te veel: hooguit 4000 bytes tekst, en 40 voor een nummer.".to_owned(),
            error.to_string(),
        ),
    })
}

fn unreadable() -> Failure {
    Failure::bad_input(
        "text_unreadable",
        "De tekst op de standaardinvoer is geen UTF-8.".to_owned(),
        "The text on standard input is not UTF-8.".to_owned(),
    )
}

fn open(data: &Path) -> Result<(Instructions, People), Failure> {
    let settings: DeskSettings = read_config_of(data)?;
    let keys = read_keys_of(data)?;
    let people = people_of(data, settings.org, &keys).map_err(|error| match error {
        DeskError::Store(error) => Failure::from(error),
        DeskError::Folder(error) => Failure::from(error),
        other => Failure::from(FolderError::Damaged { path: data.to_owned(), why: other.to_string() }),
    })?;
    Ok((Instructions::open(data, &keys)?, people))
}

fn list(data: &Path, say: &Say) -> Result<(), Failure> {
    let (instructions, people) = open(data)?;
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    for (account, person) in people.list() {
        let agreed = instructions.read(account)?.is_some();
        all.push(json!({ "account": account, "name": person.name, "office": person.office, "agreed": agreed }));
        lines.push(format!("{} {account}  {}, {}", if agreed { "+" } else { "-" }, person.name, person.office));
    }
    let text = lines.join("\n");
    say.say(&json!({ "people": all }), &text, &text);
    Ok(())
}

/// The one person of that name or account.
fn find(of: &Of) -> Result<(Instructions, AccountId, String), Failure> {
    let (instructions, people) = open(&of.data)?;
    let all = people.list();
    let fits = |(account, name): (&AccountId, &str)| name == of.person.trim() || account.to_string() == of.person;
    let mut found = all.iter().filter(|(account, person)| fits((account, &person.name)));
    match (found.next(), found.next()) {
        (Some((account, person)), None) => Ok((instructions, *account, person.name.clone())),
        (Some(_), Some(_)) => Err(Failure::bad_input(
            "two_of_that_name",
            "Er zijn er meer van die naam: gebruik het nummer uit `instruction list`.".to_owned(),
            "There are several of that name: use the id from `instruction list`.".to_owned(),
        )),
        (None, _) => Err(Failure::bad_input(
            "unknown_person",
            "Niemand van die naam staat bij deze meldkamer: zie `instruction list`.".to_owned(),
            "Nobody of that name is in this desk's roster: see `instruction list`.".to_owned(),
        )),
    }
}
