//! The phone app in a real Chromium: a mayor's first day, an alarm by night, guidance with the network cut, a reload in
//! the middle of an alarm, two tabs; a partner with a browser of their own; in both languages, on a small phone and a wide
//! screen. The desk is played here.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use baken_tests::story::console::Officer;
use baken_tests::story::process::Process;
use baken_tests::story::town::{Plan, Town, text_of};

/// Where the built app and its packages are.
fn app() -> Result<PathBuf> {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client-core/web/app");
    for (what, mend) in [("dist/index.html", "cargo xtask web"), ("node_modules/playwright-core", "cargo xtask web")] {
        if !app.join(what).exists() {
            bail!("client-core/web/app/{what} is missing; make it with `{mend}`");
        }
    }
    Ok(app.canonicalize()?)
}

fn program(names: &[&str]) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    found
        .into_iter()
        .find(|program| program.is_file())
        .with_context(|| format!("{} is not installed; `cargo xtask setup` installs it on Debian", names.join(" or ")))
}

/// A town with the app served, and a story in a browser against it.
struct Stage {
    _town: Town,
    officer: Officer,
    browser: Process,
    browser_log: PathBuf,
    _serving: Process,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Starts `story`. With `family`, the ladder calls family first.
    async fn set(story: &str, language: &str, width: &str, family: bool) -> Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let app = app()?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("zandhoven");
        let plan = Plan { data: data.clone(), log_level: "info".to_owned(), tapped: false, programs: (None, None) };
        let mut town = Town::found(&plan).await?;
        if family {
            let (org, ladder) = (town.folder("org"), "Standaard=familie:60,Meldkamer Oost:60");
            town.server(&["org", "directory", "--data", &org, "--ladder", ladder, "--publish"]).await?;
        }
        let (serving, app_url) = town.serve_app(&app.join("dist")).await?;
        let invite = town.invite("Marit Testma", "burgemeester", "+31600000001").await?;
        let officer = town.officer("Joris de Wit").await?;
        let shots = app.join(format!("shots/{story}-{language}-{width}")).display().to_string();
        let profile = folder.path().join("profile").display().to_string();
        let chromium = program(&["chromium", "chromium-browser", "google-chrome"])?.display().to_string();
        let env = [
            ("APP_URL", app_url.as_str()),
            ("RELAY_URL", &town.relay_url),
            ("INVITE", &invite),
            ("LANGUAGE", language),
            ("WIDTH", width),
            ("PROFILE", &profile),
            ("SHOTS", &shots),
            ("CHROMIUM", &chromium),
        ];
        let story = app.join(format!("tests/{story}.mjs")).display().to_string();
        let browser_log = data.join("log/browser.log");
        let browser = Process::start("the browser", &program(&["node"])?, &[&story], &env, &browser_log)?;
        Ok(Self { _town: town, officer, browser, browser_log, _serving: serving, _folder: folder })
    }

    /// What the browser showed and said, where the story did not hold.
    fn tell<T>(&self, played: Result<T>) -> Result<T> {
        played.with_context(|| {
            let said = std::fs::read_to_string(&self.browser_log).unwrap_or_default();
            format!("{}\n{said}", self.browser.lines().join("\n"))
        })
    }
}

async fn play(language: &str, width: &str) -> Result<Value> {
    let mut stage = Stage::set("story", language, width, false).await?;
    let played = act(&mut stage.browser, &stage.officer).await;
    stage.tell(played)
}

async fn play_family(language: &str, width: &str) -> Result<Value> {
    let mut stage = Stage::set("family", language, width, true).await?;
    let played = act_for_family(&mut stage.browser, &stage.officer).await;
    stage.tell(played)
}

/// The desk is called only when the partner sends the alarm on.
async fn act_for_family(browser: &mut Process, officer: &Officer) -> Result<Value> {
    let told = browser.json_where(|line| line["step"] == "sent_on").await?;
    let alarm = text_of(&told, "alarm")?;
    officer.look_until(&format!("/api/alarms/{alarm}"), |shown| shown.get("alarm").cloned()).await?;
    officer.act(&format!("/api/alarms/{alarm}/acknowledge"), &json!({})).await?;
    browser.type_line("seen").await?;
    browser.json_where(|line| line["step"] == "ended").await
}

/// What the desk does while the story goes on in the browser.
async fn act(browser: &mut Process, officer: &Officer) -> Result<Value> {
    let step = |name: &'static str| move |line: &Value| line["step"] == name;
    browser.json_where(step("activated")).await?;
    let told = browser.json_where(step("received")).await?;
    let alarm = text_of(&told, "alarm")?;
    officer.look_until(&format!("/api/alarms/{alarm}"), |shown| shown.get("alarm").cloned()).await?;
    officer.act(&format!("/api/alarms/{alarm}/acknowledge"), &json!({})).await?;
    browser.type_line("seen").await?;
    browser.json_where(step("withdrawn")).await?;
    officer.act(&format!("/api/alarms/{alarm}/close"), &json!({ "outcome": "Veilig" })).await?;
    browser.type_line("closed").await?;
    let drained = text_of(&browser.json_where(step("drained")).await?, "alarm")?;
    officer.look_until(&format!("/api/alarms/{drained}"), |shown| shown.get("alarm").cloned()).await?;
    browser.type_line("there").await?;
    browser.json_where(step("ended")).await
}

fn holds(ended: &Value) {
    assert_eq!(ended["foreign"], json!([]), "the app asked somebody else than its own origin and the relay");
    assert_eq!(ended["violations"], json!([]), "{:#}", ended["violations"]);
    assert_eq!(ended["errors"], json!([]), "{:#}", ended["errors"]);
}

/// And the databases that were found sealed: vault, decoy and outbox.
fn holds_sealed(ended: &Value) {
    holds(ended);
    assert_eq!(ended["databases"], json!(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mayors_days_with_the_phone_app_on_a_small_phone_in_dutch() {
    holds_sealed(&play("nl", "360").await.expect("the story holds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mayors_days_with_the_phone_app_on_a_wide_screen_in_english() {
    holds_sealed(&play("en", "1280").await.expect("the story holds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_joins_the_family_and_answers_an_alarm_on_a_small_phone_in_dutch() {
    holds(&play_family("nl", "360").await.expect("the story holds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_joins_the_family_and_answers_an_alarm_on_a_wide_screen_in_english() {
    holds(&play_family("en", "1280").await.expect("the story holds"));
}
