//! The organisations that the relay serves, and the newest directory of each, in memory: who is asked with every
//! request. What is here was read from the database or just committed to it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use baken_schemas::crypto::VerifyKey;
use baken_schemas::id::DeviceId;
use baken_schemas::id::LadderId;
use baken_schemas::org::{Directory, Ladder, OrgId};
use baken_schemas::signed::Signed;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::relay::problem::Refusal;
use crate::store::StoreError;

/// How many old versions of a directory are searched for a ladder.
const OLD_DIRECTORIES: u32 = 64;

/// Newest directories, by organisation; `None` for one that has published none.
#[derive(Debug, Default)]
pub(super) struct Trust {
    newest: RwLock<HashMap<OrgId, Option<Arc<Signed<Directory>>>>>,
}

impl Trust {
    /// Reads organisations and directories.
    pub(super) fn load(db: &Connection) -> Result<Self, StoreError> {
        let mut statement = db.prepare(
            "SELECT org, (SELECT bytes FROM directory d WHERE d.org = org.org ORDER BY version DESC LIMIT 1) FROM org",
        )?;
        let rows =
            statement.query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)))?;
        let mut newest = HashMap::new();
        for row in rows {
            let (org, bytes) = row?;
            let org = OrgId(baken_schemas::crypto::Hash(org));
            let directory = bytes
                .map(|bytes| Directory::verify(&bytes, org).map(Arc::new))
                .transpose()
                .map_err(|_| StoreError::Damaged)?;
            newest.insert(org, directory);
        }
        Ok(Self { newest: RwLock::new(newest) })
    }

    fn read<T>(&self, look: impl FnOnce(&HashMap<OrgId, Option<Arc<Signed<Directory>>>>) -> T) -> T {
        look(&self.newest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the organisation is served here.
    pub(super) fn serves(&self, org: OrgId) -> bool {
        self.read(|newest| newest.contains_key(&org))
    }

    /// Takes an organisation, or its directory when it is newer than the one here.
    pub(super) fn take(&self, org: OrgId, directory: Option<Arc<Signed<Directory>>>) {
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        let place = newest.entry(org).or_default();
        let version = |directory: &Option<Arc<Signed<Directory>>>| {
            directory.as_ref().map_or(0, |directory| directory.value().version)
        };
        if version(&directory) > version(place) {
            *place = directory;
        }
    }

    /// The organisation's newest directory.
    pub(super) fn directory(&self, org: OrgId) -> Result<Arc<Signed<Directory>>, Refusal> {
        self.read(|newest| newest.get(&org).cloned()).ok_or(Refusal::UnknownOrg)?.ok_or(Refusal::NoDirectory)
    }

    /// The desks of every organisation.
    pub(super) fn desks(&self) -> Vec<(OrgId, Vec<DeviceId>)> {
        self.read(|newest| {
            let directories = newest.iter().filter_map(|(org, directory)| Some((*org, directory.as_ref()?)));
            let desks = |directory: &Directory| directory.desks.iter().map(|entry| entry.desk).collect();
            directories.map(|(org, directory)| (org, desks(directory.value()))).collect()
        })
    }

    /// The desk of this id: every key that a directory gives it, and the organisations that do.
    pub(super) fn desk(&self, desk: DeviceId) -> Vec<(OrgId, VerifyKey)> {
        self.read(|newest| {
            let directories = newest.iter().filter_map(|(org, directory)| Some((*org, directory.as_ref()?)));
            directories.filter_map(|(org, directory)| Some((org, directory.value().desk(desk)?.sig))).collect()
        })
    }
}

/// A ladder of an organisation, from the newest directory that has it.
pub(super) fn ladder(
    db: &Connection,
    org: OrgId,
    ladder: LadderId,
    version: u32,
) -> Result<Option<Ladder>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT bytes FROM directory WHERE org = ?1 ORDER BY version DESC LIMIT ?2")?;
    let mut rows = statement.query(params![org.0.0, OLD_DIRECTORIES])?;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        // It was verified when it was stored.
        let directory = Directory::verify(&bytes, org).map_err(|_| StoreError::Damaged)?.into_value();
        if let Some(found) = directory.ladder(ladder, version) {
            return Ok(Some(found.clone()));
        }
    }
    Ok(None)
}

/// A directory of this version, if there is one.
pub(super) fn directory_bytes(db: &Connection, org: OrgId, version: u64) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(db
        .prepare_cached("SELECT bytes FROM directory WHERE org = ?1 AND version = ?2")?
        .query_row(params![org.0.0, version], |row| row.get(0))
        .optional()?)
}
