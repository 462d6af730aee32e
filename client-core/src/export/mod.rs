//! Taking everything out and in again: a sealed file ([`baken_schemas::export`]) or a readable folder, and bringing such
//! a file into another dossier. `docs/export.md` says what is in them.
//!
//! What is exported is what is open: with a decoy open, the decoy, and nothing looks different. What Baken keeps for itself
//! ([`baken_schemas::record::Keeping`]) stays behind, and is not taken in; what devices and circles are called is said of
//! them. Nothing of it is in memory at a time but one record or one piece of a file.

mod clear;
mod import;
mod items;

use std::io::{BufWriter, Write as _};
use std::path::Path;

use baken_schemas::export::{ExportCode, ExportSealer};
use baken_schemas::id::RecordId;
use baken_schemas::record::{FieldNumber, KindNumber, kind_numbered};
use baken_schemas::rules::WayOut;

pub use import::{ImportReport, LeftOut, LeftOutReason, Note, OtherCircles};

pub(crate) use clear::{harmless, make_private_folder};

use crate::attachment::{Existing, Progress, create_private};
use crate::disk;
use crate::home::sync_folder_of;
use crate::sharing::Consent;
use crate::{Baken, BakenError};
use items::Walked;

/// The kind that the self-scan's answers have in an export; on a phone they are no records.
const SCAN_KIND: &str = "scan";

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// How many records.
    pub records: u64,
    /// How many files.
    pub files: u64,
    /// Attachments of which a file is not whole on this device, and so not in it.
    pub not_here: Vec<RecordId>,
    /// Measures that are or were confidential, and what names one, that are not in it (R11).
    pub kept_in: Vec<RecordId>,
    /// How many records say what security costs, or by which contract: to warn of (L13).
    pub costs: u64,
    /// How many records have somebody else's name or number.
    pub third_parties: u64,
}

impl Baken {
    /// Writes everything into one sealed file, whole or not at all, and gives the code that opens it. Nobody can get the
    /// code back; it is to be shown once. Confidential measures are in it: it is for oneself.
    ///
    /// # Errors
    /// [`BakenError::FileExists`] where there is a file and it is to be kept, those of the PIN, [`BakenError::Locked`],
    /// [`BakenError::Disk`], [`BakenError::DiskFull`].
    pub fn export(
        &self,
        pin: &str,
        path: &Path,
        existing: Existing,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(ExportCode, Exported), BakenError> {
        self.check_pin(pin)?;
        if existing == Existing::Keep && path.symlink_metadata().is_ok() {
            return Err(BakenError::FileExists);
        }
        let (code, name) = self.context.with_rng(|rng| (ExportCode::make(rng), RecordId::make(rng)));
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{name}.part"));
        let beside = Path::new(&beside);
        let written = self.write_sealed(&code, beside, progress).and_then(|walked| {
            disk::rename(beside, path)?;
            sync_folder_of(path)?;
            Ok(walked)
        });
        if written.is_err() {
            // On a full disk this makes room again; what the caller is told is why it was not written.
            let _ = disk::remove_file(beside);
        }
        Ok((code, written?.into()))
    }

    fn write_sealed(
        &self,
        code: &ExportCode,
        path: &Path,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Walked, BakenError> {
        let mut file = BufWriter::new(create_private(path)?);
        let (mut sealer, head) = self.context.with_rng(|rng| ExportSealer::new(code, rng));
        file.write_all(&head)?;
        let walked = self.walk((WayOut::SealedExport, Consent::NotAsked), progress, &mut |item| {
            let sealed = self.context.with_rng(|rng| sealer.push(item, rng))?;
            Ok(file.write_all(&sealed)?)
        })?;
        file.write_all(&self.context.with_rng(|rng| sealer.finish(rng))?)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        Ok(walked)
    }
}

/// Whether a field holds what opens a file.
fn is_file(kind: KindNumber, field: FieldNumber) -> bool {
    let kind = kind_numbered(kind).filter(|kind| kind.name == "attachment");
    kind.and_then(|kind| kind.field_numbered(field)).is_some_and(|field| matches!(field.name, "blob" | "thumbnail"))
}

impl From<Walked> for Exported {
    fn from(walked: Walked) -> Self {
        let Walked { records, files, not_here, kept_in, costs, third_parties } = walked;
        Self { records, files, not_here, kept_in, costs, third_parties }
    }
}
