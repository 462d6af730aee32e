//! Stories across crates. One binary, since each costs a link of everything.

mod alarm_files;
mod attached;
mod attachments;
mod check_ins;
mod circles;
mod complaints;
mod deletions;
#[cfg(target_os = "linux")]
mod disk_full;
mod docs;
mod dossier;
mod evil_relay;
mod exported;
mod family;
mod family_at_home;
mod follow_up;
mod handing_on;
#[cfg(unix)]
mod kill;
mod leidraad;
mod main_job;
mod orders;
#[cfg(unix)]
mod power_loss;
#[cfg(unix)]
mod relay_power_loss;
mod serve_all;
mod simulation;
mod sms;
mod town;
mod travel;
mod two_phones;
