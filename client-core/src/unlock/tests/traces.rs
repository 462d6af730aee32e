//! What somebody without a PIN can tell from a device: 200 unlocks each way, in an order drawn at random.
//!
//! Work is counted rather than timed. A second of a busy test machine says nothing, while one write more would.

use std::collections::BTreeMap;
use std::time::SystemTime;

use rand::RngExt as _;

use super::*;

const UNLOCKS: usize = 200;

/// Every file: how long, and when it was last written.
type Files = BTreeMap<String, (u64, SystemTime)>;

/// What one unlock and lock left and did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trace {
    files: Files,
    /// The files that were written, the last one last. Those of one time stand together.
    order: Vec<Vec<String>>,
    notes: Vec<usize>,
    /// Writes that the program asked for, and their bytes.
    writes: Option<(u64, u64)>,
}

fn files(mayor: &Mayor) -> Files {
    let look = |file: std::io::Result<std::fs::DirEntry>| {
        let file = file.unwrap();
        let metadata = file.metadata().unwrap();
        (file.file_name().into_string().unwrap(), (metadata.len(), metadata.modified().unwrap()))
    };
    std::fs::read_dir(mayor.folder.path()).unwrap().map(look).collect()
}

/// This thread's writes so far, and their bytes; `None` where the system does not tell.
fn written() -> Option<(u64, u64)> {
    let io = std::fs::read_to_string("/proc/thread-self/io").ok()?;
    let number = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Some((number("syscw:")?, number("wchar:")?))
}

fn trace(mayor: &Mayor, pin: &str) -> Trace {
    mayor.pass_s(60);
    let before = written();
    mayor.baken.unlock(pin).unwrap();
    mayor.baken.lock();
    let writes = before.zip(written()).map(|(before, after)| (after.0 - before.0, after.1 - before.1));
    let notes = mayor.take_notes().iter().map(|(size, _)| *size).collect();
    let files = files(mayor);
    let mut by_time: BTreeMap<SystemTime, Vec<String>> = BTreeMap::new();
    for (name, (_, time)) in &files {
        // Only the databases' times are set; the others' are the machine's, and those of one unlock differ by moments.
        if name.starts_with("vault") && name.contains(".db") {
            by_time.entry(*time).or_default().push(name.clone());
        }
    }
    Trace { files, order: by_time.into_values().collect(), notes, writes }
}

/// The length of every file.
fn lengths(trace: &Trace) -> BTreeMap<&str, u64> {
    trace.files.iter().map(|(name, (length, _))| (name.as_str(), *length)).collect()
}

#[test]
fn two_hundred_unlocks_each_way_leave_the_same_traces() {
    let mayor = Mayor::under_threat();
    // Past the first ones, in which SQLite still finds its sizes.
    for pin in [PIN, DURESS, PIN, DURESS] {
        trace(&mayor, pin);
    }
    let mut rng = ChaCha20Rng::seed_from_u64(200);
    let (mut truth, mut duress) = (Vec::new(), Vec::new());
    while truth.len() < UNLOCKS || duress.len() < UNLOCKS {
        let pin = if duress.len() == UNLOCKS || (truth.len() < UNLOCKS && rng.random()) { PIN } else { DURESS };
        let trace = trace(&mayor, pin);
        if pin == PIN { truth.push(trace) } else { duress.push(trace) }
    }
    let first = &truth[0];
    for trace in truth.iter().chain(&duress) {
        let mut now = lengths(trace);
        let mut then = lengths(first);
        // The outbox's journal is folded every so many pages, whoever unlocks; below it counts by its average.
        for name in ["outbox.db", "outbox.db-wal"] {
            assert_eq!(now.remove(name).is_some(), then.remove(name).is_some());
        }
        assert_eq!(now, then, "the set of files and their lengths");
        assert_eq!(trace.order, [["vault-2.db", "vault.db"]], "both databases have one time");
        assert_eq!(trace.notes, first.notes, "one note of one size");
    }
    // Every unlock asks for the same writes, but for where the outbox's rows happen to lie.
    let median = |traces: &[Trace], part: fn(&(u64, u64)) -> u64| -> Option<u64> {
        let mut parts: Vec<u64> = traces.iter().map(|trace| trace.writes.as_ref().map(part)).collect::<Option<_>>()?;
        parts.sort_unstable();
        Some(parts[parts.len() / 2])
    };
    for part in [(|writes| writes.0) as fn(&(u64, u64)) -> u64, |writes| writes.1] {
        assert_eq!(median(&truth, part), median(&duress, part));
        let numbers = |traces: &[Trace]| traces.iter().filter_map(|trace| trace.writes.as_ref().map(part)).collect();
        let (one, other): (Vec<u64>, Vec<u64>) = (numbers(&truth), numbers(&duress));
        if !one.is_empty() {
            let distance = kolmogorov_smirnov(&one, &other);
            // 1.63 × √(2/200): what chance alone exceeds once in a hundred.
            assert!(distance < 0.163, "distance {distance}: {one:?} and {other:?}");
        }
    }
}

/// The largest distance between two distributions.
fn kolmogorov_smirnov(one: &[u64], other: &[u64]) -> f64 {
    let below = |numbers: &[u64], limit: u64| {
        numbers.iter().filter(|number| **number <= limit).count() as f64 / numbers.len() as f64
    };
    one.iter().chain(other).map(|limit| (below(one, *limit) - below(other, *limit)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_device_without_duress_pins_looks_as_one_with_five() {
    let (without, with) = (Mayor::activated(), Mayor::activated());
    for pin in ["111111", "222222", "333333", "444444", "555555"] {
        with.baken.add_duress_pin(PIN, pin).unwrap();
    }
    without.baken.lock();
    with.baken.lock();
    assert_eq!(
        files(&without).into_iter().map(|(name, (length, _))| (name, length)).collect::<Vec<_>>(),
        files(&with).into_iter().map(|(name, (length, _))| (name, length)).collect::<Vec<_>>(),
    );
    let clear = |mayor: &Mayor| std::fs::read(mayor.baken.home.vault_header()).unwrap()[..24].to_vec();
    assert_eq!(clear(&without), clear(&with));
}

#[test]
fn nothing_that_is_shown_depends_on_which_pin_it_was() {
    let mayor = Mayor::under_threat();
    // Every answer of a method that an app calls, but for content: which errors, and which fields.
    let shows = |pin: &str| {
        mayor.pass_s(60);
        mayor.baken.unlock(pin).unwrap();
        let status = serde_json::to_value(mayor.baken.status().unwrap()).unwrap();
        let fields: Vec<String> = status.as_object().unwrap().keys().cloned().collect();
        let code = |done: Result<(), BakenError>| done.err().map(|error| error.code().to_owned());
        let answers = [
            code(mayor.baken.change_pin(pin, "123")),
            code(mayor.baken.change_pin(pin, pin)),
            code(mayor.baken.add_duress_pin(pin, "42")),
        ];
        let wipes = {
            mayor.pass_s(600);
            mayor.baken.wipes_after_ten(pin).unwrap()
        };
        mayor.take_notes();
        (
            fields,
            status["trustworthy"].clone(),
            status["conflicts"].clone(),
            answers,
            wipes,
            mayor.baken.is_set_up().unwrap(),
        )
    };
    assert_eq!(shows(PIN), shows(DURESS));
}
