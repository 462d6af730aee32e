//! The simulation, seed by seed. `BAKEN_SIM_SEED=7` runs one seed and nothing else, `BAKEN_SIM_SEEDS=500` that many from
//! `BAKEN_SIM_FROM`; `BAKEN_SIM_STEPS=2000` makes each longer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use baken_tests::plant::setting;
use baken_tests::sim::{Broken, Done, STEPS, Tally, simulate};

/// How many seeds every run of the tests takes.
const SEEDS: u64 = 10;

/// Runs seeds on as many threads as there are processors; each seed is on one thread.
fn simulate_all(seeds: std::ops::Range<u64>, steps: u32) -> Vec<Result<Done, Broken>> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        if seed >= seeds.end {
                            return done;
                        }
                        done.push(simulate(seed, steps));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no seed panics")).collect()
    })
}

#[test]
fn i1_i2_i3_i6_i7_i10_hold_in_every_seed() {
    let seeds = match setting("BAKEN_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = setting("BAKEN_SIM_FROM").unwrap_or(0);
            first..first + setting("BAKEN_SIM_SEEDS").unwrap_or(SEEDS)
        }
    };
    let count = seeds.end - seeds.start;
    let steps = setting("BAKEN_SIM_STEPS").map_or(STEPS, |steps| u32::try_from(steps).expect("that many steps"));
    let (held, broken): (Vec<_>, Vec<_>) = simulate_all(seeds, steps).into_iter().partition(Result::is_ok);
    let broken: Vec<String> = broken.into_iter().filter_map(|run| Some(run.err()?.to_string())).collect();
    assert!(broken.is_empty(), "{} of {count} seeds broke a promise\n{}", broken.len(), broken.join("\n\n"));

    // Promises are easily kept where nothing happens.
    let held: Vec<Done> = held.into_iter().flatten().collect();
    let tallies: Vec<Tally> = held.iter().map(|done| done.tally).collect();
    for tally in &tallies {
        println!("{tally:?}");
    }
    if count >= SEEDS {
        let traces: BTreeSet<_> = held.iter().map(|done| done.trace.0).collect();
        assert_eq!(traces.len(), held.len(), "every seed makes a history of its own");
        assert!(tallies.iter().all(|tally| tally.alarms > 0 && tally.edits > 0 && tally.kills > 0), "{tallies:?}");
        assert!(tallies.iter().any(|tally| tally.acts > 0), "{tallies:?}");
        assert!(tallies.iter().any(|tally| tally.conflicts > 0), "{tallies:?}");
        assert!(tallies.iter().any(|tally| tally.exhausted > 0), "{tallies:?}");
        assert!(tallies.iter().any(|tally| tally.lies_refused > 0), "{tallies:?}");
    }
    println!("proof: {count} seeds of {steps} steps");
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let [once, again] = [7, 7].map(|seed| simulate(seed, STEPS).unwrap_or_else(|broken| panic!("{broken}")));
    assert_eq!(once, again);
}
