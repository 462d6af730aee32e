//! Benches: `baken-bench alarm|checkin|console|core|guidance|sync [--json]`. Started by `cargo xtask bench NAME`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use baken_tests::bench;
use baken_tests::bench::sync::Load;
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
    /// From pressing to `stored` and to the desk's live stream, alarms a second, what `kill -9` loses, the next responder,
    /// memory for a phone's stream; with Alertmanager and NATS JetStream beside it.
    Alarm {
        /// A small load: to see that all works, not for figures.
        #[arg(long)]
        quick: bool,
    },
    /// How late missed check-ins ring when ten thousand of a million fall due, with posthumous beside it.
    Checkin {
        /// A small load: to see that all works, not for figures.
        #[arg(long)]
        quick: bool,
    },
    /// From `stored` to seen in the console of a real Chromium, with two hundred alarms open.
    Console {
        /// A small load: to see that all works, not for figures.
        #[arg(long)]
        quick: bool,
    },
    /// The phone's records, with Automerge, Loro and Yrs beside them.
    Core,
    /// Finding in guidance and in ten thousand records, with SQLite's FTS5, MiniSearch and Fuse.js beside it; editions.
    Guidance,
    /// Edits from one device to others, with Hocuspocus, Automerge-repo and pouchdb-server beside it.
    Sync {
        /// A small load: to see that all works, not for figures.
        #[arg(long)]
        quick: bool,
    },
    /// The first screen, in a process of its own.
    #[command(hide = true)]
    FirstScreen {
        /// The phone's folder.
        home: PathBuf,
    },
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
    let mut bench = match arguments.bench {
        Which::Alarm { quick } => {
            let load = if quick { bench::alarm::QUICK } else { bench::alarm::FULL };
            runtime.block_on(bench::alarm::alarm(folder.path(), &load))?
        }
        Which::Checkin { quick } => {
            let load = if quick { bench::check_in::Load::QUICK } else { bench::check_in::Load::FULL };
            runtime.block_on(bench::check_in::check_in(folder.path(), &load))?
        }
        Which::Console { quick } => {
            let load = if quick { bench::console::Load::QUICK } else { bench::console::Load::FULL };
            let modules = std::env::var_os("BAKEN_NODE_MODULES").unwrap_or_default();
            runtime.block_on(bench::console::console(folder.path(), Path::new(&modules), load))?
        }
        Which::Core => runtime.block_on(bench::core::core(folder.path()))?,
        Which::Guidance => runtime.block_on(bench::guidance::guidance(folder.path()))?,
        Which::Sync { quick } => {
            let load = if quick { Load::QUICK } else { Load::FULL };
            runtime.block_on(bench::sync::sync(folder.path(), &load))?
        }
        Which::FirstScreen { home } => {
            println!("{}", bench::guidance::first_screen(&home)?);
            return Ok(());
        }
        Which::CoreHalf { contestant, half, folder } => {
            println!("{}", bench::core::half(&contestant, &half, &folder)?);
            return Ok(());
        }
    };
    // What `cargo xtask bench` could not install, one a line.
    bench.remarks.extend(std::env::var("BAKEN_WITHOUT").unwrap_or_default().lines().map(str::to_owned));
    bench.print(arguments.json)
}
