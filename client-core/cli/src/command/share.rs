//! `baken share`: items into a case, what others see, and what their devices say they showed. It works offline; what goes
//! goes with the next sync.

use baken_core::Baken;
use baken_core::attachment::Part;
use baken_core::circle::CircleView;
use baken_core::sharing::{Change, Consent, GivenState, GivenView, GoesFile, Preview, ReaderView, Sharing, Stays};
use baken_core::transport::http::Dates;
use baken_schemas::circle::MemberRole;
use baken_schemas::edition::Audience;
use baken_schemas::id::{CircleId, RecordId};
use baken_schemas::local_time::local;
use baken_schemas::record::{kind_named, kind_numbered};
use baken_schemas::rules::{Caution, Code, May, Rule};
use baken_schemas::time::Timestamp;
use serde_json::{Value as Json, json};

use super::circle::{circle_name, device_name, find_circle};
use super::record::find_record;
use super::{ask, find, short};
use crate::args::{Arguments, ShareArgs, ShareCommand};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::text::sharing as text;
use crate::value::{to_json, to_text};

pub async fn run(arguments: &Arguments, args: &ShareArgs, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let baken = &phone.baken;
    match (&args.command, &args.item, &args.case) {
        (Some(ShareCommand::List), ..) => list(baken, out)?,
        (Some(ShareCommand::Log { item }), ..) => log(baken, item.as_deref(), out)?,
        (Some(ShareCommand::Withdraw { item, case }), ..) => withdraw(baken, item, case, out)?,
        (None, Some(item), Some(case)) => share(&phone, args, (item, case), out).await?,
        // clap asks for both.
        (None, ..) => {}
    }
    Ok(End::Done)
}

async fn share(phone: &Phone, args: &ShareArgs, (item, case): (&str, &str), out: &Output) -> Result<(), Failure> {
    let baken = &phone.baken;
    let item = find_record(baken, item)?;
    let circles = baken.circles()?;
    let case = find_circle(&circles, case)?;
    let without = if args.all_fields || !args.without.is_empty() { Some(args.without.clone()) } else { None };
    let sharing = Sharing { item, case: case.circle, without, attachments: chosen(baken, item, args)? };
    fetch(phone, &sharing.attachments).await;
    let preview = baken.share_preview(&sharing)?;
    tell(&preview, case, out);
    if args.preview {
        return Ok(());
    }
    let consent = agreed(baken, &preview, args, out)?;
    baken.share(&sharing, consent)?;
    out.json(&json!({"shared": item, "case": case.circle, "copy": preview.copy}));
    out.line(text::SHARED.with(out.language, &[&circle_name(case, out.language)]));
    Ok(())
}

/// The attachments that were named, or all.
fn chosen(baken: &Baken, item: RecordId, args: &ShareArgs) -> Result<Vec<RecordId>, Failure> {
    let mut files = baken.attachments(Some(item))?;
    files.retain(|file| !file.deleted);
    let ids: Vec<RecordId> = files.iter().map(|file| file.record).collect();
    if args.attachments {
        return Ok(ids);
    }
    let none = || baken_core::BakenError::NoSuchAttachment.into();
    args.attachment.iter().map(|typed| find(&ids, typed, none())).collect()
}

/// Fetches what is not here, where the relay is reached; what does not come cannot go.
async fn fetch(phone: &Phone, attachments: &[RecordId]) {
    let missing = phone.baken.attachments(None).unwrap_or_default();
    let mut missing = missing.into_iter().filter(|file| !file.here && attachments.contains(&file.record)).peekable();
    if missing.peek().is_none() {
        return;
    }
    let Ok(relay) = phone.relay(Dates::Checked) else { return };
    for file in missing {
        let parts = [Some(Part::File), file.has_thumbnail.then_some(Part::Thumbnail)];
        for part in parts.into_iter().flatten() {
            let _ = phone.baken.fetch_attachment(&relay, file.record, part, &|_| ()).await;
        }
    }
}

/// The person's word, and for what is confidential their word that it was so decided.
fn agreed(baken: &Baken, preview: &Preview, args: &ShareArgs, out: &Output) -> Result<Consent, Failure> {
    match preview.may {
        May::AsDecided => {
            ask_consent(baken, args.with_confidential, out)?;
            Ok(Consent::Given)
        }
        May::Never | May::OwnChoice => {
            if !args.yes && !ask::word(text::SHARE_WORD, text::SHARE_ASK, &[], out)? {
                return Err(Failure::Input("share_not_confirmed"));
            }
            Ok(Consent::NotAsked)
        }
    }
}

/// Names rule R11 with its source, and asks whether it was so decided, unless that was said already.
///
/// # Errors
/// [`baken_core::BakenError::Confidential`] without that word.
pub fn ask_consent(baken: &Baken, said: bool, out: &Output) -> Result<(), Failure> {
    let lang = out.language;
    let rule = r11(baken, out);
    out.json(&json!({"rule": Rule::R11.tag(), "confidential": rule}));
    out.line(out.paint(Colour::Red, &text::R11.with(lang, &[Rule::R11.tag(), &rule])));
    if said || ask::word(text::R11_WORD, text::R11_DECIDED, &[], out)? {
        return Ok(());
    }
    Err(baken_core::BakenError::Confidential { may: May::AsDecided }.into())
}

/// What R11 says, with the fact it rests on, its source and date.
pub fn r11(baken: &Baken, out: &Output) -> String {
    let code = Code::KeepMeasuresSecret.say(out.language).to_owned();
    let who = baken_core::guidance::ReadAs { language: out.language, audience: Audience::OfficeHolder, office: None };
    let Some(fact) = baken.guidance().and_then(|guidance| guidance.fact(who, "system-silence")).ok() else {
        return code;
    };
    let titles: Vec<&str> = fact.provenance.sources.iter().map(|source| source.title.as_str()).collect();
    let source = crate::text::SOURCE_OF.with(out.language, &[&titles.join("; "), &fact.provenance.source_date]);
    format!("{code} {} [{source}]", fact.text)
}

fn tell(preview: &Preview, case: &CircleView, out: &Output) {
    let lang = out.language;
    let kind = kind_named(preview.kind_name);
    let holds = |name: &str| kind.and_then(|kind| kind.field_named(name)).map(|field| field.holds);
    let mut said = json!(preview);
    for (field, shown) in preview.goes.iter().zip(said["goes"].as_array_mut().into_iter().flatten()) {
        shown["value"] = to_json(&field.value);
    }
    out.json(&json!({"preview": said}));
    let head = if preview.again { text::GOES_AGAIN } else { text::GOES };
    out.line(head.with(lang, &[&circle_name(case, lang)]));
    for field in &preview.goes {
        let mut notes = Vec::new();
        match field.change {
            Change::Same => notes.push(text::SAME.of(lang)),
            Change::Changed => notes.push(text::CHANGED.of(lang)),
            Change::New => {}
        }
        notes.extend(field.theirs.then(|| text::THEIRS.of(lang)));
        notes.extend(field.caution.map(|caution| match caution {
            Caution::Cost => text::CAUTION_COST.of(lang),
            Caution::ThirdParty => text::CAUTION_THIRD_PARTY.of(lang),
        }));
        let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
        let colour = if field.caution.is_some() || field.theirs { Colour::Yellow } else { Colour::Green };
        let line = format!("  {:<16} {}{notes}", field.name, to_text(&field.value, holds(field.name)));
        out.line(out.paint(colour, &line));
    }
    let file_line = |file: &GoesFile, why: &str| format!("  {:<16} {}  ({why})", short(file.attachment), file.name);
    for file in preview.files.iter().filter(|file| file.goes) {
        let why = if file.here { text::FILE_GOES } else { text::FILE_NOT_HERE };
        out.line(file_line(file, why.of(lang)));
    }
    let stay: Vec<&GoesFile> = preview.files.iter().filter(|file| !file.goes).collect();
    if !preview.stays.is_empty() || !stay.is_empty() {
        out.line(text::STAYS.of(lang));
    }
    for field in &preview.stays {
        let why = match field.why {
            Stays::Chosen => text::STAYS_CHOSEN,
            Stays::Newer => text::STAYS_NEWER,
            Stays::NamesUnshared => text::STAYS_UNSHARED,
        };
        out.line(format!("  {:<16} ({})", field.name, why.of(lang)));
    }
    stay.iter().for_each(|file| out.line(file_line(file, text::STAYS_FILE.of(lang))));
    let readers: Vec<String> = preview
        .readers
        .iter()
        .map(|reader| {
            let name = device_name(reader.name.as_deref(), reader.device);
            if reader.role == MemberRole::Viewer { format!("{name} ({})", text::CANNOT_SAY.of(lang)) } else { name }
        })
        .collect();
    if readers.is_empty() {
        out.line(text::READ_BY_NOBODY.of(lang));
    } else {
        out.line(text::READ_BY.with(lang, &[&readers.join(", ")]));
    }
}

fn withdraw(baken: &Baken, item: &str, case: &str, out: &Output) -> Result<(), Failure> {
    let circles = baken.circles()?;
    let case = find_circle(&circles, case)?;
    let shared: Vec<RecordId> = baken.given()?.iter().filter_map(|given| given.item).collect();
    let item = find(&shared, item, baken_core::BakenError::NotSharedThere.into())?;
    baken.withdraw(item, case.circle)?;
    out.json(&json!({"withdrawn": item, "case": case.circle}));
    out.line(text::WITHDRAWN.with(out.language, &[&circle_name(case, out.language)]));
    Ok(())
}

fn name_of(circles: &[CircleView], case: CircleId, out: &Output) -> String {
    let circle = circles.iter().find(|circle| circle.circle == case);
    circle.map_or_else(|| short(case), |circle| circle_name(circle, out.language))
}

fn state(given: &GivenView, out: &Output) -> String {
    let lang = out.language;
    let mut said = vec![
        match given.state {
            GivenState::Shared if given.item.is_none() => text::WRITTEN_THERE,
            GivenState::Shared => text::STATE_SHARED,
            GivenState::Withdrawn => text::STATE_WITHDRAWN,
            GivenState::Gone => text::STATE_GONE,
            GivenState::BackAgain => text::STATE_BACK,
            GivenState::CaseUnknown => text::STATE_UNKNOWN,
        }
        .of(lang)
        .to_owned(),
    ];
    said.extend(given.confidential.then(|| crate::text::CONFIDENTIAL.of(lang).to_owned()));
    let fields =
        |text: crate::text::Text, names: &[String]| (!names.is_empty()).then(|| text.with(lang, &[&names.join(", ")]));
    said.extend(fields(text::DIFFERS, &given.differs));
    said.extend(fields(text::THEY_WROTE, &given.theirs));
    said.extend(given.deleted_at_home.then(|| text::DELETED_AT_HOME.of(lang).to_owned()));
    said.extend((given.files > 0).then(|| text::FILES.with(lang, &[&given.files.to_string()])));
    said.join("; ")
}

fn list(baken: &Baken, out: &Output) -> Result<(), Failure> {
    let (given, circles) = (baken.given()?, baken.circles()?);
    out.json(&json!({"shared": given}));
    if given.is_empty() {
        out.line(text::NOTHING_SHARED.of(out.language));
        return Ok(());
    }
    let row = |given: &GivenView| {
        vec![
            short(given.item.unwrap_or(given.copy)),
            given.kind_name.unwrap_or_default().to_owned(),
            given.title.chars().take(40).collect(),
            name_of(&circles, given.case, out),
            given.since.map(local).unwrap_or_default(),
            state(given, out),
        ]
    };
    let own = |text: crate::text::Text| text.of(out.language);
    let head = [
        own(crate::text::RECORD),
        own(crate::text::KIND),
        own(text::ITEM),
        own(crate::text::CIRCLE),
        own(text::SINCE_WHEN),
        own(crate::text::STATE),
    ];
    out.table(&head, &given.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn log(baken: &Baken, item: Option<&str>, out: &Output) -> Result<(), Failure> {
    let (mut given, circles) = (baken.given()?, baken.circles()?);
    if let Some(typed) = item {
        let ids: Vec<RecordId> = given.iter().map(|given| given.item.unwrap_or(given.copy)).collect();
        let only = find(&ids, typed, baken_core::BakenError::NotSharedThere.into())?;
        given.retain(|given| given.item.unwrap_or(given.copy) == only);
    }
    let entry = |given: &GivenView| -> Json {
        json!({"item": given.item, "copy": given.copy, "case": given.case, "kind_name": given.kind_name,
            "title": given.title, "state": given.state, "readers": given.readers})
    };
    out.json(&json!({"log": given.iter().map(entry).collect::<Vec<_>>()}));
    let own = |text: crate::text::Text| text.of(out.language);
    let mut rows = Vec::new();
    for given in &given {
        for reader in &given.readers {
            rows.push(vec![
                short(given.item.unwrap_or(given.copy)),
                given.title.chars().take(40).collect(),
                name_of(&circles, given.case, out),
                device_name(reader.name.as_deref(), reader.device),
                said(reader, out),
            ]);
        }
    }
    if rows.is_empty() {
        out.line(text::NOTHING_SHARED.of(out.language));
        return Ok(());
    }
    let head =
        [own(crate::text::RECORD), own(text::ITEM), own(crate::text::CIRCLE), own(text::DEVICE), own(text::SHOWN_AT)];
    out.table(&head, &rows);
    out.line(own(text::LOG_MEANS));
    Ok(())
}

/// What a reader's device said of an item.
fn said(reader: &ReaderView, out: &Output) -> String {
    let lang = out.language;
    let mut said = match &reader.shown {
        Some(shown) => {
            let at: Vec<String> = shown.at.iter().rev().take(3).map(|at: &Timestamp| local(*at)).collect();
            let version = if shown.newest { text::SHOWN_NEWEST } else { text::SHOWN_OLDER };
            format!("{} ({})", at.join(", "), version.of(lang))
        }
        None if reader.cannot_say => text::CANNOT_SAY.of(lang).to_owned(),
        None => text::NOT_SHOWN.of(lang).to_owned(),
    };
    if !reader.is_in {
        said.push_str(&format!("; {}", text::IS_OUT.of(lang)));
    }
    said
}

/// What a record is called in a sentence: its kind and the start of its id.
pub fn named(baken: &Baken, record: RecordId) -> String {
    let kind = baken.record(record).ok().and_then(|view| kind_numbered(view.kind));
    format!("{} {}", kind.map_or("?", |kind| kind.name), short(record))
}
