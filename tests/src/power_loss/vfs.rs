//! The SQLite VFS under a recorder: every call goes through to the `unix` VFS, and what changes the disk is noted.
//!
//! One lock is held over the real call and its note, so the log's order is the disk's order even with several
//! connections. Syncs are really done too, for a group commit forms its groups while one is under way.
//!
//! Memory-mapped reading and writing is not offered (`iVersion` 2), since a store into a mapping cannot be seen
//! from here, nor is growing a file in chunks, since that writes without a write. SQLite does without both.
//!
//! A panic inside a callback aborts the process: Rust does not unwind into C.
#![allow(unsafe_code, reason = "SQLite takes a VFS as C structures of function pointers, and in no other way")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use libsqlite3_sys as ffi;

use super::fault::Operation;
use super::log::{Event, Inode};
use super::recorder::Shared;

/// The kinds of file that live through a power cut. Temporary files do not, whatever is on the disk.
const LASTING_KINDS: c_int =
    ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;

/// The kinds whose first sync after creation is also a sync of their folder (SQLite's `unixOpen`, `isNewJrnl`).
const FOLDER_SYNCING_KINDS: c_int =
    ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;

/// The VFS as registered with SQLite; dropping it takes it off the list for new connections. The structure
/// itself is never freed, since an open connection keeps the pointer for as long as it lives.
#[derive(Debug)]
pub(super) struct Registration(*mut ffi::sqlite3_vfs);

// SAFETY: nothing reads or writes through it here. SQLite guards its list of VFSs with a mutex of its own.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}

impl Registration {
    /// Registers `name`, recording into `shared` what happens to files in `folder`, an absolute path without
    /// symbolic links (as `unix` gives them).
    pub(super) fn of(name: &str, folder: PathBuf, shared: Arc<Shared>) -> Result<Self> {
        let c_name = CString::new(name).context("a VFS name holds no NUL")?;
        // SAFETY: both names are NUL-terminated and outlive the calls.
        let (taken, unix) =
            unsafe { (ffi::sqlite3_vfs_find(c_name.as_ptr()), ffi::sqlite3_vfs_find(c"unix".as_ptr())) };
        ensure!(taken.is_null(), "the VFS name {name} is taken: every recorder needs its own");
        ensure!(!unix.is_null(), "this SQLite has no unix VFS to record from");

        // SAFETY: `unix` came from `sqlite3_vfs_find`; a registered VFS is never freed.
        let (file_bytes, longest_path) = unsafe { ((*unix).szOsFile, (*unix).mxPathname) };
        let vfs = Box::into_raw(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: file_bytes + size_of::<RecordedFile>() as c_int,
            mxPathname: longest_path,
            pNext: ptr::null_mut(),
            zName: c_name.into_raw(),
            pAppData: Box::into_raw(Box::new(Beneath { unix, folder, shared })).cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            // Loading extensions is not offered; SQLite asks for these only then.
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the structure is complete and lives for the rest of the process.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        ensure!(code == ffi::SQLITE_OK, "registering the VFS {name} failed with SQLite code {code}");
        Ok(Self(vfs))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: it was registered by `of`, and its memory stays valid for connections that are still open.
        unsafe { ffi::sqlite3_vfs_unregister(self.0) };
    }
}

/// What the VFS's callbacks need: its `pAppData`.
struct Beneath {
    unix: *mut ffi::sqlite3_vfs,
    folder: PathBuf,
    shared: Arc<Shared>,
}

impl Beneath {
    /// The name a file is recorded under: relative to the folder, and `None` if it is not in there.
    ///
    /// # Safety
    /// `name` is null or a NUL-terminated string.
    unsafe fn recorded_name(&self, name: *const c_char) -> Option<PathBuf> {
        if name.is_null() {
            return None;
        }
        // SAFETY: not null, so the caller promised a string.
        let name = unsafe { CStr::from_ptr(name) }.to_str().ok()?;
        Path::new(name).strip_prefix(&self.folder).ok().map(Path::to_owned)
    }
}

/// An open file as SQLite sees it. The `unix` VFS's own file structure follows it in memory, in the room that
/// `szOsFile` reserves; the size of this one is a multiple of its alignment, so that one is aligned too.
#[repr(C)]
struct RecordedFile {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`; null for a file that is not recorded.
    handle: *mut Handle,
}

/// What is noted about an open file.
struct Handle {
    shared: Arc<Shared>,
    inode: Inode,
    /// The next sync is also one of the folder.
    folder_sync_due: bool,
}

/// The `unix` VFS's file behind ours.
///
/// # Safety
/// `file` is one that SQLite allocated for this VFS.
unsafe fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` reserved both structures, one behind the other.
    unsafe { file.cast::<RecordedFile>().add(1).cast() }
}

/// What is noted about `file`, if it is recorded.
///
/// # Safety
/// `file` is one that `open` opened and `close` has not closed, and SQLite calls it from one thread at a time.
unsafe fn handle_of<'open>(file: *mut ffi::sqlite3_file) -> Option<&'open mut Handle> {
    // SAFETY: `open` set it to null or to a leaked box, which `close` alone frees.
    unsafe { (*file.cast::<RecordedFile>()).handle.as_mut() }
}

/// Calls a method of the `unix` VFS's file behind `$file`.
macro_rules! through {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: an open file of ours has an open file of the unix VFS behind it, whose methods are set.
        unsafe {
            let real = real_file($file);
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => ffi::SQLITE_NOTFOUND,
            }
        }
    }};
}

/// Callbacks of a file that change nothing on the disk.
macro_rules! pass_through {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) => $method:ident;)*) => {
        $(unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $argument: $kind)*) -> c_int {
            through!(file, $method $(, $argument)*)
        })*
    };
}

pass_through! {
    fn file_size(size: *mut ffi::sqlite3_int64) => xFileSize;
    fn lock(level: c_int) => xLock;
    fn unlock(level: c_int) => xUnlock;
    fn check_reserved_lock(result: *mut c_int) => xCheckReservedLock;
    fn sector_size() => xSectorSize;
    fn device_characteristics() => xDeviceCharacteristics;
    fn shm_map(region: c_int, size: c_int, extend: c_int, address: *mut *mut c_void) => xShmMap;
    fn shm_lock(offset: c_int, count: c_int, flags: c_int) => xShmLock;
    fn shm_unmap(delete: c_int) => xShmUnmap;
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as in `through!`; this one method answers nothing.
    unsafe {
        let real = real_file(file);
        if let Some(method) = (*(*real).pMethods).xShmBarrier {
            method(real);
        }
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let ours = file.cast::<RecordedFile>();
    // SAFETY: SQLite passes our own VFS and a file of `szOsFile` bytes. Null methods say "not open", so that
    // SQLite does not close what failed to open.
    let beneath = unsafe {
        (*ours).base.pMethods = ptr::null();
        (*ours).handle = ptr::null_mut();
        &*(*vfs).pAppData.cast::<Beneath>()
    };
    let lasts = flags & LASTING_KINDS != 0 && flags & ffi::SQLITE_OPEN_DELETEONCLOSE == 0;
    // SAFETY: SQLite passes a string, or null for a temporary file.
    let recorded = if lasts { unsafe { beneath.recorded_name(name) } } else { None };

    let mut recording = beneath.shared.lock();
    let recorded = recorded.filter(|_| !recording.is_finished());
    // Before the real open: it may read the file, and closing any descriptor of a file drops this process's
    // locks on it.
    let found = match recorded.as_deref().map(|name| recording.find(name, &beneath.folder)).transpose() {
        Ok(found) => found.flatten(),
        Err(error) => {
            recording.fail(format!("{error:#}"));
            return ffi::SQLITE_CANTOPEN;
        }
    };

    // SAFETY: `real` is the room behind our structure, and the name is passed on as the same pointer, behind
    // which SQLite keeps the parameters of a URI.
    let code = unsafe {
        let real = real_file(file);
        let code = match (*beneath.unix).xOpen {
            Some(open) => open(beneath.unix, name, real, flags, flags_out),
            None => ffi::SQLITE_CANTOPEN,
        };
        if code != ffi::SQLITE_OK {
            if let Some(methods) = (*real).pMethods.as_ref()
                && let Some(close) = methods.xClose
            {
                close(real);
            }
            return code;
        }
        code
    };

    if let Some(recorded) = recorded {
        let inode = found.unwrap_or_else(|| recording.created(recorded));
        let folder_sync_due = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & FOLDER_SYNCING_KINDS != 0;
        let handle = Handle { shared: Arc::clone(&beneath.shared), inode, folder_sync_due };
        // SAFETY: `ours` is valid, as above.
        unsafe { (*ours).handle = Box::into_raw(Box::new(handle)) };
    }
    // SAFETY: as above; from here on the file is open.
    unsafe { (*ours).base.pMethods = &raw const METHODS };
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = through!(file, xClose);
    // SAFETY: the handle is null or a leaked box, and SQLite uses the file no more.
    unsafe {
        let ours = file.cast::<RecordedFile>();
        if !(*ours).handle.is_null() {
            drop(Box::from_raw((*ours).handle));
        }
        (*ours).handle = ptr::null_mut();
        (*ours).base.pMethods = ptr::null();
    }
    code
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    if let Some(handle) = unsafe { handle_of(file) }
        && let Some(code) = handle.shared.lock().strike(Operation::Read)
    {
        return code;
    }
    through!(file, xRead, into, amount, offset)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    let Some(handle) = (unsafe { handle_of(file) }) else { return through!(file, xWrite, from, amount, offset) };
    let (Ok(length), Ok(start)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    let mut recording = handle.shared.lock();
    if !recording.has_room_for(start.saturating_add(length as u64), length) {
        return ffi::SQLITE_FULL;
    }
    if let Some(code) = recording.strike(Operation::Write) {
        return code;
    }
    let mut size = 0;
    if through!(file, xFileSize, &raw mut size) == ffi::SQLITE_OK
        && size < offset.saturating_add(i64::from(amount))
        && let Some(code) = recording.strike(Operation::Space)
    {
        return code;
    }
    let code = through!(file, xWrite, from, amount, offset);
    recording.note(code, "write", || {
        // SAFETY: SQLite passes `amount` readable bytes, which the real write just read.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) };
        Event::Write { inode: handle.inode, offset: start, bytes: bytes.into() }
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    let Some(handle) = (unsafe { handle_of(file) }) else { return through!(file, xTruncate, size) };
    let Ok(length) = u64::try_from(size) else { return ffi::SQLITE_IOERR_TRUNCATE };
    let mut recording = handle.shared.lock();
    if !recording.has_room_for(length, 0) {
        return ffi::SQLITE_FULL;
    }
    let code = through!(file, xTruncate, size);
    recording.note(code, "truncate", || Event::Truncate { inode: handle.inode, length })
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file of ours.
    let Some(handle) = (unsafe { handle_of(file) }) else { return through!(file, xSync, flags) };
    let mut recording = handle.shared.lock();
    if let Some(code) = recording.strike(Operation::Sync) {
        return code;
    }
    let code = through!(file, xSync, flags);
    let folder = std::mem::take(&mut handle.folder_sync_due);
    recording.note(code, "sync", || Event::Sync { inode: handle.inode, folder })
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    match operation {
        // With a chunk size the unix VFS would lengthen files by itself.
        ffi::SQLITE_FCNTL_CHUNK_SIZE => ffi::SQLITE_NOTFOUND,
        _ => through!(file, xFileControl, operation, argument),
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite passes our own VFS and a string.
    let (beneath, recorded) = unsafe {
        let beneath = &*(*vfs).pAppData.cast::<Beneath>();
        (beneath, beneath.recorded_name(name))
    };
    let mut recording = beneath.shared.lock();
    let recorded = recorded.filter(|_| !recording.is_finished());
    if let Some(Err(error)) = recorded.as_deref().map(|name| recording.find(name, &beneath.folder)) {
        recording.fail(format!("{error:#}"));
        return ffi::SQLITE_IOERR_DELETE;
    }
    // SAFETY: the unix VFS is called with itself and the caller's own arguments.
    let code = unsafe {
        match (*beneath.unix).xDelete {
            Some(delete) => delete(beneath.unix, name, sync_folder),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    };
    if let Some(recorded) = recorded
        && code != ffi::SQLITE_IOERR_DELETE_NOENT
    {
        recording.deleted(code, recorded, sync_folder & 1 != 0);
    }
    code
}

/// Callbacks of the VFS that change nothing on the disk.
macro_rules! pass_through_vfs {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) => $method:ident;)*) => {
        $(unsafe extern "C" fn $name(vfs: *mut ffi::sqlite3_vfs $(, $argument: $kind)*) -> c_int {
            // SAFETY: SQLite passes our own VFS, whose `unix` is registered for good; it gets itself and the
            // caller's own arguments.
            unsafe {
                let unix = (*(*vfs).pAppData.cast::<Beneath>()).unix;
                match (*unix).$method {
                    Some(method) => method(unix $(, $argument)*),
                    None => ffi::SQLITE_ERROR,
                }
            }
        })*
    };
}

pass_through_vfs! {
    fn access(name: *const c_char, flags: c_int, result: *mut c_int) => xAccess;
    fn full_pathname(name: *const c_char, room: c_int, into: *mut c_char) => xFullPathname;
    fn randomness(amount: c_int, into: *mut c_char) => xRandomness;
    fn sleep(microseconds: c_int) => xSleep;
    fn current_time(into: *mut f64) => xCurrentTime;
    fn last_error(room: c_int, into: *mut c_char) => xGetLastError;
    fn current_time_int64(into: *mut ffi::sqlite3_int64) => xCurrentTimeInt64;
}
