//! The organisation root and what it signs, off the relay: the directory, invites, and for every invite a
//! registration (for the relay) and roster lines (one sealed to each desk).
//!
//! A phone starts with an invite and trusts nothing else: the invite holds the hash of the root and of the relay's
//! TLS root. The one-time secret is split, so that the relay, which sees its own half at activation, cannot enrol a
//! device of its own at a desk.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::cbor;
use crate::crypto::{Hash, KemPublic, KemSecret, SymmetricKey, VerifyKey, Wrapped, open_wrapped, transcript, wrap};
use crate::id::{AccountId, DeviceId, InviteId, LadderId};
use crate::signed::{Document, Signed, Unverified};
use crate::text;
use crate::time::Timestamp;

/// The most responders one alarm can be sealed to.
pub const MAX_RESPONDERS: usize = 4;
/// The most desks, ladders, TLS roots and addresses in a directory.
const MAX_LISTED: usize = 64;

/// An organisation: the hash of its root key.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct OrgId(#[n(0)] pub Hash);

impl OrgId {
    /// The organisation of a root key.
    pub fn of(root: &VerifyKey) -> Self {
        Self(Hash::of("baken/org-root/v0", &[&root.0]))
    }
}

impl std::fmt::Display for OrgId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The relay as the organisation vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayEntry {
    /// The relay, as a device that signs `stored`.
    #[n(0)]
    pub relay: DeviceId,
    /// Checks what it signs.
    #[n(1)]
    pub sig: VerifyKey,
    /// Where it is: `https://host:port`, the first is tried first.
    #[n(2)]
    pub urls: Vec<String>,
    /// The TLS roots (DER) that its certificate must come from.
    #[n(3)]
    pub tls_roots: Vec<minicbor::bytes::ByteVec>,
    /// The relay's operator also holds a desk's key (`serve all`): phones say that the operator can read alarms.
    #[n(4)]
    pub operator_reads_alarms: bool,
}

/// A desk as the organisation vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeskEntry {
    /// The desk.
    #[n(0)]
    pub desk: DeviceId,
    /// What people call it: "Meldkamer Oost".
    #[n(1)]
    pub name: String,
    /// Checks its receipts.
    #[n(2)]
    pub sig: VerifyKey,
    /// Seals to it.
    #[n(3)]
    pub kem: KemPublic,
}

/// One step of a ladder: these responders, and how long to wait for a human before the next step.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rung {
    /// Who is called.
    #[n(0)]
    pub responders: Vec<DeviceId>,
    /// Seconds to wait for `seen`.
    #[n(1)]
    pub wait_s: u32,
}

/// A ladder that office-holders can accept.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ladder {
    /// The ladder.
    #[n(0)]
    pub ladder: LadderId,
    /// Rises with every change.
    #[n(1)]
    pub version: u32,
    /// What people call it.
    #[n(2)]
    pub name: String,
    /// From the first to the last.
    #[n(3)]
    pub rungs: Vec<Rung>,
}

impl Ladder {
    /// Every responder once, in the order they are first called.
    pub fn responders(&self) -> Vec<DeviceId> {
        let mut all = Vec::new();
        for responder in self.rungs.iter().flat_map(|rung| &rung.responders) {
            if !all.contains(responder) {
                all.push(*responder);
            }
        }
        all
    }
}

/// Who an organisation's relay and desks are, and which ladders there are. Signed by the root; the version only rises.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Directory {
    /// The root that signs this; phones check its hash.
    #[n(0)]
    pub root: VerifyKey,
    /// Rises with every change.
    #[n(1)]
    pub version: u64,
    /// The organisation's name.
    #[n(2)]
    pub name: String,
    /// When it was signed.
    #[n(3)]
    pub issued_at: Timestamp,
    /// The relay.
    #[n(4)]
    pub relay: RelayEntry,
    /// The desks.
    #[n(5)]
    pub desks: Vec<DeskEntry>,
    /// The ladders; the first is the one a new phone starts with.
    #[n(6)]
    pub ladders: Vec<Ladder>,
}

impl Document for Directory {
    const LABEL: &'static str = "baken/directory/v0";
    const MAX_BYTES: usize = 256 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| FormatError::Rule { what: Self::LABEL, rule };
        let listed = [self.desks.len(), self.ladders.len(), self.relay.urls.len(), self.relay.tls_roots.len()];
        if listed.iter().any(|len| *len > MAX_LISTED) {
            return Err(rule("at most 64 of each"));
        }
        // Two with one name, and who speaks would depend on which is found first.
        for (at, desk) in self.desks.iter().enumerate() {
            let before = self.desks.iter().take(at).any(|other| other.desk == desk.desk);
            if before || desk.desk == self.relay.relay {
                return Err(rule("every desk has an id of its own, and none is the relay's"));
            }
        }
        for (at, ladder) in self.ladders.iter().enumerate() {
            let same = |other: &Ladder| (other.ladder, other.version) == (ladder.ladder, ladder.version);
            if self.ladders.iter().take(at).any(same) {
                return Err(rule("a version of a ladder is listed once"));
            }
        }
        for ladder in &self.ladders {
            let responders = ladder.responders();
            if responders.is_empty() || responders.len() > MAX_RESPONDERS {
                return Err(rule("a ladder has one to four responders"));
            }
            if responders.iter().any(|responder| self.desk(*responder).is_none()) {
                return Err(rule("a ladder names a responder that is not in the directory"));
            }
        }
        Ok(())
    }
}

impl Directory {
    /// Reads a directory and checks that the root of `org` signed it.
    ///
    /// # Errors
    /// [`FormatError`]; [`FormatError::Signature`] when another root signed it.
    pub fn verify(bytes: &[u8], org: OrgId) -> Result<Signed<Self>, FormatError> {
        let unverified = Unverified::<Self>::parse(bytes)?;
        let root = unverified.claims().root;
        if OrgId::of(&root) != org {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        unverified.verify(&root)
    }

    /// The organisation.
    pub fn org(&self) -> OrgId {
        OrgId::of(&self.root)
    }

    /// A desk by its id.
    pub fn desk(&self, desk: DeviceId) -> Option<&DeskEntry> {
        self.desks.iter().find(|entry| entry.desk == desk)
    }

    /// A ladder by id and version.
    pub fn ladder(&self, ladder: LadderId, version: u32) -> Option<&Ladder> {
        self.ladders.iter().find(|entry| entry.ladder == ladder && entry.version == version)
    }
}

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

/// Who an account is, sealed to one desk: how the desk names an alarm, even one it cannot open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RosterLine {
    /// The organisation.
    #[n(0)]
    pub org: OrgId,
    /// The desk it is for.
    #[n(1)]
    pub desk: DeviceId,
    /// The account.
    #[n(2)]
    pub account: AccountId,
    /// A [`RosterPerson`].
    #[n(3)]
    pub sealed: Wrapped,
}

impl Document for RosterLine {
    const LABEL: &'static str = "baken/roster/v0";
    const MAX_BYTES: usize = 4096;
}

/// What a desk knows of an account before any alarm. Padded to one size.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct RosterPerson {
    /// Name, as the desk says it.
    #[n(0)]
    pub name: String,
    /// Office: "burgemeester".
    #[n(1)]
    pub office: String,
    /// Where to call the person back.
    #[n(2)]
    pub phone: String,
    /// [`Invite::desk_key`]: what the account's devices prove themselves with.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub desk_key: [u8; 32],
}

impl std::fmt::Debug for RosterPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RosterPerson(…)")
    }
}

/// Size of a roster person in bytes, sealed.
const ROSTER_SIZE: usize = 512;

impl RosterLine {
    fn bound(org: OrgId, desk: DeviceId, account: AccountId) -> Vec<u8> {
        transcript(Self::LABEL, &[&org.0.0, &desk.0, &account.0])
    }

    /// Seals a person to a desk.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] when the texts are too long together; [`FormatError::Sealed`] for a bad desk key.
    pub fn make(
        org: OrgId,
        desk: &DeskEntry,
        account: AccountId,
        person: &RosterPerson,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, FormatError> {
        let padded = crate::entry::pad_to(&cbor::to_vec(person), ROSTER_SIZE, Self::LABEL)?;
        let bound = Self::bound(org, desk.desk, account);
        let sealed = wrap(&desk.kem, None, Self::LABEL, &bound, &padded, rng)?;
        Ok(Self { org, desk: desk.desk, account, sealed })
    }

    /// Opens it at the desk.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open(&self, kem: &KemSecret) -> Result<RosterPerson, FormatError> {
        let bound = Self::bound(self.org, self.desk, self.account);
        let padded = open_wrapped(kem, None, Self::LABEL, &bound, &self.sealed)?;
        cbor::from_slice(crate::entry::unpad(&padded, Self::LABEL)?, Self::LABEL)
    }
}

/// A device tells a desk whose it is: the account's key proves it, and the relay cannot read or make it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Enrolment {
    /// The device; this document is signed by its `sig` key.
    #[n(0)]
    pub device: DeviceId,
    /// The desk it is for.
    #[n(1)]
    pub desk: DeviceId,
    /// The account.
    #[n(2)]
    pub account: AccountId,
    /// The device's identity document and the proof, sealed.
    #[n(3)]
    pub sealed: Wrapped,
}

impl Document for Enrolment {
    const LABEL: &'static str = "baken/enrolment/v0";
    const MAX_BYTES: usize = 8192;
}

#[derive(Encode, Decode)]
struct EnrolmentBody {
    #[cbor(n(0), with = "minicbor::bytes")]
    identity: Vec<u8>,
    #[n(1)]
    proof: Hash,
}

fn enrolment_proof(desk_key: &SymmetricKey, account: AccountId, identity: &[u8]) -> Hash {
    let key = desk_key.derive("baken/enrolment-proof/v0", &[&account.0, identity]);
    Hash(*key.as_bytes())
}

impl Enrolment {
    fn bound(device: DeviceId, desk: DeviceId, account: AccountId) -> Vec<u8> {
        transcript(Self::LABEL, &[&device.0, &desk.0, &account.0])
    }

    /// Enrols a device of `account` at a desk.
    ///
    /// # Errors
    /// [`FormatError::Sealed`] for a bad desk key.
    pub fn make(
        keys: &crate::device::DeviceKeys,
        desk: &DeskEntry,
        account: AccountId,
        desk_key: &SymmetricKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed<Self>, FormatError> {
        let identity = keys.identity().bytes().to_vec();
        let proof = enrolment_proof(desk_key, account, &identity);
        let bound = Self::bound(keys.device, desk.desk, account);
        let body = cbor::to_vec(&EnrolmentBody { identity, proof });
        let sealed = wrap(&desk.kem, None, Self::LABEL, &bound, &body, rng)?;
        Ok(Signed::make(Self { device: keys.device, desk: desk.desk, account, sealed }, &keys.sig))
    }

    /// Opens an enrolment at the desk and checks every claim in it: the seal, the account's proof, the identity and
    /// the signature by that identity.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn open(
        bytes: &[u8],
        kem: &KemSecret,
        desk_key: &SymmetricKey,
    ) -> Result<crate::device::Identity, FormatError> {
        let unverified = Unverified::<Self>::parse(bytes)?;
        let claims = unverified.claims();
        let bound = Self::bound(claims.device, claims.desk, claims.account);
        let body = open_wrapped(kem, None, Self::LABEL, &bound, &claims.sealed)?;
        let body: EnrolmentBody = cbor::from_slice(&body, Self::LABEL)?;
        let expected = enrolment_proof(desk_key, claims.account, &body.identity);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&expected.0[..], &body.proof.0[..])) {
            return Err(FormatError::Signature { what: Self::LABEL });
        }
        let identity = crate::device::Identity::verify(&body.identity)?.into_value();
        if identity.device != claims.device {
            return Err(FormatError::Rule { what: Self::LABEL, rule: "names another device than it encloses" });
        }
        unverified.verify(&identity.sig)?;
        Ok(identity)
    }
}
