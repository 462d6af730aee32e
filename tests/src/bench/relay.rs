//! The real relay for benches: the server's own binary over TLS on loopback, answering after fsync, and an organisation
//! made straight from the formats.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::org::{OrgId, RelayEntry};
use rand_core::CryptoRng;

use super::proxy::Proxy;
use crate::fleet::{Org, Wire, https_client};
use crate::story::process::{Process, Programs, free_port, run, until};

/// Microseconds in one tick of the CPU times under `/proc`, of which every Linux gives a hundred a second.
const TICK_US: f64 = 10_000.0;

/// A relay that serves.
#[derive(Debug)]
pub struct Served {
    /// Its data folder.
    pub data: PathBuf,
    /// The organisation it knows.
    pub org: Org,
    /// A client by hand.
    pub wire: Wire,
    /// Its TLS root (DER).
    pub tls_root: Vec<u8>,
    /// What counts its bytes, where asked for.
    pub proxy: Option<Proxy>,
    process: Process,
    log: PathBuf,
}

/// CPU that a relay has used, in microseconds: all of it, and that of the thread which writes the database.
#[derive(Debug, Clone, Copy)]
pub struct CpuUs {
    /// Of the whole process.
    pub all: f64,
    /// Of the writer's thread.
    pub writer: f64,
}

impl Served {
    /// Sets one up in `folder`, with one desk that is waited for for an hour, and starts it; when `counted`, all that goes to
    /// it passes a proxy.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn start(folder: &Path, counted: bool, rng: &mut dyn CryptoRng) -> Result<Self> {
        Self::start_for(folder, counted, (1, 3600), rng).await
    }

    /// As [`Served::start`], with a ladder of `desks` desks and `wait_s` seconds between.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn start_for(
        folder: &Path,
        counted: bool,
        (desks, wait_s): (usize, u32),
        rng: &mut dyn CryptoRng,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let programs = Programs::find()?;
        let root = SigningKey::make(rng);
        let data = folder.join("relay");
        let data_arg = data.to_str().context("the folder's name is text")?;
        let called = free_port()?;
        let listens = if counted { free_port()? } else { called };
        let (url, listen) = (format!("https://127.0.0.1:{called}"), format!("127.0.0.1:{listens}"));
        let org_id = OrgId::of(&root.verify_key()).to_string();
        let args = ["init", "relay", "--data", data_arg, "--url", &url, "--listen", &listen, "--org", &org_id];
        let (code, out, err) = run(&programs.server, &args, &[]).await?;
        ensure!(code == 0, "init relay ended with {code}: {out}{err}");
        let log = folder.join("relay.log");
        let process = serve(&data, &log)?;
        let proxy = if counted { Some(Proxy::start(called, listens).await?) } else { None };
        let entry: RelayEntry = cbor::from_slice(&std::fs::read(data.join("relay.cbor"))?, "a relay's entry")?;
        let tls_root = entry.tls_roots.first().context("a relay has a TLS root")?.to_vec();
        let wire = Wire::new(&url, &tls_root)?;
        let org = Org::make(entry, root, desks, wait_s, rng);
        until("the relay answers", async || Ok(wire.publish(org.directory.bytes()).await.ok())).await?;
        Ok(Self { data, org, wire, tls_root, proxy, process, log })
    }

    /// A client with a connection of its own, from this local address.
    ///
    /// # Errors
    /// When the relay's root is no certificate.
    pub fn another_wire(&self, local: Option<IpAddr>) -> Result<Wire> {
        Ok(self.wire.with(https_client(&self.tls_root, local)?))
    }

    /// `kill -9`, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn kill_and_start(&mut self) -> Result<()> {
        self.process.kill().await?;
        self.start_again().await
    }

    /// Tells it to stop and waits until it has, so that its database can be opened.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> Result<()> {
        let id = self.process.id().context("the relay runs")?.to_string();
        let (code, _, why) = run(Path::new("kill"), &["-TERM", &id], &[]).await?;
        ensure!(code == 0, "the relay could not be told to stop: {why}");
        self.process.wait().await?;
        Ok(())
    }

    /// Starts it after it was stopped.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process = serve(&self.data, &self.log)?;
        until("the relay answers", async || Ok(self.wire.is_ready().await.then_some(()))).await
    }

    /// The CPU that it has used so far. Its threads are known by their names.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn cpu(&self) -> Result<CpuUs> {
        let process = PathBuf::from(format!("/proc/{}", self.process.id().context("the relay runs")?));
        let mut used = CpuUs { all: used_us(&process)?, writer: 0.0 };
        for thread in std::fs::read_dir(process.join("task"))? {
            let thread = thread?.path();
            if std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.starts_with("baken-writer")) {
                used.writer = used_us(&thread)?;
            }
        }
        Ok(used)
    }

    /// Its memory in bytes, as the system counts it (resident).
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn memory_bytes(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id().context("the relay runs")?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is there")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }
}

/// CPU of a process or thread, by its folder under `/proc`.
fn used_us(folder: &Path) -> Result<f64> {
    let stat = std::fs::read_to_string(folder.join("stat"))?;
    // Behind the name, which stands in brackets: user and system time are the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit_once(')').context("it has a name")?.1.split(' ').collect();
    let ticks = |at: usize| -> Result<f64> { Ok(fields.get(at).context("times are there")?.parse()?) };
    Ok((ticks(12)? + ticks(13)?) * TICK_US)
}

fn serve(data: &Path, log: &Path) -> Result<Process> {
    let data = data.to_str().context("the folder's name is text")?;
    let server = Programs::find()?.server;
    Process::start("relay", &server, &["serve", "relay", "--data", data], &[], log)
}
