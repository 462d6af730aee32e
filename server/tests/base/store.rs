//! The store: groups, savepoints, priorities, and what happens when the disk fails.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use baken_server::store::{Disk, Priority, Schema, Store, StoreError, StoreOptions};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tempfile::TempDir;

const SCHEMA: Schema =
    Schema { file: "test.db", migrations: &["CREATE TABLE item (value INTEGER NOT NULL UNIQUE) STRICT;"] };

fn open(dir: &TempDir, options: StoreOptions) -> Store {
    Store::open(&Disk::new(dir.path()), &SCHEMA, options).unwrap()
}

fn count(store: &Store) -> u32 {
    store.read(|db| Ok::<_, StoreError>(db.query_row("SELECT count(*) FROM item", [], |row| row.get(0))?)).unwrap()
}

async fn insert(store: &Store, value: i64) -> Result<(), StoreError> {
    store
        .write(Priority::Normal, move |db| {
            db.execute("INSERT INTO item VALUES (?1)", [value])?;
            Ok(())
        })
        .await
}

/// Holds the writer in a write of its own until the sender is used.
fn hold(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
    let (release, released) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel();
    let writer = store.clone();
    let held = tokio::spawn(async move {
        writer
            .write(Priority::Normal, move |_| {
                entered.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            })
            .await
    });
    // Another thread runs the spawned task: these tests have several.
    inside.recv().unwrap();
    (release, held)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_moved_beside_the_writer() {
    const BIG: usize = 8 * 1024 * 1024;
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    store
        .write(Priority::Normal, |db| {
            db.execute_batch("CREATE TABLE big (bytes BLOB NOT NULL) STRICT")?;
            db.execute("INSERT INTO big VALUES (zeroblob(?1))", [BIG])?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let moved = || std::fs::metadata(dir.path().join("test.db")).unwrap().len() >= BIG as u64;
    for value in 0..1000 {
        if moved() {
            return;
        }
        insert(&store, value).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the log was never moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_statement_is_made_once() {
    fn made_again(db: &rusqlite::Connection, value: i64) -> Result<i32, StoreError> {
        let mut statement = db.prepare_cached("SELECT 1 FROM item WHERE value = ?1 LIMIT 1")?;
        assert!(!statement.exists([value])?);
        Ok(statement.get_status(rusqlite::StatementStatus::RePrepare))
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    for value in 0..3 {
        assert_eq!(store.read(|db| made_again(db, value)).unwrap(), 0);
        assert_eq!(store.write(Priority::Normal, move |db| made_again(db, value)).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_is_committed_as_one_group() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    let (release, held) = hold(&store);
    let committed_before: Arc<Mutex<Vec<u32>>> = Arc::default();
    let mut writes: Vec<_> = (0..100_i64)
        .map(|value| {
            let (look, seen) = (store.clone(), Arc::clone(&committed_before));
            let write = store.write(Priority::Normal, move |db| {
                db.execute("INSERT INTO item VALUES (?1)", [value])?;
                seen.lock().unwrap().push(count(&look));
                Ok::<_, StoreError>(())
            });
            Box::pin(write)
        })
        .collect();
    for write in &mut writes {
        assert!(write.now_or_never().is_none(), "answered before it was committed");
    }
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }
    assert_eq!(count(&store), 100);
    // A reader sees what is committed: within one group, nothing of it.
    assert_eq!(*committed_before.lock().unwrap(), vec![0; 100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_go_before_what_came_earlier() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    let (release, held) = hold(&store);
    let order: Arc<Mutex<Vec<&str>>> = Arc::default();
    let mut writes: Vec<_> = [("sync", Priority::Normal), ("sync", Priority::Normal), ("alarm", Priority::Alarm)]
        .into_iter()
        .map(|(name, priority)| {
            let order = Arc::clone(&order);
            Box::pin(store.write(priority, move |_| {
                order.lock().unwrap().push(name);
                Ok::<_, StoreError>(())
            }))
        })
        .collect();
    for write in &mut writes {
        assert!(write.now_or_never().is_none());
    }
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    join_all(writes).await;
    assert_eq!(*order.lock().unwrap(), ["alarm", "sync", "sync"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn past_its_bound_the_queue_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    let (release, held) = hold(&store);
    let mut writes: Vec<_> = (0..4096).map(|value| Box::pin(insert(&store, value))).collect();
    for write in &mut writes {
        assert!(write.now_or_never().is_none());
    }
    assert!(matches!(insert(&store, 5000).await, Err(StoreError::Busy)));
    // Alarms have room of their own.
    let mut alarm = Box::pin(store.write(Priority::Alarm, |_| Ok::<_, StoreError>(())));
    assert!((&mut alarm).now_or_never().is_none());
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    alarm.await.unwrap();
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }
    assert_eq!(count(&store), 4096);
}

/// The same writes on either kind of writer, and what became of each.
async fn some_fail(store: &Store) -> Vec<bool> {
    let writes = [1, 2, 1, 3].map(|value| {
        store.write(Priority::Normal, move |db| {
            // The first statement of a write that fails later is undone with it.
            db.execute("INSERT INTO item VALUES (?1)", [100 + value * 10 + count_of(db)])?;
            db.execute("INSERT INTO item VALUES (?1)", [value])?;
            Ok::<_, StoreError>(())
        })
    });
    join_all(writes).await.iter().map(Result::is_ok).collect()
}

fn count_of(db: &rusqlite::Connection) -> i64 {
    db.query_row("SELECT count(*) FROM item", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_takes_nothing_of_the_others_with_it_and_inline_is_alike() {
    for inline in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir, StoreOptions { inline, ..StoreOptions::default() });
        assert_eq!(some_fail(&store).await, [true, true, false, true], "inline: {inline}");
        assert_eq!(count(&store), 6, "inline: {inline}");
        store.close();
        assert!(matches!(insert(&store, 9).await, Err(StoreError::Stopped)));
        assert_eq!(count(&open(&dir, StoreOptions::default())), 6, "inline: {inline}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_panics_is_refused_and_the_writer_lives() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    let outcome = store
        .write(Priority::Normal, |db| -> Result<(), StoreError> {
            db.execute("INSERT INTO item VALUES (1)", [])?;
            panic!("a mistake in one operation")
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(count(&store), 0);
    insert(&store, 2).await.unwrap();
    assert_eq!(count(&store), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_disk_fails_nobody_is_told_that_it_was_kept_and_nothing_more_is_written() {
    for inline in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&ended);
        let on_fatal = Arc::new(move |_: &StoreError| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let store = open(&dir, StoreOptions { inline, on_fatal, ..StoreOptions::default() });
        // A write meets a failing disk; the one before it in the same group was not committed either.
        let (first, second) = if inline {
            (insert(&store, 1).await, fail(&store).await)
        } else {
            let (release, held) = hold(&store);
            let (mut first, mut second) = (Box::pin(insert(&store, 1)), Box::pin(fail(&store)));
            assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
            release.send(()).unwrap();
            held.await.unwrap().unwrap();
            (first.await, second.await)
        };
        assert!(matches!(second, Err(StoreError::Unknown)));
        assert_eq!(first.is_ok(), inline);
        assert!(matches!(insert(&store, 2).await, Err(StoreError::Stopped)));
        store.close();
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        assert!(!store.is_open());
        assert_eq!(count(&open(&dir, StoreOptions::default())), u32::from(inline));
    }
}

async fn fail(store: &Store) -> Result<(), StoreError> {
    store.write(Priority::Normal, |_| Err::<(), _>(StoreError::Unknown)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_alarms_get_the_reserve_and_others_a_clear_no() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions { reserve: true, ..StoreOptions::default() });
    let reserve = dir.path().join("reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 64 * 1024 * 1024);
    let full = store.write(Priority::Normal, |_| Err::<(), _>(StoreError::Full)).await;
    assert!(matches!(full, Err(StoreError::Full)));
    assert!(reserve.exists(), "the reserve is for alarms only");
    // An alarm in one group with a write of sync: the disk is full until the reserve is gone.
    let (release, held) = hold(&store);
    let (gone, runs) = (reserve.clone(), Arc::new(AtomicUsize::new(0)));
    let ran = Arc::clone(&runs);
    let mut alarm = Box::pin(store.write(Priority::Alarm, move |db| {
        ran.fetch_add(1, Ordering::SeqCst);
        db.execute("INSERT INTO item VALUES (1)", [])?;
        if gone.exists() { Err(StoreError::Full) } else { Ok(()) }
    }));
    let mut sync = Box::pin(insert(&store, 2));
    assert!((&mut alarm).now_or_never().is_none() && (&mut sync).now_or_never().is_none());
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    alarm.await.unwrap();
    assert!(matches!(sync.await, Err(StoreError::Full)));
    assert_eq!((runs.load(Ordering::SeqCst), count(&store)), (2, 1));
    // With room again the reserve is made anew, and sync goes on.
    insert(&store, 3).await.unwrap();
    assert!(reserve.exists());
}

#[tokio::test]
async fn a_newer_or_damaged_database_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    store.write(Priority::Normal, |db| Ok::<_, StoreError>(db.pragma_update(None, "user_version", 9)?)).await.unwrap();
    store.close();
    let opened = Store::open(&Disk::new(dir.path()), &SCHEMA, StoreOptions::default());
    assert!(matches!(opened, Err(StoreError::Newer { found: 9, known: 1 })));
    std::fs::write(dir.path().join("test.db"), b"this is no database at all, and long enough to look like one")
        .unwrap();
    let opened = Store::open(&Disk::new(dir.path()), &SCHEMA, StoreOptions::default());
    assert!(matches!(opened, Err(StoreError::Damaged)), "{opened:?}");
}

#[tokio::test]
async fn migrations_go_on_from_where_a_file_stands() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, StoreOptions::default());
    insert(&store, 1).await.unwrap();
    store.close();
    const NEXT: Schema = Schema {
        file: "test.db",
        migrations: &[SCHEMA.migrations[0], "ALTER TABLE item ADD COLUMN note TEXT NOT NULL DEFAULT 'old';"],
    };
    let store = Store::open(&Disk::new(dir.path()), &NEXT, StoreOptions::default()).unwrap();
    let note: String =
        store.read(|db| Ok::<_, StoreError>(db.query_row("SELECT note FROM item", [], |row| row.get(0))?)).unwrap();
    assert_eq!(note, "old");
}
