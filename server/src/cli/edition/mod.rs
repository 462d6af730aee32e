//! `baken-server edition`: content from its source to the relay. Keys are files that are kept off the relay, 32 bytes
//! each; an organisation's `root.key` is one.
//!
//! ```text
//! check FOLDER → build FOLDER → sign FILE (as often as the threshold asks) → publish FILE
//! ```

pub(super) mod check;
mod diff;
pub(super) mod files;
mod make;
mod publish;

use std::path::PathBuf;

use baken_schemas::crypto::VerifyKey;
use baken_schemas::edition::Layer;
use baken_schemas::org::OrgId;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use crate::cli::{Failure, Say};

/// What to do with an edition.
#[derive(Debug, Subcommand)]
pub(super) enum Edition {
    /// Look for what is wrong with an edition's source
    #[command(after_help = "Examples:\n  baken-server edition check gids --against leidraad.txt\n  \
        baken-server edition check zandhoven --under landelijk.edition\nWithout a folder it checks what this program ships. \
        Exit code 3 when there are errors; warnings are to be looked at.")]
    Check(Check),
    /// Make one file of an edition's source, to be signed
    #[command(after_help = "Example:\n  baken-server edition build zandhoven --org ORG --out zandhoven.edition")]
    Build(Build),
    /// Make a publisher's key
    #[command(after_help = "Example:\n  baken-server edition key --out publisher.key")]
    Key(Key),
    /// Say who publishes an edition from now on: the next root, to be signed by the one before it and by itself
    #[command(after_help = "Example:\n  baken-server edition root --layer organisation --org ORG --version 1 \
        --publisher KEY --publisher KEY --threshold 1 --out root-1.cbor")]
    Root(Root),
    /// Sign an edition or a root with a key
    #[command(after_help = "Example:\n  baken-server edition sign zandhoven.edition --key org/root.key")]
    Sign(Sign),
    /// Give a signed edition to a relay
    #[command(after_help = "Example:\n  baken-server edition publish zandhoven.edition --directory org/directory.cbor")]
    Publish(Publish),
    /// Say what differs between two editions, folders or files
    #[command(after_help = "Example:\n  baken-server edition diff old.edition new.edition")]
    Diff(Diff),
}

/// Checks.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The folder of the source
    folder: Option<PathBuf>,
    /// A layer above it, as folder or file; the first is the national one. Without any, what this program ships is above
    /// an edition that is not national
    #[arg(long, value_name = "EDITION")]
    under: Vec<PathBuf>,
    /// A text of others, whose sentences must not be copied
    #[arg(long, value_name = "TEXTFILE")]
    against: Vec<PathBuf>,
}

/// Builds.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The folder of the source
    folder: PathBuf,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
    /// The organisation, for an edition that is not national
    #[arg(long)]
    org: Option<OrgIdArg>,
    /// The roots of the edition, oldest first
    #[arg(long = "root", value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// A layer above it, as for `check`
    #[arg(long, value_name = "EDITION")]
    under: Vec<PathBuf>,
}

/// Makes a key.
#[derive(Debug, Args)]
pub(super) struct Key {
    /// The file to write; keep it off the relay, and keep a copy in a safe
    #[arg(long)]
    out: PathBuf,
}

/// Makes a root.
#[derive(Debug, Args)]
pub(super) struct Root {
    /// Of which layer
    #[arg(long, value_parser = PossibleValuesParser::new(Layer::TAGS).try_map(|tag| tag.parse::<Layer>()))]
    layer: Layer,
    /// The organisation, for an edition that is not national
    #[arg(long)]
    org: Option<OrgIdArg>,
    /// One more than that of the root before; the first is 1
    #[arg(long)]
    version: u64,
    /// A publisher's key, as `edition key` printed it
    #[arg(long = "publisher", value_name = "KEY", required = true)]
    publishers: Vec<VerifyKey>,
    /// How many of them must sign
    #[arg(long, default_value_t = 1)]
    threshold: u8,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

/// Signs.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// What `build` or `root` made; the signature is added to it
    file: PathBuf,
    /// The key's file
    #[arg(long)]
    key: PathBuf,
}

/// Publishes.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// The signed edition
    file: PathBuf,
    /// The directory of an organisation that the relay serves: it says where the relay is
    #[arg(long)]
    directory: PathBuf,
}

/// Compares.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The older one, as folder or file
    old: PathBuf,
    /// The newer one
    new: PathBuf,
}

/// An organisation as `org init` printed it.
#[derive(Debug, Clone, Copy)]
struct OrgIdArg(OrgId);

impl std::str::FromStr for OrgIdArg {
    type Err = baken_schemas::FormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|hash| Self(OrgId(hash)))
    }
}

/// Runs it.
pub(super) async fn run(edition: &Edition, say: &Say) -> Result<(), Failure> {
    match edition {
        Edition::Check(args) => check::run(args, say),
        Edition::Build(args) => make::build(args, say),
        Edition::Key(args) => make::key(args, say),
        Edition::Root(args) => make::root(args, say),
        Edition::Sign(args) => make::sign(args, say),
        Edition::Publish(args) => publish::run(args, say).await,
        Edition::Diff(args) => diff::run(args, say),
    }
}
