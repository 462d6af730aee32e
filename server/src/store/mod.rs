//! SQLite for every role: one [`Writer`] that commits in groups, a few readers, migrations.
//!
//! ```text
//! let store = Store::open(&Disk::new(dir), &SCHEMA, StoreOptions::default())?;
//! store.write(Priority::Normal, move |db| { db.execute(…)?; Ok::<_, StoreError>(()) }).await?;
//! let count: u64 = store.read(|db| Ok::<_, StoreError>(db.query_row(…)?))?;
//! ```
//!
//! A role's own error fits in by implementing [`StoreFailure`].

mod batch;
mod error;
mod open;
mod readers;
mod reserve;
mod writer;

pub use error::{StoreError, StoreFailure};
pub use open::{Disk, Schema, check, inspect};
pub use writer::{OnFatal, Priority, Writer};

use std::sync::Arc;

use rusqlite::Connection;

use readers::Readers;
use reserve::Reserve;

/// How a store is run.
#[derive(Clone)]
pub struct StoreOptions {
    /// Run writes on the caller's thread, for a simulation.
    pub inline: bool,
    /// Keep 64 MiB of the disk back for alarms.
    pub reserve: bool,
    /// Called when the disk failed. By default nothing: every later write is refused.
    pub on_fatal: OnFatal,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { inline: false, reserve: false, on_fatal: Arc::new(|_| {}) }
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions").field("inline", &self.inline).finish_non_exhaustive()
    }
}

impl StoreOptions {
    /// What `serve` uses: a reserve, and the end of the process with exit code 70 when the disk failed, so that it is
    /// started again and looks at what the disk really holds.
    pub fn production() -> Self {
        let on_fatal = |_: &StoreError| std::process::exit(crate::exit::DISK_FAILED);
        Self { inline: false, reserve: true, on_fatal: Arc::new(on_fatal) }
    }
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    readers: Arc<Readers>,
    inline: bool,
}

impl Store {
    /// Opens or makes the database, brings its tables up to date and starts its writer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(disk: &Disk, schema: &Schema, options: StoreOptions) -> Result<Self, StoreError> {
        let connection = open::open_writer(disk, schema)?;
        let reserve = if options.reserve { Reserve::in_dir(&disk.dir) } else { Reserve::none() };
        let writer = if options.inline {
            Writer::inline(connection, reserve, options.on_fatal)
        } else {
            let for_mover = open::open_mover(disk, schema)?;
            Writer::thread(connection, for_mover, reserve, options.on_fatal).map_err(StoreError::Folder)?
        };
        let readers = Arc::new(Readers::new(disk.clone(), *schema));
        Ok(Self { writer, readers, inline: options.inline })
    }

    /// See [`Writer::write`].
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
        self.writer.write(priority, op).await
    }

    /// Reads a few rows, here and now; sees everything that was answered before. Within `op` all is of one moment.
    ///
    /// # Errors
    /// What `op` answers, or a [`StoreError`].
    pub fn read<T, E: StoreFailure>(&self, op: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        self.readers.read(op)
    }

    /// Reads many rows on a thread for blocking work; on the caller's own where the writer is inline too.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_page<T, E>(&self, op: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: StoreFailure,
    {
        if self.inline {
            return self.read(op);
        }
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.read(op))
            .await
            .unwrap_or_else(|_| Err(E::from(StoreError::Stopped)))
    }

    /// Moves the write-ahead log into the database and cuts it off, so that nothing of what was overwritten or deleted is
    /// left in it. Where readers are in the way it is done with a later write.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cut_log(&self) -> Result<(), StoreError> {
        self.writer.cut_log().await
    }

    /// Whether writes are taken.
    pub fn is_open(&self) -> bool {
        self.writer.is_open()
    }

    /// Finishes what is queued and closes. Blocks; call it when nothing is served any more.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }
}
