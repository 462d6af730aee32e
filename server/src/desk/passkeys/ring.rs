//! The passkeys of an officer, in one file of the desk's folder beside the officer's own. Nothing in it opens a console:
//! what is kept of a passkey is its public half.
//!
//! ```text
//! officers/keys/<officer>.json            [{"name", "added_at", "used_at", "passkey"}]
//! officers/keys/<officer>.forgotten.json  when all of them were last forgotten
//! ```

use std::path::{Path, PathBuf};

use baken_schemas::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::Passkey;

use crate::desk::officers::{OfficerId, write_json};
use crate::folder::{FolderError, read_whole};

/// A passkey of an officer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfficerKey {
    /// What the officer calls it, such as "blue key on my key ring".
    pub name: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it last opened the console.
    pub used_at: Option<Timestamp>,
    /// Its public half, and how often it signed.
    pub(super) passkey: Passkey,
}

impl OfficerKey {
    /// How a page and a command name it: the start of its id in hexadecimal, enough among ten.
    pub fn id(&self) -> String {
        let id: &[u8] = self.passkey.cred_id().as_ref();
        data_encoding::HEXLOWER.encode(id.get(..8).unwrap_or(id))
    }
}

/// The passkeys in a desk's folder.
#[derive(Debug, Clone)]
pub struct KeyRing {
    dir: PathBuf,
}

impl KeyRing {
    /// Those in `DATA/officers/keys`; the folder is made when it is missing.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn open(data: &Path) -> Result<Self, FolderError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let dir = data.join("officers").join("keys");
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|source| FolderError::Io { path: dir.clone(), source })?;
        Ok(Self { dir })
    }

    fn file(&self, officer: OfficerId) -> PathBuf {
        self.dir.join(format!("{officer}.json"))
    }

    fn forgotten_file(&self, officer: OfficerId) -> PathBuf {
        self.dir.join(format!("{officer}.forgotten.json"))
    }

    /// An officer's passkeys, the oldest first.
    ///
    /// # Errors
    /// [`FolderError`], also when the file is damaged: then nobody comes in by it.
    pub fn read(&self, officer: OfficerId) -> Result<Vec<OfficerKey>, FolderError> {
        let mut keys: Vec<OfficerKey> = read_json(self.file(officer))?.unwrap_or_default();
        // A log-in that was under way while they were forgotten may have written them back.
        let forgotten = self.forgotten_at(officer)?;
        keys.retain(|key| Some(key.added_at) > forgotten);
        Ok(keys)
    }

    /// When an officer's passkeys were last forgotten.
    ///
    /// # Errors
    /// [`FolderError`], also when the file is damaged.
    pub fn forgotten_at(&self, officer: OfficerId) -> Result<Option<Timestamp>, FolderError> {
        read_json(self.forgotten_file(officer))
    }

    pub(super) fn write(&self, officer: OfficerId, keys: &[OfficerKey]) -> Result<(), FolderError> {
        write_json(&self.file(officer), &keys)
    }

    /// Forgets every passkey of an officer, whose keys are lost: only a new link lets them in again. Whoever is in by one of
    /// those, or by an older link, is not.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn forget(&self, officer: OfficerId, now: Timestamp) -> Result<(), FolderError> {
        write_json(&self.forgotten_file(officer), &now)?;
        let path = self.file(officer);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(FolderError::Io { path, source }),
            _ => Ok(()),
        }
    }
}

fn read_json<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, FolderError> {
    match read_whole(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| FolderError::Damaged { path, why: error.to_string() })
        }
        Err(FolderError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
