//! `baken-server org year`: what is due month by month, tasks of the year, and the start of a term.

use std::path::PathBuf;

use baken_schemas::Language;
use baken_schemas::adviser::{Due, DueKind, Line, State, Term, YearState, YearTask, due_in};
use baken_schemas::calendar::{Event, When, calendar};
use baken_schemas::edition::Date;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Adviser, AdviserData, IfVersion, Progress, today};
use crate::cli::{Failure, Say};
use crate::folder::{Access, write_whole};

/// What to do with the year.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum YearCommand {
    /// Show what is due, month by month
    #[command(after_help = "Examples:\n  baken-server org year show --data adviser\n  \
        baken-server org year show 2027 --data adviser --ics year.ics\n\
        Tasks of the year and of the start of a term are there by themselves. A calendar file has titles that others may see.")]
    Show(Show),
    /// Say how far a task is, who sees to it, or move it
    #[command(after_help = "Examples:\n  baken-server org year set budget 2027 --data adviser --state done\n  \
        baken-server org year set protocol 2027 --data adviser --owner secretary --due 2027-05-20")]
    Set(Set),
    /// Say that a term begins: it brings packs, insurance, budget and a talk
    #[command(after_help = "Example:\n  baken-server org year term 2026-03-30 --data adviser --ends 2030-03-27")]
    Term(TermArgs),
}

/// Shows.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    adviser: AdviserData,
    /// The year; without it, this one
    #[arg(value_parser = clap::value_parser!(u16).range(2000..2200))]
    year: Option<u16>,
    /// The day to look from, as 2027-05-01; without it, today
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
    /// Write a calendar file of what is not done yet
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
}

/// Changes a task.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    adviser: AdviserData,
    /// The task
    #[arg(value_parser = PossibleValuesParser::new(YearTask::TAGS).try_map(|tag| tag.parse::<YearTask>()))]
    task: YearTask,
    /// Of which year; for the start of a term, the year in which it begins
    #[arg(value_parser = clap::value_parser!(u16).range(2000..2200))]
    year: u16,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    version: IfVersion,
}

/// Begins a term.
#[derive(Debug, Args)]
pub(in crate::cli) struct TermArgs {
    #[command(flatten)]
    adviser: AdviserData,
    /// Its first day, as 2026-03-30
    starts: Date,
    /// The first day of the next
    #[arg(long, value_name = "DATE")]
    ends: Date,
    #[command(flatten)]
    version: IfVersion,
}

/// Runs it.
pub(in crate::cli) async fn run(command: &YearCommand, say: &Say) -> Result<(), Failure> {
    match command {
        YearCommand::Show(args) => show(args, say).await,
        YearCommand::Set(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let Set { task, year, .. } = *args;
            let mut state = YearState { task, year, state: State::Open, owner: None, due: None };
            let id = Line::Year(state).fixed_id();
            let there = plan.lines.iter().find(|line| Some(line.id) == id);
            if let Some(Line::Year(known)) = there.map(|line| &line.line) {
                state = *known;
            }
            args.progress.apply(&mut state.state, &mut state.owner, &mut state.due);
            let (id, version) = adviser.put_only(&plan, Line::Year(state), args.version.if_version).await?;
            say.say(&json!({ "id": id, "version": version }), "Vastgelegd.", "Kept.");
            Ok(())
        }
        YearCommand::Term(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let line = Line::Term(Term { starts: args.starts, ends: args.ends });
            let (id, version) = adviser.put_only(&plan, line, args.version.if_version).await?;
            let year = args.starts.year();
            say.say(
                &json!({ "id": id, "version": version }),
                &format!("De periode ligt vast. Wat erbij hoort: `org year show {year}`."),
                &format!("The term is kept. What comes with it: `org year show {year}`."),
            );
            Ok(())
        }
    }
}

async fn show(args: &Show, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let (language, today) = (say.language(), today(args.today));
    let year = args.year.unwrap_or_else(|| today.year());
    let due = due_in(&adviser.plan().await?, year, today);
    if let Some(file) = &args.ics {
        let open = due.iter().filter(|due| !due.state.is_over());
        let event = |due: &Due| {
            let id = due.id.map(|id| id.0).unwrap_or_default();
            Event { id, when: When::Day(due.on), title: due.what.title(language) }
        };
        let events: Vec<Event> = open.map(event).collect();
        write_whole(file, calendar(&events, SystemClock.now()).as_bytes(), Access::Secret)?;
    }
    let mut text = vec![year.to_string()];
    let mut month = 0;
    for one in &due {
        if one.on.month() != month {
            month = one.on.month();
            text.push(month_name(month, language).to_owned());
        }
        text.push(format!("  {}", told(&adviser, one, language)));
    }
    let overdue = due.iter().filter(|due| due.overdue).count();
    text.push(match language {
        Language::Nl => format!("{} punten, {overdue} over tijd.", due.len()),
        Language::En => format!("{} items, {overdue} overdue.", due.len()),
    });
    let json = json!({ "year": year, "today": today, "due": due, "overdue": overdue, "ics": args.ics });
    say.say(&json, &text.join("\n"), &text.join("\n"));
    Ok(())
}

fn told(adviser: &Adviser, due: &Due, language: Language) -> String {
    let what = match &due.what {
        DueKind::Task { task, .. } => format!("{} ({task})", task.name(language)),
        DueKind::Item { title, theme } => format!("{title} ({})", theme.name(language)),
        DueKind::Inform { account } => {
            format!("{} {}", language.pick("Informeren:", "Inform:"), adviser.name(*account))
        }
    };
    let owner = due.owner.map(|owner| format!(", {}", owner.name(language))).unwrap_or_default();
    let late = if due.overdue { language.pick(" OVER TIJD", " OVERDUE") } else { "" };
    format!("{} [{}]{late} {what}{owner}", due.on, due.state.name(language))
}

fn month_name(month: u8, language: Language) -> &'static str {
    let names = match language {
        Language::Nl => [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
        Language::En => [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    };
    names.get(usize::from(month.saturating_sub(1))).copied().unwrap_or_default()
}
