//! `cargo xtask test`: sets up, then runs every check and test, and ends with one plain line of counts.
//!
//! A step that fails does not stop the others, so that one run shows all there is to mend; only what cannot be built
//! is not run, and counts as failed. Nothing is skipped: a test left out is a failure too.

use std::env;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::step::{Step, now};
use crate::tally::{Tally, libtest_result, nextest_summary};
use crate::{setup, web, workspace};

/// What `cargo xtask test` takes.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --only clippy\n  \
                        cargo xtask test -- receipt\n\n\
                        Exit codes: 0 all passed, 1 something failed, 2 wrong usage.")]
pub struct TestArguments {
    /// Run this step alone, with the build it needs; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<Part>,
    /// Show every line of every step
    #[arg(short, long)]
    verbose: bool,
    /// Passed on to the test runner, such as a part of a test's name; runs the step `unit` alone
    #[arg(last = true, value_name = "FILTER")]
    filter: Vec<String>,
}

/// A step of the test command, in the order they run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting
    Fmt,
    /// Lints, where a warning is an error
    Clippy,
    /// The libraries each by itself, with no feature that another crate asks for
    Alone,
    /// Bans, licences and sources of dependencies, without the network
    Deny,
    /// Every binary and every test, compiled once
    Build,
    /// The phone app for browsers, as the stories play it
    Web,
    /// Unit, story, interop and vector tests
    Unit,
    /// The examples in the documentation
    Doc,
}

/// Runs the command.
///
/// # Errors
/// Only what is no test's fault, such as a log that cannot be written.
pub fn run(arguments: &TestArguments) -> Result<ExitCode> {
    let started = now();
    let mut total = Tally::default();
    println!("== set-up");
    if let Err(error) = setup::for_tests().and_then(|()| setup::for_browser()).and_then(|()| fetch()) {
        println!("   FAILED: {error:#}");
        return Ok(close(Tally::one(false), started));
    }
    let mut built = true;
    for part in Part::value_variants().iter().copied().filter(|part| arguments.wants(*part)) {
        println!("== {}", part.name());
        let part_started = now();
        let tally = if part.needs_build() && !built {
            println!("   not run, since the build failed");
            Tally::one(false)
        } else {
            part.run(arguments).unwrap_or_else(|error| {
                println!("   {error:#}");
                Tally::one(false)
            })
        };
        built &= part != Part::Build || tally.failed == 0;
        total.add(tally);
        part.report(tally, part_started);
    }
    Ok(close(total, started))
}

impl TestArguments {
    fn wants(&self, part: Part) -> bool {
        let only = if self.filter.is_empty() { self.only.as_slice() } else { &[Part::Unit] };
        let builds_for = |wanted: &Part| {
            (part == Part::Build && wanted.needs_build()) || (part == Part::Web && *wanted == Part::Unit)
        };
        only.is_empty() || only.contains(&part) || only.iter().any(builds_for)
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Alone => "alone",
            Self::Deny => "deny",
            Self::Build => "build",
            Self::Web => "web",
            Self::Unit => "unit",
            Self::Doc => "doc",
        }
    }

    /// Whether the step runs what the build step makes. The tests start the binaries of other packages, which the
    /// test runner alone would leave as they were.
    fn needs_build(self) -> bool {
        matches!(self, Self::Unit | Self::Doc)
    }

    fn run(self, arguments: &TestArguments) -> Result<Tally> {
        let step = Step { name: self.name(), verbose: arguments.verbose };
        step.begin()?;
        match self {
            // The names alone: what to do about them is always `cargo fmt`.
            Self::Fmt => check(&step, &mut workspace::cargo(["fmt", "--all", "--check", "--", "--files-with-diff"])),
            Self::Clippy => {
                let mut clippy = workspace::cargo(["clippy", "--workspace", "--all-targets"]);
                check(&step, locked(&mut clippy).args(["--", "-D", "warnings"]))
            }
            Self::Alone => alone(&step),
            Self::Deny => check(
                &step,
                workspace::program(setup::tool("cargo-deny")?).args([
                    "--offline",
                    "--log-level",
                    "error",
                    "check",
                    "bans",
                    "licenses",
                    "sources",
                ]),
            ),
            // The features of tests and binaries are settled together, so neither is compiled twice.
            Self::Build => check(&step, locked(&mut workspace::cargo(["build", "--workspace", "--bins", "--tests"]))),
            Self::Web => {
                let built = web::build(|command| Ok(step.run(command, |_| {})?.success()));
                built.map(|()| Tally::one(true))
            }
            Self::Unit => unit(&step, &arguments.filter),
            Self::Doc => doc(&step),
        }
    }

    fn report(self, tally: Tally, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        let outcome = if tally.failed == 0 { "ok" } else { "FAILED" };
        match self {
            Self::Unit | Self::Doc => {
                println!("   {outcome}: {} passed, {} failed in {seconds:.1} s", tally.passed, tally.failed);
            }
            _ => println!("   {outcome} in {seconds:.1} s"),
        }
        if tally.failed > 0 {
            let name = self.name();
            if self == Self::Fmt {
                println!("   files not formatted are named above; mend them with: cargo fmt");
            }
            println!("   all of its output: .baken/log/{name}.log   again, alone: cargo xtask test --only {name}");
        }
    }
}

/// Downloads every dependency that `Cargo.lock` names, so that the steps after it work offline.
fn fetch() -> Result<()> {
    crate::step::quietly(locked(&mut workspace::cargo(["fetch"])))
        .context("could not fetch the crates of Cargo.lock; check the network, and commit Cargo.lock if it changed")
}

fn check(step: &Step<'_>, command: &mut Command) -> Result<Tally> {
    Ok(Tally::one(step.run(command, |_| {})?.success()))
}

/// Who builds an app takes one library of these and not the workspace.
fn alone(step: &Step<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    for library in ["baken-schemas", "baken-core"] {
        tally.add(check(step, locked(&mut workspace::cargo(["check", "--lib", "--package", library])))?);
    }
    Ok(tally)
}

fn unit(step: &Step<'_>, filter: &[String]) -> Result<Tally> {
    let mut nextest = workspace::program(setup::tool("cargo-nextest")?);
    nextest.args(["nextest", "run", "--workspace", "--no-fail-fast", "--color", "never", "--status-level", "pass"]);
    locked(&mut nextest).args(filter).env("BAKEN_PYTHON", setup::interpreter());
    let mut tally = None;
    let status = step.run(&mut nextest, |line| tally = nextest_summary(line).or(tally))?;
    let mut tally = tally.context("the test runner printed no summary")?;
    if !status.success() && tally.failed == 0 {
        bail!("the test runner failed ({status}) without naming a test");
    }
    if filter.is_empty() && tally.skipped > 0 {
        println!("   left out, and nothing may be (look for `#[ignore]`): {}", tally.skipped);
        tally.failed += tally.skipped;
    }
    Ok(tally)
}

fn doc(step: &Step<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut test = workspace::cargo(["test", "--workspace", "--doc", "--no-fail-fast"]);
    let status = step.run(locked(&mut test), |line| tally.add(libtest_result(line).unwrap_or_default()))?;
    if !status.success() && tally.failed == 0 {
        bail!("the examples in the documentation could not be run ({status})");
    }
    if tally.skipped > 0 {
        println!("   marked `ignore`, and nothing may be: {}", tally.skipped);
        tally.failed += tally.skipped;
    }
    Ok(tally)
}

/// In CI, a `Cargo.lock` that does not fit the manifests is an error rather than mended in silence.
fn locked(command: &mut Command) -> &mut Command {
    if workspace::is_ci() { command.arg("--locked") } else { command }
}

/// The last line is a plain one for whoever reads it, person or machine.
fn close(total: Tally, started: Instant) -> ExitCode {
    let seconds = started.elapsed().as_secs();
    println!("== {} min {:02} s on {}", seconds / 60, seconds % 60, env::consts::OS);
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
