//! The folder of one device: which file is what, files replaced whole, and the lock that keeps a second process out.
//!
//! The lock is for the vault. The alarm outbox is deliberately outside it: pressing the alarm never waits for another
//! process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::BakenError;

/// The largest file that is read whole, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The folder of one device.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
}

/// While it lives, no other process opens the vault.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

impl Home {
    /// Opens the folder, making it (readable by its owner only) where it is missing.
    ///
    /// # Errors
    /// [`BakenError::Disk`].
    pub fn open(folder: &Path) -> Result<Self, BakenError> {
        if !folder.is_dir() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder)?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stands for the platform's key store, see [`crate::key_store`].
    pub fn platform_key(&self) -> PathBuf {
        self.folder.join("platform.key")
    }

    /// The vault's header: 4,096 bytes, two slots.
    pub fn vault_header(&self) -> PathBuf {
        self.folder.join("vault.header")
    }

    /// The vault's database.
    pub fn vault_database(&self) -> PathBuf {
        self.folder.join("vault.db")
    }

    /// When the next PIN may be tried.
    pub fn vault_attempts(&self) -> PathBuf {
        self.folder.join("vault.attempts")
    }

    /// The alarm outbox's database, usable with the vault locked.
    pub fn outbox_database(&self) -> PathBuf {
        self.folder.join("outbox.db")
    }

    /// Attachments, in sealed chunks: see [`crate::attachment`].
    pub fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Takes the vault's lock.
    ///
    /// # Errors
    /// [`BakenError::HomeInUse`] when another process has it.
    pub fn lock(&self) -> Result<HomeLock, BakenError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.folder.join("vault.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(HomeLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(BakenError::HomeInUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Reads a whole file; `None` when there is none.
///
/// # Errors
/// [`BakenError::Disk`], also for more than 1 MiB.
pub fn read_file(path: &Path) -> Result<Option<Vec<u8>>, BakenError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_FILE_BYTES {
        return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge).into());
    }
    Ok(Some(bytes))
}

/// Replaces a file whole: written beside it, synced, renamed, and the folder synced. After a power loss the old or the
/// new bytes are there, never a mixture. Readable by its owner only.
///
/// # Errors
/// [`BakenError::Disk`]; the old file is then still there.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), BakenError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    sync_folder_of(path)
}

/// Removes a file; fine when there is none.
///
/// # Errors
/// [`BakenError::Disk`].
pub fn remove_file(path: &Path) -> Result<(), BakenError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the names in a file's folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), BakenError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        // A bare name lies in the folder where the process runs.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_second_process_is_kept_out_of_the_vault() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let first = home.lock().unwrap();
        assert!(matches!(home.lock(), Err(BakenError::HomeInUse)));
        drop(first);
        home.lock().unwrap();
    }

    #[test]
    fn a_replaced_file_is_private_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.header");
        replace_file(&path, b"old").unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(read_file(&path).unwrap().unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
