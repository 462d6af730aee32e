//! What must be on the machine before anything runs: installed where we may, named with its one command where not.
//!
//! Every part looks first and installs only what is missing, so a second run takes milliseconds. One process at a
//! time sets up, guarded by a lock on a file; the lock goes with the process.

mod debian;
mod python;

use std::fs::{self, File};

use anyhow::{Context as _, Result};

pub use python::{interpreter, tool};

use crate::workspace;

/// Everything `cargo xtask test` needs: Debian's packages, the test tools, the Python peers.
pub fn for_tests() -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_BUILDING, debian::FOR_TESTS])?;
    installed.extend(python::ensure(&[python::PEERS, python::TOOLS])?);
    report(&installed);
    Ok(())
}

/// What the demo needs: the Python peers, among them the receiver that answers DC-09 frames.
pub fn for_demo() -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_BUILDING])?;
    installed.extend(python::ensure(&[python::PEERS])?);
    report(&installed);
    Ok(())
}

/// What a bench needs.
///
/// A peer that cannot be had is no error: the bench's table names it with the reason.
pub fn for_bench(name: &str) -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_BUILDING])?;
    installed.extend(python::ensure(&[python::PEERS])?);
    if name == "alarm" {
        match debian::ensure(&[debian::FOR_BENCH_ALARM]) {
            Ok(news) => installed.extend(news),
            Err(error) => eprintln!("   without Alertmanager beside us: {error:#}"),
        }
    }
    report(&installed);
    Ok(())
}

fn lock() -> Result<File> {
    let folder = workspace::baken_dir();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("setup.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

fn report(installed: &[String]) {
    match installed {
        [] => eprintln!("   nothing to install"),
        parts => parts.iter().for_each(|part| eprintln!("   installed {part}")),
    }
}
