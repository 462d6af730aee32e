//! Vectors of editions: roots and manifests, with any number of signatures.

use baken_schemas::crypto::SigningKey;
use baken_schemas::edition::signed::{Countersigned, EditionName, EditionRoot, FileEntry, Manifest, file_hash};
use baken_schemas::org::OrgId;
use baken_schemas::signed::Document;
use baken_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Set, hex, unhex};
use crate::world::World;

/// Who can sign, by the names of `keys.json`.
fn signers(org_root: &SigningKey, account_root: &SigningKey) -> [(&'static str, SigningKey); 2] {
    [("org_root", org_root.clone()), ("account_root", account_root.clone())]
}

fn vector<T: Document>(mut inputs: Value, value: T, world: &World, by: &[&str]) -> Value {
    let mut document = Countersigned::unsigned(value);
    for (name, key) in signers(&world.org_root, &world.account_root) {
        if by.contains(&name) {
            document.sign(&key);
        }
    }
    inputs["signers"] = json!(by);
    json!({ "inputs": inputs, "bytes": hex(&document.to_bytes()) })
}

/// Opens a vector, and checks that it is signed by those that its inputs name and nobody else.
fn open<T: Document>(set: &Set, vector: &Value) -> Countersigned<T> {
    let document = Countersigned::<T>::parse(&unhex(&vector["bytes"])).expect("a document");
    let named: Vec<&str> = vector["inputs"]["signers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (name, key) in signers(&set.org_root(), &set.account_root()) {
        assert_eq!(document.signers(&[key.verify_key()]), usize::from(named.contains(&name)), "{name}");
    }
    document
}

pub fn make_root(world: &mut World) -> Vec<Value> {
    let org = OrgId::of(&world.org_root.verify_key());
    let roots = [
        (EditionName::National, 1, vec!["org_root", "account_root"], 2, vec!["org_root", "account_root"]),
        (EditionName::Organisation(org), 7, vec!["account_root"], 1, vec!["org_root"]),
    ];
    let make = |(edition, version, publishers, threshold, by): (EditionName, u64, Vec<&str>, u8, Vec<&str>)| {
        let all = signers(&world.org_root, &world.account_root);
        let mut keys: Vec<_> =
            all.iter().filter(|(name, _)| publishers.contains(name)).map(|(_, key)| key.verify_key()).collect();
        keys.sort();
        let root = EditionRoot { edition, version, keys, threshold };
        let inputs = json!({
            "edition": edition.to_string(), "version": version, "publishers": publishers, "keys": root.keys,
            "threshold": threshold,
        });
        vector(inputs, root, world, &by)
    };
    roots.into_iter().map(make).collect()
}

pub fn open_root(set: &Set, vector: &Value) -> Value {
    let document = open::<EditionRoot>(set, vector);
    let root = document.claims();
    let inputs = &vector["inputs"];
    json!({
        "edition": root.edition.to_string(), "version": root.version, "publishers": inputs["publishers"],
        "keys": root.keys, "threshold": root.threshold, "signers": inputs["signers"],
    })
}

pub fn make_edition(world: &mut World) -> Vec<Value> {
    let org = OrgId::of(&world.org_root.verify_key());
    let texts = [
        ("cards/nl/direct-danger.md", Some("nl"), "- Bel 112.\n"),
        ("edition.toml", None, "name = \"voorbeeld\"\nlayer = \"province\"\n"),
    ];
    let file = |(path, language, text): (&str, Option<&str>, &str)| FileEntry {
        path: path.to_owned(),
        sha256: file_hash(text.as_bytes()),
        length: u32::try_from(text.len()).unwrap(),
        language: language.map(str::to_owned),
        min_app: 1,
    };
    let manifest = Manifest {
        edition: EditionName::Province(org),
        version: 3,
        issued_at: Timestamp(1_795_465_600_000),
        expires: Timestamp(1_811_800_800_000),
        files: texts.map(file).to_vec(),
    };
    let files: Vec<Value> = texts
        .iter()
        .zip(&manifest.files)
        .map(|((path, language, text), entry)| {
            json!({ "path": path, "language": language, "text": text, "sha256": entry.sha256, "min_app": 1 })
        })
        .collect();
    let inputs = json!({
        "edition": manifest.edition.to_string(), "version": 3, "issued_at": manifest.issued_at,
        "expires": manifest.expires, "files": files,
    });
    vec![vector(inputs, manifest, world, &["account_root"])]
}

pub fn open_edition(set: &Set, vector: &Value) -> Value {
    let document = open::<Manifest>(set, vector);
    let manifest = document.claims();
    let texts = vector["inputs"]["files"].as_array().expect("files");
    let file = |entry: &FileEntry| {
        let text = texts.iter().find(|file| file["path"] == entry.path.as_str()).expect("its text");
        assert_eq!(usize::try_from(entry.length).unwrap(), text["text"].as_str().unwrap().len());
        json!({
            "path": entry.path, "language": entry.language, "text": text["text"], "sha256": entry.sha256,
            "min_app": entry.min_app,
        })
    };
    json!({
        "edition": manifest.edition.to_string(), "version": manifest.version, "issued_at": manifest.issued_at,
        "expires": manifest.expires, "files": manifest.files.iter().map(file).collect::<Vec<_>>(),
        "signers": vector["inputs"]["signers"],
    })
}
