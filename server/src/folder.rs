//! A role's data folder: one process at a time, private to its user, files written whole or not at all.
//!
//! The lock is the operating system's, on an open file: it goes when the process goes, however it goes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use baken_schemas::FormatError;
use baken_schemas::cbor;
use baken_schemas::crypto::{KemSecret, SigningKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::DeviceId;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use serde::de::DeserializeOwned;
use zeroize::{Zeroize as _, Zeroizing};

/// The largest file read whole, in bytes; the books of an organisation with 100,000 people fit.
const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;
/// The file with a role's keys.
const KEYS_FILE: &str = "keys.cbor";
/// The file with a role's settings.
const CONFIG_FILE: &str = "config.toml";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("{} is in use by another baken-server: stop that one first, or give this one a folder of its own", .0.display())]
    InUse(PathBuf),
    /// It has not been set up.
    #[error("{} is missing: set the folder up with `baken-server init` first", .0.display())]
    Missing(PathBuf),
    /// It has been set up already, and setting it up again would throw keys away.
    #[error("{} is there already: this folder was set up before; take another", .0.display())]
    Exists(PathBuf),
    /// A file in it is not what it must be.
    #[error("{} cannot be read: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file system says no.
    #[error("{} cannot be used: {source}", .path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Whether others may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only this user (0600): keys.
    Secret,
    /// Everybody who may enter the folder (0644).
    Open,
}

/// A locked data folder. The lock lives as long as this.
#[derive(Debug)]
pub struct DataFolder {
    dir: PathBuf,
    _lock: File,
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

impl DataFolder {
    /// Makes the folder where there is none, private to this user, and locks it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn create(dir: &Path) -> Result<Self, FolderError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io(dir))?;
        Self::lock(dir)
    }

    /// Locks a folder that is there.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(dir: &Path) -> Result<Self, FolderError> {
        if !dir.is_dir() {
            return Err(FolderError::Missing(dir.to_owned()));
        }
        Self::lock(dir)
    }

    fn lock(dir: &Path) -> Result<Self, FolderError> {
        let path = dir.join("lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(&path)(error)),
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A file that a setting names: in the folder, unless its path says where else.
    pub fn path_of(&self, path: &Path) -> PathBuf {
        self.dir.join(path)
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Refuses a folder that was set up before.
    ///
    /// # Errors
    /// [`FolderError::Exists`].
    pub fn must_be_new(&self) -> Result<(), FolderError> {
        if self.has(KEYS_FILE) { Err(FolderError::Exists(self.path(KEYS_FILE))) } else { Ok(()) }
    }

    /// Writes a file whole: after a crash the old or the new one is there, and on the disk once this returns.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8], access: Access) -> Result<(), FolderError> {
        write_whole(&self.path(name), bytes, access)
    }

    /// Reads a file whole.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        read_whole(&self.path(name))
    }

    /// Keeps a role's keys in `keys.cbor`, mode 0600.
    ///
    /// # Errors
    /// [`FolderError`]; never overwrites keys.
    pub fn write_keys(&self, keys: &DeviceKeys) -> Result<(), FolderError> {
        self.must_be_new()?;
        let mut file = KeysFile {
            version: 0,
            device: keys.device,
            sig: ByteArray::from(*keys.sig.to_bytes()),
            alarm: ByteArray::from(*keys.alarm.to_bytes()),
            kem: ByteArray::from(*keys.kem.as_bytes()),
        };
        let bytes = Zeroizing::new(cbor::to_vec(&file));
        file.wipe();
        self.write(KEYS_FILE, &bytes, Access::Secret)
    }

    /// The role's keys.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn read_keys(&self) -> Result<DeviceKeys, FolderError> {
        let bytes = Zeroizing::new(self.read(KEYS_FILE)?);
        let damaged = |error: FormatError| FolderError::Damaged { path: self.path(KEYS_FILE), why: error.to_string() };
        let mut file: KeysFile = cbor::from_slice(&bytes, "a file of keys").map_err(damaged)?;
        let kem = KemSecret::from_slice(&file.kem[..])
            .ok_or_else(|| damaged(FormatError::Malformed { what: "a file of keys" }))?;
        let keys = DeviceKeys {
            device: file.device,
            sig: SigningKey::from_bytes(&file.sig),
            alarm: SigningKey::from_bytes(&file.alarm),
            kem,
        };
        file.wipe();
        if file.version == 0 {
            Ok(keys)
        } else {
            Err(damaged(FormatError::WrongDocument { expected: "keys, version 0" }))
        }
    }

    /// Writes the role's settings, `config.toml`.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn write_config(&self, toml: &str) -> Result<(), FolderError> {
        self.write(CONFIG_FILE, toml.as_bytes(), Access::Open)
    }

    /// The role's settings.
    ///
    /// # Errors
    /// [`FolderError`], with the line at fault.
    pub fn read_config<T: DeserializeOwned>(&self) -> Result<T, FolderError> {
        read_config_of(&self.dir)
    }
}

/// The settings in a folder, locked or not.
///
/// # Errors
/// [`FolderError`], with the line at fault.
pub fn read_config_of<T: DeserializeOwned>(dir: &Path) -> Result<T, FolderError> {
    let path = dir.join(CONFIG_FILE);
    let damaged = |why: String| FolderError::Damaged { path: path.clone(), why };
    let text = String::from_utf8(read_whole(&path)?).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
    toml::from_str(&text).map_err(|error| damaged(error.to_string()))
}

#[derive(Encode, Decode)]
struct KeysFile {
    #[n(0)]
    version: u8,
    #[n(1)]
    device: DeviceId,
    #[n(2)]
    sig: ByteArray<32>,
    #[n(3)]
    alarm: ByteArray<32>,
    #[n(4)]
    kem: ByteArray<32>,
}

impl KeysFile {
    fn wipe(&mut self) {
        self.sig.zeroize();
        self.alarm.zeroize();
        self.kem.zeroize();
    }
}

/// Writes a file whole, anywhere: a temporary file beside it, synced, then renamed, and the folder synced.
///
/// # Errors
/// [`FolderError::Io`].
pub fn write_whole(path: &Path, bytes: &[u8], access: Access) -> Result<(), FolderError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = dir.join(name);
    let mode = match access {
        Access::Secret => 0o600,
        Access::Open => 0o644,
    };
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&temporary)(error)),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary).map_err(io(&temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io(&temporary))?;
    std::fs::rename(&temporary, path).map_err(io(path))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))
}

/// Reads a file whole, up to 128 MiB.
///
/// # Errors
/// [`FolderError`].
pub fn read_whole(path: &Path) -> Result<Vec<u8>, FolderError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(FolderError::Missing(path.to_owned()));
        }
        other => other.map_err(io(path))?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io(path))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let why = format!("it is larger than {MAX_FILE_BYTES} bytes");
        return Err(FolderError::Damaged { path: path.to_owned(), why });
    }
    Ok(bytes)
}
