//! [`Baken`]: one device. Every method is here or beside the part it calls (`impl Baken` in `alarm/`, `record/` …).
//!
//! Methods take `&self` and never hold the inner lock while they wait for the network, so an edit, a press and a sync
//! can run at the same time. The alarm part works with the vault locked and never takes the vault's lock.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baken_schemas::crypto::{SigningKey, SymmetricKey};
use baken_schemas::device::DeviceKeys;
use baken_schemas::id::{AccountId, DeviceId};
use baken_schemas::org::OrgId;
use zeroize::Zeroize as _;

use crate::alarm::AlarmOutbox;
use crate::circle::Circles;
use crate::device;
use crate::disk;
use crate::home::Home;
use crate::record::RecordWords;
use crate::record::store::{self, About};
use crate::travel::Travel;
use crate::vault::Vault;
use crate::{BakenError, Context};

/// One device: a home folder, and the vault in it while it is unlocked.
#[derive(Debug)]
pub struct Baken {
    pub(crate) home: Home,
    pub(crate) context: Context,
    /// Boxed, so that what is dropped is wiped where it lies and not moved first.
    vault: Mutex<Option<Box<UnlockedVault>>>,
    /// Rung by every edit, so that a running [`Self::follow`] sends it at once.
    pub(crate) edited: tokio::sync::Notify,
    /// Whether a running [`Self::follow`] sends every edit at once.
    pub(crate) is_live: AtomicBool,
    /// Whether entries came in live that may not be on disk yet.
    pub(crate) came_live: AtomicBool,
    /// Opened at its first use.
    pub(crate) outbox: Mutex<Option<Arc<AlarmOutbox>>>,
}

/// What is in memory only while the vault is unlocked.
#[derive(Debug)]
pub(crate) struct UnlockedVault {
    pub(crate) vault: Vault,
    pub(crate) keys: DeviceKeys,
    pub(crate) circles: Circles,
    /// The account; nobody's on a guest's device.
    pub(crate) account: AccountId,
    /// The dossier is not on this phone.
    pub(crate) travel: Option<Travel>,
    /// The words of all records, from the first search on.
    pub(crate) words: RecordWords,
}

impl UnlockedVault {
    /// Reads what stays in memory while the vault is open.
    pub(crate) fn load(vault: Vault) -> Result<Self, BakenError> {
        let device = device::load(&vault.connection)?;
        let circles = Circles::load(&vault.connection, device.circle, &device.keys)?;
        let travel = Travel::read(&vault.connection)?;
        let words = RecordWords::default();
        Ok(Self { vault, keys: device.keys, circles, account: device.account, travel, words })
    }

    /// Reads it again, where the vault has become another device's.
    pub(crate) fn reload(&mut self) -> Result<(), BakenError> {
        let device = device::load(&self.vault.connection)?;
        self.circles = Circles::load(&self.vault.connection, device.circle, &device.keys)?;
        self.travel = Travel::read(&self.vault.connection)?;
        (self.keys, self.account, self.words) = (device.keys, device.account, RecordWords::default());
        Ok(())
    }

    /// The account; `None` on a guest's device.
    pub(crate) fn account(&self) -> Option<AccountId> {
        (self.account != device::GUEST).then_some(self.account)
    }

    /// Whether a device is one of this person's.
    pub(crate) fn is_own_device(&self, device: DeviceId) -> bool {
        self.circles.home().membership().member(device).is_some()
    }
}

/// What the alarm outbox is given once, at activation or pairing, so that it works without PIN from then on.
#[derive(Clone)]
pub struct AlarmSetup {
    /// Who calls.
    pub device: DeviceId,
    /// Signs alarms, updates and notes.
    pub alarm_key: SigningKey,
    /// The account.
    pub account: AccountId,
    /// The organisation whose root signs the directory.
    pub org: OrgId,
    /// The newest directory, as signed; checked already.
    pub directory: Vec<u8>,
    /// Seals the card at the relay; travels only in alarms.
    pub card_key: SymmetricKey,
}

impl std::fmt::Debug for AlarmSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlarmSetup").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Baken {
    /// A device in its folder, locked. Nothing is read yet.
    pub fn open(home: Home, context: Context) -> Self {
        Self {
            home,
            context,
            vault: Mutex::new(None),
            edited: tokio::sync::Notify::new(),
            is_live: AtomicBool::new(false),
            came_live: AtomicBool::new(false),
            outbox: Mutex::new(None),
        }
    }

    /// Whether this folder holds a device: activated, or paired.
    pub fn is_activated(&self) -> bool {
        disk::exists(&self.home.vault_header())
    }

    /// Whether the vault is unlocked.
    pub fn is_unlocked(&self) -> bool {
        self.vault().is_some()
    }

    pub(crate) fn set_vault(&self, open: UnlockedVault) {
        *self.vault() = Some(Box::new(open));
    }

    /// Wipes the vault's keys from memory and closes its files.
    pub fn lock(&self) {
        *self.vault() = None;
        burn_stack();
    }

    /// Runs `work` and locks in one step: what nobody has seen written can then not be written in between.
    ///
    /// # Errors
    /// As [`Self::with_vault`]; the vault is then still open.
    pub(crate) fn lock_after<T>(
        &self,
        work: impl FnOnce(&mut UnlockedVault) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        let mut vault = self.vault();
        let done = work(vault.as_deref_mut().ok_or(BakenError::Locked)?)?;
        *vault = None;
        drop(vault);
        burn_stack();
        Ok(done)
    }

    /// The keys of this device, for signing requests that the alarm key may not sign. A decoy signs nothing: with it
    /// open, the relay is as if it could not be reached. A phone that travels is no device of the dossier.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::NotReached`], [`BakenError::Travelling`].
    pub(crate) fn device_keys(&self) -> Result<DeviceKeys, BakenError> {
        self.with_vault(|open| match (open.vault.is_decoy(), &open.travel) {
            (true, _) => Err(BakenError::NotReached),
            (false, Some(_)) => Err(BakenError::Travelling),
            (false, None) => Ok(open.keys.clone()),
        })
    }

    /// Runs `work` on the unlocked vault. Never wait for the network inside.
    ///
    /// # Errors
    /// [`BakenError::Locked`], and what `work` returns.
    pub(crate) fn with_vault<T>(
        &self,
        work: impl FnOnce(&mut UnlockedVault) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        work(self.vault().as_deref_mut().ok_or(BakenError::Locked)?)
    }

    /// As [`Self::with_vault`], with all that was taken in merged into the records.
    ///
    /// # Errors
    /// As [`Self::with_vault`].
    pub(crate) fn with_settled<T>(
        &self,
        work: impl FnOnce(&mut UnlockedVault) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        self.with_vault(|open| {
            for circle in open.circles.all() {
                store::settle(&open.vault.connection, circle, self.context.now())?;
            }
            work(open)
        })
    }

    /// As [`Self::with_settled`], but only what is about these kinds is sure to be merged.
    ///
    /// # Errors
    /// As [`Self::with_vault`].
    pub(crate) fn with_settled_about<T>(
        &self,
        about: About,
        work: impl FnOnce(&mut UnlockedVault) -> Result<T, BakenError>,
    ) -> Result<T, BakenError> {
        self.with_vault(|open| {
            for circle in open.circles.all() {
                store::settle_about(&open.vault.connection, circle, about, self.context.now())?;
            }
            work(open)
        })
    }

    fn vault(&self) -> MutexGuard<'_, Option<Box<UnlockedVault>>> {
        // Every change to the vault is one SQLite transaction: a panic between leaves nothing half-done.
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes over what earlier calls left on this thread's stack: values that were moved leave their bytes behind, keys too.
#[inline(never)]
fn burn_stack() {
    /// Deeper than anything above Argon2id and the key encapsulation goes, and half of the smallest stack there is.
    const DEPTH: usize = 256 * 1024;
    let mut stack = [0_u8; DEPTH];
    stack.zeroize();
    std::hint::black_box(&stack);
}
