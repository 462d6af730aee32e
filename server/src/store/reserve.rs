//! A file of 64 MiB that stands for room on the disk, given back when alarms need it.
//!
//! When the disk is full, sync is refused and alarms still go on: the first alarm that meets a full disk deletes the
//! file. While it is gone only alarms are written; it is made anew once there is room for twice its size.

use std::path::{Path, PathBuf};

/// The reserve's size in bytes: about six thousand alarms.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// The reserve of one data folder.
#[derive(Debug)]
pub(super) struct Reserve {
    /// `None` when this store keeps no reserve: a simulation, a test.
    path: Option<PathBuf>,
    there: bool,
}

impl Reserve {
    /// No reserve: on a full disk nothing is accepted.
    pub(super) fn none() -> Self {
        Self { path: None, there: false }
    }

    /// The reserve in `dir`, made if there is room.
    pub(super) fn in_dir(dir: &Path) -> Self {
        let path = dir.join("reserve");
        let there = std::fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES);
        let mut reserve = Self { path: Some(path), there };
        reserve.is_ready();
        reserve
    }

    /// Whether the reserve is there, after trying to make it.
    pub(super) fn is_ready(&mut self) -> bool {
        let Some(path) = &self.path else { return true };
        if !self.there {
            self.there = make(path).is_ok();
        }
        self.there
    }

    /// Gives the room back; whether there was any to give.
    pub(super) fn release(&mut self) -> bool {
        let Some(path) = &self.path else { return false };
        let released = self.there && std::fs::remove_file(path).is_ok();
        self.there = false;
        if released {
            tracing::error!(event = "reserve_released", "the disk is full: only alarms are written now");
        }
        released
    }
}

fn make(path: &Path) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let room = rustix::fs::statvfs(dir)?;
    if room.f_bavail.saturating_mul(room.f_frsize) < 2 * RESERVE_BYTES {
        return Err(std::io::ErrorKind::StorageFull.into());
    }
    let file = std::fs::File::create(path)?;
    // Blocks that are allocated, not a hole: a hole gives no room back.
    let allocated = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, RESERVE_BYTES);
    if let Err(error) = allocated {
        drop(file);
        std::fs::remove_file(path)?;
        return Err(error.into());
    }
    Ok(())
}
