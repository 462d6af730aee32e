//! The folder of one device: which file is what, files replaced whole, and the lock that keeps a second process out.
//!
//! The lock is for the vault. The alarm outbox is deliberately outside it: pressing the alarm never waits for another
//! process.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::BakenError;
use crate::disk::{self, File, OpenOptions, TryLockError};

/// The largest file that is read whole, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// What makes a folder a device's: its header, which is moved last.
const HEADER: &str = "vault.header";
const LOCK: &str = "vault.lock";
/// How the names of everything begin that a device keeps in its folder.
const OWN_NAMES: [&str; 4] = ["vault", "outbox.", "platform.key", "blobs"];
/// The most devices that are set aside in one folder.
const MAX_SET_ASIDE: u32 = 1000;

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
        if !disk::is_dir(folder) {
            let mut builder = disk::DirBuilder::new();
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

    /// The vault's header: 4,096 bytes, six slots.
    pub fn vault_header(&self) -> PathBuf {
        self.folder.join(HEADER)
    }

    /// The two databases. Which one a PIN opens stands in the header, sealed; the names say nothing.
    pub fn vault_databases(&self) -> [PathBuf; 2] {
        [self.folder.join("vault.db"), self.folder.join("vault-2.db")]
    }

    /// A database that takes the place of one of the two: see `vault/swap.rs`.
    pub(crate) fn vault_beside(&self) -> PathBuf {
        self.folder.join("vault-3.db")
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

    /// Editions that came from a relay: see [`crate::guidance`]. Public.
    pub fn guidance(&self) -> PathBuf {
        self.folder.join("guidance")
    }

    /// Takes the vault's lock.
    ///
    /// # Errors
    /// [`BakenError::HomeInUse`] when another process has it.
    pub fn lock(&self) -> Result<HomeLock, BakenError> {
        lock_file(&self.folder.join(LOCK))
    }

    /// Moves the device in this folder into `set-aside-<n>` in it, so that another can be made here: its PIN is
    /// forgotten. Nothing is deleted or written over, and the new folder is itself the home of the old device. Ended
    /// half-way, the same call goes on. Says where it is.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`] when there is no device, [`BakenError::HomeInUse`] while a program has it open,
    /// [`BakenError::Disk`].
    pub fn set_aside(&self) -> Result<PathBuf, BakenError> {
        let _lock = self.lock()?;
        if !disk::exists(&self.vault_header()) {
            return Err(BakenError::NotActivated);
        }
        let names = self.own_names()?;
        let aside = self.place_aside(&names)?;
        for name in names {
            disk::rename(self.folder.join(&name), aside.join(&name))?;
        }
        // The rest is there before the header is, and before this folder is free for another device.
        sync_folder_of(&aside.join(HEADER))?;
        disk::rename(self.vault_header(), aside.join(HEADER))?;
        sync_folder_of(&aside.join(HEADER))?;
        sync_folder_of(&self.vault_header())?;
        Ok(aside)
    }

    /// What the device keeps here, apart from its header and the lock.
    fn own_names(&self) -> Result<Vec<OsString>, BakenError> {
        let mut names = Vec::new();
        for entry in disk::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let is_own = name.to_str().is_some_and(|name| OWN_NAMES.iter().any(|own| name.starts_with(own)));
            if is_own && name != HEADER && name != LOCK {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The folder that an interrupted move has begun to fill, or else a new one.
    fn place_aside(&self, names: &[OsString]) -> Result<PathBuf, BakenError> {
        for number in 1..=MAX_SET_ASIDE {
            let aside = self.folder.join(format!("set-aside-{number}"));
            if !disk::exists(&aside) {
                #[cfg_attr(not(unix), allow(unused_mut, reason = "only Unix has a mode to set"))]
                let mut builder = disk::DirBuilder::new();
                #[cfg(unix)]
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
                builder.create(&aside)?;
                return Ok(aside);
            }
            let is_unfinished = !disk::exists(&aside.join(HEADER));
            if is_unfinished && !names.iter().any(|name| disk::exists(&aside.join(name))) {
                return Ok(aside);
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists).into())
    }
}

/// Takes the lock that a file stands for, making it where it is missing.
///
/// # Errors
/// [`BakenError::HomeInUse`] when another process has it.
pub(crate) fn lock_file(path: &Path) -> Result<HomeLock, BakenError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(HomeLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(BakenError::HomeInUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Reads a whole file; `None` when there is none.
///
/// # Errors
/// [`BakenError::Disk`], also for more than 1 MiB.
pub fn read_file(path: &Path) -> Result<Option<Vec<u8>>, BakenError> {
    read_file_up_to(path, MAX_FILE_BYTES)
}

/// Reads a whole file of at most so many bytes; `None` when there is none.
///
/// # Errors
/// [`BakenError::Disk`], also for more bytes.
pub(crate) fn read_file_up_to(path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>, BakenError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    let read = file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > max_bytes {
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
    disk::rename(&beside, path)?;
    sync_folder_of(path)
}

/// Writes over a file in place and syncs it; fine when there is none. On flash the old bytes may survive elsewhere: what
/// is overwritten should be a key whose other half is gone too.
///
/// # Errors
/// [`BakenError::Disk`].
pub fn overwrite_file(path: &Path, bytes: &[u8]) -> Result<(), BakenError> {
    match OpenOptions::new().write(true).open(path) {
        Ok(mut file) => {
            file.write_all(bytes)?;
            file.sync_all()?;
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes a file; fine when there is none.
///
/// # Errors
/// [`BakenError::Disk`].
pub fn remove_file(path: &Path) -> Result<(), BakenError> {
    match disk::remove_file(path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Removes files of one folder, and goes on after one that cannot be; fine for those that are not there.
///
/// # Errors
/// The first of [`BakenError::Disk`].
pub fn remove_all(paths: &[PathBuf]) -> Result<(), BakenError> {
    let mut done = Ok(());
    for path in paths {
        if let Err(error) = disk::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            done = done.and(Err(error.into()));
        }
    }
    done.and(paths.first().map_or(Ok(()), |path| sync_folder_of(path)))
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
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use std::fs;

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
    fn a_device_set_aside_is_whole_and_leaves_room_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        assert!(matches!(home.set_aside(), Err(BakenError::NotActivated)));
        let fill = |word: &str| {
            let [database, _] = home.vault_databases();
            for path in [home.vault_header(), database, home.outbox_database(), home.platform_key()] {
                fs::write(path, word).unwrap();
            }
        };
        fill("first");
        fs::write(folder.path().join("vault.db-wal"), "first").unwrap();
        fs::write(folder.path().join("notes.txt"), "not of the device").unwrap();
        let lock = home.lock().unwrap();
        assert!(matches!(home.set_aside(), Err(BakenError::HomeInUse)));
        drop(lock);

        let first = home.set_aside().unwrap();
        assert_eq!(first, folder.path().join("set-aside-1"));
        assert_eq!(fs::read_dir(&first).unwrap().count(), 5);
        assert!(!home.vault_header().exists() && folder.path().join("notes.txt").exists());

        // The next one does not mix with it, and goes on where it was interrupted.
        fill("second");
        let second = folder.path().join("set-aside-2");
        fs::create_dir(&second).unwrap();
        fs::rename(&home.vault_databases()[0], second.join("vault.db")).unwrap();
        assert_eq!(home.set_aside().unwrap(), second);
        assert_eq!(fs::read_to_string(first.join("vault.db")).unwrap(), "first");
        for name in ["vault.header", "vault.db", "outbox.db", "platform.key"] {
            assert_eq!(fs::read_to_string(second.join(name)).unwrap(), "second");
        }
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
