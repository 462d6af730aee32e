//! `baken-server org role`: who has which function in time of threat, with deputy and number, and the way from there into
//! the organisation's edition.

use std::path::PathBuf;

use baken_schemas::adviser::{Deputy, Function, Line, Number, Plan, PlanLine, Role, Title};
use baken_schemas::edition::Date;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Adviser, AdviserData, IfVersion, export, functions, today};
use crate::cli::{Failure, Say};

/// What to do with functions.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RoleCommand {
    /// Show who has which function, and which has no deputy
    List(AdviserData),
    /// Say who has a function
    #[command(
        after_help = "Example:\n  baken-server org role set safety-adviser --data adviser --holder \"J. Voorbeeld\" \
        --number 0123-456789 --always --deputy \"K. Voorbeeld\" --deputy-number 0123-456780"
    )]
    Set(Set),
    /// Take a function away
    Remove(Remove),
    /// Write functions, numbers and the insurance into the source of the organisation's edition
    #[command(after_help = "Example:\n  baken-server org role export --data adviser --edition zandhoven\n  \
        baken-server edition build zandhoven --org ORG --out zandhoven.edition\n\
        Sign and publish it off the relay: phones believe the edition's signature, and not the relay.\n\
        An edition is public, so numbers go into it and names of people do not. A number that is a national emergency\n\
        number is refused. What others wrote in the source stays.")]
    Export(Export),
}

/// Says who.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    adviser: AdviserData,
    /// The function
    #[arg(value_parser = functions())]
    function: Function,
    /// Who has it
    #[arg(long)]
    holder: Title,
    /// The number
    #[arg(long)]
    number: Number,
    /// The number is answered day and night
    #[arg(long)]
    always: bool,
    /// Who stands in
    #[arg(long, requires = "deputy_number")]
    deputy: Option<Title>,
    /// Their number
    #[arg(long, requires = "deputy")]
    deputy_number: Option<Number>,
    #[command(flatten)]
    version: IfVersion,
}

/// Takes away.
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    adviser: AdviserData,
    /// The function
    #[arg(value_parser = functions())]
    function: Function,
    #[command(flatten)]
    version: IfVersion,
}

/// Writes into an edition.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    adviser: AdviserData,
    /// The folder of the edition's source; made where there is none
    #[arg(long, value_name = "DIR")]
    edition: PathBuf,
    /// By when somebody must call each number again; without it, half a year from today
    #[arg(long, value_name = "DATE")]
    review_by: Option<Date>,
    /// The day on which the numbers were checked; without it, today
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
}

/// Runs it.
pub(in crate::cli) async fn run(command: &RoleCommand, say: &Say) -> Result<(), Failure> {
    match command {
        RoleCommand::List(args) => {
            list(&Adviser::open(args)?.plan().await?, say);
            Ok(())
        }
        RoleCommand::Set(args) => set(args, say).await,
        RoleCommand::Remove(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let known = roles(&plan).find(|(_, role)| role.function == args.function);
            let Some((line, _)) = known else {
                let (nl, en) = ("Niemand heeft deze functie.", "Nobody has this function.");
                return Err(Failure::bad_input("unknown_line", nl, en));
            };
            let version = adviser.change(line.id, args.version.if_version.unwrap_or(line.version), None).await?;
            say.say(&json!({ "removed": line.id, "version": version }), "Weggehaald.", "Removed.");
            Ok(())
        }
        RoleCommand::Export(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let checked = today(args.today);
            let review_by = args.review_by.unwrap_or_else(|| checked.plus_days(export::REVIEW_DAYS));
            if review_by <= checked {
                return Err(Failure::bad_input(
                    "dates",
                    "De dag om opnieuw te controleren ligt niet na de dag van controle.",
                    "The day to check again does not lie after the day of checking.",
                ));
            }
            export::write(&plan, &adviser.directory.name, (&args.edition, checked, review_by), say)
        }
    }
}

async fn set(args: &Set, say: &Say) -> Result<(), Failure> {
    let adviser = Adviser::open(&args.adviser)?;
    let plan = adviser.plan().await?;
    let deputy = args.deputy.clone().zip(args.deputy_number.clone());
    let role = Role {
        function: args.function,
        holder: args.holder.clone(),
        number: args.number.clone(),
        always: args.always,
        deputy: deputy.map(|(holder, number)| Deputy { holder, number }),
    };
    let alone = role.deputy.is_none();
    let (id, version) = adviser.put_only(&plan, Line::Role(role), args.version.if_version).await?;
    let (mut nl, mut en) = ("Vastgelegd.".to_owned(), "Kept.".to_owned());
    if alone {
        nl.push_str(" Let op: er is geen vervanger. Wie neemt op bij vakantie of ziekte?");
        en.push_str(" Note: there is no deputy. Who answers in holidays or illness?");
    }
    let warnings = if alone { vec!["no_deputy"] } else { Vec::new() };
    say.say(&json!({ "id": id, "version": version, "warnings": warnings }), &nl, &en);
    Ok(())
}

/// The functions of a plan, in the order of their list.
pub(super) fn roles(plan: &Plan) -> impl Iterator<Item = (&PlanLine, &Role)> {
    Function::ALL.iter().filter_map(|function| {
        let roles = plan
            .lines
            .iter()
            .filter_map(|line| if let Line::Role(role) = &line.line { Some((line, role)) } else { None });
        roles.into_iter().find(|(_, role)| role.function == *function)
    })
}

fn list(plan: &Plan, say: &Say) {
    let language = say.language();
    let told = |(line, role): (&PlanLine, &Role)| {
        let hours = if role.always { language.pick(", dag en nacht", ", day and night") } else { "" };
        let deputy = match &role.deputy {
            Some(deputy) => format!("{} {}, {}", language.pick("vervanger:", "deputy:"), deputy.holder, deputy.number),
            None => language.pick("GEEN VERVANGER", "NO DEPUTY").to_owned(),
        };
        let name = role.function.name(language);
        format!("{name} ({}) v{}: {}, {}{hours}\n  {deputy}", role.function, line.version, role.holder, role.number)
    };
    let mut text: Vec<String> = roles(plan).map(told).collect();
    if text.is_empty() {
        text.push(language.pick("Nog niemand.", "Nobody yet.").to_owned());
    }
    let without: Vec<Function> =
        roles(plan).filter(|(_, role)| role.deputy.is_none()).map(|(_, role)| role.function).collect();
    let roles: Vec<&PlanLine> = roles(plan).map(|(line, _)| line).collect();
    let json = json!({ "version": plan.version, "roles": roles, "without_deputy": without });
    say.say(&json, &text.join("\n"), &text.join("\n"));
}
