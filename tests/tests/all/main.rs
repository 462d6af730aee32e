//! Stories across crates. One binary, since each costs a link of everything.

#[cfg(unix)]
mod main_job;
mod power_loss;
#[cfg(unix)]
mod relay_power_loss;
mod simulation;
mod two_phones;
