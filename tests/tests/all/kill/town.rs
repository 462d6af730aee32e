//! A relay, a desk and a bridge as processes of their own, to be killed and started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::org::{Directory, RelayEntry};
use baken_tests::fleet::{Org, Wire};
use baken_tests::story::console::Officer;
use baken_tests::story::process::{Process, free_port, run};
use baken_tests::story::town::{last_json, text_of};
use serde_json::Value;
use tempfile::TempDir;

/// How much of a log an error shows.
const LAST_LINES: usize = 15;

/// One server.
#[derive(Debug)]
pub struct Server {
    role: &'static str,
    program: PathBuf,
    data: PathBuf,
    process: Process,
}

impl Server {
    async fn start(role: &'static str, program: &Path, data: &Path) -> Result<Self> {
        let process = serve(role, program, data).await?;
        Ok(Self { role, program: program.to_owned(), data: data.to_owned(), process })
    }

    /// `kill -9` after so long, and a start.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn crash(&mut self, after: Duration) -> Result<()> {
        // Not a wait for something: the random moment itself.
        tokio::time::sleep(after).await;
        self.process.kill().await?;
        self.process = serve(self.role, &self.program, &self.data).await?;
        Ok(())
    }

    /// Kills it for good, and looks its folder over: SQLite's own check, and the audit's chain.
    ///
    /// # Errors
    /// When something is wrong with it.
    pub async fn verify(&mut self) -> Result<()> {
        self.process.kill().await?;
        let folder = self.data.join(self.role).display().to_string();
        cli(&self.program, &["verify", "--data", &folder]).await.map(drop)
    }
}

/// The buttons' accounts at the bridge; what they send is in the clear.
pub const BUTTONS: [&str; 2] = ["B001", "B002"];

/// A town of one desk and a bridge with two buttons.
#[derive(Debug)]
pub struct Town {
    /// The bridge.
    pub bridge: Server,
    /// Where it listens for buttons.
    pub buttons: String,
    /// The relay.
    pub relay: Server,
    /// The desk.
    pub desk: Server,
    /// The organisation, with its root.
    pub org: Org,
    /// The way to the relay.
    pub wire: Wire,
    /// An officer, logged in.
    pub officer: Officer,
    /// Their folders.
    pub data: TempDir,
}

impl Town {
    /// Sets organisation, relay, desk and bridge up, and starts them.
    ///
    /// # Errors
    /// When a step fails; what was printed is in the error.
    pub async fn found() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let program = program()?;
        let url = || -> Result<String> { Ok(format!("https://127.0.0.1:{}", free_port()?)) };
        let (relay_url, console_url) = (url()?, url()?);
        let path = |name: &str| data.path().join(name).display().to_string();
        let (root, relay, desk) = (path("org"), path("relay"), path("desk"));
        let (relay_entry, desk_entry) = (path("relay/relay.cbor"), path("desk/desk.cbor"));
        let made = cli(&program, &["org", "init", "--data", &root, "--name", "Gemeente Zandhoven"]).await?;
        let org = text_of(&made, "org")?;
        cli(&program, &["init", "relay", "--data", &relay, "--url", &relay_url, "--org", &org]).await?;
        let init = ["init", "desk", "--data", &desk, "--name", "Meldkamer Oost", "--url", &console_url];
        cli(&program, &[&init[..], &["--relay", &relay_entry, "--org", &org]].concat()).await?;
        let relay = Server::start("relay", &program, data.path()).await?;
        let publish =
            ["org", "directory", "--data", &root, "--relay", &relay_entry, "--desk", &desk_entry, "--publish"];
        cli(&program, &publish).await?;
        let added = cli(&program, &["officer", "add", "--data", &desk, "--name", "Agent Jansen"]).await?;
        let desk = Server::start("desk", &program, data.path()).await?;
        let officer = Officer::log_in(&text_of(&added, "link")?, &std::fs::read(path("desk/tls-root.der"))?).await?;
        let invite = ["org", "invite", "--data", &root, "--role", "bridge", "--name", "Balie stadhuis"];
        let invite = [&invite[..], &["--office", "receptie", "--phone", "0600000007", "--publish"]].concat();
        let invite = text_of(&cli(&program, &invite).await?, "invite")?;
        let (bridge, buttons) = (path("bridge"), format!("127.0.0.1:{}", free_port()?));
        cli(&program, &["init", "bridge", "--data", &bridge, "--invite", &invite, "--listen", &buttons]).await?;
        let known = BUTTONS.map(|account| format!("[[button]]\naccount = \"{account}\"\nname = \"Balie {account}\"\n"));
        std::fs::write(path("bridge/bridge.toml"), known.concat())?;
        let bridge = Server::start("bridge", &program, data.path()).await?;
        let org = root_of(&data.path().join("org"))?;
        let entry: RelayEntry = cbor::from_slice(&std::fs::read(relay_entry)?, "a relay's entry")?;
        let wire = Wire::new(&relay_url, entry.tls_roots.first().context("a relay has a TLS root")?)?;
        Ok(Self { bridge, buttons, relay, desk, org, wire, officer, data })
    }
}

/// The organisation as its folder has it.
fn root_of(folder: &Path) -> Result<Org> {
    let seed: [u8; 32] = std::fs::read(folder.join("root.key"))?[..].try_into().context("a root has 32 bytes")?;
    let root = SigningKey::from_bytes(&seed);
    let id = baken_schemas::org::OrgId::of(&root.verify_key());
    let directory = Directory::verify(&std::fs::read(folder.join("directory.cbor"))?, id)?;
    Ok(Org { root, desks: Vec::new(), directory })
}

/// `baken-server`, beside this test's own binary.
fn program() -> Result<PathBuf> {
    let bin = match std::env::var_os("BAKEN_BIN_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_exe()?.ancestors().nth(2).context("a test lies in target/…/deps")?.to_owned(),
    };
    let program = bin.join("baken-server");
    ensure!(program.exists(), "{} is missing; make it with `cargo build -p baken-server`", program.display());
    Ok(program)
}

async fn serve(role: &str, program: &Path, data: &Path) -> Result<Process> {
    let folder = data.join(role).display().to_string();
    let log = data.join(format!("{role}.log"));
    let args = ["--json", "serve", role, "--data", &folder];
    let mut process = Process::start(role, program, &args, &[("RUST_LOG", "info")], &log)?;
    let started = process.json_where(|line| line.get("serving").is_some()).await;
    started.with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
    Ok(process)
}

/// Runs `baken-server --json …` to its end, and reads what it says.
async fn cli(program: &Path, args: &[&str]) -> Result<Value> {
    let (code, out, err) = run(program, &[&["--json"], args].concat(), &[]).await?;
    ensure!(code == 0, "baken-server {} ended with {code}: {out}{err}", args.join(" "));
    last_json(&out)
}

/// The ends of the servers' logs, for an error.
pub fn last_words(data: &Path) -> String {
    ["relay", "desk"]
        .map(|role| {
            let log = std::fs::read_to_string(data.join(format!("{role}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("{role}:\n{}\n", lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"))
        })
        .concat()
}
