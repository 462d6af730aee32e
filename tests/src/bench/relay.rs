//! The real relay for benches: the server's own binary over TLS on loopback, answering after fsync, and an organisation
//! made straight from the formats.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use baken_schemas::cbor;
use baken_schemas::crypto::SigningKey;
use baken_schemas::org::{OrgId, RelayEntry};
use rand_core::CryptoRng;

use super::proxy::Proxy;
use crate::fleet::{Org, Wire};
use crate::story::process::{Process, Programs, free_port, run, until};

/// A relay that serves.
#[derive(Debug)]
pub struct Served {
    /// Its data folder.
    pub data: PathBuf,
    /// The organisation it knows, with one desk.
    pub org: Org,
    /// A client by hand.
    pub wire: Wire,
    /// What counts its bytes, where asked for.
    pub proxy: Option<Proxy>,
    _process: Process,
}

impl Served {
    /// Sets one up in `folder` and starts it; when `counted`, all that goes to it passes a proxy.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn start(folder: &Path, counted: bool, rng: &mut dyn CryptoRng) -> Result<Self> {
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
        let serve = ["serve", "relay", "--data", data_arg];
        let process = Process::start("relay", &programs.server, &serve, &[], &folder.join("relay.log"))?;
        let proxy = if counted { Some(Proxy::start(called, listens).await?) } else { None };
        let entry: RelayEntry = cbor::from_slice(&std::fs::read(data.join("relay.cbor"))?, "a relay's entry")?;
        let wire = Wire::new(&url, entry.tls_roots.first().context("a relay has a TLS root")?)?;
        let org = Org::make(entry, root, 1, 3600, rng);
        until("the relay answers", async || Ok(wire.publish(org.directory.bytes()).await.ok())).await?;
        Ok(Self { data, org, wire, proxy, _process: process })
    }
}
