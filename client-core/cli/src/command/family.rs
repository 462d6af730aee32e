//! `baken alarm family`: whom of the family a person has called in their alarms; and `baken alarm responder`: the word of
//! those who are called, on their own phone.

use baken_core::transport::http::{Dates, HttpTransport};
use baken_core::{Baken, BakenError, FamilyMemberView};
use baken_schemas::id::DeviceId;
use serde_json::json;

use super::alarm::tell_aside;
use super::circle::find_named;
use super::short;
use crate::args::{Arguments, FamilyCommand, ResponderCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub async fn run(arguments: &Arguments, command: &FamilyCommand, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    match command {
        FamilyCommand::List => {
            list(&phone.baken, out)?;
            Ok(End::Done)
        }
        FamilyCommand::Add { member } => {
            let relay = phone.relay(Dates::Checked)?;
            // What they agreed to may not have come yet.
            sync(&phone.baken, &relay, out).await;
            let device = find_member(&phone.baken.family_members()?, member)?;
            phone.baken.call_family(&pin, device)?;
            let sent = sync(&phone.baken, &relay, out).await;
            let member = named(&phone.baken, device)?;
            let places = phone.baken.family_places()?;
            out.json(&json!({"member": member, "places": places}));
            let name = name_of(&member);
            out.line(text::FAMILY_ADDED.with(out.language, &[&name]));
            out.line(out.paint(Colour::Yellow, &text::FAMILY_SEES.with(out.language, &[&name])));
            tell_places(&phone.baken, out)?;
            let resent = renew(&phone, out).await?;
            Ok(if sent { resent } else { End::NotReached })
        }
        FamilyCommand::Remove { member } => {
            let device = find_member(&phone.baken.family_members()?, member)?;
            let before = named(&phone.baken, device)?;
            phone.baken.stop_calling_family(&pin, device)?;
            let relay = phone.relay(Dates::Checked)?;
            let sent = sync(&phone.baken, &relay, out).await;
            let resent = renew(&phone, out).await?;
            // Still a member of the circle, or gone from it by now.
            let left = named(&phone.baken, device).map(|member| member.check_ins).unwrap_or_default();
            out.json(&json!({"device": device, "name": before.name, "called": false, "check_ins": left}));
            out.line(text::FAMILY_REMOVED.with(out.language, &[&name_of(&before)]));
            tell_left(&left, out);
            Ok(if sent { resent } else { End::NotReached })
        }
    }
}

pub async fn responder(arguments: &Arguments, command: &ResponderCommand, out: &Output) -> Result<End, Failure> {
    match command {
        ResponderCommand::Agree { name } => {
            let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
            phone.baken.agree_to_be_called(&pin, name)?;
            let sent = sync(&phone.baken, &phone.relay(Dates::Checked)?, out).await;
            out.json(&json!({"responds_as": name}));
            out.line(text::RESPONDER_AGREED.with(out.language, &[name]));
            Ok(if sent { End::Done } else { End::NotReached })
        }
        ResponderCommand::Stop => {
            let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
            phone.baken.stop_being_called(&pin)?;
            let sent = sync(&phone.baken, &phone.relay(Dates::Checked)?, out).await;
            out.json(&json!({"responds_as": null}));
            out.line(text::RESPONDER_STOPPED.of(out.language));
            Ok(if sent { End::Done } else { End::NotReached })
        }
        ResponderCommand::Show => {
            let name = Phone::open(arguments)?.baken.responds_as()?;
            out.json(&json!({"responds_as": name}));
            out.line(match &name {
                Some(name) => text::RESPONDS_AS.with(out.language, &[name]),
                None => text::NOT_A_RESPONDER.of(out.language).to_owned(),
            });
            Ok(End::Done)
        }
    }
}

/// Whether it came through; kept and sent later otherwise.
async fn sync(baken: &Baken, relay: &HttpTransport, out: &Output) -> bool {
    let synced = baken.sync(relay).await.is_ok();
    if !synced {
        out.line(out.paint(Colour::Yellow, text::REST_AT_SYNC.of(out.language)));
    }
    synced
}

/// Has open check-ins sealed anew.
async fn renew(phone: &Phone, out: &Output) -> Result<End, Failure> {
    let round = phone.baken.send_alarms(&phone.relay(Dates::Ignored)?).await?;
    tell_aside(&round, out);
    Ok(round.error.as_ref().map_or(End::Done, |error| End::of_waiting(Some(error))))
}

fn list(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let (members, places) = (baken.family_members()?, baken.family_places()?);
    out.json(&json!({"members": members, "places": places}));
    let lang = out.language;
    let row = |member: &FamilyMemberView| {
        let state = match (member.called, member.chosen, member.agreed, member.circle) {
            (true, ..) => text::FAMILY_CALLED,
            (_, true, _, None) => text::FAMILY_GONE,
            (_, true, ..) => text::FAMILY_CHOSEN,
            (_, _, true, _) => text::FAMILY_AGREED,
            _ => text::FAMILY_SILENT,
        };
        vec![name_of(member), short(member.device), state.of(lang).to_owned()]
    };
    out.table(&[text::NAME.of(lang), "id", text::STATE.of(lang)], &members.iter().map(row).collect::<Vec<_>>());
    tell_places(baken, out)?;
    members.iter().filter(|member| !member.called).for_each(|member| tell_left(&member.check_ins, out));
    Ok(())
}

fn tell_places(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let places = baken.family_places()?;
    let (alarms, check_ins) = (places.alarms.to_string(), places.check_ins.to_string());
    out.line(text::FAMILY_PLACES.with(out.language, &[&alarms, &check_ins]));
    Ok(())
}

fn tell_left(check_ins: &[baken_schemas::id::AlarmId], out: &Output) {
    for check_in in check_ins {
        out.line(out.paint(Colour::Yellow, &text::FAMILY_STILL_SEALED.with(out.language, &[&short(check_in)])));
    }
}

fn find_member(members: &[FamilyMemberView], typed: &str) -> Result<DeviceId, Failure> {
    let known: Vec<(DeviceId, Option<&str>)> =
        members.iter().map(|member| (member.device, member.name.as_deref())).collect();
    find_named(&known, typed, BakenError::NoSuchDevice.into())
}

fn named(baken: &Baken, device: DeviceId) -> Result<FamilyMemberView, Failure> {
    let members = baken.family_members()?;
    Ok(members.into_iter().find(|member| member.device == device).ok_or(BakenError::NoSuchDevice)?)
}

fn name_of(member: &FamilyMemberView) -> String {
    member.name.clone().unwrap_or_else(|| short(member.device))
}
