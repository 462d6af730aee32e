//! `baken-server org plan`: the items of the integral plan, under its four themes.

use baken_schemas::Language;
use baken_schemas::adviser::{Function, Item, Line, Plan, PlanLine, State, Theme, Title};
use baken_schemas::edition::Date;
use baken_schemas::id::LineId;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Adviser, AdviserData, IfVersion, Progress, find, functions, other_sort, short, states, today};
use crate::cli::{Failure, Say, system_rng};

/// What to do with the plan.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PlanCommand {
    /// Show the plan, theme by theme
    #[command(after_help = "Example:\n  baken-server org plan list --data adviser --theme physical")]
    List(List),
    /// Add an item
    #[command(
        after_help = "Example:\n  baken-server org plan add --data adviser --theme physical \"Toegang receptie\" \
        --owner security-officer --due 2027-05-01\nA title is one short line, and all there is room for: no names of \
        people at risk, nothing of incidents or of anybody's measures. The relay's operator can read it."
    )]
    Add(Add),
    /// Add what an organisation does once measures are scaled down: follow up for a year, and evaluate
    #[command(
        after_help = "Example:\n  baken-server org plan after --data adviser --on 2026-11-27 --owner safety-adviser\n\
        It adds six items, which say nothing of whom or of what; what is there for that day already is left. Who is to be informed, and when: org agenda."
    )]
    After(After),
    /// Change an item
    #[command(after_help = "Example:\n  baken-server org plan set 3f2a --data adviser --state done")]
    Set(Set),
    /// Take an item away
    Remove(Remove),
}

/// Lists.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    adviser: AdviserData,
    /// Only this theme
    #[arg(long, value_parser = PossibleValuesParser::new(Theme::TAGS).try_map(|tag| tag.parse::<Theme>()))]
    theme: Option<Theme>,
}

/// Adds.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    #[command(flatten)]
    adviser: AdviserData,
    /// Its theme
    #[arg(long, value_parser = PossibleValuesParser::new(Theme::TAGS).try_map(|tag| tag.parse::<Theme>()))]
    theme: Theme,
    /// What it is, in one short line
    title: Title,
    /// Who sees to it
    #[arg(long, value_parser = functions())]
    owner: Option<Function>,
    /// By when, as 2027-05-01
    #[arg(long, value_name = "DATE")]
    due: Option<Date>,
    /// How far it is
    #[arg(long, value_parser = states(), default_value = "open")]
    state: State,
}

/// Adds what follows.
#[derive(Debug, Args)]
pub(in crate::cli) struct After {
    #[command(flatten)]
    adviser: AdviserData,
    /// The day from which it counts; today otherwise
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// Who sees to it
    #[arg(long, value_parser = functions())]
    owner: Option<Function>,
}

/// What follows once it is over (L54, L55): after how many days, in Dutch and in English.
const AFTER: [(i64, &str, &str); 6] = [
    (30, "Na afschalen, na een maand: wat is nog nodig?", "After scaling down, at a month: what is still needed?"),
    (45, "Na afschalen: evalueren binnen de organisatie", "After scaling down: evaluate within the organisation"),
    (60, "Na afschalen: evalueren met andere organisaties", "After scaling down: evaluate with other organisations"),
    (
        91,
        "Na afschalen, na drie maanden: wat is nog nodig?",
        "After scaling down, at three months: what is still needed?",
    ),
    (
        182,
        "Na afschalen, na een half jaar: wat is nog nodig?",
        "After scaling down, at half a year: what is still needed?",
    ),
    (365, "Na afschalen, na een jaar: wat is nog nodig?", "After scaling down, at a year: what is still needed?"),
];

/// Changes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    adviser: AdviserData,
    /// The item: enough of its id's start
    item: String,
    /// What it is called
    #[arg(long)]
    title: Option<Title>,
    #[command(flatten)]
    progress: Progress,
    #[command(flatten)]
    version: IfVersion,
}

/// Takes away.
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    adviser: AdviserData,
    /// The item: enough of its id's start
    item: String,
    #[command(flatten)]
    version: IfVersion,
}

/// Runs it.
pub(in crate::cli) async fn run(command: &PlanCommand, say: &Say) -> Result<(), Failure> {
    match command {
        PlanCommand::List(args) => {
            let plan = Adviser::open(&args.adviser)?.plan().await?;
            list(&plan, args.theme, say);
            Ok(())
        }
        PlanCommand::Add(args) => {
            let (title, state, owner, due) = (args.title.clone(), args.state, args.owner, args.due);
            let item = Item { theme: args.theme, title, state, owner, due };
            let id = LineId::make(&mut system_rng()?);
            let version = Adviser::open(&args.adviser)?.change(id, 0, Some(Line::Item(item))).await?;
            let (nl, en) = (format!("Toegevoegd: {}", short(id)), format!("Added: {}", short(id)));
            say.say(&json!({ "id": id, "version": version }), &nl, &en);
            Ok(())
        }
        PlanCommand::After(args) => after(args, say).await,
        PlanCommand::Set(args) => set(args, say).await,
        PlanCommand::Remove(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let (line, _) = item(&plan, &args.item)?;
            let version = adviser.change(line.id, args.version.if_version.unwrap_or(line.version), None).await?;
            say.say(&json!({ "removed": line.id, "version": version }), "Weggehaald.", "Removed.");
            Ok(())
        }
    }
}

async fn after(args: &After, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let (plan, from) = (adviser.plan().await?, today(args.on));
    let mut added = Vec::new();
    for (days, nl, en) in AFTER {
        let title: Title = say.language().pick(nl, en).parse()?;
        let due = Some(from.plus_days(days));
        let is_it = |line: &PlanLine| matches!(&line.line, Line::Item(item) if item.title == title && item.due == due);
        if plan.lines.iter().any(is_it) {
            continue;
        }
        let item = Item { theme: Theme::Working, title, state: State::Open, owner: args.owner, due };
        let id = LineId::make(&mut system_rng()?);
        adviser.change(id, 0, Some(Line::Item(item))).await?;
        added.push(id);
    }
    let count = added.len();
    let (nl, en) = (format!("{count} punten toegevoegd: org plan list"), format!("{count} items added: org plan list"));
    say.say(&json!({ "added": added }), &nl, &en);
    Ok(())
}

async fn set(args: &Set, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let plan = adviser.plan().await?;
    let (line, item) = item(&plan, &args.item)?;
    let mut item = item.clone();
    item.title = args.title.clone().unwrap_or(item.title);
    args.progress.apply(&mut item.state, &mut item.owner, &mut item.due);
    let expected = args.version.if_version.unwrap_or(line.version);
    let version = adviser.change(line.id, expected, Some(Line::Item(item))).await?;
    say.say(&json!({ "id": line.id, "version": version }), "Gewijzigd.", "Changed.");
    Ok(())
}

fn item<'a>(plan: &'a Plan, typed: &str) -> Result<(&'a PlanLine, &'a Item), Failure> {
    let line = find(plan, typed)?;
    match &line.line {
        Line::Item(item) => Ok((line, item)),
        _ => Err(other_sort()),
    }
}

fn list(plan: &Plan, only: Option<Theme>, say: &Say) {
    let (language, today) = (say.language(), today(None));
    let items: Vec<(&PlanLine, &Item)> = plan
        .lines
        .iter()
        .filter_map(|line| if let Line::Item(item) = &line.line { Some((line, item)) } else { None })
        .filter(|(_, item)| only.is_none_or(|only| only == item.theme))
        .collect();
    let mut text = Vec::new();
    for theme in Theme::ALL.iter().filter(|theme| only.is_none_or(|only| only == **theme)) {
        text.push(theme.name(language).to_owned());
        let of_theme = items.iter().filter(|(_, item)| item.theme == *theme);
        let lines: Vec<String> = of_theme.map(|(line, item)| told(line, item, today, language)).collect();
        text.extend(if lines.is_empty() {
            vec![format!("  {}", language.pick("(niets)", "(nothing)"))]
        } else {
            lines
        });
    }
    let json = json!({
        "version": plan.version,
        "items": items.iter().map(|(line, _)| line).collect::<Vec<_>>(),
    });
    say.say(&json, &text.join("\n"), &text.join("\n"));
}

fn told(line: &PlanLine, item: &Item, today: Date, language: Language) -> String {
    let due = item.due.map(|due| {
        let late = due < today && !item.state.is_over();
        let word = if late { language.pick("over tijd", "overdue") } else { language.pick("voor", "by") };
        format!(", {word} {due}")
    });
    let owner = item.owner.map(|owner| format!(", {}", owner.name(language)));
    let (due, owner) = (due.unwrap_or_default(), owner.unwrap_or_default());
    format!("  {} v{}  {} [{}]{owner}{due}", short(line.id), line.version, item.title, item.state.name(language))
}
