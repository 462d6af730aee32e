//! Power cuts, replayed: what a disk may hold if the current fails at any moment of a real SQLite run.
//!
//! A killed process loses nothing that it handed to the kernel, so `kill -9` can never show a missing fsync.
//! This can. A [`Recorder`] registers an SQLite VFS that does its work through the ordinary `unix` one and
//! writes down every create, write, truncate, sync and delete, with the test's own marks ("row 17 was
//! acknowledged now") between them. A [`Replay`] of that [`Log`] then builds, for any point of it, the files
//! as they might be after a cut there, and ordinary SQLite opens them:
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use baken_tests::power_loss::{Loss, Recorder};
//! let folder = tempfile::tempdir()?;
//! let recorder = Recorder::start("power-loss-example", folder.path())?;
//! // Open databases under `folder` with the VFS `recorder.vfs_name()`; after each COMMIT, say what it promised:
//! recorder.mark("row 1");
//! let log = recorder.finish()?;
//! let mut replay = log.replay();
//! for point in log.points() {
//!     let after_the_cut = tempfile::tempdir()?;
//!     replay.image_at(point, Loss::Torn { seed: 1 }, after_the_cut.path())?;
//!     // Open it, run `integrity_check`, and look for all of `log.marks_before(point)`.
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What the disk promises here, as POSIX does and no more:
//! - A file's bytes, length and truncation are durable once that file was synced. Until then each write may be
//!   there, absent, or in part (by sectors of 512 bytes), whatever became of earlier and later ones.
//! - Bytes beside a write are never harmed: SQLite's `unix` VFS claims powersafe overwrite, and is held to it.
//! - A name's creation or deletion is durable once its folder was synced, not before, even if the file was.
//!   SQLite syncs the folder with the first sync of a journal or WAL, and where it asks so of a delete.
//! - For one name the order of creations and deletions holds; between names nothing does.
//!
//! A disk may also fail while it is in use: [`Recorder::break_disk`].
//!
//! Not here: lying disks (a sync that syncs nothing is [`Log::without_syncs`]), bit rot, and files that are not
//! SQLite's. The shared-memory index is passed through and not recorded: SQLite rebuilds it after a restart.

mod fault;
mod log;
mod recorder;
mod replay;
mod vfs;

pub use fault::{Fault, Operation};
pub use log::{Log, Point};
pub use recorder::Recorder;
pub use replay::{Loss, Replay};
