//! Stories across crates. One binary, since each costs a link of everything.

mod adviser_year;
mod alarm_files;
mod attached;
mod attachments;
mod browser;
mod case;
mod check_ins;
mod circles;
mod complaints;
mod confidential;
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
mod found;
mod handing_on;
#[cfg(unix)]
mod kill;
mod leidraad;
mod lock_screen;
mod main_job;
mod orders;
mod partner_with_children;
mod phone_app;
#[cfg(unix)]
mod power_loss;
#[cfg(unix)]
mod relay_power_loss;
mod serve_all;
mod sharing;
mod simulation;
mod sms;
mod stories;
mod town;
mod travel;
mod two_phones;
mod uneasy_councillor;
