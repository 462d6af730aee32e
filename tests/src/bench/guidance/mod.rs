//! `bench guidance`: finding in the shipped edition and in ten thousand records, an edition's update, its installation,
//! the first screen from a cold start, and ten thousand incidents; beside the finding, SQLite's FTS5, MiniSearch and
//! Fuse.js over the same texts and queries.
//!
//! Of finding both are measured: how soon, and how often what was meant is among the first five. An engine that answers at
//! once and finds nothing would else be the best.

mod edition;
mod fts5;
mod npm;
mod records;
mod screen;
mod texts;

use std::path::Path;

use anyhow::Result;

pub use screen::first_screen;

use super::{Bench, Spread};
use texts::Set;

/// How many of the first that were found count as found.
const FIRST: usize = 5;

/// Runs the bench; scratch data goes under `folder`.
///
/// # Errors
/// When a part cannot be set up, or finds nothing at all.
pub async fn guidance(folder: &Path) -> Result<Bench> {
    let mut bench = Bench::new("guidance", folder)?;
    eprintln!("bench guidance: the edition");
    let set = Set::of_edition()?;
    texts::search_edition(&mut bench, folder, &set)?;
    beside(&mut bench, folder, "edition", &set).await?;
    edition::measure(&mut bench, folder).await?;
    screen::measure(&mut bench, folder).await?;
    eprintln!("bench guidance: {} records", records::RECORDS);
    let set = records::measure(&mut bench).await?;
    beside(&mut bench, folder, "10,000 records", &set).await?;
    bench.remarks.push(
        "each query is asked of every engine as it is typed: half as it is spelt, half with a letter dropped, doubled, \
         swapped or wrong. fts5 matches words and their beginnings, as one does who takes it as it comes; fts5_trigram any \
         of a word's three-letter runs, ranked by bm25. Only baken's records lie encrypted, and only its figures hold the \
         reading of the twenty records that it shows"
            .into(),
    );
    bench.remarks.push(
        "tantivy was not run: far more crates than the rest of this bench to build. Nothing stands beside ours for updates, \
         installing and first screen, since nobody else reads this format"
            .into(),
    );
    Ok(bench)
}

async fn beside(bench: &mut Bench, folder: &Path, what: &str, set: &Set) -> Result<()> {
    fts5::measure(bench, what, set)?;
    npm::measure(bench, folder, what, set).await
}

/// Sets how soon queries were answered, and how many of them found what was meant: as spelt, and with an error.
fn set_search(
    bench: &mut Bench,
    what: &str,
    engine: &'static str,
    times: Vec<std::time::Duration>,
    found: &[(bool, bool)],
) {
    let spread = Spread::of(times);
    bench.set(&format!("search {what}, p50"), "ms", engine, spread.p50_us() / 1e3);
    bench.set(&format!("search {what}, p99"), "ms", engine, spread.p99_us() / 1e3);
    for (name, erroneous) in [("as spelt", false), ("with an error", true)] {
        let of_kind: Vec<bool> = found.iter().filter(|(kind, _)| *kind == erroneous).map(|(_, found)| *found).collect();
        #[allow(clippy::cast_precision_loss, reason = "some hundreds")]
        let share = of_kind.iter().filter(|found| **found).count() as f64 * 100.0 / of_kind.len() as f64;
        bench.set(&format!("found in the first five, {what}, {name}"), "%", engine, share);
    }
}
