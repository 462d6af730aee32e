//! `baken life`: changes of life. First what will happen, then the question, then what a phone can do.

use std::io::IsTerminal as _;

use baken_core::Baken;
use baken_core::guidance::ReadAs;
use baken_core::life::{CarriedOut, Change, ChangePreview, OfficeView, Outcome, Point};
use baken_schemas::edition::{Audience, Date, Office};
use baken_schemas::rules::{DecisionView, Situation};
use serde_json::json;

use super::rights::{office_name, tell_source};
use super::{ask, prompt, read_stdin, short};
use crate::args::{Agree, Arguments, LifeArgs, LifeCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub fn run(arguments: &Arguments, args: &LifeArgs, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let Some(command) = &args.command else {
        offices(&baken.offices()?, out);
        return Ok(End::Done);
    };
    let (change, agree) = change(&baken, command)?;
    let preview = baken.preview_change(&change, out.language)?;
    let rights = rights(&baken, &change, out)?;
    out.json(&json!({"plan": preview, "rights": rights}));
    tell(&preview, out);
    for decision in &rights {
        out.line("");
        let office = office_name(decision.situation.office, out.language);
        out.line(out.paint(Colour::Green, &text::OF_OFFICE.with(out.language, &[office])));
        decision.answers.iter().for_each(|answer| out.line(format!("- {}", answer.text)));
    }
    if !agreed(agree, out)? {
        return Ok(End::Done);
    }
    let done = baken.carry_out(&change, out.language)?;
    out.json(&json!({"done": done}));
    tell_done(&done, out);
    Ok(End::Done)
}

fn change<'a>(baken: &Baken, command: &'a LifeCommand) -> Result<(Change, &'a Agree), Failure> {
    let today = Date::of(clock().now());
    Ok(match command {
        LifeCommand::LeaveOffice { office, on, agree } => {
            let office = office.map_or_else(|| baken.own_office(), |office| Ok(Some(office)))?;
            let office = office.ok_or(Failure::Input("office_missing"))?;
            (Change::LeaveOffice { office, on: on.unwrap_or(today) }, agree)
        }
        LifeCommand::SecondOffice { office, organisation, from, agree } => {
            let organisation = organisation.clone();
            (Change::SecondOffice { office: *office, organisation, from: from.unwrap_or(today) }, agree)
        }
        LifeCommand::Move { address, access, on, agree } => {
            let (address, access) = (address.trim().to_owned(), access.clone());
            (Change::Move { address, access, on: on.unwrap_or(today) }, agree)
        }
        LifeCommand::NewOrganisation { on, agree } => (Change::NewOrganisation { on: on.unwrap_or(today) }, agree),
    })
}

/// With a second office: what holds for each of those held then.
fn rights(baken: &Baken, change: &Change, out: &Output) -> Result<Vec<DecisionView>, Failure> {
    let Change::SecondOffice { office: second, from, .. } = change else { return Ok(Vec::new()) };
    let held = baken.offices()?.into_iter().filter(|office| office.held).filter_map(|office| office.office);
    let mut offices: Vec<Office> = held.chain([*second]).collect();
    offices.dedup();
    let guidance = baken.guidance()?;
    let mut rights = Vec::new();
    for office in offices {
        let who = ReadAs { language: out.language, audience: Audience::OfficeHolder, office: Some(office) };
        let new_in_office = office == *second;
        let situation = Situation { new_in_office, ..Situation::ordinary(office, *from) };
        rights.push(guidance.rules(who, &situation)?);
    }
    Ok(rights)
}

fn agreed(agree: &Agree, out: &Output) -> Result<bool, Failure> {
    if agree.yes {
        return Ok(true);
    }
    let lang = out.language;
    if out.is_json() || !std::io::stdin().is_terminal() {
        out.line(text::LIFE_NOT_YET.of(lang));
        return Ok(false);
    }
    prompt(text::LIFE_ASK.of(lang), out)?;
    let yes = ask::yes_no(&read_stdin(true)?) == Some(true);
    if !yes {
        out.line(text::LIFE_NOTHING.of(lang));
    }
    Ok(yes)
}

fn offices(offices: &[OfficeView], out: &Output) {
    out.json(&json!({"offices": offices}));
    let day = |at: Option<baken_schemas::time::Timestamp>| at.map(|at| Date::of(at).to_string()).unwrap_or_default();
    let row = |office: &OfficeView| {
        let name = office.office.map_or(office.written.clone(), |office| office_name(office, out.language).to_owned());
        let held = if office.held { text::OFFICE_HELD } else { text::OFFICE_NOT_HELD }.of(out.language).to_owned();
        vec![name, office.organisation.clone(), day(office.from), day(office.until), held]
    };
    let head =
        [text::OFFICE, text::ORGANISATION, text::FROM, text::UNTIL, text::STATE].map(|text| text.of(out.language));
    out.table(&head, &offices.iter().map(row).collect::<Vec<_>>());
}

fn tell(preview: &ChangePreview, out: &Output) {
    let lang = out.language;
    for (outcome, head) in [
        (Outcome::Stays, text::LIFE_STAYS),
        (Outcome::Ends, text::LIFE_ENDS),
        (Outcome::Changes, text::LIFE_CHANGES),
        (Outcome::Done, text::LIFE_DOES),
        (Outcome::ToDo, text::LIFE_TO_DO),
    ] {
        let points: Vec<&Point> = preview.points.iter().filter(|point| point.outcome == outcome).collect();
        if points.is_empty() {
            continue;
        }
        out.line(out.paint(Colour::Green, head.of(lang)));
        for point in points {
            let day = point.due.map(|due| format!("{}  ", Date::of(due))).unwrap_or_default();
            let named = if point.named.is_empty() { String::new() } else { format!(" [{}]", point.named) };
            out.line(format!("- {day}{}{named}", point.text));
            point.facts.iter().for_each(|fact| tell_source(fact, out));
            if let Some(how) = how(point.id) {
                out.line(format!("      {how}"));
            }
        }
    }
}

fn tell_done(done: &CarriedOut, out: &Output) {
    out.line("");
    out.line(text::LIFE_DONE.with(out.language, &[&done.tasks.len().to_string()]));
    for task in &done.tasks {
        let day = task.due.map(|due| Date::of(due).to_string()).unwrap_or_default();
        out.line(format!("  {day}  {}  {}", short(task.record), task.title));
    }
}

fn how(point: &str) -> Option<&'static str> {
    HOW.iter().find(|(id, _)| *id == point).map(|(_, commands)| *commands)
}

/// The commands that do a point, where there are any.
const HOW: &[(&str, &str)] = &[
    ("devices", "baken circle remove dossier NAME; baken devices wipe NAME"),
    ("case", "baken circle list; baken circle remove CASE DEVICE"),
    ("aftercare", "baken aftercare start"),
    ("alarm-second", "baken alarm path --now"),
    ("pack", "baken guidance read 18"),
    ("contact", "baken record list contact; baken record add contact name=…"),
    ("contacts", "baken record list contact; baken record add contact name=…"),
    ("responders", "baken record list contact; baken record add contact name=…"),
    ("scan", "baken scan start --again"),
    ("home-scan", "baken scan letter"),
    ("address", "baken life move --address …"),
    ("pkvw", "baken record list home; baken record set ID pkvw=met"),
    ("check-ins", "baken check-in list; baken check-in settle ID"),
    ("export", "baken sync; baken export dossier.baken"),
    ("activate", "baken --home ~/.baken-new activate BAKEN-INVITE:…"),
    ("import", "baken --home ~/.baken-new import dossier.baken --into-dossier"),
    ("recovery", "baken --home ~/.baken-new recovery print"),
    ("family-again", "baken --home ~/.baken-new circle create family --name …"),
    ("test", "baken --home ~/.baken-new alarm press --kind test"),
    ("wipe", "baken wipe"),
];

#[cfg(test)]
mod tests {
    use super::HOW;
    use crate::command::advised;

    #[test]
    fn every_point_names_commands_that_there_are() {
        HOW.iter().for_each(|(_, commands)| advised::check(commands));
    }
}
