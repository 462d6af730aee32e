//! The vault's header: 4,096 bytes that turn a PIN into the key of the database.
//!
//! ```text
//!    0  magic "BAKENVLT"       8  version u32      12  Argon2id memory KiB u32, passes u32, lanes u32
//!   24  Argon2id salt 32      56  slot 0, 584 B   640  slot 1, 584 B   1224  random   4064  SHA-256 of all before
//! ```
//!
//! There are always two slots, at random places and each indistinguishable from random bytes: nobody can tell which
//! is used, or whether both are. One Argon2id run serves both, and both are tried. The clear bytes before the slots
//! are authenticated by each. The hash at the end holds no secret: it tells damage from a wrong PIN.

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
const VERSION: u32 = 0;
const CLEAR_LEN: usize = 56;
const SLOT_PLAIN_LEN: usize = 512;
const SLOT_LEN: usize = SLOT_PLAIN_LEN + SEAL_OVERHEAD;
const HASH_AT: usize = HEADER_LEN - 32;
const SLOT_LABEL: &str = "baken/vault-slot/v0";

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
    fn is_bearable(self) -> bool {
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

/// A header as it lies on disk, its hash and version checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    clear: [u8; CLEAR_LEN],
    slots: [Vec<u8>; 2],
    cost: KdfCost,
}

impl Header {
    /// A header whose one used slot opens with `pin` and this platform secret.
    ///
    /// # Errors
    /// [`BakenError::PinRefused`], [`BakenError::Format`] when the key derivation is impossible here.
    pub(crate) fn make(
        pin: &str,
        platform: &PlatformSecret,
        vault: &VaultKey,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Zeroizing<Vec<u8>>, BakenError> {
        check_pin_rules(pin)?;
        let mut argon_salt = [0; 32];
        rng.fill_bytes(&mut argon_salt);
        let clear = [
            &MAGIC[..],
            &VERSION.to_be_bytes(),
            &cost.memory_kib.to_be_bytes(),
            &cost.passes.to_be_bytes(),
            &cost.lanes.to_be_bytes(),
            &argon_salt,
        ]
        .concat();
        let kek = key_of_pin(pin, platform, cost, &argon_salt)?;
        let mut plain = Zeroizing::new([&vault.key.as_bytes()[..], &vault.salt].concat());
        plain.resize(SLOT_PLAIN_LEN, 0);
        let used = seal(&kek, SLOT_LABEL, &clear, &plain, rng);
        let mut unused = vec![0; SLOT_LEN];
        rng.fill_bytes(&mut unused);
        let mut place = [0; 1];
        rng.fill_bytes(&mut place);
        let slots = if place[0] % 2 == 0 { [used, unused] } else { [unused, used] };

        let mut bytes = Zeroizing::new([&clear[..], &slots.concat()].concat());
        let mut filling = vec![0; HASH_AT.saturating_sub(bytes.len())];
        rng.fill_bytes(&mut filling);
        bytes.extend_from_slice(&filling);
        let hash: [u8; 32] = Sha256::digest(&*bytes).into();
        bytes.extend_from_slice(&hash);
        Ok(bytes)
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`BakenError::VaultDamaged`], [`BakenError::VaultNewer`].
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
        let (Some(memory_kib), Some(passes), Some(lanes)) = (numbers.next(), numbers.next(), numbers.next()) else {
            return Err(damaged());
        };
        let cost = KdfCost { memory_kib, passes, lanes };
        let (first, rest) = rest.split_at_checked(SLOT_LEN).ok_or_else(damaged)?;
        let (second, _filling) = rest.split_at_checked(SLOT_LEN).ok_or_else(damaged)?;
        if !cost.is_bearable() {
            return Err(damaged());
        }
        Ok(Self { clear: *clear, slots: [first.to_vec(), second.to_vec()], cost })
    }

    /// The vault's key, when the PIN opens a slot. The same work is done whichever slot it is, if any.
    ///
    /// # Errors
    /// [`BakenError::Format`] when the key derivation is impossible here (too little memory).
    pub(crate) fn open(&self, pin: &str, platform: &PlatformSecret) -> Result<Option<VaultKey>, BakenError> {
        let argon_salt = self.clear.last_chunk::<32>().ok_or(BakenError::VaultDamaged { part: "its header" })?;
        let kek = key_of_pin(pin, platform, self.cost, argon_salt)?;
        let opened = self.slots.each_ref().map(|slot| open(&kek, SLOT_LABEL, &self.clear, slot, SLOT_LABEL).ok());
        Ok(opened.into_iter().flatten().next().and_then(|plain| {
            let (key, rest) = plain.split_at_checked(32)?;
            Some(VaultKey { key: SymmetricKey::from_slice(key)?, salt: *rest.first_chunk::<16>()? })
        }))
    }
}

/// What a new PIN must be.
pub(crate) fn check_pin_rules(pin: &str) -> Result<(), BakenError> {
    if (6..=64).contains(&pin.chars().count()) { Ok(()) } else { Err(BakenError::PinRefused) }
}

/// `HKDF(Argon2id(PIN), platform secret)`: neither a stolen folder nor a guessed PIN is enough.
fn key_of_pin(
    pin: &str,
    platform: &PlatformSecret,
    cost: KdfCost,
    salt: &[u8; 32],
) -> Result<SymmetricKey, BakenError> {
    let impossible = || BakenError::Disk(std::io::Error::from(std::io::ErrorKind::OutOfMemory));
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| impossible())?;
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, stretched.as_mut())
        .map_err(|_| impossible())?;
    let stretched = SymmetricKey::from_slice(&*stretched).ok_or_else(impossible)?;
    let platform = platform.derive("baken/vault-platform/v0", &[]);
    Ok(stretched.derive("baken/vault-kek/v0", &[platform.as_bytes()]))
}

#[cfg(test)]
pub(crate) const TEST_COST: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    fn sample() -> (Vec<u8>, PlatformSecret, VaultKey) {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let platform = PlatformSecret::make(&mut rng);
        let vault = VaultKey::make(&mut rng);
        let bytes = Header::make("123456", &platform, &vault, TEST_COST, &mut rng).unwrap();
        (bytes.to_vec(), platform, vault)
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
        assert_eq!(header.open("123456", &platform).unwrap(), Some(vault));
        assert_eq!(header.open("123457", &platform).unwrap(), None);
        let other = PlatformSecret::make(&mut rand::rngs::StdRng::seed_from_u64(8));
        assert_eq!(header.open("123456", &other).unwrap(), None);
    }

    #[test]
    fn a_pin_of_four_is_refused() {
        let (_, platform, vault) = sample();
        let mut rng = rand::rngs::StdRng::seed_from_u64(9);
        let refused = Header::make("1234", &platform, &vault, TEST_COST, &mut rng);
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
        for at in (12..CLEAR_LEN).chain([CLEAR_LEN, CLEAR_LEN + 100, CLEAR_LEN + SLOT_LEN]) {
            let mut altered = bytes.clone();
            altered[at] ^= 4;
            let opened = match Header::parse(&with_hash_mended(altered)) {
                // One of the two slots is filling: altering it is nobody's loss.
                Ok(header) if at < CLEAR_LEN => header.open("123456", &platform).ok().flatten(),
                _ => None,
            };
            assert_eq!(opened, None, "byte {at}");
        }
    }

    #[test]
    fn a_newer_version_says_so() {
        let (mut bytes, ..) = sample();
        bytes[11] = 3;
        let refused = Header::parse(&with_hash_mended(bytes));
        assert!(matches!(refused, Err(BakenError::VaultNewer { found: 3, known: VERSION })));
    }

    #[test]
    fn the_used_slot_has_no_fixed_place() {
        let (_, platform, vault) = sample();
        let mut first = 0;
        for seed in 0..32 {
            let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
            let bytes = Header::make("123456", &platform, &vault, TEST_COST, &mut rng).unwrap();
            let mut header = Header::parse(&bytes).unwrap();
            header.slots[1].fill(0);
            first += usize::from(header.open("123456", &platform).unwrap().is_some());
        }
        assert!((4..=28).contains(&first), "{first} of 32 in the first slot");
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
