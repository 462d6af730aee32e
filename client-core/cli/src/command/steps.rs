//! `baken steps`: where one is on the ways through the Leidraad, and the command that does the next step.

use baken_core::steps::{Known, Step, StepKind, Way, steps, way_now};
use serde_json::{Value as Json, json};

use crate::args::{Arguments, StepsArgs};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text;

pub fn run(arguments: &Arguments, args: &StepsArgs, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let known = baken.known()?;
    let now = way_now(&known);
    let ways: Vec<Way> = match args.way {
        Some(way) => vec![way],
        // What comes first now is told first.
        None => std::iter::once(now).chain(Way::ALL.iter().copied().filter(|way| *way != now)).collect(),
    };
    let lang = out.language;
    let entry = |step: &Step| {
        json!({"step": step.step, "done": step.done, "next": step.next, "title": step.step.title(lang),
            "command": command(step.step)})
    };
    let told = ways.iter().map(|way| {
        let steps: Vec<Json> = steps(&known, *way).iter().map(entry).collect();
        json!({"way": way, "title": way.title(lang), "steps": steps})
    });
    out.json(&json!({"now": now, "ways": told.collect::<Vec<_>>()}));
    for way in ways {
        if args.way.is_some() || way == now {
            tell(&known, way, out);
        } else {
            tell_shortly(&known, way, out);
        }
    }
    Ok(End::Done)
}

fn tell(known: &Known, way: Way, out: &Output) {
    let lang = out.language;
    out.line(out.paint(Colour::Green, way.title(lang)));
    for step in steps(known, way) {
        let mark = match step.done {
            Some(true) => "[x]",
            Some(false) => "[ ]",
            None => " - ",
        };
        let title = step.step.title(lang);
        let title = if step.next { out.paint(Colour::Yellow, title) } else { title.to_owned() };
        out.line(format!("{mark} {title}"));
        if step.done != Some(true) {
            out.line(format!("      {}", command(step.step)));
        }
    }
    if let Some(next) = steps(known, way).iter().find(|step| step.next) {
        out.line(text::STEP_NEXT.with(lang, &[next.step.title(lang)]));
    } else {
        out.line(text::STEPS_DONE.of(lang));
    }
    out.line("");
}

fn tell_shortly(known: &Known, way: Way, out: &Output) {
    let lang = out.language;
    let steps = steps(known, way);
    let (done, all) =
        steps.iter().filter_map(|step| step.done).fold((0, 0), |(done, all), is| (done + usize::from(is), all + 1));
    let counted = text::STEPS_COUNT.with(lang, &[&done.to_string(), &all.to_string()]);
    out.line(format!("{:<14} {counted}  baken steps {}", way.title(lang), way.tag()));
}

/// What does a step.
fn command(step: StepKind) -> &'static str {
    match step {
        StepKind::Profile => "baken record add profile name=… office=… home_address=…",
        StepKind::StartPack => "baken guidance read 18",
        StepKind::EmergencyContact => "baken record add contact name=… phone=… emergency=true",
        StepKind::Protocol => "baken guidance check",
        StepKind::SecondDevice => "baken pair relay",
        StepKind::RecoveryCode => "baken recovery print",
        StepKind::AlarmTest => "baken alarm press --kind test",
        StepKind::SelfScan => "baken scan",
        StepKind::Insurance => "baken record add measure type=insurance status=done title=…",
        StepKind::Family => "baken circle create family --name …",
        StepKind::HomeMark => "baken record add home address=… pkvw=met",
        StepKind::HomeScan => "baken scan letter; baken record add measure type=home-scan status=wished title=…",
        StepKind::Advice => "baken record add measure origin=adviser status=proposed title=…",
        StepKind::Measures => "baken record list measure; baken record set ID status=decided",
        StepKind::Signal => "baken signal add …",
        StepKind::SupportTeam => "baken contacts --kind unease",
        StepKind::FourQuestions => "baken review",
        StepKind::SignalsTold => "baken signal list; baken signal told ID driehoek",
        StepKind::ReviewTasks => "baken agenda --full; baken agenda --done ID",
        StepKind::Incident => "baken incident add",
        StepKind::Evidence => "baken attach add FILE --to ID",
        StepKind::Internal => "baken incident report ID --internal …",
        StepKind::Police => "baken incident report ID --police aangifte|melding|none-yet --reason …",
        StepKind::PoliceAdvice => "baken record add measure origin=police-advice status=proposed title=…",
        StepKind::Briefing => "baken record add briefing by=… at=… next=…",
        StepKind::Aftercare => "baken aftercare start",
        StepKind::FamilyAftercare => "baken aftercare start --for family",
        StepKind::Talks => "baken agenda --full; baken agenda --done ID",
        StepKind::Evaluation => "baken record add evaluation title=… at=… learnt=…",
        StepKind::CheckUp => "baken check-up remind --on …",
        StepKind::Closed => "baken record list aftercare; baken record set ID ended_at=…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::advised;

    #[test]
    fn every_step_names_commands_that_there_are() {
        StepKind::ALL.iter().for_each(|step| advised::check(command(*step)));
    }
}
