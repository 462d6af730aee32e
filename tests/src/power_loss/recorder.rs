//! A recording under way: what a test holds, and the log that the VFS fills behind it.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow, ensure};
use libsqlite3_sys::SQLITE_OK;

use super::fault::{Fault, Operation, Pending};
use super::log::{Event, Inode, LOG_LIMIT_BYTES, Log};
use super::vfs::Registration;

/// The longest file a recording takes: far above any test's database, and far below what a replay, which
/// holds whole files in memory, could choke on.
const FILE_LIMIT_BYTES: u64 = 128 * 1024 * 1024;

/// A recording under way. Shared by reference between threads. When it is dropped, the VFS is gone for new
/// connections, while open ones may go on, unrecorded.
#[derive(Debug)]
pub struct Recorder {
    name: String,
    shared: Arc<Shared>,
    _registration: Registration,
}

impl Recorder {
    /// Registers the VFS `name` and records all that happens through it to databases in `folder` or below.
    /// What is in them already counts as durable. For each recorder a few hundred bytes are never freed.
    ///
    /// # Errors
    /// `folder` does not exist, or `name` is that of a registered VFS.
    pub fn start(name: &str, folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("finding {}", folder.display()))?;
        let shared = Arc::new(Shared::default());
        let registration = Registration::of(name, folder, Arc::clone(&shared))?;
        Ok(Self { name: name.to_owned(), shared, _registration: registration })
    }

    /// What to open connections with.
    pub fn vfs_name(&self) -> &str {
        &self.name
    }

    /// Notes that something was promised now: whatever the replay does to the disk, it must be there after any
    /// later cut. Call it after the answer that promises, never before.
    pub fn mark(&self, promise: impl Into<String>) {
        let promise = promise.into();
        let mut recording = self.shared.lock();
        if recording.has_room_for(0, promise.len()) {
            recording.add(Event::Mark(promise));
        }
    }

    /// From now on the disk fails so. A fault that was set before is over.
    pub fn break_disk(&self, fault: Fault) {
        self.shared.lock().fault = Some(Pending::new(fault));
    }

    /// The disk is mended; says how many calls had failed.
    pub fn mend_disk(&self) -> u32 {
        self.shared.lock().fault.take().map_or(0, |pending| pending.strikes)
    }

    /// Ends the recording and hands it over. Connections may still be open; what they do from now on is not in
    /// it, so close them before if their closing is to be recorded.
    ///
    /// # Errors
    /// The log was full, or a write, sync or delete failed for real: then it does not tell what is on the disk.
    /// Or it was finished before.
    pub fn finish(&self) -> Result<Log> {
        let mut recording = self.shared.lock();
        ensure!(!recording.finished, "the recording {} was finished before", self.name);
        recording.finished = true;
        let log = std::mem::take(&mut recording.log);
        match recording.failure.take() {
            Some(failure) => Err(anyhow!("the recording {} is not whole: {failure}", self.name)),
            None => Ok(log),
        }
    }
}

/// The recording, between the recorder, the VFS and the open files.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<Recording>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Recording {
    log: Log,
    /// Which file each name leads to now.
    live: BTreeMap<PathBuf, Inode>,
    finished: bool,
    /// The first thing that made the log untrue.
    failure: Option<String>,
    fault: Option<Pending>,
}

impl Recording {
    pub(super) fn add(&mut self, event: Event) {
        if !self.finished {
            self.log.add(event);
        }
    }

    /// What the call answers instead of being made, if the disk fails now.
    pub(super) fn strike(&mut self, operation: Operation) -> Option<c_int> {
        self.fault.as_mut()?.strike(operation)
    }

    pub(super) fn fail(&mut self, what: impl Into<String>) {
        self.failure.get_or_insert(what.into());
    }

    /// The result of a call that changes the disk: noted if it was done, and if not, the end of the log's truth.
    pub(super) fn note(&mut self, code: c_int, what: &str, event: impl FnOnce() -> Event) -> c_int {
        if code == SQLITE_OK {
            self.add(event());
        } else {
            self.fail(format!("a {what} failed with SQLite code {code}"));
        }
        code
    }

    /// Whether a change up to `end` that takes `more` bytes of log can be recorded.
    pub(super) fn has_room_for(&mut self, end: u64, more: usize) -> bool {
        let room = self.finished || (end <= FILE_LIMIT_BYTES && self.log.has_room_for(more));
        if !room {
            self.fail(format!("it is full: a file of {FILE_LIMIT_BYTES} bytes, or {LOG_LIMIT_BYTES} bytes in all"));
        }
        room
    }

    /// Which file the name leads to, in `folder`: a known one, or one from before the recording, which is taken
    /// in now. `None` if there is none.
    pub(super) fn find(&mut self, name: &Path, folder: &Path) -> Result<Option<Inode>> {
        let path = folder.join(name);
        match self.live.get(name) {
            Some(inode) => Ok(Some(*inode)),
            None if path.exists() => self.add_earlier_file(name, &path).map(Some),
            None => Ok(None),
        }
    }

    /// A new file was made under the name.
    pub(super) fn created(&mut self, name: PathBuf) -> Inode {
        let inode = self.log.add_file(name.clone(), None);
        self.live.insert(name, inode);
        self.add(Event::Create { inode });
        inode
    }

    /// The name was deleted, if `code` says so.
    pub(super) fn deleted(&mut self, code: c_int, path: PathBuf, folder: bool) {
        self.live.remove(&path);
        self.note(code, "delete", || Event::Delete { path, folder });
    }

    /// Whether the recording is over.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    fn add_earlier_file(&mut self, name: &Path, path: &Path) -> Result<Inode> {
        let length = fs::metadata(path).with_context(|| format!("looking at {}", path.display()))?.len();
        ensure!(
            length <= FILE_LIMIT_BYTES && self.log.has_room_for(length as usize),
            "{} is too large to record",
            path.display()
        );
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let inode = self.log.add_file(name.to_owned(), Some(bytes));
        self.live.insert(name.to_owned(), inode);
        Ok(inode)
    }
}
