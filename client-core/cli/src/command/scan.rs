//! `baken scan`: the self-scan. The questions and the way out of danger need no PIN; answers lie in the vault.

use std::io::IsTerminal as _;

use baken_core::guidance::ReadAs;
use baken_core::scan::{Changed, Letter, Scan, ScanQuestionView, ScanView, Tip};
use baken_core::{Baken, BakenError};
use baken_schemas::edition::{Audience, Reply};
use serde_json::{Value as Json, json};

use super::circle::find_circle;
use super::guidance::{tell_card, tell_contact};
use super::rights::tell_source;
use super::{ask, prompt, read_stdin, short};
use crate::args::{Arguments, ScanArgs, ScanCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text::{self, Text};

pub fn run(arguments: &Arguments, args: &ScanArgs, out: &Output) -> Result<End, Failure> {
    let who = ReadAs { language: out.language, audience: Audience::OfficeHolder, office: args.office };
    let start = ScanCommand::Start { gate: None, again: false };
    let command = args.command.as_ref().unwrap_or(&start);
    match command {
        ScanCommand::Questions => questions(&Phone::open(arguments)?.baken.guidance()?.scan(who)?, out),
        ScanCommand::Letter => letter(&Phone::open(arguments)?.baken.guidance()?.home_scan_letter(who)?, out),
        ScanCommand::Start { gate: Some(gate), .. } if gate == "yes" => {
            danger(&Phone::open(arguments)?.baken.guidance()?.scan(who)?, out);
        }
        _ => {
            let is_start = matches!(command, ScanCommand::Start { gate: None, .. });
            let asks = is_start && std::io::stdin().is_terminal() && !out.is_json();
            // Before the PIN: whoever is in danger has no time for one.
            if asks && !is_safe(&Phone::open(arguments)?.baken.guidance()?.scan(who)?, out)? {
                return Ok(End::Done);
            }
            let phone = Phone::unlocked(arguments, out)?;
            let office = args.office.map_or_else(|| phone.baken.own_office(), |office| Ok(Some(office)))?;
            let scan = phone.baken.guidance()?.scan(ReadAs { office, ..who })?;
            with_answers(&phone.baken, &scan, command, asks, out)?;
        }
    }
    Ok(End::Done)
}

fn with_answers(
    baken: &Baken,
    scan: &ScanView,
    command: &ScanCommand,
    asks: bool,
    out: &Output,
) -> Result<(), Failure> {
    match command {
        ScanCommand::Questions | ScanCommand::Letter => {}
        ScanCommand::Start { gate, again } => {
            if gate.is_some() || asks {
                baken.scan_pass_gate()?;
            }
            if *again {
                baken.scan_again()?;
                out.line(text::SCAN_AGAIN.of(out.language));
            }
            if asks {
                return ask(baken, scan, out);
            }
            next(scan, &baken.scan()?, None, out);
        }
        ScanCommand::Answer { question, reply } => {
            let tip = baken.scan_answer(scan, *question, *reply)?;
            next(scan, &baken.scan()?, tip.as_ref(), out);
        }
        ScanCommand::Result => result(scan, &baken.scan()?, out),
        ScanCommand::Changes => changes(scan, &baken.scan()?, out),
        ScanCommand::Task { question, by } => {
            let record = baken.scan_task(scan, *question, by.start())?;
            out.json(&json!({"record": record}));
            out.line(text::SCAN_TASK.with(out.language, &[&short(record)]));
        }
        ScanCommand::Share { question, circle: Some(circle) } => {
            let circle = find_circle(&baken.circles()?, circle)?.circle;
            let record = baken.scan_share(scan, *question, circle)?;
            out.json(&json!({"record": record, "circle": circle}));
            out.line(text::SCAN_SHARED.with(out.language, &[&short(record)]));
        }
        ScanCommand::Share { question, circle: None } => {
            let tip = baken.scan_tip(scan, *question)?;
            out.json(&json!({"text": tip.text()}));
            out.line(tip.text());
        }
        ScanCommand::Clear => {
            baken.scan_clear()?;
            out.json(&json!({"cleared": true}));
            out.line(text::SCAN_CLEARED.of(out.language));
        }
    }
    Ok(())
}

fn questions(scan: &ScanView, out: &Output) {
    out.json(&json!({"gate": scan.gate, "questions": scan.questions}));
    out.line(&scan.gate);
    let mut theme = "";
    for question in &scan.questions {
        if theme != question.theme {
            theme = &question.theme;
            out.line("");
            out.line(out.paint(Colour::Green, &question.theme_name));
        }
        out.line(format!("{:>3}. {}", question.id, question.text));
    }
}

/// Asks whether there is danger; whoever says so, or says nothing, gets no scan.
fn is_safe(scan: &ScanView, out: &Output) -> Result<bool, Failure> {
    out.line(out.paint(Colour::Green, &scan.gate));
    match typed(text::SCAN_YES_NO, out)? {
        Some(Reply::Yes) => danger(scan, out),
        Some(Reply::No) => return Ok(true),
        _ => out.line(text::GATE_HOW.of(out.language)),
    }
    Ok(false)
}

/// Asks what is not answered yet, on a terminal, until all is or an empty line is typed.
fn ask(baken: &Baken, scan: &ScanView, out: &Output) -> Result<(), Failure> {
    let lang = out.language;
    loop {
        let answers = baken.scan()?;
        let Some(question) = scan.next(&answers) else {
            result(scan, &answers, out);
            return Ok(());
        };
        out.line(out.paint(Colour::Green, &format!("{}. {}", question.id, question.text)));
        let asked = if question.not_applicable { text::SCAN_YES_NO_NA } else { text::SCAN_YES_NO };
        let Some(reply) = typed(asked, out)? else {
            out.line(text::SCAN_LATER.of(lang));
            return Ok(());
        };
        match baken.scan_answer(scan, question.id, reply) {
            Ok(tip) => tip.iter().for_each(|tip| tell_tip(tip, out)),
            Err(error @ BakenError::NotAnAnswer) => out.line(text::core_message(&error, lang)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// An answer as it is typed; asked again until it is one, `None` for an empty line.
fn typed(question: Text, out: &Output) -> Result<Option<Reply>, Failure> {
    loop {
        prompt(question.of(out.language), out)?;
        let line = read_stdin(true)?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        if let Some(reply) = reply_of(&line) {
            return Ok(Some(reply));
        }
    }
}

/// What people type for an answer, in both languages.
fn reply_of(typed: &str) -> Option<Reply> {
    if let Some(yes) = ask::yes_no(typed) {
        return Some(if yes { Reply::Yes } else { Reply::No });
    }
    match typed.trim().to_lowercase().as_str() {
        "unknown" | "?" | "w" | "weet niet" | "weet ik niet" => Some(Reply::Unknown),
        "na" | "n/a" | "nvt" | "n.v.t." => Some(Reply::NotApplicable),
        _ => None,
    }
}

/// Whoever is in danger gets no scan.
fn danger(scan: &ScanView, out: &Output) {
    out.json(&json!({"gate": scan.gate, "danger": true, "cards": scan.gate_cards, "contacts": scan.gate_contacts}));
    out.line(out.paint(Colour::Red, text::GATE_YES.of(out.language)));
    scan.gate_contacts.iter().for_each(|contact| tell_contact(contact, out));
    scan.gate_cards.iter().for_each(|card| tell_card(card, out));
}

/// The tip of the last answer, and what is asked next.
fn next(scan: &ScanView, answers: &Scan, tip: Option<&Tip>, out: &Output) {
    let lang = out.language;
    let is_past_gate = answers.is_past_gate(clock().now());
    let question = scan.next(answers).filter(|_| is_past_gate);
    let result = scan.result(answers);
    let gate = if is_past_gate { Json::Null } else { json!(scan.gate) };
    out.json(&json!({"gate": gate, "tip": tip, "next": question, "answered": result.answered,
        "questions": result.questions}));
    tip.iter().for_each(|tip| tell_tip(tip, out));
    let (answered, all) = (result.answered.to_string(), result.questions.to_string());
    match question {
        _ if !is_past_gate => {
            out.line(&scan.gate);
            out.line(text::GATE_HOW.of(lang));
        }
        Some(question) => {
            out.line(text::SCAN_PROGRESS.with(lang, &[&answered, &all]));
            out.line(out.paint(Colour::Green, &format!("{}. {}", question.id, question.text)));
            out.line(text::SCAN_ANSWER_HOW.with(lang, &[&question.id.to_string(), na(question)]));
        }
        None => out.line(text::SCAN_DONE.of(lang)),
    }
}

fn na(question: &ScanQuestionView) -> &'static str {
    if question.not_applicable { "|na" } else { "" }
}

fn tell_tip(tip: &Tip, out: &Output) {
    let told = format!("{} {}", text::SCAN_TIP.of(out.language), tip.tip);
    out.line(out.paint(Colour::Yellow, &told));
}

fn result(scan: &ScanView, answers: &Scan, out: &Output) {
    let lang = out.language;
    let result = scan.result(answers);
    out.json(&json!({"result": result, "closing": scan.closing, "contact": scan.closing_contact}));
    out.line(text::SCAN_PROGRESS.with(lang, &[&result.answered.to_string(), &result.questions.to_string()]));
    if result.first.is_empty() {
        out.line(text::SCAN_NO_TIPS.of(lang));
    }
    for (head, tips) in [(text::SCAN_FIRST, &result.first), (text::SCAN_REST, &result.rest)] {
        if tips.is_empty() {
            continue;
        }
        out.line("");
        out.line(out.paint(Colour::Green, head.of(lang)));
        for tip in tips {
            out.line(format!("{:>3}. {}", tip.question, tip.tip));
            out.line(format!("     {}", tip.advice));
        }
    }
    out.line("");
    if !result.open.is_empty() {
        let open: Vec<String> = result.open.iter().map(u8::to_string).collect();
        out.line(text::SCAN_OPEN.with(lang, &[&open.join(", ")]));
    }
    out.line(&scan.closing);
    scan.closing_contact.iter().for_each(|contact| tell_contact(contact, out));
}

fn letter(letter: &Letter, out: &Output) {
    let lang = out.language;
    out.json(&json!({"letter": letter}));
    out.line(out.paint(Colour::Green, &letter.subject));
    out.line("");
    out.line(&letter.text);
    for (head, lines) in [(text::LETTER_MENTION, &letter.mention), (text::LETTER_LEAVE_OUT, &letter.leave_out)] {
        out.line("");
        out.line(out.paint(Colour::Green, head.of(lang)));
        lines.iter().for_each(|line| out.line(format!("- {line}")));
    }
    out.line("");
    letter.facts.iter().for_each(|fact| tell_source(fact, out));
}

fn changes(scan: &ScanView, answers: &Scan, out: &Output) {
    let lang = out.language;
    let changes = scan.changes(answers);
    out.json(&json!({"changes": changes}));
    if !answers.answers().iter().any(|answer| answer.before.is_some()) {
        out.line(text::SCAN_NO_CHANGES.of(lang));
    }
    for change in &changes {
        let (what, colour) = match change.change {
            Changed::Solved => (text::SCAN_SOLVED, Colour::Green),
            Changed::New => (text::SCAN_NEW, Colour::Yellow),
            Changed::Still => (text::SCAN_SAME, Colour::Yellow),
        };
        let (before, now) = (said(change.before, out), said(change.now, out));
        out.line(format!("{:>3}. {} ({before} > {now})", change.question, change.text));
        out.line(format!("     {}", out.paint(colour, what.of(lang))));
    }
}

fn said(reply: Reply, out: &Output) -> &'static str {
    let (nl, en) = match reply {
        Reply::Yes => ("ja", "yes"),
        Reply::No => ("nee", "no"),
        Reply::Unknown => ("weet ik niet", "do not know"),
        Reply::NotApplicable => ("niet van toepassing", "not applicable"),
    };
    out.language.pick(nl, en)
}

#[cfg(test)]
mod tests {
    use baken_schemas::edition::Reply;

    use super::reply_of;

    #[test]
    fn an_answer_is_read_as_people_type_it_and_anything_else_is_asked_again() {
        for reply in Reply::ALL {
            assert_eq!(reply_of(reply.tag()), Some(*reply), "{reply}");
        }
        assert_eq!(reply_of(" Nee\n"), Some(Reply::No));
        assert_eq!(reply_of("n.v.t."), Some(Reply::NotApplicable));
        assert_eq!(reply_of("weet ik niet"), Some(Reply::Unknown));
        for other in ["", "misschien", "ja nee", "1"] {
            assert_eq!(reply_of(other), None, "{other}");
        }
    }
}
