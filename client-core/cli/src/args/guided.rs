//! What can be typed of guided steps: the ways through the Leidraad, the four questions, signals, changes of life.

use baken_core::incident::TOLD;
use baken_core::steps::Way;
use baken_schemas::edition::{Date, Office};
use baken_schemas::record::words;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use super::rules::one_of;

#[derive(Args)]
pub struct StepsArgs {
    /// One way; otherwise all of them, the one that comes first now on top
    #[arg(value_parser = one_of!(Way))]
    pub way: Option<Way>,
}

#[derive(Args)]
pub struct ReviewArgs {
    #[command(subcommand)]
    pub command: Option<ReviewCommand>,
}

#[derive(Subcommand)]
pub enum ReviewCommand {
    /// Begin, or go on where you were
    Start {
        /// With whom you go through them: your adviser
        #[arg(long, value_name = "NAME")]
        with: Option<String>,
        /// Begin anew, also when the last ones are not all answered
        #[arg(long)]
        again: bool,
    },
    /// Answer a question; what is not a yes leaves a task
    Answer {
        /// Its number, 1 to 4
        question: usize,
        /// Your answer; `open` when you do not know yet
        #[arg(value_parser = PossibleValuesParser::new(words::REVIEW))]
        answer: String,
        /// What was said of it
        #[arg(long, value_name = "TEXT")]
        said: Option<String>,
        /// By when to do it, as 2027-01-15; in two weeks otherwise
        #[arg(long, value_name = "DATE")]
        by: Option<Date>,
    },
    /// The answers, what is to be done, and whom you may call
    Show,
}

#[derive(Subcommand)]
pub enum SignalCommand {
    /// Write down what struck you
    #[command(after_help = "\
Examples:
  baken signal add \"Zelfde auto, derde keer deze week\" --place thuis
  baken signal add \"Belt en zegt niets\" --at \"2026-11-20 22:10\" --told driehoek --told police
It writes down that somebody was told. It tells nobody.")]
    Add {
        /// What you saw, heard or felt
        what: String,
        /// When; now otherwise
        #[arg(long, value_name = "MOMENT")]
        at: Option<String>,
        /// Where
        #[arg(long)]
        place: Option<String>,
        /// Where it comes from, as far as you know
        #[arg(long, value_parser = PossibleValuesParser::new(words::THREAT_SOURCE))]
        threat_source: Option<String>,
        /// Who was told of it already
        #[arg(long, value_parser = PossibleValuesParser::new(TOLD.map(|(whom, _)| whom)))]
        told: Vec<String>,
    },
    /// Write down who was told of a signal
    #[command(after_help = "Example:\n  baken signal told 3f2a driehoek police --at 2026-11-21")]
    Told {
        /// Its id, or enough of its start
        signal: String,
        /// Who
        #[arg(required = true, value_parser = PossibleValuesParser::new(TOLD.map(|(whom, _)| whom)))]
        whom: Vec<String>,
        /// When; now otherwise
        #[arg(long, value_name = "MOMENT")]
        at: Option<String>,
    },
    /// Signals and incidents of the last ninety days beside each other: which belong together, and who was told
    List,
}

#[derive(Args)]
pub struct LifeArgs {
    #[command(subcommand)]
    pub command: Option<LifeCommand>,
}

#[derive(Subcommand)]
pub enum LifeCommand {
    /// You leave an office: what stays, what ends and when, what is left to do
    #[command(after_help = "\
Examples:
  baken life leave-office --on 2027-03-31            shows what will happen, and asks
  baken life leave-office --office alderman --on 2027-03-31 --yes")]
    LeaveOffice {
        /// Which; the one you hold otherwise
        #[arg(long, value_parser = one_of!(Office))]
        office: Option<Office>,
        /// The last day; today otherwise
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[command(flatten)]
        agree: Agree,
    },
    /// You take a further office: the rules of both, and what is left to do
    #[command(after_help = "\
Example:
  baken life second-office --office water-councillor --organisation \"Waterschap Rijn\" --from 2027-01-01
Then `baken rights` answers for both.")]
    SecondOffice {
        /// Which
        #[arg(long, value_parser = one_of!(Office))]
        office: Office,
        /// Where
        #[arg(long, default_value = "")]
        organisation: String,
        /// The first day; today otherwise
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        #[command(flatten)]
        agree: Agree,
    },
    /// You move house: the card, the quality mark, registers, who comes when it goes wrong
    #[command(after_help = "\
Examples:
  baken life move --address \"Zeeweg 3, Zandhoven\" --on 2027-02-01     before: tasks alone
  baken life move --address \"Zeeweg 3, Zandhoven\" --access achterom   on the day: the address on the card too")]
    Move {
        /// The new address
        #[arg(long)]
        address: String,
        /// How one gets in
        #[arg(long)]
        access: Option<String>,
        /// The day of moving; today otherwise. The card keeps the old address until it is that day and you type this again
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[command(flatten)]
        agree: Agree,
    },
    /// You go to another municipality, province or water authority: what goes along, what ends, in which order
    #[command(after_help = "\
Example:
  baken life new-organisation --on 2027-01-01

One folder of Baken belongs to one organisation. The dossier goes along as a sealed export:
  baken export dossier.baken
  baken --home ~/.baken-new activate BAKEN-INVITE:…
  baken --home ~/.baken-new import dossier.baken --into-dossier
  baken --home ~/.baken-new recovery print")]
    NewOrganisation {
        /// The first day there; today otherwise
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[command(flatten)]
        agree: Agree,
    },
}

#[derive(Args)]
pub struct Agree {
    /// Do it, without asking. Without it, where nobody can be asked, it only says what will happen
    #[arg(long)]
    pub yes: bool,
}
