//! From a [`Log`] and a point in it to the files as they might be after a power cut there.
//!
//! The disk keeps two things apart: what is durable, and what is still pending since the last sync. A replay
//! walks forward through the log and never undoes, so asking for rising points costs each event once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::log::{Event, Inode, Log, Point};

#[cfg(test)]
mod tests;

/// What a disk writes whole or not at all. Real disks have 4,096 today; the smallest tears most.
const SECTOR_BYTES: usize = 512;

/// What becomes of everything that was not yet synced. The same seed, log and point always give the same files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing is lost: what a killed process leaves, or a cut long after. The control of an experiment.
    Nothing,
    /// All of it is lost.
    DropUnsynced,
    /// A random part is lost, each write and truncation whole: as if the disk had taken them in any order.
    Reorder {
        /// Chooses what is lost.
        seed: u64,
    },
    /// A random part is lost, writes also by the sector.
    Torn {
        /// Chooses what is lost.
        seed: u64,
    },
}

/// A walk through one [`Log`].
#[derive(Debug)]
pub struct Replay<'log> {
    log: &'log Log,
    next_event: usize,
    disk: Disk<'log>,
}

impl<'log> Replay<'log> {
    pub(super) fn new(log: &'log Log) -> Self {
        Self { log, next_event: 0, disk: Disk::before(log) }
    }

    /// Writes into `folder` (made if missing) the files as they might be after a cut at `point`.
    /// Rising points are cheap; a lower one than before walks the log again from its start.
    ///
    /// # Errors
    /// The folder cannot be written, or holds one of these files already: an image is never laid over another.
    pub fn image_at(&mut self, point: Point, loss: Loss, folder: &Path) -> Result<()> {
        if point.0 < self.next_event {
            *self = Self::new(self.log);
        }
        for event in &self.log.events[self.next_event..point.0] {
            self.disk.apply(event, self.log);
        }
        self.next_event = point.0;

        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let mut chance = Chance::at(point, loss);
        for (name, entry) in &self.disk.names {
            let Some(inode) = entry.after_cut(&mut chance) else { continue };
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
            }
            let bytes = self.disk.contents[inode.0].after_cut(&mut chance);
            fs::File::create_new(&path)
                .and_then(|mut file| file.write_all(&bytes))
                .with_context(|| format!("writing the image {}", path.display()))?;
        }
        Ok(())
    }
}

/// All files, by name and by contents.
#[derive(Debug)]
struct Disk<'log> {
    names: BTreeMap<&'log Path, Entry>,
    contents: Vec<Contents<'log>>,
}

impl<'log> Disk<'log> {
    /// As it was when the recording began.
    fn before(log: &'log Log) -> Self {
        let mut names = BTreeMap::new();
        let mut contents = Vec::with_capacity(log.files.len());
        for (index, file) in log.files.iter().enumerate() {
            if file.before.is_some() {
                names.insert(file.path.as_path(), Entry { durable: Some(Inode(index)), pending: Vec::new() });
            }
            contents.push(Contents { durable: file.before.clone().unwrap_or_default(), pending: Vec::new() });
        }
        Self { names, contents }
    }

    fn apply(&mut self, event: &'log Event, log: &'log Log) {
        match event {
            Event::Create { inode } => {
                self.names.entry(&log.files[inode.0].path).or_default().pending.push(Some(*inode));
            }
            Event::Write { inode, offset, bytes } => {
                self.contents[inode.0].pending.push(Change::Write { offset: *offset, bytes });
            }
            Event::Truncate { inode, length } => {
                self.contents[inode.0].pending.push(Change::Truncate { length: *length });
            }
            Event::Sync { inode, folder } => {
                self.contents[inode.0].sync();
                if *folder {
                    self.sync_folder_of(&log.files[inode.0].path);
                }
            }
            Event::Delete { path, folder } => {
                self.names.entry(path).or_default().pending.push(None);
                if *folder {
                    self.sync_folder_of(path);
                }
            }
            Event::Mark(_) => {}
        }
    }

    fn sync_folder_of(&mut self, path: &Path) {
        for (name, entry) in &mut self.names {
            if name.parent() == path.parent()
                && let Some(last) = entry.pending.drain(..).next_back()
            {
                entry.durable = last;
            }
        }
    }
}

/// What one name leads to: `None` is nothing.
#[derive(Debug, Default)]
struct Entry {
    durable: Option<Inode>,
    /// Each creation and deletion since the folder was synced.
    pending: Vec<Option<Inode>>,
}

impl Entry {
    fn after_cut(&self, chance: &mut Chance) -> Option<Inode> {
        match chance.survivors_in_order(self.pending.len()) {
            0 => self.durable,
            survivors => self.pending[survivors - 1],
        }
    }
}

/// The bytes of one file.
#[derive(Debug)]
struct Contents<'log> {
    durable: Vec<u8>,
    /// Each change since the file was synced.
    pending: Vec<Change<'log>>,
}

impl Contents<'_> {
    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { offset, bytes } => write_at(&mut self.durable, offset, bytes),
                Change::Truncate { length } => resize(&mut self.durable, length),
            }
        }
    }

    /// The changes that survive are laid down in the order they were made. That shows reorderings too: of two
    /// writes to one page, the later one being lost leaves the same bytes as the earlier one landing last.
    fn after_cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut bytes_left = self.durable.clone();
        for change in &self.pending {
            match change {
                Change::Truncate { length } => {
                    if chance.survives() {
                        resize(&mut bytes_left, *length);
                    }
                }
                Change::Write { offset, bytes } => {
                    for (start, part) in chance.surviving_parts(*offset, bytes) {
                        write_at(&mut bytes_left, start, part);
                    }
                }
            }
        }
        bytes_left
    }
}

/// A change of one file that no sync has made durable.
#[derive(Debug)]
enum Change<'log> {
    Write { offset: u64, bytes: &'log [u8] },
    Truncate { length: u64 },
}

/// Decides what survives one cut.
struct Chance {
    loss: Loss,
    rng: ChaCha8Rng,
    /// How likely a pending change survives this cut. Drawn once for each cut, from low to high, since both
    /// "nearly all lost but one" and "nearly all there but one" find faults that an even draw seldom meets.
    survival: f64,
}

impl Chance {
    fn at(point: Point, loss: Loss) -> Self {
        let seed = match loss {
            Loss::Nothing | Loss::DropUnsynced => 0,
            Loss::Reorder { seed } | Loss::Torn { seed } => seed,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(point.0 as u64);
        let survival = [0.1, 0.5, 0.9][rng.random_range(0..3)];
        Self { loss, rng, survival }
    }

    fn survives(&mut self) -> bool {
        match self.loss {
            Loss::Nothing => true,
            Loss::DropUnsynced => false,
            Loss::Reorder { .. } | Loss::Torn { .. } => self.rng.random_bool(self.survival),
        }
    }

    /// Of `count` changes that can only survive in their order, how many do.
    fn survivors_in_order(&mut self, count: usize) -> usize {
        (0..count).take_while(|_| self.survives()).count()
    }

    /// The parts of a write that survive, each with its offset in the file.
    fn surviving_parts<'bytes>(&mut self, offset: u64, bytes: &'bytes [u8]) -> Vec<(u64, &'bytes [u8])> {
        if !matches!(self.loss, Loss::Torn { .. }) {
            return if self.survives() { vec![(offset, bytes)] } else { Vec::new() };
        }
        let mut parts = Vec::with_capacity(bytes.len() / SECTOR_BYTES + 2);
        let mut start = 0;
        while start < bytes.len() {
            let position = offset + start as u64;
            let to_boundary = SECTOR_BYTES - (position % SECTOR_BYTES as u64) as usize;
            let end = bytes.len().min(start + to_boundary);
            if self.survives() {
                parts.push((position, &bytes[start..end]));
            }
            start = end;
        }
        parts
    }
}

fn write_at(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = in_memory(offset);
    let end = start + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[start..end].copy_from_slice(bytes);
}

fn resize(file: &mut Vec<u8>, length: u64) {
    file.resize(in_memory(length), 0);
}

/// The recorder bounds offsets and lengths to `vfs::FILE_LIMIT_BYTES`, which any `usize` holds.
fn in_memory(position: u64) -> usize {
    usize::try_from(position).expect("the recorder bounds every position")
}
