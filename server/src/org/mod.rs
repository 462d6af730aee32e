//! The organisation's root, off the relay: what it signs, and what its keeper remembers.
//!
//! Values in, values out; the command line reads and writes the folder. The root signs the directory (who
//! relay and desks are, and which ladders there are), invites, for every invite the relay's registration and one roster
//! line a desk, and that an adviser is dismissed. The [`Book`] beside it holds the names, and each account's desk key, so that a desk that is
//! added later can be told who the people are. It never leaves the keeper's folder.

mod council;
mod dismissal;
mod ladder;

pub use council::{LineFault, MAX_NEWCOMERS, Newcomer, read_council, read_person};
pub use dismissal::IssuedDismissal;
pub use ladder::LadderSpec;

use baken_schemas::FormatError;
use baken_schemas::crypto::{SigningKey, VerifyKey};
use baken_schemas::id::{AccountId, InviteId, LadderId};
use baken_schemas::org::{
    DeskEntry, Directory, Invite, InviteRegistration, InviteRole, Ladder, LadderUse, OrgId, RelayEntry, RosterLine,
    RosterPerson,
};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The longest name, office or phone number in bytes: four of them fit a roster line.
pub const MAX_TEXT_BYTES: usize = 120;
/// The most people one book holds.
pub const MAX_PEOPLE: usize = 100_000;

/// Why the root will not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrgError {
    /// A name, office or number that is empty or too long.
    #[error("{field} must have 1 to {MAX_TEXT_BYTES} bytes")]
    Text {
        /// Which.
        field: &'static str,
    },
    /// A ladder that cannot be read or names nobody.
    #[error("the ladder cannot be used: {why}")]
    Ladder {
        /// What is wrong with it.
        why: &'static str,
    },
    /// No directory was signed yet.
    #[error("sign a directory first: `org directory --relay relay.cbor --desk desk.cbor`")]
    NoDirectory,
    /// A relay entry without address or TLS root.
    #[error("the relay's entry names no address or no TLS root")]
    BareRelay,
    /// The book is full.
    #[error("this book holds at most {MAX_PEOPLE} people")]
    Full,
    /// Nobody in the book is called so.
    #[error("nobody was invited under this name or account: see `org people`")]
    UnknownPerson,
    /// The one who is called so is no adviser.
    #[error("this is no adviser: only advisers can be dismissed, since no phone's or bridge's alarm is ever refused")]
    NoAdviser,
    /// More than one is.
    #[error("more advisers are called so: give the account that `org people` shows")]
    Ambiguous,
    /// A format refuses it.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// A person who was invited. The keeper's own note; only the desks' sealed lines travel.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// Number to call back.
    pub phone: String,
    /// What the invited device is.
    pub role: InviteRole,
    /// The last invite.
    pub invite: InviteId,
    /// When that expires.
    pub expires_at: Timestamp,
    /// When an adviser was dismissed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed_at: Option<Timestamp>,
    /// [`Invite::desk_key`] in hex.
    desk_key: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Person {
    fn roster(&self) -> Result<RosterPerson, FormatError> {
        let malformed = FormatError::Malformed { what: "a desk key in the book" };
        let bytes = data_encoding::HEXLOWER.decode(self.desk_key.as_bytes()).map_err(|_| malformed.clone())?;
        Ok(RosterPerson {
            name: self.name.clone(),
            office: self.office.clone(),
            phone: self.phone.clone(),
            desk_key: bytes.try_into().map_err(|_| malformed)?,
        })
    }
}

/// What the keeper remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Book {
    /// The organisation's name.
    pub name: String,
    /// Everybody invited so far.
    pub people: Vec<Person>,
}

/// Who is invited.
#[derive(Clone)]
pub struct Invitee {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// Number to call back.
    pub phone: String,
    /// What the device will be.
    pub role: InviteRole,
}

impl std::fmt::Debug for Invitee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invitee(…)")
    }
}

/// An invite and what the relay must be given for it.
#[derive(Debug, Clone)]
pub struct IssuedInvite {
    /// To hand over in person.
    pub invite: Signed<Invite>,
    /// For the relay, in this order.
    pub documents: Vec<Vec<u8>>,
}

/// The root with its book and the directory it signed last.
#[derive(Debug, Clone)]
pub struct Organisation {
    root: SigningKey,
    /// What the keeper remembers.
    pub book: Book,
    /// The last directory, `None` before the first.
    pub directory: Option<Signed<Directory>>,
}

/// What changes in the next directory.
#[derive(Debug, Clone, Default)]
pub struct DirectoryChange {
    /// The relay; `None` keeps the last.
    pub relay: Option<RelayEntry>,
    /// Desks that are new or have changed.
    pub desks: Vec<DeskEntry>,
    /// Names of desks that go.
    pub without_desks: Vec<String>,
    /// The ladders. Without any for a use the last ones of that use stay; a first directory gets the usual one.
    pub ladders: Vec<LadderSpec>,
    /// The number at which a bridge takes in alarms by text message; `None` keeps the last, an empty text takes it away.
    pub sms_number: Option<String>,
}

impl Organisation {
    /// A new organisation.
    ///
    /// # Errors
    /// [`OrgError::Text`].
    pub fn make(name: &str, rng: &mut dyn CryptoRng) -> Result<Self, OrgError> {
        check_text("the organisation's name", name)?;
        let book = Book { name: name.to_owned(), people: Vec::new() };
        Ok(Self { root: SigningKey::make(rng), book, directory: None })
    }

    /// The organisation as it lies in its folder.
    ///
    /// # Errors
    /// [`OrgError::Format`] when the directory there is not signed by this root.
    pub fn load(seed: &[u8; 32], book: Book, directory: Option<&[u8]>) -> Result<Self, OrgError> {
        let root = SigningKey::from_bytes(seed);
        let org = OrgId::of(&root.verify_key());
        let directory = directory.map(|bytes| Directory::verify(bytes, org)).transpose()?;
        Ok(Self { root, book, directory })
    }

    /// The root's seed, for its file.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.root.to_bytes()
    }

    /// The root's public key.
    pub fn root(&self) -> VerifyKey {
        self.root.verify_key()
    }

    /// The organisation's id: what a relay is told to serve, and an invite carries.
    pub fn org(&self) -> OrgId {
        OrgId::of(&self.root())
    }

    /// Signs the next directory. Answers what the relay must be given: the directory, and a roster line for every
    /// person at every desk that is new or has new keys.
    ///
    /// # Errors
    /// [`OrgError`].
    pub fn sign_directory(
        &mut self,
        change: DirectoryChange,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Vec<u8>>, OrgError> {
        let last = self.directory.as_ref().map(Signed::value);
        let relay = change.relay.or_else(|| last.map(|last| last.relay.clone())).ok_or(OrgError::NoDirectory)?;
        if relay.urls.is_empty() || relay.tls_roots.is_empty() {
            return Err(OrgError::BareRelay);
        }
        let old_desks = last.map(|last| last.desks.clone()).unwrap_or_default();
        let mut desks = old_desks.clone();
        desks.retain(|desk| !change.without_desks.contains(&desk.name));
        for desk in change.desks {
            check_text("a desk's name", &desk.name)?;
            desks.retain(|known| known.desk != desk.desk);
            desks.push(desk);
        }
        let old_ladders = last.map(|last| last.ladders.clone()).unwrap_or_default();
        let mut ladders = Vec::new();
        for serves in [LadderUse::Alarms, LadderUse::CheckIns] {
            let mut old = old_ladders.clone();
            old.retain(|ladder| ladder.serves == serves);
            let mut specs = change.ladders.clone();
            specs.retain(|spec| spec.serves == serves);
            if specs.is_empty() && old.is_empty() && serves == LadderUse::Alarms {
                specs.push(LadderSpec::usual(&desks)?);
            }
            ladders.extend(if specs.is_empty() { old } else { resolve(&specs, &old, &desks, rng)? });
        }
        let sms_number = match change.sms_number {
            Some(number) => Some(number).filter(|number| !number.is_empty()),
            None => last.and_then(|last| last.sms_number.clone()),
        };
        let directory = Directory {
            root: self.root(),
            version: last.map_or(1, |last| last.version + 1),
            name: self.book.name.clone(),
            issued_at: now,
            relay,
            desks,
            ladders,
            sms_number,
        };
        // Signed bytes are read back, so that no directory leaves that a phone would refuse.
        let directory = Directory::verify(Signed::make(directory, &self.root).bytes(), self.org())?;
        let mut documents = vec![directory.bytes().to_vec()];
        for desk in directory.value().desks.iter().filter(|desk| !old_desks.contains(desk)) {
            for person in self.book.people.iter().filter(|person| person.role != InviteRole::Adviser) {
                documents.push(self.roster_line(desk, person, rng)?);
            }
        }
        self.directory = Some(directory);
        Ok(documents)
    }

    fn roster_line(&self, desk: &DeskEntry, person: &Person, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, OrgError> {
        let line = RosterLine::make(self.org(), desk, person.account, &person.roster()?, rng)?;
        Ok(Signed::make(line, &self.root).bytes().to_vec())
    }

    /// Invites a device, and notes the person in the book.
    ///
    /// # Errors
    /// [`OrgError::NoDirectory`] before the first directory, [`OrgError::Text`], [`OrgError::Full`].
    pub fn invite(
        &mut self,
        invitee: Invitee,
        expires_at: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<IssuedInvite, OrgError> {
        let directory = self.directory.clone().ok_or(OrgError::NoDirectory)?;
        let directory = directory.value();
        check_text("the name", &invitee.name)?;
        check_text("the office", &invitee.office)?;
        check_text("the phone number", &invitee.phone)?;
        if self.book.people.len() >= MAX_PEOPLE {
            return Err(OrgError::Full);
        }
        let (Some(relay_url), Some(tls_root)) = (directory.relay.urls.first(), directory.relay.tls_roots.first())
        else {
            return Err(OrgError::BareRelay);
        };
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let invite = Invite {
            org: self.org(),
            relay_url: relay_url.clone(),
            tls_root_sha256: crate::tls::root_sha256(tls_root),
            account: AccountId::make(rng),
            invite: InviteId::make(rng),
            role: invitee.role,
            expires_at,
            secret,
        };
        let registration = InviteRegistration::of(&invite);
        let mut documents = vec![Signed::make(registration, &self.root).bytes().to_vec()];
        let person = Person {
            account: invite.account,
            name: invitee.name,
            office: invitee.office,
            phone: invitee.phone,
            role: invitee.role,
            invite: invite.invite,
            expires_at,
            dismissed_at: None,
            desk_key: data_encoding::HEXLOWER.encode(invite.desk_key().as_bytes()),
        };
        // An adviser calls nobody, so no desk needs to know who it is.
        let desks = directory.desks.iter().filter(|_| person.role != InviteRole::Adviser);
        for desk in desks {
            documents.push(self.roster_line(desk, &person, rng)?);
        }
        self.book.people.push(person);
        Ok(IssuedInvite { invite: Signed::make(invite, &self.root), documents })
    }
}

fn check_text(field: &'static str, text: &str) -> Result<(), OrgError> {
    let fits = (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(OrgError::Text { field }) }
}

/// Turns names into ids. A ladder that is called as before keeps its id, and its version too when nothing changed.
fn resolve(
    specs: &[LadderSpec],
    old: &[Ladder],
    desks: &[DeskEntry],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Ladder>, OrgError> {
    specs
        .iter()
        .map(|spec| {
            let rungs = spec.rungs(desks)?;
            let known = old.iter().find(|ladder| ladder.name == spec.name);
            Ok(match known {
                Some(known) if known.rungs == rungs => known.clone(),
                Some(known) => Ladder { version: known.version + 1, rungs, ..known.clone() },
                None => {
                    let (ladder, name) = (LadderId::make(rng), spec.name.clone());
                    Ladder { ladder, version: 1, name, rungs, serves: spec.serves }
                }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
