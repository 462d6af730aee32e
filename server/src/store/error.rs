//! Why the store could not do something, and which of these end the process.

use rusqlite::ErrorCode;

/// Why a read or a write did not happen. Carries no content of any row.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The queue of writes is full; nothing was written. Try again shortly.
    #[error("more is being written than the disk keeps up with; try again shortly")]
    Busy,
    /// The disk is full; nothing was written.
    #[error("the disk is full: make room on the volume of the data folder")]
    Full,
    /// The commit failed: the write may be there or not. A repeat with the same idempotency key tells.
    #[error("the disk failed while this was being written: whether it was kept is not known; send it again")]
    Unknown,
    /// The store was closed or failed earlier; nothing was written.
    #[error("the store has stopped; start the server again")]
    Stopped,
    /// The file is damaged.
    #[error("the database is damaged: restore the data folder from a backup")]
    Damaged,
    /// The file was written by a newer program.
    #[error("the database has schema {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The file's `user_version`.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// SQLite did not take a setting on which durability rests.
    #[error("SQLite refused the setting {name}: nothing is safe without it")]
    Setting {
        /// The pragma.
        name: &'static str,
    },
    /// The linked SQLite has a bug in its write-ahead log that newer versions have mended.
    #[error("SQLite {found} is too old, 3.51.3 is needed")]
    OldSqlite {
        /// The version that is linked.
        found: &'static str,
    },
    /// The folder or a file in it cannot be used.
    #[error("the data folder cannot be used")]
    Folder(#[source] std::io::Error),
    /// A statement failed: a rule of the schema, or a mistake in this program.
    #[error("the database refused a statement")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|failure| (failure.code, failure.extended_code)) {
            Some((ErrorCode::DiskFull, _)) => Self::Full,
            // Where the index of the write-ahead log cannot grow, the disk is full too.
            Some((_, rusqlite::ffi::SQLITE_IOERR_SHMSIZE)) => Self::Full,
            Some((ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)) => Self::Damaged,
            Some((ErrorCode::SystemIoFailure, _)) => Self::Unknown,
            _ => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// Whether the process must end: after a failed write or sync nobody knows what the disk holds, and only opening
    /// the file anew finds out.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Unknown | Self::Damaged)
    }
}

/// An error of a role that a [`StoreError`] fits into, so that the writer can answer with it and can see whether the
/// disk was at fault.
pub trait StoreFailure: From<StoreError> + Send + 'static {
    /// The store's error inside, if that is what it is.
    fn store_error(&self) -> Option<&StoreError>;
}

impl StoreFailure for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}
