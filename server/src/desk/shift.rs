//! What one shift leaves to the next: notes that officers write in the console. They may name people, so they lie sealed in
//! the desk's folder, and go after two weeks.
//!
//! ```text
//! shift.sealed     the notes, the newest last
//! ```

use baken_schemas::cbor;
use baken_schemas::time::Timestamp;
use minicbor::{Decode, Encode};
use serde::Serialize;

use super::duty::{DutyView, ROSTER_FILE, Roster, RosterError, Turn, WallTime, local_now};
use super::officers::Officer;
use super::{Desk, DeskError};
use crate::folder::{Access, FolderError, read_whole, write_whole};

const FILE: &str = "shift.sealed";
/// The longest note, in bytes.
pub const MAX_NOTE_BYTES: usize = 2_000;
/// The most notes; past it the oldest go.
const MAX_NOTES: usize = 100;
/// How long a note is kept, in milliseconds.
const KEPT_MS: i64 = 14 * 24 * 3_600_000;

/// A note for the next shift. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ShiftNote {
    /// When it was written.
    #[n(0)]
    pub at: Timestamp,
    /// By whom.
    #[n(1)]
    pub officer: String,
    /// What it says.
    #[n(2)]
    pub text: String,
}

impl std::fmt::Debug for ShiftNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShiftNote(…)")
    }
}

/// Why a note was not kept or a duty not handed over.
#[derive(Debug, thiserror::Error)]
pub enum ShiftError {
    /// Nothing, or too much.
    #[error("a note has 1 to {MAX_NOTE_BYTES} bytes")]
    Words,
    /// The roster cannot be changed that way.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<FolderError> for ShiftError {
    fn from(error: FolderError) -> Self {
        Self::Desk(error.into())
    }
}

/// The roster as the console shows it.
#[derive(Debug, Clone)]
pub struct RosterView {
    /// Who has it now, and what is wrong.
    pub duty: DutyView,
    /// Who has it when, for a week.
    pub turns: Vec<Turn>,
    /// Everybody in it.
    pub people: Vec<String>,
}

impl Desk {
    /// The notes, the newest first.
    ///
    /// # Errors
    /// [`DeskError::Folder`], also where the file was altered.
    pub fn shift_notes(&self) -> Result<Vec<ShiftNote>, DeskError> {
        let path = self.dir.join(FILE);
        let sealed = match read_whole(&path) {
            Ok(sealed) => sealed,
            Err(FolderError::Missing(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let damaged = || FolderError::Damaged { path, why: "it does not open under this desk's key".to_owned() };
        let plain = self.open_at_rest(&sealed).ok_or_else(damaged)?;
        let mut notes: Vec<ShiftNote> = cbor::from_slice(&plain, "notes of shifts")?;
        let oldest = self.now().plus_ms(-KEPT_MS);
        notes.retain(|note| note.at > oldest);
        notes.reverse();
        Ok(notes)
    }

    /// Leaves a note to the next shift.
    ///
    /// # Errors
    /// [`ShiftError`].
    pub async fn leave_note(&self, officer: &Officer, text: &str) -> Result<(), ShiftError> {
        let text = text.trim().replace("\r\n", "\n");
        if text.is_empty() || text.len() > MAX_NOTE_BYTES {
            return Err(ShiftError::Words);
        }
        let now = self.now();
        {
            // One writer at a time, or two notes of the same moment would be one.
            let _alone = self.notes_alone.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let mut notes = self.shift_notes()?;
            notes.truncate(MAX_NOTES - 1);
            notes.reverse();
            notes.push(ShiftNote { at: now, officer: officer.name.clone(), text });
            let sealed = self.seal_at_rest(&cbor::to_vec(&notes), &mut self.fork_rng());
            write_whole(&self.dir.join(FILE), &sealed, Access::Secret)?;
        }
        self.note(now, Some(officer.id), "shift_note", "ok").await?;
        self.changed();
        Ok(())
    }

    /// Who is on duty this week; `None` without a roster.
    ///
    /// # Errors
    /// [`RosterError`], where there is one that cannot be read.
    pub fn roster_view(&self) -> Result<Option<RosterView>, RosterError> {
        let roster = match Roster::read(&self.dir) {
            Err(RosterError::None) => return Ok(None),
            read => read?,
        };
        let now = local_now(self.now());
        Ok(Some(RosterView { duty: roster.view(now), turns: roster.week(now), people: roster.names() }))
    }

    /// Hands the duty over to somebody of the roster, from now on.
    ///
    /// # Errors
    /// [`ShiftError`].
    pub async fn hand_duty_over(&self, officer: &Officer, to: &str, until: WallTime) -> Result<(), ShiftError> {
        let now = self.now();
        {
            let _alone = self.notes_alone.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let mut roster = Roster::read(&self.dir)?;
            roster.hand_over(to, local_now(now), until)?;
            write_whole(&self.dir.join(ROSTER_FILE), roster.to_toml().as_bytes(), Access::Secret)?;
        }
        self.note(now, Some(officer.id), "duty_handed_over", "ok").await?;
        self.changed();
        Ok(())
    }
}
