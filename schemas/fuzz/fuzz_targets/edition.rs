//! Fuzzes editions: roots, manifests and bundles as they travel, and source files as they are written.
#![no_main]

use baken_schemas::cbor;
use baken_schemas::edition::signed::{Bundle, Countersigned, EditionHead, EditionRoot, Manifest};
use baken_schemas::edition::{Files, compile, shipped};
use baken_schemas_fuzz::one_form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    one_form::<EditionRoot>(data);
    one_form::<Manifest>(data);
    one_form::<EditionHead>(data);
    if let Ok(document) = Countersigned::<EditionRoot>::parse(data) {
        assert_eq!(document.to_bytes(), data);
    }
    if let Ok(document) = Countersigned::<Manifest>::parse(data) {
        assert_eq!(document.to_bytes(), data);
    }
    if let Ok(bundle) = Bundle::parse(data) {
        assert_eq!(cbor::to_vec(&bundle), data);
        let _ = bundle.texts();
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let about = shipped::files().remove("edition.toml").unwrap_or_default();
    for path in ["facts.toml", "contacts.toml", "scan.toml", "chapters/nl/01-a.md", "cards/nl/a.md"] {
        let files =
            [("edition.toml", about.as_str()), (path, text)].map(|(path, text)| (path.to_owned(), text.to_owned()));
        let _ = compile(&Files::from(files));
    }
});
