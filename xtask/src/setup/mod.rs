//! What must be on the machine before anything runs: installed where we may, named with its one command where not.
//!
//! Every part looks first and installs only what is missing, so a second run takes milliseconds. One process at a
//! time sets up, guarded by a lock on a file; the lock goes with the process.

mod debian;
mod node;
mod python;
mod wasm;

use std::fs::{self, File};

use anyhow::{Context as _, Result};

pub use node::modules as node_modules;
pub use python::{interpreter, tool};
pub use wasm::TARGET as WASM;

use crate::workspace;

/// Everything `cargo xtask test` needs: Debian's packages, the test tools, the Python peers.
pub fn for_tests() -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_BUILDING, debian::FOR_TESTS, debian::FOR_NPM, debian::FOR_WEB])?;
    installed.extend(python::ensure(&[python::PEERS, python::TOOLS])?);
    installed.extend(wasm::ensure()?);
    installed.extend(node::ensure_app()?);
    report(&installed);
    Ok(())
}

/// What building the phone app needs: a C compiler and Rust's target for WebAssembly, Node.js, and npm packages.
pub fn for_web() -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_NPM, debian::FOR_WEB])?;
    installed.extend(wasm::ensure()?);
    installed.extend(node::ensure_app()?);
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

/// What a bench needs. Says which peers it will have to do without, and why.
///
/// A peer that cannot be had is no error: the bench's remarks name it with the reason.
pub fn for_bench(name: &str) -> Result<Vec<String>> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_BUILDING])?;
    installed.extend(python::ensure(&[python::PEERS])?);
    let outcomes = match name {
        "alarm" => vec![
            ("Alertmanager", debian::ensure(&[debian::FOR_BENCH_ALARM])),
            ("NATS", python::ensure(&[python::BENCH_PEERS])),
        ],
        "checkin" => vec![("posthumous", python::ensure(&[python::BENCH_PEERS]))],
        "sync" => vec![("the peers from npm", peers_from_npm("sync"))],
        "guidance" => vec![("the peers from npm", peers_from_npm("search"))],
        _ => Vec::new(),
    };
    let mut without = Vec::new();
    for (peers, outcome) in outcomes {
        match outcome {
            Ok(news) => installed.extend(news),
            Err(error) => without.push(format!("without {peers}: {error:#}")),
        }
    }
    without.iter().for_each(|line| eprintln!("   {line}"));
    report(&installed);
    Ok(without)
}

/// What plays people at the console and the portal in a browser, where `tests/peers/browser` lists its packages.
pub fn for_browser() -> Result<()> {
    let _lock = lock()?;
    let mut installed = debian::ensure(&[debian::FOR_TESTS])?;
    installed.extend(peers_from_npm("browser")?);
    report(&installed);
    Ok(())
}

fn peers_from_npm(peers: &str) -> Result<Vec<String>> {
    let mut installed = debian::ensure(&[debian::FOR_NPM])?;
    installed.extend(node::ensure(peers)?);
    Ok(installed)
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
