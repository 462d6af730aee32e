//! The recovery code: what a person has on paper, and what it opens.
//!
//! 128 random bits, typed as every code is (`code.rs`). From them come a key that seals the account's root, a key
//! pair that every epoch is wrapped to, and a name under which the sealed root lies at the relay. The code itself goes
//! nowhere; 128 bits leave a relay nothing to guess.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::FormatError;
use crate::cbor;
use crate::code::{self, CodeError};
use crate::crypto::{Hash, KemSecret, SigningKey, SymmetricKey, open, seal};
use crate::device::Identity;
use crate::id::{AccountId, CircleId, DeviceId};
use crate::org::OrgId;
use crate::signed::{Document, Signed, Unverified};
use crate::text;

const CHECKSUM_LABEL: &str = "baken/recovery-checksum/v0";
const CODE_LABEL: &str = "baken/recovery-code/v0";
const SHEET_PREFIX: &str = "BAKEN-SHEET";

/// A recovery code. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 16]);

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

impl RecoveryCode {
    /// A new code.
    pub fn make(rng: &mut dyn CryptoRng) -> Self {
        let mut code = [0; 16];
        rng.fill_bytes(&mut code);
        Self(code)
    }

    /// The text on paper: `XXXXX-XXXXX-…`.
    pub fn to_text(&self) -> String {
        code::to_text(CHECKSUM_LABEL, &self.0)
    }

    /// Reads a typed code. Spaces, hyphens and lower case are forgiven; O is 0, I and L are 1.
    ///
    /// # Errors
    /// [`CodeError`], which names the group.
    pub fn from_text(typed: &str) -> Result<Self, CodeError> {
        code::from_text(CHECKSUM_LABEL, typed).map(Self)
    }

    fn key(&self, account: AccountId) -> SymmetricKey {
        let hash = Hash::of(CODE_LABEL, &[&self.0, &account.0]);
        SymmetricKey::from_slice(&hash.0).unwrap_or_else(|| unreachable!("a hash has 32 bytes"))
    }

    /// What epochs are wrapped to, so that the code opens today's data and not that of the day it was printed.
    pub fn kem(&self, account: AccountId) -> KemSecret {
        let seed = self.key(account).derive("baken/recovery-kem/v0", &[]);
        KemSecret::from_slice(seed.as_bytes()).unwrap_or_else(|| unreachable!("a key has 32 bytes"))
    }

    /// The name under which the sealed root lies at the relay.
    pub fn name(&self, account: AccountId) -> Hash {
        Hash(*self.key(account).derive("baken/recovery-name/v0", &[]).as_bytes())
    }

    /// Seals the account's root, to lie at the relay.
    pub fn seal_root(&self, account: AccountId, content: &RecoveryContent, rng: &mut dyn CryptoRng) -> SealedRoot {
        let key = self.key(account).derive("baken/recovery-seal/v0", &[]);
        let sealed = seal(&key, SealedRoot::LABEL, &account.0, &cbor::to_vec(content), rng);
        SealedRoot { account, name: self.name(account), sealed }
    }
}

/// What the code opens beside the data itself.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecoveryContent {
    /// The account's root key: a 32-byte seed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// The account's dossier.
    #[n(1)]
    pub circle: CircleId,
}

impl RecoveryContent {
    /// The account's root key.
    pub fn root(&self) -> SigningKey {
        SigningKey::from_bytes(&self.root)
    }
}

impl std::fmt::Debug for RecoveryContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveryContent").field("circle", &self.circle).finish_non_exhaustive()
    }
}

/// The account's root as it lies at the relay. Signed by the root, so that only it can replace it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SealedRoot {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// [`RecoveryCode::name`].
    #[n(1)]
    pub name: Hash,
    /// The [`RecoveryContent`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Document for SealedRoot {
    const LABEL: &'static str = "baken/sealed-root/v0";
    const MAX_BYTES: usize = 2048;
}

impl SealedRoot {
    /// Opens it with the code, and checks that the root in it signed it.
    ///
    /// # Errors
    /// [`FormatError`]: another account's, altered, or of another code.
    pub fn open(bytes: &[u8], account: AccountId, code: &RecoveryCode) -> Result<RecoveryContent, FormatError> {
        let unverified = Unverified::<Self>::parse(bytes)?;
        if unverified.claims().account != account {
            return Err(FormatError::Rule { what: Self::LABEL, rule: "it is another account's" });
        }
        let key = code.key(account).derive("baken/recovery-seal/v0", &[]);
        let content = open(&key, Self::LABEL, &account.0, &unverified.claims().sealed, Self::LABEL)?;
        let content: RecoveryContent = cbor::from_slice(&content, Self::LABEL)?;
        unverified.verify(&content.root().verify_key())?;
        Ok(content)
    }
}

/// A new device of an account, brought in by the recovery code. Signed by the account's root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecoveryClaim {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// Its dossier, whose log names the root.
    #[n(1)]
    pub circle: CircleId,
    /// The new device.
    #[n(2)]
    pub device: DeviceId,
    /// [`Identity::fingerprint`] of it.
    #[n(3)]
    pub fingerprint: Hash,
}

impl Document for RecoveryClaim {
    const LABEL: &'static str = "baken/recovery-claim/v0";
    const MAX_BYTES: usize = 1024;
}

impl RecoveryClaim {
    /// Claims the account for a device.
    pub fn make(account: AccountId, circle: CircleId, identity: &Identity, root: &SigningKey) -> Signed<Self> {
        let claim = Self { account, circle, device: identity.device, fingerprint: identity.fingerprint() };
        Signed::make(claim, root)
    }
}

/// What is printed beside the code and is no secret: where the relay is, and whose account it is. As text
/// `BAKEN-SHEET:…`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecoverySheet {
    /// The organisation.
    #[n(0)]
    pub org: OrgId,
    /// The relay: `https://host:port`.
    #[n(1)]
    pub relay_url: String,
    /// SHA-256 of its TLS root (DER).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub tls_root_sha256: [u8; 32],
    /// The account.
    #[n(3)]
    pub account: AccountId,
}

impl RecoverySheet {
    /// The text that is printed.
    pub fn to_text(&self) -> String {
        text::encode(SHEET_PREFIX, &cbor::to_vec(self))
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`FormatError`] that says whether it was cut off or is none.
    pub fn from_text(sheet: &str) -> Result<Self, FormatError> {
        cbor::from_slice(&text::decode(SHEET_PREFIX, sheet)?, SHEET_PREFIX)
    }
}
