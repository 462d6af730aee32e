//! Hand-over packs: a folder for one reader, with what belongs to that reader and nothing else.
//!
//! Each is made of a list of what goes in, never of all there is less something: measures and their cost, contacts, the
//! household, medical records, check-ups and aftercare have no way into any of them.
//!
//! - [`police`]: the whole incident, its evidence with hashes, and a statement that the device signs.
//! - [`register`]: the seven W's for the organisation's register, without evidence and without names of people.
//! - [`council`]: counts, small ones suppressed.
//! - [`verify`]: what a reader checks, without a vault.
//!
//! They are readable by whoever finds them.

mod council;
mod html;
mod police;
mod register;
mod verify;

use std::io::Write as _;
use std::path::Path;

use baken_schemas::id::RecordId;
use baken_schemas::rules::WayOut;
use serde::Serialize;

pub use council::CouncilCounts;
pub use verify::{Verified, verify};

use crate::attachment::create_private;
use crate::disk;
use crate::export::make_private_folder;
use crate::home::sync_folder_of;
use crate::sharing::Consent;
use crate::{Baken, BakenError};

/// For whom a pack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackFor {
    /// The police: all of one incident.
    Police(RecordId),
    /// The organisation's register of incidents: one incident. The perpetrator's name only when asked for.
    Register {
        /// The incident.
        incident: RecordId,
        /// Name who did it, where the register may hold that.
        name_person: bool,
    },
    /// The council: counts of a year, or of all.
    Council {
        /// The calendar year, by the clock in the Netherlands.
        year: Option<i64>,
    },
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Packed {
    /// The names of the files.
    pub files: Vec<String>,
    /// Evidence that is not whole on this device, and so not in it.
    pub not_here: Vec<RecordId>,
    /// The fingerprint of the key that signed, of a pack for the police. A reader compares it with this phone's.
    pub fingerprint: Option<String>,
}

impl Baken {
    /// Writes a pack into a folder that anybody can read. The folder is made; one that is there must be empty.
    ///
    /// # Errors
    /// [`BakenError::FileExists`] when something is in the folder, those of [`Self::incident`],
    /// [`BakenError::AttachmentDamaged`] for evidence that is not what was added, [`BakenError::Disk`],
    /// [`BakenError::DiskFull`]. What was written is removed then.
    pub fn hand_over(&self, reader: PackFor, folder: &Path) -> Result<Packed, BakenError> {
        self.check_pack(reader)?;
        let was_there = disk::is_dir(folder);
        make_private_folder(folder)?;
        if disk::read_dir(folder)?.next().is_some() {
            return Err(BakenError::FileExists);
        }
        let made = match reader {
            PackFor::Police(incident) => self.pack_for_police(incident, folder),
            PackFor::Register { incident, name_person } => self.pack_for_register(incident, name_person, folder),
            PackFor::Council { year } => self.pack_for_council(year, folder),
        };
        if made.is_err() {
            // Half of it would be as readable as all of it. It was empty before.
            let _ = disk::remove_dir_all(folder);
            if was_there {
                let _ = make_private_folder(folder);
            }
        }
        made
    }
}

impl PackFor {
    /// The way out that it is.
    pub fn way_out(self) -> WayOut {
        match self {
            Self::Police(_) => WayOut::PolicePack,
            Self::Register { .. } => WayOut::RegisterPack,
            Self::Council { .. } => WayOut::CouncilPack,
        }
    }
}

impl Baken {
    /// Whether every record that a pack is made of may go by it. Today none of their kinds tells of a measure; whoever adds
    /// one asks here.
    fn check_pack(&self, reader: PackFor) -> Result<(), BakenError> {
        let records = match reader {
            PackFor::Police(incident) | PackFor::Register { incident, .. } => vec![self.incident(incident)?],
            PackFor::Council { .. } => self.records(Some("incident"))?,
        };
        records.iter().try_for_each(|record| self.check_way(record, reader.way_out(), Consent::NotAsked))
    }
}

/// Writes a file of a pack, durably.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<String, BakenError> {
    let path = folder.join(name);
    let mut file = create_private(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder_of(&path)?;
    Ok(name.to_owned())
}

/// A cell of a CSV file (RFC 4180), quoted. A spreadsheet takes what begins so for a formula: it gets a quote before.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A row of a CSV file.
fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests;
