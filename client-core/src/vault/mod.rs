//! The vault: two encrypted databases under random keys, and a header that gives one of the keys for a PIN.
//!
//! What a PIN and the platform's key store protect is here; what works without a PIN is in the alarm outbox.
//!
//! One database is the true one, the other the decoy that duress PINs open. Both are on every device, whether or not a
//! duress PIN was ever set, and neither their names nor their sizes or times tell which is which. What this promises,
//! and what not, is in SECURITY.md.

mod attempts;
pub(crate) mod database;
mod files;
pub(crate) mod header;
mod pins;
pub(crate) mod setting;
mod swap;
mod wipe;

use rusqlite::Connection;
use zeroize::Zeroizing;

pub(crate) use header::{KdfCost, VaultKey, check_pin_rules};
pub(crate) use wipe::{remove_files, wipe, wipe_keys};

use crate::disk;
use crate::home::{Home, HomeLock, read_file, replace_file};
use crate::key_store::PlatformSecret;
use crate::{BakenError, Context, key_store};
use database::Schema;
use files::Files;
use header::{DatabaseFile, Header, Opened, Slot};

/// The vault's tables. Version 1 was that of a preview, whose formats were never frozen.
pub(crate) const SCHEMA: Schema =
    Schema { base: 1, migrations: &[include_str!("schema_2.sql"), include_str!("schema_3.sql")] };
/// How many wrong PINs wipe a vault whose owner has asked for that.
const WIPE_AFTER: u32 = 10;

/// An open vault. The lock lives as long as the connection.
#[derive(Debug)]
pub(crate) struct Vault {
    // Dropped in this order: the connection is closed, then the files are touched, then the folder is free.
    pub(crate) connection: Connection,
    files: Files,
    session: Session,
    /// The decoy's key, where the truth is open.
    decoy_key: Option<VaultKey>,
    /// Its decoy was made just now and is empty.
    has_new_decoy: bool,
    _lock: HomeLock,
}

/// What was opened, and by what. Nothing that is shown may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Session {
    Truth,
    /// The decoy, opened by its owner with the true PIN.
    DecoyEdited,
    /// The decoy, opened with a duress PIN.
    Duress,
}

impl Vault {
    /// Makes a new vault. `fill` puts in what must be there from the start; the header, which makes it a vault, is
    /// written last, so a crash before leaves none. Its decoy is made too, still empty.
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
        if disk::exists(&home.vault_header()) {
            return Err(BakenError::AlreadyActivated);
        }
        check_pin_rules(pin)?;
        let platform = context.with_rng(|rng| key_store::secret_or_new(context.key_store.as_ref(), rng))?;
        let (file, key, decoy_key) = context.with_rng(|rng| (a_file(rng), VaultKey::make(rng), VaultKey::make(rng)));
        let parts = (file, key.clone(), decoy_key.clone());
        let header = context.with_rng(|rng| Header::make(pin, &platform, parts, cost, rng))?;
        // Left over from a creation that a crash ended: without a header nobody has its key.
        home.vault_databases().iter().chain([&home.vault_beside()]).try_for_each(|path| files::remove(path))?;
        make_decoy(home, context, file.other(), &decoy_key)?;
        let connection = database::open(&files::path(home, file), &key, SCHEMA)?;
        fill(&connection)?;
        let mut files = context.with_rng(|rng| Files::new(home, file, context.clock.clone(), rng));
        files.level(&connection)?;
        attempts::succeeded(home, context.now())?;
        replace_file(&home.vault_header(), &header.to_bytes())?;
        let decoy_key = Some(decoy_key);
        Ok(Self { connection, files, session: Session::Truth, decoy_key, has_new_decoy: true, _lock: lock })
    }

    /// Opens with a PIN whatever that PIN opens.
    ///
    /// # Errors
    /// [`BakenError::NotActivated`], [`BakenError::WrongPin`], [`BakenError::TooSoon`], [`BakenError::VaultDamaged`],
    /// [`BakenError::VaultNewer`], [`BakenError::HomeInUse`], [`BakenError::KeyStoreLost`].
    pub(crate) fn unlock(home: &Home, context: &Context, pin: &str) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        let tried = try_pin(home, context, pin)?.accept(home, context)?;
        Self::of_slot(home, context, &tried.opened.slot, lock)
    }

    /// Opens the decoy with the true PIN, to edit it. A duress PIN opens what it always does.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub(crate) fn unlock_decoy(home: &Home, context: &Context, pin: &str) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        let tried = try_pin(home, context, pin)?.accept(home, context)?;
        let slot = &tried.opened.slot;
        match (&slot.other, slot.duress) {
            (Some(decoy_key), false) => {
                Self::open(home, context, (slot.file.other(), decoy_key), Session::DecoyEdited, None, lock)
            }
            _ => Self::of_slot(home, context, slot, lock),
        }
    }

    fn of_slot(home: &Home, context: &Context, slot: &Slot, lock: HomeLock) -> Result<Self, BakenError> {
        let session = if slot.duress { Session::Duress } else { Session::Truth };
        Self::open(home, context, (slot.file, &slot.key), session, slot.other.clone(), lock)
    }

    fn open(
        home: &Home,
        context: &Context,
        (file, key): (DatabaseFile, &VaultKey),
        session: Session,
        decoy_key: Option<VaultKey>,
        lock: HomeLock,
    ) -> Result<Self, BakenError> {
        let mut files = context.with_rng(|rng| Files::new(home, file, context.clock.clone(), rng));
        swap::finish(home, &files.own, key, session)?;
        if !disk::exists(&files.own) {
            return Err(BakenError::VaultDamaged { part: "its database is missing" });
        }
        let connection = database::open(&files.own, key, SCHEMA)?;
        // A disk too full for filling is no reason to keep anybody out.
        let _ = files.level(&connection).and_then(|()| files.touch());
        Ok(Self { connection, files, session, decoy_key, has_new_decoy: false, _lock: lock })
    }

    /// Whether this is the decoy. Only for what leaves the device (the note at unlocking, and that nothing of a decoy is
    /// sent) and for tests: no screen may look different for it.
    pub(crate) fn is_decoy(&self) -> bool {
        self.session != Session::Truth
    }

    /// Whether a duress PIN opened it, which only the desk may learn.
    pub(crate) fn is_duress(&self) -> bool {
        self.session == Session::Duress
    }

    /// Whether the decoy beside it was made just now, so that it is still to be filled.
    pub(crate) fn has_new_decoy(&self) -> bool {
        self.has_new_decoy
    }

    /// It is being wiped: closing it writes nothing.
    pub(crate) fn abandon(&mut self) {
        self.files.gone = true;
    }

    /// The decoy beside the open truth; `None` in the decoy itself.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], [`BakenError::Database`].
    pub(crate) fn open_decoy(&self) -> Result<Option<Connection>, BakenError> {
        let Some(key) = &self.decoy_key else { return Ok(None) };
        database::open(&self.files.other, key, SCHEMA).map(Some)
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        if !self.files.gone {
            // A full disk leaves the files of different size until the next unlock.
            let _ = self.files.level(&self.connection);
        }
    }
}

fn a_file(rng: &mut dyn rand_core::CryptoRng) -> DatabaseFile {
    if header::random_place(rng, 2) == 0 { DatabaseFile::A } else { DatabaseFile::B }
}

/// Makes the decoy's database, empty.
fn make_decoy(home: &Home, context: &Context, file: DatabaseFile, key: &VaultKey) -> Result<(), BakenError> {
    let decoy = database::open(&files::path(home, file), key, SCHEMA)?;
    let mut files = context.with_rng(|rng| Files::new(home, file, context.clock.clone(), rng));
    // Grown alone: the other file is not there yet, or is brought to its size when the truth is opened.
    files.other.clone_from(&files.own);
    files.level(&decoy)
}

/// A PIN that was tried and opened a slot. Whoever asked decides whether that slot will do.
pub(crate) struct Tried {
    header: Header,
    platform: PlatformSecret,
    opened: Opened,
    wrong: u32,
}

impl Tried {
    /// Whether it is a duress PIN.
    pub(crate) fn is_duress(&self) -> bool {
        self.opened.slot.duress
    }

    /// The PIN was right.
    ///
    /// # Errors
    /// [`BakenError::Disk`].
    pub(crate) fn accept(self, home: &Home, context: &Context) -> Result<Self, BakenError> {
        attempts::succeeded(home, context.now())?;
        Ok(self)
    }

    /// The PIN will not do here; it stays counted as wrong.
    pub(crate) fn reject(&self) -> BakenError {
        BakenError::WrongPin { wait_ms: attempts::wait_ms(self.wrong) }
    }

    /// The key of the truth, of the decoy, and of the slot.
    #[cfg(test)]
    pub(crate) fn keys_for_tests(&self) -> [[u8; 32]; 3] {
        let Opened { slot, kek, .. } = &self.opened;
        let decoy = slot.other.as_ref().map_or([0; 32], |key| *key.key.as_bytes());
        [*slot.key.key.as_bytes(), decoy, *kek.as_bytes()]
    }

    /// Replaces the header on disk, whole.
    fn store_header(&self, home: &Home) -> Result<(), BakenError> {
        replace_file(&home.vault_header(), &self.header.to_bytes())
    }
}

/// Tries a PIN. The try is counted on disk before it is made, and stays counted until [`Tried::accept`]. The tenth wrong
/// one wipes the vault if its owner has asked for that.
///
/// # Errors
/// As [`Vault::unlock`].
pub(crate) fn try_pin(home: &Home, context: &Context, pin: &str) -> Result<Tried, BakenError> {
    let bytes = Zeroizing::new(read_file(&home.vault_header())?.ok_or(BakenError::NotActivated)?);
    let header = Header::parse(&bytes)?;
    let platform = key_store::existing_secret(context.key_store.as_ref())?;
    let block = header.block(&platform)?;
    let wrong = attempts::begin(home, context.now())?;
    if let Some(opened) = header.open(pin, &platform)? {
        return Ok(Tried { header, platform, opened, wrong });
    }
    if wrong >= WIPE_AFTER && block.wipe_after_ten {
        wipe(home, context)?;
        return Err(BakenError::NotActivated);
    }
    Err(BakenError::WrongPin { wait_ms: attempts::wait_ms(wrong) })
}

#[cfg(test)]
mod tests;
