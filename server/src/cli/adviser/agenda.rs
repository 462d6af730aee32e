//! `baken-server org agenda`: that somebody is to be informed on a day. Of what, nobody can write here.

use baken_schemas::adviser::{Function, Inform, Line};
use baken_schemas::edition::Date;
use baken_schemas::id::LineId;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Adviser, AdviserData, IfVersion, find, functions, other_sort, short, today};
use crate::cli::{Failure, Say, system_rng};

/// What to do with the agenda.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AgendaCommand {
    /// Show who is to be informed, and when
    List(List),
    /// Add a moment
    #[command(
        after_help = "Examples:\n  baken-server org agenda add --data adviser --person \"A. Testma\" --on 2027-02-01\n\
        The person is an account, or a name when the folder has people.json:\n  \
        baken-server --json org people --data org > adviser/people.json\n\
        The relay keeps the account and the day, and no name."
    )]
    Add(Add),
    /// Say that it was done
    Done(One),
    /// Take a moment away
    Remove(One),
}

/// Lists.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    adviser: AdviserData,
    /// The day to look from; without it, today
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
}

/// Adds.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    #[command(flatten)]
    adviser: AdviserData,
    /// Whom: an account, or enough of a name that is known here
    #[arg(long)]
    person: String,
    /// When, as 2027-02-01
    #[arg(long, value_name = "DATE")]
    on: Date,
    /// Who sees to it
    #[arg(long, value_parser = functions())]
    owner: Option<Function>,
}

/// One moment.
#[derive(Debug, Args)]
pub(in crate::cli) struct One {
    #[command(flatten)]
    adviser: AdviserData,
    /// The moment: enough of its id's start
    moment: String,
    #[command(flatten)]
    version: IfVersion,
}

/// Runs it.
pub(in crate::cli) async fn run(command: &AgendaCommand, say: &Say) -> Result<(), Failure> {
    match command {
        AgendaCommand::List(args) => list(args, say).await,
        AgendaCommand::Add(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let account = adviser.account(&args.person)?;
            let line = Line::Inform(Inform { account, on: args.on, owner: args.owner, done: false });
            let id = LineId::make(&mut system_rng()?);
            let version = adviser.change(id, 0, Some(line)).await?;
            let (nl, en) = (format!("Toegevoegd: {}", short(id)), format!("Added: {}", short(id)));
            say.say(&json!({ "id": id, "version": version, "account": account }), &nl, &en);
            Ok(())
        }
        AgendaCommand::Done(args) => change(args, true, say).await,
        AgendaCommand::Remove(args) => change(args, false, say).await,
    }
}

/// Marks a moment as done, or takes it away.
async fn change(args: &One, done: bool, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let plan = adviser.plan().await?;
    let line = find(&plan, &args.moment)?;
    let Line::Inform(inform) = line.line else { return Err(other_sort()) };
    let changed = done.then_some(Line::Inform(Inform { done, ..inform }));
    let version = adviser.change(line.id, args.version.if_version.unwrap_or(line.version), changed).await?;
    let (nl, en) = if done { ("Gedaan.", "Done.") } else { ("Weggehaald.", "Removed.") };
    say.say(&json!({ "id": line.id, "version": version }), nl, en);
    Ok(())
}

async fn list(args: &List, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let (plan, today, language) = (adviser.plan().await?, today(args.today), say.language());
    let mut moments: Vec<_> = plan
        .lines
        .iter()
        .filter_map(|line| if let Line::Inform(inform) = line.line { Some((line, inform)) } else { None })
        .collect();
    moments.sort_by_key(|(line, inform)| (inform.on, line.id));
    let told = |line: LineId, version: u64, inform: &Inform| {
        let late = inform.on < today && !inform.done;
        let state = match (inform.done, late) {
            (true, _) => language.pick("gedaan", "done"),
            (false, true) => language.pick("OVER TIJD", "OVERDUE"),
            (false, false) => language.pick("gepland", "planned"),
        };
        format!("{} v{version}  {} [{state}] {}", short(line), inform.on, adviser.name(inform.account))
    };
    let text: Vec<String> = moments.iter().map(|(line, inform)| told(line.id, line.version, inform)).collect();
    let text =
        if text.is_empty() { language.pick("Niets gepland.", "Nothing planned.").to_owned() } else { text.join("\n") };
    let moments: Vec<_> = moments.iter().map(|(line, _)| line).collect();
    say.say(&json!({ "version": plan.version, "moments": moments }), &text, &text);
    Ok(())
}
