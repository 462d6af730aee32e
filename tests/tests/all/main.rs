//! Stories across crates. One binary, since each costs a link of everything.

#[cfg(unix)]
mod power_loss;
mod two_phones;
