//! Goes through everything that is open, item by item, in the order that an export has. The vault is held for one record
//! at a time only: an edit never waits for a large export, and may be in it or not.

use std::io::{ErrorKind, Write};

use baken_schemas::blob::BlobRef;
use baken_schemas::export::ExportItem;
use baken_schemas::id::{CircleId, DeviceId, RecordId};
use baken_schemas::record::{KindNumber, KindSpec, Value, kind_named, kind_numbered};
use baken_schemas::rules::{Caution, WayOut, caution};

use crate::attachment::{BlobStore, Progress, blobs_of, is_whole, open_to};
use crate::devices::DeviceNames;
use crate::export::SCAN_KIND;
use crate::record::{self, HistoryView, RecordView};
use crate::sharing::Consent;
use crate::{Baken, BakenError};

/// Takes one item.
type Emit<'a> = dyn FnMut(&ExportItem) -> Result<(), BakenError> + 'a;

/// What was gone through.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) records: u64,
    pub(super) files: u64,
    pub(super) not_here: Vec<RecordId>,
    pub(super) kept_in: Vec<RecordId>,
    pub(super) costs: u64,
    pub(super) third_parties: u64,
}

impl Walked {
    /// Counts what to warn of.
    fn count_cautions(&mut self, view: &RecordView) {
        let filled = view.fields.iter().filter(|field| field.values.iter().any(|value| value.value != Value::Empty));
        let found: Vec<Caution> =
            filled.filter_map(|field| caution(view.kind_name.unwrap_or_default(), field.name?)).collect();
        self.costs = self.costs.saturating_add(u64::from(found.contains(&Caution::Cost)));
        self.third_parties = self.third_parties.saturating_add(u64::from(found.contains(&Caution::ThirdParty)));
    }
}

impl Baken {
    /// Emits everything that goes by this way out.
    ///
    /// # Errors
    /// [`BakenError::Locked`], [`BakenError::Database`], [`BakenError::Disk`], and what `emit` returns.
    pub(super) fn walk(
        &self,
        (by, consent): (WayOut, Consent),
        progress: &(dyn Fn(Progress) + Sync),
        emit: &mut Emit<'_>,
    ) -> Result<Walked, BakenError> {
        let kept_in = self.kept_in(by, consent)?;
        let sizes = self.attachments(None)?.into_iter().filter(|view| view.here).filter_map(|view| view.size);
        let mut meter = Meter { done: 0, total: sizes.fold(0, u64::saturating_add), progress };
        progress(Progress { done: 0, total: meter.total });
        let device = self.with_vault(|open| Ok(open.keys.device))?;
        emit(&ExportItem::Head { made_at: self.context.now(), device })?;
        let mut walked = Walked::default();
        let home = self.with_vault(|open| Ok(open.circles.home().id()))?;
        for view in self.circles()? {
            let (circle, kind, name) = (view.circle, view.kind, view.name);
            emit(&ExportItem::Circle { circle, kind, name, home: circle == home })?;
            for item in self.device_names(circle)? {
                emit(&item)?;
            }
            let ids = self.with_settled(|open| record::ids(&open.vault.connection, open.circles.get(circle)?))?;
            for (record, kind) in ids {
                // What a newer version made is the person's, for all this one knows.
                let is_persons = kind_numbered(kind).is_none_or(KindSpec::is_persons);
                if !is_persons {
                    continue;
                }
                if kept_in.contains(&record) {
                    walked.kept_in.push(record);
                } else {
                    self.walk_record(circle, record, kind, &mut walked, &mut meter, emit)?;
                }
            }
            if circle == home {
                self.walk_scan(device, &mut walked, emit)?;
            }
        }
        emit(&ExportItem::End { records: walked.records, files: walked.files })?;
        Ok(walked)
    }

    /// The answers of the self-scan, which no circle has, among the records of the device's own.
    fn walk_scan(&self, device: DeviceId, walked: &mut Walked, emit: &mut Emit<'_>) -> Result<(), BakenError> {
        let Some(kind) = kind_named(SCAN_KIND).map(|kind| kind.number) else { return Ok(()) };
        for answer in self.scan_for_export()? {
            emit(&ExportItem::Record { record: answer.record, kind, deleted: false })?;
            walked.records = walked.records.saturating_add(1);
            for (field, value) in answer.to_values() {
                emit(&ExportItem::Put { field, value, by: Some(device), at: answer.at, stands: true })?;
            }
        }
        Ok(())
    }

    /// What the devices of a circle are called, those that are out too.
    fn device_names(&self, circle: CircleId) -> Result<Vec<ExportItem>, BakenError> {
        self.with_settled(|open| {
            let circle = open.circles.get(circle)?;
            let names = DeviceNames::read(&open.vault.connection, circle)?;
            let devices = circle.membership().members().map(|(member, _)| member.device);
            Ok(devices.filter_map(|device| Some(ExportItem::Device { device, name: names.of(device)? })).collect())
        })
    }

    fn walk_record(
        &self,
        circle: CircleId,
        record: RecordId,
        kind: KindNumber,
        walked: &mut Walked,
        meter: &mut Meter<'_>,
        emit: &mut Emit<'_>,
    ) -> Result<(), BakenError> {
        let (view, history) = self.with_settled(|open| {
            record::with_history(&open.vault.connection, open.circles.get(circle)?, record, kind)
        })?;
        emit(&ExportItem::Record { record, kind, deleted: view.deleted })?;
        walked.records = walked.records.saturating_add(1);
        walked.count_cautions(&view);
        for put in history {
            let HistoryView { field, value, by, at, current, .. } = put;
            emit(&ExportItem::Put { field, value, by, at, stands: current })?;
        }
        let store = self.blobs();
        let mut blobs: Vec<BlobRef> = Vec::new();
        for blob in blobs_of(&view) {
            // Two values that stand may name the same.
            if !blobs.contains(&blob) {
                blobs.push(blob);
            }
        }
        for blob in blobs {
            if is_whole(&store, &blob)? {
                walked.files = walked.files.saturating_add(1);
                emit_file(&store, &blob, meter, emit)?;
            } else {
                // Once, also where its small picture is missing too.
                if walked.not_here.last() != Some(&record) {
                    walked.not_here.push(record);
                }
                emit(&ExportItem::NotHere { blob: blob.blob, size: blob.size })?;
            }
        }
        Ok(())
    }
}

struct Meter<'a> {
    done: u64,
    total: u64,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// Emits a file in pieces: one for each chunk, as they are opened.
fn emit_file(store: &BlobStore, blob: &BlobRef, meter: &mut Meter<'_>, emit: &mut Emit<'_>) -> Result<(), BakenError> {
    emit(&ExportItem::File { blob: blob.blob, size: blob.size })?;
    let mut pieces = Pieces { emit, meter, failed: None };
    let opened = open_to(store, blob, &mut pieces);
    match pieces.failed {
        Some(error) => Err(error),
        None => opened,
    }
}

/// A writer that emits what it is given.
struct Pieces<'a, 'b, 'c> {
    emit: &'a mut Emit<'b>,
    meter: &'a mut Meter<'c>,
    failed: Option<BakenError>,
}

impl Write for Pieces<'_, '_, '_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if let Err(error) = (self.emit)(&ExportItem::Bytes { bytes: piece.to_vec() }) {
            self.failed = Some(error);
            return Err(ErrorKind::Other.into());
        }
        self.meter.done = self.meter.done.saturating_add(piece.len() as u64);
        let done = self.meter.done.min(self.meter.total);
        (self.meter.progress)(Progress { done, total: self.meter.total });
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
