//! MiniSearch and Fuse.js over the same texts: `tests/peers/search/peer.mjs` in a process of its own for each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::set_search;
use super::texts::{Set, is_found};
use crate::bench::Bench;
use crate::story::process::run_within;

/// The engines, as their columns are called.
const ENGINES: [&str; 2] = ["minisearch", "fuse"];
/// How long one may take: Fuse.js goes through every text for every query.
const PATIENCE: Duration = Duration::from_secs(300);
/// The most queries that they are asked.
const MAX_QUERIES: usize = 80;

/// What a driver tells at its end.
#[derive(Deserialize)]
struct Report {
    ms: Vec<f64>,
    found: Vec<Vec<String>>,
}

/// Adds the peers' figures, or why there are none.
///
/// # Errors
/// When the scratch folder cannot be written.
pub async fn measure(bench: &mut Bench, folder: &Path, what: &str, set: &Set) -> Result<()> {
    let file = folder.join("search.json");
    let asked = &set.queries[..set.queries.len().min(MAX_QUERIES)];
    let typed: Vec<&str> = asked.iter().map(|query| query.typed.as_str()).collect();
    std::fs::write(&file, json!({ "docs": set.texts, "queries": typed }).to_string())?;
    for engine in ENGINES {
        eprintln!("bench guidance: {engine}, {what}");
        match drive(engine, folder, &file).await {
            Ok(report) => {
                let times = report.ms.iter().map(|ms| Duration::from_secs_f64(ms / 1e3)).collect();
                let found = asked.iter().zip(&report.found);
                let found: Vec<(bool, bool)> = found
                    .map(|(query, ids)| (query.erroneous, is_found(query, ids.iter().map(String::as_str))))
                    .collect();
                set_search(bench, what, engine, times, &found);
            }
            Err(error) => bench.remarks.push(format!("{engine} was not run over {what}: {error:#}")),
        }
    }
    Ok(())
}

async fn drive(engine: &str, folder: &Path, file: &Path) -> Result<Report> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|path| path.is_file());
    let node = node.context("Node.js is not installed")?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in a workspace")?;
    let modules = std::env::var_os("BAKEN_NODE_MODULES")
        .map_or_else(|| workspace.join(".baken/node/search/node_modules"), PathBuf::from);
    if !modules.is_dir() {
        bail!("its packages are not installed; `cargo xtask bench guidance` does that, or says why it cannot");
    }
    // Node looks for packages beside the program that asks for them.
    let program = folder.join("peer.mjs");
    std::fs::copy(workspace.join("tests/peers/search/peer.mjs"), &program)?;
    let beside = folder.join("node_modules");
    if !beside.exists() {
        std::os::unix::fs::symlink(modules, beside)?;
    }
    let arguments = [program.display().to_string(), engine.to_owned(), file.display().to_string()];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, out, err) = run_within(PATIENCE, &node, &arguments, &[]).await?;
    if code != 0 {
        bail!("it ended with {code}: {}", err.lines().last().unwrap_or_default());
    }
    Ok(serde_json::from_str(&out)?)
}
