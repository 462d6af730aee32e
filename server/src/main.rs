//! `baken-server`: here the real clock, randomness, network and disk come in. Commands are in `baken_server::cli`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    baken_server::cli::run(&baken_server::cli::Cli::parse())
}
