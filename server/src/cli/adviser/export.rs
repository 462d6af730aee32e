//! From the plan into the source of the organisation's edition: a contact a function, and what the insurance covers.
//!
//! An editor owns that source. So only what stands between two lines of ours is written, in three files, and nothing at
//! all where the edition would not be good with it: a relay that changes a number to 112 gets no further than here, and
//! the root's keeper sees every other change before signing (`edition diff`).

use std::path::Path;

use baken_schemas::Language;
use baken_schemas::adviser::{Insured, Line, Plan};
use baken_schemas::edition::check::may_be_published;
use baken_schemas::edition::{Date, Files, Office};
use baken_schemas::rules::Cover;
use serde_json::json;

use super::role::roles;
use crate::cli::edition::{check, files};
use crate::cli::{Failure, Say};
use crate::exit;
use crate::folder::{Access, write_whole};

/// After how many days a number is to be called again.
pub(super) const REVIEW_DAYS: i64 = 180;
/// How long a new edition is good, in days.
const EXPIRES_DAYS: i64 = 365;
/// The lines around what is ours.
const BEGIN: &str =
    "# Written by `baken-server org role export`; between these two lines it is written anew each time.";
const END: &str = "# End of what `baken-server org role export` writes.";
/// The source that it cites.
const SOURCE: &str = "organisation-register";

/// Writes a plan into an edition's source, if that stays good.
pub(super) fn write(
    plan: &Plan,
    organisation: &str,
    (folder, checked, review_by): (&Path, Date, Date),
    say: &Say,
) -> Result<(), Failure> {
    let before = if folder.is_dir() && std::fs::read_dir(folder)?.next().is_some() {
        files::read(folder)?
    } else {
        Files::new()
    };
    let mut after = before.clone();
    let dates = (checked, review_by);
    let register = format!(
        "\n[[source]]\nid = \"{SOURCE}\"\ntitle = {}\nyear = {}\n",
        quoted(&format!("{organisation}: functies en verzekering")),
        checked.year()
    );
    for (file, block) in
        [("contacts.toml", contacts(plan, dates)), ("facts.toml", facts(plan)), ("sources.toml", register)]
    {
        let text = with_block(after.get(file).map_or("", String::as_str), &block).ok_or_else(|| {
            Failure::bad_input(
                "edition_marks",
                format!("{file}: de regel \"{END}\" ontbreekt. Zet haar terug, of haal ons hele deel weg."),
                format!("{file}: the line \"{END}\" is missing. Put it back, or take our whole part away."),
            )
        })?;
        if !text.is_empty() {
            after.insert(file.to_owned(), text);
        }
    }
    if after == before {
        let json = json!({ "changed": false, "edition": folder });
        say.say(&json, "De uitgave is al bij.", "The edition is up to date already.");
        return Ok(());
    }
    let about = after.get("edition.toml").cloned();
    let (about, version) = match about {
        Some(about) => raised(&about),
        None => {
            let name = slug(organisation);
            let expires = checked.plus_days(EXPIRES_DAYS);
            let about = format!(
                "name = \"{name}\"\nlayer = \"organisation\"\nlanguages = [\"nl\", \"en\"]\nexpires = \"{expires}\"\nversion = 1\n"
            );
            (about, 1)
        }
    };
    after.insert("edition.toml".to_owned(), about);
    let findings = check::found(&after, &[], &[])?;
    if !may_be_published(&findings) {
        check::tell(&findings, say);
        return Err(Failure::said(exit::BAD_INPUT));
    }
    std::fs::create_dir_all(folder)?;
    for (path, text) in after.iter().filter(|(path, text)| before.get(*path) != Some(*text)) {
        write_whole(&folder.join(path), text.as_bytes(), Access::Open)?;
    }
    let without: Vec<_> =
        roles(plan).filter(|(_, role)| role.deputy.is_none()).map(|(_, role)| role.function).collect();
    let count = roles(plan).count();
    let told = |language: Language| {
        let mut text = match language {
            Language::Nl => format!(
                "{count} functies in {}, versie {version}. Bouw, teken en publiceer de uitgave nu.",
                folder.display()
            ),
            Language::En => format!(
                "{count} functions in {}, version {version}. Build, sign and publish the edition now.",
                folder.display()
            ),
        };
        for function in &without {
            let warning = language.pick("Let op, geen vervanger:", "Note, no deputy:");
            text.push_str(&format!("\n{warning} {}", function.name(language)));
        }
        text
    };
    let json =
        json!({ "changed": true, "edition": folder, "version": version, "roles": count, "without_deputy": without });
    say.say(&json, &told(Language::Nl), &told(Language::En));
    Ok(())
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A name that an edition may have.
fn slug(name: &str) -> String {
    let letters = name.to_lowercase();
    let parts = letters.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let slug = parts.collect::<Vec<_>>().join("-");
    if slug.is_empty() { "organisation".to_owned() } else { slug }
}

/// A file with our part in it; `None` where the end of an older one is missing.
fn with_block(text: &str, block: &str) -> Option<String> {
    let (before, behind) = match text.split_once(BEGIN) {
        None if block.is_empty() => return Some(text.to_owned()),
        None => (text, ""),
        Some((before, rest)) => (before, rest.split_once(END)?.1),
    };
    let ours = if block.is_empty() { String::new() } else { format!("{BEGIN}\n{block}{END}\n") };
    let mut all = before.trim_end().to_owned();
    for part in [ours.as_str(), behind.trim_start_matches(['\r', '\n'])] {
        let gap = if all.is_empty() || all.ends_with('\n') || part.is_empty() { "" } else { "\n\n" };
        all = format!("{all}{gap}{part}");
    }
    if !all.is_empty() && !all.ends_with('\n') {
        all.push('\n');
    }
    Some(all)
}

/// The next version of what an edition says of itself.
fn raised(about: &str) -> (String, u64) {
    let is_version = |line: &&str| line.split('=').next().is_some_and(|key| key.trim() == "version");
    let old = about.lines().find(is_version).and_then(|line| line.split('=').nth(1));
    let version = old.and_then(|old| old.trim().parse::<u64>().ok()).unwrap_or(1).saturating_add(1);
    let mut lines: Vec<String> = about.lines().filter(|line| !is_version(line)).map(str::to_owned).collect();
    lines.push(format!("version = {version}\n"));
    (lines.join("\n"), version)
}

fn contacts(plan: &Plan, (checked, review_by): (Date, Date)) -> String {
    let mut text = String::new();
    let mut contact = |id: &str,
                       names: [String; 2],
                       purposes: [&str; 2],
                       number: String,
                       next: Option<&str>,
                       (always, kinds): (bool, &[&str])| {
        let hours = if always {
            ["Dag en nacht", "Day and night"]
        } else {
            [
                "Op werkdagen. Bij spoed belt u het alarmnummer.",
                "On working days. In an emergency call the emergency number.",
            ]
        };
        let [name_nl, name_en] = names.map(|name| quoted(&name));
        let [purpose_nl, purpose_en] = purposes.map(quoted);
        let [hours_nl, hours_en] = hours.map(quoted);
        let next = next.map(|next| format!("next = {}\n", quoted(next))).unwrap_or_default();
        let kinds: Vec<String> = kinds.iter().map(|kind| quoted(kind)).collect();
        text.push_str(&format!(
            "\n[[contact]]\nid = {}\nname.nl = {name_nl}\nname.en = {name_en}\npurpose.nl = {purpose_nl}\n\
             purpose.en = {purpose_en}\nnumber = {}\nhours.nl = {hours_nl}\nhours.en = {hours_en}\n{next}\
             audience = [\"office-holder\", \"adviser\"]\nkinds = [{}]\nalways = {always}\nsource = [\"{SOURCE}\"]\n\
             source_date = \"{checked}\"\nchecked = \"{checked}\"\nreview_by = \"{review_by}\"\nstatus = \"confirmed\"\n\
             rows = [\"L04\"]\n",
            quoted(id),
            quoted(&number),
            kinds.join(", ")
        ));
    };
    for (_, role) in roles(plan) {
        let function = role.function;
        let [nl, en] = [Language::Nl, Language::En].map(|language| function.name(language).to_owned());
        let purposes = [Language::Nl, Language::En].map(|language| function.purpose(language));
        let id = format!("role-{function}");
        let deputy_id = format!("role-{function}-deputy");
        let next = role.deputy.as_ref().map(|_| deputy_id.as_str());
        let kinds = (role.always, function.kinds());
        contact(&id, [nl.clone(), en.clone()], purposes, role.number.to_string(), next, kinds);
        if let Some(deputy) = &role.deputy {
            let names = [format!("{nl}, vervanger"), format!("{en}, deputy")];
            contact(&deputy_id, names, purposes, deputy.number.to_string(), None, kinds);
        }
    }
    text
}

/// What the insurance covers: a fact a state, with the offices that are in it.
fn facts(plan: &Plan) -> String {
    let Some(insured) = plan.lines.iter().find_map(|line| match &line.line {
        Line::Insured(insured) => Some(insured),
        _ => None,
    }) else {
        return String::new();
    };
    Cover::ALL.iter().filter_map(|cover| fact(*cover, insured)).collect()
}

fn fact(cover: Cover, insured: &Insured) -> Option<String> {
    let of = |office: &Office| if office.is_executive() { insured.executive } else { insured.elected };
    let offices: Vec<String> =
        Office::ALL.iter().filter(|office| of(office) == cover).map(|office| quoted(office.tag())).collect();
    if offices.is_empty() {
        return None;
    }
    let (nl, en, status) = match cover {
        Cover::Covered => (
            "Uw organisatie heeft nagekeken: de verzekering tegen politiek molest geldt ook voor u.",
            "Your organisation looked: its insurance against politically motivated damage covers you too.",
            "status = \"confirmed\"",
        ),
        Cover::NotCovered => (
            "Uw organisatie heeft nagekeken: de verzekering tegen politiek molest geldt niet voor u.",
            "Your organisation looked: its insurance against politically motivated damage does not cover you.",
            "status = \"confirmed\"",
        ),
        Cover::Unknown => (
            "Uw organisatie weet nog niet of de verzekering tegen politiek molest ook voor u geldt.",
            "Your organisation does not know yet whether its insurance against politically motivated damage covers you.",
            "status = \"unconfirmed\"\ncheck_at = \"uw griffier of secretaris\"",
        ),
    };
    let (terms, read_on) = (insured.terms, insured.read_on);
    Some(format!(
        "\n[[fact]]\nid = \"{}\"\nkind = \"text\"\nnl = {}\nen = {}\noffices = [{}]\nsource = [\"{SOURCE}\"]\n\
         source_date = \"{terms}\"\nchecked = \"{read_on}\"\nreview_by = \"{}\"\n{status}\nrows = [\"L15\", \"L16\"]\n",
        cover.fact(),
        quoted(nl),
        quoted(en),
        offices.join(", "),
        read_on.plus_days(EXPIRES_DAYS)
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_ours_is_written_anew() {
        let theirs = "# Theirs.\n[[contact]]\nid = \"a\"\n";
        let once = with_block(theirs, "\n[[contact]]\nid = \"b\"\n").unwrap();
        assert!(once.starts_with(theirs.trim_end()) && once.contains("id = \"b\""));
        let twice = with_block(&once, "\n[[contact]]\nid = \"c\"\n").unwrap();
        assert!(twice.contains("id = \"a\"") && twice.contains("id = \"c\"") && !twice.contains("id = \"b\""));
        assert_eq!(with_block(&once.replace(END, ""), "x"), None);
        assert_eq!(
            raised("name = \"a\"\nversion = 4\nlayer = \"b\"\n"),
            ("name = \"a\"\nlayer = \"b\"\nversion = 5\n".to_owned(), 5)
        );
        assert_eq!(raised("name = \"a\"\n").1, 2);
        assert_eq!(
            (slug("Gemeente Zandhoven"), slug("…")),
            ("gemeente-zandhoven".to_owned(), "organisation".to_owned())
        );
    }

    proptest! {
        #[test]
        fn what_others_wrote_stays_whatever_it_is(before in "[a-z#\\n]{0,60}", behind in "[a-z#\\n]{0,60}", first in "[a-z]{1,20}\n", second in "[a-z]{0,20}") {
            let mixed = format!("{}\n{behind}", with_block(&before, &first).unwrap());
            let again = with_block(&mixed, &second).unwrap();
            let theirs = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
            let ours = if second.is_empty() { String::new() } else { format!("{BEGIN}\n{second}{END}") };
            prop_assert_eq!(theirs(&again), theirs(&format!("{before} {ours} {behind}")));
            prop_assert_eq!(with_block(&again, &second), Some(again.clone()));
        }
    }
}
