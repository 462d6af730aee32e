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
