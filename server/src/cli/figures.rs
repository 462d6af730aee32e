//! `baken-server figures`: how soon a desk's people had alarms, how many came in, how many were false. It only reads, so
//! the desk may run meanwhile.

use std::path::PathBuf;

use baken_schemas::Language;
use baken_schemas::time::{Clock as _, SystemClock};
use clap::Args;
use serde_json::json;

use crate::cli::{Failure, Say};
use crate::desk::{DEFAULT_MONTHS, MAX_MONTHS, database_path, figures_of, lines};

/// The figures of a desk.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server figures --data desk --months 12\n\n\
A count of 1 to 4 is told as \"<5\", since it could point at somebody. The figures outlive the alarms that they were \
counted from.")]
pub(super) struct FiguresArgs {
    /// The desk's folder
    #[arg(long)]
    data: PathBuf,
    /// How many months back, this one included
    #[arg(long, default_value_t = DEFAULT_MONTHS, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_MONTHS)))]
    months: u32,
}

/// Runs it.
pub(super) fn run(args: &FiguresArgs, say: &Say) -> Result<(), Failure> {
    if !database_path(&args.data).exists() {
        return Err(Failure::bad_input(
            "no_database",
            format!("In {} staat geen database van een meldkamer. Klopt de map?", args.data.display()),
            format!("There is no desk's database in {}. Is it the right folder?", args.data.display()),
        ));
    }
    let figures = figures_of(&args.data, args.months, SystemClock.now())?;
    let [nl, en] = [Language::Nl, Language::En].map(|language| {
        let lines = lines(&figures, language);
        let width = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
        let lines: Vec<String> = lines.iter().map(|(label, value)| format!("{label:<width$}  {value}")).collect();
        lines.join("\n")
    });
    say.say(&json!(figures), &nl, &en);
    Ok(())
}
