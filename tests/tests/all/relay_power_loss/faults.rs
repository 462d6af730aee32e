//! A disk that fails while the relay works: the n-th read, write, sync or allocation of space, once or for good.
//!
//! Nothing that was answered with a 2xx may be missing afterwards, neither on the disk as it is when the relay is
//! started again, nor when the current fails as well and takes all that was not synced: a sync that failed made nothing
//! durable. And it must open again, whole.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use baken_tests::plant::{planted, setting};
use baken_tests::power_loss::{Fault, Loss, Operation};

use super::image::{Damage, damage};
use super::load::{Promise, record_failing};
use super::{fleeting, runtime};

/// Which calls fail in every run of the tests. `BAKEN_FAULTS_FROM` and `BAKEN_FAULTS_COUNT` make it a range.
const SPREAD: [u32; 5] = [1, 7, 23, 61, 140];

/// What one fault led to.
struct Outcome {
    strikes: u32,
    promises: usize,
    damages: Vec<(Loss, Damage)>,
}

fn outcome(fault: Fault) -> Result<Outcome> {
    let folder = fleeting()?;
    let name = format!("fault-{:?}-{}-{}-{}", fault.operation, fault.nth, fault.for_good, fault.swallowed);
    runtime()?.block_on(async {
        let (run, strikes) = record_failing(&name, folder.path(), fault).await?;
        let run = Arc::new(run);
        let promised: Vec<&Promise> = run.promises.iter().collect();
        let mut damages = vec![(Loss::Nothing, damage(folder.path(), &run.cast, &promised).await)];
        let end = run.log.points().last().context("a log has a last point")?;
        let image = fleeting()?;
        run.log.replay().image_at(end, Loss::DropUnsynced, image.path())?;
        damages.push((Loss::DropUnsynced, damage(image.path(), &run.cast, &promised).await));
        Ok(Outcome { strikes, promises: promised.len(), damages })
    })
}

#[test]
fn i1_no_answer_is_false_when_a_call_of_the_disk_fails() -> Result<()> {
    let swallowed = planted("swallowed-sync-error");
    let first = u32::try_from(setting("BAKEN_FAULTS_FROM").unwrap_or(0))?;
    let count = u32::try_from(setting("BAKEN_FAULTS_COUNT").unwrap_or(0))?;
    let which: Vec<u32> = if count == 0 { SPREAD.to_vec() } else { (first..first + count).collect() };
    let (mut runs, mut struck, mut promises) = (0, 0, 0);
    for operation in Operation::ALL {
        let mut strikes = 0;
        for &nth in &which {
            for for_good in [false, true] {
                let swallowed = swallowed && operation == Operation::Sync;
                let fault = Fault { operation, nth, for_good, swallowed };
                let outcome = outcome(fault).with_context(|| format!("{fault:?}"))?;
                for (loss, damage) in outcome.damages {
                    assert_eq!(damage, Damage::None, "{fault:?}, then {loss:?}");
                }
                (runs, strikes, promises) = (runs + 1, strikes + outcome.strikes, promises + outcome.promises);
            }
        }
        // A range far out may lie past the last call of a kind.
        assert!(strikes > 0 || count > 0, "no {operation:?} failed");
        struck += strikes;
    }
    assert!(count > 0 || promises > 100, "{promises} promises in {runs} runs");
    println!("proof: {runs} faults, {struck} failed calls, {promises} promises kept");
    Ok(())
}
