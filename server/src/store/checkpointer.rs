//! Moving the write-ahead log into the database beside the writer, on a thread and a connection of its own.
//!
//! While the writer did it itself, whoever had just pressed waited for some ten milliseconds each time (27 November 2026).
//! SQLite lets one connection move pages while another appends. What a checkpoint may not do beside a writer, cutting the log
//! off, stays the writer's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::store::StoreError;

/// The thread, and the way to wake it.
#[derive(Debug)]
pub(super) struct Checkpointer {
    /// `None` once it is to end.
    wake: Option<SyncSender<()>>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it.
    pub(super) fn start(connection: Connection) -> Result<Self, std::io::Error> {
        // One wake that waits is enough: it looks at all there is.
        let (wake, woken) = sync_channel(1);
        let failed = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("baken-moves-log".to_owned())
            .spawn(move || move_on(&connection, &woken, &theirs))?;
        Ok(Self { wake: Some(wake), failed, thread: Some(thread) })
    }

    /// There is something to move.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full: it is woken already. Closed: it has failed, which [`Self::check`] tells.
            let _ = wake.try_send(());
        }
    }

    /// # Errors
    /// [`StoreError::Unknown`] once the disk failed under it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) { Err(StoreError::Unknown) } else { Ok(()) }
    }
}

impl Drop for Checkpointer {
    /// Ends it, and waits until it has: the writer's last checkpoint has the log to itself.
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic; had it, there would be nothing to wait for.
            let _ = thread.join();
        }
    }
}

fn move_on(connection: &Connection, woken: &Receiver<()>, failed: &AtomicBool) {
    while woken.recv().is_ok() {
        let moved = connection
            .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
            .and_then(|mut statement| statement.query_row([], |_| Ok(())))
            .map_err(StoreError::from);
        match moved {
            // On a full disk, or with the writer or a reader in the way, the log keeps everything.
            Ok(()) | Err(StoreError::Full | StoreError::Sqlite(_)) => {}
            Err(error) => {
                tracing::error!(event = "checkpoint_failed", code = ?error);
                failed.store(true, Ordering::SeqCst);
                return;
            }
        }
    }
}
