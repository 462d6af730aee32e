//! The peers from npm under this load: `tests/peers/sync/peer.mjs` in processes of its own, one engine after the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{Load, REST, WIRE_PULL, WIRE_UP};
use crate::bench::Bench;
use crate::bench::proxy::Proxy;
use crate::story::process::{Process, free_port, run_within};

/// The engines, as their modules and columns are called.
const ENGINES: [&str; 3] = ["hocuspocus", "automerge_repo", "pouchdb"];
/// The programs of ours that drive them.
const SCRIPTS: [&str; 4] = ["peer.mjs", "hocuspocus.mjs", "automerge_repo.mjs", "pouchdb.mjs"];
/// How long a driver may take: some engines wait a tenth of a second before each live edit.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a driver tells at its end.
#[derive(Deserialize)]
struct Report {
    ms: Vec<f64>,
    #[serde(default)]
    documents: Vec<String>,
    stored: Option<u64>,
}

/// Adds the peers' figures, or why there are none.
///
/// # Errors
/// When the scratch folder cannot be written.
pub async fn measure(bench: &mut Bench, folder: &Path, load: &Load) -> Result<()> {
    let drivers = match Drivers::find(folder) {
        Ok(drivers) => drivers,
        Err(error) => {
            bench.remarks.push(format!("{} were not run: {error:#}", ENGINES.join(", ")));
            return Ok(());
        }
    };
    for engine in ENGINES {
        eprintln!("bench sync: {engine}");
        if let Err(error) = drivers.measure(engine, bench, load).await {
            bench.remarks.push(format!("{engine} was not run to its end: {error:#}"));
        }
    }
    bench.remarks.push(
        "peers as they come: automerge_repo gathers changes for a tenth of a second before it sends, pouchdb keeps its \
         change feed by HTTP"
            .into(),
    );
    Ok(())
}

/// Node, and the programs of ours beside the packages they use.
struct Drivers {
    node: PathBuf,
    folder: PathBuf,
    peer: String,
}

impl Drivers {
    /// Node from `PATH`, packages from `BAKEN_NODE_MODULES` or the workspace's `.baken/node/sync`.
    fn find(folder: &Path) -> Result<Self> {
        let node = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|folder| folder.join("node"))
            .find(|path| path.is_file())
            .context("Node.js is not installed")?;
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in a workspace")?;
        let modules = std::env::var_os("BAKEN_NODE_MODULES")
            .map_or_else(|| workspace.join(".baken/node/sync/node_modules"), PathBuf::from);
        if !modules.is_dir() {
            bail!("their packages are not installed; `cargo xtask bench sync` does that, or says why it cannot");
        }
        // Node looks for packages beside the program that asks for them.
        std::fs::create_dir_all(folder)?;
        for script in SCRIPTS {
            std::fs::copy(workspace.join("tests/peers/sync").join(script), folder.join(script))?;
        }
        std::os::unix::fs::symlink(modules, folder.join("node_modules"))?;
        let peer = text_of(&folder.join("peer.mjs"))?;
        Ok(Self { node, folder: folder.to_owned(), peer })
    }

    async fn measure(&self, engine: &'static str, bench: &mut Bench, load: &Load) -> Result<()> {
        let server_folder = self.folder.join(engine).join("server");
        std::fs::create_dir_all(&server_folder)?;
        let port = free_port()?;
        let log = self.folder.join(format!("{engine}.log"));
        let arguments = [&self.peer, engine, "serve", &port.to_string(), &text_of(&server_folder)?].map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut server = Process::start(engine, &self.node, &arguments, &[], &log)?;
        server.json_where(|line| line.get("listening").is_some()).await?;

        let live = self.drive(engine, "live", port, &[load.live, load.bytes], &[]).await?;
        bench.set_live(engine, live.times());
        let up = self.drive(engine, "up", port, &[load.backlog, load.bytes, load.rounds], &[]).await?;
        bench.set_up(load, engine, up.times());
        let pull = self.drive(engine, "pull", port, &[load.backlog, load.bytes], &up.documents).await?;
        bench.set_pull(load, engine, pull.times());

        let called = free_port()?;
        let proxy = Proxy::start(called, port).await?;
        let before = folder_bytes(&server_folder)?;
        let up = self.drive(engine, "up", called, &[load.backlog, load.bytes, 1], &[]).await?;
        bench.set_bytes(load, engine, WIRE_UP, proxy.take());
        let on_disk = folder_bytes(&server_folder)?.saturating_sub(before);
        let pull = self.drive(engine, "pull", called, &[load.backlog, load.bytes], &up.documents).await?;
        bench.set_bytes(load, engine, WIRE_PULL, proxy.take());
        bench.set_bytes(load, engine, REST, pull.stored.unwrap_or(on_disk));
        Ok(())
    }

    async fn drive(
        &self,
        engine: &str,
        command: &str,
        port: u16,
        numbers: &[usize],
        documents: &[String],
    ) -> Result<Report> {
        let folder = tempfile::tempdir_in(&self.folder)?;
        let url = format!("http://127.0.0.1:{port}");
        let folder = text_of(folder.path())?;
        let mut arguments = vec![self.peer.clone(), engine.to_owned(), command.to_owned(), url, folder];
        arguments.extend(numbers.iter().map(ToString::to_string));
        arguments.extend_from_slice(documents);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, out, err) = run_within(PATIENCE, &self.node, &arguments, &[]).await?;
        let report = out.lines().rev().find_map(|line| serde_json::from_str(line).ok());
        match report {
            Some(report) if code == 0 => Ok(report),
            _ => {
                // Node's traces have the error on a line of its own.
                let why = err.lines().find(|line| line.contains("Error")).or(err.lines().last()).unwrap_or_default();
                bail!("{command} ended with {code}: {why}")
            }
        }
    }
}

impl Report {
    fn times(&self) -> Vec<Duration> {
        self.ms.iter().map(|ms| Duration::from_secs_f64(ms / 1e3)).collect()
    }
}

fn text_of(path: &Path) -> Result<String> {
    Ok(path.to_str().context("the folder's name is text")?.to_owned())
}

/// The bytes of all files in a folder.
fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for item in std::fs::read_dir(folder)? {
        let item = item?;
        let metadata = item.metadata()?;
        bytes += if metadata.is_dir() { folder_bytes(&item.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
