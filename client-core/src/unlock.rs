//! The PIN part of [`Baken`]: unlocking by every way, changing what unlocks, and wiping.
//!
//! Every unlock leaves one note of the same size for the first desk in the alarm outbox, and only its sealed inside says
//! whether the PIN was a duress PIN. Unlocking waits for no network and does not fail because the outbox does.

use crate::baken::UnlockedVault;
use crate::key_store::BiometricKey;
use crate::vault::{self, Tried, Vault, check_pin_rules};
use crate::{Baken, BakenError, decoy};

impl Baken {
    /// Opens the vault. Takes about a tenth of a second, most of it on purpose.
    ///
    /// # Errors
    /// [`BakenError::WrongPin`], [`BakenError::TooSoon`], [`BakenError::NotActivated`] (also when this was the tenth wrong
    /// PIN and its owner has asked for a wipe then), [`BakenError::VaultDamaged`], [`BakenError::VaultNewer`],
    /// [`BakenError::HomeInUse`], [`BakenError::KeyStoreLost`].
    pub fn unlock(&self, pin: &str) -> Result<(), BakenError> {
        self.unlock_by(true, || Vault::unlock(&self.home, &self.context, pin))
    }

    /// Opens the decoy with the true PIN, to edit what a duress PIN will show. Nothing of it is ever sent. A duress PIN
    /// opens what it always does.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub fn unlock_decoy(&self, pin: &str) -> Result<(), BakenError> {
        // A decoy that a crash left empty is filled from the truth first.
        self.unlock(pin)?;
        self.fill_decoy()?;
        self.lock();
        let vault = Vault::unlock_decoy(&self.home, &self.context, pin)?;
        self.set_vault(UnlockedVault::load(vault)?);
        Ok(())
    }

    /// Opens the vault with a finger or a face.
    ///
    /// # Errors
    /// [`BakenError::PinNeeded`] when none was set up, 72 hours after the last PIN, after three failures and after a
    /// wrong PIN, and after another device had this one locked; [`BakenError::BiometricRefused`]; and as
    /// [`Self::unlock`].
    pub fn unlock_biometric(&self, key: &dyn BiometricKey) -> Result<(), BakenError> {
        self.unlock_by(false, || Vault::unlock_biometric(&self.home, &self.context, key))
    }

    fn unlock_by(&self, pin: bool, unlock: impl FnOnce() -> Result<Vault, BakenError>) -> Result<(), BakenError> {
        // Opened already, the lock on the folder would be taken from oneself.
        self.lock();
        let due = self.orders_due();
        if due.wipe {
            // A crash kept it from being carried out.
            self.wipe()?;
            return Err(BakenError::NotActivated);
        }
        if due.lock && !pin {
            return Err(BakenError::PinNeeded);
        }
        let vault = self.after_try(unlock())?;
        if due.lock {
            self.alarm_outbox()?.lift_lock()?;
        }
        self.note_unlocked(vault.is_duress());
        let open = UnlockedVault::load(vault)?;
        let has_new_decoy = open.vault.has_new_decoy();
        let in_duress = open.vault.is_duress();
        self.set_vault(open);
        if !in_duress {
            // What cannot be taken in now waits for the next time.
            let _ = self.take_inbox();
        }
        if has_new_decoy {
            // Filled before it is first needed: see `add_duress_pin`.
            let _ = self.fill_decoy();
        }
        // What cannot be cleared away keeps nobody out.
        let _ = self.free_orphans();
        Ok(())
    }

    /// Asks for the PIN again before something grave, the vault being open. A duress PIN typed where the truth is open
    /// will not do, and rings at the desk.
    ///
    /// # Errors
    /// As [`Self::unlock`], and [`BakenError::Locked`].
    pub(crate) fn check_pin(&self, pin: &str) -> Result<(), BakenError> {
        self.with_pin(pin, |_| Ok(()))
    }

    /// Changes the PIN. A biometric key was good for the old one and is to be set up again.
    ///
    /// # Errors
    /// [`BakenError::PinRefused`], [`BakenError::PinTaken`] and those of the PIN.
    pub fn change_pin(&self, pin: &str, new: &str) -> Result<(), BakenError> {
        check_pin_rules(new)?;
        self.with_pin(pin, |tried| tried.change_pin(&self.home, &self.context, new))
    }

    /// Sets a further PIN that opens the decoy and tells the desk, at most five. How many there are stands nowhere but
    /// in the sealed slots.
    ///
    /// # Errors
    /// [`BakenError::PinRefused`], [`BakenError::PinTaken`], [`BakenError::TooManyDuressPins`] and those of the PIN.
    pub fn add_duress_pin(&self, pin: &str, duress: &str) -> Result<(), BakenError> {
        check_pin_rules(duress)?;
        self.fill_decoy()?;
        self.with_pin(pin, |tried| tried.add_duress(&self.home, &self.context, duress))
    }

    /// Removes every duress PIN. The decoy stays.
    ///
    /// # Errors
    /// Those of the PIN.
    pub fn clear_duress_pins(&self, pin: &str) -> Result<(), BakenError> {
        self.with_pin(pin, |tried| tried.clear_duress(&self.home, &self.context))
    }

    /// How many duress PINs there are.
    ///
    /// # Errors
    /// Those of the PIN.
    pub fn duress_pins(&self, pin: &str) -> Result<usize, BakenError> {
        self.with_pin(pin, |tried| Ok(tried.duress_pins()))
    }

    /// Sets whether the tenth wrong PIN in a row wipes this device. Off unless asked for: a child must not wipe a phone
    /// by playing with it.
    ///
    /// # Errors
    /// Those of the PIN.
    pub fn set_wipe_after_ten(&self, pin: &str, wanted: bool) -> Result<(), BakenError> {
        self.with_pin(pin, |tried| tried.set_wipe_after_ten(&self.home, &self.context, wanted))
    }

    /// Whether the tenth wrong PIN in a row wipes this device.
    ///
    /// # Errors
    /// Those of the PIN.
    pub fn wipes_after_ten(&self, pin: &str) -> Result<bool, BakenError> {
        self.with_pin(pin, |tried| tried.wipes_after_ten())
    }

    /// Lets a finger or a face open what this PIN opens; `None` ends that.
    ///
    /// # Errors
    /// [`BakenError::BiometricRefused`] and those of the PIN.
    pub fn set_biometric(&self, pin: &str, key: Option<&dyn BiometricKey>) -> Result<(), BakenError> {
        self.with_pin(pin, |tried| tried.set_biometric(&self.home, &self.context, key))
    }

    /// Destroys this device's keys, then its files: vault, decoy and alarm outbox. Asks for no PIN. What the relay and
    /// other devices hold stays.
    ///
    /// # Errors
    /// Those of the disk; what could be destroyed is.
    pub fn wipe(&self) -> Result<(), BakenError> {
        // The keys before anything that might wait.
        let keys = vault::wipe_keys(&self.home, &self.context);
        self.close_all();
        let files = vault::remove_files(&self.home);
        keys.and(files)
    }

    /// Closes everything without a word written.
    fn close_all(&self) {
        // Locked already, there is nothing to abandon.
        let _ = self.with_vault(|open| {
            open.vault.abandon();
            Ok(())
        });
        self.lock();
        self.close_outbox();
    }

    /// The tenth wrong PIN may have wiped everything: nothing of it stays open then.
    pub(crate) fn after_try<T>(&self, tried: Result<T, BakenError>) -> Result<T, BakenError> {
        if matches!(tried, Err(BakenError::NotActivated)) {
            self.close_all();
        }
        tried
    }

    /// Runs `work` on the slot of a PIN of this session.
    fn with_pin<T>(&self, pin: &str, work: impl FnOnce(&mut Tried) -> Result<T, BakenError>) -> Result<T, BakenError> {
        let in_duress = self.with_vault(|open| Ok(open.vault.is_duress()))?;
        let mut tried = self.after_try(vault::try_pin(&self.home, &self.context, pin))?;
        if tried.is_duress() != in_duress {
            if tried.is_duress() {
                self.note_unlocked(true);
            }
            return Err(tried.reject());
        }
        let done = work(&mut tried);
        // A new PIN that another slot has stays counted as a try, so that asking is no way to guess.
        if !matches!(done, Err(BakenError::PinTaken)) {
            tried.accept(&self.home, &self.context)?;
        }
        done
    }

    /// Tries a PIN outside a session and opens nothing; whether it is a duress PIN.
    pub(crate) fn which_pin(&self, pin: &str) -> Result<bool, BakenError> {
        let tried = self.after_try(vault::try_pin(&self.home, &self.context, pin))?;
        let duress = tried.is_duress();
        tried.accept(&self.home, &self.context)?;
        Ok(duress)
    }

    fn fill_decoy(&self) -> Result<(), BakenError> {
        self.with_vault(|open| match open.vault.open_decoy()? {
            Some(mut connection) => decoy::fill(&mut connection, &open.vault.connection, &self.context),
            None => Ok(()),
        })
    }

    pub(crate) fn note_unlocked(&self, duress: bool) {
        // Before the outbox is there, nobody could be told.
        let noted = self.alarm_outbox().and_then(|outbox| outbox.note_unlocked(duress, &self.context));
        drop(noted);
    }
}

#[cfg(test)]
mod tests;
