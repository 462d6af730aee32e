//! The platform's key store: where a 32-byte secret lives that a copied folder does not bring along.
//!
//! On a phone this is the Secure Enclave or StrongBox, reached by a callback. In a terminal it is a file readable by
//! its owner only, which protects less; the command line says so.

use std::path::PathBuf;

use baken_schemas::crypto::SymmetricKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::BakenError;
use crate::home::{overwrite_file, read_file, remove_file, replace_file};

/// The secret of the platform's key store. Wiped when dropped.
#[derive(Debug, Clone)]
pub struct PlatformSecret(SymmetricKey);

impl PlatformSecret {
    /// A new random secret.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        Self(SymmetricKey::make(rng))
    }

    /// The secret of these 32 bytes; `None` for another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        SymmetricKey::from_slice(bytes).map(Self)
    }

    /// The secret's bytes, for a key store to keep.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// A key for one purpose: the alarm outbox's file, the vault's slots.
    pub fn derive(&self, label: &str, fields: &[&[u8]]) -> SymmetricKey {
        self.0.derive(label, fields)
    }
}

/// Keeps one secret for one device.
pub trait KeyStore: Send + Sync {
    /// The secret; `None` when none was stored yet.
    ///
    /// # Errors
    /// [`BakenError::KeyStoreLost`] when it is damaged, [`BakenError::Disk`].
    fn load(&self) -> Result<Option<PlatformSecret>, BakenError>;

    /// Stores a secret durably before it returns.
    ///
    /// # Errors
    /// [`BakenError::Disk`].
    fn store(&self, secret: &PlatformSecret) -> Result<(), BakenError>;

    /// Destroys the secret, so that what was sealed under it never opens again; fine when there is none.
    ///
    /// # Errors
    /// [`BakenError::Disk`].
    fn forget(&self) -> Result<(), BakenError>;
}

/// What unlocks with a finger or a face: the platform wraps a key so that only it, having seen its owner, unwraps it.
/// A command line has none.
pub trait BiometricKey: Send + Sync {
    /// Wraps a key; at most 256 bytes.
    ///
    /// # Errors
    /// [`BakenError::BiometricRefused`] when the platform has no such key or its owner did not agree.
    fn wrap(&self, key: &SymmetricKey) -> Result<Vec<u8>, BakenError>;

    /// Unwraps it, asking for the finger or face.
    ///
    /// # Errors
    /// [`BakenError::BiometricRefused`].
    fn unwrap(&self, wrapped: &[u8]) -> Result<SymmetricKey, BakenError>;
}

/// A key store in a file.
#[derive(Debug, Clone)]
pub struct FileKeyStore {
    path: PathBuf,
}

impl FileKeyStore {
    /// A key store in this file, mode 0600.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl KeyStore for FileKeyStore {
    fn load(&self) -> Result<Option<PlatformSecret>, BakenError> {
        let Some(bytes) = read_file(&self.path)?.map(Zeroizing::new) else { return Ok(None) };
        PlatformSecret::from_slice(&bytes).map(Some).ok_or(BakenError::KeyStoreLost)
    }

    fn store(&self, secret: &PlatformSecret) -> Result<(), BakenError> {
        replace_file(&self.path, secret.as_bytes())
    }

    fn forget(&self) -> Result<(), BakenError> {
        // Overwritten first: a removed name alone leaves the bytes where they were.
        overwrite_file(&self.path, &[0; 32])?;
        remove_file(&self.path)
    }
}

/// The secret that must be there, since a vault or outbox needs it.
///
/// # Errors
/// [`BakenError::KeyStoreLost`].
pub fn existing_secret(store: &dyn KeyStore) -> Result<PlatformSecret, BakenError> {
    store.load()?.ok_or(BakenError::KeyStoreLost)
}

/// The secret, made and stored where there is none yet.
///
/// # Errors
/// [`BakenError`] of the key store.
pub fn secret_or_new(store: &dyn KeyStore, rng: &mut dyn CryptoRng) -> Result<PlatformSecret, BakenError> {
    if let Some(secret) = store.load()? {
        return Ok(secret);
    }
    let secret = PlatformSecret::make(rng);
    store.store(&secret)?;
    Ok(secret)
}
