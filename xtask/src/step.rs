//! Running one program as a step: its output goes to a file, what matters of it to the screen, with the time it took.
//!
//! Cargo names every crate it compiles, some 400 lines on a fresh machine, and the test runner every test. Those are
//! shown as one count now and then, so that a person sees it move and a CI log stays readable. Everything is in the
//! step's log file.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// How often a step with nothing to tell says how far it is.
const STILL_BUSY_EVERY: Duration = Duration::from_secs(20);

/// Lines that may wait for the screen; past it the program waits for us.
const LINES_IN_FLIGHT: usize = 1_024;

/// Lines of a failed quiet program that are shown.
const LAST_LINES: usize = 40;

/// A program that runs as a step of its own.
pub struct Step<'a> {
    /// The name of its log file.
    pub name: &'a str,
    /// Show every line.
    pub verbose: bool,
}

impl Step<'_> {
    /// Runs a program to its end, handing each line of its output to `on_line` too.
    ///
    /// # Errors
    /// The program could not be started or its log not written. That it failed is in the status.
    pub fn run(&self, command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus> {
        let path = self.log_path()?;
        let mut log = File::options().create(true).append(true).open(&path)?;
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (lines, incoming) = sync_channel(LINES_IN_FLIGHT);
        let readers = [
            child.stdout.take().map(|pipe| read_lines(pipe, lines.clone())),
            child.stderr.take().map(|pipe| read_lines(pipe, lines)),
        ];
        let mut progress = Progress::default();
        let mut last_shown = now();
        loop {
            match incoming.recv_timeout(STILL_BUSY_EVERY) {
                Ok(line) => {
                    writeln!(log, "{line}")?;
                    on_line(&line);
                    progress.note(&line);
                    if self.verbose || !is_noise(&line) {
                        println!("   {line}");
                        last_shown = now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if last_shown.elapsed() >= STILL_BUSY_EVERY {
                println!("   … {progress}");
                last_shown = now();
            }
        }
        for reader in readers.into_iter().flatten() {
            reader.join().map_err(|_| anyhow::anyhow!("reading the output of {name} failed"))?;
        }
        Ok(child.wait()?)
    }

    /// Where the step's whole output is.
    pub fn log_path(&self) -> Result<PathBuf> {
        let folder = workspace::baken_dir().join("log");
        fs::create_dir_all(&folder)?;
        Ok(folder.join(format!("{}.log", self.name)))
    }

    /// Empties the step's log, before its first program.
    pub fn begin(&self) -> Result<()> {
        File::create(self.log_path()?)?;
        Ok(())
    }
}

fn read_lines(pipe: impl Read + Send + 'static, lines: SyncSender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        // A line is as long as the program makes it; the channel bounds how many wait.
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            if lines.send(line).is_err() {
                break;
            }
            bytes.clear();
        }
    })
}

/// How far a step is, told from the lines that are not shown.
#[derive(Default)]
struct Progress {
    crates: u32,
    tests: u32,
}

impl Progress {
    fn note(&mut self, line: &str) {
        let line = line.trim_start();
        self.crates += u32::from(line.starts_with("Compiling ") || line.starts_with("Checking "));
        self.tests += u32::from(is_passed_test(line));
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.crates, self.tests) {
            (0, 0) => f.write_str("still busy"),
            (crates, 0) => write!(f, "{crates} crates so far"),
            (_, tests) => write!(f, "{tests} tests passed so far"),
        }
    }
}

/// Starts of lines that say no more than that cargo or a test runner goes on.
const NOISE: &[&str] = &[
    "Compiling ",
    "Checking ",
    "Downloading ",
    "Downloaded ",
    "Blocking ",
    "Updating ",
    "Locking ",
    "Adding ",
    "Fresh ",
    "Finished ",
    "Doc-tests ",
    "Nextest run ID",
    "─",
    "running ",
    "all doctests ran",
];

fn is_noise(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || is_passed_test(line) || NOISE.iter().any(|start| line.starts_with(start))
}

/// A test that passed, as nextest (`PASS [`) or libtest (`test … ... ok`) says it.
fn is_passed_test(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("PASS [") || (line.starts_with("test ") && line.ends_with("... ok"))
}

/// Runs a program whose output matters only if it fails.
///
/// # Errors
/// It could not be started, or failed: then with its last lines.
pub fn quietly(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES)).copied().collect::<Vec<_>>().join("\n");
    bail!("{name} failed ({}):\n{last}", output.status)
}

/// Whether a program can be started and says yes.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The time, for showing how long a step took.
#[allow(clippy::disallowed_methods, reason = "times are shown to a person and decide nothing")]
pub fn now() -> Instant {
    Instant::now()
}
