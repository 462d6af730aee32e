//! What pages read: the plan as the relay has it, the directory and the book as they lie on this machine.

use baken_schemas::adviser::{DueKind, PersonReadiness, Plan};
use baken_schemas::id::AccountId;
use baken_schemas::org::Directory;

use crate::cli::{Failure, adviser_looks, book_of, directory_of, unsent_of};
use crate::org::Person;
use crate::portal::guard::Visit;

/// What the relay has for an adviser, and who is who.
pub(crate) struct Look {
    pub plan: Plan,
    /// Of those who agreed.
    pub readiness: Vec<PersonReadiness>,
    pub directory: Directory,
    /// Names of accounts, as far as this machine knows them.
    pub names: Vec<(AccountId, String)>,
}

impl Look {
    /// What somebody is called here; the account where nobody knows.
    pub fn name(&self, account: AccountId) -> String {
        let named = self.names.iter().find(|(known, _)| *known == account);
        named.map_or_else(|| account.to_string(), |(_, name)| name.clone())
    }
}

impl Visit {
    pub(super) async fn look(&self) -> Result<Look, Failure> {
        let _alone = self.portal.alone.lock().await;
        let mut look = adviser_looks(&self.portal.folders.adviser).await?;
        if let Some(root) = self.portal.root() {
            // The newest of both: the adviser's folder has the one of when it was set up.
            look.directory = directory_of(root)?;
            look.names = book_of(root)?.into_iter().map(|person| (person.account, person.name)).collect();
        }
        Ok(look)
    }

    /// Everybody who was invited, where the root lies here.
    pub(super) async fn book(&self) -> Result<Vec<Person>, Failure> {
        let _alone = self.portal.alone.lock().await;
        self.portal.root().map_or_else(|| Ok(Vec::new()), |root| book_of(root))
    }

    /// The directory that was signed last, as far as this machine has it.
    pub(super) fn directory(&self) -> Result<Directory, Failure> {
        directory_of(self.portal.root().unwrap_or(&self.portal.folders.adviser))
    }

    /// How many signed documents the relay was not given yet.
    pub(super) fn unsent(&self) -> usize {
        self.portal.root().map_or(0, |root| unsent_of(root))
    }

    /// What is due, in words.
    pub(super) fn what(&self, what: &DueKind, look: &Look) -> String {
        match what {
            DueKind::Task { task, .. } => task.name(self.language).to_owned(),
            DueKind::Item { title, theme } => format!("{title} ({})", theme.name(self.language)),
            DueKind::Inform { account } => format!("{} {}", self.words().inform, look.name(*account)),
        }
    }
}
