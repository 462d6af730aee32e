//! `baken status`: the honest state. What waits for the reader's word comes first, then what cannot be trusted.

use baken_core::alarm::AlarmState;
use baken_core::circle::{CircleView, NoticeKind, NoticeView};
use baken_core::sync::{FindingKind, FindingView, StuckReason};
use baken_schemas::circle::MemberRole;
use baken_schemas::time::Timestamp;
use serde_json::json;

use super::alarm::{tell_audit, tell_path, tell_tests};
use super::circle::{circle_name, device_name, is_out};
use super::deletions::tell_held;
use super::short;
use super::travel::tell_travel;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text::{self, Text};

pub fn run(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let lang = out.language;
    let mut status = phone.baken.status()?;
    let circles = phone.baken.circles()?;
    // A guest has no word in who comes and goes, and is told neither why nor by whom.
    let is_owned = |circle: &&CircleView| {
        circle.role == Some(MemberRole::Owner) || (circle.own.is_none() && status.account.is_some())
    };
    let owned: Vec<&CircleView> = circles.iter().filter(is_owned).collect();
    status.notices.retain(|notice| owned.iter().any(|circle| circle.circle == notice.circle));
    let waiting = phone.baken.alarms()?.iter().filter(|alarm| alarm.state == AlarmState::NotSent).count();
    let directory = phone.baken.directory()?;
    let ladder_changed = phone.baken.alarm_outbox()?.ladder_changed()?;
    let (tests, audit) = (phone.baken.tests()?, phone.baken.audit()?);
    if out.is_json() {
        let mut value = serde_json::to_value(&status).map_err(std::io::Error::other)?;
        value["alarms_waiting"] = json!(waiting);
        value["path"] = json!(phone.baken.path()?);
        value["tests"] = json!({ "last_success": tests.last_success, "is_due": tests.is_due });
        value["audit"] = json!(audit);
        value["organisation"] = json!(directory.name);
        value["operator_reads_alarms"] = json!(directory.relay.operator_reads_alarms);
        value["ladder_changed"] = json!(ladder_changed);
        out.json(&value);
        return Ok(End::Done);
    }
    for notice in &status.notices {
        let circle = owned.iter().find(|circle| circle.circle == notice.circle);
        let circle = circle.map(|circle| circle_name(circle, lang)).unwrap_or_default();
        tell_notice(notice, &circle, notice.by == Some(status.device), out);
    }
    if let Some(travel) = &status.travelling {
        tell_travel(travel, out);
    }
    tell_held(&status.held_deletions, out);
    tell_findings(&status.findings, &circles, out);
    if let Some(since) = status.older_state_possible_since {
        out.line(out.paint(Colour::Yellow, &text::OLDER_STATE.with(lang, &[&since.to_rfc3339()])));
    }
    let last = status.last_success.map_or(text::NEVER.of(lang).to_owned(), Timestamp::to_rfc3339);
    let stuck = status.stuck_because.as_ref().map_or_else(
        || out.paint(Colour::Green, text::NOT_STUCK.of(lang)),
        |reason| out.paint(Colour::Yellow, &stuck_text(reason, &circles, out)),
    );
    let rows: [(Text, String); 10] = [
        (text::DEVICE, status.device.to_string()),
        (text::ACCOUNT, status.account.map_or(text::GUEST.of(lang).to_owned(), |account| account.to_string())),
        (text::LAST_SUCCESS, last),
        (text::PENDING, status.pending.to_string()),
        (text::ATTACHMENTS_PENDING, status.attachments_pending.to_string()),
        (text::STUCK, stuck),
        (text::CONFLICTS, status.conflicts.to_string()),
        (text::WAITING, status.waiting.to_string()),
        (text::QUARANTINE, status.quarantine.len().to_string()),
        (text::ALARMS_WAITING, waiting.to_string()),
    ];
    for (name, value) in rows {
        out.line(format!("{:<26} {value}", name.of(lang)));
    }
    for circle in circles.iter().filter(|circle| circles.len() > 1 && is_out(circle)) {
        out.line(format!("{}: {}", circle_name(circle, lang), text::NOT_IN_CIRCLE.of(lang)));
    }
    tell_path(&phone.baken.path()?, out);
    tell_tests(&tests, out);
    tell_audit(audit.as_ref(), out);
    if directory.relay.operator_reads_alarms {
        out.line(out.paint(Colour::Yellow, text::OPERATOR_READS.of(lang)));
    }
    if ladder_changed {
        out.line(out.paint(Colour::Yellow, text::LADDER_CHANGED.of(lang)));
    }
    Ok(End::Done)
}

fn tell_notice(notice: &NoticeView, circle: &str, by_this: bool, out: &Output) {
    let lang = out.language;
    let (name, id) = (device_name(notice.name.as_deref(), notice.device), short(notice.device));
    let at = notice.takes_effect_at.map_or_else(|| "?".to_owned(), Timestamp::to_rfc3339);
    let said = match (notice.kind, notice.this) {
        (NoticeKind::Proposed, true) => text::NOTICE_THIS_WAITS.with(lang, &[&at, &id]),
        (NoticeKind::Proposed, false) if by_this => text::NOTICE_PROPOSED_HERE.with(lang, &[&name, &at, &id]),
        (NoticeKind::Proposed, false) => text::NOTICE_PROPOSED.with(lang, &[&name, circle, &at, &id]),
        (NoticeKind::Leaving, true) => text::NOTICE_THIS_LEAVES.with(lang, &[circle, &at]),
        (NoticeKind::Leaving, false) => text::NOTICE_LEAVING.with(lang, &[&name, circle, &at]),
        (NoticeKind::Frozen, false) if notice.duress_heard_at.is_some() => {
            let heard = notice.duress_heard_at.map(Timestamp::to_rfc3339).unwrap_or_default();
            text::NOTICE_DURESS.with(lang, &[&name, &heard, circle, &id])
        }
        (NoticeKind::Frozen, true) => text::NOTICE_THIS_FROZEN.with(lang, &[circle, &id]),
        (NoticeKind::Frozen, false) => text::NOTICE_FROZEN.with(lang, &[&name, circle, &id]),
    };
    out.line(out.paint(Colour::Yellow, &said));
}

/// Says of each contradiction what it is, who is concerned, and what to do. Alike ones are said once.
pub fn tell_findings(findings: &[FindingView], circles: &[CircleView], out: &Output) {
    let mut said: Vec<String> = Vec::new();
    for finding in findings {
        let circle = circles.iter().find(|circle| circle.circle == finding.circle);
        let member =
            circle.and_then(|circle| circle.members.iter().find(|member| Some(member.device) == finding.device));
        let name = member.and_then(|member| member.name.as_deref());
        let device = finding.device.map(|device| device_name(name, device)).unwrap_or_default();
        let circle = circle.map(|circle| circle_name(circle, out.language)).unwrap_or_default();
        let text = match finding.kind {
            FindingKind::Fork => text::FOUND_FORK,
            FindingKind::OwnFork => text::FOUND_OWN_FORK,
            FindingKind::Withheld => text::FOUND_WITHHELD,
            FindingKind::RolledBack => text::FOUND_ROLLED_BACK,
            FindingKind::LogConflict => text::FOUND_LOG_CONFLICT,
            FindingKind::LogWithheld => text::FOUND_LOG_WITHHELD,
            FindingKind::Invented => text::FOUND_INVENTED,
        };
        let text = text.with(out.language, &[&circle, &device]);
        if !said.contains(&text) {
            out.line(out.paint(Colour::Red, &text));
            said.push(text);
        }
    }
}

fn stuck_text(reason: &StuckReason, circles: &[CircleView], out: &Output) -> String {
    let text = match reason {
        StuckReason::CopiedFolder => text::STUCK_COPIED,
        StuckReason::NotInCircle => text::NOT_IN_CIRCLE,
        StuckReason::Failed { code, .. } if code == "removed" => text::NOT_IN_CIRCLE,
        StuckReason::WaitsForConfirmation => text::STUCK_UNCONFIRMED,
        StuckReason::NewerVersion => text::STUCK_NEWER,
        StuckReason::MissingEntry => text::STUCK_MISSING,
        StuckReason::MissingLogRecord => text::STUCK_MISSING_LOG,
        StuckReason::MissingCheckpoint => text::STUCK_MISSING_CHECKPOINT,
        StuckReason::Quarantine => text::STUCK_QUARANTINE,
        StuckReason::QuotaFull { circle, since } => {
            let circle = circles.iter().find(|view| view.circle == *circle);
            let circle = circle.map(|circle| circle_name(circle, out.language)).unwrap_or_default();
            return text::STUCK_QUOTA.with(out.language, &[&circle, &since.to_rfc3339()]);
        }
        StuckReason::Failed { code, since } => {
            return text::STUCK_FAILED.with(out.language, &[code, &since.to_rfc3339()]);
        }
    };
    text.of(out.language).to_owned()
}
