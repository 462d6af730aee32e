//! `bench core`: local edits with and without durability, remote edits applied, cold open, memory; beside Automerge,
//! Loro and Yrs on the same workload of [`RECORDS`] records with [`FIELDS`] fields of 40 bytes.
//!
//! Each contestant runs in processes of its own: one fills and edits, a fresh one opens what the first left, so that
//! memory and cold open are not flattered by warm caches. CPU is the process's own, wall time includes fdatasync.
//!
//! Remote edits are applied in two steps: taken in, which makes them durable, and merged into records, which may wait
//! for the first read after.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Bench, cpu_time, now};

/// Records in the workload.
pub const RECORDS: usize = 20_000;
/// Fields a record.
pub const FIELDS: usize = 5;
/// Edits timed.
const EDITS: usize = 500;
/// Remote edits in one batch.
const REMOTE: usize = 1000;
/// How often a fresh process opens the workload; the median counts.
const OPENINGS: usize = 5;

/// A record's name, for the engines that name records by text.
pub fn record_name(record: usize) -> String {
    format!("record-{record:05}")
}

/// A field's name.
pub fn field_name(field: usize) -> String {
    format!("field-{field}")
}

/// Forty bytes that no two fields share.
fn forty_bytes(record: usize, field: usize, round: usize) -> String {
    format!("{record:012} {field:012} {round:014}")
}

/// An engine under this workload.
pub trait Contestant: Sized {
    /// Its name in the table.
    const NAME: &'static str;

    /// A replica with the whole workload in it.
    ///
    /// # Errors
    /// When the engine refuses.
    fn fill(value: &dyn Fn(usize, usize) -> String) -> Result<Self>;

    /// Writes it to `folder`, so that [`Contestant::open`] finds it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save(&mut self, folder: &Path) -> Result<()>;

    /// Opens what was saved.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open(folder: &Path) -> Result<Self>;

    /// Reads all fields of a record; how many there are.
    ///
    /// # Errors
    /// When it is not there.
    fn read(&mut self, record: usize) -> Result<usize>;

    /// Edits a field; when `durable`, it is on disk before this returns.
    ///
    /// # Errors
    /// When the engine or disk refuses.
    fn edit(&mut self, record: usize, field: usize, value: String, durable: bool) -> Result<()>;

    /// What another replica would send after these edits.
    ///
    /// # Errors
    /// When the engine refuses.
    fn remote_edits(&mut self, edits: &[(usize, usize, String)]) -> Result<Vec<u8>>;

    /// Applies what another replica sent, and makes it durable.
    ///
    /// # Errors
    /// When the engine or disk refuses.
    fn apply(&mut self, update: &[u8]) -> Result<Aside>;

    /// When the key was at hand that [`Contestant::open`] needed; `None` where there is no key.
    fn key_at(&self) -> Option<Instant> {
        None
    }
}

/// What applying an update involved beside the engine.
#[derive(Debug, Clone, Copy)]
pub struct Aside {
    /// CPU that was not the engine's: to be taken off.
    pub cpu: Duration,
    /// The update's size as it travelled.
    pub bytes: u64,
}

/// Runs the bench: this very program again for every contestant and half.
///
/// # Errors
/// When a contestant fails.
pub async fn core(folder: &Path) -> Result<Bench> {
    let mut bench = Bench::new("core", folder)?;
    let own = std::env::current_exe()?;
    let names: &[&'static str] =
        if cfg!(feature = "peers") { &["baken", "automerge", "loro", "yrs"] } else { &["baken"] };
    for contestant in names {
        eprintln!("bench core: {contestant}");
        let data = folder.join(contestant);
        std::fs::create_dir_all(&data)?;
        let mut measured: Vec<(String, &'static str, Vec<f64>)> = Vec::new();
        for half in std::iter::once("edit").chain(std::iter::repeat_n("open", OPENINGS)) {
            let output = tokio::process::Command::new(&own)
                .args(["core-half", contestant, half])
                .arg(&data)
                .stderr(std::process::Stdio::inherit())
                .output()
                .await?;
            if !output.status.success() {
                bail!("{contestant} failed to {half}");
            }
            let figures: Vec<(String, String, f64)> = serde_json::from_slice(&output.stdout)?;
            for (measure, unit, figure) in figures {
                let unit = ["µs", "ms", "MB", "kB"].into_iter().find(|known| *known == unit).unwrap_or("");
                match measured.iter_mut().find(|(known, ..)| *known == measure) {
                    Some((.., figures)) => figures.push(figure),
                    None => measured.push((measure, unit, vec![figure])),
                }
            }
        }
        for (measure, unit, mut figures) in measured {
            figures.sort_unstable_by(f64::total_cmp);
            bench.set(&measure, unit, contestant, figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN));
        }
    }
    if !cfg!(feature = "peers") {
        bench.remarks.push("peers were not run: build with --features peers, as `cargo xtask bench` does".into());
    }
    bench.remarks.push(
        "baken keeps every field encrypted on disk (SQLCipher) and seals and signs what it sends; the others do neither. \
         Their durable edit appends the change to a file"
            .into(),
    );
    Ok(bench)
}

/// One half of one contestant; prints its figures as JSON.
///
/// # Errors
/// When the contestant is unknown or fails.
pub fn half(contestant: &str, half: &str, folder: &Path) -> Result<Value> {
    match contestant {
        "baken" => run::<super::baken::Baken>(half, folder),

        #[cfg(feature = "peers")]
        "automerge" => run::<super::peers::Automerge>(half, folder),
        #[cfg(feature = "peers")]
        "loro" => run::<super::peers::Loro>(half, folder),
        #[cfg(feature = "peers")]
        "yrs" => run::<super::peers::Yrs>(half, folder),
        other => bail!("no contestant is called {other}"),
    }
}

fn run<C: Contestant>(half: &str, folder: &Path) -> Result<Value> {
    let mut figures: Vec<(String, &str, f64)> = Vec::new();
    if half == "open" {
        let before = resident_mb()?;
        let begin = now();
        let mut engine = C::open(folder)?;
        let fields = engine.read(RECORDS / 2)?;
        let whole = begin.elapsed();
        let took = engine.key_at().unwrap_or(begin).elapsed();
        if fields < FIELDS {
            bail!("{} opened a record with {fields} fields", C::NAME);
        }
        let memory = resident_mb()? - before;
        figures.push(("cold open to first record".into(), "ms", whole.as_secs_f64() * 1e3));
        figures.push(("cold_open_key_at_hand".into(), "ms", took.as_secs_f64() * 1e3));
        figures.push(("memory with it open".into(), "MB", memory));
        return Ok(json!(figures));
    }
    let mut engine = C::fill(&|record, field| forty_bytes(record, field, 0))?;
    for durable in [false, true] {
        if durable {
            engine.save(folder)?;
        }
        let (wall, cpu, ()) = timed(|| {
            for n in 0..EDITS {
                let record = n * 17 % RECORDS;
                engine.edit(record, n % FIELDS, forty_bytes(record, n % FIELDS, n + 1), durable)?;
            }
            Ok(())
        })?;
        let name = if durable { "durable local edit" } else { "local edit" };
        #[allow(clippy::cast_precision_loss, reason = "500 edits")]
        let each = |total: Duration| total.as_secs_f64() * 1e6 / EDITS as f64;
        figures.push((format!("{name}, CPU"), "µs", each(cpu)));
        figures.push((format!("{name}, wall"), "µs", each(wall)));
    }
    let edits: Vec<(usize, usize, String)> = (0..REMOTE)
        .map(|n| (n * 7 % RECORDS, n % FIELDS, forty_bytes(n * 7 % RECORDS, n % FIELDS, 1_000_000 + n)))
        .collect();
    let update = engine.remote_edits(&edits)?;
    let (wall, cpu, aside) = timed(|| engine.apply(&update))?;
    let first = edits.first().map_or(0, |(record, ..)| *record);
    let (merge_wall, merge_cpu, _) = timed(|| engine.read(first))?;
    #[allow(clippy::cast_precision_loss, reason = "some kilobytes")]
    figures.push(("1,000 remote edits, bytes".into(), "kB", aside.bytes as f64 / 1000.0));
    for (name, time, merge) in [("CPU", cpu, merge_cpu), ("wall", wall, merge_wall)] {
        let durable = time.saturating_sub(aside.cpu);
        let measure = |what: &str| format!("1,000 remote edits {what}, {name}");
        figures.push((measure("opened, verified and durable"), "ms", durable.as_secs_f64() * 1e3));
        figures.push((measure("merged into records"), "ms", merge.as_secs_f64() * 1e3));
        figures.push((measure("applied"), "ms", (durable + merge).as_secs_f64() * 1e3));
    }
    engine.save(folder)?;
    Ok(json!(figures))
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(Duration, Duration, T)> {
    let (wall, cpu) = (now(), cpu_time());
    let done = work()?;
    Ok((wall.elapsed(), cpu_time().saturating_sub(cpu), done))
}

/// Resident memory in megabytes, from Linux.
fn resident_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is read from /proc")?;
    let kb = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kb| kb.trim().parse::<f64>().ok())
        .context("/proc/self/status has VmRSS")?;
    Ok(kb / 1024.0)
}
