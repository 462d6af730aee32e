//! `baken check-up`: mental check-ups, behind a passphrase of their own.

use baken_schemas::check_up::CheckUp;
use baken_schemas::local_time::local;
use serde_json::json;

use super::short;
use crate::args::{Arguments, CheckUpCommand};
use crate::failure::{End, Failure};
use crate::moment::past;
use crate::output::Output;
use crate::phone::{Phone, clock, new_passphrase, passphrase};
use crate::text;

pub fn run(arguments: &Arguments, command: &CheckUpCommand, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let now = clock().now();
    let moment = |typed: &str| past(typed, now).ok_or(Failure::Input("value_not_time"));
    match command {
        CheckUpCommand::Add { text: said, with, at, next } => {
            let at = at.as_deref().map_or(Ok(now), moment)?;
            let next = next.as_deref().map(moment).transpose()?;
            let passphrase = passphrase(!baken.has_check_up_lock()?, out)?;
            let check_up = CheckUp { at, with: with.clone(), text: said.clone() };
            let record = baken.add_check_up(&passphrase, &check_up, next)?;
            out.json(&json!({"record": record}));
            out.line(text::MADE.with(out.language, &[&short(record)]));
        }
        CheckUpCommand::Passphrase => {
            let old = passphrase(false, out)?;
            let others = baken.change_check_up_passphrase(&old, &new_passphrase(out)?)?;
            out.json(&json!({"changed": true, "locks_of_another_passphrase": others}));
            out.line(text::PASSPHRASE_CHANGED.of(out.language));
            if others > 0 {
                out.line(text::PASSPHRASE_OTHERS.of(out.language));
            }
        }
        CheckUpCommand::Remind { on, every, .. } => {
            let next = on.as_deref().map(moment).transpose()?;
            baken.remind_of_check_up(next, *every)?;
            out.json(&json!({"next": next, "every_months": every}));
            match next {
                Some(next) => out.line(text::REMINDED.with(out.language, &[&local(next)])),
                None => out.line(text::REMINDED_NOT.of(out.language)),
            }
        }
        CheckUpCommand::List => {
            let check_ups = baken.check_ups(&passphrase(false, out)?)?;
            let entry = |(record, check_up): &(_, CheckUp)| json!({"record": record, "at": check_up.at, "with": check_up.with, "text": check_up.text});
            out.json(&json!({"check_ups": check_ups.iter().map(entry).collect::<Vec<_>>()}));
            for (_, check_up) in &check_ups {
                out.line(format!("{}  {}  {}", local(check_up.at), check_up.with, check_up.text));
            }
        }
    }
    Ok(End::Done)
}
