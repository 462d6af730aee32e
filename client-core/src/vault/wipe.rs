//! Wiping: the keys first, in well under 200 ms, then the files.
//!
//! Only what holds keys is overwritten: the header, and the platform's secret by its key store. Without them the
//! databases are random bytes, and on flash overwriting them would leave old copies anyway.

use std::io::Write as _;
use std::path::PathBuf;

use crate::disk::{self, OpenOptions};
use crate::home::{Home, overwrite_file, remove_all, replace_file};
use crate::vault::files::with_companions;
use crate::vault::header::HEADER_LEN;
use crate::{BakenError, Context};

/// Destroys the keys of the vault and of the alarm outbox. What is left of them opens nothing.
///
/// # Errors
/// The first of the disk's; what could be destroyed is.
pub(crate) fn wipe_keys(home: &Home, context: &Context) -> Result<(), BakenError> {
    let mut random = [0; HEADER_LEN];
    context.with_rng(|rng| rng.fill_bytes(&mut random));
    let header = overwrite_file(&home.vault_header(), &random);
    header.and(context.key_store.forget())
}

/// Replaces the header by one that names other keys, and destroys what the old one held.
///
/// # Errors
/// [`BakenError::Disk`]; the old header is then still there.
pub(super) fn replace_keys(home: &Home, context: &Context, header: &[u8]) -> Result<(), BakenError> {
    let mut old = OpenOptions::new().write(true).open(home.vault_header())?;
    replace_file(&home.vault_header(), header)?;
    let mut random = [0; HEADER_LEN];
    context.with_rng(|rng| rng.fill_bytes(&mut random));
    // Nothing names these bytes any more, and what replaced them counts: that they could not be written over is no
    // reason to stop half-way.
    let _ = old.write_all(&random).and_then(|()| old.sync_all());
    Ok(())
}

/// Removes the files of the vault and of the alarm outbox, attachments and editions: nothing shows that there was a
/// device.
///
/// # Errors
/// The first of the disk's; what could be removed is.
pub(crate) fn remove_files(home: &Home) -> Result<(), BakenError> {
    let files = remove_all(&files_of(home));
    let blobs = match disk::remove_dir_all(home.blobs()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    };
    files.and(blobs).and(crate::guidance::remove_editions(&home.guidance()))
}

/// Both, for a vault that nobody has open.
///
/// # Errors
/// As both.
pub(crate) fn wipe(home: &Home, context: &Context) -> Result<(), BakenError> {
    let keys = wipe_keys(home, context);
    let files = remove_files(home);
    keys.and(files)
}

fn files_of(home: &Home) -> Vec<PathBuf> {
    let mut files = vec![home.vault_header(), home.vault_header().with_extension("new")];
    for database in home.vault_databases().iter().chain([&home.vault_beside(), &home.outbox_database()]) {
        files.extend(with_companions(database));
    }
    files.extend([home.vault_attempts(), home.vault_attempts().with_extension("new")]);
    files
}
