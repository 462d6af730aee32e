//! What can be typed of the rules and the self-scan.

use baken_schemas::adviser::{Ready, Step};
use baken_schemas::edition::{Date, Office, Reply};
use baken_schemas::rules::{Act, Cover, HomeMark, OrganisationKind, Origin, Threat};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

macro_rules! one_of {
    ($kind:ident) => {
        PossibleValuesParser::new($kind::TAGS).try_map(|tag| tag.parse::<$kind>())
    };
}
pub(super) use one_of;

#[derive(Args)]
pub struct RightsArgs {
    /// The office; without it, the one in your profile, for which the PIN is asked
    #[arg(long, value_parser = one_of!(Office))]
    pub office: Option<Office>,
    /// The organisation; without it, the one that the office belongs to
    #[arg(long, value_parser = one_of!(OrganisationKind))]
    pub organisation: Option<OrganisationKind>,
    /// How things stand with threats; `over` once it ended or measures were scaled down
    #[arg(long, value_parser = one_of!(Threat), default_value = "none")]
    pub threat: Threat,
    /// What was done: it may be an offence, it is none, or nobody looked yet
    #[arg(long, value_parser = one_of!(Act), default_value = "none")]
    pub act: Act,
    /// Whether the home meets the police quality mark (PKVW)
    #[arg(long, value_parser = one_of!(HomeMark), default_value = "unknown")]
    pub pkvw: HomeMark,
    /// Whether the organisation's insurance covers you; without it, what your organisation's edition says
    #[arg(long, value_parser = one_of!(Cover))]
    pub cover: Option<Cover>,
    /// It is written down in which municipality you live
    #[arg(long)]
    pub residence_known: bool,
    /// You begin in this office
    #[arg(long)]
    pub new_in_office: bool,
    /// A measure that is there, by who decided on it: says with whom it may be shared
    #[arg(long, value_parser = one_of!(Origin))]
    pub measure: Option<Origin>,
    /// The day, as 2026-11-27; without it, today
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,
}

#[derive(Args)]
pub struct ScanArgs {
    /// Your office; without it, the one in your profile
    #[arg(long, global = true, value_parser = one_of!(Office))]
    pub office: Option<Office>,
    #[command(subcommand)]
    pub command: Option<ScanCommand>,
}

#[derive(Subcommand)]
pub enum ScanCommand {
    /// Start, or go on where you were
    Start {
        /// Are you threatened or in danger now? With yes, who helps, without PIN; with no, the questions
        #[arg(long, value_parser = PossibleValuesParser::new(["yes", "no"]))]
        gate: Option<String>,
        /// Begin a new round and keep the last answers for comparison
        #[arg(long)]
        again: bool,
    },
    /// All questions; needs no PIN, account or network
    Questions,
    /// Answer a question
    Answer {
        /// Its number
        question: u8,
        /// Your answer; `na` where it does not apply
        #[arg(value_parser = one_of!(Reply))]
        reply: Reply,
    },
    /// The tips: at most five to do first, then the rest
    Result,
    /// What changed since the last round
    Changes,
    /// Make a tip a task in your dossier
    Task {
        /// The question's number
        question: u8,
        /// By when, as 2027-01-15
        #[arg(long, value_name = "DATE")]
        by: Date,
    },
    /// Share one tip, never your answer: its text, or into a case
    Share {
        /// The question's number
        question: u8,
        /// The case: its name, or enough of its id's start
        #[arg(long)]
        circle: Option<String>,
    },
    /// A letter that asks for a home scan and the talk on safety, to copy; needs no PIN, account or network
    #[command(after_help = "\
Examples:
  baken scan letter --office alderman
  baken scan letter > aanvraag.txt

Fill in what stands between square brackets. Nothing of your dossier is in it. Threatened now? Ask no scan: call the police.")]
    Letter,
    /// Wipe all answers
    Clear,
}

#[derive(Subcommand)]
pub enum ReadinessCommand {
    /// Say of a step what the phone cannot find out
    Say {
        /// The step
        #[arg(value_parser = one_of!(Step))]
        step: Step,
        /// What holds of it; `found` leaves it to the phone again
        #[arg(value_parser = PossibleValuesParser::new(Ready::TAGS.iter().copied().chain(["found"])))]
        ready: String,
    },
    /// Let your organisation's adviser see these words
    Share,
    /// No longer let them: the relay destroys what it had
    Withhold,
}
