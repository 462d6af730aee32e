//! A second desk of the town, on the second rung of a ladder for check-ins.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::console::Officer;
use super::process::{Process, free_port};
use super::town::{Town, text_of};

/// Meldkamer West.
#[derive(Debug)]
pub struct SecondDesk {
    /// An officer who is logged in there.
    pub officer: Officer,
    _process: Process,
}

impl SecondDesk {
    /// Sets it up and starts it: missed check-ins ring at the first desk, and two seconds later here.
    ///
    /// # Errors
    /// When a step fails.
    pub async fn found(town: &Town) -> Result<Self> {
        let (west, org) = (town.folder("west"), town.folder("org"));
        let relay_entry = format!("{}/relay.cbor", town.folder("relay"));
        let org_id = org_of(town)?;
        let url = format!("https://127.0.0.1:{}", free_port()?);
        let init = ["init", "desk", "--data", &west, "--name", "Meldkamer West", "--url", &url];
        town.server(&[&init[..], &["--relay", &relay_entry, "--org", &org_id]].concat()).await?;
        let ladder = "Check-ins=Meldkamer Oost:2,Meldkamer West:60";
        let entry = format!("{west}/desk.cbor");
        let directory =
            ["org", "directory", "--data", &org, "--desk", &entry, "--check-in-ladder", ladder, "--publish"];
        let signed = town.server(&directory).await?;
        ensure!(signed["check_in_ladders"] == json!(["Check-ins"]), "{signed}");
        let log = town.data.join("log/west.log");
        let serve = ["--json", "serve", "desk", "--data", &west];
        let mut process = Process::start("west", &town.programs.server, &serve, &[], &log)?;
        process.json_where(|line| line.get("serving").is_some()).await?;
        let added = town.server(&["officer", "add", "--data", &west, "--name", "Agent West"]).await?;
        let root = std::fs::read(Path::new(&west).join("tls-root.der"))?;
        let officer = Officer::log_in(&text_of(&added, "link")?, &root).await?;
        Ok(Self { officer, _process: process })
    }
}

/// The organisation's number, as the desk's configuration has it.
fn org_of(town: &Town) -> Result<String> {
    let config = std::fs::read_to_string(Path::new(&town.folder("desk")).join("config.toml"))?;
    let line =
        config.lines().find(|line| line.trim_start().starts_with("org")).context("a desk knows its organisation")?;
    Ok(line.split('"').nth(1).context("it is quoted")?.to_owned())
}
