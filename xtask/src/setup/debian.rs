//! Programs that come from the system: looked for first, installed with apt-get where we are root on a Debian.
//!
//! Elsewhere the message names the one command that installs them. Versions are the distribution's.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step;
use crate::workspace::{baken_dir, find_program, program};

/// Something the system must have, and Debian's package that brings it.
pub struct SystemPart {
    package: &'static str,
    why: &'static str,
    probe: Probe,
}

/// How to tell that a part is there.
enum Probe {
    Program(&'static str),
    /// A module of `python3` that Debian packages apart.
    PythonModule(&'static str),
}

/// What compiling and running the workspace needs besides Rust.
pub const FOR_BUILDING: &[SystemPart] = &[
    SystemPart { package: "gcc", why: "compiles SQLCipher and the TLS primitives", probe: Probe::Program("cc") },
    SystemPart { package: "make", why: "builds SQLCipher's OpenSSL", probe: Probe::Program("make") },
    SystemPart { package: "perl", why: "configures SQLCipher's OpenSSL", probe: Probe::Program("perl") },
    SystemPart { package: "python3", why: "runs the peers in Python", probe: Probe::Program("python3") },
    SystemPart { package: "python3-venv", why: "gives them a folder", probe: Probe::PythonModule("ensurepip") },
];

/// What the tests need on top.
pub const FOR_TESTS: &[SystemPart] =
    &[SystemPart { package: "tcpdump", why: "captures the relay's traffic", probe: Probe::Program("tcpdump") }];

/// Installs what is missing of these lists; returns what it installed, for people.
pub fn ensure(lists: &[&[SystemPart]]) -> Result<Vec<String>> {
    let missing: Vec<&SystemPart> = lists.iter().copied().flatten().filter(|part| !part.is_there()).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let packages: Vec<&str> = missing.iter().map(|part| part.package).collect();
    if find_program("apt-get").is_none() {
        let needs: Vec<String> = missing.iter().map(|part| format!("{} ({})", part.package, part.why)).collect();
        bail!("install these with your system's package manager, then run this again: {}", needs.join(", "));
    }
    if !is_root() {
        bail!("missing system packages; run this, then try again: sudo apt-get install -y {}", packages.join(" "));
    }
    eprintln!("   installing Debian packages: {}", packages.join(" "));
    apt_get(&["update", "-qq"])?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&packages);
    apt_get(&install)?;
    if let Some(part) = missing.iter().find(|part| !part.is_there()) {
        bail!("apt-get installed {}, but what it should bring is still not found", part.package);
    }
    Ok(missing.iter().map(|part| format!("Debian package {}: {}", part.package, part.why)).collect())
}

/// A Debian package laid out in a folder of ours.
pub struct Unpacked {
    /// The folder of its programs.
    pub bin_dir: PathBuf,
    /// What to tell people, if it was laid out just now.
    pub news: Option<String>,
}

/// Lays a Debian package out under `.baken/debian` without installing it, so that no service of it starts.
///
/// # Errors
/// No apt-get here, or the package is not to be had.
pub fn unpack(package: &str) -> Result<Unpacked> {
    let folder = baken_dir().join("debian").join(package);
    let bin_dir = folder.join("usr/bin");
    if bin_dir.is_dir() {
        return Ok(Unpacked { bin_dir, news: None });
    }
    if find_program("apt-get").is_none() || find_program("dpkg-deb").is_none() {
        bail!("{package} comes from Debian, and this system has no apt-get");
    }
    let download = baken_dir().join("debian/download");
    fs::create_dir_all(&download)?;
    if is_root() {
        apt_get(&["update", "-qq"])?;
    }
    step::quietly(program("apt-get").args(["download", "-qq", package]).current_dir(&download))?;
    let archive = find_archive(&download, package)?;
    // Laid out beside its place and moved there, so that an interrupted run leaves nothing that looks whole.
    let partial = folder.with_extension("partial");
    step::quietly(program("dpkg-deb").arg("--extract").arg(&archive).arg(&partial))?;
    fs::rename(&partial, &folder).with_context(|| format!("cannot move {package} to its place"))?;
    fs::remove_file(&archive)?;
    Ok(Unpacked { bin_dir, news: Some(format!("Debian package {package}, unpacked in {}", folder.display())) })
}

fn find_archive(folder: &Path, package: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(&format!("{package}_")) && name.ends_with(".deb") {
            return Ok(path);
        }
    }
    bail!("apt-get downloaded no {package} into {}", folder.display())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    step::quietly(program("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether we may install. `/proc/self` belongs to the user we run as; elsewhere there is no apt-get anyway.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

impl SystemPart {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(name) => find_program(name).is_some(),
            Probe::PythonModule(name) => step::succeeds(program("python3").args(["-c", &format!("import {name}")])),
        }
    }
}
