//! Source files of an edition, from a folder or from a built file.

use std::path::Path;

use baken_schemas::Language;
use baken_schemas::edition::signed::Bundle;
use baken_schemas::edition::{Files, Layer, Layers, MAX_FILE_BYTES, MAX_FILES, compile, shipped};

use crate::cli::Failure;
use crate::folder::read_whole;

/// How deep a folder is looked into.
const MAX_DEPTH: usize = 3;

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::bad_input(
        "edition_unusable",
        format!("{} is niet bruikbaar als uitgave: {why}", path.display()),
        format!("{} cannot be used as an edition: {why}", path.display()),
    )
}

/// The source files in a folder or in a built file.
pub(in crate::cli) fn read(path: &Path) -> Result<Files, Failure> {
    let mut files = Files::new();
    if path.is_dir() {
        gather(path, path, 0, &mut files)?;
    } else {
        files = bundle(path)?.texts().map_err(|error| unusable(path, &error))?;
    }
    if files.is_empty() { Err(unusable(path, &"no files")) } else { Ok(files) }
}

/// A built file.
pub(super) fn bundle(path: &Path) -> Result<Bundle, Failure> {
    Bundle::parse(&read_whole(path)?).map_err(|error| unusable(path, &error))
}

fn gather(top: &Path, folder: &Path, depth: usize, files: &mut Files) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(top).ok().and_then(Path::to_str).unwrap_or_default().replace('\\', "/");
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                gather(top, &path, depth + 1, files)?;
            }
            continue;
        }
        let too_large = std::fs::metadata(&path)?.len() > 4 * MAX_FILE_BYTES as u64;
        if too_large || files.len() > MAX_FILES {
            return Err(unusable(&path, &"too large, or too many files"));
        }
        let text = String::from_utf8(read_whole(&path)?).map_err(|_| unusable(&path, &"it is not UTF-8"))?;
        files.insert(name, text.replace("\r\n", "\n"));
    }
    Ok(())
}

/// The layers above an edition: those given, else what this program ships, unless the edition is national itself.
pub(in crate::cli) fn above(files: &Files, given: &[std::path::PathBuf]) -> Result<Option<Layers>, Failure> {
    let compiled = |path: &Path, files: &Files| {
        compile(files).map_err(|findings| {
            let first = findings.first().map(|finding| finding.told(Language::En)).unwrap_or_default();
            unusable(path, &first)
        })
    };
    let mut editions = Vec::new();
    for path in given {
        editions.push(compiled(path, &read(path)?)?);
    }
    if editions.is_empty() && compile(files).is_ok_and(|edition| edition.layer != Layer::National) {
        editions.push(compiled(Path::new("."), &shipped::files())?);
    }
    let mut editions = editions.into_iter();
    Ok(editions.next().map(|national| {
        let mut layers = Layers::new(national);
        editions.for_each(|edition| layers.add(edition));
        layers
    }))
}
