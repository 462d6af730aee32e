//! The one writer: a thread that owns the only write connection and commits what is queued as a group.
//!
//! It never waits for more: what came in while the last commit was on its way to the disk is the next group, so one
//! write alone costs one sync, and a thousand at once a handful. Alarms go before everything else. Nobody is answered
//! before the commit. A thread beside it moves the write-ahead log into the database, so that nobody waits for that.
//!
//! A simulation takes [`Writer::inline`]: the same batches, of one, on the caller's own thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::batch::{self, Queued};
use crate::store::reserve::Reserve;
use crate::store::{StoreError, StoreFailure};

/// The most writes waiting, of each priority. Others are refused past it; alarms wait for room.
const QUEUE_WRITES: usize = 4096;
/// The most writes in one transaction.
const BATCH_WRITES: usize = 256;
/// How long nothing came until a moment is idle: what comes as the answer to what was just written does not wait behind the
/// log.
const IDLE_AFTER: Duration = Duration::from_millis(5);
/// Pages in the log that are not in the database yet, from which they are moved there.
const MOVE_PAGES: i64 = 1000;
/// Pages in the log (64 MiB of 4 KiB) from which it is also cut off, in an idle moment or when little is left to move.
const CUT_PAGES: i64 = 16 * 1024;
/// Pages in the log (256 MiB) from which it is cut off whatever that costs: some 5 ms a MiB that is to be moved.
const MOST_PAGES: i64 = 64 * 1024;
/// Batches between two looks at the log's size while there is no idle moment.
const BATCHES_A_LOOK: u32 = 8;
/// How often who wants the log cut off waits for it.
const CUT_TRIES: u32 = 8;

/// What goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Alarms and what belongs to them: before all others, and into the reserve when the disk is full.
    Alarm,
    /// Everything else.
    Normal,
}

/// Called once, after everybody was answered, when the disk failed: in production it ends the process.
pub type OnFatal = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// The way to the one write connection. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

struct Shared {
    mode: Mode,
    on_fatal: OnFatal,
    /// The log is to be cut off.
    cut: Arc<AtomicBool>,
}

enum Mode {
    Thread { queue: Arc<Queue>, thread: Mutex<Option<std::thread::JoinHandle<()>>> },
    Inline(Box<Mutex<Option<Core>>>),
}

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    alarm_room: Arc<Semaphore>,
    normal_room: Arc<Semaphore>,
}

#[derive(Default)]
struct Waiting {
    alarms: VecDeque<(Queued, OwnedSemaphorePermit)>,
    others: VecDeque<(Queued, OwnedSemaphorePermit)>,
    /// No more is taken; what is queued is still written.
    closed: bool,
}

/// The write connection and what goes with it.
struct Core {
    connection: Connection,
    /// `None` where the log is moved on the caller's own thread.
    mover: Option<Mover>,
    reserve: Reserve,
    batches: u32,
    cut: Arc<AtomicBool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Jobs catch their own panics, so a poisoned lock can only come from a panic between two statements here, and
    // the queue is whole all the same.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Starts the writer's thread.
    pub(super) fn thread(
        connection: Connection,
        for_mover: Connection,
        reserve: Reserve,
        on_fatal: OnFatal,
    ) -> Result<Self, std::io::Error> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            alarm_room: Arc::new(Semaphore::new(QUEUE_WRITES)),
            normal_room: Arc::new(Semaphore::new(QUEUE_WRITES)),
        });
        let cut = Arc::new(AtomicBool::new(false));
        let mover = Some(Mover::start(for_mover)?);
        let core = Core { connection, mover, reserve, batches: 0, cut: Arc::clone(&cut) };
        let (theirs, fatal) = (Arc::clone(&queue), Arc::clone(&on_fatal));
        let thread = std::thread::Builder::new()
            .name("baken-writer".to_owned())
            .spawn(move || write_on(core, &theirs, &fatal))?;
        let mode = Mode::Thread { queue, thread: Mutex::new(Some(thread)) };
        Ok(Self { shared: Arc::new(Shared { mode, on_fatal, cut }) })
    }

    /// A writer on the caller's thread.
    pub(super) fn inline(connection: Connection, reserve: Reserve, on_fatal: OnFatal) -> Self {
        let cut = Arc::new(AtomicBool::new(false));
        let core = Core { connection, mover: None, reserve, batches: 0, cut: Arc::clone(&cut) };
        Self { shared: Arc::new(Shared { mode: Mode::Inline(Box::new(Mutex::new(Some(core)))), on_fatal, cut }) }
    }

    /// Runs `op` in a transaction and answers after its commit. `op` may run again, what it did before having been rolled
    /// back whole; it must not act on anything but the connection. An error of `op` undoes what it wrote.
    ///
    /// Dropping the future does not take the write back.
    ///
    /// # Errors
    /// What `op` answers, or a [`StoreError`].
    pub async fn write<T, E>(
        &self,
        priority: Priority,
        op: impl FnMut(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: StoreFailure,
    {
        let (job, answer) = batch::job(op);
        let queued = Queued { priority, job };
        match &self.shared.mode {
            Mode::Thread { queue, .. } => queue.push(queued).await.map_err(E::from)?,
            Mode::Inline(core) => self.run_inline(core, queued),
        }
        answer.await.unwrap_or_else(|_| Err(E::from(StoreError::Stopped)))
    }

    /// See [`crate::store::Store::cut_log`].
    pub(super) async fn cut_log(&self) -> Result<(), StoreError> {
        self.shared.cut.store(true, Ordering::SeqCst);
        for _ in 0..CUT_TRIES {
            // It is cut after a batch, so before what comes after that is answered.
            self.write(Priority::Normal, |_| Ok::<_, StoreError>(())).await?;
            if !self.shared.cut.load(Ordering::SeqCst) {
                break;
            }
        }
        Ok(())
    }

    fn run_inline(&self, core: &Mutex<Option<Core>>, queued: Queued) {
        let mut core = lock(core);
        let Some(open) = core.as_mut() else {
            return queued.job.answer(Err(StoreError::Stopped));
        };
        let outcome = batch::run(&open.connection, &mut open.reserve, vec![queued]).and_then(|()| open.tend(true));
        if let Err(error) = outcome {
            *core = None;
            drop(core);
            (self.shared.on_fatal)(&error);
        }
    }

    /// Whether writes are taken.
    pub fn is_open(&self) -> bool {
        match &self.shared.mode {
            Mode::Thread { queue, .. } => !lock(&queue.waiting).closed,
            Mode::Inline(core) => lock(core).is_some(),
        }
    }

    /// Takes no more writes, finishes what is queued, and closes the database. Blocks until that is done.
    pub fn close(&self) {
        match &self.shared.mode {
            Mode::Thread { queue, thread } => {
                lock(&queue.waiting).closed = true;
                queue.arrived.notify_all();
                let thread = lock(thread).take();
                if let Some(thread) = thread {
                    // The thread catches every panic of a job; if it panicked all the same, it is gone as wanted.
                    let _ = thread.join();
                }
            }
            Mode::Inline(core) => drop(lock(core).take()),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Mode::Thread { queue, .. } = &self.mode {
            lock(&queue.waiting).closed = true;
            queue.arrived.notify_all();
        }
    }
}

impl Queue {
    async fn push(&self, queued: Queued) -> Result<(), StoreError> {
        let permit = match queued.priority {
            Priority::Alarm => Arc::clone(&self.alarm_room).acquire_owned().await.map_err(|_| StoreError::Stopped)?,
            Priority::Normal => Arc::clone(&self.normal_room).try_acquire_owned().map_err(|_| StoreError::Busy)?,
        };
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(StoreError::Stopped);
        }
        match queued.priority {
            Priority::Alarm => waiting.alarms.push_back((queued, permit)),
            Priority::Normal => waiting.others.push_back((queued, permit)),
        }
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// What is queued now, alarms first. Without anything it waits; `None` when it was closed and all is written.
    fn next(&self, tend: impl FnOnce() -> Result<(), StoreError>) -> Result<Option<Vec<Queued>>, StoreError> {
        let mut waiting = lock(&self.waiting);
        let mut tend = Some(tend);
        while waiting.is_empty() && !waiting.closed {
            if tend.is_none() {
                waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.arrived.wait_timeout(waiting, IDLE_AFTER).unwrap_or_else(PoisonError::into_inner);
            waiting = waited.0;
            if waited.1.timed_out()
                && waiting.is_empty()
                && !waiting.closed
                && let Some(tend) = tend.take()
            {
                drop(waiting);
                tend()?;
                waiting = lock(&self.waiting);
            }
        }
        let mut batch = Vec::with_capacity(BATCH_WRITES.min(waiting.alarms.len() + waiting.others.len()));
        while batch.len() < BATCH_WRITES {
            let Some((queued, _)) = waiting.alarms.pop_front().or_else(|| waiting.others.pop_front()) else { break };
            batch.push(queued);
        }
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }

    /// Refuses everything, from now on and what is queued.
    fn fail(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.closed = true;
        let left: Vec<_> = waiting.take().map(|(queued, _)| queued).collect();
        drop(waiting);
        batch::answer(left, || Err(StoreError::Stopped));
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.alarms.is_empty() && self.others.is_empty()
    }

    fn take(&mut self) -> impl Iterator<Item = (Queued, OwnedSemaphorePermit)> {
        std::mem::take(&mut self.alarms).into_iter().chain(std::mem::take(&mut self.others))
    }
}

/// The thread.
fn write_on(mut core: Core, queue: &Queue, on_fatal: &OnFatal) {
    loop {
        let outcome = match queue.next(|| core.tend(true)) {
            Ok(None) => break,
            Ok(Some(batch)) => {
                core.batches = core.batches.wrapping_add(1);
                let look = core.batches.is_multiple_of(BATCHES_A_LOOK) || core.cut.load(Ordering::SeqCst);
                batch::run(&core.connection, &mut core.reserve, batch)
                    .and_then(|()| if look { core.tend(false) } else { Ok(()) })
            }
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::error!(event = "store_failed", code = ?error, "the disk failed; nothing more is written");
            queue.fail();
            drop(core);
            return on_fatal(&error);
        }
    }
    core.mover = None;
    if let Err(error) = core.checkpoint("TRUNCATE") {
        tracing::warn!(event = "checkpoint_failed", code = ?error);
    }
}

/// The thread that moves the log into the database beside the writer.
struct Mover {
    wanted: Option<SyncSender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Mover {
    fn start(connection: Connection) -> Result<Self, std::io::Error> {
        let (wanted, asked) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new().name("baken-log".to_owned()).spawn(move || {
            while asked.recv().is_ok() {
                if let Err(error) = checkpoint(&connection, "PASSIVE") {
                    // A disk that failed to sync once may say next time that it did. The writer finds this thread gone.
                    tracing::error!(event = "log_not_moved", code = ?error);
                    return;
                }
            }
        })?;
        Ok(Self { wanted: Some(wanted), thread: Some(thread) })
    }

    /// Has the log moved; when that is under way already, once more.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when moving has failed.
    fn want(&self) -> Result<(), StoreError> {
        match self.wanted.as_ref().map(|wanted| wanted.try_send(())) {
            Some(Err(TrySendError::Disconnected(()))) => Err(StoreError::Unknown),
            _ => Ok(()),
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            // It does nothing that panics; had it done so all the same, it would be gone as wanted.
            let _ = thread.join();
        }
    }
}

/// What there is in the write-ahead log, in pages.
#[derive(Debug, Clone, Copy, Default)]
struct LogPages {
    all: i64,
    /// Of them, those that are not in the database yet.
    unmoved: i64,
}

/// Runs a checkpoint and gives what is in the log after it. A full disk is no failure here: the log keeps everything. Nor
/// is somebody in the way: it is done another time.
fn checkpoint(connection: &Connection, mode: &'static str) -> Result<LogPages, StoreError> {
    let counted = connection
        .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))))
        .map_err(StoreError::from);
    match counted {
        Ok((all, moved)) => Ok(LogPages { all: all.max(0), unmoved: all.max(0).saturating_sub(moved.max(0)) }),
        Err(StoreError::Full) => Ok(LogPages::default()),
        Err(StoreError::Sqlite(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Ok(LogPages::default())
        }
        Err(error) => Err(error),
    }
}

impl Core {
    /// Has the write-ahead log moved into the database when it has grown enough, and cuts it off.
    fn tend(&mut self, idle: bool) -> Result<(), StoreError> {
        if self.cut.load(Ordering::SeqCst) {
            if self.checkpoint("TRUNCATE")?.unmoved == 0 && self.checkpoint("NOOP")?.all == 0 {
                self.cut.store(false, Ordering::SeqCst);
            }
            return Ok(());
        }
        let log = self.checkpoint("NOOP")?;
        let is_cheap = idle || log.unmoved < MOVE_PAGES;
        if log.all >= MOST_PAGES || (log.all >= CUT_PAGES && is_cheap) {
            self.checkpoint("TRUNCATE")?;
        } else if log.unmoved >= MOVE_PAGES {
            match &self.mover {
                Some(mover) => mover.want()?,
                None => drop(self.checkpoint("PASSIVE")?),
            }
        }
        Ok(())
    }

    fn checkpoint(&self, mode: &'static str) -> Result<LogPages, StoreError> {
        checkpoint(&self.connection, mode)
    }
}
