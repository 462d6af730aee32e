//! An SMS gateway that calls the town's bridge.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::process::{Process, free_port};
use super::town::Town;

/// The number at which the town takes alarms by text message.
pub const NUMBER: &str = "+3197010200300";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The gateway, by the address at which the bridge hears it.
#[derive(Debug, Clone)]
pub struct Gateway {
    address: String,
}

impl Gateway {
    /// Puts the number into the directory, and has the bridge listen.
    ///
    /// # Errors
    /// When a step fails.
    pub async fn connect(town: &mut Town) -> Result<Self> {
        let org = town.folder("org");
        town.server(&["org", "directory", "--data", &org, "--sms-number", NUMBER, "--publish"]).await?;
        town.bridge.take().context("the bridge runs")?.kill().await?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        let config = Path::new(&town.folder("bridge")).join("bridge.toml");
        let mut buttons = std::fs::read_to_string(&config)?;
        buttons.push_str(&format!("\n[sms]\nlisten = \"{listen}\"\n[sms.cm]\nsecret = \"{SECRET}\"\n"));
        std::fs::write(config, buttons)?;
        town.start_bridge().await?;
        Ok(Self { address: format!("http://{listen}/sms/cm") })
    }

    /// Passes a text on; the status that it is answered.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn pass_on(&self, town: &Town, text: &str) -> Result<u64> {
        let program = town.programs.peers.join("sms_callback.py").display().to_string();
        let arguments = [&program, "--shape", "cm", "--to", &self.address, "--secret", SECRET, "--text", text];
        let log = town.data.join("log").join("gateway.log");
        let mut gateway = Process::start("gateway", &town.programs.python, &arguments, &[], &log)?;
        let answer = gateway.json_where(|line| line.get("status").is_some()).await?;
        answer["status"].as_u64().context("a status")
    }
}
