//! Writes the list of files of the edition that Baken ships, so that `edition::shipped` includes them. No clock, no
//! network: the same folder gives the same list.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let folder = here.join("guidance");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    gather(&folder, &mut files)?;
    files.sort();
    let mut code = String::from("const FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let path = file.strip_prefix(&folder)?.to_str().ok_or("a file name that is not UTF-8")?.replace('\\', "/");
        writeln!(code, "    ({path:?}, include_str!({:?})),", file.display().to_string())?;
    }
    code.push_str("];\n");
    let root = here.join("national-root.cbor");
    println!("cargo::rerun-if-changed={}", root.display());
    let included = if root.exists() {
        format!("Some(include_bytes!({:?}))", root.display().to_string())
    } else {
        "None".to_owned()
    };
    writeln!(code, "const NATIONAL_ROOT: Option<&[u8]> = {included};")?;
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("guidance.rs"), code)?;
    Ok(())
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            gather(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md" || extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
