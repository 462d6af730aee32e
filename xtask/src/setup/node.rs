//! npm packages: of the benches that have peers there in `.baken/node/BENCH`, and of the phone app beside its sources:
//! exactly those of the lock file, and no install scripts of theirs run.
//!
//! Among them lies a stamp with the lock file they were installed from. The same text means nothing to do.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step;
use crate::workspace::{self, find_program, program};

/// The oldest Node that the peers run on.
const OLDEST_NODE: u32 = 20;

/// Where the packages of a bench are.
pub fn modules(peers: &str) -> PathBuf {
    folder(peers).join("node_modules")
}

/// Installs the packages that `tests/peers/PEERS` lists if they are missing or changed; returns what it installed, for
/// people.
pub fn ensure(peers: &str) -> Result<Option<String>> {
    let listed = format!("tests/peers/{peers}");
    let lists = workspace::root().join(&listed);
    let folder = folder(peers);
    install(&listed, &folder, || {
        fs::create_dir_all(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(lists.join(name), folder.join(name))?;
        }
        Ok(())
    })
}

/// Installs the packages of the phone app beside its sources, where its build looks for them.
pub fn ensure_app() -> Result<Option<String>> {
    let listed = "client-core/web/app";
    install(listed, &workspace::root().join(listed), || Ok(()))
}

/// Installs what the lock file under `listed` names into `folder`, which `prepare` makes ready.
fn install(listed: &str, folder: &Path, prepare: impl FnOnce() -> Result<()>) -> Result<Option<String>> {
    let lock = workspace::root().join(listed).join("package-lock.json");
    let lock = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = folder.join("node_modules/.baken-installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == lock) {
        return Ok(None);
    }
    for name in ["node", "npm"] {
        if find_program(name).is_none() {
            bail!("{name} is not installed");
        }
    }
    let new_enough = format!("process.exit(Number(process.versions.node.split('.')[0]) < {OLDEST_NODE} ? 1 : 0)");
    if !step::succeeds(program("node").args(["-e", &new_enough])) {
        bail!("Node.js is older than {OLDEST_NODE} or does not start");
    }
    eprintln!("   installing npm packages of {listed}");
    prepare()?;
    let mut npm = program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(folder);
    step::quietly(npm.current_dir(folder)).context("check the network and npm's settings, then run this again")?;
    fs::write(&stamp, &lock).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(Some(format!("npm packages of {listed}")))
}

fn folder(peers: &str) -> PathBuf {
    workspace::baken_dir().join("node").join(peers)
}
