//! The vault's header: 4,096 bytes that turn a PIN into the key of the database.
//!
//! ```text
//!    0  magic "BAKENVLT"       8  version u32      12  Argon2id memory KiB u32, passes u32, lanes u32
//!   24  Argon2id salt 32      56  six slots, 584 B each            3560  block 504   4064  SHA-256 of all before
//! ```
//!
//! There are always six slots, each at a random place and indistinguishable from random bytes: nobody can tell which
//! are used, or how many. One Argon2id run serves all, and all are tried. The clear bytes before the slots are
//! authenticated by each. The hash at the end holds no secret: it tells damage from a wrong PIN.
//!
//! The salt stays for the life of a header, since a new one would make the slots of PINs that are not typed unusable.
//! It is random for each vault, which is what a salt is for. A slot is replaced where it lies.
//!
//! Version 0 was that of a preview, whose formats were never frozen: it is refused in words.

use argon2::{Algorithm, Argon2, Params, Version};
use baken_schemas::crypto::{SEAL_OVERHEAD, SymmetricKey, open, seal};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::BakenError;
use crate::key_store::PlatformSecret;

/// Size of the header in bytes.
pub(crate) const HEADER_LEN: usize = 4096;
const MAGIC: &[u8; 8] = b"BAKENVLT";
/// The newest header version this program knows.
const VERSION: u32 = 1;
/// How many slots there are, on every device, used or not: one true PIN and at most five duress PINs.
pub(crate) const SLOTS: usize = 6;
const CLEAR_LEN: usize = 56;
const SLOT_PLAIN_LEN: usize = 512;
const SLOT_LEN: usize = SLOT_PLAIN_LEN + SEAL_OVERHEAD;
const HASH_AT: usize = HEADER_LEN - 32;
const BLOCK_PLAIN_LEN: usize = HASH_AT - CLEAR_LEN - SLOTS * SLOT_LEN - SEAL_OVERHEAD;
/// The longest wrapped key that a platform may give, in bytes.
pub(crate) const MAX_WRAPPED: usize = 256;
const SLOT_LABEL: &str = "baken/vault-slot/v1";
const BLOCK_LABEL: &str = "baken/vault-block/v1";
const BIOMETRIC_LABEL: &str = "baken/vault-biometric/v1";
const PLATFORM_LABEL: &str = "baken/vault-platform/v0";

/// What Argon2id costs. Stored in the header and authenticated by its slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KdfCost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl KdfCost {
    /// 64 MiB, three passes: 126 ms on one core of the machine it was measured on (2026-11-23).
    pub(crate) const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// What an altered header may make this device spend at most.
    pub(crate) fn is_bearable(self) -> bool {
        self.memory_kib <= 1024 * 1024 && (1..=16).contains(&self.passes) && (1..=4).contains(&self.lanes)
    }
}

/// The random key and salt of the vault's database. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VaultKey {
    pub(crate) key: SymmetricKey,
    pub(crate) salt: [u8; 16],
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

impl VaultKey {
    pub(crate) fn make(rng: &mut dyn CryptoRng) -> Self {
        let key = SymmetricKey::make(rng);
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self { key, salt }
    }
}

/// Which of the two database files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatabaseFile {
    A,
    B,
}

impl DatabaseFile {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What lies in one place of the header, as far as whoever opened a slot was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PlaceUse {
    Free = 0,
    /// The slot of the true PIN.
    Truth = 1,
    /// A duress PIN set by the owner.
    Duress = 2,
    /// A duress PIN set in a session that a duress PIN had opened.
    DuressOfDecoy = 3,
}

/// What a slot says. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The file that its PIN opens, and the key of it.
    pub(crate) file: DatabaseFile,
    pub(crate) key: VaultKey,
    /// Its PIN is a duress PIN.
    pub(crate) duress: bool,
    /// The key of the other file, in the true slot only: its owner edits the decoy.
    pub(crate) other: Option<VaultKey>,
    /// What lies where. Their number of duress PINs is nowhere else.
    pub(crate) places: [PlaceUse; SLOTS],
    /// The keys of the duress slots, by place, so that all of them can be sealed anew when one is added.
    pub(crate) keks: [Option<SymmetricKey>; SLOTS],
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot(…)")
    }
}

impl Slot {
    /// The true slot of a new vault, which will lie at `place`.
    pub(crate) fn truth(file: DatabaseFile, key: VaultKey, other: VaultKey, place: usize) -> Self {
        let mut slot = Self {
            file,
            key,
            duress: false,
            other: Some(other),
            places: [PlaceUse::Free; SLOTS],
            keks: [const { None }; SLOTS],
        };
        slot.set_place(place, PlaceUse::Truth, None);
        slot
    }

    pub(crate) fn set_place(&mut self, place: usize, place_use: PlaceUse, kek: Option<SymmetricKey>) {
        if let (Some(at), Some(key)) = (self.places.get_mut(place), self.keks.get_mut(place)) {
            (*at, *key) = (place_use, kek);
        }
    }

    /// The places that are used so.
    pub(crate) fn places_used(&self, wanted: PlaceUse) -> impl Iterator<Item = usize> {
        self.places.iter().enumerate().filter(move |(_, used)| **used == wanted).map(|(place, _)| place)
    }

    fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(SLOT_PLAIN_LEN));
        let flags =
            u8::from(self.file == DatabaseFile::B) | u8::from(self.duress) << 1 | u8::from(self.other.is_some()) << 2;
        plain.push(flags);
        push_key(&mut plain, Some(&self.key));
        push_key(&mut plain, self.other.as_ref());
        plain.extend(self.places.iter().map(|place| *place as u8));
        for kek in &self.keks {
            plain.extend_from_slice(kek.as_ref().map_or(&[0; 32], |kek| kek.as_bytes()));
        }
        plain.resize(SLOT_PLAIN_LEN, 0);
        plain
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (flags, rest) = plain.split_first()?;
        let (key, rest) = read_key(rest)?;
        let (other, rest) = read_key(rest)?;
        let (places, mut rest) = rest.split_first_chunk::<SLOTS>()?;
        let mut slot = Self {
            file: if flags & 1 == 0 { DatabaseFile::A } else { DatabaseFile::B },
            key,
            duress: flags & 2 != 0,
            other: (flags & 4 != 0).then_some(other),
            places: [PlaceUse::Free; SLOTS],
            keks: [const { None }; SLOTS],
        };
        for (place, used) in places.iter().enumerate() {
            let (kek, after) = rest.split_first_chunk::<32>()?;
            rest = after;
            let place_use = match used {
                1 => PlaceUse::Truth,
                2 => PlaceUse::Duress,
                3 => PlaceUse::DuressOfDecoy,
                _ => PlaceUse::Free,
            };
            slot.set_place(place, place_use, SymmetricKey::from_slice(kek).filter(|_| *kek != [0; 32]));
        }
        Some(slot)
    }
}

fn push_key(plain: &mut Vec<u8>, key: Option<&VaultKey>) {
    plain.extend_from_slice(key.map_or(&[0; 32], |key| key.key.as_bytes()));
    plain.extend_from_slice(key.map_or(&[0; 16], |key| &key.salt));
}

fn read_key(bytes: &[u8]) -> Option<(VaultKey, &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<32>()?;
    let (salt, rest) = rest.split_first_chunk::<16>()?;
    Some((VaultKey { key: SymmetricKey::from_slice(key)?, salt: *salt }, rest))
}

/// What must be known before a PIN is typed, sealed under the platform's key alone. Its secret goes into the key of
/// every slot: who replaces the block to be rid of what it says makes every PIN wrong.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Block {
    secret: SymmetricKey,
    /// Wipe after ten wrong PINs.
    pub(crate) wipe_after_ten: bool,
    /// What a session in the decoy was told last about that; it changes nothing.
    pub(crate) decoy_says: Option<bool>,
    pub(crate) biometric: Option<Biometric>,
}

/// A slot's key, sealed under a key that only the platform can unwrap.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Biometric {
    /// As the platform gave it, at most [`MAX_WRAPPED`] bytes.
    pub(crate) wrapped: Vec<u8>,
    sealed_kek: Vec<u8>,
}

impl Biometric {
    pub(crate) fn make(wrapped: Vec<u8>, key: &SymmetricKey, kek: &SymmetricKey, rng: &mut dyn CryptoRng) -> Self {
        Self { wrapped, sealed_kek: seal(key, BIOMETRIC_LABEL, &[], kek.as_bytes(), rng) }
    }

    /// The slot's key; `None` when the unwrapped key is another.
    pub(crate) fn kek(&self, key: &SymmetricKey) -> Option<SymmetricKey> {
        let kek = open(key, BIOMETRIC_LABEL, &[], &self.sealed_kek, "a biometric key").ok()?;
        SymmetricKey::from_slice(&kek)
    }
}

impl Block {
    fn make(rng: &mut dyn CryptoRng) -> Self {
        Self { secret: SymmetricKey::make(rng), wipe_after_ten: false, decoy_says: None, biometric: None }
    }

    fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(BLOCK_PLAIN_LEN));
        let flags = u8::from(self.wipe_after_ten)
            | u8::from(self.decoy_says.is_some()) << 1
            | u8::from(self.decoy_says == Some(true)) << 2
            | u8::from(self.biometric.is_some()) << 3;
        plain.push(flags);
        plain.extend_from_slice(self.secret.as_bytes());
        if let Some(biometric) = &self.biometric {
            let len = u16::try_from(biometric.wrapped.len()).unwrap_or(u16::MAX);
            plain.extend_from_slice(&len.to_be_bytes());
            plain.extend_from_slice(&biometric.sealed_kek);
            plain.extend_from_slice(&biometric.wrapped);
        }
        plain.resize(BLOCK_PLAIN_LEN, 0);
        plain
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (flags, rest) = plain.split_first()?;
        let (secret, rest) = rest.split_first_chunk::<32>()?;
        let biometric = if flags & 8 == 0 {
            None
        } else {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            let (sealed_kek, rest) = rest.split_at_checked(32 + SEAL_OVERHEAD)?;
            let wrapped = rest.get(..usize::from(u16::from_be_bytes(*len)))?;
            Some(Biometric { wrapped: wrapped.to_vec(), sealed_kek: sealed_kek.to_vec() })
        };
        Some(Self {
            secret: SymmetricKey::from_slice(secret)?,
            wipe_after_ten: flags & 1 != 0,
            decoy_says: (flags & 2 != 0).then_some(flags & 4 != 0),
            biometric,
        })
    }
}

/// A slot that a PIN opened.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) slot: Slot,
    pub(crate) place: usize,
    pub(crate) kek: SymmetricKey,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened(…)")
    }
}

/// A header as it lies on disk, its hash and version checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    clear: [u8; CLEAR_LEN],
    slots: Vec<Vec<u8>>,
    block: Vec<u8>,
    cost: KdfCost,
}

impl Header {
    /// A header whose one used slot opens with `pin` and this platform secret; the slot says so of `slot` what
    /// [`Slot::truth`] does of its arguments.
    ///
    /// # Errors
    /// [`BakenError::PinRefused`], [`BakenError::Disk`] when the key derivation is impossible here.
    pub(crate) fn make(
        pin: &str,
        platform: &PlatformSecret,
        (file, key, other): (DatabaseFile, VaultKey, VaultKey),
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, BakenError> {
        check_pin_rules(pin)?;
        let mut argon_salt = [0; 32];
        rng.fill_bytes(&mut argon_salt);
        let mut clear = [0; CLEAR_LEN];
        let fields = [
            &MAGIC[..],
            &VERSION.to_be_bytes(),
            &cost.memory_kib.to_be_bytes(),
            &cost.passes.to_be_bytes(),
            &cost.lanes.to_be_bytes(),
            &argon_salt,
        ]
        .concat();
        clear.copy_from_slice(&fields);
        let mut slots = vec![vec![0; SLOT_LEN]; SLOTS];
        slots.iter_mut().for_each(|slot| rng.fill_bytes(slot));
        let mut header = Self { clear, slots, block: Vec::new(), cost };
        let block = Block::make(rng);
        header.set_block(platform, &block, rng);
        let kek = header.key_of_pin(pin, platform, &block)?;
        let place = random_place(rng, SLOTS);
        header.set_slot(place, &kek, &Slot::truth(file, key, other, place), rng);
        Ok(header)
    }

    /// As it lies on disk.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [&self.clear[..], &self.slots.concat(), &self.block].concat();
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        bytes.extend_from_slice(&hash);
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], [`BakenError::VaultNewer`], [`BakenError::VaultOlder`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BakenError> {
        let damaged = || BakenError::VaultDamaged { part: "its header" };
        let (body, hash) = bytes.split_at_checked(HASH_AT).ok_or_else(damaged)?;
        if bytes.len() != HEADER_LEN || *hash != *Sha256::digest(body) {
            return Err(damaged());
        }
        let (clear, rest) = body.split_first_chunk::<CLEAR_LEN>().ok_or_else(damaged)?;
        let (magic, fields) = clear.split_first_chunk::<8>().ok_or_else(damaged)?;
        if magic != MAGIC {
            return Err(damaged());
        }
        let mut numbers = fields.chunks_exact(4).filter_map(|four| four.try_into().ok()).map(u32::from_be_bytes);
        let version = numbers.next().ok_or_else(damaged)?;
        if version > VERSION {
            return Err(BakenError::VaultNewer { found: version, known: VERSION });
        }
        if version < VERSION {
            return Err(BakenError::VaultOlder { found: version });
        }
        let (Some(memory_kib), Some(passes), Some(lanes)) = (numbers.next(), numbers.next(), numbers.next()) else {
            return Err(damaged());
        };
        let cost = KdfCost { memory_kib, passes, lanes };
        if !cost.is_bearable() {
            return Err(damaged());
        }
        let (slots, block) = rest.split_at_checked(SLOTS * SLOT_LEN).ok_or_else(damaged)?;
        let slots = slots.chunks_exact(SLOT_LEN).map(<[u8]>::to_vec).collect();
        Ok(Self { clear: *clear, slots, block: block.to_vec(), cost })
    }

    /// What must be known before a PIN is typed.
    ///
    /// # Errors
    /// [`BakenError::KeyStoreLost`] when it is sealed under another platform secret, or was replaced.
    pub(crate) fn block(&self, platform: &PlatformSecret) -> Result<Block, BakenError> {
        let plain = open(&block_key(platform), BLOCK_LABEL, &self.clear, &self.block, "the vault's header");
        let block = plain.ok().and_then(|plain| Block::from_plain(&plain));
        block.ok_or(BakenError::KeyStoreLost)
    }

    /// Puts another block.
    pub(crate) fn set_block(&mut self, platform: &PlatformSecret, block: &Block, rng: &mut dyn CryptoRng) {
        self.block = seal(&block_key(platform), BLOCK_LABEL, &self.clear, &block.to_plain(), rng);
    }

    /// The slot that the PIN opens. The same work is done whichever it is, if any.
    ///
    /// # Errors
    /// [`BakenError::KeyStoreLost`], [`BakenError::Disk`] when the key derivation is impossible here.
    pub(crate) fn open(&self, pin: &str, platform: &PlatformSecret) -> Result<Option<Opened>, BakenError> {
        let kek = self.key_of_pin(pin, platform, &self.block(platform)?)?;
        Ok(self.open_with(&kek))
    }

    /// The slot of this key. Every slot is tried, whichever opens.
    pub(crate) fn open_with(&self, kek: &SymmetricKey) -> Option<Opened> {
        let tried: Vec<Option<Zeroizing<Vec<u8>>>> =
            self.slots.iter().map(|slot| open(kek, SLOT_LABEL, &self.clear, slot, "a vault slot").ok()).collect();
        tried
            .into_iter()
            .enumerate()
            .find_map(|(place, plain)| Some(Opened { slot: Slot::from_plain(&plain?)?, place, kek: kek.clone() }))
    }

    /// Puts a slot in a place.
    pub(crate) fn set_slot(&mut self, place: usize, kek: &SymmetricKey, slot: &Slot, rng: &mut dyn CryptoRng) {
        let sealed = seal(kek, SLOT_LABEL, &self.clear, &slot.to_plain(), rng);
        if let Some(at) = self.slots.get_mut(place) {
            *at = sealed;
        }
    }

    /// Fills a place with random bytes.
    pub(crate) fn clear_slot(&mut self, place: usize, rng: &mut dyn CryptoRng) {
        if let Some(at) = self.slots.get_mut(place) {
            rng.fill_bytes(at);
        }
    }

    /// `HKDF(Argon2id(PIN), platform secret, the block's secret)`: neither a stolen folder nor a guessed PIN is enough.
    ///
    /// # Errors
    /// [`BakenError::Disk`] when the key derivation is impossible here.
    pub(crate) fn key_of_pin(
        &self,
        pin: &str,
        platform: &PlatformSecret,
        block: &Block,
    ) -> Result<SymmetricKey, BakenError> {
        let stretched = stretch(pin, self.cost, self.argon_salt())?;
        let platform = platform.derive(PLATFORM_LABEL, &[]);
        Ok(stretched.derive("baken/vault-kek/v1", &[platform.as_bytes(), block.secret.as_bytes()]))
    }

    fn argon_salt(&self) -> &[u8] {
        self.clear.last_chunk::<32>().map_or(&[], |salt| salt)
    }
}

/// One of `count` places.
pub(crate) fn random_place(rng: &mut dyn CryptoRng, count: usize) -> usize {
    // 64 bits over at most six: the bias is nobody's gain.
    usize::try_from(rng.next_u64() % (count.max(1) as u64)).unwrap_or_default()
}

fn block_key(platform: &PlatformSecret) -> SymmetricKey {
    platform.derive("baken/vault-block-key/v1", &[])
}

/// What a new PIN must be.
pub(crate) fn check_pin_rules(pin: &str) -> Result<(), BakenError> {
    if (6..=64).contains(&pin.chars().count()) { Ok(()) } else { Err(BakenError::PinRefused) }
}

/// Argon2id, in memory that is wiped afterwards: its last block is as good as the key.
pub(crate) fn stretch(pin: &str, cost: KdfCost, salt: &[u8]) -> Result<SymmetricKey, BakenError> {
    let impossible = || BakenError::Disk(std::io::Error::from(std::io::ErrorKind::OutOfMemory));
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| impossible())?;
    let mut memory = Zeroizing::new(vec![argon2::Block::default(); params.block_count()]);
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(pin.as_bytes(), salt, stretched.as_mut(), &mut memory[..])
        .map_err(|_| impossible())?;
    SymmetricKey::from_slice(&*stretched).ok_or_else(impossible)
}

#[cfg(test)]
pub(crate) const TEST_COST: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    fn sample_with(rng: &mut dyn CryptoRng) -> (Header, PlatformSecret, VaultKey, VaultKey) {
        let platform = PlatformSecret::make(rng);
        let (truth, decoy) = (VaultKey::make(rng), VaultKey::make(rng));
        let parts = (DatabaseFile::B, truth.clone(), decoy.clone());
        let header = Header::make("123456", &platform, parts, TEST_COST, rng).unwrap();
        (header, platform, truth, decoy)
    }

    fn sample() -> (Vec<u8>, PlatformSecret, VaultKey) {
        let (header, platform, truth, _) = sample_with(&mut rand::rngs::StdRng::seed_from_u64(7));
        (header.to_bytes(), platform, truth)
    }

    fn with_hash_mended(mut bytes: Vec<u8>) -> Vec<u8> {
        let hash = Sha256::digest(&bytes[..HASH_AT]);
        bytes[HASH_AT..].copy_from_slice(&hash);
        bytes
    }

    #[test]
    fn only_the_right_pin_on_the_right_device_opens() {
        let (bytes, platform, vault) = sample();
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(bytes.len(), HEADER_LEN);
        let slot = header.open("123456", &platform).unwrap().unwrap().slot;
        assert_eq!((&slot.key, slot.file, slot.duress), (&vault, DatabaseFile::B, false));
        assert!(header.open("123457", &platform).unwrap().is_none());
        let other = PlatformSecret::make(&mut rand::rngs::StdRng::seed_from_u64(8));
        assert!(matches!(header.open("123456", &other), Err(BakenError::KeyStoreLost)));
    }

    #[test]
    fn a_pin_of_four_is_refused() {
        let (_, platform, vault) = sample();
        let mut rng = rand::rngs::StdRng::seed_from_u64(9);
        let parts = (DatabaseFile::A, vault.clone(), vault);
        let refused = Header::make("1234", &platform, parts, TEST_COST, &mut rng);
        assert!(matches!(refused, Err(BakenError::PinRefused)));
    }

    #[test]
    fn a_flipped_bit_in_any_byte_is_damage_and_not_a_wrong_pin() {
        let (bytes, ..) = sample();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(matches!(Header::parse(&flipped), Err(BakenError::VaultDamaged { .. })), "byte {at}");
        }
    }

    #[test]
    fn altered_parameters_do_not_open_even_with_the_hash_mended() {
        let (bytes, platform, _) = sample();
        for at in 12..CLEAR_LEN {
            let mut altered = bytes.clone();
            altered[at] ^= 4;
            let opened = Header::parse(&with_hash_mended(altered)).ok().and_then(|header| {
                let mut header = header;
                // Also where the block is put back under the altered parameters, as who has the platform's key can.
                let block = Header::parse(&bytes).unwrap().block(&platform).unwrap();
                header.set_block(&platform, &block, &mut rand::rngs::StdRng::seed_from_u64(1));
                header.open("123456", &platform).ok().flatten()
            });
            assert!(opened.is_none(), "byte {at}");
        }
    }

    #[test]
    fn a_block_that_was_replaced_makes_every_pin_wrong() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let (mut header, platform, ..) = sample_with(&mut rng);
        // Who has the platform's key can make a block that asks for no wipe, but not one that the slots know.
        header.set_block(&platform, &Block::make(&mut rng), &mut rng);
        assert!(header.open("123456", &platform).unwrap().is_none());
        rng.fill_bytes(&mut header.block);
        assert!(matches!(header.open("123456", &platform), Err(BakenError::KeyStoreLost)));
    }

    #[test]
    fn a_slot_and_a_block_say_again_what_they_were_told() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let (mut header, platform, truth, decoy) = sample_with(&mut rng);
        let mut slot = Slot::truth(DatabaseFile::A, truth, decoy, 4);
        for (place, place_use) in [(0, PlaceUse::Duress), (5, PlaceUse::DuressOfDecoy)] {
            slot.set_place(place, place_use, Some(SymmetricKey::make(&mut rng)));
        }
        assert_eq!(slot.to_plain().len(), SLOT_PLAIN_LEN);
        assert!(Slot::from_plain(&slot.to_plain()).unwrap() == slot);
        let (wrapping, kek) = (SymmetricKey::make(&mut rng), SymmetricKey::make(&mut rng));
        let biometric = Biometric::make(vec![7; MAX_WRAPPED], &wrapping, &kek, &mut rng);
        assert!(biometric.kek(&wrapping) == Some(kek));
        let mut block = Block::make(&mut rng);
        (block.wipe_after_ten, block.decoy_says, block.biometric) = (true, Some(false), Some(biometric));
        assert_eq!(block.to_plain().len(), BLOCK_PLAIN_LEN);
        header.set_block(&platform, &block, &mut rng);
        assert!(header.block(&platform).unwrap() == block);
        assert_eq!(header.to_bytes().len(), HEADER_LEN);
    }

    #[test]
    fn a_newer_version_says_so() {
        let (mut bytes, ..) = sample();
        bytes[11] = 3;
        let refused = Header::parse(&with_hash_mended(bytes));
        assert!(matches!(refused, Err(BakenError::VaultNewer { found: 3, known: VERSION })));
    }

    #[test]
    fn the_true_slot_has_no_fixed_place() {
        let mut found = [0; SLOTS];
        for seed in 0..120 {
            let (header, platform, ..) = sample_with(&mut rand::rngs::StdRng::seed_from_u64(seed));
            found[header.open("123456", &platform).unwrap().unwrap().place] += 1;
        }
        assert!(found.iter().all(|count| (6..=40).contains(count)), "{found:?}");
    }

    #[test]
    fn used_and_unused_slots_look_random_alike() {
        // Set bits of each slot over many headers: a used one shows no more structure than an unused one.
        let (mut used, mut unused) = (Vec::new(), Vec::new());
        for seed in 0..200 {
            let (header, platform, ..) = sample_with(&mut rand::rngs::StdRng::seed_from_u64(seed));
            let place = header.open("123456", &platform).unwrap().unwrap().place;
            for (at, slot) in header.slots.iter().enumerate() {
                assert_eq!(slot.len(), SLOT_LEN);
                let bits: u32 = slot.iter().map(|byte| byte.count_ones()).sum();
                if at == place { used.push(bits) } else { unused.push(bits) }
            }
        }
        let mean = |bits: &[u32]| f64::from(bits.iter().sum::<u32>()) / bits.len() as f64;
        // 4,672 bits: half of them, and a standard error of 2.4 and 1.1.
        assert!((mean(&used) - 2336.0).abs() < 10.0, "{}", mean(&used));
        assert!((mean(&unused) - 2336.0).abs() < 5.0, "{}", mean(&unused));
    }

    proptest! {
        #[test]
        fn cut_and_spliced_headers_are_refused(at in 0..HEADER_LEN, other in 0..HEADER_LEN) {
            let (bytes, ..) = sample();
            prop_assert!(Header::parse(&bytes[..at]).is_err());
            let mut spliced = bytes.clone();
            spliced.rotate_left(at);
            prop_assert!(at == 0 || Header::parse(&spliced).is_err());
            let mut swapped = bytes.clone();
            swapped.swap(at, other);
            prop_assert!(swapped == bytes || Header::parse(&swapped).is_err());
        }
    }
}
