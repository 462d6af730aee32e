//! The names of `std::fs` in a browser: files are rows of one SQLite file in the origin's private file system (OPFS),
//! beside the vault's databases, which SQLite opens there by their path.
//!
//! A browser hands out a private file without waiting only once it is open, so a fixed pool is opened at the start
//! ([`mount`]) and SQLite's own transactions make each write whole. Only one worker of an origin has the pool.
//!
//! Not here: times of files and bytes behind a database's end; a browser has neither.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rsqlite_vfs::VfsFilesManager as _;
use rusqlite::{Connection, OptionalExtension as _, params};
use sqlite_wasm_vfs::sahpool::{OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};

use crate::BakenError;
use crate::vault::database::log_ahead;

/// Files that SQLite may have at a time: this one, the vault's three databases and the outbox, a journal of each, and
/// room for super-journals.
const SLOTS: usize = 16;
/// The folder of the pool in the origin's private file system. Its name says nothing.
const POOL: &str = "pool";
/// The file of the rows. Neutral as well: the pool writes names in the clear.
const ROWS: &str = "files";

thread_local! {
    /// Mounted once for the life of the worker.
    static MOUNTED: RefCell<Option<Mounted>> = const { RefCell::new(None) };
}

struct Mounted {
    pool: OpfsSAHPoolUtil,
    rows: Connection,
}

/// Why the private files could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// Another tab has them, or the browser has not let go of them yet.
    #[error("another tab has the files open")]
    InUse,
    /// The browser has no private files, or refuses them.
    #[error("this browser does not give the app files of its own: {0}")]
    Unsupported(String),
    /// The rows cannot be read.
    #[error("the file of rows cannot be opened")]
    Rows(#[source] rusqlite::Error),
}

/// Opens the private files. To be called once, before anything else, in a dedicated worker.
///
/// # Errors
/// [`MountError`]; after [`MountError::InUse`] it may be tried again.
pub async fn mount() -> Result<(), MountError> {
    let config = OpfsSAHPoolCfgBuilder::new().directory(POOL).initial_capacity(SLOTS).build();
    let pool = install::<sqlite_wasm_rs::WasmOsCallback>(&config, true).await.map_err(|error| {
        let said = format!("{error:?}");
        if said.contains("NoModificationAllowed") { MountError::InUse } else { MountError::Unsupported(said) }
    })?;
    let rows = Connection::open(ROWS).and_then(|rows| {
        rows.execute_batch("PRAGMA locking_mode = EXCLUSIVE;")?;
        log_ahead(&rows)?;
        rows.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             CREATE TABLE IF NOT EXISTS file
                 (path TEXT NOT NULL PRIMARY KEY, is_folder INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;",
        )?;
        Ok(rows)
    });
    let rows = rows.map_err(MountError::Rows)?;
    MOUNTED.with(|mounted| *mounted.borrow_mut() = Some(Mounted { pool, rows }));
    Ok(())
}

fn with<T>(work: impl FnOnce(&Mounted) -> Result<T, rusqlite::Error>) -> io::Result<T> {
    MOUNTED.with(|mounted| {
        let mounted = mounted.try_borrow().map_err(io::Error::other)?;
        let mounted = mounted.as_ref().ok_or(ErrorKind::NotConnected)?;
        work(mounted).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => ErrorKind::StorageFull.into(),
            _ => io::Error::other(error),
        })
    })
}

fn name(path: &Path) -> io::Result<&str> {
    path.to_str().map(|name| name.trim_end_matches('/')).ok_or_else(|| ErrorKind::InvalidInput.into())
}

/// Smallest and first-after names of what lies in a folder: `/` and `0` follow each other.
fn within(folder: &str) -> (String, String) {
    (format!("{folder}/"), format!("{folder}0"))
}

fn row(path: &str) -> io::Result<Option<(bool, Vec<u8>)>> {
    with(|at| {
        let mut statement = at.rows.prepare_cached("SELECT is_folder, bytes FROM file WHERE path = ?1")?;
        statement.query_row([path], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    })
}

fn put(path: &str, is_folder: bool, bytes: &[u8]) -> io::Result<()> {
    let replaced = with(|at| {
        let replaced = at.rows.prepare_cached("SELECT 1 FROM file WHERE path = ?1")?.exists([path])?;
        let mut statement =
            at.rows.prepare_cached("INSERT OR REPLACE INTO file (path, is_folder, bytes) VALUES (?1, ?2, ?3)")?;
        statement.execute(params![path, is_folder, bytes])?;
        Ok(replaced)
    })?;
    if replaced { cut_log() } else { Ok(()) }
}

/// Moves the log into the file of rows and cuts it off: what was removed or written over, keys among it, would lie on in it.
fn cut_log() -> io::Result<()> {
    with(|at| at.rows.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
}

fn has_database(path: &str) -> bool {
    with(|at| Ok(at.pool.contains(path).unwrap_or(false))).unwrap_or(false)
}

/// Whether there is a file, a database or a folder.
pub(crate) fn is_there(path: &Path) -> bool {
    metadata(path).is_ok() || name(path).is_ok_and(has_database)
}

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metadata {
    is_folder: bool,
    len: u64,
}

impl Metadata {
    pub(crate) fn is_dir(&self) -> bool {
        self.is_folder
    }

    pub(crate) fn is_file(&self) -> bool {
        !self.is_folder
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Not known in a browser.
    pub(crate) fn modified(&self) -> io::Result<SystemTime> {
        Err(ErrorKind::Unsupported.into())
    }
}

pub(crate) fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let name = name(path.as_ref())?;
    let found = with(|at| {
        let mut statement = at.rows.prepare_cached("SELECT is_folder, length(bytes) FROM file WHERE path = ?1")?;
        let metadata = |row: &rusqlite::Row<'_>| Ok(Metadata { is_folder: row.get(0)?, len: row.get(1)? });
        statement.query_row([name], metadata).optional()
    })?;
    found.ok_or_else(|| ErrorKind::NotFound.into())
}

/// How a file is opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenOptions {
    write: bool,
    append: bool,
    create: bool,
    truncate: bool,
}

impl OpenOptions {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn write(&mut self, write: bool) -> &mut Self {
        self.write = write;
        self
    }

    pub(crate) fn create(&mut self, create: bool) -> &mut Self {
        self.create = create;
        self
    }

    pub(crate) fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.truncate = truncate;
        self
    }

    pub(crate) fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let name = name(path.as_ref())?;
        let bytes = match row(name)? {
            Some((true, _)) => return Err(ErrorKind::IsADirectory.into()),
            Some((false, _)) if self.truncate => Vec::new(),
            Some((false, bytes)) => bytes,
            None if self.create => {
                put(name, false, &[])?;
                Vec::new()
            }
            None => return Err(ErrorKind::NotFound.into()),
        };
        let is_written = self.write || self.append;
        Ok(File { path: name.to_owned(), bytes: Cursor::new(bytes), is_written, changed: self.truncate })
    }
}

/// A file, all of it in memory while it is open: none is larger than a page of items but an export, which leaves at once.
/// Written to its row when it is synced or dropped.
#[derive(Debug)]
pub struct File {
    path: String,
    bytes: Cursor<Vec<u8>>,
    is_written: bool,
    changed: bool,
}

/// Whether somebody else holds a file's lock. Nobody does: one worker has all files.
#[derive(Debug)]
pub(crate) enum TryLockError {
    #[allow(dead_code, reason = "matched where another process may hold the lock")]
    WouldBlock,
    #[allow(dead_code, reason = "as above")]
    Error(io::Error),
}

impl File {
    pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        OpenOptions::new().open(path)
    }

    pub(crate) fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }

    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata { is_folder: false, len: self.bytes.get_ref().len() as u64 })
    }

    pub(crate) fn sync_all(&self) -> io::Result<()> {
        if self.changed { put(&self.path, false, self.bytes.get_ref()) } else { Ok(()) }
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_written {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.changed = true;
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // As with a file of the system, only what was synced is sure to be there.
        let _ = self.sync_all();
    }
}

/// Makes folders.
#[derive(Debug, Default)]
pub(crate) struct DirBuilder;

impl DirBuilder {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Folders above are made in any case: nothing asks for one without them.
    pub(crate) fn recursive(&mut self, _recursive: bool) -> &mut Self {
        self
    }

    pub(crate) fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        create_dir_all(path.as_ref())
    }
}

pub(crate) fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    for folder in path.as_ref().ancestors() {
        let name = name(folder)?;
        if name.is_empty() {
            break;
        }
        match row(name)? {
            Some((true, _)) => break,
            Some((false, _)) => return Err(ErrorKind::AlreadyExists.into()),
            None => put(name, true, &[])?,
        }
    }
    Ok(())
}

pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    match row(name(path.as_ref())?)? {
        Some((false, bytes)) => Ok(bytes),
        Some((true, _)) => Err(ErrorKind::IsADirectory.into()),
        None => Err(ErrorKind::NotFound.into()),
    }
}

/// Takes a file out of the origin's files, to hand it to a page: it is gone from them then.
///
/// # Errors
/// The disk's.
pub fn take(path: &Path) -> Result<Vec<u8>, BakenError> {
    let bytes = read(path)?;
    remove_file(path)?;
    Ok(bytes)
}

/// Moves a file, or a folder with all in it, over what is there.
pub(crate) fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (name(from.as_ref())?, name(to.as_ref())?);
    let (first, behind) = within(from);
    let moved = with(|at| {
        let cut = i64::try_from(from.chars().count()).unwrap_or(i64::MAX).saturating_add(1);
        at.rows.execute(
            "UPDATE OR REPLACE file SET path = ?2 || substr(path, ?5) WHERE path = ?1 OR (path > ?3 AND path < ?4)",
            params![from, to, first, behind, cut],
        )
    })?;
    if moved == 0 { Err(ErrorKind::NotFound.into()) } else { cut_log() }
}

/// Removes a file, or a database of this path.
pub(crate) fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let name = name(path.as_ref())?;
    let removed = with(|at| at.rows.execute("DELETE FROM file WHERE path = ?1 AND is_folder = 0", [name]))?;
    let database = with(|at| Ok(at.pool.remove(name)))?.map_err(|error| io::Error::other(format!("{error:?}")))?;
    if removed == 0 && !database { Err(ErrorKind::NotFound.into()) } else { cut_log() }
}

pub(crate) fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let name = name(path.as_ref())?;
    let (first, behind) = within(name);
    let delete = "DELETE FROM file WHERE path = ?1 OR (path > ?2 AND path < ?3)";
    let removed = with(|at| at.rows.execute(delete, params![name, first, behind]))?;
    if removed == 0 { Err(ErrorKind::NotFound.into()) } else { cut_log() }
}

/// What lies in a folder.
#[derive(Debug)]
pub(crate) struct DirEntry(PathBuf, bool);

impl DirEntry {
    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }

    pub(crate) fn file_name(&self) -> OsString {
        self.0.file_name().unwrap_or_default().to_owned()
    }

    pub(crate) fn file_type(&self) -> io::Result<Metadata> {
        Ok(Metadata { is_folder: self.1, len: 0 })
    }
}

pub(crate) fn read_dir(path: impl AsRef<Path>) -> io::Result<impl Iterator<Item = io::Result<DirEntry>>> {
    if !metadata(path.as_ref())?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    let (first, behind) = within(name(path.as_ref())?);
    let found = with(|at| {
        let mut statement = at.rows.prepare_cached(
            "SELECT path, is_folder FROM file WHERE path > ?1 AND path < ?2 AND instr(substr(path, ?3), '/') = 0",
        )?;
        let after = i64::try_from(first.chars().count()).unwrap_or(i64::MAX).saturating_add(1);
        let rows = statement.query_map(params![first, behind, after], |row| {
            Ok(DirEntry(PathBuf::from(row.get::<_, String>(0)?), row.get(1)?))
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(found.into_iter().map(Ok))
}
