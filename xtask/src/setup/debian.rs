//! Programs that come from the system: looked for first, installed with apt-get where we are root on a Debian.
//!
//! Elsewhere the message names the one command that installs them. Versions are the distribution's.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Result, bail};

use crate::step;
use crate::workspace::{find_program, program};

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
pub const FOR_TESTS: &[SystemPart] = &[
    SystemPart { package: "tcpdump", why: "captures the relay's traffic", probe: Probe::Program("tcpdump") },
    SystemPart { package: "nodejs", why: "runs what wakes an officer's browser", probe: Probe::Program("node") },
    SystemPart {
        package: "chromium",
        why: "is the browser the phone app is tested in",
        probe: Probe::Program("chromium"),
    },
];

/// A peer of `bench alarm`. Debian's build looks for its templates where the package installs them, so it cannot be
/// run from a folder of ours.
pub const FOR_BENCH_ALARM: &[SystemPart] = &[SystemPart {
    package: "prometheus-alertmanager",
    why: "is measured beside us",
    probe: Probe::Program("prometheus-alertmanager"),
}];

/// What runs the peers from npm.
pub const FOR_NPM: &[SystemPart] = &[
    SystemPart { package: "nodejs", why: "runs the peers from npm", probe: Probe::Program("node") },
    SystemPart { package: "npm", why: "installs them", probe: Probe::Program("npm") },
];

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
