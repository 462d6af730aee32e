//! `baken status`: the honest state.

use baken_core::alarm::AlarmState;
use baken_core::sync::StuckReason;
use baken_schemas::time::Timestamp;
use serde_json::json;

use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text::{self, Text};

pub fn run(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let lang = out.language;
    let status = phone.baken.status()?;
    let waiting = phone.baken.alarms()?.iter().filter(|alarm| alarm.state == AlarmState::NotSent).count();
    let directory = phone.baken.directory()?;
    let ladder_changed = phone.baken.alarm_outbox()?.ladder_changed()?;
    if out.is_json() {
        let mut value = serde_json::to_value(&status).map_err(std::io::Error::other)?;
        value["alarms_waiting"] = json!(waiting);
        value["organisation"] = json!(directory.name);
        value["operator_reads_alarms"] = json!(directory.relay.operator_reads_alarms);
        value["ladder_changed"] = json!(ladder_changed);
        out.json(&value);
        return Ok(End::Done);
    }
    let last = status.last_success.map_or(text::NEVER.of(lang).to_owned(), Timestamp::to_rfc3339);
    let stuck = status.stuck_because.as_ref().map_or_else(
        || out.paint(Colour::Green, text::NOT_STUCK.of(lang)),
        |reason| out.paint(Colour::Yellow, &stuck_text(reason, out)),
    );
    let rows: [(Text, String); 9] = [
        (text::DEVICE, status.device.to_string()),
        (text::ACCOUNT, status.account.to_string()),
        (text::LAST_SUCCESS, last),
        (text::PENDING, status.pending.to_string()),
        (text::STUCK, stuck),
        (text::CONFLICTS, status.conflicts.to_string()),
        (text::WAITING, status.waiting.to_string()),
        (text::QUARANTINE, status.quarantine.len().to_string()),
        (text::ALARMS_WAITING, waiting.to_string()),
    ];
    for (name, value) in rows {
        out.line(format!("{:<26} {value}", name.of(lang)));
    }
    if !status.trustworthy {
        out.line(out.paint(Colour::Red, text::UNTRUSTWORTHY.of(lang)));
    }
    if directory.relay.operator_reads_alarms {
        out.line(out.paint(Colour::Yellow, text::OPERATOR_READS.of(lang)));
    }
    if ladder_changed {
        out.line(out.paint(Colour::Yellow, text::LADDER_CHANGED.of(lang)));
    }
    Ok(End::Done)
}

fn stuck_text(reason: &StuckReason, out: &Output) -> String {
    match reason {
        StuckReason::CopiedFolder => text::STUCK_COPIED.of(out.language).to_owned(),
        StuckReason::NewerVersion => text::STUCK_NEWER.of(out.language).to_owned(),
        StuckReason::MissingEntry => text::STUCK_MISSING.of(out.language).to_owned(),
        StuckReason::Quarantine => text::STUCK_QUARANTINE.of(out.language).to_owned(),
        StuckReason::Failed { code, since } => text::STUCK_FAILED.with(out.language, &[code, &since.to_rfc3339()]),
    }
}
