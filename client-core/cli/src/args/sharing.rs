//! What can be typed of sharing into a case, and of being informed.

use clap::{Args, Subcommand};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ShareArgs {
    /// The item of your dossier: its id, or enough of its start
    #[arg(required = true)]
    pub item: Option<String>,
    /// The case: its name, id or enough of its start
    #[arg(long = "with", value_name = "CASE", required = true)]
    pub case: Option<String>,
    /// A field that stays at home, this time and from then on; more of them, each with --without
    #[arg(long, value_name = "FIELD")]
    pub without: Vec<String>,
    /// No field stays at home any more
    #[arg(long, conflicts_with = "without")]
    pub all_fields: bool,
    /// An attachment that goes along: its id, or enough of its start
    #[arg(long, value_name = "ATTACHMENT")]
    pub attachment: Vec<String>,
    /// All of its attachments go along
    #[arg(long, conflicts_with = "attachment")]
    pub attachments: bool,
    /// Only show what would go and what would stay
    #[arg(long)]
    pub preview: bool,
    /// Do not ask for the word
    #[arg(long)]
    pub yes: bool,
    /// For a confidential measure: whoever decided on it has said that these readers may know
    #[arg(long)]
    pub with_confidential: bool,
    #[command(subcommand)]
    pub command: Option<ShareCommand>,
}

#[derive(Subcommand)]
pub enum ShareCommand {
    /// Take something back; who has read it may have kept it
    #[command(after_help = "Example:\n  baken share withdraw 3f2a --with zaak")]
    Withdraw {
        /// The item of your dossier: its id, or enough of its start
        item: String,
        /// The case: its name, id or enough of its start
        #[arg(long = "with", value_name = "CASE")]
        case: String,
    },
    /// What others see, since when, and what differs at home
    List,
    /// Whose device showed what, and when, as those devices say
    Log {
        /// Only this item of your dossier: its id, or enough of its start
        item: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum BriefingCommand {
    /// Tell the office-holder how it stands, or write down what you were told
    #[command(after_help = "\
Examples:
  baken briefing add --no-news --next 2026-12-11                 on the police contact's device: into its case
  baken briefing add --told \"De man is aangehouden\" --by \"J. de Vries\" --next \"2026-12-04 10:00\"
  baken briefing add --circle dossier --told \"Gebeld door de politie\"
In your own dossier it stays with you; in a case everybody in it reads it. With the next `baken sync` it goes.")]
    Add {
        /// The case: its name, id or enough of its start; the device's own circle otherwise
        #[arg(long)]
        circle: Option<String>,
        /// What is new
        #[arg(long, required_unless_present = "no_news")]
        told: Option<String>,
        /// Nothing is new
        #[arg(long, conflicts_with = "told")]
        no_news: bool,
        /// Who says it
        #[arg(long, default_value = "")]
        by: String,
        /// When something is said again, news or none: 2026-12-11, or "2026-12-11 10:00"
        #[arg(long, value_name = "MOMENT")]
        next: Option<String>,
    },
    /// What was told, the newest first, and what was promised and not heard
    List,
}
