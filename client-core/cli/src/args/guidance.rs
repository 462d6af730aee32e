//! What can be typed of guidance and public contacts.

use baken_schemas::edition::{Audience, Office, Trouble};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

/// Who reads.
#[derive(Args)]
pub struct ReaderArgs {
    /// For whom you read; what is for others is not shown. On a guest's phone the family, else the office-holder
    #[arg(
        long,
        global = true,
        value_parser = PossibleValuesParser::new(Audience::TAGS).try_map(|tag| tag.parse::<Audience>())
    )]
    pub audience: Option<Audience>,
    /// Your office; without it, what is for any
    #[arg(long, global = true, value_parser = PossibleValuesParser::new(Office::TAGS).try_map(|tag| tag.parse::<Office>()))]
    pub office: Option<Office>,
}

#[derive(Args)]
pub struct GuidanceArgs {
    #[command(flatten)]
    pub reader: ReaderArgs,
    #[command(subcommand)]
    pub command: Option<GuidanceCommand>,
}

#[derive(Subcommand)]
pub enum GuidanceCommand {
    /// Read a chapter
    Read {
        /// Its id, or enough of its start
        id: String,
    },
    /// Find by words; typing errors are forgiven
    #[command(
        after_help = "Example:\n  baken guidance search brief zonder afzender\n\nWith --json: {\"hits\":[…]}, the best first."
    )]
    Search {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// A card for the moment itself; without an id, all of them
    Card {
        /// Its id, or enough of its start
        id: Option<String>,
    },
    /// Which versions are here and how old, and take newer ones from the relay
    #[command(
        after_help = "With --json: {\"layers\":[…],\"updates\":[…]}. Exit code 6: the relay was not reached; what is here stays good."
    )]
    Check {
        /// Do not ask the relay
        #[arg(long)]
        offline: bool,
    },
}

#[derive(Args)]
pub struct ContactsArgs {
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// For which kind of trouble
    #[arg(long, value_parser = PossibleValuesParser::new(Trouble::TAGS).try_map(|tag| tag.parse::<Trouble>()))]
    pub kind: Option<Trouble>,
}
