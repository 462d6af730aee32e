//! A mental check-up behind a lock of its own: an open vault alone does not show it.
//!
//! A record of kind `lock` holds a random key, sealed under a passphrase that was stretched with Argon2id; each record of
//! kind `check-up` is sealed with that key. Whoever has the open vault and the passphrase reads them, on any of the
//! person's devices; whoever lacks one of both does not. The vault's own PIN is another.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::FormatError;
use crate::cbor;
use crate::crypto::{SymmetricKey, open, seal};
use crate::id::RecordId;
use crate::time::Timestamp;

const LOCK_LABEL: &str = "baken/check-up-lock/v0";
const BODY_LABEL: &str = "baken/check-up/v0";

/// What a lock record holds: the key of check-ups, sealed under a stretched passphrase, and what stretches it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Lock {
    /// Argon2id's memory.
    #[n(0)]
    pub memory_kib: u32,
    /// Its passes.
    #[n(1)]
    pub passes: u32,
    /// Its lanes.
    #[n(2)]
    pub lanes: u32,
    /// Its salt.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The key.
    #[cbor(n(4), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl Lock {
    /// A lock with a new key, which is given too. `stretched` is the passphrase after Argon2id with just these numbers.
    pub fn make(
        (memory_kib, passes, lanes): (u32, u32, u32),
        salt: [u8; 32],
        stretched: &SymmetricKey,
        rng: &mut dyn CryptoRng,
    ) -> (Self, SymmetricKey) {
        let key = SymmetricKey::make(rng);
        (Self::wrap(&key, (memory_kib, passes, lanes), salt, stretched, rng), key)
    }

    /// A lock with a key that there is already: for a new passphrase.
    pub fn wrap(
        key: &SymmetricKey,
        (memory_kib, passes, lanes): (u32, u32, u32),
        salt: [u8; 32],
        stretched: &SymmetricKey,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let bound = bound(memory_kib, passes, lanes, &salt);
        let sealed = seal(stretched, LOCK_LABEL, &bound, key.as_bytes(), rng);
        Self { memory_kib, passes, lanes, salt, sealed }
    }

    /// The key.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for another passphrase or an altered lock.
    pub fn open(&self, stretched: &SymmetricKey) -> Result<SymmetricKey, FormatError> {
        let bound = bound(self.memory_kib, self.passes, self.lanes, &self.salt);
        let key = Zeroizing::new(open(stretched, LOCK_LABEL, &bound, &self.sealed, LOCK_LABEL)?);
        SymmetricKey::from_slice(&key).ok_or(FormatError::Malformed { what: LOCK_LABEL })
    }

    /// What the record's field holds.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// Reads the field.
    ///
    /// # Errors
    /// [`FormatError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        cbor::from_slice(bytes, LOCK_LABEL)
    }
}

fn bound(memory_kib: u32, passes: u32, lanes: u32, salt: &[u8; 32]) -> Vec<u8> {
    cbor::to_vec(&(memory_kib, passes, lanes, minicbor::bytes::ByteArray::from(*salt)))
}

/// What a check-up says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct CheckUp {
    /// When it was.
    #[n(0)]
    pub at: Timestamp,
    /// With whom; empty when nobody said.
    #[n(1)]
    pub with: String,
    /// How it was.
    #[n(2)]
    pub text: String,
}

impl std::fmt::Debug for CheckUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CheckUp(…)")
    }
}

impl CheckUp {
    /// Seals it with the key of a lock, and for that lock's record.
    pub fn seal(&self, lock: RecordId, key: &SymmetricKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let body = Zeroizing::new(cbor::to_vec(self));
        seal(key, BODY_LABEL, &lock.0, &body, rng)
    }

    /// Opens one.
    ///
    /// # Errors
    /// [`FormatError`]: another lock's, or altered.
    pub fn open(lock: RecordId, key: &SymmetricKey, sealed: &[u8]) -> Result<Self, FormatError> {
        let body = Zeroizing::new(open(key, BODY_LABEL, &lock.0, sealed, BODY_LABEL)?);
        cbor::from_slice(&body, BODY_LABEL)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    use super::*;

    proptest! {
        #[test]
        fn only_the_same_lock_and_key_open_what_was_sealed(text in ".{0,80}", seed in any::<u64>(), at in any::<prop::sample::Index>()) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let (right, wrong) = (SymmetricKey::make(&mut rng), SymmetricKey::make(&mut rng));
            let (lock, key) = Lock::make((8, 1, 1), [3; 32], &right, &mut rng);
            let lock = Lock::from_bytes(&lock.to_bytes()).expect("its own bytes");
            prop_assert!(lock.open(&wrong).is_err());
            let costlier = Lock { passes: 2, ..lock.clone() };
            prop_assert!(costlier.open(&right).is_err());
            let opened = lock.open(&right).expect("its key");
            prop_assert_eq!(opened.as_bytes(), key.as_bytes());
            let body = CheckUp { at: Timestamp(7), with: "psycholoog".to_owned(), text };
            let mut sealed = body.seal(RecordId([1; 16]), &key, &mut rng);
            prop_assert_eq!(CheckUp::open(RecordId([1; 16]), &key, &sealed).expect("its own"), body);
            prop_assert!(CheckUp::open(RecordId([2; 16]), &key, &sealed).is_err());
            let at = at.index(sealed.len());
            sealed[at] ^= 1;
            prop_assert!(CheckUp::open(RecordId([1; 16]), &key, &sealed).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Lock::from_bytes(&bytes);
        }
    }
}
