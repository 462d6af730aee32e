//! Encrypted SQLite files (SQLCipher): the vault's, and the alarm outbox's.
//!
//! A plain SQLite accepts `PRAGMA key` without a word and writes plaintext, so both the library and the file are
//! checked. SQLCipher logs to the terminal and the phone's log unless told not to before the key is set.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use zeroize::Zeroizing;

use crate::BakenError;
use crate::disk;
use crate::vault::header::VaultKey;

/// How long to wait for another connection's write, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5000;
/// Decrypted pages kept in memory, in KiB: a page that is read twice should be decrypted once.
const CACHE_KIB: u32 = 8 * 1024;
/// More statements than the core has, so that none is prepared twice.
const STATEMENT_CACHE: usize = 128;

/// What a file must look like, and how it comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// Versions up to this one cannot be read any more; 0 where all can.
    pub(crate) base: u32,
    /// The first makes version `base` + 1 out of nothing, every other one the next version out of the one before.
    pub(crate) migrations: &'static [&'static str],
}

/// Opens an encrypted file, making it where it is missing, and brings it to the newest schema.
///
/// # Errors
/// [`BakenError::NotEncrypting`], [`BakenError::VaultDamaged`], [`BakenError::VaultNewer`], [`BakenError::Database`].
pub(crate) fn open(path: &Path, key: &VaultKey, schema: Schema) -> Result<Connection, BakenError> {
    // "Wrong key" and "damaged" are one to SQLCipher; the key came out of an authenticated slot, so it is damage.
    let connection = Connection::open(path)?;
    prepare(&connection, Some(key))?;
    migrate(&connection, schema)?;
    check_start(path, key, &connection)?;
    Ok(connection)
}

/// An empty database in memory with the same schema and rules, for tests and simulations.
#[cfg(test)]
pub(crate) fn open_in_memory(schema: Schema) -> Result<Connection, BakenError> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection, None)?;
    migrate(&connection, schema)?;
    Ok(connection)
}

fn prepare(connection: &Connection, key: Option<&VaultKey>) -> Result<(), BakenError> {
    keep_statements(connection)?;
    // Before the key: a wrong key is logged too, and only memory that is taken from now on is wiped when it is freed.
    // It would also lock what is taken, which cost more than all else: `.cargo/config.toml` has that left out.
    connection.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;")?;
    let cipher: Option<String> = connection
        .query_row("PRAGMA cipher_version", [], |row| row.get(0))
        .map(Some)
        .or_else(|error| if error == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(error) })?;
    if cipher.is_none_or(|version| version.is_empty()) {
        return Err(BakenError::NotEncrypting);
    }
    if let Some(key) = key {
        let mut pragma = Zeroizing::new(String::with_capacity(128));
        pragma.push_str("PRAGMA key = \"x'");
        for byte in key.key.as_bytes().iter().chain(&key.salt) {
            // Writing into a String cannot fail.
            let _ = write!(pragma, "{byte:02x}");
        }
        pragma.push_str("'\";");
        connection.execute_batch(&pragma)?;
    }
    connection.execute_batch(disk::LOCKING)?;
    // Reading the schema is what shows that the key fits.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    log_ahead(connection)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -{CACHE_KIB};
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;"
    ))?;
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if synchronous != 2 || (key.is_some() && journal != "wal") {
        return Err(BakenError::VaultDamaged { part: "its database does not write durably" });
    }
    Ok(())
}

/// Has the database write to a log first; gives the mode that it is in now. The pragma is read to its end: it commits after
/// its first row, and a disk that fails then is heard of nowhere else.
///
/// # Errors
/// SQLite's.
pub(crate) fn log_ahead(connection: &Connection) -> Result<String, rusqlite::Error> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let modes = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    modes.into_iter().next().ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Has statements kept as they were made. Unless told that a plan is to hold for every value, SQLite looks at those that are
/// bound, and makes a kept statement anew each time that `rusqlite` takes it out again: a quarter of a live edit (28
/// November 2026).
///
/// # Errors
/// [`BakenError::Database`].
pub(crate) fn keep_statements(connection: &Connection) -> Result<(), BakenError> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn migrate(connection: &Connection, schema: Schema) -> Result<(), BakenError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let count = u32::try_from(schema.migrations.len()).unwrap_or(u32::MAX);
    let known = schema.base.saturating_add(count);
    if found > known {
        return Err(BakenError::VaultNewer { found, known });
    }
    if (1..=schema.base).contains(&found) {
        return Err(BakenError::VaultOlder { found });
    }
    let mut version = found.max(schema.base);
    for migration in schema.migrations.iter().skip(version.saturating_sub(schema.base) as usize) {
        version += 1;
        // IMMEDIATE: two processes that open a new outbox at once must not both run the first migration.
        connection.execute_batch("BEGIN IMMEDIATE;")?;
        let now: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if now >= version {
            connection.execute_batch("ROLLBACK;")?;
            continue;
        }
        let done = connection.execute_batch(&format!("{migration} PRAGMA user_version = {version}; COMMIT;"));
        if let Err(error) = done {
            connection.execute_batch("ROLLBACK;")?;
            return Err(error.into());
        }
    }
    Ok(())
}

/// The first 16 bytes of an encrypted file are its salt, which the key brings along.
fn check_start(path: &Path, key: &VaultKey, connection: &Connection) -> Result<(), BakenError> {
    let start = disk::start_of_database(path, connection)?;
    if &start == b"SQLite format 3\0" || start == [0; 16] {
        return Err(BakenError::NotEncrypting);
    }
    if start != key.salt {
        return Err(BakenError::VaultDamaged { part: "its database" });
    }
    Ok(())
}
