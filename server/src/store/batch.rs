//! Running what is queued as one transaction, and answering after its commit.
//!
//! One that fails takes nothing of the others with it. Since hardly any does, all run without savepoints first, for which
//! SQLite copies every page that a job touches; once one fails, the transaction is rolled back and all run again, each with
//! a savepoint of its own. A full disk rolls the whole transaction back too, and alarms are then tried again with the
//! reserve's room. So a job may run more than once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::reserve::Reserve;
use crate::store::{Priority, StoreError, StoreFailure};

/// How a job went, before the commit.
enum Verdict {
    /// It did what it was to do.
    Keep,
    /// It refused, or a rule of the schema did: its savepoint is rolled back.
    RollBack,
    /// The disk failed under it.
    Failed(StoreError),
}

/// A write and who waits for it.
pub(super) trait Job: Send {
    /// Runs it; its result is kept for [`Job::answer`].
    fn run(&mut self, connection: &Connection) -> JobVerdict;
    /// Tells who waits: the result when it was committed, else the error.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// [`Verdict`] behind a type that other modules can name and not take apart.
pub(super) struct JobVerdict(Verdict);

struct WriteJob<F, T, E> {
    op: F,
    result: Option<Result<T, E>>,
    waiting: oneshot::Sender<Result<T, E>>,
}

/// A job out of a closure, and where its answer comes.
pub(super) fn job<F, T, E>(op: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&Connection) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: StoreFailure,
{
    let (waiting, answer) = oneshot::channel();
    (Box::new(WriteJob { op, result: None, waiting }), answer)
}

impl<F, T, E> Job for WriteJob<F, T, E>
where
    F: FnMut(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: StoreFailure,
{
    fn run(&mut self, connection: &Connection) -> JobVerdict {
        // A panic is a mistake in one operation; it must not take the one writer down with it.
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| (self.op)(connection))) else {
            tracing::error!(event = "write_panicked");
            self.result = Some(Err(E::from(StoreError::Stopped)));
            return JobVerdict(Verdict::RollBack);
        };
        let verdict = match result.as_ref().map_err(StoreFailure::store_error) {
            Ok(_) => Verdict::Keep,
            Err(Some(StoreError::Full)) => Verdict::Failed(StoreError::Full),
            Err(Some(error)) if error.is_fatal() => Verdict::Failed(StoreError::Unknown),
            Err(_) => Verdict::RollBack,
        };
        self.result = Some(result);
        JobVerdict(verdict)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            // What it refused, it refuses whatever became of the others' commit.
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(E::from(StoreError::Stopped)),
            (Err(error), _) => Err(E::from(error)),
        };
        // Who waited may have gone away meanwhile; the write stands all the same.
        let _ = self.waiting.send(answer);
    }
}

/// A job in the queue.
pub(super) struct Queued {
    pub(super) priority: Priority,
    pub(super) job: Box<dyn Job>,
}

/// Runs a batch and answers everybody in it.
///
/// # Errors
/// What ends the process; everybody was told [`StoreError::Unknown`].
pub(super) fn run(connection: &Connection, reserve: &mut Reserve, batch: Vec<Queued>) -> Result<(), StoreError> {
    let (mut batch, refused): (Vec<_>, Vec<_>) = if reserve.is_ready() {
        (batch, Vec::new())
    } else {
        batch.into_iter().partition(|queued| queued.priority == Priority::Alarm)
    };
    answer(refused, || Err(StoreError::Full));
    if batch.is_empty() {
        return Ok(());
    }
    let mut outcome = attempt(connection, &mut batch);
    if matches!(outcome, Err(StoreError::Full)) {
        let others;
        (batch, others) = batch.into_iter().partition(|queued| queued.priority == Priority::Alarm);
        answer(others, || Err(StoreError::Full));
        if !batch.is_empty() && reserve.release() {
            outcome = attempt(connection, &mut batch);
        }
    }
    match outcome {
        Ok(()) => answer(batch, || Ok(())),
        Err(StoreError::Full) => answer(batch, || Err(StoreError::Full)),
        Err(error) => {
            answer(batch, || Err(StoreError::Unknown));
            return Err(error);
        }
    }
    Ok(())
}

/// Answers every job of a batch alike.
pub(super) fn answer(batch: Vec<Queued>, committed: impl Fn() -> Result<(), StoreError>) {
    for queued in batch {
        queued.job.answer(committed());
    }
}

/// One transaction of all jobs.
///
/// # Errors
/// [`StoreError::Full`] when nothing was written for lack of room; any other is fatal.
fn attempt(connection: &Connection, batch: &mut [Queued]) -> Result<(), StoreError> {
    let result = in_transaction(connection, batch);
    if result.is_err() && !connection.is_autocommit() {
        // A full disk rolled back by hand is as good as never begun; any other error ends the process anyway.
        let _ = connection.execute_batch("ROLLBACK");
    }
    match result {
        // Not even BEGIN or COMMIT has an error that is the caller's fault.
        Err(StoreError::Sqlite(_)) => Err(StoreError::Unknown),
        other => other,
    }
}

fn in_transaction(connection: &Connection, batch: &mut [Queued]) -> Result<(), StoreError> {
    let run = |sql: &str| -> Result<(), StoreError> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    run("BEGIN IMMEDIATE")?;
    let mut all_kept = true;
    for queued in &mut *batch {
        match queued.job.run(connection).0 {
            Verdict::Keep => {}
            Verdict::RollBack => {
                all_kept = false;
                break;
            }
            Verdict::Failed(error) => return Err(error),
        }
    }
    if all_kept {
        return run("COMMIT");
    }
    run("ROLLBACK")?;
    if batch.len() == 1 {
        return Ok(());
    }
    run("BEGIN IMMEDIATE")?;
    for queued in batch {
        run("SAVEPOINT job")?;
        match queued.job.run(connection).0 {
            Verdict::Keep => run("RELEASE job")?,
            Verdict::RollBack => {
                run("ROLLBACK TO job")?;
                run("RELEASE job")?;
            }
            Verdict::Failed(error) => return Err(error),
        }
    }
    run("COMMIT")
}
