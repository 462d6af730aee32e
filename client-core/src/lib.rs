//! The phone's core, without a screen: vault, records, circles, sync, alarms.
//!
//! One object, [`Baken`], is what a command line, UniFFI and WebAssembly call; they add nothing. Clock, randomness,
//! network and disk are passed in. Nothing here panics, and nothing personal is in an error or a log.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod activation;
pub mod aftercare;
pub mod agenda;
pub mod alarm;
pub mod attachment;
mod baken;
pub mod briefing;
mod card;
pub mod checkin;
pub mod circle;
pub mod client;
mod context;
mod decoy;
mod device;
mod devices;
pub mod disk;
mod done;
mod error;
pub mod export;
mod family;
mod family_page;
mod finding;
pub mod guidance;
pub mod home;
mod inbox;
pub mod incident;
pub mod key_store;
pub mod life;
mod orders;
pub mod pairing;
pub mod private;
mod profile;
pub mod readiness;
pub mod record;
pub mod recovery;
pub mod review;
pub mod scan;
pub mod sharing;
pub mod steps;
pub mod sync;
pub mod task;
mod timer;
pub mod transport;
pub mod travel;
mod unlock;
mod vault;

pub use baken::{AlarmSetup, Baken};
pub use context::Context;
pub use devices::DeviceView;
pub use error::BakenError;
pub use family::{FamilyMemberView, FamilyPlaces};
pub use family_page::{ChapterRef, FamilyPage};
pub use orders::OrderView;
