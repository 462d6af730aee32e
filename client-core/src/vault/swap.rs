//! The true database replaced by another under a new key, in one step that a power loss cannot halve.
//!
//! The new one is made whole beside the two, then the header that names its key replaces the old header: that is the
//! step. After it the old key is written over, and the new file takes the old one's place. Ended before the step, the
//! old vault is there, and what lies beside it goes at the next unlocking with the true PIN; ended after it, the move is
//! made up for then. A duress PIN cannot tell whose the file beside is, and leaves it.

use std::io::Read as _;

use rusqlite::Connection;

use super::database;
use super::files::{self, Files};
use super::header::VaultKey;
use super::wipe::replace_keys;
use super::{SCHEMA, Session, Vault, try_pin};
use crate::disk::{self, File};
use crate::home::{Home, remove_file, sync_folder_of};
use crate::{BakenError, Context};

impl Vault {
    /// Replaces the true database by one under a new key, which `fill` fills, and opens that. PINs stay, and the decoy.
    /// The vault must not be open.
    ///
    /// # Errors
    /// As [`Vault::unlock`]; [`BakenError::WrongPin`] for a duress PIN too. The old vault is then still there.
    pub(crate) fn replace(
        home: &Home,
        context: &Context,
        pin: &str,
        fill: impl FnOnce(&mut Connection) -> Result<(), BakenError>,
    ) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        let mut tried = try_pin(home, context, pin)?;
        if tried.is_duress() {
            return Err(tried.reject());
        }
        tried = tried.accept(home, context)?;
        let (file, decoy_key) = (tried.opened.slot.file, tried.opened.slot.other.clone());
        let old_key = tried.opened.slot.key.clone();
        let own = files::path(home, file);
        finish(home, &own, &old_key, Session::Truth)?;
        let key = context.with_rng(|rng| VaultKey::make(rng));
        make_beside(home, context, &key, &files::path(home, file.other()), fill)?;

        tried.set_key(key.clone(), context);
        replace_keys(home, context, &tried.header.to_bytes())?;
        Self::open(home, context, (file, &key), Session::Truth, decoy_key, lock)
    }
}

/// Makes the new database, of one size with the decoy's.
fn make_beside(
    home: &Home,
    context: &Context,
    key: &VaultKey,
    decoy: &std::path::Path,
    fill: impl FnOnce(&mut Connection) -> Result<(), BakenError>,
) -> Result<(), BakenError> {
    let beside = home.vault_beside();
    files::remove(&beside)?;
    let mut connection = database::open(&beside, key, SCHEMA)?;
    fill(&mut connection)?;
    let mut files = context.with_rng(|rng| Files::over(beside.clone(), decoy.to_owned(), context.clock.clone(), rng));
    files.level(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    sync_folder_of(&beside)
}

/// Moves what lies beside into its place, if this key is its own; of the true vault it is a leftover otherwise.
///
/// # Errors
/// [`BakenError::Disk`].
pub(super) fn finish(home: &Home, own: &std::path::Path, key: &VaultKey, session: Session) -> Result<(), BakenError> {
    let beside = home.vault_beside();
    // The first bytes of an encrypted file are its salt, which the key brings along.
    let mut start = [0; 16];
    match File::open(&beside) {
        Ok(mut file) => {
            // One that was cut short is nobody's.
            let _ = file.read_exact(&mut start);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if start == key.salt {
        // What SQLite kept beside the old file must not be taken for the new one's.
        for companion in files::with_companions(own).iter().skip(1) {
            remove_file(companion)?;
        }
        disk::rename(&beside, own)?;
        return sync_folder_of(own);
    }
    if session == Session::Truth { files::remove(&beside) } else { Ok(()) }
}
