//! `baken attach`: files beside records. Adding, listing, saving and deleting work offline; sending is `baken sync`'s.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use baken_core::attachment::{AtRelay, AttachTo, AttachmentView, Existing, NewAttachment, Part};
use baken_core::transport::http::Dates;
use baken_core::{Baken, BakenError};
use baken_schemas::id::RecordId;
use baken_schemas::record::Value;
use serde_json::json;

use super::circle::find_circle;
use super::record::find_record;
use super::{find, short};
use crate::args::{Arguments, AttachCommand};
use crate::failure::{End, Failure};
use crate::media_type::{LOOKED_AT, media_type};
use crate::output::Output;
use crate::phone::Phone;
use crate::progress::ProgressLine;
use crate::text;
use crate::thumbnail::thumbnail;

/// The largest photo that is read whole for its small picture.
const MAX_PHOTO_BYTES: u64 = 64 * 1024 * 1024;

pub async fn run(arguments: &Arguments, command: &AttachCommand, out: &Output) -> Result<End, Failure> {
    let phone = Phone::unlocked(arguments, out)?;
    let baken = &phone.baken;
    match command {
        AttachCommand::Add { file, to, name, origin, circle } => {
            let to = match (to, circle) {
                (Some(record), _) => AttachTo::Record(find_record(baken, record)?),
                (None, Some(circle)) => AttachTo::Circle(find_circle(&baken.circles()?, circle)?.circle),
                (None, None) => AttachTo::Circle(baken.status()?.circle),
            };
            let attachment = add(baken, to, file, name.as_deref(), out)?;
            if let Some(origin) = origin {
                baken.put(attachment, vec![("origin".to_owned(), Value::Text(origin.clone()))])?;
            }
            made(attachment, out);
        }
        AttachCommand::List { record, deleted } => {
            let of = record.as_deref().map(|typed| find_record(baken, typed)).transpose()?;
            let mut attachments = baken.attachments(of)?;
            attachments.retain(|attachment| *deleted || !attachment.deleted);
            list(&attachments, out);
        }
        AttachCommand::Fetch { attachment, thumbnail } => {
            let attachment = find_attachment(baken, attachment)?;
            fetch(&phone, attachment, part(*thumbnail), out).await?;
            out.json(&json!({"attachment": attachment}));
            out.line(text::FETCHED.with(out.language, &[&short(attachment)]));
        }
        AttachCommand::Save { attachment, file, force, thumbnail } => {
            let attachment = find_attachment(baken, attachment)?;
            let existing = if *force { Existing::Replace } else { Existing::Keep };
            let save = || baken.save_attachment(attachment, part(*thumbnail), file, existing);
            match save() {
                Err(BakenError::AttachmentNotHere) => {
                    fetch(&phone, attachment, part(*thumbnail), out).await?;
                    save().map_err(outside)?;
                }
                saved => saved.map_err(outside)?,
            }
            out.json(&json!({"attachment": attachment, "file": file}));
            out.line(text::SAVED_READABLE.with(out.language, &[&file.display().to_string()]));
            baken.shown(&[attachment])?;
        }
        AttachCommand::Delete { attachment } => {
            let attachment = find_attachment(baken, attachment)?;
            baken.delete(attachment)?;
            made(attachment, out);
        }
    }
    Ok(End::Done)
}

async fn fetch(phone: &Phone, attachment: RecordId, part: Part, out: &Output) -> Result<(), Failure> {
    let line = ProgressLine::new(out, "fetching", text::FETCHING);
    let relay = phone.relay(Dates::Checked)?;
    Ok(phone.baken.fetch_attachment(&relay, attachment, part, &|progress| line.tell(progress)).await?)
}

fn part(thumbnail: bool) -> Part {
    if thumbnail { Part::Thumbnail } else { Part::File }
}

fn add(baken: &Baken, to: AttachTo, path: &Path, name: Option<&str>, out: &Output) -> Result<RecordId, Failure> {
    let name = name.or_else(|| path.file_name().and_then(|name| name.to_str())).map(str::trim);
    let name = name.filter(|name| !name.is_empty()).ok_or(Failure::Input("no_file_name"))?;
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(LOOKED_AT as u64).read_to_end(&mut start)?;
    let media_type = media_type(&start, path);
    let thumbnail = small_picture(&mut file, media_type)?;
    let new = NewAttachment { name, media_type, thumbnail: thumbnail.as_deref() };
    let line = ProgressLine::new(out, "sealing", text::SEALING);
    let attachment = baken.add_attachment(to, new, &mut file, &|progress| line.tell(progress)).map_err(outside)?;
    drop(line);
    Ok(attachment)
}

/// The small picture of a photo; none of anything else, and of one that is too large to be read whole.
fn small_picture(file: &mut File, media_type: &str) -> Result<Option<Vec<u8>>, Failure> {
    if !matches!(media_type, "image/jpeg" | "image/png") || file.metadata()?.len() > MAX_PHOTO_BYTES {
        return Ok(None);
    }
    file.rewind()?;
    let mut photo = Vec::new();
    file.take(MAX_PHOTO_BYTES).read_to_end(&mut photo)?;
    Ok(thumbnail(&photo))
}

/// A file that a person named lies outside of the home folder.
pub fn outside(error: BakenError) -> Failure {
    match error {
        BakenError::Disk(error) => Failure::Io(error),
        error => error.into(),
    }
}

/// The attachment whose id begins so.
///
/// # Errors
/// [`BakenError::NoSuchAttachment`], or that there are several.
fn find_attachment(baken: &Baken, typed: &str) -> Result<RecordId, Failure> {
    let ids: Vec<RecordId> = baken.attachments(None)?.iter().map(|attachment| attachment.record).collect();
    find(&ids, typed, BakenError::NoSuchAttachment.into())
}

fn made(attachment: RecordId, out: &Output) {
    out.json(&json!({"attachment": attachment}));
    out.line(text::MADE.with(out.language, &[&short(attachment)]));
}

fn list(attachments: &[AttachmentView], out: &Output) {
    out.json(&json!({"attachments": attachments}));
    let head = [
        text::ATTACHMENT,
        text::NAME,
        text::MEDIA_TYPE,
        text::SIZE,
        text::OF_RECORD,
        text::HERE,
        text::AT_RELAY,
        text::STATE,
    ];
    let rows: Vec<Vec<String>> = attachments.iter().map(|attachment| row(attachment, out)).collect();
    out.table(&head.map(|text| text.of(out.language)), &rows);
}

fn row(attachment: &AttachmentView, out: &Output) -> Vec<String> {
    let lang = out.language;
    let yes_no = |yes: bool| if yes { text::YES } else { text::NO }.of(lang).to_owned();
    let mut states = Vec::new();
    if attachment.deleted {
        states.push(text::DELETED.of(lang));
    }
    if attachment.in_conflict {
        states.push(text::IN_CONFLICT.of(lang));
    }
    vec![
        short(attachment.record),
        attachment.name.clone(),
        attachment.media_type.clone(),
        attachment.size.map_or_else(|| "?".to_owned(), |size| format!("{} kB", size.div_ceil(1000))),
        attachment.of.map(short).unwrap_or_default(),
        yes_no(attachment.here),
        match attachment.at_relay {
            AtRelay::Yes => yes_no(true),
            AtRelay::No => yes_no(false),
            AtRelay::Unknown => text::NOT_KNOWN.of(lang).to_owned(),
        },
        states.join(", "),
    ]
}
