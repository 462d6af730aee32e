//! `baken export` and `baken import`: everything out, sealed or readable, and a sealed file in again. The code is shown
//! once and typed; it is never an argument, which a shell would remember.

use std::fs::File;
use std::path::Path;

use baken_core::BakenError;
use baken_core::attachment::{Existing, Part};
use baken_core::export::{Exported, ImportReport, LeftOutReason, Note, OtherCircles};
use baken_core::sharing::Consent;
use baken_core::transport::http::Dates;
use baken_schemas::export::ExportCode;
use baken_schemas::record::{DELETED, kind_numbered};
use baken_schemas::rules::Rule;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::attach::outside;
use super::share::{named, r11};
use super::{ask, short, show_code, typed_code};
use crate::args::{Arguments, ExportArgs};
use crate::failure::{End, Failure};
use crate::output::{Colour, Output};
use crate::phone::Phone;
use crate::progress::ProgressLine;
use crate::text;
use crate::value::{field_name, to_json, to_text};

pub async fn run(arguments: &Arguments, export: &ExportArgs, out: &Output) -> Result<End, Failure> {
    let (phone, pin) = Phone::unlocked_with_pin(arguments, out)?;
    match (&export.clear, &export.file) {
        (Some(folder), _) => {
            confirm_clear(export.yes, out)?;
            fetch_missing(&phone, out).await?;
            let line = ProgressLine::new(out, "writing", text::EXPORTING);
            let consent = if export.with_confidential { Consent::Given } else { Consent::NotAsked };
            let exported = phone.baken.export_clear(&pin, folder, consent, &|progress| line.tell(progress));
            let exported = exported.map_err(outside)?;
            drop(line);
            out.json(&exported_json(&exported, folder, None));
            tell(&exported, folder, out);
            warn(&phone, &exported, out);
        }
        (None, Some(file)) => {
            fetch_missing(&phone, out).await?;
            let existing = if export.force { Existing::Replace } else { Existing::Keep };
            let line = ProgressLine::new(out, "writing", text::EXPORTING);
            let (code, exported) =
                phone.baken.export(&pin, file, existing, &|progress| line.tell(progress)).map_err(outside)?;
            drop(line);
            let code = Zeroizing::new(code.to_text());
            out.json(&exported_json(&exported, file, Some(&code)));
            tell(&exported, file, out);
            out.line(text::EXPORT_CODE.of(out.language));
            show_code(&code, out);
            out.line(out.paint(Colour::Yellow, text::EXPORT_APART.of(out.language)));
        }
        // clap asks for one of both.
        (None, None) => {}
    }
    Ok(End::Done)
}

/// Says what a readable folder means, and asks for a word.
fn confirm_clear(yes: bool, out: &Output) -> Result<(), Failure> {
    let lang = out.language;
    out.json(&json!({"warning": text::CLEAR_WARNING.of(lang)}));
    out.line(out.paint(Colour::Red, text::CLEAR_WARNING.of(lang)));
    let agreed = yes || ask::word(text::CLEAR_WORD, text::TYPE_TO_GO_ON, &[], out)?;
    if agreed { Ok(()) } else { Err(Failure::Input("not_exported")) }
}

/// Fetches attachments that are not here, as far as the relay is reached and has them; the others are told as missing.
async fn fetch_missing(phone: &Phone, out: &Output) -> Result<(), Failure> {
    let missing = phone.baken.attachments(None)?.into_iter().filter(|view| !view.here && !view.deleted);
    let line = ProgressLine::new(out, "fetching", text::FETCHING);
    let tell = |progress| line.tell(progress);
    for attachment in missing {
        let relay = phone.relay(Dates::Checked)?;
        for part in [Part::File, Part::Thumbnail] {
            if part == Part::Thumbnail && !attachment.has_thumbnail {
                continue;
            }
            match phone.baken.fetch_attachment(&relay, attachment.record, part, &tell).await {
                Err(BakenError::NotReached) => return Ok(()),
                Err(error @ (BakenError::Locked | BakenError::Disk(_) | BakenError::DiskFull)) => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn exported_json(exported: &Exported, path: &Path, code: Option<&str>) -> Json {
    let mut said = json!({
        "path": path,
        "records": exported.records,
        "files": exported.files,
        "not_here": exported.not_here,
        "kept_in": exported.kept_in,
        "costs": exported.costs,
        "third_parties": exported.third_parties,
    });
    if let Some(code) = code {
        said["code"] = json!(code);
    }
    said
}

fn tell(exported: &Exported, path: &Path, out: &Output) {
    let [records, files] = [exported.records, exported.files].map(|number| number.to_string());
    out.line(text::EXPORTED.with(out.language, &[&records, &files, &path.display().to_string()]));
    if !exported.not_here.is_empty() {
        let count = exported.not_here.len().to_string();
        out.line(out.paint(Colour::Yellow, &text::EXPORT_NOT_HERE.with(out.language, &[&count])));
    }
}

/// What a readable folder left out, and what of it is not only the person's own to tell.
fn warn(phone: &Phone, exported: &Exported, out: &Output) {
    let lang = out.language;
    let warn = |said: &str| out.line(out.paint(Colour::Yellow, said));
    if !exported.kept_in.is_empty() {
        let names: Vec<String> = exported.kept_in.iter().map(|record| named(&phone.baken, *record)).collect();
        let (count, rule) = (names.len().to_string(), r11(&phone.baken, out));
        warn(&text::sharing::KEPT_IN.with(lang, &[&count, &names.join(", "), Rule::R11.tag(), &rule]));
    }
    if exported.costs > 0 {
        warn(&text::sharing::HAS_COSTS.with(lang, &[&exported.costs.to_string()]));
    }
    if exported.third_parties > 0 {
        warn(&text::sharing::HAS_THIRD_PARTIES.with(lang, &[&exported.third_parties.to_string()]));
    }
}

pub fn import(arguments: &Arguments, path: &Path, into_dossier: bool, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let mut file = File::open(path)?;
    let code =
        typed_code(text::TYPE_EXPORT_CODE, out, |typed| ExportCode::from_text(typed).map_err(BakenError::ExportCode))?;
    let other = if into_dossier { OtherCircles::IntoDossier } else { OtherCircles::LeaveOut };
    let line = ProgressLine::new(out, "importing", text::IMPORTING);
    let report = phone.baken.import(&mut file, &code, other, &|progress| line.tell(progress))?;
    drop(line);
    out.json(&report_json(&report));
    tell_report(&report, out);
    Ok(End::Done)
}

fn report_json(report: &ImportReport) -> Json {
    let notes = |notes: &[Note]| -> Json {
        let note =
            |note: &Note| json!({"record": note.record, "field": note_field(note), "value": to_json(&note.value)});
        notes.iter().map(note).collect()
    };
    json!({
        "made": report.made,
        "filled": report.filled,
        "unchanged": report.unchanged,
        "files": report.files,
        "differs": notes(&report.differs),
        "in_history": notes(&report.in_history),
        "files_missing": report.files_missing,
        "left_out": report.left_out,
    })
}

fn note_field(note: &Note) -> String {
    if note.field == DELETED {
        return "deleted".to_owned();
    }
    let field = kind_numbered(note.kind).and_then(|kind| kind.field_numbered(note.field));
    field_name(field.map(|field| field.name), note.field)
}

fn tell_report(report: &ImportReport, out: &Output) {
    let lang = out.language;
    let numbers = [report.made, report.filled, report.unchanged, report.files].map(|number| number.to_string());
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    out.line(text::IMPORTED.with(lang, &numbers));
    for (notes, said) in [(&report.differs, text::IMPORT_DIFFERS), (&report.in_history, text::IMPORT_IN_HISTORY)] {
        for note in notes {
            let holds =
                kind_numbered(note.kind).and_then(|kind| kind.field_numbered(note.field)).map(|field| field.holds);
            let shown = to_text(&note.value, holds);
            out.line(out.paint(Colour::Yellow, &said.with(lang, &[&short(note.record), &note_field(note), &shown])));
        }
    }
    for attachment in &report.files_missing {
        out.line(out.paint(Colour::Yellow, &text::IMPORT_NO_FILE.with(lang, &[&short(attachment)])));
    }
    for left in &report.left_out {
        let why = match left.reason {
            LeftOutReason::NotInCircle => text::LEFT_NOT_IN_CIRCLE,
            LeftOutReason::MayNotWrite => text::LEFT_MAY_NOT_WRITE,
            LeftOutReason::NotShared => text::LEFT_NOT_SHARED,
            LeftOutReason::ValueRefused => text::LEFT_VALUE,
            LeftOutReason::Confidential => text::sharing::LEFT_CONFIDENTIAL,
        };
        let kind = field_name(kind_numbered(left.kind).map(|kind| kind.name), left.kind);
        let said = text::IMPORT_LEFT_OUT.with(lang, &[&short(left.record), &kind, why.of(lang)]);
        out.line(out.paint(Colour::Yellow, &said));
    }
}
