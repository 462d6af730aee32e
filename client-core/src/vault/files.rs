//! The two database files and how they are kept alike: of one size, and touched together.
//!
//! Both are grown to the same multiple of [`UNIT`]. The open one is grown with free pages, which its rows use up before
//! the file gets longer; its pages are encrypted, so filling looks like anything else. The other one, whose key may not
//! be here, gets random bytes behind its end, which SQLite leaves alone.

use std::convert::Infallible;
#[cfg(not(target_family = "wasm"))]
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(not(target_family = "wasm"))]
use std::time::{Duration, SystemTime};

use baken_schemas::crypto::SymmetricKey;
#[cfg(not(target_family = "wasm"))]
use baken_schemas::crypto::{SEAL_OVERHEAD, seal};
use baken_schemas::time::Clock;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use rusqlite::Connection;

use crate::BakenError;
use crate::disk;
#[cfg(not(target_family = "wasm"))]
use crate::disk::{FileTimes, OpenOptions};
use crate::home::{Home, remove_file};
use crate::vault::header::DatabaseFile;

/// Both files are as long as the longer one, rounded up to this, in bytes. Making both files of this size, tables and
/// all, takes 0.65 s without optimisation on a busy machine (2026-11-26), once; levelling at each lock under 1 ms.
pub(super) const UNIT: u64 = 4 * 1024 * 1024;
/// SQLCipher's page, in bytes.
const PAGE: u64 = 4096;
/// What fits into one overflow page: SQLCipher keeps 80 bytes, SQLite 4.
const OVERFLOW_BYTES: u64 = PAGE - 80 - 4;
/// How often the right length of the filling is looked for.
const MAX_TRIES: usize = 6;

/// The open database's file and the other one. When dropped, after the connection, both are touched.
pub(super) struct Files {
    pub(super) own: PathBuf,
    pub(super) other: PathBuf,
    #[cfg_attr(target_family = "wasm", allow(dead_code, reason = "a browser keeps no times, see `touch`"))]
    clock: Arc<dyn Clock>,
    #[cfg_attr(target_family = "wasm", allow(dead_code, reason = "see `lengthen_other`"))]
    filling: KeyRng,
    /// They were wiped: nothing is to be written any more.
    pub(super) gone: bool,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Files(…)")
    }
}

impl Files {
    pub(super) fn new(home: &Home, own: DatabaseFile, clock: Arc<dyn Clock>, rng: &mut dyn CryptoRng) -> Self {
        Self::over(path(home, own), path(home, own.other()), clock, rng)
    }

    /// Any two files.
    pub(super) fn over(own: PathBuf, other: PathBuf, clock: Arc<dyn Clock>, rng: &mut dyn CryptoRng) -> Self {
        Self { own, other, clock, filling: KeyRng(SymmetricKey::make(rng)), gone: false }
    }

    /// Brings both files to one size, and everything of the open one into its file.
    pub(super) fn level(&mut self, connection: &Connection) -> Result<(), BakenError> {
        let pages = number(connection, "page_count")?;
        let (own, other) = (length(&self.own)?.max(pages * PAGE), length(&self.other)?);
        let target = own.max(other).max(1).next_multiple_of(UNIT);
        if pages * PAGE < target {
            grow(connection, target / PAGE)?;
        }
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // Measured again: while a vault is made, both may be the same file.
        let other = length(&self.other)?;
        if other < target {
            self.lengthen_other(target - other)?;
        }
        Ok(())
    }

    /// A browser keeps no bytes behind a database's end: there each file is levelled when its vault is open.
    #[cfg(target_family = "wasm")]
    #[allow(clippy::unused_self, reason = "as elsewhere")]
    fn lengthen_other(&mut self, _by: u64) -> Result<(), BakenError> {
        Ok(())
    }

    #[cfg(not(target_family = "wasm"))]
    fn lengthen_other(&mut self, by: u64) -> Result<(), BakenError> {
        let key = SymmetricKey::make(&mut self.filling);
        let length = usize::try_from(by).unwrap_or_default();
        let zeros = vec![0; length.saturating_sub(SEAL_OVERHEAD)];
        let mut bytes = seal(&key, "baken/vault-filling/v1", &[], &zeros, &mut self.filling);
        bytes.truncate(length);
        let mut file = OpenOptions::new().append(true).open(&self.other)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        Ok(())
    }

    /// A browser shows no times of its files.
    #[cfg(target_family = "wasm")]
    #[allow(clippy::unused_self, reason = "as elsewhere")]
    pub(super) fn touch(&self) -> Result<(), BakenError> {
        Ok(())
    }

    /// Gives both files the same times.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn touch(&self) -> Result<(), BakenError> {
        let now = Duration::from_millis(u64::try_from(self.clock.now().0).unwrap_or_default());
        let now = SystemTime::UNIX_EPOCH.checked_add(now).unwrap_or(SystemTime::UNIX_EPOCH);
        for path in [&self.own, &self.other] {
            let times = FileTimes::new().set_accessed(now).set_modified(now);
            OpenOptions::new().append(true).open(path)?.set_times(times)?;
        }
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.gone {
            let _ = self.touch();
        }
    }
}

/// The path of a database file.
pub(super) fn path(home: &Home, file: DatabaseFile) -> PathBuf {
    let [a, b] = home.vault_databases();
    match file {
        DatabaseFile::A => a,
        DatabaseFile::B => b,
    }
}

/// A database's file and what SQLite keeps beside it.
pub(crate) fn with_companions(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut path = path.as_os_str().to_owned();
        path.push(suffix);
        path.into()
    })
}

/// Removes a database.
pub(super) fn remove(path: &Path) -> Result<(), BakenError> {
    with_companions(path).iter().try_for_each(|path| remove_file(path))
}

fn length(path: &Path) -> Result<u64, BakenError> {
    match disk::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn number(connection: &Connection, pragma: &str) -> Result<u64, BakenError> {
    Ok(u64::from(connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, u32>(0))?))
}

/// Grows a database to exactly so many pages: a table of one long row is written, then dropped, and leaves its pages
/// free. Two transactions, since pages that are freed before they are written would be holes.
fn grow(connection: &Connection, target: u64) -> Result<(), BakenError> {
    let count = || number(connection, "page_count");
    let free = number(connection, "freelist_count")?;
    // The table takes a page of its own.
    let mut pages = target.saturating_sub(count()?).saturating_add(free).saturating_sub(1);
    connection.execute_batch("BEGIN IMMEDIATE; CREATE TABLE filling (bytes BLOB NOT NULL) STRICT;")?;
    let mut filled = Ok(());
    for _ in 0..MAX_TRIES {
        let bytes = pages.saturating_mul(OVERFLOW_BYTES).saturating_add(64).cast_signed();
        filled = connection
            .execute_batch("DELETE FROM filling;")
            .and_then(|()| connection.execute("INSERT INTO filling (bytes) VALUES (zeroblob(?1))", [bytes]))
            .map(drop);
        let now = count()?;
        if filled.is_err() || now == target {
            break;
        }
        // Rows may have taken pages, or the guess was off. A database does not get shorter in a transaction.
        pages = if now < target { pages.saturating_add(target - now) } else { pages.saturating_sub(now - target) };
        if now > target {
            connection
                .execute_batch("ROLLBACK; BEGIN IMMEDIATE; CREATE TABLE filling (bytes BLOB NOT NULL) STRICT;")?;
        }
    }
    if let Err(error) = filled {
        connection.execute_batch("ROLLBACK;")?;
        return Err(error.into());
    }
    connection.execute_batch("COMMIT; DROP TABLE filling;")?;
    Ok(())
}

/// Random bytes out of a key, for where the device's own randomness is not at hand: closing a vault.
struct KeyRng(SymmetricKey);

impl TryRng for KeyRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.0.derive("baken/vault-filling-drawn/v1", &[]);
            self.0 = self.0.derive("baken/vault-filling-next/v1", &[]);
            chunk.copy_from_slice(drawn.as_bytes().get(..chunk.len()).unwrap_or_default());
        }
        Ok(())
    }
}

impl TryCryptoRng for KeyRng {}
