//! The power-loss recorder proves itself on a small table: it finds nothing wrong with SQLite used as Baken's
//! stores use it, and finds each way of using it wrongly. Without the second half the first would mean nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use baken_tests::power_loss::{Log, Loss, Point, Recorder};
use rusqlite::{Connection, OpenFlags, params};

/// The database's name in its folder.
const DATABASE: &str = "store.db";

/// Commits in one run. A run of them has some 3,500 points.
const COMMITS: i64 = 150;

/// Points replayed in the full proof, each with every loss.
const POINTS: usize = 600;

/// Points searched for damage where there must be some; the first is found within a few dozen.
const SEARCHED: usize = 120;

/// Every way to lose, with a seed of its own.
const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::DropUnsynced, Loss::Reorder { seed: 2026 }, Loss::Torn { seed: 1123 }];

/// How a database is used.
#[derive(Clone, Copy)]
struct Usage {
    journal_mode: &'static str,
    synchronous: &'static str,
}

/// As DESIGN asks of the server's store.
const STORE: Usage = Usage { journal_mode: "WAL", synchronous: "FULL" };

/// Rows that a commit adds: from one to eight, as a group commit finds them in its queue.
fn rows_of(commit: i64) -> std::ops::Range<i64> {
    let first = commit * 8;
    first..first + 1 + commit % 8
}

/// What a row holds: from nothing to a good two pages, so that rows fill, share and overflow pages.
fn body_of(row: i64) -> Vec<u8> {
    vec![(row % 251) as u8; (row * 37 % 9_000) as usize]
}

/// Writes the table through a recorder, with a mark after each commit, and gives back what the disk saw.
///
/// A checkpoint is made every 20 commits, every third of them a truncating one, as the store's writer makes both.
fn record(name: &str, usage: Usage, folder: &Path) -> Result<Log> {
    let recorder = Recorder::start(name, folder)?;
    let mut connection =
        Connection::open_with_flags_and_vfs(folder.join(DATABASE), OpenFlags::default(), recorder.vfs_name())?;
    let journal_mode: String =
        connection.pragma_update_and_check(None, "journal_mode", usage.journal_mode, |row| row.get(0))?;
    ensure!(journal_mode.eq_ignore_ascii_case(usage.journal_mode), "the journal mode is {journal_mode}");
    connection.pragma_update(None, "synchronous", usage.synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.execute_batch(
        "CREATE TABLE kept (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
         CREATE TABLE done (last_commit INTEGER NOT NULL) STRICT;
         INSERT INTO done VALUES (-1);",
    )?;
    for commit in 0..COMMITS {
        let transaction = connection.transaction()?;
        for row in rows_of(commit) {
            transaction.execute("INSERT INTO kept VALUES (?1, ?2)", params![row, body_of(row)])?;
        }
        transaction.execute("UPDATE done SET last_commit = ?1", [commit])?;
        transaction.commit()?;
        recorder.mark(commit.to_string());
        if usage.journal_mode == "WAL" && commit % 20 == 19 {
            let mode = if commit % 60 == 59 { "TRUNCATE" } else { "PASSIVE" };
            connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
        }
    }
    connection.close().map_err(|(_, error)| error)?;
    recorder.finish()
}

/// What a cut did to a database.
#[derive(Debug, PartialEq, Eq)]
enum Damage {
    None,
    /// It is whole, and lacks what was promised, or holds a commit in part.
    Lost(String),
    /// SQLite finds it damaged, or cannot read it.
    Corrupt(String),
}

/// Opens the image in `folder` with ordinary SQLite and compares it with what was promised.
fn damage(folder: &Path, promised: impl Iterator<Item = i64>) -> Damage {
    match read(folder) {
        Err(error) => Damage::Corrupt(format!("{error:#}")),
        Ok((last_commit, rows)) => {
            let expected: BTreeSet<i64> = (0..=last_commit).flat_map(rows_of).collect();
            match promised.max() {
                Some(promise) if promise > last_commit => {
                    Damage::Lost(format!("commit {promise} was promised, {last_commit} is the last"))
                }
                _ if rows != expected => Damage::Lost(format!("rows do not match the last commit, {last_commit}")),
                _ => Damage::None,
            }
        }
    }
}

/// The last commit, -1 for none, and the rows there are; each is checked for its body.
fn read(folder: &Path) -> Result<(i64, BTreeSet<i64>)> {
    let connection = Connection::open(folder.join(DATABASE))?;
    // The image is thrown away: only what it holds matters, not whether recovering it is durable.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "integrity_check says {verdict}");
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))?;
    if tables < 2 {
        return Ok((-1, BTreeSet::new()));
    }
    let last_commit = connection.query_row("SELECT coalesce(max(last_commit), -1) FROM done", [], |row| row.get(0))?;
    let mut statement = connection.prepare("SELECT id, body FROM kept")?;
    let mut rows = BTreeSet::new();
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let (id, body): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        ensure!(body == body_of(id), "row {id} holds other bytes");
        rows.insert(id);
    }
    Ok((last_commit, rows))
}

/// Cuts the power at each of `points` with each of `losses`, and gives what came of it to `see`, which
/// says whether to go on.
fn cut(log: &Log, points: &[Point], losses: &[Loss], mut see: impl FnMut(Point, Loss, Damage) -> bool) -> Result<()> {
    let mut replay = log.replay();
    for &point in points {
        for &loss in losses {
            let folder = tempfile::tempdir()?;
            replay.image_at(point, loss, folder.path())?;
            let mut promised = Vec::new();
            for mark in log.marks_before(point) {
                promised.push(mark.parse().context("marks are commits")?);
            }
            if !see(point, loss, damage(folder.path(), promised.into_iter())) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The first loss, and the first corruption, that cuts of this log bring about.
fn first_damages(log: &Log, points: usize) -> Result<(Option<String>, Option<String>)> {
    let (mut lost, mut corrupt) = (None, None);
    cut(log, &log.sample_points(points), &LOSSES, |point, loss, damage| {
        match damage {
            Damage::None => {}
            Damage::Lost(what) => drop(lost.get_or_insert(format!("{point}, {loss:?}: {what}"))),
            Damage::Corrupt(what) => drop(corrupt.get_or_insert(format!("{point}, {loss:?}: {what}"))),
        }
        lost.is_none() || corrupt.is_none()
    })?;
    Ok((lost, corrupt))
}

/// The invariant under I1 and I7: what was acknowledged after COMMIT is there, whatever a power cut does.
#[test]
fn nothing_promised_is_lost_at_any_point_of_a_store_that_syncs_fully() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let log = record("full", STORE, folder.path())?;
    let points = log.sample_points(POINTS);
    assert_eq!(points.len(), POINTS);
    let mut images = 0;
    cut(&log, &points, &LOSSES, |point, loss, damage| {
        assert_eq!(damage, Damage::None, "{point}, {loss:?}");
        images += 1;
        true
    })?;
    assert_eq!(images, POINTS * LOSSES.len());
    Ok(())
}

#[test]
fn synchronous_normal_is_caught_losing_what_was_promised() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let usage = Usage { synchronous: "NORMAL", ..STORE };
    let (lost, corrupt) = first_damages(&record("normal", usage, folder.path())?, SEARCHED)?;
    assert!(lost.is_some(), "NORMAL loses the commits since the last checkpoint");
    assert_eq!(corrupt, None, "but it is whole");
    Ok(())
}

#[test]
fn a_removed_sync_is_caught() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let log = record("removed-sync", STORE, folder.path())?;

    let wal = Path::new("store.db-wal");
    assert!(log.sync_count(wal) >= COMMITS as usize, "FULL syncs the WAL at each commit");
    let (lost, _) = first_damages(&log.without_syncs(|name| name == wal), SEARCHED)?;
    assert!(lost.is_some(), "a WAL that is never synced loses commits");

    let database = Path::new(DATABASE);
    assert!(log.sync_count(database) >= (COMMITS / 20) as usize, "each checkpoint syncs the database");
    let (lost, corrupt) = first_damages(&log.without_syncs(|name| name == database), SEARCHED)?;
    assert!(lost.or(corrupt).is_some(), "a checkpoint that is never synced loses what the WAL then overwrites");
    Ok(())
}

/// A rollback journal commits by its deletion, which is durable only once the folder is synced.
#[test]
fn a_deleted_journal_that_comes_back_is_caught() -> Result<()> {
    let rollback = |synchronous| Usage { journal_mode: "DELETE", synchronous };
    let folder = tempfile::tempdir()?;
    let (lost, corrupt) = first_damages(&record("rollback-full", rollback("FULL"), folder.path())?, SEARCHED)?;
    assert!(lost.is_some(), "FULL does not sync the folder after the delete that commits: it can be undone");
    assert_eq!(corrupt, None);

    let folder = tempfile::tempdir()?;
    let damages = first_damages(&record("rollback-extra", rollback("EXTRA"), folder.path())?, SEARCHED)?;
    assert_eq!(damages, (None, None), "EXTRA does");
    Ok(())
}

/// The log is the whole truth: with nothing lost, it gives back the very files, and of a run that went on from
/// an earlier database too.
#[test]
fn a_replay_without_loss_gives_the_files_as_they_are() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let earlier = Connection::open(folder.path().join(DATABASE))?;
    earlier.execute_batch("CREATE TABLE earlier (id INTEGER PRIMARY KEY) STRICT; INSERT INTO earlier VALUES (1);")?;
    earlier.close().map_err(|(_, error)| error)?;

    let recorder = Recorder::start("the-very-files", folder.path())?;
    let path = folder.path().join(DATABASE);
    let connection = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), recorder.vfs_name())?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; BEGIN")?;
    for id in 2..2_000 {
        connection.execute("INSERT INTO earlier VALUES (?1)", [id])?;
    }
    connection.execute_batch(
        "COMMIT; DELETE FROM earlier WHERE id > 5; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);
         INSERT INTO earlier VALUES (2000);",
    )?;
    // Still open, so that the WAL is there to compare as well.
    let log = recorder.finish()?;

    let image = tempfile::tempdir()?;
    let end = log.points().last().context("a log has a last point")?;
    log.replay().image_at(end, Loss::Nothing, image.path())?;
    for name in [DATABASE, "store.db-wal"] {
        let (real, replayed) = (fs::read(folder.path().join(name))?, fs::read(image.path().join(name))?);
        assert!(real == replayed, "{name} is not as recorded");
        assert!(!real.is_empty(), "{name} holds something to compare");
    }
    assert_eq!(log.file_names().len(), 3, "the database, its first journal, its WAL: {:?}", log.file_names());
    drop(connection);
    Ok(())
}

#[test]
fn a_recorder_has_a_name_of_its_own_and_ends_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let recorder = Recorder::start("taken", folder.path())?;
    assert!(Recorder::start("taken", folder.path()).is_err());
    assert!(Recorder::start("nowhere", &folder.path().join("missing")).is_err());
    recorder.finish()?;
    assert!(recorder.finish().is_err());
    drop(recorder);
    Recorder::start("taken", folder.path())?;
    Ok(())
}
