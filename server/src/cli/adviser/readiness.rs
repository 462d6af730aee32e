//! `baken-server org readiness`: done, not done or not applicable, of those who agreed to say so; and counts to pass on, in
//! which small groups do not show.

use baken_schemas::Language;
use baken_schemas::adviser::{Counts, StepCounts};
use clap::Subcommand;
use serde_json::json;

use super::{Adviser, AdviserData, refused};
use crate::cli::{Failure, Say};

/// What to show.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReadinessCommand {
    /// Show it of each who agreed; for the adviser alone
    #[command(after_help = "Example:\n  baken-server org readiness list --data adviser\n\
        Whoever is not listed did not agree, or no longer does: that is their right, and says nothing of them.")]
    List(AdviserData),
    /// Count it, to pass on: groups smaller than five do not show, by subtraction either
    #[command(after_help = "Example:\n  baken-server org readiness counts --data adviser\n\
        Do not pass on two counts of days close together: what changed between them may be one person.")]
    Counts(AdviserData),
}

/// Runs it.
pub(in crate::cli) async fn run(command: &ReadinessCommand, say: &Say) -> Result<(), Failure> {
    let language = say.language();
    match command {
        ReadinessCommand::List(args) => {
            let adviser = Adviser::open(args)?;
            let known = adviser.client.readiness().await.map_err(refused)?;
            let person = |person: &baken_schemas::adviser::PersonReadiness| {
                let steps = person.readiness.steps();
                let steps: Vec<String> =
                    steps.map(|(step, ready)| format!("  {}: {}", step.name(language), ready.name(language))).collect();
                let at = person.at.to_rfc3339();
                let day = at.split('T').next().unwrap_or_default();
                format!("{} ({day})\n{}", adviser.name(person.account), steps.join("\n"))
            };
            let text: Vec<String> = known.people.iter().map(person).collect();
            let nobody = language.pick("Niemand heeft hiermee ingestemd.", "Nobody has agreed to this.").to_owned();
            let text = if text.is_empty() { nobody } else { text.join("\n") };
            say.say(&json!(known), &text, &text);
        }
        ReadinessCommand::Counts(args) => {
            let known = Adviser::open(args)?.client.readiness().await.map_err(refused)?;
            let readiness: Vec<_> = known.people.iter().map(|person| person.readiness).collect();
            let counts = Counts::of(&readiness);
            let text = told(&counts, language);
            say.say(&json!(counts), &text, &text);
        }
    }
    Ok(())
}

fn told(counts: &Counts, language: Language) -> String {
    let number = |count: Option<usize>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    let words = language.pick(["klaar", "nog niet", "n.v.t."], ["done", "not yet", "n/a"]);
    let step = |one: &StepCounts| {
        let StepCounts { step, done, not, na } = *one;
        let [done_word, not_word, na_word] = words;
        format!(
            "{}: {done_word} {}, {not_word} {}, {na_word} {}",
            step.name(language),
            number(done),
            number(not),
            number(na)
        )
    };
    let mut lines =
        vec![format!("{} {}", language.pick("Mensen die instemden:", "People who agreed:"), number(counts.people))];
    lines.extend(counts.steps.iter().map(step));
    lines.push(
        language
            .pick(
                "Een streepje: te weinig mensen om te noemen, of daaruit te herleiden.",
                "A dash: too few people to say, or to be worked out from it.",
            )
            .to_owned(),
    );
    lines.join("\n")
}
