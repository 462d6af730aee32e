//! `baken-server bridge buttons`: what is known of each button. It only reads, so the bridge may run meanwhile.

use std::path::PathBuf;

use baken_schemas::time::Timestamp;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::bridge::buttons::{self, ButtonState, TroubleKind};
use crate::bridge::{Button, DATABASE_FILE, read_buttons};
use crate::cli::{Failure, Say};
use crate::dc09::Account;
use crate::store::{self, Disk, StoreError};

/// See what a bridge knows.
#[derive(Debug, Subcommand)]
pub(super) enum BridgeCommand {
    /// Show each button: when it was last heard, tested and pressed, and what is wrong with it
    Buttons(ButtonsArgs),
}

/// Which bridge.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  baken-server bridge buttons --data bridge")]
pub(super) struct ButtonsArgs {
    /// The bridge's folder
    #[arg(long)]
    data: PathBuf,
}

/// Runs it.
pub(super) fn run(command: &BridgeCommand, say: &Say) -> Result<(), Failure> {
    let BridgeCommand::Buttons(ButtonsArgs { data }) = command;
    let known = read_buttons(data)?;
    let mut sorted: Vec<(&Account, &Button)> = known.iter().collect();
    sorted.sort_by(|(a, one), (b, other)| (&one.name, a).cmp(&(&other.name, b)));
    let database =
        if data.join(DATABASE_FILE).exists() { Some(store::inspect(&Disk::new(data), DATABASE_FILE)?) } else { None };
    let mut rows = Vec::new();
    for (account, button) in sorted {
        let state = database.as_ref().map(|db| buttons::state(db, account)).transpose().map_err(StoreError::from)?;
        rows.push((account, button, state.unwrap_or_default()));
    }
    let refused = database.as_ref().map(buttons::refused).transpose().map_err(StoreError::from)?.unwrap_or_default();
    let counts: serde_json::Map<_, _> = refused.iter().map(|(code, count, _)| (code.clone(), json!(count))).collect();
    let shown: Vec<Value> = rows.iter().map(|(account, button, state)| view(account, button, state)).collect();
    let lines = |nl: bool| {
        let mut lines: Vec<String> =
            rows.iter().map(|(account, button, state)| line(account, button, state, nl)).collect();
        if !refused.is_empty() {
            let counts =
                refused.iter().map(|(code, count, _)| format!("{code} {count}")).collect::<Vec<_>>().join(", ");
            lines.push(format!("{}: {counts}", if nl { "Niet aangenomen" } else { "Not taken" }));
        }
        lines.join("\n")
    };
    say.say(&json!({ "buttons": shown, "refused": counts }), &lines(true), &lines(false));
    Ok(())
}

fn view(account: &Account, button: &Button, state: &ButtonState) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    let since =
        |kind| state.troubles.iter().find(|trouble| trouble.kind == kind).map(|trouble| trouble.since.to_rfc3339());
    json!({
        "account": account.as_str(),
        "name": button.name,
        "person": button.person,
        "encrypted": button.key.is_some(),
        "supervise_s": (button.supervise_ms > 0).then_some(button.supervise_ms / 1000),
        "heard_at": time(state.heard_at),
        "tested_at": time(state.tested_at),
        "pressed_at": time(state.pressed_at),
        "silent_since": since(TroubleKind::Silent),
        "battery_low_since": since(TroubleKind::BatteryLow),
        "unreachable_since": since(TroubleKind::Unreachable),
    })
}

fn line(account: &Account, button: &Button, state: &ButtonState, nl: bool) -> String {
    let pick = |dutch: &'static str, english: &'static str| if nl { dutch } else { english };
    let time = |at: Option<Timestamp>| at.map_or_else(|| pick("nooit", "never").to_owned(), Timestamp::to_rfc3339);
    let mut said = format!(
        "{} {}: {} {}, {} {}, {} {}",
        account.as_str(),
        button.label(),
        pick("gehoord", "heard"),
        time(state.heard_at),
        pick("getest", "tested"),
        time(state.tested_at),
        pick("ingedrukt", "pressed"),
        time(state.pressed_at),
    );
    for trouble in &state.troubles {
        let what = match trouble.kind {
            TroubleKind::Silent => pick("STIL sinds", "SILENT since"),
            TroubleKind::BatteryLow => pick("BATTERIJ ZWAK sinds", "BATTERY LOW since"),
            TroubleKind::Unreachable => pick("NIET BEREIKBAAR sinds", "UNREACHABLE since"),
        };
        said.push_str(&format!("; {what} {}", trouble.since.to_rfc3339()));
    }
    said
}
