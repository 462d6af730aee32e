//! The table of operations is whole, and the document made of it is OpenAPI.

use std::collections::BTreeSet;

use baken_schemas::openapi::{By, Method, OPERATIONS, document};

/// Every address that `api.rs` declares is in the table, and no other.
#[test]
fn the_table_has_every_address() {
    let source = include_str!("../../src/api.rs");
    let declared: BTreeSet<&str> =
        source.lines().filter_map(|line| line.split_once(": &str = \"/")?.1.strip_suffix("\";")).collect();
    assert!(declared.len() > 15, "the addresses are declared in another form now");
    let listed: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|operation| {
            let path = operation.path.trim_start_matches('/');
            match path.strip_prefix("v0/pairing/{rendezvous}/") {
                Some(_) => "v0/pairing/{rendezvous}/{message}".to_owned(),
                None => path.to_owned(),
            }
        })
        .collect();
    assert_eq!(declared.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), listed);
}

#[test]
fn operations_are_named_and_placed_once() {
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
    let places: BTreeSet<_> = OPERATIONS.iter().map(|operation| (operation.method.name(), operation.path)).collect();
    assert_eq!((ids.len(), places.len()), (OPERATIONS.len(), OPERATIONS.len()));
    for operation in OPERATIONS {
        let bodiless = matches!(operation.method, Method::Get | Method::Delete);
        assert_eq!(bodiless, operation.body.is_none(), "{}", operation.id);
        assert!(operation.summary.ends_with('.'), "{}", operation.id);
        assert_eq!(operation.by == By::Nobody, !operation.all_refusals().contains_key(&401), "{}", operation.id);
    }
}

/// Every reference in the document leads somewhere.
#[test]
fn references_lead_somewhere() {
    fn visit(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                if let (true, Some(reference)) = (name == "$ref", value.as_str()) {
                    found.insert(reference.to_owned());
                }
                visit(value, found);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|item| visit(item, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document(), BTreeSet::new());
    visit(&document, &mut found);
    assert!(found.contains("#/components/schemas/Problem"));
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
