//! What a reader of a pack checks: that every file is the one that was signed, that none is missing and none was added.

use std::collections::BTreeMap;
use std::path::Path;

use baken_schemas::pack::{PackFile, PackStatement};
use baken_schemas::signed::{Document as _, Unverified};
use baken_schemas::time::Timestamp;
use serde::Serialize;

use super::police::hash_file;
use crate::BakenError;
use crate::disk;

/// The list of hashes, as `sha256sum -c` reads it.
pub(super) const HASHES: &str = "sha256.txt";
/// The signed statement.
pub(super) const STATEMENT: &str = "verklaring.baken";
/// The deepest folder in a pack.
const MAX_DEPTH: usize = 4;

/// A pack whose files are all as they were signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Stands for the key that signed. Only who shows the same on their phone made the pack.
    pub fingerprint: String,
    /// When it was made, by that phone's clock.
    pub made_at: Timestamp,
    /// How many files.
    pub files: usize,
    /// How many changes lie behind it.
    pub changes: usize,
    /// The first and the last of them, by the clocks of who wrote them.
    pub written: Option<(Timestamp, Timestamp)>,
    /// How many changes of that phone its relay did not have yet.
    pub unsent: u64,
    /// When that phone had last synced.
    pub last_sync: Option<Timestamp>,
}

/// Checks a pack for the police. Needs no vault and no network.
///
/// # Errors
/// [`BakenError::PackDamaged`] with what is wrong, [`BakenError::Format`] when the statement is none or is not signed by
/// the key in it, [`BakenError::Disk`].
pub fn verify(folder: &Path) -> Result<Verified, BakenError> {
    let path = folder.join(STATEMENT);
    if !path.is_file() {
        return Err(damaged(format!("{STATEMENT} is not there")));
    }
    if path.metadata()?.len() > PackStatement::MAX_BYTES as u64 {
        return Err(damaged(format!("{STATEMENT} is too long")));
    }
    let unverified = Unverified::<PackStatement>::parse(&disk::read(&path)?)?;
    let key = unverified.claims().key;
    let statement = unverified.verify(&key)?.into_value();
    let mut listed: BTreeMap<&str, &PackFile> = statement.files.iter().map(|file| (file.name.as_str(), file)).collect();
    let mut there = Vec::new();
    list(folder, "", 0, &mut there)?;
    for name in there.iter().filter(|name| *name != STATEMENT) {
        let file = listed.remove(name.as_str()).ok_or_else(|| damaged(format!("{name} was not signed")))?;
        if hash_file(&folder.join(name))? != (file.size, file.sha256) {
            return Err(damaged(format!("{name} was altered")));
        }
    }
    if let Some((name, _)) = listed.pop_first() {
        return Err(damaged(format!("{name} is missing")));
    }
    let times = statement.changes.iter().map(|change| change.at);
    Ok(Verified {
        fingerprint: statement.fingerprint(),
        made_at: statement.made_at,
        files: statement.files.len(),
        changes: statement.changes.len(),
        written: times.clone().min().zip(times.max()),
        unsent: statement.unsent,
        last_sync: statement.last_sync,
    })
}

/// Every file of a folder by its name within it. Nothing in a pack is a link.
fn list(folder: &Path, within: &str, depth: usize, names: &mut Vec<String>) -> Result<(), BakenError> {
    for entry in disk::read_dir(folder.join(within))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| damaged("a name that is no text".to_owned()))?;
        let name = if within.is_empty() { name } else { format!("{within}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            list(folder, &name, depth + 1, names)?;
        } else if kind.is_file() {
            names.push(name);
        } else {
            return Err(damaged(format!("{name} is no file")));
        }
    }
    Ok(())
}

fn damaged(what: String) -> BakenError {
    BakenError::PackDamaged { what }
}
