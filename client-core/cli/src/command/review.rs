//! `baken review`: the four questions, with whom they are discussed, what is left to do, and whom one may call.

use std::io::IsTerminal as _;

use baken_core::guidance::{Guidance, ReadAs};
use baken_core::review::{Question, ReviewView};
use baken_core::task::TaskView;
use baken_core::{Baken, BakenError};
use baken_schemas::Language;
use baken_schemas::edition::{Audience, ContactView, Date, Trouble};
use baken_schemas::local_time::local;
use serde_json::{Value as Json, json};

use super::guidance::tell_contact;
use super::{ask, prompt, read_stdin, short, signal};
use crate::args::{Arguments, ReviewArgs, ReviewCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::{Phone, clock};
use crate::text;

/// By when a task is due unless something else is typed.
const TASK_DAYS: i64 = 14;

pub fn run(arguments: &Arguments, args: &ReviewArgs, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let page = Page::open(&baken, out)?;
    // Answered to the end, it is read again; only a word of its own begins anew.
    let is_over = baken.review()?.is_some_and(|review| review.next().is_none());
    let otherwise = if is_over { ReviewCommand::Show } else { ReviewCommand::Start { with: None, again: false } };
    match args.command.as_ref().unwrap_or(&otherwise) {
        ReviewCommand::Start { with, again } => {
            let review = baken.start_review(with.as_deref(), *again)?;
            if std::io::stdin().is_terminal() && !out.is_json() {
                return page.ask(review);
            }
            page.tell_next(&review, None)?;
        }
        ReviewCommand::Answer { question, answer, said, by } => {
            let question = Question::numbered(*question).ok_or(Failure::Input("no_such_review_question"))?;
            let due = by.unwrap_or_else(in_two_weeks).start();
            let task = baken.answer_review(question, (answer, said.as_deref()), due, out.language)?;
            let review = baken.review()?.ok_or(BakenError::NoReview)?;
            let task = task.and_then(|task| review.tasks.iter().find(|left| left.record == task));
            page.tell_next(&review, task)?;
        }
        ReviewCommand::Show => {
            let review = baken.review()?.ok_or(BakenError::NoReview)?;
            out.json(&page.json(&review)?);
            page.tell(&review)?;
        }
    }
    Ok(End::Done)
}

fn in_two_weeks() -> Date {
    Date::of(clock().now()).plus_days(TASK_DAYS)
}

/// What is asked, and who may be called whatever was answered.
struct Page<'a> {
    baken: &'a Baken,
    guidance: Guidance,
    who: ReadAs,
    contacts: Vec<ContactView>,
    out: &'a Output,
}

impl<'a> Page<'a> {
    fn open(baken: &'a Baken, out: &'a Output) -> Result<Self, Failure> {
        let guidance = baken.guidance()?;
        let who = ReadAs { language: out.language, audience: Audience::OfficeHolder, office: baken.own_office()? };
        let mut contacts = guidance.contacts(who, Some(Trouble::Unease));
        // The support team first: a feeling is enough for it.
        contacts.sort_by_key(|contact| contact.id != "support-team");
        Ok(Self { baken, guidance, who, contacts, out })
    }

    fn question(&self, question: Question) -> Result<String, Failure> {
        Ok(self.guidance.review_question(self.who, question)?)
    }

    fn json(&self, review: &ReviewView) -> Result<Json, Failure> {
        let mut answers = Vec::new();
        for answer in &review.answers {
            let mut entry = json!(answer);
            entry["text"] = json!(self.question(answer.question)?);
            answers.push(entry);
        }
        let next = review.next().map(|question| question.number());
        Ok(json!({"review": review.record, "whom": review.whom, "at": review.at, "answers": answers,
            "tasks": review.tasks, "next": next, "contacts": self.contacts}))
    }

    /// The task that was left, and what is asked next; at the end everything.
    fn tell_next(&self, review: &ReviewView, task: Option<&TaskView>) -> Result<(), Failure> {
        let (out, lang) = (self.out, self.out.language);
        let mut told = self.json(review)?;
        told["task"] = json!(task);
        out.json(&told);
        if let Some(task) = task {
            self.tell_task(task);
        }
        match review.next() {
            Some(question) => {
                let number = question.number().to_string();
                out.line(text::REVIEW_WITH.of(lang));
                out.line(out.paint(Colour::Green, &format!("{number}. {}", self.question(question)?)));
                out.line(text::REVIEW_HOW.with(lang, &[&number]));
            }
            None => self.tell(review)?,
        }
        Ok(())
    }

    /// Asks what is open, one by one, and in the end whether there is a signal.
    fn ask(&self, mut review: ReviewView) -> Result<End, Failure> {
        let (out, lang) = (self.out, self.out.language);
        out.line(text::REVIEW_WITH.of(lang));
        if review.whom.is_empty() {
            prompt(text::REVIEW_WHOM.of(lang), out)?;
            let whom = read_stdin(true)?;
            if !whom.trim().is_empty() {
                review = self.baken.start_review(Some(whom.trim()), false)?;
            }
        }
        while let Some(question) = review.next() {
            out.line(out.paint(Colour::Green, &format!("{}. {}", question.number(), self.question(question)?)));
            prompt(text::REVIEW_YES_NO.of(lang), out)?;
            let typed = read_stdin(true)?;
            let answer = match (ask::yes_no(&typed), typed.trim().to_lowercase().as_str()) {
                (Some(true), _) => "yes",
                (Some(false), _) => "no",
                (None, "") => {
                    out.line(text::REVIEW_LATER.of(lang));
                    return Ok(End::Done);
                }
                (None, "open" | "o" | "?") => "open",
                (None, _) => continue,
            };
            let (mut said, mut due) = (None, in_two_weeks());
            if answer != "yes" {
                prompt(text::REVIEW_SAID.of(lang), out)?;
                said = Some(read_stdin(true)?.trim().to_owned()).filter(|said| !said.is_empty());
                due = self.ask_day(due)?;
            }
            self.baken.answer_review(question, (answer, said.as_deref()), due.start(), lang)?;
            review = self.baken.review()?.ok_or(BakenError::NoReview)?;
        }
        prompt(text::REVIEW_SIGNAL.of(lang), out)?;
        let what = read_stdin(true)?;
        if !what.trim().is_empty() {
            signal::add(self.baken, what.trim(), clock().now(), &[], out)?;
        }
        self.tell(&review)?;
        Ok(End::Done)
    }

    fn ask_day(&self, otherwise: Date) -> Result<Date, Failure> {
        loop {
            prompt(&text::REVIEW_DAY.with(self.out.language, &[&otherwise.to_string()]), self.out)?;
            let typed = read_stdin(true)?;
            match typed.trim() {
                "" => return Ok(otherwise),
                typed => {
                    if let Ok(day) = typed.parse() {
                        return Ok(day);
                    }
                }
            }
        }
    }

    fn tell_task(&self, task: &TaskView) {
        let day = task.due.map(|due| Date::of(due).to_string()).unwrap_or_default();
        self.out.line(text::TASK_LEFT.with(self.out.language, &[&task.title, &day, &short(task.record)]));
    }

    fn tell(&self, review: &ReviewView) -> Result<(), Failure> {
        let (out, lang) = (self.out, self.out.language);
        let at = review.at.map(local).unwrap_or_default();
        out.line(text::REVIEW_HEAD.with(lang, &[&at, &review.whom]));
        for answer in &review.answers {
            let said = answer.answer.as_deref().map_or("…", |answer| word(answer, lang));
            out.line(format!(
                "{}. {} {}",
                answer.number,
                self.question(answer.question)?,
                out.paint(Colour::Green, said)
            ));
            if !answer.said.is_empty() {
                out.line(format!("   {}", answer.said));
            }
        }
        for task in review.tasks.iter().filter(|task| !task.done) {
            self.tell_task(task);
        }
        out.line("");
        out.line(text::REVIEW_CALL.of(lang));
        self.contacts.iter().for_each(|contact| tell_contact(contact, out));
        Ok(())
    }
}

fn word(answer: &str, language: Language) -> &str {
    let (nl, en) = match answer {
        "yes" => ("ja", "yes"),
        "no" => ("nee", "no"),
        "open" => ("nog open", "still open"),
        other => (other, other),
    };
    language.pick(nl, en)
}
