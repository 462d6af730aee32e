//! What to do when this person calls: agreed beforehand, one file a person in the desk's folder, sealed under the desk's key
//! like everything of people here. The keeper writes it on the command line and officers in the console, while the desk
//! runs; an alarm's page shows it as it is at that moment.
//!
//! ```text
//! instructions/<account>.sealed
//! ```

use std::path::{Path, PathBuf};

use baken_schemas::cbor;
use baken_schemas::crypto::{SymmetricKey, open, seal};
use baken_schemas::device::DeviceKeys;
use baken_schemas::entry::{pad_to, unpad};
use baken_schemas::id::AccountId;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::officers::Officer;
use super::people::Person;
use super::{Desk, DeskError, at_rest_key};
use crate::audit;
use crate::folder::{Access, FolderError, read_whole, write_whole};
use crate::store::Priority;

/// The longest text, in bytes.
pub const MAX_TEXT_BYTES: usize = 4_000;
/// The longest number, in bytes.
pub const MAX_NUMBER_BYTES: usize = 40;
/// Size of an instruction before sealing, in bytes: the file tells nothing of how much there is to say.
const SIZE: usize = 4_608;

const LABEL: &str = "baken/desk-instruction/v0";

/// What to do when a person calls. Empty texts are not shown.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instruction {
    /// What to do, in the officers' own words.
    #[n(0)]
    pub text: String,
    /// The number to call back for verifying, where it is another than the roster's.
    #[n(1)]
    pub call_back: String,
    /// The number at which officers can listen in.
    #[n(2)]
    pub listen_in: String,
}

impl std::fmt::Debug for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instruction(…)")
    }
}

impl Instruction {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why an instruction cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum InstructionError {
    /// More than fits.
    #[error("an instruction has at most {MAX_TEXT_BYTES} bytes of text, and numbers of at most {MAX_NUMBER_BYTES}")]
    TooLong,
    /// The folder cannot be used, or the file was altered.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The instructions of a desk's folder.
#[derive(Clone)]
pub struct Instructions {
    dir: PathBuf,
    at_rest: SymmetricKey,
}

impl std::fmt::Debug for Instructions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instructions").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Instructions {
    /// Those in `DATA/instructions`; the folder is made when it is missing.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn open(data: &Path, keys: &DeviceKeys) -> Result<Self, FolderError> {
        let dir = data.join("instructions");
        std::fs::create_dir_all(&dir).map_err(|source| FolderError::Io { path: dir.clone(), source })?;
        Ok(Self { dir, at_rest: at_rest_key(keys) })
    }

    fn file(&self, account: AccountId) -> PathBuf {
        self.dir.join(format!("{account}.sealed"))
    }

    /// What to do when this person calls; `None` when nothing was agreed.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn read(&self, account: AccountId) -> Result<Option<Instruction>, FolderError> {
        let path = self.file(account);
        let sealed = match read_whole(&path) {
            Ok(sealed) => sealed,
            Err(FolderError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let opened = open(&self.at_rest, LABEL, &account.0, &sealed, LABEL)
            .and_then(|padded| cbor::from_slice(unpad(&padded, LABEL)?, LABEL));
        let damaged = |error: baken_schemas::FormatError| FolderError::Damaged { path, why: error.to_string() };
        opened.map(Some).map_err(damaged)
    }

    /// Keeps what to do; one that says nothing takes the file away.
    ///
    /// # Errors
    /// [`InstructionError`].
    pub fn write(
        &self,
        account: AccountId,
        instruction: &Instruction,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), InstructionError> {
        let Instruction { text, call_back, listen_in } = instruction;
        if text.len() > MAX_TEXT_BYTES || [call_back, listen_in].iter().any(|number| number.len() > MAX_NUMBER_BYTES) {
            return Err(InstructionError::TooLong);
        }
        let path = self.file(account);
        if instruction.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(FolderError::Io { path, source }.into())
                }
                _ => Ok(()),
            };
        }
        let padded = pad_to(&cbor::to_vec(instruction), SIZE, LABEL).map_err(|_| InstructionError::TooLong)?;
        let sealed = seal(&self.at_rest, LABEL, &account.0, &padded, rng);
        Ok(write_whole(&path, &sealed, Access::Secret)?)
    }
}

/// A person of the desk and what was agreed with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAgreed {
    /// The account.
    pub account: AccountId,
    /// Who that is.
    pub person: Person,
    /// What to do; `None` when nothing was agreed.
    pub instruction: Option<Instruction>,
}

impl Desk {
    /// Everybody of the roster, and whether something was agreed with them.
    ///
    /// # Errors
    /// [`DeskError::Folder`].
    pub fn people_agreed(&self) -> Result<Vec<PersonAgreed>, DeskError> {
        let known = self.known();
        let all = known.people.list().into_iter();
        all.map(|(account, person)| Ok(self.agreed(account, person)?)).collect()
    }

    /// One person; `None` when nobody of that account is known here.
    ///
    /// # Errors
    /// [`DeskError::Folder`].
    pub fn person_agreed(&self, account: AccountId) -> Result<Option<PersonAgreed>, DeskError> {
        let known = self.known();
        Ok(known.people.person(account).map(|person| self.agreed(account, person)).transpose()?)
    }

    fn agreed(&self, account: AccountId, person: &Person) -> Result<PersonAgreed, FolderError> {
        Ok(PersonAgreed { account, person: person.clone(), instruction: self.instructions.read(account)? })
    }

    /// Keeps what was agreed with a person; who wrote it is in the audit.
    ///
    /// # Errors
    /// [`AgreeError`].
    pub async fn agree(
        &self,
        account: AccountId,
        officer: &Officer,
        instruction: &Instruction,
    ) -> Result<(), AgreeError> {
        if self.known().people.person(account).is_none() {
            return Err(AgreeError::Unknown);
        }
        self.instructions.write(account, instruction, &mut self.fork_rng())?;
        let (now, actor, subject) = (self.now(), officer.id.to_string(), account.to_string());
        self.store
            .write(Priority::Normal, move |db| {
                let event = audit::Event {
                    at: now,
                    actor: &actor,
                    act: "instruction_written",
                    subject: &subject,
                    result: "ok",
                };
                audit::append(db, &event)?;
                Ok::<_, DeskError>(())
            })
            .await?;
        self.changed();
        Ok(())
    }
}

/// Why nothing was written down.
#[derive(Debug, thiserror::Error)]
pub enum AgreeError {
    /// Nobody of that account is known here.
    #[error("nobody of that account is in this desk's roster")]
    Unknown,
    /// The instruction itself, or the folder.
    #[error(transparent)]
    Instruction(#[from] InstructionError),
    /// The database.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    use super::*;

    fn instruction(text: &str) -> Instruction {
        Instruction { text: text.to_owned(), call_back: "0611".to_owned(), listen_in: String::new() }
    }

    #[test]
    fn what_is_kept_is_sealed_of_one_size_and_this_persons_and_this_desks_only() {
        let (folder, mut rng) = (tempfile::tempdir().unwrap(), ChaCha20Rng::seed_from_u64(1));
        let keys = DeviceKeys::make(&mut rng);
        let instructions = Instructions::open(folder.path(), &keys).unwrap();
        let (one, other) = (AccountId::make(&mut rng), AccountId::make(&mut rng));
        assert_eq!(instructions.read(one).unwrap(), None);
        instructions.write(one, &instruction("bel eerst de partner"), &mut rng).unwrap();
        instructions.write(other, &instruction(&"x".repeat(MAX_TEXT_BYTES)), &mut rng).unwrap();
        assert_eq!(instructions.read(one).unwrap(), Some(instruction("bel eerst de partner")));
        let read = |account: AccountId| std::fs::read(instructions.file(account)).unwrap();
        assert_eq!(read(one).len(), read(other).len());
        assert!(!read(one).windows(7).any(|window| window == b"partner"));
        // Another person's in its place, and another desk's key, open nothing.
        std::fs::copy(instructions.file(other), instructions.file(one)).unwrap();
        assert!(matches!(instructions.read(one), Err(FolderError::Damaged { .. })));
        let stranger = Instructions::open(folder.path(), &DeviceKeys::make(&mut rng)).unwrap();
        assert!(matches!(stranger.read(other), Err(FolderError::Damaged { .. })));
        // One that says nothing is none.
        instructions.write(other, &Instruction::default(), &mut rng).unwrap();
        instructions.write(other, &Instruction::default(), &mut rng).unwrap();
        assert_eq!(instructions.read(other).unwrap(), None);
        let too_long = instruction(&"x".repeat(MAX_TEXT_BYTES + 1));
        assert!(matches!(instructions.write(one, &too_long, &mut rng), Err(InstructionError::TooLong)));
    }

    proptest! {
        #[test]
        fn bytes_that_nobody_here_sealed_are_refused_in_words(bytes in proptest::collection::vec(any::<u8>(), 0..6_000)) {
            let (folder, mut rng) = (tempfile::tempdir().unwrap(), ChaCha20Rng::seed_from_u64(1));
            let instructions = Instructions::open(folder.path(), &DeviceKeys::make(&mut rng)).unwrap();
            let account = AccountId::make(&mut rng);
            std::fs::write(instructions.file(account), bytes).unwrap();
            let refused = matches!(instructions.read(account), Err(FolderError::Damaged { .. }));
            prop_assert!(refused);
        }
    }
}
