//! Guidance as a phone has it: what it ships with, what a relay offers it, what it finds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use baken_schemas::Language;
use baken_schemas::api;
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::signed::{
    Countersigned, EditionHead, EditionName, EditionRoot, Manifest, accept, file_hash,
};
use baken_schemas::edition::{Audience, FileChange, Files, Layer, Trouble, shipped};
use baken_schemas::org::OrgId;
use baken_schemas::time::{Clock, Timestamp};
use bytes::Bytes;
use minicbor::bytes::ByteVec;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;

use super::{HitKind, Origin, Outcome, ReadAs, store};
use crate::home::Home;
use crate::key_store::FileKeyStore;
use crate::transport::{EventStream, Request, Response, Transport, TransportError};
use crate::{Baken, BakenError, Context};

/// 27 November 2026, noon.
const NOON: Timestamp = Timestamp(1_795_777_200_000);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOON
    }
}

/// A phone that was never activated, and a publisher of the national edition that it knows.
struct Phone {
    baken: Baken,
    home: Home,
    publisher: SigningKey,
    _folder: tempfile::TempDir,
}

fn key(number: u64) -> SigningKey {
    SigningKey::make(&mut ChaCha20Rng::seed_from_u64(number))
}

fn open(home: &Home) -> Baken {
    let key_store = Arc::new(FileKeyStore::new(home.platform_key()));
    Baken::open(home.clone(), Context::new(Arc::new(Still), Box::new(ChaCha20Rng::seed_from_u64(9)), key_store))
}

impl Phone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let phone = Self { baken: open(&home), home, publisher: key(1), _folder: folder };
        std::fs::create_dir(phone.home.guidance()).unwrap();
        let root = Countersigned::unsigned(phone.anchor());
        std::fs::write(phone.home.guidance().join("national-root.cbor"), root.to_bytes()).unwrap();
        phone
    }

    fn anchor(&self) -> EditionRoot {
        let keys = vec![self.publisher.verify_key()];
        EditionRoot { edition: EditionName::National, version: 1, keys, threshold: 1 }
    }

    fn version(&self) -> (u64, Origin) {
        let guidance = self.baken.guidance().unwrap();
        (guidance.states()[0].version, guidance.states()[0].origin)
    }

    async fn update(&self, relay: &Relay) -> (Result<Outcome, String>, usize) {
        let mut updates = self.baken.update_guidance(relay).await;
        assert_eq!(updates.len(), 1);
        let update = updates.remove(0);
        assert_eq!(update.layer, Layer::National);
        (update.outcome.map_err(|error| error.code().to_owned()), update.files_fetched)
    }
}

/// A relay that answers what it was given.
#[derive(Default)]
struct Relay {
    answers: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Relay {
    fn put(&self, path: String, bytes: Vec<u8>) {
        self.answers.lock().unwrap().insert(path, bytes);
    }

    fn offer(&self, head: &EditionHead, files: &Files) {
        let manifest = Countersigned::<Manifest>::parse(&head.manifest).unwrap();
        let mut answers = self.answers.lock().unwrap();
        let name = manifest.claims().edition.to_string();
        answers.insert(api::EDITION.replace("{edition}", &name), cbor::to_vec(head));
        for text in files.values() {
            let hash = file_hash(text.as_bytes()).to_string();
            let bytes = cbor::to_vec(&ByteVec::from(text.clone().into_bytes()));
            answers.insert(api::EDITION_FILE.replace("{hash}", &hash), bytes);
        }
    }
}

#[async_trait]
impl Transport for Relay {
    fn authority(&self) -> &str {
        "relay.example"
    }

    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let found = self.answers.lock().unwrap().get(&request.path_and_query).cloned();
        let status = if found.is_some() { 200 } else { 404 };
        Ok(Response { status, body: Bytes::from(found.unwrap_or_default()) })
    }

    async fn live(&self, _: Request) -> Result<EventStream, TransportError> {
        Err(TransportError::Unreachable)
    }
}

/// The shipped edition in a later version, with another number of the police.
fn later(version: u64, number: &str) -> Files {
    let mut files = shipped::files();
    let edition = files.get_mut("edition.toml").unwrap();
    let kept: Vec<&str> = edition.lines().filter(|line| !line.starts_with("version")).collect();
    *edition = format!("{}\nversion = {version}\n", kept.join("\n"));
    let contacts = files.get_mut("contacts.toml").unwrap();
    *contacts = contacts.replace("\"0900-8844\"", &format!("\"{number}\""));
    files
}

fn signed(files: &Files, by: &SigningKey) -> EditionHead {
    let mut manifest = Countersigned::unsigned(Manifest::of(EditionName::National, files, NOON).unwrap());
    manifest.sign(by);
    EditionHead { roots: Vec::new(), manifest: manifest.to_bytes().into() }
}

const HOLDER: ReadAs = ReadAs { language: Language::Nl, audience: Audience::OfficeHolder, office: None };

fn police(baken: &Baken) -> String {
    let contacts = baken.guidance().unwrap().contacts(HOLDER, None);
    contacts.into_iter().find(|contact| contact.id == "police").unwrap().number
}

#[test]
fn i8_guidance_needs_no_account_no_pin_and_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let guidance = open(&Home::open(folder.path()).unwrap()).guidance().unwrap();
    let contacts = guidance.contacts(HOLDER, Some(Trouble::Danger));
    assert_eq!((contacts[0].number.as_str(), contacts[0].emergency), ("112", true));
    assert!(!guidance.questions(HOLDER).is_empty() && !guidance.cards(HOLDER).is_empty());
    assert_eq!(guidance.states().len(), 1);
    assert_eq!(guidance.states()[0].origin, Origin::Shipped);
    // Nothing was written for it.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_newer_edition_is_installed_and_only_what_changed_is_fetched() {
    let (phone, relay) = (Phone::new(), Relay::default());
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::None), 0));
    let (first, second) = (later(100, "0900-0001"), later(101, "0900-0002"));
    relay.offer(&signed(&first, &phone.publisher), &first);
    // What it was shipped with it has: edition.toml and contacts.toml are new.
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::Updated), 2));
    assert_eq!((phone.version(), police(&phone.baken)), ((100, Origin::Installed), "0900-0001".to_owned()));
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::Unchanged), 0));
    relay.offer(&signed(&second, &phone.publisher), &second);
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::Updated), 2));
    // It is durable: another process reads it.
    assert_eq!(police(&open(&phone.home)), "0900-0002");
}

#[tokio::test]
async fn a_changed_number_costs_some_dozens_of_bytes_and_a_false_change_nothing() {
    let (phone, relay) = (Phone::new(), Relay::default());
    let (first, second) = (later(100, "0900-0001"), later(101, "0900-0002"));
    relay.offer(&signed(&first, &phone.publisher), &first);
    assert_eq!(phone.update(&relay).await.0, Ok(Outcome::Updated));
    relay.offer(&signed(&second, &phone.publisher), &second);
    let hash = |files: &Files, path: &str| file_hash(files[path].as_bytes()).to_string();
    let file = |path: &str| api::EDITION_FILE.replace("{hash}", &hash(&second, path));
    let change =
        |path: &str| api::EDITION_CHANGE.replace("{hash}", &hash(&second, path)).replace("{old}", &hash(&first, path));
    // What a false relay answers: of one file another's change, of the other no change at all. Both are fetched whole.
    let between = |from: &Files, to: &Files, path: &str| {
        cbor::to_vec(&FileChange::between(from[path].as_bytes(), to[path].as_bytes()).unwrap())
    };
    relay.put(change("contacts.toml"), between(&first, &later(100, "0900-6666"), "contacts.toml"));
    relay.put(change("edition.toml"), b"\xff".to_vec());
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::Updated), 2));
    assert_eq!(police(&phone.baken), "0900-0002");
    // A true one is enough: the files themselves are not asked for.
    let phone = Phone::new();
    relay.offer(&signed(&first, &phone.publisher), &first);
    assert_eq!(phone.update(&relay).await.0, Ok(Outcome::Updated));
    relay.offer(&signed(&second, &phone.publisher), &second);
    for path in ["contacts.toml", "edition.toml"] {
        let bytes = between(&first, &second, path);
        assert!(bytes.len() < 64, "{path}: {}", bytes.len());
        relay.put(change(path), bytes);
        relay.answers.lock().unwrap().remove(&file(path));
    }
    assert_eq!(phone.update(&relay).await, (Ok(Outcome::Updated), 2));
    assert_eq!(police(&phone.baken), "0900-0002");
}

#[tokio::test]
async fn i6_a_relay_cannot_take_an_edition_back_nor_alter_one() {
    let (phone, relay) = (Phone::new(), Relay::default());
    let (first, second) = (later(100, "0900-0001"), later(101, "0900-0002"));
    relay.offer(&signed(&second, &phone.publisher), &second);
    assert_eq!(phone.update(&relay).await.0, Ok(Outcome::Updated));
    relay.offer(&signed(&first, &phone.publisher), &first);
    assert_eq!(phone.update(&relay).await.0, Err("older_version".to_owned()));
    relay.offer(&signed(&later(101, "0900-0003"), &phone.publisher), &second);
    assert_eq!(phone.update(&relay).await.0, Err("two_of_one_version".to_owned()));
    let third = later(102, "0900-0003");
    relay.offer(&signed(&third, &key(2)), &third);
    assert_eq!(phone.update(&relay).await.0, Err("too_few_signatures".to_owned()));
    // A file that is another than was signed.
    relay.offer(&signed(&third, &phone.publisher), &third);
    let path = api::EDITION_FILE.replace("{hash}", &file_hash(third["contacts.toml"].as_bytes()).to_string());
    let other = cbor::to_vec(&ByteVec::from(second["contacts.toml"].clone().into_bytes()));
    relay.answers.lock().unwrap().insert(path, other);
    assert_eq!(phone.update(&relay).await.0, Err("edition_file".to_owned()));
    assert_eq!((phone.version().0, police(&phone.baken)), (101, "0900-0002".to_owned()));
}

#[tokio::test]
async fn one_that_was_damaged_on_the_disk_is_left_and_said() {
    let (phone, relay) = (Phone::new(), Relay::default());
    let files = later(100, "0900-0001");
    relay.offer(&signed(&files, &phone.publisher), &files);
    assert_eq!(phone.update(&relay).await.0, Ok(Outcome::Updated));
    let path = phone.home.guidance().join("national.edition");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let guidance = phone.baken.guidance().unwrap();
    assert_eq!(guidance.states()[0].origin, Origin::Shipped);
    assert!(guidance.states()[0].fault.is_some());
    // None older takes its place; it is fetched again.
    let older = later(99, "0900-0000");
    relay.offer(&signed(&older, &phone.publisher), &older);
    assert_eq!(phone.update(&relay).await.0, Err("older_version".to_owned()));
    relay.offer(&signed(&files, &phone.publisher), &files);
    assert_eq!(phone.update(&relay).await.0, Ok(Outcome::Updated));
    assert_eq!(phone.version(), (100, Origin::Installed));
}

#[test]
fn an_organisations_edition_adds_and_touches_no_emergency_number() {
    let phone = Phone::new();
    let org_root = key(5);
    let name = EditionName::Organisation(OrgId::of(&org_root.verify_key()));
    let anchor = EditionRoot::of_org(name, &org_root.verify_key());
    let source = |number: &str| -> Files {
        let edition =
            "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\"]\nexpires = \"2027-06-01\"\n";
        let contact = format!(
            "[[contact]]\nid = \"clerk\"\nname.nl = \"Griffier van Zandhoven\"\npurpose.nl = \"Melden.\"\n\
             number = \"{number}\"\nhours.nl = \"overdag\"\naudience = [\"office-holder\"]\nkinds = [\"threat\"]\n\
             source = [\"Z\"]\nsource_date = \"2026\"\nchecked = \"2026-11-23\"\nreview_by = \"2027-05-23\"\n\
             status = \"confirmed\"\n"
        );
        [("edition.toml", edition.to_owned()), ("contacts.toml", contact)]
            .map(|(path, text)| (path.to_owned(), text))
            .into()
    };
    let install = |number: &str, by: &SigningKey| {
        let files = source(number);
        let mut manifest = Countersigned::unsigned(Manifest::of(name, &files, NOON).unwrap());
        manifest.sign(by);
        let head = EditionHead { roots: Vec::new(), manifest: manifest.to_bytes().into() };
        let accepted = accept(&anchor, None, &head).map_err(BakenError::from)?;
        phone.baken.install(&anchor, &accepted, &files)
    };
    let code = |result: Result<(), BakenError>| result.map_err(|error| error.code().to_owned());
    assert_eq!(code(install("112", &org_root)), Err("emergency_number".to_owned()));
    assert_eq!(code(install("0123-456789", &key(6))), Err("too_few_signatures".to_owned()));
    assert_eq!(code(install("0123-456789", &org_root)), Ok(()));
    let (layers, states) = store::open(&phone.home, Some(org_root.verify_key()), NOON).unwrap();
    assert_eq!(states.iter().map(|state| state.layer).collect::<Vec<_>>(), [Layer::National, Layer::Organisation]);
    assert_eq!(layers.contact("clerk").unwrap().0, Layer::Organisation);
    // Of another organisation's phone it is no part.
    let (layers, _) = store::open(&phone.home, Some(key(7).verify_key()), NOON).unwrap();
    assert!(layers.contact("clerk").is_none());
}

#[test]
fn what_is_for_advisers_is_not_shown_to_an_office_holder() {
    let phone = Phone::new();
    let guidance = phone.baken.guidance().unwrap();
    let adviser = ReadAs { audience: Audience::Adviser, ..HOLDER };
    let theirs = |id: &&String| guidance.chapter(HOLDER, id).is_err() && guidance.chapter(adviser, id).is_ok();
    let edition = shipped::edition().unwrap();
    let chapters: Vec<String> = edition.chapters.iter().map(|chapter| chapter.id.clone()).collect();
    let hidden = chapters.iter().find(theirs).unwrap();
    assert!(matches!(guidance.chapter(HOLDER, hidden), Err(BakenError::NotForAudience)));
    let title = guidance.chapter(adviser, hidden).unwrap().title;
    let found = |who| guidance.search(who, &title).into_iter().any(|hit| hit.id == *hidden);
    assert!(found(adviser) && !found(HOLDER));
    assert!(matches!(guidance.chapter(HOLDER, "99-none"), Err(BakenError::NoSuchGuidance)));
}

#[test]
fn searching_finds_with_typing_errors_in_both_languages_and_the_card_first() {
    let phone = Phone::new();
    let guidance = phone.baken.guidance().unwrap();
    let first = |who, words: &str| {
        let hit = guidance.search(who, words).into_iter().next();
        hit.map(|hit| (hit.kind, hit.id)).unwrap_or_else(|| panic!("nothing for {words}"))
    };
    let english = ReadAs { language: Language::En, ..HOLDER };
    let gate = shipped::edition().unwrap().scan.unwrap().gate.cards;
    for words in ["help", "help, gevaar!", "112", "ben ik in gevaar"] {
        assert_eq!(first(HOLDER, words), (HitKind::Card, gate[0].clone()), "{words}");
    }
    assert_eq!(first(HOLDER, "gevar").0, HitKind::Card, "a letter too few");
    assert_eq!(first(english, "danger").0, HitKind::Card);
    assert_eq!(first(english, "gevaar").0, HitKind::Card, "a Dutch word to an English reader");
    assert_eq!(first(HOLDER, "0900-8844"), (HitKind::Contact, "police".to_owned()));
    let found = |words: &str| guidance.search(HOLDER, words).iter().any(|hit| hit.id.starts_with("02-"));
    assert!(found("ik word bedreigd") && found("bedriegd") && found("Bedreigingen"));
    assert_eq!(guidance.search(HOLDER, "xyzzyq").len(), 0);
    assert_eq!(guidance.search(HOLDER, "").len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed, and whatever lies on the disk, is looked at without a fault.
    #[test]
    fn anything_may_be_typed_and_anything_lie_on_the_disk(words in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let phone = Phone::new();
        std::fs::write(phone.home.guidance().join("national.edition"), &bytes).unwrap();
        let guidance = phone.baken.guidance().unwrap();
        prop_assert_eq!(guidance.states()[0].origin, Origin::Shipped);
        prop_assert!(guidance.search(HOLDER, &words).len() <= crate::finding::MAX_HITS);
    }
}
