//! Editions at the relay: signed by their publishers or refused, read by anybody, file by file.

use baken_schemas::api::{self, Publication};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::signed::{
    Countersigned, EditionHead, EditionName, EditionRoot, Manifest, accept, file_hash, open,
};
use baken_schemas::edition::{FileChange, Files, shipped};
use baken_schemas::org::OrgId;
use baken_schemas::time::Timestamp;
use minicbor::bytes::ByteVec;

use super::world::{World, open_with};

/// The source of an organisation's edition.
fn source(version: u64, number: &str) -> Files {
    let edition = format!(
        "name = \"zandhoven\"\nlayer = \"organisation\"\nlanguages = [\"nl\"]\nexpires = \"2027-06-01\"\nversion = {version}\n"
    );
    let contacts = format!(
        "[[contact]]\nid = \"clerk\"\nname.nl = \"Griffier\"\npurpose.nl = \"Melden.\"\nnumber = \"{number}\"\n\
         hours.nl = \"overdag\"\naudience = [\"office-holder\"]\nkinds = [\"threat\"]\nsource = [\"Z\"]\n\
         source_date = \"2026\"\nchecked = \"2026-11-23\"\nreview_by = \"2027-05-23\"\nstatus = \"confirmed\"\n"
    );
    let sources = "[[source]]\nid = \"Z\"\ntitle = \"Gemeente Zandhoven\"\n".to_owned();
    [("edition.toml", edition), ("contacts.toml", contacts), ("sources.toml", sources)]
        .map(|(path, text)| (path.to_owned(), text))
        .into()
}

fn signed(name: EditionName, files: &Files, by: &[&SigningKey]) -> EditionHead {
    let mut manifest = Countersigned::unsigned(Manifest::of(name, files, Timestamp(0)).unwrap());
    by.iter().for_each(|key| manifest.sign(key));
    EditionHead { roots: Vec::new(), manifest: manifest.to_bytes().into() }
}

fn publication(head: &EditionHead, files: &Files, paths: &[&str]) -> Vec<u8> {
    let files = paths.iter().map(|path| ByteVec::from(files[*path].clone().into_bytes())).collect();
    cbor::to_vec(&Publication { head: head.clone(), files })
}

const ALL: [&str; 3] = ["edition.toml", "contacts.toml", "sources.toml"];

fn edition_of(world: &World) -> EditionName {
    EditionName::Organisation(OrgId::of(&world.root.verify_key()))
}

#[tokio::test]
async fn an_edition_is_published_by_its_signature_and_read_by_anybody() {
    let world = World::new().await;
    let name = edition_of(&world);
    let path = api::EDITION.replace("{edition}", &name.to_string());
    world.plain("GET", &path, b"").await.is(404, "no_edition");

    let files = source(1, "0123-456789");
    let head = signed(name, &files, &[&world.root]);
    world.plain("POST", api::EDITIONS, &publication(&head, &files, &ALL)).await.ok();
    // The same again is fine.
    world.plain("POST", api::EDITIONS, &publication(&head, &files, &[])).await.ok();

    let read: EditionHead = cbor::from_slice(&world.plain("GET", &path, b"").await.ok(), "a head").unwrap();
    let anchor = EditionRoot::of_org(name, &world.root.verify_key());
    let accepted = accept(&anchor, None, &read).unwrap();
    let mut fetched = Files::new();
    for entry in &accepted.manifest.files {
        let path = api::EDITION_FILE.replace("{hash}", &entry.sha256.to_string());
        let bytes: ByteVec = cbor::from_slice(&world.plain("GET", &path, b"").await.ok(), "a file").unwrap();
        fetched.insert(entry.path.clone(), String::from_utf8(bytes.to_vec()).unwrap());
    }
    assert_eq!(open(&accepted, &fetched).unwrap().contacts[0].number, "0123-456789");
}

#[tokio::test]
async fn only_files_that_are_new_are_sent_and_what_changed_of_them_is_fetched() {
    let world = World::new().await;
    let name = edition_of(&world);
    let (first, second) = (source(1, "0123-456789"), source(2, "0123-000000"));
    let publish = |files: Files, paths: &'static [&'static str]| {
        let body = publication(&signed(name, &files, &[&world.root]), &files, paths);
        let world = &world;
        async move { world.plain("POST", api::EDITIONS, &body).await }
    };
    publish(first.clone(), &ALL).await.ok();
    // Without a file that is new it is refused, and what was there stays.
    publish(second.clone(), &["edition.toml"]).await.is(422, "edition_file");
    let file =
        |files: &Files, path: &str| api::EDITION_FILE.replace("{hash}", &file_hash(files[path].as_bytes()).to_string());
    world.plain("GET", &file(&first, "contacts.toml"), b"").await.ok();
    publish(second.clone(), &["edition.toml", "contacts.toml"]).await.ok();
    world.plain("GET", &file(&second, "contacts.toml"), b"").await.ok();
    world.plain("GET", &file(&second, "sources.toml"), b"").await.ok();
    // Whoever has what was replaced fetches how it changed; nobody can ask for that of what never was here.
    let hash = |files: &Files| file_hash(files["contacts.toml"].as_bytes()).to_string();
    let change = |new: &str, old: &str| api::EDITION_CHANGE.replace("{hash}", new).replace("{old}", old);
    let answer = world.plain("GET", &change(&hash(&second), &hash(&first)), b"").await.ok();
    assert!(answer.len() < 64, "{}", answer.len());
    let found: FileChange = cbor::from_slice(&answer, "a change").unwrap();
    assert_eq!(found.apply(first["contacts.toml"].as_bytes()).unwrap(), second["contacts.toml"].as_bytes());
    let nobodys = hash(&source(9, "0123-999999"));
    world.plain("GET", &change(&hash(&second), &nobodys), b"").await.is(404, "no_edition");
    world.plain("GET", &change(&nobodys, &hash(&second)), b"").await.is(404, "no_edition");
    world.plain("GET", &change("zz", &hash(&second)), b"").await.is(400, "bad_address");
    // So does who was never updated and has what came with the program.
    let shipped = file_hash(shipped::files()["contacts.toml"].as_bytes()).to_string();
    world.plain("GET", &change(&hash(&second), &shipped), b"").await.ok();
    // And back it does not go.
    publish(first, &ALL).await.is(409, "older_version");
    publish(source(2, "0123-999999"), &ALL).await.is(409, "two_of_one_version");
}

#[tokio::test]
async fn what_was_replaced_is_kept_for_a_while_and_not_for_ever() {
    let world = World::new().await;
    let name = edition_of(&world);
    let path =
        |files: &Files| api::EDITION_FILE.replace("{hash}", &file_hash(files["edition.toml"].as_bytes()).to_string());
    // Each version replaces one file: 64 are kept.
    for version in 1..=66 {
        world.clock.advance(60_000);
        let files = source(version, "0123-456789");
        let body = publication(&signed(name, &files, &[&world.root]), &files, &ALL);
        world.plain("POST", api::EDITIONS, &body).await.ok();
    }
    world.plain("GET", &path(&source(1, "0123-456789")), b"").await.is(404, "no_edition");
    for version in [2, 3, 65, 66] {
        world.plain("GET", &path(&source(version, "0123-456789")), b"").await.ok();
    }
}

#[tokio::test]
async fn strangers_publish_nothing() {
    let mut world = World::new().await;
    let name = edition_of(&world);
    let files = source(1, "0123-456789");
    let stranger = SigningKey::make(&mut world.rng);
    let post = |head: EditionHead| publication(&head, &files, &ALL);
    let answer = world.plain("POST", api::EDITIONS, &post(signed(name, &files, &[]))).await;
    answer.is(422, "too_few_signatures");
    world.plain("POST", api::EDITIONS, &post(signed(name, &files, &[&stranger]))).await.is(422, "too_few_signatures");
    let elsewhere = EditionName::Organisation(OrgId::of(&stranger.verify_key()));
    let answer = world.plain("POST", api::EDITIONS, &post(signed(elsewhere, &files, &[&stranger]))).await;
    answer.is(404, "unknown_org");
    world.plain("POST", api::EDITIONS, b"\x00").await.is(422, "malformed");
}

#[tokio::test]
async fn the_national_edition_needs_a_root_that_the_operator_trusts() {
    let mut world = World::new().await;
    let publisher = SigningKey::make(&mut world.rng);
    let national = |text: &String| text.replace("\"organisation\"", "\"national\"");
    let mut files = source(1, "112");
    let edition = national(&files["edition.toml"]);
    files.insert("edition.toml".to_owned(), edition);
    let head = signed(EditionName::National, &files, &[&publisher]);
    let body = publication(&head, &files, &ALL);
    world.plain("POST", api::EDITIONS, &body).await.is(409, "no_national_root");

    let root =
        EditionRoot { edition: EditionName::National, version: 1, keys: vec![publisher.verify_key()], threshold: 1 };
    let dir = tempfile::tempdir().unwrap();
    let options = baken_server::relay::RelayOptions { national_root: Some(root), ..Default::default() };
    world.relay = open_with(options, dir.path(), &world.clock, &world.relay_keys, &mut world.rng).await;
    world.plain("POST", api::EDITIONS, &body).await.ok();
    world.plain("GET", "/v0/editions/national", b"").await.ok();
}
