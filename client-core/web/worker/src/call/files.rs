//! Files beside records, and everything taken out.

use std::io::Cursor;
use std::path::Path;

use baken_core::attachment::{AttachTo, Existing, NewAttachment, Part};
use baken_core::{BakenError, disk};
use data_encoding::BASE64;
use serde_json::{Value as Json, json};

use crate::arguments::Arguments;
use crate::phone::Phone;

/// Where a file lies for a moment on its way to the page.
const OUT: &str = "/out.bin";

pub(super) fn attach(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let bytes = BASE64.decode(with.text("bytes").as_bytes()).map_err(|_| BakenError::ValueRefused)?;
    let new = NewAttachment { name: with.text("name"), media_type: with.text("media_type"), thumbnail: None };
    let record = phone.baken.add_attachment(AttachTo::Record(with.record()?), new, &mut Cursor::new(bytes), &|_| ())?;
    Ok(json!({ "record": record }))
}

pub(super) fn attachments(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    Ok(json!(phone.baken.attachments(with.record().ok())?))
}

pub(super) async fn attachment(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let record = with.record()?;
    if !phone.baken.attachments(None)?.iter().any(|view| view.record == record && view.here) {
        phone.baken.fetch_attachment(&phone.relay()?, record, Part::File, &|_| ()).await?;
    }
    phone.baken.save_attachment(record, Part::File, Path::new(OUT), Existing::Replace)?;
    take_out()
}

fn take_out() -> Result<Json, BakenError> {
    let bytes = disk::take(Path::new(OUT))?;
    Ok(json!({ "bytes": BASE64.encode(&bytes) }))
}

/// Everything in one sealed file, and the code that opens it.
pub(super) fn export(phone: &Phone, with: &Arguments) -> Result<Json, BakenError> {
    let (code, exported) = phone.baken.export(with.text("pin"), Path::new(OUT), Existing::Replace, &|_| ())?;
    let mut told = take_out()?;
    told["code"] = json!(code.to_text());
    told["records"] = json!(exported.records);
    told["files"] = json!(exported.files);
    told["not_here"] = json!(exported.not_here.len());
    Ok(told)
}
