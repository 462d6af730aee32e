//! `demo`, `bench` and `schemas`: build what they need in one go, then become the program that does it.
//!
//! On Unix this process is replaced rather than kept as a parent, so Ctrl-C, signals and the exit code are the
//! program's own. What is built and installed is told on stderr; stdout is the program's.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::workspace::{self, Profile};
use crate::{setup, step, web};

/// What `cargo xtask demo` takes.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask demo\n  cargo xtask demo --lang en\n  \
                        cargo xtask demo --once --json --data demo-data")]
pub struct DemoArguments {
    /// Play the story and end, instead of leaving the server running until Ctrl-C
    #[arg(long)]
    once: bool,
    /// End with one line of JSON
    #[arg(long)]
    json: bool,
    /// Keep all data in this folder: DIR/relay, DIR/desk, DIR/bridge, DIR/org
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The language the story is told in
    #[arg(long, value_enum, default_value_t = Language::Nl)]
    lang: Language,
}

/// A language of the texts.
#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// Nederlands
    Nl,
    /// English
    En,
}

/// What `cargo xtask bench` takes.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask bench alarm\n  cargo xtask bench checkin --json\n  \
                        cargo xtask bench core\n  cargo xtask bench sync -- --quick")]
pub struct BenchArguments {
    /// Which: alarm, checkin, console, core, guidance or sync
    name: String,
    /// One JSON object a bench instead of a table
    #[arg(long)]
    json: bool,
    /// Passed on to the bench
    #[arg(last = true)]
    more: Vec<String>,
}

/// Plays the demo; returns only if it could not be started.
///
/// # Errors
/// Set-up or build failed, or the program could not be started.
pub fn demo(arguments: &DemoArguments) -> Result<ExitCode> {
    eprintln!("== set-up");
    setup::for_demo()?;
    eprintln!("== build");
    let built = step::now();
    build(&["build", "--workspace", "--exclude", "xtask", "--bins"])?;
    eprintln!("   ok in {:.1} s", built.elapsed().as_secs_f64());
    let bin_dir = workspace::bin_dir(Profile::Dev)?;
    let mut demo = Command::new(bin_dir.join("baken-demo"));
    demo.arg("--bin-dir").arg(&bin_dir).arg("--python").arg(setup::interpreter());
    if arguments.once {
        demo.arg("--once");
    }
    if web::dist().join("index.html").is_file() {
        demo.arg("--app").arg(web::dist());
    }
    if arguments.json {
        demo.arg("--json");
    }
    if let Some(data) = &arguments.data {
        demo.arg("--data").arg(data);
    }
    let lang = match arguments.lang {
        Language::Nl => "nl",
        Language::En => "en",
    };
    demo.args(["--lang", lang]);
    become_program(demo)
}

/// Runs a bench; returns only if it could not be started.
///
/// # Errors
/// Set-up or build failed, or the program could not be started.
pub fn bench(arguments: &BenchArguments) -> Result<ExitCode> {
    eprintln!("== set-up");
    let without = setup::for_bench(&arguments.name)?;
    if arguments.name == "console" {
        // The browser is no peer: without it there is nothing to measure.
        setup::for_browser()?;
    }
    eprintln!("== build, optimised");
    // The server under test is a process of its own, as in use; the phone comes along to set it up.
    let binaries = ["baken-bench", "baken-server", "baken"].into_iter().flat_map(|name| ["--bin", name]);
    let packages = ["baken-tests", "baken-server", "baken-cli"].into_iter().flat_map(|name| ["-p", name]);
    let optimised = ["build", "--release", "--features", "baken-tests/peers"];
    build(&optimised.into_iter().chain(packages).chain(binaries).collect::<Vec<_>>())?;
    let mut bench = Command::new(workspace::bin_dir(Profile::Release)?.join("baken-bench"));
    bench.arg(&arguments.name).args(&arguments.more);
    bench.env("BAKEN_PYTHON", setup::interpreter());
    let peers = match arguments.name.as_str() {
        "guidance" => "search",
        "console" => "browser",
        _ => "sync",
    };
    bench.env("BAKEN_NODE_MODULES", setup::node_modules(peers));
    bench.env("BAKEN_WITHOUT", without.join("\n"));
    if arguments.json {
        bench.arg("--json");
    }
    become_program(bench)
}

/// Writes generated files again by running the tests that compare them, told to write instead.
///
/// # Errors
/// A test could not write its file.
pub fn schemas() -> Result<ExitCode> {
    let mut tests = workspace::cargo(["test", "-p", "baken-schemas", "-p", "baken-server", "drift"]);
    let status = tests.env("BAKEN_UPDATE", "1").status().context("cannot start cargo")?;
    if !status.success() {
        bail!("generating failed; its output is above");
    }
    eprintln!("look at what changed: git diff --stat");
    Ok(ExitCode::SUCCESS)
}

/// Cargo with its own progress, all of it on stderr.
fn build(arguments: &[&str]) -> Result<()> {
    let status = workspace::cargo(arguments.iter().copied())
        .env_remove("CARGO_TERM_COLOR")
        .stdout(Stdio::from(io::stderr()))
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the build failed; its messages are above");
    }
    Ok(())
}

/// Replaces this process.
fn become_program(mut command: Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {name}"))
}
