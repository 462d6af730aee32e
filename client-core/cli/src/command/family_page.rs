//! `baken family`: the family's own page, on a family member's phone all that there is.

use baken_core::record::RecordView;
use baken_core::{ChapterRef, FamilyPage};
use baken_schemas::edition::CardView;
use baken_schemas::local_time::local;
use serde_json::json;

use super::guidance::{tell_card, tell_contact};
use super::rights::tell_source;
use super::short;
use crate::args::Arguments;
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text::{self, Text};
use crate::value::record_json;

pub fn run(arguments: &Arguments, out: &Output) -> Result<End, Failure> {
    let baken = Phone::unlocked(arguments, out)?.baken;
    let page = baken.family_page(out.language)?;
    let records = |records: &[RecordView]| records.iter().map(record_json).collect::<Vec<_>>();
    out.json(&json!({"circle": page.circle, "name": page.name, "plans": records(&page.plans),
        "contacts": records(&page.contacts), "notes": records(&page.notes), "public_contacts": page.public_contacts,
        "chapters": page.chapters, "children": page.children, "cards": page.cards,
        "aftercare": records(&page.aftercare), "moments": records(&page.moments), "free_choice": page.free_choice}));
    tell(&page, out);
    Ok(End::Done)
}

fn tell(page: &FamilyPage, out: &Output) {
    let lang = out.language;
    out.line(out.paint(Colour::Green, &page.name));
    head(text::FAMILY_CALL, out);
    page.public_contacts.iter().for_each(|contact| tell_contact(contact, out));
    for contact in &page.contacts {
        let told = ["phone", "relation", "available"].map(|field| contact.text(field));
        out.line(format!("{}  {} {} {}", told[0], contact.text("name"), told[1], told[2]).trim_end());
    }
    head(text::FAMILY_PLAN, out);
    nothing(page.plans.is_empty() && page.notes.is_empty(), text::FAMILY_NO_PLAN, out);
    for record in page.plans.iter().chain(&page.notes) {
        let when = record.moment("when").map(|at| format!(" ({})", local(at))).unwrap_or_default();
        out.line(format!("- {}{when}", record.text("title")));
        record.text("text").lines().for_each(|line| out.line(format!("  {line}")));
    }
    head(text::FAMILY_READ, out);
    for ChapterRef { id, title, remark } in &page.chapters {
        out.line(format!("  baken guidance --audience family read {id:<26} {title} {remark}").trim_end());
    }
    let card = |card: &CardView| format!("  baken guidance --audience family card {:<26} {}", card.id, card.title);
    page.cards.iter().for_each(|one| out.line(card(one)));
    head(text::FAMILY_CHILDREN, out);
    page.children.iter().for_each(|card| tell_card(card, out));
    head(text::FAMILY_AFTERCARE, out);
    page.free_choice.iter().for_each(|fact| tell_source(fact, out));
    nothing(page.aftercare.is_empty(), text::FAMILY_NO_AFTERCARE, out);
    for plan in &page.aftercare {
        let helper = plan.text("helper");
        let helper = if helper.is_empty() { text::FAMILY_NO_HELPER.of(lang).to_owned() } else { helper };
        out.line(text::FAMILY_HELPER.with(lang, &[&plan.text("title"), &helper]));
    }
    for moment in &page.moments {
        let at = moment.moment("when").map(local).unwrap_or_default();
        out.line(format!("  {at}  {}  {}", short(moment.record), moment.text("title")));
    }
}

fn head(title: Text, out: &Output) {
    out.line("");
    out.line(out.paint(Colour::Green, title.of(out.language)));
}

fn nothing(is_so: bool, what: Text, out: &Output) {
    if is_so {
        out.line(what.of(out.language));
    }
}
