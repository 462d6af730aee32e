//! For a council: how many incidents of which source, and nothing that points at one of them.
//!
//! A count under [`SMALLEST_SHOWN`] is not said, nor is nought told from it; and the total is said only when each count that
//! was left out can still be any under it. An adviser's table ([`baken_schemas::adviser::Counts`]) hides more of a row, since
//! its readers know the row's total in any case. One table: two of them, or two packs of different days, can be subtracted.

use std::path::Path;

use baken_schemas::Language;
use baken_schemas::adviser::SMALLEST_SHOWN;
use baken_schemas::local_time::local;
use baken_schemas::record::words::THREAT_SOURCE;
use serde::Serialize;

use super::{Packed, row, write};
use crate::incident::label;
use crate::{Baken, BakenError};

/// The word for what has no source, or one that this version does not know.
const UNKNOWN: &str = "unknown";

/// What a council is told. `None` where it would be too small, or would tell a small one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CouncilCounts {
    /// Of which year; of all when `None`.
    pub year: Option<i64>,
    /// All together.
    pub total: Option<usize>,
    /// By source, in the order of the list of words.
    pub by_threat_source: Vec<(String, Option<usize>)>,
}

impl CouncilCounts {
    /// Counts what each of these says is its source.
    pub(super) fn of<'a>(year: Option<i64>, threats: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = vec![0_usize; THREAT_SOURCE.len()];
        let unknown = THREAT_SOURCE.iter().position(|word| *word == UNKNOWN).unwrap_or_default();
        for threat in threats {
            let at = THREAT_SOURCE.iter().position(|word| *word == threat).unwrap_or(unknown);
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        }
        let total: usize = counts.iter().sum();
        let said = |count: usize| Some(count).filter(|count| *count >= SMALLEST_SHOWN);
        let left_out: Vec<usize> = counts.iter().copied().filter(|count| said(*count).is_none()).collect();
        // What was said taken from the total leaves the sum of these. It is not to be small itself; and where it is so large
        // that one of them cannot be nought, it tells of that one: twice four is eight, and only twice four.
        let most = left_out.len().saturating_sub(1) * (SMALLEST_SHOWN - 1);
        let tells_nothing = left_out.is_empty() || (SMALLEST_SHOWN..=most).contains(&left_out.iter().sum());
        Self {
            year,
            total: said(total).filter(|_| tells_nothing),
            by_threat_source: THREAT_SOURCE
                .iter()
                .zip(counts)
                .map(|(word, count)| ((*word).to_owned(), said(count)))
                .collect(),
        }
    }
}

impl Baken {
    /// Counts the incidents of this person's own dossier for a council.
    ///
    /// # Errors
    /// [`BakenError::Locked`].
    pub fn council_counts(&self, year: Option<i64>) -> Result<CouncilCounts, BakenError> {
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        let mut records = self.records(Some("incident"))?;
        // What is shared in a case is a copy of what is in the dossier.
        records.retain(|record| !record.deleted && record.circle == home);
        records.retain(|record| {
            let at = record.moment("happened_at").map(local).unwrap_or_default();
            year.is_none_or(|year| at.starts_with(&format!("{year:04}-")))
        });
        let threats: Vec<String> = records.iter().map(|record| record.text("threat_source")).collect();
        Ok(CouncilCounts::of(year, threats.iter().map(String::as_str)))
    }

    pub(super) fn pack_for_council(&self, year: Option<i64>, folder: &Path) -> Result<Packed, BakenError> {
        let counts = self.council_counts(year)?;
        let json =
            serde_json::json!({"format": "baken-council", "version": 0, "small": SMALLEST_SHOWN, "counts": counts});
        let shown = |count: Option<usize>| {
            count.map_or_else(|| format!("minder dan {SMALLEST_SHOWN}"), |count| count.to_string())
        };
        let mut csv = row(["bron", "aantal"]);
        for (word, count) in &counts.by_threat_source {
            csv += &row([label(word, Language::Nl), &shown(*count)]);
        }
        csv += &row(["totaal", &counts.total.map_or_else(|| "niet genoemd".to_owned(), |total| total.to_string())]);
        let files = vec![
            write(folder, "aantallen.json", format!("{json:#}\n").as_bytes())?,
            write(folder, "aantallen.csv", csv.as_bytes())?,
        ];
        Ok(Packed { files, ..Packed::default() })
    }
}
