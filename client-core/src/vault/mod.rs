//! The vault: one encrypted database under a random key, and a header that gives the key for a PIN.
//!
//! What a PIN and the platform's key store protect is here; what works without a PIN is in the alarm outbox.

mod attempts;
pub(crate) mod database;
mod header;
pub(crate) mod setting;

use rusqlite::Connection;

pub(crate) use header::{KdfCost, VaultKey, check_pin_rules};

use crate::home::{Home, HomeLock, read_file, remove_file, replace_file};
use crate::{BakenError, Context, key_store};
use database::Schema;
use header::Header;

/// The vault's tables. Version 1 was that of a preview, whose formats were never frozen.
pub(crate) const SCHEMA: Schema = Schema { base: 1, migrations: &[include_str!("schema_2.sql")] };

/// An open vault. The lock lives as long as the connection.
#[derive(Debug)]
pub(crate) struct Vault {
    pub(crate) connection: Connection,
    _lock: HomeLock,
}

impl Vault {
    /// Makes a new vault. `fill` puts in what must be there from the start; the header, which makes it a vault, is
    /// written last, so a crash before leaves none.
    ///
    /// # Errors
    /// [`BakenError::AlreadyActivated`] when there is one, [`BakenError::PinRefused`], [`BakenError::Disk`] …
    pub(crate) fn create(
        home: &Home,
        context: &Context,
        pin: &str,
        cost: KdfCost,
        fill: impl FnOnce(&Connection) -> Result<(), BakenError>,
    ) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        if home.vault_header().exists() {
            return Err(BakenError::AlreadyActivated);
        }
        let platform = context.with_rng(|rng| key_store::secret_or_new(context.key_store.as_ref(), rng))?;
        let key = context.with_rng(|rng| VaultKey::make(rng));
        let header = context.with_rng(|rng| Header::make(pin, &platform, &key, cost, rng))?;
        // Left over from a creation that a crash ended: without a header nobody has its key.
        for suffix in ["", "-wal", "-shm"] {
            let mut path = home.vault_database().into_os_string();
            path.push(suffix);
            remove_file(path.as_ref())?;
        }
        let connection = database::open(&home.vault_database(), &key, SCHEMA)?;
        fill(&connection)?;
        replace_file(&home.vault_header(), &header)?;
        Ok(Self { connection, _lock: lock })
    }

    /// Opens the vault with a PIN.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], [`BakenError::WrongPin`], [`BakenError::TooSoon`], [`BakenError::VaultDamaged`],
    /// [`BakenError::VaultNewer`], [`BakenError::HomeInUse`], [`BakenError::KeyStoreLost`].
    pub(crate) fn unlock(home: &Home, context: &Context, pin: &str) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        let key = try_pin(home, context, pin)?;
        if !home.vault_database().exists() {
            return Err(BakenError::VaultDamaged { part: "its database is missing" });
        }
        let connection = database::open(&home.vault_database(), &key, SCHEMA)?;
        Ok(Self { connection, _lock: lock })
    }
}

/// The vault's key for a PIN. A try is counted on disk before it is made.
///
/// # Errors
/// As [`Vault::unlock`].
pub(crate) fn try_pin(home: &Home, context: &Context, pin: &str) -> Result<VaultKey, BakenError> {
    let bytes = read_file(&home.vault_header())?.ok_or(BakenError::NotActivated)?;
    let header = Header::parse(&bytes)?;
    let platform = key_store::existing_secret(context.key_store.as_ref())?;
    let wrong = attempts::begin(home, context.now())?;
    let Some(key) = header.open(pin, &platform)? else {
        return Err(BakenError::WrongPin { wait_ms: attempts::wait_ms(wrong) });
    };
    attempts::succeeded(home)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
