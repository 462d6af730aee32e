//! An officer and an adviser with only the screen, in a real Chromium: what they click lies in `tests/browser`. Every page
//! they come by is looked over by axe in both languages, on a telephone's screen and a desk's, by day and by night, and
//! must ask nobody else for anything. With `BAKEN_SHOTS` naming a folder, pictures of all of them go there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use baken_tests::story::phone::{PIN, Phone};
use baken_tests::story::process::{Process, run_within};
use baken_tests::story::town::{Plan, Town, text_of};
use serde_json::{Value, json};

use super::docs::workspace;

/// How long a play may take: axe looks at some hundred screens in it.
const PLAY: Duration = Duration::from_secs(300);

/// The port of an address.
fn port_of(url: &str) -> Result<&str> {
    Ok(url.rsplit_once(':').context("a port")?.1)
}

async fn town(folder: &tempfile::TempDir) -> Result<Town> {
    let data = folder.path().join("zandhoven");
    let mut town =
        Town::found(&Plan { data, log_level: "info".to_owned(), tapped: false, programs: (None, None) }).await?;
    // Browsers have passkeys for names alone.
    town.desk.take().context("the desk runs")?.kill().await?;
    let config = town.data.join("desk/config.toml");
    let named = format!("https://localhost:{}", port_of(&town.console_url)?);
    let text = std::fs::read_to_string(&config)?
        .replace(&format!("url = \"{}\"", town.console_url), &format!("url = \"{named}\""));
    assert!(text.contains(&named), "{text}");
    std::fs::write(&config, text)?;
    town.console_url = named;
    town.start_desk().await?;
    Ok(town)
}

/// Plays what lies in a file of `tests/browser`.
async fn play(file: &str, town: &Value) -> Result<()> {
    let workspace = workspace()?;
    let modules = std::env::var_os("BAKEN_BROWSER_MODULES")
        .map_or_else(|| workspace.join(".baken/node/browser/node_modules"), PathBuf::from);
    if !modules.is_dir() {
        bail!("{} is missing; `cargo xtask test` installs it", modules.display());
    }
    let script = workspace.join("tests/browser").join(file).display().to_string();
    let (modules, town) = (modules.display().to_string(), town.to_string());
    let environment = [("BAKEN_NODE_MODULES", modules.as_str()), ("BAKEN_TOWN", &town)];
    let (code, out, err) = run_within(PLAY, Path::new("node"), &[&script], &environment).await?;
    if code != 0 {
        bail!("{file} ended with {code}: {out}{err}");
    }
    assert!(out.contains("played"), "{out}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officers_shift_is_played_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    an_officers_shift(&folder).await.expect("the shift is played");
}

async fn an_officers_shift(folder: &tempfile::TempDir) -> Result<()> {
    let town = town(folder).await?;
    let roster = folder.path().join("roster.toml");
    std::fs::write(
        &roster,
        "[[person]]\nname = \"J. de Vries\"\nmail = \"j.devries@example.nl\"\n[[person]]\nname = \"S. Bakker\"\n\
         phone = \"+31612345678\"\n[[person]]\nname = \"Piket\"\n[[shift]]\nwho = [\"J. de Vries\"]\nfrom = \"mon 08:00\"\n\
         to = \"fri 20:00\"\n[[shift]]\nwho = [\"S. Bakker\"]\nfrom = \"fri 20:00\"\nto = \"sun 20:00\"\n",
    )?;
    town.server(&["duty", "set", "--data", &town.folder("desk"), &roster.display().to_string()]).await?;
    let links = [town.officer_link("J. de Vries").await?, town.officer_link("S. Bakker").await?];
    let mayor = Phone::new(&town, "marit", "nl");
    let invite = town.invite("Marit Oosterhof", "burgemeester", "+31612345678").await?;
    mayor.run(&["activate", "--name", "Telefoon", &invite]).await?;
    let profile = [
        "record",
        "add",
        "profile",
        "name=Marit Oosterhof",
        "home_address=Lindelaan 12, Zandhoven",
        "code_word=bosuil",
    ];
    mayor.run(&profile).await?;
    mayor.run(&["sync"]).await?;
    let what = json!({
        "console": town.console_url, "certificate": town.data.join("desk/tls-server.der"), "links": links,
        "phone": town.programs.phone, "home": mayor.home(), "pin": PIN,
    });
    play("officer.mjs", &what).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adviser_sets_a_municipality_up_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    an_advisers_set_up(&folder).await.expect("the set-up is played");
}

async fn an_advisers_set_up(folder: &tempfile::TempDir) -> Result<()> {
    let town = town(folder).await?;
    let (org, log) = (town.folder("org"), town.data.join("log/portal.log"));
    let mut links = Vec::new();
    let mut portals = Vec::new();
    for (name, with_root) in [("adviser", true), ("colleague", false)] {
        let invite = ["org", "invite", "--data", &org, "--role", "adviser", "--name", name, "--office", "adviseur"];
        let made = town.server(&[&invite[..], &["--phone", "+31600000011", "--publish"]].concat()).await?;
        let (data, invite) = (town.folder(name), text_of(&made, "invite")?);
        town.server(&["init", "adviser", "--data", &data, "--invite", &invite]).await?;
        let mut args = vec!["--json", "serve", "portal", "--data", &data];
        if with_root {
            args.extend(["--root", &org]);
        }
        let mut portal = Process::start("portal", &town.programs.server, &args, &[], &log)?;
        links.push(text_of(&portal.json_where(|line| line.get("link").is_some()).await?, "link")?);
        portals.push(portal);
    }
    let councillor = Phone::new(&town, "noor", "nl");
    let what = json!({
        "portal": links[0], "without": links[1], "phone": town.programs.phone, "home": councillor.home(), "pin": PIN,
    });
    play("adviser.mjs", &what).await
}
