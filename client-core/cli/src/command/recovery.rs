//! `baken recovery`: the code on paper, coming back with it, and making room for that. The code is printed once and
//! typed; it is never an argument, which a shell would remember.

use baken_core::BakenError;
use baken_core::alarm::AlarmState;
use baken_core::recovery::LostDevices;
use baken_core::transport::http::{Dates, HttpTransport, Trust};
use baken_schemas::recovery::{RecoveryCode, RecoverySheet};
use serde_json::json;
use zeroize::Zeroizing;

use super::{ask, qr, show_code, typed_code};
use crate::args::{Arguments, RecoveryCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock, home};
use crate::text::{self, Text};

pub async fn run(arguments: &Arguments, command: &RecoveryCommand, out: &Output) -> Result<End, Failure> {
    match command {
        RecoveryCommand::Print => print(arguments, out).await,
        RecoveryCommand::Restore { sheet, name, keep_others } => {
            let lost = if *keep_others { LostDevices::None } else { LostDevices::All };
            restore(arguments, sheet, name, lost, out).await
        }
        RecoveryCommand::SetAside { yes } => set_aside(arguments, *yes, out),
    }
}

async fn print(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    let relay = phone.relay(Dates::Checked)?;
    let paper = match phone.baken.print_recovery(&relay, &pin, None).await {
        Err(BakenError::NoRoot) => {
            out.json(&json!({"step": "type_old_code"}));
            let before = recovery_code(text::TYPE_OLD_CODE, out)?;
            phone.baken.print_recovery(&relay, &pin, Some(&before)).await?
        }
        paper => paper?,
    };
    let (code, sheet) = (Zeroizing::new(paper.code.to_text()), paper.sheet.to_text());
    out.json(&json!({"code": &*code, "sheet": sheet}));
    if out.is_json() {
        return Ok(End::Done);
    }
    let lang = out.language;
    out.line(text::RECOVERY_CODE.of(lang));
    show_code(&code, out);
    out.line(text::RECOVERY_WRITE.of(lang));
    out.line(out.paint(Colour::Yellow, text::RECOVERY_NEVER.of(lang)));
    out.line(text::RECOVERY_SHEET.of(lang));
    qr(&sheet, out);
    out.line(&sheet);
    Ok(End::Done)
}

async fn restore(
    arguments: &Arguments,
    sheet: &str,
    name: &str,
    lost: LostDevices,
    out: &Output,
) -> Result<End, Failure> {
    let sheet = RecoverySheet::from_text(sheet).map_err(BakenError::RecoverySheet)?;
    let phone = Phone::open(arguments)?;
    if phone.baken.is_activated() {
        return Err(BakenError::AlreadyActivated.into());
    }
    let code = recovery_code(text::TYPE_CODE, out)?;
    let pin = phone.new_pin(out)?;
    let relay = HttpTransport::new(&sheet.relay_url, Trust::Pinned(sheet.tls_root_sha256), Dates::Checked, clock())?;
    phone.baken.recover(&relay, &sheet, &code, &pin, name, lost).await?;
    let status = phone.baken.status()?;
    out.json(&json!({
        "recovered": true,
        "account": status.account,
        "device": status.device,
        "older_state_possible_since": status.older_state_possible_since,
    }));
    out.line(out.paint(Colour::Green, text::RECOVERED.of(out.language)));
    out.line(if lost == LostDevices::All { text::OTHERS_OUT } else { text::OTHERS_IN }.of(out.language));
    if let Some(since) = status.older_state_possible_since {
        out.line(out.paint(Colour::Yellow, &text::OLDER_STATE.with(out.language, &[&since.to_rfc3339()])));
    }
    out.line(text::PRINT_AGAIN.of(out.language));
    // The device is there whether or not the rest comes now.
    Ok(super::sync::tell(phone.baken.sync(&relay).await?, &phone.baken, out)?)
}

fn recovery_code(question: Text, out: &Output) -> Result<RecoveryCode, Failure> {
    typed_code(question, out, |typed| RecoveryCode::from_text(typed).map_err(BakenError::RecoveryCode))
}

fn set_aside(arguments: &Arguments, yes: bool, out: &Output) -> Result<End, Failure> {
    let phone = Phone::open(arguments)?;
    if !phone.baken.is_activated() {
        return Err(BakenError::NotActivated.into());
    }
    // An outbox that cannot be read keeps nobody from recovering.
    let alarms = phone.baken.alarms().unwrap_or_default();
    let not_sent = alarms.iter().filter(|alarm| alarm.state == AlarmState::NotSent).count();
    // Closes the outbox, which moves along.
    drop(phone);
    if not_sent > 0 {
        out.line(out.paint(Colour::Red, &text::ALARMS_MOVE_ALONG.with(out.language, &[&not_sent.to_string()])));
    }
    if !yes && !ask::word(text::ASIDE_WORD, text::ASIDE_ASK, &[], out)? {
        return Err(Failure::Input("not_set_aside"));
    }
    let folder = home(arguments)?.set_aside()?;
    out.json(&json!({"set_aside": folder, "alarms_not_sent": not_sent}));
    out.line(text::SET_ASIDE.with(out.language, &[&folder.display().to_string()]));
    Ok(End::Done)
}
