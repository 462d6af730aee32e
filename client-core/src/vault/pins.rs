//! Changing what opens the vault: the PIN, duress PINs, a biometric key, and whether ten wrong PINs wipe it.
//!
//! Everything asks for a PIN of the session: the true one where the truth is open, a duress PIN in the decoy. Both do
//! the same, each with what it may know. From the true slot all duress slots can be sealed anew, since it holds their
//! keys; from a duress slot the true one cannot be touched. A PIN set in the decoy opens the decoy, and rings.

use rand_core::CryptoRng;

use crate::home::Home;
use crate::key_store::{self, BiometricKey};
use crate::vault::header::{
    Biometric, Block, Header, MAX_WRAPPED, Opened, PlaceUse, SLOTS, Slot, VaultKey, check_pin_rules,
};
use crate::vault::{Tried, Vault, attempts};
use crate::{BakenError, Context};
use baken_schemas::crypto::SymmetricKey;

/// The most duress PINs: every slot but the true one.
const MAX_DURESS_PINS: usize = SLOTS - 1;

impl Tried {
    fn block(&self) -> Result<Block, BakenError> {
        self.header.block(&self.platform)
    }

    fn set_block(&mut self, block: &Block, rng: &mut dyn CryptoRng) {
        self.header.set_block(&self.platform, block, rng);
    }

    /// The key of a new PIN that no slot has yet. One that opens a slot stays counted as a wrong try, so that asking
    /// for it is no way to guess.
    fn new_kek(&self, pin: &str) -> Result<SymmetricKey, BakenError> {
        check_pin_rules(pin)?;
        let kek = self.header.key_of_pin(pin, &self.platform, &self.block()?)?;
        if self.header.open_with(&kek).is_some() { Err(BakenError::PinTaken) } else { Ok(kek) }
    }

    /// Replaces the PIN that was tried, in its place. A biometric key was good for the old one, and goes.
    pub(crate) fn change_pin(&mut self, home: &Home, context: &Context, new: &str) -> Result<(), BakenError> {
        let kek = self.new_kek(new)?;
        let Opened { mut slot, place, .. } = self.opened.clone();
        if slot.duress {
            let place_use = slot.places.get(place).copied().unwrap_or(PlaceUse::Duress);
            slot.set_place(place, place_use, Some(kek.clone()));
        }
        let mut block = self.block()?;
        block.biometric = None;
        context.with_rng(|rng| {
            self.set_block(&block, rng);
            self.opened = Opened { slot, place, kek };
            self.seal_all(rng);
        });
        self.store_header(home)
    }

    /// Names another key of the true database, in the header that is not stored yet.
    pub(super) fn set_key(&mut self, key: VaultKey, context: &Context) {
        self.opened.slot.key = key;
        context.with_rng(|rng| self.seal_all(rng));
    }

    /// How many duress PINs this session was told of.
    pub(crate) fn duress_pins(&self) -> usize {
        let own = self.opened.place;
        self.opened.slot.places_used(self.kind_of_added()).filter(|place| *place != own).count()
    }

    /// Sets a further duress PIN.
    pub(crate) fn add_duress(&mut self, home: &Home, context: &Context, pin: &str) -> Result<(), BakenError> {
        let kek = self.new_kek(pin)?;
        let kind = self.kind_of_added();
        if self.duress_pins() >= MAX_DURESS_PINS {
            return Err(BakenError::TooManyDuressPins);
        }
        let place = self.place_for_duress(context).ok_or(BakenError::TooManyDuressPins)?;
        self.opened.slot.set_place(place, kind, Some(kek));
        context.with_rng(|rng| self.seal_all(rng));
        self.store_header(home)
    }

    /// Removes the duress PINs that this session was told of.
    pub(crate) fn clear_duress(&mut self, home: &Home, context: &Context) -> Result<(), BakenError> {
        let own = self.opened.place;
        let kind = self.kind_of_added();
        let cleared: Vec<usize> = if self.is_duress() {
            self.opened.slot.places_used(kind).filter(|place| *place != own).collect()
        } else {
            // Those set in the decoy too, whether or not this slot knows of them.
            (0..SLOTS).filter(|place| *place != own).collect()
        };
        context.with_rng(|rng| {
            for place in cleared {
                self.opened.slot.set_place(place, PlaceUse::Free, None);
                self.header.clear_slot(place, rng);
            }
            self.seal_all(rng);
        });
        self.store_header(home)
    }

    /// Whether ten wrong PINs wipe the vault, as far as this session is told.
    pub(crate) fn wipes_after_ten(&self) -> Result<bool, BakenError> {
        let block = self.block()?;
        Ok(if self.is_duress() { block.decoy_says.unwrap_or(block.wipe_after_ten) } else { block.wipe_after_ten })
    }

    /// Sets whether ten wrong PINs wipe the vault. In the decoy this changes only what is said about it.
    pub(crate) fn set_wipe_after_ten(
        &mut self,
        home: &Home,
        context: &Context,
        wanted: bool,
    ) -> Result<(), BakenError> {
        let mut block = self.block()?;
        if self.is_duress() {
            block.decoy_says = Some(wanted);
        } else {
            (block.wipe_after_ten, block.decoy_says) = (wanted, None);
        }
        context.with_rng(|rng| self.set_block(&block, rng));
        self.store_header(home)
    }

    /// Lets a biometric key open what this PIN opens, or none any more.
    pub(crate) fn set_biometric(
        &mut self,
        home: &Home,
        context: &Context,
        key: Option<&dyn BiometricKey>,
    ) -> Result<(), BakenError> {
        let mut block = self.block()?;
        block.biometric = None;
        if let Some(platform) = key {
            let wrapping = context.with_rng(|rng| SymmetricKey::make(rng));
            let wrapped = platform.wrap(&wrapping)?;
            if wrapped.len() > MAX_WRAPPED {
                return Err(BakenError::BiometricRefused);
            }
            let kek = &self.opened.kek;
            block.biometric = Some(context.with_rng(|rng| Biometric::make(wrapped, &wrapping, kek, rng)));
        }
        context.with_rng(|rng| self.set_block(&block, rng));
        self.store_header(home)
    }

    /// What a duress PIN set in this session is kept as.
    fn kind_of_added(&self) -> PlaceUse {
        if self.is_duress() { PlaceUse::DuressOfDecoy } else { PlaceUse::Duress }
    }

    /// A free place at random. In the decoy, where all are taken, another duress PIN gives way: never the true slot.
    fn place_for_duress(&self, context: &Context) -> Option<usize> {
        let own = self.opened.place;
        let slot = &self.opened.slot;
        let mut places: Vec<usize> = slot.places_used(PlaceUse::Free).filter(|place| *place != own).collect();
        if places.is_empty() {
            // A true slot does not know of PINs set in the decoy meanwhile, and sees their places as free.
            places = slot.places_used(PlaceUse::Duress).filter(|place| *place != own && self.is_duress()).collect();
        }
        let drawn = context.with_rng(|rng| crate::vault::header::random_place(rng, places.len()));
        places.get(drawn).copied()
    }

    /// Seals the slot that was opened and every duress slot whose key it holds, all telling what lies where.
    fn seal_all(&mut self, rng: &mut dyn CryptoRng) {
        let Opened { slot, place, kek } = &self.opened;
        self.header.set_slot(*place, kek, slot, rng);
        let (decoy, file) = match (&slot.other, slot.duress) {
            (Some(decoy), false) => (decoy.clone(), slot.file.other()),
            _ => (slot.key.clone(), slot.file),
        };
        let duress = Slot { file, key: decoy, duress: true, other: None, ..slot.clone() };
        for (at, kek) in slot.keks.iter().enumerate() {
            if let Some(kek) = kek
                && at != *place
            {
                self.header.set_slot(at, kek, &duress, rng);
            }
        }
    }
}

impl Vault {
    /// Opens what the biometric key opens.
    ///
    /// # Errors
    /// [`BakenError::PinNeeded`], [`BakenError::BiometricRefused`], and as [`Vault::unlock`].
    pub(crate) fn unlock_biometric(home: &Home, context: &Context, key: &dyn BiometricKey) -> Result<Self, BakenError> {
        let lock = home.lock()?;
        let bytes = crate::home::read_file(&home.vault_header())?.ok_or(BakenError::NotActivated)?;
        let header = Header::parse(&bytes)?;
        let platform = key_store::existing_secret(context.key_store.as_ref())?;
        let biometric = header.block(&platform)?.biometric.ok_or(BakenError::PinNeeded)?;
        attempts::begin_biometric(home, context.now())?;
        let wrapping = key.unwrap(&biometric.wrapped)?;
        let kek = biometric.kek(&wrapping).ok_or(BakenError::BiometricRefused)?;
        let opened = header.open_with(&kek).ok_or(BakenError::PinNeeded)?;
        attempts::biometric_succeeded(home)?;
        Self::of_slot(home, context, &opened.slot, lock)
    }
}
