//! Opening a database: the version of SQLite, the settings on which durability rests, migrations.
//!
//! Every setting is read back, since a build of SQLite or a VFS may take one silently and do something else.

use std::path::PathBuf;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;

/// The oldest SQLite whose write-ahead log can be trusted: 3.51.3 mends a rare corruption by a checkpoint that meets
/// a reset of the log.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Compiled statements kept a connection.
const CACHED_STATEMENTS: usize = 128;

/// How much of the database the writer keeps in memory, in KiB. With SQLite's own 2 MiB it read and wrote pages again
/// within one transaction as soon as many deposits lay there.
const WRITER_CACHE: &str = "-32768";

/// Settings of every connection, and what they must read back as. Checkpoints are the writer's own doing
/// (`wal_autocheckpoint=0`), and an answer means that the disk has it (`synchronous=FULL`, 2).
const SETTINGS: [(&str, &str, &str); 9] = [
    ("foreign_keys", "ON", "1"),
    ("busy_timeout", "5000", "5000"),
    ("wal_autocheckpoint", "0", "0"),
    ("journal_size_limit", "67108864", "67108864"),
    ("mmap_size", "0", "0"),
    ("trusted_schema", "OFF", "0"),
    ("cell_size_check", "ON", "1"),
    ("secure_delete", "ON", "1"),
    ("temp_store", "MEMORY", "2"),
];

/// Where databases lie: a folder, and the VFS to reach it through (`None` for the system's; a test names its own).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The data folder.
    pub dir: PathBuf,
    /// A registered SQLite VFS.
    pub vfs: Option<String>,
}

impl Disk {
    /// A folder on the system's own file system.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), vfs: None }
    }

    fn connect(&self, file: &str, flags: OpenFlags) -> Result<Connection, StoreError> {
        let path = self.dir.join(file);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(path, flags)?,
        };
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // A plan is to hold for every value. Without this SQLite looks at those bound, and makes a kept statement anew each
        // time that `rusqlite` takes it out again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    }
}

/// A database of this program: its file and how its tables came to be.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The file's name in the data folder.
    pub file: &'static str,
    /// SQL scripts, append-only; the file's `user_version` counts how many have run.
    pub migrations: &'static [&'static str],
}

fn set(connection: &Connection, name: &'static str, value: &str, reads: &str) -> Result<(), StoreError> {
    // Some pragmas answer with a row and some do not: what counts is what it reads back as. And to the last row, since
    // `journal_mode` commits after its first: a commit that the disk refused would go unseen, what reads back would be
    // `wal` and what is used a rollback journal, whose last commit a power cut may undo.
    let mut statement = connection.prepare(&format!("PRAGMA {name}={value}"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    drop(statement);
    let found: rusqlite::types::Value = match connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)) {
        Ok(found) => found,
        // A VFS without memory mapping does not know the setting; then there is nothing to turn off.
        Err(rusqlite::Error::QueryReturnedNoRows) if name == "mmap_size" => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let found = match found {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        _ => String::new(),
    };
    if found == reads { Ok(()) } else { Err(StoreError::Setting { name }) }
}

fn settings(connection: &Connection) -> Result<(), StoreError> {
    SETTINGS.iter().try_for_each(|(name, value, reads)| set(connection, name, value, reads))
}

/// Opens the one connection that writes, with its tables brought up to date.
pub(super) fn open_writer(disk: &Disk, schema: &Schema) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite { found: rusqlite::version() });
    }
    let log = disk.dir.join(format!("{}-wal", schema.file));
    let crashed = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = disk.connect(schema.file, flags)?;
    settings(&connection)?;
    set(&connection, "journal_mode", "WAL", "wal")?;
    set(&connection, "synchronous", "FULL", "2")?;
    set(&connection, "cache_size", WRITER_CACHE, WRITER_CACHE)?;
    if crashed {
        // A log is left only by a process that was killed or lost its disk.
        check(&connection)?;
    }
    migrate(&connection, schema)?;
    Ok(connection)
}

/// Opens the connection that moves the log into the database of a writer which is open.
pub(super) fn open_mover(disk: &Disk, schema: &Schema) -> Result<Connection, StoreError> {
    let connection = disk.connect(schema.file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    settings(&connection)?;
    set(&connection, "synchronous", "FULL", "2")?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(disk: &Disk, schema: &Schema) -> Result<Connection, StoreError> {
    let connection = disk.connect(schema.file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    settings(&connection)?;
    set(&connection, "query_only", "ON", "1")?;
    Ok(connection)
}

/// Opens any of this program's databases to look at it, whatever its schema; another process may write meanwhile.
///
/// # Errors
/// [`StoreError`].
pub fn inspect(disk: &Disk, file: &str) -> Result<Connection, StoreError> {
    let connection = disk.connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    settings(&connection)?;
    Ok(connection)
}

/// Looks every page of the file over.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn check(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged) }
}

/// Runs the migrations that this file has not seen, all in one transaction.
fn migrate(connection: &Connection, schema: &Schema) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = u32::try_from(schema.migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    for script in schema.migrations.iter().skip(found as usize) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
