//! Benches: `baken-bench alarm|core [--json]`. Started by `cargo xtask bench NAME`.

use std::path::PathBuf;

use anyhow::Result;
use baken_tests::bench;
use clap::{Parser, Subcommand};

/// Measures Baken, with peers beside it in the same run.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Which,
    /// One line of JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Which {
    /// From pressing to `stored` and to the desk's live stream, with Alertmanager beside it.
    Alarm,
    /// The phone's records, with Automerge, Loro and Yrs beside them.
    Core,
    /// One half of one contestant of `core`, in a process of its own.
    #[command(hide = true)]
    CoreHalf {
        /// Which contestant.
        contestant: String,
        /// `edit` or `open`.
        half: String,
        /// Where its data lies.
        folder: PathBuf,
    },
}

fn main() -> Result<()> {
    // The plain-HTTP client to Alertmanager is built by the same library and asks for a provider too. Another
    // provider cannot have been installed before the first line of main.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let bench = match arguments.bench {
        Which::Alarm => runtime.block_on(bench::alarm::alarm(folder.path()))?,
        Which::Core => runtime.block_on(bench::core::core(folder.path()))?,
        Which::CoreHalf { contestant, half, folder } => {
            println!("{}", bench::core::half(&contestant, &half, &folder)?);
            return Ok(());
        }
    };
    bench.print(arguments.json)
}
