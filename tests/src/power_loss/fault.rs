//! A disk that fails: the n-th read, write, sync or allocation of space, once or from then on.
//!
//! What a failed call was to do is not done, and not in the log either: after a failed sync all that it was to make
//! durable may be lost, whatever later syncs say of what comes after them.

use std::ffi::c_int;

use libsqlite3_sys as ffi;

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Making durable.
    Sync,
    /// Growing a file: a full disk.
    Space,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Sync, Self::Space];

    fn code(self) -> c_int {
        match self {
            Self::Read => ffi::SQLITE_IOERR_READ,
            Self::Write => ffi::SQLITE_IOERR_WRITE,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
            Self::Space => ffi::SQLITE_FULL,
        }
    }
}

/// When it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What fails.
    pub operation: Operation,
    /// The first call that does, from 1.
    pub nth: u32,
    /// And all after it.
    pub for_good: bool,
    /// It says that it went well: a program that does not look at what a call answers.
    pub swallowed: bool,
}

/// A fault, and how far it has come.
#[derive(Debug)]
pub(super) struct Pending {
    fault: Fault,
    calls: u32,
    pub(super) strikes: u32,
}

impl Pending {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, calls: 0, strikes: 0 }
    }

    /// What this call answers instead of being made, if it fails.
    pub(super) fn strike(&mut self, operation: Operation) -> Option<c_int> {
        if operation != self.fault.operation {
            return None;
        }
        self.calls = self.calls.saturating_add(1);
        let struck = if self.fault.for_good { self.calls >= self.fault.nth } else { self.calls == self.fault.nth };
        if !struck {
            return None;
        }
        self.strikes = self.strikes.saturating_add(1);
        Some(if self.fault.swallowed { ffi::SQLITE_OK } else { operation.code() })
    }
}
