//! What a device states about a hand-over pack: a folder of readable files for the police.
//!
//! The statement names every file with its hash, and every change to the records behind them with its moment. Its
//! signature proves that the files are those which the holder of the key put together, and nothing about who made a
//! photo or whether it shows what happened. The moments are those of the clocks of the devices that wrote the changes.

use minicbor::{Decode, Encode};

use crate::FormatError;
use crate::crypto::{Hash, VerifyKey};
use crate::id::{DeviceId, RecordId};
use crate::record::FieldNumber;
use crate::signed::Document;
use crate::time::Timestamp;

/// The most files of a pack.
pub const MAX_FILES: usize = 1_000;
/// The most changes that a statement names.
pub const MAX_CHANGES: usize = 10_000;
/// The most bytes of a file's name, folders included.
pub const MAX_NAME_BYTES: usize = 255;

/// A statement; its envelope is signed by the device's `sig` key, which stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PackStatement {
    /// Who made the pack.
    #[n(0)]
    pub device: DeviceId,
    /// The key that signs. Whose it is, a reader learns by comparing its fingerprint with what the phone shows.
    #[n(1)]
    pub key: VerifyKey,
    /// When, by this device's clock.
    #[n(2)]
    pub made_at: Timestamp,
    /// The incident.
    #[n(3)]
    pub record: RecordId,
    /// Every file but the statement itself, by name.
    #[n(4)]
    pub files: Vec<PackFile>,
    /// Every change to what is in it, oldest first.
    #[n(5)]
    pub changes: Vec<PackChange>,
    /// How many changes of this device the relay had not acknowledged when the pack was made.
    #[n(6)]
    pub unsent: u64,
    /// When this device had last sent and taken in everything.
    #[n(7)]
    pub last_sync: Option<Timestamp>,
}

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PackFile {
    /// Its name within the folder, with `/` between.
    #[n(0)]
    pub name: String,
    /// In bytes.
    #[n(1)]
    pub size: u64,
    /// Plain SHA-256 of its bytes, as `sha256sum` gives it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
}

/// A change to a record; not what it was put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PackChange {
    /// The record.
    #[n(0)]
    pub record: RecordId,
    /// The field.
    #[n(1)]
    pub field: FieldNumber,
    /// Who wrote it, where that is known.
    #[n(2)]
    pub by: Option<DeviceId>,
    /// When, by the clock of who wrote it.
    #[n(3)]
    pub at: Timestamp,
}

impl Document for PackStatement {
    const LABEL: &'static str = "baken/pack-statement/v0";
    const MAX_BYTES: usize = 2 * 1024 * 1024;

    fn check(&self) -> Result<(), FormatError> {
        let rule = |rule| Err(FormatError::Rule { what: Self::LABEL, rule });
        if self.files.len() > MAX_FILES {
            return Err(FormatError::TooLarge { what: "the files of a pack", limit: MAX_FILES });
        }
        if self.changes.len() > MAX_CHANGES {
            return Err(FormatError::TooLarge { what: "the changes of a pack", limit: MAX_CHANGES });
        }
        if !self.files.is_sorted_by(|a, b| a.name < b.name) {
            return rule("its files are in order of name, each once");
        }
        if !self.files.iter().all(|file| is_within(&file.name)) {
            return rule("its files lie within the folder");
        }
        Ok(())
    }
}

impl PackStatement {
    /// What stands for the key when people compare: eight groups of four hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let hash = Hash::of("baken/pack-key/v0", &[&self.key.0]);
        let digits = data_encoding::HEXLOWER.encode(hash.0.first_chunk::<16>().unwrap_or(&[0; 16]));
        let groups = digits.as_bytes().chunks(4).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join(" ")
    }
}

/// Whether a name leads nowhere else, on any system.
fn is_within(name: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
    name.len() <= MAX_NAME_BYTES && name.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::SigningKey;
    use crate::signed::{Signed, Unverified};

    fn statement(names: Vec<String>, key: &SigningKey) -> PackStatement {
        let files = names.into_iter().map(|name| PackFile { name, size: 3, sha256: [7; 32] }).collect();
        PackStatement {
            device: DeviceId([1; 16]),
            key: key.verify_key(),
            made_at: Timestamp(5),
            record: RecordId([2; 16]),
            files,
            changes: vec![PackChange { record: RecordId([2; 16]), field: 1, by: None, at: Timestamp(4) }],
            unsent: 1,
            last_sync: None,
        }
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        let key = SigningKey::from_bytes(&[9; 32]);
        for name in ["", "/etc/passwd", "../weg", "bewijs/../../weg", "bewijs//a", "C:\\weg", "a\\b", "."] {
            assert!(statement(vec![name.to_owned()], &key).check().is_err(), "{name}");
        }
        assert!(statement(vec!["bewijs/1-foto.jpg".to_owned(), "overdracht.html".to_owned()], &key).check().is_ok());
        assert!(statement(vec!["b".to_owned(), "a".to_owned()], &key).check().is_err());
        assert!(statement(vec!["a".to_owned(), "a".to_owned()], &key).check().is_err());
    }

    proptest! {
        #[test]
        fn a_statement_is_read_as_it_was_signed_and_no_bit_of_it_can_change(
            names in proptest::collection::btree_set("[a-z]{1,8}(/[a-z]{1,8})?", 0..6),
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let key = SigningKey::from_bytes(&[9; 32]);
            let signed = Signed::make(statement(names.into_iter().collect(), &key), &key);
            let parse = |bytes: &[u8]| Unverified::<PackStatement>::parse(bytes);
            let read = parse(signed.bytes()).expect("it was just signed").verify(&key.verify_key());
            prop_assert_eq!(read.expect("its own key"), signed.clone());
            let mut altered = signed.bytes().to_vec();
            let at = at.index(altered.len());
            altered[at] ^= 1 << bit;
            prop_assert!(parse(&altered).and_then(|read| read.verify(&key.verify_key())).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Unverified::<PackStatement>::parse(&bytes);
        }
    }
}
