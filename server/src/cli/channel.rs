//! `baken-server channel`: which channels of a desk work, and testing them while the desk does not run. While it does, its
//! console has the button.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use baken_schemas::time::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Say, system_rng};
use crate::desk::{
    ChannelView, Channels, Desk, DeskParts, DeskSettings, RecipientView, Standing, TestError, channel_views,
};
use crate::exit;
use crate::folder::{DataFolder, FolderError};
use crate::store::{Disk, StoreOptions};

/// What to do with channels.
#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    /// Show each channel and when it last carried a message
    #[command(after_help = "Example:\n  baken-server channel list --data desk")]
    List {
        /// The desk's folder
        #[arg(long)]
        data: PathBuf,
    },
    /// Send a test over a channel, or over each, the way alarms go; the desk must not be running
    #[command(after_help = "Example:\n  baken-server channel test --data desk --name \"duty mail\"")]
    Test(TestArgs),
}

/// Tests channels.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The desk's folder
    #[arg(long)]
    data: PathBuf,
    /// The channel's name in desk.toml; all without it
    #[arg(long)]
    name: Option<String>,
}

/// Runs it.
pub(super) async fn run(command: &ChannelCommand, say: &Say) -> Result<(), Failure> {
    match command {
        ChannelCommand::List { data } => {
            for view in channel_views(data, SystemClock.now())? {
                show(&view, say);
            }
            Ok(())
        }
        ChannelCommand::Test(args) => test(args, say).await,
    }
}

async fn test(args: &TestArgs, say: &Say) -> Result<(), Failure> {
    let desk = open(&args.data)?;
    let known: Vec<String> = desk.0.channel_views()?.into_iter().map(|view| view.name).collect();
    let names = args.name.clone().map_or(known, |name| vec![name]);
    for name in &names {
        desk.0.test_channel(name, "command line").await?;
    }
    desk.0.deliver_all().await?;
    let mut well = true;
    for view in desk.0.channel_views()?.iter().filter(|view| names.contains(&view.name)) {
        well &= view.recipients.iter().all(went);
        show(view, say);
    }
    let desk_closed = desk.0;
    let closed = tokio::task::spawn_blocking(move || desk_closed.close()).await;
    closed.map_err(|error| Failure::unexpected("desk", &error))?;
    if well {
        return Ok(());
    }
    Err(Failure::new(
        exit::NOT_REACHED,
        "test_failed",
        "Niet elke test kwam aan; zie hierboven waarom.",
        "Not every test arrived; see above why.",
    ))
}

/// Whether the newest message, the test, got away.
fn went(recipient: &RecipientView) -> bool {
    recipient.last.as_ref().is_some_and(|last| last.test && matches!(last.state, "handed-over" | "delivered"))
}

/// The desk, with its folder locked: a desk that runs has its own button.
fn open(data: &Path) -> Result<(Arc<Desk>, DataFolder), Failure> {
    let folder = match DataFolder::open(data) {
        Ok(folder) => folder,
        Err(FolderError::InUse(_)) => {
            return Err(Failure::new(
                exit::FOLDER_IN_USE,
                "folder_in_use",
                "De meldkamer draait: test haar kanalen op de pagina Kanalen van de console.",
                "The desk is running: test its channels on the console's page Channels.",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let settings: DeskSettings = folder.read_config()?;
    let parts = DeskParts {
        keys: folder.read_keys()?,
        org: settings.org,
        console_url: settings.url,
        passkeys: false,
        channels: Channels::read(folder.dir())?,
        clock: Arc::new(SystemClock),
        rng: Box::new(system_rng()?),
    };
    let desk = Desk::open(&Disk::new(folder.dir()), StoreOptions::production(), parts)?;
    Ok((Arc::new(desk), folder))
}

fn show(view: &ChannelView, say: &Say) {
    let text = |language| {
        let standing = standing_text(view.standing, language);
        let mut lines = vec![format!("{} ({}): {standing}", view.name, view.kind)];
        for recipient in &view.recipients {
            let to = recipient.to.as_ref().map(|to| format!("{to}: ")).unwrap_or_default();
            let proven = recipient.proven_at.map(|at| at.to_rfc3339()).unwrap_or_else(|| "-".to_owned());
            let why = recipient.last.as_ref().and_then(|last| last.why).map(|why| why.text(language));
            lines.push(format!("  {to}{proven} {} {}", recipient.proof.unwrap_or_default(), why.unwrap_or_default()));
        }
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    };
    say.say(&json!({ "channel": view }), &text(baken_schemas::Language::Nl), &text(baken_schemas::Language::En));
}

/// How a channel stands, in words.
pub(super) fn standing_text(standing: Standing, language: baken_schemas::Language) -> &'static str {
    match standing {
        Standing::Never => language.pick("nooit bewezen", "never proven"),
        Standing::Old => language.pick("langer dan 35 dagen niet bewezen", "not proven for more than 35 days"),
        Standing::Proven => language.pick("werkt", "works"),
    }
}

impl From<TestError> for Failure {
    fn from(error: TestError) -> Self {
        let en = error.to_string();
        match error {
            TestError::Unknown => Self::bad_input("unknown_channel", "desk.toml heeft geen kanaal met die naam.", en),
            TestError::UnderWay => Self::bad_input("test_under_way", "Er loopt nog een test van dit kanaal.", en),
            TestError::Nobody => {
                Self::bad_input("nobody_subscribed", "Nog niemand heeft in de console meldingen aangezet.", en)
            }
            TestError::Desk(error) => error.into(),
        }
    }
}
