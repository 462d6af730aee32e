//! The main job as a story, played with real processes.

pub mod console;
pub mod gateway;
pub mod phone;
pub mod play;
pub mod process;
pub mod second_desk;
pub mod telling;
pub mod town;
mod unable;
