//! `cargo xtask`: the demo, the tests and the benches of Baken, each in one command on a fresh machine.
//!
//! It sets up what they need, builds it in one go, and hands over. It has no knowledge of Baken itself and few
//! dependencies, so that it compiles in seconds and can say what is missing before anything large is built.
//!
//! Not here: the story the demo plays and what a bench measures. Those are binaries of the `tests` crate.

mod launch;
mod prove;
mod setup;
mod step;
mod tally;
mod test;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Set-up, demo, tests and benches of Baken, each in one command.",
    after_help = "Exit codes: 0 all went well, 1 something failed (it says what), 2 wrong usage.\n\
                  demo and bench end with the exit code of what they ran."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play the main job: relay, desk, bridge, two phones, an alarm that an officer answers
    Demo(launch::DemoArguments),
    /// Set up what the tests need, then run every check and test
    Test(test::TestArguments),
    /// Measure, with peers beside us in the same run
    Bench(launch::BenchArguments),
    /// Search deeper for broken promises, going on where the last call ended
    Prove(prove::ProveArguments),
    /// Write the generated files again: JSON Schemas, OpenAPI, vectors
    Schemas,
    /// Build the phone app for browsers: static files, and where they are
    Web,
    /// Install what tests and demo need, and no more
    Setup,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => launch::demo(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => launch::bench(&arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Schemas => launch::schemas(),
        Command::Web => web::run(),
        Command::Setup => setup::for_tests().map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
