//! The record of one run: what SQLite asked of the disk, in order, and what the test promised in between.
//!
//! Files are known by [`Inode`], not by name, since a name may be deleted and made again while the first
//! deletion is not yet durable: then the old file can come back. Nothing here interprets the events;
//! `replay` does.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Replay;

/// The most that one log may hold, in bytes of memory; a recorder refuses writes beyond it (`SQLITE_FULL`),
/// so that a runaway test ends with an error and not with the machine.
pub(super) const LOG_LIMIT_BYTES: usize = 256 * 1024 * 1024;

/// One file's contents over its life, whatever name leads to it: an index into [`Log::files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode(pub(super) usize);

/// A moment between two events: the cut comes after the first `n` events, and before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point(pub(super) usize);

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "point {}", self.0)
    }
}

/// What happened, once. Paths are relative to the recorder's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A new, empty file under this inode's path.
    Create { inode: Inode },
    /// `bytes` at `offset`; the file grows where they end beyond it.
    Write { inode: Inode, offset: u64, bytes: Box<[u8]> },
    /// The file is now `length` bytes long.
    Truncate { inode: Inode, length: u64 },
    /// The file is durable; with `folder`, so are all names beside it.
    Sync { inode: Inode, folder: bool },
    /// The name is gone; with `folder`, durably so, and with it all that happened to the names beside it.
    Delete { path: PathBuf, folder: bool },
    /// The test promised something to somebody.
    Mark(String),
}

/// A file that the log speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its name, relative to the recorder's folder.
    pub(super) path: PathBuf,
    /// What it held before the recording, durably; `None` for a file made during it.
    pub(super) before: Option<Vec<u8>>,
}

/// All that was recorded, oldest first. Made by [`super::Recorder::finish`].
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub(super) files: Vec<File>,
    pub(super) events: Vec<Event>,
    held_bytes: usize,
}

impl Log {
    /// Adds a file, and says how it is known from now on.
    pub(super) fn add_file(&mut self, path: PathBuf, before: Option<Vec<u8>>) -> Inode {
        self.held_bytes += size_of::<File>() + before.as_ref().map_or(0, Vec::len);
        self.files.push(File { path, before });
        Inode(self.files.len() - 1)
    }

    /// Adds an event.
    pub(super) fn add(&mut self, event: Event) {
        let payload = match &event {
            Event::Write { bytes, .. } => bytes.len(),
            Event::Mark(text) => text.len(),
            Event::Create { .. } | Event::Truncate { .. } | Event::Sync { .. } | Event::Delete { .. } => 0,
        };
        self.held_bytes += size_of::<Event>() + payload;
        self.events.push(event);
    }

    /// Whether `more` bytes still fit below [`LOG_LIMIT_BYTES`].
    pub(super) fn has_room_for(&self, more: usize) -> bool {
        self.held_bytes.saturating_add(more) <= LOG_LIMIT_BYTES
    }

    /// Every moment at which a cut leaves a disk of its own, first to last. Of the moments between two disk
    /// events, which differ in marks alone, it is the last: the one with the most promises to keep.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        (0..=self.events.len()).filter(|&index| !matches!(self.events.get(index), Some(Event::Mark(_)))).map(Point)
    }

    /// At most `count` of [`Self::points`], evenly spread over the run.
    pub fn sample_points(&self, count: usize) -> Vec<Point> {
        let all: Vec<Point> = self.points().collect();
        let taken = count.min(all.len());
        (0..taken).map(|index| all[index * all.len() / taken]).collect()
    }

    /// What had been promised when the current failed at `point`, oldest first.
    pub fn marks_before(&self, point: Point) -> impl Iterator<Item = &str> {
        self.events.iter().take(point.0).filter_map(|event| match event {
            Event::Mark(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The names of all files of the run, relative to the recorder's folder.
    pub fn file_names(&self) -> BTreeSet<&Path> {
        self.files.iter().map(|file| file.path.as_path()).collect()
    }

    /// How many times the file of this name was synced.
    pub fn sync_count(&self, name: &Path) -> usize {
        let synced = |event: &&Event| matches!(event, Event::Sync { inode, .. } if self.files[inode.0].path == name);
        self.events.iter().filter(synced).count()
    }

    /// The same run on a disk that lies: syncs of the files that `of_file` picks were answered and never done.
    /// A test that passes on this too checks nothing.
    #[must_use]
    pub fn without_syncs(&self, of_file: impl Fn(&Path) -> bool) -> Log {
        let mut lying = self.clone();
        lying.events.retain(|event| match event {
            Event::Sync { inode, .. } => !of_file(&self.files[inode.0].path),
            _ => true,
        });
        lying
    }

    /// Starts to replay it, from the first event.
    pub fn replay(&self) -> Replay<'_> {
        Replay::new(self)
    }
}
