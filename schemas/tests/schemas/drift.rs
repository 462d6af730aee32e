//! Files that are generated: they must be what the code would write now. `cargo xtask schemas` writes them again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::vectors::Set;

/// Compares each file with what it should hold, or writes it when told so by `BAKEN_UPDATE=1`.
fn same_or_written(files: &BTreeMap<PathBuf, String>) {
    let update = std::env::var_os("BAKEN_UPDATE").is_some_and(|value| value == "1");
    for (path, expected) in files {
        if update {
            std::fs::write(path, expected).expect("the folder can be written");
            continue;
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == *expected,
            "{} is not what the code writes now. A frozen format must not change; if the change is meant, run \
             `cargo xtask schemas` and look at the difference",
            path.display()
        );
    }
}

/// The same seed gives the same bytes, in every format.
#[test]
fn vectors() {
    same_or_written(&Set::make().files());
}

fn json_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("json")
}

/// JSON with its names in order, whatever order the JSON library was built to keep.
pub fn pretty(value: &impl serde::Serialize) -> String {
    fn sorted(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => {
                let fields: BTreeMap<_, _> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
                fields.into_iter().collect()
            }
            serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
            plain => plain,
        }
    }
    let value = sorted(serde_json::to_value(value).expect("JSON"));
    serde_json::to_string_pretty(&value).expect("JSON") + "\n"
}

/// A JSON Schema a type that is ever written as JSON, named after it.
#[test]
fn json_schemas() {
    use baken_schemas::{adviser, alarm, api, id, org, time};
    macro_rules! schemas_of {
        ($($name:literal: $type:ty,)+) => {
            [$((json_folder().join(concat!($name, ".schema.json")), pretty(&schemars::schema_for!($type)))),+]
        };
    }
    let files = BTreeMap::from(schemas_of! {
        "about": api::About,
        "plan": adviser::Plan,
        "due": adviser::Due,
        "org-readiness": adviser::OrgReadiness,
        "readiness-counts": adviser::Counts,
        "problem": api::Problem,
        "alarm-kind": alarm::AlarmKind,
        "fix": alarm::Fix,
        "provenance": alarm::Provenance,
        "card": alarm::CardBody,
        "receipt-state": alarm::ReceiptState,
        "receipt-detail": alarm::ReceiptDetail,
        "invite-role": org::InviteRole,
        "org-id": org::OrgId,
        "alarm-id": id::AlarmId,
        "timestamp": time::Timestamp,
    });
    same_or_written(&files);
    let mut there: Vec<_> = std::fs::read_dir(json_folder())
        .expect("the folder of schemas")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.to_string_lossy().ends_with(".schema.json"))
        .collect();
    there.sort();
    assert_eq!(there, files.into_keys().collect::<Vec<_>>(), "a schema that nothing writes any more");
}

#[test]
fn openapi() {
    let file = (json_folder().join("openapi.json"), pretty(&baken_schemas::openapi::document()));
    same_or_written(&BTreeMap::from([file]));
}
