//! `baken rights`: what the rules of the Leidraad say of a situation, and what that rests on.

use baken_core::guidance::{Guidance, ReadAs};
use baken_schemas::Language;
use baken_schemas::edition::{Audience, Date, FactView, Office, Status};
use baken_schemas::rules::{AnswerView, Cover, DecisionView, Situation, Threat};
use serde_json::json;

use super::guidance::{tell_contact, tell_shown};
use crate::args::{Arguments, RightsArgs};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

pub fn run(arguments: &Arguments, args: &RightsArgs, out: &Output) -> Result<End, Failure> {
    let (phone, offices, residence_known) = person(arguments, args, out)?;
    let guidance = phone.baken.guidance()?;
    for (at, office) in offices.iter().enumerate() {
        if at > 0 {
            out.line("");
        }
        if offices.len() > 1 {
            out.line(out.paint(
                Colour::Green,
                text::OF_OFFICE.with(out.language, &[office_name(*office, out.language)]).as_str(),
            ));
        }
        let decision = decide(&guidance, args, *office, residence_known, out)?;
        out.json(&json!(decision));
        tell(&decision, out);
    }
    Ok(End::Done)
}

fn decide(
    guidance: &Guidance,
    args: &RightsArgs,
    office: Office,
    residence_known: bool,
    out: &Output,
) -> Result<DecisionView, Failure> {
    let on = args.on.unwrap_or_else(|| Date::of(clock().now()));
    let situation = Situation {
        office,
        organisation: args.organisation.unwrap_or(office.organisation()),
        home: args.pkvw,
        threat: args.threat,
        act: args.act,
        residence_known,
        cover: args.cover.or_else(|| guidance.recorded_cover(office, on)).unwrap_or(Cover::Unknown),
        new_in_office: args.new_in_office,
        measure: args.measure,
        on,
    };
    let who = ReadAs { language: out.language, audience: Audience::OfficeHolder, office: Some(office) };
    Ok(guidance.rules(who, &situation)?)
}

/// The offices, and whether the residence is known: as typed, or as the dossier says once the vault is open.
fn person(arguments: &Arguments, args: &RightsArgs, out: &Output) -> Result<(Phone, Vec<Office>, bool), Failure> {
    let phone = Phone::open(arguments)?;
    if let Some(office) = args.office {
        return Ok((phone, vec![office], args.residence_known));
    }
    if !phone.baken.is_activated() {
        return Err(Failure::Input("office_missing"));
    }
    let phone = Phone::unlocked(arguments, out)?;
    // As they are held today; another day is asked of one office at a time.
    let held = phone.baken.offices()?.into_iter().filter(|office| office.held);
    let mut offices: Vec<Office> = held.filter_map(|office| office.office).collect();
    offices.dedup();
    if let Some(organisation) = args.organisation.filter(|_| offices.len() > 1) {
        offices.retain(|office| office.organisation() == organisation);
    }
    if args.threat == Threat::Danger {
        // One answer, whatever office.
        offices.truncate(1);
    }
    if offices.is_empty() {
        return Err(Failure::Input("office_missing"));
    }
    let residence_known = args.residence_known || phone.baken.has_home_address()?;
    Ok((phone, offices, residence_known))
}

fn tell(decision: &DecisionView, out: &Output) {
    let lang = out.language;
    out.line(text::ON_DAY.with(lang, &[&decision.situation.on.to_string()]));
    for (index, answer) in decision.answers.iter().enumerate() {
        out.line("");
        out.line(out.paint(Colour::Green, &format!("{}. {}", index + 1, answer.text)));
        tell_answer(answer, out);
    }
    if !decision.sharing.is_empty() {
        out.line("");
        out.line(text::SHARING.of(lang));
        decision.sharing.iter().for_each(|share| out.line(format!("  {}", share.text)));
    }
    if !decision.gaps.is_empty() {
        out.line("");
    }
    decision.gaps.iter().for_each(|gap| out.line(out.paint(Colour::Yellow, &gap.text)));
}

fn tell_answer(answer: &AnswerView, out: &Output) {
    let lang = out.language;
    answer.contacts.iter().for_each(|contact| tell_contact(contact, out));
    let rows =
        if answer.rows.is_empty() { String::new() } else { text::LEIDRAAD_ROWS.with(lang, &[&answer.rows.join(", ")]) };
    let audience: Vec<&str> = answer.audience.iter().map(|audience| named(*audience, out)).collect();
    out.line(format!("   {}", text::WHY.with(lang, &[answer.rule.tag(), &rows, &audience.join(", ")])));
    answer.facts.iter().for_each(|fact| tell_source(fact, out));
}

pub(super) fn tell_source(fact: &FactView, out: &Output) {
    let titles: Vec<&str> = fact.provenance.sources.iter().map(|source| source.title.as_str()).collect();
    let source = text::SOURCE_OF.with(out.language, &[&titles.join("; "), &fact.provenance.source_date]);
    out.line(format!("   - {} [{source}]", fact.text));
    if fact.provenance.status == Status::Unconfirmed {
        let check_at = fact.provenance.check_at.clone().unwrap_or_default();
        let told = text::UNCONFIRMED_CONTACT.with(out.language, &[&check_at]);
        out.line(format!("     {}", out.paint(Colour::Yellow, &told)));
    }
    tell_shown(&fact.shown, out);
}

/// What an office is called.
pub(super) fn office_name(office: Office, language: Language) -> &'static str {
    language.pick(office.dutch(), office.tag())
}

fn named(audience: Audience, out: &Output) -> &'static str {
    let (nl, en) = match audience {
        Audience::OfficeHolder => ("uzelf", "yourself"),
        Audience::Adviser => ("uw adviseur", "your adviser"),
        Audience::PoliceContact => ("het politiecontact", "the police contact"),
        Audience::Family => ("uw gezin", "your family"),
    };
    out.language.pick(nl, en)
}
