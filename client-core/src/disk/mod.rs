//! The disk: the system's, or in a browser the origin's private files.
//!
//! The core uses the few names of `std::fs` that are here. In a browser, which has none of them, [`web`] carries the
//! same names over one SQLite file, so that nothing else in the core knows where it runs.

#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use std::fs::*;
use std::path::Path;

#[cfg(target_family = "wasm")]
pub(crate) use web::*;
#[cfg(target_family = "wasm")]
pub use web::{File, MountError, mount, take};

/// Whether there is a file, a database or a folder at this path.
pub(crate) fn exists(path: &Path) -> bool {
    #[cfg(not(target_family = "wasm"))]
    return path.exists();
    #[cfg(target_family = "wasm")]
    return is_there(path);
}

/// Whether there is a folder at this path.
pub(crate) fn is_dir(path: &Path) -> bool {
    metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// What a connection says before it asks for a write-ahead log: a browser has no memory that connections share, so there
/// one has the file to itself.
pub(crate) const LOCKING: &str = if cfg!(target_family = "wasm") { "PRAGMA locking_mode = EXCLUSIVE;" } else { "" };

/// The first 16 bytes of a database's file, as they lie on the disk.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn start_of_database(path: &Path, _open: &rusqlite::Connection) -> Result<[u8; 16], crate::BakenError> {
    use std::io::Read as _;
    let mut start = [0; 16];
    File::open(path)?.read_exact(&mut start)?;
    Ok(start)
}

/// The salt by which SQLCipher opened the file, which are its first 16 bytes: a browser gives no second look at a file
/// that is open.
#[cfg(target_family = "wasm")]
pub(crate) fn start_of_database(_path: &Path, open: &rusqlite::Connection) -> Result<[u8; 16], crate::BakenError> {
    let salt: String = open.query_row("PRAGMA cipher_salt", [], |row| row.get(0))?;
    let salt = data_encoding::HEXLOWER_PERMISSIVE.decode(salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
    salt.ok_or(crate::BakenError::NotEncrypting)
}
