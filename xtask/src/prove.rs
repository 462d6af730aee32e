//! `cargo xtask prove`: the searches of the tests, deeper and with other rounds each time.
//!
//! A search is a test that takes where to look from its environment. Rounds go on until the time is up; what was
//! searched and found is kept in `docs/proof.json` after each, from which the table of `docs/proof.md` is made, so
//! that the next call goes on where this one ended. With `--plant` a known fault is put under one search, which must
//! then fail; nothing of that is kept.

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::setup;
use crate::step::{Step, now};
use crate::workspace;

/// Where the figures are kept.
const FIGURES: &str = "docs/proof.json";
/// The document whose table is made of them, between these lines.
const DOCUMENT: &str = "docs/proof.md";
const TABLE_BEGINS: &str = "<!-- figures -->";
const TABLE_ENDS: &str = "<!-- end of figures -->";
/// The most findings that are kept; a search that finds more has one fault found often.
const MOST_FINDINGS: usize = 100;
/// Rounds in which a planted fault must be found.
const MOST_ROUNDS_PLANTED: u64 = 3;

/// What `cargo xtask prove` takes.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask prove --hours 4\n  cargo xtask prove --only simulation --seed 7\n  \
                        cargo xtask prove --plant removed-fsync\n\n\
                        Exit codes: 0 nothing found, 1 something found (with --plant: as it must), 2 wrong usage.")]
pub struct ProveArguments {
    /// How long to search; without it, one round of each search
    #[arg(long, value_name = "H", value_parser = hours)]
    hours: Option<f64>,
    /// Search this round and no other, and keep no figures: what a finding names
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// This search alone
    #[arg(long, value_name = "NAME", value_parser = search_names())]
    only: Option<String>,
    /// Plant a known fault, which must be found
    #[arg(long, value_name = "NAME", conflicts_with_all = ["hours", "only"], value_parser = plant_names())]
    plant: Option<String>,
    /// End with one line of JSON
    #[arg(long)]
    json: bool,
}

/// One search.
struct Search {
    name: &'static str,
    /// The test that searches, in the binary of the stories.
    test: &'static str,
    /// What tells it to search round `n`, of which none is the ordinary run's.
    settings: fn(u64) -> Vec<(&'static str, u64)>,
    /// Faults that it must find.
    plants: &'static [&'static str],
}

/// Calls of each kind that fail in one round of `io-faults`.
const FAULTS_A_ROUND: u64 = 10;
/// Rounds until the first 200 calls were done; then it begins again.
const FAULT_ROUNDS: u64 = 20;
/// Seeds in one round of `simulation`.
const SEEDS_A_ROUND: u64 = 50;

const SEARCHES: &[Search] = &[
    Search {
        name: "power-loss",
        test: "relay_power_loss::i1_every_alarm_answered_outlives_a_power_loss_at_any_moment",
        settings: |round| vec![("BAKEN_POWER_POINTS", 2_500), ("BAKEN_POWER_SEED", round)],
        plants: &["removed-fsync", "lowered-synchronous"],
    },
    Search {
        name: "io-faults",
        test: "relay_power_loss::faults::i1_no_answer_is_false_when_a_call_of_the_disk_fails",
        settings: |round| {
            let first = 1 + (round - 1) % FAULT_ROUNDS * FAULTS_A_ROUND;
            vec![("BAKEN_FAULTS_FROM", first), ("BAKEN_FAULTS_COUNT", FAULTS_A_ROUND)]
        },
        plants: &["swallowed-sync-error"],
    },
    Search {
        name: "simulation",
        test: "simulation::i1_i2_i3_i6_i7_i10_hold_in_every_seed",
        settings: |round| vec![("BAKEN_SIM_FROM", round * SEEDS_A_ROUND), ("BAKEN_SIM_SEEDS", SEEDS_A_ROUND)],
        plants: &["forgotten-ladder", "forgotten-mail"],
    },
];

fn search_names() -> Vec<&'static str> {
    SEARCHES.iter().map(|search| search.name).collect()
}

fn plant_names() -> Vec<&'static str> {
    SEARCHES.iter().flat_map(|search| search.plants.iter().copied()).collect()
}

/// Up to a year.
fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=8_760.0).contains(&hours) { Ok(hours) } else { Err("from 0 to 8760".to_owned()) }
}

/// What was done so far, over all calls.
#[derive(Default, Serialize, Deserialize)]
struct Figures {
    searches: Vec<Figure>,
}

/// What one search has done so far.
#[derive(Clone, Serialize, Deserialize)]
struct Figure {
    search: String,
    rounds: u64,
    seconds: u64,
    /// What the last round said of itself.
    last: String,
    findings: Vec<Finding>,
}

/// A round that failed.
#[derive(Clone, Serialize, Deserialize)]
struct Finding {
    round: u64,
    replay: String,
}

/// What one round came to.
struct Round {
    held: bool,
    seconds: u64,
    said: String,
}

/// Runs the command.
///
/// # Errors
/// Set-up or build failed, or the figures could not be kept.
pub fn run(arguments: &ProveArguments) -> Result<ExitCode> {
    println!("== build");
    let runner = setup::tool("cargo-nextest")?;
    let build = Step { name: "prove-build", verbose: false };
    build.begin()?;
    let mut command = workspace::program(&runner);
    command.args(["nextest", "run", "--no-run", "--package", "baken-tests", "--test", "all"]);
    let built = build.run(&mut command, |_| {})?;
    ensure!(built.success(), "the build failed; all of its output: {}", build.log_path()?.display());
    let outcome = match &arguments.plant {
        Some(plant) => planted(plant, arguments.seed)?,
        None => search(arguments)?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&outcome)?);
    }
    Ok(if outcome.found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What one call came to.
#[derive(Serialize)]
struct Outcome {
    rounds: u64,
    found: u64,
    seconds: u64,
    plant: Option<String>,
}

fn search(arguments: &ProveArguments) -> Result<Outcome> {
    let started = now();
    let budget = arguments.hours.map(|hours| Duration::from_secs_f64(hours * 3_600.0));
    let wanted = |search: &&Search| arguments.only.as_deref().is_none_or(|only| only == search.name);
    let mut outcome = Outcome { rounds: 0, found: 0, seconds: 0, plant: None };
    let mut figures = read_figures()?;
    loop {
        for search in SEARCHES.iter().filter(wanted) {
            let figure = figures.of(search.name);
            let number = arguments.seed.unwrap_or(figure.rounds + 1).max(1);
            let round = one_round(search, number, None)?;
            outcome.rounds += 1;
            outcome.found += u64::from(!round.held);
            if arguments.seed.is_none() {
                figure.rounds += 1;
                figure.seconds += round.seconds;
                if round.held {
                    figure.last = round.said;
                }
                if !round.held && figure.findings.len() < MOST_FINDINGS {
                    figure.findings.push(Finding { round: number, replay: replay(search, number, None) });
                }
                keep(&figures)?;
            }
            if is_over(budget, started) {
                break;
            }
        }
        if budget.is_none() || arguments.seed.is_some() || is_over(budget, started) {
            break;
        }
    }
    outcome.seconds = started.elapsed().as_secs();
    println!("== {} rounds in {} s, {} found something", outcome.rounds, outcome.seconds, outcome.found);
    Ok(outcome)
}

fn is_over(budget: Option<Duration>, started: Instant) -> bool {
    budget.is_some_and(|budget| started.elapsed() >= budget)
}

fn planted(plant: &str, seed: Option<u64>) -> Result<Outcome> {
    let started = now();
    let search = SEARCHES.iter().find(|search| search.plants.contains(&plant)).context("a known plant")?;
    let first = seed.unwrap_or(1).max(1);
    let mut outcome = Outcome { rounds: 0, found: 0, seconds: 0, plant: Some(plant.to_owned()) };
    for number in first..first + MOST_ROUNDS_PLANTED {
        outcome.rounds += 1;
        outcome.found += u64::from(!one_round(search, number, Some(plant))?.held);
        if outcome.found > 0 {
            break;
        }
    }
    outcome.seconds = started.elapsed().as_secs();
    let found = if outcome.found > 0 { "found, as it must be" } else { "NOT FOUND: the search does not bite" };
    println!("== {plant}: {found}, in {} s", outcome.seconds);
    Ok(outcome)
}

fn one_round(search: &Search, number: u64, plant: Option<&str>) -> Result<Round> {
    println!("== {}, round {number}", search.name);
    let step = Step { name: search.name, verbose: false };
    step.begin()?;
    let mut command = workspace::program(setup::tool("cargo-nextest")?);
    command.args(["nextest", "run", "--package", "baken-tests", "--test", "all", "--no-capture", "--color", "never"]);
    command.arg("-E").arg(format!("test(={})", search.test)).env_remove("BAKEN_PLANT");
    command.envs((search.settings)(number).into_iter().map(|(name, value)| (name, value.to_string())));
    if let Some(plant) = plant {
        command.env("BAKEN_PLANT", plant);
    }
    let started = now();
    let (mut said, mut failed, mut ran) = (String::new(), false, false);
    let status = step.run(&mut command, |line| {
        if let Some(figures) = line.trim().strip_prefix("proof: ") {
            said = figures.to_owned();
        }
        ran |= line.contains("1 test run:");
        failed |= line.contains("1 failed") || line.contains("1 timed out");
    })?;
    let seconds = started.elapsed().as_secs();
    // A search that could not be run has found nothing, and shown nothing.
    if !ran || status.success() == failed {
        bail!("{} could not be run ({status}); all of its output: {}", search.name, step.log_path()?.display());
    }
    if failed {
        println!("   FAILED in {seconds} s; all of its output: {}", step.log_path()?.display());
        println!("   again: {}", replay(search, number, plant));
    } else {
        println!("   held in {seconds} s: {said}");
    }
    Ok(Round { held: !failed, seconds, said })
}

fn replay(search: &Search, number: u64, plant: Option<&str>) -> String {
    let what = plant.map_or_else(|| format!("--only {}", search.name), |plant| format!("--plant {plant}"));
    format!("cargo xtask prove {what} --seed {number}")
}

impl Figures {
    fn of(&mut self, search: &str) -> &mut Figure {
        let at = self.searches.iter().position(|figure| figure.search == search).unwrap_or_else(|| {
            let (search, last, findings) = (search.to_owned(), String::new(), Vec::new());
            self.searches.push(Figure { search, rounds: 0, seconds: 0, last, findings });
            self.searches.len() - 1
        });
        &mut self.searches[at]
    }

    fn table(&self) -> String {
        let mut table = "| search | rounds | hours | a round | found |\n|---|---|---|---|---|\n".to_owned();
        for Figure { search, rounds, seconds, last, findings } in &self.searches {
            let hours = *seconds as f64 / 3_600.0;
            let found = match findings.as_slice() {
                [] => "nothing".to_owned(),
                findings => {
                    findings.iter().map(|finding| format!("`{}`", finding.replay)).collect::<Vec<_>>().join(", ")
                }
            };
            table += &format!("| {search} | {rounds} | {hours:.2} | {last} | {found} |\n");
        }
        table
    }
}

fn read_figures() -> Result<Figures> {
    let path = workspace::root().join(FIGURES);
    if !path.exists() {
        return Ok(Figures::default());
    }
    serde_json::from_slice(&fs::read(&path)?).with_context(|| format!("{FIGURES} cannot be read"))
}

fn keep(figures: &Figures) -> Result<()> {
    let write = |name: &str, text: String| {
        // Renamed into place, so that a call that is interrupted leaves the earlier figures.
        let (path, new) = (workspace::root().join(name), workspace::root().join(format!("{name}.new")));
        fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).with_context(|| format!("cannot write {name}"))
    };
    write(FIGURES, serde_json::to_string_pretty(figures)? + "\n")?;
    let document = fs::read_to_string(workspace::root().join(DOCUMENT))?;
    let parts =
        document.split_once(TABLE_BEGINS).and_then(|(before, rest)| Some((before, rest.split_once(TABLE_ENDS)?)));
    let (before, (_, after)) = parts.with_context(|| format!("{DOCUMENT} has no place for the figures"))?;
    write(DOCUMENT, format!("{before}{TABLE_BEGINS}\n{}{TABLE_ENDS}{after}", figures.table()))
}
