//! Figures over the months past: how soon a human had each alarm, how many of which kind came in, how many were false.
//! BS 8484 asks an alarm receiving centre how large a share of calls it answers within 10 and within 40 seconds, over
//! twelve months.
//!
//! They are counted from rows that outlive the alarms and say nothing about whose they were. Still, one medical alarm in a
//! year points at somebody: a count below [`SMALLEST`] is not told, nor what it could be reckoned from.

mod words;

pub use super::store::figure::Ending;
pub use words::lines;

use std::collections::BTreeMap;
use std::path::Path;

use baken_schemas::alarm::{AlarmKind, ReceiptState};
use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use rusqlite::Connection;
use serde::{Serialize, Serializer};

use super::store::figure::FigureRow;
use super::{Desk, DeskError, store};
use crate::store::{Disk, inspect};

/// The smallest count that is told, apart from none.
pub const SMALLEST: u64 = 5;
/// The months looked back on where nothing else is asked.
pub const DEFAULT_MONTHS: u32 = 12;
/// The most months.
pub const MAX_MONTHS: u32 = 120;
/// The times of BS 8484, in milliseconds.
const WITHIN_MS: [i64; 2] = [10_000, 40_000];

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// None, or so many that they point at nobody.
    Exactly(u64),
    /// Some, and too few to be told.
    Few,
}

impl Count {
    /// A count as it may be told.
    fn of(count: u64) -> Self {
        if (1..SMALLEST).contains(&count) { Self::Few } else { Self::Exactly(count) }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::Few => write!(f, "<{SMALLEST}"),
        }
    }
}

impl Serialize for Count {
    /// A number, or `"<5"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Exactly(count) => serializer.serialize_u64(*count),
            Self::Few => serializer.collect_str(self),
        }
    }
}

/// A share of a whole of at least [`SMALLEST`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Per cent, to one decimal.
    pub percent: f64,
    /// It is this or less: the part is too small to be told.
    pub at_most: bool,
}

impl Share {
    fn of(part: u64, whole: u64) -> Option<Self> {
        let told = if (1..SMALLEST).contains(&part) { SMALLEST } else { part };
        if whole < SMALLEST {
            return None;
        }
        let permille = u32::try_from(told.saturating_mul(1000) / whole).unwrap_or(u32::MAX);
        Some(Self { percent: f64::from(permille) / 10.0, at_most: told != part })
    }
}

/// How soon a human had what came in. Times and shares only of a number that points at nobody.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    /// How many came in.
    pub came_in: Count,
    /// How many a human had, at any time.
    pub seen: Count,
    /// The share that a human had within 10 seconds; what nobody had counts against it.
    pub within_10_s: Option<Share>,
    /// Within 40 seconds.
    pub within_40_s: Option<Share>,
    /// The middle of the times, in milliseconds.
    pub median_ms: Option<i64>,
    /// The longest time, in milliseconds.
    pub worst_ms: Option<i64>,
}

/// The figures of a desk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The first month, `2026-01`, in UTC.
    pub from: String,
    /// The last, this month.
    pub to: String,
    /// Calls for help.
    pub calls: Timing,
    /// Of each kind; `unopened` where it is not known.
    pub kinds: BTreeMap<&'static str, Count>,
    /// How calls ended that were closed.
    pub endings: BTreeMap<Ending, Count>,
    /// The share of closed calls that were false, of those on which a word was said.
    pub false_alarms: Option<Share>,
    /// Users' tests.
    pub tests: Timing,
    /// Messages that something may not be able to call for help.
    pub trouble: Count,
    /// Automatic tests of the way, which machines answered.
    pub probes: u64,
}

/// A kind's word, as in the JSON of alarms; `unopened` where it is not known.
pub(super) fn kind_word(kind: Option<AlarmKind>) -> &'static str {
    match kind {
        Some(AlarmKind::Panic) => "panic",
        Some(AlarmKind::Silent) => "silent",
        Some(AlarmKind::Medical) => "medical",
        Some(AlarmKind::Duress) => "duress",
        Some(AlarmKind::Button) => "button",
        Some(AlarmKind::Missed) => "missed",
        Some(AlarmKind::Test) => "test",
        Some(AlarmKind::Probe) => "probe",
        Some(AlarmKind::Trouble) => "trouble",
        None => "unopened",
    }
}

/// The kinds that call for help.
const CALLS: [&str; 8] = ["panic", "silent", "medical", "duress", "button", "missed", "probe", "unopened"];

/// The month of a moment, in UTC, counted from January of the year 0.
pub(super) fn month_of(at: Timestamp) -> i64 {
    let text = at.to_rfc3339();
    let number = |range| text.get::<std::ops::Range<usize>>(range).and_then(|text| text.parse::<i64>().ok());
    number(0..4).zip(number(5..7)).map_or(0, |(year, month)| year * 12 + month - 1)
}

fn month_text(month: i64) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// Counts that somebody has said this of an alarm.
pub(super) fn count(
    db: &Connection,
    hash: Hash,
    state: ReceiptState,
    ending: Ending,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if state.is_by_human() {
        store::figure::seen(db, hash, now)?;
    }
    if state == ReceiptState::Closed {
        store::figure::ended(db, hash, ending)?;
    }
    Ok(())
}

/// Hides the next smallest where one alone is hidden: the total would tell it.
fn told<K: Ord + Copy>(counts: BTreeMap<K, u64>) -> BTreeMap<K, Count> {
    let mut told: BTreeMap<K, Count> = counts.iter().map(|(key, count)| (*key, Count::of(*count))).collect();
    if told.values().filter(|count| **count == Count::Few).count() == 1 {
        let next = counts.iter().filter(|(_, count)| **count >= SMALLEST).min_by_key(|(_, count)| **count);
        if let Some((key, _)) = next {
            told.insert(*key, Count::Few);
        }
    }
    told
}

fn timing(rows: &[&FigureRow]) -> Timing {
    let mut times: Vec<i64> = rows.iter().filter_map(|row| row.seen_ms).collect();
    times.sort_unstable();
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (whole, seen) = (count(rows.len()), count(times.len()));
    let within = |ms: i64| Share::of(count(times.partition_point(|time| *time <= ms)), whole);
    let enough = seen >= SMALLEST;
    Timing {
        came_in: Count::of(whole),
        seen: if whole.abs_diff(seen) < SMALLEST && whole != seen { Count::Few } else { Count::of(seen) },
        within_10_s: within(WITHIN_MS[0]),
        within_40_s: within(WITHIN_MS[1]),
        median_ms: times.get(times.len() / 2).copied().filter(|_| enough),
        worst_ms: times.last().copied().filter(|_| enough),
    }
}

fn figures(rows: &[FigureRow], probes: u64, (from, to): (i64, i64)) -> Figures {
    let calls: Vec<&FigureRow> = rows.iter().filter(|row| CALLS.contains(&row.kind.as_str())).collect();
    let tests: Vec<&FigureRow> = rows.iter().filter(|row| row.kind == "test").collect();
    let trouble = rows.iter().filter(|row| row.kind == "trouble").count();
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut endings: BTreeMap<Ending, u64> = BTreeMap::new();
    for row in &calls {
        if let Some(kind) = CALLS.into_iter().find(|kind| *kind == row.kind) {
            *kinds.entry(kind).or_default() += 1;
        }
        if let Some(ending) = row.ended {
            *endings.entry(ending).or_default() += 1;
        }
    }
    let of = |ending| endings.get(&ending).copied().unwrap_or_default();
    let said = of(Ending::Real) + of(Ending::FalseAlarm);
    Figures {
        from: month_text(from),
        to: month_text(to),
        calls: timing(&calls),
        false_alarms: Share::of(of(Ending::FalseAlarm), said),
        kinds: told(kinds),
        endings: told(endings),
        tests: timing(&tests),
        trouble: Count::of(u64::try_from(trouble).unwrap_or(u64::MAX)),
        probes,
    }
}

fn read(db: &Connection, months: u32, now: Timestamp) -> rusqlite::Result<Figures> {
    let to = month_of(now);
    let span = (to - i64::from(months.clamp(1, MAX_MONTHS)) + 1, to);
    Ok(figures(&store::figure::read(db, span)?, store::figure::probes(db, span)?, span))
}

impl Desk {
    /// The figures of this month and those before it, so many in all.
    ///
    /// # Errors
    /// [`DeskError::Store`].
    pub fn figures(&self, months: u32) -> Result<Figures, DeskError> {
        let now = self.now();
        self.store.read(|db| Ok(read(db, months, now)?))
    }
}

/// The figures in a desk's folder, whether or not the desk runs.
///
/// # Errors
/// [`DeskError::Store`]: there is no desk's database there, or one of before there were figures.
pub fn figures_of(data: &Path, months: u32, now: Timestamp) -> Result<Figures, DeskError> {
    let db = inspect(&Disk::new(data), store::DATABASE.file)?;
    Ok(read(&db, months, now)?)
}

#[cfg(test)]
mod tests;
