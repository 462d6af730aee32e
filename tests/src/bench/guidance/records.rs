//! Ten thousand incidents in a dossier: found by words, listed, and in order of time.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::Language;
use baken_schemas::edition::{Audience, shipped};
use baken_schemas::record::Value;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::texts::{Set, Text};
use super::{FIRST, set_search};
use crate::bench::baken::{Counted, account};
use crate::bench::phone::memory;
use crate::bench::{Bench, Spread, now};

/// Incidents in the dossier.
pub const RECORDS: usize = 10_000;
/// How many of them are asked for.
const ASKED: usize = 60;
/// How often lists are made.
const LISTS: usize = 9;

/// What names are made of.
const SYLLABLES: [&str; 16] =
    ["bra", "dok", "fen", "gul", "hof", "jan", "kes", "lom", "mur", "nij", "pol", "rik", "sta", "tol", "vel", "wou"];

/// Measures all of it, and says what was looked through.
///
/// # Errors
/// When the dossier cannot be filled.
pub async fn measure(bench: &mut Bench) -> Result<Set> {
    let scratch = memory()?;
    let wire = Counted::new(9);
    let (_relay, phone, _tablet) = account(scratch.path(), &wire).await?;
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let texts = shipped::files();
    let words: BTreeSet<String> = texts
        .iter()
        .filter(|(path, _)| path.contains("/nl/"))
        .flat_map(|(_, text)| text.split(|letter: char| !letter.is_alphabetic()).map(str::to_lowercase))
        .filter(|word| word.len() > 2)
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    let said = |count: usize, rng: &mut ChaCha20Rng| -> String {
        (0..count).map(|_| words[rng.random_range(0..words.len())].clone()).collect::<Vec<_>>().join(" ")
    };
    let name =
        |rng: &mut ChaCha20Rng| -> String { (0..3).map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())]).collect() };
    let mut set = Set::default();
    let reader = (Language::Nl, Audience::OfficeHolder);
    for n in 0..RECORDS {
        let (what, how, place) = (said(8, &mut rng), said(12, &mut rng), format!("{}straat {n}", name(&mut rng)));
        let witness = name(&mut rng);
        let fields = [("what", &what), ("how", &how), ("place", &place), ("witnesses", &witness)]
            .map(|(name, text)| (name.to_owned(), Value::Text(text.clone())));
        let at = ("happened_at".to_owned(), Value::Int(1_795_000_000_000 - n as i64 * 3_600_000));
        let record = phone.create("incident", fields.into_iter().chain([at]).collect())?;
        if n % (RECORDS / ASKED) == 0 {
            let telling = what.split(' ').find(|word| word.len() > 6).unwrap_or(&witness);
            set.ask(&[witness.clone(), telling.to_owned()], &record.to_string(), reader, &mut rng);
        }
        set.texts.push(Text { id: record.to_string(), title: what, text: format!("{how} {place} {witness}") });
    }

    let first = set.queries.first().context("something is asked")?;
    let begin = now();
    ensure!(!phone.search_records(&first.typed)?.is_empty(), "nothing is found");
    bench.set("first search of 10,000 records, words read", "ms", "baken", begin.elapsed().as_secs_f64() * 1e3);
    let (mut times, mut found) = (Vec::new(), Vec::new());
    for query in &set.queries {
        let begin = now();
        let hits = phone.search_records(&query.typed)?;
        times.push(begin.elapsed());
        found.push((query.erroneous, hits.iter().take(FIRST).any(|hit| hit.record.record.to_string() == query.meant)));
    }
    set_search(bench, "10,000 records", "baken", times, &found);
    let edited = set.texts.first().context("there are records")?.id.parse()?;
    let mut times = Vec::new();
    for (nth, query) in set.queries.iter().take(40).enumerate() {
        phone.put(edited, vec![("why".to_owned(), Value::Text(format!("reden {nth}")))])?;
        let begin = now();
        phone.search_records(&query.typed)?;
        times.push(begin.elapsed());
    }
    bench.set("search 10,000 records just after an edit, p50", "ms", "baken", Spread::of(times).p50_us() / 1e3);

    let mut list = |measure: &str, work: &dyn Fn() -> Result<usize>| -> Result<()> {
        let mut times = Vec::new();
        for _ in 0..LISTS {
            let begin = now();
            ensure!(work()? == RECORDS, "all are there");
            times.push(begin.elapsed());
        }
        bench.set(measure, "ms", "baken", Spread::of(times).p50_us() / 1e3);
        Ok(())
    };
    list("10,000 incidents, listed", &|| Ok(phone.records(Some("incident"))?.len()))?;
    list("10,000 incidents, as a timeline", &|| Ok(phone.timeline()?.len()))?;
    Ok(set)
}
