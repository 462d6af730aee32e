//! The invite that a person is handed, and the registration by which the relay takes it once.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::crypto::{Hash, SymmetricKey};
use crate::id::{AccountId, InviteId};
use crate::org::OrgId;
use crate::signed::{Document, Signed, Unverified};
use crate::text;
use crate::time::Timestamp;

/// What an invited device will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InviteRole {
    /// The first phone of an office-holder's account.
    #[n(0)]
    OfficeHolder,
    /// A bridge.
    #[n(1)]
    Bridge,
    /// An adviser's program: reads and writes the organisation's plan, and nothing else.
    #[n(2)]
    Adviser,
}

impl InviteRole {
    /// What it is called where an invite is made.
    pub fn tag(self) -> &'static str {
        match self {
            Self::OfficeHolder => "office-holder",
            Self::Bridge => "bridge",
            Self::Adviser => "adviser",
        }
    }
}

/// One use, expiring; handed over in person. As text: `BAKEN-INVITE:…`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    /// The organisation, and with it all trust a phone starts with.
    #[n(0)]
    pub org: OrgId,
    /// The relay: `https://host:port`.
    #[n(1)]
    pub relay_url: String,
    /// SHA-256 of the relay's TLS root (DER).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub tls_root_sha256: [u8; 32],
    /// The account to activate.
    #[n(3)]
    pub account: AccountId,
    /// This invite.
    #[n(4)]
    pub invite: InviteId,
    /// What the device will be.
    #[n(5)]
    pub role: InviteRole,
    /// After this the relay refuses it.
    #[n(6)]
    pub expires_at: Timestamp,
    /// The one-time secret.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub secret: [u8; 32],
}

impl std::fmt::Debug for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invite").field("invite", &self.invite).finish_non_exhaustive()
    }
}

impl Document for Invite {
    const LABEL: &'static str = "baken/invite/v0";
    const MAX_BYTES: usize = 1024;
}

/// The word before an invite's text.
const INVITE_PREFIX: &str = "BAKEN-INVITE";

impl Invite {
    /// The half of the secret that the relay checks, once.
    pub fn relay_token(&self) -> [u8; 32] {
        Hash::of("baken/invite-relay-token/v0", &[&self.secret]).0
    }

    /// The half of the secret that desks know an account's devices by.
    pub fn desk_key(&self) -> SymmetricKey {
        SymmetricKey::from_slice(&Hash::of("baken/invite-desk-key/v0", &[&self.secret]).0)
            .unwrap_or_else(|| unreachable!("a hash has 32 bytes"))
    }

    /// The text that is handed over, to print or to show as QR code.
    pub fn to_text(signed: &Signed<Self>) -> String {
        text::encode(INVITE_PREFIX, signed.bytes())
    }

    /// Reads the text. The signature is checked with [`Unverified::verify`] once the directory has brought the root
    /// whose hash the invite holds.
    ///
    /// # Errors
    /// [`FormatError`] that says whether it was mistyped or is no invite.
    pub fn from_text(invite: &str) -> Result<Unverified<Self>, FormatError> {
        Unverified::parse(&text::decode(INVITE_PREFIX, invite)?)
    }
}

/// What the relay is told of an invite: enough to accept it once, and no name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct InviteRegistration {
    /// The organisation.
    #[n(0)]
    pub org: OrgId,
    /// The invite.
    #[n(1)]
    pub invite: InviteId,
    /// The account.
    #[n(2)]
    pub account: AccountId,
    /// What the device will be.
    #[n(3)]
    pub role: InviteRole,
    /// After this it is refused.
    #[n(4)]
    pub expires_at: Timestamp,
    /// [`Invite::relay_token`], hashed.
    #[n(5)]
    pub token_hash: Hash,
}

impl Document for InviteRegistration {
    const LABEL: &'static str = "baken/invite-registration/v0";
    const MAX_BYTES: usize = 1024;
}

impl InviteRegistration {
    /// The registration that goes with an invite.
    pub fn of(invite: &Invite) -> Self {
        Self {
            org: invite.org,
            invite: invite.invite,
            account: invite.account,
            role: invite.role,
            expires_at: invite.expires_at,
            token_hash: Self::token_hash(&invite.relay_token()),
        }
    }

    /// The hash the relay keeps of a token.
    pub fn token_hash(token: &[u8; 32]) -> Hash {
        Hash::of("baken/invite-token-hash/v0", &[token])
    }
}
