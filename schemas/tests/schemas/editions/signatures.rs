//! Which editions are taken: thresholds, roots that follow one another, versions that only rise, files that are the signed
//! ones.

use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::signed::{
    Accepted, Bundle, Countersigned, EditionError, EditionHead, EditionName, EditionRoot, Manifest, accept, open,
};
use baken_schemas::edition::{Files, Layers};
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::{local, sample};

fn key(number: u64) -> SigningKey {
    SigningKey::make(&mut ChaCha20Rng::seed_from_u64(number))
}

/// The national root of a version, of these keys.
fn root(version: u64, keys: &[u64], threshold: u8) -> EditionRoot {
    let mut keys: Vec<_> = keys.iter().map(|number| key(*number).verify_key()).collect();
    keys.sort();
    EditionRoot { edition: EditionName::National, version, keys, threshold }
}

fn signed_root(root: &EditionRoot, by: &[u64]) -> minicbor::bytes::ByteVec {
    let mut document = Countersigned::unsigned(root.clone());
    by.iter().for_each(|number| document.sign(&key(*number)));
    document.to_bytes().into()
}

fn manifest_of(version: u64, files: &Files) -> Manifest {
    let mut files = files.clone();
    files.get_mut("edition.toml").unwrap().push_str(&format!("version = {version}\n"));
    Manifest::of(EditionName::National, &files, Timestamp(1_795_000_000_000)).unwrap()
}

fn head(roots: Vec<minicbor::bytes::ByteVec>, manifest: &Manifest, by: &[u64]) -> EditionHead {
    let mut document = Countersigned::unsigned(manifest.clone());
    by.iter().for_each(|number| document.sign(&key(*number)));
    EditionHead { roots, manifest: document.to_bytes().into() }
}

/// The first root, of keys 1 to 3, two of which must sign, and what is held of it: version 5.
fn start() -> (EditionRoot, Accepted) {
    let first = root(1, &[1, 2, 3], 2);
    let held = accept(&first, None, &head(vec![], &manifest_of(5, &sample()), &[1, 2])).unwrap();
    (first, held)
}

#[test]
fn enough_of_the_publishers_must_sign() {
    let (first, held) = start();
    let manifest = manifest_of(6, &sample());
    for (by, found) in [(&[][..], 0), (&[1], 1), (&[1, 4], 1), (&[4, 5], 0), (&[3], 1)] {
        let refused = accept(&first, Some(&held), &head(vec![], &manifest, by));
        assert_eq!(refused, Err(EditionError::Signatures { found, needed: 2 }), "{by:?}");
    }
    for by in [&[1, 3][..], &[2, 3], &[1, 2, 3], &[1, 2, 9]] {
        assert!(accept(&first, Some(&held), &head(vec![], &manifest, by)).is_ok(), "{by:?}");
    }
    // One key that signs twice is one key.
    let mut document = Countersigned::unsigned(manifest);
    document.sign(&key(1));
    document.sign(&key(1));
    assert_eq!(document.signers(&first.keys), 1);
}

#[test]
fn versions_only_rise() {
    let (first, held) = start();
    let offer = |version| accept(&first, Some(&held), &head(vec![], &manifest_of(version, &sample()), &[1, 2]));
    assert_eq!(offer(4), Err(EditionError::Rollback { held: 5, offered: 4 }));
    assert_eq!(offer(5).map(|accepted| accepted.manifest), Ok(held.manifest.clone()));
    assert!(offer(6).is_ok() && offer(u64::MAX).is_ok());
    // Another content under the same version.
    let mut other = sample();
    other.remove("scan.toml");
    let two = accept(&first, Some(&held), &head(vec![], &manifest_of(5, &other), &[1, 2]));
    assert_eq!(two, Err(EditionError::TwoOfOneVersion(5)));
}

#[test]
fn a_root_is_signed_by_the_one_before_it_and_by_itself() {
    let (first, held) = start();
    let second = root(2, &[3, 4, 5], 2);
    let manifest = manifest_of(6, &sample());
    let offer =
        |roots| accept(&first, Some(&held), &head(roots, &manifest, &[4, 5])).map(|accepted| accepted.root.version);
    let refused = |found| Err(EditionError::Signatures { found, needed: 2 });
    assert_eq!(offer(vec![signed_root(&second, &[1, 2, 4, 5])]), Ok(2));
    assert_eq!(offer(vec![signed_root(&second, &[1, 3, 4])]), Ok(2), "a key of both counts for both");
    assert_eq!(offer(vec![signed_root(&second, &[1, 4, 5])]), refused(1), "one of the old");
    assert_eq!(offer(vec![signed_root(&second, &[1, 2, 4])]), refused(1), "one of the new");
    assert_eq!(offer(vec![signed_root(&second, &[4, 5])]), refused(0), "none of the old");
    // The old keys publish no longer.
    let old = accept(&first, Some(&held), &head(vec![signed_root(&second, &[1, 2, 4, 5])], &manifest, &[1, 2]));
    assert_eq!(old, Err(EditionError::Signatures { found: 0, needed: 2 }));
    // None is left out, and each edition has its own.
    let third = root(3, &[6], 1);
    assert_eq!(offer(vec![signed_root(&third, &[1, 2, 6])]), Err(EditionError::RootOrder { expected: 2, found: 3 }));
    let foreign = EditionRoot { edition: EditionName::Province(OrgId::of(&key(1).verify_key())), ..second };
    assert_eq!(offer(vec![signed_root(&foreign, &[1, 2, 4, 5])]), Err(EditionError::OtherEdition));
}

#[test]
fn roots_are_never_rolled_back_and_those_that_are_known_are_passed_over() {
    let (first, held) = start();
    let second = root(2, &[4], 1);
    let roots = vec![signed_root(&first, &[]), signed_root(&second, &[1, 2, 4])];
    let newer = accept(&first, Some(&held), &head(roots.clone(), &manifest_of(6, &sample()), &[4])).unwrap();
    let back = accept(&first, Some(&newer), &head(vec![], &manifest_of(7, &sample()), &[1, 2]));
    assert_eq!(back, Err(EditionError::Rollback { held: 2, offered: 1 }));
    // A program that was built with the second root takes the same.
    assert!(accept(&second, Some(&newer), &head(roots, &manifest_of(7, &sample()), &[4])).is_ok());
    // Two roots of one version: the old publishers named two successors.
    let twin = root(2, &[5], 1);
    let forked =
        accept(&first, Some(&newer), &head(vec![signed_root(&twin, &[1, 2, 5])], &manifest_of(7, &sample()), &[5]));
    assert_eq!(forked, Err(EditionError::TwoOfOneVersion(2)));
}

#[test]
fn after_a_thief_published_a_huge_version_new_keys_start_anew() {
    let (first, held) = start();
    let stolen = accept(&first, Some(&held), &head(vec![], &manifest_of(u64::MAX, &sample()), &[1, 2])).unwrap();
    let next = manifest_of(6, &sample());
    let stopped = accept(&first, Some(&stolen), &head(vec![], &next, &[1, 2]));
    assert_eq!(stopped, Err(EditionError::Rollback { held: u64::MAX, offered: 6 }));
    // A root of the same keys changes nothing, one of others does.
    let same = root(2, &[1, 2, 3], 2);
    assert!(accept(&first, Some(&stolen), &head(vec![signed_root(&same, &[1, 2])], &next, &[1, 2])).is_err());
    let others = root(2, &[1, 4, 5], 2);
    let freed = accept(&first, Some(&stolen), &head(vec![signed_root(&others, &[1, 2, 4])], &next, &[4, 5]));
    assert_eq!(freed.map(|accepted| accepted.manifest.version), Ok(6));
}

#[test]
fn an_organisations_key_publishes_or_names_who_does() {
    let org_root = key(20);
    let name = EditionName::Organisation(OrgId::of(&org_root.verify_key()));
    let anchor = EditionRoot::of_org(name, &org_root.verify_key());
    let manifest = Manifest::of(name, &local(), Timestamp(0)).unwrap();
    assert!(accept(&anchor, None, &head(vec![], &manifest, &[20])).is_ok());
    assert!(accept(&anchor, None, &head(vec![], &manifest, &[21])).is_err());
    let publisher = EditionRoot { edition: name, ..root(1, &[20, 21], 1) };
    let roots = vec![signed_root(&publisher, &[20, 21])];
    assert!(accept(&anchor, None, &head(roots.clone(), &manifest, &[21])).is_ok());
    // What it signed for itself is nobody else's, nor the national edition.
    let other = EditionRoot::of_org(EditionName::Organisation(OrgId::of(&key(22).verify_key())), &key(22).verify_key());
    assert_eq!(accept(&other, None, &head(roots, &manifest, &[21])), Err(EditionError::OtherEdition));
    assert_eq!(Manifest::of(EditionName::National, &local(), Timestamp(0)), Err(EditionError::OtherEdition));
}

#[test]
fn files_of_two_editions_are_never_mixed() {
    let (first, held) = start();
    let mut older = sample();
    older.get_mut("edition.toml").unwrap().push_str("version = 5\n");
    assert!(open(&held, &older).is_ok());
    let bundle = Bundle::of(&held, &older).unwrap();
    assert_eq!(bundle.texts().unwrap(), older);

    let mut newer = older.clone();
    newer.insert("edition.toml".to_owned(), older["edition.toml"].replace("version = 5", "version = 6"));
    let contacts = newer.get_mut("contacts.toml").unwrap();
    *contacts = contacts.replace("0900-8844", "0900-0000");
    let manifest = Manifest::of(EditionName::National, &newer, Timestamp(0)).unwrap();
    let accepted = accept(&first, Some(&held), &head(vec![], &manifest, &[2, 3])).unwrap();
    assert!(open(&accepted, &newer).is_ok());
    let mut mixed = newer.clone();
    mixed.insert("contacts.toml".to_owned(), older["contacts.toml"].clone());
    assert_eq!(open(&accepted, &mixed), Err(EditionError::File("contacts.toml".to_owned())));
    let mut fewer = newer.clone();
    fewer.remove("scan.toml");
    assert_eq!(open(&accepted, &fewer), Err(EditionError::File("scan.toml".to_owned())));
    let mut more = newer.clone();
    more.insert("cards/nl/more.md".to_owned(), "x".to_owned());
    assert_eq!(open(&accepted, &more), Err(EditionError::File("cards/nl/more.md".to_owned())));
}

#[test]
fn a_manifest_that_says_otherwise_than_its_files_is_refused() {
    let (first, _) = start();
    let mut files = sample();
    files.get_mut("edition.toml").unwrap().push_str("version = 5\n");
    let told = Manifest { version: 9, ..manifest_of(5, &sample()) };
    let accepted = accept(&first, None, &head(vec![], &told, &[1, 2])).unwrap();
    assert_eq!(open(&accepted, &files), Err(EditionError::OtherEdition));
    let later = Manifest { expires: Timestamp(i64::MAX / 2), ..manifest_of(5, &sample()) };
    let accepted = accept(&first, None, &head(vec![], &later, &[1, 2])).unwrap();
    assert_eq!(open(&accepted, &files), Err(EditionError::OtherEdition));
}

#[test]
fn what_a_newer_program_alone_can_read_is_passed_over() {
    let (first, _) = start();
    let mut files = sample();
    files.get_mut("edition.toml").unwrap().push_str("version = 5\n");
    let mut manifest = manifest_of(5, &sample());
    let scan = manifest.files.iter_mut().find(|file| file.path == "scan.toml").unwrap();
    scan.min_app = 2;
    files.remove("scan.toml");
    let accepted = accept(&first, None, &head(vec![], &manifest, &[1, 2])).unwrap();
    let edition = open(&accepted, &files).unwrap();
    assert!(edition.scan.is_none() && Layers::new(edition).scan().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One altered byte, anywhere in a head that was good, and it is refused, or says the same with a signature less.
    #[test]
    fn an_altered_head_is_refused(at in any::<prop::sample::Index>(), bit in 0_u32..8, in_root in any::<bool>()) {
        let (first, held) = start();
        let second = root(2, &[3, 4], 1);
        let mut offered = head(vec![signed_root(&second, &[1, 2, 3])], &manifest_of(6, &sample()), &[4]);
        let bytes = if in_root { offered.roots.first_mut().unwrap() } else { &mut offered.manifest };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(accepted) = accept(&first, Some(&held), &offered) {
            prop_assert_eq!(accepted.root, second);
            prop_assert_eq!(accepted.manifest, manifest_of(6, &sample()));
        }
    }

    #[test]
    fn a_name_is_read_as_it_is_written(text in "(national|province|organisation|Province)?-?[0-9a-fA-F]{0,66}|\\PC{0,20}", org in any::<[u8; 32]>()) {
        if let Ok(name) = text.parse::<EditionName>() {
            prop_assert_eq!(name.to_string(), text);
        }
        let org = OrgId(baken_schemas::crypto::Hash(org));
        for name in [EditionName::National, EditionName::Province(org), EditionName::Organisation(org)] {
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }
}
