//! Days: what is past its review, and what contradicts itself.

use super::{Subject, card_file, chapter_file};
use crate::edition::source::date_of_source;
use crate::edition::{Date, Finding, Provenance};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let (edition, today) = (subject.edition, subject.today);
    let mut findings = Vec::new();
    if edition.expires <= today {
        let (nl, en) = (
            format!("de uitgave is verlopen op {}; kijk alles na en zet een nieuwe dag", edition.expires),
            format!("the edition expired on {}; look at all of it again and set a new day", edition.expires),
        );
        findings.push(Finding::warning("expired", "edition.toml", nl, en));
    }
    for fact in &edition.facts {
        let place = |finding: Finding| finding.of(&fact.id).at(subject.line("facts.toml", &fact.id));
        let is_backwards = fact.valid_from.zip(fact.valid_to).is_some_and(|(from, to)| from >= to);
        if is_backwards {
            findings.push(place(contradiction("facts.toml", "valid_from", "valid_to")));
        }
        // A fact that no longer holds is history: nobody need look again.
        let is_history = fact.valid_to.is_some_and(|to| to <= today);
        findings.extend(provenance("facts.toml", &fact.provenance, today, is_history).into_iter().map(place));
    }
    for contact in &edition.contacts {
        let place = |finding: Finding| finding.of(&contact.id).at(subject.line("contacts.toml", &contact.id));
        findings.extend(provenance("contacts.toml", &contact.provenance, today, false).into_iter().map(place));
    }
    let chapters = edition.chapters.iter().map(|chapter| (chapter_file(chapter.language, &chapter.id), &chapter.front));
    let cards = edition.cards.iter().map(|card| (card_file(card.language, &card.id), &card.front));
    for (file, front) in chapters.chain(cards) {
        if front.written > front.review_by {
            findings.push(contradiction(&file, "written", "review_by").at(1));
        }
        if front.review_by <= today {
            findings.push(past_review(&file, front.review_by).at(1));
        }
    }
    findings
}

fn provenance(file: &str, provenance: &Provenance, today: Date, is_history: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if provenance.checked > provenance.review_by {
        findings.push(contradiction(file, "checked", "review_by"));
    }
    if provenance.checked > today {
        let (nl, en) = (
            "checked ligt in de toekomst; zet de dag van nakijken",
            "checked is in the future; set the day you looked",
        );
        findings.push(Finding::error("dates", file, nl, en));
    }
    if date_of_source(&provenance.source_date).is_some_and(|source| source > provenance.checked) {
        findings.push(contradiction(file, "source_date", "checked"));
    }
    if provenance.review_by <= today && !is_history {
        findings.push(past_review(file, provenance.review_by));
    }
    findings
}

fn contradiction(file: &str, earlier: &str, later: &str) -> Finding {
    let (nl, en) = (
        format!("{earlier} hoort voor {later} te liggen; kijk beide na"),
        format!("{earlier} should lie before {later}; look at both"),
    );
    Finding::error("dates", file, nl, en)
}

fn past_review(file: &str, review_by: Date) -> Finding {
    let (nl, en) = (
        format!("had op {review_by} nagekeken moeten zijn; kijk het na en zet checked en review_by"),
        format!("was to be looked at again by {review_by}; do so and set checked and review_by"),
    );
    Finding::warning("past_review", file, nl, en)
}
