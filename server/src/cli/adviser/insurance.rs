//! `baken-server org insurance`: whom the organisation's insurance covers. Phones believe it once it is in the signed
//! edition (`org role export`).

use baken_schemas::adviser::{Insured, Line, Title};
use baken_schemas::edition::Date;
use baken_schemas::rules::Cover;
use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Adviser, AdviserData, IfVersion, today};
use crate::cli::{Failure, Say};

/// What to do with the insurance.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum InsuranceCommand {
    /// Show what is known of it
    Show(AdviserData),
    /// Write down what the terms say
    #[command(after_help = "Example:\n  baken-server org insurance set --data adviser --elected not-covered \
        --executive covered --insurer \"Voorbeeld Verzekeringen\" --terms 2026-01-01\n\
        Then `org role export` puts it into the edition's source, from which councillors' phones know it.")]
    Set(Set),
}

fn covers() -> ValueParser {
    PossibleValuesParser::new(Cover::TAGS).try_map(|tag| tag.parse::<Cover>()).into()
}

/// Writes down.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    adviser: AdviserData,
    /// Whether it covers councillors and other elected members
    #[arg(long, value_parser = covers())]
    elected: Cover,
    /// Whether it covers the executive
    #[arg(long, value_parser = covers())]
    executive: Cover,
    /// With whom
    #[arg(long)]
    insurer: Title,
    /// The day of the terms, as 2026-01-01
    #[arg(long, value_name = "DATE")]
    terms: Date,
    /// When they were read; without it, today
    #[arg(long, value_name = "DATE")]
    read_on: Option<Date>,
    #[command(flatten)]
    version: IfVersion,
}

/// Runs it.
pub(in crate::cli) async fn run(command: &InsuranceCommand, say: &Say) -> Result<(), Failure> {
    match command {
        InsuranceCommand::Show(args) => {
            let plan = Adviser::open(args)?.plan().await?;
            let insured = plan.lines.iter().find(|line| matches!(line.line, Line::Insured(_)));
            let text = |elected: &str, executive: &str, terms: &str, none: &str| match insured.map(|line| &line.line) {
                Some(Line::Insured(known)) => format!(
                    "{elected}: {}\n{executive}: {}\n{terms}: {}, {} ({})",
                    known.elected, known.executive, known.insurer, known.terms, known.read_on
                ),
                _ => none.to_owned(),
            };
            say.say(
                &json!({ "insured": insured }),
                &text("Gekozen leden", "Bestuur", "Voorwaarden", "Er is nog niets vastgelegd."),
                &text("Elected members", "Executive", "Terms", "Nothing is written down yet."),
            );
            Ok(())
        }
        InsuranceCommand::Set(args) => {
            let adviser = Adviser::open(&args.adviser)?;
            let plan = adviser.plan().await?;
            let Set { elected, executive, terms, .. } = *args;
            let (insurer, read_on) = (args.insurer.clone(), today(args.read_on));
            let line = Line::Insured(Insured { elected, executive, insurer, terms, read_on });
            let (id, version) = adviser.put_only(&plan, line, args.version.if_version).await?;
            say.say(
                &json!({ "id": id, "version": version }),
                "Vastgelegd. Telefoons weten het na `org role export` en een nieuwe uitgave.",
                "Kept. Phones know it after `org role export` and a new edition.",
            );
            Ok(())
        }
    }
}
