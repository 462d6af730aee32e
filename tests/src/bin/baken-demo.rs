//! The demo: plays the main job with real processes. Started by `cargo xtask demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use baken_schemas::Language;
use baken_tests::story::play::{Options, Summary, play};
use baken_tests::story::town::{Plan, Town};
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

/// A small municipality, two phones, an alarm, an officer: the whole path, on this machine.
#[derive(Parser)]
struct Arguments {
    /// End when the story has ended, instead of leaving the servers up.
    #[arg(long)]
    once: bool,
    /// Tell nothing; print the summary as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Keep everything in this folder, which must be new or empty.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The language of the story.
    #[arg(
        long = "lang",
        value_name = "LANG",
        value_parser = PossibleValuesParser::new(Language::TAGS).try_map(|tag| tag.parse::<Language>()),
        default_value = "nl"
    )]
    language: Language,
    /// Where `baken` and `baken-server` are.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// The built phone app; without it the story is the same, and there is none to try.
    #[arg(long)]
    app: Option<PathBuf>,
    /// The Python with the receivers' packages.
    #[arg(long)]
    python: Option<PathBuf>,
}

fn main() -> ExitCode {
    // Installed once, before any thread; an earlier one cannot exist.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            if arguments.json {
                println!("{}", serde_json::json!({ "ok": false, "error": format!("{error:#}") }));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = arguments.data.clone().unwrap_or_else(|| scratch.path().join("zandhoven"));
    let plan = Plan { data, log_level: "info".to_owned(), tapped: false, programs: arguments.programs() };
    let options = Options { plan, language: arguments.language, quiet: arguments.json };
    tokio::runtime::Runtime::new()?.block_on(async {
        let (mut town, summary) = play(&options).await?;
        if !arguments.once {
            wait(arguments, &mut town, &summary).await?;
        }
        if arguments.json {
            println!("{}", serde_json::to_string(&summary)?);
        }
        Ok(())
    })
}

impl Arguments {
    fn programs(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        (self.bin_dir.clone(), self.python.clone())
    }
}

async fn wait(arguments: &Arguments, town: &mut Town, summary: &Summary) -> Result<()> {
    let language = arguments.language;
    let serving = match &arguments.app {
        Some(files) => {
            let (process, url) = town.serve_app(files).await?;
            let invite = town.invite("Bezoeker", "burgemeester", "+31600000009").await?;
            let said = language.pick(
                "De telefoon-app. Open eerst het eerste adres en aanvaard het certificaat van de relay, dan het tweede:",
                "The phone app. First open the first address and accept the relay's certificate, then the second:",
            );
            eprintln!("\n{said}\n  {}/health\n  {url}/#{invite}", town.relay_url);
            Some(process)
        }
        None => {
            eprintln!(
                "\n{}",
                language.pick(
                    "De telefoon-app is niet gebouwd (`cargo xtask web`, met Node.js); al het andere draait.",
                    "The phone app is not built (`cargo xtask web`, with Node.js); all else runs.",
                )
            );
            None
        }
    };
    let (here, leave) = language.pick(
        ("De servers blijven draaien. Console (link werkt één keer):", "Stoppen: Ctrl-C."),
        ("The servers stay up. Console (the link works once):", "To stop: Ctrl-C."),
    );
    eprintln!("\n{here}\n  {}\n  {}\n{leave}", summary.console, town.data.display());
    let waited = tokio::signal::ctrl_c().await.context("Ctrl-C cannot be awaited");
    drop(serving);
    waited
}
