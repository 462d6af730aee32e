//! Dismissing an adviser: the document for the relay, and the note in the book.

use baken_schemas::id::AccountId;
use baken_schemas::org::{Dismissal, InviteRole};
use baken_schemas::signed::Signed;
use baken_schemas::time::Timestamp;

use super::{Book, OrgError, Organisation, Person};

/// An adviser that was dismissed, and what the relay must be given for it.
#[derive(Debug, Clone)]
pub struct IssuedDismissal {
    /// The adviser, as the book has it now.
    pub person: Person,
    /// Whether the book had it before.
    pub again: bool,
    /// For the relay.
    pub document: Vec<u8>,
}

impl Organisation {
    /// Dismisses an adviser, typed as the account or the whole name, and notes it in the book. Once more makes the same
    /// document again, for a relay that has lost it.
    ///
    /// # Errors
    /// [`OrgError::UnknownPerson`], [`OrgError::NoAdviser`], or [`OrgError::Ambiguous`] where more advisers of that name
    /// are there.
    pub fn dismiss(&mut self, typed: &str, now: Timestamp) -> Result<IssuedDismissal, OrgError> {
        let org = self.org();
        let person = self.book.adviser(typed)?;
        let again = person.dismissed_at.is_some();
        person.dismissed_at.get_or_insert(now);
        let person = person.clone();
        let dismissal = Signed::make(Dismissal { org, invite: person.invite }, &self.root);
        Ok(IssuedDismissal { person, again, document: dismissal.bytes().to_vec() })
    }
}

impl Book {
    /// The adviser who is meant. Of several of one name, the only one who is one still: somebody who was dismissed may
    /// have been invited again.
    fn adviser(&mut self, typed: &str) -> Result<&mut Person, OrgError> {
        let account: Option<AccountId> = typed.parse().ok();
        let meant = |person: &Person| account.map_or(person.name == typed, |account| person.account == account);
        if !self.people.iter().any(meant) {
            return Err(OrgError::UnknownPerson);
        }
        let mut advisers: Vec<&mut Person> =
            self.people.iter_mut().filter(|person| meant(person) && person.role == InviteRole::Adviser).collect();
        if advisers.is_empty() {
            return Err(OrgError::NoAdviser);
        }
        if advisers.iter().any(|person| person.dismissed_at.is_none()) {
            advisers.retain(|person| person.dismissed_at.is_none());
        }
        match (advisers.pop(), advisers.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(OrgError::Ambiguous),
        }
    }
}
