//! Who may call this desk: roster lines, signed by an organisation's root, say who an account is; enrolments, proven
//! with the account's own key, say which devices are the account's.
//!
//! Both lie on disk sealed, as they came; what is opened of them lives here, in memory, and is made anew at each start.
//! The relay can hold them back or repeat them, but can neither make nor alter one: a device that it would slip in has
//! no proof, and its alarms ring as those of an unknown sender.

use std::collections::HashMap;

use baken_schemas::FormatError;
use baken_schemas::crypto::{KemSecret, SymmetricKey, VerifyKey};
use baken_schemas::device::Identity;
use baken_schemas::id::{AccountId, DeviceId};
use baken_schemas::org::{Enrolment, OrgId, RosterLine, RosterPerson};
use baken_schemas::signed::Unverified;

/// The most lines of one account that are kept: one for each invite it was given.
const MAX_LINES_PER_ACCOUNT: usize = 16;
/// The most accounts and devices.
const MAX_PEOPLE: usize = 200_000;

/// A person as the desk calls them.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// Number to call back.
    pub phone: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}

/// A device and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The device's checked keys.
    pub identity: &'a Identity,
    /// The account.
    pub account: AccountId,
    /// Who that is.
    pub person: &'a Person,
}

struct Line {
    person: Person,
    desk_key: SymmetricKey,
}

/// The people of one desk.
#[derive(Default)]
pub struct People {
    /// The newest line last.
    lines: HashMap<AccountId, Vec<Line>>,
    devices: HashMap<DeviceId, (AccountId, Identity)>,
    /// Enrolments whose roster line has not come yet, as they came.
    waiting: Vec<Vec<u8>>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "People({} accounts, {} devices)", self.lines.len(), self.devices.len())
    }
}

/// What became of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// The device is known from now on, or was already.
    Yes,
    /// No roster line of the account yet: it is tried again with each one that comes.
    Waiting,
}

impl People {
    /// Takes a roster line, if a root of `org` with this key signed it, and then what waited for it.
    ///
    /// # Errors
    /// [`FormatError`] when it is not for this desk, not signed or cannot be opened.
    pub fn add_line(
        &mut self,
        bytes: &[u8],
        (org, root): (OrgId, &VerifyKey),
        (desk, kem): (DeviceId, &KemSecret),
    ) -> Result<(), FormatError> {
        let line = Unverified::<RosterLine>::parse(bytes)?.verify(root)?.into_value();
        if line.org != org || line.desk != desk {
            return Err(FormatError::Rule { what: "a roster line", rule: "it is for another organisation or desk" });
        }
        if self.lines.len() >= MAX_PEOPLE {
            return Err(FormatError::Rule { what: "a roster line", rule: "this desk's roster is full" });
        }
        let RosterPerson { name, office, phone, desk_key } = line.open(kem)?;
        let desk_key = SymmetricKey::from_slice(&desk_key).ok_or(FormatError::Sealed { what: "a roster line" })?;
        let lines = self.lines.entry(line.account).or_default();
        lines.retain(|known| known.desk_key != desk_key);
        if lines.len() == MAX_LINES_PER_ACCOUNT {
            lines.remove(0);
        }
        lines.push(Line { person: Person { name, office, phone }, desk_key });
        for enrolment in std::mem::take(&mut self.waiting) {
            // One that cannot be proven with this line either waits on, or was refused when it came.
            let _ = self.add_enrolment(&enrolment, kem);
        }
        Ok(())
    }

    /// Takes an enrolment. The first proven keys of a device stay its keys.
    ///
    /// # Errors
    /// [`FormatError`] when it is malformed or no key of the account proves it.
    pub fn add_enrolment(&mut self, bytes: &[u8], kem: &KemSecret) -> Result<Enrolled, FormatError> {
        let claims = Unverified::<Enrolment>::parse(bytes)?;
        let account = claims.claims().account;
        if self.devices.len() + self.waiting.len() >= MAX_PEOPLE {
            return Err(FormatError::Rule { what: "an enrolment", rule: "this desk's roster is full" });
        }
        let Some(lines) = self.lines.get(&account) else {
            if !self.waiting.iter().any(|waiting| waiting == bytes) {
                self.waiting.push(bytes.to_vec());
            }
            return Ok(Enrolled::Waiting);
        };
        let mut refusal = FormatError::Signature { what: "an enrolment" };
        for line in lines.iter().rev() {
            match Enrolment::open(bytes, kem, &line.desk_key) {
                Ok(identity) => {
                    let known = &self.devices.entry(identity.device).or_insert((account, identity.clone())).1;
                    return if *known == identity {
                        Ok(Enrolled::Yes)
                    } else {
                        Err(FormatError::Rule { what: "an enrolment", rule: "the device has other keys already" })
                    };
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Whose device this is.
    pub fn sender(&self, device: DeviceId) -> Option<Sender<'_>> {
        let (account, identity) = self.devices.get(&device)?;
        let person = &self.lines.get(account)?.last()?.person;
        Some(Sender { identity, account: *account, person })
    }

    /// Whether two devices are one account's: by what is proven here, or because they are the same.
    pub fn are_one_persons(&self, one: DeviceId, other: DeviceId) -> bool {
        let account = |device| self.devices.get(&device).map(|(account, _)| *account);
        one == other || account(one).is_some_and(|of_one| account(other) == Some(of_one))
    }

    /// Everybody, by name.
    pub fn list(&self) -> Vec<(AccountId, &Person)> {
        let mut all: Vec<(AccountId, &Person)> =
            self.lines.iter().filter_map(|(account, lines)| Some((*account, &lines.last()?.person))).collect();
        all.sort_by(|one, other| (&one.1.name, one.0).cmp(&(&other.1.name, other.0)));
        all
    }

    /// Who an account is.
    pub fn person(&self, account: AccountId) -> Option<&Person> {
        Some(&self.lines.get(&account)?.last()?.person)
    }

    /// How many accounts are known.
    pub fn accounts(&self) -> usize {
        self.lines.len()
    }

    /// How many devices are known.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }
}

#[cfg(test)]
mod tests {
    use baken_schemas::crypto::SigningKey;
    use baken_schemas::device::DeviceKeys;
    use baken_schemas::org::DeskEntry;
    use baken_schemas::signed::Signed;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha20Rng;

    use super::*;

    struct Story {
        rng: ChaCha20Rng,
        root: SigningKey,
        desk: DeviceKeys,
        people: People,
    }

    impl Story {
        fn new() -> Self {
            let mut rng = ChaCha20Rng::seed_from_u64(3);
            let (root, desk) = (SigningKey::make(&mut rng), DeviceKeys::make(&mut rng));
            Self { rng, root, desk, people: People::default() }
        }

        fn entry(&self) -> DeskEntry {
            let (sig, kem) = (self.desk.sig.verify_key(), self.desk.kem.public());
            DeskEntry { desk: self.desk.device, name: "Oost".to_owned(), sig, kem }
        }

        fn line(&mut self, account: AccountId, desk_key: [u8; 32], by: &SigningKey) -> Vec<u8> {
            let person = RosterPerson {
                name: "Ans Testma".to_owned(),
                office: "burgemeester".to_owned(),
                phone: "+31".to_owned(),
                desk_key,
            };
            let org = OrgId::of(&self.root.verify_key());
            let line = RosterLine::make(org, &self.entry(), account, &person, &mut self.rng).unwrap();
            Signed::make(line, by).bytes().to_vec()
        }

        fn add(&mut self, line: &[u8]) -> Result<(), FormatError> {
            let root = self.root.verify_key();
            let (desk, kem) = (self.desk.device, self.desk.kem.clone());
            self.people.add_line(line, (OrgId::of(&root), &root), (desk, &kem))
        }

        fn enrolment(&mut self, phone: &DeviceKeys, account: AccountId, desk_key: [u8; 32]) -> Vec<u8> {
            let key = SymmetricKey::from_slice(&desk_key).unwrap();
            let entry = self.entry();
            Enrolment::make(phone, &entry, account, &key, &mut self.rng).unwrap().bytes().to_vec()
        }

        fn enrol(&mut self, enrolment: &[u8]) -> Result<Enrolled, FormatError> {
            let kem = self.desk.kem.clone();
            self.people.add_enrolment(enrolment, &kem)
        }
    }

    #[test]
    fn a_device_is_known_by_its_account_in_whatever_order_they_come() {
        let mut story = Story::new();
        let (account, phone) = (AccountId::make(&mut story.rng), DeviceKeys::make(&mut story.rng));
        let enrolment = story.enrolment(&phone, account, [7; 32]);
        assert_eq!(story.enrol(&enrolment), Ok(Enrolled::Waiting));
        assert!(story.people.sender(phone.device).is_none());
        let root = story.root.clone();
        let line = story.line(account, [7; 32], &root);
        story.add(&line).unwrap();
        let sender = story.people.sender(phone.device).unwrap();
        assert_eq!((sender.account, sender.person.name.as_str()), (account, "Ans Testma"));
        assert_eq!(sender.identity.alarm, phone.alarm.verify_key());
        assert_eq!(story.enrol(&enrolment), Ok(Enrolled::Yes));
    }

    #[test]
    fn a_relay_can_slip_in_neither_a_person_nor_a_device() {
        let mut story = Story::new();
        let (account, phone) = (AccountId::make(&mut story.rng), DeviceKeys::make(&mut story.rng));
        let forger = SigningKey::make(&mut story.rng);
        let forged = story.line(account, [9; 32], &forger);
        assert!(matches!(story.add(&forged), Err(FormatError::Signature { .. })));

        let root = story.root.clone();
        let line = story.line(account, [7; 32], &root);
        story.add(&line).unwrap();
        let unproven = story.enrolment(&phone, account, [9; 32]);
        assert!(matches!(story.enrol(&unproven), Err(FormatError::Signature { .. })));
        assert!(story.people.sender(phone.device).is_none());
    }

    #[test]
    fn a_devices_first_proven_keys_stay_its_keys() {
        let mut story = Story::new();
        let (account, phone) = (AccountId::make(&mut story.rng), DeviceKeys::make(&mut story.rng));
        let root = story.root.clone();
        let line = story.line(account, [7; 32], &root);
        story.add(&line).unwrap();
        let enrolment = story.enrolment(&phone, account, [7; 32]);
        story.enrol(&enrolment).unwrap();
        let imposter = DeviceKeys { device: phone.device, ..DeviceKeys::make(&mut story.rng) };
        let enrolment = story.enrolment(&imposter, account, [7; 32]);
        assert!(matches!(story.enrol(&enrolment), Err(FormatError::Rule { .. })));
        assert_eq!(story.people.sender(phone.device).unwrap().identity.sig, phone.sig.verify_key());
    }
}
