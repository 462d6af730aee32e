//! The edition that Baken ships, built in: guidance works with no network, no account and a locked vault. It is trusted as
//! the program is. Its source is the folder `schemas/guidance`.

use crate::edition::{Edition, Files, Finding, compile, is_known};

include!(concat!(env!("OUT_DIR"), "/guidance.rs"));

/// Its source files.
pub fn files() -> Files {
    FILES
        .iter()
        .filter(|(path, _)| is_known(path))
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

/// The edition, compiled.
///
/// # Errors
/// None in a program that passed its tests.
pub fn edition() -> Result<Edition, Vec<Finding>> {
    compile(&files())
}

/// The signed root of the national edition that the program was built with, `schemas/national-root.cbor`; `None` in a
/// build without one, whose national edition comes with the program alone until somebody names a root.
pub fn national_root() -> Option<&'static [u8]> {
    NATIONAL_ROOT
}
