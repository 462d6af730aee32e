//! Officers come in with a passkey. A login link of the command line lets them add two, and no more than that.
//!
//! ```text
//! link ─▶ enrolling ──two passkeys──▶ open ──nobody touched it for a while──▶ locked ──passkey──▶ open
//!                                      ▲                                                          (a new session)
//! passkey ─────────────────────────────┘
//! ```
//! Two each, on two authenticators: who loses one at night still comes in. A locked console shows nothing and lets nothing
//! be done, but goes on ringing, so that a lock never costs an alarm. What a session was opened by lies in memory alone:
//! a desk that starts again asks everybody for a touch.
//!
//! Browsers have passkeys at names only and not at addresses, so a console at an address keeps to links.

mod ring;

pub use ring::{KeyRing, OfficerKey};

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use baken_schemas::crypto::Hash;
use baken_schemas::time::Timestamp;
use http::Extensions;
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, DiscoverableKey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, Url, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::login::Session;
use super::officers::{LINK_LIFETIME_MS, Officer, OfficerId, Token};
use super::{Desk, DeskError};
use crate::folder::FolderError;
use crate::rates::AddressRates;

/// How many passkeys an officer must have.
pub const KEYS_NEEDED: usize = 2;
/// The most passkeys of one officer.
const MAX_KEYS: usize = 10;
/// The longest name of a passkey in bytes.
const MAX_KEY_NAME_BYTES: usize = 60;
/// A console that nobody touched for this long, in milliseconds, asks for a passkey again.
pub const LOCK_AFTER_MS: i64 = 30 * 60_000;
/// How long a proof by passkey, in milliseconds, lets an open session add and remove passkeys: what is left unattended
/// must not gain a key of somebody else's.
pub const PROOF_MS: i64 = 5 * 60_000;
/// How long a browser may take over a ceremony, in milliseconds: somebody may have to find the key.
const CEREMONY_MS: i64 = 5 * 60_000;
/// The most ceremonies under way; anybody can begin one, so the oldest go.
const MAX_CEREMONIES: usize = 1_000;
/// The most sessions whose proof is remembered.
const MAX_PROOFS: usize = 1_000;

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All.
    Open,
    /// Add passkeys and nothing else.
    Enrolling,
    /// Nothing but hear that an alarm rings.
    Locked,
}

/// Why a passkey was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// This console has none.
    #[error("this console is at an address and not at a name, so browsers have no passkeys for it: log in with a link")]
    Off,
    /// The session may not add or remove one.
    #[error("log in with a passkey or a new link first")]
    NotAllowed,
    /// The session is open, and its proof is too old to change passkeys by.
    #[error("use your passkey again first: passkeys are added and removed only right after")]
    ProveAgain,
    /// Too many log-ins were begun from one address within a minute.
    #[error("too many log-ins were begun from your address: wait a minute")]
    TooOften,
    /// No ceremony of this session is under way.
    #[error("it took too long, or was begun in another window: begin again")]
    TooLate,
    /// What the browser sent does not prove anything.
    #[error("the passkey was not accepted")]
    Refused(#[source] WebauthnError),
    /// Nobody here has it.
    #[error("this passkey is not known at this desk: add it with a login link first")]
    Unknown,
    /// A name that is empty or too long.
    #[error("a passkey's name has 1 to {MAX_KEY_NAME_BYTES} bytes and no control characters")]
    Name,
    /// As many as there may be.
    #[error("an officer has at most {MAX_KEYS} passkeys: remove one first")]
    TooMany,
    /// One of the last two.
    #[error("an officer keeps at least {KEYS_NEEDED} passkeys: add the new one first")]
    TooFew,
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<FolderError> for PasskeyError {
    fn from(error: FolderError) -> Self {
        Self::Desk(error.into())
    }
}

impl PasskeyError {
    /// The code in the console's JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Off => "passkeys_off",
            Self::NotAllowed => "not_allowed",
            Self::ProveAgain => "prove_again",
            Self::TooOften => "too_often",
            Self::TooLate => "too_late",
            Self::Refused(_) => "passkey_refused",
            Self::Unknown => "unknown_passkey",
            Self::Name => "bad_name",
            Self::TooMany => "too_many_passkeys",
            Self::TooFew => "too_few_passkeys",
            Self::Desk(_) => "desk_failed",
        }
    }
}

/// The passkeys of a desk whose console is at a name.
pub(super) struct Passkeys {
    webauthn: Webauthn,
    ring: KeyRing,
    /// Log-ins begun, by the address that began them: a flood fills its own share and nobody else's.
    begun: AddressRates,
    under_way: Mutex<UnderWay>,
}

/// What is known in memory, by hashes of tokens.
#[derive(Default)]
struct UnderWay {
    proofs: HashMap<Hash, Proof>,
    logins: HashMap<Hash, (Timestamp, DiscoverableAuthentication)>,
}

/// What a session was opened by.
#[derive(Default)]
struct Proof {
    linked_at: Option<Timestamp>,
    /// When a passkey or, since then, a person's touch was last there.
    touched_at: Option<Timestamp>,
    /// When a passkey was.
    proved_at: Option<Timestamp>,
    adding: Option<(Timestamp, PasskeyRegistration)>,
}

fn is_fresh(at: Option<Timestamp>, now: Timestamp, lasts_ms: i64) -> bool {
    at.is_some_and(|at| now.since_ms(at) < lasts_ms)
}

/// Takes the oldest out of a map that is full.
fn make_room<T>(map: &mut HashMap<Hash, T>, most: usize, age: impl Fn(&T) -> i64) {
    if map.len() < most {
        return;
    }
    if let Some(oldest) = map.iter().min_by_key(|(_, value)| age(value)).map(|(hash, _)| *hash) {
        map.remove(&oldest);
    }
}

impl Passkeys {
    /// For a console at `url`, `https://name:port`; `None` where it is at an address.
    pub(super) fn open(url: &str, data: &Path) -> Result<Option<Self>, FolderError> {
        let Some((origin, name)) = Url::parse(url).ok().and_then(|url| Some((url.clone(), url.domain()?.to_owned())))
        else {
            return Ok(None);
        };
        let built = WebauthnBuilder::new(&name, &origin).and_then(|builder| builder.rp_name("Baken").build());
        // Without passkeys a link alone would open the console.
        let webauthn = built.map_err(|error| FolderError::Damaged {
            path: data.join("config.toml"),
            why: format!("browsers have no passkeys for the console at {url}: {error}"),
        })?;
        let ring = KeyRing::open(data)?;
        Ok(Some(Self { webauthn, ring, begun: AddressRates::default(), under_way: Mutex::default() }))
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prove(&self, session: &Token, proof: Proof) {
        let mut under_way = self.under_way();
        let age = |proof: &Proof| proof.touched_at.or(proof.linked_at).map_or(0, |at| at.0);
        make_room(&mut under_way.proofs, MAX_PROOFS, age);
        under_way.proofs.insert(session.hash(), proof);
    }

    /// A session that a link opened.
    pub(super) fn linked(&self, session: &Token, now: Timestamp) {
        self.prove(session, Proof { linked_at: Some(now), ..Proof::default() });
    }
}

impl Desk {
    /// Whether officers come in with passkeys here.
    pub fn has_passkeys(&self) -> bool {
        self.passkeys.is_some()
    }

    /// What a session may do now. `touched` when a person, and not the page by itself, asks.
    ///
    /// # Errors
    /// [`DeskError::Folder`].
    pub fn standing(&self, session: &Token, officer: OfficerId, touched: bool) -> Result<Standing, DeskError> {
        let Some(passkeys) = &self.passkeys else { return Ok(Standing::Open) };
        let (now, keys) = (self.now(), passkeys.ring.read(officer)?.len());
        let mut under_way = passkeys.under_way();
        let Some(proof) = under_way.proofs.get_mut(&session.hash()) else { return Ok(Standing::Locked) };
        // What a passkey that was forgotten since had opened, new ones do not open again.
        let forgotten = passkeys.ring.forgotten_at(officer)?;
        let is_kept = |at: Option<Timestamp>| at.is_some() && at > forgotten;
        let by_key = keys > 0 && is_kept(proof.proved_at) && is_fresh(proof.touched_at, now, LOCK_AFTER_MS);
        let by_link = is_kept(proof.linked_at) && is_fresh(proof.linked_at, now, LINK_LIFETIME_MS);
        if by_key && touched {
            proof.touched_at = Some(now);
        }
        Ok(match (by_key, keys) {
            (true, KEYS_NEEDED..) => Standing::Open,
            (true, _) => Standing::Enrolling,
            (false, _) if by_link => Standing::Enrolling,
            (false, _) => Standing::Locked,
        })
    }

    /// Whether a session may change its officer's passkeys now: an open one only right after a passkey was used.
    ///
    /// # Errors
    /// [`DeskError::Folder`].
    pub fn may_change_keys(&self, session: &Token, officer: OfficerId) -> Result<bool, DeskError> {
        Ok(match self.standing(session, officer, false)? {
            Standing::Enrolling => true,
            Standing::Locked => false,
            Standing::Open => self.passkeys.as_ref().is_some_and(|passkeys| {
                let under_way = passkeys.under_way();
                let proof = under_way.proofs.get(&session.hash());
                proof.is_some_and(|proof| is_fresh(proof.proved_at, self.now(), PROOF_MS))
            }),
        })
    }

    fn allow_change(&self, session: &Token, officer: OfficerId) -> Result<(), PasskeyError> {
        match self.standing(session, officer, true)? {
            Standing::Locked => Err(PasskeyError::NotAllowed),
            _ if self.may_change_keys(session, officer)? => Ok(()),
            _ => Err(PasskeyError::ProveAgain),
        }
    }

    /// An officer's passkeys.
    ///
    /// # Errors
    /// [`DeskError::Folder`].
    pub fn keys_of(&self, officer: OfficerId) -> Result<Vec<OfficerKey>, DeskError> {
        Ok(self.passkeys.as_ref().map(|passkeys| passkeys.ring.read(officer)).transpose()?.unwrap_or_default())
    }

    /// Begins a log-in: what names it, and what the browser is to ask its authenticators.
    ///
    /// # Errors
    /// [`PasskeyError::Off`], [`PasskeyError::TooOften`].
    pub fn begin_log_in(&self, request: &Extensions) -> Result<(Token, RequestChallengeResponse), PasskeyError> {
        let passkeys = self.passkeys.as_ref().ok_or(PasskeyError::Off)?;
        if !passkeys.begun.allow(request, self.now()) {
            return Err(PasskeyError::TooOften);
        }
        let (mut ask, state) = passkeys.webauthn.start_discoverable_authentication().map_err(PasskeyError::Refused)?;
        // Asked for by a button, not offered while somebody types.
        ask.mediation = None;
        let (token, now) = (Token::make(&mut self.fork_rng()), self.now());
        let mut under_way = passkeys.under_way();
        under_way.logins.retain(|_, (begun_at, _)| is_fresh(Some(*begun_at), now, CEREMONY_MS));
        make_room(&mut under_way.logins, MAX_CEREMONIES, |(begun_at, _)| begun_at.0);
        under_way.logins.insert(token.hash(), (now, state));
        Ok((token, ask))
    }

    /// Ends a log-in with what the authenticator signed: a new session, open at once where the officer has two passkeys.
    /// The session that the browser had before ends.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn finish_log_in(
        &self,
        ceremony: &Token,
        signed: &PublicKeyCredential,
        before: Option<&Token>,
    ) -> Result<Session, PasskeyError> {
        let now = self.now();
        match self.officer_of(ceremony, signed, now) {
            Ok(officer) => {
                if let Some(before) = before {
                    self.log_out(before).await?;
                }
                let session = self.start_session(officer, now, None).await?.ok_or(PasskeyError::NotAllowed)?;
                if let Some(passkeys) = &self.passkeys {
                    let (touched_at, proved_at) = (Some(now), Some(now));
                    passkeys.prove(&session.token, Proof { touched_at, proved_at, ..Proof::default() });
                }
                self.note(now, Some(session.officer.id), "passkey_login", "ok").await?;
                Ok(session)
            }
            Err(error) => {
                tracing::warn!(event = "passkey_refused", why = error.code());
                if self.strangers.may_be_noted(now) {
                    self.note(now, None, "passkey_login", "refused").await?;
                }
                Err(error)
            }
        }
    }

    /// Whose signature it is, checked against the key that was registered.
    fn officer_of(
        &self,
        ceremony: &Token,
        signed: &PublicKeyCredential,
        now: Timestamp,
    ) -> Result<Officer, PasskeyError> {
        let passkeys = self.passkeys.as_ref().ok_or(PasskeyError::Off)?;
        // Taken out: a challenge is answered once.
        let begun = passkeys.under_way().logins.remove(&ceremony.hash());
        let (begun_at, state) = begun.ok_or(PasskeyError::TooLate)?;
        if !is_fresh(Some(begun_at), now, CEREMONY_MS) {
            return Err(PasskeyError::TooLate);
        }
        let identified = passkeys.webauthn.identify_discoverable_authentication(signed);
        let (user, credential) = identified.map_err(PasskeyError::Refused)?;
        let officer = self.officers.find(OfficerId(user.into_bytes())).ok_or(PasskeyError::Unknown)?;
        // Held from reading to writing, so that no two log-ins write over each other's count.
        let _alone = passkeys.under_way();
        let mut keys = passkeys.ring.read(officer.id)?;
        let key = keys.iter_mut().find(|key| key.passkey.cred_id().as_slice() == credential);
        let key = key.ok_or(PasskeyError::Unknown)?;
        let known = DiscoverableKey::from(&key.passkey);
        let result = passkeys.webauthn.finish_discoverable_authentication_v2(signed, state, &known);
        key.passkey.update_credential(&result.map_err(PasskeyError::Refused)?);
        key.used_at = Some(now);
        passkeys.ring.write(officer.id, &keys)?;
        Ok(officer)
    }

    /// Begins adding a passkey to the officer of a session.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub fn begin_adding(&self, session: &Token, officer: &Officer) -> Result<CreationChallengeResponse, PasskeyError> {
        let passkeys = self.passkeys.as_ref().ok_or(PasskeyError::Off)?;
        self.allow_change(session, officer.id)?;
        let keys = passkeys.ring.read(officer.id)?;
        if keys.len() >= MAX_KEYS {
            return Err(PasskeyError::TooMany);
        }
        // The same authenticator twice would be one key.
        let there = keys.iter().map(|key| key.passkey.cred_id().clone()).collect();
        let user = Uuid::from_bytes(officer.id.0);
        let begun = passkeys.webauthn.start_passkey_registration(user, &officer.name, &officer.name, Some(there));
        let (mut ask, state) = begun.map_err(PasskeyError::Refused)?;
        // Kept on the authenticator, so that an officer comes in with one button and types no name.
        if let Some(selection) = &mut ask.public_key.authenticator_selection {
            (selection.resident_key, selection.require_resident_key) = (None, true);
        }
        if let Some(proof) = passkeys.under_way().proofs.get_mut(&session.hash()) {
            proof.adding = Some((self.now(), state));
        }
        Ok(ask)
    }

    /// Ends adding: how many passkeys the officer has now.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn finish_adding(
        &self,
        session: &Token,
        officer: &Officer,
        name: &str,
        made: &RegisterPublicKeyCredential,
    ) -> Result<usize, PasskeyError> {
        let passkeys = self.passkeys.as_ref().ok_or(PasskeyError::Off)?;
        let (now, name) = (self.now(), name.trim());
        if name.is_empty() || name.len() > MAX_KEY_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(PasskeyError::Name);
        }
        // Locked meanwhile, or its keys forgotten.
        if self.standing(session, officer.id, false)? == Standing::Locked {
            return Err(PasskeyError::NotAllowed);
        }
        let count = {
            let mut under_way = passkeys.under_way();
            let proof = under_way.proofs.get_mut(&session.hash()).ok_or(PasskeyError::NotAllowed)?;
            let (begun_at, state) = proof.adding.take().ok_or(PasskeyError::TooLate)?;
            if !is_fresh(Some(begun_at), now, CEREMONY_MS) {
                return Err(PasskeyError::TooLate);
            }
            let passkey = passkeys.webauthn.finish_passkey_registration(made, &state).map_err(PasskeyError::Refused)?;
            let mut keys = passkeys.ring.read(officer.id)?;
            if keys.len() >= MAX_KEYS {
                return Err(PasskeyError::TooMany);
            }
            keys.push(OfficerKey { name: name.to_owned(), added_at: now, used_at: None, passkey });
            passkeys.ring.write(officer.id, &keys)?;
            // Adding asks for the fingerprint or PIN as a log-in does.
            (proof.touched_at, proof.proved_at) = (Some(now), Some(now));
            keys.len()
        };
        self.note(now, Some(officer.id), "passkey_add", "ok").await?;
        Ok(count)
    }

    /// Removes a passkey, of which two stay.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn remove_key(&self, session: &Token, officer: &Officer, id: &str) -> Result<(), PasskeyError> {
        let passkeys = self.passkeys.as_ref().ok_or(PasskeyError::Off)?;
        // A link adds and does not take away.
        if self.standing(session, officer.id, true)? != Standing::Open {
            return Err(PasskeyError::NotAllowed);
        }
        self.allow_change(session, officer.id)?;
        {
            let _alone = passkeys.under_way();
            let mut keys = passkeys.ring.read(officer.id)?;
            let at = keys.iter().position(|key| key.id() == id).ok_or(PasskeyError::Unknown)?;
            if keys.len() <= KEYS_NEEDED {
                return Err(PasskeyError::TooFew);
            }
            keys.remove(at);
            passkeys.ring.write(officer.id, &keys)?;
        }
        Ok(self.note(self.now(), Some(officer.id), "passkey_remove", "ok").await?)
    }
}
