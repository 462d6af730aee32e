//! I1 under power loss: whatever a disk may hold after a cut at any moment of the relay's work, every alarm that was
//! answered is there with its bytes, its mail and its ladder, every deposit is there or raised, and so is everything else that was answered; and nothing
//! is there by half.
//!
//! The relay, its store, migrations and settings are the real ones, on the recording disk of
//! [`baken_tests::power_loss`]. The search is only worth something because it bites: it finds a lowered `synchronous`
//! and a missing sync, and its look at what belongs together finds each row that is taken away.

mod faults;
mod image;
mod load;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use baken_server::store::Disk;
use baken_tests::plant::{planted, setting};
use baken_tests::power_loss::{Log, Loss, Point};
use rusqlite::Connection;
use tempfile::TempDir;

use image::{Damage, damage};
use load::{Durability, Promise, Run, record};

/// Points replayed, each with every loss.
const POINTS: u64 = 500;
/// Points searched where there must be damage; the first is found within a few.
const SEARCHED: usize = 100;
/// Every way to lose, with a seed of its own.
const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::DropUnsynced, Loss::Reorder { seed: 2311 }, Loss::Torn { seed: 2026 }];
/// Threads that replay: an image is built and searched apart from all others.
const THREADS: usize = 2;

/// A folder for what need not outlive the test: in memory where the machine has it, since two thousand images are
/// written, and a sync is recorded whether or not it takes long.
fn fleeting() -> Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

/// Cuts at each of `points` with every loss, and gives what came of it to `see`, which says whether to go on.
async fn cut(
    run: &Run,
    log: &Log,
    points: &[Point],
    losses: [Loss; 4],
    mut see: impl FnMut(Point, Loss, Damage) -> bool,
) -> Result<()> {
    let mut replay = log.replay();
    for &point in points {
        let mut promised: Vec<&Promise> = Vec::new();
        for mark in log.marks_before(point) {
            promised.push(run.promises.get(mark.parse::<usize>()?).context("a mark is a promise's number")?);
        }
        for loss in losses {
            let folder = fleeting()?;
            replay.image_at(point, loss, folder.path())?;
            if !see(point, loss, damage(folder.path(), &run.cast, &promised).await) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn recorded(name: &str, durability: Durability) -> Result<Run> {
    let folder = fleeting()?;
    runtime()?.block_on(record(name, folder.path(), durability))
}

/// Damage of each kind that cuts of this log bring about: lost, half, corrupt. Ends with the first that counts.
fn first_damages(run: &Run, log: &Log) -> Result<[Option<String>; 3]> {
    let mut found: [Option<String>; 3] = Default::default();
    let points = log.sample_points(SEARCHED);
    runtime()?.block_on(cut(run, log, &points, LOSSES, |point, loss, damage| {
        let (kind, what) = match damage {
            Damage::None => return true,
            Damage::Lost(what) => (0, what),
            Damage::Half(what) => (1, what),
            Damage::Corrupt(what) => (2, what),
        };
        // A lost alarm is the catch; what else is lost before the first is passed over.
        let is_catch = kind > 0 || what.contains("I1");
        found[kind] = Some(format!("{point}, {loss:?}: {what}"));
        !is_catch
    }))?;
    Ok(found)
}

/// The losses of a seed; the ordinary run's is 0.
fn losses_of(seed: u64) -> [Loss; 4] {
    LOSSES.map(|loss| match loss {
        Loss::Reorder { seed: own } => Loss::Reorder { seed: own ^ seed },
        Loss::Torn { seed: own } => Loss::Torn { seed: own ^ seed },
        other => other,
    })
}

/// `BAKEN_POWER_POINTS` and `BAKEN_POWER_SEED` search elsewhere.
#[test]
fn i1_every_alarm_answered_outlives_a_power_loss_at_any_moment() -> Result<()> {
    let durability = if planted("lowered-synchronous") { Durability::Lowered } else { Durability::AsBuilt };
    let mut run = recorded("relay-as-built", durability)?;
    if planted("removed-fsync") {
        run.log = run.log.without_syncs(|name| name == Path::new("relay.db-wal"));
    }
    let wanted = usize::try_from(setting("BAKEN_POWER_POINTS").unwrap_or(POINTS))?;
    let losses = losses_of(setting("BAKEN_POWER_SEED").unwrap_or(0));
    let points = run.log.sample_points(wanted);
    let taken = points.len();
    assert!(taken == wanted || taken == run.log.points().count(), "{taken} of {wanted} points");
    let alarms = run.promises.iter().filter(|promise| matches!(promise, Promise::Alarm { .. })).count();
    assert!(alarms >= 80, "{alarms} alarms were answered");
    assert!(run.log.sync_count(Path::new("relay.db")) >= 2, "checkpoints were made, and cut into");

    // Points are dealt out in runs, since a replay goes forward.
    let parts: Vec<&[Point]> = points.chunks(taken.div_ceil(THREADS)).collect();
    let searched = std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .map(|part| {
                scope.spawn(|| -> Result<usize> {
                    let mut images = 0;
                    runtime()?.block_on(cut(&run, &run.log, part, losses, |point, loss, damage| {
                        assert_eq!(damage, Damage::None, "{point}, {loss:?}");
                        images += 1;
                        true
                    }))?;
                    Ok(images)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no image is damaged")).sum::<Result<usize>>()
    })?;
    assert_eq!(searched, taken * LOSSES.len());
    println!("proof: {searched} images");
    Ok(())
}

#[test]
fn i1_the_search_bites_when_synchronous_is_lowered() -> Result<()> {
    let run = recorded("relay-lowered", Durability::Lowered)?;
    let [lost, half, corrupt] = first_damages(&run, &run.log)?;
    let lost = lost.with_context(|| format!("NORMAL answers before the disk has it; found {half:?}, {corrupt:?}"))?;
    assert!(lost.contains("I1"), "alarms are lost, not only this: {lost}");
    Ok(())
}

#[test]
fn i1_the_search_bites_when_the_log_is_not_synced() -> Result<()> {
    let run = recorded("relay-unsynced", Durability::AsBuilt)?;
    let wal = Path::new("relay.db-wal");
    assert!(run.log.sync_count(wal) >= 80, "every group is synced");
    let unsynced = run.log.without_syncs(|name| name == wal);
    let [lost, half, corrupt] = first_damages(&run, &unsynced)?;
    assert!(lost.or(half).or(corrupt).is_some(), "a log that is never synced keeps nothing");
    Ok(())
}

/// What is taken away by hand from a whole database is missed, row by row.
#[test]
fn i1_the_search_bites_when_half_an_alarm_is_there() -> Result<()> {
    let run = recorded("relay-halves", Durability::AsBuilt)?;
    let end = run.log.points().last().context("a log has a last point")?;
    let promised: Vec<&Promise> = run.promises.iter().collect();
    let look = |sql: &str| -> Result<Damage> {
        let folder = fleeting()?;
        run.log.replay().image_at(end, Loss::Nothing, folder.path())?;
        let disk = Disk::new(folder.path());
        let db = Connection::open(disk.dir.join("relay.db"))?;
        db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))?;
        db.close().map_err(|(_, error)| error)?;
        runtime()?.block_on(async { Ok(damage(folder.path(), &run.cast, &promised).await) })
    };
    assert_eq!(look("")?, Damage::None);
    for sql in [
        "DELETE FROM document WHERE document = (SELECT document FROM alarm LIMIT 1)",
        "DELETE FROM mail WHERE document = (SELECT document FROM alarm LIMIT 1)",
        "DELETE FROM handed WHERE alarm = (SELECT alarm FROM alarm LIMIT 1)",
        "DELETE FROM ladder_rung WHERE alarm = (SELECT alarm FROM alarm LIMIT 1) AND rung = 1",
        "DELETE FROM ladder_run WHERE alarm = (SELECT alarm FROM ladder_run LIMIT 1)",
        "DELETE FROM receipt WHERE alarm = (SELECT alarm FROM alarm LIMIT 1)",
        "DELETE FROM idempotency
         WHERE key = (SELECT alarm FROM alarm WHERE alarm NOT IN (SELECT deposit FROM deposit) LIMIT 1)",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit WHERE act = 'alarm_stored')",
        "DELETE FROM alarm WHERE alarm = (SELECT alarm FROM alarm LIMIT 1)",
        "DELETE FROM deposit WHERE deposit = (SELECT deposit FROM deposit WHERE state = 2 LIMIT 1)",
        "DELETE FROM deposit WHERE deposit = (SELECT deposit FROM deposit WHERE state = 0 LIMIT 1)",
        "UPDATE deposit SET state = 0 WHERE deposit = (SELECT deposit FROM deposit WHERE state = 2 LIMIT 1)",
        "DELETE FROM entry WHERE counter = 3",
        "DELETE FROM log_record WHERE seq = (SELECT max(seq) FROM log_record)",
        "DELETE FROM card",
        "DELETE FROM device WHERE device = (SELECT device FROM device LIMIT 1)",
    ] {
        assert_ne!(look(sql)?, Damage::None, "{sql}");
    }
    Ok(())
}
