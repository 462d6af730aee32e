//! `baken`: a phone in a terminal. It parses, asks the core, and prints; what a phone does is in `baken-core`.
//!
//! Every command prints text for people or, with `--json`, one JSON object a line. Here the real clock, randomness,
//! network and disk come in. Not here: any rule of the domain.

mod args;
mod command;
mod failure;
mod media_type;
mod moment;
mod output;
mod phone;
mod progress;
mod text;
mod thumbnail;
mod value;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    // Logs are for who looks for a fault, and go beside the output: RUST_LOG=baken_core=debug.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let out = output::Output::new(arguments.json, arguments.language);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command::run(&arguments, &out)),
        Err(error) => Err(failure::Failure::from(error)),
    };
    match ended {
        Ok(end) => ExitCode::from(end.code()),
        Err(failure) => {
            out.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version as clap prints them; a usage error as an object where a program asked for JSON.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let out = output::Output::new(true, baken_schemas::Language::En);
        out.json(&serde_json::json!({"error": {"code": "usage", "message": first, "help": "Look at --help."}}));
        return ExitCode::from(2);
    }
    // Printing fails only when nobody reads.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
