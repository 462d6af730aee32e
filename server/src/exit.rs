//! Exit codes of `baken-server`, part of its interface.

/// All went well.
pub const OK: i32 = 0;
/// Something that no other code stands for.
pub const UNEXPECTED: i32 = 1;
/// The command line is wrong (clap's own code).
pub const USAGE: i32 = 2;
/// A file, a setting or a document that was given cannot be used.
pub const BAD_INPUT: i32 = 3;
/// The relay could not be reached; what was to be sent is kept, and the same command sends it.
pub const NOT_REACHED: i32 = 6;
/// The disk failed while serving: start again, and look at the disk.
pub const DISK_FAILED: i32 = 70;
/// Another process uses the data folder.
pub const FOLDER_IN_USE: i32 = 73;
/// Another process listens on the port.
pub const PORT_IN_USE: i32 = 74;
