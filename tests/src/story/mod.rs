//! The main job as a story, played with real processes.

pub mod console;
pub mod process;
pub mod telling;
