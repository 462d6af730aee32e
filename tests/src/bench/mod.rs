//! Measurements, peers beside us in the same run. Tables for people, one JSON object for machines.
//!
//! Nothing here is a test: a slow machine fails no build.

pub mod alarm;
mod alertmanager;
mod baken;
pub mod check_in;
pub mod console;
pub mod core;
pub mod guidance;
pub mod load;
mod losses;
mod nats;
#[cfg(feature = "peers")]
mod peers;
mod phone;
mod posthumous;
mod proxy;
mod relay;
mod streams;
pub mod sync;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

/// One line of a table: a measure, and a figure for each contestant.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub measure: String,
    /// Its unit.
    pub unit: &'static str,
    /// Figures by contestant.
    #[serde(flatten)]
    pub figures: BTreeMap<&'static str, f64>,
}

/// A whole bench.
#[derive(Debug, Clone, Serialize)]
pub struct Bench {
    /// Its name.
    pub bench: &'static str,
    /// What it ran on.
    pub machine: Machine,
    /// The rows.
    pub rows: Vec<Row>,
    /// What a reader must know to compare fairly, and which peers could not be run and why.
    pub remarks: Vec<String>,
}

/// What a bench ran on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors seen.
    pub cores: usize,
    /// The processor's name.
    pub processor: String,
    /// Half of a thousand appended 4 KiB blocks were on disk within this, by fdatasync.
    pub fdatasync_p50_us: f64,
    /// And all but ten within this.
    pub fdatasync_p99_us: f64,
}

impl Machine {
    /// Looks at the machine, and measures fdatasync in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn look(folder: &Path) -> Result<Self> {
        let path = folder.join("fdatasync.probe");
        let mut file = std::fs::File::create(&path)?;
        let block = [7; 4096];
        let mut times = Vec::with_capacity(1000);
        for _ in 0..1000 {
            file.write_all(&block)?;
            let begin = now();
            file.sync_data()?;
            times.push(begin.elapsed());
        }
        std::fs::remove_file(path)?;
        let spread = Spread::of(times);
        let processor = std::fs::read_to_string("/proc/cpuinfo")
            .unwrap_or_default()
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned()))
            .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self { cores, processor, fdatasync_p50_us: spread.p50_us(), fdatasync_p99_us: spread.p99_us() })
    }
}

/// The clock that measures.
#[allow(clippy::disallowed_methods, reason = "a bench is about the wall clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// CPU that this process has used.
pub fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Times in order.
#[derive(Debug, Clone)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// Sorts times.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn at_us(&self, per_mille: usize) -> f64 {
        let index = (self.0.len() * per_mille / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }

    /// Half are within this, in microseconds.
    pub fn p50_us(&self) -> f64 {
        self.at_us(500)
    }

    /// All but one in a hundred are within this, in microseconds.
    pub fn p99_us(&self) -> f64 {
        self.at_us(990)
    }
}

impl Bench {
    /// A new bench on this machine.
    ///
    /// # Errors
    /// When `folder` cannot be written.
    pub fn new(bench: &'static str, folder: &Path) -> Result<Self> {
        Ok(Self { bench, machine: Machine::look(folder)?, rows: Vec::new(), remarks: Vec::new() })
    }

    /// Sets a figure, in the row of this measure.
    pub fn set(&mut self, measure: &str, unit: &'static str, contestant: &'static str, figure: f64) {
        let figure = (figure * 1000.0).round() / 1000.0;
        if let Some(row) = self.rows.iter_mut().find(|row| row.measure == measure) {
            row.figures.insert(contestant, figure);
        } else {
            let figures = BTreeMap::from([(contestant, figure)]);
            self.rows.push(Row { measure: measure.to_owned(), unit, figures });
        }
    }

    /// Sets the figures of a run: to the answer, and to the desk.
    pub fn set_run(
        &mut self,
        contestant: &'static str,
        (measure, rate): (&str, Option<usize>),
        (stored, handed): &(Spread, Spread),
    ) {
        self.set(&format!("stored p50, {measure}"), "ms", contestant, stored.p50_us() / 1000.0);
        self.set(&format!("stored p99, {measure}"), "ms", contestant, stored.p99_us() / 1000.0);
        self.set(&format!("at the desk p50, {measure}"), "ms", contestant, handed.p50_us() / 1000.0);
        self.set(&format!("at the desk p99, {measure}"), "ms", contestant, handed.p99_us() / 1000.0);
        if let Some(rate) = rate {
            // The same figure under a name to look up.
            self.set(&format!("to_desk_p99_{rate}"), "ms", contestant, handed.p99_us() / 1000.0);
        }
    }

    /// Prints it, as a table or as one line of JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&self, json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
            return Ok(());
        }
        let Machine { cores, processor, fdatasync_p50_us, fdatasync_p99_us } = &self.machine;
        writeln!(
            out,
            "{}: {cores} × {processor}; fdatasync p50 {fdatasync_p50_us:.0} µs, p99 {fdatasync_p99_us:.0} µs",
            self.bench
        )?;
        let mut contestants: Vec<&str> = self.rows.iter().flat_map(|row| row.figures.keys().copied()).collect();
        contestants.sort_unstable();
        contestants.dedup();
        if let Some(at) = contestants.iter().position(|name| *name == "baken") {
            contestants[..=at].rotate_right(1);
        }
        let width = self.rows.iter().map(|row| row.measure.len()).max().unwrap_or(0);
        write!(out, "{:width$}  {:>5}", "", "unit")?;
        for contestant in &contestants {
            write!(out, "  {contestant:>14}")?;
        }
        writeln!(out)?;
        for row in &self.rows {
            write!(out, "{:width$}  {:>5}", row.measure, row.unit)?;
            for contestant in &contestants {
                match row.figures.get(contestant) {
                    Some(figure) => write!(out, "  {figure:>14.3}")?,
                    None => write!(out, "  {:>14}", "-")?,
                }
            }
            writeln!(out)?;
        }
        for remark in &self.remarks {
            writeln!(out, "- {remark}")?;
        }
        Ok(())
    }
}
