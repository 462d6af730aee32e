//! The command line of `baken-server`: one file a command. A command parses, calls the library, and says what came of
//! it in Dutch or English, or as one JSON object a line with `--json`.

mod adviser;
mod bridge;
mod channel;
mod dc09;
mod dismiss;
mod doctor;
mod duty;
mod edition;
mod failure;
mod figures;
mod init;
mod init_adviser;
mod init_bridge;
mod init_desk;
mod init_relay;
mod instruction;
mod officer;
mod org;
mod pack;
mod relay_org;
mod say;
mod serve;
mod serve_all;
mod serve_app;
mod serve_bridge;
mod serve_desk;
mod serve_portal;
mod serve_relay;
mod verify;

pub use failure::Failure;
pub use say::Say;

pub(crate) use adviser::looks as adviser_looks;
pub(crate) use org::{book_of, directory_of, unsent_of};
pub(crate) use say::Said;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use baken_schemas::Language;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Parser, Subcommand};
use rand::SeedableRng as _;
use rand::rngs::{ChaCha20Rng, SysRng};

use crate::exit;

/// The relay, the desk and the bridge of Baken, and the organisation's root.
#[derive(Debug, Parser)]
#[command(name = "baken-server", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Say everything as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    /// The language of what it says
    #[arg(
        long = "lang",
        global = true,
        value_name = "LANG",
        value_parser = PossibleValuesParser::new(Language::TAGS).try_map(|tag| tag.parse::<Language>()),
        default_value = "nl",
        env = "BAKEN_LANG"
    )]
    language: Language,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Set up, on three machines that are not one another's:
  baken-server org init --data org --name \"Gemeente Zandhoven\"
  baken-server init relay --data relay --url https://relay.example.nl --org ORG
  baken-server init desk --data desk --name \"Meldkamer Oost\" --url https://desk.example.nl --relay relay.cbor --org ORG
  baken-server org directory --data org --relay relay.cbor --desk desk.cbor --publish
Run:
  baken-server serve relay --data relay

Exit codes: 0 done; 1 unexpected; 2 usage; 3 a file, setting or document cannot be used; 6 the relay could not be reached; 70 the disk failed;
73 the data folder is in use; 74 the port is in use.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Set a data folder up
    #[command(subcommand)]
    Init(init::Init),
    /// Run a server
    #[command(subcommand)]
    Serve(serve::Serve),
    /// Keep the organisation's root, and as its adviser its plan
    #[command(subcommand)]
    Org(org::Org),
    /// Check, build, sign and publish editions: guidance, facts, contacts
    #[command(subcommand)]
    Edition(edition::Edition),
    /// Say who may act at a desk
    #[command(subcommand)]
    Officer(officer::OfficerCommand),
    /// Write down what is done when a person calls
    #[command(subcommand)]
    Instruction(instruction::InstructionCommand),
    /// See which of a desk's channels work, and test them
    #[command(subcommand)]
    Channel(channel::ChannelCommand),
    /// Say who is on duty at a desk, for its channels to people
    #[command(subcommand)]
    Duty(duty::Duty),
    /// See what a bridge knows of its buttons
    #[command(subcommand)]
    Bridge(bridge::BridgeCommand),
    /// See what goes over the wire to alarm centres and from buttons
    #[command(subcommand)]
    Dc09(dc09::Dc09),
    /// See how soon alarms were taken at a desk, how many came in and how many were false
    Figures(figures::FiguresArgs),
    /// Say which organisations a relay serves
    #[command(subcommand)]
    RelayOrg(relay_org::RelayOrg),
    /// Check a database and its audit
    Verify(verify::Verify),
    /// Look for what is wrong with a data folder
    Doctor(doctor::Doctor),
}

/// Runs a command to its end.
pub fn run(cli: &Cli) -> ExitCode {
    let say = Say::new(cli.json, cli.language);
    // Logs are for who looks for a fault, and go beside the output. They hold ids, times and codes.
    let logs = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if cli.json {
        logs.json().init()
    } else {
        logs.init()
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command(&cli.command, &say)),
        Err(error) => Err(Failure::from(error)),
    };
    let code = match ended {
        Ok(()) => exit::OK,
        Err(failure) => {
            say.failure(&failure);
            failure.exit
        }
    };
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Runs a command inside a program that goes on; what it says goes to `say`.
///
/// # Errors
/// As the command.
pub(crate) async fn perform(cli: &Cli, say: &Say) -> Result<(), Failure> {
    // Boxed, since one of the commands serves pages that run commands.
    let performed: std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + '_>> =
        Box::pin(command(&cli.command, say));
    performed.await
}

async fn command(command: &Command, say: &Say) -> Result<(), Failure> {
    match command {
        Command::Init(init) => init::run(init, say).await,
        Command::Serve(serve) => serve::run(serve, say).await,
        Command::Org(org) => org::run(org, say).await,
        Command::Edition(edition) => edition::run(edition, say).await,
        Command::Officer(officer) => officer::run(officer, say),
        Command::Instruction(instruction) => instruction::run(instruction, say),
        Command::Channel(channel) => channel::run(channel, say).await,
        Command::Bridge(bridge) => bridge::run(bridge, say),
        Command::Dc09(dc09) => dc09::run(dc09, say).await,
        Command::Duty(duty) => duty::run(duty, say),
        Command::Figures(figures) => figures::run(figures, say),
        Command::RelayOrg(relay_org) => relay_org::run(relay_org, say).await,
        Command::Verify(verify) => verify::run(verify, say),
        Command::Doctor(doctor) => doctor::run(doctor, say),
    }
}

/// Randomness for this run, seeded by the operating system.
///
/// # Errors
/// When the operating system has none.
fn system_rng() -> Result<ChaCha20Rng, Failure> {
    ChaCha20Rng::try_from_rng(&mut SysRng).map_err(|error| Failure::unexpected("no_randomness", &error))
}
