//! Bringing an export into this dossier. Every value is put as this device's own edit, so nothing of another device's
//! place in the circle is taken over. What is here stays: an import fills in, it never writes over, and says what it left.
//!
//! The whole file is read and checked first, then read again and applied record by record, each all or nothing.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use baken_schemas::FormatError;
use baken_schemas::blob::BlobRef;
use baken_schemas::circle::CircleKind;
use baken_schemas::export::{ExportCode, ExportItem, ExportOpener, HEAD_BYTES, SEALED_BYTES};
use baken_schemas::id::{BlobId, CircleId, RecordId};
use baken_schemas::record::{DELETED, FieldNumber, KindNumber, Value, kind_numbered};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::attachment::{Progress, SealedAsItComes};
use crate::export::{SCAN_KIND, is_file};
use crate::record::{self, RecordView};
use crate::{Baken, BakenError};

/// Where records go whose circle this device is not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCircles {
    /// Nowhere; the report names them.
    LeaveOut,
    /// Into the dossier, where it allows their kind.
    IntoDossier,
}

/// What an import did, and what it left.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Records that were made.
    pub made: u64,
    /// Records that were here and had empty fields which are filled now.
    pub filled: u64,
    /// Records that were here as they are.
    pub unchanged: u64,
    /// Files that were sealed anew.
    pub files: u64,
    /// Fields that have another value here, which stays.
    pub differs: Vec<Note>,
    /// Fields that had more than one value in the export: the newest was put, this one is in the history.
    pub in_history: Vec<Note>,
    /// Attachments without their file: it is neither in the export nor at this dossier's relay.
    pub files_missing: Vec<RecordId>,
    /// Records that were left out.
    pub left_out: Vec<LeftOut>,
}

/// A value of the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: KindNumber,
    /// The field; 0 when it is deleted in one place and not in the other.
    pub field: FieldNumber,
    /// The value in the export.
    pub value: Value,
}

/// A record that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: KindNumber,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why a record was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// This device is not in its circle.
    NotInCircle,
    /// This device may not write in its circle.
    MayNotWrite,
    /// The kind of circle it would go to does not share such records.
    NotShared,
    /// It holds a value that does not fit its field.
    ValueRefused,
    /// It is a confidential measure, and would go into a case: share it there by hand.
    Confidential,
}

impl Baken {
    /// Brings an export into this dossier. Doing it twice changes nothing more.
    ///
    /// # Errors
    /// [`BakenError::ExportInvalid`] for another code, or a file that was altered or cut: nothing changed then.
    /// [`BakenError::Locked`], [`BakenError::Disk`], [`BakenError::DiskFull`]: what was applied until then stays, and a
    /// repeat goes on.
    pub fn import(
        &self,
        file: &mut (impl Read + Seek),
        code: &ExportCode,
        other: OtherCircles,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<ImportReport, BakenError> {
        let total = file.seek(SeekFrom::End(0))?;
        read_all(file, code, &mut |_, _| Ok(()))?;
        let mut importing =
            Importing { baken: self, other, report: ImportReport::default(), circle: None, group: None };
        read_all(file, code, &mut |item, done| {
            progress(Progress { done, total });
            importing.take(item)
        })?;
        progress(Progress { done: total, total });
        Ok(importing.report)
    }
}

/// Reads a whole export; `take` is also told how many bytes of the file were read.
fn read_all(
    file: &mut (impl Read + Seek),
    code: &ExportCode,
    take: &mut dyn FnMut(ExportItem, u64) -> Result<(), BakenError>,
) -> Result<(), BakenError> {
    file.seek(SeekFrom::Start(0))?;
    let head = read_up_to(file, HEAD_BYTES)?;
    let mut opener = ExportOpener::new(code, &head).map_err(BakenError::ExportInvalid)?;
    let mut done = head.len() as u64;
    let mut sealed = read_up_to(file, SEALED_BYTES)?;
    loop {
        let next = read_up_to(file, SEALED_BYTES)?;
        done = done.saturating_add(sealed.len() as u64);
        opener.open_chunk(&sealed, next.is_empty()).map_err(BakenError::ExportInvalid)?;
        while let Some(item) = opener.next_item().map_err(BakenError::ExportInvalid)? {
            take(item, done)?;
        }
        if next.is_empty() {
            break;
        }
        sealed = next;
    }
    if opener.is_at_end() {
        return Ok(());
    }
    Err(BakenError::ExportInvalid(FormatError::Rule { what: "an export", rule: "it ends too soon" }))
}

/// The next bytes of a file: so many, or fewer where it ends.
fn read_up_to(file: &mut impl Read, len: usize) -> Result<Vec<u8>, BakenError> {
    let mut bytes = Vec::new();
    file.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A record of the export as far as it has come.
struct Group {
    record: RecordId,
    kind: KindNumber,
    deleted: bool,
    /// Where it goes.
    circle: CircleId,
    /// It goes to the very circle that it was in.
    same_circle: bool,
    /// The record as it is here.
    here: Option<RecordView>,
    /// The values that stand, oldest first.
    values: BTreeMap<FieldNumber, Vec<Value>>,
    /// Files that were sealed anew, by the blob that the export names.
    sealed: BTreeMap<BlobId, BlobRef>,
    sealing: Option<(BlobId, SealedAsItComes)>,
}

struct Importing<'a> {
    baken: &'a Baken,
    other: OtherCircles,
    report: ImportReport,
    /// Where records of the circle at hand go, and whether that is the very circle.
    circle: Option<Result<(CircleId, bool), LeftOutReason>>,
    group: Option<Group>,
}

impl Importing<'_> {
    fn take(&mut self, item: ExportItem) -> Result<(), BakenError> {
        match item {
            ExportItem::Head { .. } | ExportItem::Device { .. } | ExportItem::NotHere { .. } => {}
            ExportItem::Circle { circle, kind, .. } => {
                self.end_group()?;
                self.circle = Some(self.place_of(circle, kind)?);
            }
            ExportItem::Record { record, kind, deleted } => {
                self.end_group()?;
                self.begin_group(record, kind, deleted)?;
            }
            ExportItem::Put { field, value, stands, .. } => {
                if let Some(group) = self.group.as_mut().filter(|_| stands && field != DELETED) {
                    let values = group.values.entry(field).or_default();
                    values.retain(|before| *before != value);
                    values.push(value);
                }
            }
            ExportItem::File { blob, size } => {
                if let Some(group) = self.group.as_mut().filter(|group| group.needs(blob)) {
                    group.sealing =
                        Some((blob, SealedAsItComes::begin(&self.baken.blobs(), &self.baken.context, size)?));
                }
                self.end_file()?;
            }
            ExportItem::Bytes { bytes } => {
                let bytes = Zeroizing::new(bytes);
                if let Some((_, sealing)) = self.group.as_mut().and_then(|group| group.sealing.as_mut()) {
                    sealing.push(&self.baken.context, &bytes)?;
                }
                self.end_file()?;
            }
            ExportItem::End { .. } => self.end_group()?,
        }
        Ok(())
    }

    /// Where the records of a circle go.
    fn place_of(
        &self,
        circle: CircleId,
        kind: CircleKind,
    ) -> Result<Result<(CircleId, bool), LeftOutReason>, BakenError> {
        self.baken.with_vault(|open| {
            let home = open.circles.home();
            let dossier = Some(home).filter(|home| home.membership().kind() == CircleKind::Dossier);
            let into = match open.circles.get(circle) {
                Ok(here) => Some(here),
                Err(_) if kind == CircleKind::Dossier || self.other == OtherCircles::IntoDossier => dossier,
                Err(_) => None,
            };
            Ok(match into {
                None => Err(LeftOutReason::NotInCircle),
                Some(into) if !into.membership().may_write(open.keys.device) => Err(LeftOutReason::MayNotWrite),
                Some(into) => Ok((into.id(), into.id() == circle)),
            })
        })
    }

    fn begin_group(&mut self, record: RecordId, kind: KindNumber, deleted: bool) -> Result<(), BakenError> {
        let spec = kind_numbered(kind);
        if spec.is_some_and(|spec| !spec.is_persons()) {
            return Ok(());
        }
        let (circle, same_circle) = match self.circle {
            Some(Ok(place)) => place,
            Some(Err(reason)) => {
                self.leave_out(record, kind, reason);
                return Ok(());
            }
            None => return Ok(()),
        };
        if spec.is_some_and(|spec| spec.name == SCAN_KIND) {
            let (values, sealed) = (BTreeMap::new(), BTreeMap::new());
            self.group =
                Some(Group { record, kind, deleted, circle, same_circle, here: None, values, sealed, sealing: None });
            return Ok(());
        }
        let looked_up = self.baken.with_settled(|open| {
            let into = open.circles.get(circle)?;
            let is_shared = spec.is_none_or(|spec| spec.circles.contains(&into.membership().kind()));
            if is_shared { record::view_in(&open.vault.connection, into, record, kind).map(Some) } else { Ok(None) }
        })?;
        let Some(here) = looked_up else {
            self.leave_out(record, kind, LeftOutReason::NotShared);
            return Ok(());
        };
        let (values, sealed) = (BTreeMap::new(), BTreeMap::new());
        self.group = Some(Group { record, kind, deleted, circle, same_circle, here, values, sealed, sealing: None });
        Ok(())
    }

    fn leave_out(&mut self, record: RecordId, kind: KindNumber, reason: LeftOutReason) {
        self.report.left_out.push(LeftOut { record, kind, reason });
    }

    /// Takes a file whose last bytes have come.
    fn end_file(&mut self) -> Result<(), BakenError> {
        let Some(group) = &mut self.group else { return Ok(()) };
        if let Some((blob, sealing)) = group.sealing.take_if(|(_, sealing)| sealing.is_complete()) {
            group.sealed.insert(blob, sealing.finish(&self.baken.context)?);
            self.report.files = self.report.files.saturating_add(1);
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), BakenError> {
        let Some(mut group) = self.group.take() else { return Ok(()) };
        group.name_new_files(&mut self.report);
        if !group.fits() {
            self.leave_out(group.record, group.kind, LeftOutReason::ValueRefused);
            return Ok(());
        }
        if kind_numbered(group.kind).is_some_and(|spec| spec.name == SCAN_KIND) {
            return self.take_scan_answer(&group);
        }
        let Some(here) = group.here.take() else { return self.make(group) };
        let mut edits = Vec::new();
        for (field, values) in group.values {
            let Some(value) = values.into_iter().next_back() else { continue };
            let standing = here.fields.iter().find(|view| view.field == field);
            let mut standing = standing.into_iter().flat_map(|view| &view.values).map(|view| &view.value);
            if value == Value::Empty || standing.clone().any(|here| *here == value) {
                continue;
            }
            if standing.all(|here| *here == Value::Empty) {
                edits.push((field, value));
            } else {
                self.report.differs.push(Note { record: group.record, kind: group.kind, field, value });
            }
        }
        if here.deleted != group.deleted {
            let value = Value::Bool(group.deleted);
            self.report.differs.push(Note { record: group.record, kind: group.kind, field: DELETED, value });
        }
        if edits.is_empty() {
            self.report.unchanged = self.report.unchanged.saturating_add(1);
            return Ok(());
        }
        if self.edit(group.circle, group.record, group.kind, edits)? {
            self.report.filled = self.report.filled.saturating_add(1);
        }
        Ok(())
    }

    /// Takes an answer of the self-scan: it goes to where this phone keeps its own, and into no circle.
    fn take_scan_answer(&mut self, group: &Group) -> Result<(), BakenError> {
        let value = |field| group.values.get(&field).and_then(|values| values.last()).cloned();
        let counted = match self.baken.take_scan_answer(group.record, value)? {
            Some(true) => &mut self.report.made,
            Some(false) => &mut self.report.unchanged,
            None => {
                self.leave_out(group.record, group.kind, LeftOutReason::ValueRefused);
                return Ok(());
            }
        };
        *counted = counted.saturating_add(1);
        Ok(())
    }

    /// Makes a record that is not here. Of several values of a field the newest stands, and the others go before it into
    /// the history.
    fn make(&mut self, group: Group) -> Result<(), BakenError> {
        let (record, kind) = (group.record, group.kind);
        let mut edits = Vec::new();
        for (field, values) in group.values {
            for value in values.iter().rev().skip(1).rev() {
                self.report.in_history.push(Note { record, kind, field, value: value.clone() });
            }
            edits.extend(values.into_iter().map(|value| (field, value)));
        }
        if group.deleted {
            edits.push((DELETED, Value::Bool(true)));
        }
        if !edits.is_empty() && self.edit(group.circle, record, kind, edits)? {
            self.report.made = self.report.made.saturating_add(1);
        }
        Ok(())
    }

    /// Says whether it was put; what may not go there is left out.
    fn edit(
        &mut self,
        circle: CircleId,
        record: RecordId,
        kind: KindNumber,
        puts: Vec<(FieldNumber, Value)>,
    ) -> Result<bool, BakenError> {
        match self.baken.edit(circle, record, kind, puts) {
            Err(BakenError::Confidential { .. }) => {
                self.leave_out(record, kind, LeftOutReason::Confidential);
                Ok(false)
            }
            done => done.map(|()| true),
        }
    }
}

impl Group {
    /// Whether nothing stands in a field here.
    fn is_empty_here(&self, field: FieldNumber) -> bool {
        let standing = self.here.iter().flat_map(|here| &here.fields).find(|view| view.field == field);
        standing.is_none_or(|view| view.values.iter().all(|view| view.value == Value::Empty))
    }

    /// Whether a file is to be sealed anew: a value that will be put names it.
    fn needs(&self, blob: BlobId) -> bool {
        let names = |value: &Value| named(value).is_some_and(|named| named.blob == blob);
        let mut fields = self.values.iter();
        fields
            .any(|(field, values)| is_file(self.kind, *field) && self.is_empty_here(*field) && values.iter().any(names))
    }

    /// Puts the new references in the place of the old ones. One whose file did not come is good in its own circle only.
    fn name_new_files(&mut self, report: &mut ImportReport) {
        let mut values = std::mem::take(&mut self.values);
        for (field, values) in &mut values {
            if !is_file(self.kind, *field) {
                continue;
            }
            if !self.is_empty_here(*field) {
                values.clear();
                continue;
            }
            let before = values.len();
            values.retain_mut(|value| {
                let Some(old) = named(value) else { return *value == Value::Empty };
                if let Some(new) = self.sealed.get(&old.blob) {
                    *value = Value::Bytes(new.to_bytes());
                    return true;
                }
                self.same_circle
            });
            if values.len() < before && report.files_missing.last() != Some(&self.record) {
                report.files_missing.push(self.record);
            }
        }
        values.retain(|_, values| !values.is_empty());
        self.values = values;
    }

    /// Whether every value is of its field's type, as far as this version knows it.
    fn fits(&self) -> bool {
        let Some(kind) = kind_numbered(self.kind) else { return true };
        self.values.iter().all(|(field, values)| {
            let field = kind.field_numbered(*field);
            field.is_none_or(|field| {
                values.iter().all(|value| matches!(value, Value::Newer(_)) || record::fits(field.holds, value))
            })
        })
    }
}

fn named(value: &Value) -> Option<BlobRef> {
    match value {
        Value::Bytes(bytes) => BlobRef::from_bytes(bytes).ok(),
        _ => None,
    }
}
