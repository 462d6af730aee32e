//! The readable export: a folder with `dossier.json` and the attachments as files. It protects nobody: whoever finds the
//! folder reads everything. It is there so that nobody depends on Baken to read what is theirs.

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use baken_schemas::export::ExportItem;
use baken_schemas::id::{DeviceId, RecordId};
use baken_schemas::record::{DELETED, FieldNumber, FieldType, KindNumber, Value, kind_numbered};
use baken_schemas::rules::WayOut;
use baken_schemas::time::Timestamp;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value as Json, json};

use crate::attachment::{Progress, create_private};
use crate::disk::{self, File};
use crate::export::{Exported, is_file};
use crate::sharing::Consent;
use crate::{Baken, BakenError};

/// The file with all records.
const DOSSIER: &str = "dossier.json";
/// The folder with the attachments.
const ATTACHMENTS: &str = "attachments";
/// The most bytes of an attachment's name that its file has.
const MAX_NAME_BYTES: usize = 120;

impl Baken {
    /// Writes everything into a folder that anybody can read. The folder is made; one that is there must be empty.
    /// Confidential measures, and what names one, stay out unless the person says otherwise.
    ///
    /// # Errors
    /// [`BakenError::FileExists`] when something is in the folder, those of the PIN, [`BakenError::Locked`],
    /// [`BakenError::Disk`], [`BakenError::DiskFull`]. What was written is removed then.
    pub fn export_clear(
        &self,
        pin: &str,
        folder: &Path,
        confidential: Consent,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Exported, BakenError> {
        self.check_pin(pin)?;
        make_private_folder(folder)?;
        if disk::read_dir(folder)?.next().is_some() {
            return Err(BakenError::FileExists);
        }
        let written = self.write_clear(folder, confidential, progress);
        if written.is_err() {
            // Half of it would be as readable as all of it.
            let _ = disk::remove_file(folder.join(DOSSIER));
            let _ = disk::remove_dir_all(folder.join(ATTACHMENTS));
        }
        written
    }

    fn write_clear(
        &self,
        folder: &Path,
        confidential: Consent,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Exported, BakenError> {
        make_private_folder(&folder.join(ATTACHMENTS))?;
        let mut writer = ClearWriter::new(folder)?;
        let walked = self.walk((WayOut::ReadableExport, confidential), progress, &mut |item| writer.take(item))?;
        writer.out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(walked.into())
    }
}

/// A record on its way to the file.
struct Record {
    record: RecordId,
    kind: KindNumber,
    deleted: bool,
    fields: BTreeMap<FieldNumber, Vec<Json>>,
    history: Vec<Json>,
    name: Option<String>,
    files: Vec<Json>,
}

/// Writes items as JSON, one record at a time.
struct ClearWriter {
    folder: PathBuf,
    out: BufWriter<File>,
    circle: Option<Map<String, Json>>,
    /// Circles begun, and records of the last one.
    circles: usize,
    records: usize,
    /// Files begun.
    files: usize,
    names: BTreeMap<DeviceId, String>,
    record: Option<Record>,
    file: Option<File>,
}

impl ClearWriter {
    fn new(folder: &Path) -> Result<Self, BakenError> {
        Ok(Self {
            folder: folder.to_owned(),
            out: BufWriter::new(create_private(&folder.join(DOSSIER))?),
            circle: None,
            circles: 0,
            records: 0,
            files: 0,
            names: BTreeMap::new(),
            record: None,
            file: None,
        })
    }

    fn take(&mut self, item: &ExportItem) -> Result<(), BakenError> {
        match item {
            ExportItem::Head { made_at, device } => {
                let head = json!({"format": "baken-clear-export", "version": 0, "made_at": made_at.to_rfc3339(),
                    "device": device});
                let head = head.to_string();
                write!(self.out, "{},\n\"circles\":[", head.trim_end_matches('}'))?;
            }
            ExportItem::Circle { circle, kind, name, home } => {
                self.end_circle()?;
                self.names.clear();
                let circle = json!({"circle": circle, "kind": kind, "name": name, "own": home});
                self.circle = circle.as_object().cloned();
            }
            ExportItem::Device { device, name } => drop(self.names.insert(*device, name.clone())),
            ExportItem::Record { record, kind, deleted } => {
                self.end_record()?;
                self.begin_records()?;
                let (record, kind, deleted) = (*record, *kind, *deleted);
                let (fields, history, files) = (BTreeMap::new(), Vec::new(), Vec::new());
                self.record = Some(Record { record, kind, deleted, fields, history, name: None, files });
            }
            ExportItem::Put { field, value, by, at, stands } => self.put(*field, value, *by, *at, *stands),
            ExportItem::File { size, .. } => self.begin_file(*size)?,
            ExportItem::Bytes { bytes } => {
                if let Some(file) = &mut self.file {
                    file.write_all(bytes)?;
                }
            }
            ExportItem::NotHere { size, .. } => {
                self.file = None;
                if let Some(record) = &mut self.record {
                    record.files.push(json!({"file": null, "size": size}));
                }
            }
            ExportItem::End { .. } => {
                self.end_circle()?;
                self.out.write_all(b"\n]}\n")?;
            }
        }
        Ok(())
    }

    fn put(&mut self, field: FieldNumber, value: &Value, by: Option<DeviceId>, at: Timestamp, stands: bool) {
        let names = &self.names;
        let Some(record) = &mut self.record else { return };
        if is_file(record.kind, field) {
            // It holds the key of a blob; the file itself is here.
            return;
        }
        let shown = value_json(record.kind, field, value);
        if stands && field != DELETED {
            if let (Value::Text(name), Some("name")) = (value, field_name(record.kind, field).as_deref()) {
                record.name = Some(name.clone());
            }
            let values = record.fields.entry(field).or_default();
            if !values.contains(&shown) {
                values.push(shown.clone());
            }
        }
        let by_name = by.and_then(|by| names.get(&by));
        record.history.push(json!({
            "field": field_name(record.kind, field).unwrap_or_else(|| format!("#{field}")),
            "value": shown,
            "by": by,
            "device": by_name,
            "at": at.to_rfc3339(),
            "stands": stands,
        }));
    }

    fn begin_file(&mut self, size: u64) -> Result<(), BakenError> {
        let Some(record) = &mut self.record else { return Ok(()) };
        // Others choose names and ids: a number keeps one file from taking another's place.
        self.files += 1;
        let name = format!("{}-{}", self.files, harmless(record.name.as_deref().unwrap_or_default()));
        let path = self.folder.join(ATTACHMENTS).join(&name);
        self.file = Some(create_private(&path)?);
        record.files.push(json!({"file": format!("{ATTACHMENTS}/{name}"), "size": size}));
        Ok(())
    }

    /// Writes what stands before the records of a circle, once.
    fn begin_records(&mut self) -> Result<(), BakenError> {
        let Some(mut circle) = self.circle.take() else { return Ok(()) };
        let devices = self.names.iter().map(|(device, name)| json!({"device": device, "name": name}));
        circle.insert("devices".to_owned(), devices.collect());
        let head = Json::Object(circle).to_string();
        let between = if self.circles == 0 { "" } else { "," };
        write!(self.out, "{between}\n{},\"records\":[", head.trim_end_matches('}'))?;
        (self.circles, self.records) = (self.circles + 1, 0);
        Ok(())
    }

    fn end_record(&mut self) -> Result<(), BakenError> {
        self.file = None;
        let Some(record) = self.record.take() else { return Ok(()) };
        let fields: Map<String, Json> = record
            .fields
            .into_iter()
            .map(|(field, mut values)| {
                let name = field_name(record.kind, field).unwrap_or_else(|| format!("#{field}"));
                // Several where they contradict.
                let value = if values.len() == 1 { values.remove(0) } else { json!({"conflict": values}) };
                (name, value)
            })
            .collect();
        let mut shown = json!({
            "record": record.record,
            "kind": kind_numbered(record.kind).map_or_else(|| format!("#{}", record.kind), |kind| kind.name.to_owned()),
            "deleted": record.deleted,
            "fields": fields,
            "history": record.history,
        });
        if let (Some(shown), false) = (shown.as_object_mut(), record.files.is_empty()) {
            shown.insert("files".to_owned(), record.files.into());
        }
        let between = if self.records == 0 { "" } else { "," };
        self.records += 1;
        Ok(write!(self.out, "{between}\n{shown}")?)
    }

    fn end_circle(&mut self) -> Result<(), BakenError> {
        self.end_record()?;
        self.begin_records()?;
        if self.circles > 0 {
            self.out.write_all(b"]}")?;
        }
        Ok(())
    }
}

fn field_name(kind: KindNumber, field: FieldNumber) -> Option<String> {
    if field == DELETED {
        return Some("deleted".to_owned());
    }
    kind_numbered(kind).and_then(|kind| kind.field_numbered(field)).map(|field| field.name.to_owned())
}

/// A value for people: a moment in RFC 3339, bytes in hex.
fn value_json(kind: KindNumber, field: FieldNumber, value: &Value) -> Json {
    let holds = kind_numbered(kind).and_then(|kind| kind.field_numbered(field)).map(|field| field.holds);
    match value {
        Value::Text(text) => json!(text),
        Value::Bool(bool) => json!(bool),
        Value::Int(ms) if holds == Some(FieldType::Time) => json!(Timestamp(*ms).to_rfc3339()),
        Value::Int(int) => json!(int),
        Value::Bytes(bytes) => json!(HEXLOWER.encode(bytes)),
        Value::Empty => Json::Null,
        Value::Newer(item) => json!({"newer": HEXLOWER.encode(item)}),
    }
}

/// A name that another person gave, as one of a file: no way out of the folder, nothing hidden, no strange letters.
pub(crate) fn harmless(name: &str) -> String {
    let keeps = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_' | ' ');
    let mut kept = String::new();
    for char in name.chars().map(|char| if keeps(char) { char } else { '_' }) {
        if kept.len() + char.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        kept.push(char);
    }
    let name = kept.trim_matches(['.', ' ']);
    if name.is_empty() { "bestand".to_owned() } else { name.to_owned() }
}

/// Makes a folder, readable by its owner only; fine when it is there.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), BakenError> {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = disk::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && disk::is_dir(folder) => Ok(()),
        made => Ok(made?),
    }
}
