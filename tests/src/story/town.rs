//! A small fictitious municipality, set up in a folder: organisation root, relay, desk and bridge, each in a folder
//! and a process of its own, and the receivers a desk calls out to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::console::Officer;
use super::process::{Process, Programs, free_port, run};
use crate::tap::Tap;

/// Where the running town lives.
#[derive(Debug)]
pub struct Town {
    /// The programs it runs.
    pub programs: Programs,
    /// Its folder.
    pub data: PathBuf,
    /// The relay's address.
    pub relay_url: String,
    /// The desk's console.
    pub console_url: String,
    /// The port the bridge listens on for buttons.
    pub button_port: u16,
    /// The relay, while it runs.
    pub relay: Option<Process>,
    /// The desk, while it runs.
    pub desk: Option<Process>,
    /// The bridge, while it runs.
    pub bridge: Option<Process>,
    /// A real webhook receiver.
    pub webhook: Process,
    /// A real DC-09 receiver.
    pub dc09: Process,
    /// The tap, where there is one.
    pub tap: Option<Tap>,
    /// `RUST_LOG` of the servers.
    log_level: String,
}

/// How a town is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its folder; made when it is not there, and it must be empty.
    pub data: PathBuf,
    /// How much the servers log.
    pub log_level: String,
    /// Everything to and from the relay passes a tap that sees inside TLS.
    pub tapped: bool,
    /// Where `baken` and `baken-server` are, and the Python with the receivers' packages; looked up when not said.
    pub programs: (Option<PathBuf>, Option<PathBuf>),
}

/// The key of the desk's account at the DC-09 receiver: 16 ASCII characters, as receivers are given them.
const DC09_KEY: &str = "0123456789ABCDEF";
/// The desk's account number there.
const DC09_ACCOUNT: &str = "1234";
/// The hardware button's account at the bridge, and its key.
pub const BUTTON_ACCOUNT: &str = "B007";
/// The key the button encrypts with.
pub const BUTTON_KEY: &str = "FEDCBA9876543210";

impl Town {
    /// Makes the folders and keys, starts the receivers and every server.
    ///
    /// # Errors
    /// When the folder is in use, or a step fails: what it printed is in the error, its log beside the data.
    pub async fn found(plan: &Plan) -> Result<Self> {
        let data = &plan.data;
        if data.exists() && std::fs::read_dir(data)?.next().is_some() {
            bail!("{} is not empty: name a new folder with --data, or empty this one", data.display());
        }
        std::fs::create_dir_all(data.join("log"))?;
        let programs = Programs::find_in(plan.programs.0.clone(), plan.programs.1.clone())?;
        let relay_url = format!("https://127.0.0.1:{}", free_port()?);
        let console_url = format!("https://127.0.0.1:{}", free_port()?);
        let button_port = free_port()?;
        let webhook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let peer = |name: &str| programs.peers.join(name).display().to_string();
        let log = |name: &str| data.join("log").join(format!("{name}.log"));
        let webhook_program = peer("webhook_receiver.py");
        let mut webhook = Process::start(
            "webhook receiver",
            &programs.python,
            &[&webhook_program, "--port", "0"],
            &[("WEBHOOK_SECRET", webhook_secret)],
            &log("webhook"),
        )?;
        let webhook_port = port_of(&webhook.json_where(|line| line.get("listening").is_some()).await?)?;
        let dc09_program = peer("dc09_receiver.py");
        let mut dc09 = Process::start(
            "DC-09 receiver",
            &programs.python,
            &[&dc09_program, "--port", "0", "--account", DC09_ACCOUNT, "--key", DC09_KEY],
            &[],
            &log("dc09"),
        )?;
        let dc09_port = port_of(&dc09.json_where(|line| line.get("listening").is_some()).await?)?;

        let town = Self {
            programs,
            data: data.clone(),
            relay_url,
            console_url,
            button_port,
            relay: None,
            desk: None,
            bridge: None,
            webhook,
            dc09,
            tap: None,
            log_level: plan.log_level.clone(),
        };
        town.set_up(plan.tapped, webhook_port, webhook_secret, dc09_port).await
    }

    async fn set_up(mut self, tapped: bool, webhook_port: u16, webhook_secret: &str, dc09_port: u16) -> Result<Self> {
        let (org, relay, desk, bridge) =
            (self.folder("org"), self.folder("relay"), self.folder("desk"), self.folder("bridge"));
        let (relay_url, console_url) = (self.relay_url.clone(), self.console_url.clone());
        let made = self.server(&["org", "init", "--data", &org, "--name", "Gemeente Zandhoven"]).await?;
        let org_id = text_of(&made, "org")?;
        // Behind a tap the relay listens elsewhere than where it is called.
        let listen = if tapped {
            format!("127.0.0.1:{}", free_port()?)
        } else {
            relay_url.trim_start_matches("https://").to_owned()
        };
        self.server(&["init", "relay", "--data", &relay, "--url", &relay_url, "--listen", &listen, "--org", &org_id])
            .await?;
        self.start_relay().await?;
        if tapped {
            self.tap = Some(Tap::before_relay(Path::new(&relay), &relay_url, listen.parse()?).await?);
        }
        let relay_entry = format!("{relay}/relay.cbor");
        self.server(&[
            "init",
            "desk",
            "--data",
            &desk,
            "--name",
            "Meldkamer Oost",
            "--url",
            &console_url,
            "--relay",
            &relay_entry,
            "--org",
            &org_id,
        ])
        .await?;
        let config = Path::new(&desk).join("desk.toml");
        let mut channels = std::fs::read_to_string(&config).unwrap_or_default();
        channels.push_str(&format!(
            "\n[[webhook]]\nname = \"regie\"\nurl = \"http://127.0.0.1:{webhook_port}/\"\nown_network = true\nsecret = \"{webhook_secret}\"\n\
             \n[[dc09]]\nname = \"pac\"\naddress = \"127.0.0.1:{dc09_port}\"\naccount = \"{DC09_ACCOUNT}\"\n\
             key = \"ascii:{DC09_KEY}\"\nposition = true\n"
        ));
        std::fs::write(config, channels)?;
        let desk_entry = format!("{desk}/desk.cbor");
        self.server(&["org", "directory", "--data", &org, "--relay", &relay_entry, "--desk", &desk_entry, "--publish"])
            .await?;
        self.start_desk().await?;
        let invite = self
            .server(&[
                "org",
                "invite",
                "--data",
                &org,
                "--role",
                "bridge",
                "--name",
                "Knop balie stadhuis",
                "--office",
                "receptie",
                "--phone",
                "0600000007",
                "--publish",
            ])
            .await?;
        let invite = text_of(&invite, "invite")?;
        let listen = format!("127.0.0.1:{}", self.button_port);
        self.server(&["init", "bridge", "--data", &bridge, "--invite", &invite, "--listen", &listen]).await?;
        let config = Path::new(&bridge).join("bridge.toml");
        let mut buttons = std::fs::read_to_string(&config).unwrap_or_default();
        buttons.push_str(&format!(
            "\n[[button]]\naccount = \"{BUTTON_ACCOUNT}\"\nkey = \"ascii:{BUTTON_KEY}\"\nname = \"Knop balie stadhuis\"\n"
        ));
        std::fs::write(config, buttons)?;
        self.start_bridge().await?;
        Ok(self)
    }

    /// A folder below the town's, as text.
    pub fn folder(&self, name: &str) -> String {
        self.data.join(name).display().to_string()
    }

    /// Runs `baken-server --json …` and reads what it answers.
    ///
    /// # Errors
    /// When it does not end with 0; what it printed is in the error.
    pub async fn server(&self, args: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend_from_slice(args);
        let (code, out, err) = run(&self.programs.server, &all, &[]).await?;
        if code != 0 {
            bail!("baken-server {} ended with {code}: {out}{err}", args.join(" "));
        }
        last_json(&out)
    }

    async fn serve(&self, role: &str) -> Result<Process> {
        let folder = self.folder(role);
        let log = self.data.join("log").join(format!("{role}.log"));
        let args = ["--json", "serve", role, "--data", &folder];
        let mut process = Process::start(role, &self.programs.server, &args, &[("RUST_LOG", &self.log_level)], &log)?;
        process.json_where(|line| line.get("serving").is_some()).await?;
        Ok(process)
    }

    /// Starts the relay, and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start_relay(&mut self) -> Result<()> {
        self.relay = Some(self.serve("relay").await?);
        Ok(())
    }

    /// Starts the desk, and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start_desk(&mut self) -> Result<()> {
        self.desk = Some(self.serve("desk").await?);
        Ok(())
    }

    /// Starts the bridge, and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start_bridge(&mut self) -> Result<()> {
        self.bridge = Some(self.serve("bridge").await?);
        Ok(())
    }

    /// Serves the phone app of this folder on an origin of its own, which the relay is told and started anew for: the
    /// process, and the app's address.
    ///
    /// # Errors
    /// When one of both does not serve.
    pub async fn serve_app(&mut self, files: &Path) -> Result<(Process, String)> {
        let listen = format!("127.0.0.1:{}", free_port()?);
        let url = format!("http://{listen}");
        let config = self.data.join("relay/config.toml");
        let settings = std::fs::read_to_string(&config)?;
        std::fs::write(&config, format!("app_origin = \"{url}\"\n{settings}"))?;
        self.kill_relay().await?;
        self.start_relay().await?;
        let files = files.display().to_string();
        let args = ["--json", "serve", "app", "--files", &files, "--relay", &self.relay_url, "--listen", &listen];
        let mut app = Process::start("app", &self.programs.server, &args, &[], &self.data.join("log/app.log"))?;
        app.json_where(|line| line.get("serving").is_some()).await?;
        Ok((app, url))
    }

    /// `kill -9` of the relay.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill_relay(&mut self) -> Result<()> {
        self.relay.take().context("the relay runs")?.kill().await
    }

    /// Adds an officer: the login link.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn officer_link(&self, name: &str) -> Result<String> {
        let desk = self.folder("desk");
        text_of(&self.server(&["officer", "add", "--data", &desk, "--name", name]).await?, "link")
    }

    /// Adds an officer and logs in.
    ///
    /// # Errors
    /// When the link is refused.
    pub async fn officer(&self, name: &str) -> Result<Officer> {
        let link = self.officer_link(name).await?;
        Officer::log_in(&link, &std::fs::read(self.data.join("desk/tls-root.der"))?).await
    }

    /// Makes an invite for an office-holder.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn invite(&self, name: &str, office: &str, phone: &str) -> Result<String> {
        let org = self.folder("org");
        let made = self
            .server(&[
                "org",
                "invite",
                "--data",
                &org,
                "--name",
                name,
                "--office",
                office,
                "--phone",
                phone,
                "--publish",
            ])
            .await?;
        text_of(&made, "invite")
    }
}

/// The last line of a program's output, as JSON.
///
/// # Errors
/// When it is none.
pub fn last_json(out: &str) -> Result<Value> {
    let line = out.lines().rfind(|line| !line.trim().is_empty()).context("it printed nothing")?;
    serde_json::from_str(line).with_context(|| format!("its last line is no JSON: {line}"))
}

/// A text field of an answer.
///
/// # Errors
/// When it is not there.
pub fn text_of(answer: &Value, field: &str) -> Result<String> {
    Ok(answer.get(field).and_then(Value::as_str).with_context(|| format!("{answer} has no {field}"))?.to_owned())
}

fn port_of(line: &Value) -> Result<u16> {
    line.get("listening")
        .and_then(Value::as_u64)
        .and_then(|port| u16::try_from(port).ok())
        .context("a receiver prints its port")
}
