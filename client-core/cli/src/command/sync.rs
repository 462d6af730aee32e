//! `baken sync`: send and receive, once or until Ctrl-C. Alarms first.

use std::ops::ControlFlow;
use std::time::Duration;

use baken_core::alarm::Round;
use baken_core::guidance::{LayerUpdate, Outcome};
use baken_core::sync::{Followed, StuckReason, SyncCounts};
use baken_core::transport::Transport;
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError};
use serde_json::json;

use super::alarm::tell_aside;
use super::deletions::tell_held;
use super::status::tell_findings;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

/// How often a program that goes on looks for newer guidance.
const EDITIONS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

pub async fn run(arguments: &Arguments, watch: bool, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    if !watch {
        // What goes wrong with an alarm goes wrong with the sync too, and is told there.
        let alarm_relay = phone.relay(Dates::Ignored)?;
        tell_aside(&phone.baken.send_alarms(&alarm_relay).await?, out);
        let relay = phone.relay(Dates::Checked)?;
        let counts = phone.baken.sync(&relay).await?;
        // What lies at the relay for the next alarm, such as the keys of a text message, changes with what just came in.
        tell_aside(&phone.baken.send_alarms(&alarm_relay).await?, out);
        look_for_editions(&phone.baken, &relay, out).await;
        return Ok(tell(counts, &phone.baken, out)?);
    }
    let (relay, alarm_relay) = (phone.relay(Dates::Checked)?, phone.relay(Dates::Ignored)?);
    let mut tell_sync = |followed: &Followed| {
        match followed {
            Followed::Synced(counts) | Followed::Live(counts) => {
                // Locked meanwhile, following ends with that very word.
                let _ = tell(*counts, &phone.baken, out);
            }
            Followed::Failed { error, retry_ms } => tell_failed(error, *retry_ms, out),
        }
        ControlFlow::Continue(())
    };
    // Receipts are told by `alarm watch`.
    let mut tell_alarm = |round: &Round| {
        tell_aside(round, out);
        ControlFlow::Continue(())
    };
    tokio::select! {
        ended = phone.baken.follow(&relay, &mut tell_sync) => ended?,
        ended = phone.baken.follow_alarms(&alarm_relay, &mut tell_alarm) => ended?,
        () = keep_editions(&phone.baken, &relay, out) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(End::Done)
}

/// Looks for newer guidance once a day, without end.
async fn keep_editions(baken: &Baken, relay: &dyn Transport, out: &Output) {
    loop {
        look_for_editions(baken, relay, out).await;
        tokio::time::sleep(EDITIONS_EVERY).await;
    }
}

/// Takes newer guidance in. What does not come today comes another day; `guidance check` says why it did not.
async fn look_for_editions(baken: &Baken, relay: &dyn Transport, out: &Output) {
    for LayerUpdate { layer, outcome, files_fetched } in baken.update_guidance(relay).await {
        if matches!(outcome, Ok(Outcome::Updated)) {
            out.json(&json!({"guidance_updated": layer, "files_fetched": files_fetched}));
            out.line(text::LAYER_UPDATED.with(out.language, &[layer.tag(), &files_fetched.to_string()]));
        }
    }
}

/// Tells what a sync did, and where the device stands after it.
pub fn tell(counts: SyncCounts, baken: &Baken, out: &Output) -> Result<End, BakenError> {
    let status = baken.status()?;
    let SyncCounts { sent, received, changes } = counts;
    out.json(&json!({"sent": sent, "received": received, "changes": changes, "status": &status}));
    let numbers = [sent, received, status.conflicts].map(|number| number.to_string());
    let [sent, received, conflicts] = numbers.each_ref().map(String::as_str);
    out.line(text::SYNCED.with(out.language, &[sent, received, conflicts]));
    if status.stuck_because == Some(StuckReason::NotInCircle) {
        out.line(text::NOT_IN_CIRCLE.of(out.language));
    }
    // A guest has no word in who comes and goes.
    if status.account.is_some() && !status.notices.is_empty() {
        out.line(out.paint(Colour::Yellow, text::SOMETHING_WAITS.of(out.language)));
    }
    tell_held(&status.held_deletions, out);
    if status.trustworthy {
        return Ok(End::Done);
    }
    // Locked meanwhile, they are told without names.
    let circles = baken.circles().unwrap_or_default();
    tell_findings(&status.findings, &circles, out);
    Ok(End::Untrustworthy)
}

fn tell_failed(error: &BakenError, retry_ms: u64, out: &Output) {
    let code = error.code();
    out.json(&json!({"error": {"code": code, "message": text::core_message(error, out.language),
        "help": text::core_help(error, out.language)}, "retry_ms": retry_ms}));
    let message = text::core_message(error, out.language);
    out.line(out.paint(
        Colour::Yellow,
        &text::SYNC_FAILED.with(out.language, &[&message, &retry_ms.div_ceil(1000).to_string()]),
    ));
}
