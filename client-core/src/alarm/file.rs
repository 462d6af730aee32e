//! The outbox's file: SQLCipher under a raw key, opened the same way each time and checked to be what it claims.

use std::path::Path;

use baken_schemas::crypto::SymmetricKey;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use crate::BakenError;
use crate::disk;
use crate::vault::database;

/// What brings the file from each version to the next. Append-only.
const MIGRATIONS: [&str; 13] = [
    include_str!("outbox.sql"),
    include_str!("outbox_2.sql"),
    include_str!("outbox_3.sql"),
    include_str!("outbox_4_withdrawal.sql"),
    include_str!("outbox_5_probe.sql"),
    include_str!("outbox_6_sms.sql"),
    include_str!("outbox_7_check_in.sql"),
    include_str!("outbox_8_attachment.sql"),
    include_str!("outbox_9_inbox.sql"),
    include_str!("outbox_10_family.sql"),
    include_str!("outbox_11_audit.sql"),
    include_str!("outbox_12_handing_on.sql"),
    include_str!("outbox_13_elsewhere.sql"),
];
/// The newest version.
const VERSION: u32 = MIGRATIONS.len() as u32;
/// How long to wait for another process that writes; each write takes milliseconds.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// What damage is said of.
const PART: &str = "the alarm outbox";

/// Makes the file, or opens one that an interrupted activation left without its row.
pub(super) fn create(path: &Path, key: &SymmetricKey) -> Result<Connection, BakenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = keyed(path, key, flags)?;
    migrate(&mut db)?;
    owner_only(path)?;
    check_version(&db)?;
    Ok(db)
}

/// Opens a file that is there.
pub(super) fn open(path: &Path, key: &SymmetricKey) -> Result<Connection, BakenError> {
    if !disk::exists(path) {
        return Err(BakenError::NotActivated);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = keyed(path, key, flags).map_err(damaged)?;
    // Without any version nobody has made it, and opening makes nothing.
    if (1..VERSION).contains(&version(&db).map_err(damaged)?) {
        migrate(&mut db)?;
    }
    check_version(&db).map_err(damaged)?;
    Ok(db)
}

/// Brings the file to the newest version. Two processes may come to it at once: the second finds it done.
fn migrate(db: &mut Connection) -> Result<(), BakenError> {
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found < VERSION {
        for migration in MIGRATIONS.iter().skip(found as usize) {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

fn keyed(path: &Path, key: &SymmetricKey, flags: OpenFlags) -> Result<Connection, BakenError> {
    let db = Connection::open_with_flags(path, flags)?;
    database::keep_statements(&db)?;
    // SQLCipher writes wrong keys to the system's log unless it is told not to before it gets one.
    db.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA cipher_memory_security = ON;")?;
    let pragma = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", &*Zeroizing::new(HEXLOWER.encode(key.as_bytes()))));
    db.execute_batch(&pragma)?;
    // A plain SQLite takes `PRAGMA key` without a word and would write the alarm key in the clear.
    let cipher: Option<String> = db.query_row("PRAGMA cipher_version", [], |row| row.get(0)).ok();
    if cipher.is_none_or(|version| version.is_empty()) {
        return Err(BakenError::NotEncrypting);
    }
    db.busy_timeout(BUSY_TIMEOUT)?;
    // Asked for before the first page is written, or SQLCipher may take the zeros of a file that a browser lengthened
    // for the salt of a new one (seen with sqlite-wasm-vfs 0.3, 26 November 2026).
    let salt: String = db.query_row("PRAGMA cipher_salt", [], |row| row.get(0))?;
    if salt.bytes().all(|digit| digit == b'0') {
        return Err(BakenError::NotEncrypting);
    }
    db.execute_batch(disk::LOCKING)?;
    let mode = database::log_ahead(&db)?;
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
    )?;
    let synchronous: u32 = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if mode != "wal" || synchronous != 2 {
        return Err(BakenError::Database(rusqlite::Error::InvalidQuery));
    }
    Ok(db)
}

fn version(db: &Connection) -> Result<u32, BakenError> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn check_version(db: &Connection) -> Result<(), BakenError> {
    match version(db)? {
        VERSION => Ok(()),
        found if found > VERSION => Err(BakenError::VaultNewer { found, known: VERSION }),
        _ => Err(BakenError::VaultDamaged { part: PART }),
    }
}

fn damaged(error: BakenError) -> BakenError {
    match error {
        BakenError::VaultDamaged { .. } => BakenError::VaultDamaged { part: PART },
        other => other,
    }
}

#[cfg(unix)]
fn owner_only(path: &Path) -> Result<(), BakenError> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(disk::set_permissions(path, disk::Permissions::from_mode(0o600))?)
}

#[cfg(not(unix))]
fn owner_only(_path: &Path) -> Result<(), BakenError> {
    Ok(())
}
